//! Payments on a real chain.

use std::thread::sleep;
use std::time::Duration;

use portcullis_chains::Amount;
use portcullis_chains::ethereum::{SignedTx, Transfer};
use portcullis_core::time::{Span, Time};
use portcullis_keys::WalletKey;
use serde_json::{Value, json};

use super::super::{
    At, Delivery, HttpNode, Mined, Node, NodeError, Observation, REBROADCAST, Sent, Standing,
    SuggestedFees, Tracker,
};
use super::anvil::{Anvil, creation_code};
use super::{CHAIN, PAYEE, at, ether, gwei, is_due, pay, pay_with, signed, token, wallet};

const ONE: u128 = 1_000_000_000_000_000_000;

fn look(tracker: &mut Tracker, node: &dyn Node) -> Standing {
    let next_nonce = node.nonce(wallet().address(), At::Latest).unwrap();
    let seen = Observation::of(node, next_nonce, &[tracker]).unwrap();
    tracker.observe(seen[0].as_ref().unwrap())
}

/// Where it stands once it stands anywhere: the node mines a moment after it has accepted.
fn settled(tracker: &mut Tracker, node: &dyn Node) -> Standing {
    for _ in 0..100 {
        match look(tracker, node) {
            Standing::Pending => sleep(Duration::from_millis(50)),
            standing => return standing,
        }
    }
    Standing::Pending
}

/// Nonce and receipt are two answers: between them a block may arrive, and for that look nothing is known.
fn mined(tracker: &mut Tracker, node: &dyn Node) -> Mined {
    for _ in 0..20 {
        match settled(tracker, node) {
            Standing::Mined(mined) => return mined,
            Standing::Unknown => sleep(Duration::from_millis(50)),
            other => panic!("{other:?}"),
        }
    }
    panic!("its nonce was used, and its receipt never came")
}

#[test]
fn ether_arrives_and_is_confirmed() {
    let Some(anvil) = Anvil::start() else { return };
    let (node, address) = (anvil.node(), wallet().address());
    assert_eq!(node.chain_id(), Ok(CHAIN));
    assert_eq!(node.nonce(address, At::Latest), Ok(0));
    assert_eq!(node.balance(address), Ok(Amount(10_000 * ONE)));

    let SuggestedFees {
        max_fee_per_gas,
        max_priority_fee_per_gas,
    } = node.suggest_fees().unwrap();
    assert!(max_fee_per_gas > 2 * node.head().unwrap().base_fee);
    assert!(max_fee_per_gas >= max_priority_fee_per_gas);

    let tx = pay(ether(), ONE, 0);
    let mut tracker = Tracker::new(address, tx.clone()).unwrap();
    assert_eq!(look(&mut tracker, &node), Standing::Pending);
    assert_eq!(node.send(&tx), Sent::Accepted);
    let first = mined(&mut tracker, &node);
    assert_eq!((first.hash, first.confirmations), (tx.hash(), 1));
    assert_eq!(first.delivery, Delivery::Delivered);
    assert_eq!(first.block, node.head().unwrap().block);

    anvil.mine(11);
    let later = mined(&mut tracker, &node);
    assert_eq!(
        later,
        Mined {
            confirmations: 12,
            ..first
        }
    );
    assert_eq!(node.balance(PAYEE), Ok(Amount(ONE)));
    assert_eq!(node.nonce(address, At::Latest), Ok(1));
}

/// Deploys a contract from an account of the node's own; its maker has the supply.
fn deploy(anvil: &Anvil, contract: &str) -> Option<[u8; 20]> {
    let supply = format!("{:064x}", 1_000_000);
    let data = format!("0x{}{supply}", creation_code(contract)?);
    let receipt = anvil.send_from_its_own(&json!({"from": maker(anvil), "data": data}));
    Some(address_in(&receipt["contractAddress"]))
}

fn maker(anvil: &Anvil) -> Value {
    anvil
        .call::<Vec<Value>>("eth_accounts", &json!([]))
        .remove(1)
}

fn address_in(value: &Value) -> [u8; 20] {
    hex::decode(&value.as_str().unwrap()[2..])
        .unwrap()
        .try_into()
        .unwrap()
}

/// Has the maker give the wallet some of a token.
fn fund(anvil: &Anvil, contract: [u8; 20], units: u64) {
    let (to, wallet) = (hex::encode(contract), hex::encode(wallet().address()));
    let data = format!("0xa9059cbb{wallet:0>64}{units:064x}");
    let tx = json!({"from": maker(anvil), "to": format!("0x{to}"), "data": data});
    assert_eq!(anvil.send_from_its_own(&tx)["status"], "0x1");
}

fn token_balance(anvil: &Anvil, contract: [u8; 20], of: [u8; 20]) -> u64 {
    let (to, of) = (hex::encode(contract), hex::encode(of));
    let data = format!("0x70a08231{of:0>64}");
    let params = json!([{"to": format!("0x{to}"), "data": data}, "latest"]);
    let balance: String = anvil.call("eth_call", &params);
    u64::from_str_radix(&balance[2..], 16).unwrap()
}

fn pay_and_look(node: &HttpNode, tx: &SignedTx) -> Delivery {
    let mut tracker = Tracker::new(wallet().address(), tx.clone()).unwrap();
    assert_eq!(node.send(tx), Sent::Accepted);
    mined(&mut tracker, node).delivery
}

#[test]
fn tokens_arrive() {
    let Some(anvil) = Anvil::start() else { return };
    let node = anvil.node();
    for (nonce, contract) in ["Coin", "MuteCoin"].into_iter().enumerate() {
        let Some(contract) = deploy(&anvil, contract) else {
            return;
        };
        fund(&anvil, contract, 500);
        let tx = pay(token(contract), 200, nonce as u64);
        assert_eq!(pay_and_look(&node, &tx), Delivery::Delivered);
        assert_eq!(token_balance(&anvil, contract, PAYEE), 200);
        assert_eq!(token_balance(&anvil, contract, wallet().address()), 300);
    }
}

#[test]
fn what_a_token_did_not_deliver_is_not_delivered() {
    let Some(anvil) = Anvil::start() else { return };
    let node = anvil.node();
    let [Some(taxed), Some(silent), Some(coin)] =
        ["TaxedCoin", "SilentCoin", "Coin"].map(|contract| deploy(&anvil, contract))
    else {
        return;
    };
    fund(&anvil, taxed, 500);
    assert_eq!(
        pay_and_look(&node, &pay(token(taxed), 200, 0)),
        Delivery::NotDelivered
    );
    assert_eq!(
        token_balance(&anvil, taxed, PAYEE),
        198,
        "less than was planned"
    );
    assert_eq!(
        pay_and_look(&node, &pay(token(silent), 200, 1)),
        Delivery::NotDelivered
    );
    assert_eq!(
        pay_and_look(&node, &pay(token(PAYEE), 200, 2)),
        Delivery::NotDelivered,
        "no contract"
    );
    assert_eq!(
        pay_and_look(&node, &pay(token(coin), 200, 3)),
        Delivery::Reverted,
        "it has none"
    );
}

#[test]
fn what_a_node_says_to_a_broadcast() {
    let Some(anvil) = Anvil::start() else { return };
    let node = anvil.node();
    anvil.set_automine(false);
    let first = pay_with(ether(), 1, 0, gwei(10, 2));
    assert_eq!(node.send(&first), Sent::Accepted);
    assert_eq!(node.send(&first), Sent::AlreadyKnown);
    assert_eq!(node.nonce(wallet().address(), At::Latest), Ok(0));
    assert_eq!(node.nonce(wallet().address(), At::Pending), Ok(1));

    let hardly_dearer = pay_with(ether(), 1, 0, gwei(10, 3));
    assert_eq!(node.send(&hardly_dearer), Sent::Underpriced);
    anvil.mine(1);
    assert_eq!(
        node.send(&pay_with(ether(), 2, 0, gwei(10, 2))),
        Sent::NonceTooLow
    );

    let too_much = node.send(&pay(ether(), 20_000 * ONE, 1));
    assert!(matches!(too_much, Sent::Refused { .. }), "{too_much:?}");
}

#[test]
fn a_replacement_takes_the_place_of_what_it_replaces() {
    let Some(anvil) = Anvil::start() else { return };
    let (node, address) = (anvil.node(), wallet().address());
    anvil.set_automine(false);
    let (first, second) = (pay(ether(), ONE, 0), pay_with(ether(), ONE, 0, gwei(20, 2)));
    let mut tracker = Tracker::new(address, first.clone()).unwrap();
    assert_eq!(node.send(&first), Sent::Accepted);
    tracker.replace(second.clone()).unwrap();
    assert_eq!(node.send(tracker.newest()), Sent::Accepted);
    anvil.mine(1);
    assert_eq!(mined(&mut tracker, &node).hash, second.hash());
    assert_eq!(node.balance(PAYEE), Ok(Amount(ONE)), "once");

    let third = pay(ether(), ONE, 1);
    let mut tracker = Tracker::new(address, third.clone()).unwrap();
    assert_eq!(node.send(&third), Sent::Accepted);
    anvil.mine(1);
    tracker
        .replace(signed(Transfer::void(at(address), 1, gwei(20, 2)).unwrap()))
        .unwrap();
    assert_eq!(node.send(tracker.newest()), Sent::NonceTooLow);
    match settled(&mut tracker, &node) {
        Standing::ReplacedBy(mined) => assert_eq!(mined.hash, third.hash()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_void_uses_the_nonce_and_moves_nothing() {
    let Some(anvil) = Anvil::start() else { return };
    let (node, address) = (anvil.node(), wallet().address());
    anvil.set_automine(false);
    let planned = pay(ether(), ONE, 0);
    let mut tracker = Tracker::new(address, planned.clone()).unwrap();
    assert_eq!(node.send(&planned), Sent::Accepted);
    tracker
        .replace(signed(Transfer::void(at(address), 0, gwei(20, 2)).unwrap()))
        .unwrap();
    assert_eq!(node.send(tracker.newest()), Sent::Accepted);
    anvil.mine(1);
    assert_eq!(mined(&mut tracker, &node).delivery, Delivery::Delivered);
    assert_eq!(node.balance(PAYEE), Ok(Amount::ZERO));
    assert_eq!(node.send(&planned), Sent::NonceTooLow);
}

#[test]
fn a_block_taken_back_makes_it_pending_again() {
    let Some(anvil) = Anvil::start() else { return };
    let node = anvil.node();
    let before: Value = anvil.call("evm_snapshot", &json!([]));
    let tx = pay(ether(), ONE, 0);
    let mut tracker = Tracker::new(wallet().address(), tx.clone()).unwrap();
    assert_eq!(node.send(&tx), Sent::Accepted);
    tracker.sent(Time(0));
    let first = mined(&mut tracker, &node);

    anvil.call::<Value>("evm_revert", &json!([before]));
    anvil.mine(3);
    assert_eq!(look(&mut tracker, &node), Standing::Pending);
    assert!(
        is_due(&tracker, Time(1)),
        "at once, not after the usual wait"
    );
    assert_eq!(node.send(tracker.newest()), Sent::Accepted);
    let again = mined(&mut tracker, &node);
    assert_eq!(again.hash, first.hash);
    assert_ne!(again.block, first.block);
}

/// The key's holder signs something that is in no journal.
#[test]
fn a_nonce_used_by_a_stranger_is_seen() {
    let Some(anvil) = Anvil::start() else { return };
    let node = anvil.node();
    let mut tracker = Tracker::new(wallet().address(), pay(ether(), 1, 0)).unwrap();
    assert_eq!(node.send(&pay(ether(), ONE, 0)), Sent::Accepted);
    assert_eq!(settled(&mut tracker, &node), Standing::Unknown);
    assert!(!is_due(&tracker, Time(0)));
    assert_eq!(node.send(tracker.newest()), Sent::NonceTooLow);
}

#[test]
fn a_node_that_hangs_leaves_the_outcome_unknown_and_the_same_bytes_settle_it() {
    let Some(anvil) = Anvil::start() else { return };
    let node = HttpNode::new(&anvil.url, CHAIN, Duration::from_millis(300)).unwrap();
    let tx = pay(ether(), ONE, 0);
    let mut tracker = Tracker::new(wallet().address(), tx.clone()).unwrap();
    assert_eq!(look(&mut tracker, &node), Standing::Pending);
    anvil.freeze();
    assert_eq!(node.send(&tx), Sent::Unknown(NodeError::TimedOut));
    tracker.sent(Time(0));
    let seen = Observation::of(&node, 1, &[&tracker]);
    assert_eq!(seen, Err(NodeError::TimedOut));
    anvil.thaw();

    assert!(!is_due(&tracker, Time(0)));
    let later = Time(0).after(REBROADCAST).after(Span(1));
    let patient = anvil.node();
    if look(&mut tracker, &patient) == Standing::Pending {
        assert!(is_due(&tracker, later));
    }
    let again = patient.send(tracker.newest());
    assert!(
        matches!(
            again,
            Sent::Accepted | Sent::AlreadyKnown | Sent::NonceTooLow
        ),
        "{again:?}"
    );
    assert_eq!(mined(&mut tracker, &patient).hash, tx.hash());
    assert_eq!(
        patient.balance(PAYEE),
        Ok(Amount(ONE)),
        "once, whatever had arrived before"
    );
}

#[test]
fn a_node_on_another_chain_is_never_asked_anything() {
    let Some(anvil) = Anvil::start_with(&["--chain-id", "1"]) else {
        return;
    };
    let node = anvil.node();
    let wrong = NodeError::WrongChain {
        expected: CHAIN,
        got: 1,
    };
    assert_eq!(node.chain_id(), Err(wrong.clone()));
    assert_eq!(node.balance(PAYEE), Err(wrong.clone()));
    assert_eq!(node.send(&pay(ether(), 1, 0)), Sent::Unknown(wrong));
}
