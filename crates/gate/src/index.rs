//! The gate's own index: where every act stands, for ever, and which entries speak of an act, a
//! factor, an address. A projection: it can be rebuilt from the journal, and stands beside the state
//! in the gate's snapshots.
//!
//! State forgets an act a day after its end. This does not: whoever asks about an act years later
//! must not be told that it never was, and pay again.

use crate::events::{self, Aside, Batch, Stage};
use minicbor::{Decode, Encode};
use portcullis_chains::Address;
use portcullis_core::act::{ActKind, Keys};
use portcullis_core::effect::Effect;
use portcullis_core::id::{AccountId, FactorId, KeeperId, PrincipalId};
use portcullis_core::realm::Role;
use portcullis_core::state::account::Owner;
use portcullis_core::state::release::End;
use portcullis_core::statement::Says;
use portcullis_core::{Applied, Body, Decision, Digest, Entry, ReadEntry};
use std::collections::{BTreeSet, HashMap};

/// Where to look in the journal.
#[derive(Debug, Default)]
pub struct Index {
    acts: HashMap<Digest, Row>,
    mentions: Vec<Mention>,
    /// By the account of whoever has it, where it is a customer's: anybody may have enrolled the same key.
    factors: BTreeSet<(FactorId, Option<AccountId>, u64)>,
    addresses: BTreeSet<(AccountId, Address, u64)>,
    appointed: BTreeSet<(PrincipalId, u64)>,
    replaced: BTreeSet<(Place, u64)>,
    asides: BTreeSet<Aside>,
    quorums: BTreeSet<(AccountId, u64)>,
    /// Those that are on their way.
    batches: Vec<Batch>,
}

/// What an entry put others in the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Place {
    /// All administrators.
    #[n(0)]
    Administrators,
    /// The issuers.
    #[n(1)]
    Issuers,
    /// The roots.
    #[n(2)]
    Roots,
    /// A keeper's statement key.
    #[n(3)]
    Keeper(#[n(0)] KeeperId),
    /// The witnesses.
    #[n(4)]
    Witnesses,
    /// The journal's key.
    #[n(5)]
    Log,
}

impl Place {
    fn of(keys: &Keys) -> Self {
        match keys {
            Keys::Issuers { .. } => Self::Issuers,
            Keys::Roots { .. } => Self::Roots,
            Keys::Keeper { keeper, .. } => Self::Keeper(*keeper),
            Keys::Witnesses { .. } => Self::Witnesses,
            Keys::Log { .. } => Self::Log,
        }
    }
}

/// All of an index, as a snapshot has it.
type Lists = (
    Vec<(Digest, u32, Course)>,
    Vec<(u64, u32)>,
    Vec<(FactorId, Option<AccountId>, u64)>,
    Vec<(AccountId, Address, u64)>,
    Vec<(PrincipalId, u64)>,
    Vec<(Place, u64)>,
    Vec<Aside>,
    Vec<(AccountId, u64)>,
    Vec<Batch>,
);

/// How far an act has come, as far as the journal alone says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Course {
    /// Refused whenever it was submitted: nothing came of it. Only an act that takes away may be
    /// submitted again (docs/design/022).
    #[n(0)]
    Refused,
    /// Accepted. State knows more while it waits or is on its way; where state does not know it, it
    /// was never submitted in time, and is returned.
    #[n(1)]
    Accepted,
    /// It took effect, and moved no money.
    #[n(2)]
    Done,
    /// The money arrived.
    #[n(3)]
    Confirmed,
    /// Nothing moved and nothing can move any more.
    #[n(4)]
    Returned,
}

/// An act. There are ten million of these: 40 bytes with the digest, and 16 for each mention.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// The newest of its mentions; they form a chain.
    newest: u32,
    course: Course,
}

/// An entry that speaks of an act.
#[derive(Clone, Copy, Debug)]
struct Mention {
    entry: u64,
    /// The mention before it.
    before: Option<core::num::NonZeroU32>,
}

impl Index {
    /// All of it, for a snapshot.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let acts = self.acts.iter();
        let acts = acts.map(|(act, row)| (*act, row.newest, row.course));
        let mentions = self.mentions.iter();
        let mentions = mentions.map(|m| (m.entry, m.before.map_or(0, core::num::NonZeroU32::get)));
        let lists: Lists = (
            acts.collect(),
            mentions.collect(),
            self.factors.iter().copied().collect(),
            self.addresses.iter().copied().collect(),
            self.appointed.iter().copied().collect(),
            self.replaced.iter().copied().collect(),
            self.asides.iter().copied().collect(),
            self.quorums.iter().copied().collect(),
            self.batches.clone(),
        );
        portcullis_core::codec::encode(&lists)
    }

    /// Read it back; nothing where the bytes are something else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let lists: Lists = minicbor::decode(bytes).ok()?;
        let (acts, mentions, factors, addresses, appointed, replaced, asides, quorums, batches) =
            lists;
        let acts = acts.into_iter();
        let acts = acts.map(|(act, newest, course)| (act, Row { newest, course }));
        let mentions = mentions.into_iter().map(|(entry, before)| Mention {
            entry,
            before: core::num::NonZeroU32::new(before),
        });
        let index = Self {
            acts: acts.collect(),
            mentions: mentions.collect(),
            factors: factors.into_iter().collect(),
            addresses: addresses.into_iter().collect(),
            appointed: appointed.into_iter().collect(),
            replaced: replaced.into_iter().collect(),
            asides: asides.into_iter().collect(),
            quorums: quorums.into_iter().collect(),
            batches,
        };
        index.is_sound().then_some(index)
    }

    /// Whether every chain of mentions stays within the list and ends.
    fn is_sound(&self) -> bool {
        let within = |at: u32| usize::try_from(at).is_ok_and(|at| at <= self.mentions.len());
        let ends = |(at, mention): (usize, &Mention)| {
            mention
                .before
                .is_none_or(|before| before.get() as usize <= at)
        };
        self.acts.values().all(|row| within(row.newest))
            && self.mentions.iter().enumerate().all(ends)
    }

    /// Take an applied entry in. What is void says nothing.
    pub fn add(&mut self, read: &ReadEntry, applied: &Applied) {
        let (Ok(entry), None) = (read.entry(), &applied.void) else {
            self.asides.insert(Aside {
                entry: applied.index,
                act: None,
                stage: Stage::Refused,
            });
            return;
        };
        let submitted = read.act();
        if let (Body::Act(submission), Some(act)) = (&entry.body, submitted) {
            let course = course_of(&submission.decision, applied);
            self.submitted(act, course);
            self.mention(act, applied.index);
        }
        // What was refused says nothing of the act that it names: anybody could have any act mentioned.
        let other = other_of(entry).filter(|_| !is_refusal(entry));
        if let Some(act) = other {
            self.mention(act, applied.index);
        }
        for change in &applied.changes {
            self.change(change, applied.index);
        }
        let (index, about) = (applied.index, submitted.or(other));
        let of_all = other.filter(|_| speaks_of_all(entry));
        let batch = of_all.and_then(|act| self.batch_of(act)).cloned();
        if let Some(batch) = &batch {
            self.mention_beside(batch, about, index);
        }
        let asides = events::asides(entry, (index, about), &applied.changes, batch.as_ref());
        self.asides.extend(asides);
        self.batches
            .retain(|batch| !batch.has_ended(&applied.changes));
    }

    /// What speaks of one member of a batch and of what is signed for it speaks of all: they have one plan.
    fn mention_beside(&mut self, batch: &Batch, about: Option<Digest>, entry: u64) {
        let beside = batch.members().filter(|member| Some(*member) != about);
        beside.for_each(|member| self.mention(member, entry));
    }

    fn batch_of(&self, act: Digest) -> Option<&Batch> {
        let mut batches = self.batches.iter();
        batches.find(|batch| batch.members().any(|member| member == act))
    }

    /// An act was decided. A refusal takes nothing from an act that was accepted.
    fn submitted(&mut self, act: Digest, course: Course) {
        let row = self.acts.entry(act).or_insert(Row { newest: 0, course });
        if row.course == Course::Refused {
            row.course = course;
        }
    }

    /// An act that nobody submitted is not known by being named.
    fn mention(&mut self, act: Digest, entry: u64) {
        let Some(row) = self.acts.get_mut(&act) else {
            return;
        };
        let before = core::num::NonZeroU32::new(row.newest);
        self.mentions.push(Mention { entry, before });
        // Counted from one, so that none is zero. Four thousand million are beyond this index.
        row.newest = u32::try_from(self.mentions.len()).unwrap_or(u32::MAX);
    }

    fn change(&mut self, change: &Effect, index: u64) {
        match change {
            Effect::End(act, end, _) => {
                // The end of an act that was never accepted is its refusal.
                let row = self.acts.get_mut(act);
                if let Some(row) = row.filter(|row| row.course != Course::Refused) {
                    row.course = Course::of(*end);
                }
            }
            Effect::Batch { members, .. } => self.batches.push(Batch::of(members)),
            Effect::Void(act, _) => {
                let batches = self.batches.iter_mut();
                batches.for_each(|batch| batch.give_up(*act));
            }
            Effect::Enrol { owner, factor, .. } => {
                self.factors
                    .insert((factor.id(), account_of(*owner), index));
            }
            Effect::AddAddress(account, address, _) => {
                self.addresses.insert((*account, *address, index));
            }
            Effect::Grant(principal, Role::BackEnd | Role::Support) => {
                self.appointed.insert((*principal, index));
            }
            Effect::SetAccountQuorum(account, _) => {
                self.quorums.insert((*account, index));
            }
            Effect::SetQuorum(_) => {
                self.replaced.insert((Place::Administrators, index));
            }
            Effect::Rotate(keys) => {
                self.replaced.insert((Place::of(keys), index));
            }
            _ => {}
        }
    }

    /// The entries before one that set an account's quorum.
    pub fn quorums(&self, account: AccountId, before: u64) -> impl Iterator<Item = u64> {
        let set = self.quorums.range((account, 0)..(account, before));
        set.map(|(_, entry)| *entry)
    }

    /// The entries that speak of an act, in order.
    #[must_use]
    pub fn act(&self, digest: Digest) -> Vec<u64> {
        let newest = self.acts.get(&digest).map_or(0, |row| row.newest);
        let mut next = core::num::NonZeroU32::new(newest);
        let mut entries = Vec::new();
        while let Some(mention) = next.and_then(|at| self.mentions.get(at.get() as usize - 1)) {
            entries.push(mention.entry);
            next = mention.before;
        }
        entries.reverse();
        entries
    }

    /// What these entries made of acts besides what they say, in order.
    pub fn asides(&self, entries: core::ops::Range<u64>) -> impl Iterator<Item = Aside> {
        let first = |entry| Aside {
            entry,
            act: None,
            stage: Stage::Refused,
        };
        let within = first(entries.start)..first(entries.end);
        self.asides.range(within).copied()
    }

    /// How far an act has come; none where nobody submitted it.
    #[must_use]
    pub fn course(&self, digest: Digest) -> Option<Course> {
        self.acts.get(&digest).map(|row| row.course)
    }

    /// The entry that enrolled a factor last before an entry, for a holder of this account or for a member of staff;
    /// none for those of genesis.
    #[must_use]
    pub fn factor(&self, id: FactorId, of: Option<AccountId>, before: u64) -> Option<u64> {
        let mut enrolled = self.factors.range((id, of, 0)..(id, of, before));
        enrolled.next_back().map(|(.., index)| *index)
    }

    /// The entry that put others in a place last before an entry; none where it is genesis'.
    #[must_use]
    pub fn replaced(&self, place: Place, before: u64) -> Option<u64> {
        let mut replaced = self.replaced.range((place, 0)..(place, before));
        replaced.next_back().map(|(_, index)| *index)
    }

    /// The entry that made a member of staff a back end, or one of support, last before an entry; none for
    /// those of genesis.
    #[must_use]
    pub fn appointed(&self, principal: PrincipalId, before: u64) -> Option<u64> {
        let mut granted = self.appointed.range((principal, 0)..(principal, before));
        granted.next_back().map(|(_, index)| *index)
    }

    /// The entry that put an address into an account's book last before an entry.
    #[must_use]
    pub fn address(&self, account: AccountId, address: Address, before: u64) -> Option<u64> {
        let (first, end) = ((account, address, 0), (account, address, before));
        let mut added = self.addresses.range(first..end);
        added.next_back().map(|(_, _, index)| *index)
    }
}

impl Course {
    fn of(end: End) -> Self {
        match end {
            End::Confirmed(_) => Self::Confirmed,
            End::Returned => Self::Returned,
            End::Done => Self::Done,
        }
    }
}

/// What its own entry makes of an act: what neither waits nor is planned has taken effect.
fn course_of(decision: &Decision, applied: &Applied) -> Course {
    let planned = |change: &Effect| matches!(change, Effect::Plan { .. });
    match decision {
        Decision::Refuse { .. } => Course::Refused,
        Decision::Hold { .. } => Course::Accepted,
        Decision::Release if applied.changes.iter().any(planned) => Course::Accepted,
        Decision::Release => Course::Done,
    }
}

/// Whether an entry submits an act that was refused.
fn is_refusal(entry: &Entry) -> bool {
    matches!(&entry.body, Body::Act(said) if matches!(said.decision, Decision::Refuse { .. }))
}

/// The account of whoever has a factor; none for staff.
fn account_of(owner: Owner) -> Option<AccountId> {
    match owner {
        Owner::Holder { account, .. } => Some(account),
        Owner::Member { .. } => None,
    }
}

/// Whether what an entry says of one member of a batch is so for all: which plan they have, and what became of it.
fn speaks_of_all(entry: &Entry) -> bool {
    match &entry.body {
        Body::Act(said) => matches!(said.act.kind, ActKind::Resume(_) | ActKind::Void(_)),
        Body::Settle(_) | Body::Replace(_) | Body::Statement(_) => true,
        Body::Genesis(_) | Body::Checkpoint(_) | Body::Evidence(_) => false,
    }
}

/// The act that an entry speaks of and does not submit.
fn other_of(entry: &Entry) -> Option<Digest> {
    match &entry.body {
        Body::Genesis(_) | Body::Checkpoint(_) => None,
        Body::Act(submission) => match &submission.act.kind {
            ActKind::Approve(approve) => Some(approve.act),
            ActKind::Cancel(cancel) => Some(cancel.act),
            ActKind::Resume(resume) => Some(resume.release),
            ActKind::Void(void) => Some(void.release),
            ActKind::Veto(veto) => Some(veto.act),
            _ => None,
        },
        Body::Evidence(supplement) => Some(supplement.act),
        Body::Settle(settlement) => Some(settlement.act),
        Body::Replace(replacement) => Some(replacement.act),
        Body::Statement(signed) => match &signed.statement.says {
            Says::Signed { act, .. }
            | Says::Confirmed { act, .. }
            | Says::Reverted { act, .. }
            | Says::Told { act, .. }
            | Says::CodeRight { act, .. }
            | Says::CodeWrong { act, .. }
            | Says::Declined { act, .. } => Some(*act),
            Says::Caps { .. } | Says::Stopped { .. } | Says::Latched { .. } => None,
        },
    }
}
