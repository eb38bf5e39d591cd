//! Payments: what a plan must be for a decision to stand.

use crate::act::{Act, ActKind};
use crate::digest::Digest;
use crate::effect::Effect;
use crate::genesis::Wallet;
use crate::id::{AccountId, WalletId};
use crate::plan::Plan;
use crate::reason::Reason;
use crate::state::State;
use crate::state::account::Proof;
use crate::state::release::Release;
use portcullis_chains::caip::{Address, AssetId};
use portcullis_chains::ethereum::{Fees, OtherChain, Transfer, UnsignedTx};
use portcullis_chains::{Amount, ethereum};

/// What has to be planned: everything but the fees, which the sequencer proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    wallet: WalletId,
    from: Address,
    nonce: u64,
    fee_ceiling: Amount,
    pays: Pays,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pays {
    /// A withdrawal.
    Release {
        digest: Digest,
        act: Box<Act>,
        account: AccountId,
        proof: Proof,
        to: Address,
        asset: AssetId,
        amount: Amount,
    },
    /// The wallet itself, nothing: the release's nonce is spent.
    Void {
        release: Digest,
        earlier: Vec<Transfer>,
    },
}

/// Why a plan is not the one that the decision calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanFault {
    /// Money goes out without a plan, or a plan stands where none goes out.
    #[error("a plan stands where none belongs, or is missing where one does")]
    Presence,
    /// Another wallet.
    #[error("the plan is for another wallet")]
    Wallet,
    /// The bytes are not a plain transfer.
    #[error("the plan's bytes are not a plain transfer")]
    NotPlain,
    /// Chain, asset, payee or amount differ.
    #[error("the plan's chain, asset, payee or amount is not the act's")]
    Differs,
    /// Not the wallet's next nonce, or not the release's.
    #[error("the plan's nonce is not the one that state demands")]
    Nonce,
    /// The fee may cost more than genesis allows for the wallet.
    #[error("the plan's fee ceiling is above the wallet's")]
    Fee,
    /// Something bars the release: a suspension, a freeze, a revoked factor or address.
    #[error("the release is barred: {0}")]
    Barred(Reason),
    /// A replacement that does not conflict with every earlier plan, or does not outbid it.
    #[error("the replacement does not take the place of every earlier plan")]
    NoReplacement,
}

impl Payment {
    /// That of a withdrawal, at the wallet's next nonce.
    pub(super) fn release(
        state: &State,
        digest: Digest,
        act: &Act,
        account: AccountId,
        proof: Proof,
    ) -> Option<Self> {
        let ActKind::Withdraw(withdraw) = &act.kind else {
            return None;
        };
        let wallet = state.wallet_for(withdraw.asset)?;
        let nonce = state.facts.wallets.get(&wallet.id)?.next_nonce;
        let (to, asset, amount) = (withdraw.to, withdraw.asset, withdraw.amount);
        let act = Box::new(act.clone());
        Some(Self::of(
            wallet,
            nonce,
            Pays::Release {
                digest,
                act,
                account,
                proof,
                to,
                asset,
                amount,
            },
        ))
    }

    /// That of giving up a release: at the release's own nonce.
    pub(super) fn void(state: &State, digest: Digest, release: &Release) -> Option<Self> {
        let earlier: Option<Vec<Transfer>> = release.plans.iter().map(|p| decode(p).ok()).collect();
        let earlier = earlier?;
        let nonce = earlier.first()?.nonce();
        let wallet = state.network.wallet(release.plans.first()?.wallet)?;
        Some(Self::of(
            wallet,
            nonce,
            Pays::Void {
                release: digest,
                earlier,
            },
        ))
    }

    fn of(wallet: &Wallet, nonce: u64, pays: Pays) -> Self {
        let (from, fee_ceiling) = (wallet.address, wallet.fee_ceiling);
        Self {
            wallet: wallet.id,
            from,
            nonce,
            fee_ceiling,
            pays,
        }
    }

    /// The paying wallet.
    #[must_use]
    pub fn wallet(&self) -> WalletId {
        self.wallet
    }

    /// The most that its fees may cost, in the chain's native base unit.
    #[must_use]
    pub fn fee_ceiling(&self) -> Amount {
        self.fee_ceiling
    }

    /// The asset that is paid; the chain's own for a void.
    #[must_use]
    pub fn asset(&self) -> AssetId {
        match &self.pays {
            Pays::Release { asset, .. } => *asset,
            Pays::Void { .. } => native(self.from),
        }
    }

    /// Earlier plans' fees, which a void must outbid to take their place.
    #[must_use]
    pub fn outbids(&self) -> Option<Fees> {
        match &self.pays {
            Pays::Release { .. } => None,
            Pays::Void { earlier, .. } => earlier.last().map(Transfer::fees),
        }
    }

    /// The plan with these fees.
    pub fn plan(&self, fees: Fees) -> Result<Plan, OtherChain> {
        let transfer = match &self.pays {
            Pays::Release {
                to, asset, amount, ..
            } => Transfer::new(*asset, *to, *amount, self.nonce, fees)?,
            Pays::Void { .. } => Transfer::void(self.from, self.nonce, fees),
        };
        Ok(Plan {
            wallet: self.wallet,
            unsigned: transfer.build().to_bytes(),
        })
    }

    /// The changes that the plan makes, if it is exactly this payment.
    pub(crate) fn effects(&self, plan: &Plan) -> Result<Vec<Effect>, PlanFault> {
        let transfer = self.check(plan)?;
        match &self.pays {
            Pays::Release {
                digest,
                act,
                account,
                proof,
                to,
                asset,
                amount,
            } => {
                let same = transfer.to() == *to
                    && transfer.asset() == *asset
                    && transfer.amount() == *amount;
                if !same {
                    return Err(PlanFault::Differs);
                }
                let (digest, account, wallet) = (*digest, *account, self.wallet);
                let (act, proof, plan) = (act.clone(), *proof, plan.clone());
                Ok(vec![
                    Effect::Plan {
                        digest,
                        act,
                        account,
                        proof,
                        plan,
                    },
                    Effect::Charge {
                        account,
                        wallet,
                        asset: *asset,
                        amount: *amount,
                    },
                ])
            }
            Pays::Void { release, earlier } => {
                if !transfer.is_void(&self.from) {
                    return Err(PlanFault::Differs);
                }
                check_replaces(earlier, &transfer, &self.from)?;
                Ok(vec![Effect::Void(*release, plan.clone())])
            }
        }
    }

    fn check(&self, plan: &Plan) -> Result<Transfer, PlanFault> {
        if plan.wallet != self.wallet {
            return Err(PlanFault::Wallet);
        }
        let transfer = decode(plan)?;
        if transfer.chain() != self.from.chain() {
            return Err(PlanFault::Differs);
        }
        if transfer.nonce() != self.nonce {
            return Err(PlanFault::Nonce);
        }
        if transfer.fee_ceiling() > self.fee_ceiling {
            return Err(PlanFault::Fee);
        }
        Ok(transfer)
    }
}

/// The plain transfer that a plan's bytes are.
pub fn decode(plan: &Plan) -> Result<Transfer, PlanFault> {
    let tx = UnsignedTx::from_bytes(&plan.unsigned).map_err(|_| PlanFault::NotPlain)?;
    Transfer::decode(&tx).map_err(|_| PlanFault::NotPlain)
}

fn check_replaces(
    earlier: &[Transfer],
    next: &Transfer,
    wallet: &Address,
) -> Result<(), PlanFault> {
    let takes_place = |previous: &Transfer| ethereum::replaces(previous, next, wallet);
    if earlier.iter().all(takes_place) {
        Ok(())
    } else {
        Err(PlanFault::NoReplacement)
    }
}

/// So many plans may each raise the fees by as little as nodes take.
const MANY_PLANS: usize = 32;

/// Check a fee bump: same nonce, same payee, asset and amount as every earlier plan (or still a void
/// where the release is being given up), within the wallet's fee ceiling.
pub(crate) fn check_replacement(
    state: &State,
    release: &Release,
    next: &Plan,
) -> Result<(), PlanFault> {
    let newest = release.plans.last().ok_or(PlanFault::Presence)?;
    let wallet = state
        .network
        .wallet(newest.wallet)
        .ok_or(PlanFault::Wallet)?;
    if next.wallet != wallet.id {
        return Err(PlanFault::Wallet);
    }
    let (newest, transfer) = (decode(newest)?, decode(next)?);
    if transfer.fee_ceiling() > wallet.fee_ceiling {
        return Err(PlanFault::Fee);
    }
    // A fee bump never turns a payment into a void or a void into a payment: that takes an act.
    if newest.is_void(&wallet.address) != transfer.is_void(&wallet.address) {
        return Err(PlanFault::Differs);
    }
    // Nodes take only what outbids; a gate that replans for nothing would grow the journal.
    // Past a number of plans each has to double the fees, so that a gate that began with dust can
    // neither grow the journal for ever nor use the attempts up.
    let (old, new) = (newest.fees(), transfer.fees());
    let doubles = new.max_fee_per_gas() / 2 >= old.max_fee_per_gas()
        && new.max_priority_fee_per_gas() / 2 >= old.max_priority_fee_per_gas();
    if !new.outbids(&old) || (release.plans.len() >= MANY_PLANS && !doubles) {
        return Err(PlanFault::NoReplacement);
    }
    let earlier: Result<Vec<Transfer>, _> = release.plans.iter().map(decode).collect();
    check_replaces(&earlier?, &transfer, &wallet.address)
}

fn native(address: Address) -> AssetId {
    let Address::Evm { chain, .. } = address;
    AssetId::EvmNative { chain }
}
