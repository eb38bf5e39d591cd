//! A development network of which every process is started, killed and started again by itself.

use crate::proxy::Proxy;
use crate::system::{Anvil, Network, Running, Who, try_run};
use portcullis_core::{Act, Digest};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// What each withdrawal pays, in wei.
pub(crate) const AMOUNT: u128 = 1_000_000_000_000_000;

pub(crate) const ALL: [Who; 3] = [Who::Witness, Who::Gate, Who::Signer];

/// The network with wires between its processes.
pub(crate) struct Apart {
    pub(crate) network: Network,
    /// From signer to gate.
    pub(crate) to_gate: Proxy,
    /// From gate to witness.
    pub(crate) to_witness: Proxy,
    /// From signer to node.
    pub(crate) to_node: Proxy,
    running: [Option<Running>; 3],
    payee: String,
}

/// A platform's back end, as far as withdrawals need one.
pub(crate) struct Client {
    folder: PathBuf,
    payee: String,
}

/// An act that can be sent again and stays the same.
pub(crate) struct Withdrawal {
    pub(crate) digest: Digest,
    folder: PathBuf,
    file: PathBuf,
}

/// What came of sending an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It was taken.
    Taken,
    /// It was taken before.
    Known,
    /// Nobody can say.
    Unknown,
}

impl Apart {
    /// Everything runs, and an account with an address that has aged waits for withdrawals.
    pub(crate) fn start(anvil: &Anvil) -> Self {
        let network = Network::init(anvil, &[]);
        let authority = |file: &str, key: &str| {
            let text = network.text(file);
            let line = text.lines().find(|line| line.starts_with(key)).unwrap();
            let value = line.split('"').rev().nth(1).unwrap();
            value.trim_start_matches("http://").to_owned()
        };
        let gate = authority("signer.toml", "gate = ");
        let witness = authority("witness.toml", "listen = ");
        let node = authority("signer.toml", "node = ");
        let (to_gate, to_witness, to_node) =
            (Proxy::to(&gate), Proxy::to(&witness), Proxy::to(&node));
        rewire(
            &network,
            "signer.toml",
            &format!("gate = \"http://{gate}\""),
            &format!("gate = \"{}\"", to_gate.url()),
        );
        rewire(
            &network,
            "signer.toml",
            &format!("node = \"http://{node}\""),
            &format!("node = \"{}\"", to_node.url()),
        );
        let name = "\"witness.localhost\" = ";
        rewire(
            &network,
            "gate.toml",
            &format!("{name}\"http://{witness}\""),
            &format!("{name}\"{}\"", to_witness.url()),
        );
        let mut apart = Self {
            network,
            to_gate,
            to_witness,
            to_node,
            running: [None, None, None],
            payee: String::new(),
        };
        for who in ALL {
            apart.begin(who);
        }
        apart.network.until_witnessed();
        crate::system::run(&["demo", "--dir", apart.network.dir()]);
        let account = apart.network.customer("account");
        let about =
            apart
                .network
                .call(&["--as", "auditor", "GET", &format!("/v1/accounts/{account}")]);
        about["addresses"][0]["address"]
            .as_str()
            .unwrap()
            .clone_into(&mut apart.payee);
        apart
    }

    /// Whom withdrawals pay, CAIP-10.
    pub(crate) fn payee(&self) -> &str {
        &self.payee
    }

    /// Start a process.
    pub(crate) fn begin(&mut self, who: Who) {
        self.running[who as usize] = Some(self.network.begin(who));
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self, who: Who) {
        let mut running = self.running[who as usize].take().unwrap();
        running.0.kill().unwrap();
        running.0.wait().unwrap();
    }

    /// Wait for a kill that somebody else does.
    pub(crate) fn until_killed(&mut self, who: Who) {
        use std::os::unix::process::ExitStatusExt as _;
        let running = self.running[who as usize].take().unwrap();
        let running = std::cell::RefCell::new(running);
        let status = self
            .network
            .until("the kill", |_| running.borrow_mut().0.try_wait().unwrap());
        assert_eq!(status.signal(), Some(9), "{who:?} ended by itself");
    }

    pub(crate) fn pid(&self, who: Who) -> u32 {
        self.running[who as usize].as_ref().unwrap().0.id()
    }

    /// Who sends withdrawals.
    pub(crate) fn client(&self) -> Client {
        Client {
            folder: self.network.dir().into(),
            payee: self.payee.clone(),
        }
    }

    /// Stop everything as it should be.
    pub(crate) fn end(&mut self) {
        for who in ALL {
            drop(self.running[who as usize].take());
        }
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        for running in self.running.iter_mut().flatten() {
            let _ = running.0.kill();
        }
    }
}

impl Client {
    /// A new withdrawal, not sent yet; nothing where the gate does not answer.
    pub(crate) fn draft(&self, name: &str) -> Option<Withdrawal> {
        let kind = json!({
            "type": "withdraw", "asset": "eip155:31337/slip44:60", "to": self.payee,
            "amount": AMOUNT.to_string(),
        });
        let file = self.folder.join(format!("{name}.json"));
        fs::write(&file, kind.to_string()).unwrap();
        let act = file.to_str()?;
        let text = call(
            &self.folder,
            &[
                "--as",
                "back-end",
                "--passkey",
                "customer",
                "--dry-run",
                "--act",
                act,
            ],
        );
        let posting: Value = serde_json::from_str(&text.ok()?).unwrap();
        let act: Act = serde_json::from_value(posting["act"].clone()).unwrap();
        fs::write(&file, posting["act"].to_string()).unwrap();
        Some(Withdrawal {
            digest: act.digest(),
            folder: self.folder.clone(),
            file,
        })
    }
}

impl Withdrawal {
    /// Send it, for the first time or again.
    pub(crate) fn send(&self) -> Told {
        let act = self.file.to_str().unwrap();
        let evidence = ["--passkey", "customer", "--debit", "new"];
        let args = [&["--as", "back-end", "--act", act][..], &evidence].concat();
        match call(&self.folder, &args) {
            Ok(_) => Told::Taken,
            Err(text) if text.contains("\"replayed\"") => Told::Known,
            Err(_) => Told::Unknown,
        }
    }

    /// The stage that the gate tells; nothing where it does not know the act or does not answer.
    pub(crate) fn stage(&self) -> Option<String> {
        let path = format!("/v1/acts/{}", self.digest);
        let text = call(&self.folder, &["--as", "auditor", "GET", &path]).ok()?;
        let answer: Value = serde_json::from_str(&text).ok()?;
        Some(answer["stage"].as_str()?.to_owned())
    }
}

/// One signed request: its answer, or what was said instead.
fn call(folder: &Path, args: &[&str]) -> Result<String, String> {
    let all = [&["call", "--dir", folder.to_str().unwrap()], args].concat();
    let (passed, text) = try_run(&all);
    if passed { Ok(text) } else { Err(text) }
}

fn rewire(network: &Network, file: &str, from: &str, to: &str) {
    let text = network.text(file);
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(network.path(file), text.replace(from, to)).unwrap();
}
