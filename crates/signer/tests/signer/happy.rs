//! What should happen when nothing is wrong.

use crate::bench::{Bench, PAYEE};
use portcullis_chains::Amount;
use portcullis_chains::ethereum::{SignedTx, Transfer};
use portcullis_core::Digest;
use portcullis_core::state::release::End;
use portcullis_core::statement::Says;
use portcullis_keeper::testkit::World;
use portcullis_keys::WalletKey as _;

#[test]
fn a_released_withdrawal_is_signed_broadcast_confirmed_and_stated() {
    let mut bench = Bench::new();
    assert_eq!(bench.step().signed, 0);
    let act = bench.withdraw(700);

    let step = bench.step();
    assert_eq!((step.signed, step.handed_out), (1, 1));
    let sent = bench.node.chain().got.clone();
    assert_eq!(sent.len(), 1, "broadcast once");
    let tx = SignedTx::from_bytes(&sent[0]).unwrap();
    assert_eq!(tx.recover().unwrap(), World::new().wallet.address());
    let transfer = Transfer::decode(tx.unsigned()).unwrap();
    assert_eq!((transfer.to(), transfer.amount()), (PAYEE, Amount(700)));
    assert_eq!((transfer.asset(), transfer.nonce()), (World::ETHER, 0));

    bench.tick();
    let release = bench.wire().ledger.state.facts().releases[&act].clone();
    assert_eq!(release.signed.len(), 1, "the receipt is journaled");
    assert_eq!(release.signed[0].transaction, Digest(tx.hash()));

    bench.node.chain().mine(true);
    bench.run(3);
    let facts = bench.wire().ledger.state.facts().clone();
    assert!(facts.releases.contains_key(&act), "one block is not three");
    bench.node.chain().height += 2;
    bench.run(4);
    let facts = bench.wire().ledger.state.facts().clone();
    assert_eq!(facts.ended[&act].end, End::Confirmed(Digest(tx.hash())));

    assert_eq!(bench.run(30), 0, "nothing is signed twice");
    assert_eq!(
        bench.node.chain().got.len(),
        1,
        "nor sent again once it is mined"
    );
}

#[test]
fn the_receipt_carries_entry_and_effects() {
    let mut bench = Bench::new();
    let act = bench.withdraw(5);
    bench.run(2);
    let wire = bench.wire();
    let release = &wire.ledger.state.facts().releases[&act];
    let receipts = wire
        .statements
        .iter()
        .filter_map(|s| match &s.statement.says {
            Says::Signed {
                entry,
                effects,
                plan,
                ..
            } => Some((*entry, *effects, *plan)),
            _ => None,
        });
    let want = (release.entry, release.effects, release.plans[0].digest());
    assert_eq!(receipts.collect::<Vec<_>>(), [want]);
}

#[test]
fn caps_are_stated_once() {
    let mut bench = Bench::new();
    bench.run(10);
    let wire = bench.wire();
    let caps = wire
        .statements
        .iter()
        .filter(|s| matches!(s.statement.says, Says::Caps { .. }));
    assert_eq!(caps.count(), 1);
    assert_eq!(wire.ledger.state.facts().caps[&World::KEEPER].caps.len(), 2);
}
