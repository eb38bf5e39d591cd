//! Factors: what a principal proves itself with.

use crate::codec::encode;
use crate::digest::{Digest, Domain};
use crate::id::FactorId;
use crate::signature::PublicKey;
use crate::time::{Span, Time};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// The kinds of factor, from weak to strong: a factor enrols, revokes or unfreezes only at its own
/// strength or below.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum FactorKind {
    /// A key that signs HTTP requests (RFC 9421); it sits in software, so anyone with the host has it.
    #[n(0)]
    RequestKey,
    /// A WebAuthn credential that verifies its user.
    #[n(1)]
    Passkey,
}

/// A factor as an act carries it, not yet anybody's.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NewFactor {
    /// A request key.
    #[n(0)]
    RequestKey {
        /// Its public key.
        #[n(0)]
        key: PublicKey,
    },
    /// A passkey, as its registration ceremony yielded it.
    #[n(1)]
    Passkey {
        /// The credential id, at most 1,023 bytes (WebAuthn, section 5.4.3).
        #[cbor(n(0), with = "minicbor::bytes")]
        #[serde(with = "crate::text::base64url")]
        credential: Vec<u8>,
        /// The relying party id that it was made for; one of the realm's.
        #[n(1)]
        rp_id: String,
        /// Its public key.
        #[n(2)]
        key: PublicKey,
    },
}

impl NewFactor {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> FactorKind {
        match self {
            Self::RequestKey { .. } => FactorKind::RequestKey,
            Self::Passkey { .. } => FactorKind::Passkey,
        }
    }

    /// Its public key.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        match self {
            Self::RequestKey { key } | Self::Passkey { key, .. } => key,
        }
    }

    /// Its id: of the credential id for a passkey (an assertion names it), of the public key for a
    /// request key (a signature's `keyid` names it).
    #[must_use]
    pub fn id(&self) -> FactorId {
        match self {
            Self::RequestKey { key } => factor_id(&encode(key)),
            Self::Passkey { credential, .. } => factor_id(credential),
        }
    }
}

/// The id of the factor that is identified by these bytes.
#[must_use]
pub fn factor_id(identity: &[u8]) -> FactorId {
    let Digest(bytes) = Digest::of(Domain::Factor, identity);
    let mut id = [0; 16];
    id.copy_from_slice(&bytes[..16]);
    FactorId(id)
}

/// An enrolled factor.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Factor {
    /// Its id.
    #[n(0)]
    pub id: FactorId,
    /// Its kind.
    #[n(1)]
    pub kind: FactorKind,
    /// Its public key, uncompressed.
    #[cbor(n(2), decode_with = "crate::signature::decode_enrolled")]
    pub key: PublicKey,
    /// The highest signature counter seen; zero where the authenticator keeps none.
    #[n(3)]
    pub counter: u32,
    /// The realm's epoch and the factor kind's epoch at enrolment; it counts only while both stand.
    #[n(4)]
    pub epochs: Epochs,
    /// When it begins to count.
    #[n(5)]
    pub available: Available,
    /// The entry that enrolled it; 0 for those of genesis. What the same key proved before it was taken
    /// back and enrolled again counts no more.
    #[n(6)]
    pub enrolled: u64,
}

/// The two counters that a factor was enrolled under.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Epochs {
    /// The realm's.
    #[n(0)]
    pub realm: u32,
    /// The factor kind's within the realm.
    #[n(1)]
    pub kind: u32,
}

/// When something new begins to count. The delay runs from the witness quorum's newest cosignature
/// on the first checkpoint that contains the entry, so that no gate can backdate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Available {
    /// No journaled checkpoint contains the entry yet.
    #[n(0)]
    Awaiting {
        /// The delay that will run.
        #[n(0)]
        delay: Span,
        /// The entry whose first checkpoint starts it.
        #[n(1)]
        entry: u64,
    },
    /// From then on.
    #[n(1)]
    At {
        /// The moment.
        #[n(0)]
        time: Time,
    },
}

impl Available {
    /// Counts from the start: named in genesis.
    pub const ALWAYS: Self = Self::At { time: Time(0) };

    /// Whether it counts at `now`.
    #[must_use]
    pub fn is_at(self, now: Time) -> bool {
        matches!(self, Self::At { time } if time <= now)
    }

    /// Whether it waits for the first checkpoint that contains this entry.
    #[must_use]
    pub fn awaits(self, of: u64) -> bool {
        matches!(self, Self::Awaiting { entry, .. } if entry == of)
    }

    /// The moment, where it is known.
    #[must_use]
    pub fn time(self) -> Option<Time> {
        match self {
            Self::Awaiting { .. } => None,
            Self::At { time } => Some(time),
        }
    }
}
