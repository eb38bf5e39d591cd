// A small exchange: customers, a ledger, and what they ask of the gate. Everything that must survive stands in one file,
// written before anything is sent.

import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { Refused } from "./gate.mjs";

/** Stages after which nothing of an act changes. */
const ENDED = ["confirmed", "returned", "refused", "done"];
/** What a new customer finds in its account: 25 ETH, in wei. It is a sample. */
const GIFT = 25n * 10n ** 18n;
/** Acts are decided by their expiry, and clocks differ by less than this. */
const CLOCKS_DIFFER = 30_000;

const id = () => randomBytes(16).toString("hex");

/**
 * @typedef {{id: string, account: string, kind: "gift"|"debit"|"credit", amount: string, act?: string}} Entry
 * @typedef {{name: string, subject: string, principal: string, account: string, seen?: object}} Customer
 * @typedef {{customer: string, act: any, evidence?: any, stage: string, why?: string, needs?: any[], until?: number,
 *   transactions?: string[], entry?: string, at: number}} Asked   `drafted`, `sending`, then the gate's own stages
 */
export class Exchange {
  /** @param {import("./gate.mjs").Gate} gate @param {{file: string, asset: string, delay?: number}} own */
  constructor(gate, { file, asset, delay }) {
    Object.assign(this, { gate, file, asset, delay });
    const kept = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
    /** @type {Record<string, Customer>} by session */
    this.customers = kept.customers ?? {};
    /** @type {Record<string, Asked>} by digest */
    this.asked = kept.asked ?? {};
    /** @type {Entry[]} */
    this.ledger = kept.ledger ?? [];
    this.cursor = kept.cursor;
  }

  /** Whole, and on the disk before anything follows from it. */
  keep() {
    const { customers, asked, ledger, cursor } = this;
    const file = openSync(`${this.file}.new`, "w", 0o600);
    writeSync(file, JSON.stringify({ customers, asked, ledger, cursor }));
    fsyncSync(file);
    closeSync(file);
    renameSync(`${this.file}.new`, this.file);
  }

  signUp(name) {
    const session = randomBytes(32).toString("base64url");
    const customer = { name, subject: id(), principal: id(), account: id() };
    this.customers[session] = customer;
    this.book("gift", customer.account, GIFT);
    return session;
  }

  /** @returns {string} the entry's id, which the ledger attests */
  book(kind, account, amount, act) {
    const entry = { id: id(), account, kind, amount: String(amount), act };
    this.ledger.push(entry);
    this.keep();
    return entry.id;
  }

  balance(account) {
    const own = this.ledger.filter((entry) => entry.account === account);
    return own.reduce((sum, { kind, amount }) => (kind === "debit" ? sum - BigInt(amount) : sum + BigInt(amount)), 0n);
  }

  #covers(account, amount) {
    if (!/^[0-9]{1,30}$/.test(amount)) throw new Refused(400, { detail: "An amount is a number of wei." });
    if (BigInt(amount) > this.balance(account)) throw new Refused(409, { detail: "There is not as much in your account. Nothing was sent." });
  }

  /** The options of `navigator.credentials.create()`. */
  passkeyOptions(customer) {
    const party = this.gate.genesis.parties.find((party) => party.realm === "customers").relying_party;
    const user = Buffer.from(customer.principal, "hex").toString("base64url");
    const ask = { realm: "customers", rp_id: party.rp_ids[0], rp_name: "Harbour", user, user_name: customer.name };
    return this.gate.post("/v1/registrations/options", ask);
  }

  /** A new passkey opens the customer's account, on onboarding's word. It counts after the account's delay. */
  async open(session, { challenge, credential }) {
    const { subject, principal, account } = this.customers[session];
    const { factor } = await this.gate.post("/v1/registrations", { challenge, credential });
    const kind = { type: "open-account", subject, principal, factor, delay: this.delay };
    const { act, digest } = await this.gate.draft({ account, kind });
    const attestations = [await this.gate.attestOnboarding(act)];
    this.asked[digest] = { customer: session, act, evidence: { attestations }, stage: "sending", at: Date.now() };
    return this.send(digest);
  }

  /** What the customer is to be shown before it signs, and what its browser is to be asked for. */
  async draft(session, kind) {
    const { principal, account } = this.customers[session];
    if (kind.type === "withdraw") {
      this.#covers(account, kind.amount);
      kind = { ...kind, asset: this.asset };
    }
    const { act, digest, challenge } = await this.gate.draft({ principal, account, kind });
    const { decision, options } = await this.gate.simulate(act);
    // The challenge is the sidecar's, which computed it from the act; the gate's would do, and is not believed.
    if (options) options.challenge = challenge;
    this.asked[digest] = { customer: session, act, stage: "drafted", at: Date.now() };
    return { digest, act, decision, options };
  }

  /** The customer has signed. Nothing is waited for until it is kept: whoever presses twice sends one act and one debit. */
  async confirm(session, digest, credential) {
    const asked = this.asked[digest];
    if (asked?.customer !== session || asked.stage !== "drafted") throw new Refused(404, { detail: "nothing like this waits for you" });
    const { kind, account } = asked.act;
    const pays = kind.type === "withdraw";
    if (pays) this.#covers(account, kind.amount);
    Object.assign(asked, { evidence: { assertions: [credential] }, stage: "sending" });
    // From here on it is debited, until the journal says that nothing moved and nothing can.
    if (pays) asked.entry = this.book("debit", account, kind.amount, digest);
    return this.send(digest);
  }

  /** A freeze, or a factor that counts no more, takes the first signature back: the customer has signed the same act again. */
  async signAgain(session, digest, credential) {
    const asked = this.asked[digest];
    if (asked?.customer !== session || asked.stage !== "held") throw new Refused(404, { detail: "nothing like this waits for you" });
    await this.gate.post(`/v1/acts/${digest}/evidence`, { assertions: [credential] });
    await this.look(digest);
    return asked;
  }

  /** Send what is kept. Without an answer it stays as it is, and `follow` sends the very same again. */
  async send(digest) {
    const asked = this.asked[digest];
    try {
      if (asked.entry) asked.evidence.attestations ??= [await this.gate.attestDebit(asked.act, asked.entry)];
      this.keep();
      const { decision, stage } = await this.gate.submit(asked.act, asked.evidence, digest);
      asked.stage = stage ?? { hold: "held", release: asked.entry ? "released" : "done" }[decision.decision];
    } catch (error) {
      if (error instanceof Refused && error.isFinal) Object.assign(asked, { stage: "refused", why: error.message });
      else console.error(`${digest} is sent again: ${error.message}`);
    }
    this.keep();
    // What cannot be looked at now is looked at once there is news of it.
    if (!["sending", "refused"].includes(asked.stage)) await this.look(digest).catch(() => {});
    return asked;
  }

  /** Where the act and its account stand now. */
  async look(digest) {
    const asked = this.asked[digest];
    const { stage, needs, until, transactions, reason } = await this.gate.standing(digest);
    Object.assign(asked, { stage, needs, until, transactions, why: reason ?? asked.why });
    await this.lookAt(asked.customer);
    this.keep();
  }

  async lookAt(session) {
    const customer = this.customers[session];
    const { frozen, holders, addresses } = await this.gate.account(customer.account);
    customer.seen = { frozen, addresses, passkeys: holders[0].factors };
  }

  /** Give a debit back, once the journal itself says that nothing moved and nothing can. The gate's word is not enough. */
  async settle(digest) {
    const { act, stage } = this.asked[digest];
    const entries = this.ledger.filter((entry) => entry.act === digest);
    const isOpen = entries.some(({ kind }) => kind === "debit") && !entries.some(({ kind }) => kind === "credit");
    if (!isOpen || !["refused", "returned"].includes(stage)) return;
    const { fate, cosigned_at } = await this.gate.fate(digest);
    const isTooLate = fate === "absent" && cosigned_at > act.expires + CLOCKS_DIFFER;
    if (["refused", "returned"].includes(fate) || isTooLate) this.book("credit", act.account, act.kind.amount, digest);
  }

  /** Follow the journal's events, for ever. */
  async follow() {
    for (;;) {
      try {
        const { events, next } = await this.gate.events(this.cursor);
        const spoken = new Set(events.flatMap(({ act, account, others = [] }) => [act, account, ...others.map((other) => other.act)]));
        for (const [digest, { stage, act, needs = [], until }] of Object.entries(this.asked)) {
          // What is held is held for other reasons once something else has happened to its account, or the witnesses have signed.
          const waits = stage === "held" && (spoken.has(act.account) || (!until && needs.some(({ need }) => need === "delay")));
          if (stage === "sending") await this.send(digest);
          else if (spoken.has(digest) || waits) await this.look(digest);
          await this.settle(digest);
        }
        for (const [session, { seen }] of Object.entries(this.customers)) {
          if (seen && [...seen.addresses, ...seen.passkeys].some((it) => it.available_at === null)) await this.lookAt(session);
        }
        this.cursor = next ?? this.cursor;
        this.keep();
      } catch (error) {
        console.error(`the gate is not reached: ${error.message}`);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
    }
  }

  /** All that a customer is shown. */
  view(session) {
    const { name, account, seen } = this.customers[session];
    const own = Object.entries(this.asked).filter(([, asked]) => asked.customer === session && asked.stage !== "drafted");
    const withdrawals = own.filter(([, { act }]) => act.kind.type === "withdraw").map(([digest, asked]) => {
      const { stage, needs, until, why, transactions, at } = asked;
      const { to, amount } = asked.act.kind;
      const back = this.ledger.some((entry) => entry.act === digest && entry.kind === "credit");
      return { digest, to, amount, stage, needs, until, why, transactions, at, back, ended: ENDED.includes(stage) };
    });
    const chain = this.asset.split("/")[0];
    return { name, balance: String(this.balance(account)), chain, ...seen, withdrawals: withdrawals.reverse() };
  }
}
