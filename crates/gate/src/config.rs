//! The gate's configuration file.

use crate::webhooks::WebhookName;
use portcullis_core::Digest;
use portcullis_core::id::{BoardId, IssuerId};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// `gate.toml`. Paths are relative to the file's folder.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The signed genesis.
    pub genesis: PathBuf,
    /// Its digest, pinned by hand.
    pub genesis_digest: Digest,
    /// The key file with the journal's signing key.
    pub key_file: PathBuf,
    /// The file with its passphrase.
    pub passphrase_file: PathBuf,
    /// The name of the journal's key in it.
    pub log_key: String,
    /// The name of the one that a rotation puts in its place: used from the entry on by which it does.
    #[serde(default)]
    pub log_successor: Option<String>,
    /// The journal's folder.
    pub journal: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Authorities (`host[:port]`) that clients reach the gate under; a request signature names one.
    pub authorities: Vec<String>,
    /// The witnesses' URLs, by the name in their vkey.
    pub witnesses: BTreeMap<String, String>,
    /// The same of witnesses of whom genesis does not know: those whom a rotation has put in force, or is to.
    #[serde(default)]
    pub successors: BTreeMap<String, String>,
    /// The stop boards' URLs.
    pub boards: BTreeMap<BoardId, String>,
    /// Fees, by CAIP-2 chain.
    pub chains: BTreeMap<String, ChainFees>,
    /// How many acts may wait for the sequencer.
    #[serde(default = "default_queue")]
    pub queue: usize,
    /// Bytes of a journal segment.
    #[serde(default = "default_segment")]
    pub segment_bytes: u64,
    /// How many entries come between two snapshots, which make the next start quick.
    #[serde(default = "default_snapshot")]
    pub snapshot_every: u64,
    /// Where issuers of screenings and of the travel rule are asked for their word, by id. Who is not
    /// named is not asked; its word comes by the back end.
    #[serde(default)]
    pub issuers: BTreeMap<IssuerId, String>,
    /// Where events are sent as they happen, by a name for status and metrics.
    #[serde(default)]
    pub webhooks: BTreeMap<WebhookName, String>,
    /// A clock for tests; development genesis only.
    #[serde(default)]
    pub test_clock: Option<PathBuf>,
}

/// How fees are proposed on a chain. The signer has caps of its own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainFees {
    /// A node to ask for the going rate; without one the figures below are used as they are.
    #[serde(default)]
    pub node: Option<String>,
    /// The most that a unit of gas may cost, in wei.
    pub max_fee_per_gas: u64,
    /// How much of that may be the tip, in wei.
    pub max_priority_fee_per_gas: u64,
    /// The gas limit of a transfer of the chain's own coin.
    #[serde(default = "default_native_gas")]
    pub native_gas: u64,
    /// The gas limit of a token transfer.
    #[serde(default = "default_token_gas")]
    pub token_gas: u64,
    /// Seconds after which an unconfirmed release gets higher fees.
    #[serde(default = "default_bump")]
    pub bump_after_seconds: u64,
}

const fn default_queue() -> usize {
    4096
}
const fn default_segment() -> u64 {
    portcullis_journal::directory::SEGMENT_BYTES
}
const fn default_snapshot() -> u64 {
    1_000_000
}
const fn default_native_gas() -> u64 {
    21_000
}
const fn default_token_gas() -> u64 {
    100_000
}
const fn default_bump() -> u64 {
    180
}

impl Config {
    /// Make its paths absolute against the folder that the file stands in.
    #[must_use]
    pub fn beside(mut self, folder: &std::path::Path) -> Self {
        for path in [
            &mut self.genesis,
            &mut self.key_file,
            &mut self.passphrase_file,
            &mut self.journal,
        ] {
            *path = folder.join(&*path);
        }
        self.test_clock = self.test_clock.map(|path| folder.join(path));
        self
    }
}
