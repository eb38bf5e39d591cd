//! How things stand: above all, what each suspension has stopped and what it came too late for.
//!
//! Anybody may ask, and whoever has one operator's key makes suspensions without end: so one pass over
//! what is on its way serves all of them, few are looked at together, and every list has an end.

use super::{Api, Problem};
use crate::sequencer::Shared;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use portcullis_core::act::{ActKind, Keys, Scope};
use portcullis_core::id::KeeperId;
use portcullis_core::state::release::{Release, Stage, Withheld};
use portcullis_core::state::{Facts, Reach, Suspension};
use portcullis_core::{Digest, Reason, Span, State as CoreState, Time};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// After the first cosigned checkpoint that contains a suspension no keeper signs in its scope: 3 s of
/// lease and 1 s between clocks.
const LEASES_END: Span = Span::seconds(4);
/// Most suspensions that are listed.
const MAX_SUSPENSIONS: usize = 100;
/// Most releases that are listed for all suspensions together, and most that are withheld; latches, too.
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

/// How many there are, and the first of them.
struct Listed<T> {
    most: usize,
    first: Vec<T>,
    count: u64,
}

impl<T> Listed<T> {
    fn at_most(most: usize) -> Self {
        Self {
            most,
            first: Vec::new(),
            count: 0,
        }
    }

    fn add(&mut self, item: T) {
        self.count += 1;
        if self.first.len() < self.most {
            self.first.push(item);
        }
    }
}

/// What one pass over the releases on their way finds.
struct Found {
    /// What was signed in each scope that is shut.
    signed: BTreeMap<Scope, Listed<Digest>>,
    withheld: Listed<WithheldRelease>,
}

impl Found {
    fn new(releases: &BTreeMap<Digest, Release>, shut: &[(&Digest, &Suspension)]) -> Self {
        let most = MAX_LISTED / shut.len().max(1);
        let scopes = shut.iter().map(|(_, suspension)| suspension.scope);
        let mut found = Self {
            signed: scopes.map(|scope| (scope, Listed::at_most(most))).collect(),
            withheld: Listed::at_most(MAX_LISTED),
        };
        for (act, release) in releases {
            found.take(*act, release);
        }
        found
    }

    fn take(&mut self, act: Digest, release: &Release) {
        if let Some(withheld) = WithheldRelease::of((&act, release)) {
            self.withheld.add(withheld);
        }
        // Bytes that may have been handed to a chain.
        if release.signed.is_empty() {
            return;
        }
        for scope in scopes(release) {
            if let Some(signed) = self.signed.get_mut(&scope) {
                signed.add(act);
            }
        }
    }
}

impl InForce {
    fn new(
        state: &CoreState,
        (by, suspension): (&Digest, &Suspension),
        found: &Found,
        now: Time,
    ) -> Self {
        let keepers = state.network().genesis().keepers.iter().map(|k| k.id);
        let missing: Vec<KeeperId> = keepers
            .filter(|id| !suspension.stopped.contains(id))
            .collect();
        let leases_ended = |at: Time| now >= at.after(LEASES_END);
        let is_stopped = missing.is_empty() || suspension.cosigned.is_some_and(leases_ended);
        let signed = found.signed.get(&suspension.scope);
        Self {
            by: *by,
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
            signed_earlier_count: signed.map_or(0, |signed| signed.count),
            signed_earlier: signed.map_or_else(Vec::new, |signed| signed.first.clone()),
        }
    }
}

/// Every scope that takes a release in.
fn scopes(release: &Release) -> impl Iterator<Item = Scope> {
    let ActKind::Withdraw(withdraw) = &release.act.kind else {
        return None.into_iter().flatten();
    };
    let reach = Reach::of_withdrawal(release.account, withdraw);
    let all = [
        Scope::Everything,
        Scope::Withdrawals,
        Scope::Asset(withdraw.asset),
        Scope::Realm(reach.realm),
        Scope::Account(release.account),
    ];
    debug_assert!(all.iter().all(|scope| reach.is_in(*scope)));
    Some(all).into_iter().flatten()
}

/// `GET /v1/status`
pub(super) async fn status(State(api): State<Api>) -> Result<Response, Problem> {
    let answer = look(api, answer).await?;
    Ok(Json(answer).into_response())
}

/// Pass over much of the state, while the sequencer waits: few do so at a time.
pub(super) async fn look<T: Send + 'static>(
    api: Api,
    pass: impl FnOnce(&Api) -> T + Send + 'static,
) -> Result<T, Reason> {
    let place = api.inner.places.look().await?;
    let look = tokio::task::spawn_blocking(move || {
        // Here, so that whoever hangs up gives it back no sooner than the work is done.
        let _place = place;
        pass(&api)
    });
    look.await.map_err(|_| Reason::Stopping)
}

fn answer(api: &Api) -> Value {
    let witnessed = api.shared().published.newest().map(|newest| newest.oldest);
    let now = api.now();
    let state = api.shared().state();
    let facts = state.facts();
    let shut: Vec<_> = facts.suspensions.iter().take(MAX_SUSPENSIONS).collect();
    let found = Found::new(&facts.releases, &shut);
    let suspensions = shut
        .iter()
        .map(|shut| InForce::new(&state, *shut, &found, now));
    let suspensions: Vec<InForce> = suspensions.collect();
    let latches = facts.latches.iter().take(MAX_LISTED);
    let latches: Vec<Value> = latches
        .map(|((keeper, latch), condition)| {
            json!({
                "keeper": keeper, "latch": latch, "condition": condition,
            })
        })
        .collect();
    json!({
        "genesis": state.network().digest(), "mode": state.network().genesis().mode,
        "size": state.size(), "time": facts.time, "witnessed_at": witnessed,
        "suspensions": suspensions, "suspensions_count": facts.suspensions.len(),
        "latches": latches, "void_entries": facts.void_entries,
        "held": facts.held.len(), "in_flight": facts.releases.len(), "untold": facts.untold.count(),
        "withheld": found.withheld.first, "withheld_count": found.withheld.count,
        "limits": facts.limits.digest(),
        "webhooks": webhooks(api), "holders": holders(facts), "re_enrolment": re_enrolment(facts), "in_force": in_force(&state),
    })
}

fn webhooks(api: &Api) -> Vec<Value> {
    let behind = behind(api.shared());
    let shown = api.webhooks.iter().map(|webhook| {
        let standing = webhook.now();
        json!({
            "name": webhook.name().to_string(), "takes": standing.takes, "next": standing.next,
            "behind": behind(standing.next), "since": standing.since,
        })
    });
    shown.collect()
}

/// How many entries under a cosigned checkpoint lie from one on.
pub(super) fn behind(shared: &Shared) -> impl Fn(u64) -> u64 + use<> {
    let newest = shared.published.newest();
    let size = newest.map_or(0, |newest| newest.head.size);
    move |next| size.saturating_sub(next)
}

fn holders(facts: &Facts) -> Value {
    let (count, with_factor) = facts.enrolled.holders();
    json!({ "count": count, "with_factor": with_factor })
}

/// How far re-enrolment has come: a campaign is watched here, and takes no list of customers.
fn re_enrolment(facts: &Facts) -> Option<Value> {
    let progress = facts.enrolled.progress()?;
    let raised = progress.raised;
    Some(json!({
        "entry": raised.entry, "time": raised.time, "factors": raised.factors,
        "revoked": raised.revoked, "holders": progress.holders, "enrolled": progress.enrolled,
    }))
}

/// The digests that a recovery of the administrators and rotations replace.
fn in_force(state: &CoreState) -> Value {
    let issuers = Keys::Issuers {
        issuers: state.issuers().to_vec(),
    };
    let roots = Keys::Roots {
        roots: state.roots(),
    };
    let witnesses = Keys::Witnesses {
        witnesses: state.witnesses().clone(),
    };
    let log = Keys::Log {
        vkey: state.log_vkey().to_owned(),
    };
    let keepers = state.network().genesis().keepers.iter();
    let keepers = keepers.filter_map(|keeper| state.keeper(keeper.id));
    let keepers = keepers.map(|keeper| {
        let (id, key) = (keeper.id, keeper.key);
        let key = Keys::Keeper { keeper: id, key };
        json!({ "keeper": id, "key": key.digest() })
    });
    json!({
        "administration": state.administration().digest(), "issuers": issuers.digest(),
        "roots": roots.digest(), "witnesses": witnesses.digest(), "log": log.digest(),
        "keepers": keepers.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "helpers of tests; the lint knows only the tests themselves"
    )]

    use super::*;
    use crate::{FeeTable, Index, sequencer::Sequencer};
    use portcullis_host::{Disk, SystemRandom};
    use portcullis_journal::{Directory, Journal};
    use portcullis_keeper::testkit::{CrashDisk, HandClock, World};
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::mpsc::sync_channel;
    use std::task::Poll;

    fn api() -> Api {
        let disk: Arc<dyn Disk> = Arc::new(CrashDisk::default());
        let random = Arc::new(SystemRandom);
        let (store, found) = Directory::open(Arc::clone(&disk), 24 * 1024, random).unwrap();
        let journal = Journal::open(store, &found, Arc::clone(&disk), 0).unwrap();
        let state = CoreState::new(World::new().network);
        let (index, fees) = (Index::default(), FeeTable::default());
        let shared = Sequencer::new(journal, state, index, fees).shared();
        let clock = Arc::new(HandClock::at(World::START));
        let (queue, _) = sync_channel(1);
        let random = Arc::new(SystemRandom);
        Api::new(shared, queue, clock, random, disk, Vec::new())
    }

    /// The sequencer waits for whoever reads the state, so that few do at a time; nobody is sent away.
    #[tokio::test]
    async fn few_look_at_a_time_and_the_others_wait_their_turn() {
        let api = api();
        let places = &api.inner.places;
        let (first, _second) = (places.look().await.unwrap(), places.look().await.unwrap());
        let mut third = pin!(status(State(api.clone())));
        let waits = poll_fn(|cx| Poll::Ready(third.as_mut().poll(cx).is_pending())).await;
        assert!(waits);
        drop(first);
        assert_eq!(third.await.unwrap().status(), 200);
    }
}
