//! A TOTP code on its way to the herald, sealed for one act and one factor.
//!
//! ```text
//! sealed    = encapsulated key (32 bytes) ‖ ciphertext (8) ‖ tag (16)
//! plaintext = the digits, in ASCII, and zero bytes up to eight
//! info      = "portcullis/totp-code/v1" ‖ 0x00 ‖ CBOR([genesis digest, act digest, factor id])
//! ```
//!
//! Whoever carries it can neither read it nor use it for another act.

use crate::envelope::{EnvelopeFault, SealingSecret, open, seal};
use crate::totp::Digits;
use portcullis_core::Digest;
use portcullis_core::code::SealedCode;
use portcullis_core::codec::encode;
use portcullis_core::genesis::SealingKey;
use portcullis_core::id::FactorId;
use zeroize::Zeroizing;

/// Seal digits for an act and a factor. `fill` gives bytes that nobody can guess.
pub fn seal_code(
    digits: &Digits,
    key: SealingKey,
    genesis: Digest,
    (act, factor): (Digest, FactorId),
    fill: impl FnMut(&mut [u8]),
) -> Result<SealedCode, EnvelopeFault> {
    let sealed = seal(&digits.0[..], key, &info(genesis, act, factor), fill)?;
    let sealed = sealed.try_into();
    sealed.map(SealedCode).map_err(|_| EnvelopeFault::Length)
}

/// The digits inside, for whoever has the secret key.
pub fn open_code(
    sealed: &SealedCode,
    secret: &SealingSecret,
    genesis: Digest,
    (act, factor): (Digest, FactorId),
) -> Result<Digits, EnvelopeFault> {
    let plaintext: Zeroizing<Vec<u8>> = open(&sealed.0, secret, &info(genesis, act, factor))?;
    Digits::of_field(&plaintext).ok_or(EnvelopeFault::Malformed)
}

fn info(genesis: Digest, act: Digest, factor: FactorId) -> Vec<u8> {
    let mut info = b"portcullis/totp-code/v1\0".to_vec();
    info.extend(encode(&(genesis, act, factor)));
    info
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENESIS: Digest = Digest([1; 32]);
    const ACT: Digest = Digest([2; 32]);
    const FACTOR: FactorId = FactorId([3; 16]);

    #[test]
    fn a_code_opens_for_its_act_and_factor_alone() {
        let secret = SealingSecret::new(&[0x77; 32]).unwrap();
        let digits = Digits::parse("123456").unwrap();
        let fill = |bytes: &mut [u8]| bytes.fill(9);
        let sealed = seal_code(&digits, secret.public(), GENESIS, (ACT, FACTOR), fill).unwrap();
        let open = |act, factor| open_code(&sealed, &secret, GENESIS, (act, factor));
        assert_eq!(open(ACT, FACTOR), Ok(digits));
        assert_eq!(open(Digest([4; 32]), FACTOR), Err(EnvelopeFault::Sealed));
        assert_eq!(open(ACT, FactorId([4; 16])), Err(EnvelopeFault::Sealed));
        for at in 0..sealed.0.len() {
            let mut changed = sealed;
            changed.0[at] ^= 1;
            let opened = open_code(&changed, &secret, GENESIS, (ACT, FACTOR));
            assert_eq!(opened, Err(EnvelopeFault::Sealed), "{at}");
        }
    }

    #[test]
    fn what_are_no_digits_does_not_come_out() {
        let secret = SealingSecret::new(&[0x77; 32]).unwrap();
        for wrong in [b"12345\0\0\0", b"1234567a", b"123\x00567\0"] {
            let info = info(GENESIS, ACT, FACTOR);
            let fill = |bytes: &mut [u8]| bytes.fill(9);
            let sealed = seal(&wrong[..], secret.public(), &info, fill).unwrap();
            let sealed = SealedCode(sealed.try_into().unwrap());
            let opened = open_code(&sealed, &secret, GENESIS, (ACT, FACTOR));
            assert_eq!(opened, Err(EnvelopeFault::Malformed));
        }
    }
}
