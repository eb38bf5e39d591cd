//! Recovery codes: each vouches once for a recovery, and for nothing else.

use crate::stage::{PAYEE, Stage, ether};
use portcullis_contact::RecoveryCode;
use portcullis_core::act::{ActKind, EnrolFactor, Recover, RevokeFactor, Veto};
use portcullis_core::factor::{NewFactor, RECOVERY_CODES};
use portcullis_core::id::FactorId;
use portcullis_core::state::account::Owner;
use portcullis_core::state::release::End;
use portcullis_core::{Act, Decision, Digest, Evidence, Reason, Span};

fn code(number: usize) -> RecoveryCode {
    RecoveryCode::new(|bytes| bytes.fill(u8::try_from(number).unwrap()))
}

fn factor(stage: &Stage) -> NewFactor {
    let ten: [RecoveryCode; RECOVERY_CODES] = core::array::from_fn(code);
    let genesis = stage.ledger.world.digest();
    RecoveryCode::factor(&ten, genesis, stage.customer.account).unwrap()
}

fn id(stage: &Stage) -> FactorId {
    factor(stage).id()
}

fn owner(stage: &Stage) -> Owner {
    Owner::Holder {
        account: stage.customer.account,
        principal: stage.customer.principal,
    }
}

/// A customer who has written ten codes down.
fn stage() -> Stage {
    let mut stage = Stage::new();
    let factor = factor(&stage);
    stage.enrol(factor);
    stage.pass(Span::seconds(6));
    stage
}

/// The customer brings a new passkey.
fn recovery(stage: &mut Stage) -> Act {
    let principal = stage.customer.principal;
    let factor = stage.customer.with_new_passkey(0x77).factor();
    stage.customers(ActKind::Recover(Recover { principal, factor }))
}

fn by_code(stage: &Stage, act: &Act, number: usize) -> Evidence {
    let mut evidence = stage.prove(act);
    evidence.assertions.clear();
    let about = (act.digest(), id(stage));
    let proof = code(number).prove(act.genesis, stage.customer.account, about);
    evidence.code = Some(proof.unwrap());
    evidence
}

fn refused(stage: &Stage, act: &Act, evidence: &Evidence) -> Option<Reason> {
    match stage.decide(act, evidence) {
        Decision::Refuse { reason } => Some(reason),
        _ => None,
    }
}

fn begin(stage: &mut Stage, number: usize) -> Digest {
    let act = recovery(stage);
    let evidence = by_code(stage, &act, number);
    stage.submit_with(act, evidence)
}

fn left(stage: &Stage) -> usize {
    stage.facts().codes.left(owner(stage), id(stage))
}

#[test]
fn a_code_recovers_after_the_delay_whatever_still_counts() {
    let mut stage = stage();
    assert_eq!(left(&stage), 10);
    let act = begin(&mut stage, 3);
    assert_eq!(left(&stage), 9);
    stage.pass(Span::seconds(14));
    assert!(matches!(stage.settles(act), Decision::Hold { .. }));
    stage.pass(Span::seconds(2));
    stage.settle(act);
    let new = stage.customer.with_new_passkey(0x77).factor().id();
    assert!(stage.facts().factor(owner(&stage), new).is_some());
    assert_eq!(left(&stage), 9);
}

#[test]
fn each_serves_once_whatever_becomes_of_it() {
    let mut stage = stage();
    let act = begin(&mut stage, 3);
    let veto = stage.customers(ActKind::Veto(Veto { act }));
    stage.submit(veto);
    assert_eq!(stage.end(act), Some(End::Returned));
    let again = recovery(&mut stage);
    let evidence = by_code(&stage, &again, 3);
    assert_eq!(refused(&stage, &again, &evidence), Some(Reason::CodeUsed));
    let another = by_code(&stage, &again, 4);
    assert_eq!(refused(&stage, &again, &another), None);
}

/// One that was refused has not served: the act is used up, and with it the signature.
#[test]
fn a_refused_recovery_uses_no_code_up() {
    let mut stage = stage();
    let freeze = stage.customers(ActKind::Freeze);
    stage.submit(freeze);
    let act = recovery(&mut stage);
    let evidence = by_code(&stage, &act, 3);
    assert_eq!(
        refused(&stage, &act, &evidence),
        Some(Reason::AccountFrozen)
    );
    stage.journal_refusal(act, evidence);
    assert_eq!(left(&stage), 10);
}

#[test]
fn a_code_proves_nothing_else_and_nobody_elses_act() {
    let mut stage = stage();
    for kind in [
        ether(PAYEE, 1),
        ActKind::Freeze,
        ActKind::EnrolFactor(EnrolFactor {
            principal: stage.customer.principal,
            factor: stage.customer.with_new_passkey(0x77).factor(),
        }),
    ] {
        let act = stage.customers(kind);
        let evidence = by_code(&stage, &act, 1);
        assert_eq!(refused(&stage, &act, &evidence), Some(Reason::CodeTooWeak));
    }
    // Read off the wire, it is of no use for another act.
    let act = recovery(&mut stage);
    let evidence = by_code(&stage, &act, 1);
    let other = recovery(&mut stage);
    let mut stolen = stage.prove(&other);
    stolen.assertions.clear();
    stolen.code = evidence.code;
    assert_eq!(refused(&stage, &other, &stolen), Some(Reason::CodeUsed));
    // Nor is a code that was never one of the ten.
    let unknown = by_code(&stage, &other, 11);
    assert_eq!(refused(&stage, &other, &unknown), Some(Reason::CodeUsed));
}

#[test]
fn codes_that_are_taken_back_end_what_they_began() {
    let mut stage = stage();
    let act = begin(&mut stage, 3);
    let (principal, factor) = (stage.customer.principal, id(&stage));
    let revoke = ActKind::RevokeFactor(RevokeFactor { principal, factor });
    let revoke = stage.customers(revoke);
    stage.submit(revoke);
    stage.pass(Span::seconds(16));
    let reason = Reason::FactorRevoked;
    assert_eq!(stage.settles(act), Decision::Refuse { reason });
    assert_eq!(left(&stage), 0);
}

#[test]
fn a_set_is_ten_different_ones_in_order() {
    let mut stage = Stage::new();
    let NewFactor::RecoveryCodes { codes } = factor(&stage) else {
        unreachable!()
    };
    let mut turned = codes.clone();
    turned.reverse();
    let mut twice = codes.clone();
    twice[1] = twice[0];
    let principal = stage.customer.principal;
    for wrong in [codes[..9].to_vec(), turned, twice, Vec::new()] {
        let factor = NewFactor::RecoveryCodes { codes: wrong };
        let act = stage.customers(ActKind::EnrolFactor(EnrolFactor { principal, factor }));
        assert_eq!(stage.refusal(&act), Some(Reason::FactorMalformed));
    }
}
