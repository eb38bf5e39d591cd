//! The call-out: a vendor is asked for its word on what waits for it.
//!
//! What waits for whom follows from state alone, so that a restart forgets nothing. Nobody waits for an
//! answer: it comes at once, later by `POST /v1/acts/DIGEST/evidence`, or never, and then the act goes on
//! waiting until it ends. Whatever a vendor answers is judged like everything else.

mod ask;

use crate::log_keys::LogKeys;
use crate::sequencer::{Command, Shared, What};
use ask::{NoAnswer, Wanting};
use portcullis_core::entry::Supplement;
use portcullis_core::evidence::Attestation;
use portcullis_core::genesis::IssuerKind;
use portcullis_core::id::IssuerId;
use portcullis_core::policy::Wanted;
use portcullis_core::realm::Realm;
use portcullis_core::{
    Body, Decision, Digest, Entry, Evidence, Need, ReadEntry, Span, State, Time, VoidReason, decide,
};
use portcullis_host::{Clock, Http, Told};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;
use tokio::sync::oneshot;

/// How many held acts are looked at in one step.
const LOOK: usize = 256;
/// How long there is between two steps.
const PAUSE: Duration = Duration::from_millis(200);
/// How long an issuer is left alone that was not reached.
const REST: Span = Span::seconds(5);
/// How long it is left alone about one act: at first, and at most.
const FIRST_WAIT: Span = Span::seconds(5);
const LONGEST_WAIT: Span = Span::seconds(900);

/// Asks one issuer, by an address of the configuration.
pub struct CallOut {
    issuer: IssuerId,
    url: String,
    /// The journal's keys, of which the one in force signs what is asked.
    keys: LogKeys,
    clock: Arc<dyn Clock>,
    http: Arc<dyn Http>,
    shared: Arc<Shared>,
    queue: SyncSender<Command>,
    /// The act that was looked at last.
    at: Option<Digest>,
    /// When to ask again, of each act.
    asked: BTreeMap<Digest, Again>,
    /// Until when it is left alone, where it was not reached.
    rests: Time,
    answers: Told<bool>,
}

/// When an act is asked about next, and how long it was left alone before.
#[derive(Clone, Copy)]
struct Again {
    next: Time,
    wait: Span,
}

/// What a call-out reaches.
pub(crate) struct Reach {
    pub(crate) keys: LogKeys,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) http: Arc<dyn Http>,
}

impl CallOut {
    pub(crate) fn new(
        (issuer, url): (IssuerId, String),
        reach: Reach,
        shared: Arc<Shared>,
        queue: SyncSender<Command>,
    ) -> Self {
        let Reach { keys, clock, http } = reach;
        Self {
            issuer,
            url,
            keys,
            clock,
            http,
            shared,
            queue,
            at: None,
            asked: BTreeMap::new(),
            rests: Time(0),
            answers: Told::default(),
        }
    }

    /// Ask for ever.
    pub(crate) fn run(mut self) {
        loop {
            self.step();
            std::thread::sleep(PAUSE);
        }
    }

    /// Look at some held acts, and ask about those that wait for this issuer.
    pub fn step(&mut self) {
        let now = self.clock.now();
        if now < self.rests {
            return;
        }
        let Some(need) = self
            .shared
            .guarded(|state| wanted_of(state, self.issuer))
            .ok()
            .flatten()
        else {
            return;
        };
        for act in self.look() {
            if !self.is_due(act, now) {
                continue;
            }
            let wanting = self.shared.guarded(|state| wanting(state, act, need, now));
            let is_asked = match wanting {
                Ok(Some(wanting)) => self.ask(&wanting, now),
                Ok(None) | Err(_) => continue,
            };
            if !is_asked {
                break;
            }
        }
    }

    /// The next held acts; from the first again behind the last.
    fn look(&mut self) -> Vec<Digest> {
        let state = self.shared.state();
        let held = &state.facts().held;
        let from = self.at.map_or(Bound::Unbounded, Bound::Excluded);
        let next = held.range((from, Bound::Unbounded)).take(LOOK);
        let next: Vec<Digest> = next.map(|(act, _)| *act).collect();
        if next.len() < LOOK {
            self.asked.retain(|act, _| held.contains_key(act));
        }
        self.at = next.last().copied().filter(|_| next.len() == LOOK);
        next
    }

    fn is_due(&self, act: Digest, now: Time) -> bool {
        self.asked.get(&act).is_none_or(|again| again.next <= now)
    }

    /// Ask about one act. Says whether the issuer was reached: where not, all acts are left alone for a
    /// while, and this one for longer, so that it keeps no other from being asked about.
    fn ask(&mut self, wanting: &Wanting, now: Time) -> bool {
        let Some(key) = self.keys.in_force(&self.shared.state()).cloned() else {
            // The gate has a key that a rotation put another in the place of: nobody is to believe it.
            return false;
        };
        let (issuer, http) = ((self.issuer, &*self.url), self.http.as_ref());
        let answer = wanting.ask(http, issuer, key.as_ref(), now);
        self.tell(answer.as_ref().err());
        self.leave_alone(wanting.act, now);
        match answer {
            Ok(Some(attestation)) => self.take(wanting.act, attestation, now),
            Ok(None) | Err(NoAnswer::Status(_) | NoAnswer::Malformed(_)) => {}
            Err(NoAnswer::Http(_)) => {
                self.rests = now.after(REST);
                return false;
            }
        }
        true
    }

    fn leave_alone(&mut self, act: Digest, now: Time) {
        let before = self.asked.get(&act);
        let wait = before.map_or(FIRST_WAIT, |again| {
            Span(again.wait.0.saturating_mul(2).min(LONGEST_WAIT.0))
        });
        let next = now.after(wait);
        self.asked.insert(act, Again { next, wait });
    }

    /// Send on what holds. Refused or lost on its way, it is asked for again in its time.
    fn take(&self, act: Digest, attestation: Attestation, now: Time) {
        let evidence = Evidence {
            attestations: vec![attestation],
            ..Evidence::default()
        };
        if let Err(why) = self.judged(act, &evidence, now) {
            self.shared.count_refusal();
            tracing::warn!(issuer = %self.issuer, %act, %why,
                "the issuer's answer is not taken; it is asked again");
            return;
        }
        let (reply, _) = oneshot::channel();
        let what = What::Evidence(act, Box::new(evidence));
        let _ = self.queue.try_send(Command { what, reply });
    }

    /// Early, on this thread: what does not hold never reaches the queue.
    fn judged(&self, act: Digest, evidence: &Evidence, now: Time) -> Result<(), String> {
        let evidence = evidence.clone();
        let body = Body::Evidence(Box::new(Supplement { act, evidence }));
        let judged = self.shared.guarded(|state| {
            let time = state.facts().time.max(now);
            let (read, _) = ReadEntry::written(Entry::new(time, body));
            state.judge(&read, &self.shared.memo).map(drop)
        });
        match judged {
            Ok(Ok(())) => Ok(()),
            Ok(Err(VoidReason::Evidence(reason))) | Err(reason) => Err(reason.to_string()),
            Ok(Err(void)) => Err(void.to_string()),
        }
    }

    /// Only when it changes: an issuer that is down would fill the log.
    fn tell(&mut self, fault: Option<&NoAnswer>) {
        if !self.answers.is_news(fault.is_none()) {
            return;
        }
        let (issuer, url) = (self.issuer, &self.url);
        match fault {
            None => tracing::info!(%issuer, url, "the issuer answers"),
            Some(fault) => tracing::warn!(%issuer, url, %fault,
                "the issuer gives no answer: what waits for its word goes on waiting; it is asked again"),
        }
    }
}

/// What an issuer in force can be asked for, where the policy in force has a statement that wants it.
fn wanted_of(state: &State, issuer: IssuerId) -> Option<Need> {
    let mut issuers = state.issuers().iter();
    let kind = issuers.find(|known| known.id == issuer)?.kind;
    let (wanted, need) = match kind {
        IssuerKind::Screening => (Wanted::Screening, Need::Screening),
        IssuerKind::TravelRule => (Wanted::TravelRule, Need::TravelRule),
        IssuerKind::Onboarding | IssuerKind::Ledger | IssuerKind::Identity => return None,
    };
    let mut statements = state.engine().statements();
    statements
        .any(|statement| statement.needs == Some(wanted))
        .then_some(need)
}

/// A held act that lacks this word. While a referral counts, the vendor's people are at it.
fn wanting(state: &State, act: Digest, need: Need, now: Time) -> Option<Wanting> {
    let held = state.facts().held.get(&act)?;
    // Nobody is asked about what staff proposes, and some of that takes long to decide again.
    if held.act.realm == Realm::Staff {
        return None;
    }
    let now = state.facts().time.max(now);
    let decided = decide::settle(state, act, now);
    let Decision::Hold { needs, .. } = decided.decision() else {
        return None;
    };
    let said = held.said.unwrap_or_default();
    let is_referred = need == Need::Screening && said.screened(now).is_some();
    if is_referred || !needs.contains(&need) {
        return None;
    }
    Some(Wanting {
        act,
        asks: held.act.clone(),
        need,
        heard: said,
    })
}

#[cfg(test)]
mod tests;
