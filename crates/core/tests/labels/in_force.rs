//! How a set comes in force and leaves it, and what that does to acts that wait and releases on their way.

use super::{act, held, offered, refused, set, set_of_day};
use crate::stage::vendors::Word;
use crate::stage::{APPROVERS, PAYEE, STRANGER, Stage};
use portcullis_core::act::{ActKind, Resume};
use portcullis_core::state::release::{End, Stage as Of, Withheld};
use portcullis_core::{Decision, Digest, Evidence, Need, Reason, Span};
use portcullis_keeper::testkit::World;
use portcullis_labels::{Category, Kind};

const LISTED: super::Row = (PAYEE, Category::Sanction, 10);
const OTHER: super::Row = (STRANGER, Category::Sanction, 10);

#[test]
fn a_new_list_takes_a_quorum_and_no_delay() {
    let mut stage = Stage::new();
    let new = set(Kind::Authority, &[LISTED]);
    stage.has(&new);
    let kind = act(&stage, "ofac", Some(offered(&new)));
    let asked = stage.staffs(World::administrator(0), kind);
    assert_eq!(
        stage.decide(&asked, &stage.prove(&asked)),
        held(&[Need::Quorum { missing: 1 }])
    );
    let digest = stage.submit(asked);
    stage.approve(World::administrator(1), digest);
    stage.settle(digest);
    assert_eq!(stage.withdraws(), refused());
}

/// What replaces a list may delist whoever pays for it, and nobody sees that from two digests.
#[test]
fn what_replaces_or_ends_a_list_takes_the_delay_too() {
    let mut stage = Stage::new();
    stage.lists("ofac", &set(Kind::Authority, &[LISTED]));
    let more = set(Kind::Authority, &[LISTED, OTHER]);
    stage.has(&more);
    for new in [Some(offered(&more)), None] {
        let kind = act(&stage, "ofac", new);
        let asked = stage.staffs(World::administrator(0), kind);
        let needs = [Need::Quorum { missing: 1 }, Need::Delay];
        assert_eq!(stage.decide(&asked, &stage.prove(&asked)), held(&needs));
    }
}

#[test]
fn of_two_proposals_on_one_base_the_second_fails() {
    let mut stage = Stage::new();
    let [first, second] = [1, 2].map(|day| {
        let set = set_of_day(Kind::Community, day, &[LISTED]);
        stage.has(&set);
        let kind = act(&stage, "desk", Some(offered(&set)));
        let asked = stage.staffs(World::administrator(0), kind);
        let digest = stage.submit(asked);
        stage.approve(World::administrator(1), digest);
        digest
    });
    stage.settle(first);
    let reason = Reason::LabelsChanged;
    assert_eq!(stage.settles(second), Decision::Refuse { reason });
    stage.settle(second);
    assert_eq!(stage.end(second), Some(End::Returned));
}

/// A withdrawal that a community's list holds.
fn waiting(stage: &mut Stage) -> Digest {
    stage.lists("desk", &set(Kind::Community, &[LISTED]));
    let asked = stage.withdrawal(10);
    let digest = stage.submit(asked);
    // A held act's own entry has to be cosigned before it goes out.
    stage.pass(Span::seconds(1));
    assert_eq!(stage.settles(digest), held(&[Need::Label]));
    digest
}

#[test]
fn one_member_who_looks_lets_it_go() {
    let mut stage = Stage::new();
    let digest = waiting(&mut stage);
    stage.approve(APPROVERS[0], digest);
    assert_eq!(stage.settles(digest), Decision::Release);
}

#[test]
fn so_does_a_screening_that_passes_it_and_no_other() {
    for (word, passes) in [(Word::pass(1), true), (Word::refer(1), false)] {
        let mut stage = Stage::with_vendors();
        let digest = waiting(&mut stage);
        let asked = stage.facts().held[&digest].act.clone();
        let said = stage.words(&asked, &[word]);
        assert_eq!(stage.supplement(digest, said).void, None);
        // The policy there wants approvals of what a screening refers, besides.
        let decided = stage.settles(digest);
        let looks =
            matches!(&decided, Decision::Hold { needs, .. } if needs.contains(&Need::Label));
        assert_eq!(looks, !passes, "{decided:?}");
    }
}

/// Whoever approved has seen what stood in the lists then, and not what came later.
#[test]
fn an_approval_from_before_the_list_does_not_count() {
    let mut stage = Stage::new();
    let asked = stage.withdrawal(801);
    let digest = stage.submit(asked);
    stage.pass(Span::seconds(1));
    stage.approve(APPROVERS[0], digest);
    stage.lists("desk", &set(Kind::Community, &[LISTED]));
    assert_eq!(
        stage.settles(digest),
        held(&[Need::Approvals { missing: 1 }, Need::Label])
    );
    stage.approve(APPROVERS[1], digest);
    assert_eq!(stage.settles(digest), Decision::Release);
}

#[test]
fn delisting_lets_it_go() {
    let mut stage = Stage::new();
    let digest = waiting(&mut stage);
    stage.lists("desk", &set(Kind::Community, &[OTHER]));
    assert_eq!(stage.settles(digest), Decision::Release);
}

#[test]
fn an_authority_that_lists_later_ends_what_waits() {
    let mut stage = Stage::new();
    let digest = waiting(&mut stage);
    stage.approve(APPROVERS[0], digest);
    stage.lists("ofac", &set(Kind::Authority, &[LISTED]));
    assert_eq!(stage.settles(digest), refused());
}

/// What was released and has not left goes nowhere while the list stands; after delisting somebody may let
/// it go.
#[test]
fn an_authority_that_lists_later_withholds_what_has_not_left() {
    let mut stage = Stage::new();
    let asked = stage.withdrawal(10);
    let release = stage.submit(asked);
    stage.lists("else", &set(Kind::Authority, &[OTHER]));
    assert_eq!(stage.release(release).stage, Of::Released);
    stage.lists("desk", &set_of_day(Kind::Community, 3, &[LISTED]));
    assert_eq!(stage.release(release).stage, Of::Released, "holds at most");
    stage.lists("ofac", &set(Kind::Authority, &[LISTED]));
    assert_eq!(
        stage.release(release).stage,
        Of::Withheld(Withheld::Revoked)
    );
    let resume = ActKind::Resume(Resume { release });
    let again = stage.staffs(World::OPERATOR, resume);
    assert_eq!(stage.refusal(&again), Some(Reason::LabelRefuses));
}

#[test]
fn policy_is_told_the_risk_and_the_category() {
    let cases = [
        ("context has label_risk && context.label_risk >= 7", true),
        ("context has label_risk && context.label_risk >= 8", false),
        ("context.label == \"mixing\"", true),
        ("context.label == \"none\"", false),
    ];
    for (when, bites) in cases {
        let mut stage = Stage::new();
        let statement = format!(
            "@id(\"permit\") permit (principal, action, resource);\n@id(\"label\") forbid \
             (principal, action == Action::\"withdraw\", resource) when {{ {when} }};"
        );
        let replaces = stage.facts().policy().digest();
        let policy = portcullis_core::policy::Policy {
            cedar: statement,
            ..stage.facts().policy().clone()
        };
        policy.check().unwrap();
        stage.propose(ActKind::SetPolicy(portcullis_core::act::SetPolicy {
            replaces,
            policy,
        }));
        let mixer = set(Kind::Community, &[(PAYEE, Category::Mixing, 7)]);
        stage.lists_from("desk", &mixer, 10);
        let reason = Reason::Forbidden;
        let expected = if bites {
            Decision::Refuse { reason }
        } else {
            Decision::Release
        };
        assert_eq!(stage.withdraws(), expected, "{when}");
    }
}

#[test]
fn the_same_assertion_again_is_no_look() {
    let mut stage = Stage::new();
    let digest = waiting(&mut stage);
    let proof = stage.facts().held[&digest].act.clone();
    let again: Evidence = stage.prove(&proof);
    assert!(stage.would_supplement(digest, again).is_err());
    assert_eq!(stage.settles(digest), held(&[Need::Label]));
}
