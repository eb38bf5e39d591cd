//! Whoever has got hold of keys by which the journal was once spoken for.

use crate::hosts::HeraldHost;
use crate::setting;
use crate::sim::Sim;
use crate::wire::{Host, Message};
use portcullis_herald::Herald;
use portcullis_keeper::Keeper;
use portcullis_signer::Signer;
use portcullis_tlog::witness::AddCheckpoint;
use portcullis_tlog::{SignedCheckpoint, TreeHead};
use std::collections::BTreeSet;

impl Sim {
    /// Whether every keeper has come past the newest handover.
    pub(crate) fn look_who_is_past(&mut self) {
        if !self.common.has_handovers {
            return;
        }
        let are_past = self.are_past();
        self.common.loot.stolen().are_past = are_past;
    }

    /// Where there has been one: all keepers have read beyond it, so that those of before are nobody to them.
    pub(crate) fn are_past(&self) -> bool {
        let speakers = &self.auditor.model.speakers;
        let Some(last) = speakers.last_handover() else {
            return false;
        };
        let is_past =
            |keeper: &Keeper| keeper.follower().has_reached_mark() && keeper.state().size() > last;
        let signer = self.signer.signer().map(Signer::keeper);
        let heralds = self.herald.iter().map(HeraldHost::herald);
        let mut heralds = heralds.map(|herald| herald.map(Herald::keeper));
        speakers.handing_over().is_none()
            && signer.is_some_and(is_past)
            && heralds.all(|herald| herald.is_some_and(is_past))
    }

    /// Somebody steals a key of before, or makes use of it.
    pub(crate) fn pretend(&mut self) -> bool {
        self.are_past()
            && if self.dice.chance(400) {
                self.steal_witnesses()
            } else {
                self.sign_as_before()
            }
    }

    /// One that was replaced, or all of them.
    fn steal_witnesses(&mut self) -> bool {
        let speakers = &self.auditor.model.speakers;
        let in_force = speakers.newest().numbers();
        let ever = speakers.each().flat_map(|(speaker, ..)| speaker.numbers());
        let retired: BTreeSet<usize> = ever.filter(|n| !in_force.contains(n)).collect();
        let mut stolen = self.common.loot.stolen();
        let left: Vec<usize> = retired.difference(&stolen.witnesses).copied().collect();
        let Some(one) = self.dice.pick(&left).copied() else {
            return false;
        };
        if self.dice.chance(500) {
            stolen.witnesses.extend(left);
        } else {
            stolen.witnesses.insert(one);
        }
        let what = format!("{:?}", stolen.witnesses);
        drop(stolen);
        self.common.chronicle.note("theft: RetiredWitnesses", what);
        true
    }

    /// The journal's old key signs the journal as it is: whoever has cosigned by the new one answers that with no
    /// cosignature.
    fn sign_as_before(&mut self) -> bool {
        let newest = self.auditor.model.speakers.newest();
        let (in_force, numbers) = (newest.log_number(), newest.numbers());
        let turned = numbers
            .into_iter()
            .filter(|number| in_force > Some(0) && Some(self.watch.log_of(*number)) == in_force);
        let turned: Vec<usize> = turned.collect();
        let Some(number) = self.dice.pick(&turned).copied() else {
            return false;
        };
        let size = self.watch.size_of(number);
        let Some(root) = self.auditor.root_at(size) else {
            return false;
        };
        let head = TreeHead { size, root };
        let Ok(signed) = SignedCheckpoint::sign(head, &setting::log(0)) else {
            return false;
        };
        let body = AddCheckpoint::new(size, Vec::new(), &signed).to_string();
        let message = Message {
            is_post: true,
            target: "/add-checkpoint".into(),
            headers: Vec::new(),
            body: body.into_bytes(),
        };
        let reply = self.hosts.deliver(Host::Witness(number), &message);
        let status = reply.map_or(0, |reply| reply.status);
        self.common
            .chronicle
            .note("theft: OldLogKey", format!("witness {number}: {status}"));
        true
    }
}
