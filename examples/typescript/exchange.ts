/**
 * One withdrawal, as a platform's back end brings it about: account, address, payment, receipt.
 *
 *     node exchange.js platform.json       (examples/run typescript makes that file, and a gate to speak to)
 *
 * Every step is what integrate.md describes. In place of the customer's browser stands passkey.ts.
 */

import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { actDigest, Client, Key, Refused, relay } from "portcullis-client";
import type { Account, Act, ActKind, Assertion, Event, Evidence, NewFactor, Stage } from "portcullis-client";
import { SoftwarePasskey } from "./passkey.js";

interface Platform {
  gate: string;
  genesis: string;
  back_end: { principal: string; key: string };
  onboarding: { issuer: string; key: string };
  ledger: { issuer: string; key: string };
  rp_id: string;
  origin: string;
  asset: string;
  payee: string;
  amount: string;
  receipt: string;
}

/** The platform: its keys, its one customer, and how far it has followed the journal. */
class Exchange {
  private readonly gate: Client;
  private readonly onboarding: Key;
  private readonly ledger: Key;
  private readonly browser: SoftwarePasskey;
  private readonly account = newId();
  private readonly customer = newId();
  private readonly subject = newId();
  private cursor: number | undefined;

  constructor(private readonly platform: Platform) {
    this.gate = new Client(platform.gate, Key.read(platform.back_end.key), platform.genesis);
    this.onboarding = Key.read(platform.onboarding.key);
    this.ledger = Key.read(platform.ledger.key);
    this.browser = new SoftwarePasskey(platform.rp_id, platform.origin);
  }

  async run(): Promise<void> {
    await this.openAccount(await this.registerPasskey());
    await this.waitUntil("the passkey counts", (account) => this.passkeyCounts(account));
    await this.addAddress();
    await this.waitUntil("the address may be paid", (account) => this.addressCounts(account));
    const digest = await this.withdraw();
    await this.followToTheEnd(digest);
    await this.keepReceipt(digest);
  }

  /** The gate's options go to the browser, its answer back to the gate: that proves possession, and enrols nothing. */
  private async registerPasskey(): Promise<NewFactor> {
    const { rp_id } = this.platform;
    const ask = { realm: "customers", rp_id, rp_name: "Example", user: "Y3VzdG9tZXI", user_name: "customer" } as const;
    const options = await this.gate.beginRegistration(ask);
    const credential = this.browser.create(options);
    const { factor } = await this.gate.finishRegistration({ challenge: options.challenge, credential });
    tell("registered", "a passkey");
    return factor;
  }

  /** The back end's own act: its signed request proves it, and onboarding's word that the passkey is the holder's. */
  private async openAccount(factor: NewFactor): Promise<void> {
    const { back_end, onboarding } = this.platform;
    const kind: ActKind = { type: "open-account", subject: this.subject, principal: this.customer, factor };
    const act = await this.gate.draft(kind, { realm: "staff", principal: back_end.principal, account: this.account });
    const said = this.onboarding.attest(onboarding.issuer, actDigest(act), act.expires, { claim: "onboarding" });
    await this.submit(act, { attestations: [said] });
  }

  private async addAddress(): Promise<void> {
    const act = await this.customersAct({ type: "add-address", address: this.platform.payee });
    await this.submit(act, { assertions: [await this.assertion(act)] });
  }

  /** The ledger is debited first, and says so of this very act: its entry's id serves once, for ever. */
  private async withdraw(): Promise<string> {
    const { asset, payee, amount, ledger } = this.platform;
    const act = await this.customersAct({ type: "withdraw", asset, to: payee, amount });
    const debit = { claim: "ledger-debit", entry: newId() } as const;
    const said = this.ledger.attest(ledger.issuer, actDigest(act), act.expires, debit);
    await this.submit(act, { assertions: [await this.assertion(act)], attestations: [said] });
    return actDigest(act);
  }

  private customersAct(kind: ActKind): Promise<Act> {
    return this.gate.draft(kind, { realm: "customers", principal: this.customer, account: this.account });
  }

  /** What the gate would ask the browser is compared with what we would; then it is relayed, and so is the answer. */
  private async assertion(act: Act): Promise<Assertion> {
    const { options } = await this.gate.ask(act);
    if (!options) throw new Error("the gate does not ask for a passkey");
    return relay(actDigest(act), this.browser.get(options));
  }

  /** Under a key of its own: if no answer comes, the same again does no harm. */
  private async submit(act: Act, evidence: Evidence): Promise<void> {
    const { digest, entry, decision } = await this.gate.submit(act, evidence, act.id);
    const needs = decision?.decision === "hold" ? decision.needs.map(({ need }) => need).join(", ") : "";
    tell(act.kind.type, `${digest.slice(0, 16)}… entry ${entry}: ${decision?.decision} ${needs}`);
  }

  private passkeyCounts({ holders }: Account): boolean {
    const factors = holders.flatMap((holder) => holder.factors);
    return factors.some((factor) => factor.counts && hasCome(factor.available_at));
  }

  private addressCounts({ addresses }: Account): boolean {
    return addresses.some((entry) => entry.address === this.platform.payee && hasCome(entry.available_at));
  }

  /** A delay runs from the witnesses' cosignature; the events are read on meanwhile. */
  private async waitUntil(what: string, counts: (account: Account) => boolean): Promise<void> {
    for (let tries = 0; tries < 60; tries++) {
      if (counts(await this.gate.readAccount(this.account))) return tell("now", what);
      await this.news();
    }
    throw new Error(`waited in vain: ${what}`);
  }

  /** The events say what became of the withdrawal; only `confirmed` and `returned` are ends. */
  private async followToTheEnd(digest: string): Promise<void> {
    for (let tries = 0; tries < 60; tries++) {
      for (const event of await this.news()) {
        const stage = stageOf(digest, event);
        if (!stage) continue;
        tell("event", `${event.entry} ${event.type}: ${stage}`);
        if (stage === "confirmed") return;
        if (stage === "returned" || stage === "refused") throw new Error(`it was ${stage}: re-credit the customer`);
      }
    }
    throw new Error("waited in vain for the withdrawal");
  }

  /** The events since we last asked. A real platform keeps the cursor beside its ledger. */
  private async news(): Promise<Event[]> {
    const page = await this.gate.readEvents({ after: this.cursor, wait: 1000 });
    this.cursor = page.next ?? this.cursor;
    return page.events;
  }

  /** Checkable offline, from the genesis digest alone: `portcullis verify receipt`. */
  private async keepReceipt(digest: string): Promise<void> {
    for (let tries = 0; tries < 60; tries++) {
      try {
        writeFileSync(this.platform.receipt, JSON.stringify(await this.gate.readReceipt(digest)));
        return tell("receipt", this.platform.receipt);
      } catch (refused) {
        if (!(refused instanceof Refused) || refused.status !== 404) throw refused;
        await this.news();
      }
    }
    throw new Error("waited in vain for the receipt");
  }
}

/** What an event says of an act: it is about it, or it made something of it in passing. */
function stageOf(digest: string, event: Event): Stage | undefined {
  if (event.act === digest) return event.stage;
  return event.others?.find((other) => other.act === digest)?.stage;
}

function newId(): string {
  return randomBytes(16).toString("hex");
}

function hasCome(moment: number | null): boolean {
  return moment !== null && moment <= Date.now();
}

function tell(what: string, more: string): void {
  console.log(`${what.padEnd(14)}${more}`);
}

await new Exchange(JSON.parse(readFileSync(process.argv[2] ?? "platform.json", "utf8"))).run();
