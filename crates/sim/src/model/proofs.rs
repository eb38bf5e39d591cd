//! What a proof is worth: which factor made it, as of which entry, and whether it still counts.

use super::Model;
use super::codes::factor_of;
use portcullis_core::Digest;
use portcullis_core::evidence::Evidence;
use portcullis_core::factor::factor_id;
use portcullis_core::id::{AccountId, FactorId, PrincipalId};
use portcullis_core::realm::Role;
use std::collections::BTreeMap;

/// A customer's proof, as the journal has it.
#[derive(Clone, Copy, Debug)]
pub struct Proof {
    /// By which passkey, or app.
    pub factor: FactorId,
    /// By which entry.
    pub entry: u64,
}

impl Proof {
    /// What the evidence of an entry proves, where a passkey is in it; or is to prove, where a code is.
    fn of(evidence: &Evidence, entry: u64) -> Option<Self> {
        let assertion = evidence.assertions.first();
        let passkey = assertion.map(|assertion| factor_id(&assertion.credential.0));
        let factor = passkey.or_else(|| factor_of(evidence))?;
        Some(Self { factor, entry })
    }
}

impl Model {
    /// What the evidence of an entry proves of a customer, by a passkey or by a request key of its own.
    pub(super) fn proof(&self, evidence: &Evidence, entry: u64) -> Option<Proof> {
        let own = |factor| self.factors.contains_key(&factor);
        Proof::of(evidence, entry).or_else(|| Proof::by_request(evidence, entry, own))
    }

    /// Whether a proof counts still: its factor is the same as then, and no freeze came since.
    pub(super) fn stands(&self, account: AccountId, proof: Option<Proof>) -> bool {
        proof.is_some_and(|proof| {
            let factor = self.factors.get(&proof.factor);
            let frozen = self.frozen_by.get(&account);
            factor.is_some_and(|factor| factor.entry <= proof.entry)
                && frozen.is_none_or(|frozen| *frozen <= proof.entry)
        })
    }

    /// Those of who approved that have one of these roles now, and the factor by which they did.
    pub(super) fn counting(
        &self,
        approvals: &BTreeMap<PrincipalId, u64>,
        roles: &[Role],
    ) -> impl Iterator<Item = PrincipalId> {
        approvals
            .iter()
            .filter(|(who, entry)| {
                let may = roles.iter().any(|role| self.has(**who, *role));
                let unproven = self.staff_revoked.get(who);
                may && unproven.is_none_or(|revoked| revoked < entry)
            })
            .map(|(who, _)| *who)
    }

    /// Each assertion for an act proves once: whoever kept an old one has nothing.
    pub(super) fn spend(&mut self, act: Digest, evidence: &Evidence) {
        for assertion in &evidence.assertions {
            let signature = *assertion.signature.as_bytes();
            if !self.spent.insert((act, signature)) {
                self.violated("an old assertion proves nothing again", act);
            }
        }
    }

    /// An act is proven again, wherever it waits.
    pub(super) fn prove_again(&mut self, act: Digest, evidence: &Evidence, entry: u64) {
        let Some(proof) = Proof::of(evidence, entry) else {
            return;
        };
        self.spend(act, evidence);
        self.check_asserted_again(act);
        if let Some(waiting) = self.waiting.get_mut(&act) {
            waiting.proof = Some(proof);
        }
        let mut payments = self.payments.values_mut();
        if let Some(payment) = payments.find(|payment| payment.act == act) {
            payment.proof = Some(proof);
        }
    }
}
