use portcullis_tlog::witness::AddCheckpoint;
use portcullis_tlog::{
    Frontier, Hash, HashReader, LogSigner, SignedCheckpoint, TreeHead, prove_consistency,
};
use std::ops::Range;

/// A log whose leaves are numbers, up to one from which on another branch has leaves of its own.
#[derive(Clone)]
pub struct TestLog {
    leaves: Vec<Hash>,
}

impl TestLog {
    /// The honest history.
    pub fn new(size: u64) -> Self {
        Self::forked_at(size, size)
    }

    /// A history that parts from the honest one at leaf `fork`.
    pub fn forked_at(size: u64, fork: u64) -> Self {
        let leaf = |i: u64| {
            let text = if i < fork { "leaf" } else { "other leaf" };
            Hash::leaf(format!("{text} {i}").as_bytes())
        };
        Self {
            leaves: (0..size).map(leaf).collect(),
        }
    }

    pub fn head(&self, size: u64) -> TreeHead {
        let mut frontier = Frontier::new();
        for leaf in &self.leaves[..size as usize] {
            frontier.append(*leaf);
        }
        frontier.head()
    }

    pub fn signed(&self, size: u64, signer: &LogSigner) -> SignedCheckpoint {
        SignedCheckpoint::sign(self.head(size), signer).unwrap()
    }

    /// The body of a request from one size to another, with the proof that belongs to it.
    pub fn request(&self, old: u64, new: u64, signer: &LogSigner) -> Vec<u8> {
        let proof = prove_consistency(self, old.min(new), new).unwrap();
        AddCheckpoint::new(old, proof, &self.signed(new, signer))
            .to_string()
            .into_bytes()
    }
}

impl HashReader for TestLog {
    type Error = std::convert::Infallible;

    fn read(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, Self::Error> {
        let width = 1usize << (8 * level);
        let subtree = |i: u64| {
            let start = i as usize * width;
            let mut frontier = Frontier::new();
            for leaf in &self.leaves[start..start + width] {
                frontier.append(*leaf);
            }
            frontier.root()
        };
        Ok(range.map(subtree).collect())
    }
}
