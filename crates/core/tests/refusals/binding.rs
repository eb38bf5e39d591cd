//! 1xx and 2xx: is the act for here and now, and new?

use super::{Fault, Row, row};
use crate::stage::Stage;
use portcullis_core::act::ActKind;
use portcullis_core::id::BoardId;
use portcullis_core::realm::Realm;
use portcullis_core::{Act, Decision, Digest, Evidence, Reason, Span};
use portcullis_keeper::testkit::World;

fn withdrawal(stage: &mut Stage) -> Act {
    stage.withdrawal(10)
}

fn freeze(stage: &mut Stage) -> Act {
    stage.customers(ActKind::Freeze)
}

fn brief_freeze(stage: &mut Stage) -> Act {
    let expires = stage.now().after(Span::seconds(60));
    Act {
        expires,
        ..freeze(stage)
    }
}

fn suspension(stage: &mut Stage) -> Act {
    stage
        .ledger
        .suspension(portcullis_core::act::Scope::Withdrawals)
        .0
}

#[rustfmt::skip]
pub(crate) fn rows() -> Vec<Row> {
    use Fault::{Act as Asks, Later};
    use Reason as R;
    vec![
        row(R::TooLarge, "nine requests", withdrawal, Later(nine_requests)),
        row(R::TooLarge, "nine attestations", withdrawal, Later(nine_attestations)),
        row(R::WrongGenesis, "another network", withdrawal, Asks(|_, act| act.genesis = Digest([7; 32]))),
        row(R::WrongRealm, "a customer among staff", withdrawal, Asks(|_, act| act.realm = Realm::Staff)),
        row(R::WrongRealm, "staff among customers", suspension, Asks(into_customers)),
        row(R::UnknownCheckpoint, "never journaled", withdrawal, Asks(|_, act| act.checkpoint = Digest([7; 32]))),
        row(R::UnknownCheckpoint, "over one hour old", withdrawal, Later(after_an_hour)),
        row(R::Expired, "expires this moment", withdrawal, Asks(|stage, act| act.expires = stage.now())),
        row(R::Expired, "stamped in the future", freeze, Later(stamped_in_the_future)),
        row(R::Expired, "expired when it was stamped", brief_freeze, Later(stamped_too_late)),
        row(R::ExpiryTooFar, "a day and a moment", withdrawal, Asks(a_day_and_a_moment)),
        row(R::Replayed, "the same act again", withdrawal, Later(again)),
        row(R::Replayed, "a held act again", large, Later(again)),
        row(R::Replayed, "a lifted suspension again, by its stamp", suspension, Later(again_by_its_stamp)),
        row(R::StampInvalid, "a stamp on what loosens", withdrawal, Later(stamped)),
        row(R::StampInvalid, "a board of elsewhere", freeze, Later(stamped_elsewhere)),
        row(R::StampInvalid, "a stamp of another act", freeze, Later(stamp_of_another)),
        row(R::StampInvalid, "a stamp moved in time", freeze, Later(stamp_moved)),
    ]
}

fn large(stage: &mut Stage) -> Act {
    stage.withdrawal(1_000)
}

fn nine_requests(_: &mut Stage, _: &Act, evidence: &mut Evidence) {
    evidence.requests = vec![evidence.requests[0].clone(); 9];
}

fn nine_attestations(_: &mut Stage, _: &Act, evidence: &mut Evidence) {
    evidence.attestations = vec![evidence.attestations[0].clone(); 9];
}

fn into_customers(stage: &mut Stage, act: &mut Act) {
    act.realm = Realm::Customers;
    act.account = Some(stage.customer.account);
}

/// The act has an hour to go, and its checkpoint is an hour and a moment old.
fn after_an_hour(stage: &mut Stage, _: &Act, _: &mut Evidence) {
    stage.pass(Span(3_600_001));
}

fn stamped(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    evidence.posted = Some(Stage::stamp(act, stage.now()));
}

fn stamped_in_the_future(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    let soon = stage.now().after(Span::seconds(31));
    evidence.posted = Some(Stage::stamp(act, soon));
}

fn stamped_too_late(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    stage.pass(act.expires.since(stage.now()));
    *evidence = stage.prove(act);
    stamped(stage, act, evidence);
}

fn a_day_and_a_moment(stage: &mut Stage, act: &mut Act) {
    act.expires = stage.now().after(Span(24 * 3_600_000 + 1));
}

fn again(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    stage.submit_with(act.clone(), evidence.clone());
}

/// A gate that kept the board's page suspends again after the lift, long after the act's expiry.
fn again_by_its_stamp(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    evidence.posted = Some(Stage::stamp(act, stage.now()));
    let by = stage.submit_with(act.clone(), evidence.clone());
    stage.pass(Span::hours(3));
    stage
        .ledger
        .lift(portcullis_core::act::LiftTarget::Suspension { by });
    assert!(act.expires < stage.now());
}

fn stamped_elsewhere(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    stamped(stage, act, evidence);
    evidence.posted.as_mut().unwrap().board = BoardId(World::KEEPER.0);
}

fn stamp_of_another(stage: &mut Stage, _: &Act, evidence: &mut Evidence) {
    let other = freeze(stage);
    evidence.posted = Some(Stage::stamp(&other, stage.now()));
}

fn stamp_moved(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    stamped(stage, act, evidence);
    let stamp = evidence.posted.as_mut().unwrap();
    stamp.time = stamp.time.before(Span(1));
}

/// A board took it in time; the gate was away, and everything about the act is old by now.
#[test]
fn a_posting_counts_from_its_stamp() {
    let mut stage = Stage::new();
    let act = brief_freeze(&mut stage);
    let mut evidence = stage.prove(&act);
    stamped(&mut stage, &act, &mut evidence);
    stage.pass(Span::hours(20));
    assert_eq!(stage.decide(&act, &evidence), Decision::Release);
    evidence.posted = None;
    let reason = Reason::UnknownCheckpoint;
    assert_eq!(stage.decide(&act, &evidence), Decision::Refuse { reason });
}
