//! Seeded mutations: small changes of the kinds that parsers get wrong.

/// `SplitMix64`: the same seed, the same bytes, on every machine.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice for a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`, which is not zero; nearly even, which is enough here.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.draw() % bound).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        self.draw().to_le_bytes()[0]
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = (length - start).min(1 << self.below(8));
        start..start + self.below(most + 1)
    }
}

/// Bytes that mean something to one parser or another.
const TELLING: [u8; 16] = [
    0x00, 0x01, 0x17, 0x18, 0x1f, 0x20, 0x22, 0x2f, 0x5c, 0x7f, 0x80, 0x9f, 0xbf, 0xc0, 0xf6, 0xff,
];
/// Words with which numbers, texts and containers go wrong.
const WORDS: [&[u8]; 14] = [
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"18446744073709551615",
    b"340282366920938463463374607431768211456",
    b"0x",
    b"-1",
    b"\\u0000",
    b"\xc2\xa0",
    b"\xe2\x80\x94 ",
    b"\r\n",
    b"{}",
    b"[]",
    b"null",
];

/// A few changes to a seed; `other` is what a splice takes from.
pub fn mutate(dice: &mut Dice, seed: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=dice.below(4) {
        change(dice, &mut bytes, other);
    }
    bytes
}

fn change(dice: &mut Dice, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = dice.below(bytes.len());
    let range = dice.range(bytes.len());
    match dice.below(9) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << dice.below(8),
        1 if !bytes.is_empty() => bytes[at] = TELLING[dice.below(TELLING.len())],
        2 if !bytes.is_empty() => bytes[at] = bytes[at].wrapping_add(dice.byte()),
        3 => bytes.truncate(range.start),
        4 => drop(bytes.drain(range)),
        5 => {
            let copy = bytes[range.clone()].to_vec();
            drop(bytes.splice(range.end..range.end, copy));
        }
        6 => {
            let word = WORDS[dice.below(WORDS.len())];
            drop(bytes.splice(range, word.iter().copied()));
        }
        7 => {
            let taken = dice.range(other.len());
            drop(bytes.splice(range, other[taken].iter().copied()));
        }
        _ => {
            let more: Vec<u8> = (0..=dice.below(8)).map(|_| dice.byte()).collect();
            drop(bytes.splice(range.start..range.start, more));
        }
    }
}
