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
use crate::state::joint::Together;
use crate::state::release::Release;
use portcullis_chains::caip::{Address, AssetId};
use portcullis_chains::ethereum::{Fees, OtherChain, Transfer, UnsignedTx};
use portcullis_chains::{Amount, ethereum};

/// What has to be planned: everything but the fees, which the sequencer proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    wallet: WalletId,
    from: Address,
    coin: AssetId,
    nonce: u64,
    fee_ceiling: Amount,
    pays: Pays,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pays {
    /// A withdrawal.
    Release(Box<Withdrawal>),
    /// The wallet itself, nothing: the release's nonce is spent.
    Void {
        release: Digest,
        earlier: Vec<Transfer>,
        /// Fees of the newest earlier plan that a signer has stated as signed.
        out: Option<Fees>,
    },
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
    /// Nodes take no such transaction, so that its nonce would stay open.
    #[error("nodes take no transaction with so little gas, or without a tip")]
    Unsendable,
    /// A payment at fees that nothing could outbid within the wallet's ceiling.
    #[error("the plan's fees leave no room below the wallet's ceiling for one that outbids it")]
    NoRoom,
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
        Self::of(wallet, nonce, Pays::Release(Box::new(pays)))
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

    /// That of giving up a release: at the release's own nonce.
    pub(super) fn void(state: &State, digest: Digest, release: &Release) -> Option<Self> {
        let earlier: Option<Vec<Transfer>> = release.plans.iter().map(|p| decode(p).ok()).collect();
        let earlier = earlier?;
        let nonce = earlier.first()?.nonce();
        let wallet = state.network.wallet(release.plans.first()?.wallet)?;
        let plans = release.plans.iter().zip(&earlier).rev();
        let mut signed = plans.filter(|(plan, _)| release.is_signed(plan.digest()));
        let out = signed.next().map(|(_, transfer)| transfer.fees());
        Self::of(
            wallet,
            nonce,
            Pays::Void {
                release: digest,
                earlier,
                out,
            },
        )
    }

    fn of(wallet: &Wallet, nonce: u64, pays: Pays) -> Option<Self> {
        let (from, fee_ceiling) = (wallet.address, wallet.fee_ceiling);
        Some(Self {
            wallet: wallet.id,
            from,
            coin: coin(wallet)?,
            nonce,
            fee_ceiling,
            pays,
        })
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
            Pays::Release(pays) => pays.asset,
            Pays::Void { .. } => self.coin,
        }
    }

    /// An earlier plan's fees, which a void must outbid to take its place with the nodes. A plan that
    /// nobody has signed is with no node: whatever fees it names, they hold up nothing.
    #[must_use]
    pub fn outbids(&self) -> Option<Fees> {
        match &self.pays {
            Pays::Release(_) => None,
            Pays::Void { out, .. } => *out,
        }
    }

    /// Whether state takes these fees: they stay within the wallet's ceiling, and those of a payment
    /// leave room there for what may have to take its place.
    #[must_use]
    pub fn affords(&self, fees: &Fees) -> bool {
        let ceiling = self.fee_ceiling;
        fees.ceiling() <= ceiling && (self.is_void() || leaves_room(fees, ceiling))
    }

    fn is_void(&self) -> bool {
        matches!(self.pays, Pays::Void { .. })
    }

    /// The plan with these fees.
    pub fn plan(&self, fees: Fees) -> Result<Plan, OtherChain> {
        let transfer = match &self.pays {
            Pays::Release(pays) => {
                Transfer::new(pays.asset, pays.to, pays.amount, self.nonce, fees)?
            }
            Pays::Void { .. } => Transfer::void(self.from, self.nonce, fees)?,
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
            Pays::Release(pays) => {
                let asked = (pays.to, pays.asset, pays.amount);
                if (transfer.to(), transfer.asset(), transfer.amount()) != asked {
                    return Err(PlanFault::Differs);
                }
                Ok(pays.effects(plan))
            }
            Pays::Void {
                release, earlier, ..
            } => {
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
        check_fees(&transfer, self.fee_ceiling, self.is_void())?;
        Ok(transfer)
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

/// Fees with which the nonce can always be spent in the end (docs/design/020): nodes take the
/// transaction, and a payment can be outbid within the wallet's ceiling, so that one that stays
/// unconfirmed can be given up. The void itself is the last word and may use the ceiling up.
fn check_fees(transfer: &Transfer, ceiling: Amount, is_void: bool) -> Result<(), PlanFault> {
    let fees = transfer.fees();
    if fees.gas_limit() < transfer.least_gas() || fees.max_priority_fee_per_gas() == 0 {
        return Err(PlanFault::Unsendable);
    }
    if fees.ceiling() > ceiling {
        return Err(PlanFault::Fee);
    }
    if is_void || leaves_room(&fees, ceiling) {
        Ok(())
    } else {
        Err(PlanFault::NoRoom)
    }
}

/// Whether fees that outbid these stay within the ceiling, at the same gas limit.
#[must_use]
pub fn leaves_room(fees: &Fees, ceiling: Amount) -> bool {
    fees.least_above()
        .is_some_and(|least| least.ceiling() <= ceiling)
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
    let is_void = transfer.is_void(&wallet.address);
    check_fees(&transfer, wallet.fee_ceiling, is_void)?;
    // A fee bump never turns a payment into a void or a void into a payment: that takes an act.
    if newest.is_void(&wallet.address) != is_void {
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

/// The coin in which a wallet pays its fees, and nothing to itself.
fn coin(wallet: &Wallet) -> Option<AssetId> {
    let chain = wallet.address.chain().evm()?;
    Some(AssetId::EvmNative { chain })
}
