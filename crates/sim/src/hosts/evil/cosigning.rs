//! Cosignatures for what it shows: honestly for the journal, and from whoever will for anything else.

use super::Evil;
use super::faces::Face;
use crate::setting;
use portcullis_tlog::witness::{AddCheckpoint, Answer};
use portcullis_tlog::{Cosignature, Frontier, Hash, SignedCheckpoint, Signer as _, TreeHead};
use std::time::Duration;

impl Evil {
    /// The newest head is cosigned, honestly; and a fork, by whoever will.
    pub(in crate::hosts) fn beat(&mut self) {
        if let Some(head) = self.asked()
            && let Some((signed, got)) = self.gather(head)
            && got >= self.state.quorum_at(head.size).k()
        {
            let note = signed.note().to_string().into_bytes();
            self.older = self.older.take().or_else(|| self.newest.clone());
            self.newest = Some(note);
            self.common.chronicle.count("gate: cosigned");
        }
        if self.face == Face::Shrunk
            && let Some(head) = self.head_at(self.journal.head().size.saturating_sub(3))
            && let Some((signed, _)) = self.gather(head)
        {
            self.shrunk = Some(signed.note().to_string().into_bytes());
        }
        let fork = self.fork.as_ref().map(|fork| fork.head);
        if let Some(head) = fork
            && let Some((signed, _)) = self.gather(head)
            && let Some(fork) = &mut self.fork
        {
            fork.note = Some(signed.note().to_string().into_bytes());
        }
    }

    /// What is to be cosigned: while the journal is handed over, the last head of those of before.
    fn asked(&self) -> Option<TreeHead> {
        match self.state.handing_over() {
            Some(last) => self.head_at(last),
            None => Some(self.journal.head()),
        }
    }

    pub(super) fn head_at(&self, size: u64) -> Option<TreeHead> {
        Some(self.frontier_at(size.max(1))?.head())
    }

    pub(super) fn frontier_at(&self, size: u64) -> Option<Frontier> {
        let entries = self.view().entries(0..size, usize::MAX).ok()?;
        let mut frontier = Frontier::new();
        for entry in &entries {
            frontier.append(Hash::leaf(entry));
        }
        Some(frontier)
    }

    fn gather(&mut self, head: TreeHead) -> Option<(SignedCheckpoint, usize)> {
        let is_journals = self.asked() == Some(head);
        let log = if self.signs_as_before {
            0
        } else {
            self.log_in_force(head.size)
        };
        let mut signed = SignedCheckpoint::sign(head, &setting::log(log)).ok()?;
        let mut got = 0;
        for number in self.whom_to_ask(head, is_journals) {
            let cosignature = self
                .ask(number, &signed)
                .or_else(|| self.ask(number, &signed));
            let Some(cosignature) = cosignature else {
                continue;
            };
            got += usize::from(self.counts(number, head));
            // Twice: whoever counts signatures counts one witness as two.
            signed.add_cosignature(cosignature.clone());
            if !is_journals {
                signed.add_cosignature(cosignature);
            }
        }
        Some((signed, got))
    }

    /// Those in force, and everybody else now and then. A witness that has cosigned nothing yet is shown no fork:
    /// it would cosign whatever it is shown first, and never the journal.
    fn whom_to_ask(&mut self, head: TreeHead, is_journals: bool) -> Vec<usize> {
        let all = 0..self.common.witnesses();
        if !self.common.has_handovers {
            return all.collect();
        }
        let is_open = self.state.handing_over().is_some();
        let everybody = !is_open && (!is_journals || self.dice.chance(80));
        let stolen = self.common.loot.stolen();
        let is_wanted = |number: &usize| {
            let is_in_force = self.counts(*number, head);
            let may_fork = self.known[*number] > 0 || stolen.witnesses.contains(number);
            (everybody || is_in_force) && (is_journals || may_fork)
        };
        all.filter(is_wanted).collect()
    }

    /// Whether a witness counts for a head.
    fn counts(&self, number: usize, head: TreeHead) -> bool {
        let quorum = self.state.quorum_at(head.size);
        quorum.witnesses().contains(setting::witness(number).key())
    }

    pub(super) fn ask(&mut self, number: usize, signed: &SignedCheckpoint) -> Option<Cosignature> {
        let (known, size) = (self.known[number], signed.head().size);
        let proof = self
            .view()
            .prove_consistency(known, size)
            .unwrap_or_default();
        let body = AddCheckpoint::new(known, proof, signed).to_string();
        let url = format!("{}/add-checkpoint", setting::witness_url(number));
        let patience = Duration::from_millis(1500);
        let reply = self
            .http
            .post(&url, &[], body.as_bytes(), 16 * 1024, patience);
        let reply = reply.ok()?;
        match Answer::parse(reply.status, &reply.body) {
            Answer::Cosigned(lines) => {
                let key = setting::witness(number).key().clone();
                let cosignature = key.verify_answer(signed, &lines).ok()?;
                if self.asked() == Some(signed.head()) {
                    self.known[number] = size;
                }
                Some(cosignature)
            }
            Answer::At(size) => {
                self.known[number] = size;
                None
            }
            Answer::Refused { .. } => {
                self.common.chronicle.count("witness: refuses");
                None
            }
        }
    }
}
