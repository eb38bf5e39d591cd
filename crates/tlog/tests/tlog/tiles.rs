//! Tile addresses, tile contents and bundles.

use std::collections::BTreeSet;

use portcullis_tlog::{
    BundleError, EntryTooLong, MAX_ENTRY_BYTES, MAX_TREE_SIZE, TILE_WIDTH, TileError, TileKind,
    TilePath, encode_hashes, new_bundles, new_tiles, parse_bundle, parse_hashes, push_entry,
};
use proptest::prelude::*;

use crate::model::leaves;

#[test]
fn addresses_are_written_as_specified_and_read_back() {
    let table = [
        (TileKind::Hashes(0), 0, 256, "tile/0/000"),
        (TileKind::Hashes(0), 5, 1, "tile/0/005.p/1"),
        (TileKind::Hashes(1), 999, 255, "tile/1/999.p/255"),
        (TileKind::Hashes(0), 1_000, 256, "tile/0/x001/000"),
        (TileKind::Hashes(7), 0, 64, "tile/7/000.p/64"),
        // The example of the specification.
        (TileKind::Hashes(2), 1_234_067, 256, "tile/2/x001/x234/067"),
        (
            TileKind::Entries,
            1_234_067,
            8,
            "tile/entries/x001/x234/067.p/8",
        ),
        (
            TileKind::Entries,
            1_000_000,
            256,
            "tile/entries/x001/x000/000",
        ),
    ];
    for (kind, index, width, path) in table {
        let tile = TilePath::new(kind, index, width).unwrap();
        assert_eq!(tile.to_string(), path);
        assert_eq!(path.parse(), Ok(tile));
        assert_eq!(tile.first(), index * 256);
    }
}

/// One a line.
const NOT_PATHS: &str = "
tile
tile/
tile/0
tile/0/
/tile/0/000
tile/0/000/
tile//000
tile/00/000
tile/+0/000
tile/-1/000
tile/a/000
tile/0/0
tile/0/00
tile/0/0000
tile/0/x000
tile/0/x000/001
tile/0/001/000
tile/0/x1/000
tile/0/x001/x000
tile/0/xx01/000
tile/0/+01
tile/0/ 01
tile/0/000.p
tile/0/000.p/
tile/0/000.p/01
tile/0/000.p/+1
tile/0/000.p/256
tile/0/000.p/1/
tile/0/000.p/1.p/1
tile/0/000.p/99999
tile/256/000
tile/data/000
tile/Entries/000
tile/entries/..
tile/0/../000
tiles/0/000
tile/0/٠٠٠
tile/0/000?
tile/0/x001%2f000
";

#[test]
fn malformed_addresses_are_refused() {
    // The first line is the empty path.
    for path in NOT_PATHS.lines().chain(["tile/0/000\n", "tile/0/000\0"]) {
        assert_eq!(
            path.parse::<TilePath>(),
            Err(TileError::NotAPath),
            "{path:?}"
        );
    }
    let long = format!("tile/0/{}000", "x001/".repeat(200));
    assert_eq!(long.parse::<TilePath>(), Err(TileError::NotAPath));
}

#[test]
fn addresses_outside_every_tree_are_refused() {
    let table = [
        "tile/0/000.p/0",
        "tile/0/000.p/257",
        "tile/8/000",
        "tile/63/000",
        "tile/7/000",
        "tile/7/000.p/65",
        "tile/7/001",
        "tile/0/x999/x999/x999/x999/x999/999",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    ];
    for path in table {
        assert_eq!(
            path.parse::<TilePath>(),
            Err(TileError::OutOfRange),
            "{path:?}"
        );
    }
}

#[test]
fn the_specifications_tree_of_70_000_has_its_tiles() {
    let tiles: Vec<_> = new_tiles(0, 70_000).collect();
    let of = |level| {
        tiles
            .iter()
            .filter(move |tile| tile.kind() == TileKind::Hashes(level))
    };
    let full = |level| of(level).filter(|tile| tile.is_full()).count();
    let partial = |level| {
        of(level)
            .filter(|tile| !tile.is_full())
            .map(TilePath::width)
    };
    assert_eq!((full(0), partial(0).collect::<Vec<_>>()), (273, vec![112]));
    assert_eq!((full(1), partial(1).collect::<Vec<_>>()), (1, vec![17]));
    assert_eq!((full(2), partial(2).collect::<Vec<_>>()), (0, vec![1]));
    assert_eq!(of(3).count(), 0);
    let of_256: Vec<_> = new_tiles(0, 256).map(|tile| tile.to_string()).collect();
    assert_eq!(of_256, ["tile/0/000", "tile/1/000.p/1"]);
    assert_eq!(new_tiles(MAX_TREE_SIZE, MAX_TREE_SIZE).count(), 0);
    assert_eq!(new_tiles(MAX_TREE_SIZE - 1, MAX_TREE_SIZE).count(), 8);
}

proptest! {
    #[test]
    fn new_tiles_are_those_that_the_old_tree_has_not(a in 0u64..200_000, b in 0u64..200_000) {
        let (old, new) = (a.min(b), a.max(b));
        let of = |size| new_tiles(0, size).collect::<BTreeSet<_>>();
        let difference: BTreeSet<_> = of(new).difference(&of(old)).copied().collect();
        let given: Vec<_> = new_tiles(old, new).collect();
        prop_assert_eq!(given.len(), difference.len());
        prop_assert_eq!(given.into_iter().collect::<BTreeSet<_>>(), difference);

        let bundles = |old, new| new_bundles(old, new).map(|b| (b.index(), b.width()));
        let leaf_tiles = |old, new| new_tiles(old, new)
            .filter(|tile| tile.kind() == TileKind::Hashes(0))
            .map(|tile| (tile.index(), tile.width()));
        prop_assert!(bundles(old, new).eq(leaf_tiles(old, new)));
    }

    #[test]
    fn tlog_tiles_names_the_same_tiles(a in 0u64..400_000, b in 0u64..400_000) {
        let (old, new) = (a.min(b), a.max(b));
        let theirs = tlog_tiles::tile::Tile::new_tiles(8, old, new);
        let theirs: BTreeSet<_> = theirs.iter().map(tlog_tiles::tile::Tile::path).collect();
        // Theirs is Go's scheme, which puts the tile height before the level.
        let ours = new_tiles(old, new).map(|tile| tile.to_string().replacen("tile/", "tile/8/", 1));
        prop_assert_eq!(ours.collect::<BTreeSet<_>>(), theirs);
    }

    #[test]
    fn addresses_survive_being_written(index in 0u64..1 << 40, width in 1u16..=256, level in 0u8..2) {
        let tile = TilePath::new(TileKind::Hashes(level), index, width).unwrap();
        prop_assert_eq!(tile.to_string().parse(), Ok(tile));
    }

    #[test]
    fn bundles_survive_being_written(entries in prop::collection::vec(any::<Vec<u8>>(), 1..=256)) {
        let bundle = bundle_of(&entries);
        let width = u16::try_from(entries.len()).unwrap();
        prop_assert_eq!(parse_bundle(&bundle, width).unwrap(), entries);
    }
}

fn bundle_of(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bundle = Vec::new();
    for entry in entries {
        push_entry(&mut bundle, entry).unwrap();
    }
    bundle
}

#[test]
fn malformed_bundles_are_refused() {
    let bundle = bundle_of(&[b"one".to_vec(), Vec::new(), b"three".to_vec()]);
    assert_eq!(bundle, b"\0\x03one\0\0\0\x05three");
    let long = [&60_001u16.to_be_bytes()[..], &vec![0; 60_001]].concat();
    let table = [
        (
            "nothing",
            &b""[..],
            1,
            BundleError::Truncated { position: 0 },
        ),
        (
            "half a length",
            &bundle[..6],
            3,
            BundleError::Truncated { position: 1 },
        ),
        (
            "half an entry",
            &bundle[..13],
            3,
            BundleError::Truncated { position: 2 },
        ),
        (
            "one entry missing",
            &bundle,
            4,
            BundleError::Truncated { position: 3 },
        ),
        (
            "one entry more",
            &bundle,
            2,
            BundleError::Trailing { bytes: 7 },
        ),
        (
            "no entry wanted",
            &bundle,
            0,
            BundleError::Trailing {
                bytes: bundle.len(),
            },
        ),
        (
            "an entry above the limit",
            &long,
            1,
            BundleError::TooLong { position: 0 },
        ),
        (
            "a length above the limit",
            b"\xff\xff",
            1,
            BundleError::TooLong { position: 0 },
        ),
    ];
    for (case, bytes, width, error) in table {
        assert_eq!(parse_bundle(bytes, width), Err(error), "{case}");
    }
}

#[test]
fn entries_end_at_60_000_bytes() {
    let longest = vec![7; MAX_ENTRY_BYTES];
    let bundle = bundle_of(std::slice::from_ref(&longest));
    assert_eq!(parse_bundle(&bundle, 1).unwrap(), [longest]);
    let mut bundle = Vec::new();
    for length in [60_001, 65_535, 65_536, 1 << 20] {
        let refused = push_entry(&mut bundle, &vec![0; length]);
        assert_eq!(refused, Err(EntryTooLong { got: length }));
        assert!(bundle.is_empty(), "a refused entry leaves no trace");
    }
}

/// No two bundles hold the same entries, so a flipped byte is another list of entries or none.
#[test]
fn a_flipped_byte_in_a_bundle_shows_in_its_entries() {
    let entries = [b"one".to_vec(), b"second".to_vec(), b"3".to_vec()];
    let bundle = bundle_of(&entries);
    for place in 0..bundle.len() {
        for bit in 0..8 {
            let mut bad = bundle.clone();
            bad[place] ^= 1 << bit;
            let same = parse_bundle(&bad, 3).is_ok_and(|read| read == entries);
            assert!(!same, "byte {place}, bit {bit}");
        }
    }
}

#[test]
fn tiles_of_hashes_have_exactly_their_bytes() {
    let hashes = leaves(usize::from(TILE_WIDTH));
    let bytes = encode_hashes(&hashes);
    assert_eq!(bytes.len(), 8192);
    assert_eq!(parse_hashes(&bytes, 256), Ok(hashes.clone()));
    assert_eq!(parse_hashes(&bytes[..32], 1), Ok(hashes[..1].to_vec()));
    for (length, width) in [
        (8191, 256),
        (8160, 256),
        (8192, 255),
        (0, 1),
        (31, 1),
        (33, 1),
    ] {
        let expected = usize::from(width) * 32;
        let error = TileError::WrongLength {
            width,
            expected,
            got: length,
        };
        assert_eq!(parse_hashes(&bytes[..length], width), Err(error));
    }
}
