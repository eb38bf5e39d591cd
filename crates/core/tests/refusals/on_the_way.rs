//! What becomes of things by themselves: refused for good, given up, shut and lifted together.

use crate::stage::{PAYEE, Stage, add, confirmed, fees, request_key};
use portcullis_chains::ethereum::Fees;
use portcullis_core::act::{
    ActKind, Cancel, CancelAddress, LiftTarget, RaiseEpoch, RevokeFactor, Scope, Suspend, Void,
};
use portcullis_core::apply::VoidReason;
use portcullis_core::decide::{PlanFault, settle};
use portcullis_core::entry::{Body, Entry};
use portcullis_core::factor::FactorKind;
use portcullis_core::realm::Realm;
use portcullis_core::signature::Strict;
use portcullis_core::state::release::{End, Stage as At, Withheld};
use portcullis_core::{Decision, Digest, ReadEntry, Reason, Span};
use portcullis_keeper::testkit::World;

/// A nonce that is planned can always be spent in the end.
#[test]
fn a_plan_that_nothing_could_replace_is_void() {
    let mut stage = Stage::new();
    let act = stage.withdrawal(10);
    let evidence = stage.prove(&act);
    let ceiling = stage.state().network().genesis().wallets[0].fee_ceiling.0;
    let most = ceiling / 21_000;
    #[rustfmt::skip] // a table
    let table = [
        ("the whole ceiling in one unit of gas", ceiling, ceiling, 1, Some(PlanFault::Unsendable)),
        ("too little gas", 20_000_000_000, 1_000_000_000, 20_999, Some(PlanFault::Unsendable)),
        ("no tip", 20_000_000_000, 0, 21_000, Some(PlanFault::Unsendable)),
        ("above the ceiling", most + 1, 1, 21_000, Some(PlanFault::Fee)),
        ("no room to outbid it", most, 1, 21_000, Some(PlanFault::NoRoom)),
        ("room for a tenth more", most / 11 * 10, 1, 21_000, None),
    ];
    for (name, max, tip, gas, fault) in table {
        let mut submission = stage.ledger.submission(act.clone(), evidence.clone());
        let decided = stage.decided(&act, &evidence);
        let payment = decided.payment().unwrap();
        let fees = Fees::new(max, tip, gas).unwrap();
        submission.plan = Some(payment.plan(fees).unwrap());
        let entry = Entry::new(stage.now(), Body::Act(Box::new(submission)));
        let judged = stage
            .state()
            .judge(&ReadEntry::written(entry).0, &Strict)
            .map(drop);
        assert_eq!(
            judged,
            fault.map_or(Ok(()), |f| Err(VoidReason::Plan(f))),
            "{name}"
        );
    }
}

/// Fees that nobody has signed are with no node: a void need not outbid them.
#[test]
fn a_void_outbids_what_is_signed() {
    let mut stage = Stage::new();
    let act = stage.withdrawal(10);
    let release = stage.submit(act);
    let outbids = |stage: &mut Stage| {
        let void = stage.staffs(World::OPERATOR, ActKind::Void(Void { release }));
        let decided = stage.decided(&void, &stage.prove(&void));
        decided.payment().unwrap().outbids()
    };
    assert_eq!(outbids(&mut stage), None);
    stage.sign(release);
    assert_eq!(outbids(&mut stage), Some(fees()));
}

fn cancel(stage: &mut Stage, act: Digest) {
    let act = stage.customers(ActKind::Cancel(Cancel { act }));
    stage.submit(act);
}

/// Whoever asks and takes back holds up nobody else's money, and takes nobody else's room.
#[test]
fn what_was_taken_back_is_given_up_without_a_hand() {
    let takings: [fn(&mut Stage, Digest); 3] = [
        cancel,
        |stage, _| {
            let act = stage.customers(ActKind::Freeze);
            stage.submit(act);
        },
        |stage, _| {
            let address = PAYEE;
            let act = stage.customers(ActKind::CancelAddress(CancelAddress { address }));
            stage.submit(act);
        },
    ];
    for take_back in takings {
        let mut stage = Stage::new();
        let act = stage.withdrawal(10);
        let release = stage.submit(act);
        take_back(&mut stage, release);
        stage.settle(release);
        let plan = stage.release(release).plans.last().unwrap().digest();
        assert!(stage.release(release).is_void_plan(plan));
        // Nobody's freeze withholds what pays nobody.
        let freeze = stage.customers(ActKind::Freeze);
        stage.submit(freeze);
        assert_eq!(stage.release(release).stage, At::Released);
        let transaction = stage.sign(release);
        assert_eq!(stage.says(confirmed(release, transaction)).void, None);
        assert_eq!(stage.end(release), Some(End::Returned));
        let asset = World::ETHER;
        for rings in [
            &stage.facts().outflow[&asset],
            &stage.facts().wallets[&World::WALLET].outflow[&asset],
        ] {
            use portcullis_core::window::Outflow as _;
            for length in [Span::hours(1), Span::hours(24), Span::hours(168)] {
                let left = rings.within(length, stage.now());
                assert_eq!(left, Some(portcullis_chains::Amount::ZERO));
            }
        }
    }
}

/// What takes a proof back takes back what went out on it, and nothing else.
#[test]
fn a_proof_that_counts_no_more_withholds_its_releases() {
    use Realm::{Customers, Staff};
    let (key, passkey) = (Some(FactorKind::RequestKey), Some(FactorKind::Passkey));
    let raise = |realm, factors| Some(RaiseEpoch { realm, factors });
    #[rustfmt::skip] // a table
    let table = [
        // The epoch, or else the revocation of the key; what the passkey proved, and what the key.
        (None,                     At::Released,   TAKEN_BACK),
        (raise(Customers, key),     At::Released,  TAKEN_BACK),
        (raise(Customers, passkey), TAKEN_BACK,    At::Released),
        (raise(Customers, None),    TAKEN_BACK,    TAKEN_BACK),
        (raise(Staff, passkey),     At::Released,  At::Released),
    ];
    for (epoch, of_passkey, of_key) in table {
        let mut stage = Stage::new();
        stage.enrol_request_key();
        let by_passkey = stage.withdrawal(10);
        let by_passkey = stage.submit(by_passkey);
        let by_key = stage.withdrawal(11);
        let evidence = stage.prove_by_request_key(&by_key);
        let by_key = stage.submit_with(by_key, evidence);
        match &epoch {
            None => revoke_request_key(&mut stage),
            Some(raise) => raise_epoch(&mut stage, raise.clone()),
        }
        assert_eq!(stage.release(by_passkey).stage, of_passkey, "{epoch:?}");
        assert_eq!(stage.release(by_key).stage, of_key, "{epoch:?}");
    }
}

/// The staff's takes a quorum.
fn raise_epoch(stage: &mut Stage, raise: RaiseEpoch) {
    let is_staffs = raise.realm == Realm::Staff;
    let kind = ActKind::RaiseEpoch(raise);
    if is_staffs {
        stage.propose(kind);
    } else {
        let act = stage.staffs(World::OPERATOR, kind);
        stage.submit(act);
    }
}

const TAKEN_BACK: At = At::Withheld(Withheld::Revoked);

fn revoke_request_key(stage: &mut Stage) {
    let principal = stage.customer.principal;
    let factor = request_key(principal).id();
    let revoke = RevokeFactor { principal, factor };
    let act = stage.customers(ActKind::RevokeFactor(revoke));
    stage.submit(act);
}

/// Nothing goes out under a suspension, not even fees, unless staff says so.
#[test]
fn what_was_taken_back_is_not_given_up_under_a_suspension() {
    let mut stage = Stage::new();
    let act = stage.withdrawal(10);
    let release = stage.submit(act);
    cancel(&mut stage, release);
    let scope = Scope::Withdrawals;
    let act = stage.staffs(World::OPERATOR, ActKind::Suspend(Suspend { scope }));
    let by = stage.submit(act);
    assert!(matches!(stage.settles(release), Decision::Hold { .. }));
    stage.ledger.lift(LiftTarget::Suspension { by });
    assert_eq!(stage.settles(release), Decision::Release);
}

/// What a suspension withheld goes out, or is given up, by somebody's hand alone.
#[test]
fn what_was_suspended_waits_for_a_hand() {
    let mut stage = Stage::new();
    let act = stage.withdrawal(10);
    let release = stage.submit(act);
    let scope = Scope::Withdrawals;
    let act = stage.staffs(World::OPERATOR, ActKind::Suspend(Suspend { scope }));
    let by = stage.submit(act);
    stage.ledger.lift(LiftTarget::Suspension { by });
    assert_eq!(
        stage.release(release).stage,
        At::Withheld(Withheld::Suspended)
    );
    assert!(matches!(
        settle(stage.state(), release, stage.now()).decision(),
        Decision::Hold { .. }
    ));
}

/// The journal said "refused", so the platform has given the money back.
#[test]
fn what_was_refused_on_record_is_never_paid() {
    let mut stage = Stage::new();
    let freeze = stage.customers(ActKind::Freeze);
    stage.submit(freeze);
    let act = stage.withdrawal(10);
    let evidence = stage.prove(&act);
    stage.journal_refusal(act.clone(), evidence.clone());
    assert_eq!(stage.end(act.digest()), Some(End::Returned));
    let thaw = stage.customers(ActKind::Unfreeze);
    stage.submit(thaw);
    let said = stage.decide(&act, &evidence);
    assert_eq!(
        said,
        Decision::Refuse {
            reason: Reason::Replayed
        }
    );
    let paid = stage.enter_as(act, evidence, Decision::Release);
    assert!(paid.void.is_some());
}

/// Whoever keeps the journal must not use a stop up before what it is to stop.
#[test]
fn a_stop_that_was_refused_too_early_still_counts() {
    let mut stage = Stage::new();
    let withdrawal = stage.withdrawal(10);
    let digest = withdrawal.digest();
    let cancel = stage.customers(ActKind::Cancel(Cancel { act: digest }));
    let evidence = stage.prove(&cancel);
    stage.journal_refusal(cancel.clone(), evidence.clone());
    stage.submit(withdrawal);
    assert_eq!(stage.decide(&cancel, &evidence), Decision::Release);
}

/// Void entries and one operator's key make any number of suspensions.
#[test]
fn suspensions_without_number_are_lifted_together() {
    let mut stage = Stage::new();
    for number in 0..20_u8 {
        assert!(stage.ledger.enter_bytes(vec![number]).void.is_some());
    }
    assert_eq!(stage.facts().suspensions.len(), 1, "void entries share one");
    for _ in 0..20 {
        let (act, evidence) = stage.ledger.suspension(Scope::Everything);
        stage.submit_with(act, evidence);
    }
    assert_eq!(stage.facts().suspensions.len(), 21);
    let entry = stage.state().size() - 1;
    let (act, evidence) = stage.ledger.suspension(Scope::Withdrawals);
    let newer = stage.submit_with(act, evidence);
    stage.ledger.lift(LiftTarget::SuspensionsUpTo { entry });
    let left: Vec<_> = stage.facts().suspensions.keys().copied().collect();
    assert_eq!(left, [newer], "what came after was not agreed upon");
    assert_eq!(stage.facts().void_suspension, None);
    // A void entry shuts again.
    stage.ledger.enter_bytes(vec![0]);
    assert_eq!(stage.facts().suspensions.len(), 2);
    let act = stage.customers(add(crate::stage::STRANGER));
    assert_eq!(stage.refusal(&act), Some(Reason::Suspended));
}

/// A lift agreed upon before the newest void entry names another.
#[test]
fn the_newest_void_entry_names_the_suspension() {
    let mut stage = Stage::new();
    let by = |stage: &Stage| stage.facts().void_suspension.unwrap();
    stage.ledger.enter_bytes(vec![1]);
    let first = by(&stage);
    stage.ledger.enter_bytes(vec![2]);
    assert!(!stage.facts().suspensions.contains_key(&first));
    let by = by(&stage);
    stage.ledger.lift(LiftTarget::Suspension { by });
    assert!(stage.facts().suspensions.is_empty());
}
