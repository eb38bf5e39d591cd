//! A board takes what links in notices ask for, and keeps room for it.

#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "a helper that fails is a test that fails; each test has its own part of what is common"
)]

mod common;

use common::clock::HandClock;
use common::disk::SimDisk;
use common::network::{BOARD_SEED, HERALD, HERALD_SEED, STRANGER_SEED, key, network_with_a_herald};
use common::postings::{by_stranger, json, suspend};
use portcullis_core::board::Posting;
use portcullis_core::id::{AccountId, ActId};
use portcullis_core::link::{Link, Stops, signed_bytes};
use portcullis_core::{Network, Span, Time};
use portcullis_keys::StatementKey as _;
use portcullis_witness::{Board, Response};
use std::sync::Arc;

const NOW: u64 = 1_700_000_000;
const DAY: Span = Span::hours(24);
/// As many postings of anybody's as a board takes in a minute.
const COMMON_RATE: u32 = 120;

struct Desk {
    network: Arc<Network>,
    board: Board,
}

impl Desk {
    fn new() -> Self {
        let (network, disk) = (network_with_a_herald(), SimDisk::default());
        let clock = HandClock::at_second(NOW);
        Board::create(&network, &key(BOARD_SEED), &disk).unwrap();
        let key = Box::new(key(BOARD_SEED));
        let board = Board::open(Arc::clone(&network), key, clock.shared(), disk.shared()).unwrap();
        Self { network, board }
    }

    /// What is behind a link of somebody's with so long to live.
    fn link(&self, seed: [u8; 32], number: u8, life: Span) -> Posting {
        let link = Link {
            account: AccountId([1; 16]),
            id: ActId([number; 16]),
            expires: Time::from_unix_seconds(NOW).after(life),
            stops: Stops::Everything,
        };
        let genesis = self.network.digest();
        let act = link.act(genesis, HERALD).digest();
        let signature = key(seed).sign(&signed_bytes(act)).unwrap();
        link.posting(genesis, HERALD, signature)
    }

    fn stranger(&self, number: u32) -> Posting {
        let expires = Time::from_unix_seconds(NOW).after(Span::hours(1));
        by_stranger(suspend(self.network.digest(), number, expires))
    }

    fn post(&mut self, posting: &Posting) -> Response {
        self.board.post(&json(posting))
    }
}

/// The number of the reason that it was refused for.
fn reason(response: &Response) -> u64 {
    let problem: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    let kind = problem["type"].as_str().unwrap();
    kind.rsplit(':').next().unwrap().parse().unwrap()
}

#[test]
fn a_link_lives_longer_than_other_acts_and_comes_alone() {
    let mut desk = Desk::new();
    let with = |days: u64, more: u64| Span(DAY.0 * days + more);
    let good = desk.link(HERALD_SEED, 1, with(8, 0));
    assert_eq!(desk.post(&good).status, 201);
    let longer = desk.link(HERALD_SEED, 2, with(8, 1));
    assert_eq!(reason(&desk.post(&longer)), 204);
    let expired = desk.link(HERALD_SEED, 3, with(0, 0));
    assert_eq!(reason(&desk.post(&expired)), 203);
    let mut beside = good;
    beside.evidence.requests = desk.stranger(1).evidence.requests;
    assert_eq!(reason(&desk.post(&beside)), 553);
}

#[test]
fn a_flood_does_not_keep_links_out() {
    let mut desk = Desk::new();
    for number in 0..COMMON_RATE {
        let posting = desk.stranger(number);
        assert_eq!(desk.post(&posting).status, 201);
    }
    let refused = desk.stranger(1000);
    assert_eq!(desk.post(&refused).status, 429);
    let link = desk.link(HERALD_SEED, 1, DAY);
    assert_eq!(desk.post(&link).status, 201);
    let forged = desk.link(STRANGER_SEED, 2, DAY);
    assert_eq!(desk.post(&forged).status, 429);
}
