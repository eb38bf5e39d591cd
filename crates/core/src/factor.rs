//! Factors: what a principal proves itself with.

use crate::codec;
use crate::digest::{Digest, Domain};
use crate::id::FactorId;
use crate::signature::PublicKey;
use crate::time::{Span, Time};
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use serde::{Deserialize, Serialize};

/// The kinds of factor, from weak to strong: a factor enrols, revokes or unfreezes only at its own
/// strength or below.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum FactorKind {
    /// One-time codes on paper; each vouches once for a recovery and for nothing else.
    #[n(3)]
    RecoveryCodes,
    /// A seed that the herald keeps and makes six digits of (RFC 6238). A code is bound to nothing but its
    /// time, so it serves for little (`docs/design/044`).
    #[n(2)]
    Totp,
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
    /// A TOTP seed that is sealed to the herald.
    #[n(2)]
    Totp {
        /// The commitment to the sealed seed (`docs/spec/totp.md`).
        #[n(0)]
        seed: Digest,
    },
    /// Recovery codes.
    #[n(3)]
    RecoveryCodes {
        /// The digest of each code's public key ([`crate::code::recovery_digest`]), in order; as many as
        /// [`RECOVERY_CODES`].
        #[n(0)]
        codes: Vec<Digest>,
    },
}

/// How many recovery codes are made at once.
pub const RECOVERY_CODES: usize = 10;

impl NewFactor {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> FactorKind {
        match self {
            Self::RequestKey { .. } => FactorKind::RequestKey,
            Self::Passkey { .. } => FactorKind::Passkey,
            Self::Totp { .. } => FactorKind::Totp,
            Self::RecoveryCodes { .. } => FactorKind::RecoveryCodes,
        }
    }

    /// Its public key, where it is one.
    #[must_use]
    pub fn key(&self) -> Option<&PublicKey> {
        match self {
            Self::RequestKey { key } | Self::Passkey { key, .. } => Some(key),
            Self::Totp { .. } | Self::RecoveryCodes { .. } => None,
        }
    }

    /// What an enrolled factor is checked by.
    #[must_use]
    pub(crate) fn means(&self) -> Means {
        match self {
            Self::RequestKey { key } | Self::Passkey { key, .. } => Means::Key(key.clone()),
            Self::Totp { seed } => Means::Seed(*seed),
            Self::RecoveryCodes { .. } => Means::Codes,
        }
    }

    /// Its id: of the credential id for a passkey (an assertion names it), of the public key for a
    /// request key (a signature's `keyid` names it), of the commitment for a seed, and of all digests for
    /// recovery codes.
    #[must_use]
    pub fn id(&self) -> FactorId {
        match self {
            Self::RequestKey { key } => factor_id(&codec::encode(key)),
            Self::Passkey { credential, .. } => factor_id(credential),
            Self::Totp { seed } => factor_id(&seed.0),
            Self::RecoveryCodes { codes } => factor_id(&codec::encode(codes)),
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
    /// What it is checked by.
    #[n(2)]
    pub means: Means,
    /// The highest signature counter seen; zero where the authenticator keeps none. For a seed the newest
    /// step that has served, or that was past when it was enrolled.
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
    /// Whether the platform brought it from the system that it had before.
    #[n(7)]
    pub imported: Imported,
}

impl Factor {
    /// Its public key, where it is one.
    #[must_use]
    pub fn key(&self) -> Option<&PublicKey> {
        match &self.means {
            Means::Key(key) => Some(key),
            Means::Seed(_) | Means::Codes => None,
        }
    }
}

/// What an enrolled factor is checked by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Means {
    /// A public key, uncompressed.
    Key(PublicKey),
    /// A seed that the herald has: the commitment to it.
    Seed(Digest),
    /// Codes, of which state keeps those that are left ([`crate::state::codes::Codes`]).
    Codes,
}

/// As a key where it is one; otherwise `[3, commitment]` or `[4, nothing]`.
impl<C> Encode<C> for Means {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        match self {
            Self::Key(key) => key.encode(e, context),
            Self::Seed(seed) => e.array(2)?.u8(3)?.bytes(&seed.0)?.ok(),
            Self::Codes => e.array(2)?.u8(4)?.bytes(&[])?.ok(),
        }
    }
}

impl<'b, C> Decode<'b, C> for Means {
    fn decode(d: &mut Decoder<'b>, context: &mut C) -> Result<Self, decode::Error> {
        let mut peeked = d.probe();
        let kind = (peeked.array()?, peeked.u8()?);
        if kind != (Some(2), 3) && kind != (Some(2), 4) {
            return crate::signature::decode_enrolled(d, context).map(Self::Key);
        }
        d.array()?;
        let kind = d.u8()?;
        let bytes = d.bytes()?;
        match (kind, <[u8; 32]>::try_from(bytes)) {
            (3, Ok(seed)) => Ok(Self::Seed(Digest(seed))),
            (4, Err(_)) if bytes.is_empty() => Ok(Self::Codes),
            _ => Err(decode::Error::message("not what a factor is checked by")),
        }
    }
}

/// Whether a factor was imported. What was not leaves no trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported(pub bool);

impl<C> Encode<C> for Imported {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.bool(self.0)?.ok()
    }

    fn is_nil(&self) -> bool {
        !self.0
    }
}

impl<'b, C> Decode<'b, C> for Imported {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        d.bool().map(Self)
    }

    fn nil() -> Option<Self> {
        Some(Self(false))
    }
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
