// The gate, asked through the sidecar; and what an exchange's own systems say of an act.
//
// On a real platform the two attestations are made elsewhere: where identities are checked, and where balances are kept,
// by keys that the back end's host does not have. Here `portcullis key attest` stands in for both systems.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What the gate, or the sidecar before it, did not take. */
export class Refused extends Error {
  /** @param {number} status @param {{title?: string, detail?: string, retry?: string}} problem */
  constructor(status, problem) {
    super(problem.detail ?? `HTTP ${status}`);
    this.status = status;
    this.problem = problem;
  }

  /** Whether sending the very same again would be refused again. The gate says so itself; the sidecar by its status. */
  get isFinal() {
    const { retry } = this.problem;
    return retry ? retry !== "later" : this.status < 500 && ![401, 408, 429].includes(this.status);
  }
}

export class Gate {
  /** @param {{sidecar: string, token: string, network: string, portcullis: string}} at */
  constructor({ sidecar, token, network, portcullis }) {
    this.sidecar = sidecar;
    this.network = network;
    this.portcullis = portcullis;
    this.headers = { authorization: `Bearer ${readFileSync(token, "utf8").trim()}` };
    this.genesis = JSON.parse(readFileSync(join(network, "genesis.json"), "utf8")).genesis;
  }

  /** One call. Whatever is not 2xx is thrown. */
  async call(method, path, body, headers = {}) {
    const json = body && { "content-type": "application/json" };
    const answer = await fetch(this.sidecar + path, {
      method,
      headers: { ...this.headers, ...json, ...headers },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(60_000),
    });
    const said = await answer.json();
    if (!answer.ok) throw new Refused(answer.status, said);
    return said;
  }

  get = (path) => this.call("GET", path);
  post = (path, body, headers) => this.call("POST", path, body, headers);

  /** An act made of what is to be done: `{act, digest, challenge}`. A customer's names its principal and account. */
  draft = (said) => this.post("/v1/acts:draft", said);
  /** What would become of it now, and what to ask the customer's browser for. */
  simulate = (act) => this.post("/v1/acts:simulate", { act, evidence: {} });
  /** Submit it. Sent again under the same key, it is answered again and done once. */
  submit = (act, evidence, key) => this.post("/v1/acts", { act, evidence }, { "idempotency-key": key });
  standing = (digest) => this.get(`/v1/acts/${digest}`);
  account = (id) => this.get(`/v1/accounts/${id}`);
  /** Waits for news up to 20 seconds. */
  events = (after) => this.get(`/v1/events?wait=20000${after === undefined ? "" : `&after=${after}`}`);

  /** The onboarding system: the factor in this act belongs to the account's holder. */
  attestOnboarding = (act) => this.#attest(act, "onboarding", ["--claim", "onboarding"]);
  /** The ledger: this entry has debited the account by the act's amount. */
  attestDebit = (act, entry) => this.#attest(act, "ledger", ["--claim", "ledger-debit", "--entry", entry]);

  async #attest(act, kind, claim) {
    const { id } = this.genesis.issuers.find((issuer) => issuer.kind === kind);
    const key = join(this.network, "keys", `${kind}.keys`);
    return this.#run(["key", "attest", key, "--name", "issuer", "--issuer", id, "--act", "-", ...claim], JSON.stringify(act));
  }

  /** What became of an act by the journal itself, followed and decided again here: nobody's word. */
  fate = (digest) => this.#run(["verify", "act", digest, "--json", "--dir", this.network]);

  /** @returns {Promise<any>} what the command prints, which is JSON */
  #run(args, input = "") {
    return new Promise((resolve, reject) => {
      const child = spawn(this.portcullis, args, { stdio: ["pipe", "pipe", "pipe"] });
      const texts = ["", ""];
      child.stdout.on("data", (bytes) => (texts[0] += bytes));
      child.stderr.on("data", (bytes) => (texts[1] += bytes));
      child.on("error", reject);
      child.on("close", (code) => (code === 0 ? resolve(JSON.parse(texts[0])) : reject(new Error(texts[1]))));
      child.stdin.end(input);
    });
  }
}
