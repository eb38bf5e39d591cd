//! The power goes in every operation of a witness and of a stop board, and each sector that was not
//! synced survives or not. Both start again by themselves, and neither forgets what it said.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod common;

use common::clock::HandClock;
use common::log::TestLog;
use common::network::{BOARD, BOARD_SEED, WITNESS_SEED, key, log_signer, network};
use common::postings::{by_stranger, json, suspend};
use portcullis_core::board::SignedPage;
use portcullis_core::signature::Strict;
use portcullis_core::{Digest, Span, Time};
use portcullis_keeper::testkit::CrashDisk;
use portcullis_keys::StatementKey as _;
use portcullis_witness::{Board, Cosigner, Witness};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

const NOW: u64 = 1_700_000_000;

fn witness(clock: &HandClock, disk: &CrashDisk) -> Witness {
    let network = network();
    let cosigner = Cosigner::new(&network, Arc::new(key(WITNESS_SEED))).unwrap();
    Witness::open(&network, cosigner, clock.shared(), Arc::new(disk.clone())).unwrap()
}

fn board(clock: &HandClock, disk: &CrashDisk) -> Board {
    let key = Box::new(key(BOARD_SEED));
    Board::open(network(), key, clock.shared(), Arc::new(disk.clone())).unwrap()
}

fn begun() -> (HandClock, CrashDisk) {
    (HandClock::at_second(NOW), CrashDisk::default())
}

/// Number and digest of everything that the board shows.
fn shown(board: &mut Board) -> BTreeMap<u64, Digest> {
    let mut all = BTreeMap::new();
    let mut from = 0;
    loop {
        let asked = (network().digest(), BOARD, from);
        let body = board.page(from).body;
        let page = SignedPage::open(&body, asked, key(BOARD_SEED).public_key(), &Strict).unwrap();
        all.extend(
            page.postings
                .iter()
                .map(|(n, posting)| (*n, posting.act.digest())),
        );
        from = page.next;
        if !page.more {
            return all;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// A fork at or below a size that was cosigned gets no cosignature, whatever survived.
    #[test]
    fn a_witness_never_goes_back(
        cuts in prop::collection::vec((0..20_u64, any::<u64>(), 1..6_u64), 1..6),
    ) {
        let (clock, disk) = begun();
        let network = network();
        let cosigner = Cosigner::new(&network, Arc::new(key(WITNESS_SEED))).unwrap();
        Witness::create(&network, &cosigner, &disk).unwrap();
        let log = TestLog::new(64);
        let mut cosigned = 0;
        for (operations, seed, count) in cuts {
            let mut asked = witness(&clock, &disk);
            disk.power_for(operations);
            for new in (cosigned + 1..).take(usize::try_from(count).unwrap()) {
                clock.pass(700);
                let answer = asked.handle(&log.request(cosigned, new, &log_signer()));
                if answer.status != 200 {
                    break;
                }
                cosigned = new;
            }
            disk.cut_power(seed);
            let mut again = witness(&clock, &disk);
            let fork = TestLog::forked_at(64, 0);
            if cosigned > 0 {
                let answer = again.handle(&fork.request(cosigned, cosigned, &log_signer()));
                prop_assert_eq!(answer.status, 409, "a fork at {}", cosigned);
                let back = log.request(cosigned - 1, cosigned - 1, &log_signer());
                prop_assert_ne!(again.handle(&back).status, 200, "it went back from {}", cosigned);
            }
            // One that nobody was told of may be known.
            let next = cosigned + 1;
            let answer = again.handle(&log.request(cosigned, next, &log_signer()));
            prop_assert!(
                answer.status == 200 || again.handle(&log.request(next, next, &log_signer())).status == 200
            );
            cosigned = next;
        }
    }

    /// What was stamped is shown under its number, no number is given twice, and the board opens.
    #[test]
    fn a_board_never_loses_a_posting(
        cuts in prop::collection::vec((0..16_u64, any::<u64>(), 1..6_u32, 0..3_u8), 1..6),
    ) {
        let (clock, disk) = begun();
        Board::create(&network(), &key(BOARD_SEED), &disk).unwrap();
        let mut stamped = BTreeMap::new();
        let mut n = 0;
        for (operations, seed, count, size) in cuts {
            let mut open = board(&clock, &disk);
            disk.power_for(operations);
            for _ in 0..count {
                clock.pass(40_000);
                n += 1;
                let expires = Time(NOW * 1000).after(Span::hours(2));
                let mut posting = by_stranger(suspend(network().digest(), n, expires));
                // One sector, several, many: the same proof again says nothing new and takes room.
                let proof = posting.evidence.requests[0].clone();
                posting.evidence.requests.extend(vec![proof; usize::from(size)]);
                let answer = open.post(&json(&posting));
                if answer.status != 201 {
                    break;
                }
                let shown = shown(&mut open);
                let digest = posting.act.digest();
                let number = shown.iter().find(|(_, act)| **act == digest).unwrap().0;
                prop_assert!(stamped.insert(*number, digest).is_none(), "number {} twice", number);
            }
            disk.cut_power(seed);
            let shown = shown(&mut board(&clock, &disk));
            for (number, act) in &stamped {
                prop_assert_eq!(shown.get(number), Some(act), "posting {}", number);
            }
            // A posting that nobody was told of may be there; its number is taken.
            stamped.extend(shown);
        }
    }
}
