//! The right edge of a growing tree: all that appending and the root need.

use crate::hash::{Hash, MAX_TREE_SIZE, TreeHead};

/// The roots of the perfect subtrees that make up a tree, largest (leftmost) first: one per set
/// bit of the size.
///
/// Appending a leaf costs two hashes on average (its own and one node), the root one more per
/// subtree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

/// Why bytes are no frontier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrontierError {
    /// Shorter than the size field, or not as many hashes as the size has set bits.
    #[error("a frontier is an 8-byte size and one 32-byte hash per set bit of it")]
    WrongLength,
    /// The size is above [`MAX_TREE_SIZE`].
    #[error("a tree has at most 2^62 leaves")]
    TooLarge,
}

impl Frontier {
    /// The tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn from_peaks(size: u64, peaks: Vec<Hash>) -> Self {
        debug_assert_eq!(peaks.len(), size.count_ones() as usize);
        Self { size, peaks }
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends one leaf hash.
    pub fn append(&mut self, leaf: Hash) {
        self.append_each(leaf, |_, _, _| {});
    }

    /// Appends one leaf hash and reports every perfect subtree that it completes, the leaf first,
    /// as `(level, index, hash)`: the subtree over the leaves `index << level ..` of that level.
    /// Those of level 0, 8, 16, … are what tiles hold.
    pub fn append_each(&mut self, leaf: Hash, mut completed: impl FnMut(u8, u64, &Hash)) {
        let (mut hash, mut index) = (leaf, self.size);
        completed(0, index, &hash);
        for level in 1.. {
            if index & 1 == 0 {
                break;
            }
            // One peak stands for each set bit of the size, so an odd index has its left sibling.
            let Some(left) = self.peaks.pop() else { break };
            hash = Hash::node(&left, &hash);
            index >>= 1;
            completed(level, index, &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The Merkle root.
    #[must_use]
    pub fn root(&self) -> Hash {
        let from_the_right = self.peaks.iter().rev().copied();
        from_the_right
            .reduce(|right, left| Hash::node(&left, &right))
            .unwrap_or(Hash::EMPTY_ROOT)
    }

    /// Size and root.
    #[must_use]
    pub fn head(&self) -> TreeHead {
        TreeHead {
            size: self.size,
            root: self.root(),
        }
    }

    /// The canonical bytes for snapshots: the size, big-endian, then the subtree roots, largest
    /// first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        bytes.extend(self.peaks.iter().flat_map(Hash::as_bytes));
        bytes
    }

    /// Reads [`Frontier::to_bytes`]. That the hashes belong to a log is for the caller to check,
    /// by comparing [`Frontier::root`] with a checkpoint.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrontierError> {
        let (size, rest) = bytes
            .split_first_chunk::<8>()
            .ok_or(FrontierError::WrongLength)?;
        let size = u64::from_be_bytes(*size);
        if size > MAX_TREE_SIZE {
            return Err(FrontierError::TooLarge);
        }
        let (peaks, tail) = rest.as_chunks::<32>();
        if !tail.is_empty() || peaks.len() != size.count_ones() as usize {
            return Err(FrontierError::WrongLength);
        }
        Ok(Self {
            size,
            peaks: peaks.iter().copied().map(Hash::from_bytes).collect(),
        })
    }
}
