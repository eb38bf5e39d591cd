//! Committing what recoveries and rotations change.

use super::{At, Effect};
use crate::act::ActKind;
use crate::digest::Digest;
use crate::factor::Available;
use crate::id::AccountId;
use crate::state::account::Owner;
use crate::state::recovery::{Pending, Recovered};
use crate::state::release::Held;
use crate::state::{Awaiting, Facts};
use crate::time::{Span, Time};

impl Facts {
    pub(super) fn commit_recovery(&mut self, effect: &Effect, at: At) {
        match effect {
            Effect::BeginRecovery {
                digest,
                owner,
                voucher,
                agent,
            } => {
                let pending = Pending {
                    act: *digest,
                    voucher: *voucher,
                };
                self.recovering.insert(*owner, pending);
                self.begun.count(*agent, at.time);
            }
            Effect::Recovered { account, lowered } => self.restart(*account, *lowered, at),
            Effect::Veto(digest, who, proof) => {
                let vetoes = self.vetoes.entry(*digest).or_default();
                vetoes.insert(*who, *proof);
            }
            Effect::SetQuorum(quorum) => self.administrators_quorum = Some(*quorum),
            Effect::Rotate(keys) => self.keys.put(keys, at.index),
            _ => {}
        }
    }

    /// The delay of every address of the book begins again, and the account is recovered from the same
    /// cosignature on. An address whose delay has not begun has it before it all the same.
    fn restart(&mut self, id: AccountId, lowered: Span, at: At) {
        let Some(account) = self.accounts.get_mut(&id) else {
            return;
        };
        let delay = account.delay;
        for address in &mut account.book {
            if address.available.time().is_some() {
                address.available = Available::Awaiting {
                    delay,
                    entry: at.index,
                };
            }
        }
        let since = Available::Awaiting {
            delay: Span::default(),
            entry: at.index,
        };
        self.recovered.insert(id, Recovered { since, lowered });
        self.awaiting.push_back(at.awaits(Awaiting::Recovered(id)));
    }

    /// The first checkpoint that contains a recovery's end starts the clocks of the whole account.
    pub(super) fn start_recovered(&mut self, id: AccountId, start: impl Fn(&mut Available)) {
        let account = self.accounts.get_mut(&id);
        let book = account.into_iter().flat_map(|account| &mut account.book);
        book.for_each(|address| start(&mut address.available));
        let Some(recovered) = self.recovered.get_mut(&id) else {
            return;
        };
        start(&mut recovered.since);
        if let Some(until) = recovered.until() {
            self.recovered_until.insert((until, id));
        }
    }

    /// Forget recoveries that make no difference any more.
    pub(super) fn prune_recovered(&mut self, now: Time) {
        while let Some((until, id)) = self.recovered_until.first().copied() {
            if until > now {
                break;
            }
            self.recovered_until.pop_first();
            // One that was recovered again since has a later end, or none yet.
            let known = self.recovered.get(&id);
            if known.is_some_and(|recovered| recovered.until() == Some(until)) {
                self.recovered.remove(&id);
            }
        }
    }

    /// A held act waits no more: nothing is left of its being a recovery.
    pub(super) fn end_recovery(&mut self, digest: &Digest, held: &Held) {
        self.vetoes.remove(digest);
        if let (ActKind::Recover(recover), Some(account)) = (&held.act.kind, held.act.account) {
            let owner = Owner::Holder {
                account,
                principal: recover.principal,
            };
            self.recovering.remove(&owner);
        }
    }
}
