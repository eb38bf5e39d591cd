// The sample exchange's web server: its page, and what the page may ask.
//
//   node server.mjs --network DIR --sidecar URL --token FILE --portcullis PROGRAM [--port N] [--data FILE] [--asset CAIP-19] [--delay MS]
//
// Signing in is not what this shows: whoever gives a name gets an account and a cookie.

import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Exchange } from "./exchange.mjs";
import { Gate, Refused } from "./gate.mjs";

const text = { type: "string" };
const { values } = parseArgs({
  options: {
    network: text, sidecar: text, token: text, delay: text,
    portcullis: { ...text, default: "portcullis" },
    port: { ...text, default: "7500" },
    data: { ...text, default: "exchange.json" },
    asset: { ...text, default: "eip155:31337/slip44:60" },
  },
});
const { network, sidecar, token, portcullis, port, data, asset, delay } = values;
const origin = `http://localhost:${port}`;
const exchange = new Exchange(new Gate({ network, sidecar, token, portcullis }), {
  file: data, asset, delay: delay === undefined ? undefined : Number(delay),
});

const MOST = 64 * 1024;
const PAGE = Object.fromEntries(
  [["/", "index.html", "text/html"], ["/app.js", "app.js", "text/javascript"], ["/style.css", "style.css", "text/css"]]
    .map(([path, file, type]) => [path, { type, body: readFileSync(new URL(`page/${file}`, import.meta.url)) }]),
);
const HEADERS = {
  "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
};

/** Only these kinds are a customer's to ask for here, and only with these members. */
const KINDS = {
  "add-address": ({ address }) => ({ type: "add-address", address }),
  withdraw: ({ to, amount }) => ({ type: "withdraw", to, amount }),
  cancel: ({ act }) => ({ type: "cancel", act }),
  freeze: () => ({ type: "freeze" }),
  unfreeze: () => ({ type: "unfreeze" }),
};

const routes = {
  "GET /api/me": (session) => exchange.view(session),
  "POST /api/passkey/options": (session) => exchange.passkeyOptions(exchange.customers[session]),
  "POST /api/passkey": (session, said) => exchange.open(session, said).then(({ stage, why }) => ({ stage, why })),
  "POST /api/draft": (session, { kind }) => {
    const make = KINDS[kind?.type];
    if (!make) throw new Refused(400, { detail: "this cannot be asked for here" });
    return exchange.draft(session, make(kind));
  },
  "POST /api/confirm": (session, { digest, credential }) =>
    exchange.confirm(session, digest, credential).then(({ stage, why }) => ({ stage, why })),
  "POST /api/sign-again": (session, { digest, credential }) =>
    exchange.signAgain(session, digest, credential).then(({ stage, why }) => ({ stage, why })),
};

async function body(request) {
  let said = "";
  for await (const bytes of request.setEncoding("utf8")) {
    said += bytes;
    if (said.length > MOST) throw new Refused(413, { detail: "that is too long" });
  }
  try {
    return JSON.parse(said || "{}");
  } catch {
    throw new Refused(400, { detail: "that is no JSON" });
  }
}

function answer(response, status, said, headers = {}) {
  response.writeHead(status, { ...HEADERS, "content-type": "application/json", ...headers });
  response.end(JSON.stringify(said));
}

async function serve(request, response) {
  const { pathname } = new URL(request.url, origin);
  const page = request.method === "GET" && PAGE[pathname];
  if (page) {
    response.writeHead(200, { ...HEADERS, "content-type": `${page.type}; charset=utf-8` });
    return response.end(page.body);
  }
  // Another site's page may send a browser here, and says so.
  if (request.method === "POST" && request.headers.origin !== origin) throw new Refused(403, { detail: "another page asked" });
  const said = await body(request);
  if (`${request.method} ${pathname}` === "POST /api/sign-up") {
    const name = String(said.name ?? "").trim().slice(0, 60);
    if (!name) throw new Refused(400, { detail: "a name is needed" });
    const cookie = `session=${exchange.signUp(name)}; HttpOnly; SameSite=Strict; Path=/`;
    return answer(response, 200, {}, { "set-cookie": cookie });
  }
  const session = /(?:^|;\s*)session=([\w-]+)/.exec(request.headers.cookie ?? "")?.[1];
  const route = Object.hasOwn(routes, `${request.method} ${pathname}`) && routes[`${request.method} ${pathname}`];
  if (!route) throw new Refused(404, { detail: "there is nothing here" });
  if (!session || !Object.hasOwn(exchange.customers, session)) {
    if (request.method === "GET") return answer(response, 200, null);
    throw new Refused(401, { detail: "sign up first" });
  }
  answer(response, 200, await route(session, said));
}

createServer((request, response) => {
  serve(request, response).catch((error) => {
    if (!(error instanceof Refused)) console.error(error);
    if (response.headersSent) return response.end();
    // What the gate or the sidecar refused is no error of the page's.
    const status = !(error instanceof Refused) ? 502 : error.problem.type ? 409 : error.status;
    answer(response, status, { detail: error instanceof Refused ? error.message : "the gate is not reached; nothing is lost: try again" });
  });
}).listen(Number(port), "127.0.0.1", () => console.log(`exchange ${origin}`));
exchange.follow();
