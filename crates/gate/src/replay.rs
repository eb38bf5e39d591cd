//! The replay: entries of the journal, applied to a state that stands behind.
//!
//! Every core reads, one thread applies, and one notes in the index what came of it: what an entry says by
//! itself is known before it is its turn.

use crate::index::Index;
use crate::run::Error;
use portcullis_core::{Applied, ReadEntry, State};
use portcullis_journal::{LabelsError, ReadError, View};
use portcullis_tlog::TILE_WIDTH;
use std::num::NonZero;
use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Chunks of each reader that may wait to be applied.
const AHEAD: usize = 4;

/// Apply what stands in the journal from where state stands to a size, and note it in the index.
pub(crate) fn replay(
    (state, index): (&mut State, &mut Index),
    view: &View,
    size: u64,
    apply: impl Fn(&mut State, &ReadEntry) -> Applied,
) -> Result<(), Error> {
    let from = state.size();
    thread::scope(|scope| {
        let readers = thread::available_parallelism().map_or(1, NonZero::get);
        let reading = (0..readers).map(|reader| {
            let (send, chunks) = sync_channel(AHEAD);
            let mine = bundles(from..size).skip(reader).step_by(readers);
            scope.spawn(move || read(view, mine, &send));
            chunks
        });
        let reading: Vec<Receiver<Chunk>> = reading.collect();
        let (send, applied) = sync_channel::<Vec<(ReadEntry, Applied)>>(AHEAD);
        scope.spawn(move || {
            for (entry, applied) in applied.into_iter().flatten() {
                note(index, &entry, &applied);
            }
        });
        // They take turns, so the first that has no more is where the entries end.
        let in_turn = reading.iter().cycle().map_while(|next| next.recv().ok());
        for chunk in in_turn {
            let applied = chunk?.into_iter().map(|entry| {
                view.labels().provide(state, &entry)?;
                let applied = apply(state, &entry);
                Ok((entry, applied))
            });
            let applied: Result<_, LabelsError> = applied.collect();
            // Nobody takes it only where that thread panicked, which ends this one too.
            let _ = send.send(applied?);
        }
        Ok(())
    })
}

/// Entries that are read, applied and noted together: a bundle, as the files have them. More at once
/// would fall out of the cache on their way.
type Chunk = Result<Vec<ReadEntry>, ReadError>;

/// The parts of these entries that lie in one bundle each.
fn bundles(entries: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let width = u64::from(TILE_WIDTH);
    let numbers = entries.start / width..entries.end.div_ceil(width);
    numbers.map(move |number| {
        let (first, end) = (number * width, (number + 1) * width);
        first.max(entries.start)..end.min(entries.end)
    })
}

/// Send on what stands in the journal there.
fn read(view: &View, there: impl Iterator<Item = Range<u64>>, send: &SyncSender<Chunk>) {
    for range in there {
        let entries = view.entries(range, usize::MAX);
        let chunk = entries.map(|entries| {
            let read = entries.iter().map(|bytes| ReadEntry::from_bytes(bytes));
            read.collect()
        });
        if send.send(chunk).is_err() {
            return;
        }
    }
}

fn note(to: &mut Index, entry: &ReadEntry, applied: &Applied) {
    if let Err(fault) = entry.entry() {
        tracing::error!(index = applied.index, %fault, "an entry cannot be read");
    }
    to.add(entry, applied);
    if let Some(void) = &applied.void {
        tracing::error!(index = applied.index, %void, "the journal has a void entry");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_in_one_bundle_in_order() {
        for entries in [
            0..0,
            0..1,
            0..256,
            0..257,
            3..5,
            255..256,
            200..1025,
            512..512,
        ] {
            let bundles: Vec<Range<u64>> = bundles(entries.clone()).collect();
            let together: Vec<u64> = bundles.iter().cloned().flatten().collect();
            assert_eq!(together, entries.clone().collect::<Vec<_>>(), "{entries:?}");
            for bundle in bundles.iter().filter(|bundle| !bundle.is_empty()) {
                assert_eq!(bundle.start / 256, (bundle.end - 1) / 256, "{entries:?}");
            }
        }
    }
}
