/**
 * What a back end signs and checks by itself, so that a gate in somebody else's hands can change nothing unseen.
 *
 * - an act's canonical bytes, its digest and the passkey's challenge (docs/spec/acts.md, encoding.md, passkey.md);
 * - requests, by RFC 9421 in the profile of docs/spec/request.md, with the header `Portcullis-Act`;
 * - attestations by the platform's ledger and onboarding keys (docs/spec/evidence.md);
 * - a browser's assertion, on its way from the page to the gate.
 *
 * Nothing here speaks to anybody. What is wrong throws a `TypeError`, what differs from what was asked a `Differs`.
 */

import { createHash, createPrivateKey, createPublicKey, randomBytes, sign, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { LAYOUT } from "./layout.js";
import type { Act, Assertion, Attestation, Claim, NewFactor, PublicKey, RequestOptions } from "./models.js";

/** The order of P-256's group (SEC 2). Of a signature's two forms of s only the lower one counts. */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The gate, or the page, answers about something else than was asked: send nothing more, and find out why. */
export class Differs extends Error {}

// -- acts -----------------------------------------------------------------------------------------------------------

/** The act's canonical CBOR. */
export function actBytes(act: Act): Buffer {
  return encode("Act", act);
}

/** The act's digest: what a request's header `Portcullis-Act` says, and every proof is made over. */
export function actDigest(act: Act): string {
  return hash("portcullis/act/v1", actBytes(act)).toString("hex");
}

/** The challenge of a passkey's assertion over the act with this digest, in base64url. */
export function challenge(digest: string): string {
  return hash("portcullis/passkey/v1", Buffer.from(digest, "hex")).toString("base64url");
}

/** The id of a passkey or a request key; a request's `keyid` is one (docs/spec/encoding.md). */
export function factorId(factor: NewFactor): string {
  switch (factor.kind) {
    case "passkey":
      return factorIdOf(fromBase64(factor.credential));
    case "request-key":
      return factorIdOf(encode("key", factor.key));
    default:
      throw new TypeError(`the id of a factor of kind ${factor.kind} is not for a client to compute`);
  }
}

function factorIdOf(identity: Buffer): string {
  return hash("portcullis/factor/v1", identity).subarray(0, 16).toString("hex");
}

function hash(domain: string, message: Buffer): Buffer {
  return createHash("sha256").update(`${domain}\0`).update(message).digest();
}

// -- canonical CBOR (RFC 8949, section 4.2.1), as the layout has it ---------------------------------------------------

const TYPES = new Map(
  LAYOUT.trim().split("\n").map((line) => {
    const [name = "", ...rest] = line.split(" ");
    return [name, rest] as const;
  }),
);

/** A value's canonical CBOR. `type` is a name of clients/acts.layout, or a type of one value there. */
export function encode(type: string, value: unknown): Buffer {
  if (type.startsWith("[]")) {
    if (!Array.isArray(value)) throw new TypeError(`${JSON.stringify(value)} is no list`);
    return Buffer.concat([head(4, value.length), ...value.map((one) => encode(type.slice(2), one))]);
  }
  const plain = PLAIN[type];
  if (plain) return plain(value);
  const [shape = "", ...fields] = TYPES.get(type) ?? [];
  if (shape === "enum") return enumeration(type, fields, value);
  const members = record(value);
  return shape === "choice" ? choice(type, fields[0] ?? "", members) : inside(shape, fields, members);
}

function enumeration(type: string, fields: string[], value: unknown): Buffer {
  const found = fields.find((field) => field.startsWith(`${text(value)}=`));
  if (!found) throw new TypeError(`there is no ${type} ${value}`);
  return head(0, Number(found.split("=")[1]));
}

function choice(type: string, tag: string, value: Record<string, unknown>): Buffer {
  const variant = TYPES.get(`${type}/${value[tag]}`);
  if (!variant) throw new TypeError(`there is no ${type} ${value[tag]}: is this client older than the gate?`);
  const [number, shape = "", ...fields] = variant;
  const inner = inside(shape, fields, value, tag);
  return Buffer.concat([head(4, 2), head(0, Number(number)), ...(shape === "tuple" ? [] : [head(4, 1)]), inner]);
}

/** A record is a map by its members' numbers, a tuple an array. A member that has no place would not be signed. */
function inside(shape: string, fields: string[], value: Record<string, unknown>, tag = ""): Buffer {
  const known = new Set([tag]);
  const there: Buffer[] = [];
  for (const field of fields) {
    const parts = field.split(":");
    const [number, name = "", type = ""] = shape === "record" ? parts : ["", ...parts];
    const member = name.replace("?", "");
    known.add(member);
    const one = value[member] ?? (type.startsWith("[]") ? [] : undefined);
    if (one !== undefined) there.push(Buffer.concat([number ? head(0, Number(number)) : Buffer.alloc(0), encode(type, one)]));
    else if (!name.endsWith("?")) throw new TypeError(`${member} is missing`);
  }
  const unknown = Object.keys(value).filter((name) => value[name] !== undefined && !known.has(name));
  if (unknown.length > 0) throw new TypeError(`there is no member ${unknown.join(", ")}`);
  return Buffer.concat([head(shape === "record" ? 5 : 4, there.length), ...there]);
}

/** A major type with its number, in the shortest form. */
function head(major: number, number: unknown): Buffer {
  if (typeof number !== "number" || !Number.isSafeInteger(number) || number < 0) {
    throw new TypeError(`${String(number)} is no whole number below 2^53`);
  }
  const first = major << 5;
  if (number < 24) return Buffer.from([first | number]);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(number));
  const [size, extra] = number < 2 ** 8 ? [1, 24] : number < 2 ** 16 ? [2, 25] : number < 2 ** 32 ? [4, 26] : [8, 27];
  return Buffer.concat([Buffer.from([first | extra]), bytes.subarray(8 - size)]);
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`${JSON.stringify(value)} is no object`);
  }
  return value as Record<string, unknown>;
}

function bytes(value: Buffer): Buffer {
  return Buffer.concat([head(2, value.length), value]);
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new TypeError(`${JSON.stringify(value)} is no text`);
  return value;
}

function utf8(value: unknown): Buffer {
  const encoded = Buffer.from(text(value), "utf8");
  return Buffer.concat([head(3, encoded.length), encoded]);
}

function hex(value: unknown): Buffer {
  if (!/^([0-9a-f]{32}|[0-9a-f]{64})$/.test(text(value))) {
    throw new TypeError(`${text(value)} is neither an id nor a digest: 32 or 64 lower-case hexadecimal digits`);
  }
  return bytes(Buffer.from(text(value), "hex"));
}

function amount(value: unknown): Buffer {
  if (!/^(0|[1-9][0-9]{0,38})$/.test(text(value)) || BigInt(text(value)) >= 1n << 128n) {
    throw new TypeError(`${text(value)} is no amount: decimal digits of base units, below 2^128`);
  }
  return bytes(Buffer.from(BigInt(text(value)).toString(16).padStart(32, "0"), "hex"));
}

/** In its canonical spelling. Base58 and whatever other chains have stands as it is. */
function caip(value: unknown): Buffer {
  const [namespace = ""] = text(value).split(":", 1);
  const isBech32 = namespace === "bip122" && /:(bc1|tb1|bcrt1)[^:]*$/i.test(text(value));
  const spelled = namespace === "eip155" || isBech32 ? text(value) : namespace;
  if (spelled !== spelled.toLowerCase()) {
    throw new TypeError(
      `${text(value)}: write chains, and addresses in hexadecimal or bech32, in lower case, as they are signed`,
    );
  }
  return utf8(value);
}

function key(value: unknown): Buffer {
  const { kind, key: point } = record(value);
  const number = kind === "ed25519" ? 1 : kind === "p256" ? 2 : undefined;
  return Buffer.concat([head(4, 2), head(0, number), bytes(fromBase64(point))]);
}

const PLAIN: Record<string, (value: unknown) => Buffer> = {
  uint: (value) => head(0, value),
  hex,
  base64: (value) => bytes(fromBase64(value)),
  amount,
  text: utf8,
  caip,
  key,
};

/** From base64url without padding; of one value one spelling is taken. */
export function fromBase64(value: unknown): Buffer {
  const read = Buffer.from(text(value), "base64url");
  if (read.toString("base64url") !== value) throw new TypeError(`${text(value)} is no base64url without padding`);
  return read;
}

// -- keys, requests, attestations -----------------------------------------------------------------------------------

/** What an issuer says of an act. */
export type AttestationStatement = Attestation["statement"];

/** An Ed25519 key: a back end's that signs requests, or an issuer's that attests. */
export class Key {
  /** Its public half, as an act that enrols it carries it. */
  readonly public: PublicKey;
  /** What a request's `keyid` says. */
  readonly id: string;

  constructor(private readonly secret: KeyObject) {
    if (secret.asymmetricKeyType !== "ed25519") throw new TypeError("this is no Ed25519 key");
    const { x } = createPublicKey(secret).export({ format: "jwk" });
    this.public = { kind: "ed25519", key: text(x) };
    this.id = factorId({ kind: "request-key", key: this.public });
  }

  /** From a file in PEM (PKCS#8), as `openssl genpkey -algorithm ed25519` writes it. */
  static read(path: string): Key {
    return new Key(createPrivateKey(readFileSync(path)));
  }

  /** 64 bytes, RFC 8032. */
  sign(message: Buffer): Buffer {
    return sign(null, message, this.secret);
  }

  /** The headers that sign a request. Sign each try anew: a nonce counts once, and for five minutes. */
  headers(method: string, url: string, body: Buffer, act?: string): Record<string, string> {
    const { covered, headers } = cover(method, url, body, act);
    const names = covered.map(([name]) => `"${name}"`).join(" ");
    const created = Math.floor(Date.now() / 1000);
    const nonce = randomBytes(24).toString("base64url");
    const parameters = `(${names});created=${created};nonce="${nonce}";keyid="${this.id}";alg="ed25519";tag="portcullis"`;
    const signature = this.sign(signatureBase(covered, parameters)).toString("base64");
    return { ...headers, "Signature-Input": `portcullis=${parameters}`, Signature: `portcullis=:${signature}:` };
  }

  /** This issuer's word about the act with this digest. Attest a debit only once the ledger has it. */
  attest(issuer: string, act: string, expires: number, claim: Claim): Attestation {
    const statement = { issuer, act, expires, claim };
    return { statement, signature: this.sign(attestationBytes(statement)).toString("base64url") };
  }
}

/** What an issuer signs. */
export function attestationBytes(statement: AttestationStatement): Buffer {
  return Buffer.concat([Buffer.from("portcullis/attestation/v1\0"), encode("AttestationStatement", statement)]);
}

/** What a signature covers, in its order, and the headers that carry the last two. For `Key.headers`, and tests. */
export function cover(method: string, url: string, body: Buffer, act?: string) {
  const { host, pathname, search } = new URL(url);
  const headers: Record<string, string> = {};
  const covered: [string, string][] = [["@method", method], ["@authority", host], ["@path", pathname]];
  if (search) covered.push(["@query", search]);
  if (body.length > 0) {
    headers["Content-Digest"] = `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
    covered.push(["content-digest", headers["Content-Digest"]]);
  }
  if (act !== undefined) {
    headers["Portcullis-Act"] = act;
    covered.push(["portcullis-act", act]);
  }
  return { covered, headers };
}

/** The signature base: what is signed, and what stands in the journal. For `Key.headers`, and tests. */
export function signatureBase(covered: [string, string][], parameters: string): Buffer {
  const lines = [...covered, ["@signature-params", parameters]].map(([name, value]) => `"${name}": ${value}`);
  return Buffer.from(lines.join("\n"), "ascii");
}

// -- passkeys on their way --------------------------------------------------------------------------------------------

/** What of a browser's answer (`PublicKeyCredential.toJSON()`) is evidence. */
export interface AuthenticationResponse {
  rawId: string;
  response: { clientDataJSON: string; authenticatorData: string; signature: string };
}

/** The gate's options for the browser, if they ask for an assertion over this act and no other. */
export function checkOptions(digest: string, options: RequestOptions): RequestOptions {
  if (options.challenge !== challenge(digest)) throw new Differs(`the gate's challenge is not that of act ${digest}`);
  return options;
}

/**
 * A browser's answer as evidence for the act with this digest.
 *
 * What the authenticator signed goes on byte for byte; the signature turns from DER to r ‖ s with the low s. An answer to
 * another challenge is refused here, before the gate does it.
 */
export function relay(digest: string, answer: AuthenticationResponse): Assertion {
  const { clientDataJSON, authenticatorData, signature } = answer.response;
  const said = record(JSON.parse(fromBase64(clientDataJSON).toString("utf8")));
  if (said.type !== "webauthn.get" || said.challenge !== challenge(digest)) {
    throw new Differs(`the passkey did not assert act ${digest}`);
  }
  return {
    credential: answer.rawId,
    authenticator_data: authenticatorData,
    client_data: clientDataJSON,
    signature: lowSignature(fromBase64(signature)).toString("base64url"),
  };
}

/** An authenticator's signature as evidence carries it: Ed25519 as it is, P-256 from DER. */
export function lowSignature(signature: Buffer): Buffer {
  if (signature.length === 64) return signature;
  const [r, rest] = derInteger(signature.subarray(2));
  const [s, nothing] = derInteger(rest);
  if (signature[0] !== 0x30 || signature[1] !== signature.length - 2 || nothing.length > 0) {
    throw new TypeError("this is neither an Ed25519 nor an ECDSA signature");
  }
  const low = s < P256_ORDER - s ? s : P256_ORDER - s;
  return Buffer.from([r, low].map((half) => half.toString(16).padStart(64, "0")).join(""), "hex");
}

/** An INTEGER of DER that is a half of a signature, and what stands behind it. */
function derInteger(der: Buffer): [bigint, Buffer] {
  const end = 2 + (der[1] ?? 0);
  if (der[0] !== 0x02 || end < 3 || end > 35 || end > der.length) throw new TypeError("this is no ECDSA signature");
  const value = BigInt(`0x${der.subarray(2, end).toString("hex")}`);
  if (value === 0n || value >= P256_ORDER) throw new TypeError("this is no ECDSA signature");
  return [value, der.subarray(end)];
}
