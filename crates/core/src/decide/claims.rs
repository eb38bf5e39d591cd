//! What issuers say of the act.

use super::Case;
use super::recovery::issuer_digest;
use crate::digest::Digest;
use crate::effect::Effect;
use crate::evidence::{Attestation, AttestationStatement, Claim};
use crate::genesis::IssuerKind;
use crate::id::{AttestationId, IssuerId, LedgerEntryId};
use crate::reason::Reason;
use crate::signature::PublicKey;
use crate::state::State;
use crate::state::release::Held;
use crate::state::said::Said;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The claims of checked attestations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    /// The factor in the act belongs to the account's holder.
    pub(crate) onboarding: bool,
    /// This ledger entry paid.
    pub(crate) debit: Option<LedgerEntryId>,
    /// An identity vendor knows the holder: the issuer, as it is in force.
    pub(crate) identity: Option<Digest>,
    /// These roots stand behind the act.
    pub(crate) roots: BTreeSet<IssuerId>,
    /// What vendors say of the address that the act names.
    pub(crate) said: Said,
    /// Their own ids of that, which serve this act and no other.
    used: BTreeSet<(IssuerId, AttestationId)>,
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
                Claim::Identity => claims.identity = identity(case, attestation),
                Claim::Root => {
                    claims.roots.insert(attestation.statement.issuer);
                }
                Claim::Screening { id, .. } | Claim::TravelRule { id, .. } => {
                    claims.hear(case, &attestation.statement, id)?;
                }
            }
        }
        Ok(claims)
    }

    /// What is known of a held act by now, besides what state keeps of it.
    pub(crate) fn of_held(held: &Held) -> Self {
        Self {
            said: held.said.unwrap_or_default(),
            ..Self::default()
        }
    }

    /// What is used up once the act is taken.
    pub(crate) fn used_up(&self) -> impl Iterator<Item = Effect> {
        let debit = self.debit.map(Effect::Debit).into_iter();
        debit.chain(self.used_up_by_vendors())
    }

    /// The same of what vendors say, for whoever takes the debit by itself.
    pub(crate) fn used_up_by_vendors(&self) -> impl Iterator<Item = Effect> {
        let used = self.used.iter();
        used.map(|(issuer, id)| Effect::UseUp(*issuer, *id))
    }

    /// Whether a vendor says something under an id that has not served.
    pub(crate) fn has_new_word(&self) -> bool {
        !self.used.is_empty()
    }

    /// An address is what vendors look at: of an act that names none they have nothing to say. An id
    /// serves once, but a vendor may take back by a block what it passed under the same.
    fn hear(
        &mut self,
        case: &Case<'_>,
        statement: &AttestationStatement,
        id: AttestationId,
    ) -> Result<(), Reason> {
        if case.act.kind.address().is_none() {
            return Err(Reason::AttestationInvalid);
        }
        let said = Said::of(&statement.claim, statement.expires);
        if !case.state.facts.is_used_up(statement.issuer, id) {
            self.used.insert((statement.issuer, id));
        } else if said.bars().is_none() {
            return Err(Reason::AttestationUsed);
        }
        self.said.hear(&said, case.time);
        Ok(())
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
    let key = key(case.state, statement).ok_or(Reason::AttestationInvalid)?;
    if statement.act != case.digest {
        return Err(Reason::AttestationForAnotherAct);
    }
    let message = statement.signed_bytes();
    if !case.verify.verify(&key, &message, &attestation.signature) {
        return Err(Reason::AttestationInvalid);
    }
    if case.time >= statement.expires {
        return Err(Reason::AttestationExpired);
    }
    Ok(())
}

/// The key in force of whoever may say this.
fn key<'a>(state: &'a State, statement: &AttestationStatement) -> Option<Cow<'a, PublicKey>> {
    let Some(kind) = statement.claim.issuer() else {
        let root = state.roots().key(statement.issuer).cloned();
        return root.map(Cow::Owned);
    };
    let issuer = state.issuer(statement.issuer, kind)?;
    Some(Cow::Borrowed(&issuer.key))
}

fn identity(case: &Case<'_>, attestation: &Attestation) -> Option<Digest> {
    let issuer = attestation.statement.issuer;
    let issuer = case.state.issuer(issuer, IssuerKind::Identity)?;
    Some(issuer_digest(issuer))
}
