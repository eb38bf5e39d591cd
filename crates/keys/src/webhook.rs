//! Webhooks as Standard Webhooks has them, signed `v1a` by a statement key, which has to be Ed25519.

use crate::StatementKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use portcullis_core::signature::PublicKey;
use portcullis_core::{Span, Time};
use portcullis_host::{Http, HttpError, Reply};
use std::sync::Arc;
use std::time::Duration;

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most bytes of its answer.
const MAX_ANSWER: u64 = 64 * 1024;
/// How long an endpoint is left alone that took nothing: at first, and at most.
const FIRST_WAIT: Span = Span::seconds(1);
const LONGEST_WAIT: Span = Span::seconds(300);
/// What it answers that wants no more of them, ever.
const GONE: u16 = 410;

/// Post a body of JSON under an id, by which whoever gets it twice knows it.
pub fn post(
    http: &dyn Http,
    url: &str,
    key: &dyn StatementKey,
    id: &str,
    body: &str,
    now: Time,
) -> Result<Reply, HttpError> {
    let timestamp = (now.0 / 1000).to_string();
    let signed = key.sign(format!("{id}.{timestamp}.{body}").as_bytes());
    let signature = signed.map_err(|error| HttpError {
        url: url.to_owned(),
        why: error.to_string(),
    })?;
    let signature = format!("v1a,{}", BASE64.encode(signature.as_bytes()));
    let headers = [
        ("content-type", "application/json"),
        ("webhook-id", id),
        ("webhook-timestamp", &timestamp),
        ("webhook-signature", &signature),
    ];
    http.post(url, &headers, body.as_bytes(), MAX_ANSWER, PATIENCE)
}

/// Why an endpoint has not taken a webhook, as far as anybody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It was not reached, or did not answer in time.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// It answered with something else than a success. A redirect is none: nobody follows it.
    #[error("it answered with status {0}")]
    Status(u16),
}

impl NotTaken {
    /// Whether it wants no more webhooks at all (410).
    #[must_use]
    pub fn is_gone(&self) -> bool {
        *self == Self::Status(GONE)
    }
}

/// Where webhooks go, one after the other. While it takes none it is left alone, for ever longer.
pub struct Endpoint {
    http: Arc<dyn Http>,
    url: String,
    key: Arc<dyn StatementKey>,
    next: Time,
    wait: Span,
}

impl Endpoint {
    /// One that has failed nobody yet; `None` where the key is not Ed25519, which `v1a` needs.
    #[must_use]
    pub fn new(http: Arc<dyn Http>, url: String, key: Arc<dyn StatementKey>) -> Option<Self> {
        matches!(key.public_key(), PublicKey::Ed25519(_)).then(|| Self {
            http,
            url,
            key,
            next: Time(0),
            wait: FIRST_WAIT,
        })
    }

    /// Sign with this key from here on, which is Ed25519 like the one before.
    pub fn sign_with(&mut self, key: &Arc<dyn StatementKey>) {
        if matches!(key.public_key(), PublicKey::Ed25519(_)) {
            self.key = Arc::clone(key);
        }
    }

    /// Whether it is to be tried again.
    #[must_use]
    pub fn is_ready(&self, now: Time) -> bool {
        self.next <= now
    }

    /// Have it take a webhook. Without an answer it may have taken it all the same: send it again under
    /// the same id.
    pub fn deliver(&mut self, id: &str, body: &str, now: Time) -> Result<(), NotTaken> {
        let taken = self.offer(id, body, now);
        if taken.is_ok() {
            self.wait = FIRST_WAIT;
        } else {
            self.next = now.after(self.wait);
            self.wait = Span((self.wait.0 * 2).min(LONGEST_WAIT.0));
        }
        taken
    }

    fn offer(&self, id: &str, body: &str, now: Time) -> Result<(), NotTaken> {
        let (http, key) = (self.http.as_ref(), self.key.as_ref());
        match post(http, &self.url, key, id, body, now)?.status {
            200..300 => Ok(()),
            status => Err(NotTaken::Status(status)),
        }
    }
}
