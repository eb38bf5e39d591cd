//! 4xx: what issuers say of the act.

use super::{Fault, Row, row};
use crate::stage::Stage;
use portcullis_core::act::{ActKind, OpenAccount};
use portcullis_core::evidence::{Attestation, Claim};
use portcullis_core::id::{AccountId, IssuerId, LedgerEntryId};
use portcullis_core::{Act, Decision, Evidence, Reason, Span, Time};
use portcullis_keeper::testkit::{Customer, World};

#[rustfmt::skip]
pub(crate) fn rows() -> Vec<Row> {
    use Fault::Later;
    use Reason as R;
    vec![
        row(R::AttestationInvalid, "signed by another issuer", withdrawal, Later(signed_by_another)),
        row(R::AttestationInvalid, "an issuer of elsewhere", withdrawal, Later(of_elsewhere)),
        row(R::AttestationInvalid, "onboarding speaks of debits", withdrawal, Later(onboarding_debits)),
        row(R::AttestationInvalid, "the ledger speaks of factors", opening, Later(the_ledger_onboards)),
        row(R::AttestationForAnotherAct, "the debit of another act", withdrawal, Later(debit_of_another)),
        row(R::AttestationForAnotherAct, "onboarding of another account", opening, Later(onboarding_of_another)),
        row(R::AttestationExpired, "expires this moment", withdrawal, Later(expiring)),
        row(R::OnboardingMissing, "the back end opens by itself", opening, Later(|_, _, evidence| evidence.attestations.clear())),
        row(R::DebitConsumed, "paid for another act", withdrawal, Later(paid_for_another)),
        row(R::DebitConsumed, "paid for an act that was cancelled", withdrawal, Later(paid_for_a_cancelled)),
        row(R::DebitContradicts, "two entries for one act", withdrawal, Later(two_entries)),
    ]
}

fn withdrawal(stage: &mut Stage) -> Act {
    stage.withdrawal(10)
}

fn opening(stage: &mut Stage) -> Act {
    let new = Customer::number(3);
    let open = OpenAccount {
        subject: new.subject,
        principal: new.principal,
        factor: new.factor(),
        delay: None,
        contact: None,
        imported: None,
    };
    let mut act = stage.staffs(World::BACK_END, ActKind::OpenAccount(open));
    act.account = Some(new.account);
    act
}

fn debit(act: &Act) -> Claim {
    let entry = LedgerEntryId(act.id.0);
    Claim::LedgerDebit { entry }
}

fn signed_by_another(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    let other = stage.attest(World::ONBOARDING, act, debit(act));
    evidence.attestations[0].signature = other.signature;
}

fn of_elsewhere(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    let elsewhere = IssuerId(crate::stage::nobody());
    evidence.attestations = vec![stage.attest(elsewhere, act, debit(act))];
}

fn onboarding_debits(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    evidence.attestations = vec![stage.attest(World::ONBOARDING, act, debit(act))];
}

fn the_ledger_onboards(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    evidence.attestations = vec![stage.attest(World::LEDGER, act, Claim::Onboarding)];
}

fn debit_of_another(stage: &mut Stage, _: &Act, evidence: &mut Evidence) {
    let other = stage.withdrawal(11);
    evidence.attestations = vec![stage.ledger.debit(&other)];
}

/// The back end shows onboarding one account and opens another with the same factor.
fn onboarding_of_another(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    let mut other = act.clone();
    other.account = Some(AccountId(crate::stage::nobody()));
    evidence.attestations = vec![stage.ledger.onboarding(&other)];
}

fn expiring(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    evidence.attestations = vec![debited_until(act, stage.now())];
}

fn debited_until(act: &Act, expires: Time) -> Attestation {
    Stage::attest_until(expires, World::LEDGER, act, debit(act))
}

fn paid_for_another(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    let other = stage.withdrawal(11);
    let mut its = stage.prove_without_debit(&other);
    its.attestations.push(stage.debit_of(&other, 9));
    stage.submit_with(other, its);
    evidence.attestations = vec![stage.debit_of(act, 9)];
}

/// The platform re-credits by an entry of its own; the old one has paid once and for ever.
fn paid_for_a_cancelled(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    let other = stage.withdrawal(1_000);
    let mut its = stage.prove_without_debit(&other);
    its.attestations.push(stage.debit_of(&other, 9));
    let held = stage.submit_with(other, its);
    let cancel = ActKind::Cancel(portcullis_core::act::Cancel { act: held });
    let cancel = stage.customers(cancel);
    stage.submit(cancel);
    evidence.attestations = vec![stage.debit_of(act, 9)];
}

fn two_entries(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    evidence.attestations = vec![stage.debit_of(act, 8), stage.debit_of(act, 9)];
}

#[test]
fn an_attestation_serves_until_the_last_moment() {
    let mut stage = Stage::new();
    let act = withdrawal(&mut stage);
    let last = stage.now().after(Span(1));
    let evidence = Evidence {
        attestations: vec![debited_until(&act, last)],
        ..stage.prove(&act)
    };
    assert_eq!(stage.decide(&act, &evidence), Decision::Release);
}
