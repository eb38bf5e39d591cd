//! The gate's webhooks: each event of the journal goes to addresses of the configuration, one after the
//! other, until each is taken.
//!
//! They are hints, and `GET /v1/events` is the truth. Each endpoint has a thread and a cursor of its own in
//! the journal, so there is no queue to keep or to fill: one that is slow or dead is behind, and nobody waits
//! for it. The cursor is made durable with each page; a crash sends at most a page again, under the same ids.

mod standing;

use crate::events::Event;
use crate::history::Page;
use crate::log_keys::LogKeys;
use crate::sequencer::Shared;
use portcullis_core::rfc3339::rfc3339;
use portcullis_core::{Digest, Time};
use portcullis_host::{Clock, Disk, DiskError, Told};
use portcullis_keys::webhook::{Endpoint, NotTaken};
use serde::Deserialize;
use serde_json::json;
pub(crate) use standing::{Seen, Standing, Takes};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long there is between two looks for something new.
const PAUSE: Duration = Duration::from_millis(100);
/// How many entries are read at a time, and at most sent again after a crash.
const PAGE: u64 = 100;
/// Most bytes of a cursor: the digits of an index.
const CURSOR_BYTES: u64 = 20;

/// What an operator calls an endpoint: up to 32 of `a` to `z`, digits and `-`. It names a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct WebhookName(String);

impl TryFrom<String> for WebhookName {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if (1..=32).contains(&name.len()) && name.bytes().all(is_plain) {
            return Ok(Self(name));
        }
        Err("a webhook's name has 1 to 32 of a to z, digits and -")
    }
}

impl fmt::Display for WebhookName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why an endpoint's cursor is not used.
#[derive(Debug, thiserror::Error)]
pub enum CursorError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// It is no index.
    #[error(
        "{0} is damaged: write into it the entry to go on from, in decimal, or remove it to go on from \
         what comes next"
    )]
    Damaged(String),
}

/// Sends events to one endpoint.
pub struct Webhook {
    endpoint: Endpoint,
    cursor: Cursor,
    /// Events that were read and not taken yet, the oldest first.
    ready: VecDeque<Event>,
    /// The first entry behind those.
    read: u64,
    seen: Seen,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    /// The journal's keys, of which the one in force signs events.
    keys: LogKeys,
    answers: Told<bool>,
}

/// What a webhook reaches besides its endpoint.
pub(crate) struct Reach {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) keys: LogKeys,
}

impl Webhook {
    /// Go on where this endpoint was left. A new one begins with what comes after `size` entries.
    pub(crate) fn open(
        name: WebhookName,
        endpoint: Endpoint,
        size: u64,
        reach: Reach,
    ) -> Result<Self, CursorError> {
        let Reach {
            clock,
            disk,
            shared,
            keys,
        } = reach;
        let cursor = Cursor::open(disk, &name, size)?;
        let read = cursor.kept;
        Ok(Self {
            endpoint,
            cursor,
            ready: VecDeque::new(),
            read,
            seen: Seen::new(name, read),
            clock,
            shared,
            keys,
            answers: Told::default(),
        })
    }

    /// How it stands, for whoever asks the gate.
    pub(crate) fn seen(&self) -> Seen {
        self.seen.clone()
    }

    /// Send for ever.
    pub(crate) fn run(mut self) {
        loop {
            if !self.step() {
                std::thread::sleep(PAUSE);
            }
        }
    }

    /// Have the oldest event taken, if one waits and it is time. Says whether there may be more.
    pub fn step(&mut self) -> bool {
        let now = self.clock.now();
        if self.seen.is_disabled() || !self.endpoint.is_ready(now) {
            return false;
        }
        let more = self.ready.is_empty() && self.read_more();
        let Some(event) = self.ready.front() else {
            return more;
        };
        let Some(key) = self.keys.in_force(&self.shared.state()) else {
            // The gate has a key that a rotation put another in the place of: nobody is to believe it.
            return false;
        };
        self.endpoint.sign_with(key);
        let (id, body) = written(event);
        let taken = self.endpoint.deliver(&id, &body, now);
        let at = event.entry;
        self.judge(at, taken, now)
    }

    fn judge(&mut self, at: u64, taken: Result<(), NotTaken>, now: Time) -> bool {
        self.tell(taken.as_ref().err());
        match taken {
            Ok(()) => {
                self.ready.pop_front();
                let next = self.ready.front().map_or(self.read, |event| event.entry);
                self.seen.takes(next);
                if self.ready.is_empty() {
                    self.cursor.keep(next);
                }
                true
            }
            Err(fault) => {
                self.cursor.keep(at);
                let how = if fault.is_gone() {
                    Takes::Disabled
                } else {
                    Takes::Nothing
                };
                self.seen.fails(how, now);
                false
            }
        }
    }

    /// The next page of the journal, where there is one. Says whether there is more behind it.
    fn read_more(&mut self) -> bool {
        match Page::read(&self.shared, self.read, PAGE) {
            Ok(page) => {
                self.read = page.next.map_or(self.read, |next| next.saturating_add(1));
                self.ready.extend(page.events);
                let next = self.ready.front().map_or(self.read, |event| event.entry);
                self.seen.is_at(next);
                page.more
            }
            Err(error) => {
                tracing::error!(%error, "cannot read the journal for a webhook");
                false
            }
        }
    }

    /// Only when it changes: an endpoint that is down would fill the log.
    fn tell(&mut self, fault: Option<&NotTaken>) {
        if !self.answers.is_news(fault.is_none()) {
            return;
        }
        let name = self.seen.name();
        match fault {
            None => tracing::info!(%name, "the webhook takes events"),
            Some(fault) if fault.is_gone() => tracing::warn!(%name,
                "the webhook wants no more events: it is disabled until the gate starts again"),
            Some(fault) => tracing::warn!(%name, %fault,
                "the webhook takes no events; it is tried again, and goes on where it was left"),
        }
    }
}

/// An event's id, the same however often it is sent, and its body.
fn written(event: &Event) -> (String, String) {
    let (kind, time) = (format!("event.{}", event.r#type), rfc3339(event.time));
    let body = json!({"type": kind, "timestamp": time, "data": event}).to_string();
    (format!("event_{}", Digest::plain(body.as_bytes())), body)
}

/// Up to which entry an endpoint has taken everything, on disk.
struct Cursor {
    disk: Arc<dyn Disk>,
    file: String,
    /// The first entry that it may not have taken.
    kept: u64,
}

impl Cursor {
    fn open(disk: Arc<dyn Disk>, name: &WebhookName, size: u64) -> Result<Self, CursorError> {
        let file = format!("webhooks/{name}");
        let kept = match disk.read(&file, CURSOR_BYTES)? {
            Some(digits) => index(&digits).ok_or_else(|| CursorError::Damaged(file.clone()))?,
            None => {
                // Before anything is sent: a start that comes before the first event begins here, too.
                disk.replace(&file, size.to_string().as_bytes())?;
                size
            }
        };
        Ok(Self { disk, file, kept })
    }

    /// Make it durable. Where that fails, a later start sends more again, which is all that is lost.
    fn keep(&mut self, next: u64) {
        if next == self.kept {
            return;
        }
        match self.disk.replace(&self.file, next.to_string().as_bytes()) {
            Ok(()) => self.kept = next,
            Err(error) => tracing::warn!(%error, "a webhook's cursor is not written"),
        }
    }
}

fn index(digits: &[u8]) -> Option<u64> {
    str::from_utf8(digits).ok()?.trim_end().parse().ok()
}

#[cfg(test)]
mod tests;
