//! The issue's own test: every process for real, and the money arrives; then everybody who can check
//! the journal and the receipts does.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod system;

use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::Command;
use system::{Anvil, Network, peer, peers, run, second_verifier, try_run};

#[test]
fn eth_withdrawal_arrives() {
    let Some(anvil) = Anvil::start() else { return };
    let Some(coin) = anvil.deploy("Coin", 1_000_000_000) else {
        return;
    };
    let mut network = Network::init(&anvil, std::slice::from_ref(&coin));
    network.start();

    // Ether, as a newcomer sees it: account, address, withdrawal, receipt.
    let told = run(&["demo", "--dir", network.dir()]);
    assert!(told.contains("stage         confirmed"), "{told}");
    let account = network.customer("account");
    let about = network.call(&["--as", "auditor", "GET", &format!("/v1/accounts/{account}")]);
    let to = about["addresses"][0]["address"]
        .as_str()
        .unwrap()
        .to_owned();
    let payee = to.rsplit(':').next().unwrap();
    assert_eq!(anvil.wei(payee), 100_000_000_000_000_000);

    // A token, by single signed requests.
    anvil.give_tokens(&coin, &network.wallet(), 5_000_000);
    let asset = format!("eip155:31337/erc20:{}", coin.to_lowercase());
    let kind = json!({ "type": "withdraw", "asset": asset, "to": to, "amount": "1234567" });
    let answer = network.customers_act(&kind, &["--debit", "new"]);
    let act = answer["digest"].as_str().unwrap().to_owned();
    network.until("the token", |network| {
        (network.stage(&act) == "confirmed").then_some(())
    });
    assert_eq!(anvil.tokens(&coin, payee), 1_234_567);

    // Both nonces are ours, and there is nothing else of the wallet's on the chain.
    assert_eq!(anvil.sent(&network.wallet()), 2);
    receipt_verifies(&network, &act);
    fates_are_told(&network, &act, &asset);
    journal_verifies(&mut network);
}

/// By the journal alone: the withdrawal, one that was refused, one that waits, and one that nobody sent.
fn fates_are_told(network: &Network, confirmed: &str, asset: &str) {
    let stranger = "eip155:31337:0x00000000000000000000000000000000000000ff";
    let kind = json!({ "type": "withdraw", "asset": asset, "to": stranger, "amount": "1" });
    let refused = network.path("refused.json");
    fs::write(&refused, kind.to_string()).unwrap();
    let refused = refused.to_str().unwrap();
    let dir = network.dir();
    let ask = ["call", "--dir", dir, "--as", "back-end", "--act", refused];
    let (passed, said) = try_run(&[&ask[..], &["--passkey", "customer"]].concat());
    assert!(!passed, "{said}");
    let refused = said.split("act ").nth(1).unwrap();
    let refused = refused.split_whitespace().next().unwrap();
    let own = network.call(&["--as", "auditor", "GET", &format!("/v1/acts/{confirmed}")]);
    let kind = json!({ "type": "withdraw", "asset": asset, "to": own["act"]["kind"]["to"], "amount": "1" });
    let held = network.customers_act(&kind, &[]);
    let held = held["digest"].as_str().unwrap();
    let nobodys = "ab".repeat(32);
    for (act, fate, so) in [
        (confirmed, "confirmed", "the money has arrived"),
        (refused, "refused: 506", "re-credit"),
        (held, "held", "do not re-credit"),
        (&nobodys, "absent", "otherwise look again"),
    ] {
        network.until("the act under a cosigned checkpoint", |network| {
            let (_, said) = try_run(&["verify", "act", act, "--dir", network.dir()]);
            let fits = said.contains(&format!("fate          {fate}")) && said.contains(so);
            fits.then_some(())
        });
    }
}

fn receipt_verifies(network: &Network, act: &str) {
    let path = format!("/v1/acts/{act}/receipt");
    let receipt = network.until("the receipt", |network| {
        let (passed, text) = try_run(&[
            "call",
            "--dir",
            network.dir(),
            "--as",
            "auditor",
            "GET",
            &path,
        ]);
        // The statement that it was confirmed has to be cosigned as well.
        let shown = passed.then_some(text)?;
        fs::write(network.path("receipt.json"), &shown).unwrap();
        let digest = network.text("genesis.digest");
        let file = network.path("receipt.json");
        let args = [
            "verify",
            "receipt",
            file.to_str()?,
            "--genesis-digest",
            &digest,
        ];
        let (holds, report) = try_run(&args);
        (holds && report.contains("block")).then_some(report)
    });
    assert!(receipt.contains("1234567"), "{receipt}");

    let digest = network.text("genesis.digest");
    let mut second = second_verifier();
    second
        .arg(network.path("receipt.json"))
        .args(["--genesis-digest", &digest]);
    peer("docs/spec/verify.py", &mut second);

    let wrong = "0".repeat(64);
    let file = network.path("receipt.json");
    let (holds, _) = try_run(&[
        "verify",
        "receipt",
        file.to_str().unwrap(),
        "--genesis-digest",
        &wrong,
    ]);
    assert!(!holds, "a receipt of another genesis verified");
}

/// Ours, Go's sumdb packages and aics-tlog read the same folder.
fn journal_verifies(network: &mut Network) {
    network.until("the files to catch up", |network| {
        let (passed, _) = verify_journal(network, &[]);
        passed.then_some(())
    });
    network.stop();
    // One that came in the last moment is nobody's fault.
    let (passed, report) = verify_journal(network, &["--allow-unwitnessed"]);
    assert!(passed, "{report}");
    assert!(report.contains("statement confirmed"), "{report}");

    let genesis = network.genesis();
    let log = genesis["log"]["vkey"].as_str().unwrap();
    let witness = genesis["witnesses"]["vkeys"][0].as_str().unwrap();
    let journal = network.path("data/journal");
    let tlog = peers().join("tlog");
    peer(
        "Go's sumdb",
        Command::new(tlog.join("verify"))
            .arg(&journal)
            .args([log, "3"]),
    );
    let checker = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/tlog/verify.py");
    let mut python = Command::new(tlog.join("bin/python"));
    python
        .arg(checker)
        .arg(&journal)
        .arg(log)
        .args(["--witness", witness, "--old", "3"]);
    peer("aics-tlog", &mut python);
}

fn verify_journal(network: &Network, more: &[&str]) -> (bool, String) {
    let digest = network.text("genesis.digest");
    let journal = network.path("data/journal");
    let journal = journal.to_str().unwrap();
    let args = ["verify", "journal", journal, "--genesis-digest", &digest];
    try_run(&[&args, more].concat())
}
