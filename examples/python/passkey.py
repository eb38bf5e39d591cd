"""What a browser and an authenticator do together, in software: for this example and for tests only.

A real platform relays to `navigator.credentials` in its page instead, and never sees a key. This passkey says that a
person was present and verified (WebAuthn Level 3, sections 5.8.1 and 6.1) where there was none.
"""

import hashlib
import json
import secrets

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from portcullis.signing import to_base64

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class SoftwarePasskey:
    """One P-256 passkey for one relying party, used at one origin."""

    def __init__(self, rp_id: str, origin: str):
        self.rp_id, self.origin = rp_id, origin
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential = secrets.token_bytes(16)
        self.count = 0

    def create(self, options):
        """`navigator.credentials.create()`: a RegistrationResponseJSON, without an attestation."""
        numbers = self.key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        # A COSE key (RFC 9053): kty EC2, alg ES256, crv P-256, x, y.
        cose = bytes.fromhex("a5010203262001215820") + x + bytes.fromhex("225820") + y
        attested = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + cose
        data = self._data(ATTESTED) + attested
        # {"fmt": "none", "attStmt": {}, "authData": data}
        attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58" + bytes([len(data)]) + data
        return self._answer({
            "clientDataJSON": to_base64(self._client_data("webauthn.create", options["challenge"])),
            "attestationObject": to_base64(attestation),
        })

    def get(self, options):
        """`navigator.credentials.get()`: an AuthenticationResponseJSON."""
        self.count += 1
        data = self._data(0)
        client_data = self._client_data("webauthn.get", options["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer({
            "clientDataJSON": to_base64(client_data),
            "authenticatorData": to_base64(data),
            "signature": to_base64(signature),
        })

    def _answer(self, response):
        credential = to_base64(self.credential)
        return {"id": credential, "rawId": credential, "type": "public-key", "response": response}

    def _data(self, flags):
        return (hashlib.sha256(self.rp_id.encode()).digest() + bytes([PRESENT | VERIFIED | flags])
                + self.count.to_bytes(4, "big"))

    def _client_data(self, type_, challenge):
        return json.dumps({"type": type_, "challenge": challenge, "origin": self.origin, "crossOrigin": False},
                          separators=(",", ":")).encode()
