//! The gate's configuration file.

use crate::webhooks::WebhookName;
use portcullis_chains::bitcoin::FeeRate;
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
    /// Fees, by CAIP-2 chain; none where all wallets pay by mandate or from coins.
    #[serde(default)]
    pub chains: BTreeMap<String, ChainFees>,
    /// Nodes and fees of chains whose wallets spend coins, by CAIP-2 chain.
    #[serde(default)]
    pub coins: BTreeMap<String, CoinFees>,
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

/// How payments from coins are proposed on a chain. The signer has caps of its own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoinFees {
    /// The gate's own node, by an address that ends in `/wallet/NAME`: the wallet of it that watches. It lists what
    /// can be spent, so there is no doing without.
    pub node: String,
    /// The file that lets the gate in: the node's own cookie, or a line USER:PASSWORD.
    pub credentials: PathBuf,
    /// The most that is proposed for a transaction's size, in satoshis per 1,000 virtual bytes.
    pub max_fee_per_kvb: u64,
    /// How many blocks deep a coin is at least before it is spent: as many as the wallet's signer asks for before a
    /// payment is final. What is younger would wait there.
    #[serde(default = "default_depth")]
    pub confirmations: u32,
    /// In how many blocks a transaction should be confirmed.
    #[serde(default = "default_blocks")]
    pub target_blocks: u16,
    /// Seconds after which an unconfirmed one gets a higher fee.
    #[serde(default = "default_coin_bump")]
    pub bump_after_seconds: u64,
}

impl CoinFees {
    /// The most that is proposed; what makes no sense as a rate is the least that nodes relay.
    pub(crate) fn max_rate(&self) -> FeeRate {
        FeeRate::per_1000_virtual_bytes(self.max_fee_per_kvb).unwrap_or(FeeRate::MIN)
    }
}

const fn default_depth() -> u32 {
    6
}
const fn default_blocks() -> u16 {
    6
}
const fn default_coin_bump() -> u64 {
    3_600
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
        for coins in self.coins.values_mut() {
            coins.credentials = folder.join(&coins.credentials);
        }
        self.test_clock = self.test_clock.map(|path| folder.join(path));
        self
    }
}
