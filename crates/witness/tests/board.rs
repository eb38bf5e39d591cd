//! The stop board, by its answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test"
)]

mod common;

use common::clock::HandClock;
use common::disk::{Death, SimDisk};
use common::network::{
    ADMINISTRATOR_SEED, BOARD, BOARD_SEED, KEEPER_SEED, STRANGER_SEED, key, network,
};
use common::postings::{by_keeper, by_stranger, json, key_id, request, suspend, with_request};
use portcullis_core::act::ActKind;
use portcullis_core::board::{MAX_PAGE, MAX_POSTING, Page, PageFault, Posting, SignedPage};
use portcullis_core::evidence::Stamp;
use portcullis_core::signature::{PublicKey, Strict};
use portcullis_core::{Digest, Network, Span, Time};
use portcullis_keys::StatementKey as _;
use portcullis_witness::board::{BoardError, SHOWN_FOR};
use portcullis_witness::{Board, Response};
use std::sync::Arc;

const NOW: u64 = 1_700_000_000;
/// Most postings that everybody together may have shown, and may post in a minute.
const COMMON_LIVE: u32 = 2048;
const COMMON_RATE: u32 = 120;
/// The same for one key of genesis, beyond the common share.
const RESERVED_RATE: u32 = 30;

struct Desk {
    network: Arc<Network>,
    clock: HandClock,
    disk: SimDisk,
    board: Board,
}

impl Desk {
    fn new() -> Self {
        let (network, disk) = (network(), SimDisk::default());
        let clock = HandClock::at_second(NOW);
        Board::create(&network, &key(BOARD_SEED), &disk).unwrap();
        let board = open(&network, &clock, &disk).unwrap();
        Self {
            network,
            clock,
            disk,
            board,
        }
    }

    fn restart(&mut self) {
        self.board = open(&self.network, &self.clock, &self.disk).unwrap();
    }

    fn now(&self) -> Time {
        portcullis_host::Clock::now(&self.clock)
    }

    /// An act of ours, one hour to live.
    fn act(&self, n: u32) -> portcullis_core::Act {
        let expires = self.now().after(Span::hours(1));
        suspend(self.network.digest(), n, expires)
    }

    fn post(&mut self, posting: &Posting) -> Response {
        self.board.post(&json(posting))
    }

    /// Posts, and gives the stamp, which holds.
    fn take(&mut self, posting: &Posting) -> Stamp {
        let response = self.post(posting);
        assert_eq!(response.status, 201, "{}", text(&response));
        let stamp: Stamp = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(stamp.board, BOARD);
        assert!(stamp.is_of(posting.act.digest(), &board_key(), &Strict));
        stamp
    }

    /// The page from a number on, its signature checked as keepers check it.
    fn page(&mut self, from: u64) -> Page {
        let response = self.board.page(from);
        assert_eq!(response.status, 200, "{}", text(&response));
        assert!(response.body.len() <= MAX_PAGE);
        let asked = (self.network.digest(), BOARD, from);
        let page = SignedPage::open(&response.body, asked, &board_key(), &Strict).unwrap();
        let age = self.now().since(page.time);
        assert!(age < Span(250), "the page is {age:?} old");
        page
    }

    fn numbers(&mut self, from: u64) -> Vec<u64> {
        self.page(from).postings.iter().map(|(n, _)| *n).collect()
    }
}

fn open(network: &Arc<Network>, clock: &HandClock, disk: &SimDisk) -> Result<Board, BoardError> {
    let key = Box::new(key(BOARD_SEED));
    Board::open(Arc::clone(network), key, clock.shared(), disk.shared())
}

fn board_key() -> PublicKey {
    key(BOARD_SEED).public_key().clone()
}

fn text(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}

#[test]
fn a_posting_is_stamped_and_shown_with_its_stamp() {
    let mut desk = Desk::new();
    let posting = by_stranger(desk.act(1));
    desk.clock.pass(1234);
    let stamp = desk.take(&posting);
    assert_eq!(stamp.time, desk.now());
    let page = desk.page(0);
    assert_eq!((page.from, page.next, page.more), (0, 1, false));
    let mut shown = posting;
    shown.evidence.posted = Some(stamp);
    assert_eq!(page.postings, [(0, shown)]);
}

#[test]
fn every_useless_posting_is_refused_and_nothing_is_kept() {
    let mut desk = Desk::new();
    let good = by_stranger(desk.act(1));
    let with = |change: &dyn Fn(&mut Posting)| {
        let mut posting = good.clone();
        change(&mut posting);
        json(&posting)
    };
    let signed_again = |change: &dyn Fn(&mut portcullis_core::Act)| {
        let mut act = good.act.clone();
        change(&mut act);
        json(&by_stranger(act))
    };
    let (now, text_of_good) = (desk.now(), String::from_utf8(json(&good)).unwrap());
    let of_another = by_stranger(desk.act(2)).evidence.requests;
    let stamp = Stamp {
        board: BOARD,
        time: now,
        signature: good.evidence.requests[0].signature,
    };

    #[rustfmt::skip] // a table
    let table: &[(&str, Vec<u8>, u16, &str)] = &[
        ("nothing",              b"".to_vec(),                                                        400, "reason:100"),
        ("garbage",              b"{\"act\":".to_vec(),                                               400, "reason:100"),
        ("an unknown field",     text_of_good.replacen('{', "{\"more\":1,", 1).into(),                400, "reason:100"),
        ("too long",             [text_of_good.as_bytes(), &vec![b' '; MAX_POSTING]].concat(),        413, "reason:101"),
        ("nine requests",        with(&|p| p.evidence.requests = vec![p.evidence.requests[0].clone(); 9]), 413, "reason:101"),
        ("a stamp",              with(&|p| p.evidence.posted = Some(stamp.clone())),                  400, "reason:100"),
        ("another network",      signed_again(&|act| act.genesis = Digest([1; 32])),                  422, "reason:200"),
        ("a loosening act",      signed_again(&|act| act.kind = ActKind::Unfreeze),                   422, "about:blank"),
        ("no evidence",          with(&|p| p.evidence.requests.clear()),                              422, "reason:306"),
        ("no signature base",    with(&|p| p.evidence.requests[0].base = b"x".to_vec()),              422, "reason:303"),
        ("another act's proof",  with(&|p| p.evidence.requests.clone_from(&of_another)),              422, "reason:304"),
        ("expired",              signed_again(&|act| act.expires = now),                              422, "reason:203"),
        ("lives too long",       signed_again(&|act| act.expires = now.after(Span(24 * 3_600_001))),  422, "reason:204"),
    ];
    let before = desk.disk.operations();
    for (what, body, status, told) in table {
        let response = desk.board.post(body);
        assert_eq!(response.status, *status, "{what}: {}", text(&response));
        assert_eq!(response.content_type, "application/problem+json", "{what}");
        assert!(
            text(&response).contains(told),
            "{what}: {}",
            text(&response)
        );
    }
    assert_eq!(desk.disk.operations(), before, "nothing was written");
    assert_eq!(desk.page(0).next, 0);
    desk.take(&good);
}

#[test]
fn the_same_posting_has_one_stamp() {
    let mut desk = Desk::new();
    let posting = by_stranger(desk.act(1));
    let first = desk.take(&posting);
    desk.clock.pass(5000);
    assert_eq!(desk.take(&posting), first);
    desk.restart();
    assert_eq!(desk.take(&posting), first, "over a restart too");
    desk.clock.pass(3_600_000);
    assert_eq!(desk.take(&posting), first, "also when the act has expired");
    assert_eq!(desk.page(0).next, 1);
}

/// Whoever posts an act first, with evidence that does not hold, keeps nobody's evidence out.
#[test]
fn another_evidence_for_the_same_act_is_another_posting() {
    let mut desk = Desk::new();
    let act = desk.act(1);
    desk.take(&by_stranger(act.clone()));
    desk.clock.pass(1000);
    let honest = by_keeper(act);
    assert_eq!(desk.take(&honest).time, desk.now());
    let shown = desk.page(0).postings;
    assert_eq!(shown.len(), 2);
    assert_eq!(shown[1].1.evidence.requests, honest.evidence.requests);
}

#[test]
fn pages_go_on_from_any_number_and_numbers_never_change() {
    let mut desk = Desk::new();
    for n in 0..5 {
        desk.take(&by_stranger(desk.act(n)));
    }
    desk.restart();
    assert_eq!(desk.numbers(0), [0, 1, 2, 3, 4]);
    assert_eq!(desk.numbers(3), [3, 4]);
    assert!(desk.numbers(5).is_empty());
    assert_eq!(desk.page(5).next, 5);
    assert_eq!(desk.board.page(6).status, 404);
    desk.take(&by_stranger(desk.act(5)));
    assert_eq!(desk.numbers(5), [5]);
}

#[test]
fn a_long_list_comes_in_pages() {
    let mut desk = Desk::new();
    let mut sent = Vec::new();
    for n in 0..100 {
        let act = desk.act(n);
        // As much evidence as a posting holds.
        let piece = request(&act, STRANGER_SEED, &key_id(STRANGER_SEED));
        let mut posting = with_request(act, piece.clone());
        posting.evidence.requests = vec![piece; 8];
        sent.push(posting.act.digest());
        desk.take(&posting);
        desk.clock.pass(1000);
    }
    let (mut from, mut pages, mut seen) = (0, 0, Vec::new());
    loop {
        let page = desk.page(from);
        assert!(page.next > from);
        seen.extend(
            page.postings
                .iter()
                .map(|(_, posting)| posting.act.digest()),
        );
        (from, pages) = (page.next, pages + 1);
        if !page.more {
            break;
        }
    }
    assert_eq!(seen, sent);
    assert!(pages > 1, "one page held everything");
}

/// A posting counts from its stamp, so its act's own expiry does not take it off the page.
#[test]
fn a_posting_is_shown_as_long_as_a_state_may_take_it() {
    let mut desk = Desk::new();
    let posted = desk.now();
    desk.take(&by_stranger(desk.act(1)));
    desk.clock.pass(SHOWN_FOR.0 - 1);
    desk.take(&by_stranger(desk.act(2)));
    assert_eq!(desk.numbers(0), [0, 1]);
    desk.clock.pass(1);
    assert_eq!(desk.now(), posted.after(SHOWN_FOR));
    assert_eq!(desk.numbers(0), [1]);
    desk.restart();
    assert_eq!(desk.numbers(0), [1]);
    assert_eq!(desk.page(0).next, 2);
}

#[test]
fn a_flood_does_not_keep_a_keeper_or_an_administrator_out() {
    let mut desk = Desk::new();
    for n in 0..COMMON_RATE {
        desk.take(&by_stranger(desk.act(n)));
    }
    let refused = desk.post(&by_stranger(desk.act(1000)));
    assert_eq!((refused.status, refused.retry_after), (429, Some(60)));

    desk.take(&by_keeper(desk.act(1001)));
    let act = desk.act(1002);
    let signed = request(&act, ADMINISTRATOR_SEED, &key_id(ADMINISTRATOR_SEED));
    desk.take(&with_request(act, signed));

    // Nobody else opens that door.
    let pretender = |act: portcullis_core::Act| {
        let forged = request(&act, STRANGER_SEED, &key_id(KEEPER_SEED));
        with_request(act, forged)
    };
    assert_eq!(desk.post(&pretender(desk.act(1003))).status, 429);
    let mut dressed_up = by_keeper(desk.act(1004));
    let piece = dressed_up.evidence.requests[0].clone();
    dressed_up.evidence.requests.push(piece);
    assert_eq!(desk.post(&dressed_up).status, 429);

    desk.clock.pass(60_000);
    desk.take(&by_stranger(desk.act(1000)));
}

#[test]
fn a_key_of_genesis_has_bounds_too_and_they_are_its_own() {
    let mut desk = Desk::new();
    for n in 0..COMMON_RATE {
        desk.take(&by_stranger(desk.act(n)));
    }
    for n in 0..RESERVED_RATE {
        desk.take(&by_keeper(desk.act(1000 + n)));
    }
    assert_eq!(desk.post(&by_keeper(desk.act(2000))).status, 429);
    let act = desk.act(2001);
    let signed = request(&act, ADMINISTRATOR_SEED, &key_id(ADMINISTRATOR_SEED));
    desk.take(&with_request(act, signed));
}

#[test]
fn the_places_fill_up_and_get_free_again() {
    let mut desk = Desk::new();
    for n in 0..COMMON_LIVE {
        if n % COMMON_RATE == 0 {
            desk.clock.pass(60_000);
        }
        desk.take(&by_stranger(desk.act(n)));
    }
    desk.clock.pass(60_000);
    desk.restart();
    assert_eq!(desk.post(&by_stranger(desk.act(COMMON_LIVE))).status, 429);
    desk.take(&by_keeper(desk.act(COMMON_LIVE + 1)));
    desk.clock.pass(SHOWN_FOR.0);
    desk.take(&by_stranger(desk.act(COMMON_LIVE + 2)));
    let numbers = desk.numbers(0);
    assert_eq!(numbers, [u64::from(COMMON_LIVE) + 1]);
}

#[test]
fn many_readers_cost_as_much_as_one() {
    let mut desk = Desk::new();
    desk.take(&by_stranger(desk.act(1)));
    let first = desk.board.page(1).body;
    desk.clock.pass(249);
    assert_eq!(desk.board.page(1).body, first, "signed once");
    desk.clock.pass(1);
    assert_ne!(desk.board.page(1).body, first, "but not for long");
    let before = desk.board.page(1).body;
    desk.take(&by_stranger(desk.act(2)));
    assert_ne!(
        desk.board.page(1).body,
        before,
        "and never over a new posting"
    );
}

#[test]
fn a_page_is_nobody_elses_and_unaltered() {
    let mut desk = Desk::new();
    desk.take(&by_stranger(desk.act(1)));
    let body = desk.board.page(0).body;
    let genesis = desk.network.digest();
    let stranger = key(STRANGER_SEED).public_key().clone();
    let open = |body: &[u8], asked, key: &PublicKey| SignedPage::open(body, asked, key, &Strict);
    assert!(open(&body, (genesis, BOARD, 0), &board_key()).is_ok());
    let other = open(&body, (genesis, BOARD, 0), &stranger);
    assert_eq!(other, Err(PageFault::Signature));
    let other = open(&body, (genesis, BOARD, 1), &board_key());
    assert_eq!(other, Err(PageFault::Other));
    for at in 0..body.len() {
        let mut altered = body.clone();
        altered[at] ^= 1;
        assert!(
            open(&altered, (genesis, BOARD, 0), &board_key()).is_err(),
            "byte {at}"
        );
    }
}

#[test]
fn the_boards_time_never_goes_back_behind_a_stamp() {
    let mut desk = Desk::new();
    let stamp = desk.take(&by_stranger(desk.act(1)));
    desk.clock.set_second(NOW - 100);
    desk.restart();
    let page = desk.board.page(0).body;
    let asked = (desk.network.digest(), BOARD, 0);
    let page = SignedPage::open(&page, asked, &board_key(), &Strict).unwrap();
    assert_eq!(page.time, stamp.time);
}

#[test]
fn a_full_disk_refuses_and_nothing_breaks() {
    let mut desk = Desk::new();
    desk.disk.set_full(true);
    let posting = by_stranger(desk.act(1));
    assert_eq!(desk.post(&posting).status, 503);
    assert!(!desk.board.is_stopped());
    assert_eq!(desk.page(0).next, 0);
    desk.disk.set_full(false);
    desk.take(&posting);
    assert_eq!(desk.numbers(0), [0]);
}

/// The disk dies in each operation of a run, in each way: what was promised is shown afterwards, under
/// the number that it was shown under before.
#[test]
fn no_crash_loses_a_promise_or_gives_a_number_twice() {
    for death in Death::ALL {
        for operation in 1..14 {
            let mut desk = Desk::new();
            desk.disk.die_in(operation, death);
            let mut shown = Vec::new();
            for n in 0..6 {
                let posting = by_stranger(desk.act(n));
                let response = desk.post(&posting);
                if response.status != 201 {
                    assert_eq!(response.status, 503);
                    break;
                }
                shown = desk.page(0).postings;
            }
            assert!(desk.disk.is_dead(), "{death:?} in {operation}");
            desk.disk.revive();
            desk.restart();
            let after = desk.page(0).postings;
            assert_eq!(after[..shown.len()], shown, "{death:?} in {operation}");
            assert!(after.len() <= shown.len() + 1);
            let used = desk.page(0).next;
            desk.take(&by_stranger(desk.act(100)));
            assert_eq!(desk.page(0).postings.last().unwrap().0, used);
            desk.restart();
            assert_eq!(desk.page(0).postings.len(), after.len() + 1);
        }
    }
}

#[test]
fn a_torn_posting_is_cut_wherever_it_tore() {
    let mut desk = Desk::new();
    desk.take(&by_stranger(desk.act(1)));
    desk.restart();
    let one = desk.disk.bytes("board/tail").unwrap();
    let one = one.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    desk.take(&by_stranger(desk.act(2)));
    let whole = desk.disk.bytes("board/tail").unwrap();
    let two = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for cut in one + 1..two {
        for zeros in [0, 1, 4096] {
            let mut torn = whole[..cut].to_vec();
            torn.resize(cut + zeros, 0);
            desk.disk.change("board/tail", |bytes| *bytes = torn);
            desk.restart();
            assert_eq!(desk.numbers(0), [0]);
            assert_eq!(desk.page(0).next, 2, "the torn number stays unused");
        }
    }
}

#[test]
fn a_flipped_byte_stops_it() {
    let mut desk = Desk::new();
    for n in 0..3 {
        desk.take(&by_stranger(desk.act(n)));
    }
    let tail = desk.disk.bytes("board/tail").unwrap();
    let written = tail.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let base = desk.disk.bytes("board/base").unwrap().len();
    desk.disk
        .change("board/tail", |bytes| bytes.truncate(written));
    for (name, length) in [("board/base", base), ("board/tail", written)] {
        for at in 0..length {
            desk.disk.change(name, |bytes| bytes[at] ^= 0x40);
            let error = open(&desk.network, &desk.clock, &desk.disk).err();
            let error = error.unwrap_or_else(|| panic!("it started: {name}, byte {at}"));
            assert!(error.to_string().contains(name), "{error}");
            desk.disk.change(name, |bytes| bytes[at] ^= 0x40);
        }
    }
    desk.restart();
    assert_eq!(desk.numbers(0), [0, 1, 2]);
}

#[test]
fn a_board_without_its_files_does_not_start() {
    for name in ["board/base", "board/tail"] {
        let desk = Desk::new();
        desk.disk.lose(name);
        let error = open(&desk.network, &desk.clock, &desk.disk).err().unwrap();
        assert!(error.to_string().contains("new key"), "{error}");
    }
    let desk = Desk::new();
    assert!(Board::create(&desk.network, &key(BOARD_SEED), &desk.disk).is_err());
    assert!(Board::create(&desk.network, &key(STRANGER_SEED), &SimDisk::default()).is_err());
}
