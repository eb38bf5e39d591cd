//! Entries with their proofs under a cosigned checkpoint, and what leads to who cosigned it.

use super::Api;
use super::reads::{entry_at, rests_on};
use crate::published::Witnessed;
use portcullis_core::id::AccountId;
use portcullis_core::receipt::{Handover, MAX_HANDOVERS, ProvenEntry, Succession, most_entries};
use portcullis_core::state::keys::Handover as InState;
use portcullis_core::{Body, Entry};
use portcullis_tlog::Hash;
use std::collections::BTreeSet;

/// These entries and all that they rest on, under the checkpoint.
pub(super) fn under(api: &Api, witnessed: &Witnessed, spoken: Vec<u64>) -> Option<Succession> {
    let size = witnessed.head.size;
    let handed: Vec<InState> = {
        let state = api.shared().state();
        let handovers = state.handovers().iter();
        handovers.filter(|one| one.last() < size).cloned().collect()
    };
    if handed.len() > MAX_HANDOVERS {
        return None;
    }
    let about = spoken
        .iter()
        .find_map(|at| account_of(&entry_at(api, *at)?));
    let mut open: Vec<u64> = handed.iter().map(|one| one.entry).chain(spoken).collect();
    let mut indices: BTreeSet<u64> = open.iter().copied().chain([0]).collect();
    // Enrolments rest on older factors, grants on approvals: follow them to genesis.
    while let Some(at) = open.pop() {
        let entry = entry_at(api, at)?;
        let more = rests_on(api, about, (at, &entry)).into_iter();
        open.extend(more.filter(|index| indices.insert(*index)));
        if indices.len() > most_entries(handed.len()) {
            return None;
        }
    }
    let covered = indices.into_iter().filter(|index| *index < size);
    let entries: Option<Vec<ProvenEntry>> = covered.map(|index| prove(api, index, size)).collect();
    let handovers = handed.iter().map(|one| handover(api, one, size));
    Some(Succession {
        checkpoint: String::from_utf8(witnessed.note.to_vec()).ok()?,
        entries: entries?,
        handovers: handovers.collect::<Option<_>>()?,
    })
}

/// The account that an act is about.
fn account_of(entry: &Entry) -> Option<AccountId> {
    match &entry.body {
        Body::Act(said) => said.act.account,
        _ => None,
    }
}

fn prove(api: &Api, index: u64, size: u64) -> Option<ProvenEntry> {
    let view = &api.shared().view;
    let proof = view.prove_inclusion(index, size).ok()?;
    Some(ProvenEntry {
        index,
        entry: view.entry(index).ok()?.to_vec(),
        proof: proof.iter().map(Hash::to_base64).collect(),
    })
}

fn handover(api: &Api, one: &InState, size: u64) -> Option<Handover> {
    let Body::Checkpoint(note) = entry_at(api, one.sealed?)?.body else {
        return None;
    };
    let proof = api.shared().view.prove_consistency(one.last(), size).ok()?;
    Some(Handover {
        checkpoint: String::from_utf8(note).ok()?,
        proof: proof.iter().map(Hash::to_base64).collect(),
    })
}
