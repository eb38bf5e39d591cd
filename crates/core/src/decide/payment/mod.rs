//! Payments: what a plan must be for a decision to stand.

mod fault;
pub mod mandate;
mod transfer;

use crate::act::{Act, ActKind};
use crate::digest::Digest;
use crate::effect::Effect;
use crate::id::{AccountId, WalletId};
use crate::plan::Plan;
use crate::state::State;
use crate::state::account::Proof;
use crate::state::joint::Together;
use crate::state::release::Release;
use crate::time::Time;
use portcullis_chains::Amount;
use portcullis_chains::caip::{Address, AssetId};
use portcullis_chains::ethereum::{Fees, OtherChain};

pub use fault::PlanFault;
pub use transfer::{decode, leaves_room};

/// What has to be planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    wallet: WalletId,
    form: Form,
    pays: Pays,
}

/// How the wallet pays.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// By a transfer, at fees that the sequencer proposes.
    Transfer(Box<transfer::Terms>),
    /// By a mandate: this plan and no other.
    Mandate(Plan),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pays {
    /// A withdrawal.
    Release(Box<Withdrawal>),
    /// Nobody: the release is given up.
    Void(Digest),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Withdrawal {
    digest: Digest,
    act: Act,
    account: AccountId,
    proof: Proof,
    beside: Together,
    to: Address,
    asset: AssetId,
    amount: Amount,
    /// What that counts for, where there is a rate.
    worth: Option<Amount>,
}

impl Payment {
    /// That of a withdrawal, at the wallet's next nonce or number.
    pub(super) fn release(
        state: &State,
        (digest, act): (Digest, &Act),
        account: AccountId,
        proof: Proof,
        time: Time,
    ) -> Option<Self> {
        let ActKind::Withdraw(withdraw) = &act.kind else {
            return None;
        };
        let wallet = state.wallet_for(withdraw.asset)?;
        let next = state.facts.wallets.get(&wallet.id)?.next_nonce;
        let (to, asset, amount) = (withdraw.to, withdraw.asset, withdraw.amount);
        let pays = Withdrawal {
            digest,
            act: act.clone(),
            account,
            proof,
            beside: Together::default(),
            to,
            asset,
            amount,
            worth: None,
        };
        let form = if let Some(holds) = wallet.mandate {
            let plan = mandate::out(&state.network, (wallet, next, holds), &pays, time);
            Form::Mandate(plan)
        } else {
            let pays = transfer::Pays::Out { to, asset, amount };
            Form::Transfer(Box::new(transfer::Terms::new(wallet, next, pays)?))
        };
        Some(Self {
            wallet: wallet.id,
            form,
            pays: Pays::Release(Box::new(pays)),
        })
    }

    /// The same, with those who stand behind it together.
    pub(super) fn jointly(mut self, with: Together) -> Self {
        if let Pays::Release(pays) = &mut self.pays {
            pays.beside = with;
        }
        self
    }

    /// The same, counted for so much.
    pub(super) fn worth(mut self, counts: Option<Amount>) -> Self {
        if let Pays::Release(pays) = &mut self.pays {
            pays.worth = counts;
        }
        self
    }

    /// That of giving up a release.
    pub(super) fn void(state: &State, digest: Digest, release: &Release) -> Option<Self> {
        let wallet = state.network.wallet(release.plans.first()?.wallet)?;
        let form = if wallet.mandate.is_some() {
            Form::Mandate(mandate::void(&state.network, digest, release)?)
        } else {
            Form::Transfer(Box::new(transfer::Terms::void(wallet, release)?))
        };
        Some(Self {
            wallet: wallet.id,
            form,
            pays: Pays::Void(digest),
        })
    }

    /// The paying wallet.
    #[must_use]
    pub fn wallet(&self) -> WalletId {
        self.wallet
    }

    /// The plan, where it takes no fees: the wallet pays by mandate.
    #[must_use]
    pub fn mandate(&self) -> Option<&Plan> {
        match &self.form {
            Form::Mandate(plan) => Some(plan),
            Form::Transfer(_) => None,
        }
    }

    /// The most that its fees may cost, in the chain's native base unit.
    #[must_use]
    pub fn fee_ceiling(&self) -> Amount {
        self.transfer().map_or(Amount::ZERO, |terms| terms.ceiling)
    }

    /// The asset that a transfer pays; the chain's own for a void.
    #[must_use]
    pub fn asset(&self) -> Option<AssetId> {
        let terms = self.transfer()?;
        Some(match &terms.pays {
            transfer::Pays::Out { asset, .. } => *asset,
            transfer::Pays::Void { .. } => terms.coin,
        })
    }

    /// An earlier plan's fees, which a void must outbid to take its place with the nodes. A plan that
    /// nobody has signed is with no node: whatever fees it names, they hold up nothing.
    #[must_use]
    pub fn outbids(&self) -> Option<Fees> {
        match &self.transfer()?.pays {
            transfer::Pays::Out { .. } => None,
            transfer::Pays::Void { out, .. } => *out,
        }
    }

    /// Whether state takes these fees: they stay within the wallet's ceiling, and those of a payment
    /// leave room there for what may have to take its place.
    #[must_use]
    pub fn affords(&self, fees: &Fees) -> bool {
        self.transfer().is_none_or(|terms| terms.affords(fees))
    }

    /// The plan, with these fees where it takes any.
    pub fn plan(&self, fees: Fees) -> Result<Plan, OtherChain> {
        match &self.form {
            Form::Mandate(plan) => Ok(plan.clone()),
            Form::Transfer(terms) => Ok(Plan {
                wallet: self.wallet,
                unsigned: terms.build(fees)?,
            }),
        }
    }

    fn transfer(&self) -> Option<&transfer::Terms> {
        match &self.form {
            Form::Transfer(terms) => Some(terms.as_ref()),
            Form::Mandate(_) => None,
        }
    }

    /// The changes that the plan makes, if it is exactly this payment.
    pub(crate) fn effects(&self, plan: &Plan) -> Result<Vec<Effect>, PlanFault> {
        if plan.wallet != self.wallet {
            return Err(PlanFault::Wallet);
        }
        match &self.form {
            Form::Transfer(terms) => terms.check(plan)?,
            Form::Mandate(only) if only == plan => {}
            Form::Mandate(_) => return Err(PlanFault::Differs),
        }
        Ok(match &self.pays {
            Pays::Release(pays) => pays.effects(plan),
            Pays::Void(release) => vec![Effect::Void(*release, plan.clone())],
        })
    }
}

impl Withdrawal {
    /// What leaves, counted wherever it counts.
    fn effects(&self, plan: &Plan) -> Vec<Effect> {
        let (digest, account, proof) = (self.digest, self.account, self.proof);
        let mut effects = vec![
            Effect::Plan {
                digest,
                act: Box::new(self.act.clone()),
                account,
                proof,
                plan: plan.clone(),
            },
            Effect::Charge {
                account,
                wallet: plan.wallet,
                asset: self.asset,
                amount: self.amount,
            },
        ];
        effects.extend(self.worth.map(Effect::ChargeFiat));
        if !self.beside.is_empty() {
            let behind = self.beside.clone().with(proof);
            effects.push(Effect::Jointly(digest, behind));
        }
        effects
    }
}

/// Check what takes the place of a release's newest plan: the same payment, at fees that outbid it or with a
/// later end, so that at most one of them happens.
pub(crate) fn check_replacement(
    state: &State,
    release: &Release,
    next: &Plan,
    time: Time,
) -> Result<(), PlanFault> {
    let newest = release.plans.last().ok_or(PlanFault::Presence)?;
    let wallet = state
        .network
        .wallet(newest.wallet)
        .ok_or(PlanFault::Wallet)?;
    if next.wallet != wallet.id {
        return Err(PlanFault::Wallet);
    }
    match wallet.mandate {
        Some(holds) => mandate::check_replacement(holds, (newest, next), time),
        None => transfer::check_replacement(wallet, release, (newest, next)),
    }
}
