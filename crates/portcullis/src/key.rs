//! `portcullis key`: makes key files and shows what is public of them.

use crate::attest::AttestArgs;
use crate::failure::Failure;
use crate::keyring::{KeyPaths, purpose};
use crate::out::{json, say};
use clap::{Args, Subcommand, ValueEnum};
use portcullis_chains::ChainId;
use portcullis_chains::caip::{Address, BitcoinAddress};
use portcullis_contact::SealingSecret;
use portcullis_core::factor::NewFactor;
use portcullis_core::genesis::{CoinKey, Compressed, XOnly};
use portcullis_core::signature::PublicKey;
use portcullis_keys::{CoinKey as _, Cost, KeyFile, Kind, Name, StatementKey as _, WalletKey as _};
use portcullis_tlog::{KeyName, LogKey, WitnessKey};
use serde_json::{Map, Value, json as value};
use std::path::PathBuf;

/// Make a key file, add a key to one, or show what is public of it
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key, in a new file or in one that is there
    New {
        #[command(flatten)]
        file: FileArgs,
        /// The key's name in the file
        #[arg(long, default_value = "request")]
        name: String,
        /// What it signs with
        #[arg(long, value_enum, default_value = "ed25519")]
        kind: KindArg,
    },
    /// Show the public halves, as a genesis draft or an act names them
    Show {
        #[command(flatten)]
        file: FileArgs,
        /// Also the vkey under this name: that of a log for the key "log" (NAME is its origin), that
        /// of a witness for the key "witness"; likewise for their successors ("log-2")
        #[arg(long, value_name = "NAME")]
        vkey: Option<String>,
        /// The chain of the wallets' addresses, in CAIP-2
        #[arg(long, value_name = "CHAIN", default_value = "eip155:1")]
        chain: ChainId,
    },
    /// Attest an act with a key of the file
    #[command(verbatim_doc_comment)]
    Attest {
        #[command(flatten)]
        file: FileArgs,
        #[command(flatten)]
        attest: AttestArgs,
    },
}

#[derive(Debug, Args)]
struct FileArgs {
    /// The key file
    file: PathBuf,
    /// A file with its passphrase (/dev/stdin is one); FILE.passphrase beside it otherwise
    #[arg(long, value_name = "FILE")]
    passphrase: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindArg {
    Ed25519,
    P256,
    Secp256k1,
    /// Spends outputs on chains of bip122
    Coin,
    /// Opens what is sealed to a herald; signs nothing
    Secret,
}

impl From<KindArg> for Kind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Ed25519 => Self::Ed25519,
            KindArg::P256 => Self::P256,
            KindArg::Secp256k1 => Self::Secp256k1,
            KindArg::Coin => Self::Coin,
            KindArg::Secret => Self::Secret,
        }
    }
}

impl KeyArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::New { file, name, kind } => new(&file, &name, kind.into()),
            Command::Show { file, vkey, chain } => show(&file, vkey.as_deref(), chain),
            Command::Attest { file, attest } => attest.run(&file.paths()),
        }
    }
}

impl FileArgs {
    fn paths(&self) -> KeyPaths {
        let mut paths = KeyPaths::of(self.file.clone());
        if let Some(passphrase) = &self.passphrase {
            paths.passphrase.clone_from(passphrase);
        }
        paths
    }
}

fn new(file: &FileArgs, name: &str, kind: Kind) -> Result<(), Failure> {
    let (paths, name) = (file.paths(), name.parse::<Name>()?);
    let mut keys = if paths.file.exists() {
        paths.open()?
    } else {
        KeyFile::create(&paths.file, &paths.read_passphrase()?, Cost::PRODUCTION)?
    };
    keys.generate(kind, name.clone())?;
    say(json(&public(&keys, &name, kind, MAINNET)?));
    Ok(())
}

/// Where wallets' addresses are taken to be unless somebody says otherwise.
const MAINNET: ChainId = ChainId::Evm { chain: 1 };

fn show(file: &FileArgs, vkey: Option<&str>, chain: ChainId) -> Result<(), Failure> {
    let keys = file.paths().open()?;
    let each = keys.keys().map(|(name, kind)| {
        let mut shown = public(&keys, name, kind, chain)?;
        let vkey = vkey
            .map(|as_name| vkey_of(&keys, name, as_name))
            .transpose()?;
        if let Some((what, vkey)) = vkey.flatten() {
            shown[what] = vkey.into();
        }
        Ok(shown)
    });
    let each = each.collect::<Result<Vec<_>, Failure>>()?;
    let has_vkey = |shown: &Value| {
        shown
            .get("log_vkey")
            .or(shown.get("witness_vkey"))
            .is_some()
    };
    if vkey.is_some() && !each.iter().any(has_vkey) {
        return Err(Failure::usage(
            "no Ed25519 key here is named log or witness, or log-… or witness-…, so there is no vkey to show",
            "make one with: portcullis key new FILE --name log (or --name witness)",
        ));
    }
    say(json(&each));
    Ok(())
}

/// The vkey of a log's or a witness' key, by what the key is named: one taken for the other would
/// make a genesis that nobody can use.
fn vkey_of(
    keys: &KeyFile,
    name: &Name,
    as_name: &str,
) -> Result<Option<(&'static str, String)>, Failure> {
    let named = name.to_string();
    let is_for = |purpose: &str| is_or_follows(&named, purpose);
    if !is_for(purpose::LOG) && !is_for(purpose::WITNESS) {
        return Ok(None);
    }
    let PublicKey::Ed25519(key) = keys.statement(name)?.public_key().clone() else {
        return Ok(None);
    };
    let (as_name, key) = (
        KeyName::new(as_name).map_err(|error| Failure::usage(error, ""))?,
        *key.as_bytes(),
    );
    Ok(Some(if is_for(purpose::LOG) {
        ("log_vkey", LogKey::new(as_name, key).to_string())
    } else {
        ("witness_vkey", WitnessKey::new(as_name, key).to_string())
    }))
}

/// A key of this purpose, or its successor: `log`, and then `log-2`.
fn is_or_follows(name: &str, purpose: &str) -> bool {
    let rest = name.strip_prefix(purpose);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Both ways in which a key can lock outputs, as a genesis draft names them, and what pays to it.
fn show_coin(
    mut shown: Map<String, Value>,
    point: &[u8; 33],
    chain: ChainId,
) -> Result<Value, Failure> {
    let [_, x @ ..] = *point;
    let both = [
        ("p2wpkh", CoinKey::P2wpkh(Compressed(*point))),
        ("p2tr", CoinKey::P2tr(XOnly(x))),
    ];
    for (name, key) in both {
        let mut way = json_map(&key);
        if let ChainId::Bitcoin(chain) = chain {
            let owned = key.owned().map_err(|error| Failure::usage(error, ""))?;
            let address = Address::Bitcoin(BitcoinAddress::new(chain, owned.lock()));
            way.insert("address".into(), value!(address));
        }
        shown.insert(name.into(), way.into());
    }
    Ok(shown.into())
}

/// The key as a member of its own.
fn json_map(key: &CoinKey) -> Map<String, Value> {
    Map::from_iter([("key".to_owned(), value!(key))])
}

fn public(keys: &KeyFile, name: &Name, kind: Kind, chain: ChainId) -> Result<Value, Failure> {
    let mut shown = Map::new();
    shown.insert("name".into(), name.to_string().into());
    shown.insert("kind".into(), kind.to_string().into());
    if kind == Kind::Secp256k1 {
        let address = keys.wallet(name)?.address();
        let chain = chain.evm().ok_or_else(|| {
            Failure::usage(
                "a key of this kind has an address on chains of eip155 only",
                "",
            )
        })?;
        shown.insert("address".into(), value!(Address::Evm { chain, address }));
        return Ok(shown.into());
    }
    if kind == Kind::Coin {
        return show_coin(shown, &keys.coin(name)?.public_key(), chain);
    }
    if kind == Kind::Secret {
        let secret = SealingSecret::new(&*keys.secret(name)?);
        let secret = secret.map_err(|error| Failure::usage(error, ""))?;
        shown.insert("sealing".into(), value!(secret.public()));
        return Ok(shown.into());
    }
    let key = keys.statement(name)?.public_key().clone();
    shown.insert("key".into(), value!(key));
    // Any other key would be enrolled in vain, or as something that it is not.
    if name.to_string() == purpose::REQUEST {
        let factor = NewFactor::RequestKey { key };
        shown.insert("factor".into(), value!(factor));
        shown.insert("factor_id".into(), value!(factor.id()));
    }
    Ok(shown.into())
}
