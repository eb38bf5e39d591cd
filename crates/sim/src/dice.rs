//! The one source of chance: every draw of a run comes from its seed.

use portcullis_host::Random;
use std::sync::{Mutex, PoisonError};

/// `SplitMix64` (Steele, Lea, Flood 2014). Not for secrets: a run has none.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The dice of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// Dice of their own for somebody, so that a draw more here moves nothing there.
    #[must_use]
    pub fn of(&self, name: &str) -> Self {
        let mix = |so_far: u64, byte: u8| (so_far ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let mut dice = Self(name.bytes().fold(self.0 ^ 0xcbf2_9ce4_8422_2325, mix));
        dice.roll();
        dice
    }

    /// The next 64 bits.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not zero.
    pub fn below(&mut self, n: u64) -> u64 {
        self.roll() % n.max(1)
    }

    /// An index into so many.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// Whether something happens that does so in so many of a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of these, or none of none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.index(of.len().max(1)))
    }

    /// One of these by weight.
    pub fn weighed<T: Copy>(&mut self, of: &[(u64, T)]) -> Option<T> {
        let total: u64 = of.iter().map(|(weight, _)| weight).sum();
        let mut left = self.below(total);
        for (weight, what) in of {
            if left < *weight {
                return Some(*what);
            }
            left -= weight;
        }
        None
    }

    /// Random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(8) {
            let roll = self.roll().to_be_bytes();
            chunk.copy_from_slice(&roll[..chunk.len()]);
        }
        bytes
    }
}

/// Dice as a process' randomness.
pub struct SharedDice(Mutex<Dice>);

impl SharedDice {
    /// These, from here on.
    #[must_use]
    pub fn new(dice: Dice) -> Self {
        Self(Mutex::new(dice))
    }
}

impl Random for SharedDice {
    fn fill(&self, bytes: &mut [u8]) {
        let mut dice = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            let roll = dice.roll().to_be_bytes();
            chunk.copy_from_slice(&roll[..chunk.len()]);
        }
    }
}
