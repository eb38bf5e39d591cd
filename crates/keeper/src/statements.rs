//! Statements: said until the journal has them.
//!
//! A keeper trusts no gate to keep what it was told: a statement goes out again until the keeper sees
//! it in its own replica. What the replica knows already is not said again, so repetition ends.

use crate::machine::Machine;
use portcullis_core::codec::encode;
use portcullis_core::id::KeeperId;
use portcullis_core::statement::{
    MAX_STATEMENTS, Says, SignedStatement, Statement, Statements as Together,
};
use portcullis_core::{Digest, Span, State, Time};
use portcullis_keys::{Memo, SignError, StatementKey};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long the gate may take for those of one request.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most bytes of the gate's answer.
const MAX_ANSWER: u64 = 64 * 1024;
/// The first and the longest wait until a statement is said again.
const FIRST_WAIT: Span = Span::seconds(2);
const LONGEST_WAIT: Span = Span::seconds(60);

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
    next: Time,
    wait: Span,
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
                next: Time(0),
                wait: FIRST_WAIT,
            },
        );
        Ok(())
    }

    /// Post what is due, at most `most` of it, many in one request. The first failure ends the round:
    /// whatever ails the gate ails all of them.
    pub fn step(&mut self, state: &State, most: usize) {
        let keeper = self.keeper;
        self.waiting
            .retain(|_, waiting| !is_known(state, keeper, &waiting.signed.statement.says));
        let now = self.machine.watch.now();
        let due = self.waiting.values_mut().filter(|w| w.next <= now);
        // One that does not fit yet (a confirmation before its receipt) waits for what it follows.
        let fitting = due.filter(|w| state.accepts(&w.signed, self.memo.as_ref()));
        let mut fitting = fitting.take(most).peekable();
        while fitting.peek().is_some() {
            let together = fitting.by_ref().take(MAX_STATEMENTS).map(|waiting| {
                waiting.next = now.after(waiting.wait);
                waiting.wait = Span((waiting.wait.0 * 2).min(LONGEST_WAIT.0));
                waiting.signed.clone()
            });
            let together = Together(together.collect());
            if !post(&self.machine, &self.gate, &together) {
                break;
            }
        }
    }

    /// How many statements the journal does not have yet.
    #[must_use]
    pub fn unsaid(&self) -> usize {
        self.waiting.len()
    }
}

fn post(machine: &Machine, gate: &str, together: &Together) -> bool {
    let url = format!("{gate}/v1/statements");
    let headers = [("content-type", "application/cbor")];
    let body = encode(together);
    match machine
        .http
        .post(&url, &headers, &body, MAX_ANSWER, PATIENCE)
    {
        Ok(reply) if reply.status < 300 => true,
        Ok(reply) => {
            let (status, statements) = (reply.status, together.0.len());
            tracing::warn!(
                status,
                statements,
                "the gate did not take every statement; what it lacks is said again"
            );
            status < 500 && status != 429
        }
        Err(error) => {
            tracing::debug!(%error, "a statement is said again later");
            false
        }
    }
}

fn rank(says: &Says) -> u8 {
    match says {
        Says::Stopped { .. } | Says::Latched { .. } => 0,
        Says::Caps { .. } => 1,
        Says::Signed { .. } => 2,
        Says::Confirmed { .. } | Says::Reverted { .. } => 3,
    }
}

/// Whether the replica knows it, or can never learn it any more.
fn is_known(state: &State, keeper: KeeperId, says: &Says) -> bool {
    let facts = state.facts();
    match says {
        Says::Caps { caps } => facts.caps.get(&keeper) == Some(caps),
        Says::Signed { act, plan, .. } => facts
            .releases
            .get(act)
            .is_none_or(|release| release.is_signed(*plan)),
        Says::Confirmed { act, .. } | Says::Reverted { act, .. } => {
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
    }
}
