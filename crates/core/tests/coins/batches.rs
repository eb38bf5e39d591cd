//! What becomes of a batch and its members.

use crate::kit::{BATCH, HOUR, Stage};
use portcullis_core::apply::VoidReason;
use portcullis_core::decide::PlanFault;
use portcullis_core::decide::batch::{gather, settle_together};
use portcullis_core::decide::payment::spend::decode;
use portcullis_core::decide::settle;
use portcullis_core::decision::Need;
use portcullis_core::effect::Effect;
use portcullis_core::entry::Beside;
use portcullis_core::state::batch::CoinId;
use portcullis_core::state::release::{End, Stage as Of, Withheld};
use portcullis_core::statement::Says;
use portcullis_core::{Decision, Digest, Reason, Span};

fn refused(reason: Reason) -> Decision {
    Decision::Refuse { reason }
}

#[test]
fn a_withdrawal_waits_for_its_batch_and_then_for_nothing() {
    let mut stage = Stage::new();
    let until = Some(stage.now().after(BATCH));
    let waits = Decision::Hold {
        needs: vec![Need::Batch],
        until,
    };
    let (act, decision) = stage.ask(0, 1, 50_000);
    assert_eq!(decision, waits);
    stage.pass(Span(BATCH.0 - 1));
    let now = |stage: &Stage| settle(stage.state(), act, stage.now());
    assert_eq!(*now(&stage).decision(), waits);
    stage.pass(Span(1));
    assert_eq!(*now(&stage).decision(), Decision::Release);
}

/// Satoshis, and what becomes of a withdrawal of so many to a P2WPKH address.
#[test]
fn what_the_chain_does_not_carry_is_refused_at_the_act() {
    let rows = [
        (0, Some(Reason::AmountZero)),
        (1, Some(Reason::AmountUnpayable)),
        (293, Some(Reason::AmountUnpayable)),
        (294, None),
        (u128::from(HOUR), None),
        (u128::from(HOUR) + 1, Some(Reason::OverHourLimit)),
        (2_100_000_000_000_001, Some(Reason::AmountUnpayable)),
        (u128::MAX, Some(Reason::AmountUnpayable)),
    ];
    for (sats, reason) in rows {
        let decision = Stage::new().ask(0, 1, sats).1;
        match reason {
            Some(reason) => assert_eq!(decision, refused(reason), "{sats}"),
            None => assert!(matches!(decision, Decision::Hold { .. }), "{sats}"),
        }
    }
}

#[test]
fn a_batch_is_paid_by_one_plan_in_its_order_and_takes_one_number() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(0, 1, 50_000), (1, 2, 60_000), (0, 3, 70_000)]);
    let plans: Vec<_> = acts
        .iter()
        .map(|act| stage.facts().plans_of(*act))
        .collect();
    assert!(plans.iter().all(|plans| plans.len() == 1));
    assert!(plans.windows(2).all(|pair| pair[0] == pair[1]));
    let kept = acts.iter().map(|act| stage.release(*act).plans.len());
    assert_eq!(kept.sum::<usize>(), 1, "one copy for all");
    let batch = stage.facts().batch_of(acts[2]).unwrap();
    assert_eq!((batch.number, &batch.members), (40, &acts));
    let claimed = decode(stage.wallet(), &plans[0][0]).unwrap();
    let first = claimed.spends().next().unwrap();
    assert_eq!(batch.shared, first.into());
    assert_eq!(batch.coins.len(), claimed.spends().count());
    let wallet = &stage.facts().wallets[&stage.wallet().id];
    assert_eq!(wallet.next_nonce, 41, "one number for all");
    let paid = portcullis_core::decide::payment::spend::payments(stage.state(), batch);
    let places = paid
        .unwrap()
        .into_iter()
        .map(|one| claimed.paying(&one).next().unwrap());
    assert_eq!(places.collect::<Vec<_>>(), [0, 1, 2]);
}

/// The hour has room for two of three, whoever of them comes first.
#[test]
fn what_is_paid_before_counts_already() {
    let mut stage = Stage::new();
    let acts = stage.due(&[
        (0, 1, 400_000),
        (0, 2, 400_000),
        (0, 3, 400_000),
        (1, 4, 400_000),
    ]);
    let (state, now) = (stage.state(), stage.now());
    assert_eq!(gather(state, acts[0], now), [acts[1], acts[3]]);
    assert_eq!(gather(state, acts[2], now), [acts[0], acts[3]]);
    let all = settle_together(state, acts[0], &acts[1..], now);
    assert_eq!(all.unwrap_err(), PlanFault::Batch);
}

#[test]
fn who_follows_waits_no_longer_and_who_lacks_more_does_not_follow() {
    let mut stage = Stage::new();
    let first = stage.due(&[(0, 1, 50_000)])[0];
    let late = stage.ask(1, 2, 50_000).0;
    stage.ledger.settle_clocks();
    let (state, now) = (stage.state(), stage.now());
    assert!(matches!(
        settle(state, late, now).decision(),
        Decision::Hold { .. }
    ));
    assert_eq!(gather(state, first, now), [late]);
    assert_eq!(
        settle_together(state, late, &[first], now).unwrap_err(),
        PlanFault::Batch,
        "nobody leads before it is due"
    );
    stage.does(1, portcullis_core::ActKind::Freeze);
    let (state, now) = (stage.state(), stage.now());
    assert!(gather(state, first, now).is_empty());
}

#[test]
fn a_settlement_names_each_act_once_and_only_held_ones() {
    let mut stage = Stage::new();
    let acts = stage.due(&[(0, 1, 50_000), (1, 2, 60_000)]);
    let honest = stage.settlement(&acts);
    let rows = [
        vec![acts[0]],
        vec![acts[1], acts[1]],
        vec![portcullis_core::Digest([9; 32])],
    ];
    for beside in rows {
        let mut settlement = honest.clone();
        settlement.beside = Beside(beside);
        let applied = stage.branch().settle(settlement);
        assert_eq!(applied.void, Some(VoidReason::Plan(PlanFault::Batch)));
    }
    let mut alone = honest.clone();
    alone.beside = Beside::default();
    let applied = stage.branch().settle(alone);
    let differs = applied.void.unwrap();
    assert_eq!(
        differs,
        VoidReason::Plan(PlanFault::Differs),
        "two are paid"
    );
    assert_eq!(stage.settle(honest).void, None);
}

#[test]
fn all_are_signed_and_confirmed_at_once_by_the_leader() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(0, 1, 50_000), (1, 2, 60_000)]);
    let says = stage.says_signed(acts[0]);
    let by_another = match says.clone() {
        portcullis_core::statement::Says::Signed {
            entry,
            effects,
            plan,
            transaction,
            ..
        } => portcullis_core::statement::Says::Signed {
            act: acts[1],
            entry,
            effects,
            plan,
            transaction,
        },
        _ => unreachable!(),
    };
    assert!(stage.branch().says(by_another).void.is_some());
    let transaction = stage.sign(acts[0]);
    assert!(stage.facts().unsigned.is_empty());
    assert!(acts.iter().all(|act| stage.release(*act).signed.len() == 1));
    assert!(stage.branch().confirm(acts[1], transaction).void.is_some());
    assert_eq!(stage.confirm(acts[0], transaction).void, None);
    for act in acts {
        assert_eq!(stage.end(act), Some(End::Confirmed(transaction)));
    }
    assert_eq!(stage.facts().batches.as_ref().unwrap().len(), 0);
    assert!(stage.facts().releases.is_empty());
}

/// Which plan confirms, and what becomes of the one that was given up and of the other.
#[test]
fn one_that_is_given_up_is_paid_by_the_plans_before_and_by_none_after() {
    for confirms in [0, 1, 2] {
        let mut stage = Stage::new();
        let acts = stage.pay(&[(0, 1, 50_000), (1, 2, 60_000)]);
        let mut transactions = vec![stage.sign(acts[0])];
        assert_eq!(stage.void(acts[0], 3_000).void, None);
        stage.pass(Span::seconds(1));
        transactions.push(stage.sign(acts[0]));
        assert_eq!(stage.bump(acts[0], 6_000).void, None);
        stage.pass(Span::seconds(1));
        transactions.push(stage.sign(acts[0]));
        let applied = stage.confirm(acts[0], transactions[confirms]);
        assert_eq!(applied.void, None);
        let confirmed = End::Confirmed(transactions[confirms]);
        let of_first = if confirms == 0 {
            confirmed
        } else {
            End::Returned
        };
        assert_eq!(stage.end(acts[0]), Some(of_first), "{confirms}");
        assert_eq!(stage.end(acts[1]), Some(confirmed), "{confirms}");
        let given_back = applied.changes.iter();
        let given_back = given_back.filter(|one| matches!(one, Effect::Uncharge { .. }));
        assert_eq!(given_back.count(), usize::from(confirms > 0));
    }
}

#[test]
fn when_all_are_given_up_everything_returns() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(0, 1, 50_000), (1, 2, 60_000)]);
    stage.sign(acts[0]);
    for (act, rate) in [(acts[1], 4_000), (acts[0], 8_000)] {
        assert_eq!(stage.void(act, rate).void, None);
        stage.pass(Span::seconds(1));
    }
    let claimed = decode(stage.wallet(), stage.release(acts[0]).plans.last().unwrap());
    assert_eq!(claimed.unwrap().spends().count(), 1, "the shared one");
    let transaction = stage.sign(acts[0]);
    assert_eq!(stage.confirm(acts[0], transaction).void, None);
    assert!(
        acts.iter()
            .all(|act| stage.end(*act) == Some(End::Returned))
    );
}

#[test]
fn one_that_is_withheld_holds_its_batch_until_it_is_given_up() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(0, 1, 50_000), (1, 2, 60_000)]);
    stage.cancel(1, acts[1]);
    assert_eq!(
        stage.release(acts[1]).stage,
        Of::Withheld(Withheld::Cancelled)
    );
    assert_eq!(stage.facts().signable(acts[0]), None);
    let spend = portcullis_core::decide::payment::Spend::again(stage.state(), acts[0]);
    let plan = stage.planned(&spend.unwrap(), 9_000);
    let bumped = stage.branch().replace(acts[0], plan);
    assert_eq!(bumped.void, Some(VoidReason::Plan(PlanFault::Presence)));
    // It is given up by itself, and the other goes on.
    let decided = settle(stage.state(), acts[1], stage.now());
    let plan = stage.planned(decided.payment().unwrap().spend().unwrap(), 2_000);
    let settlement = portcullis_core::entry::Settlement {
        act: acts[1],
        decision: Decision::Release,
        plan: Some(plan),
        beside: Beside::default(),
    };
    assert_eq!(stage.settle(settlement).void, None);
    stage.pass(Span::seconds(1));
    let transaction = stage.sign(acts[0]);
    assert_eq!(stage.confirm(acts[0], transaction).void, None);
    assert_eq!(stage.end(acts[0]), Some(End::Confirmed(transaction)));
    assert_eq!(stage.end(acts[1]), Some(End::Returned));
}

#[test]
fn past_many_plans_each_fee_doubles() {
    let mut stage = Stage::new();
    let leader = stage.pay(&[(0, 1, 50_000)])[0];
    let mut rate = 2_000;
    while stage.release(leader).plans.len() < 32 {
        rate += 1_010;
        assert_eq!(stage.bump(leader, rate).void, None, "{rate}");
    }
    let little = stage.branch().bump(leader, rate + 1_010);
    assert_eq!(
        little.void,
        Some(VoidReason::Plan(PlanFault::NoReplacement))
    );
    assert_eq!(stage.bump(leader, 2 * rate + 10).void, None);
}

fn shared(stage: &Stage, leader: Digest) -> CoinId {
    stage.facts().batch_of(leader).unwrap().shared
}

/// Its signer has signed nothing and never will: every member returns, also one that was given up before, and what it
/// stood to spend is free.
#[test]
fn a_batch_that_its_signer_declines_returns_whole() {
    for given_up in [false, true] {
        let mut stage = Stage::new();
        let acts = stage.pay(&[(0, 1, 50_000), (1, 2, 60_000)]);
        if given_up {
            assert_eq!(stage.void(acts[1], 3_000).void, None);
            stage.pass(Span::seconds(1));
        }
        let (act, shared) = (acts[0], shared(&stage, acts[0]));
        let applied = stage.says(Says::Declined { act, shared });
        assert_eq!(applied.void, None);
        let returned = |act: &Digest| stage.end(*act) == Some(End::Returned);
        assert!(acts.iter().all(returned), "given up: {given_up}");
        let given_back = applied.changes.iter();
        let given_back = given_back.filter(|one| matches!(one, Effect::Uncharge { .. }));
        assert_eq!(given_back.count(), 2);
        let facts = stage.facts();
        assert!(facts.releases.is_empty() && facts.unsigned.is_empty());
        let next = stage.pay(&[(0, 1, 50_000)])[0];
        assert_eq!(stage.facts().batch_of(next).unwrap().shared, shared);
    }
}

/// What was signed may confirm whatever its signer says, a member does not speak for its batch, and what was said of
/// one batch is said of no other.
#[test]
fn only_an_unsigned_batch_is_declined_by_its_leader_and_its_coin() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(0, 1, 50_000), (1, 2, 60_000)]);
    let (act, shared) = (acts[0], shared(&stage, acts[0]));
    let mut signed = stage.branch();
    signed.sign(act);
    let other = CoinId([9; 36]);
    #[rustfmt::skip] // a table
    let table = [
        ("a member", &stage, Says::Declined { act: acts[1], shared }),
        ("another coin", &stage, Says::Declined { act, shared: other }),
        ("signed", &signed, Says::Declined { act, shared }),
    ];
    for (name, stage, says) in table {
        let applied = stage.branch().says(says);
        assert_eq!(applied.void, Some(VoidReason::Statement), "{name}");
    }
    // What was signed before one of it was given up, too.
    assert_eq!(signed.void(acts[1], 3_000).void, None);
    let applied = signed.says(Says::Declined { act, shared });
    assert_eq!(applied.void, Some(VoidReason::Statement));
}
