//! A mandate on the real system: no node, no key of any chain, and a wallet service that pays exactly once.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod system;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_mandate::{Once, Verifier};
use serde_json::Value;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fs;
use system::{Network, run};

/// The wallet service's table.
struct Payments(BTreeSet<[u8; 32]>);

impl Once for Payments {
    type Error = Infallible;

    fn first(&mut self, act: &[u8; 32]) -> Result<bool, Infallible> {
        Ok(self.0.insert(*act))
    }
}

#[test]
fn a_mandate_permits_one_payment() {
    let mut network = Network::init_alone(&["--mandate", "600"]);
    network.start();
    run(&["demo", "--dir", network.dir()]);

    let mut mandates = fs::read_dir(network.path("mandates")).unwrap();
    let file = mandates.next().unwrap().unwrap().path();
    let act = file.file_stem().unwrap().to_str().unwrap().to_owned();
    let signed = fs::read(&file).unwrap();

    let verifier = pinned(&network);
    let (mut payments, now) = (Payments(BTreeSet::new()), verifier_clock());
    let payment = verifier.admit(&signed, now, &mut payments).unwrap();
    let asked = network.call(&["--as", "auditor", "GET", &format!("/v1/acts/{act}")]);
    let asked = &asked["act"]["kind"];
    assert_eq!(payment.to, asked["to"].as_str().unwrap());
    assert_eq!(payment.asset, asked["asset"].as_str().unwrap());
    assert_eq!(
        payment.amount.to_string(),
        asked["amount"].as_str().unwrap()
    );
    assert!(verifier.admit(&signed, now, &mut payments).is_err(), "once");

    let elsewhere = Verifier {
        network: [9; 32],
        ..pinned(&network)
    };
    let mut none = Payments(BTreeSet::new());
    assert!(elsewhere.admit(&signed, now, &mut none).is_err());

    let told = network.shown_by_both(&act);
    assert!(told.contains(&act), "{told}");
}

/// What whoever runs the wallet service writes down from the genesis.
fn pinned(network: &Network) -> Verifier {
    let genesis: Value = serde_json::from_str(&network.text("genesis.json")).unwrap();
    let genesis = &genesis["genesis"];
    Verifier {
        network: bytes(&network.text("genesis.digest")),
        wallet: bytes(genesis["wallets"][0]["id"].as_str().unwrap()),
        keys: vec![key(genesis["keepers"][0]["key"]["key"].as_str().unwrap())],
    }
}

fn verifier_clock() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_millis().try_into().unwrap()
}

fn key(text: &str) -> [u8; 32] {
    let key = URL_SAFE_NO_PAD.decode(text).unwrap();
    key.try_into().unwrap()
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    hex::decode_to_slice(text.trim(), &mut bytes).unwrap();
    bytes
}
