//! Entries: what stands in the journal.

use crate::act::Act;
use crate::act::MAX_ACT;
use crate::codec::{self, CodecError};
use crate::decision::Decision;
use crate::digest::Digest;
use crate::evidence::Evidence;
use crate::genesis::SignedGenesis;
use crate::plan::Plan;
use crate::statement::SignedStatement;
use crate::time::Time;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// Most bytes of an entry: a tlog-tiles bundle gives each entry a 16-bit length.
pub const MAX_ENTRY: usize = 60_000;

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Entry {
    /// The partition; there is one, 0.
    #[n(0)]
    pub partition: u32,
    /// The sequencer's time; it never goes back.
    #[n(1)]
    pub time: Time,
    /// What happened.
    #[n(2)]
    pub body: Body,
}

/// What an entry records.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Body {
    /// The network's first statement; entry 0 and no other.
    #[n(0)]
    Genesis(#[n(0)] Box<SignedGenesis>),
    /// A quorum-cosigned checkpoint of this journal, as a C2SP note.
    #[n(1)]
    Checkpoint(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// An act, its evidence and its decision.
    #[n(2)]
    Act(#[n(0)] Box<Submission>),
    /// More evidence for a held act.
    #[n(3)]
    Evidence(#[n(0)] Box<Supplement>),
    /// A held or withheld act is decided for good.
    #[n(4)]
    Settle(#[n(0)] Box<Settlement>),
    /// A fee bump: another plan for a release, which conflicts with all its earlier ones.
    #[n(5)]
    Replace(#[n(0)] Box<Replacement>),
    /// What a keeper says.
    #[n(6)]
    Statement(#[n(0)] Box<SignedStatement>),
}

/// An act and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Submission {
    /// The act.
    #[n(0)]
    pub act: Act,
    /// What came with it.
    #[n(1)]
    pub evidence: Evidence,
    /// What was decided.
    #[n(2)]
    pub decision: Decision,
    /// The exact thing released; only where money goes out.
    #[n(3)]
    pub plan: Option<Plan>,
}

/// More evidence for a held act.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Supplement {
    /// The held act's digest.
    #[n(0)]
    pub act: Digest,
    /// What came.
    #[n(1)]
    pub evidence: Evidence,
}

/// A held act's end of waiting.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Settlement {
    /// The act's digest.
    #[n(0)]
    pub act: Digest,
    /// Released or refused; never held.
    #[n(1)]
    pub decision: Decision,
    /// The exact thing released.
    #[n(2)]
    pub plan: Option<Plan>,
    /// Held acts that are released by the same plan, in the order in which it pays them after this one: only from
    /// wallets that spend coins.
    #[n(3)]
    pub beside: Beside,
}

/// Acts that are settled with another. None leaves no trace in an encoding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside(pub Vec<Digest>);

impl<C> Encode<C> for Beside {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.0.encode(e, context)
    }

    fn is_nil(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'b, C> Decode<'b, C> for Beside {
    fn decode(d: &mut Decoder<'b>, context: &mut C) -> Result<Self, decode::Error> {
        Vec::decode(d, context).map(Self)
    }

    fn nil() -> Option<Self> {
        Some(Self::default())
    }
}

/// Another plan for a release.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Replacement {
    /// The released act's digest; that of the leader, where it is one of a batch.
    #[n(0)]
    pub act: Digest,
    /// The plan.
    #[n(1)]
    pub plan: Plan,
}

impl Entry {
    /// An entry of partition 0.
    #[must_use]
    pub fn new(time: Time, body: Body) -> Self {
        Self {
            partition: 0,
            time,
            body,
        }
    }

    /// Canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Parse canonical bytes. An act in them has its own cap.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        let entry: Self = codec::decode(bytes, MAX_ENTRY)?;
        match &entry.body {
            // An act is shorter than the entry around it.
            Body::Act(submission) if bytes.len() > MAX_ACT && submission.act.is_too_large() => {
                Err(CodecError::TooLarge {
                    size: codec::encode(&submission.act).len(),
                    cap: MAX_ACT,
                })
            }
            _ => Ok(entry),
        }
    }
}
