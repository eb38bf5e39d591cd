// The ledger under bad answers: one debit, one act, the same bytes again, and nothing given back on a gate's word.
//
//   node --test examples/exchange/exchange.test.mjs

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { Exchange } from "./exchange.mjs";
import { Refused } from "./gate.mjs";

const ETHER = 10n ** 18n;
const DIGEST = "ab".repeat(32);

/** A gate that answers each submission as it is told, and remembers what it was sent. */
class Scripted {
  answers = [];
  sent = [];
  fates = { fate: "absent", cosigned_at: 0 };
  draft = async ({ principal, account, kind }) => ({ digest: DIGEST, challenge: "ours", act: { principal, account, kind, expires: 1_000_000 } });
  simulate = async () => ({ decision: { decision: "release" }, options: { challenge: "the gate's" } });
  attestDebit = async (_, entry) => ({ entry });
  standing = async () => ({ stage: "released", needs: [], transactions: [] });
  account = async () => ({ frozen: false, addresses: [], holders: [{ factors: [] }] });
  fate = async () => this.fates;
  submit = async (...what) => {
    this.sent.push(JSON.stringify(what));
    const answer = this.answers.shift() ?? { decision: { decision: "release" } };
    if (answer instanceof Error) throw answer;
    return answer;
  };
}

let folder, gate, exchange, session;
const file = () => join(folder, "exchange.json");
const start = () => new Exchange(gate, { file: file(), asset: "eip155:1/slip44:60" });
const balance = () => exchange.balance(exchange.customers[session].account);
const ask = (ether) => exchange.draft(session, { type: "withdraw", to: "eip155:1:0x00", amount: String(BigInt(ether) * ETHER) });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "exchange-"));
  gate = new Scripted();
  exchange = start();
  session = exchange.signUp("Ada");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("the page is given the sidecar's challenge", async () => {
  assert.equal((await ask(1)).options.challenge, "ours");
});

test("whoever signs twice sends one act and one debit", async () => {
  await ask(10);
  const pressed = [exchange.confirm(session, DIGEST, {}), exchange.confirm(session, DIGEST, {})];
  const ends = await Promise.allSettled(pressed);
  assert.deepEqual(ends.map(({ status }) => status), ["fulfilled", "rejected"]);
  assert.equal(gate.sent.length, 1);
  assert.equal(balance(), 15n * ETHER);
});

test("nobody signs for another, or for more than there is", async () => {
  const other = exchange.signUp("Eve");
  await assert.rejects(ask(26), /not as much/);
  await ask(15);
  await assert.rejects(exchange.confirm(other, DIGEST, {}), Refused);
  // Between asking and signing, something else went out.
  exchange.book("debit", exchange.customers[session].account, 11n * ETHER);
  await assert.rejects(exchange.confirm(session, DIGEST, {}), /not as much/);
  exchange.book("credit", exchange.customers[session].account, 11n * ETHER);
  assert.equal(gate.sent.length, 0);
  assert.equal(balance(), 25n * ETHER);
});

test("without an answer the very same goes again, also after a restart", async () => {
  gate.answers = [new Error("connection reset"), new Refused(504, { detail: "not known" }), new Refused(503, { retry: "later" })];
  await ask(1);
  const { stage } = await exchange.confirm(session, DIGEST, {});
  assert.equal(stage, "sending");
  exchange = start();
  for (const expected of ["sending", "sending", "released"]) assert.equal((await exchange.send(DIGEST)).stage, expected);
  assert.equal(new Set(gate.sent).size, 1);
  assert.equal(balance(), 24n * ETHER);
  assert.equal(JSON.parse(readFileSync(file(), "utf8")).ledger.length, 2);
});

test("a refusal gives nothing back until the journal says that nothing can move", async () => {
  gate.answers = [new Refused(403, { detail: "no", retry: "never" })];
  await ask(1);
  assert.equal((await exchange.confirm(session, DIGEST, {})).stage, "refused");
  const table = [
    [{ fate: "absent", cosigned_at: 900_000 }, 24n],
    // The gate refused, and journals it as released all the same.
    [{ fate: "released", cosigned_at: 2_000_000 }, 24n],
    [{ fate: "confirmed", cosigned_at: 2_000_000 }, 24n],
    [{ fate: "held", cosigned_at: 2_000_000 }, 24n],
    [{ fate: "absent", cosigned_at: 1_030_000 }, 24n],
    [{ fate: "absent", cosigned_at: 1_030_001 }, 25n],
    [{ fate: "absent", cosigned_at: 2_000_000 }, 25n],
  ];
  for (const [fate, ether] of table) {
    gate.fates = fate;
    await exchange.settle(DIGEST);
    assert.equal(balance(), ether * ETHER, JSON.stringify(fate));
  }
});
