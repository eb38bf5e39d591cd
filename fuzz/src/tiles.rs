//! Tiles, bundles, frontiers and proofs.

use crate::world;
use portcullis_tlog::{
    Frontier, Hash, HashReader, TileKind, TilePath, TreeHead, encode_hashes, parse_bundle,
    parse_hashes, prove_consistency, prove_inclusion, push_entry, verify_consistency,
    verify_inclusion,
};
use std::ops::Range;
use tlog_tiles::tlog::{Hash as Theirs, check_record, check_tree};

pub(crate) fn path(bytes: &[u8]) -> bool {
    let path = str::from_utf8(bytes)
        .ok()
        .and_then(|text| text.parse::<TilePath>().ok());
    path.is_some_and(|path| {
        assert_eq!(path.to_string().as_bytes(), bytes);
        if let TileKind::Hashes(level) = path.kind() {
            // Go's paths, and theirs, name the height of a tile first.
            let theirs = path.to_string().replacen("tile/", "tile/8/", 1);
            let theirs = tlog_tiles::tile::Tile::from_path(&theirs);
            let theirs = theirs.expect("a path for tlog_tiles too");
            assert_eq!(
                (theirs.level(), theirs.level_index()),
                (level, path.index())
            );
        }
        true
    })
}

/// A width, then the hashes.
pub(crate) fn hashes(bytes: &[u8]) -> bool {
    let Some((width, rest)) = bytes.split_first_chunk::<2>() else {
        return false;
    };
    parse_hashes(rest, u16::from_be_bytes(*width)).is_ok_and(|hashes| {
        assert_eq!(encode_hashes(&hashes), rest);
        true
    })
}

/// A width, then the bundle.
pub(crate) fn bundle(bytes: &[u8]) -> bool {
    let Some((width, rest)) = bytes.split_first_chunk::<2>() else {
        return false;
    };
    let width = u16::from_be_bytes(*width);
    parse_bundle(rest, width).is_ok_and(|entries| {
        assert_eq!(entries.len(), usize::from(width));
        let mut again = Vec::new();
        for entry in entries {
            push_entry(&mut again, entry).expect("it was an entry");
        }
        assert_eq!(again, rest);
        true
    })
}

pub(crate) fn frontier(bytes: &[u8]) -> bool {
    Frontier::from_bytes(bytes).is_ok_and(|mut frontier| {
        assert_eq!(frontier.to_bytes(), bytes);
        let size = frontier.size();
        if size < portcullis_tlog::MAX_TREE_SIZE {
            frontier.append(Hash::leaf(b"one more"));
            assert_eq!(frontier.size(), size + 1);
        }
        true
    })
}

/// Two numbers, a leaf and a root, or two roots, then the proof: ours and that of `tlog_tiles` agree.
pub(crate) fn inclusion(bytes: &[u8]) -> bool {
    let Some((head, proof)) = bytes.split_first_chunk::<80>() else {
        return false;
    };
    let number = |at: usize| u64::from_be_bytes(*head[at..].first_chunk().unwrap());
    let hash = |at: usize| parse_hashes(&head[at..at + 32], 1).unwrap()[0];
    let (small, large, first, second) = (number(0), number(8), hash(16), hash(48));
    let (chunks, []) = proof.as_chunks::<32>() else {
        return false;
    };
    let Ok(proof) = u16::try_from(chunks.len()).map(|n| parse_hashes(chunks.as_flattened(), n))
    else {
        return false;
    };
    let Ok(proof) = proof else {
        return false;
    };
    let theirs: Vec<Theirs> = chunks.iter().copied().map(Theirs).collect();
    let [a, b] = [first, second].map(|hash| Theirs(*hash.as_bytes()));
    let new = TreeHead {
        size: large,
        root: second,
    };
    if large > portcullis_tlog::MAX_TREE_SIZE {
        assert!(verify_inclusion(&first, small, &new, &proof).is_err());
        return false;
    }
    let included = verify_inclusion(&first, small, &new, &proof).is_ok();
    if small < large {
        let they = check_record(&theirs, large, b, small, a).is_ok();
        assert_eq!(included, they, "inclusion of {small} in {large}");
    }
    let old = TreeHead {
        size: small,
        root: first,
    };
    let extends = verify_consistency(&old, &new, &proof).is_ok();
    if small > 0 && small <= large {
        let they = check_tree(&theirs, large, b, small, a).is_ok();
        assert_eq!(extends, they, "consistency of {small} with {large}");
    }
    included || extends
}

/// The journal's leaves.
struct Leaves(Vec<Hash>);

impl HashReader for Leaves {
    type Error = std::convert::Infallible;

    fn read(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, Self::Error> {
        assert_eq!(level, 0, "a journal this small has one row");
        let at = |n: u64| usize::try_from(n).unwrap();
        Ok(self.0[at(range.start)..at(range.end)].to_vec())
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let entries = &world::journal().0;
    let leaves = Leaves(entries.iter().map(|entry| Hash::leaf(entry)).collect());
    let mut frontier = Frontier::new();
    let mut heads = vec![frontier.head()];
    let mut seeds = Vec::new();
    for leaf in &leaves.0 {
        frontier.append(*leaf);
        heads.push(frontier.head());
        seeds.push(frontier.to_bytes());
    }
    let size = entries.len() as u64;
    let newest = frontier.head();
    let case = |small: u64, first: Hash, proof: &[Hash]| {
        let mut bytes = small.to_be_bytes().to_vec();
        bytes.extend(size.to_be_bytes());
        bytes.extend(first.as_bytes());
        bytes.extend(newest.root.as_bytes());
        bytes.extend(encode_hashes(proof));
        bytes
    };
    for small in 0..size {
        let at = usize::try_from(small).unwrap();
        let proof = prove_inclusion(&leaves, small, size).unwrap();
        seeds.push(case(small, leaves.0[at], &proof));
        let proof = prove_consistency(&leaves, small, size).unwrap();
        seeds.push(case(small, heads[at].root, &proof));
    }
    let width = |count: usize| u16::try_from(count).unwrap().to_be_bytes().to_vec();
    let few = &entries[1..4];
    let mut bundle = width(few.len());
    for entry in few {
        push_entry(&mut bundle, entry).unwrap();
    }
    seeds.push(bundle);
    seeds.push([width(leaves.0.len()), encode_hashes(&leaves.0)].concat());
    for path in [
        "tile/0/000",
        "tile/entries/x001/x234/067.p/8",
        "tile/1/000.p/17",
    ] {
        seeds.push(path.as_bytes().to_vec());
    }
    seeds
}
