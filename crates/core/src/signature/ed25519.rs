//! What makes Ed25519 strict: every point has one spelling, and none is of small order.

use super::KeyFault;
use super::text::base64url;

/// An Ed25519 public key that is canonically encoded and not of small order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ed25519Key([u8; 32]);

impl Ed25519Key {
    /// Accept the 32 bytes of RFC 8032, section 5.1.5.
    pub fn new(bytes: [u8; 32]) -> Result<Self, KeyFault> {
        if !is_canonical(&bytes) {
            return Err(KeyFault::NotCanonical);
        }
        if is_small_order(&bytes) {
            return Err(KeyFault::SmallOrder);
        }
        Ok(Self(bytes))
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl core::fmt::Debug for Ed25519Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Ed25519Key({})", base64url(&self.0))
    }
}

/// Whether a signature's first half, R, is a point that an honest signer can produce.
pub(super) fn is_honest_point(encoded: &[u8; 32]) -> bool {
    is_canonical(encoded) && !is_small_order(encoded)
}

/// Whether y is below p = 2^255 - 19 (little-endian, the top bit is the sign of x).
fn is_canonical(encoded: &[u8; 32]) -> bool {
    let y = without_sign(encoded);
    let all_ones_above = y[31] == 0x7f && y[1..31].iter().all(|byte| *byte == 0xff);
    !(all_ones_above && y[0] >= 0xed)
}

/// The y coordinates, in canonical encoding, of the eight points whose order divides 8.
///
/// The group has cofactor 8 (RFC 8032, section 5.1): y = 1 is the neutral element, -1 has order 2,
/// 0 has order 4, and the two long ones have order 8.
const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    one_hot(0),
    one_hot(1),
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, //
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0x7f,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, //
        0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc,
        0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, //
        0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03,
        0x7a,
    ],
];

const fn one_hot(low: u8) -> [u8; 32] {
    let mut y = [0; 32];
    y[0] = low;
    y
}

fn is_small_order(encoded: &[u8; 32]) -> bool {
    SMALL_ORDER_Y.contains(&without_sign(encoded))
}

fn without_sign(encoded: &[u8; 32]) -> [u8; 32] {
    let mut y = *encoded;
    y[31] &= 0x7f;
    y
}
