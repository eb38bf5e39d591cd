//! The auditor: reads every durable entry once, applies it by the core's rules to a replica of its own,
//! and holds everybody else's replica and every acknowledgement against it.

use crate::hosts::{Common, HeraldHost, Hosts, SignerHost};
use crate::model::{Model, is_in, token_of};
use crate::truth::Truth;
use portcullis_core::act::{ActKind, Scope};
use portcullis_core::board::Posting;
use portcullis_core::signature::Strict;
use portcullis_core::state::release::Stage;
use portcullis_core::{Body, Digest, Entry, State};
use portcullis_keeper::Keeper;
use portcullis_keeper::testkit::World;
use portcullis_tlog::{Frontier, Hash};
use std::collections::BTreeSet;

/// The auditor.
pub struct Auditor {
    common: Common,
    truth: Truth,
    /// What the journal says.
    pub state: State,
    /// What people may expect of it.
    pub model: Model,
    leaves: Vec<Hash>,
    roots: Vec<Hash>,
    frontier: Frontier,
    /// The running digest of effects after so many entries.
    effects: Vec<Digest>,
    /// Newest heads of keepers that have been looked at.
    judged: BTreeSet<Digest>,
    /// Acts that were journaled and count, for whoever wants them once more.
    pub journaled: Vec<Posting>,
}

impl Auditor {
    /// Before the first entry.
    #[must_use]
    pub fn new(common: &Common, truth: &Truth) -> Self {
        let state = State::new(common.world.network.clone());
        let frontier = Frontier::new();
        Self {
            model: Model::new(common, truth),
            leaves: Vec::new(),
            roots: vec![frontier.root()],
            effects: vec![state.facts().effects],
            frontier,
            state,
            judged: BTreeSet::new(),
            journaled: Vec::new(),
            truth: truth.clone(),
            common: common.clone(),
        }
    }

    /// How many entries it has read.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.leaves.len() as u64
    }

    /// The root of the first so many entries.
    #[must_use]
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        self.roots.get(usize::try_from(size).ok()?).copied()
    }

    /// Read on.
    pub fn read(&mut self, hosts: &Hosts) {
        let gate = hosts.gate();
        let Some(size) = gate.size() else { return };
        if size < self.size() {
            let what = format!("{size} entries where there were {}", self.size());
            self.common
                .chronicle
                .violated("the journal never shrinks", what);
            return;
        }
        let entries = gate.entries_from(self.size());
        let is_up = !gate.is_down();
        drop(gate);
        for bytes in entries {
            self.take(&bytes);
        }
        if is_up {
            self.check_acknowledged();
        }
    }

    /// After a start of the gate: everything that was read stands there still.
    pub fn read_again(&mut self, hosts: &Hosts) {
        let gate = hosts.gate();
        if gate.is_down() {
            return;
        }
        let found = gate.entries_from(0);
        let changed = self.leaves.iter().zip(&found);
        let mut changed = changed.filter(|(leaf, entry)| **leaf != Hash::leaf(entry));
        if changed.next().is_some() || found.len() < self.leaves.len() {
            let what = format!("{} of {} entries", found.len(), self.leaves.len());
            self.common
                .chronicle
                .violated("the journal never shrinks", what);
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let index = self.size();
        let leaf = Hash::leaf(bytes);
        self.leaves.push(leaf);
        self.frontier.append(leaf);
        self.roots.push(self.frontier.root());
        let applied = self.state.apply(bytes, &Strict);
        self.effects.push(applied.effects);
        let entry = Entry::from_bytes(bytes).ok();
        let kind = entry.as_ref().map_or("bytes", |entry| kind(&entry.body));
        let chronicle = &self.common.chronicle;
        if let Some(why) = &applied.void {
            let what = format!("{index}, {kind}: {why}");
            chronicle.note("entry: void", what);
        } else {
            chronicle.note("entry", format!("{index}, {kind}, {:.8}", leaf.to_base64()));
        }
        let now = self.common.time.now();
        let counts = entry.as_ref().filter(|_| applied.void.is_none());
        self.model.take(index, counts, leaf, now);
        self.check_withheld();
        self.check_in_force();
        let Some(entry) = entry else { return };
        if let (Body::Act(submission), None) = (entry.body, applied.void) {
            let (act, evidence) = (submission.act, submission.evidence);
            self.journaled.push(Posting { act, evidence });
        }
    }

    /// Policy and rates are those that the journal's own acts and quotes make.
    fn check_in_force(&self) {
        let facts = self.state.facts();
        let chronicle = &self.common.chronicle;
        if facts.policy() != self.model.policy() {
            chronicle.violated(
                "the policy in force is the journal's",
                facts.policy().digest(),
            );
        }
        for asset in [World::ETHER, World::TOKEN] {
            let rate = facts.rate(asset).map(|rate| (rate.price.0, rate.time));
            if rate != self.model.rate(asset) {
                let what = format!("{rate:?} for {asset}");
                chronicle.violated("a rate is the median of its quotes", what);
            }
        }
    }

    /// What a stop takes in is withheld by it, signed or not, for as long as it is in force, and what was
    /// taken back, until it is resumed. What was given up pays nobody, and its void may go out.
    fn check_withheld(&self) {
        let stops = self.model.stops.values();
        let stops: Vec<Scope> = stops.map(|stop| stop.scope).collect();
        let releases = self.state.facts().releases.iter();
        let paying = releases.filter(|(_, r)| r.stage == Stage::Released && r.voided_by.is_none());
        for (digest, release) in paying {
            let ActKind::Withdraw(withdraw) = &release.act.kind else {
                continue;
            };
            if self.model.taken_back(*digest).is_some() {
                let what = format!("{digest} goes on although it was taken back");
                let chronicle = &self.common.chronicle;
                chronicle.violated("what is taken back is withheld", what);
            }
            let token = token_of(withdraw.asset);
            if let Some(scope) = stops.iter().find(|s| is_in(**s, release.account, token)) {
                let what = format!("{digest} goes on in a suspension of {scope:?}");
                let chronicle = &self.common.chronicle;
                chronicle.violated("a suspension withholds what it takes in", what);
            }
        }
    }

    /// Every acknowledgement names an entry, and the entry is about that act.
    fn check_acknowledged(&mut self) {
        let acknowledged = std::mem::take(&mut self.truth.facts().acknowledged);
        for (digest, entry) in acknowledged {
            let about = self.model.about(entry);
            if !about.contains(&digest) {
                let what = format!("act {digest} was acknowledged as entry {entry}");
                self.common
                    .chronicle
                    .violated("every acknowledged act present", what);
            }
        }
    }

    /// Every replica at a size has the effects that this one had there.
    pub fn compare(&mut self, hosts: &Hosts, signer: &SignerHost, herald: Option<&HeraldHost>) {
        let shared = hosts.gate().shared();
        if let Some(shared) = shared {
            self.check_replica("the gate", &shared.state());
        }
        // Below its own mark a signer takes signatures as checked: a forged one shows at the mark, and
        // nothing acts by what is before it.
        let signer = signer.signer();
        if let Some(signer) = signer.filter(|s| s.keeper().follower().has_reached_mark()) {
            self.check_replica("the signer", signer.state());
            self.check_moved("the signer", signer.keeper());
        }
        let herald = herald.and_then(HeraldHost::herald);
        if let Some(herald) = herald.filter(|h| h.keeper().follower().has_reached_mark()) {
            self.check_replica("the herald", herald.state());
            self.check_moved("the herald", herald.keeper());
        }
    }

    /// Whoever has come past a handover goes by nothing that only those of before have signed or cosigned.
    fn check_moved(&mut self, whose: &str, keeper: &Keeper) {
        let speakers = &self.model.speakers;
        let newest = keeper.follower().heads().newest();
        let (Some(newest), Some(last)) = (newest, speakers.last_handover()) else {
            return;
        };
        let note = newest.signed().note().to_string();
        let is_new = self.judged.insert(Digest::plain(note.as_bytes()));
        if is_new && keeper.state().size() >= last && speakers.read(note.as_bytes()).is_none() {
            let what = format!("{whose} by a head of size {}", newest.head().size);
            let chronicle = &self.common.chronicle;
            chronicle.violated("only those in force move a keeper", what);
        }
    }

    fn check_replica(&self, whose: &str, state: &State) {
        let size = usize::try_from(state.size()).unwrap_or(usize::MAX);
        let expected = self.effects.get(size);
        let got = state.facts().effects;
        // Entries that nobody can read for the moment are compared once they can be.
        if expected.is_some_and(|expected| *expected != got) {
            let what = format!("{whose} at {size} entries");
            self.common.chronicle.violated("every replica equal", what);
        }
    }

    /// The entry that names a checkpoint, for whoever asks when an act's could be known.
    #[must_use]
    pub fn checkpoint_entry(&self, digest: Digest) -> Option<u64> {
        self.model.checkpoint_entry(digest)
    }
}

fn kind(body: &Body) -> &'static str {
    match body {
        Body::Genesis(_) => "genesis",
        Body::Checkpoint(_) => "checkpoint",
        Body::Act(submission) => submission.act.kind.name(),
        Body::Evidence(_) => "evidence",
        Body::Settle(_) => "settlement",
        Body::Replace(_) => "replacement",
        Body::Statement(signed) => signed.statement.says.name(),
    }
}
