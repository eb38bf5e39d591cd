//! Roots and proofs against RFC 6962 itself, published vectors, and two other implementations.

use portcullis_tlog::{
    Frontier, FrontierError, Hash, HashReader, MAX_PROOF_HASHES, MAX_TREE_SIZE, ProofError,
    ProveError, TreeHead, frontier_at, prove_consistency, prove_inclusion, verify_consistency,
    verify_inclusion,
};
use proptest::prelude::*;

use crate::model::{MemoryLog, data, head_of, leaves, naive_consistency, naive_inclusion};

fn head(size: u64, root: Hash) -> TreeHead {
    TreeHead { size, root }
}

#[test]
fn every_proof_of_every_small_tree_is_the_one_of_the_rfc() {
    let all = leaves(40);
    let log = MemoryLog::of(&all);
    for size in 1..=all.len() {
        let tree = &all[..size];
        let new = head_of(tree);
        for index in 0..size {
            let proof = prove_inclusion(&log, index as u64, size as u64).unwrap();
            assert_eq!(
                proof,
                naive_inclusion(index, tree),
                "leaf {index} of {size}"
            );
            verify_inclusion(&tree[index], index as u64, &new, &proof).unwrap();
        }
        for old in 1..=size {
            let proof = prove_consistency(&log, old as u64, size as u64).unwrap();
            assert_eq!(proof, naive_consistency(old, tree, true), "{old} to {size}");
            verify_consistency(&head_of(&all[..old]), &new, &proof).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Above 65,536 leaves three tile levels take part.
    #[test]
    fn proofs_from_tiles_lead_to_the_root_at_any_size(a in 1u64..70_000, b in 1u64..70_000, i: u64) {
        let (old, new) = (a.min(b), a.max(b));
        let log = big_log();
        let (old_head, new_head) = (head_at(log, old), head_at(log, new));
        let index = i % new;
        let leaf = log.tiles[0][usize::try_from(index).unwrap()];
        let inclusion = prove_inclusion(log, index, new).unwrap();
        verify_inclusion(&leaf, index, &new_head, &inclusion).unwrap();
        let consistency = prove_consistency(log, old, new).unwrap();
        verify_consistency(&old_head, &new_head, &consistency).unwrap();
        let leaves = &log.tiles[0][..usize::try_from(old).unwrap()];
        prop_assert_eq!(old_head, head_of(leaves));
    }

    #[test]
    fn a_flipped_bit_anywhere_is_refused(
        size in 1usize..300, i: usize, old: usize, place: usize, bit in 0u8..8,
    ) {
        let all = leaves(size);
        let (log, new) = (MemoryLog::of(&all), head_of(&all));
        let (index, old) = (i % size, 1 + old % size);
        let flip = |hash: &Hash| {
            let mut bytes = *hash.as_bytes();
            bytes[place % 32] ^= 1 << bit;
            Hash::from_bytes(bytes)
        };

        let proof = prove_inclusion(&log, index as u64, size as u64).unwrap();
        let leaf = all[index];
        let check = |leaf: &_, head: &_, proof: &[Hash]| verify_inclusion(leaf, index as u64, head, proof);
        prop_assert!(check(&flip(&leaf), &new, &proof).is_err());
        prop_assert!(check(&leaf, &head(new.size, flip(&new.root)), &proof).is_err());
        for position in 0..proof.len() {
            let mut bad = proof.clone();
            bad[position] = flip(&bad[position]);
            prop_assert_eq!(check(&leaf, &new, &bad), Err(ProofError::WrongRoot));
        }

        let proof = prove_consistency(&log, old as u64, size as u64).unwrap();
        let old = head_of(&all[..old]);
        prop_assert!(verify_consistency(&head(old.size, flip(&old.root)), &new, &proof).is_err());
        prop_assert!(verify_consistency(&old, &head(new.size, flip(&new.root)), &proof).is_err());
        for position in 0..proof.len() {
            let mut bad = proof.clone();
            bad[position] = flip(&bad[position]);
            prop_assert_eq!(verify_consistency(&old, &new, &bad), Err(ProofError::WrongRoot));
        }
    }

    #[test]
    fn a_frontier_survives_its_bytes(size in 0usize..600) {
        let all = leaves(size + 1);
        let mut frontier = MemoryLog::of(&all[..size]).frontier;
        prop_assert_eq!(frontier.head(), head_of(&all[..size]));
        let bytes = frontier.to_bytes();
        let mut again = Frontier::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&again, &frontier);
        frontier.append(all[size]);
        again.append(all[size]);
        prop_assert_eq!(again.head(), head_of(&all));
    }
}

fn big_log() -> &'static MemoryLog {
    static LOG: std::sync::OnceLock<MemoryLog> = std::sync::OnceLock::new();
    LOG.get_or_init(|| MemoryLog::of(&leaves(70_000)))
}

fn head_at(log: &MemoryLog, size: u64) -> TreeHead {
    let frontier = frontier_at(log, size).unwrap();
    assert_eq!(frontier.size(), size);
    frontier.head()
}

#[test]
fn a_proof_for_another_place_is_refused() {
    let all = leaves(21);
    let (log, tree) = (MemoryLog::of(&all), head_of(&all));
    let proof = prove_inclusion(&log, 9, 21).unwrap();
    for index in (0..21).filter(|index| *index != 9) {
        assert!(
            verify_inclusion(&all[9], index, &tree, &proof).is_err(),
            "at {index}"
        );
    }
    for size in (0..40).filter(|size| *size != 21) {
        let other = head(size, tree.root);
        // Between 17 and 32 leaves the path of leaf 9 is the same, and only the root, which the
        // log signs together with the size, says which tree it is.
        let same_path = (17..=32).contains(&size);
        assert_eq!(
            verify_inclusion(&all[9], 9, &other, &proof).is_ok(),
            same_path,
            "of {size}"
        );
    }
}

#[test]
fn malformed_proofs_are_refused() {
    use ProofError::{OutOfRange, WrongLength, WrongRoot};
    let all = leaves(8);
    let (log, new) = (MemoryLog::of(&all), head_of(&all));
    let huge = MAX_TREE_SIZE + 1;
    let proof = prove_inclusion(&log, 3, 8).unwrap();
    let longer = [proof.clone(), vec![all[0]]].concat();
    let table = [
        ("index is the size", 8, new, &proof[..], OutOfRange),
        ("index is huge", u64::MAX, new, &proof[..], OutOfRange),
        ("empty tree", 0, TreeHead::EMPTY, &[], OutOfRange),
        ("huge tree", 3, head(huge, new.root), &proof[..], OutOfRange),
        (
            "hugest tree",
            3,
            head(u64::MAX, new.root),
            &proof[..],
            OutOfRange,
        ),
        (
            "one short",
            3,
            new,
            &proof[..2],
            WrongLength {
                expected: 3,
                got: 2,
            },
        ),
        (
            "none",
            3,
            new,
            &[],
            WrongLength {
                expected: 3,
                got: 0,
            },
        ),
        (
            "one more",
            3,
            new,
            &longer[..],
            WrongLength {
                expected: 3,
                got: 4,
            },
        ),
        ("other leaf", 2, new, &proof[..], WrongRoot),
    ];
    for (case, index, head, proof, error) in table {
        assert_eq!(
            verify_inclusion(&all[3], index, &head, proof),
            Err(error),
            "{case}"
        );
    }

    let old = head_of(&all[..6]);
    let proof = prove_consistency(&log, 6, 8).unwrap();
    let longer = [proof.clone(), vec![all[0]]].concat();
    let table = [
        ("backwards", new, old, &proof[..], OutOfRange),
        (
            "huge tree",
            old,
            head(huge, new.root),
            &proof[..],
            OutOfRange,
        ),
        (
            "one short",
            old,
            new,
            &proof[1..],
            WrongLength {
                expected: 3,
                got: 2,
            },
        ),
        (
            "one more",
            old,
            new,
            &longer[..],
            WrongLength {
                expected: 3,
                got: 4,
            },
        ),
        ("equal, other root", old, head(6, new.root), &[], WrongRoot),
        (
            "equal, with a proof",
            old,
            old,
            &proof[..1],
            WrongLength {
                expected: 0,
                got: 1,
            },
        ),
        (
            "from empty with a proof",
            TreeHead::EMPTY,
            new,
            &proof[..1],
            WrongLength {
                expected: 0,
                got: 1,
            },
        ),
        (
            "from size 0 with another root",
            head(0, all[0]),
            new,
            &[],
            WrongRoot,
        ),
        (
            "another old root",
            head(6, all[0]),
            new,
            &proof[..],
            WrongRoot,
        ),
        (
            "another old size",
            head(5, old.root),
            new,
            &proof[..],
            WrongLength {
                expected: 4,
                got: 3,
            },
        ),
    ];
    for (case, old, new, proof, error) in table {
        assert_eq!(verify_consistency(&old, &new, proof), Err(error), "{case}");
    }
    assert_eq!(verify_consistency(&TreeHead::EMPTY, &new, &[]), Ok(()));
    assert_eq!(
        verify_consistency(&TreeHead::EMPTY, &TreeHead::EMPTY, &[]),
        Ok(())
    );
}

#[test]
fn no_proof_is_longer_than_the_witness_protocol_takes() {
    // A reader that gives the same hash for every place makes a tree of any size.
    struct Same;
    impl HashReader for Same {
        type Error = ();
        fn read(&self, level: u8, range: std::ops::Range<u64>) -> Result<Vec<Hash>, ()> {
            let mut hash = Hash::leaf(b"same");
            (0..u32::from(level) * 8).for_each(|_| hash = Hash::node(&hash, &hash));
            Ok(vec![
                hash;
                usize::try_from(range.end - range.start).unwrap()
            ])
        }
    }
    let size = MAX_TREE_SIZE;
    let tree = frontier_at(&Same, size).unwrap().head();
    let proof = prove_inclusion(&Same, 12_345, size).unwrap();
    assert_eq!(proof.len(), 62);
    verify_inclusion(&Hash::leaf(b"same"), 12_345, &tree, &proof).unwrap();
    // An old tree of odd size costs one hash more than the path.
    let old = frontier_at(&Same, 12_345).unwrap().head();
    let proof = prove_consistency(&Same, 12_345, size).unwrap();
    assert_eq!(proof.len(), MAX_PROOF_HASHES);
    verify_consistency(&old, &tree, &proof).unwrap();
}

#[test]
fn proofs_outside_the_tree_or_from_a_bad_reader_fail() {
    struct Short;
    impl HashReader for Short {
        type Error = &'static str;
        fn read(&self, _: u8, _: std::ops::Range<u64>) -> Result<Vec<Hash>, &'static str> {
            Ok(Vec::new())
        }
    }
    struct Broken;
    impl HashReader for Broken {
        type Error = &'static str;
        fn read(&self, _: u8, _: std::ops::Range<u64>) -> Result<Vec<Hash>, &'static str> {
            Err("disk on fire")
        }
    }
    let log = MemoryLog::of(&leaves(3));
    assert_eq!(prove_inclusion(&log, 3, 3), Err(ProveError::OutOfRange));
    assert_eq!(prove_inclusion(&log, 0, 0), Err(ProveError::OutOfRange));
    assert_eq!(prove_consistency(&log, 3, 2), Err(ProveError::OutOfRange));
    assert_eq!(prove_consistency(&log, 0, 3), Ok(Vec::new()));
    assert_eq!(
        prove_inclusion(&Short, 0, 2),
        Err(ProveError::Short {
            level: 0,
            range: 1..2
        })
    );
    assert_eq!(
        prove_inclusion(&Broken, 0, 2),
        Err(ProveError::Read("disk on fire"))
    );
}

#[test]
fn malformed_frontiers_are_refused() {
    let bytes = MemoryLog::of(&leaves(5)).frontier.to_bytes();
    assert_eq!(bytes.len(), 8 + 2 * 32);
    let huge = [&(MAX_TREE_SIZE + 1).to_be_bytes()[..], &[0; 32]].concat();
    let table = [
        ("nothing", &[][..], FrontierError::WrongLength),
        ("half a size", &bytes[..7], FrontierError::WrongLength),
        ("a hash short", &bytes[..40], FrontierError::WrongLength),
        ("a byte short", &bytes[..71], FrontierError::WrongLength),
        (
            "a byte more",
            &[&bytes[..], &[0]].concat(),
            FrontierError::WrongLength,
        ),
        (
            "a hash more",
            &[&bytes[..], &[0; 32]].concat(),
            FrontierError::WrongLength,
        ),
        ("a huge size", &huge, FrontierError::TooLarge),
    ];
    for (case, bytes, error) in table {
        assert_eq!(Frontier::from_bytes(bytes), Err(error), "{case}");
    }
}

/// The vectors of transparency-dev/merkle, as ct-merkle carries them in a Rust source file.
#[test]
fn the_published_vectors_hold() {
    let Some(source) = data("vectors/rfc6962-ct-merkle/known_answer.rs") else {
        return;
    };
    let entries = hex_strings(between(&source, "const LEAVES", "];"));
    let log = MemoryLog::of(
        &entries
            .iter()
            .map(|entry| Hash::leaf(entry))
            .collect::<Vec<_>>(),
    );
    assert_eq!(log.frontier.size(), 8);

    let inclusions = between(&source, "const INCLUSION_VECS", "];");
    let inclusions: Vec<_> = inclusions.split("InclusionTestVector {").skip(1).collect();
    assert_eq!(inclusions.len(), 7);
    for vector in inclusions {
        let (size, index) = (number(vector, "num_leaves:"), number(vector, "idx:"));
        let proof = prove_inclusion(&log, index, size).unwrap();
        assert_eq!(
            concat(&proof),
            hex_strings(vector)[0],
            "leaf {index} of {size}"
        );
        let leaf = log.tiles[0][usize::try_from(index).unwrap()];
        verify_inclusion(&leaf, index, &head_at(&log, size), &proof).unwrap();
    }

    let consistencies = between(&source, "const CONSISTENCY_VECS", "];");
    let consistencies: Vec<_> = consistencies
        .split("ConsistencyTestVector {")
        .skip(1)
        .collect();
    assert_eq!(consistencies.len(), 4);
    for vector in consistencies {
        let (old, new) = (
            number(vector, "num_leaves1:"),
            number(vector, "num_leaves2:"),
        );
        let proof = prove_consistency(&log, old, new).unwrap();
        assert_eq!(concat(&proof), hex_strings(vector)[0], "{old} to {new}");
        verify_consistency(&head_at(&log, old), &head_at(&log, new), &proof).unwrap();
    }
}

fn concat(proof: &[Hash]) -> Vec<u8> {
    portcullis_tlog::encode_hashes(proof)
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let text = &text[text.find(from).expect("the section")..];
    // The type of the constant has brackets of its own.
    let text = &text[text.find("= &[").expect("the list")..];
    &text[..text.find(to).expect("its end")]
}

fn number(text: &str, field: &str) -> u64 {
    let (_, rest) = text.split_once(field).expect("the field");
    rest.split(',')
        .next()
        .unwrap()
        .trim()
        .parse()
        .expect("a number")
}

/// String literals of hex, which go on over lines behind a backslash.
fn hex_strings(text: &str) -> Vec<Vec<u8>> {
    let literals = text.split('"').skip(1).step_by(2);
    let digits = literals.map(|s| {
        s.chars()
            .filter(char::is_ascii_hexdigit)
            .collect::<String>()
    });
    digits
        .map(|digits| hex::decode(digits).expect("hex"))
        .collect()
}

#[test]
fn ct_merkle_agrees() {
    use ct_merkle::RootHash;
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    let entries: Vec<_> = (0..130)
        .map(|n| format!("entry {n}").into_bytes())
        .collect();
    let log = MemoryLog::of(&leaves(130));
    let mut theirs = MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
    for (size, entry) in (1u64..).zip(&entries) {
        let before: RootHash<_> = theirs.root();
        theirs.push(entry.clone());
        let ours = head_at(&log, size);
        assert_eq!(
            theirs.root().as_bytes()[..],
            ours.root.as_bytes()[..],
            "root of {size}"
        );
        for index in [0, size / 3, size - 1] {
            let at = usize::try_from(index).unwrap();
            let proof = prove_inclusion(&log, index, size).unwrap();
            assert_eq!(theirs.prove_inclusion(at).as_bytes(), concat(&proof));
        }
        if size > 1 {
            let proof = prove_consistency(&log, size - 1, size).unwrap();
            let theirs = theirs.prove_consistency(1);
            assert_eq!(theirs.as_bytes(), concat(&proof));
            assert_eq!(before.num_leaves(), size - 1);
        }
    }
}

#[test]
fn tlog_tiles_agrees() {
    use tlog_tiles::tlog::{Hash as Theirs, check_record, check_tree};
    let log = big_log();
    let theirs = |hash: &Hash| Theirs(*hash.as_bytes());
    for (old, new) in [
        (1, 2),
        (255, 256),
        (256, 257),
        (300, 65_536),
        (65_537, 69_999),
    ] {
        let (old_head, new_head) = (head_at(log, old), head_at(log, new));
        let proof: Vec<_> = prove_consistency(log, old, new)
            .unwrap()
            .iter()
            .map(theirs)
            .collect();
        check_tree(
            &proof,
            new,
            theirs(&new_head.root),
            old,
            theirs(&old_head.root),
        )
        .unwrap();
        let index = old - 1;
        let leaf = theirs(&log.tiles[0][usize::try_from(index).unwrap()]);
        let proof: Vec<_> = prove_inclusion(log, index, new)
            .unwrap()
            .iter()
            .map(theirs)
            .collect();
        check_record(&proof, new, theirs(&new_head.root), index, leaf).unwrap();
    }
}
