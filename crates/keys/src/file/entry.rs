//! One key in a file.

use std::fmt;
use std::str::FromStr;

use minicbor::decode::{Decoder, Error};
use minicbor::{Decode, Encode};

use crate::SoftwareCoin;
use crate::software::{Secret, SoftwareStatement, SoftwareWallet};
use zeroize::Zeroizing;

/// What a key is for, by its curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// Signs transactions.
    #[n(1)]
    Secp256k1,
    /// Signs statements.
    #[n(2)]
    Ed25519,
    /// Signs statements, where the other side cannot do Ed25519.
    #[n(3)]
    P256,
    /// 32 bytes that a process seals or encrypts with; signs nothing.
    #[n(4)]
    Secret,
    /// Spends outputs on chains with Bitcoin's transactions.
    #[n(5)]
    Coin,
}

impl Kind {
    /// Whether a key of this kind has this secret.
    pub(super) fn admits(self, secret: &Secret) -> bool {
        match self {
            Self::Secp256k1 => SoftwareWallet::new(secret).is_ok(),
            Self::Coin => SoftwareCoin::new(secret).is_ok(),
            Self::Ed25519 => SoftwareStatement::ed25519(secret).is_ok(),
            Self::P256 => SoftwareStatement::p256(secret).is_ok(),
            Self::Secret => true,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secp256k1 => "secp256k1",
            Self::Ed25519 => "ed25519",
            Self::P256 => "p256",
            Self::Secret => "secret",
            Self::Coin => "coin",
        })
    }
}

/// A key's name: 1 to 64 of the characters `a` to `z`, `0` to `9`, `.`, `_`, `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// Not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key's name has 1 to 64 of the characters a-z 0-9 . _ -")]
pub struct NameError;

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let allowed = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError)
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A named secret. In CBOR: an array of kind, name, 32 bytes.
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) name: Name,
    pub(super) secret: Secret,
}

impl<C> Encode<C> for Entry {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(3)?
            .encode(self.kind)?
            .str(&self.name.0)?
            .bytes(&*self.secret)?
            .ok()
    }
}

impl<'b, C> Decode<'b, C> for Entry {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
        if d.array()? != Some(3) {
            return Err(Error::message("a key is an array of three"));
        }
        let kind = d.decode()?;
        let name = d.str()?.parse().map_err(Error::message)?;
        let mut secret = Zeroizing::new([0; 32]);
        let bytes: &[u8; 32] = d
            .bytes()?
            .try_into()
            .map_err(|_| Error::message("a secret is 32 bytes"))?;
        secret.copy_from_slice(bytes);
        Ok(Self { kind, name, secret })
    }
}
