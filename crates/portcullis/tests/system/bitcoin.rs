//! A regtest node whose judge is Bitcoin Core's own validation, for tests of the whole system.

use super::{Running, peers, until};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_chains::caip::BitcoinAddress;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The node, and where it answers.
pub struct Bitcoin {
    _process: Running,
    folder: tempfile::TempDir,
    url: String,
}

/// A block's worth of nobody: an output that no test spends.
const NOBODY: &str = "raw(0014ffffffffffffffffffffffffffffffffffffffff)";

impl Bitcoin {
    /// Start one on a free port; nothing where none is installed.
    pub fn start() -> Option<Self> {
        let python = peers().join("bitcoin/bin/python");
        if !python.exists() {
            println!("skipped: no Bitcoin peer, run tests/peers/bitcoin/install");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/bitcoin/node.py");
        let mut command = Command::new(python);
        command.arg(script).arg(folder.path());
        let mut process = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::null()));
        let mut url = String::new();
        let mut output = BufReader::new(process.0.stdout.take().unwrap());
        assert!(output.read_line(&mut url).unwrap() > 0, "the node ended");
        let url = url.trim().to_owned();
        Some(Self {
            _process: process,
            folder,
            url,
        })
    }

    /// The file that lets somebody in.
    pub fn cookie(&self) -> PathBuf {
        self.folder.path().join(".cookie")
    }

    /// The address for `portcullis init`.
    pub fn wallet_url(&self) -> String {
        format!("{}/wallet/portcullis", self.url)
    }

    /// One call; what the node refuses is told as it says it.
    pub fn try_rpc(&self, method: &str, params: &Value) -> Result<Value, Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let cookie = STANDARD.encode(fs::read_to_string(self.cookie()).unwrap());
        let basic = format!("Basic {cookie}");
        let headers = [
            ("content-type", "application/json"),
            ("authorization", &basic),
        ];
        let reply = portcullis_host::Http::post(
            &portcullis_host::Web::new(),
            &self.url,
            &headers,
            body.to_string().as_bytes(),
            1 << 20,
            Duration::from_secs(30),
        );
        let answer: Value = serde_json::from_slice(&reply.unwrap().body).unwrap();
        match answer.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(answer["result"].clone()),
        }
    }

    /// One call.
    pub fn rpc(&self, method: &str, params: &Value) -> Value {
        self.try_rpc(method, params).unwrap()
    }

    /// So many blocks for an address, and enough behind them that their rewards can be spent.
    pub fn fund(&self, address: &str, blocks: u32) {
        let address: BitcoinAddress = address.parse().unwrap();
        let script = hex::encode(address.lock().script());
        let raw = format!("raw({script})");
        self.rpc("generatetodescriptor", &json!([blocks, raw]));
        self.mine(101);
    }

    /// So many blocks for nobody.
    pub fn mine(&self, blocks: u32) {
        self.rpc("generatetodescriptor", &json!([blocks, NOBODY]));
    }

    /// A branch for nobody from so many blocks below the tip takes the chain's place.
    pub fn fork(&self, depth: u32) {
        self.rpc("fork", &json!([depth, NOBODY]));
    }

    /// The ids of what waits.
    pub fn waiting(&self) -> Vec<String> {
        let pool = self.rpc("getrawmempool", &json!([]));
        let ids = pool.as_array().unwrap().iter();
        ids.map(|id| id.as_str().unwrap().to_owned()).collect()
    }

    /// The one transaction that waits and is not `before`, once there is one.
    pub fn next_waiting(&self, before: &str, log: impl Fn() -> String) -> String {
        let look = || {
            let found = self.waiting().into_iter().find(|id| id != before)?;
            Some(found)
        };
        until(look, || format!("a transaction in the pool\n{}", log()))
    }

    /// A raw transaction.
    pub fn raw(&self, txid: &str) -> Vec<u8> {
        let raw = self.rpc("getrawtransaction", &json!([txid]));
        hex::decode(raw.as_str().unwrap()).unwrap()
    }

    /// What the chain has in an output, in bitcoin as it is written, and the script that locks it.
    pub fn output(&self, txid: &str, at: u32) -> Option<(String, String)> {
        let found = self.rpc("gettxout", &json!([txid, at, false]));
        let script = found["scriptPubKey"]["hex"].as_str()?.to_owned();
        Some((found["value"].to_string(), script))
    }
}
