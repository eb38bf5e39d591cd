//! Receipts of withdrawals that somebody else carries out, on the signer's word.

use super::draft::Draft;
use crate::holder::{Holder, Kind};
use crate::story::{Story, permit};
use portcullis_chains::Amount;
use portcullis_core::plan::Plan;
use portcullis_core::time::Span;
use portcullis_keeper::testkit::World;
use portcullis_keys::software::SoftwareStatement;

/// A withdrawal of ether by mandate, which holds for an hour.
pub(super) fn permitted() -> Draft {
    let world = World::with(|genesis| {
        genesis.wallets[0].mandate = Some(Span::hours(1));
        genesis.wallets[0].fee_ceiling = Amount::ZERO;
    });
    let story = Story::begin_in(world, Holder::new(Kind::PasskeyP256));
    Draft::permitted_in(story, World::ETHER, super::cases::ETHER)
}

/// The same with another text, planned, signed and stated.
pub(super) fn with_text(change: impl FnOnce(String) -> String) -> Draft {
    let mut draft = permitted();
    let plan = draft.plan();
    let text = String::from_utf8(plan.unsigned).unwrap();
    let changed = change(text.clone());
    assert_ne!(changed, text);
    let plan = Plan {
        wallet: plan.wallet,
        unsigned: changed.into_bytes(),
    };
    let transaction = permit(&plan.unsigned, draft.story.world().keeper.as_ref());
    draft.replan_as(&plan, transaction);
    draft
}

/// The same mandate under another key.
pub(super) fn by(key: &SoftwareStatement) -> Draft {
    let mut draft = permitted();
    let transaction = permit(&draft.plan().unsigned, key);
    draft.says(|said| *said.transaction = transaction);
    draft
}
