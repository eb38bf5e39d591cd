//! Acts that wait, and releases on their way.

use crate::act::Act;
use crate::behaviour::Company;
use crate::digest::Digest;
use crate::factor::Available;
use crate::id::{AccountId, LedgerEntryId, PrincipalId};
use crate::plan::Plan;
use crate::state::account::Proof;
use crate::state::joint::Together;
use crate::state::said::Said;
use crate::time::Time;
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;

/// An accepted act that waits.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Held {
    /// The act.
    #[n(0)]
    pub act: Act,
    /// Its entry.
    #[n(1)]
    pub entry: u64,
    /// Whose factor proved it.
    #[n(2)]
    pub proof: Proof,
    /// The ledger's entry that paid for it.
    #[n(3)]
    pub debit: Option<LedgerEntryId>,
    /// Who approved it, and by which factor: an approval counts while its proof stands.
    #[n(4)]
    pub approvals: BTreeMap<PrincipalId, Proof>,
    /// When its delay has run, for acts that have one.
    #[n(5)]
    pub available: Available,
    /// The time of its entry.
    #[n(6)]
    pub time: Time,
    /// What vendors have said of it, once any has.
    #[n(7)]
    pub said: Option<Said>,
    /// What a withdrawal looked like beside the others as it was asked for. None of one that waits for the word on
    /// a code: it counts nowhere yet.
    #[n(8)]
    pub company: Option<Box<Company>>,
}

/// A planned release.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Release {
    /// The withdraw act.
    #[n(0)]
    pub act: Act,
    /// The account.
    #[n(1)]
    pub account: AccountId,
    /// Whose factor proved it.
    #[n(2)]
    pub proof: Proof,
    /// The entry that released it last (first release, settlement, resume, void).
    #[n(3)]
    pub entry: u64,
    /// That entry's time: if its first cosignature is over 30 s later, it has no effect.
    #[n(4)]
    pub time: Time,
    /// The running digest of effects after that entry; receipts repeat it.
    #[n(5)]
    pub effects: Digest,
    /// All plans so far, the newest last. All conflict: one nonce, or one shared input. Of a batch the leader has them
    /// for all; see [`plans_of`](crate::state::Facts::plans_of).
    #[n(6)]
    pub plans: Vec<Plan>,
    /// What has been signed: plan and transaction hash.
    #[n(7)]
    pub signed: Vec<SignedPlan>,
    /// Where it stands.
    #[n(8)]
    pub stage: Stage,
    /// The plan that gave it up, once one has: what is planned from then on pays nobody.
    #[n(9)]
    pub voided_by: Option<Digest>,
    /// The time of the entry that planned it first, and charged it.
    #[n(10)]
    pub planned: Time,
    /// Who stood behind it besides, where the account has a quorum of its own.
    #[n(11)]
    pub beside: Together,
    /// The first of its batch, where its wallet spends coins: itself, or the one that it is paid with.
    #[n(12)]
    pub leader: Option<Digest>,
}

/// A signed plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SignedPlan {
    /// The plan's digest.
    #[n(0)]
    pub plan: Digest,
    /// The transaction's hash.
    #[n(1)]
    pub transaction: Digest,
}

/// Where a release stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Stage {
    /// The signer may sign the newest plan.
    #[n(0)]
    Released,
    /// Nothing may be signed until a fresh entry.
    #[n(1)]
    Withheld(#[n(0)] Withheld),
}

/// Why a release is withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Withheld {
    /// Its first cosignature came over 30 s after its time. It goes out again by itself.
    #[n(0)]
    Late,
    /// A suspension took it in. An operator resumes or voids it after the lift.
    #[n(1)]
    Suspended,
    /// Its factor, its address or its account was taken back. It is given up by itself, unless an
    /// operator has resumed it on a new assertion.
    #[n(2)]
    Revoked,
    /// It was cancelled. It is given up by itself.
    #[n(3)]
    Cancelled,
}

impl Release {
    /// Whose factors stand behind it: of whoever asked, and of those who did so together.
    pub fn proofs(&self) -> impl Iterator<Item = &Proof> {
        core::iter::once(&self.proof).chain(self.beside.proofs())
    }

    /// The plan that may be signed as far as this release goes: others of its batch may bar it
    /// ([`crate::state::Facts::signable`]).
    #[must_use]
    pub fn current_plan(&self) -> Option<&Plan> {
        match self.stage {
            Stage::Released => self.plans.last(),
            Stage::Withheld(_) => None,
        }
    }

    /// Whether the plan pays nobody: the one that gave the release up, or a fee bump of it. Of one of a batch,
    /// [`is_void_plan`](crate::state::Facts::is_void_plan) says whether it pays this one.
    #[must_use]
    pub fn is_void_plan(&self, plan: Digest) -> bool {
        self.is_void_of(&self.plans, plan)
    }

    pub(super) fn is_void_of(&self, plans: &[Plan], plan: Digest) -> bool {
        let digests = plans.iter().map(Plan::digest);
        digests
            .skip_while(|digest| Some(*digest) != self.voided_by)
            .any(|digest| digest == plan)
    }

    /// Whether a signer has signed the plan.
    #[must_use]
    pub fn is_signed(&self, plan: Digest) -> bool {
        self.signed.iter().any(|signed| signed.plan == plan)
    }
}

/// How a withdrawal ended; kept for a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Ended {
    /// How.
    #[n(0)]
    pub end: End,
    /// At the time of this entry.
    #[n(1)]
    pub time: Time,
    /// Whose.
    #[n(2)]
    pub account: Option<AccountId>,
}

/// How an act ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum End {
    /// The money arrived.
    #[n(0)]
    Confirmed(#[n(0)] Digest),
    /// Nothing moved and nothing can move any more: the platform re-credits.
    #[n(1)]
    Returned,
    /// It took effect (acts that move no money).
    #[n(2)]
    Done,
}
