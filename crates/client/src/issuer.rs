//! Attestations: what the platform's onboarding and ledger systems sign, and its vendors.

use portcullis_core::evidence::{Attestation, AttestationStatement, Claim, Finding};
use portcullis_core::id::{AttestationId, IssuerId, LedgerEntryId};
use portcullis_core::{Digest, Time};
use portcullis_keys::{SignError, StatementKey};
use std::sync::Arc;

/// An issuer that is in force, with its key.
#[derive(Clone)]
pub struct Issuer {
    id: IssuerId,
    key: Arc<dyn StatementKey>,
}

impl Issuer {
    /// The issuer with this id.
    #[must_use]
    pub fn new(id: IssuerId, key: Arc<dyn StatementKey>) -> Self {
        Self { id, key }
    }

    /// The factor in the act belongs to the account's holder.
    pub fn onboarding(&self, act: Digest, expires: Time) -> Result<Attestation, SignError> {
        self.attest(act, expires, Claim::Onboarding)
    }

    /// The account was debited by the act's amount, in this entry of the ledger.
    pub fn debit(
        &self,
        act: Digest,
        entry: LedgerEntryId,
        expires: Time,
    ) -> Result<Attestation, SignError> {
        self.attest(act, expires, Claim::LedgerDebit { entry })
    }

    /// What a screening of the act found, by the report with this digest.
    pub fn screening(
        &self,
        act: Digest,
        id: AttestationId,
        (finding, report): (Finding, Digest),
        expires: Time,
    ) -> Result<Attestation, SignError> {
        let claim = Claim::Screening {
            id,
            finding,
            report,
        };
        self.attest(act, expires, claim)
    }

    /// The travel rule's message with this digest was exchanged about the act.
    pub fn travel_rule(
        &self,
        act: Digest,
        id: AttestationId,
        message: Digest,
        expires: Time,
    ) -> Result<Attestation, SignError> {
        self.attest(act, expires, Claim::TravelRule { id, message })
    }

    fn attest(&self, act: Digest, expires: Time, claim: Claim) -> Result<Attestation, SignError> {
        let statement = AttestationStatement {
            issuer: self.id,
            act,
            expires,
            claim,
        };
        let signature = self.key.sign(&statement.signed_bytes())?;
        Ok(Attestation {
            statement,
            signature,
        })
    }
}
