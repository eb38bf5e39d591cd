//! What staff and everybody may read.

use super::status::{behind, look};
use super::{Api, Problem, auth, bundle};
use crate::index::{Index, Place};
use crate::sequencer::Shared;
use crate::webhooks::{Seen, Standing, Takes};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use portcullis_core::act::ActKind;
use portcullis_core::code::Code;
use portcullis_core::evidence::Claim;
use portcullis_core::factor::{Factor, FactorKind, factor_id};
use portcullis_core::id::AccountId;
use portcullis_core::receipt::{Receipt, Succession};
use portcullis_core::state::Facts;
use portcullis_core::state::account::Owner;
use portcullis_core::state::release::{Release, Stage};
use portcullis_core::statement::Says;
use portcullis_core::{Body, Digest, Entry, Evidence, Reason};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// `GET /v1/acts/{digest}/receipt`
pub(super) async fn receipt(
    State(api): State<Api>,
    Path(digest): Path<String>,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Problem> {
    auth::reader(&api, &parts, &body)?;
    let digest: Digest = digest.parse().map_err(|_| Reason::NotFound)?;
    let built = tokio::task::spawn_blocking(move || build_receipt(&api, digest)).await;
    let receipt = built
        .map_err(|_| Reason::Stopping)?
        .ok_or(Reason::NotFound)?;
    Ok(Json(receipt).into_response())
}

/// Every entry that speaks of the act, and those that its evidence rests on.
fn build_receipt(api: &Api, act: Digest) -> Option<Receipt> {
    let shared = api.shared();
    let witnessed = shared.published.newest()?;
    let size = witnessed.head.size;
    let read = |index: u64| entry_at(api, index);
    let spoken = shared.index().act(act);
    let is_stated = spoken.iter().any(|index| {
        let body = read(*index).map(|entry| entry.body);
        *index < size
            && matches!(body, Some(Body::Statement(s)) if matches!(s.statement.says, Says::Signed { .. }))
    });
    if !is_stated {
        return None;
    }
    let Succession {
        checkpoint,
        entries,
        handovers,
    } = bundle::under(api, &witnessed, spoken)?;
    Some(Receipt {
        act,
        checkpoint,
        entries,
        handovers,
    })
}

/// `GET /log/witnesses`: who cosigns now, from genesis on.
pub(super) async fn witnesses(State(api): State<Api>) -> Result<Response, Problem> {
    let built = tokio::task::spawn_blocking(move || {
        let witnessed = api.shared().published.newest()?;
        bundle::under(&api, &witnessed, Vec::new())
    });
    let built = built.await.map_err(|_| Reason::Stopping)?;
    Ok(Json(built.ok_or(Reason::WitnessesStale)?).into_response())
}

pub(super) fn entry_at(api: &Api, index: u64) -> Option<Entry> {
    Entry::from_bytes(&api.shared().view.entry(index).ok()?).ok()
}

/// The entries that an entry rests on: those that enrolled the factors of its evidence and appointed
/// their member, that added its address, that put the keys in force which it counts by, and all that speak
/// of an act which waited for others. `about` is the account that all of it is about, where it is one.
pub(super) fn rests_on(
    api: &Api,
    about: Option<AccountId>,
    (at, entry): (u64, &Entry),
) -> Vec<u64> {
    let index = api.shared().index();
    match &entry.body {
        Body::Act(submission) => {
            let act = &submission.act;
            let more = match &act.kind {
                ActKind::Withdraw(withdraw) => {
                    let address = act.account.map(|id| index.address(id, withdraw.to, at));
                    let quorums = act.account.map(|id| index.quorums(id, at));
                    let quorums = quorums.into_iter().flatten();
                    address.flatten().into_iter().chain(quorums).collect()
                }
                ActKind::AddAddress(_)
                | ActKind::AddPrincipal(_)
                | ActKind::SetAccountQuorum(_)
                | ActKind::GrantRole(_)
                | ActKind::Recover(_)
                | ActKind::Rotate(_)
                | ActKind::RecoverAdministrators(_) => index.act(act.digest()),
                _ => Vec::new(),
            };
            let evidence = provers((api, &index), about, (at, &submission.evidence));
            evidence.into_iter().chain(more).collect()
        }
        Body::Evidence(supplement) => provers((api, &index), about, (at, &supplement.evidence)),
        Body::Settle(settlement) => {
            let administrators = index.replaced(Place::Administrators, at);
            // What pays has been asked about itself, or is another's that is paid by the same plan.
            let waited = settlement.plan.is_none().then_some(settlement.act);
            let about = waited.into_iter().flat_map(|act| index.act(act));
            about.chain(administrators).collect()
        }
        Body::Statement(signed) => {
            let key = index.replaced(Place::Keeper(signed.statement.keeper), at);
            key.into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The entries that enrolled the factors of this evidence, those that appointed their member, and those that
/// put the issuers or roots in force which attest.
fn provers(
    (api, index): (&Api, &Index),
    about: Option<AccountId>,
    (at, evidence): (u64, &Evidence),
) -> Vec<u64> {
    let passkeys = evidence
        .assertions
        .iter()
        .map(|a| factor_id(&a.credential.0));
    let keys = evidence.requests.iter().filter_map(|signed| {
        let base = portcullis_core::request::parse_base(&signed.base).ok()?;
        base.parts().key_id.parse().ok()
    });
    let state = api.shared().state();
    let code = evidence.code.as_ref().map(Code::factor);
    let entries = passkeys.chain(keys).chain(code).flat_map(|id| {
        let member = state.facts().staff_factors.get(&id);
        let appointed = member.and_then(|who| index.appointed(*who, at));
        let of: BTreeSet<Option<AccountId>> = [None, about].into();
        let enrolled = of.into_iter().filter_map(|of| index.factor(id, of, at));
        let enrolled: Vec<u64> = enrolled.chain(appointed).collect();
        enrolled
    });
    let attested = evidence.attestations.iter();
    let places = attested.map(|attestation| match attestation.statement.claim {
        Claim::Root => Place::Roots,
        _ => Place::Issuers,
    });
    let places: BTreeSet<Place> = places.collect();
    let rotated = places
        .into_iter()
        .filter_map(|place| index.replaced(place, at));
    entries.chain(rotated).collect()
}

/// `GET /v1/accounts/{id}`
pub(super) async fn account(
    State(api): State<Api>,
    Path(id): Path<String>,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Problem> {
    auth::reader(&api, &parts, &body)?;
    let id: AccountId = id.parse().map_err(|_| Reason::NotFound)?;
    let state = api.shared().state();
    let account = state.facts().account(id).ok_or(Reason::UnknownAccount)?;
    let holders: Vec<Value> = account
        .holders
        .iter()
        .map(|holder| {
            let principal = holder.principal;
            let owner = Owner::Holder {
                account: id,
                principal,
            };
            let factors = holder.factors.iter();
            let factors = factors.map(|factor| factor_of(state.facts(), owner, factor));
            let factors: Vec<Value> = factors.collect();
            json!({ "principal": holder.principal, "factors": factors })
        })
        .collect();
    let addresses: Vec<Value> = account
        .book
        .iter()
        .map(|entry| {
            json!({
                "address": entry.address.get(), "available_at": entry.available.time(),
            })
        })
        .collect();
    Ok(Json(json!({
        "account": id, "subject": account.subject, "frozen": account.frozen.is_some(),
        "delay_ms": account.delay, "quorum": account.quorum.count(), "holders": holders, "addresses": addresses,
    }))
    .into_response())
}

fn factor_of(facts: &Facts, owner: Owner, factor: &Factor) -> Value {
    let mut shown = json!({
        "id": factor.id, "kind": factor.kind, "available_at": factor.available.time(),
        // One of an older epoch never counts again, whenever it became available.
        "counts": facts.is_current(owner, factor.kind, factor.epochs),
    });
    if factor.imported.0 {
        shown["imported"] = json!(true);
    }
    if factor.kind == FactorKind::RecoveryCodes {
        shown["codes_left"] = json!(facts.codes.left(owner, factor.id));
    }
    shown
}

/// `GET /v1/checkpoint`: what a new act names.
///
/// The newest journaled checkpoint; right after a start the newest cosigned one, which leads the batch
/// that the act goes into. While the witnesses are silent then, the newest that the journal has: a stop
/// must be possible.
pub(super) async fn checkpoint(State(api): State<Api>) -> Result<Response, Problem> {
    let cosigned = || {
        let newest = api.shared().published.newest()?;
        let body = crate::sequencer::body_digest(&newest.note)?;
        Some((body, newest.head.size, newest.oldest))
    };
    let named = api.shared().checkpoint().or_else(cosigned);
    let named = named.or_else(|| api.shared().journaled_checkpoint());
    let (digest, size, time) = named.ok_or(Reason::WitnessesStale)?;
    Ok(Json(json!({ "digest": digest, "size": size, "time": time })).into_response())
}

/// `GET /v1/limits`: those in force, as `set-limits` replaces them.
pub(super) async fn limits(State(api): State<Api>) -> Response {
    let state = api.shared().state();
    let limits = &state.facts().limits;
    Json(json!({ "digest": limits.digest(), "limits": limits })).into_response()
}

/// `GET /v1/policy`: the one in force, as `set-policy` replaces it.
pub(super) async fn policy(State(api): State<Api>) -> Response {
    let state = api.shared().state();
    let policy = state.facts().policy();
    Json(json!({ "digest": policy.digest(), "policy": policy })).into_response()
}

/// `GET /metrics`: Prometheus' text format.
pub(super) async fn metrics(State(api): State<Api>) -> Result<Response, Problem> {
    // It passes over every release under way.
    let text = look(api, |api| {
        exposition(api.shared()) + &webhooks(&api.webhooks, behind(api.shared()))
    })
    .await?;
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

fn exposition(shared: &Shared) -> String {
    let refused = shared.refusals();
    let state = shared.state();
    let facts = state.facts();
    let is_withheld = |release: &&Release| matches!(release.stage, Stage::Withheld(_));
    let withheld = facts.releases.values().filter(is_withheld).count();
    let rows = [
        ("portcullis_journal_entries", "counter", state.size()),
        ("portcullis_void_entries", "counter", facts.void_entries),
        ("portcullis_unauthenticated_refusals", "counter", refused),
        ("portcullis_held_acts", "gauge", facts.held.len() as u64),
        (
            "portcullis_releases_in_flight",
            "gauge",
            facts.releases.len() as u64,
        ),
        ("portcullis_releases_withheld", "gauge", withheld as u64),
        (
            "portcullis_suspensions",
            "gauge",
            facts.suspensions.len() as u64,
        ),
    ];
    let mut text = String::new();
    for (name, kind, value) in rows {
        // Writing to a string cannot fail.
        let _ = write!(text, "# TYPE {name} {kind}\n{name} {value}\n");
    }
    text
}

/// Each endpoint's rows: how many entries it is behind, and whether it takes events.
fn webhooks(all: &[Seen], behind: impl Fn(u64) -> u64) -> String {
    let mut text = String::new();
    let rows: [(&str, &dyn Fn(Standing) -> u64); 3] = [
        ("behind", &|standing| behind(standing.next)),
        ("failing", &|standing| {
            u64::from(standing.takes == Takes::Nothing)
        }),
        ("disabled", &|standing| {
            u64::from(standing.takes == Takes::Disabled)
        }),
    ];
    for (name, value) in rows.iter().filter(|_| !all.is_empty()) {
        let _ = writeln!(text, "# TYPE portcullis_webhook_{name} gauge");
        for webhook in all {
            let (id, value) = (webhook.name(), value(webhook.now()));
            let _ = writeln!(text, "portcullis_webhook_{name}{{name=\"{id}\"}} {value}");
        }
    }
    text
}

/// `GET /healthz`
pub(super) async fn health() -> &'static str {
    "ok\n"
}
