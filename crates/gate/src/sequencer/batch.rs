//! One batch: entries that were applied and wait to be appended together.

use super::{Command, Outcome, Shared, Taken, What, Witnesses};
use crate::fees::FeeTable;
use crate::published::Witnessed;
use portcullis_core::act::{ActKind, SetLabels};
use portcullis_core::board::Posting;
use portcullis_core::decide::{self, Decided, Payment, batch};
use portcullis_core::effect::Effect;
use portcullis_core::entry::{Beside, MAX_ENTRY, Replacement, Settlement, Submission, Supplement};
use portcullis_core::plan::Plan;
use portcullis_core::realm::Realm;
use portcullis_core::statement::SignedStatement;
use portcullis_core::{
    Act, Applied, Body, Decision, Digest, Entry, Evidence, ReadEntry, Reason, State, Time,
    VoidReason,
};
use std::sync::{Arc, PoisonError};
use tokio::sync::oneshot;

pub(super) type Reply = (oneshot::Sender<Outcome>, Outcome);

/// Entries applied so far, and the answers that wait for their append.
pub(super) struct Batch {
    shared: Arc<Shared>,
    fees: FeeTable,
    time: Time,
    entries: Vec<Vec<u8>>,
    checkpoint: Option<Witnessed>,
    replies: Vec<Reply>,
    changes: Vec<Effect>,
    most_held: usize,
}

/// A batch that takes no more.
pub(super) struct Finished {
    pub(super) time: Time,
    pub(super) entries: Vec<Vec<u8>>,
    /// What its entries changed, in order.
    pub(super) changes: Vec<Effect>,
    pub(super) checkpoint: Option<Witnessed>,
    pub(super) replies: Vec<Reply>,
}

impl Batch {
    /// An empty batch at a time, and never before that of an earlier entry.
    pub(super) fn new(shared: Arc<Shared>, fees: FeeTable, most_held: usize, time: Time) -> Self {
        let time = shared.state().facts().time.max(time);
        let (entries, replies) = (Vec::new(), Vec::new());
        Self {
            shared,
            fees,
            time,
            entries,
            checkpoint: None,
            replies,
            changes: Vec::new(),
            most_held,
        }
    }

    pub(super) fn finish(self) -> Finished {
        Finished {
            time: self.time,
            entries: self.entries,
            changes: self.changes,
            checkpoint: self.checkpoint,
            replies: self.replies,
        }
    }

    pub(super) fn genesis(&mut self) {
        let signed = self.shared.state().network().signed().clone();
        let _ = self.add(Body::Genesis(Box::new(signed)));
    }

    pub(super) fn checkpoint(&mut self, witnessed: &Witnessed) {
        if self.add(Body::Checkpoint(witnessed.note.to_vec())).is_ok() {
            self.checkpoint = Some(witnessed.clone());
        }
    }

    /// Take a command; its answer waits for the append unless nothing is journaled for it.
    pub(super) fn command(&mut self, command: Command, witnesses: Witnesses) {
        let fresh = witnesses == Witnesses::Fresh;
        let outcome = match command.what {
            What::Act(posting) => self.act(*posting, fresh),
            What::Evidence(act, evidence) => self.evidence(act, *evidence, fresh),
            What::Statement(_) if witnesses == Witnesses::Unheard => Err(Reason::WitnessesStale),
            What::Statement(signed) => self.statement(*signed),
        };
        self.replies.push((command.reply, outcome));
    }

    fn act(&mut self, posting: Posting, fresh: bool) -> Outcome {
        let Posting { act, evidence } = posting;
        if !fresh && !act.kind.is_restricting() {
            return Err(Reason::WitnessesStale);
        }
        let shared = Arc::clone(&self.shared);
        let decided = shared
            .guarded(|state| decide::decide(state, &act, &evidence, self.time, &shared.memo))?;
        // Refusals that nobody was authenticated for are counted, not journaled: anybody could
        // fill the journal with them.
        if let Decision::Refuse { reason } = decided.decision()
            && !decided.is_authenticated()
        {
            shared.count_refusal();
            return Err(*reason);
        }
        self.refuse_if_full(&act, decided.decision())?;
        if !matches!(decided.decision(), Decision::Refuse { .. }) {
            self.check_offered(&act)?;
        }
        let (decision, plan) = self.planned(&decided)?;
        let submission = Submission {
            act,
            evidence,
            decision: decision.clone(),
            plan,
        };
        let applied = self.add(Body::Act(Box::new(submission)))?;
        match decision {
            Decision::Refuse { reason } => Err(reason),
            decision => Ok(self.taken(&applied, Some(decision))),
        }
    }

    /// A set that an act names is here, and what the act says of it: keepers fetch it from here, and an act
    /// on record that nobody could carry out would wait for ever.
    fn check_offered(&self, act: &Act) -> Result<(), Reason> {
        let ActKind::SetLabels(SetLabels { set: Some(set), .. }) = &act.kind else {
            return Ok(());
        };
        self.shared.name_set(set.digest);
        let opened = self.shared.view.labels().open(set.digest);
        let opened = opened.map_err(|error| {
            tracing::warn!(%error, "a set that was proposed");
            Reason::LabelsNotHere
        })?;
        let is_so = opened.if_so(set.kind, &set.source, set.labels).is_some();
        is_so.then_some(()).ok_or(Reason::LabelsNotHere)
    }

    fn refuse_if_full(&self, act: &Act, decision: &Decision) -> Result<(), Reason> {
        let waits = matches!(decision, Decision::Hold { .. }) && act.realm == Realm::Customers;
        // A stop that waits for its code is one of few, and comes just when there is much of the rest.
        if waits
            && !act.kind.is_restricting()
            && self.shared.state().facts().held.len() >= self.most_held
        {
            return Err(Reason::HeldFull);
        }
        Ok(())
    }

    /// The decision with the plan that it calls for. Without going rates money waits outside.
    fn planned(&self, decided: &Decided) -> Result<(Decision, Option<Plan>), Reason> {
        let plan = match decided.payment() {
            None => None,
            Some(payment) => {
                let plan = self.fees.plan(payment);
                if plan.is_none() {
                    tracing::warn!("no plan within the wallet's fee ceiling at the going rates");
                }
                Some(plan.ok_or(Reason::NoFeePlan)?)
            }
        };
        Ok((decided.decision().clone(), plan))
    }

    fn evidence(&mut self, act: Digest, evidence: Evidence, fresh: bool) -> Outcome {
        if !fresh {
            return Err(Reason::WitnessesStale);
        }
        let applied = self.add(Body::Evidence(Box::new(Supplement { act, evidence })))?;
        self.settle(act, fresh);
        Ok(self.taken(&applied, None))
    }

    fn statement(&mut self, signed: SignedStatement) -> Outcome {
        let (accepted, news, size) = self.shared.guarded(|state| {
            (
                state.accepts(&signed, &self.shared.memo),
                state.is_news(&signed),
                state.size(),
            )
        })?;
        if !accepted {
            return Err(Reason::StatementRefused);
        }
        if !news {
            return Ok(Taken {
                entry: size,
                time: self.time,
                decision: None,
            });
        }
        let applied = self.add(Body::Statement(Box::new(signed)))?;
        Ok(self.taken(&applied, None))
    }

    /// Decide a held act again and journal the end of its waiting, if it has come.
    pub(super) fn settle(&mut self, act: Digest, fresh: bool) {
        if !fresh {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let decided = shared.guarded(|state| decide::settle(state, act, self.time));
        let Ok(decided) = decided else {
            tracing::error!(%act, "settling an act panicked; it stays held");
            return;
        };
        if matches!(decided.decision(), Decision::Hold { .. }) {
            return;
        }
        let coins = &self.fees.coins;
        let spend = decided.payment().and_then(Payment::spend);
        if spend.is_some_and(|spend| !coins.may_plan(spend)) || self.settle_together(act, &decided)
        {
            return;
        }
        let Ok((decision, plan)) = self.planned(&decided) else {
            return;
        };
        let _ = self.add(Body::Settle(Box::new(Settlement {
            act,
            decision,
            plan,
            beside: Beside::default(),
        })));
    }

    /// Settle it with others that the same coins pay, where there are any: whether that was done. Where all together
    /// cannot be paid, each goes by itself as far as it can.
    fn settle_together(&mut self, leader: Digest, alone: &Decided) -> bool {
        let pays_first = alone.payment().and_then(Payment::spend);
        if pays_first.is_none_or(|spend| spend.replaced().is_some()) {
            return false;
        }
        let shared = Arc::clone(&self.shared);
        let time = self.time;
        let together = shared.guarded(|state| {
            let beside = batch::gather(state, leader, time);
            let decided = batch::settle_together(state, leader, &beside, time);
            (beside, decided)
        });
        let Ok((beside, Ok(decided))) = together else {
            return false;
        };
        let spend = decided.payment().and_then(Payment::spend);
        if beside.is_empty() || spend.is_none_or(|spend| !self.fees.coins.may_plan(spend)) {
            return false;
        }
        let Ok((decision, plan)) = self.planned(&decided) else {
            return false;
        };
        let settlement = Settlement {
            act: leader,
            decision,
            plan,
            beside: Beside(beside),
        };
        self.add(Body::Settle(Box::new(settlement))).is_ok()
    }

    /// Journal a fee bump.
    pub(super) fn replace(&mut self, act: Digest, plan: Plan, fresh: bool) {
        if !fresh {
            return;
        }
        // Refused where the release has moved on since it was looked at.
        let _ = self.add(Body::Replace(Box::new(Replacement { act, plan })));
    }

    /// Apply an entry and keep it for the append. What would be void is refused and not written.
    fn add(&mut self, body: Body) -> Result<Applied, Reason> {
        let (read, bytes) = ReadEntry::written(Entry::new(self.time, body));
        if bytes.len() > MAX_ENTRY {
            return Err(Reason::TooLarge);
        }
        let shared = Arc::clone(&self.shared);
        self.provide_labels(&read)?;
        let judged = shared.guarded(|state| state.judge(&read, &shared.memo))?;
        let changes = judged.map_err(|void| self.refused(&void))?;
        // From here on nothing refuses. Index and state change together, so that no reader sees an
        // act that has left the one and has not reached the other.
        let mut index = shared.index.write().unwrap_or_else(PoisonError::into_inner);
        let mut state = shared.state.write().unwrap_or_else(PoisonError::into_inner);
        // Nobody else writes state, so it is still the one that judged.
        let mut applied = State::commit_judged(&mut state, &read, changes);
        index.add(&read, &applied);
        let spends = |change: &Effect| matches!(change, Effect::Spends { .. });
        if applied.changes.iter().any(spends) {
            self.fees.coins.note(&state);
        }
        drop((index, state));
        self.entries.push(bytes);
        self.changes.append(&mut applied.changes);
        Ok(applied)
    }

    /// Put at hand the sets that the entry takes. What has none waits.
    fn provide_labels(&self, read: &ReadEntry) -> Result<(), Reason> {
        let lacking = self.shared.guarded(|state| state.lacks(read))?;
        for digest in lacking {
            let opened = self.shared.view.labels().open(digest);
            let opened = opened.map_err(|error| {
                tracing::error!(%error, "nothing is decided without it");
                Reason::LabelsNotHere
            })?;
            let state = &self.shared.state;
            let mut state = state.write().unwrap_or_else(PoisonError::into_inner);
            state.hold_labels(opened);
        }
        Ok(())
    }

    /// What is not written. Evidence that does not hold is whoever brought it's, and is counted like all
    /// that is refused and not journaled; anything else this gate has got wrong by itself.
    fn refused(&self, void: &VoidReason) -> Reason {
        if let VoidReason::Evidence(reason) = void {
            self.shared.count_refusal();
            return *reason;
        }
        tracing::error!(%void, "an entry of our own would be void; it is not written");
        match void {
            VoidReason::Statement => Reason::StatementRefused,
            _ => Reason::Panicked,
        }
    }

    fn taken(&self, applied: &Applied, decision: Option<Decision>) -> Taken {
        Taken {
            entry: applied.index,
            time: self.time,
            decision,
        }
    }
}
