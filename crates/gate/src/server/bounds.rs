//! What requests may take: a body has a time to come in, nobody has all places at work, and those that
//! only read or wait have places of their own.

use super::{Api, MAX_BODY, Problem};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use portcullis_core::Reason;
use portcullis_core::id::PrincipalId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long the body may take.
const BODY_WITHIN: Duration = Duration::from_secs(5);
/// Requests that nobody signs and that may wait or read the disk.
const READERS: usize = 256;
/// Looks over the whole state at a time: the sequencer waits for those to write to it.
const LOOKS: usize = 2;
/// Requests of one principal that may wait for the sequencer.
const PER_PRINCIPAL: usize = 2048;

/// Places at work.
#[derive(Debug)]
pub(super) struct Places {
    readers: Semaphore,
    looks: Arc<Semaphore>,
    principals: Arc<Mutex<HashMap<PrincipalId, usize>>>,
}

/// One of a principal's places; given back when it is dropped.
pub(super) struct Place {
    principals: Arc<Mutex<HashMap<PrincipalId, usize>>>,
    principal: PrincipalId,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            readers: Semaphore::new(READERS),
            looks: Arc::new(Semaphore::new(LOOKS)),
            principals: Arc::default(),
        }
    }
}

impl Places {
    /// A place for a look over the whole state. Whoever asks has it in turn: operators need it most
    /// while others flood.
    pub(super) async fn look(&self) -> Result<OwnedSemaphorePermit, Reason> {
        let looks = Arc::clone(&self.looks).acquire_owned();
        looks.await.map_err(|_| Reason::Stopping)
    }

    /// One of the principal's places.
    pub(super) fn of(&self, principal: PrincipalId) -> Result<Place, Reason> {
        let mut taken = self
            .principals
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(principal).or_insert(0);
        if *count >= PER_PRINCIPAL {
            return Err(Reason::Busy);
        }
        *count += 1;
        let principals = Arc::clone(&self.principals);
        Ok(Place {
            principals,
            principal,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self
            .principals
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.principal) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.principal);
            }
        }
    }
}

/// Take the whole body before anything else: only then the request takes a place.
pub(super) async fn whole_body(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = match timeout(BODY_WITHIN, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(bytes)) => Body::from(bytes),
        Ok(Err(_)) => return Problem(Reason::TooLarge).into_response(),
        Err(_) => return Problem(Reason::RequestTimeout).into_response(),
    };
    next.run(Request::from_parts(parts, body)).await
}

/// Readers have places of their own, and no more than those.
pub(super) async fn reader(State(api): State<Api>, request: Request, next: Next) -> Response {
    match api.inner.places.readers.try_acquire() {
        Ok(_place) => next.run(request).await,
        Err(_) => Problem(Reason::Busy).into_response(),
    }
}
