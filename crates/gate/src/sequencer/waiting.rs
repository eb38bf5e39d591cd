//! When held acts are to be decided again: at the time that they wait for, or when something happened
//! that they may wait for. Whatever their number, a tick decides a batch of them at most.

use portcullis_core::decide::waits_until;
use portcullis_core::decision::Need;
use portcullis_core::effect::Effect;
use portcullis_core::id::AccountId;
use portcullis_core::state::account::Owner;
use portcullis_core::{Digest, Span, State, Time};
use std::collections::{BTreeSet, HashMap};

/// How often an act is looked at that waits for room in a window, or for a clock to start.
const LOOK: Span = Span::seconds(1);

/// Held acts in the order in which they come due.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    due: BTreeSet<(Time, Digest)>,
    at: HashMap<Digest, (Time, Option<AccountId>)>,
    by_account: BTreeSet<(AccountId, Digest)>,
}

impl Waiting {
    /// After a start everything is due.
    pub(super) fn new(state: &State) -> Self {
        let mut waiting = Self::default();
        for (digest, held) in &state.facts().held {
            waiting.put(*digest, Time(0), held.act.account);
        }
        waiting
    }

    /// Something happened at `now`.
    pub(super) fn note(&mut self, change: &Effect, now: Time) {
        match change {
            Effect::Hold { digest, act, .. } => self.put(*digest, now, act.account),
            Effect::Unhold(digest) => self.remove(digest),
            Effect::Prove(digest, _)
            | Effect::Pay(digest, _)
            | Effect::Approve(digest, ..)
            | Effect::Said(digest, _)
            | Effect::CodeRight(digest, _)
            | Effect::CodeWrong(digest) => self.wake(*digest, now),
            // A freeze ends what waits to recover the account.
            Effect::Freeze(account, _)
            | Effect::Unfreeze(account)
            | Effect::RemoveAddress(account, _)
            | Effect::SetAccountQuorum(account, _)
            | Effect::RemovePrincipal(Owner::Holder { account, .. }) => {
                self.wake_account(*account, now);
            }
            Effect::Unenrol(Owner::Member { .. }, _)
            | Effect::RaiseEpoch(..)
            | Effect::Grant(..)
            | Effect::Ungrant(..)
            | Effect::Lift(_)
            | Effect::SetLimits(_)
            | Effect::SetPolicy(_)
            | Effect::SetLabels(..)
            | Effect::SetQuorum(_)
            | Effect::Rotate(_) => self.wake_all(now),
            _ => {}
        }
    }

    /// Take out what has come due, the longest due first. Whatever goes on waiting is put back.
    pub(super) fn take(&mut self, now: Time, most: usize) -> Vec<Digest> {
        let due = self.due.iter().take_while(|(time, _)| *time <= now);
        let due: Vec<_> = due.take(most).copied().collect();
        for entry in &due {
            self.due.remove(entry);
        }
        due.into_iter().map(|(_, digest)| digest).collect()
    }

    /// It goes on waiting: for these needs, not before then. One that is gone is forgotten.
    pub(super) fn wait(
        &mut self,
        state: &State,
        digest: Digest,
        (needs, until): (&[Need], Option<Time>),
        now: Time,
    ) {
        let Some(held) = state.facts().held.get(&digest) else {
            return self.remove(&digest);
        };
        let unclocked = until.is_none() && needs.contains(&Need::Delay);
        // A batch that waits for nobody else still waits for coins.
        let often = needs.contains(&Need::Room) || needs.contains(&Need::Batch);
        let next = if unclocked || often {
            now.after(LOOK)
        } else {
            // A time that has come while others are missing is waited for no more.
            until.filter(|time| *time > now).unwrap_or(Time(u64::MAX))
        };
        let most = if needs.contains(&Need::Totp) {
            // Longer than it can be submitted, the herald is not waited for.
            held.act.expires
        } else {
            waits_until(held)
        };
        self.put(digest, next.min(most), held.act.account);
    }

    /// Look at it again soon: its settlement may not come about.
    pub(super) fn again(&mut self, digest: Digest, now: Time) {
        self.wake(digest, now.after(LOOK));
    }

    fn put(&mut self, digest: Digest, time: Time, account: Option<AccountId>) {
        if let Some((old, _)) = self.at.insert(digest, (time, account)) {
            self.due.remove(&(old, digest));
        }
        self.due.insert((time, digest));
        self.by_account
            .extend(account.map(|account| (account, digest)));
    }

    fn remove(&mut self, digest: &Digest) {
        let Some((time, account)) = self.at.remove(digest) else {
            return;
        };
        self.due.remove(&(time, *digest));
        if let Some(account) = account {
            self.by_account.remove(&(account, *digest));
        }
    }

    /// Due at `time`, or as before where that is earlier still.
    fn wake(&mut self, digest: Digest, time: Time) {
        if let Some((old, account)) = self.at.get(&digest).copied() {
            let is_queued = self.due.contains(&(old, digest));
            let time = if is_queued { time.min(old) } else { time };
            self.put(digest, time, account);
        }
    }

    fn wake_account(&mut self, account: AccountId, now: Time) {
        let range = (account, Digest([0; 32]))..=(account, Digest([0xff; 32]));
        let acts: Vec<_> = self.by_account.range(range).map(|(_, act)| *act).collect();
        for act in acts {
            self.wake(act, now);
        }
    }

    fn wake_all(&mut self, now: Time) {
        let acts: Vec<_> = self.at.keys().copied().collect();
        for act in acts {
            self.wake(act, now);
        }
    }
}
