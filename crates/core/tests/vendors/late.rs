//! Words that come too late: they stop what has not left, and never what has.

use super::bring;
use crate::stage::Stage;
use crate::stage::vendors::{LARGE, Word};
use portcullis_core::act::{ActKind, Cancel};
use portcullis_core::state::release::{End, Stage as ReleaseStage, Withheld};
use portcullis_core::{Act, Digest, Reason, Span};

/// A withdrawal that went out at once.
fn released(stage: &mut Stage) -> Act {
    let act = stage.withdrawal(LARGE);
    let evidence = stage.prove_with(&act, &[Word::pass(1)]);
    stage.submit_with(act.clone(), evidence);
    act
}

fn comes(stage: &mut Stage, act: &Act, word: Word) -> Option<Reason> {
    let evidence = stage.words(act, &[word]);
    bring(stage, act, evidence)
}

#[test]
fn a_late_pass_is_nothing_new() {
    let mut stage = Stage::with_vendors();
    let act = released(&mut stage);
    for word in [Word::pass(2), Word::refer(3), Word::Message(4, 1)] {
        assert_eq!(comes(&mut stage, &act, word), Some(Reason::NothingNew));
    }
    assert_eq!(stage.release(act.digest()).stage, ReleaseStage::Released);
}

#[test]
fn a_late_block_stops_what_nobody_has_signed() {
    let mut stage = Stage::with_vendors();
    let act = released(&mut stage);
    // Also where the vendor takes back what it said under one id.
    assert_eq!(comes(&mut stage, &act, Word::block(1)), None);
    let cancelled = ReleaseStage::Withheld(Withheld::Cancelled);
    assert_eq!(stage.release(act.digest()).stage, cancelled);
    // It is given up by itself: the nonce pays nobody.
    stage.pass(Span::seconds(1));
    stage.settle(act.digest());
    assert!(stage.release(act.digest()).voided_by.is_some());
}

#[test]
fn a_late_block_stops_what_a_suspension_withheld() {
    let mut stage = Stage::with_vendors();
    let act = released(&mut stage);
    let scope = portcullis_core::act::Scope::Everything;
    let suspend = ActKind::Suspend(portcullis_core::act::Suspend { scope });
    let suspend = stage.staffs(portcullis_keeper::testkit::World::OPERATOR, suspend);
    stage.submit(suspend);
    assert_eq!(comes(&mut stage, &act, Word::block(2)), None);
    let resume = ActKind::Resume(portcullis_core::act::Resume {
        release: act.digest(),
    });
    let resume = stage.staffs(portcullis_keeper::testkit::World::OPERATOR, resume);
    assert!(stage.refusal(&resume).is_some());
    let cancelled = ReleaseStage::Withheld(Withheld::Cancelled);
    assert_eq!(stage.release(act.digest()).stage, cancelled);
}

/// It stands in the journal, its id is used up, and that is all.
#[test]
fn a_block_changes_nothing_that_left() {
    let mut stage = Stage::with_vendors();
    let act = released(&mut stage);
    let transaction = stage.sign(act.digest());
    let before = stage.release(act.digest()).clone();
    assert_eq!(comes(&mut stage, &act, Word::block(2)), None);
    assert_eq!(*stage.release(act.digest()), before);
    assert_eq!(
        comes(&mut stage, &act, Word::block(2)),
        Some(Reason::NothingNew)
    );
    stage.says(crate::stage::confirmed(act.digest(), transaction));
    assert_eq!(stage.end(act.digest()), Some(End::Confirmed(transaction)));
    assert_eq!(
        comes(&mut stage, &act, Word::block(3)),
        Some(Reason::ActGone)
    );
}

#[test]
fn what_was_refused_or_taken_back_or_never_asked_hears_nothing() {
    let mut stage = Stage::with_vendors();
    let refused = stage.waiting(LARGE, &[]);
    stage.pass(Span::seconds(1));
    assert_eq!(comes(&mut stage, &refused, Word::block(1)), None);
    stage.settle(refused.digest());
    let cancelled = stage.waiting(LARGE, &[]);
    let cancel = stage.customers(ActKind::Cancel(Cancel {
        act: cancelled.digest(),
    }));
    stage.submit(cancel);
    for act in [refused, cancelled] {
        let said = comes(&mut stage, &act, Word::pass(2));
        assert_eq!(said, Some(Reason::ActGone));
    }
    let never = stage.withdrawal(LARGE);
    assert_eq!(
        comes(&mut stage, &never, Word::pass(2)),
        Some(Reason::ActUnknown)
    );
    assert_ne!(never.digest(), Digest([0; 32]));
}
