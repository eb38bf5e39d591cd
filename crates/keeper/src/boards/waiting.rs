//! Postings of one board that were not accepted so far.
//!
//! Each waits for something that may come by an entry: the checkpoint that it names, the act that it
//! takes back, somebody's factor or address. What an entry brings is looked at again at once, before
//! anything is signed by that entry. Otherwise a gate that has kept back what a posting stops could
//! journal it behind the posting, and have it signed between two looks.

use portcullis_core::act::ActKind;
use portcullis_core::board::{MAX_WAITING, Posting};
use portcullis_core::effect::Effect;
use portcullis_core::id::{AccountId, PrincipalId};
use portcullis_core::state::account::Owner;
use portcullis_core::{Digest, Reason, Span, State, Time};
use std::collections::{BTreeMap, BTreeSet};

/// How often those are looked at again that nothing has touched.
const LOOK_AGAIN: Span = Span::seconds(1);
/// Most of those in one look, and most in one step of those that were touched: anybody posts what can
/// never count, with all the signatures that a posting holds, and no keeper may be kept busy by it.
const LOOKS: usize = 32;

/// What a posting waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    /// This cosigned head.
    Checkpoint(Digest),
    /// This act.
    Act(Digest),
    /// What this account has.
    Account(AccountId),
    /// What this principal has.
    Principal(PrincipalId),
}

impl Name {
    /// What a change brings that postings wait for.
    pub(super) fn brought_by(change: &Effect) -> Vec<Self> {
        match change {
            Effect::Cosigned { body, .. } => vec![Self::Checkpoint(*body)],
            Effect::Hold { digest, .. } | Effect::Plan { digest, .. } => vec![Self::Act(*digest)],
            Effect::Open {
                account, principal, ..
            } => vec![Self::Account(*account), Self::Principal(*principal)],
            Effect::Enrol {
                owner: Owner::Holder { account, .. },
                ..
            }
            | Effect::AddAddress(account, ..) => vec![Self::Account(*account)],
            Effect::Enrol {
                owner: Owner::Member { principal },
                ..
            }
            | Effect::Grant(principal, _) => vec![Self::Principal(*principal)],
            _ => Vec::new(),
        }
    }

    /// What a posting that is refused so waits for. One that would be held (no reason) waits as one
    /// whose principal may not yet.
    fn awaited(posting: &Posting, why: Option<Reason>) -> Vec<Self> {
        let act = &posting.act;
        match (why, &act.kind) {
            (Some(Reason::UnknownCheckpoint), _) => vec![Self::Checkpoint(act.checkpoint)],
            (Some(Reason::ActUnknown | Reason::ActGone), ActKind::Cancel(cancel)) => {
                vec![Self::Act(cancel.act)]
            }
            (Some(Reason::ActUnknown | Reason::ActGone), ActKind::Veto(veto)) => {
                vec![Self::Act(veto.act)]
            }
            (_, kind) => {
                let about = match kind {
                    ActKind::RevokeFactor(revoke) => Some(revoke.principal),
                    ActKind::RevokeRole(revoke) => Some(revoke.principal),
                    _ => None,
                };
                let principals = about.into_iter().chain([act.principal]);
                let accounts = act.account.into_iter().map(Self::Account);
                accounts.chain(principals.map(Self::Principal)).collect()
            }
        }
    }
}

struct Waits {
    posting: Posting,
    names: Vec<Name>,
}

impl Waits {
    /// What names a checkpoint that nobody knows is refused before any signature, so it is not looked
    /// at in turn; and all of it once the checkpoint has come, as when it was first seen.
    fn is_for_a_checkpoint(&self) -> bool {
        matches!(self.names[..], [Name::Checkpoint(_)])
    }
}

/// What waits, by number: the oldest first.
#[derive(Default)]
pub(super) struct Waiting {
    all: BTreeMap<u64, Waits>,
    names: BTreeSet<(Name, u64)>,
    /// What they wait for may have come.
    touched: BTreeSet<u64>,
    next: u64,
    look_again: Time,
    seen: u64,
}

impl Waiting {
    /// Let a posting wait, and why; the oldest makes room.
    pub(super) fn push(&mut self, posting: Posting, why: Option<Reason>) {
        if self.all.len() >= MAX_WAITING
            && let Some(oldest) = self.all.keys().next().copied()
        {
            self.take_out(oldest);
        }
        let (number, names) = (self.next, Name::awaited(&posting, why));
        self.next = number.saturating_add(1);
        self.names.extend(names.iter().map(|name| (*name, number)));
        self.all.insert(number, Waits { posting, names });
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&Posting) -> bool) {
        let over = self.all.iter().filter(|(_, waits)| !keep(&waits.posting));
        let over: Vec<u64> = over.map(|(number, _)| *number).collect();
        for number in over {
            self.take_out(number);
        }
    }

    /// Something has come that postings may wait for.
    pub(super) fn touch(&mut self, name: Name) {
        let waiting = self.names.range((name, 0)..=(name, u64::MAX));
        self.touched.extend(waiting.map(|(_, number)| *number));
    }

    /// Take out what is to be looked at now: what was touched; and of the others a few, in turn, where
    /// the journal has grown.
    pub(super) fn due(&mut self, state: &State, now: Time) -> Vec<Posting> {
        let mut left = LOOKS;
        let mut due: Vec<u64> = self.touched.iter().copied().collect();
        due.retain(|number| self.is_free(*number) || spend(&mut left));
        if now >= self.look_again {
            self.look_again = now.after(LOOK_AGAIN);
            let grew = state.size() != std::mem::replace(&mut self.seen, state.size());
            let mut left = if grew { LOOKS } else { 0 };
            let others = self.all.keys().filter(|n| !self.touched.contains(n));
            let others = others.filter(|number| !self.is_free(**number));
            due.extend(others.filter(|_| spend(&mut left)));
        }
        due.iter().filter_map(|n| self.take_out(*n)).collect()
    }

    /// What was touched and not looked at yet, since there was so much of it.
    pub(super) fn unread(&self) -> impl Iterator<Item = &Posting> {
        let waiting = self
            .touched
            .iter()
            .filter_map(|number| self.all.get(number));
        waiting.map(|waits| &waits.posting)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    fn is_free(&self, number: u64) -> bool {
        self.all
            .get(&number)
            .is_some_and(Waits::is_for_a_checkpoint)
    }

    fn take_out(&mut self, number: u64) -> Option<Posting> {
        let Waits { posting, names } = self.all.remove(&number)?;
        self.touched.remove(&number);
        for name in names {
            self.names.remove(&(name, number));
        }
        Some(posting)
    }
}

fn spend(left: &mut usize) -> bool {
    let some_left = *left > 0;
    *left = left.saturating_sub(1);
    some_left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{Customer, HandClock, Ledger, World};
    use portcullis_core::act::{Cancel, Veto};
    use portcullis_core::{Digest, Evidence};
    use std::sync::Arc;

    /// Seen before what they speak of, they are looked at again as soon as that has come.
    #[test]
    fn a_cancel_and_a_veto_wait_for_their_act() {
        let clock = HandClock::at(World::START);
        let mut ledger = Ledger::new(Arc::new(World::new()), clock);
        let customer = Customer::number(1);
        let act = Digest([7; 32]);
        for kind in [ActKind::Cancel(Cancel { act }), ActKind::Veto(Veto { act })] {
            let posting = Posting {
                act: ledger.customers_act(&customer, kind),
                evidence: Evidence::default(),
            };
            let names = Name::awaited(&posting, Some(Reason::ActUnknown));
            assert_eq!(names, [Name::Act(act)]);
        }
    }
}
