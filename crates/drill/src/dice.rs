//! Chance from a seed: the same drill again for the same seed.

use portcullis_keys::software::Secret;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A stream of numbers: SHA-256 over seed, label and a counter.
pub(crate) struct Dice {
    seed: [u8; 32],
    count: u64,
}

impl Dice {
    /// The stream of a seed under a label; another label is another stream.
    pub(crate) fn new(seed: u64, label: &str) -> Self {
        let hash = Sha256::new_with_prefix(b"portcullis/drill/v1\0");
        let hash = hash.chain_update(seed.to_be_bytes()).chain_update(label);
        Self {
            seed: hash.finalize().into(),
            count: 0,
        }
    }

    /// The next bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        for chunk in out.chunks_mut(32) {
            let block = self.block();
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        out
    }

    fn block(&mut self) -> [u8; 32] {
        self.count += 1;
        let hash = Sha256::new_with_prefix(self.seed);
        hash.chain_update(self.count.to_be_bytes())
            .finalize()
            .into()
    }

    /// A number below `end`; the bias is beyond what a drill could show.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        u64::from_be_bytes(self.bytes()) % end.max(1)
    }

    /// A number from `first` to `last`.
    pub(crate) fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last.saturating_sub(first) + 1)
    }

    /// A secret key's bytes. Nobody is protected by a key that a seed gives.
    pub(crate) fn secret(&mut self) -> Secret {
        Zeroizing::new(self.bytes())
    }

    /// Put things into an order by chance (Fisher and Yates).
    pub(crate) fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            let end = u64::try_from(last).unwrap_or(u64::MAX).saturating_add(1);
            let other = usize::try_from(self.below(end)).unwrap_or(last);
            things.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_label_give_one_stream() {
        let first = |seed, label: &str| Dice::new(seed, label).bytes::<40>();
        assert_eq!(first(1, "a"), first(1, "a"));
        assert_ne!(first(1, "a"), first(2, "a"));
        assert_ne!(first(1, "a"), first(1, "b"));
        assert_ne!(first(1, "a")[..8], first(1, "a")[32..]);
    }

    #[test]
    fn a_shuffle_loses_nothing() {
        let mut cards: Vec<u32> = (0..100).collect();
        Dice::new(7, "cards").shuffle(&mut cards);
        assert_ne!(cards, (0..100).collect::<Vec<_>>());
        cards.sort_unstable();
        assert_eq!(cards, (0..100).collect::<Vec<_>>());
    }
}
