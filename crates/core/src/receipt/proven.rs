//! A receipt's entries once their proofs hold, and what they are searched for.

use super::in_force::InForce;
use super::{ProvenEntry, ReceiptFault};
use crate::act::ActKind;
use crate::decide::binding::check_sizes;
use crate::decision::Decision;
use crate::digest::Digest;
use crate::effect::RELEASE_COSIGNED_WITHIN;
use crate::entry::{Body, Entry, Submission};
use crate::evidence::Evidence;
use crate::network::Network;
use crate::signature::Verify;
use crate::time::Time;
use portcullis_tlog::{Hash, TreeHead, verify_inclusion};

/// An entry that stands in the journal.
pub(super) struct Proven {
    pub(super) index: u64,
    pub(super) entry: Entry,
    /// The act that the entry is about, where it is about one.
    pub(super) act: Option<Digest>,
}

/// Each entry with its inclusion proof under the checkpoint, and with no more evidence than an act takes.
pub(super) fn open(entries: &[ProvenEntry], head: TreeHead) -> Result<Vec<Proven>, ReceiptFault> {
    let open = |proven: &ProvenEntry| {
        let fault = || ReceiptFault::Inclusion(proven.index);
        let proof = proven.proof.iter().map(|hash| Hash::from_base64(hash));
        let proof: Vec<Hash> = proof.collect::<Result<_, _>>().map_err(|_| fault())?;
        let leaf = Hash::leaf(&proven.entry);
        verify_inclusion(&leaf, proven.index, &head, &proof).map_err(|_| fault())?;
        let entry = Entry::from_bytes(&proven.entry).map_err(|_| fault())?;
        let evidence = brings(&entry.body);
        evidence.map_or(Ok(()), check_sizes).map_err(|_| fault())?;
        Ok(Proven {
            index: proven.index,
            act: about(&entry.body),
            entry,
        })
    };
    entries.iter().map(open).collect()
}

fn about(body: &Body) -> Option<Digest> {
    match body {
        Body::Act(submission) => Some(submission.act.digest()),
        Body::Evidence(supplement) => Some(supplement.act),
        Body::Settle(settlement) => Some(settlement.act),
        Body::Replace(replacement) => Some(replacement.act),
        Body::Genesis(_) | Body::Checkpoint(_) | Body::Statement(_) => None,
    }
}

/// Every replica holds an entry void whose time goes back, whose partition is another, or that is a second
/// genesis.
pub(super) fn check_order(entries: &[Proven]) -> Result<(), ReceiptFault> {
    let rises = |pair: &[Proven]| {
        pair[0].index < pair[1].index
            && pair[0].entry.time <= pair[1].entry.time
            && !matches!(pair[1].entry.body, Body::Genesis(_))
    };
    let is_ours = |proven: &Proven| proven.entry.partition == 0;
    if entries.windows(2).all(rises) && entries.iter().all(is_ours) {
        Ok(())
    } else {
        Err(ReceiptFault::Order)
    }
}

/// No entry was cosigned long before its own time.
pub(super) fn check_times(entries: &[Proven], witnessed_at: Time) -> Result<(), ReceiptFault> {
    let latest = witnessed_at.after(RELEASE_COSIGNED_WITHIN);
    if entries.iter().all(|proven| proven.entry.time <= latest) {
        Ok(())
    } else {
        Err(ReceiptFault::Order)
    }
}

/// Those below a size.
pub(super) fn below(entries: &[Proven], size: u64) -> &[Proven] {
    &entries[..entries.partition_point(|proven| proven.index < size)]
}

fn brings(body: &Body) -> Option<&Evidence> {
    match body {
        Body::Act(submission) => Some(&submission.evidence),
        Body::Evidence(supplement) => Some(&supplement.evidence),
        _ => None,
    }
}

/// What the entries are searched in.
pub(super) struct Case<'a> {
    pub(super) network: &'a Network,
    /// Those that signatories in force are known to have signed.
    pub(super) entries: &'a [Proven],
    pub(super) verify: &'a dyn Verify,
    /// Who administers and whose keys count, as far as the entries show it.
    pub(super) in_force: InForce<'a>,
}

/// An act that was submitted: to this network, before it expired.
pub(super) struct Submitted<'a> {
    pub(super) index: u64,
    pub(super) digest: Digest,
    pub(super) submission: &'a Submission,
}

/// Evidence, and the entry that brought it.
pub(super) struct Brought<'a> {
    pub(super) index: u64,
    pub(super) time: Time,
    pub(super) evidence: &'a Evidence,
}

impl<'a> Case<'a> {
    pub(super) fn submissions(&self) -> impl Iterator<Item = Submitted<'a>> {
        let genesis = self.network.digest();
        self.entries.iter().filter_map(move |proven| {
            let Body::Act(submission) = &proven.entry.body else {
                return None;
            };
            let act = &submission.act;
            let is_ours = act.genesis == genesis && proven.entry.time < act.expires;
            is_ours.then_some(Submitted {
                index: proven.index,
                digest: proven.act?,
                submission,
            })
        })
    }

    pub(super) fn submission(&self, act: Digest) -> Option<Submitted<'a>> {
        self.submissions().find(|submitted| submitted.digest == act)
    }

    /// All evidence for an act up to an entry: what came with it and what came later.
    pub(super) fn evidence_for(
        &self,
        act: Digest,
        until: u64,
    ) -> impl Iterator<Item = Brought<'a>> {
        let about = move |proven: &&Proven| proven.act == Some(act) && proven.index <= until;
        self.entries.iter().filter(about).filter_map(|proven| {
            Some(Brought {
                index: proven.index,
                time: proven.entry.time,
                evidence: brings(&proven.entry.body)?,
            })
        })
    }

    /// The entry by which an act took effect: its own, or the one that ended its waiting.
    pub(super) fn took_effect(&self, submitted: &Submitted<'_>) -> Option<u64> {
        let mut about = self.entries.iter();
        let took = about.find(|proven| proven.act == Some(submitted.digest) && releases(proven));
        took.map(|proven| proven.index)
    }

    /// The entry that first let the act's money go, and its time.
    pub(super) fn first_release(&self, act: Digest) -> Option<(u64, Time)> {
        let planned = |proven: &&Proven| {
            let plan = match &proven.entry.body {
                Body::Act(submission) => submission.plan.is_some(),
                Body::Settle(settlement) => settlement.plan.is_some(),
                _ => false,
            };
            plan && releases(proven) && settles(proven, act)
        };
        let first = self.entries.iter().find(planned)?;
        Some((first.index, first.entry.time))
    }

    /// The acts that one plan paid first, in its order: those of the entry that first let this one's money go.
    pub(super) fn together(&self, act: Digest, first: u64) -> Vec<Digest> {
        let entry = self.entries.iter().find(|proven| proven.index == first);
        match entry.map(|proven| &proven.entry.body) {
            Some(Body::Settle(settlement)) => {
                let beside = settlement.beside.0.iter().copied();
                core::iter::once(settlement.act).chain(beside).collect()
            }
            _ => vec![act],
        }
    }

    /// The entry at this index, where it let a plan of the act go out: the first release, a settlement or a
    /// `resume` of what was withheld, or a fee bump; of a batch also that of another of its members, and what gave
    /// such a one up.
    pub(super) fn release_entry(
        &self,
        act: Digest,
        together: &[Digest],
        (index, first): (u64, u64),
    ) -> Option<&'a Proven> {
        let proven = self.entries.iter().find(|proven| proven.index == index)?;
        let is_of = |of: Digest| together.contains(&of);
        let lets_go = match &proven.entry.body {
            Body::Act(submission) if releases(proven) => match &submission.act.kind {
                ActKind::Resume(resume) => is_of(resume.release),
                ActKind::Void(void) => is_of(void.release) && void.release != act,
                _ => proven.act == Some(act),
            },
            Body::Settle(settlement) => releases(proven) && is_of(settlement.act),
            Body::Replace(replacement) => is_of(replacement.act),
            _ => false,
        };
        (lets_go && index >= first).then_some(proven)
    }

    /// The entry that gave the act up, where one is shown: no plan from there on pays it.
    pub(super) fn given_up(&self, act: Digest, first: u64) -> Option<u64> {
        let gives_up = |proven: &&Proven| match &proven.entry.body {
            Body::Act(submission) => {
                let kind = &submission.act.kind;
                matches!(kind, ActKind::Void(void) if void.release == act) && releases(proven)
            }
            Body::Settle(settlement) => {
                let brings_plan = settlement.act == act && settlement.plan.is_some();
                brings_plan && releases(proven)
            }
            _ => false,
        };
        let mut later = self.entries.iter().filter(|proven| proven.index > first);
        later.find(gives_up).map(|proven| proven.index)
    }
}

/// Whether the entry ends the act's waiting, by itself or beside another's.
fn settles(proven: &Proven, act: Digest) -> bool {
    let beside = match &proven.entry.body {
        Body::Settle(settlement) => settlement.beside.0.contains(&act),
        _ => false,
    };
    beside || proven.act == Some(act)
}

/// Whether the entry says that its act takes effect.
fn releases(proven: &Proven) -> bool {
    match &proven.entry.body {
        Body::Act(submission) => submission.decision == Decision::Release,
        Body::Settle(settlement) => settlement.decision == Decision::Release,
        _ => false,
    }
}
