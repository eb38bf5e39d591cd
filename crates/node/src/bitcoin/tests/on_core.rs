//! From coins to a settled release, with Bitcoin Core's own code as the judge.

use bitcoin::Transaction;
use bitcoin::consensus::encode::{deserialize, serialize};
use portcullis_chains::bitcoin::{Coin, FeeRate, Lock, OutPoint, SignedTx, Wallet};
use portcullis_core::Time;
use serde_json::{Value, json};

use super::kit::{By, key, pay, sats, stranger, wallet};
use super::peer::{Peer, raw};
use crate::NodeError;
use crate::bitcoin::{BitcoinNode, HttpNode, Seen, Sent, Standing, Tracker, unspent_coins};

/// A node that has paid the wallet in `coins` blocks, all of them spendable.
fn funded(by: By, coins: u32) -> Option<(Peer, HttpNode, Wallet)> {
    let peer = Peer::start()?;
    let node = peer.node();
    node.watch(&[key(by).lock()]).unwrap();
    peer.mine(coins, key(by).lock());
    peer.mine(100, stranger());
    Some((peer, node, wallet(by)))
}

fn coins(node: &HttpNode, wallet: &Wallet) -> Vec<Coin> {
    let (coins, disbelieved) = unspent_coins(node, wallet, 1, sats(1_000)).unwrap();
    assert_eq!(disbelieved, []);
    coins
}

/// What waits to spend an output leaves it in the chain; what has spent it does not, nor does a young reward stand
/// there yet.
#[test]
fn the_chain_alone_says_what_is_unspent() {
    let Some((peer, node, wallet)) = funded(By::P2wpkh, 1) else {
        return;
    };
    let coins = coins(&node, &wallet);
    let outpoint = coins[0].outpoint();
    let ask = |outpoint| node.in_chain(&[outpoint]).unwrap().remove(0);
    let (plan, tx) = pay(&coins, &wallet, 1_234_567, None);
    assert_eq!(node.send(&tx), Sent::Accepted);
    assert_eq!(node.unspent(1, sats(1_000)).unwrap(), [], "the pool has it");
    let found = ask(outpoint).unwrap();
    assert_eq!(
        (found.listed.outpoint, found.confirmations),
        (outpoint, 101)
    );
    assert_eq!(found.listed.amount, sats(5_000_000_000));
    assert_eq!(
        found.listed.script,
        key(By::P2wpkh).lock().script().to_bytes()
    );
    let made = OutPoint::new(plan.txid(), 0);
    assert_eq!(ask(made), None, "in no block");
    peer.mine(1, stranger());
    assert_eq!(ask(outpoint), None, "spent");
    assert_eq!(ask(made).unwrap().confirmations, 1);
    let block: Value = peer.call("getblockchaininfo", json!([])).unwrap();
    assert_eq!(block["blocks"], 102);
    let many = vec![made; 300];
    let found = node.in_chain(&many).unwrap();
    assert!(
        found.iter().flatten().count() == 300,
        "in several exchanges"
    );
}

fn look(node: &HttpNode, tracker: &mut Tracker) -> Standing {
    let seen = node.look(tracker.shared(), &tracker.txids()).unwrap();
    tracker.observe(&seen)
}

#[test]
fn releases_from_both_kinds_of_wallet_are_paid_and_settle() {
    for by in [By::P2wpkh, By::P2tr] {
        let Some((peer, node, wallet)) = funded(by, 2) else {
            return;
        };
        assert_eq!(node.tip().unwrap().number, 102);
        let coins = coins(&node, &wallet);
        assert_eq!(coins.len(), 2);
        assert!(
            coins
                .iter()
                .all(|coin| coin.amount() == sats(5_000_000_000))
        );
        let (plan, tx) = pay(&coins, &wallet, 1_234_567, None);
        let mut tracker = Tracker::new(&plan.standing(), tx.clone(), 3).unwrap();
        assert_eq!(
            look(&node, &mut tracker),
            Standing::Pending { waiting: false }
        );
        assert_eq!(node.send(&tx), Sent::Accepted, "{by:?}");
        assert_eq!(node.send(&tx), Sent::Accepted);
        assert_eq!(
            look(&node, &mut tracker),
            Standing::Pending { waiting: true }
        );
        peer.mine(2, stranger());
        let Standing::Mined(mined) = look(&node, &mut tracker) else {
            panic!("not mined");
        };
        assert_eq!((mined.block.number, mined.confirmations), (103, 2));
        peer.mine(1, stranger());
        assert!(matches!(look(&node, &mut tracker), Standing::Settled(_)));
        assert_eq!(tracker.due(), None);
        assert_eq!(node.send(&tx), Sent::AlreadyMined);
    }
}

/// The transaction with one thing changed.
fn altered(tx: &SignedTx) -> Vec<(&'static str, Transaction)> {
    let tx: Transaction = deserialize(&tx.to_bytes()).unwrap();
    let with = |name, change: fn(&mut Transaction)| {
        let mut tx = tx.clone();
        change(&mut tx);
        (name, tx)
    };
    vec![
        with("payee", |tx| {
            tx.output[0].script_pubkey = Lock::P2wpkh([6; 20]).script();
        }),
        with("amount", |tx| {
            tx.output[0].value += bitcoin::Amount::ONE_SAT;
        }),
        with("change", |tx| {
            tx.output[1].value -= bitcoin::Amount::ONE_SAT;
        }),
        with("outputs swapped", |tx| tx.output.reverse()),
        with("output gone", |tx| drop(tx.output.pop())),
        with("sequence", |tx| {
            tx.input[0].sequence = bitcoin::Sequence::MAX;
        }),
        with("lock time", |tx| {
            tx.lock_time = bitcoin::absolute::LockTime::ZERO;
        }),
        with("witness", |tx| {
            let mut parts = tx.input[0].witness.to_vec();
            parts[0][40] ^= 1;
            tx.input[0].witness = bitcoin::Witness::from_slice(&parts);
        }),
    ]
}

/// Both ways in are shut: the pool's, and the miner's, where the kernel judges the whole block.
#[test]
fn altered_transactions_are_refused_in_the_pool_and_in_a_block() {
    for by in [By::P2wpkh, By::P2tr] {
        let Some((peer, node, wallet)) = funded(by, 1) else {
            return;
        };
        let (_, tx) = pay(&coins(&node, &wallet), &wallet, 1_000_000, None);
        for (name, altered) in altered(&tx) {
            let raw_tx = hex::encode(serialize(&altered));
            let sent = peer.call::<Value>("sendrawtransaction", json!([raw_tx]));
            assert!(
                matches!(&sent, Err(NodeError::Says { code: -26, message }) if message.contains("script-verify")),
                "{by:?} {name}: {sent:?}"
            );
            let mined = peer.call::<Value>("mineraw", json!([[raw_tx], raw(stranger())]));
            assert!(mined.is_err(), "{by:?} {name}: {mined:?}");
        }
        assert_eq!(node.tip().unwrap().number, 101);
        let raw_tx = hex::encode(tx.to_bytes());
        peer.call::<Value>("mineraw", json!([[raw_tx], raw(stranger())]))
            .unwrap();
        assert_eq!(node.tip().unwrap().number, 102);
    }
}

#[test]
fn a_replacement_takes_the_place_of_the_plan_that_shares_its_first_input() {
    let Some((peer, node, wallet)) = funded(By::P2tr, 2) else {
        return;
    };
    let coins = coins(&node, &wallet);
    let (first, slow) = pay(&coins, &wallet, 1_000_000, None);
    let standing = first.standing();
    let mut tracker = Tracker::new(&standing, slow.clone(), 1).unwrap();
    assert_eq!(node.send(&slow), Sent::Accepted);
    tracker.sent(Time(1_000));
    let (second, fast) = pay(&coins, &wallet, 1_000_000, Some(&standing));
    assert!(second.outbids(&standing));
    tracker.replace(&second.standing(), fast.clone()).unwrap();
    assert_eq!(tracker.due(), Some(Time(0)));
    assert_eq!(node.send(&fast), Sent::Accepted);
    // The older one pays too little to come back.
    assert_eq!(node.send(&slow), Sent::Underpriced);
    let waiting: Vec<String> = peer.call("getrawmempool", json!([])).unwrap();
    assert_eq!(waiting, [fast.txid().to_string()]);
    peer.mine(1, stranger());
    assert_eq!(node.send(&slow), Sent::InputsGone);
    let Standing::Settled(mined) = look(&node, &mut tracker) else {
        panic!("not settled");
    };
    assert_eq!(mined.txid, fast.txid());
    let seen = node.look(tracker.shared(), &[slow.txid()]).unwrap();
    assert_eq!(seen.seen[0].1, Seen::Conflicted { confirmations: 1 });
}

#[test]
fn a_reorganisation_makes_a_release_pending_and_due_and_it_is_mined_again() {
    let Some((peer, node, wallet)) = funded(By::P2wpkh, 1) else {
        return;
    };
    let (plan, tx) = pay(&coins(&node, &wallet), &wallet, 1_000_000, None);
    let mut tracker = Tracker::new(&plan.standing(), tx.clone(), 2).unwrap();
    assert_eq!(node.send(&tx), Sent::Accepted);
    tracker.sent(Time(1_000));
    peer.mine(2, stranger());
    assert!(matches!(look(&node, &mut tracker), Standing::Settled(_)));
    let _: String = peer.call("fork", json!([2, raw(stranger())])).unwrap();
    assert_eq!(
        look(&node, &mut tracker),
        Standing::Pending { waiting: true }
    );
    assert!(tracker.due().is_some());
    assert_eq!(node.send(&tx), Sent::Accepted);
    peer.mine(1, stranger());
    assert!(
        matches!(look(&node, &mut tracker), Standing::Mined(mined) if mined.block.number == 105)
    );
}

#[test]
fn a_branch_that_spends_the_input_otherwise_is_an_alarm() {
    let Some((peer, node, wallet)) = funded(By::P2tr, 1) else {
        return;
    };
    let coins = coins(&node, &wallet);
    let (plan, tx) = pay(&coins, &wallet, 1_000_000, None);
    // The key signs something that stands in no journal.
    let (_, other) = pay(&coins, &wallet, 2_000_000, None);
    let mut tracker = Tracker::new(&plan.standing(), tx.clone(), 1).unwrap();
    assert_eq!(node.send(&tx), Sent::Accepted);
    peer.mine(1, stranger());
    assert!(matches!(look(&node, &mut tracker), Standing::Settled(_)));
    let raw_tx = hex::encode(other.to_bytes());
    let params = json!([1, raw(stranger()), [raw_tx]]);
    let _: String = peer.call("fork", params).unwrap();
    assert_eq!(look(&node, &mut tracker), Standing::Unknown);
    assert_eq!(tracker.due(), None);
}

#[test]
fn rates_are_never_below_what_is_relayed_and_credentials_are_needed() {
    let Some(peer) = Peer::start() else {
        return;
    };
    assert_eq!(peer.node().suggest_rate(6), Ok(FeeRate::MIN));
    // An editor leaves a line end behind.
    let cookie = std::fs::read_to_string(peer.folder().join(".cookie")).unwrap();
    let edited = peer.folder().join("edited");
    std::fs::write(&edited, cookie + "\r\n").unwrap();
    assert_eq!(peer.node_with(edited).tip().unwrap().number, 0);
    let two_lines = peer.folder().join("two-lines");
    std::fs::write(&two_lines, "user:password\nHost: elsewhere\n").unwrap();
    let refused = peer.node_with(two_lines).tip();
    assert!(matches!(refused, Err(NodeError::Credentials(_))));
    let wrong = peer.folder().join("wrong");
    std::fs::write(&wrong, "user:wrong\n").unwrap();
    assert_eq!(peer.node_with(wrong).tip(), Err(NodeError::Status(401)));
    let missing = peer.node_with(peer.folder().join("missing")).tip();
    assert!(matches!(missing, Err(NodeError::Credentials(_))));
}
