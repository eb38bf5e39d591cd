//! Outputs that the wallet can spend, and what shows that they are what somebody says.

use std::collections::BTreeMap;

use bitcoin::consensus::encode;
use bitcoin::{OutPoint, Script, Transaction, TxOut, Txid};

use super::wallet::Kind;
use super::{Lock, OwnedKey, Sats, TooMuch, Wallet};

/// The largest previous transaction that is looked at, in bytes. None that nodes relay is larger: they
/// stop at 400,000 weight units (`MAX_STANDARD_TX_WEIGHT` of Bitcoin Core), of which a byte has 1 to 4.
pub const MAX_PREVIOUS: usize = 400_000;

/// What a node says is unspent. Every part of it may be a lie.
#[derive(Clone, Copy, Debug)]
pub struct Unspent<'a> {
    /// Which output of which transaction.
    pub outpoint: OutPoint,
    /// The amount that it is said to hold, in satoshis.
    pub amount: u64,
    /// The script that is said to lock it.
    pub script: &'a [u8],
    /// The whole transaction that made it. P2WPKH cannot do without; for P2TR it may be missing.
    pub previous: Option<&'a [u8]>,
}

/// An output that a key of the wallet opens, with an amount that nobody can have lied about to any
/// effect.
///
/// Where the previous transaction is known, its id proves amount and lock. A signature of P2WPKH
/// covers its own input's amount only, so a lie about one of two inputs could have two half-true
/// transactions signed that together pay a fee that nobody saw: hence the proof. A signature of P2TR
/// covers the amounts and scripts of all inputs, so under a lie it is worth nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coin {
    outpoint: OutPoint,
    amount: Sats,
    key: OwnedKey,
    /// Without witnesses, which its id does not cover.
    previous: Option<Transaction>,
}

/// Why an output cannot be spent here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoinError {
    /// Its script is not one that the wallet opens.
    #[error("the output is not the wallet's")]
    Foreign,
    /// P2WPKH without what proves its amount.
    #[error("the whole previous transaction is missing: a P2WPKH output cannot be proven without")]
    NoPrevious,
    /// The previous transaction is longer than [`MAX_PREVIOUS`].
    #[error("the previous transaction is above {MAX_PREVIOUS} bytes")]
    PreviousTooLarge,
    /// The previous transaction does not parse.
    #[error("the previous transaction is malformed")]
    PreviousMalformed,
    /// The previous transaction has another id.
    #[error("the previous transaction is not the one that the input names")]
    OtherPrevious,
    /// The previous transaction has fewer outputs.
    #[error("the previous transaction has no output of that number")]
    NoSuchOutput,
    /// Amount or script are not what the previous transaction says.
    #[error("amount or script of the output are not those of the previous transaction")]
    Lie,
    /// Neither a previous transaction nor a claim.
    #[error("nothing says what the output holds")]
    Unknown,
    /// More than can exist.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
}

impl Coin {
    /// Checks one claim. One that fails says nothing about the others.
    pub fn prove(unspent: &Unspent<'_>, wallet: &Wallet) -> Result<Self, CoinError> {
        let claimed = TxOut {
            value: bitcoin::Amount::from_sat(unspent.amount),
            script_pubkey: Script::from_bytes(unspent.script).into(),
        };
        let previous = unspent.previous.map(parse_previous).transpose()?;
        Self::of(unspent.outpoint, Some(claimed), previous, wallet)
    }

    /// Joins what is said of an output with the transaction that made it.
    pub(super) fn of(
        outpoint: OutPoint,
        claimed: Option<TxOut>,
        previous: Option<Transaction>,
        wallet: &Wallet,
    ) -> Result<Self, CoinError> {
        let proven = previous
            .as_ref()
            .map(|previous| output_of(previous, outpoint))
            .transpose()?;
        let output = match (proven, claimed) {
            (Some(proven), Some(claimed)) if *proven != claimed => return Err(CoinError::Lie),
            (Some(proven), _) => proven.clone(),
            (None, Some(claimed)) => claimed,
            (None, None) => return Err(CoinError::Unknown),
        };
        let coin = Self::claimed(outpoint, Some(output), previous, wallet)?;
        if matches!(coin.key.0, Kind::P2wpkh(_)) && coin.previous.is_none() {
            return Err(CoinError::NoPrevious);
        }
        Ok(coin)
    }

    /// An output as it is said to be, whether anything proves it or not. Only [`super::Claimed`] keeps such
    /// coins, and gives out neither them nor what would have to be signed to spend them.
    pub(super) fn claimed(
        outpoint: OutPoint,
        claimed: Option<TxOut>,
        previous: Option<Transaction>,
        wallet: &Wallet,
    ) -> Result<Self, CoinError> {
        let output = claimed.ok_or(CoinError::Unknown)?;
        let key = *Lock::from_script(&output.script_pubkey)
            .and_then(|lock| wallet.key_of(&lock))
            .ok_or(CoinError::Foreign)?;
        Ok(Self {
            outpoint,
            amount: Sats::new(output.value.to_sat())?,
            key,
            previous,
        })
    }

    /// Which output it is.
    #[must_use]
    pub const fn outpoint(&self) -> OutPoint {
        self.outpoint
    }

    /// What it holds.
    #[must_use]
    pub const fn amount(&self) -> Sats {
        self.amount
    }

    /// The key that opens it.
    #[must_use]
    pub const fn key(&self) -> &OwnedKey {
        &self.key
    }

    /// The output itself.
    pub(super) fn output(&self) -> TxOut {
        TxOut {
            value: bitcoin::Amount::from_sat(self.amount.get()),
            script_pubkey: self.key.lock().script(),
        }
    }

    /// The transaction that made it, where known.
    pub(super) const fn previous(&self) -> Option<&Transaction> {
        self.previous.as_ref()
    }
}

/// Bytes of the transactions that prove these coins, each once and without witnesses.
pub(super) fn proofs(coins: &[Coin]) -> usize {
    let proofs = coins
        .iter()
        .filter_map(|coin| Some((coin.outpoint.txid, coin.previous()?)));
    let once: BTreeMap<Txid, &Transaction> = proofs.collect();
    let sizes = once.values().map(|previous| previous.total_size());
    sizes.fold(0, usize::saturating_add)
}

/// Reads a previous transaction and drops its witnesses: they have no part in its id, and without
/// them a plan is the same whichever form a node gave.
pub(super) fn parse_previous(bytes: &[u8]) -> Result<Transaction, CoinError> {
    if bytes.len() > MAX_PREVIOUS {
        return Err(CoinError::PreviousTooLarge);
    }
    let mut previous: Transaction =
        encode::deserialize(bytes).map_err(|_| CoinError::PreviousMalformed)?;
    for input in &mut previous.input {
        input.witness.clear();
    }
    Ok(previous)
}

fn output_of(previous: &Transaction, outpoint: OutPoint) -> Result<&TxOut, CoinError> {
    if previous.compute_txid() != outpoint.txid {
        return Err(CoinError::OtherPrevious);
    }
    usize::try_from(outpoint.vout)
        .ok()
        .and_then(|at| previous.output.get(at))
        .ok_or(CoinError::NoSuchOutput)
}
