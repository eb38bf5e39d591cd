//! Payments: what a plan must be for a decision to stand.

mod fault;
pub mod mandate;
pub mod spend;
mod transfer;

use crate::act::{Act, ActKind, Withdraw};
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
use portcullis_chains::caip::AssetId;
use portcullis_chains::ethereum::Fees;

pub use fault::PlanFault;
pub use spend::Spend;
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
    /// From coins that the sequencer chooses, at a fee that it proposes.
    Spend(Box<Spend>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pays {
    /// Withdrawals, in the order in which they are paid: several only from coins.
    Releases(Vec<Withdrawal>),
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
        let form = if let Some(holds) = wallet.mandate {
            let asked = (digest, withdraw);
            let plan = mandate::out(&state.network, (wallet, next, holds), asked, time);
            Form::Mandate(plan)
        } else if wallet.bitcoin.is_some() {
            Form::Spend(Box::new(Spend::first(state, wallet, next, withdraw)?))
        } else {
            Form::Transfer(Box::new(transfer::Terms::new(wallet, next)?))
        };
        let withdrawal = Withdrawal {
            digest,
            act: act.clone(),
            account,
            proof,
            beside: Together::default(),
            worth: None,
        };
        Some(Self {
            wallet: wallet.id,
            form,
            pays: Pays::Releases(vec![withdrawal]),
        })
    }

    /// The same, with others from the same coins after it.
    pub(super) fn and(mut self, others: Vec<Self>) -> Result<Self, PlanFault> {
        for other in others {
            match (&mut self.form, other.form, &mut self.pays, other.pays) {
                (
                    Form::Spend(terms),
                    Form::Spend(more),
                    Pays::Releases(pays),
                    Pays::Releases(after),
                ) if self.wallet == other.wallet => {
                    terms.pay_also(*more);
                    pays.extend(after);
                }
                _ => return Err(PlanFault::Batch),
            }
        }
        Ok(self)
    }

    /// The same, with those who stand behind it together.
    pub(super) fn jointly(mut self, with: &Together) -> Self {
        if let Pays::Releases(pays) = &mut self.pays {
            for one in pays {
                one.beside = with.clone();
            }
        }
        self
    }

    /// The same, counted for so much.
    pub(super) fn worth(mut self, counts: Option<Amount>) -> Self {
        if let Pays::Releases(pays) = &mut self.pays {
            for one in pays {
                one.worth = counts;
            }
        }
        self
    }

    /// That of giving up a release.
    pub(super) fn void(state: &State, digest: Digest, release: &Release) -> Option<Self> {
        let first = state.facts.plans_of(digest).first()?;
        let wallet = state.network.wallet(first.wallet)?;
        let form = if wallet.mandate.is_some() {
            Form::Mandate(mandate::void(&state.network, digest, release)?)
        } else if wallet.bitcoin.is_some() {
            Form::Spend(Box::new(Spend::void(state, wallet, digest)?))
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
            Form::Transfer(_) | Form::Spend(_) => None,
        }
    }

    /// What is to be paid from which coins, where the wallet spends those.
    #[must_use]
    pub fn spend(&self) -> Option<&Spend> {
        match &self.form {
            Form::Spend(terms) => Some(terms),
            Form::Transfer(_) | Form::Mandate(_) => None,
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
        Some(self.asked().map_or(terms.coin, |asked| asked.asset))
    }

    /// An earlier plan's fees, which a void must outbid to take its place with the nodes. A plan that
    /// nobody has signed is with no node: whatever fees it names, they hold up nothing.
    #[must_use]
    pub fn outbids(&self) -> Option<Fees> {
        self.transfer()?.void.as_ref()?.out
    }

    /// Whether state takes these fees: they stay within the wallet's ceiling, and those of a payment
    /// leave room there for what may have to take its place.
    #[must_use]
    pub fn affords(&self, fees: &Fees) -> bool {
        self.transfer().is_none_or(|terms| terms.affords(fees))
    }

    /// The plan, with these fees where it takes any; none from coins, which [`Spend::plan`] plans.
    pub fn plan(&self, fees: Fees) -> Result<Plan, PlanFault> {
        match &self.form {
            Form::Mandate(plan) => Ok(plan.clone()),
            Form::Transfer(terms) => Ok(Plan {
                wallet: self.wallet,
                unsigned: terms
                    .build(self.asked(), fees)
                    .map_err(|_| PlanFault::Differs)?,
            }),
            Form::Spend(_) => Err(PlanFault::Presence),
        }
    }

    fn transfer(&self) -> Option<&transfer::Terms> {
        match &self.form {
            Form::Transfer(terms) => Some(terms.as_ref()),
            Form::Mandate(_) | Form::Spend(_) => None,
        }
    }

    /// What the withdrawal asks; nothing for a void.
    fn asked(&self) -> Option<&Withdraw> {
        match &self.pays {
            Pays::Releases(pays) => pays.first()?.asked(),
            Pays::Void(_) => None,
        }
    }

    /// The changes that the plan makes, if it is exactly this payment.
    pub(crate) fn effects(&self, plan: &Plan) -> Result<Vec<Effect>, PlanFault> {
        if plan.wallet != self.wallet {
            return Err(PlanFault::Wallet);
        }
        let after = match &self.form {
            Form::Transfer(terms) => {
                terms.check(self.asked(), plan)?;
                Vec::new()
            }
            Form::Mandate(only) if only == plan => Vec::new(),
            Form::Mandate(_) => return Err(PlanFault::Differs),
            Form::Spend(terms) => terms.effects(&self.releases(), plan)?,
        };
        let mut effects = match &self.pays {
            Pays::Releases(pays) => pays.iter().flat_map(|one| one.effects(plan)).collect(),
            Pays::Void(release) => vec![Effect::Void(*release, plan.clone())],
        };
        effects.extend(after);
        Ok(effects)
    }

    fn releases(&self) -> Vec<Digest> {
        match &self.pays {
            Pays::Releases(pays) => pays.iter().map(|one| one.digest).collect(),
            Pays::Void(_) => Vec::new(),
        }
    }
}

impl Withdrawal {
    fn asked(&self) -> Option<&Withdraw> {
        match &self.act.kind {
            ActKind::Withdraw(asked) => Some(asked),
            _ => None,
        }
    }

    /// What leaves, counted wherever it counts.
    fn effects(&self, plan: &Plan) -> Vec<Effect> {
        let (digest, account, proof) = (self.digest, self.account, self.proof);
        let mut effects = vec![Effect::Plan {
            digest,
            act: Box::new(self.act.clone()),
            account,
            proof,
            plan: plan.clone(),
        }];
        effects.extend(self.asked().map(|asked| Effect::Charge {
            account,
            wallet: plan.wallet,
            asset: asked.asset,
            amount: asked.amount,
        }));
        effects.extend(self.worth.map(Effect::ChargeFiat));
        if !self.beside.is_empty() {
            let behind = self.beside.clone().with(proof);
            effects.push(Effect::Jointly(digest, behind));
        }
        effects
    }
}

/// What takes the place of a release's newest plan changes this: it has to be the same payment, at fees that outbid
/// it or with a later end, so that at most one of them happens.
pub(crate) fn replace(
    state: &State,
    (digest, release): (Digest, &Release),
    next: &Plan,
    time: Time,
) -> Result<Vec<Effect>, PlanFault> {
    let newest = release.plans.last().ok_or(PlanFault::Presence)?;
    let wallet = state
        .network
        .wallet(newest.wallet)
        .ok_or(PlanFault::Wallet)?;
    if next.wallet != wallet.id {
        return Err(PlanFault::Wallet);
    }
    let mut effects = vec![Effect::Replan(digest, next.clone())];
    if let Some(holds) = wallet.mandate {
        mandate::check_replacement(holds, (newest, next), time)?;
    } else if wallet.bitcoin.is_some() {
        let terms = Spend::again(state, digest).ok_or(PlanFault::Presence)?;
        effects.extend(terms.effects(&[], next)?);
    } else {
        transfer::check_replacement(wallet, release, (newest, next))?;
    }
    Ok(effects)
}
