//! Accounts with several principals: how many of them loosen together, and who stands beside the one who asked.

use super::account::Proof;
use crate::id::PrincipalId;
use core::num::NonZeroU8;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use std::collections::BTreeMap;

/// Most principals of one account.
pub const MAX_PRINCIPALS: u8 = 16;

/// How many principals of an account loosen together. One, unless the account says otherwise; that leaves no
/// trace in an encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quorum(NonZeroU8);

impl Quorum {
    /// One principal by itself.
    pub const ONE: Self = Self(NonZeroU8::MIN);

    /// So many together; none where that is nobody, or more than an account can have.
    #[must_use]
    pub fn new(count: u32) -> Option<Self> {
        let count = u8::try_from(count).ok()?;
        let count = NonZeroU8::new(count).filter(|count| count.get() <= MAX_PRINCIPALS)?;
        Some(Self(count))
    }

    /// How many.
    #[must_use]
    pub fn count(self) -> u32 {
        u32::from(self.0.get())
    }

    /// How many besides the one who asks.
    #[must_use]
    pub fn beside(self) -> u32 {
        self.count() - 1
    }
}

impl<C> Encode<C> for Quorum {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.u8(self.0.get())?.ok()
    }

    fn is_nil(&self) -> bool {
        *self == Self::ONE
    }
}

impl<'b, C> Decode<'b, C> for Quorum {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let count = d.u8()?;
        Self::new(count.into()).ok_or_else(|| decode::Error::message("no quorum"))
    }

    fn nil() -> Option<Self> {
        Some(Self::ONE)
    }
}

/// Principals of an account who stand behind an act, each by a factor of its own: members, never signatures.
/// Nobody leaves no trace in an encoding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Together(pub(crate) BTreeMap<PrincipalId, Proof>);

impl Together {
    /// Their proofs.
    pub fn proofs(&self) -> impl Iterator<Item = &Proof> {
        self.0.values()
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// One more; of two proofs by the same principal the stronger stays.
    pub(crate) fn add(&mut self, proof: Proof) {
        let kept = self.0.entry(proof.owner.principal()).or_insert(proof);
        if kept.kind < proof.kind {
            *kept = proof;
        }
    }

    /// These, and whoever this proof is of.
    pub(crate) fn with(mut self, proof: Proof) -> Self {
        self.add(proof);
        self
    }

    /// These, without one.
    pub(crate) fn without(&self, principal: PrincipalId) -> Self {
        let mut others = self.clone();
        others.0.remove(&principal);
        others
    }

    /// One of them proves it anew.
    pub(crate) fn renew(&mut self, proof: Proof) {
        if let Some(old) = self.0.get_mut(&proof.owner.principal()) {
            *old = proof;
        }
    }

    /// As many of them as a quorum takes.
    pub(crate) fn first(self, count: u32) -> Self {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        Self(self.0.into_iter().take(count).collect())
    }
}

impl FromIterator<Proof> for Together {
    fn from_iter<I: IntoIterator<Item = Proof>>(proofs: I) -> Self {
        let mut beside = Self::default();
        proofs.into_iter().for_each(|proof| beside.add(proof));
        beside
    }
}

impl<C> Encode<C> for Together {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.0.encode(e, context)
    }

    fn is_nil(&self) -> bool {
        self.is_empty()
    }
}

impl<'b, C> Decode<'b, C> for Together {
    fn decode(d: &mut Decoder<'b>, context: &mut C) -> Result<Self, decode::Error> {
        BTreeMap::decode(d, context).map(Self)
    }

    fn nil() -> Option<Self> {
        Some(Self::default())
    }
}
