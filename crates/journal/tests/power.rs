//! In every operation of the journal its process is killed or the power goes, and then each sector that
//! was not synced survives or not: what was acknowledged is there, a batch is whole or absent, and every file is right again.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

use portcullis_host::{Disk, SystemRandom};
use portcullis_journal::{Directory, Journal, OpenError, Projection};
use portcullis_keeper::testkit::CrashDisk;
use portcullis_tlog::{new_bundles, new_tiles};
use proptest::prelude::*;
use std::sync::Arc;

/// Small, so that segments end often.
const SEGMENT: u64 = 6 * 1024;

/// What happens between two starts.
#[derive(Clone, Debug)]
struct Run {
    /// Operations of the disk until the process ends.
    power_for: u64,
    /// Only the process ended: what it wrote can be read, synced or not.
    is_killed: bool,
    /// Which sectors survive.
    seed: u64,
    /// The sizes of the entries of each batch, and whether the files are published after it.
    batches: Vec<(Vec<usize>, bool)>,
}

fn runs() -> impl Strategy<Value = Vec<Run>> {
    let entry = prop_oneof![4 => 0..40_usize, 1 => 40..1500_usize];
    let batch = (prop::collection::vec(entry, 1..60), any::<bool>());
    let run = (
        0..160_u64,
        prop::bool::weighted(0.3),
        any::<u64>(),
        prop::collection::vec(batch, 1..25),
    );
    let run = run.prop_map(|(power_for, is_killed, seed, batches)| Run {
        power_for,
        is_killed,
        seed,
        batches,
    });
    prop::collection::vec(run, 1..5)
}

/// The journal beside what it must hold.
#[derive(Default)]
struct Model {
    disk: CrashDisk,
    acknowledged: Vec<Vec<u8>>,
    /// The batch under way when the power went.
    unanswered: Vec<Vec<u8>>,
    /// The size of the last published checkpoint.
    known: u64,
}

impl Model {
    fn open(&self) -> Result<Journal<Directory>, OpenError> {
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        let (store, recovered) =
            Directory::open(Arc::clone(&disk), SEGMENT, Arc::new(SystemRandom))?;
        Journal::open(store, &recovered, disk, self.known)
    }

    /// Opens, appends and publishes until there is no power or nothing to do.
    fn run(&mut self, run: &Run) -> Option<()> {
        let mut journal = self.open().ok()?;
        self.settle(&journal);
        let mut projection = Projection::new(journal.view());
        for (sizes, publishes) in &run.batches {
            let count = self.acknowledged.len();
            let entry = |(n, size): (usize, &usize)| vec![(count + n).to_le_bytes()[0]; *size];
            let batch: Vec<_> = sizes.iter().enumerate().map(entry).collect();
            let bytes = sizes.iter().sum::<usize>() as u64;
            journal.make_room(bytes, batch.len() as u64).ok()?;
            self.unanswered.clone_from(&batch);
            journal.append(batch).ok()?;
            self.acknowledged.append(&mut self.unanswered);
            if *publishes {
                let size = journal.head().size;
                // The checkpoint is put in place last: once it may be, all before it is.
                projection.publish(size, &size.to_be_bytes()).ok()?;
                self.known = size;
            }
        }
        Some(())
    }

    /// What a batch that nobody was told of came to: all of it, or nothing.
    fn settle(&mut self, journal: &Journal<Directory>) {
        let size = journal.head().size;
        let (told, asked) = (self.acknowledged.len() as u64, self.unanswered.len() as u64);
        assert!(
            size == told || size == told + asked,
            "{size} of {told} + {asked}"
        );
        if size > told {
            self.acknowledged.append(&mut self.unanswered);
        }
        self.unanswered.clear();
        let found = journal.view().entries(0..size, usize::MAX);
        let found = found.unwrap_or_else(|error| panic!("after a power cut: {error}"));
        let expected = self.acknowledged.iter().map(Vec::as_slice);
        assert!(found.iter().map(AsRef::as_ref).eq(expected));
    }

    /// Every file is what a journal that never lost power would have.
    fn files_are_right(&self, journal: &Journal<Directory>) {
        let size = journal.head().size;
        Projection::new(journal.view())
            .publish(size, b"last")
            .unwrap();
        let undisturbed = Self::default();
        let mut other = undisturbed.open().unwrap();
        other.make_room(0, 0).unwrap();
        for entry in &self.acknowledged {
            other.make_room(entry.len() as u64, 1).unwrap();
            other.append(vec![entry.clone()]).unwrap();
        }
        for path in new_tiles(0, size).chain(new_bundles(0, size)) {
            let file = self.disk.bytes(&path.to_string());
            assert!(file == Some(other.view().tile(path).unwrap()), "{path}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_was_acknowledged_survives_and_every_file_is_right_again(runs in runs()) {
        let mut model = Model::default();
        for run in &runs {
            model.disk.power_for(run.power_for);
            model.run(run);
            if run.is_killed {
                model.disk.power_for(u64::MAX);
            } else {
                model.disk.cut_power(run.seed);
            }
        }
        let journal = model.open();
        let journal = journal.unwrap_or_else(|error| panic!("after a power cut: {error}"));
        model.settle(&journal);
        model.files_are_right(&journal);
    }
}

/// A partial bundle keeps its form where a sector inside an entry is lost; its hashes tell.
#[test]
fn entries_that_are_not_what_their_hashes_say_are_made_again() {
    let model = Model::default();
    let mut journal = model.open().unwrap();
    for n in 0..4_u8 {
        journal.make_room(3000, 1).unwrap();
        journal.append(vec![vec![n + 1; 3000]]).unwrap();
    }
    Projection::new(journal.view())
        .publish(4, b"a note")
        .unwrap();
    let bundle = "tile/entries/000.p/4";
    let mut bytes = model.disk.bytes(bundle).unwrap();
    bytes[512..1024].fill(0);
    model.disk.put(bundle, &bytes);
    let again = model.open().unwrap();
    let entries = again.view().entries(0..4, usize::MAX).unwrap();
    assert!((1..).zip(&entries).all(|(n, entry)| **entry == [n; 3000]));
}
