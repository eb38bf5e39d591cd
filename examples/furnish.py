"""What a platform has of its own, made from a development network's folder: its keys in PEM, and platform.json.

    python furnish.py NETWORK GATE OUT PAYEE

A real platform makes its keys where they live, and enrols them (docs/guide/integrate.md); a development network has made
them all, in key files (docs/spec/key-file.md), which are opened here as that page says. The wallet's own stays shut.
"""

import base64
import json
import pathlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt
from nacl.pwhash import argon2id

# 0.01 of the chain's coin: below every limit of a development network, and nobody has to approve it.
AMOUNT = 10**16


def seed(keys, name, key):
    """The 32 bytes of one Ed25519 key in a key file."""
    lines = (keys / f"{name}.keys").read_text().splitlines()
    fields = dict(line.split(" ", 1) for line in lines)
    cost = dict(part.split("=") for part in fields["argon2id"].split())
    secret = argon2id.kdf(32, (keys / f"{name}.passphrase").read_bytes().rstrip(b"\n"), raw(fields["salt"]),
                          opslimit=int(cost["t"]), memlimit=int(cost["m"]) * 1024)
    opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
        raw(fields["sealed"]), "".join(line + "\n" for line in lines[:4]).encode(), raw(fields["nonce"]), secret)
    # An array of [kind, name, secret]: 2 is Ed25519, and the secret stands behind its head 0x58 0x20.
    head = b"\x83\x02" + bytes([0x60 | len(key)]) + key.encode() + b"\x58\x20"
    start = opened.index(head) + len(head)
    return opened[start:start + 32]


def raw(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def write_pem(path, key):
    private = Ed25519PrivateKey.from_private_bytes(key)
    path.touch(mode=0o600)
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def main(network, gate, out, payee):
    network, out = pathlib.Path(network), pathlib.Path(out)
    signed = json.loads((network / "genesis.json").read_text())
    genesis = signed["genesis"]
    keys = {"back-end": "request", "onboarding": "issuer", "ledger": "issuer"}
    for name, key in keys.items():
        write_pem(out / f"{name}.pem", seed(network / "keys", name, key))
    issuer = lambda kind: next(it["id"] for it in genesis["issuers"] if it["kind"] == kind)
    party = next(it["relying_party"] for it in genesis["parties"] if it["realm"] == "customers")
    chain = genesis["wallets"][0]["address"].rsplit(":", 1)[0]
    platform = {
        "gate": gate,
        "genesis": (network / "genesis.digest").read_text().strip(),
        "back_end": {"principal": next(it["principal"] for it in genesis["staff"] if "back-end" in it["roles"]),
                     "key": str(out / "back-end.pem")},
        "onboarding": {"issuer": issuer("onboarding"), "key": str(out / "onboarding.pem")},
        "ledger": {"issuer": issuer("ledger"), "key": str(out / "ledger.pem")},
        "rp_id": party["rp_ids"][0],
        "origin": party["origins"][0],
        "asset": f"{chain}/slip44:60",
        "payee": f"{chain}:{payee}",
        "amount": str(AMOUNT),
        "receipt": str(out / "receipt.json"),
    }
    (out / "platform.json").write_text(json.dumps(platform, indent=2) + "\n")


main(*sys.argv[1:])
