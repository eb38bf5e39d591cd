//! The gate's own index: which entries speak of an act, a factor, an address. A projection; it is
//! rebuilt from the journal at every start.

use portcullis_chains::Address;
use portcullis_core::act::ActKind;
use portcullis_core::effect::Effect;
use portcullis_core::id::{AccountId, FactorId, PrincipalId};
use portcullis_core::realm::Role;
use portcullis_core::statement::Says;
use portcullis_core::{Applied, Body, Digest, Entry};
use std::collections::{BTreeSet, HashMap};

/// Where to look in the journal.
#[derive(Debug, Default)]
pub struct Index {
    acts: HashMap<Digest, Vec<u64>>,
    factors: BTreeSet<(FactorId, u64)>,
    addresses: BTreeSet<(AccountId, Address, u64)>,
    back_ends: BTreeSet<(PrincipalId, u64)>,
}

impl Index {
    /// Take an applied entry in.
    pub fn add(&mut self, entry: &Entry, applied: &Applied) {
        for act in acts_of(entry) {
            self.acts.entry(act).or_default().push(applied.index);
        }
        for change in &applied.changes {
            match change {
                Effect::Enrol { factor, .. } => {
                    self.factors.insert((factor.id(), applied.index));
                }
                Effect::AddAddress(account, address, _) => {
                    self.addresses.insert((*account, *address, applied.index));
                }
                Effect::Grant(principal, Role::BackEnd) => {
                    self.back_ends.insert((*principal, applied.index));
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

    /// The entry that enrolled a factor last before an entry; none for those of genesis.
    #[must_use]
    pub fn factor(&self, id: FactorId, before: u64) -> Option<u64> {
        let mut enrolled = self.factors.range((id, 0)..(id, before));
        enrolled.next_back().map(|(_, index)| *index)
    }

    /// The entry that made a member of staff a back end last before an entry; none for those of genesis.
    #[must_use]
    pub fn back_end(&self, principal: PrincipalId, before: u64) -> Option<u64> {
        let mut granted = self.back_ends.range((principal, 0)..(principal, before));
        granted.next_back().map(|(_, index)| *index)
    }

    /// The entry that put an address into an account's book last before an entry.
    #[must_use]
    pub fn address(&self, account: AccountId, address: Address, before: u64) -> Option<u64> {
        let (first, end) = ((account, address, 0), (account, address, before));
        let mut added = self.addresses.range(first..end);
        added.next_back().map(|(_, _, index)| *index)
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
