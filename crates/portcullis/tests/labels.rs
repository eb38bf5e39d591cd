//! Lists of addresses on the real system: imported, proposed, approved, fetched by every keeper, and then nobody on
//! them is paid; taken out, the held go.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod system;

use serde_json::{Value, json};
use std::fs;
use system::{Anvil, Network, run, try_run};

const ETH: &str = "eip155:31337/slip44:60";
const LISTED: &str = "0x098B716B8Aaf21512996dC57EB0615e2383E2f96";

#[test]
fn who_is_on_a_list_in_force_is_not_paid() {
    let Some(anvil) = Anvil::start() else { return };
    let mut network = Network::init(&anvil, &[]);
    network.start();
    // One withdrawal opens the account and ages the address.
    run(&["demo", "--dir", network.dir()]);
    let payee = payee(&network);

    let court = list(&network, "court", "authority", LISTED);
    let desk = list(&network, "desk", "community", &payee);
    every_keeper_has(&network, &court);
    every_keeper_has(&network, &desk);

    // A new address that the court lists is refused; spelling does not matter.
    let listed = format!("eip155:31337:{}", LISTED.to_lowercase());
    let kind = json!({ "type": "add-address", "address": listed });
    let (passed, said) = try_act(&network, &kind);
    assert!(!passed && said.contains("556"), "{said}");

    // The desk's own finding holds, and one approver lets it go.
    let held = withdraw(&network, &payee);
    assert_eq!(held["decision"]["needs"], json!([{ "need": "label" }]));
    let act = text(&held["digest"]);
    let (passed, said) = approve(&network, "approver", &act);
    assert!(passed && said.contains("desk: risk 9, theft"), "{said}");
    network.until("what somebody has looked at", |network| {
        (network.stage(&act) == "confirmed").then_some(())
    });

    // An authority's word is final: the address in the book is paid no more.
    list(&network, "court-new", "authority", &payee);
    let kind = json!({ "type": "withdraw", "asset": ETH, "to": format!("eip155:31337:{payee}"), "amount": "1" });
    let (passed, said) = try_act(&network, &kind);
    assert!(!passed && said.contains("556"), "{said}");

    // Whoever approves a shorter list of an authority's is told what it delists, before anything is signed.
    let other = propose(&network, "court", "authority", &payee);
    let (passed, said) = approve(&network, "administrator-2", &other);
    assert!(passed, "{said}");
    for told in [
        "1 added, 1 removed, 0 changed",
        "LOOK TWICE    1 addresses that an authority lists will be paid again",
    ] {
        assert!(said.contains(told), "{said}");
    }

    network.until("a cosignature over every entry", |network| {
        let (holds, _) = try_run(&["verify", "--dir", network.dir()]);
        holds.then_some(())
    });
}

#[test]
fn nothing_makes_no_set() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("mine")).unwrap();
    fs::write(path("mine/notes.xml"), "<sdn/>").unwrap();
    let set = path("new.set");
    let (set_name, from) = (set.to_str().unwrap(), folder.path().to_str().unwrap());
    let build = || {
        let build = ["labels", "build", from, "--kind", "authority", "--source"];
        let more = ["a court", "--date", "2026-11-28", "--out", set_name];
        try_run(&[&build[..], &more].concat())
    };
    let (passed, said) = build();
    assert!(
        !passed && said.contains("notes.xml: no list by its name"),
        "{said}"
    );

    let rows = "address,label\nevm:0x00,one\nBTC:1,two\n";
    fs::write(path("mine/court.csv"), rows).unwrap();
    let (passed, said) = build();
    assert!(
        !passed && said.contains("no row gave a label") && !set.exists(),
        "{said}"
    );

    // Found in the folder's folder, by the chain as people write it.
    let rows = format!("address,chain,label\n{LISTED},Ethereum,three\nevm:0x00,,four\n");
    fs::write(path("mine/court.csv"), rows).unwrap();
    let (passed, said) = build();
    assert!(passed && said.contains("1 labels, 1 rejected"), "{said}");
    let rejects = fs::read_to_string(path("new.set.rejects.txt")).unwrap();
    assert!(rejects.contains("court.csv:3 "), "{rejects}");
}

/// Build a set of one address, propose it, have it approved; its digest, once it is in force.
fn list(network: &Network, name: &str, kind: &str, address: &str) -> String {
    let act = propose(network, name, kind, address);
    let (passed, said) = approve(network, "administrator-2", &act);
    assert!(passed, "{said}");
    network.until("the list in force", |network| {
        let lists = network.call(&["--as", "auditor", "GET", "/v1/labels"]);
        let set = lists["lists"][name]["set"].as_str()?;
        Some(set.to_owned())
    })
}

/// Build a set of one address and propose it; the act.
fn propose(network: &Network, name: &str, kind: &str, address: &str) -> String {
    let rows = network.path(&format!("{name}.csv"));
    let table = format!("address,chain,tag,label,category,risk\n{address},evm,,a case,theft,9\n");
    fs::write(&rows, table).unwrap();
    let set = network.path(&format!("{name}.set"));
    let (rows, set) = (rows.to_str().unwrap(), set.to_str().unwrap());
    let source = format!("the {name}");
    let build = ["labels", "build", rows, "--kind", kind, "--source", &source];
    run(&[&build[..], &["--date", "2026-11-28", "--out", set]].concat());
    let dir = network.dir();
    let propose = ["labels", "propose", set, "--list", name, "--from-risk", "0"];
    let said = run(&[&propose[..], &["--dir", dir]].concat());
    word_after(&said, "act ")
}

/// Each has the bytes in a folder of its own, under their digest.
fn every_keeper_has(network: &Network, set: &str) {
    network.until("the set at every keeper", |network| {
        let places = ["data/journal", "data/signer"];
        let has = |place: &str| network.path(place).join("labels").join(set).exists();
        places.into_iter().all(has).then_some(())
    });
}

fn payee(network: &Network) -> String {
    let account = network.customer("account");
    let about = network.call(&["--as", "auditor", "GET", &format!("/v1/accounts/{account}")]);
    let address = text(&about["addresses"][0]["address"]);
    address.rsplit(':').next().unwrap().to_owned()
}

fn withdraw(network: &Network, payee: &str) -> Value {
    let to = format!("eip155:31337:{payee}");
    let kind = json!({ "type": "withdraw", "asset": ETH, "to": to, "amount": "1" });
    network.customers_act(&kind, &["--debit", "new"])
}

/// An act of the customer's that may be refused.
fn try_act(network: &Network, kind: &Value) -> (bool, String) {
    let file = network.path("refused.json");
    fs::write(&file, kind.to_string()).unwrap();
    let (dir, file) = (network.dir(), file.to_str().unwrap());
    let ask = ["call", "--dir", dir, "--as", "back-end", "--act", file];
    try_run(&[&ask[..], &["--passkey", "customer", "--debit", "new"]].concat())
}

fn approve(network: &Network, name: &str, act: &str) -> (bool, String) {
    let ask = ["approve", "--dir", network.dir(), "--as", name, act];
    try_run(&[&ask[..], &["--yes", &act[..8]]].concat())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn word_after(said: &str, before: &str) -> String {
    let rest = said.split(before).nth(1).unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}
