//! A real node of one's own: found, started, and stopped with the test.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::{HttpNode, rpc::Rpc};
use super::CHAIN;

/// What npm unpacks, below the folder of peers.
const BINARY: &str = "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";

pub(super) struct Anvil {
    child: Child,
    pub(super) url: String,
    rpc: Rpc,
}

impl Anvil {
    /// Starts a node on a free port, or says why there is none.
    pub(super) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    pub(super) fn start_with(options: &[&str]) -> Option<Self> {
        let Some(binary) = binary() else {
            println!("skipped: no anvil");
            return None;
        };
        let mut child = Command::new(binary)
            .args(["--host", "127.0.0.1", "--port", "0"])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let place = lines.find_map(|line| {
            line.unwrap()
                .strip_prefix("Listening on ")
                .map(str::to_owned)
        });
        // Whatever it says later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let url = format!("http://{}", place.unwrap());
        let rpc = Rpc::new(&url, CHAIN, Duration::from_secs(10)).unwrap();
        Some(Self { child, url, rpc })
    }

    /// Our client to it.
    pub(super) fn node(&self) -> HttpNode {
        HttpNode::new(&self.url, CHAIN, Duration::from_secs(2)).unwrap()
    }

    /// Any call, of which a test needs more than a signer does.
    pub(super) fn call<T: DeserializeOwned>(&self, method: &'static str, params: &Value) -> T {
        self.rpc.call(method, params).unwrap()
    }

    pub(super) fn mine(&self, blocks: u64) {
        self.call::<Value>("anvil_mine", &json!([format!("{blocks:#x}")]));
    }

    pub(super) fn set_automine(&self, on: bool) {
        self.call::<Value>("evm_setAutomine", &json!([on]));
    }

    /// Sends from one of the node's own accounts; gives the receipt.
    pub(super) fn send_from_its_own(&self, tx: &Value) -> Value {
        let hash: String = self.call("eth_sendTransaction", &json!([tx]));
        for _ in 0..100 {
            let receipt: Value = self.call("eth_getTransactionReceipt", &json!([hash]));
            if !receipt.is_null() {
                return receipt;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("the node does not mine");
    }

    /// Stops it as a debugger would: connections are taken, nothing is answered. Returns once every
    /// thread has stopped, for the signal reaches a busy one late.
    pub(super) fn freeze(&self) {
        self.signal("-STOP");
        while !self.is_frozen() {
            std::thread::yield_now();
        }
    }

    fn is_frozen(&self) -> bool {
        let threads = format!("/proc/{}/task", self.child.id());
        std::fs::read_dir(threads).unwrap().all(|thread| {
            // A thread that ends meanwhile is as quiet as one that has stopped.
            let stat = std::fs::read_to_string(thread.unwrap().path().join("stat"));
            stat.map_or(true, |stat| stat.contains(") T "))
        })
    }

    pub(super) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn binary() -> Option<PathBuf> {
    let named = std::env::var_os("PORTCULLIS_ANVIL").map(PathBuf::from);
    named
        .or_else(|| Some(peers().join(BINARY)))
        .filter(|path| path.exists())
}

/// The code that creates one of the contracts of `tests/peers/evm`.
pub(super) fn creation_code(contract: &str) -> Option<String> {
    let code = std::fs::read_to_string(peers().join(format!("evm/{contract}.bin"))).ok();
    if code.is_none() {
        println!("skipped: no contracts, run tests/peers/evm/install");
    }
    code
}

fn peers() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../.peers").into()
}
