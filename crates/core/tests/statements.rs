//! What a keeper said once says nothing new when anybody says it again.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod stage;

use portcullis_chains::Amount;
use portcullis_core::Digest;
use portcullis_core::act::{ActKind, Lift, LiftTarget};
use portcullis_core::statement::{Cap, Condition, Says};
use portcullis_keeper::testkit::World;
use stage::Stage;

fn caps(most: u128, number: u64) -> Says {
    let cap = Cap {
        asset: World::ETHER,
        per_transaction: Amount(most),
        day: Amount(most),
    };
    Says::Caps {
        caps: vec![cap],
        number,
    }
}

#[test]
fn old_caps_are_no_news_and_replace_nothing() {
    let mut stage = Stage::new();
    for (most, number) in [(5, 1), (7, 2)] {
        let says = caps(most, number);
        assert!(stage.state().is_news(&stage.signed(says.clone())));
        assert_eq!(stage.says(says).void, None);
    }
    for (most, number) in [(5, 1), (7, 2), (9, 2)] {
        let says = caps(most, number);
        assert!(!stage.state().is_news(&stage.signed(says.clone())));
        assert_eq!(stage.says(says).changes, []);
    }
    let known = &stage.facts().caps[&World::KEEPER];
    assert_eq!((known.number, known.caps[0].day), (2, Amount(7)));
}

#[test]
fn a_latch_that_was_lifted_stays_lifted_when_its_statement_comes_again() {
    let mut stage = Stage::new();
    let (keeper, latch) = (World::KEEPER, Digest([0x1a; 32]));
    let condition = Condition::Shut;
    let says = Says::Latched { latch, condition };
    stage.says(says.clone());
    assert!(stage.facts().latches.contains_key(&(keeper, latch)));
    let target = LiftTarget::Latch { keeper, latch };
    stage.propose(ActKind::Lift(Lift { target }));
    assert!(!stage.state().is_news(&stage.signed(says.clone())));
    assert_eq!(stage.says(says).changes, []);
    assert!(stage.facts().latches.is_empty());
}
