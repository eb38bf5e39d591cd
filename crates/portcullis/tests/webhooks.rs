//! The gate's webhooks for real: a withdrawal on a network of processes, events to a receiver that is
//! written from the specification of Standard Webhooks alone and judges signatures with libsodium, through
//! a restart, beside endpoints that are slow, dead and gone.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod system;

use portcullis_core::signature::Strict;
use portcullis_core::{Network as Statement, SignedGenesis};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use system::{Anvil, Network, Running, peers, run, try_run};

/// What the receiver got.
struct Receiver {
    _process: Running,
    port: String,
    lines: Arc<Mutex<Vec<Value>>>,
}

impl Receiver {
    /// Start one that knows the journal's key; nothing where none is installed.
    fn start(network: &Network) -> Option<Self> {
        let python = peers().join("webhooks/bin/python");
        if !python.exists() {
            println!("skipped: no receiver of webhooks, run script/install");
            return None;
        }
        let signed: SignedGenesis = serde_json::from_str(&network.text("genesis.json")).unwrap();
        let statement = Statement::new(signed, &Strict).unwrap();
        let key = hex::encode(statement.log().public());
        let program =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/webhooks/receiver.py");
        let mut command = Command::new(python);
        command.arg(program).arg(key).stdout(Stdio::piped());
        let mut process = Running::start(&mut command);
        let mut output = BufReader::new(process.0.stdout.take().unwrap()).lines();
        let port = output.next().unwrap().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let got = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in output.map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap();
                got.lock().unwrap().push(line);
            }
        });
        Some(Self {
            _process: process,
            port,
            lines,
        })
    }

    /// The events that an endpoint took, in order, with their ids.
    fn taken(&self, path: &str) -> Vec<(String, Value)> {
        let lines = self.lines.lock().unwrap();
        assert!(
            lines.iter().all(|line| line["wrong"].is_null()),
            "{lines:?}"
        );
        let taken = lines
            .iter()
            .filter(|line| line["path"] == path && line["taken"] == true);
        taken
            .map(|line| {
                let id = line["id"].as_str().unwrap().to_owned();
                (id, line["body"]["data"].clone())
            })
            .collect()
    }

    /// The same, without what came again.
    fn distinct(&self, path: &str) -> Vec<Value> {
        let (mut known, taken) = (BTreeSet::new(), self.taken(path).into_iter());
        let news = taken.filter(|(id, _)| known.insert(id.clone()));
        news.map(|(_, event)| event).collect()
    }

    /// How often anything came to a path.
    fn came(&self, path: &str) -> usize {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter(|line| line["path"] == path).count()
    }
}

#[test]
fn every_event_arrives_signed_and_in_order_through_a_restart() {
    let Some(anvil) = Anvil::start() else { return };
    let mut network = Network::init(&anvil, &[]);
    let Some(receiver) = Receiver::start(&network) else {
        return;
    };
    configure(&network, &receiver.port);
    network.start();
    run(&["demo", "--dir", network.dir()]);
    all_arrive(&network, &receiver);
    let before = receiver.taken("/takes").len();

    network.stop();
    let gone = receiver.came("/gone");
    network.start();
    network.until_witnessed();
    network.customers_act(&json!({ "type": "freeze" }), &[]);
    network.until("news", |_| {
        (receiver.taken("/takes").len() > before).then_some(())
    });
    all_arrive(&network, &receiver);
    assert_eq!(gone, 1, "whoever is gone is left alone");
    the_others_are_seen(&network);
    network.stop();
}

fn configure(network: &Network, port: &str) {
    let file = network.path("gate.toml");
    let config = fs::read_to_string(&file).unwrap();
    let at = |path: &str| format!("http://127.0.0.1:{port}/{path}");
    let (takes, refuses, gone, slow) = (at("takes"), at("refuses"), at("gone"), at("slow"));
    let more = format!(
        "\n[webhooks]\nbooks = \"{takes}\"\ncrm = \"{refuses}\"\nold = \"{gone}\"\nslow = \"{slow}\"\n\
         dead = \"http://127.0.0.1:1/\"\n"
    );
    fs::write(&file, config + &more).unwrap();
}

/// What the events endpoint shows, behind the cursor that a fresh network's webhooks begin at.
fn shown(network: &Network) -> Vec<Value> {
    let page = network.call(&["--as", "auditor", "GET", "/v1/events"]);
    assert_eq!(page["more"], false);
    page["events"].as_array().unwrap().clone()
}

/// Each event once, but for what a stop sent again under the same id, and in the journal's order.
fn all_arrive(network: &Network, receiver: &Receiver) {
    let last = shown(network).last().unwrap().clone();
    network.until("the last event", |_| {
        let taken = receiver.taken("/takes");
        taken.iter().any(|(_, event)| *event == last).then_some(())
    });
    let (taken, refused_first) = (receiver.distinct("/takes"), receiver.distinct("/refuses"));
    let shown = shown(network);
    // The genesis was there before any webhook.
    let first = shown.iter().position(|event| *event == taken[0]).unwrap();
    assert!(first <= 1, "{shown:?}");
    assert_eq!(taken, shown[first..][..taken.len()]);
    assert_eq!(refused_first, shown[first..][..refused_first.len()]);
}

fn the_others_are_seen(network: &Network) {
    let takes = |name: &str| {
        let status = network.call(&["GET", "/v1/status"]);
        let webhooks = status["webhooks"].as_array().unwrap().clone();
        let one = webhooks.into_iter().find(|one| one["name"] == name);
        one.unwrap()["takes"].as_str().unwrap().to_owned()
    };
    network.until("the word on each", |_| {
        let now = ["books", "old", "slow", "dead"].map(takes);
        (now == ["events", "disabled", "nothing", "nothing"]).then_some(())
    });
    let (_, said) = try_run(&["status", "--dir", network.dir()]);
    for told in [
        "old wants no more",
        "slow takes nothing",
        "dead takes nothing",
    ] {
        assert!(said.contains(told), "{said}");
    }
    assert!(!said.contains("books"), "{said}");
    let (_, metrics) = try_run(&["call", "--dir", network.dir(), "GET", "/metrics"]);
    assert!(
        metrics.contains("portcullis_webhook_disabled{name=\"old\"} 1"),
        "{metrics}"
    );
}
