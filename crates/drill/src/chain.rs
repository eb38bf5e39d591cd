//! The chain of accounts: a real Ethereum node of this machine, and what stands in its blocks.

use crate::chains::Blocks;
use crate::error::DrillError;
use crate::miner::Miner;
use crate::money::{Asset, ETH, Money, USD};
use crate::process::{Running, failed};
use crate::token::{self, Logs, TOKEN};
use crate::wait::until;
use portcullis_chains::caip::Address;
use portcullis_chains::ethereum::Fees;
use portcullis_chains::{Amount, AssetId};
use portcullis_core::Time;
use portcullis_host::{Http as _, Web};
use portcullis_node::{At, HttpNode, Node as _, NodeError};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

/// The chain id that anvil uses.
pub(crate) const CHAIN: u64 = 31337;
/// That chain's own coin.
pub(crate) const COIN: AssetId = AssetId::EvmNative { chain: CHAIN };
const PATIENCE: Duration = Duration::from_secs(10);
/// Most bytes of an answer: a block with its transactions.
const MAX_ANSWER: u64 = 64 * 1024 * 1024;

/// A node that this drill started.
pub(crate) struct Anvil {
    // Ends first, and then the node.
    _miner: Miner,
    _process: Running,
    url: String,
}

impl Anvil {
    /// Start one on a free port, and wait until it answers.
    pub(crate) fn start(binary: &Path, logs: &Path) -> Result<Self, DrillError> {
        let log = logs.join("anvil.log");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port
            .map_err(|error| failed("anvil", &log, &error.to_string()))?
            .port();
        let (chain, port) = (CHAIN.to_string(), port.to_string());
        // A block for each transaction at once, as far as it comes to that.
        let arguments = ["--host", "127.0.0.1", "--accounts", "1", "--silent"];
        // It is killed: old states that it puts into the home folder would stay there, by the gigabyte. Nobody asks
        // about blocks so old.
        let own = [
            "--chain-id",
            &chain,
            "--port",
            &port,
            "--prune-history",
            "1000",
        ];
        let arguments = [&arguments[..], &own[..]].concat();
        let mut process = Running::tethered(binary, &arguments, "anvil", &log)?;
        let url = format!("http://127.0.0.1:{port}");
        let node = node(&url)?;
        until("the Ethereum node", || {
            if process.lives() {
                Ok(node.chain_id().ok())
            } else {
                Err(failed("anvil", &log, "it ended"))
            }
        })?;
        Ok(Self {
            _miner: Miner::start(Chain::at(&url)?),
            _process: process,
            url,
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

fn node(url: &str) -> Result<HttpNode, DrillError> {
    Ok(HttpNode::new(url, CHAIN, PATIENCE)?)
}

/// What the drill itself pays for a transaction that moves an asset.
pub(crate) fn fees(asset: AssetId) -> Option<Fees> {
    let gas = match asset {
        AssetId::EvmNative { .. } => 21_000,
        AssetId::EvmErc20 { .. } => 100_000,
        AssetId::Bitcoin(_) | AssetId::Named(_) => return None,
    };
    Fees::new(20_000_000_000, 1_000_000_000, gas).ok()
}

/// The twenty bytes of an address on the drill's chain.
fn here(address: Address) -> Result<[u8; 20], DrillError> {
    address.evm().ok_or(DrillError::Elsewhere(address))
}

/// A node, asked.
pub(crate) struct Chain {
    node: HttpNode,
    url: String,
    http: Web,
}

/// A payment that stands in a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paid {
    /// By which transaction.
    pub(crate) transaction: [u8; 32],
    pub(crate) from: Address,
    pub(crate) to: Address,
    pub(crate) money: Money,
    /// When its block was first seen.
    pub(crate) seen: Time,
}

impl Chain {
    pub(crate) fn at(url: &str) -> Result<Self, DrillError> {
        Ok(Self {
            node: node(url)?,
            url: url.to_owned(),
            http: Web::new(),
        })
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How much of an asset an address has.
    pub(crate) fn balance(&self, of: Address, asset: &'static Asset) -> Result<Money, DrillError> {
        let held = match asset.id {
            AssetId::EvmNative { chain: CHAIN } => self.node.balance(here(of)?)?,
            TOKEN => self.tokens(here(of)?)?,
            elsewhere => return Err(DrillError::Unknown(elsewhere)),
        };
        Ok(asset.much(held))
    }

    /// How many transactions of an address stand in blocks.
    pub(crate) fn sent(&self, by: Address) -> Result<u64, DrillError> {
        Ok(self.node.nonce(here(by)?, At::Latest)?)
    }

    /// How many the node has been handed: those of the blocks, and those that wait for one.
    pub(crate) fn handed(&self, by: Address) -> Result<u64, DrillError> {
        Ok(self.node.nonce(here(by)?, At::Pending)?)
    }

    /// Give a paying wallet all that it is to pay from, as only a node for development does, on a chain that
    /// is new: its token is made first, by the code that creates it.
    pub(crate) fn fund(&self, wallet: Address, token: &str) -> Result<(), DrillError> {
        self.make_token(token)?;
        self.give(wallet, ETH.funds())?;
        self.give(wallet, USD.funds())
    }

    fn give(&self, to: Address, money: Money) -> Result<(), DrillError> {
        match money.asset.id {
            AssetId::EvmNative { chain: CHAIN } => {
                let to = format!("0x{}", hex::encode(here(to)?));
                let amount = format!("0x{:x}", money.amount.0);
                self.rpc("anvil_setBalance", &json!([to, amount])).map(drop)
            }
            TOKEN => self.give_tokens(here(to)?, money.amount),
            elsewhere => Err(DrillError::Unknown(elsewhere)),
        }
    }

    /// One call that only this kind of node answers; its result.
    pub(crate) fn rpc(&self, method: &str, params: &Value) -> Result<Value, DrillError> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let headers = [("content-type", "application/json")];
        let body = body.to_string();
        let reply = self
            .http
            .post(&self.url, &headers, body.as_bytes(), MAX_ANSWER, PATIENCE)
            .map_err(portcullis_client::GateError::from)?;
        let mut answer: Value = serde_json::from_slice(&reply.body).map_err(|_| unreadable())?;
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => Err(unreadable()),
        }
    }
}

impl Blocks for Chain {
    fn height(&self) -> Result<u64, DrillError> {
        Ok(self.node.head()?.block.number)
    }

    fn block(&self, number: u64, seen: Time) -> Result<Vec<Paid>, DrillError> {
        let block = self.rpc(
            "eth_getBlockByNumber",
            &json!([format!("0x{number:x}"), true]),
        )?;
        let transactions = block["transactions"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let logs = if transactions.iter().any(token::is_called) {
            self.token_logs(number)?
        } else {
            Logs::default()
        };
        // What creates a contract pays nobody.
        let calls = transactions.iter().filter(|tx| !tx["to"].is_null());
        let paid = calls.map(|tx| paid(tx, &logs, seen));
        paid.collect::<Option<_>>().ok_or_else(unreadable)
    }
}

pub(crate) fn unreadable() -> DrillError {
    NodeError::Form("an answer that is none").into()
}

/// What a transaction paid: the chain's coin by its value, the token by its contract's log.
fn paid(tx: &Value, logs: &Logs, seen: Time) -> Option<Paid> {
    let called = tx["to"].as_str()?;
    let (to, money) = if token::is_called(tx) {
        let nothing = || (called.to_owned(), USD.much(Amount::ZERO));
        logs.paid(tx, &USD).unwrap_or_else(nothing)
    } else {
        (called.to_owned(), ETH.much(quantity(&tx["value"])?))
    };
    let address = |text: &str| format!("eip155:{CHAIN}:{text}").parse().ok();
    let mut transaction = [0; 32];
    let hash = tx["hash"].as_str()?.strip_prefix("0x")?;
    hex::decode_to_slice(hash, &mut transaction).ok()?;
    Some(Paid {
        transaction,
        from: address(tx["from"].as_str()?)?,
        to: address(&to)?,
        money,
        seen,
    })
}

/// A number of a node's, in hexadecimal.
pub(crate) fn quantity(value: &Value) -> Option<Amount> {
    let digits = value.as_str()?.strip_prefix("0x")?;
    u128::from_str_radix(digits, 16).ok().map(Amount)
}
