//! The keys in force: those of genesis, until a rotation puts others in their place.

use super::State;
use crate::act::{Keys, Roots};
use crate::genesis::{Issuer, IssuerKind, Keeper};
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
}

impl Rotated {
    /// Keys take the place of those before.
    pub(crate) fn put(&mut self, keys: &Keys) {
        match keys {
            Keys::Issuers { issuers } => self.issuers = Some(issuers.clone()),
            Keys::Roots { roots } => self.roots = Some(roots.clone()),
            Keys::Keeper { keeper, key } => {
                self.keepers.insert(*keeper, key.clone());
            }
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
        })
    }
}
