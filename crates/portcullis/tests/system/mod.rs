//! The whole system for a test: a real Ethereum node, and every process of the real binary.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests; each test file uses some of them, and the lint knows only the tests themselves"
)]

pub mod bitcoin;

use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");
/// Anvil's first unlocked account.
const RICH: &str = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";

/// Where peers are installed.
pub fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.peers")
}

/// Anvil's program, where one is installed.
pub fn anvil_binary() -> Option<PathBuf> {
    let installed = peers().join("node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil");
    let named = std::env::var_os("PORTCULLIS_ANVIL").map(PathBuf::from);
    named.or(Some(installed)).filter(|path| path.exists())
}

/// A child process that ends with its owner.
pub struct Running(pub Child);

impl Running {
    /// Start one, with nothing to read.
    pub fn start(command: &mut Command) -> Self {
        Self(
            command
                .stdin(Stdio::null())
                .spawn()
                .expect("a process starts"),
        )
    }

    /// Whether it still runs.
    pub fn lives(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Ask it to end, and wait until it has.
    pub fn end(&mut self) {
        if !self.lives() {
            return;
        }
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap();
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// A real Ethereum node.
pub struct Anvil {
    _process: Running,
    url: String,
}

impl Anvil {
    /// Start one on a free port; nothing where none is installed.
    pub fn start() -> Option<Self> {
        let Some(binary) = anvil_binary() else {
            println!("skipped: no anvil, run script/install");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut command = Command::new(binary);
        command.args([
            "--host",
            "127.0.0.1",
            "--chain-id",
            "31337",
            "--port",
            &port.to_string(),
        ]);
        let mut process = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::null()));
        let mut output = BufReader::new(process.0.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("Listening on") {
            line.clear();
            assert!(output.read_line(&mut line).unwrap() > 0, "anvil ended");
        }
        // Somebody has to read on, or it blocks.
        std::thread::spawn(move || {
            let mut rest = Vec::new();
            let _ = output.read_to_end(&mut rest);
        });
        let url = format!("http://127.0.0.1:{port}");
        Some(Self {
            _process: process,
            url,
        })
    }

    /// One JSON-RPC call.
    pub fn rpc(&self, method: &str, params: &Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let http = portcullis_host::Web::new();
        let headers = [("content-type", "application/json")];
        let reply = portcullis_host::Http::post(
            &http,
            &self.url,
            &headers,
            body.to_string().as_bytes(),
            1 << 20,
            Duration::from_secs(10),
        );
        let answer: Value = serde_json::from_slice(&reply.unwrap().body).unwrap();
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Deploy a contract of `tests/peers/evm` with a supply; its address.
    pub fn deploy(&self, contract: &str, supply: u128) -> Option<String> {
        let Ok(code) = fs::read_to_string(peers().join(format!("evm/{contract}.bin"))) else {
            println!("skipped: no contracts, run tests/peers/evm/install");
            return None;
        };
        let code = code.trim().trim_start_matches("0x");
        let data = format!("0x{code}{supply:064x}");
        let hash = self.rpc(
            "eth_sendTransaction",
            &json!([{ "from": RICH, "data": data }]),
        );
        // The node answers before the block is made.
        let address = || {
            let receipt = self.rpc("eth_getTransactionReceipt", &json!([hash]));
            Some(receipt["contractAddress"].as_str()?.to_owned())
        };
        Some(until(address, || "the contract in a block".into()))
    }

    /// Send tokens from whoever deployed them.
    pub fn give_tokens(&self, contract: &str, to: &str, amount: u128) {
        let to = to.trim_start_matches("0x");
        let data = format!("0xa9059cbb{to:0>64}{amount:064x}");
        let call = json!([{ "from": RICH, "to": contract, "data": data }]);
        self.rpc("eth_sendTransaction", &call);
    }

    /// Somebody's tokens, in base units.
    pub fn tokens(&self, contract: &str, of: &str) -> u128 {
        let of = of.trim_start_matches("0x");
        let data = format!("0x70a08231{of:0>64}");
        number(&self.rpc(
            "eth_call",
            &json!([{ "to": contract, "data": data }, "latest"]),
        ))
    }

    /// Somebody's wei.
    pub fn wei(&self, of: &str) -> u128 {
        number(&self.rpc("eth_getBalance", &json!([of, "latest"])))
    }

    /// How many transactions somebody has sent.
    pub fn sent(&self, of: &str) -> u128 {
        number(&self.rpc("eth_getTransactionCount", &json!([of, "latest"])))
    }
}

fn number(hex: &Value) -> u128 {
    let digits = hex
        .as_str()
        .unwrap()
        .trim_start_matches("0x")
        .trim_start_matches('0');
    if digits.is_empty() {
        0
    } else {
        u128::from_str_radix(digits, 16).unwrap()
    }
}

/// A process of the network, started by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Gate,
    Signer,
    Witness,
    Herald,
}

impl Who {
    fn starts_as(self) -> (&'static str, &'static str) {
        match self {
            Self::Gate => ("serve", "gate.toml"),
            Self::Signer => ("signer", "signer.toml"),
            Self::Witness => ("witness", "witness.toml"),
            Self::Herald => ("herald", "herald.toml"),
        }
    }
}

/// A development network's folder, and its processes.
pub struct Network {
    folder: tempfile::TempDir,
    processes: Option<Running>,
}

impl Network {
    /// Make one for a node; not started.
    pub fn init(anvil: &Anvil, tokens: &[String]) -> Self {
        Self::init_with(anvil, tokens, &[])
    }

    /// The same with more arguments.
    pub fn init_with(anvil: &Anvil, tokens: &[String], more: &[&str]) -> Self {
        let mut args = vec!["--node", &anvil.url];
        for token in tokens {
            args.extend(["--erc20", token]);
        }
        args.extend(more);
        Self::init_alone(&args)
    }

    /// With these arguments alone: without a node, unless they name one.
    pub fn init_alone(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let network = Self {
            folder,
            processes: None,
        };
        run(&[&["init", "--development", network.dir()][..], more].concat());
        network
    }

    /// Start every process, and wait until all answer.
    pub fn start(&mut self) {
        let mut command = Command::new(BINARY);
        command
            .args(["serve", "--all", "--dir", self.dir()])
            .stderr(self.log())
            .stdout(Stdio::piped());
        let mut process = Running::start(&mut command);
        let mut output = BufReader::new(process.0.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(
            line,
            "ready\n",
            "{}",
            fs::read_to_string(self.path("log")).unwrap()
        );
        self.processes = Some(process);
    }

    /// Start one process, whatever has become of the others; it ends with this one.
    pub fn begin(&self, who: Who) -> Running {
        let (command, config) = who.starts_as();
        let mut process = Command::new(BINARY);
        process
            .args([command, "--tied", "--config"])
            .arg(self.path(config))
            .stdout(Stdio::null())
            .stderr(self.log());
        Running::start(&mut process)
    }

    /// Where processes say what they do.
    pub fn log(&self) -> fs::File {
        let mut options = fs::File::options();
        options
            .create(true)
            .append(true)
            .open(self.path("log"))
            .unwrap()
    }

    /// Wait until the gate is witnessed: it then takes acts.
    pub fn until_witnessed(&self) {
        self.until("the gate", |network| {
            let (_, text) = try_run(&["call", "--dir", network.dir(), "GET", "/v1/status"]);
            let status: Value = serde_json::from_str(&text).ok()?;
            status["witnessed_at"].is_number().then_some(())
        });
    }

    /// End every process.
    pub fn stop(&mut self) {
        self.processes = None;
    }

    /// The file of an act's receipt, once there is one.
    pub fn receipt(&self, act: &str) -> PathBuf {
        let path = format!("/v1/acts/{act}/receipt");
        let ask = ["call", "--dir", self.dir(), "--as", "auditor", "GET", &path];
        let receipt = self.until("a receipt", |_| {
            let (passed, text) = try_run(&ask);
            passed.then_some(text)
        });
        let file = self.path("receipt.json");
        std::fs::write(&file, receipt).unwrap();
        file
    }

    /// The receipt of an act, once there is one, shown by both verifiers from the genesis digest alone; what ours
    /// says.
    pub fn shown_by_both(&self, act: &str) -> String {
        let (file, digest) = (self.receipt(act), self.text("genesis.digest"));
        let shown = [file.to_str().unwrap(), "--genesis-digest", &digest];
        let mut second = second_verifier();
        second.args(shown);
        peer("python3", &mut second);
        run(&[&["verify", "receipt"][..], &shown].concat())
    }

    /// The folder, as an argument.
    pub fn dir(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    /// A file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A text file in the folder, without the space around it.
    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name))
            .unwrap_or_default()
            .trim()
            .to_owned()
    }

    /// The genesis.
    pub fn genesis(&self) -> Value {
        serde_json::from_str::<Value>(&self.text("genesis.json")).unwrap()["genesis"].clone()
    }

    /// The wallet's address on the chain.
    pub fn wallet(&self) -> String {
        let genesis = self.genesis();
        let address = genesis["wallets"][0]["address"].as_str().unwrap();
        address.rsplit(':').next().unwrap().to_owned()
    }

    /// A value of the development customer's.
    pub fn customer(&self, name: &str) -> String {
        let text = self.text("keys/customer.toml");
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.split('"').nth(1).unwrap().to_owned()
    }

    /// One signed request; its JSON answer.
    pub fn call(&self, args: &[&str]) -> Value {
        let mut all = vec!["call", "--dir", self.dir()];
        all.extend(args);
        serde_json::from_str(&run(&all)).unwrap()
    }

    /// A customer's act, relayed by the back end.
    pub fn customers_act(&self, kind: &Value, more: &[&str]) -> Value {
        let file = self.path("act.json");
        fs::write(&file, kind.to_string()).unwrap();
        let mut args = vec![
            "--as",
            "back-end",
            "--act",
            file.to_str().unwrap(),
            "--passkey",
            "customer",
        ];
        args.extend(more);
        self.call(&args)
    }

    /// Ask until the answer is there; time is bounded, and nothing depends on how long it takes.
    pub fn until<T>(&self, what: &str, ask: impl Fn(&Self) -> Option<T>) -> T {
        let log = || fs::read_to_string(self.path("log")).unwrap_or_default();
        until(|| ask(self), || format!("{what}\n{}", log()))
    }

    /// Where an act stands.
    pub fn stage(&self, digest: &str) -> String {
        let answer = self.call(&["--as", "auditor", "GET", &format!("/v1/acts/{digest}")]);
        answer["stage"].as_str().unwrap().to_owned()
    }
}

fn until<T>(ask: impl Fn() -> Option<T>, what: impl Fn() -> String) -> T {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "waited in vain for {}", what());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Run the binary; what it prints.
pub fn run(args: &[&str]) -> String {
    let (passed, output) = try_run(args);
    assert!(passed, "portcullis {}\n{output}", args.join(" "));
    output
}

/// Run the binary; whether it passed, and what it printed (and said, where it did not).
pub fn try_run(args: &[&str]) -> (bool, String) {
    let done = Command::new(BINARY)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let mut output = String::from_utf8_lossy(&done.stdout).into_owned();
    if !done.status.success() {
        output.push_str(&String::from_utf8_lossy(&done.stderr));
    }
    (done.status.success(), output)
}

/// The receipt verifier that was written from the specification alone. It needs Python and nothing else.
pub fn second_verifier() -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/verify.py");
    let mut python = Command::new("python3");
    python.arg(script);
    python
}

/// Run a peer's command, if it is installed; it has to pass.
pub fn peer(name: &str, command: &mut Command) {
    let done = match command.stdin(Stdio::null()).output() {
        Ok(done) => done,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("skipped: no {name}, run script/install");
            return;
        }
        Err(error) => panic!("{name}: {error}"),
    };
    let said = [done.stdout, done.stderr].concat();
    assert!(
        done.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&said)
    );
    println!("{name}: {}", String::from_utf8_lossy(&said).trim());
}
