//! Payments from coins, on a chain with Bitcoin's transactions (docs/spec/bitcoin.md).
//!
//! One plan pays a batch. Every plan of a batch spends the same output first, so at most one of them happens; which of
//! its members a plan pays follows from when each was given up.

use super::fault::PlanFault;
use crate::act::{ActKind, Withdraw};
use crate::digest::Digest;
use crate::effect::Effect;
use crate::genesis::Wallet;
use crate::id::WalletId;
use crate::plan::Plan;
use crate::state::State;
use crate::state::batch::{Batch, CoinId, MAX_BATCH_PAYMENTS, transaction_id};
use crate::state::release::Release;
use portcullis_chains::bitcoin::{
    self as coins, Claimed, Coin, Demands, FeeRate, MAX_LOCK_HEIGHT, PlanError, Refused, Sats,
    Standing, Terms,
};
use portcullis_chains::caip::Address;
use std::collections::BTreeSet;

/// Most bytes of a plan: it stands in an entry, beside evidence. What nodes take is smaller once it is signed
/// ([`coins::MAX_VIRTUAL_BYTES`]).
pub const MAX_SPEND: usize = 48_000;

/// What has to be planned: everything but coins and fee, which the sequencer proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spend {
    id: WalletId,
    wallet: coins::Wallet,
    ceiling: Sats,
    payments: Vec<coins::Payment>,
    takes: Takes,
    /// What other batches of the wallet spend.
    reserved: BTreeSet<CoinId>,
    /// What the transactions of standing plans would make, by their ids.
    unmade: BTreeSet<Digest>,
}

/// Whose place the plan takes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Takes {
    /// Nobody's: it is the first of a new batch with this number.
    None(u64),
    /// That of a batch's earlier plans.
    Place(Box<Earlier>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Earlier {
    leader: Digest,
    newest: Standing,
    /// Those that a signer has stated as signed, so that nodes may have them.
    signed: Vec<Standing>,
    why: Why,
    /// Whether the batch has so many plans that each has to double the fee.
    doubles: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// A release is given up.
    Void,
    /// The fee is too low.
    Bump,
}

/// So many plans may each raise the fee by as little as nodes take.
const MANY_PLANS: usize = 32;

/// What an act asks, as an output; none where nodes would not relay it, or no such amount can exist.
pub(crate) fn payment(asked: &Withdraw) -> Option<coins::Payment> {
    let Address::Bitcoin(to) = asked.to else {
        return None;
    };
    coins::Payment::new(to, asked.amount).ok()
}

/// A plan's claims, read with the wallet's keys.
pub fn decode(wallet: &Wallet, plan: &Plan) -> Result<Claimed, PlanFault> {
    let spends = wallet.spends().ok_or(PlanFault::Wallet)?;
    Claimed::read(&plan.unsigned, &spends).map_err(|why| fault(&why))
}

/// What a batch's newest plan pays, in its order: what its signer demands of it.
#[must_use]
pub fn payments(state: &State, batch: &Batch) -> Option<Vec<coins::Payment>> {
    paid(state, batch, None)
}

/// The same, without one release that is given up now.
fn paid(state: &State, batch: &Batch, without: Option<Digest>) -> Option<Vec<coins::Payment>> {
    let paid = state.facts.paid(batch);
    let paid = paid.filter(|(digest, _)| Some(*digest) != without);
    paid.map(|(_, release)| asked(release)).collect()
}

fn asked(release: &Release) -> Option<coins::Payment> {
    match &release.act.kind {
        ActKind::Withdraw(asked) => payment(asked),
        _ => None,
    }
}

impl Spend {
    /// The first plan of a batch, which pays this alone so far.
    pub(super) fn first(
        state: &State,
        wallet: &Wallet,
        number: u64,
        asked: &Withdraw,
    ) -> Option<Self> {
        let payments = vec![payment(asked)?];
        Self::new(state, wallet, payments, Takes::None(number))
    }

    /// It pays what this other pays, too, after its own.
    pub(super) fn pay_also(&mut self, other: Self) {
        self.payments.extend(other.payments);
    }

    /// What gives a release up: the others of its batch are paid on.
    pub(super) fn void(state: &State, wallet: &Wallet, release: Digest) -> Option<Self> {
        let batch = state.facts.batch_of(release)?;
        let payments = paid(state, batch, Some(release))?;
        let earlier = Earlier::of(state, wallet, batch, Why::Void)?;
        Self::new(state, wallet, payments, Takes::Place(Box::new(earlier)))
    }

    /// The same once more, for a higher fee: the batch by its leader.
    #[must_use]
    pub fn again(state: &State, leader: Digest) -> Option<Self> {
        let batch = state.facts.batch_of(leader)?;
        let is_leader = batch.members.first() == Some(&leader);
        let wallet = state.network.wallet(batch.wallet).filter(|_| is_leader)?;
        let payments = payments(state, batch)?;
        let earlier = Earlier::of(state, wallet, batch, Why::Bump)?;
        Self::new(state, wallet, payments, Takes::Place(Box::new(earlier)))
    }

    fn new(
        state: &State,
        wallet: &Wallet,
        payments: Vec<coins::Payment>,
        takes: Takes,
    ) -> Option<Self> {
        let others = state.facts.batches_of(wallet.id);
        let others = others.filter(|(leader, _)| takes.leader() != Some(**leader));
        let reserved = others.flat_map(|(_, batch)| &batch.coins).copied();
        let standing = state.facts.batches_of(wallet.id);
        let unmade = standing.flat_map(|(_, batch)| &batch.transactions).copied();
        Some(Self {
            id: wallet.id,
            wallet: wallet.spends()?,
            ceiling: Sats::try_from(wallet.fee_ceiling).ok()?,
            payments,
            reserved: reserved.collect(),
            unmade: unmade.collect(),
            takes,
        })
    }

    /// The paying wallet, by its public keys.
    #[must_use]
    pub fn wallet(&self) -> &coins::Wallet {
        &self.wallet
    }

    /// What is paid, in the order of the outputs; nothing returns everything to the wallet.
    #[must_use]
    pub fn payments(&self) -> &[coins::Payment] {
        &self.payments
    }

    /// The most that the fee may be.
    #[must_use]
    pub fn ceiling(&self) -> Sats {
        self.ceiling
    }

    /// Whether the plan may spend this: no other batch does, and no standing plan would have to make it first.
    #[must_use]
    pub fn may_spend(&self, coin: CoinId) -> bool {
        !self.reserved.contains(&coin) && !self.unmade.contains(&coin.transaction())
    }

    /// The plan that this takes the place of, with the fee that has to be outbid: of those that nodes may have the
    /// one that costs most. Its shared input comes first in any case.
    #[must_use]
    pub fn replaced(&self) -> Option<Standing> {
        let Takes::Place(earlier) = &self.takes else {
            return None;
        };
        let dearest = earlier.to_outbid().max_by_key(|standing| standing.fee());
        Some(dearest.map_or_else(|| earlier.newest.unsigned(), |standing| *standing))
    }

    /// The plan from these coins, at this rate, for a transaction that may stand after this block. Coins that it
    /// may not spend are left aside; those of the batch's own earlier plans have to be among them.
    pub fn plan(
        &self,
        coins: impl IntoIterator<Item = Coin>,
        rate: FeeRate,
        lock_height: u32,
    ) -> Result<Plan, PlanError> {
        let may = |coin: &Coin| self.may_spend(coin.outpoint().into());
        let replaced = self.replaced();
        let terms = Terms {
            payments: &self.payments,
            rate,
            ceiling: self.ceiling,
            lock_height,
            replaced: replaced.as_ref(),
        };
        let plan = coins::Plan::make(coins.into_iter().filter(may), &self.wallet, &terms)?;
        Ok(Plan {
            wallet: self.id,
            unsigned: plan.to_claims(),
        })
    }

    /// Whether state takes the plan for this payment.
    pub fn check(&self, plan: &Plan) -> Result<Claimed, PlanFault> {
        if plan.wallet != self.id {
            return Err(PlanFault::Wallet);
        }
        if self.payments.len() > MAX_BATCH_PAYMENTS {
            return Err(PlanFault::Batch);
        }
        if plan.unsigned.len() > MAX_SPEND {
            return Err(PlanFault::TooLarge);
        }
        let claimed = Claimed::read(&plan.unsigned, &self.wallet).map_err(|why| fault(&why))?;
        let replaced = self.replaced();
        let demands = Demands {
            payments: &self.payments,
            ceiling: self.ceiling,
            highest_lock: MAX_LOCK_HEIGHT,
            replaced: replaced.as_ref(),
        };
        claimed
            .check(&self.wallet, &demands)
            .map_err(|why| fault(&why))?;
        self.check_fee(&claimed)?;
        if claimed.has_an_input_to_spare(&self.wallet, &self.payments) {
            return Err(PlanFault::Spare);
        }
        if !claimed.spends().all(|coin| self.may_spend(coin.into())) {
            return Err(PlanFault::Spent);
        }
        Ok(claimed)
    }

    /// Fees with which the shared input can always be spent in the end: nodes take the transaction, and what pays
    /// can be outbid within the ceiling, so that a release that stays unconfirmed can be given up. The plan that
    /// gives one up may use the ceiling up.
    fn check_fee(&self, claimed: &Claimed) -> Result<(), PlanFault> {
        if !claimed.is_relayed() {
            return Err(PlanFault::Unsendable);
        }
        let Takes::Place(earlier) = &self.takes else {
            let leaves_room = claimed.leaves_room(self.ceiling);
            return leaves_room.then_some(()).ok_or(PlanFault::NoRoom);
        };
        let doubled = earlier.newest.fee().get().saturating_mul(2);
        let is_enough = !earlier.doubles || claimed.fee().get() >= doubled;
        let mut standing = earlier.to_outbid();
        if !is_enough || !standing.all(|standing| claimed.outbids(standing)) {
            return Err(PlanFault::NoReplacement);
        }
        let pays_on = earlier.why == Why::Bump && !self.payments.is_empty();
        if pays_on && !claimed.leaves_room(self.ceiling) {
            return Err(PlanFault::NoRoom);
        }
        Ok(())
    }

    /// What the plan changes beside the releases themselves: they are a batch, and it spends these coins.
    pub(super) fn effects(
        &self,
        releases: &[Digest],
        plan: &Plan,
    ) -> Result<Vec<Effect>, PlanFault> {
        let claimed = self.check(plan)?;
        let (leader, batch) = match &self.takes {
            Takes::Place(earlier) => (earlier.leader, None),
            Takes::None(number) => {
                let batch = Effect::Batch {
                    wallet: self.id,
                    number: *number,
                    members: releases.to_vec(),
                };
                (*releases.first().ok_or(PlanFault::Batch)?, Some(batch))
            }
        };
        let spends = Effect::Spends {
            leader,
            transaction: transaction_id(claimed.txid()),
            coins: claimed.spends().map(CoinId::from).collect(),
        };
        Ok(batch.into_iter().chain([spends]).collect())
    }
}

impl Takes {
    fn leader(&self) -> Option<Digest> {
        match self {
            Self::None(_) => None,
            Self::Place(earlier) => Some(earlier.leader),
        }
    }
}

impl Earlier {
    fn of(state: &State, wallet: &Wallet, batch: &Batch, why: Why) -> Option<Self> {
        let leader = *batch.members.first()?;
        let release = state.facts.releases.get(&leader)?;
        let standing = |plan: &Plan| Some(decode(wallet, plan).ok()?.standing());
        let signed = release.plans.iter();
        let signed = signed.filter(|plan| release.is_signed(plan.digest()));
        let signed: Option<Vec<Standing>> = signed.map(standing).collect();
        Some(Self {
            leader,
            newest: standing(release.plans.last()?)?,
            signed: signed?,
            why,
            doubles: why == Why::Bump && release.plans.len() >= MANY_PLANS,
        })
    }

    /// What the next plan has to outbid: what nodes may have; a higher fee is one above the newest, too, or a gate that
    /// replans for nothing would make the journal grow.
    fn to_outbid(&self) -> impl Iterator<Item = &Standing> {
        let newest = (self.why == Why::Bump).then_some(&self.newest);
        self.signed.iter().chain(newest)
    }
}

fn fault(refused: &Refused) -> PlanFault {
    match refused {
        Refused::Payments
        | Refused::OtherChain(_)
        | Refused::Payment(_)
        | Refused::ChangeToStranger
        | Refused::ExtraOutput(_)
        | Refused::Dust
        | Refused::NoChange
        | Refused::Overspent => PlanFault::Differs,
        Refused::FeeAboveCeiling { .. } => PlanFault::Fee,
        Refused::NotShared => PlanFault::NoReplacement,
        Refused::SpendsReplaced(_) => PlanFault::Spent,
        Refused::TooLarge | Refused::TooHeavy => PlanFault::TooLarge,
        Refused::Psbt(_)
        | Refused::Transaction
        | Refused::Version
        | Refused::Inputs
        | Refused::Signed(_)
        | Refused::Sequence(_)
        | Refused::SpentTwice(_)
        | Refused::LockTime { .. }
        | Refused::SighashType { .. }
        | Refused::Input { .. }
        | Refused::Stray(_)
        | Refused::Form => PlanFault::NotPlain,
    }
}
