//! A plan: the unsigned transaction that pays several releases, and what its inputs spend.

use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode;
use bitcoin::transaction::Version;
use bitcoin::{OutPoint, Sequence, Transaction, TxIn, TxOut, Txid};

use super::fee::{FeeRate, Standing};
use super::select::{self, Bill, Selection};
use super::size::Size;
use super::{Coin, Lock, MAX_PAYMENTS, MAX_PSBT, Payment, Sats, TooMuch, Wallet, coin, psbt};

/// The highest block that a lock time can name; above it the number means seconds (BIP 65).
pub const MAX_LOCK_HEIGHT: u32 = 499_999_999;

/// The version of every plan: what spends its outputs before it is in a block is one transaction of at most 1,000
/// virtual bytes (BIP 431), so that no payee can make a plan too dear to be replaced by hanging a large, cheap one on it.
pub(super) const VERSION: Version = Version(3);

/// The largest transaction of this version that nodes take, in virtual bytes (BIP 431).
pub const MAX_VIRTUAL_BYTES: u64 = 10_000;

/// The sequence of every input: replaceable (BIP 125), with no relative lock, lock time in force.
pub(super) const REPLACEABLE: Sequence = Sequence::ENABLE_RBF_NO_LOCKTIME;

/// What is to be paid, and at what cost.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The releases' payments, in their order. None makes a void: everything that is spent returns
    /// to the wallet.
    pub payments: &'a [Payment],
    /// What the fee should come to.
    pub rate: FeeRate,
    /// The fee that is not exceeded at any rate.
    pub ceiling: Sats,
    /// The block after which the transaction may stand. The highest known one takes away the reason
    /// to mine that block again for the fee; it is the caller's, who knows the chain.
    pub lock_height: u32,
    /// The plan of the same releases that this one is to take the place of.
    pub replaced: Option<&'a Standing>,
}

/// A transaction that is planned but not signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    tx: Transaction,
    coins: Vec<Coin>,
    fee: Sats,
    change: Option<Sats>,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A payee is on another chain than the wallet.
    #[error("payment {0} is to an address on another chain")]
    OtherChain(usize),
    /// More payments than [`MAX_PAYMENTS`].
    #[error("at most {MAX_PAYMENTS} payments go into one plan: split the releases")]
    TooManyPayments,
    /// It would take more inputs than fit into [`MAX_VIRTUAL_BYTES`].
    #[error(
        "it would be above {MAX_VIRTUAL_BYTES} virtual bytes: the coins are too small for so many payments at once"
    )]
    TooHeavy,
    /// All coins together do not pay for payments and fee.
    #[error("the coins do not suffice for payments and fee")]
    Insufficient,
    /// The fee at the wanted rate is above the ceiling.
    #[error("the fee would be {fee} satoshis, above the ceiling of {ceiling}: wait or raise it")]
    FeeAboveCeiling {
        /// What the rate, or the plan to be replaced, asks for, in satoshis.
        fee: u64,
        /// What is allowed.
        ceiling: Sats,
    },
    /// The shared input of the plan to be replaced is not among the coins.
    #[error(
        "the input that all plans of these releases share is not among the coins: is it spent?"
    )]
    SharedMissing,
    /// Two unproven claims about one output differ.
    #[error("{0} is listed twice with different amounts: give its whole previous transaction")]
    Contradiction(OutPoint),
    /// A lock height that is a time.
    #[error("a lock height is at most {MAX_LOCK_HEIGHT}")]
    LockHeight,
    /// With its previous transactions above [`MAX_PSBT`].
    #[error(
        "the plan with its previous transactions is above {MAX_PSBT} bytes: split the releases"
    )]
    TooLarge,
    /// A sum that cannot exist.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
}

impl Plan {
    /// Plans the payments from these coins; the same for every order of the coins.
    ///
    /// Inputs are the shared one of the plan to be replaced, then the largest coins. Outputs are the
    /// payments in their order, then the change to the wallet's own lock, unless it would be dust,
    /// which goes to the fee. A plan's first input is the one that all its replacements share.
    pub fn make(
        coins: impl IntoIterator<Item = Coin>,
        wallet: &Wallet,
        terms: &Terms<'_>,
    ) -> Result<Self, PlanError> {
        let due = due(terms.payments, wallet)?;
        if terms.lock_height > MAX_LOCK_HEIGHT {
            return Err(PlanError::LockHeight);
        }
        let bill = Bill {
            size: Size::paying(terms.payments),
            due,
            rate: terms.rate,
            ceiling: terms.ceiling,
            change: wallet.change(),
            replaced: terms.replaced,
        };
        let Selection { coins, settled } = select::select(coins, &bill)?;
        let outputs = outputs(terms.payments, settled.change, bill.change);
        let plan = Self {
            tx: unsigned(&coins, outputs, terms.lock_height),
            coins,
            fee: settled.fee,
            change: settled.change,
        };
        if coin::proofs(&plan.coins).saturating_add(plan.to_bytes().len()) > MAX_PSBT {
            return Err(PlanError::TooLarge);
        }
        Ok(plan)
    }

    /// The plan as a PSBT of version 0 (BIP 174), with the whole previous transaction of each input
    /// where it is known and the spent output otherwise.
    #[must_use]
    pub fn to_psbt(&self) -> Vec<u8> {
        psbt::write(&self.tx, &self.coins)
    }

    /// The plan as it stands in an entry: a PSBT of version 0 with the spent output of each input, and no
    /// previous transaction ([`super::Claimed`]).
    #[must_use]
    pub fn to_claims(&self) -> Vec<u8> {
        psbt::write_claims(&self.tx, &self.coins)
    }

    /// The bare unsigned transaction.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode::serialize(&self.tx)
    }

    /// The transaction's id, which signatures in the witness leave as it is.
    #[must_use]
    pub fn txid(&self) -> Txid {
        self.tx.compute_txid()
    }

    /// What is spent, in the order of the inputs.
    #[must_use]
    pub fn coins(&self) -> &[Coin] {
        &self.coins
    }

    /// What it pays to whoever takes it into a block.
    #[must_use]
    pub const fn fee(&self) -> Sats {
        self.fee
    }

    /// What returns to the wallet.
    #[must_use]
    pub const fn change(&self) -> Option<Sats> {
        self.change
    }
}

fn due(payments: &[Payment], wallet: &Wallet) -> Result<u64, PlanError> {
    if payments.len() > MAX_PAYMENTS {
        return Err(PlanError::TooManyPayments);
    }
    let on_chain = |payment: &Payment| payment.to().chain() == wallet.chain();
    if let Some(stranger) = payments.iter().position(|payment| !on_chain(payment)) {
        return Err(PlanError::OtherChain(stranger));
    }
    // At most 250 amounts below 2^51.
    let sum = payments.iter().map(|payment| payment.amount().get()).sum();
    Ok(Sats::new(sum)?.get())
}

/// The payments in their order, then the change.
pub(super) fn outputs(payments: &[Payment], change: Option<Sats>, lock: Lock) -> Vec<TxOut> {
    let pay = |amount: Sats, lock: Lock| TxOut {
        value: bitcoin::Amount::from_sat(amount.get()),
        script_pubkey: lock.script(),
    };
    let payments = payments
        .iter()
        .map(|payment| pay(payment.amount(), payment.to().lock()));
    let change = change.map(|change| pay(change, lock));
    payments.chain(change).collect()
}

fn unsigned(coins: &[Coin], output: Vec<TxOut>, lock_height: u32) -> Transaction {
    let input = coins.iter().map(|coin| TxIn {
        previous_output: coin.outpoint(),
        sequence: REPLACEABLE,
        ..TxIn::default()
    });
    Transaction {
        version: VERSION,
        lock_time: LockTime::from_consensus(lock_height),
        input: input.collect(),
        output,
    }
}
