//! What keeps a batch from being signed, as it keeps a single release.

use super::kit::{Stage, payee};
use super::{bump, give_up_unseen};
use crate::stops::post_suspension;
use portcullis_chains::caip::Address;
use portcullis_core::act::Scope;
use portcullis_core::{Digest, Span};
use portcullis_keeper::testkit::{Customer, World};
use portcullis_signer::record::{Intent, Record};

/// A batch of two, and the alarms of a signer that does not sign it.
fn refused(stage: &mut Stage) -> Vec<String> {
    stage.pay(&[(1, 40_000), (2, 50_000)]);
    assert_eq!(stage.bench.run(3), 0);
    assert!(stage.node.chain().got.is_empty());
    stage.bench.alarms()
}

/// Within genesis' ceiling and within the cap for its size.
#[test]
fn a_fee_above_the_own_cap_is_not_signed() {
    let mut stage = Stage::of_small_coins();
    stage.rate = 13_000;
    stage.pay(&[(1, 40_000)]);
    assert_eq!(stage.bench.run(8), 0);
    assert_eq!(stage.bench.alarms(), ["cap-exceeded"]);
}

#[test]
fn without_a_cap_on_the_rate_nothing_is_signed() {
    let mut stage = Stage::with(|config| {
        for chain in &mut config.chains {
            chain.max_fee_rate = None;
        }
    });
    assert_eq!(refused(&mut stage), ["cap-exceeded"]);
}

#[test]
fn each_member_keeps_the_floors() {
    let mut stage = Stage::with(|config| config.floors.address_age_seconds = 1_000_000);
    assert_eq!(refused(&mut stage), ["cap-exceeded"]);
}

/// The second of the batch has a factor that came in above the day's cap.
#[test]
fn each_members_factor_has_to_count() {
    let mut stage = Stage::with(|config| config.floors.first_enrolments_per_day = 1);
    let second = Customer::number(2);
    {
        let ledger = &mut stage.bench.wire().ledger;
        ledger.open(&second);
        ledger.add_address(&second, Address::Bitcoin(payee(2)));
    }
    let acts = [
        stage.ask(&stage.bench.customer, 1, 40_000),
        stage.ask(&second, 2, 50_000),
    ];
    stage.pass_a_batch();
    assert!(stage.settle_with(&acts, |plan| plan));
    assert_eq!(stage.bench.run(3), 0);
    stage.bench.clock.pass(Span::hours(24));
    assert_eq!(stage.bench.run(3), 1);
}

/// Two batches of one round are above it together.
#[test]
fn the_days_cap_counts_what_is_signed_beside() {
    let mut stage = Stage::new();
    let acts = stage.due(&[(1, 50_000), (2, 50_000), (3, 50_000), (1, 50_000)]);
    for batch in acts.chunks(2) {
        assert!(stage.settle_with(batch, |plan| plan));
    }
    assert_eq!(stage.bench.run(3), 1);
    assert_eq!(stage.bench.alarms(), ["cap-exceeded"]);
}

/// Twice the sum would be above it.
#[test]
fn the_days_cap_counts_a_batch_once_for_all_its_plans() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(1, 50_000), (2, 50_000)]);
    assert_eq!(stage.bench.run(3), 1);
    stage.rate = 9_000;
    bump(&mut stage, acts[0]);
    assert_eq!(stage.bench.run(3), 1);
}

#[test]
fn what_was_cosigned_too_late_is_not_signed() {
    let mut stage = Stage::new();
    stage.pay(&[(1, 40_000)]);
    stage.bench.clock.pass(Span::seconds(31));
    assert_eq!(stage.bench.run(2), 0);
    // Nor what gives it up.
    let mut stage = Stage::new();
    let acts = stage.pay(&[(1, 40_000)]);
    assert_eq!(stage.bench.run(3), 1);
    give_up_unseen(&mut stage, acts[0]);
    stage.bench.clock.pass(Span::seconds(31));
    assert_eq!(stage.bench.run(2), 0);
}

#[test]
fn a_posting_bars_a_batch() {
    let mut stage = Stage::new();
    stage.bench.run(2);
    post_suspension(&stage.bench, Scope::Withdrawals);
    assert!(refused(&mut stage).is_empty(), "waiting is no alarm");
}

/// The record has the number for another act: the journal has gone back.
#[test]
fn a_number_that_was_anothers_is_not_signed() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(1, 40_000)]);
    let (nonce, shared) = stage.batch(acts[0]);
    let mut record = Record::open(&stage.bench.disk).unwrap();
    let other = Intent {
        act: Digest([9; 32]),
        plan: Digest([9; 32]),
        wallet: World::WALLET,
        nonce,
        pays: None,
        shared: Some(shared),
    };
    let now = World::START;
    record.intend(b"note", 1, now, vec![other]).unwrap();
    stage.bench.restart();
    assert_eq!(stage.bench.run(3), 0);
    assert_eq!(stage.bench.alarms(), ["nonce-conflict"]);
}

#[test]
fn the_first_input_is_recorded() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(1, 40_000)]);
    let (number, shared) = stage.batch(acts[0]);
    assert_eq!(stage.bench.run(3), 1);
    let record = Record::open(&stage.bench.disk).unwrap();
    let slot = record.slot(World::WALLET, number).unwrap();
    assert_eq!(slot.shared, Some(shared));
}
