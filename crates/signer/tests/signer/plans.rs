//! One plan: replacements, voids, and what nobody knows the outcome of.

use crate::bench::{Bench, PAYEE};
use portcullis_chains::Amount;
use portcullis_chains::ethereum::{Fees, SignedTx, Transfer};
use portcullis_core::act::{ActKind, Scope, Void};
use portcullis_core::plan::Plan;
use portcullis_core::state::release::End;
use portcullis_core::{Digest, Span};
use portcullis_keeper::testkit::World;
use portcullis_node::{NodeError, Sent};

fn bump(amount: u128, per_gas: u128) -> Plan {
    let fees = Fees::new(per_gas, 2_000_000_000, 100_000).unwrap();
    let transfer = Transfer::new(World::ETHER, PAYEE, Amount(amount), 0, fees).unwrap();
    Plan {
        wallet: World::WALLET,
        unsigned: transfer.build().to_bytes(),
    }
}

#[test]
fn an_unknown_outcome_sends_the_same_bytes_again() {
    let mut bench = Bench::new();
    bench.node.chain().answer = Some(Sent::Unknown(NodeError::TimedOut));
    bench.withdraw(700);
    assert_eq!(bench.run(120), 1, "one signature");
    let got = bench.node.chain().got.clone();
    assert!(got.len() > 3, "sent again and again");
    assert!(got.iter().all(|raw| *raw == got[0]), "the same bytes");
    bench.restart();
    bench.run(30);
    let got = bench.node.chain().got.clone();
    assert!(got.iter().all(|raw| *raw == got[0]), "after a restart too");
    assert!(bench.alarms().is_empty());
}

#[test]
fn a_fee_bump_is_signed_for_the_same_nonce_and_either_may_arrive() {
    for (mined, restarts) in [(0, false), (1, false), (0, true), (1, true)] {
        let mut bench = Bench::new();
        let act = bench.withdraw(700);
        assert_eq!(bench.run(2), 1);
        let applied = bench.wire().ledger.replace(act, bump(700, 40_000_000_000));
        assert_eq!(applied.void, None);
        if restarts {
            // What is out already and what takes its place come in one step then.
            bench.restart();
        }
        assert_eq!(bench.run(3), 1);
        let got = bench.node.chain().got.clone();
        let txs: Vec<_> = got
            .iter()
            .map(|raw| SignedTx::from_bytes(raw).unwrap())
            .collect();
        assert_eq!(txs.len(), 2);
        assert_eq!(txs[0].unsigned().nonce(), txs[1].unsigned().nonce());
        {
            let mut chain = bench.node.chain();
            chain.height = 3;
            chain.mined.push((txs[mined].clone(), 1, true));
        }
        bench.run(5);
        let ended = bench.wire().ledger.state.facts().ended[&act].end;
        assert_eq!(ended, End::Confirmed(Digest(txs[mined].hash())));
        assert!(bench.alarms().is_empty());
    }
}

#[test]
fn a_replaced_payment_counts_once_against_the_days_cap() {
    let mut bench = Bench::new();
    let act = bench.withdraw(1000);
    bench.withdraw(1000);
    bench.withdraw(1000);
    assert_eq!(bench.run(2), 3);
    let plan = bump(1000, 40_000_000_000);
    assert_eq!(bench.wire().ledger.replace(act, plan).void, None);
    assert_eq!(bench.run(2), 1, "the day is full, and this is paid already");
    bench.withdraw(1);
    assert_eq!(bench.run(2), 0);
}

#[test]
fn a_revert_returns_the_money() {
    let mut bench = Bench::new();
    let act = bench.withdraw(700);
    bench.run(2);
    bench.node.chain().mine(false);
    bench.node.chain().height += 2;
    bench.run(5);
    let ended = bench.wire().ledger.state.facts().ended[&act].end;
    assert_eq!(ended, End::Returned);
}

#[test]
fn a_withheld_release_is_voided_under_the_suspension_and_returned() {
    let mut bench = Bench::new();
    bench.run(2);
    let act = bench.withdraw(700);
    {
        let ledger = &mut bench.wire().ledger;
        let (suspend, evidence) = ledger.suspension(Scope::Asset(World::ETHER));
        ledger.submit(suspend, evidence);
    }
    assert_eq!(bench.run(2), 0);
    {
        let ledger = &mut bench.wire().ledger;
        let void = ledger.act(World::OPERATOR, ActKind::Void(Void { release: act }));
        let evidence = ledger.staffs_evidence(&void);
        let fees = Fees::new(40_000_000_000, 2_000_000_000, 21_000).unwrap();
        ledger.submit_with_fees(void, evidence, fees);
    }
    assert_eq!(bench.run(2), 1);
    let raw = bench.node.chain().got[0].clone();
    let tx = SignedTx::from_bytes(&raw).unwrap();
    let wallet = World::new().network.wallet(World::WALLET).unwrap().address;
    assert!(Transfer::decode(tx.unsigned()).unwrap().is_void(&wallet));
    bench.node.chain().mine(true);
    bench.node.chain().height += 2;
    bench.run(4);
    assert_eq!(
        bench.wire().ledger.state.facts().ended[&act].end,
        End::Returned
    );
}

#[test]
fn a_nonce_that_somebody_else_used_is_an_alarm_when_it_lasts() {
    let mut bench = Bench::new();
    bench.withdraw(700);
    bench.run(2);
    {
        // A transaction of the wallet that no plan has: the key is somewhere else, too.
        let mut chain = bench.node.chain();
        let tx = SignedTx::from_bytes(chain.got.last().unwrap()).unwrap();
        let signature = *tx.signature();
        let Ok(transfer) = Transfer::decode(tx.unsigned()) else {
            panic!("a plain transfer");
        };
        let other = Transfer::new(World::ETHER, PAYEE, Amount(1), 0, transfer.fees()).unwrap();
        chain.height = 9;
        chain
            .mined
            .push((SignedTx::assemble(other.build(), signature), 1, true));
    }
    bench.run(30);
    assert!(bench.alarms().is_empty());
    bench.run(40);
    assert_eq!(bench.alarms(), ["nonce-used-elsewhere"]);
}

#[test]
fn a_node_that_refuses_is_an_alarm_and_no_second_signature() {
    let mut bench = Bench::new();
    bench.node.chain().answer = Some(Sent::Refused {
        code: -32000,
        message: "insufficient funds".into(),
    });
    bench.withdraw(700);
    assert_eq!(bench.run(40), 1);
    assert_eq!(bench.alarms(), ["broadcast-refused"]);
    bench.node.chain().answer = None;
    bench.clock.pass(Span::seconds(20));
    bench.run(20);
    let got = bench.node.chain().got.clone();
    assert!(got.iter().all(|raw| *raw == got[0]));
}

/// A void is planned and cannot be signed yet: the payment that it takes the place of is not sent
/// again meanwhile.
#[test]
fn what_is_being_given_up_is_not_sent_again() {
    let mut config = crate::bench::config("");
    config.chains[0].max_fee_per_gas = Amount(30_000_000_000);
    let mut bench = Bench::with(config);
    bench.wire().takes_statements = false;
    let act = bench.withdraw(700);
    assert_eq!(bench.run(2), 1);
    let by = {
        let ledger = &mut bench.wire().ledger;
        let (suspend, evidence) = ledger.suspension(Scope::Asset(World::ETHER));
        ledger.submit(suspend, evidence)
    };
    {
        let ledger = &mut bench.wire().ledger;
        let void = ledger.act(World::OPERATOR, ActKind::Void(Void { release: act }));
        let evidence = ledger.staffs_evidence(&void);
        // Above this signer's own cap for a unit of gas.
        let fees = Fees::new(40_000_000_000, 2_000_000_000, 21_000).unwrap();
        ledger.submit_with_fees(void, evidence, fees);
        ledger.lift(portcullis_core::act::LiftTarget::Suspension { by });
    }
    assert_eq!(bench.run(60), 0);
    assert_eq!(bench.node.chain().got.len(), 1);
}

/// A token pays by a call; that the call ran is not yet that the payee has it.
#[test]
fn a_token_that_logs_no_transfer_is_neither_confirmed_nor_returned() {
    let mut bench = Bench::new();
    bench.run(1);
    let act = {
        let ledger = &mut bench.wire().ledger;
        let (act, evidence) = ledger.withdrawal(&bench.customer, World::TOKEN, PAYEE, 9);
        ledger.submit(act, evidence)
    };
    assert_eq!(bench.run(2), 1);
    let raw = bench.node.chain().got[0].clone();
    let tx = SignedTx::from_bytes(&raw).unwrap();
    let transfer = Transfer::decode(tx.unsigned()).unwrap();
    let pays = (transfer.asset(), transfer.to(), transfer.amount());
    assert_eq!(pays, (World::TOKEN, PAYEE, Amount(9)));
    bench.node.chain().mine(true);
    bench.node.chain().height += 9;
    bench.run(9);
    assert_eq!(bench.alarms(), ["not-delivered"]);
    assert!(
        bench
            .wire()
            .ledger
            .state
            .facts()
            .releases
            .contains_key(&act)
    );
}

/// A payment that is out and stays unconfirmed is given up at its own nonce; whichever the chain
/// takes is what is stated.
#[test]
fn a_payment_that_is_out_can_be_given_up_and_the_chain_decides() {
    for (mined, want) in [(0, "paid"), (1, "returned")] {
        let mut bench = Bench::new();
        bench.run(1);
        let act = bench.withdraw(700);
        assert_eq!(bench.run(2), 1);
        {
            let ledger = &mut bench.wire().ledger;
            let void = ledger.act(World::OPERATOR, ActKind::Void(Void { release: act }));
            let evidence = ledger.staffs_evidence(&void);
            let fees = Fees::new(40_000_000_000, 2_000_000_000, 100_000).unwrap();
            ledger.submit_with_fees(void, evidence, fees);
        }
        assert_eq!(bench.run(3), 1);
        let got = bench.node.chain().got.clone();
        let txs: Vec<_> = got
            .iter()
            .map(|raw| SignedTx::from_bytes(raw).unwrap())
            .collect();
        {
            let mut chain = bench.node.chain();
            chain.height = 3;
            chain.mined.push((txs[mined].clone(), 1, true));
        }
        bench.run(5);
        let ended = bench.wire().ledger.state.facts().ended[&act].end;
        match want {
            "paid" => assert_eq!(ended, End::Confirmed(Digest(txs[0].hash()))),
            _ => assert_eq!(ended, End::Returned),
        }
    }
}

/// A request that is lost is one failure: the node is left alone for a second and not for as long as
/// after so many.
#[test]
fn many_broadcasts_that_are_lost_together_are_one_failure() {
    let mut bench = Bench::new();
    bench.run(2);
    bench.node.chain().answer = Some(Sent::Unknown(NodeError::TimedOut));
    for _ in 0..10 {
        bench.withdraw(5);
    }
    bench.step();
    assert_eq!(bench.node.chain().got.len(), 10);
    bench.node.chain().answer = None;
    bench.withdraw(6);
    bench.run(2);
    let got = bench.node.chain().got.clone();
    let newest = SignedTx::from_bytes(got.last().unwrap()).unwrap();
    assert_eq!(newest.unsigned().nonce(), 10);
}

/// What a node cannot say of one transaction keeps no other from being confirmed.
#[test]
fn a_node_that_cannot_speak_of_one_transaction_speaks_of_the_others() {
    let mut bench = Bench::new();
    let (first, second) = (bench.withdraw(5), bench.withdraw(6));
    assert_eq!(bench.run(2), 2);
    {
        let mut chain = bench.node.chain();
        let got = chain.got.clone();
        let txs = got.iter().map(|raw| SignedTx::from_bytes(raw).unwrap());
        chain.mined = txs.map(|tx| (tx, 1, true)).collect();
        chain.height = 3;
        chain.mute_of = Some(chain.mined[0].0.hash());
    }
    bench.run(5);
    let is_confirmed =
        |bench: &Bench, act| bench.wire().ledger.state.facts().ended.contains_key(act);
    assert!(!is_confirmed(&bench, &first) && is_confirmed(&bench, &second));
    bench.node.chain().mute_of = None;
    bench.run(5);
    assert!(is_confirmed(&bench, &first));
}
