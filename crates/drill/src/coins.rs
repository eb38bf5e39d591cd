//! The chain of coins: a regtest node of this machine whose judge is Bitcoin Core's own validation, and what stands in
//! its blocks.

use crate::chain::{Paid, unreadable};
use crate::chains::Blocks;
use crate::error::DrillError;
use crate::forger::Forger;
use crate::money::{BTC, Money};
use crate::process::{Running, failed};
use crate::wait::until;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bitcoin::Script;
use portcullis_chains::bitcoin::Lock;
use portcullis_chains::caip::{Address, BitcoinAddress, BitcoinAsset, BitcoinChain};
use portcullis_chains::{Amount, AssetId};
use portcullis_core::Time;
use portcullis_host::{Http as _, Web};
use portcullis_node::bitcoin::HttpNode;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

/// The chain that the node is on.
pub(crate) const CHAIN: BitcoinChain = BitcoinChain::Regtest;
/// Its coin.
pub(crate) const COIN: AssetId = AssetId::Bitcoin(BitcoinAsset { chain: CHAIN });
/// How many blocks' rewards, of 50 BTC each, a paying wallet begins with: a coin for every batch under way, and more in
/// all than twice the incident and every honest withdrawal.
const COINS: u32 = 60;
/// Blocks on top of them, so that they may be spent.
const MATURE: u32 = 100;
/// Whom blocks pay otherwise.
const NOBODY: &str = "raw(0014ffffffffffffffffffffffffffffffffffffffff)";
const PATIENCE: Duration = Duration::from_secs(10);
/// Most bytes of an answer: a block with its transactions.
const MAX_ANSWER: u64 = 64 * 1024 * 1024;
/// How often it is looked whether anything waits for a block.
const LOOK: Duration = Duration::from_millis(100);

/// A node that this drill started, and its miner.
pub(crate) struct Regtest {
    // Ends first, and then the node.
    _miner: Miner,
    _process: Running,
    coins: Coins,
}

impl Regtest {
    /// Start one, and wait until it answers. Its miner takes whatever waits into a block at once; `forger`, where there
    /// is one, tries what it can with those transactions before.
    pub(crate) fn start(
        program: &Path,
        logs: &Path,
        forger: Option<Arc<Forger>>,
    ) -> Result<Self, DrillError> {
        let file = |error| DrillError::File(logs.to_owned(), error);
        let folder = logs.join("bitcoin");
        std::fs::create_dir_all(&folder).map_err(file)?;
        let log = logs.join("bitcoin.log");
        let place = folder.display().to_string();
        let mut process = Running::tethered(program, &[&place], "Bitcoin node", &log)?;
        let url = until("the Bitcoin node", || {
            if !process.lives() {
                return Err(failed("Bitcoin node", &log, "it ended"));
            }
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let mut lines = said.split_inclusive('\n');
            let url = lines.find(|line| line.starts_with("http://") && line.ends_with('\n'));
            Ok(url.map(|url| url.trim().to_owned()))
        })?;
        let coins = Coins::at(url, folder.join(".cookie"))?;
        Ok(Self {
            _miner: Miner::start(coins.anew()?, forger),
            _process: process,
            coins,
        })
    }

    /// A connection to it.
    pub(crate) fn coins(&self) -> Result<Coins, DrillError> {
        self.coins.anew()
    }
}

/// A node, asked.
pub(crate) struct Coins {
    url: String,
    cookie: PathBuf,
    basic: String,
    http: Web,
    /// The next block to be read for [`Coins::handed`], and the transactions in those before; a new chain has none.
    read: Mutex<(u64, u64)>,
}

impl Coins {
    fn at(url: String, cookie: PathBuf) -> Result<Self, DrillError> {
        let secret = std::fs::read_to_string(&cookie);
        let secret = secret.map_err(|error| DrillError::File(cookie.clone(), error))?;
        Ok(Self {
            url,
            cookie,
            basic: format!("Basic {}", BASE64.encode(secret.trim())),
            http: Web::new(),
            read: Mutex::new((u64::from(COINS + MATURE) + 1, 0)),
        })
    }

    /// Another connection.
    pub(crate) fn anew(&self) -> Result<Self, DrillError> {
        Self::at(self.url.clone(), self.cookie.clone())
    }

    /// Where a wallet that watches is asked for.
    pub(crate) fn wallet_url(&self) -> String {
        format!("{}/wallet/portcullis", self.url)
    }

    /// The file that lets somebody in.
    pub(crate) fn cookie(&self) -> &Path {
        &self.cookie
    }

    /// The same node as a keeper asks it.
    pub(crate) fn node(&self) -> Result<HttpNode, DrillError> {
        let (url, cookie) = (self.wallet_url(), self.cookie.clone());
        Ok(HttpNode::new(&url, cookie, CHAIN, PATIENCE)?)
    }

    /// How much an address has, by the chain's unspent outputs.
    pub(crate) fn balance(&self, of: Address) -> Result<Money, DrillError> {
        let found: Found = self.ask("scantxoutset", &json!(["start", [raw(of)?]]))?;
        Ok(BTC.much(found.total_amount.0))
    }

    /// Give a paying wallet all that it is to pay from, on a chain that is new.
    pub(crate) fn fund(&self, wallet: Address) -> Result<(), DrillError> {
        self.mine(COINS, &raw(wallet)?)?;
        self.mine(MATURE, NOBODY)
    }

    fn mine(&self, blocks: u32, to: &str) -> Result<(), DrillError> {
        let _: Value = self.ask("generatetodescriptor", &json!([blocks, to]))?;
        Ok(())
    }

    /// The ids of what waits for a block.
    pub(crate) fn waiting(&self) -> Result<Vec<String>, DrillError> {
        self.ask("getrawmempool", &json!([]))
    }

    /// How many transactions the node has been handed: those of blocks, but for the rewards, and those that wait.
    pub(crate) fn handed(&self) -> Result<u64, DrillError> {
        until("a chain that stands still", || {
            let height = self.height()?;
            let waiting = self.waiting()?.len() as u64;
            let in_blocks = self.in_blocks(height)?;
            Ok((self.height()? == height).then_some(in_blocks + waiting))
        })
    }

    fn in_blocks(&self, height: u64) -> Result<u64, DrillError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        while read.0 <= height {
            let block: Counted = self.ask("getblock", &json!([self.hash(read.0)?, 1]))?;
            *read = (read.0 + 1, read.1 + block.transactions.saturating_sub(1));
        }
        Ok(read.1)
    }

    fn hash(&self, height: u64) -> Result<String, DrillError> {
        self.ask("getblockhash", &json!([height]))
    }

    /// One call; its result. What the node refuses is an error.
    pub(crate) fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &Value,
    ) -> Result<T, DrillError> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let headers = [
            ("content-type", "application/json"),
            ("authorization", self.basic.as_str()),
        ];
        let body = body.to_string();
        let reply = self
            .http
            .post(&self.url, &headers, body.as_bytes(), MAX_ANSWER, PATIENCE)
            .map_err(portcullis_client::GateError::from)?;
        let said: Said = serde_json::from_slice(&reply.body).map_err(|_| unreadable())?;
        match (said.result, said.error) {
            (Some(result), None) => serde_json::from_str(result.get()).map_err(|_| unreadable()),
            (_, Some(error)) => Err(DrillError::Coins(error.message)),
            (None, None) => serde_json::from_str("null").map_err(|_| unreadable()),
        }
    }
}

impl Blocks for Coins {
    fn height(&self) -> Result<u64, DrillError> {
        self.ask("getblockcount", &json!([]))
    }

    fn block(&self, number: u64, seen: Time) -> Result<Vec<Paid>, DrillError> {
        let block: Block = self.ask("getblock", &json!([self.hash(number)?, 3]))?;
        let paid = block.tx.iter().map(|tx| tx.paid(seen));
        let paid: Vec<Vec<Paid>> = paid.collect::<Option<_>>().ok_or_else(unreadable)?;
        Ok(paid.into_iter().flatten().collect())
    }
}

/// A descriptor of exactly an address' script.
fn raw(address: Address) -> Result<String, DrillError> {
    Ok(format!(
        "raw({})",
        hex::encode(here(address)?.lock().script())
    ))
}

/// An address on the chain of coins.
pub(crate) fn here(address: Address) -> Result<BitcoinAddress, DrillError> {
    match address {
        Address::Bitcoin(coins) if coins.chain() == CHAIN => Ok(coins),
        other => Err(DrillError::Elsewhere(other)),
    }
}

/// An answer, as JSON-RPC has it; amounts stay text until they are read.
#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

#[derive(Deserialize)]
struct Found {
    total_amount: Sats,
}

#[derive(Deserialize)]
struct Counted {
    #[serde(rename = "nTx")]
    transactions: u64,
}

#[derive(Deserialize)]
struct Block {
    tx: Vec<Tx>,
}

#[derive(Deserialize)]
struct Tx {
    txid: String,
    vin: Vec<Input>,
    vout: Vec<Output>,
}

/// What an input spends; nothing where it makes a block's reward.
#[derive(Deserialize)]
struct Input {
    prevout: Option<Output>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    value: Sats,
    script_pub_key: Locked,
}

#[derive(Deserialize)]
struct Locked {
    hex: String,
}

impl Tx {
    /// What it paid out of its first input's owner's own: every output to somebody else. A reward pays out of nobody's.
    fn paid(&self, seen: Time) -> Option<Vec<Paid>> {
        let spent = self.vin.iter().filter_map(|input| input.prevout.as_ref());
        let owners: BTreeSet<&str> = spent
            .map(|output| output.script_pub_key.hex.as_str())
            .collect();
        let Some(first) = owners.first() else {
            return Some(Vec::new());
        };
        let from = address(first)?;
        let mut transaction = [0; 32];
        hex::decode_to_slice(&self.txid, &mut transaction).ok()?;
        let others = self.vout.iter();
        let others = others.filter(|output| !owners.contains(output.script_pub_key.hex.as_str()));
        let paid = others.map(|output| {
            Some(Paid {
                transaction,
                from,
                to: address(&output.script_pub_key.hex)?,
                money: BTC.much(output.value.0),
                seen,
            })
        });
        paid.collect()
    }
}

fn address(script: &str) -> Option<Address> {
    let script = hex::decode(script).ok()?;
    let lock = Lock::from_script(Script::from_bytes(&script))?;
    Some(Address::Bitcoin(BitcoinAddress::new(CHAIN, lock)))
}

/// An amount in bitcoin: a number with eight decimals, read as text, because a float has no way to say 0.1.
struct Sats(Amount);

impl<'de> Deserialize<'de> for Sats {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        sats(raw.get()).ok_or_else(|| D::Error::custom("an amount that is none"))
    }
}

fn sats(text: &str) -> Option<Sats> {
    let (whole, part) = text.split_once('.')?;
    if part.len() != 8 {
        return None;
    }
    let digits = format!("{whole}{part}");
    digits.parse().ok().map(|sats| Sats(Amount(sats)))
}

/// Takes what waits into blocks until it is dropped.
struct Miner(Arc<AtomicBool>);

impl Miner {
    fn start(coins: Coins, forger: Option<Arc<Forger>>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        std::thread::spawn(move || {
            while !stopping.load(Ordering::Relaxed) {
                // A node that does not answer now is asked again.
                let _ = mine_waiting(&coins, forger.as_deref());
                sleep(LOOK);
            }
        });
        Self(stop)
    }
}

fn mine_waiting(coins: &Coins, forger: Option<&Forger>) -> Result<(), DrillError> {
    let waiting = coins.waiting()?;
    let Some(first) = waiting.first() else {
        return Ok(());
    };
    if let Some(forger) = forger {
        forger.try_on(coins, first)?;
    }
    coins.mine(1, NOBODY)
}

impl Drop for Miner {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: &str = "00140000000000000000000000000000000000000001";
    const BERT: &str = "00140000000000000000000000000000000000000002";
    const EMIL: &str = "00140000000000000000000000000000000000000003";

    fn tx(spent: &[&str], made: &[(&str, &str)]) -> Tx {
        let output = |value: &str, script: &str| {
            format!(r#"{{"value": {value}, "scriptPubKey": {{"hex": "{script}"}}}}"#)
        };
        let vin = spent
            .iter()
            .map(|script| format!(r#"{{"prevout": {}}}"#, output("1.00000000", script)));
        let vout = made.iter().map(|(script, value)| output(value, script));
        let (vin, vout): (Vec<String>, Vec<String>) = (vin.collect(), vout.collect());
        let text = format!(
            r#"{{"txid": "{:064}", "vin": [{}], "vout": [{}]}}"#,
            7,
            vin.join(","),
            vout.join(",")
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn what_is_paid_is_what_does_not_return_to_the_satoshi() {
        let paid = |tx: Tx| {
            let paid = tx.paid(Time(0)).unwrap();
            let paid = paid.into_iter();
            paid.map(|paid| (paid.from, paid.to, paid.money.amount.0))
                .collect::<Vec<_>>()
        };
        let [anna, bert, emil] = [ANNA, BERT, EMIL].map(|script| address(script).unwrap());
        let two = [
            (BERT, "0.00000546"),
            (EMIL, "0.10000000"),
            (ANNA, "0.89999000"),
        ];
        assert_eq!(
            paid(tx(&[ANNA, ANNA], &two)),
            [(anna, bert, 546), (anna, emil, 10_000_000)]
        );
        assert_eq!(paid(tx(&[ANNA], &[(ANNA, "0.99999000")])), []);
        assert_eq!(paid(tx(&[], &[(ANNA, "50.00000000")])), [], "a reward");
    }

    #[test]
    fn amounts_are_read_digit_by_digit() {
        for (text, read) in [
            ("443.93000001", Some(44_393_000_001)),
            ("0.00000001", Some(1)),
            ("1e-8", None),
            ("1.0", None),
            ("-1.00000000", None),
        ] {
            assert_eq!(sats(text).map(|sats| sats.0.0), read, "{text}");
        }
    }
}
