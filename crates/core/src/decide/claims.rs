//! What issuers say of the act.

use super::Case;
use crate::evidence::{Attestation, Claim};
use crate::genesis::IssuerKind;
use crate::id::LedgerEntryId;
use crate::reason::Reason;

/// The claims of checked attestations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    /// The factor in the act belongs to the account's holder.
    pub(crate) onboarding: bool,
    /// This ledger entry paid.
    pub(crate) debit: Option<LedgerEntryId>,
}

impl Claims {
    /// Check every attestation; one that does not hold refuses the act.
    pub(crate) fn read(case: &Case<'_>) -> Result<Self, Reason> {
        let mut claims = Self::default();
        for attestation in &case.evidence.attestations {
            check(case, attestation)?;
            match attestation.statement.claim {
                Claim::Onboarding => claims.onboarding = true,
                Claim::LedgerDebit { entry } => claims.debit = Some(claims.one_debit(case, entry)?),
            }
        }
        Ok(claims)
    }

    fn one_debit(&self, case: &Case<'_>, entry: LedgerEntryId) -> Result<LedgerEntryId, Reason> {
        if case.state.facts.debits.contains(&entry) {
            return Err(Reason::DebitConsumed);
        }
        if self.debit.is_some_and(|other| other != entry) {
            return Err(Reason::DebitContradicts);
        }
        Ok(entry)
    }
}

fn check(case: &Case<'_>, attestation: &Attestation) -> Result<(), Reason> {
    let statement = &attestation.statement;
    let kind = match statement.claim {
        Claim::Onboarding => IssuerKind::Onboarding,
        Claim::LedgerDebit { .. } => IssuerKind::Ledger,
    };
    let issuer = case.state.network.issuer(statement.issuer, kind);
    let issuer = issuer.ok_or(Reason::AttestationInvalid)?;
    if statement.act != case.digest {
        return Err(Reason::AttestationForAnotherAct);
    }
    if !case.verify.verify(
        &issuer.key,
        &statement.signed_bytes(),
        &attestation.signature,
    ) {
        return Err(Reason::AttestationInvalid);
    }
    if case.time >= statement.expires {
        return Err(Reason::AttestationExpired);
    }
    Ok(())
}
