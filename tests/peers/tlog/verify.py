"""Checks a log directory with aics-tlog, a transparency log library that we did not write.

    verify.py DIR VKEY [--witness VKEY]... [--quorum K] [--old SIZE]

DIR is laid out as C2SP tlog-tiles says: checkpoint, tile/. VKEY is the log's key as text, or a file
that holds it; a witness' file may hold several, one on a line. Checked are the log's signature, K
cosignatures (all witnesses, unless said otherwise), every tile and entry bundle against the root,
the inclusion of every entry, and consistency with the tree of SIZE, whose signed checkpoint is
compared too where DIR has it as checkpoint.SIZE.

Prints one line. Exits with 1 where anything is wrong.
"""

import argparse
import sys
from pathlib import Path

import aics_tlog as tlog


class Wrong(Exception):
    """What is wrong with the log."""


def main() -> int:
    parser = argparse.ArgumentParser(description="check a log directory with aics-tlog")
    parser.add_argument("dir", type=Path)
    parser.add_argument("vkey")
    parser.add_argument("--witness", action="append", default=[])
    parser.add_argument("--quorum", type=int)
    parser.add_argument("--old", type=int)
    try:
        print("ok:", verify(parser.parse_args()))
    except (Wrong, ValueError, OSError) as error:
        print("FAILED:", error)
        return 1
    return 0


def verify(args: argparse.Namespace) -> str:
    log_key = only(read_keys(args.vkey))
    witnesses = [key for source in args.witness for key in read_keys(source)]
    quorum = len(witnesses) if args.quorum is None else args.quorum
    head = read_checkpoint(args.dir / "checkpoint", log_key, witnesses, quorum)

    reader = tlog.FileSystemTileReader(args.dir)
    audit = tlog.audit_tiles(reader, head.size, head.root)
    tree = rebuild(reader, head.size)
    expect(tree.root() == head.root, "the entries do not lead to the checkpoint's root")
    check_inclusion(tree, head)

    report = f"{log_key.name} size {head.size}, {audit.tiles} tiles, {audit.bundles} bundles"
    report += f", {head.cosignature_count} cosignatures"
    if args.old is None:
        return report
    check_consistency(args, reader, tree, head, log_key)
    return f"{report}, consistent with size {args.old}"


def read_keys(source: str) -> list[tlog.VKey]:
    path = Path(source)
    text = path.read_text() if path.is_file() else source
    return [tlog.parse_vkey(line) for line in text.splitlines() if line]


def only(keys: list[tlog.VKey]) -> tlog.VKey:
    expect(len(keys) == 1, "one log key is needed")
    return keys[0]


def read_checkpoint(path, log_key, witnesses, quorum):
    note = tlog.parse_note(path.read_bytes())
    head = tlog.verify_checkpoint(
        note, log_key, witnesses, quorum, expected_origin=log_key.name
    )
    expect(head.ok, f"{path.name}: {head.error}")
    return head


def rebuild(reader, size: int) -> tlog.MerkleTree:
    entries = []
    for bundle in range(0, size, 256):
        width = min(256, size - bundle)
        data = reader.read_entry_bundle(bundle // 256, None if width == 256 else width)
        expect(data is not None, f"entry bundle {bundle // 256} is missing")
        entries += tlog.tiles.parse_entry_bundle(data)
    return tlog.MerkleTree(entries)


def check_inclusion(tree: tlog.MerkleTree, head) -> None:
    for index in range(head.size):
        proof = tree.inclusion_proof(index)
        leaf = tree.leaf_data(index)
        proved = tlog.verify_leaf_inclusion(leaf, index, head.size, proof, head.root)
        expect(proved, f"entry {index} is not included")


def check_consistency(args, reader, tree, head, log_key) -> None:
    old_root = tree.root(args.old)
    signed = args.dir / f"checkpoint.{args.old}"
    if signed.is_file():
        old = read_checkpoint(signed, log_key, [], 0)
        expect(old.size == args.old, f"{signed.name} is of size {old.size}")
        expect(old.root == old_root, f"{signed.name} is of another tree")
    proof = tlog.consistency_proof_from_tiles(reader, args.old, head.size)
    consistent = tlog.verify_consistency(args.old, head.size, old_root, head.root, proof)
    expect(consistent, f"not consistent with size {args.old}")


def expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Wrong(otherwise)


if __name__ == "__main__":
    sys.exit(main())
