//! What the tests share: a Merkle tree written down as RFC 6962 defines it, a log in memory, keys.

use std::convert::Infallible;
use std::ops::Range;
use std::path::PathBuf;

use portcullis_tlog::witness::{AddCheckpoint, decide};
use portcullis_tlog::{
    Frontier, Hash, HashReader, KeyName, LogKey, LogSigner, SignedCheckpoint, Signer, Timestamp,
    TreeHead, WitnessSigner,
};

/// RFC 6962 section 2.1, word for word; slow, and only for small trees.
pub(crate) fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(naive_split(leaves.len()));
            Hash::node(&naive_root(left), &naive_root(right))
        }
    }
}

/// PATH of RFC 6962 section 2.1.1.
pub(crate) fn naive_inclusion(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = naive_split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) = if index < k {
        (naive_inclusion(index, left), right)
    } else {
        (naive_inclusion(index - k, right), left)
    };
    path.push(naive_root(sibling));
    path
}

/// SUBPROOF of RFC 6962 section 2.1.2; call with `known` true.
pub(crate) fn naive_consistency(old: usize, leaves: &[Hash], known: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if known {
            Vec::new()
        } else {
            vec![naive_root(leaves)]
        };
    }
    let k = naive_split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut proof, sibling) = if old <= k {
        (naive_consistency(old, left, known), right)
    } else {
        (naive_consistency(old - k, right, false), left)
    };
    proof.push(naive_root(sibling));
    proof
}

/// The largest power of two smaller than the length, which is at least 2.
fn naive_split(length: usize) -> usize {
    let mut power = 1;
    while power * 2 < length {
        power *= 2;
    }
    power
}

/// Leaves that differ from each other.
pub(crate) fn leaves(count: usize) -> Vec<Hash> {
    (0..count)
        .map(|n| Hash::leaf(format!("entry {n}").as_bytes()))
        .collect()
}

pub(crate) fn head_of(leaves: &[Hash]) -> TreeHead {
    TreeHead {
        size: leaves.len() as u64,
        root: naive_root(leaves),
    }
}

/// What the tiles of a log hold, by tile level.
#[derive(Default)]
pub(crate) struct MemoryLog {
    pub(crate) frontier: Frontier,
    pub(crate) tiles: Vec<Vec<Hash>>,
}

impl MemoryLog {
    pub(crate) fn of(leaves: &[Hash]) -> Self {
        let mut log = Self::default();
        for leaf in leaves {
            log.append(*leaf);
        }
        log
    }

    pub(crate) fn append(&mut self, leaf: Hash) {
        let tiles = &mut self.tiles;
        self.frontier.append_each(leaf, |level, index, hash| {
            if level % 8 == 0 {
                let level = usize::from(level / 8);
                tiles.resize_with(tiles.len().max(level + 1), Vec::new);
                assert_eq!(tiles[level].len() as u64, index, "completed in order");
                tiles[level].push(*hash);
            }
        });
    }
}

impl HashReader for MemoryLog {
    type Error = Infallible;

    fn read(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, Infallible> {
        let first_tile = range.start / 256;
        assert!(
            range.start < range.end && (range.end - 1) / 256 == first_tile,
            "one tile"
        );
        let row = &self.tiles[usize::from(level)];
        let index = |n: u64| usize::try_from(n).expect("small");
        Ok(row[index(range.start)..index(range.end)].to_vec())
    }
}

pub(crate) const ORIGIN: &str = "portcullis.example/journal";

pub(crate) fn name(name: &str) -> KeyName {
    KeyName::new(name).expect("a name")
}

pub(crate) fn log_signer() -> LogSigner {
    LogSigner::from_seed(name(ORIGIN), &[1; 32]).expect("a seed")
}

pub(crate) fn witness_signer(number: u8) -> WitnessSigner {
    let name = name(&format!("witness.example/w{number}"));
    WitnessSigner::from_seed(name, &[100 + number; 32]).expect("a seed")
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(seconds).expect("in range")
}

/// A checkpoint cosigned by witnesses with these numbers at these times.
pub(crate) fn cosigned(head: TreeHead, cosigners: &[(u8, u64)]) -> SignedCheckpoint {
    let mut signed = SignedCheckpoint::sign(head, &log_signer()).expect("signs");
    for (number, seconds) in cosigners {
        let request = AddCheckpoint::new(0, Vec::new(), &signed);
        let accepted = decide(None, request, &log_key()).expect("first sight");
        let witness = witness_signer(*number);
        signed.add_cosignature(accepted.cosign(at(*seconds), &witness).expect("cosigns"));
    }
    signed
}

pub(crate) fn log_key() -> LogKey {
    log_signer().key().clone()
}

/// A file of the shared test data; `None`, said aloud, where the data is not installed.
pub(crate) fn data(path: &str) -> Option<String> {
    let root = std::env::var_os("PORTCULLIS_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let text = std::fs::read_to_string(root.join(path)).ok();
    if text.is_none() {
        println!("skipped: no data");
    }
    text
}
