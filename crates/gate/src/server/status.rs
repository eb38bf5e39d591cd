//! How things stand: above all, what each suspension has stopped and what it came too late for.

use super::Api;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use portcullis_core::act::{ActKind, Scope};
use portcullis_core::id::KeeperId;
use portcullis_core::state::release::{Release, Stage, Withheld};
use portcullis_core::state::{Reach, Suspension};
use portcullis_core::{Digest, Span, State as CoreState, Time};
use serde::Serialize;
use serde_json::{Value, json};

/// After the first cosigned checkpoint that contains a suspension no keeper signs in its scope: 3 s of
/// lease and 1 s between clocks.
const LEASES_END: Span = Span::seconds(4);
/// Most releases that are listed for one suspension; their number is told beside them.
const MAX_LISTED: usize = 1_000;

/// A suspension in force.
#[derive(Debug, Serialize)]
struct InForce {
    by: Digest,
    scope: Scope,
    entry: u64,
    cosigned_at: Option<Time>,
    state: Stopping,
    /// Keepers that have signed that they have it.
    stopped: Vec<KeeperId>,
    /// Keepers that have not.
    missing: Vec<KeeperId>,
    /// Releases in its scope that were signed earlier and are not through: they may still arrive.
    signed_earlier: Vec<Digest>,
    signed_earlier_count: u64,
}

/// A release that nothing is signed of until a fresh entry says so.
#[derive(Debug, Serialize)]
struct WithheldRelease {
    act: Digest,
    why: &'static str,
}

impl WithheldRelease {
    fn of((act, release): (&Digest, &Release)) -> Option<Self> {
        let Stage::Withheld(why) = release.stage else {
            return None;
        };
        let why = match why {
            Withheld::Late => "late",
            Withheld::Suspended => "suspended",
            Withheld::Revoked => "revoked",
            Withheld::Cancelled => "cancelled",
        };
        Some(Self { act: *act, why })
    }
}

/// How far a suspension has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Stopping {
    /// Durable: no release in its scope is journaled after it.
    Recorded,
    /// Every keeper has it, or every lease from before it has run out.
    Stopped,
}

impl InForce {
    fn new(state: &CoreState, by: Digest, suspension: &Suspension, now: Time) -> Self {
        let keepers = state.network().genesis().keepers.iter().map(|k| k.id);
        let missing: Vec<KeeperId> = keepers
            .filter(|id| !suspension.stopped.contains(id))
            .collect();
        let leases_ended = |at: Time| now >= at.after(LEASES_END);
        let is_stopped = missing.is_empty() || suspension.cosigned.is_some_and(leases_ended);
        let releases = state.facts().releases.iter();
        let signed: Vec<Digest> = releases
            .filter(|(_, release)| is_out(release) && is_in(release, suspension.scope))
            .map(|(digest, _)| *digest)
            .collect();
        Self {
            by,
            scope: suspension.scope,
            entry: suspension.entry,
            cosigned_at: suspension.cosigned,
            state: if is_stopped {
                Stopping::Stopped
            } else {
                Stopping::Recorded
            },
            stopped: suspension.stopped.iter().copied().collect(),
            missing,
            signed_earlier_count: signed.len() as u64,
            signed_earlier: signed.into_iter().take(MAX_LISTED).collect(),
        }
    }
}

/// Bytes that may have been handed to a chain.
fn is_out(release: &Release) -> bool {
    !release.signed.is_empty()
}

fn is_in(release: &Release, scope: Scope) -> bool {
    match &release.act.kind {
        ActKind::Withdraw(withdraw) => Reach::of_withdrawal(release.account, withdraw).is_in(scope),
        _ => false,
    }
}

/// `GET /v1/status`
pub(super) async fn status(State(api): State<Api>) -> Response {
    let witnessed = api.shared().published.newest().map(|newest| newest.oldest);
    let now = api.now();
    let state = api.shared().state();
    let facts = state.facts();
    let suspensions: Vec<InForce> = facts
        .suspensions
        .iter()
        .map(|(by, suspension)| InForce::new(&state, *by, suspension, now))
        .collect();
    let latches: Vec<Value> = facts
        .latches
        .iter()
        .map(|((keeper, latch), condition)| {
            json!({
                "keeper": keeper, "latch": latch, "condition": condition,
            })
        })
        .collect();
    let withheld: Vec<WithheldRelease> = facts
        .releases
        .iter()
        .filter_map(WithheldRelease::of)
        .collect();
    Json(json!({
        "genesis": state.network().digest(), "mode": state.network().genesis().mode,
        "size": state.size(), "time": facts.time, "witnessed_at": witnessed,
        "suspensions": suspensions, "latches": latches, "void_entries": facts.void_entries,
        "held": facts.held.len(), "in_flight": facts.releases.len(),
        "withheld": withheld.get(..MAX_LISTED).unwrap_or(&withheld), "withheld_count": withheld.len(),
        "limits": facts.limits.digest(),
    }))
    .into_response()
}
