//! Payments by a mandate, which somebody else carries out on whatever chain (docs/spec/mandate.md).
//!
//! State knows every byte of it, so the sequencer proposes nothing.

use super::fault::PlanFault;
use crate::act::Withdraw;
use crate::digest::Digest;
use crate::genesis::Wallet;
use crate::network::Network;
use crate::plan::Plan;
use crate::state::release::Release;
use crate::time::{Span, Time};
use portcullis_mandate::{Mandate, Payment, Permits};

/// The mandate that a plan's bytes are.
pub fn decode(plan: &Plan) -> Result<Mandate, PlanFault> {
    let text = core::str::from_utf8(&plan.unsigned).map_err(|_| PlanFault::NotPlain)?;
    text.parse().map_err(|_| PlanFault::NotPlain)
}

/// The plan of a withdrawal at this number, for an entry of this time.
pub(super) fn out(
    network: &Network,
    (wallet, number, holds): (&Wallet, u64, Span),
    (digest, asked): (Digest, &Withdraw),
    time: Time,
) -> Plan {
    let payment = Payment {
        asset: asked.asset.to_string(),
        to: asked.to.to_string(),
        amount: asked.amount.0,
    };
    let permits = Permits::Pay {
        payment,
        expires_ms: time.after(holds).0,
    };
    plan(network, wallet.id, number, digest, permits)
}

/// The plan that gives a release up, under the release's own number.
pub(super) fn void(network: &Network, act: Digest, release: &Release) -> Option<Plan> {
    let first = release.plans.first()?;
    let number = decode(first).ok()?.number;
    Some(plan(network, first.wallet, number, act, Permits::Void))
}

fn plan(
    network: &Network,
    wallet: crate::id::WalletId,
    number: u64,
    act: Digest,
    permits: Permits,
) -> Plan {
    let mandate = Mandate {
        network: network.digest().0,
        wallet: wallet.0,
        number,
        act: act.0,
        permits,
    };
    Plan {
        wallet,
        unsigned: mandate.to_string().into_bytes(),
    }
}

/// Check a fresh mandate in the place of one that has expired: the same but for its end. A void has none.
pub(super) fn check_replacement(
    holds: Span,
    (newest, next): (&Plan, &Plan),
    time: Time,
) -> Result<(), PlanFault> {
    let fresh = freshened(holds, newest, time)?;
    if *next == fresh {
        Ok(())
    } else {
        Err(PlanFault::NoReplacement)
    }
}

/// The same mandate, from an entry of this time on.
pub fn freshened(holds: Span, newest: &Plan, time: Time) -> Result<Plan, PlanFault> {
    let mut mandate = decode(newest)?;
    let Permits::Pay { expires_ms, .. } = &mut mandate.permits else {
        return Err(PlanFault::NoReplacement);
    };
    if time.0 < *expires_ms {
        return Err(PlanFault::Holds);
    }
    *expires_ms = time.after(holds).0;
    Ok(Plan {
        wallet: newest.wallet,
        unsigned: mandate.to_string().into_bytes(),
    })
}
