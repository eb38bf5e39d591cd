//! A signer that spends coins: what it signs, and what no gate and no node makes it sign.

mod bars;
mod delivery;
mod kit;

use kit::{DEPTH, HEIGHT, Stage};
use portcullis_core::Time;
use portcullis_core::act::{ActKind, Void};
use portcullis_core::decide::payment::Spend;
use portcullis_core::decide::payment::spend::decode;
use portcullis_core::entry::{Body, Replacement};
use portcullis_core::plan::Plan;
use portcullis_core::state::batch::CoinId;
use portcullis_core::state::release::End;
use portcullis_core::{Digest, Span};
use portcullis_keeper::testkit::{CrashDisk, World};
use portcullis_signer::record::{Closed, Conflict, Intent, Record, Signed};

fn end(stage: &Stage, act: Digest) -> Option<End> {
    let wire = stage.bench.wire();
    let ended = wire.ledger.state.facts().ended.get(&act).copied();
    ended.map(|ended| ended.end)
}

/// Both kinds of coins, three releases, one transaction.
#[test]
fn a_batch_is_signed_broadcast_and_confirmed() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(1, 40_000), (2, 50_000), (3, 40_000)]);
    assert_eq!(stage.bench.run(3), 1);
    let sent = stage.node.chain().got.clone();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].witness(1).is_some(), "two inputs");
    stage.node.chain().mined = Some((sent[0].txid(), 1));
    stage.bench.run(5);
    assert_eq!(end(&stage, acts[0]), None, "not deep enough");
    stage.node.chain().mined = Some((sent[0].txid(), 2));
    stage.bench.run(5);
    for act in acts {
        assert!(matches!(end(&stage, act), Some(End::Confirmed(_))));
    }
    assert!(stage.bench.alarms().is_empty());
}

/// What is signed once is sent again after a crash, byte for byte, and nothing else is signed.
#[test]
fn what_was_signed_is_sent_again_after_a_crash() {
    let mut stage = Stage::new();
    stage.pay(&[(1, 40_000)]);
    assert_eq!(stage.bench.run(3), 1);
    let first = stage.node.chain().got.clone();
    stage.bench.restart();
    assert_eq!(stage.bench.run(5), 0);
    let all = stage.node.chain().got.clone();
    assert!(all.len() > first.len());
    assert!(all.iter().all(|tx| *tx == first[0]));
}

/// One is given up: the others are paid on, by a transaction that competes for the same coin.
#[test]
fn the_rest_goes_on_when_one_is_given_up() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(1, 40_000), (2, 50_000)]);
    assert_eq!(stage.bench.run(3), 1);
    give_up(&mut stage, acts[0]);
    assert_eq!(stage.bench.run(3), 1);
    let second = stage.node.chain().got.last().unwrap().txid();
    stage.node.chain().mined = Some((second, 2));
    stage.bench.run(5);
    assert_eq!(end(&stage, acts[0]), Some(End::Returned));
    assert!(matches!(end(&stage, acts[1]), Some(End::Confirmed(_))));
}

fn give_up(stage: &mut Stage, release: Digest) {
    give_up_unseen(stage, release);
    stage.bench.wire().ledger.settle_clocks();
}

/// The same, by an entry that no witness has seen yet.
fn give_up_unseen(stage: &mut Stage, release: Digest) {
    let mut wire = stage.bench.wire();
    let act = wire
        .ledger
        .act(World::OPERATOR, ActKind::Void(Void { release }));
    let evidence = wire.ledger.staffs_evidence(&act);
    let now = portcullis_host::Clock::now(&stage.bench.clock);
    let strict = portcullis_core::signature::Strict;
    let state = wire.ledger.state.clone();
    let decided = portcullis_core::decide(&state, &act, &evidence, now, &strict);
    drop(wire);
    let plan = stage.planned(decided.payment().unwrap().spend().unwrap());
    let submission = portcullis_core::entry::Submission {
        decision: decided.decision().clone(),
        plan: Some(plan),
        act,
        evidence,
    };
    let mut wire = stage.bench.wire();
    let applied = wire.ledger.enter(Body::Act(Box::new(submission)));
    assert_eq!(applied.void, None);
}

/// A higher fee is the same payment once more.
#[test]
fn a_higher_fee_is_signed_for_the_same_coin() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(1, 40_000)]);
    assert_eq!(stage.bench.run(3), 1);
    stage.rate = 10_000;
    bump(&mut stage, acts[0]);
    assert_eq!(stage.bench.run(3), 1);
    let sent = stage.node.chain().got.clone();
    assert_ne!(sent.first().unwrap().txid(), sent.last().unwrap().txid());
    stage.node.chain().mined = Some((sent.last().unwrap().txid(), 2));
    stage.bench.run(5);
    assert!(matches!(end(&stage, acts[0]), Some(End::Confirmed(_))));
}

fn bump(stage: &mut Stage, act: Digest) {
    let state = stage.bench.wire().ledger.state.clone();
    let plan = stage.planned(&Spend::again(&state, act).unwrap());
    let mut wire = stage.bench.wire();
    let body = Body::Replace(Box::new(Replacement { act, plan }));
    assert_eq!(wire.ledger.enter(body).void, None);
    wire.ledger.cosign();
}

/// State takes each of these plans, for it knows no chain; the signer does not sign, and says so.
#[test]
fn plans_that_state_cannot_see_through() {
    type Change = fn(&mut Stage);
    let table: [(&str, Change, &str); 4] = [
        (
            "amounts that are not so",
            |stage| stage.more = 1,
            "plan-differs",
        ),
        (
            "a lock height ahead",
            |stage| stage.height = HEIGHT + 7,
            "plan-differs",
        ),
        (
            "a fee above the own cap",
            |stage| stage.rate = 70_000,
            "cap-exceeded",
        ),
        (
            "a rate above the own cap",
            |stage| stage.rate = 30_500,
            "cap-exceeded",
        ),
    ];
    for (name, change, alarm) in table {
        let mut stage = Stage::of_taproot();
        change(&mut stage);
        stage.pay(&[(1, 40_000)]);
        assert_eq!(stage.bench.run(3), 0, "{name}");
        assert_eq!(stage.bench.alarms(), [alarm], "{name}");
        assert!(stage.node.chain().got.is_empty(), "{name}");
    }
}

#[test]
fn a_lock_height_within_the_leeway_is_signed() {
    let mut stage = Stage::new();
    stage.height = HEIGHT + 6;
    stage.pay(&[(1, 40_000)]);
    assert_eq!(stage.bench.run(3), 1);
}

/// Each payment by itself, and the sum for the day.
#[test]
fn caps_hold_for_each_payment_and_for_the_day() {
    let mut stage = Stage::new();
    stage.pay(&[(1, 60_001)]);
    assert_eq!(stage.bench.run(3), 0);
    assert_eq!(stage.bench.alarms(), ["cap-exceeded"]);
    let mut stage = Stage::new();
    stage.pay(&[(1, 50_000), (2, 50_000), (3, 50_001)]);
    assert_eq!(stage.bench.run(3), 0);
    assert_eq!(stage.bench.alarms(), ["cap-exceeded"]);
    let mut stage = Stage::new();
    stage.pay(&[(1, 50_000), (2, 50_000), (3, 50_000)]);
    assert_eq!(stage.bench.run(3), 1, "just so much");
}

/// Bytes out of an honest plan: more outputs, other change, other amounts, weaker signatures. State takes none of
/// them, so there is no release to sign.
#[test]
fn bytes_that_were_changed_are_no_release() {
    let mut stage = Stage::new();
    let mut acts = stage.due(&[(1, 40_000)]);
    let mut honest = Vec::new();
    assert!(!stage.settle_with(&acts, |plan| {
        honest.clone_from(&plan.unsigned);
        Plan {
            unsigned: Vec::new(),
            ..plan
        }
    }));
    let mut signed = 0;
    for at in 0..honest.len() {
        let mut unsigned = honest.clone();
        unsigned[at] ^= 1;
        let is_claim = stage.settle_with(&acts, |plan| Plan { unsigned, ..plan });
        if is_claim {
            // A lock time, a claim, or a coin that is not there, of which state knows nothing: the signer does.
            signed += stage.bench.run(2);
            stage = Stage::new();
            acts = stage.due(&[(1, 40_000)]);
        }
    }
    // Blocks 901 and 644 in the place of block 900, and a little more or less of the change for the fee: all that a
    // gate may choose.
    assert_eq!(signed, 4);
}

/// What is not in a block, or spent there, waits without an alarm, and goes out when it is.
#[test]
fn a_coin_that_is_not_confirmed_waits() {
    let mut stage = Stage::new();
    stage.node.chain().gone = stage.deposits.iter().map(|it| it.outpoint).collect();
    stage.pay(&[(1, 40_000)]);
    assert_eq!(stage.bench.run(5), 0);
    assert!(stage.bench.alarms().is_empty());
    stage.node.chain().gone.clear();
    assert_eq!(stage.bench.run(3), 1);
}

/// A coin that a usual reorganisation takes back begins no batch.
#[test]
fn what_is_spent_first_is_as_deep_as_what_is_final() {
    let mut stage = Stage::new();
    stage.node.chain().depth = DEPTH - 1;
    stage.pay(&[(1, 40_000)]);
    assert_eq!(stage.bench.run(5), 0);
    assert!(stage.bench.alarms().is_empty());
    stage.node.chain().depth = DEPTH;
    assert_eq!(stage.bench.run(3), 1);
}

/// Only the first one's loss is the batch's; without another the gate plans anew.
#[test]
fn each_coin_has_to_be_there() {
    let mut stage = Stage::new();
    stage.pay(&[(1, 50_000), (2, 60_000)]);
    let second = stage.spent()[1];
    stage.node.chain().gone = vec![second];
    assert_eq!(stage.bench.run(5), 0);
    stage.node.chain().height += 10 * DEPTH;
    assert_eq!(stage.bench.run(5), 0);
    assert!(stage.bench.alarms().is_empty());
    stage.node.chain().gone.clear();
    assert_eq!(stage.bench.run(3), 1);
}

/// The chain goes on without the coin that a batch begins with.
fn lose_coins(stage: &mut Stage, blocks: u32) {
    let all = stage.deposits.iter().map(|it| it.outpoint).collect();
    stage.node.chain().gone = all;
    stage.bench.run(2);
    stage.node.chain().height += blocks;
    stage.bench.run(5);
}

/// Nothing of it was signed, and nothing is once that is stated, whatever the chain has then.
#[test]
fn a_batch_whose_first_coin_has_gone_returns() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(1, 40_000), (2, 50_000)]);
    lose_coins(&mut stage, DEPTH - 1);
    assert_eq!(end(&stage, acts[0]), None, "it may come back");
    lose_coins(&mut stage, 1);
    assert!(
        acts.iter()
            .all(|act| end(&stage, *act) == Some(End::Returned))
    );
    assert_eq!(stage.bench.alarms(), ["coin-gone"]);
    stage.node.chain().gone.clear();
    assert_eq!(stage.bench.run(5), 0);
    // What has come back pays another batch.
    stage.pay(&[(1, 40_000)]);
    assert_eq!(stage.bench.run(3), 1);
}

/// A node that is behind, and one whose chain was reorganised for a moment.
#[test]
fn a_coin_that_comes_back_in_time_is_spent() {
    let mut stage = Stage::new();
    stage.pay(&[(1, 40_000)]);
    for _ in 0..3 {
        lose_coins(&mut stage, DEPTH - 1);
        stage.node.chain().gone.clear();
        stage.node.chain().depth = DEPTH - 1;
        assert_eq!(stage.bench.run(2), 0);
    }
    stage.node.chain().depth = DEPTH;
    assert_eq!(stage.bench.run(3), 1);
    assert!(stage.bench.alarms().is_empty());
}

/// A gate that gives up what has gone plans to spend just that: the signer declines that plan, too.
#[test]
fn what_is_given_up_returns_without_its_coin() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(1, 40_000)]);
    lose_coins(&mut stage, 0);
    give_up(&mut stage, acts[0]);
    lose_coins(&mut stage, DEPTH);
    assert_eq!(end(&stage, acts[0]), Some(End::Returned));
}

/// What was signed may still confirm: only the chain ends it.
#[test]
fn what_was_signed_is_never_declined() {
    for plans_again in [false, true] {
        let mut stage = Stage::new();
        let acts = stage.pay(&[(1, 40_000)]);
        assert_eq!(stage.bench.run(3), 1);
        if plans_again {
            give_up(&mut stage, acts[0]);
        }
        lose_coins(&mut stage, 200);
        stage.bench.restart();
        lose_coins(&mut stage, 200);
        assert_eq!(end(&stage, acts[0]), None);
        assert!(stage.bench.alarms().is_empty());
    }
}

/// Its record is another one than that of the signer which signed, and the journal does not know either; the chain
/// does.
#[test]
fn what_the_chain_has_is_not_declined() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(1, 40_000)]);
    let plan = {
        let wire = stage.bench.wire();
        let state = &wire.ledger.state;
        let wallet = &state.network().genesis().wallets[0];
        let plan = state.facts().signable(acts[0]).unwrap();
        decode(wallet, plan).unwrap().txid()
    };
    stage.node.chain().mined = Some((plan, 1));
    lose_coins(&mut stage, 0);
    lose_coins(&mut stage, DEPTH);
    assert_eq!(end(&stage, acts[0]), None);
}

/// It stopped between writing down that it will sign nothing and saying so.
#[test]
fn what_was_closed_is_declined_after_a_crash() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(1, 40_000)]);
    let mut record = Record::open(&stage.bench.disk).unwrap();
    let (number, _) = stage.batch(acts[0]);
    let closed = Closed {
        act: acts[0],
        wallet: World::WALLET,
        number,
        time: World::START,
    };
    assert!(record.close(closed).unwrap());
    stage.bench.restart();
    assert_eq!(stage.bench.run(5), 0, "though the coin is there");
    assert_eq!(end(&stage, acts[0]), Some(End::Returned));
}

/// A node that says nothing is left alone for a while; it holds up one chain's payments, and raises no alarm.
#[test]
fn a_node_that_says_nothing_is_waited_for() {
    let mut stage = Stage::new();
    stage.node.chain().is_mute = true;
    stage.pay(&[(1, 40_000)]);
    assert_eq!(stage.bench.run(60), 0);
    assert!(stage.bench.alarms().is_empty());
    assert!(
        stage.node.chain().asked < 12,
        "{}",
        stage.node.chain().asked
    );
    stage.node.chain().is_mute = false;
    assert_eq!(stage.bench.run(40), 1);
}

/// Its answers take longer than a step has: nothing is lost, a step shows some of what is needed.
#[test]
fn a_slow_node_shows_what_it_can_in_each_step() {
    let mut stage = Stage::new();
    let clock = stage.bench.clock.clone();
    stage.node.chain().slow = Some((clock, Span(700)));
    stage.pay(&[(1, 40_000), (2, 50_000), (3, 40_000)]);
    assert_eq!(stage.bench.run(8), 1);
}

/// Each step has its time, and what it showed is kept: more previous transactions than are asked for at once.
#[test]
fn many_previous_transactions_are_shown_in_several_steps() {
    let mut stage = Stage::of_small_coins();
    let clock = stage.bench.clock.clone();
    stage.node.chain().slow = Some((clock, Span(300)));
    stage.pay(&[(1, 40_000)]);
    let step = stage.bench.tick();
    assert_eq!(
        step.signed, 0,
        "a step asks for no more than it has time for"
    );
    assert_eq!(stage.bench.run(4), 1);
}

/// Another transaction than the one that an input names proves nothing.
#[test]
fn a_node_that_shows_another_transaction_has_shown_nothing() {
    let mut stage = Stage::new();
    stage.node.chain().swaps = true;
    stage.pay(&[(1, 40_000)]);
    assert_eq!(stage.bench.run(3), 0);
    assert!(stage.node.chain().got.is_empty());
}

/// A key that is not the one of genesis derives another wallet, also where what is spent is another key's.
#[test]
fn without_all_of_its_keys_a_wallet_signs_nothing() {
    for missing in [0, 1] {
        let mut stage = Stage::of_taproot();
        for keys in stage.bench.coins.keys.values_mut() {
            keys.remove(missing);
        }
        stage.bench.restart();
        stage.pay(&[(1, 40_000)]);
        assert_eq!(stage.bench.run(3), 0);
        assert_eq!(stage.bench.alarms(), ["plan-differs"]);
    }
}

/// A journal that has gone back can plan one coin for two batches, or two coins for one.
#[test]
fn one_first_input_is_one_number() {
    let disk = CrashDisk::default();
    let intent = |nonce, coin| Intent {
        act: Digest([1; 32]),
        plan: Digest([coin; 32]),
        wallet: World::WALLET,
        nonce,
        pays: None,
        shared: Some(CoinId([coin; 36])),
    };
    let mut record = Record::open(&disk).unwrap();
    record
        .intend(b"note", 1, Time(0), vec![intent(4, 1)])
        .unwrap();
    let wallet = World::WALLET;
    for record in [&record, &Record::open(&disk).unwrap()] {
        assert_eq!(record.check(&intent(4, 1)), Ok(()));
        assert_eq!(record.check(&intent(5, 2)), Ok(()));
        let taken = Conflict::SharedTaken {
            wallet,
            nonce: 5,
            taken: 4,
        };
        assert_eq!(record.check(&intent(5, 1)), Err(taken));
        let other = Conflict::OtherShared { wallet, nonce: 4 };
        assert_eq!(record.check(&intent(4, 2)), Err(other));
    }
}

/// Nothing is signed at a closed number, whatever the journal says, and a number with a signature does not close.
#[test]
fn a_number_closes_for_good_and_only_unsigned() {
    let disk = CrashDisk::default();
    let wallet = World::WALLET;
    let intent = |nonce, plan| Intent {
        act: Digest([1; 32]),
        plan: Digest([plan; 32]),
        wallet,
        nonce,
        pays: None,
        shared: Some(CoinId([1; 36])),
    };
    let closed = |number| Closed {
        act: Digest([1; 32]),
        wallet,
        number,
        time: Time(1),
    };
    let mut record = Record::open(&disk).unwrap();
    record
        .intend(b"note", 1, Time(0), vec![intent(4, 1)])
        .unwrap();
    assert!(record.close(closed(4)).unwrap(), "recorded, not signed");
    assert!(record.close(closed(4)).unwrap(), "again");
    record
        .intend(b"note", 1, Time(0), vec![intent(5, 2)])
        .unwrap();
    let signed = Signed {
        wallet,
        nonce: 5,
        plan: Digest([2; 32]),
        transaction: vec![1],
    };
    record.signed(vec![signed]).unwrap();
    assert!(!record.close(closed(5)).unwrap(), "signed");
    for record in [&record, &Record::open(&disk).unwrap()] {
        let never = Conflict::Closed { wallet, nonce: 4 };
        assert_eq!(record.check(&intent(4, 1)), Err(never));
        assert_eq!(record.check(&intent(4, 3)), Err(never));
        assert_eq!(
            record.check(&intent(5, 2)),
            Ok(()),
            "the coin has come back"
        );
        assert!(record.is_closed(wallet, 4) && !record.is_closed(wallet, 5));
    }
}
