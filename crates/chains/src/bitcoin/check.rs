//! What a signer demands of bytes that somebody else has planned.

use std::collections::BTreeSet;

use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode;
use bitcoin::{OutPoint, Transaction, TxOut, Txid};

use super::coin::{CoinError, parse_previous};
use super::fee::Standing;
use super::plan::{REPLACEABLE, VERSION, outputs};
use super::psbt::{self, Input, PsbtError};
use super::size::Size;
use super::wallet::Kind;
use super::{
    Coin, FeeRate, MAX_PAYMENTS, MAX_PSBT, MAX_VIRTUAL_BYTES, Payment, Sats, Wallet, spends,
};

/// What the plan has to be. None of it may come from where the plan comes from.
#[derive(Clone, Copy, Debug)]
pub struct Demands<'a> {
    /// The payments of the releases that the plan names, as the signer's own state has them, in
    /// their order. None makes it a void.
    pub payments: &'a [Payment],
    /// The most that may go to the fee.
    pub ceiling: Sats,
    /// The highest block that the lock time may name: the signer's own highest, and some leeway.
    pub highest_lock: u32,
    /// The earlier plan of the same releases, if there is one. Any of them will do, as all share
    /// their first input.
    pub replaced: Option<&'a Standing>,
}

/// A plan that has passed the check: the only thing that has sighashes, and only the check makes
/// one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    tx: Transaction,
    coins: Vec<Coin>,
    digests: Vec<[u8; 32]>,
    fee: Sats,
}

/// Why a plan is not signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The bytes are no plan's PSBT.
    #[error("the PSBT is refused: {0}")]
    Psbt(#[from] PsbtError),
    /// The bytes are no transaction, or more than one.
    #[error("the transaction is malformed")]
    Transaction,
    /// The transaction, or what comes with it, is longer than [`MAX_PSBT`]; witnesses of previous ones left out.
    #[error("the transaction with its previous ones is above {MAX_PSBT} bytes")]
    TooLarge,
    /// Another version than 3.
    #[error("the transaction's version is not 3")]
    Version,
    /// More than [`MAX_VIRTUAL_BYTES`] once it is signed.
    #[error("the transaction is above {MAX_VIRTUAL_BYTES} virtual bytes, and nodes do not take it")]
    TooHeavy,
    /// No inputs.
    #[error("the transaction spends nothing")]
    Inputs,
    /// More payments than [`MAX_PAYMENTS`] are demanded.
    #[error("a plan has at most {MAX_PAYMENTS} payments")]
    Payments,
    /// An input brings a script or a witness.
    #[error("input {0} is not unsigned")]
    Signed(usize),
    /// An input cannot be replaced, or waits.
    #[error("the sequence of input {0} is not the one of replaceable inputs (BIP 125)")]
    Sequence(usize),
    /// One output is spent by two inputs.
    #[error("input {0} spends what an earlier input spends")]
    SpentTwice(usize),
    /// A lock time in seconds, or too far ahead.
    #[error("the lock time is not a block up to {highest}")]
    LockTime {
        /// The highest block that is allowed.
        highest: u32,
    },
    /// A sighash type under which a signature does not cover everything.
    #[error("input {at} asks for sighash type {kind:#x}: only ALL for P2WPKH and DEFAULT for P2TR")]
    SighashType {
        /// Which input.
        at: usize,
        /// The type that it asks for.
        kind: u32,
    },
    /// What an input spends is not the wallet's, not proven, or lied about.
    #[error("input {at}: {why}")]
    Input {
        /// Which input.
        at: usize,
        /// What is wrong with it.
        why: CoinError,
    },
    /// A previous transaction that no input needs.
    #[error("previous transaction {0} belongs to no input")]
    Stray(usize),
    /// A payee is on another chain than the wallet.
    #[error("payment {0} is to an address on another chain")]
    OtherChain(usize),
    /// A release is not paid in its place, to its address, in its amount.
    #[error("output {0} is not the payment that the releases demand")]
    Payment(usize),
    /// What is left goes to a lock that is not the wallet's change.
    #[error("the change does not go to the wallet's own lock")]
    ChangeToStranger,
    /// There are outputs beside payments and change.
    #[error("output {0} is neither payment nor change")]
    ExtraOutput(usize),
    /// The change is less than nodes relay.
    #[error("the change is dust")]
    Dust,
    /// A void that does not return what it spends.
    #[error("a void returns everything to the wallet")]
    NoChange,
    /// The outputs are more than the inputs.
    #[error("the outputs are more than the inputs")]
    Overspent,
    /// The fee is above what is allowed.
    #[error("the fee of {fee} satoshis is above the ceiling of {ceiling}")]
    FeeAboveCeiling {
        /// What it pays.
        fee: u64,
        /// What is allowed.
        ceiling: Sats,
    },
    /// Its first input is not the one that all plans of the same releases share.
    #[error("the first input is not the one that all plans of these releases share")]
    NotShared,
    /// An input spends an output of the plan that is to be replaced.
    #[error("input {0} spends an output of the transaction that is to be replaced")]
    SpendsReplaced(usize),
    /// Claims that are written in another form than [`super::Plan::to_claims`] writes.
    #[error(
        "the claims are not in their one form: the spent output of each input and nothing else"
    )]
    Form,
}

impl Checked {
    /// Checks a plan's PSBT ([`super::Plan::to_psbt`]).
    pub fn psbt(bytes: &[u8], wallet: &Wallet, demands: &Demands<'_>) -> Result<Self, Refused> {
        let parsed = psbt::parse(bytes)?;
        Self::of(parsed.tx, parsed.inputs, wallet, demands)
    }

    /// Checks a bare unsigned transaction ([`super::Plan::to_bytes`]) with the whole previous
    /// transaction of every input, each given once in any order. Their ids prove them, so it does not
    /// matter who brings them.
    pub fn transaction(
        bytes: &[u8],
        previous: &[&[u8]],
        wallet: &Wallet,
        demands: &Demands<'_>,
    ) -> Result<Self, Refused> {
        if bytes.len() > MAX_PSBT {
            return Err(Refused::TooLarge);
        }
        let tx: Transaction = encode::deserialize(bytes).map_err(|_| Refused::Transaction)?;
        let inputs = with_previous(&tx, bytes.len(), previous)?;
        Self::of(tx, inputs, wallet, demands)
    }

    fn of(
        tx: Transaction,
        inputs: Vec<Input>,
        wallet: &Wallet,
        demands: &Demands<'_>,
    ) -> Result<Self, Refused> {
        form(&tx, demands.highest_lock)?;
        let coins = coins(&tx, inputs, wallet, Coin::of)?;
        weight(&tx, &coins)?;
        conflict(&tx, demands.replaced)?;
        pays(&tx, wallet, demands.payments)?;
        let fee = within(fee(&tx, &coins)?, demands.ceiling)?;
        let digests = spends::digests(&tx, &coins).ok_or(Refused::Inputs)?;
        Ok(Self {
            tx,
            coins,
            digests,
            fee,
        })
    }

    /// The transaction's id, signed or not.
    #[must_use]
    pub fn txid(&self) -> Txid {
        self.tx.compute_txid()
    }

    /// What it pays to whoever takes it into a block.
    #[must_use]
    pub const fn fee(&self) -> Sats {
        self.fee
    }

    /// What a replacement of it has to know.
    #[must_use]
    pub fn standing(&self) -> Standing {
        standing(&self.tx, &self.coins, self.fee)
    }

    /// Whether nodes take it in the place of what stands (BIP 125): a gate that replaces for less
    /// gains nothing and makes the journal grow.
    #[must_use]
    pub fn outbids(&self, standing: &Standing) -> bool {
        let size = Size::of(&self.tx, &self.coins);
        self.fee.get() >= standing.least_above(size.virtual_bytes())
    }

    /// Whether its fee is above what this rate asks for its size once it is signed.
    #[must_use]
    pub fn pays_above(&self, rate: FeeRate) -> bool {
        self.fee.get() > rate.price(Size::of(&self.tx, &self.coins).virtual_bytes())
    }

    /// What is spent, in the order of the inputs: what no other plan may spend while this one stands.
    #[must_use]
    pub fn coins(&self) -> &[Coin] {
        &self.coins
    }

    /// The digest of each input, in their order.
    pub(super) fn digests(&self) -> &[[u8; 32]] {
        &self.digests
    }

    pub(super) const fn tx(&self) -> &Transaction {
        &self.tx
    }
}

/// Gives each input its previous transaction by its id. They count as they are kept, without their witnesses, of which
/// whoever pays the wallet can make as many as he likes.
fn with_previous(
    tx: &Transaction,
    bytes: usize,
    previous: &[&[u8]],
) -> Result<Vec<Input>, Refused> {
    let mut total = bytes;
    let mut inputs: Vec<Input> = tx.input.iter().map(|_| Input::default()).collect();
    for (stray, bytes) in previous.iter().enumerate() {
        let parsed = parse_previous(bytes).map_err(|why| Refused::Input { at: stray, why })?;
        total = total.saturating_add(parsed.total_size());
        if total > MAX_PSBT {
            return Err(Refused::TooLarge);
        }
        let txid = parsed.compute_txid();
        let spenders = tx.input.iter().zip(&mut inputs);
        let mut known = spenders
            .filter(|(input, _)| input.previous_output.txid == txid)
            .peekable();
        if known.peek().is_none() {
            return Err(Refused::Stray(stray));
        }
        known.for_each(|(_, input)| input.previous = Some(parsed.clone()));
    }
    Ok(inputs)
}

/// What a replacement of a plan that was checked has to know.
pub(super) fn standing(tx: &Transaction, coins: &[Coin], fee: Sats) -> Standing {
    // The check has seen an input.
    let shared = tx.input.first();
    Standing {
        txid: tx.compute_txid(),
        shared: shared.map_or(OutPoint::null(), |first| first.previous_output),
        fee,
        virtual_bytes: Size::of(tx, coins).virtual_bytes(),
    }
}

/// The parts that are the same in every plan.
pub(super) fn form(tx: &Transaction, highest: u32) -> Result<(), Refused> {
    if tx.version != VERSION {
        return Err(Refused::Version);
    }
    if tx.input.is_empty() {
        return Err(Refused::Inputs);
    }
    match tx.lock_time {
        LockTime::Blocks(height) if height.to_consensus_u32() <= highest => {}
        _ => return Err(Refused::LockTime { highest }),
    }
    let mut spent = BTreeSet::new();
    for (at, input) in tx.input.iter().enumerate() {
        if !input.script_sig.is_empty() || !input.witness.is_empty() {
            return Err(Refused::Signed(at));
        }
        if input.sequence != REPLACEABLE {
            return Err(Refused::Sequence(at));
        }
        if !spent.insert(input.previous_output) {
            return Err(Refused::SpentTwice(at));
        }
    }
    Ok(())
}

/// How what is said of an output, and the transaction that made it, become a coin.
type Join = fn(OutPoint, Option<TxOut>, Option<Transaction>, &Wallet) -> Result<Coin, CoinError>;

/// Joins what is said of each input, and sees that it is to be signed in the one way that covers everything.
pub(super) fn coins(
    tx: &Transaction,
    inputs: Vec<Input>,
    wallet: &Wallet,
    join: Join,
) -> Result<Vec<Coin>, Refused> {
    let prove = |(at, (input, said)): (usize, (&bitcoin::TxIn, Input))| {
        let coin = join(input.previous_output, said.output, said.previous, wallet)
            .map_err(|why| Refused::Input { at, why })?;
        let (all, default) = (0x01, 0x00);
        let only = match coin.key().0 {
            Kind::P2wpkh(_) => all,
            Kind::P2tr { .. } => default,
        };
        match said.sighash {
            Some(kind) if kind != only => Err(Refused::SighashType { at, kind }),
            _ => Ok(coin),
        }
    };
    tx.input.iter().zip(inputs).enumerate().map(prove).collect()
}

/// Whether nodes take it once it is signed.
pub(super) fn weight(tx: &Transaction, coins: &[Coin]) -> Result<(), Refused> {
    let is_too_heavy = Size::of(tx, coins).is_too_heavy();
    (!is_too_heavy).then_some(()).ok_or(Refused::TooHeavy)
}

/// A replacement competes with what it replaces for the shared input, and lives without its outputs.
pub(super) fn conflict(tx: &Transaction, replaced: Option<&Standing>) -> Result<(), Refused> {
    let Some(standing) = replaced else {
        return Ok(());
    };
    let first = tx.input.first().map(|input| input.previous_output);
    if first != Some(standing.shared) {
        return Err(Refused::NotShared);
    }
    let of_replaced = |input: &bitcoin::TxIn| input.previous_output.txid == standing.txid;
    match tx.input.iter().position(of_replaced) {
        Some(at) => Err(Refused::SpendsReplaced(at)),
        None => Ok(()),
    }
}

/// The outputs are the payments in their order, then at most the change, to the wallet.
pub(super) fn pays(tx: &Transaction, wallet: &Wallet, payments: &[Payment]) -> Result<(), Refused> {
    if payments.len() > MAX_PAYMENTS {
        return Err(Refused::Payments);
    }
    let on_chain = |payment: &Payment| payment.to().chain() == wallet.chain();
    if let Some(stranger) = payments.iter().position(|payment| !on_chain(payment)) {
        return Err(Refused::OtherChain(stranger));
    }
    let lock = wallet.change();
    let demanded = outputs(payments, None, lock);
    let differs = |(at, want): (usize, &TxOut)| (tx.output.get(at) != Some(want)).then_some(at);
    if let Some(at) = demanded.iter().enumerate().find_map(differs) {
        return Err(Refused::Payment(at));
    }
    match tx.output.get(demanded.len()..).unwrap_or_default() {
        [] if payments.is_empty() => Err(Refused::NoChange),
        [change] if change.script_pubkey != lock.script() => Err(Refused::ChangeToStranger),
        [change] if change.value.to_sat() < lock.dust().get() => Err(Refused::Dust),
        [] | [_] => Ok(()),
        [_, ..] => Err(Refused::ExtraOutput(demanded.len().saturating_add(1))),
    }
}

/// What the inputs are more than the outputs.
pub(super) fn fee(tx: &Transaction, coins: &[Coin]) -> Result<u64, Refused> {
    let add = |sum: u64, sats: u64| sum.checked_add(sats).ok_or(Refused::Overspent);
    // At most 200 amounts below 2^51 fit; the outputs are as hostile as they come.
    let spent = coins.iter().map(|coin| coin.amount().get()).sum::<u64>();
    let paid = tx.output.iter().map(|output| output.value.to_sat());
    spent
        .checked_sub(paid.into_iter().try_fold(0, add)?)
        .ok_or(Refused::Overspent)
}

pub(super) fn within(fee: u64, ceiling: Sats) -> Result<Sats, Refused> {
    match Sats::new(fee) {
        Ok(fee) if fee <= ceiling => Ok(fee),
        _ => Err(Refused::FeeAboveCeiling { fee, ceiling }),
    }
}
