//! A network with a herald, every process for real: its customers' mail at a real server, and delays that
//! begin with it.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod mail;
mod system;

use mail::{MailServer, sign_as_the_server_knows};
use serde_json::Value;
use serde_json::json;
use std::fs;
use system::{Anvil, Network, run, try_run};

#[test]
fn what_happens_is_told_and_begins_to_count_with_that() {
    let Some(anvil) = Anvil::start() else { return };
    let Some(mut mail) = MailServer::start() else {
        return;
    };
    let server = format!("127.0.0.1:{}", mail.port);
    let mut network = Network::init_with(&anvil, &[], &["--herald", &server]);
    sign_as_the_server_knows(&network, &mail);
    network.start();

    // Passkey and address come to count, so both were told.
    let told = run(&["demo", "--dir", network.dir()]);
    assert!(told.contains("stage         confirmed"), "{told}");
    for about in ["your account is open", "a new address", "a withdrawal"] {
        let (to, subject) = mail.next();
        assert_eq!(to, "customer@localhost");
        assert!(subject.contains(about), "{subject}");
    }
    // Whatever else it finds on this machine, the herald runs.
    let (_, text) = try_run(&["doctor", "--dir", network.dir()]);
    assert!(
        text.contains("herald") && !text.contains("none runs"),
        "{text}"
    );

    change_contact(&network, &mut mail);
    turns_to_its_successor(&mut network);
    network.stop();
    let journal = network.path("data/journal");
    let digest = network.text("genesis.digest");
    let journal = journal.to_str().unwrap();
    let verified = ["verify", "journal", journal, "--genesis-digest", &digest];
    run(&verified);
}

/// Its statement key is rotated; nobody waits for its word on that, and what follows is told under the new one.
fn turns_to_its_successor(network: &mut Network) {
    network.stop();
    let keys = network.path("keys/herald.keys");
    let made = run(&[
        "key",
        "new",
        keys.to_str().unwrap(),
        "--name",
        "statement-2",
    ]);
    let made: Value = serde_json::from_str(&made).unwrap();
    let file = network.path("herald.toml");
    let text = fs::read_to_string(&file).unwrap();
    let named = "statement = \"statement\"\nsuccessor = \"statement-2\"";
    fs::write(&file, text.replace("statement = \"statement\"", named)).unwrap();
    network.start();

    let status = network.call(&["GET", "/v1/status"]);
    let herald = network.genesis()["keepers"][1]["id"].clone();
    let keepers = status["in_force"]["keepers"].as_array().unwrap();
    let replaced = keepers.iter().find(|keeper| keeper["keeper"] == herald);
    let replaces = &replaced.unwrap()["key"];
    let keys = json!({ "of": "keeper", "keeper": herald, "key": made["key"] });
    let kind = json!({ "type": "rotate", "replaces": replaces, "keys": keys });
    let file = network.path("rotate.json");
    fs::write(&file, kind.to_string()).unwrap();
    let answer = network.call(&["--as", "administrator-1", "--act", file.to_str().unwrap()]);
    let act = answer["digest"].as_str().unwrap().to_owned();
    network.until("the proposal in the approver's own view", |network| {
        let listed = run(&["approve", "--dir", network.dir()]);
        listed.contains(&act).then_some(())
    });
    let (dir, short) = (network.dir(), &act[..8]);
    run(&[
        "approve",
        "--dir",
        dir,
        "--as",
        "administrator-2",
        &act,
        "--yes",
        short,
    ]);
    network.until("the rotation", |network| {
        (network.stage(&act) == "done").then_some(())
    });

    // A delay begins by a word under the new key, and under no other.
    let address = "eip155:31337:0x00000000000000000000000000000000000000aa";
    let kind = json!({ "type": "add-address", "address": address });
    network.customers_act(&kind, &[]);
    network.until("the word", |network| {
        (network.call(&["GET", "/v1/status"])["untold"] == 0).then_some(())
    });
}

fn change_contact(network: &Network, mail: &mut MailServer) {
    let contact = network.path("contact.json");
    let reach = json!({ "mail": "elsewhere@localhost" });
    let text = json!({ "reach": reach, "language": "en", "code": "grey heron" });
    fs::write(&contact, text.to_string()).unwrap();
    let kind = json!({ "type": "change-contact" });
    let more = ["--contact", contact.to_str().unwrap()];
    let answer = network.customers_act(&kind, &more);
    let act = answer["digest"].as_str().unwrap().to_owned();
    let mut told = [mail.next(), mail.next()];
    told.sort_unstable();
    let to: Vec<&str> = told.iter().map(|(to, _)| to.as_str()).collect();
    assert_eq!(to, ["customer@localhost", "elsewhere@localhost"]);
    network.until("the change", |network| {
        (network.stage(&act) == "done").then_some(())
    });
}
