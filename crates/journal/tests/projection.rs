//! The tlog-tiles files are whole at every size, also where a row of tiles does not grow.

use portcullis_host::{Dir, Disk, SystemRandom};
use portcullis_journal::{Directory, Journal, Projection};
use portcullis_tlog::{new_bundles, new_tiles};
use std::sync::Arc;

#[test]
fn every_tile_of_every_size_is_there_after_each_publication() {
    let folder = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(Dir::open(folder.path()).unwrap());
    let (store, recovered) =
        Directory::open(Arc::clone(&disk), 1 << 20, Arc::new(SystemRandom)).unwrap();
    let mut journal = Journal::open(store, &recovered, Arc::clone(&disk), 0).unwrap();
    let mut projection = Projection::new(journal.view());
    for batch in 0..60_u8 {
        let entries = (0..11_u8).map(|n| vec![batch, n]).collect();
        journal.make_room(4096, 11).unwrap();
        let size = journal.append(entries).unwrap().size;
        projection.publish(size, b"a note").unwrap();
        for path in new_tiles(0, size).chain(new_bundles(0, size)) {
            assert!(disk.exists(&path.to_string()), "{path} at size {size}");
        }
    }
}

/// Partial tiles and bundles are written without a sync, so that a power cut may leave holes in them; full
/// ones somebody may damage. What they held of earlier segments is in no memory any more.
#[test]
fn a_torn_tile_or_bundle_is_made_again_from_the_segments() {
    let folder = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(Dir::open(folder.path()).unwrap());
    let open = || {
        let (store, recovered) =
            Directory::open(Arc::clone(&disk), 8 * 1024, Arc::new(SystemRandom)).unwrap();
        Journal::open(store, &recovered, Arc::clone(&disk), 0).unwrap()
    };
    let mut journal = open();
    let mut projection = Projection::new(journal.view());
    for batch in 0..60_u8 {
        let entries = (0..11_u8).map(|n| [batch, n].repeat(20)).collect();
        journal.make_room(4096, 11).unwrap();
        let size = journal.append(entries).unwrap().size;
        projection.publish(size, b"a note").unwrap();
    }
    let size = journal.head().size;
    let all = journal.view().entries(0..size, usize::MAX).unwrap();
    for path in new_tiles(0, size).chain(new_bundles(0, size)) {
        let name = path.to_string();
        let mut torn = disk.read(&name, u64::MAX).unwrap().unwrap();
        let from = torn.len() / 2;
        torn[from..].fill(0);
        disk.write_projection(&name, &torn).unwrap();
        let again = open();
        again.view().mend().unwrap();
        let found = again.view().entries(0..size, usize::MAX).unwrap();
        assert!(found == all, "{name}");
        assert_eq!(again.head(), journal.head());
    }
}
