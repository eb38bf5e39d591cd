/**
 * What a browser and an authenticator do together, in software: for this example and for tests only.
 *
 * A real platform relays to `navigator.credentials` in its page instead, and never sees a key. This passkey says that a
 * person was present and verified (WebAuthn Level 3, sections 5.8.1 and 6.1) where there was none.
 */

import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import type { CreationOptions, RequestOptions } from "portcullis-client";

const PRESENT = 0x01;
const VERIFIED = 0x04;
const ATTESTED = 0x40;

/** One P-256 passkey for one relying party, used at one origin. */
export class SoftwarePasskey {
  private readonly pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  private readonly credential = randomBytes(16);
  private count = 0;

  constructor(
    private readonly rpId: string,
    private readonly origin: string,
  ) {}

  /** `navigator.credentials.create()`: a RegistrationResponseJSON, without an attestation. */
  create(options: CreationOptions) {
    const { x = "", y = "" } = this.pair.publicKey.export({ format: "jwk" });
    // A COSE key (RFC 9053): kty EC2, alg ES256, crv P-256, x, y.
    const cose = [hex("a5010203262001215820"), Buffer.from(x, "base64url"), hex("225820"), Buffer.from(y, "base64url")];
    const length = Buffer.from([0, this.credential.length]);
    const data = Buffer.concat([this.data(ATTESTED), Buffer.alloc(16), length, this.credential, ...cose]);
    // {"fmt": "none", "attStmt": {}, "authData": data}
    const head = Buffer.from("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58", "latin1");
    const attestation = Buffer.concat([head, Buffer.from([data.length]), data]);
    return {
      rawId: this.credential.toString("base64url"),
      response: {
        clientDataJSON: this.clientData("webauthn.create", options.challenge).toString("base64url"),
        attestationObject: attestation.toString("base64url"),
      },
    };
  }

  /** `navigator.credentials.get()`: an AuthenticationResponseJSON. */
  get(options: RequestOptions) {
    this.count += 1;
    const data = this.data(0);
    const clientData = this.clientData("webauthn.get", options.challenge);
    const signature = sign("sha256", Buffer.concat([data, sha256(clientData)]), this.pair.privateKey);
    return {
      rawId: this.credential.toString("base64url"),
      response: {
        clientDataJSON: clientData.toString("base64url"),
        authenticatorData: data.toString("base64url"),
        signature: signature.toString("base64url"),
      },
    };
  }

  private data(flags: number): Buffer {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(this.count);
    return Buffer.concat([sha256(Buffer.from(this.rpId)), Buffer.from([PRESENT | VERIFIED | flags]), count]);
  }

  private clientData(type: string, challenge: string): Buffer {
    return Buffer.from(JSON.stringify({ type, challenge, origin: this.origin, crossOrigin: false }));
  }
}

function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}

function hex(text: string): Buffer {
  return Buffer.from(text, "hex");
}
