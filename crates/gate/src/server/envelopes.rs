//! Sealed contacts on their way to the herald. The journal holds the commitment to each; the envelope
//! waits here, on disk, until the herald has said that it keeps it.

use super::problem::read_json;
use super::{Api, Problem, auth};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use portcullis_core::act::ActKind;
use portcullis_core::factor::{Factor, Means};
use portcullis_core::id::AccountId;
use portcullis_core::kept::{MAX_KEPT, SignedKept};
use portcullis_core::realm::Role;
use portcullis_core::state::Facts;
use portcullis_core::{Digest, Domain, Reason, codec};
use portcullis_host::listen::Peer;
use portcullis_host::{Disk, DiskError};
use serde::Deserialize;
use std::sync::Arc;

/// Most bytes of an envelope (`docs/spec/contact.md`).
const MAX_ENVELOPE: usize = 1584;
/// Most bytes of a herald's word.
const MAX_WORD: usize = 64 * MAX_KEPT;

/// The body of `POST /v1/envelopes`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    account: AccountId,
    #[serde(with = "portcullis_core::text::base64url")]
    envelope: Vec<u8>,
}

/// `POST /v1/envelopes`: beside the act that commits to it, or again where the herald lacks it. Only
/// what the journal commits to is taken, so that they are no more than accounts.
pub(super) async fn take(
    State(api): State<Api>,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Problem> {
    let caller = auth::role(&api, &parts, &body, &[Role::BackEnd, Role::Administrator])?;
    let Sent { account, envelope } = read_json(&body)?;
    if envelope.len() > MAX_ENVELOPE {
        return Err(Reason::TooLarge.into());
    }
    let contact = Digest::of(Domain::Contact, &envelope);
    let look = api.inner.places.look().await?;
    if !is_committed(api.shared().state().facts(), account, contact) {
        return Err(Reason::NotFound.into());
    }
    drop(look);
    api.inner.nonces.spend(caller.nonce, api.now())?;
    on_disk(&api, move |disk| disk.replace(&file(contact), &envelope)).await?;
    Ok(StatusCode::ACCEPTED.into_response())
}

/// Whether the account, a TOTP factor of it, or a change of its contact that waits, commits to it.
fn is_committed(facts: &Facts, account: AccountId, contact: Digest) -> bool {
    let known = facts.account(account);
    let is_seed = |factor: &Factor| factor.means == Means::Seed(contact);
    let mut factors = known.into_iter().flat_map(|known| {
        let holders = known.holders.iter();
        holders.flat_map(|holder| &holder.factors)
    });
    known.is_some_and(|known| known.contact.as_deref() == Some(&contact))
        || factors.any(is_seed)
        || facts.held.values().any(|held| {
            let changes =
                matches!(&held.act.kind, ActKind::ChangeContact(to) if to.contact == contact);
            changes && held.act.account == Some(account)
        })
}

/// `GET /v1/envelopes/{commitment}`: for the herald, and of no use to anybody else.
pub(super) async fn give(
    State(api): State<Api>,
    peer: Peer,
    Path(contact): Path<String>,
) -> Result<Response, Problem> {
    let contact: Digest = contact.parse().map_err(|_| Reason::NotFound)?;
    let place = api.inner.places.to_read(peer).await?;
    let read = move |disk: &dyn Disk| disk.read(&file(contact), MAX_ENVELOPE as u64);
    let envelope = on_disk(&api, read).await?.ok_or(Reason::NotFound)?;
    drop(place);
    let kind = [(CONTENT_TYPE, "application/octet-stream")];
    Ok((kind, envelope).into_response())
}

/// `POST /v1/envelopes/kept`: canonical CBOR, signed inside by the herald.
pub(super) async fn kept(
    State(api): State<Api>,
    peer: Peer,
    body: Bytes,
) -> Result<Response, Problem> {
    let word: SignedKept = codec::decode(&body, MAX_WORD).map_err(|_| Reason::Malformed)?;
    let counts = {
        let shared = api.shared();
        word.counts(&shared.state(), api.now(), &shared.memo)
    };
    if !counts {
        return Err(Reason::StatementRefused.into());
    }
    let place = api.inner.places.to_read(peer).await?;
    let forget = move |disk: &dyn Disk| {
        let mut contacts = word.kept.contacts.iter();
        contacts.try_for_each(|contact| disk.remove(&file(*contact)))
    };
    on_disk(&api, forget).await?;
    drop(place);
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn file(contact: Digest) -> String {
    format!("envelopes/{contact}")
}

/// Work on the disk, off the threads that answer.
async fn on_disk<T: Send + 'static>(
    api: &Api,
    work: impl FnOnce(&dyn Disk) -> Result<T, DiskError> + Send + 'static,
) -> Result<T, Reason> {
    let disk = Arc::clone(&api.inner.disk);
    let done = tokio::task::spawn_blocking(move || work(disk.as_ref())).await;
    match done {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => {
            tracing::error!(%error, "the sealed contacts' folder");
            Err(Reason::JournalFull)
        }
        Err(_) => Err(Reason::Stopping),
    }
}
