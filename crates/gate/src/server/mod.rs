//! The HTTP API. JSON in, parsed, then encoded canonically: inbound JSON is never hashed or kept.

mod acts;
mod auth;
mod bounds;
mod bundle;
mod envelopes;
mod events;
mod follow;
mod idempotency;
mod labels;
mod log;
mod nonces;
mod openapi;
mod passkeys;
mod problem;
mod reads;
mod registrations;
mod standing;
mod statements;
mod status;

use crate::published::Witnessed;
use crate::sequencer::{Command, Outcome, Shared, What};
use crate::webhooks::Seen;
use axum::Router;
use axum::middleware::{from_fn, map_response};
use axum::routing::{get, post};
use bounds::Places;
use idempotency::Idempotency;
use labels::Uploads;
use nonces::Nonces;
use portcullis_core::Reason;
use portcullis_host::listen::Peer;
use portcullis_host::{Clock, Disk, Random};
pub use problem::Problem;
use registrations::Challenges;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Most bytes of a request body: an act, its evidence, and JSON around them.
pub const MAX_BODY: usize = 128 * 1024;

/// What handlers share.
#[derive(Clone)]
pub struct Api {
    inner: Arc<Inner>,
    webhooks: Arc<[Seen]>,
}

struct Inner {
    shared: Arc<Shared>,
    queue: SyncSender<Command>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    authorities: Vec<String>,
    /// Where sealed contacts wait for the herald.
    disk: Arc<dyn Disk>,
    idempotency: Idempotency,
    challenges: Challenges,
    nonces: Nonces,
    places: Places,
    uploads: Uploads,
}

impl Api {
    /// The API of a running sequencer.
    #[must_use]
    pub fn new(
        shared: Arc<Shared>,
        queue: SyncSender<Command>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        disk: Arc<dyn Disk>,
        authorities: Vec<String>,
    ) -> Self {
        let (idempotency, challenges) = (Idempotency::default(), Challenges::default());
        let nonces = Nonces::default();
        let inner = Inner {
            shared,
            queue,
            clock,
            random,
            authorities,
            disk,
            idempotency,
            challenges,
            nonces,
            places: Places::default(),
            uploads: Uploads::default(),
        };
        Self {
            inner: Arc::new(inner),
            webhooks: Arc::default(),
        }
    }

    /// The same, showing how these endpoints stand.
    #[must_use]
    pub(crate) fn showing(self, webhooks: Vec<Seen>) -> Self {
        let webhooks = webhooks.into();
        Self { webhooks, ..self }
    }

    /// The routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/v1/acts", post(acts::submit))
            .route("/v1/acts:simulate", post(acts::simulate))
            .route("/v1/acts/{digest}", get(standing::act))
            .route("/v1/acts/{digest}/evidence", post(acts::supplement))
            .route("/v1/acts/{digest}/receipt", get(reads::receipt))
            .route("/v1/accounts/{id}", get(reads::account))
            .route("/v1/checkpoint", get(reads::checkpoint))
            .route("/v1/events", get(events::page))
            .route("/v1/events/stream", get(events::stream))
            .route("/v1/labels", get(labels::lists))
            .route("/v1/labels/{digest}", get(labels::give))
            .route("/v1/labels/{digest}", post(labels::put))
            .route("/v1/limits", get(reads::limits))
            .route("/v1/policy", get(reads::policy))
            .route("/v1/status", get(status::status))
            .route("/v1/registrations/options", post(registrations::options))
            .route("/v1/registrations", post(registrations::finish))
            .route("/v1/statements", post(statements::take))
            .route("/v1/envelopes", post(envelopes::take))
            .route("/v1/envelopes/kept", post(envelopes::kept))
            .route("/v1/envelopes/{commitment}", get(envelopes::give))
            .route("/log/checkpoint", get(log::checkpoint))
            .route("/log/follow", get(follow::follow))
            .route("/log/tile/{*path}", get(log::tile))
            .route("/log/witnesses", get(reads::witnesses))
            .route("/openapi.json", get(openapi::document))
            .route("/metrics", get(reads::metrics))
            .route("/healthz", get(reads::health))
            .layer(from_fn(bounds::whole_body))
            .layer(map_response(problem::every_refusal))
            .with_state(self)
    }

    fn shared(&self) -> &Shared {
        &self.inner.shared
    }

    fn now(&self) -> portcullis_core::Time {
        self.inner.clock.now()
    }

    /// Have something journaled, and wait until it is durable.
    async fn journal(&self, what: What) -> Outcome {
        let outcome = self.queue(what)?;
        outcome.await.unwrap_or(Err(Reason::Stopping))
    }

    /// Have something journaled; what becomes of it comes later, to whoever still waits.
    fn queue(&self, what: What) -> Result<oneshot::Receiver<Outcome>, Reason> {
        let (reply, outcome) = oneshot::channel();
        match self.inner.queue.try_send(Command { what, reply }) {
            Ok(()) => Ok(outcome),
            Err(TrySendError::Full(_)) => Err(Reason::Busy),
            Err(TrySendError::Disconnected(_)) => Err(Reason::Stopping),
        }
    }

    /// The newest checkpoint, once it covers an entry from there on or the wait is over.
    async fn news(&self, peer: Peer, from: u64, wait: Duration) -> Option<Witnessed> {
        let published = &self.shared().published;
        if let Some(_place) = self.inner.places.to_wait(peer) {
            let mut newest = published.watch();
            let news = newest.wait_for(|newest| newest.as_ref().is_some_and(|n| n.covers(from)));
            let _ = tokio::time::timeout(wait, news).await;
        }
        published.newest()
    }

    fn count_refusal(&self) {
        self.shared().count_refusal();
    }
}
