//! An account with two principals on a network of processes: what one of them asks for waits for the other,
//! and goes out once both have asserted it; another quorum counts after its delay; and both verifiers agree.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod system;

use serde_json::{Value, json};
use std::fs;
use system::{Anvil, Network, run, try_run};

const ETH: &str = "eip155:31337/slip44:60";
const SECOND: &str = "5ec0d05ec0d05ec0d05ec0d05ec0d05e";

#[test]
fn two_principals_send_money_together() {
    let Some(anvil) = Anvil::start() else { return };
    let mut network = Network::init(&anvil, &[]);
    network.start();
    run(&["demo", "--dir", network.dir()]);
    make_second(&network);
    take_in(&network);

    // One of them alone sends nothing, and is told whom to ask.
    let held = withdraw(&network, "2000");
    assert_eq!(held["decision"]["needs"], json!([both()]));
    let act = held["digest"].as_str().unwrap().to_owned();
    let standing = network.call(&["--as", "auditor", "GET", &format!("/v1/acts/{act}")]);
    let needs = standing["needs"].as_array().unwrap();
    let need = needs.iter().find(|need| need["need"] == "principals");
    let need = need.unwrap();
    let allowed = need["options"]["allowCredentials"].as_array().unwrap();
    assert_eq!(allowed.len(), 1, "the other's passkey: {need}");
    network.stop();
    network.start();
    network.until_witnessed();
    asserts(&network, "second", &act);
    until_stage(&network, &act, "confirmed");
    what_stood_is_shown(&network, &act);

    // Both at once, and nothing waits.
    let both_at_once = propose(
        &network,
        &json!({ "type": "set-account-quorum", "replaces": 2, "quorum": 1 }),
    );
    asserts(&network, "second", &both_at_once);
    until_stage(&network, &both_at_once, "done");
    let released = withdraw(&network, "7");
    assert_eq!(released["decision"]["decision"], "release");
    until_stage(&network, released["digest"].as_str().unwrap(), "confirmed");
    network.until("a cosignature over every entry", |network| {
        let (holds, _) = try_run(&["verify", "--dir", network.dir()]);
        holds.then_some(())
    });
    network.stop();
}

fn both() -> Value {
    json!({ "need": "principals", "missing": 1 })
}

/// Another person with a passkey, for the same account.
fn make_second(network: &Network) {
    fs::copy(
        network.path("keys/customer.passphrase"),
        network.path("keys/second.passphrase"),
    )
    .unwrap();
    let keys = network.path("keys/second.keys");
    let keys = keys.to_str().unwrap();
    run(&["key", "new", keys, "--name", "passkey", "--kind", "p256"]);
    let text = network
        .text("keys/customer.toml")
        .replace(&network.customer("principal"), SECOND);
    fs::write(network.path("keys/second.toml"), text).unwrap();
}

/// The first takes the second in, and has both needed from then on.
fn take_in(network: &Network) {
    let kind = json!({ "type": "add-principal", "principal": SECOND });
    let answer = network.customers_act(&kind, &["--new-passkey", "second"]);
    assert_eq!(answer["decision"]["decision"], "release");
    // It counts once its delay has run: no sooner can both be needed.
    let kind = json!({ "type": "set-account-quorum", "replaces": 1, "quorum": 2 });
    network.until("the second's passkey to count", |network| {
        let account = account(network);
        let holders = account["holders"].as_array().unwrap().clone();
        let second = holders.into_iter().find(|one| one["principal"] == SECOND)?;
        let counts = second["factors"][0]["available_at"].as_u64()?;
        let status = network.call(&["GET", "/v1/status"]);
        // The journal's own time stands still while nothing happens.
        (status["witnessed_at"].as_u64()? >= counts).then_some(())
    });
    let answer = network.customers_act(&kind, &[]);
    assert_eq!(answer["decision"]["needs"], json!([{ "need": "delay" }]));
    until_stage(network, answer["digest"].as_str().unwrap(), "done");
    assert_eq!(account(network)["quorum"], 2);
}

fn account(network: &Network) -> Value {
    let path = format!("/v1/accounts/{}", network.customer("account"));
    network.call(&["--as", "auditor", "GET", &path])
}

/// What is asked for by the first; its digest.
fn propose(network: &Network, kind: &Value) -> String {
    let answer = network.customers_act(kind, &[]);
    let needs = answer["decision"]["needs"].as_array().unwrap();
    assert!(needs.contains(&both()), "{answer}");
    answer["digest"].as_str().unwrap().to_owned()
}

fn asserts(network: &Network, who: &str, act: &str) {
    let path = format!("/v1/acts/{act}/evidence");
    network.call(&["--as", "back-end", "POST", &path, "--passkey", who]);
}

fn withdraw(network: &Network, amount: &str) -> Value {
    let to = account(network)["addresses"][0]["address"].clone();
    let kind = json!({ "type": "withdraw", "asset": ETH, "to": to, "amount": amount });
    network.customers_act(&kind, &["--debit", "new"])
}

fn until_stage(network: &Network, act: &str, stage: &str) {
    network.until(stage, |network| (network.stage(act) == stage).then_some(()));
}

/// By both verifiers.
fn what_stood_is_shown(network: &Network, act: &str) {
    let said = network.shown_by_both(act);
    assert!(said.contains("together      2 principals"), "{said}");
}
