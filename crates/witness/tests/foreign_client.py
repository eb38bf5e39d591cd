"""Asks a witness as a log does, with aics-tlog and aics-witness, which we did not write.

    foreign_client.py URL WITNESS_VKEY ORIGIN LOG_SEED

Grows a log of its own, renews a cosignature, finds the way on after a lost state, and tries a fork and
a cut. The client checks every cosignature, its time included. Prints one line; exits with 1 where
anything is not as tlog-witness says.
"""

import sys

import aics_tlog as tlog
from aics_tlog.checkpoint import Checkpoint, sign_checkpoint
from aics_witness.feeder import WitnessAhead, WitnessClient, WitnessRejected
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SIZES = [1, 2, 3, 3, 7, 8, 8, 64, 200, 513]


class Log:
    def __init__(self, origin: str, seed: str, leaf: str) -> None:
        self.origin = origin
        self.key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))
        self.tree = tlog.MerkleTree(f"{leaf} {i}".encode() for i in range(1000))

    def ask(self, client: WitnessClient, size: int) -> str:
        checkpoint = Checkpoint(self.origin, size, self.tree.root(size))
        note = sign_checkpoint(checkpoint, self.key, self.origin)
        return client.submit(note.to_bytes(), self.tree.consistency_proof)


def main() -> int:
    url, vkey, origin, seed = sys.argv[1:]
    honest, fork = Log(origin, seed, "leaf"), Log(origin, seed, "other leaf")
    with WitnessClient(url, vkey) as client:
        for size in SIZES:
            honest.ask(client, size)
    with WitnessClient(url, vkey) as forgetful:
        honest.ask(forgetful, 600)
        refused(409, lambda: fork.ask(forgetful, 600))
        refused(422, lambda: fork.ask(forgetful, 700))
        try:
            honest.ask(forgetful, 599)
        except WitnessAhead as ahead:
            expect(ahead.known_size == 600, f"it stands at {ahead.known_size}")
        else:
            expect(False, "it cosigned a tree that was cut")
        honest.ask(forgetful, 601)
    print(f"ok: {len(SIZES) + 2} cosignatures, fork and cut refused")
    return 0


def refused(status: int, ask) -> None:
    try:
        ask()
    except WitnessRejected as rejected:
        expect(rejected.status == status, f"{rejected.status} where {status} was due")
    else:
        expect(False, "it cosigned a fork")


def expect(holds: bool, otherwise: str) -> None:
    if not holds:
        print("FAILED:", otherwise)
        sys.exit(1)


if __name__ == "__main__":
    sys.exit(main())
