//! Snapshots: state as bytes. A process loads only its own, and only against a checkpoint that it
//! has itself seen cosigned; the journal stays the truth.

use super::account::Account;
use super::{Cosigners, Facts, State};
use crate::codec::encode;
use crate::digest::{Digest, Domain};
use crate::genesis::RULES;
use crate::id::AccountId;
use crate::labels::Shelf;
use crate::network::Network;
use crate::policy::Engine;
use minicbor::{Decoder, decode};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a snapshot is not used. The journal is read from the start instead; nothing is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotFault {
    /// Not of this network.
    #[error("the snapshot belongs to another network")]
    OtherNetwork,
    /// By rules that this binary does not have; it must decide nothing on them.
    #[error("the snapshot was made under rules version {0}, which this binary does not know")]
    UnknownRules(u32),
    /// Its bytes are not a snapshot.
    #[error("the snapshot cannot be read")]
    Malformed,
}

impl State {
    /// Canonical bytes: `CBOR([genesis digest, facts])`.
    #[must_use]
    pub fn to_snapshot(&self) -> Vec<u8> {
        encode(&(self.network.digest(), &self.facts))
    }

    /// The digest of everything derived, by which replicas are compared.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::Snapshot, &self.to_snapshot())
    }

    /// The state in a snapshot's bytes. The caller has authenticated them.
    pub fn from_snapshot(bytes: &[u8], network: Arc<Network>) -> Result<Self, SnapshotFault> {
        let (genesis, facts): (Digest, Facts) =
            minicbor::decode(bytes).map_err(|_| SnapshotFault::Malformed)?;
        if genesis != network.digest() {
            return Err(SnapshotFault::OtherNetwork);
        }
        if facts.rules != RULES {
            return Err(SnapshotFault::UnknownRules(facts.rules));
        }
        let (engine, witnessed) = (Engine::of(facts.policy()), facts.newest_checkpoint());
        let cosigners = Cosigners::of(&network, &facts.keys);
        let mut shelf = Shelf::default();
        shelf.arrange(facts.labels.as_ref());
        Ok(Self {
            network,
            facts,
            engine,
            cosigners,
            witnessed,
            shelf,
        })
    }
}

/// Accounts, which stand in order: together they make a full tree, one by one a tree half empty.
pub(super) fn decode_accounts<C>(
    d: &mut Decoder<'_>,
    context: &mut C,
) -> Result<BTreeMap<AccountId, Box<Account>>, decode::Error> {
    let pairs: Result<Vec<_>, _> = d.map_iter_with(context)?.collect();
    Ok(pairs?.into_iter().collect())
}
