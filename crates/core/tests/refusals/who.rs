//! 300 to 310: who asks, and which factor proves it?

use super::{Fault, Row, row};
use crate::stage::{Stage, add, nobody, request_key};
use portcullis_core::act::{ActKind, EnrolFactor, RaiseEpoch, RevokeFactor, Scope};
use portcullis_core::factor::FactorKind;
use portcullis_core::id::{AccountId, PrincipalId};
use portcullis_core::realm::Realm;
use portcullis_core::{Act, Evidence, Reason, Span};
use portcullis_keeper::testkit::{Customer, World};

#[rustfmt::skip]
pub(crate) fn rows() -> Vec<Row> {
    use Fault::{Act as Asks, Later};
    use Reason as R;
    vec![
        row(R::UnknownAccount, "no such account", withdrawal, Asks(|_, act| act.account = Some(AccountId(nobody())))),
        row(R::UnknownAccount, "no account named", withdrawal, Asks(|_, act| act.account = None)),
        row(R::UnknownPrincipal, "not a holder of it", withdrawal, Asks(|_, act| act.principal = PrincipalId(nobody()))),
        row(R::UnknownPrincipal, "not a member of staff", suspension, Asks(|_, act| act.principal = PrincipalId(nobody()))),
        row(R::UnknownPrincipal, "a holder gives up another's factor", revocation, Asks(anothers)),
        row(R::RequestMissing, "nobody relays what loosens", withdrawal, Later(|_, _, evidence| evidence.requests.clear())),
        row(R::RequestMissing, "relayed by one who is no back end", withdrawal, Later(relayed_by_the_operator)),
        row(R::RequestInvalid, "not a signature base", withdrawal, Later(|_, _, evidence| evidence.requests[0].base.truncate(40))),
        row(R::RequestInvalid, "a signature of something else", suspension, Later(signature_of_something_else)),
        row(R::RequestInvalid, "a request that only tries the act out", suspension, Later(request_to_another_door)),
        row(R::RequestForAnotherAct, "signed for another act", suspension, Later(request_for_another)),
        row(R::RequestStale, "signed five minutes ago", suspension, Later(|stage, _, _| stage.pass(Span::seconds(301)))),
        row(R::RequestStale, "signed in the future", suspension, Later(request_of_the_future)),
        row(R::FactorMissing, "only the back end speaks", withdrawal, Later(|_, _, evidence| evidence.assertions.clear())),
        row(R::FactorMissing, "nobody speaks", suspension, Later(|_, _, evidence| evidence.requests.clear())),
        row(R::FactorUnknown, "somebody else's passkey", withdrawal, Later(somebody_elses_passkey)),
        row(R::FactorUnknown, "a request key of nobody", suspension, Later(a_key_of_nobody)),
        row(R::FactorUnknown, "the passkey was revoked", withdrawal, Later(revoked)),
        row(R::FactorRevoked, "the customers' epoch was raised", withdrawal, Later(|stage, _, _| raise(stage, None))),
        row(R::FactorRevoked, "the passkeys' epoch was raised", withdrawal, Later(|stage, _, _| raise(stage, Some(FactorKind::Passkey)))),
        row(R::FactorNotYet, "a passkey of this minute", withdrawal, Later(a_new_passkey)),
        row(R::FactorTooWeak, "a request key enrols a passkey", enrolment, Later(by_request_key)),
        row(R::FactorTooWeak, "a request key revokes a passkey", revocation, Later(by_request_key)),
        row(R::FactorTooWeak, "a request key undoes what a passkey froze", unfreezing, Later(by_request_key)),
    ]
}

fn withdrawal(stage: &mut Stage) -> Act {
    stage.withdrawal(10)
}

fn suspension(stage: &mut Stage) -> Act {
    stage.ledger.suspension(Scope::Withdrawals).0
}

fn anothers(stage: &mut Stage, act: &mut Act) {
    let other = Customer::number(2);
    stage.ledger.open(&other);
    let (principal, factor) = (other.principal, other.factor().id());
    act.kind = ActKind::RevokeFactor(RevokeFactor { principal, factor });
}

fn request_to_another_door(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    let tries = World::request_to("/v1/acts:simulate", act.principal, act, stage.now());
    evidence.requests = vec![tries];
}

fn relayed_by_the_operator(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    evidence.requests = vec![World::request(World::OPERATOR, act, stage.now())];
}

fn signature_of_something_else(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    let mut other = act.clone();
    other.expires = other.expires.after(Span(1));
    let other = World::request(act.principal, &other, stage.now());
    evidence.requests[0].signature = other.signature;
}

fn request_for_another(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    let other = suspension(stage);
    evidence.requests[0] = World::request(act.principal, &other, stage.now());
}

fn request_of_the_future(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    let soon = stage.now().after(Span::seconds(32));
    evidence.requests[0] = World::request(act.principal, act, soon);
}

fn somebody_elses_passkey(_: &mut Stage, act: &Act, evidence: &mut Evidence) {
    evidence.assertions = vec![Customer::number(2).assertion(act)];
}

fn a_key_of_nobody(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    let stranger = World::request(PrincipalId(nobody()), act, stage.now());
    evidence.requests.push(stranger);
}

/// The customer has two passkeys and gives up the one that made the assertion.
fn revoked(stage: &mut Stage, _: &Act, _: &mut Evidence) {
    let (principal, factor) = (stage.customer.principal, stage.customer.factor().id());
    let act = stage.customers(ActKind::RevokeFactor(RevokeFactor { principal, factor }));
    stage.submit(act);
}

fn raise(stage: &mut Stage, factors: Option<FactorKind>) {
    let realm = Realm::Customers;
    let kind = ActKind::RaiseEpoch(RaiseEpoch { realm, factors });
    let act = stage.staffs(World::OPERATOR, kind);
    stage.submit(act);
}

/// The act itself waits for nothing; the passkey that signs it was enrolled a moment ago.
fn a_new_passkey(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    let new = stage.customer.with_new_passkey(9);
    stage.enrol(new.factor());
    stage.ledger.settle_clocks();
    evidence.assertions = vec![new.assertion(act)];
}

fn enrolment(stage: &mut Stage) -> Act {
    stage.enrol_request_key();
    let (principal, factor) = (stage.customer.principal, Customer::number(9).factor());
    stage.customers(ActKind::EnrolFactor(EnrolFactor { principal, factor }))
}

fn revocation(stage: &mut Stage) -> Act {
    stage.enrol_request_key();
    let (principal, factor) = (stage.customer.principal, stage.customer.factor().id());
    stage.customers(ActKind::RevokeFactor(RevokeFactor { principal, factor }))
}

fn unfreezing(stage: &mut Stage) -> Act {
    stage.enrol_request_key();
    let freeze = stage.customers(ActKind::Freeze);
    stage.submit(freeze);
    stage.customers(ActKind::Unfreeze)
}

fn by_request_key(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    *evidence = stage.prove_by_request_key(act);
}

/// What is weaker still serves for what is not stronger than itself.
#[test]
fn a_request_key_does_what_is_at_its_own_strength() {
    let mut stage = Stage::new();
    stage.enrol_request_key();
    let principal = stage.customer.principal;
    let factor = request_key(PrincipalId([0x3f; 16]));
    let enrol = ActKind::EnrolFactor(EnrolFactor { principal, factor });
    let factor = request_key(principal).id();
    let revoke = ActKind::RevokeFactor(RevokeFactor { principal, factor });
    for kind in [enrol, revoke, add(World::address(0xcc)), ActKind::Freeze] {
        let act = stage.customers(kind);
        let decision = stage.decide(&act, &stage.prove_by_request_key(&act));
        let name = act.kind.name();
        assert_eq!(decision, portcullis_core::Decision::Release, "{name}");
    }
}
