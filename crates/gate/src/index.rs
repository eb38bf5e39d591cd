//! The gate's own index: which entries speak of an act, a factor, an address. A projection: it can be
//! rebuilt from the journal, and stands beside the state in the gate's snapshots.

use portcullis_chains::Address;
use portcullis_core::act::ActKind;
use portcullis_core::effect::Effect;
use portcullis_core::id::{AccountId, FactorId};
use portcullis_core::statement::Says;
use portcullis_core::{Applied, Body, Digest, Entry};
use std::collections::HashMap;

/// Where to look in the journal.
#[derive(Debug, Default)]
pub struct Index {
    acts: HashMap<Digest, Vec<u64>>,
    factors: HashMap<FactorId, u64>,
    addresses: HashMap<(AccountId, Address), u64>,
}

impl Index {
    /// All of it, for a snapshot.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let acts: Vec<_> = self.acts.iter().collect();
        let factors: Vec<_> = self.factors.iter().collect();
        let addresses: Vec<_> = self.addresses.iter().collect();
        portcullis_core::codec::encode(&(acts, factors, addresses))
    }

    /// Read it back; nothing where the bytes are something else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        type Lists = (
            Vec<(Digest, Vec<u64>)>,
            Vec<(FactorId, u64)>,
            Vec<((AccountId, Address), u64)>,
        );
        let (acts, factors, addresses): Lists = minicbor::decode(bytes).ok()?;
        Some(Self {
            acts: acts.into_iter().collect(),
            factors: factors.into_iter().collect(),
            addresses: addresses.into_iter().collect(),
        })
    }

    /// Take an applied entry in.
    pub fn add(&mut self, entry: &Entry, applied: &Applied) {
        for act in acts_of(entry) {
            self.acts.entry(act).or_default().push(applied.index);
        }
        for change in &applied.changes {
            match change {
                Effect::Enrol { factor, .. } => {
                    self.factors.insert(factor.id(), applied.index);
                }
                Effect::AddAddress(account, address, _) => {
                    self.addresses.insert((*account, *address), applied.index);
                }
                _ => {}
            }
        }
    }

    /// The entries that speak of an act, in order.
    #[must_use]
    pub fn act(&self, digest: Digest) -> &[u64] {
        self.acts.get(&digest).map_or(&[], Vec::as_slice)
    }

    /// The entry that enrolled a factor; none for those of genesis.
    #[must_use]
    pub fn factor(&self, id: FactorId) -> Option<u64> {
        self.factors.get(&id).copied()
    }

    /// The entry that put an address into an account's book last.
    #[must_use]
    pub fn address(&self, account: AccountId, address: Address) -> Option<u64> {
        self.addresses.get(&(account, address)).copied()
    }
}

fn acts_of(entry: &Entry) -> Vec<Digest> {
    match &entry.body {
        Body::Genesis(_) | Body::Checkpoint(_) => Vec::new(),
        Body::Act(submission) => {
            let other = match &submission.act.kind {
                ActKind::Approve(approve) => Some(approve.act),
                ActKind::Cancel(cancel) => Some(cancel.act),
                ActKind::Resume(resume) => Some(resume.release),
                ActKind::Void(void) => Some(void.release),
                _ => None,
            };
            core::iter::once(submission.act.digest())
                .chain(other)
                .collect()
        }
        Body::Evidence(supplement) => vec![supplement.act],
        Body::Settle(settlement) => vec![settlement.act],
        Body::Replace(replacement) => vec![replacement.act],
        Body::Statement(signed) => match &signed.statement.says {
            Says::Signed { act, .. } | Says::Confirmed { act, .. } | Says::Reverted { act, .. } => {
                vec![*act]
            }
            Says::Caps { .. } | Says::Stopped { .. } | Says::Latched { .. } => Vec::new(),
        },
    }
}
