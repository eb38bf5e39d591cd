//! A herald that dies between any two of its steps loses no notice, and repeats at most the one that was
//! on its way.

use crate::bench::{Bench, FIRST};
use portcullis_core::Span;
use portcullis_host::Clock as _;

#[test]
fn killed_before_it_sent_anything_it_sends() {
    let mut bench = Bench::begun();
    let act = bench.add_address(0x22);
    bench.clock.pass(Span::seconds(1));
    bench.step();
    bench.kill();
    bench.run(3);
    assert_eq!(bench.fake.taken(), [(FIRST.to_owned(), "address-added")]);
    assert!(!bench.waits(act));
}

/// The server has it, and the herald has not noted that.
#[test]
fn killed_between_sending_and_saying_so_it_sends_the_same_once_more() {
    let mut bench = Bench::begun();
    let act = bench.add_address(0x22);
    bench.clock.pass(Span::seconds(1));
    bench.step();
    assert!(bench.postman.step(bench.clock.now()));
    bench.kill();
    bench.run(5);
    let post = bench.fake.post();
    assert_eq!(post.taken.len(), 2);
    assert_eq!(
        post.taken[0].id, post.taken[1].id,
        "whoever gets it twice knows it"
    );
    drop(post);
    assert!(!bench.waits(act));
}

#[test]
fn killed_after_noting_it_says_so_and_sends_nothing_again() {
    let mut bench = Bench::begun();
    bench.wire().takes_statements = false;
    let act = bench.add_address(0x22);
    bench.run(3);
    assert!(bench.waits(act));
    bench.kill();
    bench.wire().takes_statements = true;
    bench.run(3);
    assert!(!bench.waits(act));
    assert_eq!(bench.fake.taken().len(), 1);
}

#[test]
fn restarted_at_rest_it_repeats_nothing() {
    let mut bench = Bench::begun();
    bench.add_address(0x22);
    bench.run(3);
    let before = bench.fake.taken().len();
    for _ in 0..3 {
        bench.kill();
        bench.run(3);
    }
    assert_eq!(bench.fake.taken().len(), before);
}

/// It has the contact, and the gate was not told: whatever the gate keeps it may forget after all.
#[test]
fn killed_before_it_acknowledged_a_contact_it_does_so_again() {
    let mut bench = Bench::begun();
    let second = bench.seal("second@customer.example", 2);
    let kept = bench.wire().envelopes[&second].clone();
    bench.change_contact(second);
    bench.run(3);
    assert!(bench.wire().envelopes.is_empty());
    // As if the word had been lost.
    bench.wire().envelopes.insert(second, kept);
    bench.kill();
    bench.run(3);
    assert!(bench.wire().envelopes.is_empty());
}
