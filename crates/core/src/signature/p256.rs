//! P-256: points on the curve, low S, and the DER that foreign clients send.

use super::text::base64url;
use super::{KeyFault, SignatureFault};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};

/// A P-256 public key, uncompressed: decompressing one at every check would cost a square root.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct P256Key([u8; 65]);

impl P256Key {
    /// Accept `0x04 ‖ x ‖ y` of a point on the curve (SEC 1, section 2.3.3).
    pub fn new(bytes: [u8; 65]) -> Result<Self, KeyFault> {
        if bytes[0] != 4 {
            return Err(KeyFault::NotOnCurve);
        }
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, bytes).map_err(|_| KeyFault::NotOnCurve)?;
        Ok(Self(bytes))
    }

    /// The bytes of a key that [`Self::new`] has accepted before.
    pub(super) const fn accepted_before(bytes: [u8; 65]) -> Self {
        Self(bytes)
    }

    /// The 65 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 65] {
        &self.0
    }
}

impl core::fmt::Debug for P256Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "P256Key({})", base64url(&self.0))
    }
}

/// The order n of P-256 (SP 800-186, section 3.2.1.3), big-endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, //
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// (n - 1) / 2, the highest low S.
const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, //
    0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8,
];

/// Whether S is at most (n - 1) / 2. Big-endian arrays compare as numbers do.
pub(super) fn is_low_s(signature: &[u8; 64]) -> bool {
    signature[32..] <= HALF_ORDER[..]
}

/// Replace a high S by n - S: both verify, one is ours.
pub(super) fn low_s(mut signature: [u8; 64]) -> Result<[u8; 64], SignatureFault> {
    let (r, s) = signature.split_at(32);
    if !is_scalar(r) || !is_scalar(s) {
        return Err(SignatureFault::OutOfRange);
    }
    if !is_low_s(&signature) {
        order_minus(&mut signature[32..]);
    }
    Ok(signature)
}

fn is_scalar(number: &[u8]) -> bool {
    number.iter().any(|byte| *byte != 0) && number < &ORDER[..]
}

/// `number = n - number`, for numbers below n: school subtraction from the last byte on.
fn order_minus(number: &mut [u8]) {
    let mut borrow = false;
    for (digit, order) in number.iter_mut().zip(ORDER).rev() {
        let (difference, under) = order.overflowing_sub(*digit);
        let (difference, under_again) = difference.overflowing_sub(u8::from(borrow));
        *digit = difference;
        borrow = under || under_again;
    }
}

/// `SEQUENCE { INTEGER r, INTEGER s }` to `r ‖ s`, by DER's rules and nothing looser.
pub(super) fn from_der(der: &[u8]) -> Result<[u8; 64], SignatureFault> {
    let (sequence, rest) = element(der, 0x30)?;
    let (r, tail) = element(sequence, 0x02)?;
    let (s, nothing) = element(tail, 0x02)?;
    if !rest.is_empty() || !nothing.is_empty() {
        return Err(SignatureFault::NotDer);
    }
    let mut fixed = [0; 64];
    put_unsigned(&mut fixed[..32], r)?;
    put_unsigned(&mut fixed[32..], s)?;
    Ok(fixed)
}

/// One element of the wanted tag, and what follows it. All lengths here are below 128: one byte.
fn element(der: &[u8], tag: u8) -> Result<(&[u8], &[u8]), SignatureFault> {
    match der {
        [found, length @ ..=0x7f, rest @ ..] if *found == tag => rest
            .split_at_checked(usize::from(*length))
            .ok_or(SignatureFault::NotDer),
        _ => Err(SignatureFault::NotDer),
    }
}

/// A DER integer that is not negative and has no needless zero in front, right-aligned.
fn put_unsigned(field: &mut [u8], integer: &[u8]) -> Result<(), SignatureFault> {
    let digits = match integer {
        [] | [0x80..=0xff, ..] | [0, ..=0x7f, ..] => return Err(SignatureFault::NotDer),
        [0, digits @ ..] | digits => digits,
    };
    let start = field
        .len()
        .checked_sub(digits.len())
        .ok_or(SignatureFault::OutOfRange)?;
    field[start..].copy_from_slice(digits);
    Ok(())
}
