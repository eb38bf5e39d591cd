//! One principal of an account that takes two, with everything that one can have: two passkeys and a request
//! key. The others are asleep.

use super::{Family, principals, waits_for};
use crate::stage::{PAYEE, STRANGER, Stage, add, ether, request_key};
use portcullis_core::act::{
    ActKind, Approve, ChangeContact, EnrolFactor, Recover, Resume, RevokeFactor,
};
use portcullis_core::id::PrincipalId;
use portcullis_core::state::release::{Stage as Standing, Withheld};
use portcullis_core::{Act, Decision, Digest, Evidence, Reason, Span};
use portcullis_keeper::testkit::{Customer, World};

/// The first of three has a second passkey and a request key; two of them loosen together.
struct Lone {
    family: Family,
    spare: Customer,
}

impl Lone {
    fn new() -> Self {
        let mut family = Family::on(Stage::with_a_herald());
        let spare = family.all[0].with_new_passkey(0x51);
        let principal = spare.principal;
        for factor in [spare.factor(), request_key(principal)] {
            let act = family.act(0, ActKind::EnrolFactor(EnrolFactor { principal, factor }));
            let digest = family.submit(&act, &[0]);
            family.tell(digest);
        }
        let act = family.act(0, add(PAYEE));
        let digest = family.submit(&act, &[0]);
        family.tell(digest);
        family.grow();
        family.grow();
        family.sets(1, 2, &[0]);
        Self { family, spare }
    }

    /// All proofs that one can bring.
    fn evidence(&self, act: &Act) -> Evidence {
        let mut evidence = self.family.evidence(act, &[0]);
        evidence.assertions.push(self.spare.assertion(act));
        let own = World::request(self.spare.principal, act, self.family.stage.now());
        evidence.requests.push(own);
        evidence
    }

    /// What there is to lose: who may act, how many together, where money and messages go.
    fn holdings(&self) -> (Vec<PrincipalId>, u32, usize, Option<Digest>, bool) {
        let account = self.family.account();
        let holders = account.holders.iter().map(|holder| holder.principal);
        (
            holders.collect(),
            account.quorum.count(),
            account.book.len(),
            account.contact.as_deref().copied(),
            account.frozen.is_some(),
        )
    }
}

type Ask = fn(&mut Family) -> ActKind;

#[rustfmt::skip]
const ATTEMPTS: &[(&str, Ask)] = &[
    ("withdraw",            |_| ether(PAYEE, 10)),
    ("add an address",      |_| add(STRANGER)),
    ("unfreeze",            |family| { let act = family.act(1, ActKind::Freeze); family.submit(&act, &[1]); ActKind::Unfreeze }),
    ("change the contact",  |_| ActKind::ChangeContact(ChangeContact { contact: Digest([0x0d; 32]) })),
    ("add a principal",     |family| { let new = family.stranger(0x40); family.add(&new).kind }),
    ("remove another",      |family| family.remove(0, 1).kind),
    ("lower the quorum",    |family| family.set_quorum(2, 1).kind),
    ("raise the quorum",    |family| family.set_quorum(2, 3).kind),
];

#[test]
fn one_alone_waits_for_ever() {
    for (what, ask) in ATTEMPTS {
        let mut lone = Lone::new();
        let kind = ask(&mut lone.family);
        let before = lone.holdings();
        let act = lone.family.act(0, kind);
        let evidence = lone.evidence(&act);
        let digest = lone.family.stage.submit_with(act, evidence);
        lone.family.tell(digest);
        for _ in 0..3 {
            let decision = lone.family.settles(digest);
            assert!(waits_for(&decision, principals(1)), "{what}: {decision:?}");
            lone.family.stage.pass(Span::hours(48));
        }
        assert_eq!(lone.holdings(), before, "{what}");
    }
}

/// A gate that says otherwise is alone with it: whoever decides again finds the entry void.
#[test]
fn no_gate_makes_two_of_one() {
    for (what, ask) in ATTEMPTS {
        let mut lone = Lone::new();
        let kind = ask(&mut lone.family);
        let before = lone.holdings();
        let act = lone.family.act(0, kind);
        let evidence = lone.evidence(&act);
        let mut other = lone.family.stage.branch();
        let digest = other.submit_with(act.clone(), evidence.clone());
        other.pass(Span::hours(48));
        let settled = other.settle_as(digest, Decision::Release);
        assert!(settled.void.is_some(), "{what}: settled by one");
        let entered = lone.family.stage.enter_as(act, evidence, Decision::Release);
        assert!(entered.void.is_some(), "{what}: released to one");
        assert_eq!(lone.holdings(), before, "{what}");
    }
}

/// Nobody manages another's factors, or speaks in another's name.
#[test]
fn what_is_anothers_is_refused() {
    let other = Customer::number(0x11).principal;
    let new = Customer::number(0x40).factor();
    let mut lone = Lone::new();
    let waits = lone.family.act(0, ether(PAYEE, 10));
    let waits = lone.family.submit(&waits, &[0]);
    let others_factor = lone.family.all[1].factor().id();
    let own = lone.spare.principal;
    #[rustfmt::skip]
    let rows = [
        ("enrol a factor for another", ActKind::EnrolFactor(EnrolFactor { principal: other, factor: new.clone() }), Reason::RoleMissing),
        ("revoke another's", ActKind::RevokeFactor(RevokeFactor { principal: other, factor: others_factor }), Reason::RoleMissing),
        ("recover another", ActKind::Recover(Recover { principal: other, factor: new.clone() }), Reason::RoleMissing),
        ("recover oneself beside a passkey", ActKind::Recover(Recover { principal: own, factor: new }), Reason::FactorsRemain),
        ("approve as staff does", ActKind::Approve(Approve { act: waits }), Reason::RoleMissing),
    ];
    for (what, kind, reason) in rows {
        let act = lone.family.act(0, kind);
        let decision = lone.family.stage.decide(&act, &lone.evidence(&act));
        assert_eq!(decision, Decision::Refuse { reason }, "{what}");
    }
}

/// A key on a server brings in no passkey, in an account of several as little as in one of one.
#[test]
fn nobody_raises_ones_own_factor() {
    let mut lone = Lone::new();
    let (principal, factor) = (lone.spare.principal, Customer::number(0x40).factor());
    let act = lone
        .family
        .act(0, ActKind::EnrolFactor(EnrolFactor { principal, factor }));
    let evidence = lone.family.stage.prove_by_request_key(&act);
    let reason = Reason::FactorTooWeak;
    let decision = lone.family.stage.decide(&act, &evidence);
    assert_eq!(decision, Decision::Refuse { reason });
}

/// The same principal with the same passkey again is another member: what it said before it was put out was
/// taken back.
#[test]
fn a_word_from_before_the_removal_does_not_come_back() {
    let mut family = Family::of(4, 2);
    let act = family.act(0, ether(PAYEE, 10));
    let mut evidence = family.evidence(&act, &[0, 1]);
    evidence.attestations.clear();
    let digest = family.stage.submit_with(act.clone(), evidence.clone());
    assert!(!waits_for(&family.settles(digest), principals(1)));
    family.removed(1, &[0, 2]);
    let again = family.stranger(0x11);
    let add = family.add(&again);
    family.submit(&add, &[0, 2]);
    family.stage.pass(Span::seconds(6));
    assert!(waits_for(&family.settles(digest), principals(1)));
    let mut old = family.more(&act, &[]);
    old.assertions.push(evidence.assertions[1].clone());
    let refused = family.stage.would_supplement(digest, old).unwrap_err();
    assert!(refused.contains("205 replayed"), "{refused}");
}

/// A lower quorum frees what waits once its own delay has run, and no sooner.
#[test]
fn a_quorum_that_falls_frees_what_waits_after_its_delay() {
    let mut family = Family::of(3, 2);
    let act = family.act(0, ether(PAYEE, 10));
    let digest = family.submit(&act, &[0]);
    let down = family.set_quorum(2, 1);
    let down = family.submit(&down, &[0, 1]);
    assert!(waits_for(&family.settles(digest), principals(1)));
    family.stage.pass(Span::seconds(6));
    assert!(waits_for(&family.settles(digest), principals(1)));
    family.stage.settle(down);
    assert_eq!(family.settles(digest), Decision::Release);
}

/// What two let go stays with the two, however many it takes since.
#[test]
fn a_release_that_lost_one_of_two_goes_out_by_no_lower_quorum() {
    let mut family = Family::of(3, 2);
    let act = family.act(0, ether(PAYEE, 10));
    let digest = family.submit(&act, &[0, 1]);
    let down = family.set_quorum(2, 1);
    let down = family.submit(&down, &[0, 2]);
    family.stage.pass(Span::seconds(6));
    family.stage.settle(down);
    let act = family.revoke_own(1);
    family.submit(&act, &[1]);
    let standing = family.stage.release(digest).stage;
    assert_eq!(standing, Standing::Withheld(Withheld::Revoked));
    let resume = ActKind::Resume(Resume { release: digest });
    let resume = family.stage.staffs(World::OPERATOR, resume);
    assert_eq!(family.stage.refusal(&resume), Some(Reason::FactorRevoked));
}
