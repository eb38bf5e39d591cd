//! A planned payment from coins, against the signer's own keys, its node's coins and its caps.

use super::PlanRefused;
use crate::coins::{Shown, own_wallet, signing_keys};
use crate::config::Chain;
use crate::record::Pays;
use portcullis_chains::bitcoin::{
    self as coins, Claimed, Demands, Payment, Sats, Scheme, Sighash, Standing, Txid,
};
use portcullis_chains::caip::BitcoinAsset;
use portcullis_chains::{Address, Amount, AssetId};
use portcullis_core::genesis::Wallet;
use portcullis_core::plan::Plan;
use portcullis_core::state::batch::{Batch, CoinId};
use portcullis_core::state::release::Release;
use portcullis_core::{ActKind, Digest, State};
use portcullis_keys::{CoinKey, SignError};
use std::sync::Arc;

/// How far above the node's own highest block a plan's lock height may be: the gate's node may be ahead.
const AHEAD: u32 = 6;

/// A plan of a batch as it is claimed to be: whose it is and what it pays fits, and nothing is proven.
pub(crate) struct ClaimedSpend {
    claimed: Claimed,
    payments: Vec<Payment>,
    /// The batch's first plan, where this takes its place.
    first: Option<Standing>,
    wallet: coins::Wallet,
    ceiling: Sats,
    number: u64,
}

/// A plan that is exactly what its batch may be: a transaction that the wallet may sign.
#[derive(Clone, Debug)]
pub(crate) struct CheckedSpend {
    checked: coins::Checked,
    number: u64,
    pays: Option<Pays>,
}

impl ClaimedSpend {
    /// Compare the plan with the batch's releases, the wallet and its keys.
    pub(crate) fn new(
        state: &State,
        (plan, batch): (&Plan, &Batch),
        (wallet, keys): (&Wallet, &[Arc<dyn CoinKey>]),
        chain: &Chain,
    ) -> Result<Self, PlanRefused> {
        let own = own_wallet(wallet, keys).ok_or(PlanRefused::OtherKey)?;
        let claimed = Claimed::read(&plan.unsigned, &own)?;
        let ceiling = wallet.fee_ceiling.min(chain.max_fee);
        Ok(Self {
            claimed,
            payments: payments(state, batch)?,
            first: first(state, batch, plan, &own)?,
            wallet: own,
            ceiling: Sats::try_from(ceiling).map_err(|_| PlanRefused::Fee(ceiling))?,
            number: batch.number,
        })
    }

    pub(crate) fn claimed(&self) -> &Claimed {
        &self.claimed
    }

    /// What it spends first, as every plan of its batch.
    pub(crate) fn shared(&self) -> CoinId {
        CoinId::from(self.claimed.standing().shared())
    }

    /// The ids of all plans' transactions.
    pub(crate) fn transactions(&self, leader: &Release) -> Vec<Txid> {
        let plans = leader.plans.iter();
        let read = plans.filter_map(|plan| Claimed::read(&plan.unsigned, &self.wallet).ok());
        read.map(|claimed| claimed.txid()).collect()
    }

    /// What leaves by it; nothing where it returns everything.
    pub(crate) fn pays(&self) -> Option<Pays> {
        let amounts = self.payments.iter().map(|payment| payment.amount().get());
        let sum = amounts.map(u128::from).sum::<u128>();
        (!self.payments.is_empty()).then_some(Pays {
            asset: AssetId::Bitcoin(BitcoinAsset {
                chain: self.wallet.chain(),
            }),
            amount: Amount(sum),
        })
    }

    /// Prove it by what the signer's own node has shown.
    pub(crate) fn prove(self, shown: &Shown, chain: &Chain) -> Result<CheckedSpend, PlanRefused> {
        let demands = Demands {
            payments: &self.payments,
            ceiling: self.ceiling,
            highest_lock: shown.height.saturating_add(AHEAD),
            replaced: self.first.as_ref(),
        };
        let previous: Vec<&[u8]> = shown.previous.iter().map(Vec::as_slice).collect();
        let bare = self.claimed.to_bytes();
        let checked = coins::Checked::transaction(&bare, &previous, &self.wallet, &demands)?;
        if !self.claimed.is_borne_out_by(&checked) {
            return Err(PlanRefused::Claims);
        }
        if chain
            .max_fee_rate
            .is_none_or(|most| checked.pays_above(most))
        {
            return Err(PlanRefused::FeeRate);
        }
        Ok(CheckedSpend {
            pays: self.pays(),
            number: self.number,
            checked,
        })
    }
}

impl CheckedSpend {
    /// The wallet's number of its batch.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn pays(&self) -> Option<Pays> {
        self.pays
    }

    /// Sign every input. What comes out was verified.
    pub(crate) fn sign(
        &self,
        wallet: &Wallet,
        keys: &[Arc<dyn CoinKey>],
    ) -> Result<Vec<u8>, SignError> {
        let keys = signing_keys(wallet, keys);
        let sign = |sighash: Sighash| {
            let key = keys.iter().find(|(owned, _)| *owned == sighash.key);
            let (_, key) = key.ok_or_else(|| SignError::Refused("a key is missing".into()))?;
            match (sighash.scheme, sighash.key.tweak()) {
                (Scheme::Ecdsa, _) => key.sign_ecdsa(&sighash.digest),
                (Scheme::Schnorr, Some(tweak)) => key.sign_schnorr(&sighash.digest, &tweak),
                (Scheme::Schnorr, None) => Err(SignError::Refused("a key without tweak".into())),
            }
        };
        let signatures: Vec<[u8; 64]> = self
            .checked
            .sighashes()
            .map(sign)
            .collect::<Result<_, _>>()?;
        let signed = self.checked.finish(&signatures);
        Ok(signed.map_err(|_| SignError::Wrong)?.to_bytes())
    }
}

/// What the batch's newest plan has to pay: the acts of all that were not given up, in their order.
fn payments(state: &State, batch: &Batch) -> Result<Vec<Payment>, PlanRefused> {
    let paid = state.facts().paid(batch);
    paid.map(|(_, release)| payment(release)).collect()
}

pub(crate) fn payment(release: &Release) -> Result<Payment, PlanRefused> {
    let ActKind::Withdraw(act) = &release.act.kind else {
        return Err(PlanRefused::Amount);
    };
    let Address::Bitcoin(to) = act.to else {
        return Err(PlanRefused::Payee(act.to));
    };
    if act.asset.chain() != act.to.chain() {
        return Err(PlanRefused::Chain(act.asset.chain()));
    }
    Payment::new(to, act.amount).map_err(|_| PlanRefused::Amount)
}

/// The first plan of the batch, unless it is this one. All others compete with it for its first input.
fn first(
    state: &State,
    batch: &Batch,
    plan: &Plan,
    wallet: &coins::Wallet,
) -> Result<Option<Standing>, PlanRefused> {
    let leader: Option<&Digest> = batch.members.first();
    let leader = leader.and_then(|leader| state.facts().releases.get(leader));
    let first = leader.and_then(|leader| leader.plans.first());
    match first.filter(|first| *first != plan) {
        Some(first) => Ok(Some(Claimed::read(&first.unsigned, wallet)?.standing())),
        None => Ok(None),
    }
}
