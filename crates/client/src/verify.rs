//! Verifying a journal offline, from the pinned genesis digest and the keys that it names.
//!
//! First the stored bytes: every segment, tile and bundle against the tree, the tree against the
//! cosigned checkpoint. Then every decision again: all entries are applied by the core's own rules to
//! a state that starts from genesis, each signature checked.

use portcullis_core::act::ActKind;
use portcullis_core::apply::Applied;
use portcullis_core::effect::Effect;
use portcullis_core::entry::Submission;
use portcullis_core::genesis::GenesisFault;
use portcullis_core::signature::Strict;
use portcullis_core::state::Signatories;
use portcullis_core::state::keys::Successor;
use portcullis_core::{Body, Decision, Digest, Entry, Network, ReadEntry, State, Time};
use portcullis_host::Disk;
use portcullis_journal::check::{self, Checked, Fault};
use portcullis_journal::{LabelFiles, LabelsError, labels};
use portcullis_tlog::{Cosigned, Frontier, Hash};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a journal is.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// What is wrong, by file. The journal holds where this is empty.
    pub faults: Vec<Wrong>,
    /// The files that were looked at.
    pub files: u64,
    /// Their names in the journal's folder.
    #[serde(skip)]
    pub looked_at: Vec<String>,
    /// Files in the journal's folder that are none of a journal's.
    pub strays: Vec<String>,
    /// Entries that a quorum has cosigned: what all that follows speaks of.
    pub size: u64,
    /// The tree's root over them, in base64.
    pub root: String,
    /// Entries behind those. No witness has seen them: whoever holds the journal may have written
    /// them just now, so that nothing of them is applied.
    pub unwitnessed: u64,
    /// The newest entry's time.
    pub time: Time,
    /// The running digest of effects after the newest entry.
    pub effects: Option<Digest>,
    /// The digest of everything derived.
    pub state: Option<Digest>,
    /// The newest cosigned checkpoint.
    pub checkpoint: Option<CheckpointSeen>,
    /// Entries by what they record.
    pub entries: BTreeMap<String, u64>,
    /// Entries that decide otherwise than they say. Nothing of them counts, and each shut the gate:
    /// that is no fault of the journal's bytes.
    pub void: Vec<VoidEntry>,
    /// Entries first cosigned over 30 s after their time, whose release or hold had no effect.
    pub late: Vec<LateEntry>,
    /// Releases on their way of which no signer has stated that it signed the newest plan.
    pub without_receipt: Vec<Digest>,
}

/// One fault and the file that has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// The file, by its name in the journal's folder.
    pub file: String,
    /// What is wrong.
    pub what: String,
}

/// A checkpoint that a quorum cosigned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckpointSeen {
    /// The number of entries that it speaks of.
    pub size: u64,
    /// The witnesses that count, most recent first.
    pub witnesses: Vec<String>,
    /// The oldest of their cosignatures.
    pub oldest: Time,
    /// The newest.
    pub newest: Time,
}

/// A void entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VoidEntry {
    /// Its index.
    pub index: u64,
    /// Why.
    pub why: String,
    /// Whether money would have gone out by it.
    pub release: bool,
}

/// A late release, or a late hold of an act that had expired by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LateEntry {
    /// The entry that released or held.
    pub entry: u64,
    /// The act.
    pub act: Digest,
}

impl Report {
    /// Whether nothing failed. Void entries, late releases and what nobody has witnessed are counted
    /// apart.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Verify the journal in a folder.
#[must_use]
pub fn journal(disk: &dyn Disk, pinned: Digest) -> Report {
    journal_up_to(disk, pinned, None)
}

/// Verify the journal in a folder, and that it leads to a cosigned checkpoint that came from
/// elsewhere (a witness, a replica): without one, an older state of the same journal looks whole.
#[must_use]
pub fn journal_up_to(disk: &dyn Disk, pinned: Digest, head: Option<&[u8]>) -> Report {
    let (network, mut checked) = match stored(disk, pinned) {
        Ok(found) => found,
        Err(Fault { file, what }) => {
            return Report {
                faults: vec![Wrong { file, what }],
                ..Report::default()
            };
        }
    };
    if let Some(note) = head {
        compare(&network, LabelFiles(disk), note, &mut checked);
    }
    let stored = checked.entries.len();
    let witnessed = checked.checkpoint.as_ref().map(|seen| seen.head().size);
    let witnessed = usize::try_from(witnessed.unwrap_or(0)).unwrap_or(usize::MAX);
    checked.entries.truncate(witnessed);
    let mut report = replay(&network, LabelFiles(disk), &checked.entries);
    report.unwitnessed = (stored - checked.entries.len()) as u64;
    report.checkpoint = checked.checkpoint.as_ref().map(checkpoint);
    report.files = checked.files.len() as u64;
    report.looked_at = checked.files;
    let wrong = |Fault { file, what }| Wrong { file, what };
    report.faults.extend(checked.faults.into_iter().map(wrong));
    report
}

/// The given checkpoint is of this journal. Where it speaks of more entries than the stored one, it
/// is the one that counts.
fn compare(network: &Arc<Network>, labels: LabelFiles<'_>, note: &[u8], checked: &mut Checked) {
    const GIVEN: &str = "the given checkpoint";
    let mut fault = |what: String| {
        checked.faults.push(Fault {
            file: GIVEN.into(),
            what,
        });
    };
    let who = |covered: &[Vec<u8>]| who_signs(network, labels, covered);
    let given = match check::judge(note, &who, &checked.entries) {
        Ok((given, _)) => given,
        Err(error) => return fault(error),
    };
    let size = given.head().size;
    let count = usize::try_from(size).unwrap_or(usize::MAX);
    let mut frontier = Frontier::new();
    for entry in checked.entries.iter().take(count) {
        frontier.append(Hash::leaf(entry));
    }
    if frontier.head() != given.head() {
        return fault(format!(
            "the root of the first {size} entries is another: this is not the journal that was cosigned"
        ));
    }
    let stored = checked.checkpoint.as_ref().map(|stored| stored.head().size);
    if stored.is_none_or(|stored| stored < size) {
        checked.checkpoint = Some(given);
    }
}

/// The first half: the network that the journal begins with, and what its stored bytes are.
pub fn stored(disk: &dyn Disk, pinned: Digest) -> Result<(Arc<Network>, Checked), Fault> {
    let network = Arc::new(genesis(disk, pinned)?);
    let labels = LabelFiles(disk);
    let who = |covered: &[Vec<u8>]| who_signs(&network, labels, covered);
    let checked = check::check(disk, &who);
    Ok((network, checked))
}

/// Whose signatures count for a checkpoint over these entries: those whom genesis names, unless one of these
/// put others in force. Whether it did is found by deciding all of them.
fn who_signs(
    network: &Arc<Network>,
    labels: LabelFiles<'_>,
    covered: &[Vec<u8>],
) -> Result<Signatories, String> {
    if !covered.iter().any(|bytes| is_to_hand_over(bytes)) {
        return Ok(Signatories::first(network));
    }
    let mut state = State::new(Arc::clone(network));
    for bytes in covered {
        let read = ReadEntry::from_bytes(bytes);
        let provided = labels.provide(&mut state, &read);
        provided.map_err(|fault| fault.to_string())?;
        state.apply_read(&read, &Strict);
    }
    let size = state.size();
    match state.handing_over().filter(|last| size > *last) {
        None => Ok(state.signatories_at(size).clone()),
        Some(last) => Err(format!(
            "other witnesses, or another key of the journal, took over behind entry {}, and no checkpoint entry \
             shows that those of before signed the journal up to there",
            last.saturating_sub(1)
        )),
    }
}

fn is_to_hand_over(bytes: &[u8]) -> bool {
    let entry = Entry::from_bytes(bytes);
    let Ok(Body::Act(submission)) = entry.map(|entry| entry.body) else {
        return false;
    };
    let ActKind::Rotate(rotate) = &submission.act.kind else {
        return false;
    };
    Successor::of(&rotate.keys).is_some()
}

/// The network of the journal's own first entry, if it is the pinned one.
fn genesis(disk: &dyn Disk, pinned: Digest) -> Result<Network, Fault> {
    let (file, bytes) = check::first_entry(disk)?;
    let wrong = |what: String| Fault {
        file: file.clone(),
        what,
    };
    let entry = Entry::from_bytes(&bytes).map_err(|error| wrong(error.to_string()))?;
    let Body::Genesis(signed) = entry.body else {
        return Err(wrong("the first entry is not a genesis".into()));
    };
    if signed.genesis.digest() != pinned {
        return Err(wrong(GenesisFault::NotPinned.to_string()));
    }
    Network::new(*signed, &Strict).map_err(|fault| wrong(fault.to_string()))
}

fn checkpoint(cosigned: &Cosigned) -> CheckpointSeen {
    let witnesses = cosigned.witnesses().iter().map(ToString::to_string);
    CheckpointSeen {
        size: cosigned.head().size,
        witnesses: witnesses.collect(),
        oldest: Time::from_unix_seconds(cosigned.oldest().unix()),
        newest: Time::from_unix_seconds(cosigned.newest().unix()),
    }
}

/// Apply all entries to the state before genesis, as far as the label sets are there that they are decided by.
#[must_use]
pub fn replay(network: &Arc<Network>, labels: LabelFiles<'_>, entries: &[Vec<u8>]) -> Report {
    let mut state = State::new(Arc::clone(network));
    let mut report = Report::default();
    let mut began = BTreeMap::new();
    for bytes in entries {
        let read = ReadEntry::from_bytes(bytes);
        if let Err(fault) = labels.provide(&mut state, &read) {
            report.faults.push(undecided(state.size(), &fault));
            break;
        }
        let applied = state.apply_read(&read, &Strict);
        let entry = read.into_entry();
        let kind = entry.as_ref().map_or_else(|| "unreadable".into(), kind);
        *report.entries.entry(kind).or_default() += 1;
        if let Some(reason) = &applied.void {
            report.void.push(VoidEntry {
                index: applied.index,
                why: reason.to_string(),
                release: applied.would_pay,
            });
        }
        let is_checkpoint = matches!(entry.map(|entry| entry.body), Some(Body::Checkpoint(_)));
        if is_checkpoint && applied.void.is_none() {
            report.late.extend(late(&applied.changes, &began));
        }
        began.extend(begun(&applied));
    }
    report.late.sort_unstable();
    conclude(report, &state)
}

/// Nothing can be said of an entry that takes a label set which is not there, nor of any behind it.
fn undecided(index: u64, fault: &LabelsError) -> Wrong {
    let file = match fault {
        LabelsError::Lacks(digest) | LabelsError::Damaged(digest) => labels::file(*digest),
        LabelsError::Disk(_) => labels::FOLDER.into(),
    };
    let what = format!("entries from {index} on are not decided again: {fault}");
    Wrong { file, what }
}

/// The acts that an entry releases, or begins to hold.
fn begun(applied: &Applied) -> impl Iterator<Item = (Digest, u64)> + '_ {
    applied.changes.iter().filter_map(|change| match change {
        Effect::Hold { digest, .. }
        | Effect::Plan { digest, .. }
        | Effect::Resume(digest)
        | Effect::Void(digest, _)
        | Effect::Replan(digest, _) => Some((*digest, applied.index)),
        _ => None,
    })
}

/// What a checkpoint withholds or ends, it has found late.
fn late<'a>(
    changes: &'a [Effect],
    began: &'a BTreeMap<Digest, u64>,
) -> impl Iterator<Item = LateEntry> + 'a {
    changes.iter().filter_map(|change| match change {
        Effect::Withhold(act, _) | Effect::Unhold(act) => Some(LateEntry {
            entry: *began.get(act)?,
            act: *act,
        }),
        _ => None,
    })
}

fn conclude(report: Report, state: &State) -> Report {
    let facts = state.facts();
    let head: portcullis_tlog::TreeHead = facts.log.head();
    Report {
        size: state.size(),
        root: Hash::to_base64(&head.root),
        time: facts.time,
        effects: Some(facts.effects),
        state: Some(state.digest()),
        without_receipt: facts.unsigned.iter().copied().collect(),
        ..report
    }
}

/// What an entry is, in the words of the specification.
fn kind(entry: &Entry) -> String {
    match &entry.body {
        Body::Genesis(_) => "genesis".into(),
        Body::Checkpoint(_) => "checkpoint".into(),
        Body::Act(submission) => act_kind(submission),
        Body::Evidence(_) => "evidence".into(),
        Body::Settle(settlement) => format!("settle {}", outcome(&settlement.decision)),
        Body::Replace(_) => "replace".into(),
        Body::Statement(signed) => format!("statement {}", signed.statement.says.name()),
    }
}

fn act_kind(submission: &Submission) -> String {
    let name = ActKind::name(&submission.act.kind);
    format!("act {name} {}", outcome(&submission.decision))
}

fn outcome(decision: &Decision) -> &'static str {
    match decision {
        Decision::Release => "released",
        Decision::Hold { .. } => "held",
        Decision::Refuse { .. } => "refused",
    }
}
