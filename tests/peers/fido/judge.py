"""A second opinion on passkey assertions, by python-fido2.

Reads one JSON object a line on standard input:

    what                one line for people
    kind, key           "ed25519" or "p256", and the public key's 32 or 65 bytes
    rp_id, origin       the relying party
    challenge           the expected challenge
    authenticator_data, client_data, signature
                        as the client returned them; a P-256 signature is DER
    expect              whether Portcullis accepted it

Byte strings are unpadded base64url. Every disagreement is printed, and any makes the exit status 1.
"""

import json
import sys

from fido2.cose import ES256, EdDSA
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestedCredentialData,
    CollectedClientData,
    PublicKeyCredentialRpEntity,
    UserVerificationRequirement,
)

CREDENTIAL_ID = b"credential"


def cose_key(kind, key):
    """The COSE key of RFC 9053, section 7, as python-fido2 wants it."""
    if kind == "p256":
        return ES256.from_ctap1(key)
    return EdDSA({1: 1, 3: EdDSA.ALGORITHM, -1: 6, -2: key})


def judge(line):
    """Whether python-fido2 accepts the assertion, and if not, why."""
    key = cose_key(line["kind"], websafe_decode(line["key"]))
    credential = AttestedCredentialData.create(bytes(Aaguid.NONE), CREDENTIAL_ID, key)
    server = Fido2Server(
        PublicKeyCredentialRpEntity(name="second opinion", id=line["rp_id"]),
        verify_origin=lambda origin: origin == line["origin"],
    )
    state = {
        "challenge": line["challenge"],
        "user_verification": UserVerificationRequirement.REQUIRED,
    }
    response = {
        "rawId": websafe_encode(CREDENTIAL_ID),
        "response": {
            "clientDataJSON": line["client_data"],
            "authenticatorData": line["authenticator_data"],
            "signature": line["signature"],
        },
    }
    try:
        server.authenticate_complete(state, [credential], response)
        if CollectedClientData(websafe_decode(line["client_data"])).cross_origin:
            return False, "made in a foreign frame"
    except Exception as refusal:  # fido2, cryptography and json refuse with errors of many kinds
        return False, f"{type(refusal).__name__}: {refusal}"
    return True, "accepted"


def main():
    judged = disagreements = 0
    for text in sys.stdin:
        line = json.loads(text)
        accepted, why = judge(line)
        judged += 1
        if accepted != line["expect"]:
            disagreements += 1
            print(f"disagreement on {line['what']}: expected {line['expect']}, but {why}")
    print(f"{judged} assertions judged, {disagreements} disagreements")
    return 1 if disagreements or not judged else 0


if __name__ == "__main__":
    sys.exit(main())
