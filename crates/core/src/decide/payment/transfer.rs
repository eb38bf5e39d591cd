//! Payments by a plain transfer on a chain with Ethereum's transactions.

use super::fault::PlanFault;
use crate::act::Withdraw;
use crate::genesis::Wallet;
use crate::plan::Plan;
use crate::state::release::Release;
use portcullis_chains::Amount;
use portcullis_chains::caip::{Address, AssetId};
use portcullis_chains::ethereum::{self, Fees, OtherChain, Transfer, UnsignedTx};

/// What has to be planned: everything but what a withdrawal asks, and the fees, which the sequencer proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    from: Address,
    /// The coin in which the wallet pays its fees, and nothing to itself.
    pub(super) coin: AssetId,
    nonce: u64,
    pub(super) ceiling: Amount,
    /// Where it pays the wallet itself, nothing: the release's nonce is spent.
    pub(super) void: Option<Void>,
}

/// What a void takes the place of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Void {
    earlier: Vec<Transfer>,
    /// Fees of the newest earlier plan that a signer has stated as signed.
    pub(super) out: Option<Fees>,
}

impl Terms {
    /// A payment at this nonce; none from a wallet on another kind of chain.
    pub(super) fn new(wallet: &Wallet, nonce: u64) -> Option<Self> {
        let chain = wallet.address.chain().evm()?;
        Some(Self {
            from: wallet.address,
            coin: AssetId::EvmNative { chain },
            nonce,
            ceiling: wallet.fee_ceiling,
            void: None,
        })
    }

    /// What gives a release up: at the release's own nonce.
    pub(super) fn void(wallet: &Wallet, release: &Release) -> Option<Self> {
        let earlier: Option<Vec<Transfer>> = release.plans.iter().map(|p| decode(p).ok()).collect();
        let earlier = earlier?;
        let nonce = earlier.first()?.nonce();
        let plans = release.plans.iter().zip(&earlier).rev();
        let mut signed = plans.filter(|(plan, _)| release.is_signed(plan.digest()));
        let out = signed.next().map(|(_, transfer)| transfer.fees());
        let void = Some(Void { earlier, out });
        Some(Self {
            void,
            ..Self::new(wallet, nonce)?
        })
    }

    /// Whether state takes these fees.
    pub(super) fn affords(&self, fees: &Fees) -> bool {
        let ceiling = self.ceiling;
        fees.ceiling() <= ceiling && (self.void.is_some() || leaves_room(fees, ceiling))
    }

    /// The transaction that pays what is asked, or nobody, with these fees.
    pub(super) fn build(
        &self,
        asked: Option<&Withdraw>,
        fees: Fees,
    ) -> Result<Vec<u8>, OtherChain> {
        let transfer = match asked {
            Some(asked) => Transfer::new(asked.asset, asked.to, asked.amount, self.nonce, fees)?,
            None => Transfer::void(self.from, self.nonce, fees)?,
        };
        Ok(transfer.build().to_bytes())
    }

    /// Check that a plan is exactly this payment.
    pub(super) fn check(&self, asked: Option<&Withdraw>, plan: &Plan) -> Result<(), PlanFault> {
        let transfer = decode(plan)?;
        if transfer.chain() != self.from.chain() {
            return Err(PlanFault::Differs);
        }
        if transfer.nonce() != self.nonce {
            return Err(PlanFault::Nonce);
        }
        check_fees(&transfer, self.ceiling, self.void.is_some())?;
        match (asked, &self.void) {
            (Some(asked), None) => {
                let pays = (transfer.to(), transfer.asset(), transfer.amount());
                let is_same = pays == (asked.to, asked.asset, asked.amount);
                is_same.then_some(()).ok_or(PlanFault::Differs)
            }
            (None, Some(void)) if transfer.is_void(&self.from) => {
                check_replaces(&void.earlier, &transfer, &self.from)
            }
            _ => Err(PlanFault::Differs),
        }
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
pub(super) fn check_replacement(
    wallet: &Wallet,
    release: &Release,
    (newest, next): (&Plan, &Plan),
) -> Result<(), PlanFault> {
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
