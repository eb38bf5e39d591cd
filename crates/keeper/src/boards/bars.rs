//! What binding postings bar: the changes that their entries would make.

use super::Bound;
use portcullis_core::Digest;
use portcullis_core::act::{Act, ActKind, Scope};
use portcullis_core::board::Posting;
use portcullis_core::effect::Effect;
use portcullis_core::id::AccountId;
use portcullis_core::realm::Realm;
use portcullis_core::state::Reach;
use portcullis_core::state::release::Release;
use std::collections::BTreeSet;

/// What the binding postings take away, on the state that they were last judged on.
pub struct Bars {
    withheld: BTreeSet<Digest>,
    scopes: Vec<Scope>,
    /// Accounts of which a posting speaks that has yet to be looked at.
    unread: BTreeSet<AccountId>,
    /// Releases of entries from here on were decided while a restriction on staff was left out.
    undecided_from: u64,
}

impl Bars {
    pub(super) fn new<'a>(
        bound: impl Iterator<Item = &'a Bound>,
        unread: impl Iterator<Item = &'a Posting>,
    ) -> Self {
        let mut bars = Self {
            withheld: BTreeSet::new(),
            scopes: Vec::new(),
            unread: BTreeSet::new(),
            undecided_from: u64::MAX,
        };
        for bound in bound {
            bars.add(bound);
        }
        for posting in unread {
            bars.unread.extend(posting.act.account);
            if let ActKind::Cancel(cancel) = &posting.act.kind {
                bars.withheld.insert(cancel.act);
            }
        }
        bars
    }

    fn add(&mut self, bound: &Bound) {
        match &bound.judged.1 {
            Some(changes) => {
                for change in changes {
                    match change {
                        Effect::Withhold(release, _) => {
                            self.withheld.insert(*release);
                        }
                        Effect::Suspend(_, scope) => self.scopes.push(*scope),
                        _ => {}
                    }
                }
            }
            // It cannot be journaled any more: that shuts everything, which is right for a stop that
            // the gate has kept out for so long.
            None => self.scopes.push(Scope::Everything),
        }
        if restricts_staff(&bound.posting.act) {
            self.undecided_from = self.undecided_from.min(bound.since);
        }
    }

    /// Whether the release may not be signed, and what is signed for it may not leave.
    #[must_use]
    pub fn bar(&self, act: &Digest, release: &Release) -> bool {
        let pays = release.voided_by.is_none();
        self.withheld.contains(act)
            || self.unread.contains(&release.account)
            || release.entry >= self.undecided_from
            || (pays && self.takes_in(release))
    }

    /// Whether a binding suspension takes it in.
    fn takes_in(&self, release: &Release) -> bool {
        reach(release).is_some_and(|reach| self.scopes.iter().any(|scope| reach.is_in(*scope)))
    }
}

fn reach(release: &Release) -> Option<Reach> {
    match &release.act.kind {
        ActKind::Withdraw(withdraw) => Some(Reach::of_withdrawal(release.account, withdraw)),
        _ => None,
    }
}

/// A role, a factor or an epoch of staff: it changes what is decided from then on, not what has been
/// released.
fn restricts_staff(act: &Act) -> bool {
    match &act.kind {
        ActKind::RevokeRole(_) => true,
        ActKind::RevokeFactor(_) => act.account.is_none(),
        ActKind::RaiseEpoch(raise) => raise.realm == Realm::Staff,
        _ => false,
    }
}
