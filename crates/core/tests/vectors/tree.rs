//! Roots and inclusion proofs, by the recursive definitions of RFC 6962, section 2.1.

use portcullis_tlog::{Hash, TreeHead};

/// Size and root of a tree with these entries.
pub(crate) fn head(entries: &[Vec<u8>]) -> TreeHead {
    TreeHead {
        size: entries.len() as u64,
        root: root(entries),
    }
}

fn root(entries: &[Vec<u8>]) -> Hash {
    match entries {
        [entry] => Hash::leaf(entry),
        _ => {
            let (left, right) = entries.split_at(half(entries.len()));
            Hash::node(&root(left), &root(right))
        }
    }
}

/// The inclusion proof of one entry, each hash in base64.
pub(crate) fn proof(entries: &[Vec<u8>], index: usize) -> Vec<String> {
    if entries.len() == 1 {
        return Vec::new();
    }
    let (left, right) = entries.split_at(half(entries.len()));
    let (mut proof, sibling) = match index.checked_sub(left.len()) {
        None => (proof(left, index), root(right)),
        Some(index) => (proof(right, index), root(left)),
    };
    proof.push(sibling.to_base64());
    proof
}

/// The consistency proof from the first so many entries (RFC 6962, section 2.1.2), each hash in base64.
pub(crate) fn consistency(entries: &[Vec<u8>], old: usize) -> Vec<String> {
    subproof(entries, old, true)
}

fn subproof(entries: &[Vec<u8>], old: usize, is_known: bool) -> Vec<String> {
    if old == entries.len() {
        let own = (!is_known).then(|| root(entries).to_base64());
        return own.into_iter().collect();
    }
    let (left, right) = entries.split_at(half(entries.len()));
    let (mut proof, sibling) = match old.checked_sub(left.len()) {
        None | Some(0) => (subproof(left, old, is_known), root(right)),
        Some(old) => (subproof(right, old, false), root(left)),
    };
    proof.push(sibling.to_base64());
    proof
}

/// The largest power of two below `n`.
fn half(n: usize) -> usize {
    n.next_power_of_two() / 2
}
