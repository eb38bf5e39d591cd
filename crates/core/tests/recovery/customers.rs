//! Who may start a recovery, who may stop it, and when the new factor counts.

use crate::stage::lost::{DELAY, SUPPORT_2, VENDOR};
use crate::stage::{SUPPORT, Stage, request_key};
use portcullis_core::act::{
    Act, ActKind, Cancel, EnrolFactor, Keys, LiftTarget, OpenAccount, RevokeFactor, Rotate, Scope,
    Suspend,
};
use portcullis_core::decide::{decide, settle};
use portcullis_core::entry::{Body, Settlement};
use portcullis_core::evidence::Claim;
use portcullis_core::factor::FactorKind;
use portcullis_core::id::PrincipalId;
use portcullis_core::realm::Role;
use portcullis_core::signature::Strict;
use portcullis_core::state::release::End;
use portcullis_core::{Decision, Digest, Evidence, Need, Reason, Span};
use portcullis_keeper::testkit::{Customer, World};

/// Who brings the new passkey, with what in hand.
#[derive(Clone, Copy, Debug)]
enum Brings {
    /// The holder's request key, through the back end.
    RequestKey,
    /// The same, and nobody relays it.
    RequestKeyAlone,
    /// The holder's passkey, through the back end.
    Passkey,
    /// A member of staff with the identity vendor's word.
    Attested(PrincipalId),
    /// A member of staff with nothing more.
    Staff(PrincipalId),
    /// A back end with the word of an issuer for something else.
    OtherIssuer,
}

/// What has become of the holder's old passkey.
#[derive(Clone, Copy, Debug)]
enum Old {
    /// It stands: lost, perhaps, but nobody has said so.
    Stands,
    /// An epoch of passkeys was raised.
    PasskeysRaised,
    /// An epoch of everything was raised.
    AllRaised,
}

/// Who, after what, and what the recovery waits for then, or why there is none.
type Row = (Brings, Old, Result<&'static [Need], Reason>);

#[rustfmt::skip]
const WHO_MAY_START: &[Row] = &[
    // A weaker factor vouches only where no factor as strong as the new one counts any more.
    (Brings::RequestKey,                  Old::PasskeysRaised, Ok(&[Need::Delay])),
    (Brings::RequestKey,                  Old::Stands,         Err(Reason::FactorsRemain)),
    (Brings::RequestKey,                  Old::AllRaised,      Err(Reason::FactorRevoked)),
    (Brings::RequestKeyAlone,             Old::PasskeysRaised, Err(Reason::RequestMissing)),
    // Whoever has a passkey that counts enrols the next one by it.
    (Brings::Passkey,                     Old::Stands,         Err(Reason::FactorsRemain)),
    (Brings::Passkey,                     Old::PasskeysRaised, Err(Reason::FactorRevoked)),
    // Else the identity vendor, whoever of the two brings its word.
    (Brings::Attested(World::BACK_END),   Old::Stands,         Ok(&[Need::Delay])),
    (Brings::Attested(World::BACK_END),   Old::AllRaised,      Ok(&[Need::Delay])),
    (Brings::Attested(SUPPORT),           Old::AllRaised,      Ok(&[Need::Delay])),
    (Brings::Attested(World::OPERATOR),   Old::AllRaised,      Err(Reason::RoleMissing)),
    (Brings::OtherIssuer,                 Old::AllRaised,      Err(Reason::AttestationInvalid)),
    // Else support, and never one of them alone.
    (Brings::Staff(SUPPORT),              Old::Stands,         Ok(&[Need::Delay, Need::Support { missing: 1 }])),
    (Brings::Staff(SUPPORT),              Old::AllRaised,      Ok(&[Need::Delay, Need::Support { missing: 1 }])),
    (Brings::Staff(World::BACK_END),      Old::AllRaised,      Err(Reason::IdentityMissing)),
    (Brings::Staff(World::OPERATOR),      Old::AllRaised,      Err(Reason::RoleMissing)),
];

#[test]
fn who_may_start() {
    for (brings, old, expected) in WHO_MAY_START {
        let mut stage = Stage::lost();
        stage.enrol_request_key();
        match old {
            Old::Stands => {}
            Old::PasskeysRaised => stage.raise(Some(FactorKind::Passkey)),
            Old::AllRaised => stage.raise(None),
        }
        let (act, evidence) = brought(&mut stage, *brings);
        let outcome = match stage.decide(&act, &evidence) {
            Decision::Hold { needs, .. } => Ok(needs),
            Decision::Refuse { reason } => Err(reason),
            Decision::Release => panic!("{brings:?}, {old:?}: no recovery takes effect at once"),
        };
        let expected = expected.map(<[Need]>::to_vec);
        assert_eq!(outcome, expected, "{brings:?}, {old:?}");
    }
}

fn brought(stage: &mut Stage, brings: Brings) -> (Act, Evidence) {
    match brings {
        Brings::RequestKey => stage.vouch(),
        Brings::RequestKeyAlone => {
            let (act, mut evidence) = stage.vouch();
            evidence.requests.remove(0);
            (act, evidence)
        }
        Brings::Passkey => {
            let kind = stage.recovery();
            let act = stage.customers(kind);
            let evidence = stage.prove(&act);
            (act, evidence)
        }
        Brings::Attested(who) => {
            let act = stage.recovery_by(who);
            let evidence = stage.prove_attested(&act);
            (act, evidence)
        }
        Brings::Staff(who) => {
            let act = stage.recovery_by(who);
            let mut evidence = stage.prove(&act);
            evidence.attestations.clear();
            (act, evidence)
        }
        Brings::OtherIssuer => {
            let act = stage.recovery_by(World::BACK_END);
            let mut evidence = stage.prove(&act);
            evidence.attestations = vec![stage.attest(World::ONBOARDING, &act, Claim::Identity)];
            (act, evidence)
        }
    }
}

#[test]
fn the_new_factor_counts_once_the_delay_has_run_from_the_cosignature() {
    let mut stage = Stage::lost();
    let act = stage.begin();
    stage.ledger.settle_clocks();
    let hold = |needs: &[Need], until| Decision::Hold {
        needs: needs.to_vec(),
        until,
    };
    let until = stage.now().after(DELAY);
    assert_eq!(stage.settles(act), hold(&[Need::Delay], Some(until)));
    stage.ledger.clock.pass(Span(DELAY.0 - 1));
    assert_eq!(stage.settles(act), hold(&[Need::Delay], Some(until)));
    stage.ledger.clock.pass(Span(1));
    assert_eq!(stage.settles(act), Decision::Release);
    assert!(!stage.has_factor(&stage.next_passkey().factor()));
    stage.settle(act);
    assert!(stage.has_factor(&stage.next_passkey().factor()));
    assert_eq!(stage.end(act), Some(End::Done));
    assert!(stage.facts().recovering.is_empty());
    // It has waited in the open: from its own cosignature on it counts.
    stage.customer = stage.next_passkey();
    let act = stage.customers(ActKind::Unfreeze);
    assert_eq!(stage.refusal(&act), Some(Reason::FactorNotYet));
    stage.ledger.settle_clocks();
    let act = stage.customers(ActKind::Unfreeze);
    assert_eq!(stage.refusal(&act), Some(Reason::NotFrozen));
}

/// Whoever chose a longer delay for everything new did not choose a short way round it.
#[test]
fn an_accounts_own_delay_is_waited_for_where_it_is_longer() {
    let mut stage = Stage::lost();
    let own = Span::seconds(40);
    stage.customer = Customer::number(9);
    let open = stage.staffs_about(
        World::BACK_END,
        ActKind::OpenAccount(OpenAccount {
            subject: stage.customer.subject,
            principal: stage.customer.principal,
            factor: stage.customer.factor(),
            delay: Some(own),
            contact: None,
            imported: None,
        }),
    );
    stage.submit(open);
    let act = stage.begin();
    stage.pass(Span(own.0 - 1));
    assert!(matches!(stage.settles(act), Decision::Hold { .. }));
    stage.pass(Span(1));
    assert_eq!(stage.settles(act), Decision::Release);
}

#[test]
fn factors_of_an_old_epoch_make_room_and_others_stay() {
    let mut stage = Stage::lost();
    let old = stage.customer.factor();
    let act = stage.begin();
    stage.pass(DELAY);
    stage.settle(act);
    assert!(stage.has_factor(&old));

    let mut stage = Stage::lost();
    stage.raise(None);
    let act = stage.begin();
    stage.pass(DELAY);
    stage.settle(act);
    assert!(!stage.has_factor(&old));
}

#[test]
fn a_second_member_with_role_support_completes_it() {
    let mut stage = Stage::lost();
    let proposal = stage.recovery_by(SUPPORT);
    let act = stage.submit(proposal);
    stage.pass(DELAY);
    assert_eq!(stage.settles(act), waits_for_support());
    for (who, why) in [
        (SUPPORT, Reason::SelfApproval),
        (World::OPERATOR, Reason::RoleMissing),
        (World::administrator(0), Reason::RoleMissing),
        (crate::stage::APPROVERS[0], Reason::RoleMissing),
    ] {
        let approval = stage.staffs(who, ActKind::Approve(portcullis_core::act::Approve { act }));
        assert_eq!(stage.refusal(&approval), Some(why), "{who}");
    }
    stage.approve(SUPPORT_2, act);
    assert_eq!(stage.settles(act), Decision::Release);
}

fn waits_for_support() -> Decision {
    Decision::Hold {
        needs: vec![Need::Support { missing: 1 }],
        until: None,
    }
}

/// Members count, by factors and roles that they still have.
#[test]
fn support_that_has_lost_its_role_or_factor_counts_no_more() {
    for gone in [SUPPORT, SUPPORT_2] {
        for by_role in [true, false] {
            let mut stage = Stage::lost();
            let proposal = stage.recovery_by(SUPPORT);
            let act = stage.submit(proposal);
            stage.approve(SUPPORT_2, act);
            stage.pass(DELAY);
            let kind = if by_role {
                let role = Role::Support;
                ActKind::RevokeRole(portcullis_core::act::RevokeRole {
                    principal: gone,
                    role,
                })
            } else {
                let factor = request_key(gone).id();
                ActKind::RevokeFactor(RevokeFactor {
                    principal: gone,
                    factor,
                })
            };
            let revoked = stage.staffs(World::administrator(0), kind);
            stage.submit(revoked);
            assert_eq!(stage.settles(act), waits_for_support(), "{gone} {by_role}");
        }
    }
}

/// Support speaks for recoveries and for nothing else.
#[test]
fn support_approves_nothing_else() {
    let mut stage = Stage::lost();
    let withdrawal = stage.withdrawal(1_000);
    let held = stage.submit(withdrawal);
    let approval = stage.staffs(
        SUPPORT,
        ActKind::Approve(portcullis_core::act::Approve { act: held }),
    );
    assert_eq!(stage.refusal(&approval), Some(Reason::RoleMissing));
}

// Vetoes.

/// Recovery and veto race: whichever the journal has first has won, and the other finds nothing.
#[test]
fn a_recovery_and_its_veto_cannot_both_be() {
    let mut stage = Stage::lost();
    let act = stage.begin();
    stage.pass(DELAY);
    assert_eq!(stage.settles(act), Decision::Release);

    let mut vetoed = stage.branch();
    let veto = vetoed.veto(act);
    vetoed.submit(veto);
    assert_eq!(vetoed.end(act), Some(End::Returned));
    assert!(vetoed.facts().recovering.is_empty());
    let late = vetoed.ledger.enter(Body::Settle(Box::new(Settlement {
        act,
        decision: Decision::Release,
        plan: None,
        beside: portcullis_core::entry::Beside::default(),
    })));
    assert!(late.void.is_some());
    assert!(!vetoed.has_factor(&vetoed.next_passkey().factor()));

    stage.settle(act);
    let veto = stage.veto(act);
    assert_eq!(stage.refusal(&veto), Some(Reason::ActGone));
    assert!(stage.has_factor(&stage.next_passkey().factor()));
}

/// Any factor of the holder stops it, however weak, new, or shut in: it only takes away.
#[test]
fn any_factor_that_the_holder_has_left_vetoes() {
    let mut stage = Stage::lost();
    let act = stage.begin();
    let veto = stage.veto(act);
    // By no back end, and through a suspension.
    let suspend = stage.staffs(
        World::OPERATOR,
        ActKind::Suspend(Suspend {
            scope: Scope::Everything,
        }),
    );
    stage.submit(suspend);
    let mut alone = stage.prove(&veto);
    alone.requests.clear();
    assert_eq!(stage.decide(&veto, &alone), Decision::Release);
    // Through a stop board.
    alone.posted = Some(Stage::stamp(&veto, stage.now()));
    assert_eq!(stage.decide(&veto, &alone), Decision::Release);

    // By a request key, of which the delay has not even run.
    let mut stage = Stage::lost();
    stage.enrol(request_key(stage.customer.principal));
    let act = stage.begin();
    let veto = stage.veto(act);
    let mut evidence = stage.prove_by_request_key(&veto);
    evidence.requests.remove(0);
    assert_eq!(stage.decide(&veto, &evidence), Decision::Release);
}

#[test]
fn a_frozen_holder_vetoes_too() {
    let mut stage = Stage::lost();
    let act = stage.begin();
    let freeze = stage.customers(ActKind::Freeze);
    stage.submit(freeze);
    let veto = stage.veto(act);
    assert_eq!(stage.refusal(&veto), None);
}

#[test]
fn nobody_else_vetoes_a_customers_recovery() {
    let mut stage = Stage::lost();
    let act = stage.begin();
    for who in [World::administrator(0), SUPPORT, World::OPERATOR] {
        let kind = ActKind::Veto(portcullis_core::act::Veto { act });
        let veto = stage.staffs(who, kind);
        let refusal = stage.refusal(&veto);
        assert!(
            matches!(refusal, Some(Reason::ActUnknown | Reason::RoleMissing)),
            "{who}: {refusal:?}"
        );
    }
    // Another customer.
    let other = portcullis_keeper::testkit::Customer::number(2);
    stage.ledger.open(&other);
    stage.customer = other;
    let veto = stage.veto(act);
    assert_eq!(stage.refusal(&veto), Some(Reason::ActUnknown));
}

#[test]
fn a_veto_of_anything_else_finds_nothing() {
    let mut stage = Stage::lost();
    let withdrawal = stage.withdrawal(1_000);
    let held = stage.submit(withdrawal);
    let veto = stage.veto(held);
    assert_eq!(stage.refusal(&veto), Some(Reason::ActUnknown));
}

#[test]
fn a_factor_of_an_old_epoch_does_not_veto() {
    let mut stage = Stage::lost();
    stage.raise(None);
    let act = stage.begin();
    let veto = stage.veto(act);
    assert_eq!(stage.refusal(&veto), Some(Reason::FactorRevoked));
}

/// A freeze is no agreement: whoever froze the account has stopped what waited, for good.
#[test]
fn a_freeze_ends_it() {
    let mut stage = Stage::lost();
    let act = stage.begin();
    stage.pass(DELAY);
    let freeze = stage.staffs_about(SUPPORT_2, ActKind::Freeze);
    stage.submit(freeze);
    let frozen = Decision::Refuse {
        reason: Reason::AccountFrozen,
    };
    assert_eq!(stage.settles(act), frozen);
    let mut thawed = stage.staffs(World::administrator(0), ActKind::Unfreeze);
    thawed.account = Some(stage.customer.account);
    stage.propose_act(thawed);
    assert_eq!(stage.settles(act), frozen);
    // And none begins while it is frozen.
    let freeze = stage.customers(ActKind::Freeze);
    stage.submit(freeze);
    let again = stage.recovery_by(SUPPORT_2);
    assert_eq!(stage.refusal(&again), Some(Reason::AccountFrozen));
}

#[test]
fn whoever_brought_it_takes_it_back_and_nobody_else_of_staff() {
    let mut stage = Stage::lost();
    let act = stage.begin();
    let other = stage.staffs(SUPPORT, ActKind::Cancel(Cancel { act }));
    assert_eq!(stage.refusal(&other), Some(Reason::ActUnknown));
    let own = stage.staffs(World::BACK_END, ActKind::Cancel(Cancel { act }));
    stage.submit(own);
    assert_eq!(stage.end(act), Some(End::Returned));
    assert!(stage.facts().recovering.is_empty());
}

// What vouched must still stand in the end.

#[test]
fn what_vouched_must_stand_to_the_end() {
    let mut stage = Stage::lost();
    stage.enrol_request_key();
    stage.raise(Some(FactorKind::Passkey));
    let (act, evidence) = stage.vouch();
    let act = stage.submit_with(act, evidence);
    stage.pass(DELAY);
    assert_eq!(stage.settles(act), Decision::Release);
    // A factor as strong has come back by another way: it decides.
    let principal = stage.customer.principal;
    let factor = stage.customer.with_new_passkey(0x78).factor();
    let kind = ActKind::EnrolFactor(EnrolFactor { principal, factor });
    let mut branch = stage.branch();
    let revoke = branch.staffs_about(
        World::administrator(0),
        ActKind::RevokeFactor(RevokeFactor {
            principal,
            factor: request_key(principal).id(),
        }),
    );
    branch.submit(revoke);
    let revoked = Decision::Refuse {
        reason: Reason::FactorRevoked,
    };
    assert_eq!(branch.settles(act), revoked);
    let onboarded = branch.staffs_about(World::BACK_END, kind);
    branch.submit(onboarded);
    assert_eq!(branch.settles(act), revoked);
}

#[test]
fn a_vendor_that_was_retired_vouches_for_nobody_that_waits() {
    let mut stage = Stage::lost();
    let act = stage.begin();
    stage.pass(DELAY);
    assert_eq!(stage.settles(act), Decision::Release);
    let mut issuers = stage.state().issuers().to_vec();
    let replaces = Keys::Issuers {
        issuers: issuers.clone(),
    };
    issuers.retain(|issuer| issuer.id != VENDOR);
    let keys = Keys::Issuers { issuers };
    stage.propose(ActKind::Rotate(Rotate {
        replaces: replaces.digest(),
        keys,
    }));
    let invalid = Decision::Refuse {
        reason: Reason::AttestationInvalid,
    };
    assert_eq!(stage.settles(act), invalid);
}

#[test]
fn a_suspension_holds_it_and_lets_none_begin() {
    let mut stage = Stage::lost();
    let act = stage.begin();
    stage.pass(DELAY);
    let suspend = stage.staffs(
        World::OPERATOR,
        ActKind::Suspend(Suspend {
            scope: Scope::Account(stage.customer.account),
        }),
    );
    let by = stage.submit(suspend);
    let hold = Decision::Hold {
        needs: vec![Need::Lift],
        until: None,
    };
    assert_eq!(stage.settles(act), hold);
    stage.ledger.lift(LiftTarget::Suspension { by });
    assert_eq!(stage.settles(act), Decision::Release);
}

#[test]
fn one_recovery_of_a_holder_waits_at_a_time() {
    let mut stage = Stage::lost();
    let first = stage.begin();
    let second = stage.recovery_by(SUPPORT);
    assert_eq!(stage.refusal(&second), Some(Reason::RecoveryWaits));
    let veto = stage.veto(first);
    stage.submit(veto);
    assert_eq!(stage.refusal(&second), None);
}

/// An entry that says that a recovery took effect before it did is void, and nothing of it counts.
#[test]
fn an_early_settlement_is_void() {
    let mut stage = Stage::lost();
    let act: Digest = stage.begin();
    stage.ledger.settle_clocks();
    let applied = stage.settle_as(act, Decision::Release);
    assert!(applied.void.is_some());
    assert!(!stage.has_factor(&stage.next_passkey().factor()));
    // The two public ways to ask agree.
    let decided = settle(stage.state(), act, stage.now());
    assert!(matches!(decided.decision(), Decision::Hold { .. }));
    let other = stage.recovery_by(SUPPORT);
    let evidence = stage.prove(&other);
    let decided = decide(stage.state(), &other, &evidence, stage.now(), &Strict);
    assert!(matches!(decided.decision(), Decision::Refuse { .. }));
}

/// One of support begins a recovery and leaves it. It bars every other for the same holder, so anybody of staff
/// takes it back.
#[test]
fn what_one_supporter_began_another_cancels() {
    let mut stage = Stage::lost();
    let act = stage.recovery_by(SUPPORT);
    let mut evidence = stage.prove(&act);
    evidence.attestations.clear();
    let left = stage.submit_with(act, evidence);
    let real = stage.recovery_by(World::BACK_END);
    let evidence = stage.prove_attested(&real);
    let reason = Reason::RecoveryWaits;
    assert_eq!(stage.decide(&real, &evidence), Decision::Refuse { reason });
    let cancel = stage.staffs(SUPPORT_2, ActKind::Cancel(Cancel { act: left }));
    stage.submit(cancel);
    assert_eq!(stage.end(left), Some(End::Returned));
    assert!(matches!(
        stage.decide(&real, &evidence),
        Decision::Hold { .. }
    ));
}
