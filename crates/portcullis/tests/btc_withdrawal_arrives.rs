//! Bitcoin, every process for real: asked at the gate, planned from its own node, signed by the signer, accepted by
//! Bitcoin Core's own validation, confirmed in the journal.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod system;

use portcullis_chains::bitcoin::Lock;
use portcullis_chains::caip::{BitcoinAddress, BitcoinChain};
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use system::bitcoin::Bitcoin;
use system::{Anvil, Network, run, try_run};

const CHAIN: &str = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328";
const ASSET: &str = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:0";

/// A network with a wallet of coins that has money, and a customer with an address in the book.
struct Stage {
    bitcoin: Bitcoin,
    _anvil: Anvil,
    network: Network,
    payee: BitcoinAddress,
}

impl Stage {
    fn new(lock: &str, batch: &str, bump_after: &str) -> Option<Self> {
        Self::deep(lock, batch, bump_after, 1, 3)
    }

    /// The signer asks for so many confirmations, and the wallet has so many coins.
    fn deep(lock: &str, batch: &str, bump_after: &str, depth: u32, coins: u32) -> Option<Self> {
        let (bitcoin, anvil) = (Bitcoin::start()?, Anvil::start()?);
        let (url, cookie) = (bitcoin.wallet_url(), bitcoin.cookie());
        let more = [
            "--bitcoin",
            &url,
            "--bitcoin-credentials",
            cookie.to_str().unwrap(),
            "--bitcoin-lock",
            lock,
            "--bitcoin-batch",
            batch,
        ];
        let mut network = Network::init_with(&anvil, &[], &more);
        let gate = network.text("gate.toml");
        let bumped = format!("bump_after_seconds = {bump_after}");
        let changed = gate.replace("bump_after_seconds = 3600", &bumped);
        fs::write(network.path("gate.toml"), changed).unwrap();
        let signer = network.text("signer.toml");
        let (first, of_coins) = signer.split_once(CHAIN).unwrap();
        let deep = format!("confirmations = {depth}\n");
        let of_coins = of_coins.replacen("confirmations = 1\n", &deep, 1);
        fs::write(
            network.path("signer.toml"),
            format!("{first}{CHAIN}{of_coins}"),
        )
        .unwrap();
        let genesis = network.genesis();
        let address = genesis["wallets"][1]["address"].as_str().unwrap();
        bitcoin.fund(address, coins);
        network.start();
        // The account and its passkey; it sends some ether on the way.
        run(&["demo", "--dir", network.dir()]);
        let payee = BitcoinAddress::new(BitcoinChain::Regtest, Lock::P2wpkh([0x11; 20]));
        let stage = Self {
            bitcoin,
            _anvil: anvil,
            network,
            payee,
        };
        stage.add_address();
        Some(stage)
    }

    fn add_address(&self) {
        let kind = json!({ "type": "add-address", "address": self.payee.to_string() });
        self.network.customers_act(&kind, &[]);
    }

    /// Ask for a withdrawal, as soon as the address counts.
    fn withdraw(&self, sats: u64) -> String {
        let kind = json!({
            "type": "withdraw", "asset": ASSET, "to": self.payee.to_string(), "amount": sats.to_string(),
        });
        let answer = self.network.customers_act(&kind, &["--debit", "new"]);
        answer["digest"].as_str().unwrap().to_owned()
    }

    /// How far an act came, by the gate's events; said twice is told once.
    fn told(&self, act: &str) -> Vec<String> {
        let page = self.network.call(&["--as", "auditor", "GET", "/v1/events"]);
        let mut told = Vec::new();
        for event in page["events"].as_array().unwrap() {
            let others = event["others"].as_array().into_iter().flatten();
            let all = core::iter::once(event).chain(others);
            let stages = all.filter(|one| one["act"] == act);
            told.extend(stages.filter_map(|one| Some(one["stage"].as_str()?.to_owned())));
        }
        told.dedup();
        told
    }

    fn log(&self) -> String {
        fs::read_to_string(self.network.path("log")).unwrap_or_default()
    }

    /// The transaction that waits, other than `before`.
    fn waiting(&self, before: &str) -> String {
        self.bitcoin.next_waiting(before, || self.log())
    }

    fn until(&self, act: &str, stage: &str) {
        self.network
            .until(stage, |network| (network.stage(act) == stage).then_some(()));
    }

    /// What the payee has in an output of a transaction in the chain.
    fn paid(&self, txid: &str, at: u32) -> Option<String> {
        let (value, script) = self.bitcoin.output(txid, at)?;
        let payees = hex::encode(self.payee.lock().script());
        (script == payees).then_some(value)
    }
}

/// One alone, then one whose fee is raised: only the second transaction is mined.
fn pays_alone_and_bumps(lock: &str) {
    let Some(stage) = Stage::new(lock, "0", "8") else {
        return;
    };
    let found = try_run(&["doctor", "--dir", stage.network.dir()]).1;
    assert!(found.contains("has 3 coins of "), "{found}");
    let act = stage.withdraw(1_234_567);
    let first = stage.waiting("");
    altered_is_refused(&stage.bitcoin, &first);
    stage.bitcoin.mine(1);
    stage.until(&act, "confirmed");
    assert_eq!(stage.paid(&first, 0).as_deref(), Some("0.01234567"));
    receipt_shows(&stage.network, &act, &first);

    let act = stage.withdraw(7_654_321);
    let second = stage.waiting("");
    let bumped = stage.waiting(&second);
    stage.bitcoin.mine(1);
    stage.until(&act, "confirmed");
    assert_eq!(stage.paid(&bumped, 0).as_deref(), Some("0.07654321"));
    assert_eq!(stage.paid(&second, 0), None, "one of them happens");
}

/// By the genesis digest alone, to both verifiers.
fn receipt_shows(network: &Network, act: &str, transaction: &str) {
    let told = network.shown_by_both(act);
    assert!(told.contains(transaction), "{told}");
}

/// The same bytes with one bit of a signature changed.
fn altered_is_refused(bitcoin: &Bitcoin, txid: &str) {
    let mut raw = bitcoin.raw(txid);
    let at = raw.len() - 60;
    raw[at] ^= 1;
    let refused = bitcoin.try_rpc("mineraw", &json!([[hex::encode(raw)], "raw(51)"]));
    assert!(refused.is_err(), "{refused:?}");
}

#[test]
fn a_withdrawal_from_p2wpkh_arrives_and_its_fee_is_raised() {
    pays_alone_and_bumps("p2wpkh");
}

#[test]
fn a_withdrawal_from_p2tr_arrives_and_its_fee_is_raised() {
    pays_alone_and_bumps("p2tr");
}

#[test]
fn three_are_paid_together_and_one_is_taken_back() {
    let Some(stage) = Stage::new("p2tr", "15", "3600") else {
        return;
    };
    let acts = [1_000_001, 2_000_002, 3_000_003].map(|sats| stage.withdraw(sats));
    let all = stage.waiting("");
    let one = std::slice::from_ref(&all);
    assert_eq!(stage.bitcoin.waiting(), one, "one transaction");
    let kind = json!({ "type": "cancel", "act": acts[1] });
    stage.network.customers_act(&kind, &[]);
    let rest = stage.waiting(&all);
    stage.bitcoin.mine(1);
    stage.until(&acts[0], "confirmed");
    stage.until(&acts[1], "returned");
    stage.until(&acts[2], "confirmed");
    assert_eq!(stage.paid(&all, 0), None);
    // Whichever of those that are due together is looked at first leads.
    let paid: BTreeSet<String> = (0..2).filter_map(|at| stage.paid(&rest, at)).collect();
    assert_eq!(paid, ["0.01000001", "0.03000003"].map(str::to_owned).into());
    assert_eq!(stage.paid(&rest, 2), None, "change");
    for paid in [&acts[0], &acts[2]] {
        // By what was signed first, which did not happen.
        receipt_shows(&stage.network, paid, &all);
        let path = format!("/v1/acts/{paid}");
        let standing = stage.network.call(&["--as", "auditor", "GET", &path]);
        assert_eq!(standing["transactions"], json!([rest]), "{standing}");
        let told = ["held", "released", "signed", "confirmed"];
        assert_eq!(stage.told(paid), told);
    }
    let told = [
        "held", "released", "signed", "withheld", "signed", "returned",
    ];
    assert_eq!(stage.told(&acts[1]), told);
}

/// The gate plans with a coin that is not deep enough for the signer, and a longer branch takes it back: nothing was
/// signed, so the withdrawal returns.
#[test]
fn a_withdrawal_from_a_coin_that_a_branch_takes_back_returns() {
    let depth = 120;
    let Some(stage) = Stage::deep("p2tr", "0", "3600", depth, 1) else {
        return;
    };
    let act = stage.withdraw(1_234_567);
    stage.until(&act, "released");
    // Down to the first block, which paid the coin out.
    stage.bitcoin.fork(102);
    stage.network.until("returned", |network| {
        // One look at the chain without the coin, then as many blocks as make a payment final.
        stage.bitcoin.mine(10);
        (network.stage(&act) == "returned").then_some(())
    });
    assert!(stage.bitcoin.waiting().is_empty(), "nothing was signed");
}
