//! The real herald, killed again and again while it has something to tell: nothing is lost, and each thing is told.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod mail;
mod system;

use mail::{MailServer, sign_as_the_server_knows};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use system::{Anvil, Network, Running, Who, run};

/// How often it is killed, with a new address to be told each time.
const KILLS: u8 = 12;

/// kill -9, at whatever it is doing.
fn kill(herald: &mut Running) {
    herald.0.kill().unwrap();
    herald.0.wait().unwrap();
}

fn address(number: u8) -> String {
    format!("0x{}", hex::encode([0x40 + number; 20]))
}

fn untold(network: &Network) -> u64 {
    let status = network.call(&["GET", "/v1/status"]);
    status["untold"].as_u64().unwrap()
}

#[test]
fn a_herald_that_is_killed_again_and_again_tells_everything() {
    let Some(anvil) = Anvil::start() else { return };
    let Some(mut mail) = MailServer::start() else {
        return;
    };
    let server = format!("127.0.0.1:{}", mail.port);
    let network = Network::init_with(&anvil, &[], &["--herald", &server]);
    sign_as_the_server_knows(&network, &mail);
    let _others = [Who::Witness, Who::Signer, Who::Gate].map(|who| network.begin(who));
    let mut herald = network.begin(Who::Herald);
    network.until_witnessed();
    run(&["demo", "--dir", network.dir()]);

    for number in 0..KILLS {
        let address = format!("eip155:31337:{}", address(number));
        network.customers_act(&json!({ "type": "add-address", "address": address }), &[]);
        // Whatever it has come to by then: nothing, a durable record, half a letter, or its own word.
        std::thread::sleep(Duration::from_millis(u64::from(number) * 37 % 400));
        kill(&mut herald);
        herald = network.begin(Who::Herald);
        if number % 3 == 0 {
            std::thread::sleep(Duration::from_millis(150));
            kill(&mut herald);
            herald = network.begin(Who::Herald);
        }
    }
    network.until("every word", |network| (untold(network) == 0).then_some(()));

    // Its own word is later than the server's, so every letter is in the server's record by now.
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    while told.len() < usize::from(KILLS) {
        let letter = mail.about("a new address");
        let about = (0..KILLS).map(address);
        let about = about.filter(|address| letter.body.to_ascii_lowercase().contains(address));
        for address in about {
            told.entry(address).or_default().push(letter.id.clone());
        }
    }
    for (address, mut ids) in told {
        ids.dedup();
        assert_eq!(ids.len(), 1, "{address}: sent again under another id");
    }
}
