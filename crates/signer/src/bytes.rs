//! The planned bytes, read a second time.
//!
//! The core has compared them with the act already. Here they are compared again, field by field and
//! by other code, with what this signer knows by itself: its key, its node's chain, its caps.

use crate::config::Chain;
use portcullis_chains::caip::Address;
use portcullis_chains::ethereum::{NotPlain, Transfer, TxError, UnsignedTx};
use portcullis_chains::{Amount, ChainId};
use portcullis_core::ActKind;
use portcullis_core::genesis::Wallet;
use portcullis_core::plan::Plan;
use portcullis_core::state::release::Release;

/// A plan that is exactly what its release may be: a transaction that the wallet may sign.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    tx: UnsignedTx,
    transfer: Transfer,
    is_void: bool,
}

/// Why planned bytes are not signed. Each is an alarm: the core let them pass and this signer does
/// not, so one of the two is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanRefused {
    /// Not a transaction.
    #[error("the planned bytes are no transaction: {0}")]
    Transaction(#[from] TxError),
    /// Not a plain transfer.
    #[error("the planned bytes are no plain transfer: {0}")]
    NotPlain(#[from] NotPlain),
    /// The wallet's address is not the key's.
    #[error("the wallet's address is not that of its key: check the names in the configuration")]
    OtherKey,
    /// On another chain than the wallet.
    #[error("the plan is for {0}, the wallet is not")]
    Chain(ChainId),
    /// Another nonce than the release's first plan.
    #[error("the plan spends nonce {got}, the release has nonce {first}")]
    Nonce {
        /// Planned now.
        got: u64,
        /// Planned first.
        first: u64,
    },
    /// Another payee than the act's.
    #[error("the plan pays {0}, the act does not")]
    Payee(Address),
    /// Another asset or amount than the act's.
    #[error("the plan pays another asset or amount than the act")]
    Amount,
    /// The release was given up, and the plan pays.
    #[error("the release was given up, and the plan still pays")]
    GivenUp,
    /// The fee may be above a cap.
    #[error("the plan may cost {0} in fees, above the signer's or the wallet's cap")]
    Fee(Amount),
    /// The fee per gas is above the signer's cap.
    #[error("the plan may pay {0} per gas, above the signer's cap")]
    FeePerGas(Amount),
}

impl Checked {
    /// Compare the plan with the release, the wallet, its key and the chain's caps.
    pub(crate) fn new(
        plan: &Plan,
        release: &Release,
        wallet: &Wallet,
        key: [u8; 20],
        chain: &Chain,
    ) -> Result<Self, PlanRefused> {
        let tx = UnsignedTx::from_bytes(&plan.unsigned)?;
        let transfer = Transfer::decode(&tx)?;
        check_place(&transfer, release, wallet, key)?;
        check_fees(&transfer, wallet, chain)?;
        let is_void = release.is_void_plan(plan.digest());
        if is_void {
            if !transfer.is_void(&wallet.address) {
                return Err(PlanRefused::GivenUp);
            }
        } else {
            check_pays(&transfer, release)?;
        }
        Ok(Self {
            tx,
            transfer,
            is_void,
        })
    }

    pub(crate) fn tx(&self) -> &UnsignedTx {
        &self.tx
    }

    pub(crate) fn transfer(&self) -> &Transfer {
        &self.transfer
    }

    /// Whether it gives the release up instead of paying.
    pub(crate) fn is_void(&self) -> bool {
        self.is_void
    }
}

fn check_place(
    transfer: &Transfer,
    release: &Release,
    wallet: &Wallet,
    key: [u8; 20],
) -> Result<(), PlanRefused> {
    let Address::Evm { address, .. } = wallet.address;
    if address != key {
        return Err(PlanRefused::OtherKey);
    }
    if transfer.chain() != wallet.address.chain() {
        return Err(PlanRefused::Chain(transfer.chain()));
    }
    let first = release.plans.first().map(|plan| &plan.unsigned);
    let first = UnsignedTx::from_bytes(first.map_or(&[], Vec::as_slice))?.nonce();
    let got = transfer.nonce();
    if got == first {
        Ok(())
    } else {
        Err(PlanRefused::Nonce { got, first })
    }
}

fn check_fees(transfer: &Transfer, wallet: &Wallet, chain: &Chain) -> Result<(), PlanRefused> {
    let (most, per_gas) = (transfer.fee_ceiling(), transfer.fees().max_fee_per_gas());
    if most > chain.max_fee || most > wallet.fee_ceiling {
        return Err(PlanRefused::Fee(most));
    }
    if Amount(per_gas) > chain.max_fee_per_gas {
        return Err(PlanRefused::FeePerGas(Amount(per_gas)));
    }
    Ok(())
}

fn check_pays(transfer: &Transfer, release: &Release) -> Result<(), PlanRefused> {
    let ActKind::Withdraw(act) = &release.act.kind else {
        return Err(PlanRefused::Amount);
    };
    if transfer.to() != act.to {
        return Err(PlanRefused::Payee(transfer.to()));
    }
    if (transfer.asset(), transfer.amount()) != (act.asset, act.amount) {
        return Err(PlanRefused::Amount);
    }
    Ok(())
}
