//! Verification of inclusion and consistency proofs (RFC 6962 sections 2.1.1 and 2.1.2).
//!
//! A proof for a leaf has two parts: *inner* hashes, up to where the path of the leaf and the path
//! of the last leaf meet, and *border* hashes above, all of them left siblings.

use crate::hash::{Hash, MAX_TREE_SIZE, TreeHead};

/// No proof in a tree of at most [`MAX_TREE_SIZE`] leaves is longer.
pub const MAX_PROOF_HASHES: usize = 63;

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The leaf index is not below the tree size, the old size is above the new one, or a size is
    /// above [`MAX_TREE_SIZE`].
    #[error("the index or the sizes are outside the tree")]
    OutOfRange,
    /// Another number of hashes than index and sizes demand.
    #[error("the proof has {got} hashes where {expected} are needed")]
    WrongLength {
        /// Number of hashes that a proof for these sizes has.
        expected: usize,
        /// Number of hashes given.
        got: usize,
    },
    /// The hashes do not lead to the root: another leaf, another tree, or an altered proof.
    #[error("the proof does not lead to the root")]
    WrongRoot,
}

/// Checks that `leaf` stands at `index` in the tree `head`.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    head: &TreeHead,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if index >= head.size || head.size > MAX_TREE_SIZE {
        return Err(ProofError::OutOfRange);
    }
    let (inner, border) = path_shape(index, head.size);
    expect_length(proof, inner + border)?;
    let (inner, border) = proof.split_at(inner);
    let hash = climb_border(climb_inner(*leaf, inner, index), border);
    expect_root(&hash, &head.root)
}

/// Checks that the tree `new` begins with exactly the leaves of the tree `old`.
///
/// From the empty tree, and between equal trees, the proof is empty.
pub fn verify_consistency(
    old: &TreeHead,
    new: &TreeHead,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old.size > new.size || new.size > MAX_TREE_SIZE {
        return Err(ProofError::OutOfRange);
    }
    if old.size == 0 {
        expect_root(&old.root, &Hash::EMPTY_ROOT)?;
    }
    if old.size == new.size {
        expect_root(&old.root, &new.root)?;
    }
    if old.size == 0 || old.size == new.size {
        return expect_length(proof, 0);
    }
    verify_growth(old, new, proof)
}

/// The proof starts at the lowest perfect subtree on the right edge of the old tree. It is the old
/// root itself where that tree is perfect; else its hash comes first in the proof.
fn verify_growth(old: &TreeHead, new: &TreeHead, proof: &[Hash]) -> Result<(), ProofError> {
    let level = old.size.trailing_zeros();
    let index = (old.size - 1) >> level;
    let (inner, border) = path_shape(old.size - 1, new.size);
    let inner = inner - level as usize;
    let seed_in_proof = usize::from(!old.size.is_power_of_two());
    expect_length(proof, seed_in_proof + inner + border)?;

    let (seed, path) = proof.split_at(seed_in_proof);
    let seed = seed.first().copied().unwrap_or(old.root);
    let (inner, border) = path.split_at(inner);
    let in_old = climb_border(climb_left_siblings(seed, inner, index), border);
    let in_new = climb_border(climb_inner(seed, inner, index), border);
    expect_root(&in_old, &old.root)?;
    expect_root(&in_new, &new.root)
}

/// Numbers of inner and border hashes on the path from leaf `index` to the root.
fn path_shape(index: u64, size: u64) -> (usize, usize) {
    let inner = u64::BITS - (index ^ (size - 1)).leading_zeros();
    // `inner` is at most 62, since sizes above `MAX_TREE_SIZE` were refused before.
    let border = (index >> inner).count_ones();
    (inner as usize, border as usize)
}

fn climb_inner(seed: Hash, siblings: &[Hash], index: u64) -> Hash {
    siblings
        .iter()
        .enumerate()
        .fold(seed, |hash, (level, sibling)| {
            if index >> level & 1 == 0 {
                Hash::node(&hash, sibling)
            } else {
                Hash::node(sibling, &hash)
            }
        })
}

/// As [`climb_inner`], but in the old tree, which has nothing to the right yet.
fn climb_left_siblings(seed: Hash, siblings: &[Hash], index: u64) -> Hash {
    let with_level = siblings.iter().enumerate();
    let left = with_level.filter(|(level, _)| index >> level & 1 == 1);
    left.fold(seed, |hash, (_, sibling)| Hash::node(sibling, &hash))
}

fn climb_border(seed: Hash, siblings: &[Hash]) -> Hash {
    siblings
        .iter()
        .fold(seed, |hash, sibling| Hash::node(sibling, &hash))
}

fn expect_length(proof: &[Hash], expected: usize) -> Result<(), ProofError> {
    if proof.len() == expected {
        return Ok(());
    }
    Err(ProofError::WrongLength {
        expected,
        got: proof.len(),
    })
}

fn expect_root(hash: &Hash, root: &Hash) -> Result<(), ProofError> {
    if hash == root {
        Ok(())
    } else {
        Err(ProofError::WrongRoot)
    }
}
