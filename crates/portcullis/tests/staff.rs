//! What staff do from a shell, on the real system: stop, lift together, approve what is large.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod system;

use serde_json::{Value, json};
use std::path::Path;
use system::{Anvil, Network, run, try_run};

const ETH: &str = "eip155:31337/slip44:60";

#[test]
fn staff_stop_lift_and_approve_from_a_shell() {
    let Some(anvil) = Anvil::start() else { return };
    let mut network = Network::init(&anvil, &[]);
    network.start();
    // One withdrawal opens the account and ages the address.
    run(&["demo", "--dir", network.dir()]);
    let lifted = suspend_and_lift(&network);
    large_withdrawal_needs_an_approver(&network, &anvil);
    withdrawals_go_on_after_an_epoch(&network);
    a_posted_stop_reaches_the_journal(&network);
    // A gate that is stopped has no time to have its last entries cosigned.
    network.until("a cosignature over every entry", |network| {
        let (holds, _) = try_run(&["verify", "--dir", network.dir()]);
        holds.then_some(())
    });
    network.stop();
    verify_names_what_happened(&network, &lifted);
}

/// A suspension holds withdrawals; one administrator proposes to lift it, another approves.
fn suspend_and_lift(network: &Network) -> String {
    let dir = network.dir();
    let said = run(&["suspend", "withdrawals", "--dir", dir]);
    assert!(said.contains("recorded  entry "), "{said}");
    assert!(said.contains("stopped   every keeper"), "{said}");
    let status = status_of(network);
    assert_eq!(
        status["suspensions"][0]["scope"],
        json!({ "scope": "withdrawals" })
    );
    let by = text(&status["suspensions"][0]["by"]);

    let (passed, said) = try_run(&["demo", "--dir", dir]);
    assert!(
        !passed && said.contains(&format!("portcullis lift {by}")),
        "{said}"
    );
    let said = run(&["status", "--dir", dir]);
    assert!(said.contains("stopped: every keeper"), "{said}");

    let held = withdraw(network, "1");
    assert_eq!(held["decision"]["needs"], json!([{ "need": "lift" }]));

    let said = run(&["lift", &by, "--dir", dir]);
    assert!(
        said.contains("waits for approval by 1 more administrators"),
        "{said}"
    );
    let proposal = word_after(&said, "act ");
    // Nobody approves an act of their own, and an approver is no administrator.
    for (name, reason) in [("administrator-1", "341"), ("approver", "340")] {
        let (passed, said) = approve(network, name, &proposal);
        assert!(!passed && said.contains(reason), "{name}: {said}");
    }
    let (passed, said) = approve(network, "administrator-2", &proposal);
    assert!(passed, "{said}");
    assert!(said.contains("waits for     nothing"), "{said}");
    assert!(
        said.contains(&format!("the suspension of withdrawals by {by}")),
        "{said}"
    );
    network.until("the lift", |network| {
        let shut = &status_of(network)["suspensions"];
        shut.as_array()?.is_empty().then_some(())
    });
    let digest = text(&held["digest"]);
    network.until("what was held", |network| {
        (network.stage(&digest) == "confirmed").then_some(())
    });
    proposal
}

/// Above the threshold somebody has to look; what is shown is what is paid.
fn large_withdrawal_needs_an_approver(network: &Network, anvil: &Anvil) {
    let amount = "2000000000000000000";
    let held = withdraw(network, amount);
    assert_eq!(
        held["decision"]["needs"],
        json!([{ "need": "approvals", "missing": 1 }])
    );
    let digest = text(&held["digest"]);

    // An approver believes only what the witnesses have cosigned, which comes a moment later.
    let listed = network.until("the act in the approver's own view", |network| {
        let listed = run(&["approve", "--dir", network.dir()]);
        let is_there = listed.contains(&format!("2 of {ETH} ({amount} base units)"));
        is_there.then_some(listed)
    });
    assert!(listed.to_lowercase().contains(&payee(network)), "{listed}");
    assert!(listed.contains("in the book   since "), "{listed}");

    for (prefix, words) in [
        (&digest[..7], "at least eight"),
        ("00000000", "does not name"),
    ] {
        let args = ["approve", "--dir", network.dir(), &digest, "--yes", prefix];
        let (passed, said) = try_run(&args);
        assert!(
            !passed && (said.contains(words) || said.contains("does not name")),
            "{said}"
        );
    }
    let before = anvil.wei(&payee(network));
    let (passed, said) = approve(network, "approver", &digest);
    assert!(passed, "{said}");
    network.until("the money", |network| {
        (network.stage(&digest) == "confirmed").then_some(())
    });
    assert_eq!(
        anvil.wei(&payee(network)) - before,
        amount.parse::<u128>().unwrap()
    );
}

/// No passkey counts any more; the demonstration's is enrolled anew on onboarding's word.
fn withdrawals_go_on_after_an_epoch(network: &Network) {
    let file = network.path("epoch.json");
    let raise = json!({ "type": "raise-epoch", "realm": "customers" });
    std::fs::write(&file, raise.to_string()).unwrap();
    network.call(&["--as", "operator", "--act", file.to_str().unwrap()]);
    let account = format!("/v1/accounts/{}", network.customer("account"));
    let counts = || {
        let answer = network.call(&["--as", "auditor", "GET", &account]);
        answer["holders"][0]["factors"][0]["counts"].clone()
    };
    assert_eq!(counts(), json!(false));
    let said = run(&["demo", "--dir", network.dir()]);
    assert!(said.contains("enrolled anew"), "{said}");
    assert!(said.contains("stage         confirmed"), "{said}");
    assert_eq!(counts(), json!(true));
}

/// The gate is not asked; it finds the stop on the board, and so do the keepers. It may be gone, or
/// lie about its checkpoint.
fn a_posted_stop_reaches_the_journal(network: &Network) {
    let lying = a_gate_with_a_false_checkpoint();
    let (journal, signer) = ("data/journal/checkpoint", "data/signer/checkpoint");
    let (journal, signer) = (network.path(journal), network.path(signer));
    let file = |path: &Path| path.to_str().unwrap().to_owned();
    post_a_stop(network, &["--gate", "http://127.0.0.1:1"]);
    post_a_stop(network, &["--gate", &lying]);
    post_a_stop(
        network,
        &["--gate", &lying, "--checkpoint", &file(&journal)],
    );
    post_a_stop(network, &["--gate", &lying, "--checkpoint", &file(&signer)]);

    // No board that answers, no stop: nothing of it reads like one.
    let board = text(&network.genesis()["boards"][0]["id"]);
    let dead = format!("{board}=http://127.0.0.1:1");
    let (passed, said) = try_run(&stop_args(network, &["--boards", &dead]));
    assert!(!passed && said.contains("NOT SUSPENDED"), "{said}");
    assert!(!said.contains("suspended by act"), "{said}");
    assert!(said.contains("portcullis signer shut"), "{said}");

    // A false one is never posted under, and nothing is without any.
    let false_one = network.path("false");
    std::fs::write(&false_one, FALSE).unwrap();
    let args = stop_args(network, &["--checkpoint", false_one.to_str().unwrap()]);
    let (passed, said) = try_run(&args);
    assert!(!passed && said.contains("the checkpoint: "), "{said}");
    std::fs::remove_file(network.path("checkpoint.seen")).unwrap();
    let (passed, said) = try_run(&stop_args(network, &["--gate", &lying]));
    assert!(!passed && said.contains("--checkpoint FILE"), "{said}");
}

const FALSE: &str = "localhost/log\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\
                     \u{2014} localhost/log AAAAAAAA\n";

/// Whatever it is asked, it shows the same checkpoint, which nobody has cosigned.
fn a_gate_with_a_false_checkpoint() -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else {
                return;
            };
            let _ = connection.read(&mut [0; 4096]);
            let length = FALSE.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close");
            let _ = write!(connection, "{head}\r\n\r\n{FALSE}");
        }
    });
    url
}

fn stop_args<'a>(network: &'a Network, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["suspend", "everything", "--to-boards", "--dir"];
    args.push(network.dir());
    args.extend(more);
    args
}

fn post_a_stop(network: &Network, more: &[&str]) {
    let said = run(&stop_args(network, more));
    assert!(said.contains("posted  board "), "{said}");
    let by = word_after(&said, "suspended by act ");
    network.until("the posted stop", |network| {
        let status = status_of(network);
        let known = status["suspensions"]
            .as_array()?
            .iter()
            .find(|s| s["by"] == json!(by))?;
        known["stopped"].as_array()?.first().map(|_| ())
    });
}

fn verify_names_what_happened(network: &Network, lifted: &str) {
    // One that came in the last moment is nobody's fault.
    let late = "--allow-unwitnessed";
    let said = run(&["verify", "--dir", network.dir(), late]);
    for words in [
        "act lift held",
        "act approve refused",
        "statement stopped",
        "faults          none",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let digest = network.text("genesis.digest");
    let journal = network.path("data/journal");
    let journal = journal.to_str().unwrap();
    let args = [
        "verify",
        "journal",
        journal,
        "--genesis-digest",
        &digest,
        "--json",
        late,
    ];
    let report: Value = serde_json::from_str(&run(&args)).unwrap();
    assert_eq!(report["faults"], json!([]));
    assert_eq!(report["void"], json!([]));
    assert_eq!(report["entries"]["genesis"], 1);
    let (passed, said) = try_run(&["verify", "journal", journal, "--genesis-digest", lifted]);
    assert!(!passed && said.contains("segment/000000000000"), "{said}");
    assert!(said.contains("is not the journal of genesis"), "{said}");
    assert!(!said.contains("stray") && !said.contains("1970"), "{said}");
    assert!(Path::new(journal).exists());
}

fn withdraw(network: &Network, amount: &str) -> Value {
    let to = format!("eip155:31337:{}", payee(network));
    let kind = json!({ "type": "withdraw", "asset": ETH, "to": to, "amount": amount });
    network.customers_act(&kind, &["--debit", "new"])
}

/// Where the demonstration's customer has its own wallet.
fn payee(network: &Network) -> String {
    let account = format!("/v1/accounts/{}", network.customer("account"));
    let answer = network.call(&["--as", "auditor", "GET", &account]);
    let address = text(&answer["addresses"][0]["address"]);
    address.rsplit(':').next().unwrap().to_owned()
}

fn approve(network: &Network, name: &str, act: &str) -> (bool, String) {
    try_run(&[
        "approve",
        "--dir",
        network.dir(),
        "--as",
        name,
        act,
        "--yes",
        &act[..8],
    ])
}

fn status_of(network: &Network) -> Value {
    serde_json::from_str(&run(&["status", "--json", "--dir", network.dir()])).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The word that follows.
fn word_after(text: &str, before: &str) -> String {
    let rest = text.split(before).nth(1).unwrap();
    rest.split_whitespace()
        .next()
        .unwrap()
        .trim_end_matches([';', ','])
        .to_owned()
}
