//! What several principals do together, and what each does alone.

use super::{Family, principals, waits_for};
use crate::stage::{APPROVERS, PAYEE, STRANGER, UNAPPROVED, add, ether};
use portcullis_core::act::{ActKind, Cancel, CancelAddress, EnrolFactor, RemovePrincipal};
use portcullis_core::state::release::{Stage as Standing, Withheld};
use portcullis_core::{Decision, Need, Reason, Span};

/// What is asked for by the first of three, of whom two act together.
type Ask = fn(&mut Family) -> ActKind;

#[rustfmt::skip]
const TOGETHER: &[(&str, Ask)] = &[
    ("withdraw",              |_| ether(PAYEE, 10)),
    ("add an address",        |_| add(STRANGER)),
    ("unfreeze",              |family| { let act = family.act(1, ActKind::Freeze); family.submit(&act, &[1]); ActKind::Unfreeze }),
    ("add a principal",       |family| { let new = family.stranger(0x40); family.add(&new).kind }),
    ("remove another",        |family| family.remove(0, 2).kind),
    ("raise the quorum",      |family| family.set_quorum(2, 3).kind),
    ("lower the quorum",      |family| family.set_quorum(2, 1).kind),
];

#[test]
fn what_takes_two_waits_for_the_second_and_takes_both_at_once() {
    for (what, ask) in TOGETHER {
        let mut family = Family::of(3, 2);
        let kind = ask(&mut family);
        let act = family.act(0, kind);
        let alone = family.decide(&act, &[0]);
        assert!(waits_for(&alone, principals(1)), "{what}: {alone:?}");
        let both = family.decide(&act, &[0, 1]);
        assert!(!waits_for(&both, principals(1)), "{what}: {both:?}");
        let digest = family.submit(&act, &[0]);
        assert!(waits_for(&family.settles(digest), principals(1)), "{what}");
        family.supplement(&act, &[2]);
        family.stage.pass(Span::seconds(6));
        assert_eq!(family.settles(digest), Decision::Release, "{what}");
        family.stage.settle(digest);
    }
}

#[rustfmt::skip]
const ALONE: &[(&str, Ask)] = &[
    ("freeze",                |_| ActKind::Freeze),
    ("cancel another's",      |family| { let act = family.act(1, ether(PAYEE, 10)); let act = family.submit(&act, &[1]); ActKind::Cancel(Cancel { act }) }),
    ("take an address out",   |_| ActKind::CancelAddress(CancelAddress { address: PAYEE })),
    ("revoke one's own",      |family| family.revoke_own(0).kind),
    ("enrol one's own",       |family| { let factor = family.stranger(0x50).factor(); ActKind::EnrolFactor(EnrolFactor { principal: family.all[0].principal, factor }) }),
    ("leave",                 |family| ActKind::RemovePrincipal(RemovePrincipal { principal: family.all[0].principal })),
];

#[test]
fn what_only_takes_away_or_is_ones_own_each_does_alone() {
    for (what, ask) in ALONE {
        let mut family = Family::of(3, 2);
        let kind = ask(&mut family);
        let act = family.act(0, kind);
        assert_eq!(family.decide(&act, &[0]), Decision::Release, "{what}");
        // Nobody else's word is asked for, so nobody else's is taken.
        let beside = family.decide(&act, &[0, 1]);
        let reason = Reason::FactorUnknown;
        assert_eq!(beside, Decision::Refuse { reason }, "{what}");
    }
}

#[test]
fn an_account_of_one_takes_nobody_elses_word() {
    let mut family = Family::of(2, 1);
    let act = family.act(0, ether(PAYEE, 10));
    assert_eq!(family.decide(&act, &[0]), Decision::Release);
    let reason = Reason::FactorUnknown;
    assert_eq!(family.decide(&act, &[0, 1]), Decision::Refuse { reason });
    // Nor is it enough by itself.
    assert_eq!(family.decide(&act, &[1]), Decision::Refuse { reason });
}

/// Members count, never signatures.
#[test]
fn two_passkeys_of_one_principal_are_one() {
    let mut family = Family::of(3, 3);
    let second = family.all[1].with_new_passkey(0x51);
    let kind = ActKind::EnrolFactor(EnrolFactor {
        principal: second.principal,
        factor: second.factor(),
    });
    let act = family.act(1, kind);
    family.submit(&act, &[1]);
    family.stage.pass(Span::seconds(6));
    let act = family.act(0, ether(PAYEE, 10));
    let mut evidence = family.evidence(&act, &[0, 1]);
    evidence.assertions.push(second.assertion(&act));
    let decision = family.stage.decide(&act, &evidence);
    assert!(waits_for(&decision, principals(1)), "{decision:?}");
}

#[test]
fn whoever_is_not_of_the_account_is_nobody() {
    let mut family = Family::of(2, 2);
    let stranger = family.stranger(0x60);
    let act = family.act(0, ether(PAYEE, 10));
    let mut evidence = family.evidence(&act, &[0]);
    evidence.assertions.push(stranger.assertion(&act));
    let reason = Reason::FactorUnknown;
    let decision = family.stage.decide(&act, &evidence);
    assert_eq!(decision, Decision::Refuse { reason });
    // An assertion over something else is none of it, whoever made it.
    let other = family.act(0, ether(PAYEE, 11));
    let mut evidence = family.evidence(&act, &[0]);
    evidence.assertions.push(family.all[1].assertion(&other));
    let reason = Reason::PasskeyChallenge;
    let decision = family.stage.decide(&act, &evidence);
    assert_eq!(decision, Decision::Refuse { reason });
}

/// What becomes of the second's word before the act could go out.
type Lost = fn(&mut Family);

#[rustfmt::skip]
const LOST: &[(&str, Lost)] = &[
    ("its factor is revoked",  |family| { let act = family.revoke_own(1); family.submit(&act, &[1]); }),
    ("it leaves",              |family| { let act = family.remove(1, 1); family.submit(&act, &[1]); }),
    ("it is removed",          |family| family.removed(1, &[0, 2])),
];

#[test]
fn a_word_counts_while_its_factor_and_its_principal_stand() {
    for (what, lose) in LOST {
        let mut family = Family::of(4, 2);
        let act = family.act(0, ether(PAYEE, 10));
        let mut evidence = family.evidence(&act, &[0, 1]);
        // Complete but for the debit.
        evidence.attestations.clear();
        let digest = family.stage.submit_with(act.clone(), evidence);
        assert!(!waits_for(&family.settles(digest), principals(1)));
        lose(&mut family);
        assert!(waits_for(&family.settles(digest), principals(1)), "{what}");
        // Somebody else's takes its place.
        family.supplement(&act, &[3]);
        assert!(!waits_for(&family.settles(digest), principals(1)));
    }
}

#[test]
fn a_freeze_takes_every_word_back() {
    let mut family = Family::of(3, 2);
    let act = family.act(0, ether(PAYEE, 10));
    let mut evidence = family.evidence(&act, &[0, 1]);
    evidence.attestations.clear();
    let digest = family.stage.submit_with(act.clone(), evidence.clone());
    let freeze = family.act(2, ActKind::Freeze);
    family.submit(&freeze, &[2]);
    let thaw = family.act(0, ActKind::Unfreeze);
    family.submit(&thaw, &[0, 1]);
    let decision = family.settles(digest);
    for need in [Need::Assertion, principals(1)] {
        assert!(waits_for(&decision, need), "{decision:?}");
    }
    // What they signed before the freeze is no new word.
    let mut old = family.more(&act, &[]);
    old.assertions.push(evidence.assertions[1].clone());
    let refused = family.stage.would_supplement(digest, old).unwrap_err();
    assert!(refused.contains("205 replayed"), "{refused}");
}

#[test]
fn what_was_released_is_withheld_when_one_of_them_is_gone() {
    for (what, lose) in LOST {
        let mut family = Family::of(4, 2);
        let act = family.act(0, ether(PAYEE, 10));
        let digest = family.submit(&act, &[0, 1]);
        let behind = family.stage.release(digest).proofs().map(|p| p.owner);
        let behind: Vec<_> = behind.collect();
        assert_eq!(behind, [family.owner(0), family.owner(1)]);
        lose(&mut family);
        let standing = family.stage.release(digest).stage;
        assert_eq!(standing, Standing::Withheld(Withheld::Revoked), "{what}");
    }
}

/// Whoever was not needed bars nothing.
#[test]
fn a_release_stands_on_as_many_as_it_takes() {
    let mut family = Family::of(3, 2);
    let act = family.act(0, ether(PAYEE, 10));
    let digest = family.submit(&act, &[0, 1, 2]);
    assert_eq!(family.stage.release(digest).proofs().count(), 2);
}

/// Approvals of staff are no principals', and the other way round.
#[test]
fn large_withdrawals_take_approvers_besides() {
    let mut family = Family::of(2, 2);
    let act = family.act(0, ether(PAYEE, UNAPPROVED + 1));
    let digest = family.submit(&act, &[0]);
    for approver in &APPROVERS[..2] {
        family.stage.approve(*approver, digest);
    }
    let decision = family.settles(digest);
    let needs = vec![principals(1)];
    assert_eq!(decision, Decision::Hold { needs, until: None });
    family.supplement(&act, &[1]);
    assert_eq!(family.settles(digest), Decision::Release);
}

#[test]
fn whoever_asked_and_left_has_nothing_that_waits() {
    let mut family = Family::of(3, 2);
    let act = family.act(2, ether(PAYEE, 10));
    let digest = family.submit(&act, &[2]);
    let leave = family.remove(2, 2);
    family.submit(&leave, &[2]);
    let reason = Reason::UnknownPrincipal;
    assert_eq!(family.settles(digest), Decision::Refuse { reason });
}
