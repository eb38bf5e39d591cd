//! The keys in force: those of genesis, until a rotation puts others in their place.

use super::State;
use crate::act::{Keys, Roots};
use crate::genesis::{Issuer, IssuerKind, Keeper, Witnesses};
use crate::id::{IssuerId, KeeperId};
use crate::signature::PublicKey;
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;

/// Keys that were rotated. What is absent is genesis'.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rotated {
    /// The issuers.
    #[n(0)]
    pub issuers: Option<Vec<Issuer>>,
    /// The roots.
    #[n(1)]
    pub roots: Option<Roots>,
    /// Keepers' statement keys.
    #[n(2)]
    pub keepers: BTreeMap<KeeperId, PublicKey>,
    /// Each time that others took over speaking for the journal, in order.
    #[n(3)]
    pub handovers: Option<Vec<Handover>>,
}

/// Witnesses, or a key of the journal, that took the place of others (docs/design/042, 049).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Handover {
    /// The rotation's entry. The journal up to it, and no longer one, is the last that those of before sign.
    #[n(0)]
    pub entry: u64,
    /// Who takes over for longer ones.
    #[n(1)]
    pub to: Successor,
    /// The entry that brought the last checkpoint of those of before, once it stands in the journal.
    #[n(2)]
    pub sealed: Option<u64>,
}

/// Who takes over from others in speaking for the journal.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Successor {
    /// Witnesses.
    #[n(0)]
    Witnesses(#[n(0)] Witnesses),
    /// The journal's key, as a vkey.
    #[n(1)]
    Log(#[n(0)] String),
}

impl Successor {
    /// Those of a rotation, where it hands the journal over.
    #[must_use]
    pub fn of(keys: &Keys) -> Option<Self> {
        match keys {
            Keys::Witnesses { witnesses } => Some(Self::Witnesses(witnesses.clone())),
            Keys::Log { vkey } => Some(Self::Log(vkey.clone())),
            Keys::Issuers { .. } | Keys::Roots { .. } | Keys::Keeper { .. } => None,
        }
    }

    /// The witnesses who take over.
    pub(crate) fn witnesses(&self) -> Option<&Witnesses> {
        match self {
            Self::Witnesses(witnesses) => Some(witnesses),
            Self::Log(_) => None,
        }
    }

    /// The journal's key that takes over.
    pub(crate) fn log(&self) -> Option<&str> {
        match self {
            Self::Log(vkey) => Some(vkey),
            Self::Witnesses(_) => None,
        }
    }
}

impl Handover {
    /// The size of the last checkpoint that those of before sign.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.entry.saturating_add(1)
    }
}

impl Rotated {
    /// Keys take the place of those before, by this entry.
    pub(crate) fn put(&mut self, keys: &Keys, entry: u64) {
        match keys {
            Keys::Issuers { issuers } => self.issuers = Some(issuers.clone()),
            Keys::Roots { roots } => self.roots = Some(roots.clone()),
            Keys::Keeper { keeper, key } => {
                self.keepers.insert(*keeper, key.clone());
            }
            Keys::Witnesses { .. } | Keys::Log { .. } => {
                let sealed = None;
                let handover = Successor::of(keys).map(|to| Handover { entry, to, sealed });
                self.handovers.get_or_insert_default().extend(handover);
            }
        }
    }

    /// A checkpoint of this size is journaled by an entry.
    pub(crate) fn seal(&mut self, size: u64, entry: u64) {
        let mut open = self.handovers.iter_mut().flatten();
        if let Some(handover) = open.find(|one| one.sealed.is_none() && one.last() == size) {
            handover.sealed = Some(entry);
        }
    }
}

impl State {
    /// The issuers in force.
    #[must_use]
    pub fn issuers(&self) -> &[Issuer] {
        let rotated = self.facts.keys.issuers.as_ref();
        rotated.unwrap_or(&self.network.genesis().issuers)
    }

    /// An issuer in force whose word counts for `kind`.
    #[must_use]
    pub fn issuer(&self, id: IssuerId, kind: IssuerKind) -> Option<&Issuer> {
        let mut issuers = self.issuers().iter();
        issuers.find(|issuer| issuer.id == id && issuer.kind == kind)
    }

    /// A keeper with the statement key that is in force.
    #[must_use]
    pub fn keeper(&self, id: KeeperId) -> Option<Keeper> {
        let mut keeper = self.network.keeper(id)?.clone();
        if let Some(key) = self.facts.keys.keepers.get(&id) {
            keeper.key = key.clone();
        }
        Some(keeper)
    }

    /// What is in force in the place of these keys; none where there is no such place.
    #[must_use]
    pub fn keys_in_place_of(&self, keys: &Keys) -> Option<Keys> {
        Some(match keys {
            Keys::Issuers { .. } => Keys::Issuers {
                issuers: self.issuers().to_vec(),
            },
            Keys::Roots { .. } => Keys::Roots {
                roots: self.roots(),
            },
            Keys::Keeper { keeper, .. } => Keys::Keeper {
                keeper: *keeper,
                key: self.keeper(*keeper)?.key,
            },
            Keys::Witnesses { .. } => Keys::Witnesses {
                witnesses: self.witnesses().clone(),
            },
            Keys::Log { .. } => Keys::Log {
                vkey: self.log_vkey().to_owned(),
            },
        })
    }
}
