//! A planned mandate, against the release and the wallet.

use super::PlanRefused;
use crate::record::Pays;
use portcullis_core::genesis::Wallet;
use portcullis_core::plan::Plan;
use portcullis_core::state::release::Release;
use portcullis_core::{ActKind, Digest, Network, Time};
use portcullis_mandate::{Malformed, Mandate, Permits};

/// A mandate that the signer may give.
#[derive(Clone, Debug)]
pub(crate) struct CheckedMandate {
    mandate: Mandate,
    pays: Option<Pays>,
}

impl CheckedMandate {
    /// Compare the plan with the release and the wallet.
    pub(crate) fn new(
        network: &Network,
        plan: &Plan,
        (act, release): (Digest, &Release),
        wallet: &Wallet,
    ) -> Result<Self, PlanRefused> {
        let mandate = read(&plan.unsigned)?;
        let named = (mandate.network, mandate.wallet, mandate.act);
        if named != (network.digest().0, wallet.id.0, act.0) {
            return Err(PlanRefused::OtherMandate);
        }
        let first = release.plans.first().map(|plan| plan.unsigned.as_slice());
        let (got, first) = (mandate.number, read(first.unwrap_or_default())?.number);
        if got != first {
            return Err(PlanRefused::Nonce { got, first });
        }
        let is_void = release.is_void_plan(plan.digest());
        let pays = if is_void {
            check_void(&mandate)?;
            None
        } else {
            Some(check_pays(&mandate, release)?)
        };
        Ok(Self { mandate, pays })
    }

    pub(crate) fn mandate(&self) -> &Mandate {
        &self.mandate
    }

    /// The number that it takes.
    pub(crate) fn number(&self) -> u64 {
        self.mandate.number
    }

    /// What it permits; nothing where it gives the release up.
    pub(crate) fn pays(&self) -> Option<Pays> {
        self.pays
    }

    /// When it can be used no more; a void is no use at any time.
    pub(crate) fn expires(&self) -> Option<Time> {
        match self.mandate.permits {
            Permits::Pay { expires_ms, .. } => Some(Time(expires_ms)),
            Permits::Void => None,
        }
    }
}

fn read(bytes: &[u8]) -> Result<Mandate, Malformed> {
    let text = core::str::from_utf8(bytes).map_err(|_| Malformed::NotText)?;
    text.parse()
}

fn check_void(mandate: &Mandate) -> Result<(), PlanRefused> {
    match mandate.permits {
        Permits::Void => Ok(()),
        Permits::Pay { .. } => Err(PlanRefused::GivenUp),
    }
}

fn check_pays(mandate: &Mandate, release: &Release) -> Result<Pays, PlanRefused> {
    let ActKind::Withdraw(act) = &release.act.kind else {
        return Err(PlanRefused::Amount);
    };
    let Permits::Pay { payment, .. } = &mandate.permits else {
        return Err(PlanRefused::Amount);
    };
    if payment.to != act.to.to_string() {
        return Err(PlanRefused::Payee(act.to));
    }
    if (payment.asset.as_str(), payment.amount) != (act.asset.to_string().as_str(), act.amount.0) {
        return Err(PlanRefused::Amount);
    }
    Ok(Pays {
        asset: act.asset,
        amount: act.amount,
    })
}
