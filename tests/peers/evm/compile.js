// Compiles tokens.sol; writes the code that creates each contract, in hexadecimal, as NAME.bin.
//
//   node compile.js FOLDER     FOLDER has node_modules; the results go beside them

const fs = require("node:fs");
const path = require("node:path");

const folder = path.resolve(process.argv[2]);
const modules = path.join(folder, "node_modules");
const solc = require(path.join(modules, "solc"));

const input = {
  language: "Solidity",
  sources: { "tokens.sol": { content: fs.readFileSync(path.join(__dirname, "tokens.sol"), "utf8") } },
  settings: {
    optimizer: { enabled: true, runs: 200 },
    outputSelection: { "tokens.sol": { "*": ["evm.bytecode.object"] } },
  },
};

function read(name) {
  try {
    return { contents: fs.readFileSync(path.join(modules, name), "utf8") };
  } catch (error) {
    return { error: error.message };
  }
}

const output = JSON.parse(solc.compile(JSON.stringify(input), { import: read }));
const problems = output.errors ?? [];
problems.forEach((problem) => console.error(problem.formattedMessage));
if (problems.some((problem) => problem.severity === "error")) process.exit(1);

for (const [name, contract] of Object.entries(output.contracts["tokens.sol"])) {
  fs.writeFileSync(path.join(folder, `${name}.bin`), contract.evm.bytecode.object);
}
