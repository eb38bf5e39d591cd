//! Boards and nodes that lie, and what the signer makes of it.

use crate::bench::Bench;
use portcullis_chains::ethereum::SignedTx;
use portcullis_core::act::Scope;
use portcullis_core::board::{MAX_PAGE, Page, Posting};
use portcullis_core::id::BoardId;
use portcullis_core::state::release::End;
use portcullis_core::{Digest, Span, Time};
use portcullis_host::Reply;
use portcullis_keeper::NoLease;
use portcullis_keeper::testkit::World;

/// What a board says. None of it is a fresh page of this board for this network.
enum Lie {
    Page(&'static str, fn(&mut Page)),
    Instead(&'static str, u16, fn() -> Vec<u8>),
}

#[rustfmt::skip] // a table
const LIES: &[Lie] = &[
    Lie::Page("of another network", |page| page.genesis = Digest([9; 32])),
    Lie::Page("of another board", |page| page.board = BoardId([9; 16])),
    Lie::Page("from another number", |page| page.from += 1),
    Lie::Page("that ends before it begins", |page| { page.from += 1; page.next = 0; }),
    Lie::Page("of yesterday", |page| page.time = page.time.before(Span::hours(24))),
    Lie::Page("four seconds old", |page| page.time = page.time.before(Span::seconds(4))),
    Lie::Page("of tomorrow", |page| page.time = page.time.after(Span::hours(24))),
    Lie::Page("of the end of time", |page| page.time = Time(u64::MAX)),
    Lie::Page("that never ends", |page| page.more = true),
    Lie::Page("that never ends and counts on", |page| { page.more = true; page.next += 1; }),
    Lie::Instead("nothing", 200, Vec::new),
    Lie::Instead("rubbish", 200, || vec![0xff; 1000]),
    Lie::Instead("more than a page", 200, || vec![0; MAX_PAGE + 1]),
    Lie::Instead("an error", 500, || b"oops".to_vec()),
    Lie::Instead("that it has forgotten", 404, Vec::new),
    Lie::Instead("to look elsewhere", 302, Vec::new),
];

/// The signer waits while a board lies, whatever it says, raises no alarm, and goes on by itself once
/// the board is honest again.
#[test]
fn a_board_that_lies_holds_up_and_does_no_more() {
    for lie in LIES {
        let mut bench = Bench::new();
        bench.run(2);
        let what = {
            let board = &mut bench.wire().board;
            match lie {
                Lie::Page(what, change) => {
                    board.lie = Some(*change);
                    what
                }
                Lie::Instead(what, status, body) => {
                    let (status, body) = (*status, body());
                    board.instead = Some(Reply { status, body });
                    what
                }
            }
        };
        bench.run(4);
        bench.withdraw(5);
        let step = bench.tick();
        let waits = Some(NoLease::Board(World::BOARD));
        assert_eq!((step.signed, step.waits), (0, waits), "a page {what}");
        {
            let board = &mut bench.wire().board;
            (board.lie, board.instead) = (None, None);
        }
        // A board that counted on shows nothing from there; it says so, and is read from the start.
        assert_eq!(bench.run(3), 1, "after a page {what}");
        assert!(
            bench.alarms().is_empty(),
            "a page {what}: {:?}",
            bench.alarms()
        );
    }
}

/// What bound goes on binding though its board shows another posting, or none, in its place.
#[test]
fn a_board_that_forks_its_pages_takes_no_stop_back() {
    let others: [fn(&mut Vec<Posting>); 2] = [
        |postings| postings.clear(),
        |postings| postings[0].evidence.requests.clear(),
    ];
    for other in others {
        let mut bench = Bench::new();
        bench.run(2);
        {
            let mut wire = bench.wire();
            let (act, evidence) = wire.ledger.suspension(Scope::Withdrawals);
            wire.post(Posting { act, evidence });
        }
        bench.run(1);
        other(&mut bench.wire().board.postings);
        bench.withdraw(5);
        assert_eq!(bench.run(4), 0);
    }
}

/// A block that vanishes takes the confirmation with it. The same bytes go out again, and the money
/// arrives once, in another block.
#[test]
fn a_block_that_is_taken_back_confirms_nothing() {
    let mut bench = Bench::new();
    bench.run(2);
    let act = bench.withdraw(700);
    assert_eq!(bench.run(2), 1);
    bench.node.chain().mine(true);
    bench.run(2);
    bench.node.chain().mined.clear();
    bench.node.chain().height += 5;
    bench.run(3);
    let is_open = |bench: &Bench| !bench.wire().ledger.state.facts().ended.contains_key(&act);
    assert!(is_open(&bench), "confirmed by a block that is gone");
    bench.node.chain().mine(true);
    bench.node.chain().height += 2;
    bench.run(3);
    let chain = bench.node.chain();
    assert!(chain.got.len() > 1 && chain.got.iter().all(|bytes| *bytes == chain.got[0]));
    let hash = SignedTx::from_bytes(&chain.got[0]).unwrap().hash();
    drop(chain);
    let ended = bench.wire().ledger.state.facts().ended[&act].end;
    assert_eq!(ended, End::Confirmed(Digest(hash)));
}
