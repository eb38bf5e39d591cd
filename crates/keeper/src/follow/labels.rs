//! Fetching label sets: what an entry takes, or an act that waits would bring.
//!
//! The gate is believed in nothing here either. A set comes in pieces, one to a step, so that following goes
//! on; its bytes are opened by their digest, kept on disk, and only then looked into. Without them the keeper
//! stands still before the entry: it neither acts nor alarms.

use super::{FollowFault, Follower};
use portcullis_core::act::{ActKind, SetLabels};
use portcullis_core::effect::Effect;
use portcullis_core::follow::LABELS_PIECE;
use portcullis_core::labels::{MAX_SET, Opened};
use portcullis_core::{Digest, Domain, ReadEntry};
use portcullis_journal::{LabelFiles, LabelsError};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long a piece may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is to be fetched, and what of it there is.
#[derive(Default)]
pub(super) struct Fetching {
    /// The set that the next entry takes.
    needed: Option<Digest>,
    /// Sets of acts that wait.
    ahead: BTreeSet<Digest>,
    /// Of which the pieces are that came by now.
    of: Option<Digest>,
    bytes: Vec<u8>,
}

impl Follower {
    /// Before the first step: sets of acts that wait already.
    pub(super) fn looking_ahead(mut self) -> Self {
        self.fetching.ahead = self.state.labels_ahead();
        self
    }

    /// Puts at hand what an entry takes, from the own disk. Whether nothing is missing.
    pub(super) fn has_labels_for(&mut self, read: &ReadEntry) -> bool {
        for digest in self.state.lacks(read) {
            match LabelFiles(self.machine.disk.as_ref()).open(digest) {
                Ok(opened) => self.state.hold_labels(opened),
                Err(error) => {
                    self.fetching.await_set(digest, &error);
                    return false;
                }
            }
        }
        true
    }

    /// What an entry changed: it may hold an act that will bring a set.
    pub(super) fn note_labels(&mut self, changes: &[Effect]) {
        let named = changes.iter().filter_map(|change| match change {
            Effect::Hold { act, .. } => match &act.kind {
                ActKind::SetLabels(SetLabels { set, .. }) => Some(set.as_ref()?.digest),
                _ => None,
            },
            _ => None,
        });
        self.fetching.ahead.extend(named);
    }

    /// One piece more of what is missing. Whether an entry still waits for it.
    pub(super) fn fetch_labels(&mut self) -> Result<bool, FollowFault> {
        let wanted = self.fetching.needed.or_else(|| self.next_ahead());
        let Some(digest) = wanted else {
            return Ok(false);
        };
        let fetched = self.fetch_piece(digest).and_then(|whole| {
            let taken = whole.map(|bytes| self.take_labels(digest, bytes));
            taken.unwrap_or(Ok(()))
        });
        match fetched {
            Ok(()) => {}
            // It is asked for again once an entry takes it.
            Err(_) if self.fetching.needed.is_none() => self.fetching.give_up(digest),
            Err(fault) => {
                self.fetching.begin_anew();
                return Err(fault);
            }
        }
        Ok(self.fetching.needed.is_some())
    }

    fn next_ahead(&mut self) -> Option<Digest> {
        let files = LabelFiles(self.machine.disk.as_ref());
        let ahead = &mut self.fetching.ahead;
        ahead.retain(|digest| !files.has(*digest));
        ahead.first().copied()
    }

    /// The next piece; all bytes where it was the last.
    fn fetch_piece(&mut self, digest: Digest) -> Result<Option<Vec<u8>>, FollowFault> {
        let from = self.fetching.begin(digest);
        let url = format!("{}/v1/labels/{digest}?from={from}", self.gate);
        let http = &self.machine.http;
        let reply = http.get(&url, &[], LABELS_PIECE as u64, PATIENCE)?;
        if reply.status != 200 {
            return Err(FollowFault::Status(reply.status));
        }
        let is_last = reply.body.len() < LABELS_PIECE;
        let bytes = &mut self.fetching.bytes;
        bytes.extend_from_slice(&reply.body);
        if bytes.len() > MAX_SET {
            return Err(FollowFault::Labels(digest));
        }
        Ok(is_last.then(|| self.fetching.end()))
    }

    fn take_labels(&mut self, digest: Digest, bytes: Vec<u8>) -> Result<(), FollowFault> {
        if Digest::of(Domain::Labels, &bytes) != digest {
            return Err(FollowFault::Labels(digest));
        }
        if let Err(error) = LabelFiles(self.machine.disk.as_ref()).keep(digest, &bytes) {
            // It is fetched again after a restart.
            tracing::error!(%error, "cannot keep a label set");
        }
        let is_needed = self.fetching.got(digest);
        if is_needed {
            tracing::info!(set = %digest, "the label set is there: following on");
            let opened = Opened::named(digest, bytes);
            self.state
                .hold_labels(opened.map_err(|_| FollowFault::Labels(digest))?);
        }
        Ok(())
    }
}

impl Fetching {
    pub(super) const fn awaits(&self) -> bool {
        self.needed.is_some()
    }

    fn await_set(&mut self, digest: Digest, why: &LabelsError) {
        if self.needed != Some(digest) {
            tracing::warn!(set = %digest, %why, "an entry takes a label set that is not here: fetching it");
        }
        self.needed = Some(digest);
    }

    /// Of which byte on the next piece is to be.
    fn begin(&mut self, digest: Digest) -> usize {
        if self.of != Some(digest) {
            self.bytes = Vec::new();
            self.of = Some(digest);
        }
        self.bytes.len()
    }

    fn end(&mut self) -> Vec<u8> {
        self.of = None;
        core::mem::take(&mut self.bytes)
    }

    /// What came may be what was wrong.
    fn begin_anew(&mut self) {
        let _ = self.end();
    }

    /// It is there. Whether an entry waits for it.
    fn got(&mut self, digest: Digest) -> bool {
        self.ahead.remove(&digest);
        self.needed.take_if(|needed| *needed == digest).is_some()
    }

    /// Nobody has it, or nobody who says so.
    fn give_up(&mut self, digest: Digest) {
        self.ahead.remove(&digest);
        self.begin_anew();
    }
}
