//! Whom a command speaks to, and as whom: `client.toml`, or the same on the command line.

use crate::failure::Failure;
use crate::files;
use crate::folder::Folder;
use crate::keyring::{KeyPaths, purpose};
use clap::Args;
use portcullis_chains::{AssetId, ChainId};
use portcullis_client::{Board, DevelopmentPasskey, Gate, Issuer, Machine, RequestSigner};
use portcullis_core::genesis::IssuerKind;
use portcullis_core::id::{AccountId, BoardId, PrincipalId, SubjectId};
use portcullis_core::passkey::RelyingParty;
use portcullis_core::realm::Realm;
use portcullis_core::signature::Strict;
use portcullis_core::{Digest, Network};
use portcullis_host::{Dir, FileClock};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which network.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct ReachArgs {
    /// Folder with client.toml, which says all of the following
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,
    /// The signed genesis, instead of client.toml's
    #[arg(long, value_name = "FILE", requires = "digest")]
    pub(crate) genesis: Option<PathBuf>,
    /// Its digest, as you have it from somebody you trust
    #[arg(long, value_name = "HEX")]
    pub(crate) digest: Option<Digest>,
    /// Where the gate answers: http://HOST:PORT
    #[arg(long, value_name = "URL")]
    pub(crate) gate: Option<String>,
    /// Where stop boards answer, each as ID=URL
    #[arg(long, value_name = "ID=URL", value_delimiter = ',', value_parser = board)]
    pub(crate) boards: Vec<(BoardId, String)>,
    /// A file that moves time; a development genesis only
    #[arg(long, value_name = "FILE")]
    pub(crate) test_clock: Option<PathBuf>,
}

fn board(text: &str) -> Result<(BoardId, String), String> {
    let (id, url) = text.split_once('=').ok_or("expected ID=URL")?;
    let id = id.parse().map_err(|error| format!("{id}: {error}"))?;
    Ok((id, url.to_owned()))
}

/// `client.toml`. Paths are relative to its folder.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientConfig {
    genesis: PathBuf,
    genesis_digest: Digest,
    gate: String,
    #[serde(default)]
    boards: BTreeMap<BoardId, String>,
    /// Where key files are found by name.
    #[serde(default = "default_keys")]
    keys: PathBuf,
    /// How many digits after the point people write of an asset. Only for showing.
    #[serde(default)]
    decimals: BTreeMap<AssetId, u8>,
    /// Nodes that `doctor` and `demo` ask.
    #[serde(default)]
    nodes: BTreeMap<ChainId, String>,
    /// A file that moves time; development only.
    #[serde(default)]
    test_clock: Option<PathBuf>,
}

fn default_keys() -> PathBuf {
    Folder::KEYS.into()
}

impl ClientConfig {
    fn read(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(Folder::CLIENT);
        if !path.exists() {
            return Err(Failure::usage(
                format!("there is no {}", path.display()),
                "say which network: --dir DIR for a folder with client.toml in it, or --genesis, \
                 --digest and --gate",
            ));
        }
        let text = files::read_text(&path)?;
        let mut config = Self::parse(&text, &path)?;
        let paths = [&mut config.genesis, &mut config.keys];
        for path in paths.into_iter().chain(config.test_clock.as_mut()) {
            *path = folder.join(&*path);
        }
        Ok(config)
    }

    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, Failure> {
        toml::from_str(text).map_err(|error| {
            Failure::usage(
                format!("{}: {error}", path.display()),
                "docs/guide/integrate.md explains every line",
            )
        })
    }
}

/// A network that can be spoken to.
pub(crate) struct Reach {
    pub(crate) network: Arc<Network>,
    pub(crate) gate: Gate,
    pub(crate) boards: Vec<Board>,
    pub(crate) decimals: BTreeMap<AssetId, u8>,
    pub(crate) nodes: BTreeMap<ChainId, String>,
    pub(crate) machine: Machine,
    /// The network's folder, where what was seen is kept.
    pub(crate) folder: PathBuf,
    /// What was said to reach this network, as a command that is shown to somebody repeats it.
    pub(crate) flags: String,
    keys: PathBuf,
}

impl ReachArgs {
    /// All as a folder's client.toml says.
    pub(crate) fn folder(dir: &Path, test_clock: Option<&Path>) -> Self {
        Self {
            test_clock: test_clock.map(Path::to_owned),
            dir: dir.to_owned(),
            genesis: None,
            digest: None,
            gate: None,
            boards: Vec::new(),
        }
    }

    /// Read what is named and check the genesis against its pinned digest.
    pub(crate) fn open(&self) -> Result<Reach, Failure> {
        let config = self.config()?;
        let genesis = files::read(&config.genesis)?;
        let network = Network::open(&genesis, config.genesis_digest, &Strict)?;
        let mut machine = Machine::real();
        if let Some(path) = config.test_clock {
            files::check_test_clock(&path)?;
            machine.clock = Arc::new(FileClock::new(path, network.genesis().mode)?);
        }
        let gate = Gate::new(config.gate.parse()?, machine.clone());
        let boards = config.boards.into_iter().map(|(id, url)| {
            let at = url.parse()?;
            Ok(Board::new(id, at, machine.clone()))
        });
        Ok(Reach {
            boards: boards.collect::<Result<_, Failure>>()?,
            network: Arc::new(network),
            gate,
            decimals: config.decimals,
            nodes: config.nodes,
            machine,
            folder: self.dir.clone(),
            flags: self.flags(),
            keys: config.keys,
        })
    }

    fn flags(&self) -> String {
        let path = |flag: &str, path: &Path| format!(" {flag} {}", path.display());
        let dir = (self.dir != Path::new(".")).then(|| path("--dir", &self.dir));
        let genesis = self.genesis.as_ref().map(|file| path("--genesis", file));
        let digest = self.digest.map(|digest| format!(" --digest {digest}"));
        let gate = self.gate.as_ref().map(|gate| format!(" --gate {gate}"));
        let boards = self.boards.iter();
        let boards = boards.map(|(id, url)| format!(" --boards {id}={url}"));
        let clock = self
            .test_clock
            .as_ref()
            .map(|file| path("--test-clock", file));
        let named = [dir, genesis, digest, gate, clock].into_iter().flatten();
        named.chain(boards).collect()
    }

    fn config(&self) -> Result<ClientConfig, Failure> {
        let mut config = match (&self.genesis, self.digest) {
            (Some(genesis), Some(digest)) => self.bare(genesis, digest)?,
            _ => ClientConfig::read(&self.dir)?,
        };
        if let Some(digest) = self.digest {
            config.genesis_digest = digest;
        }
        if let Some(gate) = &self.gate {
            config.gate.clone_from(gate);
        }
        config.boards.extend(self.boards.iter().cloned());
        if self.test_clock.is_some() {
            config.test_clock.clone_from(&self.test_clock);
        }
        Ok(config)
    }

    fn bare(&self, genesis: &Path, digest: Digest) -> Result<ClientConfig, Failure> {
        let gate = self.gate.clone().ok_or_else(|| {
            Failure::usage(
                "no gate is named",
                "add --gate URL, or --dir with client.toml in it",
            )
        })?;
        Ok(ClientConfig {
            genesis: genesis.to_owned(),
            genesis_digest: digest,
            gate,
            boards: BTreeMap::new(),
            keys: self.dir.join(Folder::KEYS),
            decimals: BTreeMap::new(),
            nodes: BTreeMap::new(),
            test_clock: None,
        })
    }
}

/// As whom.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Signing")]
pub(crate) struct CallerArgs {
    /// Sign with this name's key file in the network's folder
    #[arg(long = "as", value_name = "NAME", conflicts_with = "key")]
    pub(crate) name: Option<String>,
    /// Sign with this key file
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// The key file's passphrase, in a file; FILE.passphrase beside it otherwise
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase: Option<PathBuf>,
    /// Whose key it is, where genesis does not name it
    #[arg(long, value_name = "ID")]
    pub(crate) principal: Option<PrincipalId>,
}

/// A member of staff, or a service, with its request key.
pub(crate) struct Caller {
    pub(crate) signer: RequestSigner,
    pub(crate) principal: PrincipalId,
}

impl CallerArgs {
    /// The key file of this name in the network's folder.
    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            key: None,
            passphrase: None,
            principal: None,
        }
    }

    /// As `name` unless something else was said.
    pub(crate) fn or_as(&self, name: &str) -> Self {
        let mut args = self.clone();
        if args.key.is_none() && args.name.is_none() {
            args.name = Some(name.to_owned());
        }
        args
    }

    /// The caller; none where nobody was named.
    pub(crate) fn open(&self, reach: &Reach) -> Result<Option<Caller>, Failure> {
        let mut paths = match (&self.key, &self.name) {
            (Some(file), _) => KeyPaths::of(file.clone()),
            (None, Some(name)) => reach.key_paths(name),
            (None, None) => return Ok(None),
        };
        if let Some(passphrase) = &self.passphrase {
            paths.passphrase.clone_from(passphrase);
        }
        let signer = RequestSigner::new(paths.statement(purpose::REQUEST)?);
        let principal = self.principal.or_else(|| reach.principal_of(&signer));
        let principal = principal.ok_or_else(|| {
            let what = format!(
                "genesis names nobody with the key in {}",
                paths.file.display()
            );
            Failure::usage(
                what,
                "if it was enrolled later, say whose it is with --principal",
            )
        })?;
        Ok(Some(Caller { signer, principal }))
    }

    /// The caller, who has to be named.
    pub(crate) fn required(&self, reach: &Reach) -> Result<Caller, Failure> {
        let nobody = || Failure::usage("nobody is named who asks", "add --as NAME or --key FILE");
        self.open(reach)?.ok_or_else(nobody)
    }
}

impl Reach {
    pub(crate) fn key_paths(&self, name: &str) -> KeyPaths {
        KeyPaths::named(&self.keys, name)
    }

    fn principal_of(&self, signer: &RequestSigner) -> Option<PrincipalId> {
        let genesis = self.network.genesis();
        let factor = signer.factor();
        let members = genesis.administrators.iter().chain(&genesis.staff);
        let member = members
            .clone()
            .find(|member| member.factors.contains(&factor));
        let keeper = genesis
            .keepers
            .iter()
            .find(|keeper| Some(&keeper.key) == factor.key());
        let keeper = keeper.map(|keeper| PrincipalId(keeper.id.0));
        member.map(|member| member.principal).or(keeper)
    }

    /// The issuer whose key stands under a name.
    pub(crate) fn issuer(&self, name: &str, kind: IssuerKind) -> Result<Issuer, Failure> {
        let key = self.key_paths(name).statement(purpose::ISSUER)?;
        let issuers = &self.network.genesis().issuers;
        let known = issuers
            .iter()
            .find(|i| i.kind == kind && i.key == *key.public_key());
        let id = known.map(|issuer| issuer.id).ok_or_else(|| {
            let what = format!("genesis names no {kind:?} issuer with the key {name}");
            Failure::usage(what, "name the issuer's own key file")
        })?;
        Ok(Issuer::new(id, key))
    }

    /// The customers' relying party.
    pub(crate) fn party(&self) -> Result<&RelyingParty, Failure> {
        let none = || Failure::usage("genesis names no relying party for customers", "");
        self.network
            .relying_party(Realm::Customers)
            .ok_or_else(none)
    }

    /// A development customer by name.
    pub(crate) fn customer(&self, name: &str) -> Result<Customer, Failure> {
        let path = self.keys.join(format!("{name}.toml"));
        let text = files::read_text(&path)?;
        let ids: CustomerIds = toml::from_str(&text)
            .map_err(|error| Failure::usage(format!("{}: {error}", path.display()), ""))?;
        let key = self.key_paths(name).statement(purpose::PASSKEY)?;
        let disk = Arc::new(Dir::open(&self.keys)?);
        let mode = self.network.genesis().mode;
        let passkey = DevelopmentPasskey::open(key, mode, disk, format!("{name}.counter"))?;
        Ok(Customer { ids, passkey })
    }
}

/// A development customer: `NAME.toml` beside the key file.
pub(crate) struct Customer {
    pub(crate) ids: CustomerIds,
    pub(crate) passkey: DevelopmentPasskey,
}

/// Its ids.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CustomerIds {
    /// Its account.
    pub(crate) account: AccountId,
    /// Who it is.
    pub(crate) principal: PrincipalId,
    /// Whose the account is.
    pub(crate) subject: SubjectId,
}
