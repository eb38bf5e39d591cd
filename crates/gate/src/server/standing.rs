//! Where an act stands: from state while it waits or is on its way, from the index for ever after.

use super::passkeys::{self, RequestOptions};
use super::{Api, Problem, auth};
use crate::events::Stage;
use crate::events::mandate_of;
use crate::index::Course;
use crate::sequencer::{Shared, Taken};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portcullis_core::behaviour::Said;
use portcullis_core::decide::{Cosigned, Decided, Payment, settle_with};
use portcullis_core::decision::Need;
use portcullis_core::entry::Submission;
use portcullis_core::policy::{Name, Verdict};
use portcullis_core::state::release::{Release, Stage as ReleaseStage};
use portcullis_core::statement::Says;
use portcullis_core::{Act, Body, Decision, Digest, Entry, Reason, State as CoreState, Time};
use serde::Serialize;

/// The answer of `GET /v1/acts/{digest}`.
#[derive(Debug, Serialize)]
struct Standing {
    digest: Digest,
    /// What was asked; none for a moment after it was taken, while it is not durable yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<Act>,
    entries: Vec<u64>,
    stage: Stage,
    /// Why, where it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    needs: Vec<Open>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Time>,
    /// The policy's statements that it waits for, where some do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    statements: Vec<Name>,
    /// How the withdrawal looks beside those of other accounts, where one of those statements asks for that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    beside: Vec<Said>,
    transactions: Vec<Digest>,
    /// The signed mandate (docs/spec/mandate.md), for whoever carries it out; its digest stands in `transactions`.
    #[serde(skip_serializing_if = "Option::is_none")]
    mandate: Option<String>,
    #[serde(skip)]
    now: Time,
}

/// Something that an act waits for.
#[derive(Debug, Serialize)]
struct Open {
    #[serde(flatten)]
    need: Need,
    /// For an assertion: what to ask the customer's browser for.
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<RequestOptions>,
}

/// The answer to an act or to evidence that was taken.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Answer {
    /// The act's digest, as the gate computed it.
    digest: Digest,
    /// The journal entry.
    entry: u64,
    /// The entry's time.
    time: Time,
    /// What was decided there, for acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
    /// Where the act stands now, where it had been taken before.
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<Stage>,
}

/// `GET /v1/acts/{digest}`
pub(super) async fn act(
    State(api): State<Api>,
    Path(digest): Path<String>,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Problem> {
    auth::reader(&api, &parts, &body)?;
    let digest: Digest = digest.parse().map_err(|_| Reason::NotFound)?;
    let now = api.now();
    let standing = blocking(move || {
        let shared = api.shared();
        let mut found = standing(shared, digest, now)?;
        if let Some(found) = &mut found {
            found.act = asked(shared, digest, &found.entries);
            found.make_ready(shared, now);
        }
        Ok(found)
    });
    Ok(standing.await?.ok_or(Reason::NotFound)?.into_response())
}

/// How an act was taken that had been accepted before; none where it may be decided. A refusal on
/// record is given again: for an act that loosens it is final.
pub(super) async fn taken_before(api: &Api, act: &Act) -> Result<Option<Answer>, Problem> {
    let digest = act.digest();
    let course = api.shared().index().course(digest);
    let is_refused = course == Some(Course::Refused);
    if course.is_none() || (is_refused && act.kind.is_restricting()) {
        return Ok(None);
    }
    let (api, now) = (api.clone(), api.now());
    blocking(move || {
        let shared = api.shared();
        if is_refused {
            let entries = shared.index().act(digest);
            return Err(refused(shared, digest, &entries).unwrap_or(Reason::InProgress));
        }
        let Some(standing) = standing(shared, digest, now)? else {
            return Ok(None);
        };
        // Not readable means not durable yet.
        let first = accepted(shared, digest, &standing.entries).ok_or(Reason::InProgress)?;
        let answer = Answer::of(digest, first);
        let stage = Some(standing.stage);
        Ok(Some(Answer { stage, ..answer }))
    })
    .await
}

/// The entry that accepted an act.
fn accepted(shared: &Shared, digest: Digest, entries: &[u64]) -> Option<Taken> {
    let is_refusal = |said: &Submission| matches!(said.decision, Decision::Refuse { .. });
    let mut all = submissions(shared, digest, entries);
    let (entry, time, said) = all.find(|(.., said)| !is_refusal(said))?;
    let decision = Some(said.decision);
    Some(Taken {
        entry,
        time,
        decision,
    })
}

/// The entries that submit an act, with their time.
fn submissions<'a>(
    shared: &'a Shared,
    digest: Digest,
    entries: &'a [u64],
) -> impl DoubleEndedIterator<Item = (u64, Time, Submission)> + 'a {
    entries.iter().filter_map(move |index| {
        let entry = read(shared, *index)?;
        let Body::Act(said) = entry.body else {
            return None;
        };
        (said.act.digest() == digest).then_some((*index, entry.time, *said))
    })
}

pub(super) fn read(shared: &Shared, index: u64) -> Option<Entry> {
    Entry::from_bytes(&shared.view.entry(index).ok()?).ok()
}

fn standing(shared: &Shared, digest: Digest, now: Time) -> Result<Option<Standing>, Reason> {
    let next = shared.newest_cosigned();
    let mut found = {
        // Both at once, the index first: an act that just ended stands in one of them.
        let index = shared.index();
        let Some(course) = index.course(digest) else {
            return Ok(None);
        };
        let entries = index.act(digest);
        shared.guarded(|state| look((state, next), digest, course, entries, now))?
    };
    match found.stage {
        Stage::Confirmed => {
            (found.mandate, found.transactions) = arrived(shared, &found.entries);
        }
        Stage::Refused => found.reason = refused(shared, digest, &found.entries),
        Stage::Returned => found.reason = refused_later(shared, digest, &found.entries),
        _ => {}
    }
    Ok(Some(found))
}

impl Standing {
    /// Whoever has to assert finds what to ask for.
    fn make_ready(&mut self, shared: &Shared, now: Time) {
        let Some(act) = &self.act else { return };
        for open in &mut self.needs {
            open.options = match open.need {
                Need::Assertion => passkeys::options(shared, act, now),
                Need::Principals { .. } => passkeys::options_for_others(shared, act, now),
                _ => None,
            };
        }
    }
}

fn look(
    (state, next): (&CoreState, Option<Cosigned>),
    digest: Digest,
    course: Course,
    entries: Vec<u64>,
    now: Time,
) -> Standing {
    let facts = state.facts();
    let mut standing = Standing {
        digest,
        act: None,
        entries,
        stage: Stage::Returned,
        reason: None,
        needs: Vec::new(),
        until: None,
        statements: Vec::new(),
        beside: Vec::new(),
        transactions: Vec::new(),
        mandate: None,
        now: facts.time.max(now),
    };
    if facts.held.contains_key(&digest) {
        standing.stage = Stage::Held;
        let decided = settle_with(state, next, digest, standing.now);
        let open = |need: &Need| Open {
            need: *need,
            options: None,
        };
        // Nothing bars it any more, and it is held all the same: its wallet has no coins for it, or their node is silent.
        if decided.payment().and_then(Payment::spend).is_some() {
            standing.needs = vec![open(&Need::Batch)];
        }
        if let Decision::Hold { needs, until } = decided.decision() {
            (standing.needs, standing.until) = (needs.iter().map(open).collect(), *until);
            standing.statements = waited_for(&decided);
            standing.beside = seen_beside(state, &decided);
        }
    } else if let Some(release) = facts.releases.get(&digest) {
        standing.stage = stage_of(release);
        let signed = release.signed.iter();
        standing.transactions = signed.map(|signed| signed.transaction).collect();
    } else {
        standing.stage = match course {
            Course::Refused => Stage::Refused,
            Course::Done => Stage::Done,
            Course::Confirmed => Stage::Confirmed,
            Course::Returned | Course::Accepted => Stage::Returned,
        };
    }
    standing
}

/// The statements that hold the act: what permits it is no news while it waits.
fn waited_for(decided: &Decided) -> Vec<Name> {
    let asked = decided.asked().map(|asked| &asked.answer);
    let holds = asked.filter(|answer| answer.verdict != Verdict::Permit);
    holds.map_or_else(Vec::new, |answer| answer.statements.clone())
}

/// What speaks against a withdrawal beside the others, where that holds it.
fn seen_beside(state: &CoreState, decided: &Decided) -> Vec<Said> {
    let asked = decided.asked();
    let asked = asked.filter(|asked| state.engine().is_held_beside(&asked.answer));
    let company = asked.and_then(|asked| asked.facts.company);
    company.map_or_else(Vec::new, |company| company.said())
}

fn stage_of(release: &Release) -> Stage {
    match release.stage {
        ReleaseStage::Withheld(_) => Stage::Withheld,
        ReleaseStage::Released if release.signed.is_empty() => Stage::Released,
        ReleaseStage::Released => Stage::Signed,
    }
}

/// The act itself, from the first entry that carries it.
pub(super) fn asked(shared: &Shared, digest: Digest, entries: &[u64]) -> Option<Act> {
    let first = submissions(shared, digest, entries).next();
    first.map(|(.., said)| said.act)
}

/// What came of an act that ended well: the mandate that a signer gave, by the first that the journal has, or the
/// transactions that a signer saw arrive.
fn arrived(shared: &Shared, entries: &[u64]) -> (Option<String>, Vec<Digest>) {
    let mut seen = Vec::new();
    for index in entries {
        let Some(Body::Statement(signed)) = read(shared, *index).map(|entry| entry.body) else {
            continue;
        };
        let says = &signed.statement.says;
        if let Some(mandate) = mandate_of(says) {
            let digest = Digest::plain(mandate.as_bytes());
            return (Some(mandate), vec![digest]);
        }
        if let Says::Confirmed { transaction, .. } = says {
            seen.push(*transaction);
        }
    }
    (None, seen)
}

/// Why the act was refused last.
fn refused(shared: &Shared, digest: Digest, entries: &[u64]) -> Option<Reason> {
    let mut newest_first = submissions(shared, digest, entries).rev();
    newest_first.find_map(|(.., said)| match said.decision {
        Decision::Refuse { reason } => Some(reason),
        _ => None,
    })
}

/// Why an act that waited was refused in the end.
fn refused_later(shared: &Shared, digest: Digest, entries: &[u64]) -> Option<Reason> {
    entries.iter().rev().find_map(|index| {
        let Body::Settle(settled) = read(shared, *index)?.body else {
            return None;
        };
        match settled.decision {
            Decision::Refuse { reason } if settled.act == digest => Some(reason),
            _ => None,
        }
    })
}

/// Old entries are read from the disk.
pub(super) async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, Reason> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(run).await;
    done.unwrap_or(Err(Reason::Panicked)).map_err(Problem::from)
}

impl Answer {
    /// What was just taken.
    pub(super) fn of(digest: Digest, taken: Taken) -> Self {
        let Taken {
            entry,
            time,
            decision,
        } = taken;
        Self {
            digest,
            entry,
            time,
            decision,
            stage: None,
        }
    }

    /// Whether the act waits, as far as this answer knows.
    fn is_held(&self) -> bool {
        match self.stage {
            Some(stage) => stage == Stage::Held,
            None => matches!(self.decision, Some(Decision::Hold { .. })),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        if !self.is_held() {
            return Json(self).into_response();
        }
        let until = match &self.decision {
            Some(Decision::Hold { until, .. }) => *until,
            _ => None,
        };
        let retry = retry_after(until, self.time);
        (
            StatusCode::ACCEPTED,
            [(header::RETRY_AFTER, retry)],
            Json(self),
        )
            .into_response()
    }
}

impl IntoResponse for Standing {
    fn into_response(self) -> Response {
        if self.stage != Stage::Held {
            return Json(self).into_response();
        }
        let retry = retry_after(self.until, self.now);
        ([(header::RETRY_AFTER, retry)], Json(self)).into_response()
    }
}

/// When it is worth asking again about an act that waits, where no delay says so: in seconds.
const ASK_AGAIN: u64 = 5;

/// `Retry-After` of an act that waits.
fn retry_after(until: Option<Time>, now: Time) -> HeaderValue {
    let left = until.map(|until| until.since(now).0.div_ceil(1000));
    HeaderValue::from(left.unwrap_or(ASK_AGAIN).max(1))
}
