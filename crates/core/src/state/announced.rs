//! Factors that held acts of staff name for keepers and members to come. They stand in the journal for the
//! whole delay, and enrolling a key takes no possession of it: whoever enrolled one meanwhile would end the act.

use crate::act::{Act, ActKind, Keys};
use crate::factor::NewFactor;
use crate::id::{FactorId, PrincipalId};
use crate::signature::PublicKey;
use crate::state::Facts;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use portcullis_tlog::LogKey;
use std::collections::BTreeMap;

/// How many held acts name a factor. Empty, it leaves no trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announced(BTreeMap<FactorId, u32>);

impl Announced {
    /// Whether a held act names this factor.
    #[must_use]
    pub fn has(&self, factor: FactorId) -> bool {
        self.0.contains_key(&factor)
    }

    pub(crate) fn hold(&mut self, act: &Act) {
        for factor in named(act) {
            let count = self.0.entry(factor).or_default();
            *count = count.saturating_add(1);
        }
    }

    pub(crate) fn unhold(&mut self, act: &Act) {
        for factor in named(act) {
            let left = self.0.get(&factor).copied().unwrap_or(0);
            if left > 1 {
                self.0.insert(factor, left.saturating_sub(1));
            } else {
                self.0.remove(&factor);
            }
        }
    }
}

/// Whether a held act names this principal as a member of staff to come.
pub(crate) fn is_announced(facts: &Facts, principal: PrincipalId) -> bool {
    facts.held.values().any(|held| match &held.act.kind {
        ActKind::GrantRole(grant) => grant.principal == principal,
        ActKind::RecoverAdministrators(recover) => {
            let mut new = recover.administrators.iter();
            new.any(|new| new.principal == principal)
        }
        _ => false,
    })
}

fn named(act: &Act) -> Vec<FactorId> {
    match &act.kind {
        ActKind::GrantRole(grant) => grant.factor.iter().map(NewFactor::id).collect(),
        ActKind::RecoverAdministrators(recover) => {
            let new = recover.administrators.iter();
            new.flat_map(|new| &new.factors)
                .map(NewFactor::id)
                .collect()
        }
        ActKind::Rotate(rotate) => match &rotate.keys {
            Keys::Keeper { key, .. } => vec![NewFactor::RequestKey { key: key.clone() }.id()],
            Keys::Log { vkey } => log_key(vkey).into_iter().collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// The journal's next key as the factor that it would be, were somebody to enrol it.
fn log_key(vkey: &str) -> Option<FactorId> {
    let key: LogKey = vkey.parse().ok()?;
    let key = PublicKey::ed25519(*key.public()).ok()?;
    Some(NewFactor::RequestKey { key }.id())
}

impl<C> Encode<C> for Announced {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.0.encode(e, ctx)
    }

    fn is_nil(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'b, C> Decode<'b, C> for Announced {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        Ok(Self(BTreeMap::decode(d, ctx)?))
    }

    fn nil() -> Option<Self> {
        Some(Self::default())
    }
}
