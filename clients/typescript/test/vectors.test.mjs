// Every vector of acts, factors, attestations and requests: docs/spec.

import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "node:test";
import { pathToFileURL } from "node:url";
import * as signing from "portcullis-client/signing";

// From the top of the checkout, wherever the client was built.
const spec = pathToFileURL(`${process.cwd()}/docs/spec/`);
const vectors = (name) => JSON.parse(readFileSync(new URL(`vectors/${name}.json`, spec), "utf8"));
/** The JSON in a page's fences. */
const blocks = (page) =>
  [...readFileSync(new URL(page, spec), "utf8").matchAll(/```json\n(.*?)```/gs)].map(([, text]) => JSON.parse(text));

test("acts", () => {
  const { acts } = vectors("acts");
  assert.ok(acts.length > 40);
  for (const act of acts) {
    assert.equal(signing.actBytes(act.json).toString("hex"), act.cbor, act.what);
    assert.equal(signing.actDigest(act.json), act.digest, act.what);
    assert.equal(signing.fromBase64(signing.challenge(act.digest)).toString("hex"), act.challenge, act.what);
  }
});

test("factors", () => {
  for (const factor of vectors("encoding").factors) {
    if (!["passkey", "request-key"].includes(factor.json.kind)) continue;
    assert.equal(signing.encode("NewFactor", factor.json).toString("hex"), factor.cbor, factor.what);
    assert.equal(signing.factorId(factor.json), factor.id, factor.what);
  }
});

test("attestations", () => {
  for (const { what, json, signed_bytes } of vectors("evidence").attestations) {
    assert.equal(signing.attestationBytes(json.statement).toString("hex"), signed_bytes, what);
  }
});

test("a request, under the key of RFC 9421, appendix B.1.4", () => {
  const [vector] = blocks("request.md");
  const d = "n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU";
  const jwk = { kty: "OKP", crv: "Ed25519", x: vector.key.key, d };
  const key = new signing.Key(createPrivateKey({ key: jwk, format: "jwk" }));
  assert.deepEqual(key.public, vector.key);
  const url = `http://${vector.authority}${vector.path}?${vector.query}`;
  const { covered, headers } = signing.cover(vector.method, url, Buffer.from(vector.body), vector["Portcullis-Act"]);
  const base = signing.signatureBase(covered, vector["Signature-Input"].replace("portcullis=", ""));
  assert.equal(base.toString(), vector.base);
  assert.equal(headers["Content-Digest"], vector["Content-Digest"]);
  assert.equal(`portcullis=:${key.sign(base).toString("base64")}:`, vector.Signature);
  const made = key.headers("GET", "http://gate:7400/v1/events?after=1", Buffer.alloc(0))["Signature-Input"];
  const form = `portcullis=\\("@method" "@authority" "@path" "@query"\\);created=\\d+;nonce="[\\w-]{16,64}";keyid="${key.id}";alg="ed25519";tag="portcullis"`;
  assert.match(made, new RegExp(`^${form}$`));
});

test("passkeys are relayed as they are, and only for their own act", () => {
  for (const { what, act_digest, challenge, assertion } of blocks("passkey.md")) {
    assert.equal(signing.fromBase64(signing.challenge(act_digest)).toString("hex"), challenge, what);
    const answer = {
      rawId: assertion.credential,
      response: {
        clientDataJSON: assertion.client_data,
        authenticatorData: assertion.authenticator_data,
        signature: assertion.signature,
      },
    };
    assert.deepEqual(signing.relay(act_digest, answer), assertion, what);
    assert.throws(() => signing.relay("00".repeat(32), answer), signing.Differs);
  }
});

test("what is no act is not signed", () => {
  const [{ json: act }] = vectors("acts").acts;
  const kinds = [
    { type: "withdraw-all" },
    { ...act.kind, memo: "1" },
    { ...act.kind, amount: "01" },
    { ...act.kind, amount: String(2n ** 128n) },
    { ...act.kind, amount: 1 },
    { ...act.kind, to: act.kind.to.toUpperCase() },
    { type: "cancel" },
    { type: "cancel", act: "D1".repeat(32) },
  ];
  for (const kind of kinds) assert.throws(() => signing.actDigest({ ...act, kind }), TypeError, JSON.stringify(kind));
});

test("another challenge is refused", () => {
  const digest = "ac".repeat(32);
  signing.checkOptions(digest, { challenge: signing.challenge(digest) });
  assert.throws(() => signing.checkOptions(digest, { challenge: signing.challenge("ad".repeat(32)) }), signing.Differs);
});

test("the high s is lowered, and what is no signature refused", () => {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const half = (hex) => `02${(hex.length / 2).toString(16).padStart(2, "0")}${hex}`;
  const der = (r, s) => Buffer.from(`30${(4 + (r.length + s.length) / 2).toString(16)}`.replace(/^30(.)$/, "300$1") + half(r) + half(s), "hex");
  const low = `${"7".padStart(64, "0")}${"5".padStart(64, "0")}`;
  assert.equal(signing.lowSignature(der("07", "05")).toString("hex"), low);
  assert.equal(signing.lowSignature(der("07", `00${(order - 5n).toString(16)}`)).toString("hex"), low);
  for (const bad of ["", "30", "3006020107020105ff", "3005020107020105", "3006020100020105"]) {
    assert.throws(() => signing.lowSignature(Buffer.from(bad, "hex")), TypeError, bad);
  }
});
