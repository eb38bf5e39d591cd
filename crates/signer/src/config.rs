//! The signer's own configuration: what no journal entry can change.

use portcullis_chains::bitcoin::FeeRate;
use portcullis_chains::{Amount, AssetId, ChainId};
use portcullis_core::Digest;
use portcullis_core::factor::FactorKind;
use portcullis_core::id::{BoardId, KeeperId, WalletId};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Most bytes of a configuration file.
const MAX_CONFIG: u64 = 256 * 1024;

/// The file as it stands. `docs/guide/signer.md` explains every line.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The signed genesis.
    pub genesis: PathBuf,
    /// Its digest, pinned by hand.
    pub genesis_digest: Digest,
    /// Which keeper of the genesis this is.
    pub keeper: KeeperId,
    /// Where the gate answers.
    pub gate: String,
    /// The signer's own folder: once-only record, snapshots, latches, alarms.
    pub data: PathBuf,
    /// Where each stop board of the genesis answers.
    pub boards: BTreeMap<BoardId, String>,
    /// The keys.
    pub keys: Keys,
    /// The chains that it signs for; none where it gives mandates.
    #[serde(default)]
    pub chains: Vec<Chain>,
    /// Hard caps; an asset without one is not signed.
    pub caps: Vec<AssetCap>,
    /// What it demands of evidence beyond the policy.
    #[serde(default)]
    pub floors: Floors,
    /// Where alarms go beside the signer's own log.
    #[serde(default)]
    pub alarms: AlarmsTo,
    /// A file that moves time, for a development genesis only.
    #[serde(default)]
    pub test_clock: Option<PathBuf>,
}

/// Where the keys are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The encrypted key file.
    pub file: PathBuf,
    /// The file that holds its passphrase.
    pub passphrase_file: PathBuf,
    /// The name of the statement key.
    pub statement: String,
    /// The name of the one that a rotation puts in its place: used from the entry on by which it does.
    #[serde(default)]
    pub successor: Option<String>,
    /// The name of each wallet's key; none where the signer gives mandates.
    #[serde(default)]
    pub wallets: BTreeMap<WalletId, String>,
    /// The names of each wallet's keys on chains of bip122: every one that genesis names for it.
    #[serde(default)]
    pub coins: BTreeMap<WalletId, Vec<String>>,
}

/// A chain, its node, and the most that a transaction there may cost.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// CAIP-2.
    pub id: ChainId,
    /// The signer's own node.
    pub node: String,
    /// Blocks on a transaction, its own counted, before it is stated as confirmed.
    pub confirmations: u64,
    /// The most that one transaction may cost beside its amount, in the chain's base unit.
    pub max_fee: Amount,
    /// The most that a unit of gas may cost, in the chain's base unit; on chains of eip155 only.
    #[serde(default)]
    pub max_fee_per_gas: Amount,
    /// The most that a transaction may pay for its size; on chains of bip122 only.
    #[serde(default, rename = "max_fee_per_kvb", deserialize_with = "fee_rate")]
    pub max_fee_rate: Option<FeeRate>,
    /// The file that lets the signer in to its node, the node's own cookie or a line USER:PASSWORD; on chains of
    /// bip122 only.
    #[serde(default)]
    pub credentials: Option<PathBuf>,
}

/// In satoshis per 1,000 virtual bytes.
fn fee_rate<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<FeeRate>, D::Error> {
    let sats = u64::deserialize(from)?;
    let rate = FeeRate::per_1000_virtual_bytes(sats);
    rate.map(Some).map_err(serde::de::Error::custom)
}

impl Chain {
    /// What is missing or too much for a chain of its kind.
    fn fault(&self) -> Option<&'static str> {
        let is_capped = !self.max_fee_per_gas.is_zero();
        let of_coins = (self.max_fee_rate.is_some(), self.credentials.is_some());
        match (self.id, is_capped, of_coins) {
            (ChainId::Bitcoin(_), false, (true, true)) => None,
            (ChainId::Bitcoin(_), ..) => {
                Some("takes credentials and max_fee_per_kvb, and no max_fee_per_gas")
            }
            (_, true, (false, false)) => None,
            _ => Some("takes max_fee_per_gas, and neither credentials nor max_fee_per_kvb"),
        }
    }
}

/// A hard cap.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetCap {
    /// CAIP-19.
    pub asset: AssetId,
    /// The largest single release, in base units.
    pub per_transaction: Amount,
    /// The most within any 24 hours.
    pub day: Amount,
}

/// The least evidence that is signed on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Floors {
    /// The weakest factor that a withdrawal may be proven with.
    pub factor: FactorKind,
    /// How long an address must have stood in the account's book, in seconds.
    pub address_age_seconds: u64,
    /// First factors of accounts that begin to count within any 24 hours.
    pub first_enrolments_per_day: u32,
    /// Factors enrolled on onboarding's word after an epoch that begin to count within 24 hours.
    pub re_enrolments_per_day: u32,
}

impl Default for Floors {
    fn default() -> Self {
        Self {
            factor: FactorKind::Passkey,
            address_age_seconds: 0,
            first_enrolments_per_day: 1000,
            re_enrolments_per_day: 100,
        }
    }
}

/// Where alarms go.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlarmsTo {
    /// A webhook (Standard Webhooks); none where absent.
    pub webhook: Option<String>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file.
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, std::io::Error),
    /// Larger than any configuration.
    #[error("{0} is larger than 256 KiB: is it the configuration?")]
    TooLarge(PathBuf),
    /// Its text.
    #[error("{0}: {1}")]
    Toml(PathBuf, Box<toml::de::Error>),
    /// Nothing would ever be known to have arrived.
    #[error("{0}: confirmations of {1} is 0; a transaction's own block is the first")]
    NoConfirmations(PathBuf, ChainId),
    /// What caps the fees of one kind of chain says nothing on the other.
    #[error("{0}: [[chains]] of {1} {2}")]
    Chain(PathBuf, ChainId, &'static str),
}

impl Config {
    /// Read a file. Paths in it are relative to its own folder.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let failed = |error| ConfigError::Read(path.to_owned(), error);
        if std::fs::metadata(path).map_err(failed)?.len() > MAX_CONFIG {
            return Err(ConfigError::TooLarge(path.to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        let wrong = |error| ConfigError::Toml(path.to_owned(), Box::new(error));
        let mut config: Self = toml::from_str(&text).map_err(wrong)?;
        config.resolve(path.parent().unwrap_or(Path::new("")));
        config.trim_urls();
        for chain in &config.chains {
            if chain.confirmations == 0 {
                return Err(ConfigError::NoConfirmations(path.to_owned(), chain.id));
            }
            if let Some(fault) = chain.fault() {
                return Err(ConfigError::Chain(path.to_owned(), chain.id, fault));
            }
        }
        Ok(config)
    }

    fn resolve(&mut self, folder: &Path) {
        let clock = self.test_clock.as_mut();
        let keys = &mut self.keys;
        let paths = [
            &mut self.genesis,
            &mut self.data,
            &mut keys.file,
            &mut keys.passphrase_file,
        ];
        let chains = self.chains.iter_mut();
        let credentials = chains.filter_map(|chain| chain.credentials.as_mut());
        for path in paths.into_iter().chain(clock).chain(credentials) {
            *path = folder.join(&path);
        }
    }

    /// Paths are put behind these; one slash between is enough.
    fn trim_urls(&mut self) {
        for url in self.boards.values_mut().chain([&mut self.gate]) {
            url.truncate(url.trim_end_matches('/').len());
        }
    }

    /// The chain's part of the configuration.
    #[must_use]
    pub fn chain(&self, id: ChainId) -> Option<&Chain> {
        self.chains.iter().find(|chain| chain.id == id)
    }

    /// The asset's cap.
    #[must_use]
    pub fn cap(&self, asset: AssetId) -> Option<&AssetCap> {
        self.caps.iter().find(|cap| cap.asset == asset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// The example in the guide, as somebody copies it.
    fn example() -> String {
        let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/signer.md");
        let guide = fs::read_to_string(guide).unwrap();
        let (_, after) = guide.split_once("```toml\n").unwrap();
        after.split_once("```").unwrap().0.to_owned()
    }

    fn load(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signer.toml");
        fs::write(&path, text).unwrap();
        Config::load(&path)
    }

    #[test]
    fn the_guides_example_is_a_configuration() {
        let config = load(&example()).unwrap();
        assert!(config.genesis.is_absolute(), "beside the file");
        assert_eq!(
            config.keys.passphrase_file,
            Path::new("/run/credentials/signer-passphrase")
        );
        assert_eq!(config.floors.address_age_seconds, 86_400);
        assert!(config.cap(AssetId::EvmNative { chain: 1 }).is_some());
        assert!(config.cap(AssetId::EvmNative { chain: 2 }).is_none());
    }

    #[test]
    fn a_misspelt_field_is_refused() {
        for (right, wrong) in [
            ("gate =", "gates ="),
            ("per_transaction", "per_transactions"),
            ("address_age_seconds", "address_age"),
            ("max_fee =", "max_fees ="),
        ] {
            assert!(load(&example().replace(right, wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_nobody_has_confirmed_is_not_confirmed() {
        let none = example().replace("confirmations = 12", "confirmations = 0");
        assert!(matches!(load(&none), Err(ConfigError::NoConfirmations(..))));
    }

    #[test]
    fn amounts_are_texts_and_urls_end_without_a_slash() {
        let number = example().replace("\"5000000000000000\"", "5000000000000000");
        assert!(load(&number).is_err());
        let slash = example().replace("gate.internal:7400", "gate.internal:7400/");
        assert_eq!(load(&slash).unwrap().gate, "http://gate.internal:7400");
    }

    #[test]
    fn a_file_that_cannot_be_a_configuration_is_not_parsed() {
        let huge = "#".repeat(300 * 1024);
        assert!(matches!(load(&huge), Err(ConfigError::TooLarge(_))));
    }
}
