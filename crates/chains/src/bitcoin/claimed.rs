//! A plan on what is said of its inputs: for whoever decides and does not sign.

use bitcoin::consensus::encode;
use bitcoin::{OutPoint, Transaction, Txid};

use super::check::{self, coins, conflict, fee, form, pays, weight, within};
use super::fee::Standing;
use super::size::Size;
use super::{
    Checked, Coin, Demands, FeeRate, MAX_LOCK_HEIGHT, NotSigned, Payment, Refused, Sats, SignedTx,
    Wallet, psbt, spends,
};

/// A plan whose amounts are claims: nothing proves them, so it gives out nothing to sign. A signer makes a
/// [`Checked`] of the same transaction with previous transactions of its own, and compares
/// ([`Self::is_borne_out_by`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    tx: Transaction,
    coins: Vec<Coin>,
    fee: Sats,
}

impl Claimed {
    /// Reads the claims of a plan ([`super::Plan::to_claims`]) and sees that it has a plan's form and spends the
    /// wallet's outputs. It says nothing yet of whom the plan pays: see [`Self::check`].
    ///
    /// The lock time is any block: whoever decides without a chain has none to compare it with.
    pub fn read(bytes: &[u8], wallet: &Wallet) -> Result<Self, Refused> {
        let psbt::Parsed { tx, inputs } = psbt::parse(bytes)?;
        form(&tx, MAX_LOCK_HEIGHT)?;
        let coins = coins(&tx, inputs, wallet, Coin::claimed)?;
        weight(&tx, &coins)?;
        let fee = within(fee(&tx, &coins)?, Sats::MAX)?;
        if psbt::write_claims(&tx, &coins) != bytes {
            return Err(Refused::Form);
        }
        Ok(Self { tx, coins, fee })
    }

    /// The rules of [`Checked`], but for the proofs of its coins.
    pub fn check(&self, wallet: &Wallet, demands: &Demands<'_>) -> Result<(), Refused> {
        form(&self.tx, demands.highest_lock)?;
        conflict(&self.tx, demands.replaced)?;
        pays(&self.tx, wallet, demands.payments)?;
        within(self.fee.get(), demands.ceiling).map(drop)
    }

    /// The transaction's id, signed or not.
    #[must_use]
    pub fn txid(&self) -> Txid {
        self.tx.compute_txid()
    }

    /// What it pays to whoever takes it into a block, if the claims are true.
    #[must_use]
    pub const fn fee(&self) -> Sats {
        self.fee
    }

    /// What a replacement of it has to know.
    #[must_use]
    pub fn standing(&self) -> Standing {
        check::standing(&self.tx, &self.coins, self.fee)
    }

    /// Whether nodes take it in the place of what stands (BIP 125).
    #[must_use]
    pub fn outbids(&self, standing: &Standing) -> bool {
        self.fee.get() >= standing.least_above(self.size().virtual_bytes())
    }

    /// Whether nodes take it at all: it pays the least rate that all of them relay.
    #[must_use]
    pub fn is_relayed(&self) -> bool {
        self.fee.get() >= FeeRate::MIN.price(self.size().virtual_bytes())
    }

    /// Whether one of the same size that outbids it stays within a ceiling.
    #[must_use]
    pub fn leaves_room(&self, ceiling: Sats) -> bool {
        let virtual_bytes = self.size().virtual_bytes();
        self.standing().least_above(virtual_bytes) <= ceiling.get()
    }

    /// Whether it could do without its smallest input, but for the first: it would pay the same, and its change would be
    /// no dust. With the largest coins first no plan has such a one.
    #[must_use]
    pub fn has_an_input_to_spare(&self, wallet: &Wallet, payments: &[Payment]) -> bool {
        let change = self.tx.output.get(payments.len());
        let change = change.map_or(0, |change| change.value.to_sat());
        let others = self.coins.iter().skip(1).map(|coin| coin.amount().get());
        let dust = wallet.change().dust().get();
        others
            .min()
            .is_some_and(|least| change >= least.saturating_add(dust))
    }

    /// What is spent, in the order of the inputs. The first is the output that all plans of the same releases share.
    pub fn spends(&self) -> impl Iterator<Item = OutPoint> {
        self.coins.iter().map(Coin::outpoint)
    }

    /// The bare unsigned transaction: what [`Checked::transaction`] takes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode::serialize(&self.tx)
    }

    /// The plan as it was read: transaction and claims.
    #[must_use]
    pub fn claims(&self) -> Vec<u8> {
        psbt::write_claims(&self.tx, &self.coins)
    }

    /// Which outputs pay exactly this, by their places.
    pub fn paying(&self, payment: &Payment) -> impl Iterator<Item = usize> {
        let want = super::plan::outputs(&[*payment], None, payment.to().lock());
        let outputs = self.tx.output.iter().enumerate();
        outputs.filter_map(move |(at, output)| (Some(output) == want.first()).then_some(at))
    }

    /// Whether what a signer has proven of the same transaction is what is said here.
    #[must_use]
    pub fn is_borne_out_by(&self, checked: &Checked) -> bool {
        let said = |coin: &Coin| (coin.outpoint(), coin.amount(), *coin.key());
        let claims = self.coins.iter().map(said);
        self.txid() == checked.txid() && claims.eq(checked.coins().iter().map(said))
    }

    /// Reads a raw transaction and accepts it if it is this plan, signed by the wallet: over a false claim none is.
    pub fn signed(&self, raw: &[u8]) -> Result<SignedTx, NotSigned> {
        let digests = spends::digests(&self.tx, &self.coins).ok_or(NotSigned::Count)?;
        SignedTx::read_spending(raw, self.txid(), &self.coins, &digests)
    }

    fn size(&self) -> Size {
        Size::of(&self.tx, &self.coins)
    }
}
