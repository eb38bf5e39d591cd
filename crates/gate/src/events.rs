//! Events: what each journal entry made of which act, for whoever follows along without deciding again.
//!
//! Most entries say themselves what became of their act. Some make more of it, or of other acts, than
//! they say: a freeze withholds releases, a checkpoint finds one late, the voiding's confirmation returns
//! one. Those are few, and the index keeps them as [`Aside`]s.

use portcullis_core::act::ActKind;
use portcullis_core::decision::Need;
use portcullis_core::effect::Effect;
use portcullis_core::entry::Submission;
use portcullis_core::id::{AccountId, KeeperId, PrincipalId};
use portcullis_core::state::release::End;
use portcullis_core::statement::{Says, SignedStatement};
use portcullis_core::{Act, Body, Decision, Digest, Entry, Reason, Time};
use serde::Serialize;

/// How far an act has come.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    minicbor::Encode,
    minicbor::Decode,
    Serialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Nothing came of it.
    #[n(0)]
    Refused,
    /// It waits.
    #[n(1)]
    Held,
    /// It is planned, and may be signed.
    #[n(2)]
    Released,
    /// It is planned, and may not leave.
    #[n(3)]
    Withheld,
    /// A signer signed it.
    #[n(4)]
    Signed,
    /// The money arrived.
    #[n(5)]
    Confirmed,
    /// Nothing moved and nothing can move any more: the platform re-credits.
    #[n(6)]
    Returned,
    /// It took effect, and moves no money.
    #[n(7)]
    Done,
}

/// What an entry made of an act besides what it says itself.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, minicbor::Encode, minicbor::Decode,
)]
pub struct Aside {
    /// The entry.
    #[n(0)]
    pub entry: u64,
    /// The act; none where the entry is void, and made nothing of anything.
    #[n(1)]
    pub act: Option<Digest>,
    /// How far it came.
    #[n(2)]
    pub stage: Stage,
}

/// What an entry made of acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The entry's index: the cursor.
    pub entry: u64,
    /// The entry's time.
    pub time: Time,
    /// What kind of entry.
    pub r#type: &'static str,
    /// Whether the entry is void: it decides otherwise than it says, and nothing came of it.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub void: bool,
    /// The act that the entry is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Digest>,
    /// What is asked, where the entry submits the act.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// Who asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<PrincipalId>,
    /// For which account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// How far the act has come with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// Why, where it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What it waits for, where it waits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Need>,
    /// Not before then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Which keeper speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keeper: Option<KeeperId>,
    /// Of what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<&'static str>,
    /// The transaction that was seen in the chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Digest>,
    /// The signed mandate (docs/spec/mandate.md), for whoever carries it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mandate: Option<String>,
    /// What became of other acts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Other>,
}

/// What an entry about something else made of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Other {
    /// The act.
    pub act: Digest,
    /// How far it came.
    pub stage: Stage,
}

impl Event {
    /// The event of an entry, given the entry's asides; none of a checkpoint that made nothing of any act.
    #[must_use]
    pub fn of(entry: &Entry, index: u64, asides: &[Aside]) -> Option<Self> {
        let mut event = Self::said(entry, index);
        if asides.iter().any(|aside| aside.act.is_none()) {
            event.void = true;
            event.stage = None;
            return Some(event);
        }
        for aside in asides {
            match aside.act {
                Some(act) if event.act == Some(act) => event.stage = Some(aside.stage),
                Some(act) => event.others.push(Other {
                    act,
                    stage: aside.stage,
                }),
                None => {}
            }
        }
        let is_empty = matches!(entry.body, Body::Checkpoint(_)) && event.others.is_empty();
        (!is_empty).then_some(event)
    }

    /// What the entry says by itself.
    fn said(entry: &Entry, index: u64) -> Self {
        let mut event = Self::blank(index, entry.time);
        event.stage = stage_said(entry);
        match &entry.body {
            Body::Genesis(_) => event.r#type = "genesis",
            Body::Checkpoint(_) => event.r#type = "checkpoint",
            Body::Act(submission) => event.submitted(submission),
            Body::Evidence(supplement) => event.about("evidence", supplement.act),
            Body::Settle(settlement) => {
                event.about("settlement", settlement.act);
                event.decided(&settlement.decision);
            }
            Body::Replace(replacement) => event.about("replacement", replacement.act),
            Body::Statement(signed) => event.stated(signed),
        }
        event
    }

    fn blank(entry: u64, time: Time) -> Self {
        Self {
            entry,
            time,
            r#type: "",
            void: false,
            act: None,
            kind: None,
            principal: None,
            account: None,
            stage: None,
            reason: None,
            needs: Vec::new(),
            until: None,
            keeper: None,
            says: None,
            transaction: None,
            mandate: None,
            others: Vec::new(),
        }
    }

    fn about(&mut self, r#type: &'static str, act: Digest) {
        self.r#type = r#type;
        self.act = Some(act);
    }

    fn submitted(&mut self, submission: &Submission) {
        let Act {
            kind,
            principal,
            account,
            ..
        } = &submission.act;
        self.about("act", submission.act.digest());
        self.kind = Some(kind.name());
        self.principal = Some(*principal);
        self.account = *account;
        self.decided(&submission.decision);
    }

    fn decided(&mut self, decision: &Decision) {
        match decision {
            Decision::Release => {}
            Decision::Hold { needs, until } => {
                self.needs.clone_from(needs);
                self.until = *until;
            }
            Decision::Refuse { reason } => self.reason = Some(*reason),
        }
    }

    fn stated(&mut self, signed: &SignedStatement) {
        let statement = &signed.statement;
        self.r#type = "statement";
        self.keeper = Some(statement.keeper);
        self.says = Some(statement.says.name());
        self.mandate = mandate_of(&statement.says);
        match &statement.says {
            Says::Signed { act, .. }
            | Says::Told { act, .. }
            | Says::CodeRight { act, .. }
            | Says::CodeWrong { act, .. }
            | Says::Declined { act, .. } => self.act = Some(*act),
            Says::Confirmed {
                act, transaction, ..
            }
            | Says::Reverted {
                act, transaction, ..
            } => {
                self.act = Some(*act);
                self.transaction = Some(*transaction);
            }
            Says::Caps { .. } | Says::Stopped { .. } | Says::Latched { .. } => {}
        }
    }
}

/// The signed mandate that a statement carries, where it carries no transaction.
pub(crate) fn mandate_of(says: &Says) -> Option<String> {
    let Says::Signed { transaction, .. } = says else {
        return None;
    };
    portcullis_mandate::Signed::from_bytes(transaction).ok()?;
    String::from_utf8(transaction.clone()).ok()
}

/// How far the act that an entry is about has come with it, by what the entry says.
fn stage_said(entry: &Entry) -> Option<Stage> {
    match &entry.body {
        Body::Genesis(_) | Body::Checkpoint(_) | Body::Evidence(_) | Body::Replace(_) => None,
        Body::Act(submission) => Some(match &submission.decision {
            Decision::Refuse { .. } => Stage::Refused,
            Decision::Hold { .. } => Stage::Held,
            Decision::Release => match &submission.act.kind {
                ActKind::Withdraw(_) => Stage::Released,
                _ => Stage::Done,
            },
        }),
        Body::Settle(settlement) => match (&settlement.decision, &settlement.plan) {
            (Decision::Refuse { .. }, _) => Some(Stage::Returned),
            (Decision::Hold { .. }, _) => None,
            (Decision::Release, Some(_)) => Some(Stage::Released),
            (Decision::Release, None) => Some(Stage::Done),
        },
        Body::Statement(signed) => match &signed.statement.says {
            Says::Signed { .. } => Some(Stage::Signed),
            Says::Confirmed { .. } => Some(Stage::Confirmed),
            Says::Reverted { .. } | Says::Declined { .. } => Some(Stage::Returned),
            Says::Told { .. }
            | Says::CodeRight { .. }
            | Says::CodeWrong { .. }
            | Says::Caps { .. }
            | Says::Stopped { .. }
            | Says::Latched { .. } => None,
        },
    }
}

/// Acts that one plan pays, until their end.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Batch {
    /// The leader first, each with whether it was given up.
    #[n(0)]
    members: Vec<(Digest, bool)>,
}

impl Batch {
    pub(crate) fn of(members: &[Digest]) -> Self {
        let members = members.iter().map(|member| (*member, false));
        Self {
            members: members.collect(),
        }
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = Digest> {
        self.members.iter().map(|(member, _)| *member)
    }

    pub(crate) fn give_up(&mut self, act: Digest) {
        let members = self.members.iter_mut();
        for (_, is_given_up) in members.filter(|(member, _)| *member == act) {
            *is_given_up = true;
        }
    }

    /// All end at once.
    pub(crate) fn has_ended(&self, changes: &[Effect]) -> bool {
        let is_of = |act: &Digest| self.members().any(|member| member == *act);
        changes
            .iter()
            .any(|change| matches!(change, Effect::End(act, ..) if is_of(act)))
    }

    /// What a change of its leader makes of all.
    fn stages_made(&self, change: &Effect) -> Vec<(Digest, Stage)> {
        match change {
            Effect::Signed(..) => self.members().map(|act| (act, Stage::Signed)).collect(),
            // Another plan, which nobody has signed.
            Effect::Replan(..) => {
                let paid = self.members.iter().filter(|(_, is_given_up)| !is_given_up);
                paid.map(|(act, _)| (*act, Stage::Released)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// What an entry that was applied made of acts besides what it says: `about` is the act that it is about, `batch` the
/// one that this is of.
#[must_use]
pub fn asides(
    entry: &Entry,
    (index, about): (u64, Option<Digest>),
    changes: &[Effect],
    batch: Option<&Batch>,
) -> Vec<Aside> {
    let said = about.zip(stage_said(entry));
    let mut asides: Vec<Aside> = Vec::new();
    let of_all = |change| batch.map_or_else(Vec::new, |batch| batch.stages_made(change));
    let made = changes
        .iter()
        .flat_map(|change| stage_made(change).into_iter().chain(of_all(change)));
    for (act, stage) in made {
        // The last word on each act.
        asides.retain(|aside| aside.act != Some(act));
        let is_said = said == Some((act, stage))
            || (said == Some((act, Stage::Refused)) && stage == Stage::Returned);
        if !is_said {
            asides.push(Aside {
                entry: index,
                act: Some(act),
                stage,
            });
        }
    }
    asides
}

/// How far a change takes which act.
fn stage_made(change: &Effect) -> Option<(Digest, Stage)> {
    match change {
        Effect::Hold { digest, .. } => Some((*digest, Stage::Held)),
        Effect::Plan { digest, .. } | Effect::Resume(digest) => Some((*digest, Stage::Released)),
        // What is given up by a plan that pays nobody stays withheld until the chain has it.
        Effect::Withhold(digest, _) | Effect::Void(digest, _) => Some((*digest, Stage::Withheld)),
        Effect::Signed(digest, _) => Some((*digest, Stage::Signed)),
        Effect::End(digest, End::Confirmed(_), _) => Some((*digest, Stage::Confirmed)),
        Effect::End(digest, End::Returned, _) => Some((*digest, Stage::Returned)),
        Effect::End(digest, End::Done, _) => Some((*digest, Stage::Done)),
        _ => None,
    }
}
