//! SHA-256 digests and the domain prefixes that keep one kind of signed bytes from passing as another.

use crate::codec::hex_array;
use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest. In CBOR a byte string of 32; in JSON 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Digest(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

hex_array!(Digest, 32);

impl Digest {
    /// SHA-256 of `domain ‖ 0x00 ‖ message`.
    ///
    /// Every hash and every signature in Portcullis goes over such a prefix, so bytes made for one
    /// purpose mean nothing under another. `docs/spec/encoding.md` lists the domains.
    #[must_use]
    pub fn of(domain: Domain, message: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(domain.prefix());
        hash.update([0]);
        hash.update(message);
        Self(hash.finalize().into())
    }

    /// Plain SHA-256, for bytes whose format is somebody else's (a checkpoint's body, a document).
    #[must_use]
    pub fn plain(message: &[u8]) -> Self {
        Self(Sha256::digest(message).into())
    }
}

/// What a digest or a signature is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// The genesis without its signatures.
    Genesis,
    /// An act's canonical bytes.
    Act,
    /// A factor's stable id.
    Factor,
    /// An attestation's statement.
    Attestation,
    /// A keeper's statement.
    Statement,
    /// A stop board's stamp on a posting, and its signed list.
    Board,
    /// The running digest of effects.
    Effects,
    /// Limits, as named by the act that replaces them.
    Limits,
    /// A plan's bytes.
    Plan,
    /// A snapshot of state.
    Snapshot,
    /// A policy, as named by the act that replaces it.
    Policy,
    /// A rate publisher's quote.
    Quote,
    /// The administration, as named by the act that replaces it.
    Administration,
    /// Keys, as named by the act that replaces them.
    Keys,
    /// A sealed contact, as the journal commits to it.
    Contact,
    /// A herald's word that it keeps sealed contacts, which the gate may forget.
    ContactsKept,
    /// A recovery code's public key, as the journal holds it.
    RecoveryCode,
    /// An act that a recovery code proves.
    RecoveryProof,
    /// An act behind a link in a notice, as the herald signs it.
    Link,
    /// A set of labels' bytes, as the journal names them.
    Labels,
}

impl Domain {
    /// The ASCII prefix.
    #[must_use]
    pub const fn prefix(self) -> &'static [u8] {
        match self {
            Self::Genesis => b"portcullis/genesis/v1",
            Self::Act => b"portcullis/act/v1",
            Self::Factor => b"portcullis/factor/v1",
            Self::Attestation => b"portcullis/attestation/v1",
            Self::Statement => b"portcullis/statement/v1",
            Self::Board => b"portcullis/board/v1",
            Self::Effects => b"portcullis/effects/v1",
            Self::Limits => b"portcullis/limits/v1",
            Self::Plan => b"portcullis/plan/v1",
            Self::Snapshot => b"portcullis/snapshot/v1",
            Self::Policy => b"portcullis/policy/v1",
            Self::Quote => b"portcullis/quote/v1",
            Self::Administration => b"portcullis/administration/v1",
            Self::Keys => b"portcullis/keys/v1",
            Self::Contact => b"portcullis/contact/v1",
            Self::ContactsKept => b"portcullis/contacts-kept/v1",
            Self::RecoveryCode => b"portcullis/recovery-code/v1",
            Self::RecoveryProof => b"portcullis/recovery-proof/v1",
            Self::Link => b"portcullis/link/v1",
            Self::Labels => b"portcullis/labels/v1",
        }
    }

    /// The bytes to be signed for this domain: `prefix ‖ 0x00 ‖ message`.
    #[must_use]
    pub fn signed_bytes(self, message: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.prefix().len() + 1 + message.len());
        bytes.extend_from_slice(self.prefix());
        bytes.push(0);
        bytes.extend_from_slice(message);
        bytes
    }
}
