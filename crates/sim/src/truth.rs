//! What people really did: the only thing that invariants believe.
//!
//! Nothing here comes from a process under test. Whoever signs something in the simulated world writes
//! it here first.

use portcullis_core::act::Act;
use portcullis_core::codec::encode;
use portcullis_core::evidence::Evidence;
use portcullis_core::id::{FactorId, IssuerId, LedgerEntryId, PrincipalId};
use portcullis_core::signature::PublicKey;
use portcullis_core::{Digest, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The truth; all its clones are one.
#[derive(Clone, Default)]
pub struct Truth(Arc<Mutex<Facts>>);

/// What is true.
#[derive(Default)]
pub struct Facts {
    /// Acts for which somebody really signed, and when first.
    pub acts: BTreeMap<Digest, (Act, Time)>,
    /// Who really signed for each: its principal, and whoever relayed it.
    pub signed: BTreeMap<Digest, BTreeSet<PrincipalId>>,
    /// For which acts the ledger stated a debit, and which.
    pub debits: BTreeMap<Digest, BTreeSet<LedgerEntryId>>,
    /// For which acts onboarding gave its word.
    pub onboarded: BTreeSet<Digest>,
    /// Stops that an honest board took, and when.
    pub posted: BTreeMap<Digest, Time>,
    /// Acts that were acknowledged, and as which entry; taken out by whoever checks.
    pub acknowledged: Vec<(Digest, u64)>,
    /// What keepers' statement keys and issuers' keys have really signed.
    pub said: BTreeSet<Digest>,
    /// By which of these keys each signature was really made.
    pub under: BTreeMap<[u8; 64], PublicKey>,
    /// Further evidence that the back end has really relayed: the act and the bytes, without requests.
    pub relayed: BTreeSet<(Digest, Digest)>,
    /// Latches of the signer that somebody made by hand and that no quorum has cleared.
    pub shut: BTreeMap<Digest, Time>,
    /// To which mail address each contact leads, by its commitment.
    pub contacts: BTreeMap<Digest, String>,
    /// To which addresses mail about an entry was really taken.
    pub delivered: BTreeMap<u64, BTreeSet<String>>,
    /// To which addresses mail about an entry was refused for good.
    pub bounced: BTreeMap<u64, BTreeSet<String>>,
    /// Acts that a lying herald says to have told.
    pub lied_about: BTreeSet<Digest>,
    /// For which acts the identity vendor gave its word.
    pub identified: BTreeSet<Digest>,
    /// Which roots really stand behind an act.
    pub rooted: BTreeMap<Digest, BTreeSet<IssuerId>>,
    /// Of which step of which factor the digits really are that were typed for an act.
    pub codes: BTreeMap<Digest, (FactorId, u32)>,
    /// Acts about whose code a lying herald has spoken.
    pub judged_falsely: BTreeSet<Digest>,
    /// Policies that are none, by their digests.
    pub malformed: BTreeSet<Digest>,
}

impl Truth {
    /// Look at it or add to it.
    pub fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The back end really relays further evidence for an act.
    pub fn relays(&self, act: Digest, evidence: &Evidence) {
        self.facts().relayed.insert((act, content(evidence)));
    }

    /// Whether it did.
    #[must_use]
    pub fn has_relayed(&self, act: Digest, evidence: &Evidence) -> bool {
        self.facts().relayed.contains(&(act, content(evidence)))
    }

    /// Somebody really signs for an act.
    pub fn signs(&self, who: PrincipalId, act: &Act, now: Time) {
        let mut facts = self.facts();
        let digest = act.digest();
        facts
            .acts
            .entry(digest)
            .or_insert_with(|| (act.clone(), now));
        facts.signed.entry(digest).or_default().insert(who);
    }
}

/// What names evidence, whoever brings it.
fn content(evidence: &Evidence) -> Digest {
    let evidence = Evidence {
        requests: Vec::new(),
        ..evidence.clone()
    };
    Digest::plain(&encode(&evidence))
}

impl Facts {
    /// Whether this principal really signed for the act.
    #[must_use]
    pub fn has_signed(&self, who: PrincipalId, act: Digest) -> bool {
        self.signed
            .get(&act)
            .is_some_and(|signers| signers.contains(&who))
    }
}
