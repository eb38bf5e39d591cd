//! Root on the gate's host patches the gate: it journals releases for which there is no evidence. It has
//! the journal's own key and files, the witness cosigns what extends the log, the signer follows it all
//! the while, and the money stays where it is.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod pager;
mod patched;
#[path = "../system/mod.rs"]
mod system;

use pager::Pager;
use patched::{Brings, Patched};
use portcullis_chains::Address;
use portcullis_core::Network as Described;
use portcullis_core::act::{ActKind, Scope, Suspend};
use portcullis_core::board::{MAX_PAGE, Posting, SignedPage};
use portcullis_core::id::PrincipalId;
use portcullis_core::signature::Strict;
use portcullis_host::{Http as _, Web};
use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::time::Duration;
use system::{Anvil, Network, Running, Who, run};

const THIEF: Address = Address::Evm {
    chain: 31337,
    address: [0x66; 20],
};

const ALARM: &str = "release-without-evidence";

#[test]
fn a_release_without_evidence_gets_no_signature_and_raises_the_alarm() {
    let Some(anvil) = Anvil::start() else { return };
    let scene = Scene::begin(&anvil);
    run(&["demo", "--dir", scene.network.dir()]);
    let why = scene.rob(Brings::Nothing, 1);
    assert!(why.contains("FactorMissing"), "{why}");
}

#[test]
fn a_release_on_somebody_elses_evidence_gets_no_signature_and_raises_the_alarm() {
    let Some(anvil) = Anvil::start() else { return };
    let scene = Scene::begin(&anvil);
    run(&["demo", "--dir", scene.network.dir()]);
    another_customer(&scene.network, &anvil);
    run(&["demo", "--dir", scene.network.dir()]);
    let why = scene.rob(Brings::SomebodyElses, 2);
    assert!(why.contains("RequestForAnotherAct"), "{why}");
}

/// Every process by itself, and whoever is to hear of trouble.
struct Scene<'a> {
    anvil: &'a Anvil,
    network: Network,
    described: Described,
    pager: Pager,
    gate: Running,
    others: [Running; 2],
}

impl<'a> Scene<'a> {
    fn begin(anvil: &'a Anvil) -> Self {
        let network = Network::init(anvil, &[]);
        let pager = Pager::start();
        let mut config = fs::File::options();
        let mut config = config
            .append(true)
            .open(network.path("signer.toml"))
            .unwrap();
        writeln!(config, "\n[alarms]\nwebhook = \"{}\"", pager.url).unwrap();
        let genesis = fs::read(network.path("genesis.cbor")).unwrap();
        let pinned = network.text("genesis.digest").parse().unwrap();
        let others = [Who::Witness, Who::Signer].map(|who| network.begin(who));
        let gate = network.begin(Who::Gate);
        network.until_witnessed();
        Self {
            anvil,
            described: Described::open(&genesis, pinned, &Strict).unwrap(),
            network,
            pager,
            gate,
            others,
        }
    }

    /// The gate is patched, and robs. Gives why everybody else holds the release for void.
    fn rob(mut self, brings: Brings, paid: u128) -> String {
        self.gate.end();
        let mut patched = Patched::start(&self.network);
        // The signer follows it, and signs what it should.
        self.withdraw();
        self.network.until("a payment by the patched gate", |_| {
            (self.sent() == paid + 1).then_some(())
        });
        let act = patched.release(brings);
        self.cries_out(&act);
        patched.process.end();

        // The signer posts a restricting act to the stop board, with its own key; the gate that is
        // honest again journals it.
        self.gate = self.network.begin(Who::Gate);
        self.until_shut();
        assert_eq!(
            self.sent(),
            paid + 1,
            "the signer signed a release without evidence"
        );
        assert_eq!(self.anvil.wei(&format!("0x{}", "66".repeat(20))), 0);
        assert!(
            self.others.iter_mut().all(Running::lives),
            "witness and signer ran all the while"
        );
        self.gate.end();
        self.others.iter_mut().for_each(Running::end);
        self.why_void(paid + 1)
    }

    fn sent(&self) -> u128 {
        self.anvil.sent(&self.network.wallet())
    }

    /// A genuine withdrawal, with all that it takes.
    fn withdraw(&self) {
        let network = &self.network;
        network.until_witnessed();
        let account = network.customer("account");
        let about = network.call(&["--as", "auditor", "GET", &format!("/v1/accounts/{account}")]);
        let to = &about["addresses"][0]["address"];
        let asset = "eip155:31337/slip44:60";
        let kind = json!({ "type": "withdraw", "asset": asset, "to": to, "amount": "1000" });
        network.customers_act(&kind, &["--debit", "new"]);
    }

    /// By its log, by its webhook, on the stop board, and in its own folder.
    fn cries_out(&self, act: &str) {
        let network = &self.network;
        let is_it = |alarm: &Value| alarm["type"] == format!("alarm.{ALARM}");
        let alarm = network.until("the signer's own alarm", |network| {
            let alarms = network.text("data/signer/alarms.jsonl");
            let mut alarms = alarms.lines().flat_map(serde_json::from_str::<Value>);
            alarms.find(is_it)
        });
        println!("{act}: {alarm}");
        let key = &self.described.genesis().keepers[0].key;
        network.until("the alarm at the webhook", |_| {
            self.pager.heard(key).contains(&alarm).then_some(())
        });
        network.until("the signer's suspension on the stop board", |_| {
            self.board().iter().any(|it| self.is_stop(it)).then_some(())
        });
        assert!(
            fs::metadata(network.path("data/signer/latches"))
                .unwrap()
                .len()
                > 0
        );
    }

    fn is_stop(&self, posting: &Posting) -> bool {
        let keeper = self.described.genesis().keepers[0].id;
        let scope = Scope::Everything;
        posting.act.principal == PrincipalId(keeper.0)
            && posting.act.kind == ActKind::Suspend(Suspend { scope })
    }

    /// What the stop board shows, under its own signature.
    fn board(&self) -> Vec<Posting> {
        let board = &self.described.genesis().boards[0];
        let config: toml::Table = self.network.text("signer.toml").parse().unwrap();
        let url = config["boards"][&board.id.to_string()].as_str().unwrap();
        let url = format!("{url}/postings?from=0");
        let patience = Duration::from_secs(5);
        let reply = Web::new().get(&url, &[], MAX_PAGE as u64, patience);
        let asked = (self.described.digest(), board.id, 0);
        let page = SignedPage::open(&reply.unwrap().body, asked, &board.key, &Strict);
        let postings = page.unwrap().postings.into_iter();
        postings.map(|(_, posting)| posting).collect()
    }

    fn until_shut(&self) {
        let keeper = self.described.genesis().keepers[0].id.to_string();
        self.network.until_witnessed();
        self.network
            .until("the signer's suspension and latch in the journal", |it| {
                let status = it.call(&["GET", "/v1/status"]);
                assert_eq!(status["void_entries"], 1);
                // One by the void entry, one by the signer.
                let suspensions = status["suspensions"].as_array().unwrap().len();
                let latches = status["latches"].as_array().unwrap();
                let is_latched = latches
                    .iter()
                    .any(|latch| latch["keeper"] == *keeper && latch["condition"] == ALARM);
                (suspensions >= 2 && is_latched).then_some(())
            });
    }

    /// Who verifies the journal finds one release void, and why, and no more signatures than payments.
    fn why_void(&self, paid: u128) -> String {
        let text = run(&["verify", "--dir", self.network.dir(), "--json"]);
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["entries"]["statement signed"], json!(paid));
        let void = report["void"].as_array().unwrap();
        assert_eq!(void.len(), 1);
        assert_eq!(void[0]["release"], true);
        void[0]["why"].as_str().unwrap().to_owned()
    }
}

/// From here on the network's customer is another one, with a passkey and an account of its own.
fn another_customer(network: &Network, anvil: &Anvil) {
    let other = Network::init(anvil, &[]);
    for name in ["toml", "keys", "passphrase"] {
        let name = format!("keys/customer.{name}");
        fs::copy(other.path(&name), network.path(&name)).unwrap();
    }
}
