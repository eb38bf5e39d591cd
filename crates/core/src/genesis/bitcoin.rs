//! What a wallet on a chain with Bitcoin's transactions spends with.

use super::{Wallet, all_different};
use crate::codec::hex_array;
use crate::time::Span;
use minicbor::{Decode, Encode};
use portcullis_chains::bitcoin::{self as coins, NotAKey, OwnedKey, Sats};
use portcullis_chains::caip::{Address, BitcoinAddress};
use serde::{Deserialize, Serialize};

/// Most keys beside the change key: each lock that may still hold money.
const MAX_KEYS: usize = 15;
/// The longest time for which a withdrawal waits for others.
pub(super) const LONGEST_BATCH: Span = Span::hours(24);

/// The public keys of such a wallet, and how it gathers what it pays. The wallet's address is that of its change key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Bitcoin {
    /// The key whose lock takes the change.
    #[n(0)]
    pub change: CoinKey,
    /// Others that it spends with.
    #[n(1)]
    #[serde(default)]
    pub keys: Vec<CoinKey>,
    /// For how long a withdrawal with nothing else missing waits for others that are paid in the same transaction.
    #[n(2)]
    pub batch: Span,
}

/// A public key, and how it locks outputs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum CoinKey {
    /// P2WPKH (BIP 143) by this key.
    #[n(0)]
    P2wpkh(#[n(0)] Compressed),
    /// P2TR (BIP 341) by its key path, without scripts (BIP 86): by this internal key.
    #[n(1)]
    P2tr(#[n(0)] XOnly),
}

/// A compressed point of secp256k1 (SEC 1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Compressed(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 33]);
hex_array!(Compressed, 33);

/// A point of secp256k1 by its x alone (BIP 340).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct XOnly(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);
hex_array!(XOnly, 32);

impl CoinKey {
    /// The key as plans are checked with it.
    pub fn owned(&self) -> Result<OwnedKey, NotAKey> {
        match self {
            Self::P2wpkh(key) => OwnedKey::p2wpkh(&key.0),
            Self::P2tr(key) => OwnedKey::p2tr(&key.0),
        }
    }
}

impl Bitcoin {
    pub(super) fn is_sound(&self, wallet: &Wallet) -> bool {
        let Some(Ok(spends)) = self.spends(wallet) else {
            return false;
        };
        let own = Address::Bitcoin(BitcoinAddress::new(spends.chain(), spends.change()));
        let all = self.keys.iter().copied().chain([self.change]);
        own == wallet.address
            && self.keys.len() <= MAX_KEYS
            && all_different(all)
            && self.batch <= LONGEST_BATCH
            && Sats::try_from(wallet.fee_ceiling).is_ok()
    }

    fn spends(&self, wallet: &Wallet) -> Option<Result<coins::Wallet, NotAKey>> {
        let Address::Bitcoin(address) = wallet.address else {
            return None;
        };
        let keys: Result<Vec<OwnedKey>, _> = self.keys.iter().map(CoinKey::owned).collect();
        let both = self.change.owned().and_then(|change| Ok((change, keys?)));
        Some(both.map(|(change, keys)| coins::Wallet::new(address.chain(), change, &keys)))
    }
}

impl Wallet {
    /// What plans of this wallet are checked against, where it is on a chain with Bitcoin's transactions and signs
    /// them itself. Derived from its public keys at each call.
    #[must_use]
    pub fn spends(&self) -> Option<coins::Wallet> {
        self.bitcoin.as_ref()?.spends(self)?.ok()
    }
}
