//! Names on chains with Bitcoin's transactions: `bip122` of CAIP-2.

use core::fmt;
use core::str::FromStr;

use bitcoin::address::{AddressData, NetworkUnchecked};
use bitcoin::{Network, WitnessVersion};

use super::{CaipError, text};
use crate::bitcoin::Lock;

/// A chain with Bitcoin's transactions, named by the first 32 hexadecimal digits of its first
/// block's hash: `bip122:…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BitcoinChain {
    /// The chain whose coins have a price.
    Mainnet,
    /// The third test network.
    Testnet3,
    /// The fourth test network (BIP 94).
    Testnet4,
    /// The default signed test network (BIP 325).
    Signet,
    /// A chain of one's own, for tests.
    Regtest,
}

/// All chains and their references under CAIP-2.
const REFERENCES: [(BitcoinChain, &str); 5] = [
    (BitcoinChain::Mainnet, "000000000019d6689c085ae165831e93"),
    (BitcoinChain::Testnet3, "000000000933ea01ad0ee984209779ba"),
    (BitcoinChain::Testnet4, "00000000da84f2bafbbc53dee25a72ae"),
    (BitcoinChain::Signet, "00000008819873e925422c1ff0f99f7c"),
    (BitcoinChain::Regtest, "0f9188f13cb7b2c71f2a335e3a4fc328"),
];

impl BitcoinChain {
    fn reference(self) -> &'static str {
        let known = REFERENCES.iter().find(|(chain, _)| *chain == self);
        known.map_or("", |(_, reference)| reference)
    }

    /// The network in the address library's words; the test networks share their addresses.
    const fn network(self) -> Network {
        match self {
            Self::Mainnet => Network::Bitcoin,
            Self::Testnet3 => Network::Testnet,
            Self::Testnet4 => Network::Testnet4,
            Self::Signet => Network::Signet,
            Self::Regtest => Network::Regtest,
        }
    }
}

impl FromStr for BitcoinChain {
    type Err = CaipError;

    fn from_str(text: &str) -> Result<Self, CaipError> {
        let reference = text::capped(text)?.strip_prefix("bip122:");
        let known = REFERENCES
            .iter()
            .find(|(_, known)| Some(*known) == reference);
        known.map(|(chain, _)| *chain).ok_or(CaipError::Bip122)
    }
}

impl fmt::Display for BitcoinChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bip122:{}", self.reference())
    }
}

text::on_the_wire!(
    BitcoinChain,
    "a chain as in CAIP-2, for example bip122:000000000019d6689c085ae165831e93"
);

/// The coin of such a chain; `…/slip44:0` whatever the chain is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BitcoinAsset {
    /// The chain on which it lives.
    pub chain: BitcoinChain,
}

impl FromStr for BitcoinAsset {
    type Err = CaipError;

    fn from_str(text: &str) -> Result<Self, CaipError> {
        let (chain, asset) = text::capped(text)?
            .split_once('/')
            .ok_or(CaipError::Form("CHAIN/NAMESPACE:REFERENCE"))?;
        let chain = chain.parse()?;
        match asset {
            "slip44:0" => Ok(Self { chain }),
            _ => Err(CaipError::BitcoinAsset),
        }
    }
}

impl fmt::Display for BitcoinAsset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/slip44:0", self.chain)
    }
}

text::on_the_wire!(
    BitcoinAsset,
    "an asset as in CAIP-19, for example bip122:000000000019d6689c085ae165831e93/slip44:0"
);

/// An address on such a chain, named as in CAIP-10; `bip122:…:bc1…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BitcoinAddress {
    chain: BitcoinChain,
    lock: Lock,
}

impl BitcoinAddress {
    /// The address that names a lock on a chain.
    #[must_use]
    pub const fn new(chain: BitcoinChain, lock: Lock) -> Self {
        Self { chain, lock }
    }

    /// The chain on which it is meant.
    #[must_use]
    pub const fn chain(&self) -> BitcoinChain {
        self.chain
    }

    /// What an output to it demands of whoever spends it.
    #[must_use]
    pub const fn lock(&self) -> Lock {
        self.lock
    }

    /// The address alone, as wallets show it.
    #[must_use]
    pub fn bare(&self) -> String {
        // Every lock has an address: the five kinds are those that addresses are of.
        bitcoin::Address::from_script(&self.lock.script(), self.chain.network())
            .map(|address| address.to_string())
            .unwrap_or_default()
    }
}

impl FromStr for BitcoinAddress {
    type Err = CaipError;

    fn from_str(text: &str) -> Result<Self, CaipError> {
        let (chain, address) = text::capped(text)?
            .rsplit_once(':')
            .ok_or(CaipError::Form("NAMESPACE:REFERENCE:ADDRESS"))?;
        let chain = chain.parse()?;
        let lock = lock(address, chain)?;
        Ok(Self { chain, lock })
    }
}

impl fmt::Display for BitcoinAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.chain, self.bare())
    }
}

text::on_the_wire!(
    BitcoinAddress,
    "an address as in CAIP-10, for example bip122:000000000019d6689c085ae165831e93:bc1…"
);

/// Reads an address: base58 with its checksum, bech32 (BIP 173) for version 0 and bech32m (BIP 350)
/// for taproot, either wholly in lower or wholly in upper case.
fn lock(text: &str, chain: BitcoinChain) -> Result<Lock, CaipError> {
    let address: bitcoin::Address<NetworkUnchecked> =
        text.parse().map_err(|_| CaipError::BitcoinAddress)?;
    let address = address
        .require_network(chain.network())
        .map_err(|_| CaipError::OtherNetwork)?;
    match address.to_address_data() {
        AddressData::P2pkh { pubkey_hash } => Ok(Lock::P2pkh(*pubkey_hash.as_ref())),
        AddressData::P2sh { script_hash } => Ok(Lock::P2sh(*script_hash.as_ref())),
        AddressData::Segwit { witness_program } => {
            let program = witness_program.program().as_bytes();
            segwit(witness_program.version(), program).ok_or(CaipError::WitnessVersion)
        }
        _ => Err(CaipError::BitcoinAddress),
    }
}

/// The lock of a witness program, if its meaning is known: a coin sent to a version that is not in
/// use anybody may take.
fn segwit(version: WitnessVersion, program: &[u8]) -> Option<Lock> {
    match version {
        WitnessVersion::V0 => program.try_into().map(Lock::P2wpkh).ok().or_else(|| {
            let hash = program.try_into().ok()?;
            Some(Lock::P2wsh(hash))
        }),
        WitnessVersion::V1 => program.try_into().map(Lock::P2tr).ok(),
        _ => None,
    }
}
