//! A regtest node of one's own around Bitcoin Core's validation: found, started, stopped with the test.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use portcullis_chains::bitcoin::Lock;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::kit::CHAIN;
use crate::NodeError;
use crate::bitcoin::HttpNode;
use crate::bitcoin::rpc::Rpc;

pub(super) struct Peer {
    child: Child,
    url: String,
    folder: PathBuf,
    rpc: Rpc,
}

impl Peer {
    /// Starts a node on a free port, or says why there is none.
    pub(super) fn start() -> Option<Self> {
        let Some(python) = python() else {
            println!(
                "skipped: no Bitcoin peer: tests/peers/bitcoin/install puts one into .peers/bitcoin"
            );
            return None;
        };
        let folder = folder();
        let mut child = Command::new(python)
            .arg(root().join("tests/peers/bitcoin/node.py"))
            .arg(&folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut url).unwrap();
        let url = url.trim().to_owned();
        let timeout = Duration::from_mins(1);
        let rpc = Rpc::new(&url, folder.join(".cookie"), CHAIN, timeout).unwrap();
        Some(Self {
            child,
            url,
            folder,
            rpc,
        })
    }

    /// Our client to it.
    pub(super) fn node(&self) -> HttpNode {
        self.node_with(self.folder.join(".cookie"))
    }

    pub(super) fn node_with(&self, credentials: PathBuf) -> HttpNode {
        HttpNode::new(&self.url, credentials, CHAIN, Duration::from_secs(30)).unwrap()
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Any call, of which a test needs more than a signer does.
    pub(super) fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, NodeError> {
        self.rpc.ask(method, params)
    }

    /// Mines so many blocks that pay this lock.
    pub(super) fn mine(&self, blocks: u32, lock: Lock) {
        let params = json!([blocks, raw(lock)]);
        let mined: Vec<String> = self.call("generatetodescriptor", params).unwrap();
        assert_eq!(u32::try_from(mined.len()), Ok(blocks));
    }
}

/// The descriptor of a lock.
pub(super) fn raw(lock: Lock) -> String {
    format!("raw({})", hex::encode(lock.script()))
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub(super) fn folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("portcullis-bitcoin-{}-{count}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn python() -> Option<PathBuf> {
    let peers = std::env::var_os("PEERS").map_or_else(|| root().join(".peers"), PathBuf::from);
    Some(peers.join("bitcoin/bin/python")).filter(|path| path.exists())
}

fn root() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../..").into()
}
