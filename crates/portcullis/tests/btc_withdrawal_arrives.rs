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
use system::{Anvil, Network, run};

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
        let genesis = network.genesis();
        bitcoin.fund(genesis["wallets"][1]["address"].as_str().unwrap(), 3);
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
    let act = stage.withdraw(1_234_567);
    let first = stage.waiting("");
    altered_is_refused(&stage.bitcoin, &first);
    stage.bitcoin.mine(1);
    stage.until(&act, "confirmed");
    assert_eq!(stage.paid(&first, 0).as_deref(), Some("0.01234567"));
    let told = stage.network.shown_by_both(&act);
    assert!(told.contains(&first), "{told}");

    let act = stage.withdraw(7_654_321);
    let second = stage.waiting("");
    let bumped = stage.waiting(&second);
    stage.bitcoin.mine(1);
    stage.until(&act, "confirmed");
    assert_eq!(stage.paid(&bumped, 0).as_deref(), Some("0.07654321"));
    assert_eq!(stage.paid(&second, 0), None, "one of them happens");
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
}
