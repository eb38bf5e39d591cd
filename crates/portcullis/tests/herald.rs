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
    network.stop();
    let journal = network.path("data/journal");
    let digest = network.text("genesis.digest");
    let journal = journal.to_str().unwrap();
    let verified = ["verify", "journal", journal, "--genesis-digest", &digest];
    run(&verified);
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
