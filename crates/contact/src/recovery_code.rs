//! Recovery codes: 128 random bits each, written on paper, and the key that each makes.
//!
//! ```text
//! text = 28 characters of Crockford's base32, in groups of four: the 16 bytes, and 12 bits of their SHA-256
//! seed = SHA-256("portcullis/recovery-key/v1" ‖ 0x00 ‖ CBOR([genesis digest, account id]) ‖ the 16 bytes)
//! ```
//!
//! The seed is that of an Ed25519 key (RFC 8032). What is shown of a code is a signature over one act, so
//! whoever carries it cannot bring it for another.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use core::fmt;
use portcullis_core::Digest;
use portcullis_core::code::{Code, recovery_digest, recovery_proof};
use portcullis_core::codec::encode;
use portcullis_core::factor::{NewFactor, RECOVERY_CODES};
use portcullis_core::id::{AccountId, FactorId};
use portcullis_core::signature::{PublicKey, Signature};
use zeroize::Zeroizing;

/// Bytes of a code.
const BYTES: usize = 16;
/// Characters of its text, without hyphens.
const CHARACTERS: usize = 28;
/// Crockford's alphabet: no letter that looks like a digit.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A recovery code. Wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(Zeroizing<[u8; BYTES]>);

/// Why there is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryCodeFault {
    /// The text.
    #[error("a recovery code has 28 letters and digits, and one of these is mistyped")]
    Text,
    /// The cryptographic library.
    #[error("the code's key cannot be made")]
    Key,
}

impl RecoveryCode {
    /// A new one. `fill` gives bytes that nobody can guess.
    pub fn new(mut fill: impl FnMut(&mut [u8])) -> Self {
        let mut bytes = Zeroizing::new([0; BYTES]);
        fill(&mut bytes[..]);
        Self(bytes)
    }

    /// As somebody types it: in either case, with or without hyphens and spaces.
    pub fn parse(text: &str) -> Result<Self, RecoveryCodeFault> {
        let mut values = Zeroizing::new([0_u8; CHARACTERS]);
        let mut count = 0;
        for c in text.bytes().filter(|c| !matches!(c, b'-' | b' ')) {
            let value = value(c).ok_or(RecoveryCodeFault::Text)?;
            *values.get_mut(count).ok_or(RecoveryCodeFault::Text)? = value;
            count += 1;
        }
        let code = Self(bytes_of(&values));
        if count == CHARACTERS && code.values() == values {
            Ok(code)
        } else {
            Err(RecoveryCodeFault::Text)
        }
    }

    /// As it is shown once, to be written down.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(CHARACTERS + CHARACTERS / 4));
        for (at, value) in self.values().iter().enumerate() {
            if at > 0 && at.is_multiple_of(4) {
                text.push('-');
            }
            text.push(char::from(ALPHABET[usize::from(*value & 31)]));
        }
        text
    }

    /// Five bits for each character: the bytes, then the first 12 bits of their SHA-256.
    fn values(&self) -> Zeroizing<[u8; CHARACTERS]> {
        let Digest(check) = Digest::plain(&self.0[..]);
        let all = self.0.iter().chain(&check[..2]);
        let mut values = Zeroizing::new([0; CHARACTERS]);
        let (mut bits, mut count, mut at) = (0_u32, 0_u32, 0);
        for byte in all {
            bits = (bits << 8) | u32::from(*byte);
            count += 8;
            while count >= 5 && at < CHARACTERS {
                count -= 5;
                values[at] = u8::try_from((bits >> count) & 31).unwrap_or(0);
                bits &= (1 << count) - 1;
                at += 1;
            }
        }
        values
    }

    fn pair(
        &self,
        genesis: Digest,
        account: AccountId,
    ) -> Result<Ed25519KeyPair, RecoveryCodeFault> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(128));
        bytes.extend_from_slice(b"portcullis/recovery-key/v1\0");
        bytes.extend_from_slice(&encode(&(genesis, account)));
        bytes.extend_from_slice(&self.0[..]);
        let seed = Zeroizing::new(Digest::plain(&bytes).0);
        Ed25519KeyPair::from_seed_unchecked(&seed[..]).map_err(|_| RecoveryCodeFault::Key)
    }

    /// The key that it makes for an account of a network.
    pub fn key(&self, genesis: Digest, account: AccountId) -> Result<PublicKey, RecoveryCodeFault> {
        public(&self.pair(genesis, account)?)
    }

    /// Evidence for an act: the code's signature over it.
    pub fn prove(
        &self,
        genesis: Digest,
        account: AccountId,
        (act, factor): (Digest, FactorId),
    ) -> Result<Code, RecoveryCodeFault> {
        let pair = self.pair(genesis, account)?;
        let signed = pair.try_sign(&recovery_proof(act));
        let signed = signed.map_err(|_| RecoveryCodeFault::Key)?;
        let bytes = signed.as_ref().try_into();
        Ok(Code::Recovery {
            factor,
            key: public(&pair)?,
            signature: Signature::from_bytes(bytes.map_err(|_| RecoveryCodeFault::Key)?),
        })
    }

    /// The factor that ten codes make for an account.
    pub fn factor(
        codes: &[Self; RECOVERY_CODES],
        genesis: Digest,
        account: AccountId,
    ) -> Result<NewFactor, RecoveryCodeFault> {
        let digest = |code: &Self| Ok(recovery_digest(&code.key(genesis, account)?));
        let digests: Result<Vec<Digest>, RecoveryCodeFault> = codes.iter().map(digest).collect();
        let mut digests = digests?;
        digests.sort_unstable();
        Ok(NewFactor::RecoveryCodes { codes: digests })
    }
}

fn public(pair: &Ed25519KeyPair) -> Result<PublicKey, RecoveryCodeFault> {
    let bytes = pair.public_key().as_ref().try_into();
    let bytes = bytes.map_err(|_| RecoveryCodeFault::Key)?;
    PublicKey::ed25519(bytes).map_err(|_| RecoveryCodeFault::Key)
}

/// A character's five bits; what is easily mistaken for a digit is that digit.
fn value(c: u8) -> Option<u8> {
    let plain = match c.to_ascii_lowercase() {
        b'o' => b'0',
        b'i' | b'l' => b'1',
        other => other,
    };
    let at = ALPHABET.iter().position(|known| *known == plain)?;
    u8::try_from(at).ok()
}

fn bytes_of(values: &[u8; CHARACTERS]) -> Zeroizing<[u8; BYTES]> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    let (mut bits, mut count) = (0_u32, 0_u32);
    let mut places = bytes.iter_mut();
    for value in values {
        bits = (bits << 5) | u32::from(*value);
        count += 5;
        if count >= 8 {
            count -= 8;
            // What is behind the bytes is their check.
            let Some(place) = places.next() else { break };
            *place = u8::try_from((bits >> count) & 0xff).unwrap_or(0);
            bits &= (1 << count) - 1;
        }
    }
    bytes
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::code::is_recovery_proof;
    use portcullis_core::signature::Strict;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    const GENESIS: Digest = Digest([1; 32]);
    const ACCOUNT: AccountId = AccountId([2; 16]);

    fn code(seed: u8) -> RecoveryCode {
        RecoveryCode::new(|bytes| bytes.fill(seed))
    }

    proptest! {
        #[test]
        fn a_code_is_read_as_it_was_shown(bytes in any::<[u8; BYTES]>()) {
            let code = RecoveryCode::new(|fill| fill.copy_from_slice(&bytes));
            let text = code.text();
            prop_assert_eq!(text.len(), 34);
            prop_assert_eq!(RecoveryCode::parse(&text), Ok(code.clone()));
            let typed = text.to_ascii_uppercase().replace('-', " ").replace('0', "O").replace('1', "l");
            prop_assert_eq!(RecoveryCode::parse(&typed), Ok(code));
        }

        /// Twelve bits: a mistake passes once in 4,096 times.
        #[test]
        fn a_wrong_length_is_no_code(bytes in any::<[u8; BYTES]>(), cut in 1_usize..28) {
            let text = RecoveryCode::new(|fill| fill.copy_from_slice(&bytes)).text().replace('-', "");
            prop_assert!(RecoveryCode::parse(&text[..28 - cut]).is_err());
            let longer = format!("{text}0");
            prop_assert!(RecoveryCode::parse(&longer).is_err());
        }
    }

    #[test]
    fn a_mistyped_character_is_noticed() {
        let text = code(7).text();
        let mut noticed = 0;
        for (at, c) in text.char_indices().filter(|(_, c)| *c != '-') {
            for other in ALPHABET.iter().map(|c| char::from(*c)).filter(|o| *o != c) {
                let mut typed = text.to_string();
                typed.replace_range(at..=at, other.encode_utf8(&mut [0; 4]));
                noticed += u32::from(RecoveryCode::parse(&typed).is_err());
            }
        }
        assert!(noticed >= 28 * 31 - 3, "{noticed} of {}", 28 * 31);
        assert_eq!(
            RecoveryCode::parse("no code u"),
            Err(RecoveryCodeFault::Text)
        );
    }

    #[test]
    fn a_code_proves_one_act_of_one_account() {
        let factor = FactorId([3; 16]);
        let act = Digest([4; 32]);
        let proof = code(7).prove(GENESIS, ACCOUNT, (act, factor)).unwrap();
        let Code::Recovery { key, signature, .. } = proof else {
            unreachable!()
        };
        assert_eq!(key, code(7).key(GENESIS, ACCOUNT).unwrap());
        assert!(is_recovery_proof(act, &key, &signature, &Strict));
        assert!(!is_recovery_proof(
            Digest([5; 32]),
            &key,
            &signature,
            &Strict
        ));
        assert_ne!(key, code(8).key(GENESIS, ACCOUNT).unwrap());
        assert_ne!(key, code(7).key(GENESIS, AccountId([3; 16])).unwrap());
        assert_ne!(key, code(7).key(Digest([2; 32]), ACCOUNT).unwrap());
        assert_eq!(format!("{:?}", code(7)), "RecoveryCode(..)");
    }

    #[test]
    fn ten_codes_are_a_factor_in_whatever_order() {
        let ten: [RecoveryCode; RECOVERY_CODES] =
            core::array::from_fn(|n| code(u8::try_from(n).unwrap()));
        let mut turned = ten.clone();
        turned.reverse();
        let factor = RecoveryCode::factor(&ten, GENESIS, ACCOUNT).unwrap();
        assert_eq!(RecoveryCode::factor(&turned, GENESIS, ACCOUNT), Ok(factor));
    }
}
