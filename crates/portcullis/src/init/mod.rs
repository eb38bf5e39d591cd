//! `portcullis init`: a network's first statement.

mod configs;
mod development;
mod draft;
mod production;
mod terms;

use crate::failure::Failure;
use clap::{ArgGroup, Args, ValueEnum};
pub(crate) use configs::WITNESS_NAME;
pub(crate) use development::ADMINISTRATORS;
use portcullis_chains::AssetId;
use portcullis_chains::caip::{BitcoinAsset, BitcoinChain, CaipError};
use portcullis_core::Span;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
pub(crate) use terms::{Cap, Terms};

/// Make a network's genesis: all of it for development, or step by step with each administrator
///
/// For production: write a draft (JSON, docs/guide/operators.md), let everybody check it with
/// --draft, each administrator sign it with --sign on a machine of its own, and put the signatures
/// together with --assemble. The digest that each step prints must be the same everywhere: compare it
/// by voice, then pin it in every keeper, witness and client.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true))]
pub(crate) struct InitArgs {
    /// Make keys, genesis and configurations for development in this folder
    #[arg(long, value_name = "DIR", group = "what")]
    development: Option<PathBuf>,
    /// Check a draft and print its digest
    #[arg(long, value_name = "FILE", group = "what")]
    draft: Option<PathBuf>,
    /// Sign a draft as the administrator whose key is given
    #[arg(long, value_name = "FILE", group = "what", requires = "key")]
    sign: Option<PathBuf>,
    /// Put a draft and all administrators' signatures together
    #[arg(
        long,
        value_name = "FILE",
        group = "what",
        requires = "out",
        requires = "signatures"
    )]
    assemble: Option<PathBuf>,

    /// Development: the EIP-155 chain that the wallet is on
    #[arg(long, value_name = "N", default_value_t = 31337, value_parser = clap::value_parser!(u64).range(1..))]
    chain_id: u64,
    /// Development: the chain's node; what DIR/ethereum-rpc says otherwise
    #[arg(long, value_name = "URL")]
    node: Option<String>,
    /// Development: a token that may be withdrawn, with its decimals (18 unless said)
    #[arg(long, value_name = "CONTRACT[:DECIMALS]")]
    erc20: Vec<String>,
    /// Development: the wallet pays by mandate, each good for so many seconds: no node is asked, and whoever holds
    /// the wallet makes the transaction
    #[arg(long, value_name = "SECONDS", conflicts_with = "bitcoin")]
    mandate: Option<u64>,
    /// Development: a wallet on Bitcoin's regtest, too, by this node: http://HOST:PORT/wallet/NAME
    #[arg(long, value_name = "URL", requires = "bitcoin_credentials")]
    bitcoin: Option<String>,
    /// Development: the file that lets gate and signer in to it, its cookie or a line USER:PASSWORD
    #[arg(long, value_name = "FILE", requires = "bitcoin")]
    bitcoin_credentials: Option<PathBuf>,
    /// Development: how that wallet's outputs are locked
    #[arg(long, value_enum, default_value = "p2tr", requires = "bitcoin")]
    bitcoin_lock: LockArg,
    /// Development: for how many seconds its withdrawals wait to be paid together
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 0,
        requires = "bitcoin"
    )]
    bitcoin_batch: u64,
    /// Development: have a herald, which hands its mail in the clear to a server on this host
    #[arg(long, value_name = "IP:PORT")]
    herald: Option<SocketAddr>,
    /// Development: where pages ask customers and staff for passkeys, at localhost; the gate's own address
    /// otherwise
    #[arg(long, value_name = "ORIGIN")]
    origin: Vec<String>,
    /// Development: the gate's port; the witness takes the next one. Free ones otherwise
    #[arg(long)]
    port: Option<u16>,

    /// Sign: the administrator's key file
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Sign: its passphrase, in a file
    #[arg(long, value_name = "FILE")]
    passphrase: Option<PathBuf>,
    /// Assemble: the signatures
    #[arg(long, value_name = "FILE", num_args = 1..)]
    signatures: Vec<PathBuf>,
    /// Sign, assemble: where to write; signing writes to standard output otherwise
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// How outputs are locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LockArg {
    P2wpkh,
    P2tr,
}

/// A wallet on Bitcoin's regtest.
#[derive(Clone, Debug)]
pub(crate) struct Bitcoin {
    node: String,
    credentials: PathBuf,
    lock: LockArg,
    batch: Span,
}

impl Bitcoin {
    const CHAIN: BitcoinChain = BitcoinChain::Regtest;

    /// Locked as `init` does by default.
    pub(crate) fn by_default(node: &str, credentials: &Path, batch: Span) -> Self {
        Self {
            node: node.to_owned(),
            credentials: credentials.to_owned(),
            lock: LockArg::P2tr,
            batch,
        }
    }

    fn coin() -> Asset {
        let chain = Self::CHAIN;
        Asset {
            id: AssetId::Bitcoin(BitcoinAsset { chain }),
            decimals: 8,
        }
    }
}

impl InitArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        if let Some(folder) = &self.development {
            return development::init(folder, &self.wishes()?);
        }
        if let Some(draft) = &self.draft {
            return production::check(draft);
        }
        if let (Some(draft), Some(key)) = (&self.sign, &self.key) {
            return production::sign(draft, key, self.passphrase.as_deref(), self.out.as_deref());
        }
        if let (Some(draft), Some(out)) = (&self.assemble, &self.out) {
            return production::assemble(draft, &self.signatures, out);
        }
        Err(Failure::usage(
            "nothing was asked for",
            "portcullis init --help",
        ))
    }

    fn wishes(&self) -> Result<Wishes, Failure> {
        let chain = self.chain_id;
        let native = Asset {
            id: AssetId::EvmNative { chain },
            decimals: 18,
        };
        let tokens = self.erc20.iter().map(|text| token(chain, text));
        let bitcoin = self.bitcoin()?;
        let coin = bitcoin.iter().map(|_| Ok(Bitcoin::coin()));
        let assets = core::iter::once(Ok(native)).chain(tokens).chain(coin);
        let assets: Result<Vec<Asset>, Failure> = assets.collect();
        Ok(Wishes {
            chain,
            bitcoin,
            mandate: self.mandate.map(Span::seconds),
            node: self.node.clone(),
            assets: assets?,
            port: self.port,
            mail: self.herald,
            origins: self.origin.clone(),
        })
    }

    fn bitcoin(&self) -> Result<Option<Bitcoin>, Failure> {
        let (Some(node), Some(credentials)) = (&self.bitcoin, &self.bitcoin_credentials) else {
            return Ok(None);
        };
        let credentials = std::path::absolute(credentials);
        Ok(Some(Bitcoin {
            node: node.clone(),
            credentials: credentials.map_err(|error| Failure::usage(error, ""))?,
            lock: self.bitcoin_lock,
            batch: Span(self.bitcoin_batch.saturating_mul(1000)),
        }))
    }
}

/// Make a development network under terms of somebody's own.
pub(crate) fn network(folder: &Path, wishes: &Wishes, terms: &Terms) -> Result<(), Failure> {
    development::make(folder, wishes, terms).map(|_| ())
}

/// Make a development network on one chain's own coin, under the usual terms.
pub(crate) fn usual_network(folder: &Path, chain: u64, node: &str) -> Result<(), Failure> {
    let wishes = Wishes::of_coin(chain, node);
    let terms = Terms::usual(&wishes.assets)?;
    development::make(folder, &wishes, &terms).map(|_| ())
}

/// What a development network is to be.
pub(crate) struct Wishes {
    /// The chain id of EIP-155.
    chain: u64,
    node: Option<String>,
    /// A wallet on Bitcoin's regtest beside the one on that chain.
    bitcoin: Option<Bitcoin>,
    /// For how long a mandate of the wallet holds, where it pays by those.
    mandate: Option<Span>,
    assets: Vec<Asset>,
    port: Option<u16>,
    /// The herald's mail server, where there is to be a herald.
    mail: Option<SocketAddr>,
    /// Where passkeys are asked for; the gate's own address where there is none.
    origins: Vec<String>,
}

impl Wishes {
    /// On one chain, paying these assets, with a herald that sends by a mail server.
    pub(crate) fn with_mail(
        (chain, node): (u64, &str),
        assets: Vec<Asset>,
        mail: SocketAddr,
    ) -> Self {
        Self {
            assets,
            mail: Some(mail),
            ..Self::of_coin(chain, node)
        }
    }

    /// And with a wallet of coins.
    pub(crate) fn and_coins(self, coins: Bitcoin) -> Self {
        Self {
            bitcoin: Some(coins),
            ..self
        }
    }

    /// A chain's own coin, with its node there.
    fn of_coin(chain: u64, node: &str) -> Self {
        let coin = Asset {
            id: AssetId::EvmNative { chain },
            decimals: 18,
        };
        Self {
            chain,
            node: Some(node.to_owned()),
            bitcoin: None,
            mandate: None,
            assets: vec![coin],
            port: None,
            mail: None,
            origins: Vec::new(),
        }
    }
}

/// An asset and how people write its amounts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asset {
    /// CAIP-19.
    pub(crate) id: AssetId,
    /// How many digits stand behind the point.
    pub(crate) decimals: u8,
}

/// `CONTRACT` or `CONTRACT:DECIMALS`.
fn token(chain: u64, text: &str) -> Result<Asset, Failure> {
    let (contract, decimals) = text.split_once(':').unwrap_or((text, "18"));
    let decimals = decimals.parse().ok().filter(|decimals| *decimals <= 30);
    let id: Result<AssetId, CaipError> = format!("eip155:{chain}/erc20:{contract}").parse();
    let wrong = |why: &dyn core::fmt::Display| {
        Failure::usage(
            format!("{text} is no token: {why}"),
            "write 0xCONTRACT, or 0xCONTRACT:6 for one with six decimals",
        )
    };
    Ok(Asset {
        id: id.map_err(|error| wrong(&error))?,
        decimals: decimals.ok_or_else(|| wrong(&"decimals are a number up to 30"))?,
    })
}
