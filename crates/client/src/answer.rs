//! What a gate answers. None of it is believed where money hangs on it: the journal says what is so.

use portcullis_core::act::Scope;
use portcullis_core::decision::Need;
use portcullis_core::factor::FactorKind;
use portcullis_core::genesis::Mode;
use portcullis_core::id::{AccountId, FactorId, KeeperId, PrincipalId, SubjectId};
use portcullis_core::labels;
use portcullis_core::policy::{Name, Policy};
use portcullis_core::statement::Condition;
use portcullis_core::{Act, Decision, Digest, Reason, Span, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An act was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The act's digest; compared with our own before anybody sees this.
    pub digest: Digest,
    /// The journal entry.
    pub entry: u64,
    /// The entry's time.
    pub time: Time,
    /// What was decided; absent where evidence was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Where the act stands now, where it had been accepted before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
}

/// Where an act stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The act.
    pub digest: Digest,
    /// What was asked.
    #[serde(default)]
    pub act: Option<Act>,
    /// The journal entries that speak of it.
    pub entries: Vec<u64>,
    /// `held`, `released`, `withheld`, `signed`, `confirmed`, `returned`, `done`, `refused`.
    pub stage: String,
    /// Why, where it was refused.
    #[serde(default)]
    pub reason: Option<Reason>,
    /// What a held act waits for.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// Not before then.
    #[serde(default)]
    pub until: Option<Time>,
    /// The policy's statements that hold it.
    #[serde(default)]
    pub statements: Vec<Name>,
    /// Transactions that were signed for it.
    #[serde(default)]
    pub transactions: Vec<Digest>,
    /// The signed mandate by which it is paid (docs/spec/mandate.md), where its wallet pays by those.
    #[serde(default)]
    pub mandate: Option<String>,
}

/// The policy in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyInForce {
    /// What `set-policy` names in `replaces`.
    pub digest: Digest,
    /// The policy.
    pub policy: Policy,
}

/// The label sets in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelLists {
    /// By the names of their lists.
    pub lists: BTreeMap<Name, labels::InForce>,
}

/// What a piece of a set came to that was put to the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelsPut {
    /// Of which byte on the next piece is to be.
    pub next: u64,
    /// Whether the set is whole, and there.
    pub whole: bool,
}

/// The checkpoint that a new act names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointNow {
    /// SHA-256 of its body.
    pub digest: Digest,
    /// Its size.
    pub size: u64,
    /// The oldest of its quorum's cosignatures.
    pub time: Time,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Which.
    pub account: AccountId,
    /// Whose.
    pub subject: SubjectId,
    /// Whether everything that loosens is stopped for it.
    pub frozen: bool,
    /// The delay of new addresses and factors.
    pub delay_ms: Span,
    /// How many of its holders loosen together.
    #[serde(default = "one")]
    pub quorum: u32,
    /// Who may act for it.
    pub holders: Vec<Holder>,
    /// Its address book.
    pub addresses: Vec<Address>,
}

/// Gates that do not say so know of no other.
const fn one() -> u32 {
    1
}

/// Who may act for an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Who.
    pub principal: PrincipalId,
    /// What proves it.
    pub factors: Vec<Factor>,
}

/// A factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    /// Its id.
    pub id: FactorId,
    /// Its kind.
    pub kind: FactorKind,
    /// From when it counts; unknown until a checkpoint covers its entry.
    pub available_at: Option<Time>,
    /// Whether it counts from then on: not where its epoch has passed.
    #[serde(default = "yes")]
    pub counts: bool,
    /// Whether it was imported from another system.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub imported: bool,
    /// How many recovery codes are left of it, where it is such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codes_left: Option<u32>,
}

/// Gates that do not say so have nothing to say of it.
const fn yes() -> bool {
    true
}

/// An address in a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// CAIP-10.
    pub address: portcullis_chains::Address,
    /// From when it counts; unknown until a checkpoint covers its entry.
    pub available_at: Option<Time>,
}

/// What the gate says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The genesis digest.
    pub genesis: Digest,
    /// Development or production.
    pub mode: Mode,
    /// Journal entries.
    pub size: u64,
    /// The newest entry's time.
    pub time: Time,
    /// The oldest cosignature of the newest quorum.
    pub witnessed_at: Option<Time>,
    /// Suspensions in force.
    pub suspensions: Vec<InForce>,
    /// How many those are; only so many are listed.
    #[serde(default)]
    pub suspensions_count: u64,
    /// Latches that nobody has cleared.
    #[serde(default)]
    pub latches: Vec<Latch>,
    /// Void entries so far.
    pub void_entries: u64,
    /// Acts that wait.
    #[serde(default)]
    pub held: u64,
    /// Releases on their way.
    #[serde(default)]
    pub in_flight: u64,
    /// Acts whose delay has not begun, because the herald has not told of them yet.
    #[serde(default)]
    pub untold: u64,
    /// Releases of which nothing is signed until a fresh entry says so.
    #[serde(default)]
    pub withheld: Vec<WithheldRelease>,
    /// How many those are; only so many are listed.
    #[serde(default)]
    pub withheld_count: u64,
    /// The digest of the limits in force.
    #[serde(default)]
    pub limits: Option<Digest>,
    /// Holders of accounts.
    #[serde(default)]
    pub holders: Option<Holders>,
    /// Re-enrolment since the newest epoch of customers.
    #[serde(default)]
    pub re_enrolment: Option<ReEnrolment>,
    /// What recoveries of the administrators and rotations name in `replaces`.
    #[serde(default)]
    pub in_force: Option<InForceDigests>,
    /// Endpoints that are sent events.
    #[serde(default)]
    pub webhooks: Vec<Webhook>,
}

/// How an endpoint stands that is sent events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// What the gate's configuration calls it.
    pub name: String,
    /// What it takes.
    pub takes: Takes,
    /// The first entry whose event it has not taken.
    pub next: u64,
    /// How many entries it is behind.
    pub behind: u64,
    /// Since when it takes nothing.
    pub since: Option<Time>,
}

/// What an endpoint takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Takes {
    /// Every event.
    Events,
    /// Nothing: it is tried again.
    Nothing,
    /// Nothing, and nothing is sent to it until the gate starts again.
    Disabled,
}

/// Holders of accounts, all of them together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holders {
    /// How many.
    pub count: u64,
    /// How many have a factor that counts, now or after its delay.
    pub with_factor: u64,
}

/// How far re-enrolment has come since an epoch was raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReEnrolment {
    /// The entry that raised the epoch.
    pub entry: u64,
    /// Its time.
    pub time: Time,
    /// Only factors of this kind; all where absent.
    pub factors: Option<FactorKind>,
    /// Holders who had a factor of that scope until then.
    pub revoked: u64,
    /// Holders of accounts that were open then.
    pub holders: u64,
    /// Those of them who have a factor of that scope now.
    pub enrolled: u64,
}

/// The digests of what is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForceDigests {
    /// Administrators, their quorum and the roots.
    pub administration: Digest,
    /// The issuers.
    pub issuers: Digest,
    /// The roots.
    pub roots: Digest,
    /// The witnesses and their quorum.
    pub witnesses: Digest,
    /// The journal's key.
    pub log: Digest,
    /// Each keeper's statement key.
    pub keepers: Vec<KeeperKey>,
}

/// The digest of a keeper's statement key in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeeperKey {
    /// The keeper.
    pub keeper: KeeperId,
    /// The digest.
    pub key: Digest,
}

/// A withheld release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithheldRelease {
    /// The withdraw act: what a resume or a void names.
    pub act: Digest,
    /// `late`, `suspended`, `revoked` or `cancelled`.
    pub why: String,
}

/// A suspension in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// The act, or the void entry, that made it: what a lift names.
    pub by: Digest,
    /// What is shut.
    pub scope: Scope,
    /// The journal entry.
    pub entry: u64,
    /// When the witnesses first cosigned it.
    pub cosigned_at: Option<Time>,
    /// Keepers that have signed that they have it.
    pub stopped: Vec<KeeperId>,
    /// `recorded` or `stopped`.
    #[serde(default)]
    pub state: String,
    /// Keepers that have not.
    #[serde(default)]
    pub missing: Vec<KeeperId>,
    /// Releases in its scope that were signed earlier and may still arrive.
    #[serde(default)]
    pub signed_earlier: Vec<Digest>,
    /// How many those are; only so many are listed.
    #[serde(default)]
    pub signed_earlier_count: u64,
}

/// A keeper's latch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latch {
    /// Whose.
    pub keeper: KeeperId,
    /// Which: what a lift names.
    pub latch: Digest,
    /// Why.
    pub condition: Condition,
}

impl Latch {
    /// `KEEPER:LATCH`, as a lift names it.
    #[must_use]
    pub fn target(&self) -> String {
        format!("{}:{}", self.keeper, self.latch)
    }
}

/// A refusal: RFC 9457.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `urn:portcullis:reason:NNN`.
    #[serde(default)]
    pub r#type: String,
    /// The reason's stable name.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do.
    #[serde(default)]
    pub detail: String,
    /// The reason's number.
    #[serde(default)]
    pub reason: Option<u16>,
    /// What of the request it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

impl Problem {
    /// The reason, where this binary knows its number.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.reason.and_then(Reason::from_number)
    }
}

impl core::fmt::Display for Problem {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.reason {
            Some(number) => write!(f, "{number} {}: {}", self.title, self.detail)?,
            None => write!(f, "HTTP {} {}: {}", self.status, self.title, self.detail)?,
        }
        match &self.at {
            Some(at) => write!(f, " ({at:?})"),
            None => Ok(()),
        }
    }
}
