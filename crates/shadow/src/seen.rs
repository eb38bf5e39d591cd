//! What has been seen before, in a fixed amount of memory.

use portcullis_core::Digest;

/// 2²⁹ bits are 64 MiB, which the system gives as they are used.
const BITS: u64 = 1 << 29;
/// Bits of each key.
const TIMES: u64 = 7;

/// A Bloom filter: it never forgets, and takes one in two million for seen that was not, once it holds ten million
/// (Bloom, "Space/time trade-offs in hash coding", 1970; two hashes make seven, Kirsch and Mitzenmacher, 2006).
pub(crate) struct Seen(Vec<u64>);

impl Default for Seen {
    fn default() -> Self {
        let words = usize::try_from(BITS / 64).unwrap_or(usize::MAX);
        Self(vec![0; words])
    }
}

impl Seen {
    /// Whether this was seen before; it is from now on.
    pub(crate) fn see(&mut self, parts: [&str; 2]) -> bool {
        let mut was_seen = true;
        for bit in places(parts) {
            let (word, mask) = place(bit);
            if let Some(word) = self.0.get_mut(word) {
                was_seen &= *word & mask != 0;
                *word |= mask;
            }
        }
        was_seen
    }

    /// Whether this was seen before.
    pub(crate) fn has(&self, parts: [&str; 2]) -> bool {
        places(parts).all(|bit| {
            let (word, mask) = place(bit);
            self.0.get(word).is_some_and(|word| word & mask != 0)
        })
    }
}

fn place(bit: u64) -> (usize, u64) {
    (
        usize::try_from(bit / 64).unwrap_or(usize::MAX),
        1 << (bit % 64),
    )
}

fn places([one, two]: [&str; 2]) -> impl Iterator<Item = u64> {
    let Digest(digest) = Digest::plain(&[one.as_bytes(), &[0], two.as_bytes()].concat());
    let half = |bytes: &[u8]| {
        bytes
            .first_chunk()
            .map_or(0, |half| u64::from_be_bytes(*half))
    };
    let (first, step) = (half(&digest), half(&digest[8..]) | 1);
    (0..TIMES).map(move |time| first.wrapping_add(time.wrapping_mul(step)) % BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_forgotten_and_hardly_anything_is_made_up() {
        let mut seen = Seen::default();
        let keys: Vec<String> = (0..20_000).map(|n: u32| n.to_string()).collect();
        let known: Vec<bool> = keys.iter().map(|key| seen.see(["a", key])).collect();
        assert!(known.iter().all(|known| !known));
        assert!(
            keys.iter()
                .all(|key| seen.has(["a", key]) && !seen.has(["b", key]))
        );
    }
}
