//! How an endpoint stands, as the gate's status and metrics show it. Its address is not shown: it may be a secret.

use super::WebhookName;
use portcullis_core::Time;
use serde::Serialize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What an endpoint takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Takes {
    /// Every event, or none was sent yet.
    Events,
    /// Nothing: it is tried again.
    Nothing,
    /// Nothing, and wants nothing more (410): it is left alone until the gate starts again.
    Disabled,
}

/// How an endpoint stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Standing {
    pub(crate) takes: Takes,
    /// The first entry whose event it has not taken.
    pub(crate) next: u64,
    /// Since when it takes nothing.
    pub(crate) since: Option<Time>,
}

/// The same standing, for the thread that sends and for whoever asks.
#[derive(Clone)]
pub(crate) struct Seen {
    name: WebhookName,
    standing: Arc<Mutex<Standing>>,
}

impl Seen {
    pub(super) fn new(name: WebhookName, next: u64) -> Self {
        let (takes, since) = (Takes::Events, None);
        let standing = Standing { takes, next, since };
        let standing = Arc::new(Mutex::new(standing));
        Self { name, standing }
    }

    pub(crate) fn name(&self) -> &WebhookName {
        &self.name
    }

    pub(crate) fn now(&self) -> Standing {
        *self.lock()
    }

    pub(super) fn is_disabled(&self) -> bool {
        self.lock().takes == Takes::Disabled
    }

    pub(super) fn is_at(&self, next: u64) {
        self.lock().next = next;
    }

    pub(super) fn takes(&self, next: u64) {
        let (takes, since) = (Takes::Events, None);
        *self.lock() = Standing { takes, next, since };
    }

    pub(super) fn fails(&self, takes: Takes, now: Time) {
        let mut standing = self.lock();
        standing.takes = takes;
        standing.since = standing.since.or(Some(now));
    }

    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
