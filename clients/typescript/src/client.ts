/** Signs, sends, and compares what the gate answers with what was asked. */

import { randomBytes } from "node:crypto";
import { Api, type Ask } from "./api.js";
import type { Act, ActKind, Event, Evidence, Problem, Realm, Taken, Trial } from "./models.js";
import { actDigest, checkOptions, Differs, type Key } from "./signing.js";

/** A problem as it comes: of a gate that may be newer, or of something else that stands before it. */
type Answer = Partial<Omit<Problem, "title"> & { title: string }>;

/** The gate's refusal: an RFC 9457 problem. `reason` is a number of docs/spec/reasons.md, `retry` says what may help. */
export class Refused extends Error {
  readonly reason: number | undefined;
  readonly retry: string | undefined;

  constructor(
    readonly status: number,
    readonly problem: Answer,
  ) {
    super(`${status} ${problem.reason} ${problem.title}: ${problem.detail} ${problem.at ?? ""}`);
    this.reason = problem.reason;
    this.retry = problem.retry;
  }
}

/** What a draft is of, and for how long it can be submitted. */
export interface Draft {
  realm: Realm;
  principal: string;
  account?: string;
  /** In seconds; ten minutes where nothing is said. */
  lasts?: number;
}

/**
 * One gate, asked with one key.
 *
 * `gate` is what the gate's configuration calls itself, such as http://gate.internal:7400: signatures cover it. `genesis`
 * is the network's digest, pinned by hand. Where no answer comes a call fails with what `fetch` says, and what became of
 * an act is not known: ask `readAct`, or send the same act again with the same idempotency key.
 */
export class Client extends Api {
  constructor(
    private readonly gate: string,
    private readonly key: Key,
    private readonly genesis: string,
    private readonly timeout = 60_000,
  ) {
    super();
  }

  /** A new act, on the newest checkpoint. */
  async draft(kind: ActKind, { realm, principal, account, lasts = 600 }: Draft): Promise<Act> {
    const { digest } = await this.readCheckpoint();
    const id = randomBytes(16).toString("hex");
    const act: Act = { genesis: this.genesis, realm, principal, id, checkpoint: digest, expires: Date.now() + lasts * 1000, kind };
    return account === undefined ? act : { ...act, account };
  }

  /**
   * What would become of an act, and the options for the customer's passkey; nothing is journaled. The options are
   * checked: they ask for an assertion over this act and no other.
   */
  async ask(act: Act): Promise<Trial> {
    const digest = actDigest(act);
    const trial = await this.simulateAct({ act, evidence: {} }, { act: digest });
    same(digest, trial.digest);
    if (trial.options) checkOptions(digest, trial.options);
    return trial;
  }

  /** Submit an act. What it returns stands in the journal: released, or held with what it needs. */
  async submit(act: Act, evidence: Evidence, idempotencyKey?: string): Promise<Taken> {
    const digest = actDigest(act);
    const taken = await this.submitAct({ act, evidence }, { act: digest, idempotencyKey });
    same(digest, taken.digest);
    return taken;
  }

  /** Every event behind an entry, for ever. Keep the entry of the last one that you have dealt with. */
  async *follow(after?: number, wait = 30_000): AsyncGenerator<Event> {
    for (;;) {
      const page = await this.readEvents({ after, wait });
      yield* page.events;
      after = page.next ?? after;
    }
  }

  protected async send(method: string, path: string, ask: Ask): Promise<unknown> {
    const url = new URL(path, this.gate);
    for (const [name, value] of Object.entries(ask.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const body = ask.body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(ask.body));
    const headers = ask.signed ? this.key.headers(method, url.href, body, ask.act) : {};
    if (body.length > 0) headers["Content-Type"] = "application/json";
    if (ask.idempotencyKey !== undefined) headers["Idempotency-Key"] = ask.idempotencyKey;
    const sent = { method, headers, body: body.length > 0 ? body : null, signal: AbortSignal.timeout(this.timeout) };
    const answer = await fetch(url, { ...sent, redirect: "error" });
    const said = await answer.text();
    if (answer.ok) return said ? JSON.parse(said) : undefined;
    throw new Refused(answer.status, problem(said) ?? { title: answer.statusText });
  }
}

function same(ours: string, theirs: string): void {
  if (ours !== theirs) throw new Differs(`the gate answers about act ${theirs}, and ${ours} was sent`);
}

/** What stands between us and the gate may answer in its own words. */
function problem(said: string): Answer | undefined {
  try {
    return JSON.parse(said);
  } catch {
    return undefined;
  }
}
