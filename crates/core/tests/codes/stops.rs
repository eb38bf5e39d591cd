//! What a code alone stops, and what it does not do.

use crate::stage::{PAYEE, STRANGER, Stage, add, ether, request_key};
use portcullis_core::act::{
    ActKind, Cancel, CancelAddress, ChangeContact, EnrolFactor, RaiseEpoch, RevokeFactor,
};
use portcullis_core::decision::Need;
use portcullis_core::factor::{FactorKind, NewFactor};
use portcullis_core::realm::Realm;
use portcullis_core::state::account::FrozenBy;
use portcullis_core::state::release::End;
use portcullis_core::statement::Says;
use portcullis_core::{Decision, Digest, Reason, Span, VoidReason};
use portcullis_keeper::testkit::World;

fn frozen(stage: &Stage) -> Option<FrozenBy> {
    let account = stage.facts().account(stage.customer.account).unwrap();
    account.frozen
}

#[test]
fn a_freeze_by_code_waits_for_the_heralds_word_and_takes_effect_with_it() {
    let mut stage = Stage::with_codes();
    let act = stage.freeze_by_code();
    let waits = Decision::Hold {
        needs: vec![Need::Totp],
        until: None,
    };
    assert_eq!(stage.settles(act), waits);
    stage.pass(Span::seconds(5));
    assert_eq!(stage.settles(act), waits);
    assert_eq!(frozen(&stage), None);
    let step = stage.step();
    assert_eq!(stage.right(act, step).void, None);
    assert_eq!(stage.settles(act), Decision::Release);
    assert_eq!(frozen(&stage), None, "a settlement of its own freezes");
    stage.settle(act);
    assert_eq!(frozen(&stage), Some(FrozenBy::Holder(FactorKind::Totp)));
    assert_eq!(stage.end(act), Some(End::Done));
    // What a code froze, a passkey thaws; a code does not.
    let thaw = stage.customers(ActKind::Unfreeze);
    let by_code = stage.with_code(&thaw);
    let reason = Reason::CodeTooWeak;
    assert_eq!(stage.decide(&thaw, &by_code), Decision::Refuse { reason });
    stage.submit(thaw);
    assert_eq!(frozen(&stage), None);
}

#[test]
fn a_wrong_code_ends_the_act_and_freezes_nothing() {
    let mut stage = Stage::with_codes();
    let act = stage.freeze_by_code();
    assert_eq!(stage.wrong(act).void, None);
    let reason = Reason::CodeWrong;
    assert_eq!(stage.settles(act), Decision::Refuse { reason });
    // Too late to say otherwise.
    let step = stage.step();
    assert_eq!(stage.right(act, step).void, Some(VoidReason::Statement));
    stage.settle(act);
    assert_eq!(frozen(&stage), None);
    assert_eq!(stage.end(act), Some(End::Returned));
}

#[test]
fn without_a_word_the_act_expires() {
    let mut stage = Stage::with_codes();
    let act = stage.freeze_by_code();
    stage.pass(Span::hours(2));
    let reason = Reason::Expired;
    assert_eq!(stage.settles(act), Decision::Refuse { reason });
}

#[test]
fn a_code_cancels_a_withdrawal_and_an_address() {
    let mut stage = Stage::with_codes();
    let withdrawal = stage.customers(ether(STRANGER, 5));
    assert_eq!(stage.refusal(&withdrawal), Some(Reason::AddressUnknown));
    let withdrawal = stage.withdrawal(5);
    let evidence = stage.prove_without_debit(&withdrawal);
    let withdrawal = stage.submit_with(withdrawal, evidence);
    for kind in [
        ActKind::Cancel(Cancel { act: withdrawal }),
        ActKind::CancelAddress(CancelAddress { address: PAYEE }),
    ] {
        let act = stage.customers(kind);
        let evidence = stage.with_code(&act);
        let act = stage.submit_with(act, evidence);
        let step = stage.step();
        stage.right(act, step);
        stage.settle(act);
        // The next code is of another step.
        stage.pass(Span::seconds(30));
    }
    assert_eq!(stage.end(withdrawal), Some(End::Returned));
    let account = stage.facts().account(stage.customer.account).unwrap();
    assert_eq!(account.address(PAYEE), None);
}

/// Also what administrators proposed as its contact.
#[test]
fn a_code_cancels_another_contact_by_administrators() {
    let mut stage = Stage::with_codes();
    let contact = Digest([0x0c; 32]);
    let kind = ActKind::ChangeContact(ChangeContact { contact });
    let given = stage.staffs_about(World::administrator(0), kind);
    let given = stage.submit(given);
    stage.approve(World::administrator(1), given);
    let act = stage.customers(ActKind::Cancel(Cancel { act: given }));
    let evidence = stage.with_code(&act);
    let act = stage.submit_with(act, evidence);
    let step = stage.step();
    stage.right(act, step);
    stage.settle(act);
    assert_eq!(stage.end(given), Some(End::Returned));
}

/// Everything else that a customer may ask for takes more than a code.
#[test]
fn a_code_is_too_weak_for_everything_else() {
    let mut stage = Stage::with_codes();
    let (principal, app) = (stage.customer.principal, stage.app());
    let passkey = stage.customer.factor().id();
    let enrol = |factor| ActKind::EnrolFactor(EnrolFactor { principal, factor });
    let revoke = |factor| ActKind::RevokeFactor(RevokeFactor { principal, factor });
    let contact = Digest([0x0c; 32]);
    for kind in [
        add(STRANGER),
        ActKind::Unfreeze,
        enrol(request_key(principal)),
        enrol(NewFactor::Totp {
            seed: Digest([1; 32]),
        }),
        revoke(passkey),
        revoke(app),
        ActKind::ChangeContact(ChangeContact { contact }),
    ] {
        let act = stage.customers(kind);
        let evidence = stage.with_code(&act);
        let reason = Reason::CodeTooWeak;
        let decided = stage.decided(&act, &evidence);
        assert_eq!(*decided.decision(), Decision::Refuse { reason });
        // Nobody is proven to have asked, so it has no end and is not journaled.
        assert!(!decided.is_authenticated());
    }
}

#[test]
fn a_code_comes_alone_with_the_act_and_through_a_back_end() {
    let mut stage = Stage::with_codes();
    let act = stage.customers(ActKind::Freeze);
    let refused = |stage: &Stage, evidence| match stage.decide(&act, &evidence) {
        Decision::Refuse { reason } => Some(reason),
        _ => None,
    };
    let honest = stage.with_code(&act);
    assert_eq!(refused(&stage, honest.clone()), None);
    let mut unrelayed = honest.clone();
    unrelayed.requests.clear();
    assert_eq!(refused(&stage, unrelayed), Some(Reason::RequestMissing));
    let mut two = stage.prove(&act);
    two.code = honest.code.clone();
    assert_eq!(refused(&stage, two), Some(Reason::CodeOutOfPlace));
    let mut posted = honest.clone();
    posted.posted = Some(Stage::stamp(&act, stage.now()));
    assert_eq!(refused(&stage, posted), Some(Reason::CodeOutOfPlace));
    let withdrawal = stage.withdrawal(5);
    let later = stage.with_code(&withdrawal);
    let evidence = stage.prove_without_debit(&withdrawal);
    let withdrawal = stage.submit_with(withdrawal, evidence);
    assert!(stage.would_supplement(withdrawal, later).is_err());
}

/// Whoever has another factor of the customer's lets as much wait as may wait.
#[test]
fn acts_that_wait_bar_no_stop() {
    let mut stage = Stage::with_codes();
    for _ in 0..64 {
        let act = stage.withdrawal(1);
        let evidence = stage.prove_without_debit(&act);
        stage.submit_with(act, evidence);
    }
    let more = stage.withdrawal(1);
    let reason = Reason::TooMany;
    let evidence = stage.prove_without_debit(&more);
    assert_eq!(stage.decide(&more, &evidence), Decision::Refuse { reason });
    let act = stage.freeze_by_code();
    let step = stage.step();
    stage.right(act, step);
    stage.settle(act);
    assert!(frozen(&stage).is_some());
}

#[test]
fn a_passkey_that_comes_later_needs_no_code() {
    let mut stage = Stage::with_codes();
    let (act, evidence) = stage.small(5);
    let full = stage.prove(&act);
    let act = stage.submit_with(act, evidence);
    let mut passkey = full;
    passkey.attestations.clear();
    assert_eq!(stage.supplement(act, passkey).void, None);
    assert!(stage.facts().codes.open(act).is_none());
    stage.settle(act);
    assert!(stage.facts().releases.contains_key(&act));
}

#[test]
fn only_the_heralds_word_counts_and_only_about_its_code() {
    let mut stage = Stage::with_codes();
    let act = stage.freeze_by_code();
    let (factor, step) = (stage.app(), stage.step());
    let says = Says::CodeRight { act, factor, step };
    let void = Some(VoidReason::Statement);
    let mut branch = stage.branch();
    assert_eq!(branch.says_by(World::KEEPER, says.clone()).void, void);
    let factor = stage.customer.factor().id();
    let other = Says::CodeRight { act, factor, step };
    let mut branch = stage.branch();
    assert_eq!(branch.says_by(World::HERALD, other).void, void);
    let unknown = Digest([7; 32]);
    assert_eq!(stage.branch().right(unknown, step).void, void);
    assert_eq!(stage.branch().wrong(unknown).void, void);
    assert_eq!(stage.branch().right(act, step).void, None);
}

/// A code of a factor that was taken back since proves nothing.
#[test]
fn what_was_revoked_is_judged_no_more() {
    let mut stage = Stage::with_codes();
    let act = stage.freeze_by_code();
    let (principal, factor) = (stage.customer.principal, stage.app());
    let revoke = ActKind::RevokeFactor(RevokeFactor { principal, factor });
    let revoke = stage.customers(revoke);
    stage.submit(revoke);
    let step = stage.step();
    let void = Some(VoidReason::Statement);
    assert_eq!(stage.branch().right(act, step).void, void);
    assert_eq!(stage.wrong(act).void, None);
    stage.settle(act);
    assert_eq!(stage.end(act), Some(End::Returned));
}

/// A code enrols nothing, so it must not stand in the way of whoever comes back after an epoch.
#[test]
fn an_app_that_is_left_bars_no_re_enrolment() {
    let mut stage = Stage::with_codes();
    let epoch = ActKind::RaiseEpoch(RaiseEpoch {
        realm: Realm::Customers,
        factors: Some(FactorKind::Passkey),
    });
    let epoch = stage.staffs(World::OPERATOR, epoch);
    stage.submit(epoch);
    let principal = stage.customer.principal;
    let factor = stage.customer.with_new_passkey(0x77).factor();
    let enrol = ActKind::EnrolFactor(EnrolFactor { principal, factor });
    let act = stage.staffs_about(World::BACK_END, enrol);
    assert_eq!(stage.refusal(&act), None);
    // The app still freezes.
    stage.freeze_by_code();
}

/// Without a herald there is nobody to seal a seed to, and staff has keys alone.
#[test]
fn a_seed_needs_a_herald_and_a_holder() {
    let mut bare = Stage::new();
    let principal = bare.customer.principal;
    let factor = NewFactor::Totp {
        seed: Digest([1; 32]),
    };
    let enrol = ActKind::EnrolFactor(EnrolFactor { principal, factor });
    let act = bare.customers(enrol);
    assert_eq!(bare.refusal(&act), Some(Reason::FactorMalformed));
    let mut stage = Stage::with_codes();
    let factor = NewFactor::Totp {
        seed: Digest([1; 32]),
    };
    let principal = World::OPERATOR;
    let enrol = ActKind::EnrolFactor(EnrolFactor { principal, factor });
    let act = stage.staffs(World::OPERATOR, enrol);
    // A request key would be strong enough.
    assert_eq!(stage.refusal(&act), Some(Reason::FactorMalformed));
}
