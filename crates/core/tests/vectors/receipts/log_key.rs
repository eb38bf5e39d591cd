//! Receipts of a journal whose own key was rotated.

use super::Bundle;
use super::draft::Draft;
use super::lost::{HANDED_TO, begin, changed, rotate, rotate_witnesses};
use crate::story::Story;
use crate::tree;
use portcullis_core::act::{ActKind, Approve, Rotate};
use portcullis_core::entry::Settlement;
use portcullis_core::receipt::{Handover, Receipt};
use portcullis_core::{Body, Decision};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{Ledger, World};

/// The key of before, and those that take over.
pub(crate) const OLD: u8 = 0x80;
pub(crate) const NEXT: u8 = 0x81;
const LATER: u8 = 0x82;

fn rotate_log(story: &mut Story, seed: u8) -> [usize; 3] {
    let rotation = rotate(story, World::log_keys(seed));
    story.age();
    rotation
}

impl Draft {
    /// A withdrawal in a journal that another key signs by then. The rotation, its approval and its settlement
    /// stand in `shown` from 2 on.
    pub(crate) fn rotated_log() -> Self {
        let (mut story, opening) = begin();
        let rotation = rotate_log(&mut story, NEXT);
        Self::after_rotations(story, opening, &rotation)
    }

    /// The key, then the witnesses, then the key once more.
    pub(crate) fn rotated_log_and_witnesses() -> Self {
        let (mut story, opening) = begin();
        let first = rotate_log(&mut story, NEXT);
        let second = rotate_witnesses(&mut story, &HANDED_TO);
        let third = rotate_log(&mut story, LATER);
        Self::after_rotations(story, opening, &[first, second, third].concat())
    }
}

/// A receipt after the journal's key was rotated, changed afterwards.
pub(crate) fn log_rotated(change: fn(&mut Receipt, &Ledger)) -> Bundle {
    changed(Draft::rotated_log(), change)
}

/// The checkpoint of this size by genesis' witnesses, under this key of the journal.
pub(crate) fn signed_by(ledger: &Ledger, size: usize, seed: u8) -> String {
    let (head, time) = (ledger.head_at(size), ledger.clock.now());
    let witnesses = &ledger.world.witnesses;
    let note = Ledger::note_signed(head, time, &World::log(seed), witnesses);
    String::from_utf8(note).unwrap()
}

/// The same with what leads from it to the whole journal.
pub(crate) fn handover(ledger: &Ledger, size: usize, seed: u8) -> Handover {
    Handover {
        checkpoint: signed_by(ledger, size, seed),
        proof: tree::consistency(&ledger.entries, size),
    }
}

/// A quorum has proposed a key in the place of genesis', and then put another there. Whoever has the gate writes
/// that the first proposal takes effect all the same.
pub(crate) fn by_an_old_proposal() -> Bundle {
    let (mut story, opening) = begin();
    let replaces = World::log_keys(OLD).digest();
    let (proposer, approver) = (World::administrator(0), World::administrator(1));
    let kind = ActKind::Rotate(Rotate {
        replaces,
        keys: World::log_keys(LATER),
    });
    let (act, proposal) = story.staff(proposer, kind);
    let (_, approval) = story.staff(approver, ActKind::Approve(Approve { act }));
    let rotation = rotate_log(&mut story, NEXT);
    let rests_on = [&[proposal, approval], &rotation[..]].concat();
    let mut draft = Draft::after_rotations(story, opening, &rests_on);
    let ledger = &mut draft.story.ledger;
    let forged = ledger.entries.len();
    let settlement = Settlement {
        act,
        decision: Decision::Release,
        plan: None,
        beside: portcullis_core::entry::Beside::default(),
    };
    let applied = ledger.enter(Body::Settle(Box::new(settlement)));
    assert!(applied.void.is_some());
    ledger.settle_clocks();
    draft.shown.push(forged);
    changed(draft, |receipt, ledger| {
        let forged = receipt.entries.last().unwrap().index;
        let last = usize::try_from(forged).unwrap() + 1;
        receipt.handovers.push(handover(ledger, last, NEXT));
        receipt.checkpoint = signed_by(ledger, ledger.entries.len(), LATER);
    })
}
