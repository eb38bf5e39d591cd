// Judges what the customer saw, what the exchange booked, and what arrived.
//
//   node check.mjs SAID.json EXCHANGE.json ORIGIN BALANCE-ANSWER

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const [saidFile, keptFile, origin, answer] = process.argv.slice(2);
const { said, asked, errors, acts, unnamed, headings } = JSON.parse(readFileSync(saidFile, "utf8"));
const { ledger } = JSON.parse(readFileSync(keptFile, "utf8"));

assert.match(said["03-soon"], /counts today at|counts \w+day/);
assert.match(said["04-add-address"], /Add this address\s+Address\s+0x0{34}0a11ce/i);
assert.match(said["05-address"], /Your first address is ready (today at|\w+day)/);
assert.match(said["06-withdraw"], /0\.05 ETH[^]*It will be held/);
assert.match(said["07-held"], /Held until .*because this address is new/);
assert.match(said["07-held"], /24\.95 ETH/);
assert.match(said["09-frozen"], /Your account is frozen\.[^]*Held.*your account is frozen/);
assert.match(said["11-needs-passkey-again"], /it needs your passkey again/);
assert.match(said["13-arrived"], /Arrived[^]*Transaction 0x[0-9a-f]{64}/);
assert.match(said["14-too-much"], /This would be refused: over transaction limit\. Nothing was sent\./);
assert.match(said["15-withdraw-more"], /looks at amounts of this size/);
assert.match(said["16-held-for-approval"], /22\.95 ETH[^]*Held, because somebody of ours looks at amounts of this size first/);
assert.match(said["21-cancelled"], /24\.95 ETH[^]*Not sent[^]*back in your balance/);

assert.equal(acts.length, 2);
assert.deepEqual(ledger.map(({ kind }) => kind), ["gift", "debit", "debit", "credit"]);
assert.equal(BigInt(JSON.parse(answer).result), 50_000_000_000_000_000n, "what arrived");
assert.deepEqual(errors, [], "the page's errors");
assert.deepEqual(unnamed, [], "fields and buttons without a name");
assert.equal(headings, 1, "headings of the first order");
// A browser never calls the gate, or the sidecar, or anybody else.
const elsewhere = asked.filter((it) => !it.split(" ")[1].startsWith(`${origin}/`) && !it.includes(" data:") && !it.includes(" about:"));
assert.deepEqual(elsewhere, []);
