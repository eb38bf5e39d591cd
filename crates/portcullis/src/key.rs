//! `portcullis key`: makes key files and shows what is public of them.

use crate::failure::Failure;
use crate::keyring::KeyPaths;
use crate::out::{json, say};
use clap::{Args, Subcommand, ValueEnum};
use portcullis_chains::caip::checksummed;
use portcullis_core::factor::NewFactor;
use portcullis_core::signature::PublicKey;
use portcullis_keys::{Cost, KeyFile, Kind, Name, Passphrase, StatementKey as _, WalletKey as _};
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
        /// Also as vkeys under this name (a log's origin, a witness' name)
        #[arg(long, value_name = "NAME")]
        vkey: Option<String>,
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
}

impl From<KindArg> for Kind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Ed25519 => Self::Ed25519,
            KindArg::P256 => Self::P256,
            KindArg::Secp256k1 => Self::Secp256k1,
        }
    }
}

impl KeyArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::New { file, name, kind } => new(&file, &name, kind.into()),
            Command::Show { file, vkey } => show(&file, vkey.as_deref()),
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
        let source = std::fs::File::open(&paths.passphrase).map_err(|error| {
            let what = format!("cannot read {}: {error}", paths.passphrase.display());
            Failure::usage(
                what,
                "write a passphrase of six random words or more there first",
            )
        })?;
        KeyFile::create(&paths.file, &Passphrase::read(source)?, Cost::PRODUCTION)?
    };
    keys.generate(kind, name.clone())?;
    say(json(&public(&keys, &name, kind, None)?));
    Ok(())
}

fn show(file: &FileArgs, vkey: Option<&str>) -> Result<(), Failure> {
    let keys = file.paths().open()?;
    let each = keys
        .keys()
        .map(|(name, kind)| public(&keys, name, kind, vkey));
    say(json(&each.collect::<Result<Vec<_>, _>>()?));
    Ok(())
}

fn public(keys: &KeyFile, name: &Name, kind: Kind, vkey: Option<&str>) -> Result<Value, Failure> {
    let mut shown = Map::new();
    shown.insert("name".into(), name.to_string().into());
    shown.insert("kind".into(), kind.to_string().into());
    if kind == Kind::Secp256k1 {
        let address = checksummed(&keys.wallet(name)?.address());
        shown.insert("address".into(), address.into());
        return Ok(shown.into());
    }
    let key = keys.statement(name)?.public_key().clone();
    let factor = NewFactor::RequestKey { key: key.clone() };
    shown.insert("key".into(), value!(key));
    shown.insert("factor".into(), value!(factor));
    shown.insert("factor_id".into(), value!(factor.id()));
    if let (PublicKey::Ed25519(key), Some(vkey)) = (&key, vkey) {
        let vkey = KeyName::new(vkey).map_err(|error| Failure::usage(error, ""))?;
        let log = LogKey::new(vkey.clone(), *key.as_bytes()).to_string();
        let witness = WitnessKey::new(vkey, *key.as_bytes()).to_string();
        shown.insert("log_vkey".into(), log.into());
        shown.insert("witness_vkey".into(), witness.into());
    }
    Ok(shown.into())
}
