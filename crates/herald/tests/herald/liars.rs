//! Who lies: a gate that shows what was never cosigned, and a herald that says what it never told.

use crate::bench::Bench;
use portcullis_core::act::ActKind;
use portcullis_core::act::AddAddress;
use portcullis_core::entry::Body;
use portcullis_core::statement::{Says, SignedStatement, Statement};
use portcullis_core::{Digest, Span};
use portcullis_keeper::testkit::World;
use portcullis_keys::StatementKey as _;

/// Whatever the gate shows, nobody is told of what the witnesses have not seen.
#[test]
fn what_is_not_cosigned_is_not_told() {
    let mut bench = Bench::begun();
    {
        let mut wire = bench.wire();
        wire.heartbeat = false;
        wire.ledger.cosign();
        let address = World::address(0x22);
        let kind = ActKind::AddAddress(AddAddress { address });
        let act = wire.ledger.customers_act(&bench.customer, kind);
        let evidence = wire.ledger.customers_evidence(&bench.customer, &act);
        wire.ledger.submit(act, evidence);
    }
    for _ in 0..5 {
        bench.clock.pass(Span::seconds(1));
        bench.step();
        assert!(!bench.postman.step(World::START));
    }
    bench.run(3);
    assert_eq!(bench.fake.taken().len(), 1);
}

/// A herald that lies begins no delay that the witnesses have not timed: it runs in full from their
/// cosignature on its word, whenever it said so, and for nothing that is not in the journal.
#[test]
fn a_lie_shortens_nothing() {
    let bench = Bench::begun();
    let says = |entry, act| {
        let statement = Statement {
            genesis: bench.wire().ledger.world.digest(),
            keeper: World::HERALD,
            says: Says::Told { act, entry },
        };
        let signature = World::key(&World::HERALD.0).sign(&statement.signed_bytes());
        Box::new(SignedStatement {
            signature: signature.unwrap(),
            statement,
        })
    };
    // Of an act that is not there yet.
    let lie = Body::Statement(says(0, Digest([9; 32])));
    assert!(bench.wire().ledger.branch().enter(lie).void.is_some());
    let act = bench.add_address(0x22);
    let state = bench.wire().ledger.state.clone();
    let (entry, _) = state
        .facts()
        .untold
        .acts()
        .find(|(_, of)| *of == act)
        .unwrap();
    let lie = Body::Statement(says(entry, act));
    assert_eq!(bench.wire().ledger.enter(lie).void, None);
    assert_eq!(bench.available(0x22), None, "a word alone begins nothing");
    bench.clock.pass(Span::seconds(100));
    bench.wire().ledger.settle_clocks();
    let cosigned = World::START.after(Span(
        bench.wire().ledger.state.facts().time.0 - World::START.0,
    ));
    let available = bench.available(0x22).unwrap();
    assert!(
        available >= cosigned.after(Span::seconds(4)),
        "the whole delay from there"
    );
}
