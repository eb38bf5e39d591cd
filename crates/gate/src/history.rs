//! The events of the journal page by page, as all who follow them get them.

use crate::events::{Aside, Event};
use crate::sequencer::Shared;
use portcullis_core::Entry;
use portcullis_journal::ReadError;
use serde::Serialize;

/// Most bytes of entries that one page reads.
const ENTRY_BYTES: usize = 4 << 20;

/// Events from one entry on. Only of entries under a cosigned checkpoint: what was told once is never
/// otherwise.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    pub(crate) events: Vec<Event>,
    /// What to ask after next: the last entry that was looked at; none where there is nothing yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<u64>,
    /// Whether there is more already.
    pub(crate) more: bool,
}

impl Page {
    /// Look at so many entries from this one on.
    pub(crate) fn read(shared: &Shared, from: u64, limit: u64) -> Result<Self, ReadError> {
        let newest = shared.published.newest();
        let size = newest.map_or(0, |newest| newest.head.size);
        let end = from.saturating_add(limit).min(size);
        if from >= end {
            return Ok(Self {
                events: Vec::new(),
                next: from.checked_sub(1),
                more: false,
            });
        }
        let entries = shared.view.entries(from..end, ENTRY_BYTES)?;
        let read = from + entries.len() as u64;
        let asides: Vec<Aside> = shared.index().asides(from..read).collect();
        let events = (from..read).zip(&entries);
        let events = events.filter_map(|(index, bytes)| event(index, bytes, &asides));
        Ok(Self {
            events: events.collect(),
            next: read.checked_sub(1),
            more: read < size,
        })
    }
}

fn event(index: u64, bytes: &[u8], asides: &[Aside]) -> Option<Event> {
    let entry = Entry::from_bytes(bytes).ok()?;
    let first = asides.partition_point(|aside| aside.entry < index);
    let end = asides.partition_point(|aside| aside.entry <= index);
    Event::of(&entry, index, &asides[first..end])
}
