//! Who comes, who goes, and how many it takes.

use super::{Family, principals, waits_for};
use crate::stage::lost::DELAY;
use crate::stage::{PAYEE, STRANGER, SUPPORT, Stage, add, ether, request_key};
use portcullis_core::act::{ActKind, AddPrincipal, Cancel, EnrolFactor, GrantRole, Recover, Veto};
use portcullis_core::id::PrincipalId;
use portcullis_core::realm::Role;
use portcullis_core::state::release::End;
use portcullis_core::{Decision, Digest, Need, Reason, Span};
use portcullis_keeper::testkit::{Customer, World};

#[test]
fn a_new_principal_counts_after_the_delay() {
    let mut family = Family::of(1, 1);
    let new = family.stranger(0x10);
    let act = family.add(&new);
    family.submit(&act, &[0]);
    family.all.push(new);
    let own = family.act(1, ether(PAYEE, 10));
    let reason = Reason::FactorNotYet;
    assert_eq!(family.decide(&own, &[1]), Decision::Refuse { reason });
    // What takes away, it may do at once.
    let freeze = family.act(1, ActKind::Freeze);
    assert_eq!(family.decide(&freeze, &[1]), Decision::Release);
    family.stage.pass(Span::seconds(6));
    assert_eq!(family.decide(&own, &[1]), Decision::Release);
}

impl Family {
    /// Somebody whom the administrators are about to appoint.
    fn announced(&mut self) -> PrincipalId {
        let principal = PrincipalId([0x2f; 16]);
        let grant = ActKind::GrantRole(GrantRole {
            principal,
            role: Role::Operator,
            factor: Some(request_key(principal)),
        });
        let act = self.stage.staffs(World::administrator(0), grant);
        self.stage.submit(act);
        principal
    }
}

/// Who cannot come, or what nobody can set: by the first of two, who both agree.
type Row = (&'static str, fn(&mut Family) -> ActKind, Reason);

#[rustfmt::skip]
const REFUSED: &[Row] = &[
    ("one who is there",             |family| { let known = family.stranger(0x11); family.add(&known).kind }, Reason::PrincipalExists),
    ("a member of staff",            |_| ActKind::AddPrincipal(AddPrincipal { principal: SUPPORT, factor: Customer::number(0x40).factor() }), Reason::PrincipalExists),
    ("a member of staff to come",    |family| { let principal = family.announced(); ActKind::AddPrincipal(AddPrincipal { principal, factor: Customer::number(0x40).factor() }) }, Reason::PrincipalExists),
    ("the key of one to come",       |family| { let factor = request_key(family.announced()); ActKind::AddPrincipal(AddPrincipal { principal: Customer::number(0x40).principal, factor }) }, Reason::FactorExists),
    ("another's passkey",            |family| { let factor = family.all[1].factor(); ActKind::AddPrincipal(AddPrincipal { principal: Customer::number(0x40).principal, factor }) }, Reason::FactorExists),
    ("another's passkey as one's own", |family| { let (principal, factor) = (family.all[0].principal, family.all[1].factor()); ActKind::EnrolFactor(EnrolFactor { principal, factor }) }, Reason::FactorExists),
    ("whoever is not there leaves",  |family| { family.all.push(Customer::number(0x40)); family.remove(0, 2).kind }, Reason::UnknownPrincipal),
    ("too few stay",                 |family| family.remove(0, 1).kind, Reason::QuorumOutOfReach),
    ("more than there are",          |family| family.set_quorum(2, 3).kind, Reason::QuorumOutOfReach),
    ("on another's quorum",          |family| family.set_quorum(1, 2).kind, Reason::AccountQuorumChanged),
    ("the same",                     |family| family.set_quorum(2, 2).kind, Reason::AccountQuorumMalformed),
    ("nobody",                       |family| family.set_quorum(2, 0).kind, Reason::AccountQuorumMalformed),
    ("more than can be",             |family| family.set_quorum(2, 17).kind, Reason::AccountQuorumMalformed),
];

#[test]
fn what_is_refused_whoever_agrees() {
    for (what, ask, reason) in REFUSED {
        let mut family = Family::of(2, 2);
        let kind = ask(&mut family);
        let alone = matches!(kind, ActKind::EnrolFactor(_));
        let act = family.act(0, kind);
        let by: &[usize] = if alone { &[0] } else { &[0, 1] };
        let reason = *reason;
        assert_eq!(
            family.decide(&act, by),
            Decision::Refuse { reason },
            "{what}"
        );
    }
}

/// A request key sits on a server.
#[test]
fn who_acts_for_an_account_is_said_by_passkeys() {
    let mut stage = Stage::new();
    stage.enrol_request_key();
    let mut family = Family::on(stage);
    let new = family.stranger(0x10);
    for act in [family.add(&new), family.set_quorum(1, 2)] {
        let evidence = family.stage.prove_by_request_key(&act);
        let reason = Reason::FactorTooWeak;
        let decision = family.stage.decide(&act, &evidence);
        assert_eq!(decision, Decision::Refuse { reason });
    }
    // Nor does one beside another's passkey make a quorum of these.
    family.grow();
    let own = request_key(family.all[1].principal);
    let kind = ActKind::EnrolFactor(EnrolFactor {
        principal: family.all[1].principal,
        factor: own,
    });
    let act = family.act(1, kind);
    family.submit(&act, &[1]);
    family.stage.pass(Span::seconds(6));
    family.sets(1, 2, &[0]);
    let beside = |family: &Family, act: &portcullis_core::Act| {
        let mut evidence = family.evidence(act, &[0]);
        let now = family.stage.now();
        let own = World::request(family.all[1].principal, act, now);
        evidence.requests.push(own);
        family.stage.decide(act, &evidence)
    };
    let withdrawal = family.act(0, ether(PAYEE, 10));
    assert_eq!(beside(&family, &withdrawal), Decision::Release);
    let new = family.stranger(0x41);
    let add = family.add(&new);
    assert!(waits_for(&beside(&family, &add), principals(1)));
}

/// Leaving is one's own, and at once; being put out takes the delay, and can be objected to.
#[test]
fn a_removal_takes_the_delay_and_whoever_is_to_go_may_object() {
    let objections: [fn(Digest) -> Option<ActKind>; 3] = [
        |_| None,
        |_| Some(ActKind::Freeze),
        |act| Some(ActKind::Cancel(Cancel { act })),
    ];
    for objection in objections {
        let mut family = Family::of(3, 2);
        let act = family.remove(0, 2);
        let digest = family.submit(&act, &[0, 1]);
        let needs = vec![Need::Delay];
        assert!(
            matches!(family.settles(digest), Decision::Hold { needs: open, .. } if open == needs)
        );
        let objection = objection(digest);
        let left = if objection.is_some() { 3 } else { 2 };
        if let Some(kind) = objection {
            let act = family.act(2, kind);
            family.submit(&act, &[2]);
        }
        family.stage.pass(Span::seconds(6));
        if family.stage.facts().held.contains_key(&digest) {
            family.stage.settle(digest);
        }
        assert_eq!(family.account().holders.len(), left);
    }
}

/// A higher one takes from each of the others what it could undo by itself: it can object before.
#[test]
fn another_quorum_takes_the_delay_and_each_of_the_others_may_object() {
    for (replaces, quorum) in [(1, 2), (2, 1)] {
        for objects in [false, true] {
            let mut family = Family::of(2, replaces);
            let by = if replaces == 1 { &[0][..] } else { &[0, 1] };
            let act = family.set_quorum(replaces, quorum);
            let digest = family.submit(&act, by);
            let delay = vec![Need::Delay];
            let decision = family.settles(digest);
            assert!(matches!(decision, Decision::Hold { needs, .. } if needs == delay));
            assert_eq!(family.account().quorum.count(), replaces);
            if objects {
                let cancel = family.act(1, ActKind::Cancel(Cancel { act: digest }));
                assert_eq!(family.decide(&cancel, &[1]), Decision::Release);
                family.submit(&cancel, &[1]);
                assert_eq!(family.stage.end(digest), Some(End::Returned));
                continue;
            }
            family.stage.pass(Span::seconds(6));
            family.stage.settle(digest);
            assert_eq!(family.account().quorum.count(), quorum);
            let alone = family.act(1, ether(PAYEE, 10));
            let goes = family.decide(&alone, &[1]) == Decision::Release;
            assert_eq!(goes, quorum == 1);
        }
    }
}

/// A key on a server makes no quorum that passkeys alone can undo: neither one that is to be, nor one of which
/// somebody leaves.
#[test]
fn a_quorum_is_what_passkeys_can_make() {
    for (count, quorum) in [(1, 1), (2, 2)] {
        let mut family = Family::of(count, quorum);
        let all: Vec<usize> = (0..usize::from(count)).collect();
        let new = family.stranger(0x40);
        let (principal, factor) = (new.principal, request_key(new.principal));
        let act = family.act(0, ActKind::AddPrincipal(AddPrincipal { principal, factor }));
        family.submit(&act, &all);
        family.stage.pass(Span::seconds(6));
        let act = match count {
            1 => family.set_quorum(1, 2),
            _ => family.remove(0, 1),
        };
        let reason = Reason::QuorumOutOfReach;
        assert_eq!(family.decide(&act, &all), Decision::Refuse { reason });
    }
}

/// A thief takes another's principal in, with a key of their own, and has as much wait as may.
#[test]
fn nobody_uses_up_what_may_wait_of_somebody_of_another_account() {
    let mut family = Family::of(1, 1);
    let thief = Customer::number(2);
    family.stage.ledger.open(&thief);
    family.stage.pass(Span::seconds(6));
    let mut thieves = Family {
        stage: family.stage,
        all: vec![thief],
    };
    let mut ghost = thieves.stranger(0x40);
    ghost.principal = family.all[0].principal;
    let act = thieves.add(&ghost);
    thieves.submit(&act, &[0]);
    thieves.stage.pass(Span::seconds(6));
    thieves.all.push(ghost);
    thieves.sets(1, 2, &[0]);
    for n in 0..64 {
        let act = thieves.act(1, add(World::address(n)));
        thieves.submit(&act, &[1]);
    }
    let act = thieves.act(1, add(STRANGER));
    let reason = Reason::TooMany;
    assert_eq!(thieves.decide(&act, &[1]), Decision::Refuse { reason });
    // The other's withdrawal, whose debit comes a little later, as ever.
    family.stage = thieves.stage;
    let act = family.act(0, ether(PAYEE, 10));
    let mut evidence = family.evidence(&act, &[0]);
    evidence.attestations.clear();
    let decision = family.stage.decide(&act, &evidence);
    assert!(waits_for(&decision, Need::Debit), "{decision:?}");
}

/// Two proposals on one base: the second finds another quorum.
#[test]
fn of_two_proposals_one_passes() {
    let mut family = Family::of(3, 2);
    let (up, down) = (family.set_quorum(2, 3), family.set_quorum(2, 1));
    let down = family.submit(&down, &[0, 1]);
    let up = family.submit(&up, &[0, 1]);
    family.stage.pass(Span::seconds(6));
    family.stage.settle(up);
    let reason = Reason::AccountQuorumChanged;
    assert_eq!(family.settles(down), Decision::Refuse { reason });
}

/// What waits for more is decided by the quorum of the moment at which it could go.
#[test]
fn a_quorum_that_rises_takes_in_what_waits() {
    let mut family = Family::of(3, 1);
    let act = family.act(0, ether(PAYEE, 10));
    let mut evidence = family.evidence(&act, &[0]);
    evidence.attestations.clear();
    let digest = family.stage.submit_with(act.clone(), evidence);
    family.sets(1, 3, &[0]);
    assert!(waits_for(&family.settles(digest), principals(2)));
}

#[test]
fn a_freeze_ends_what_the_others_had_under_way() {
    let mut family = Family::of(3, 2);
    let act = family.act(0, add(STRANGER));
    let digest = family.submit(&act, &[0]);
    let freeze = family.act(2, ActKind::Freeze);
    family.submit(&freeze, &[2]);
    let reason = Reason::AccountFrozen;
    assert_eq!(family.settles(digest), Decision::Refuse { reason });
}

#[test]
fn whoever_asked_and_lost_its_factor_has_nothing_that_waits() {
    let mut family = Family::of(3, 2);
    let act = family.act(0, add(STRANGER));
    let digest = family.submit(&act, &[0]);
    let revoke = family.revoke_own(0);
    family.submit(&revoke, &[0]);
    family.supplement(&act, &[1]);
    let reason = Reason::FactorRevoked;
    assert_eq!(family.settles(digest), Decision::Refuse { reason });
}

/// The herald's word comes first where there is one, for a new principal and for another quorum alike.
#[test]
fn another_quorum_and_a_new_principal_are_told_first() {
    let mut family = Family::on(Stage::with_a_herald());
    let new = family.stranger(0x10);
    let act = family.add(&new);
    let digest = family.submit(&act, &[0]);
    family.all.push(new);
    family.stage.pass(Span::hours(48));
    let own = family.set_quorum(1, 2);
    let reason = Reason::QuorumOutOfReach;
    assert_eq!(family.decide(&own, &[0]), Decision::Refuse { reason });
    assert_eq!(family.stage.heralds(digest).void, None);
    family.stage.pass(Span::seconds(6));
    for (replaces, quorum) in [(1, 2), (2, 1)] {
        let act = family.set_quorum(replaces, quorum);
        let digest = family.submit(&act, &[0, 1][..replaces as usize]);
        family.stage.pass(Span::hours(48));
        assert!(waits_for(&family.settles(digest), Need::Delay));
        assert_eq!(family.stage.heralds(digest).void, None);
        family.stage.pass(Span::seconds(6));
        assert_eq!(family.settles(digest), Decision::Release);
        family.stage.settle(digest);
    }
}

#[test]
fn one_of_them_is_recovered_and_any_of_them_objects() {
    for objects in [None, Some(0)] {
        let mut family = Family::on(Stage::lost());
        family.grow();
        family.sets(1, 2, &[0]);
        let lost = family.all[1].principal;
        let next = family.all[1].with_new_passkey(0x52);
        let recover = ActKind::Recover(Recover {
            principal: lost,
            factor: next.factor(),
        });
        let act = family.stage.staffs_about(World::BACK_END, recover);
        let evidence = family.stage.prove_attested(&act);
        let digest = family.stage.submit_with(act, evidence);
        if let Some(who) = objects {
            let veto = family.act(who, ActKind::Veto(Veto { act: digest }));
            family.submit(&veto, &[who]);
            assert_eq!(family.stage.end(digest), Some(End::Returned));
            continue;
        }
        family.stage.pass(DELAY);
        family.stage.settle(digest);
        // Nobody comes in just behind a recovery, as no address does.
        let new = family.stranger(0x40);
        let add = family.add(&new);
        let reason = Reason::RecoveredLately;
        assert_eq!(family.decide(&add, &[0]), Decision::Refuse { reason });
        family.stage.pass(Span::seconds(60));
        // The other's passkey still takes the new one beside it, and the new one the other's.
        family.all[1] = next;
        let act = family.act(1, ether(PAYEE, 1));
        assert!(waits_for(&family.decide(&act, &[1]), principals(1)));
        let act = family.act(0, ether(PAYEE, 1));
        assert!(waits_for(&family.decide(&act, &[0]), principals(1)));
        let both = family.decide(&act, &[0, 1]);
        assert!(!waits_for(&both, principals(1)), "{both:?}");
    }
}

/// An entry that nobody had seen when its act expired brings nobody in.
#[test]
fn a_backdated_principal_is_taken_out_again() {
    let mut family = Family::of(1, 1);
    let start = family.stage.now();
    let new = family.stranger(0x10);
    let mut act = family.add(&new);
    act.expires = start.after(Span::seconds(600));
    let evidence = family.evidence(&act, &[0]);
    family.stage.ledger.clock.pass(Span::hours(1));
    family.stage.ledger.cosign();
    let now = family.stage.now();
    family.stage.ledger.clock.set(start.after(Span::seconds(5)));
    family.stage.submit_with(act, evidence);
    assert_eq!(family.account().holders.len(), 2);
    family.stage.ledger.clock.set(now);
    family.stage.ledger.settle_clocks();
    assert_eq!(family.account().holders.len(), 1);
    assert_eq!(family.stage.facts().enrolled.holders(), (1, 1));
}

#[test]
fn holders_are_counted_as_they_come_and_go() {
    let mut family = Family::of(3, 1);
    assert_eq!(family.stage.facts().enrolled.holders(), (3, 3));
    family.removed(1, &[0]);
    assert_eq!(family.stage.facts().enrolled.holders(), (2, 2));
    assert_eq!(family.account().holders.len(), 2);
}
