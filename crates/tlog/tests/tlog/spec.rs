//! The vectors of `docs/spec/log.md`, which other code made.

use portcullis_tlog::witness::{AddCheckpoint, decide};
use portcullis_tlog::{
    Cosigned, Frontier, Hash, LogKey, LogSigner, Quorum, Role, SignedCheckpoint, Signer,
    SigningKey, TreeHead, Witness, WitnessKey, WitnessSigner, parse_bundle, prove_consistency,
    prove_inclusion, push_entry, verify_consistency, verify_inclusion,
};
use serde_json::Value;

use crate::model::{MemoryLog, at, name};

const PAGE: &str = include_str!("../../../../docs/spec/log.md");

fn vectors() -> Value {
    let (_, json) = PAGE.split_once("```json\n").expect("vectors");
    serde_json::from_str(json.trim_end().strip_suffix("```").expect("the end")).expect("JSON")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(text(value)).expect("hex")
}

fn hashes(value: &Value) -> Vec<Hash> {
    list(value)
        .iter()
        .map(|hash| Hash::from_base64(text(hash)).unwrap())
        .collect()
}

fn head(vectors: &Value, size: &Value) -> TreeHead {
    let size = number(size);
    TreeHead {
        size,
        root: hashes(&vectors["roots"])[usize::try_from(size).unwrap()],
    }
}

fn entries(vectors: &Value) -> Vec<Vec<u8>> {
    list(&vectors["entries"]).iter().map(bytes).collect()
}

fn signer<R: Role>(key: &Value) -> SigningKey<R> {
    let seed = bytes(&key["seed"]).try_into().expect("32 bytes");
    SigningKey::from_seed(name(text(&key["name"])), &seed).unwrap()
}

fn log(vectors: &Value) -> LogSigner {
    signer(&vectors["log"])
}

fn witnesses(vectors: &Value) -> Vec<WitnessSigner> {
    list(&vectors["witnesses"])
        .iter()
        .map(signer::<Witness>)
        .collect()
}

#[test]
fn keys() {
    let vectors = vectors();
    let vkey = text(&vectors["log"]["vkey"]);
    assert_eq!(vkey.parse::<LogKey>().as_ref(), Ok(log(&vectors).key()));
    for (vector, signer) in list(&vectors["witnesses"]).iter().zip(witnesses(&vectors)) {
        assert_eq!(
            text(&vector["vkey"]).parse::<WitnessKey>().as_ref(),
            Ok(signer.key())
        );
    }
}

#[test]
fn tree() {
    let vectors = vectors();
    let leaves: Vec<_> = entries(&vectors)
        .iter()
        .map(|entry| Hash::leaf(entry))
        .collect();
    assert_eq!(leaves, hashes(&vectors["leaves"]));
    let mut frontier = Frontier::new();
    let mut roots = vec![frontier.root()];
    for leaf in &leaves {
        frontier.append(*leaf);
        roots.push(frontier.root());
    }
    assert_eq!(roots, hashes(&vectors["roots"]));
}

#[test]
fn proofs() {
    let vectors = vectors();
    let leaves = hashes(&vectors["leaves"]);
    let log = MemoryLog::of(&leaves);
    for vector in list(&vectors["inclusion"]) {
        let (index, proof) = (number(&vector["index"]), hashes(&vector["proof"]));
        let head = head(&vectors, &vector["size"]);
        assert_eq!(prove_inclusion(&log, index, head.size).unwrap(), proof);
        let leaf = leaves[usize::try_from(index).unwrap()];
        verify_inclusion(&leaf, index, &head, &proof).unwrap();
    }
    for vector in list(&vectors["consistency"]) {
        let (old, new) = (
            head(&vectors, &vector["old"]),
            head(&vectors, &vector["new"]),
        );
        let proof = hashes(&vector["proof"]);
        assert_eq!(prove_consistency(&log, old.size, new.size).unwrap(), proof);
        verify_consistency(&old, &new, &proof).unwrap();
    }
}

#[test]
fn bundle_and_frontier() {
    let vectors = vectors();
    let (entries, bundle) = (entries(&vectors), &vectors["bundle"]);
    let mut written = Vec::new();
    for entry in &entries {
        push_entry(&mut written, entry).unwrap();
    }
    assert_eq!(written, bytes(&bundle["content"]));
    assert_eq!(parse_bundle(&written, 7).unwrap(), entries);
    let path = new_bundle_path(7);
    assert_eq!(path, text(&bundle["path"]));

    for vector in list(&vectors["frontier"]) {
        let frontier = Frontier::from_bytes(&bytes(&vector["bytes"])).unwrap();
        assert_eq!(frontier.head(), head(&vectors, &vector["size"]));
        assert_eq!(frontier.to_bytes(), bytes(&vector["bytes"]));
    }
}

fn new_bundle_path(size: u64) -> String {
    portcullis_tlog::new_bundles(0, size)
        .map(|path| path.to_string())
        .collect()
}

#[test]
fn checkpoint_and_cosignatures() {
    let vectors = vectors();
    let vector = &vectors["checkpoint"];
    let (log, witnesses) = (log(&vectors), witnesses(&vectors));
    let mut signed = SignedCheckpoint::sign(head(&vectors, &vector["size"]), &log).unwrap();
    assert_eq!(signed.checkpoint().body(), text(&vector["body"]));
    assert_eq!(
        signed.body_digest().as_bytes()[..],
        bytes(&vector["digest"])
    );

    let request = AddCheckpoint::new(0, Vec::new(), &signed);
    let accepted = decide(None, request, log.key()).unwrap();
    let times: Vec<_> = list(&vector["times"])
        .iter()
        .map(|time| at(number(time)))
        .collect();
    for (witness, time) in witnesses.iter().zip(&times) {
        signed.add_cosignature(accepted.cosign(*time, witness).unwrap());
    }
    assert_eq!(signed.note().to_string(), text(&vector["note"]));
    let ed25519 = witnesses[0]
        .sign(text(&vector["cosigned_message"]).as_bytes())
        .unwrap();
    assert_eq!(signed.note().signatures()[1].bytes()[8..], ed25519);

    let keys = witnesses
        .iter()
        .map(|witness| witness.key().clone())
        .collect();
    let quorum = Quorum::new(keys, 2, 1).unwrap();
    let proof = Cosigned::parse(text(&vector["note"]).as_bytes(), log.key(), &quorum).unwrap();
    assert_eq!(vec![proof.oldest(), proof.newest()], times);
}

#[test]
fn witness_request() {
    let vectors = vectors();
    let vector = &vectors["add_checkpoint"];
    let log = log(&vectors);
    let request = AddCheckpoint::parse(text(&vector["body"]).as_bytes()).unwrap();
    assert_eq!(request.to_string(), text(&vector["body"]));
    let latest = Some(head(&vectors, &vector["old"]));
    let accepted = decide(latest, request, log.key()).unwrap();
    assert_eq!(
        accepted.head(),
        head(&vectors, &vectors["checkpoint"]["size"])
    );
}

/// The page's table of limits says what the code holds.
#[test]
fn limits() {
    use portcullis_tlog::{
        MAX_ENTRY_BYTES, MAX_NOTE_BYTES, MAX_NOTE_SIGNATURES, MAX_PROOF_HASHES, MAX_TREE_SIZE,
        MAX_WITNESSES,
    };
    let rows = [
        format!("| entry | 0 to {},000 bytes |", MAX_ENTRY_BYTES / 1000),
        format!(
            "| tree | 0 to 2^{} entries; so no proof has more than {MAX_PROOF_HASHES} hashes |",
            MAX_TREE_SIZE.ilog2()
        ),
        format!(
            "| note | {},{:03} bytes, {MAX_NOTE_SIGNATURES} signatures |",
            MAX_NOTE_BYTES / 1000,
            MAX_NOTE_BYTES % 1000
        ),
        format!("| witnesses of a log | 1 to {MAX_WITNESSES} |"),
    ];
    for row in rows {
        assert!(PAGE.contains(&row), "{row}");
    }
}
