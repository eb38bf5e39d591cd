//! Statements: said until the journal has them.
//!
//! A keeper trusts no gate to keep what it was told: a statement goes out again until the keeper sees
//! it in its own replica. What the replica knows already is not said again, so repetition ends.

use crate::machine::Machine;
use portcullis_core::codec::{decode, encode};
use portcullis_core::id::KeeperId;
use portcullis_core::reason::Retry;
use portcullis_core::report::{MAX_STATEMENTS, Report, Verdicts};
use portcullis_core::statement::{Says, SignedStatement, Statement};
use portcullis_core::{Digest, Reason, Span, State, Time};
use portcullis_keys::{Memo, SignError, StatementKey};
use std::collections::BTreeMap;
use std::iter;
use std::sync::Arc;
use std::time::Duration;

/// How long the gate may take for a report.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most bytes of the gate's answer.
const MAX_ANSWER: usize = 64 * 1024;
/// The first and the longest wait until a statement is said again.
const FIRST_WAIT: Span = Span::seconds(2);
const LONGEST_WAIT: Span = Span::seconds(60);
/// How long a gate may refuse what fits before that is more than its being ahead.
const DIVERGED_AFTER: Span = Span::seconds(60);
/// How long what fits may be missing from the journal of a gate that answers.
const IGNORED_AFTER: Span = Span::seconds(300);

/// What a keeper has to say and the journal does not have yet.
pub struct Statements {
    machine: Machine,
    gate: String,
    keeper: KeeperId,
    key: Arc<dyn StatementKey>,
    /// Which signatures hold: the own ones among them.
    memo: Arc<Memo>,
    /// In the order in which they go out: what stops before what reports.
    waiting: BTreeMap<(u8, Digest), Waiting>,
}

struct Waiting {
    signed: SignedStatement,
    since: Time,
    next: Time,
    wait: Span,
    /// Since when the gate says that it does not fit its journal.
    refused: Option<Time>,
}

impl Statements {
    /// Nothing to say yet.
    #[must_use]
    pub fn new(
        machine: Machine,
        gate: String,
        keeper: KeeperId,
        key: Arc<dyn StatementKey>,
        memo: Arc<Memo>,
    ) -> Self {
        Self {
            machine,
            gate,
            keeper,
            key,
            memo,
            waiting: BTreeMap::new(),
        }
    }

    /// Say this, unless it is being said or the replica knows it.
    pub fn say(&mut self, state: &State, says: Says) -> Result<(), SignError> {
        let place = (rank(&says), Digest::plain(&encode(&says)));
        if self.waiting.contains_key(&place) || is_known(state, self.keeper, &says) {
            return Ok(());
        }
        let statement = Statement {
            genesis: state.network().digest(),
            keeper: self.keeper,
            says,
        };
        let signature = self
            .memo
            .sign(self.key.as_ref(), &statement.signed_bytes())?;
        let signed = SignedStatement {
            statement,
            signature,
        };
        self.waiting.insert(
            place,
            Waiting {
                signed,
                since: self.machine.watch.now(),
                next: Time(0),
                wait: FIRST_WAIT,
                refused: None,
            },
        );
        Ok(())
    }

    /// Post what is due, at most `most` of it. The first report that the gate does not take ends the
    /// round: whatever ails it ails all of them.
    ///
    /// Gives those that fit this replica and that the gate has said for a minute do not fit its own.
    /// For a moment that is so where the gate is ahead; lasting, one of the two decides otherwise.
    pub fn step(&mut self, state: &State, most: usize) -> Vec<Says> {
        let mut diverged = Vec::new();
        let keeper = self.keeper;
        self.waiting
            .retain(|_, waiting| !is_known(state, keeper, &waiting.signed.statement.says));
        let now = self.machine.watch.now();
        let due = self.waiting.iter_mut().filter(|(_, w)| w.next <= now);
        // One that does not fit yet (a confirmation before its receipt) waits for what it follows.
        let fitting = due.filter(|(_, w)| state.accepts(&w.signed, self.memo.as_ref()));
        let mut fitting = fitting.take(most).peekable();
        while let Some((rank, _)) = fitting.peek().map(|(place, _)| **place) {
            // Each rank by itself: whatever may be wrong with a report, what stops is not held up by it.
            let next = || fitting.next_if(|((of, _), _)| *of == rank);
            let together = iter::from_fn(next).map(|(_, waiting)| waiting);
            let together: Vec<&mut Waiting> = together.take(MAX_STATEMENTS).collect();
            let report = together.iter().map(|waiting| waiting.signed.clone());
            let report = Report(report.collect());
            let verdicts = post(&self.machine, &self.gate, &report);
            let verdicts = verdicts.unwrap_or_else(|| vec![NOT_TAKEN; together.len()]);
            let is_over = verdicts.iter().any(|verdict| is_not_taken(*verdict));
            for (waiting, verdict) in together.into_iter().zip(verdicts) {
                diverged.extend(waiting.hear(verdict, now));
            }
            if is_over {
                break;
            }
        }
        diverged
    }

    /// One that fits the journal and has not come to stand in it for too long.
    #[must_use]
    pub fn ignored(&self, state: &State) -> Option<&Says> {
        let now = self.machine.watch.now();
        let mut old = self.waiting.values();
        let ignored = old.find(|waiting| {
            let lasts = now.since(waiting.since) >= IGNORED_AFTER;
            lasts && state.accepts(&waiting.signed, self.memo.as_ref())
        });
        ignored.map(|waiting| &waiting.signed.statement.says)
    }

    /// How many statements the journal does not have yet.
    #[must_use]
    pub fn unsaid(&self) -> usize {
        self.waiting.len()
    }
}

impl Waiting {
    /// Said just now, and again ever more seldom where the gate has it: what has not fitted its journal
    /// for too long.
    fn hear(&mut self, verdict: Option<u16>, now: Time) -> Option<Says> {
        if is_not_taken(verdict) {
            self.next = now.after(FIRST_WAIT);
            return None;
        }
        self.next = now.after(self.wait);
        self.wait = Span((self.wait.0 * 2).min(LONGEST_WAIT.0));
        let is_misfit = verdict == Some(Reason::StatementRefused.number());
        let since = self.refused.unwrap_or(now);
        self.refused = is_misfit.then_some(since);
        let lasts = is_misfit && now.since(since) >= DIVERGED_AFTER;
        lasts.then(|| self.signed.statement.says.clone())
    }
}

/// What is to be said again soon, for the gate has no room for it now or does not answer.
const NOT_TAKEN: Option<u16> = Some(Reason::Busy.number());

fn is_not_taken(verdict: Option<u16>) -> bool {
    let reason = verdict.and_then(Reason::from_number);
    reason.is_some_and(|reason| reason.retry() == Retry::Later)
}

/// The gate's verdict on each, if it has taken the report.
fn post(machine: &Machine, gate: &str, report: &Report) -> Option<Vec<Option<u16>>> {
    let url = format!("{gate}/v1/statements");
    let headers = [("content-type", "application/cbor")];
    let (body, sent) = (encode(report), report.0.len());
    let reply = machine
        .http
        .post(&url, &headers, &body, MAX_ANSWER as u64, PATIENCE);
    let reply = match reply {
        Ok(reply) => reply,
        Err(error) => {
            tracing::debug!(%error, "statements are said again later");
            return None;
        }
    };
    let verdicts = (reply.status < 300).then(|| decode::<Verdicts>(&reply.body, MAX_ANSWER));
    let verdicts = verdicts.and_then(Result::ok).and_then(|v| v.on(sent));
    let refused = verdicts.as_ref().map(|all| all.iter().flatten().count());
    if refused != Some(0) {
        let status = reply.status;
        tracing::warn!(
            status,
            sent,
            refused,
            "the gate did not take every statement; said again"
        );
    }
    verdicts
}

fn rank(says: &Says) -> u8 {
    match says {
        Says::Stopped { .. } | Says::Latched { .. } => 0,
        Says::Caps { .. } => 1,
        Says::Signed { .. } => 2,
        Says::Confirmed { .. } | Says::Reverted { .. } | Says::Declined { .. } => 3,
        Says::CodeRight { .. } | Says::CodeWrong { .. } => 4,
        Says::Told { .. } => 5,
    }
}

/// Whether the replica knows it, or can never learn it any more.
fn is_known(state: &State, keeper: KeeperId, says: &Says) -> bool {
    let facts = state.facts();
    match says {
        Says::Caps { number, .. } => {
            let known = facts.caps.get(&keeper);
            known.is_some_and(|known| known.number >= *number)
        }
        Says::Signed { act, plan, .. } => facts
            .releases
            .get(act)
            .is_none_or(|release| release.is_signed(*plan)),
        Says::Confirmed { act, .. } | Says::Reverted { act, .. } | Says::Declined { act, .. } => {
            !facts.releases.contains_key(act)
        }
        Says::Stopped { suspension } => facts
            .suspensions
            .get(suspension)
            .is_none_or(|suspension| suspension.stopped.contains(&keeper)),
        Says::Latched { latch, .. } => {
            facts.latches.contains_key(&(keeper, *latch))
                || facts.cleared_latches.contains(&(keeper, *latch))
        }
        Says::Told { entry, .. } => !facts.untold.waits(*entry),
        Says::CodeRight { act, .. } | Says::CodeWrong { act, .. } => {
            facts.codes.open(*act).is_none()
        }
    }
}
