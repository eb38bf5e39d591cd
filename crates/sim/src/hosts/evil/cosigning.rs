//! Cosignatures for what it shows: honestly for the journal, and from whoever will for anything else.

use super::Evil;
use super::faces::Face;
use crate::setting::{self, WITNESSES};
use portcullis_tlog::witness::{AddCheckpoint, Answer};
use portcullis_tlog::{Cosignature, Frontier, Hash, SignedCheckpoint, TreeHead};
use std::time::Duration;

impl Evil {
    /// The newest head is cosigned, honestly; and a fork, by whoever will.
    pub(in crate::hosts) fn beat(&mut self) {
        let head = self.journal.head();
        if let Some((signed, got)) = self.gather(head)
            && got >= self.common.world.network.quorum().k()
        {
            let note = signed.note().to_string().into_bytes();
            self.older = self.older.take().or_else(|| self.newest.clone());
            self.newest = Some(note);
            self.common.chronicle.count("gate: cosigned");
        }
        if self.face == Face::Shrunk
            && let Some(head) = self.head_at(head.size.saturating_sub(3))
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

    fn head_at(&self, size: u64) -> Option<TreeHead> {
        let entries = self.view().entries(0..size.max(1), usize::MAX).ok()?;
        let mut frontier = Frontier::new();
        for entry in &entries {
            frontier.append(Hash::leaf(entry));
        }
        Some(frontier.head())
    }

    fn gather(&mut self, head: TreeHead) -> Option<(SignedCheckpoint, usize)> {
        let mut signed = SignedCheckpoint::sign(head, &self.common.world.log).ok()?;
        let mut got = 0;
        for number in 0..WITNESSES {
            let cosignature = self
                .ask(number, &signed)
                .or_else(|| self.ask(number, &signed));
            let Some(cosignature) = cosignature else {
                continue;
            };
            got += 1;
            // Twice: whoever counts signatures counts one witness as two.
            signed.add_cosignature(cosignature.clone());
            if head != self.journal.head() {
                signed.add_cosignature(cosignature);
            }
        }
        Some((signed, got))
    }

    fn ask(&mut self, number: usize, signed: &SignedCheckpoint) -> Option<Cosignature> {
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
                let key = portcullis_tlog::Signer::key(&setting::witness(number)).clone();
                let cosignature = key.verify_answer(signed, &lines).ok()?;
                if signed.head() == self.journal.head() {
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
