//! Keys that an act of staff announces stand in the journal for the whole delay, for everybody to read.
//! Enrolling one takes no possession of it, and whoever could would end the act with that.

use crate::stage::lost::DELAY;
use crate::stage::{Stage, request_key};
use portcullis_core::act::{ActKind, EnrolFactor, Keys, OpenAccount, Rotate};
use portcullis_core::factor::NewFactor;
use portcullis_core::id::PrincipalId;
use portcullis_core::{Decision, Reason, Span};
use portcullis_keeper::testkit::{Customer, World, id};
use portcullis_keys::StatementKey as _;

const NEW: [u8; 3] = [0x31, 0x32, 0x33];

/// What becomes of the customer's wish to enrol a key.
fn enrolment(stage: &mut Stage, factor: NewFactor) -> Option<Reason> {
    let principal = stage.customer.principal;
    let act = stage.customers(ActKind::EnrolFactor(EnrolFactor { principal, factor }));
    stage.refusal(&act)
}

/// What becomes of a new account with that key.
fn opening(stage: &mut Stage, factor: NewFactor) -> Option<Reason> {
    let new = Customer::number(9);
    let open = ActKind::OpenAccount(OpenAccount {
        subject: new.subject,
        principal: new.principal,
        factor,
        delay: None,
        contact: None,
        imported: None,
    });
    let mut act = stage.staffs(World::BACK_END, open);
    act.account = Some(new.account);
    stage.refusal(&act)
}

#[test]
fn a_customer_takes_no_key_of_the_administrators_to_come() {
    let mut stage = Stage::lost();
    let key = || request_key(PrincipalId(id(NEW[0])));
    assert_eq!(enrolment(&mut stage, key()), None);
    let new = stage.new_administration(&NEW, 2);
    let act = stage.begin_administrators(new);
    assert_eq!(enrolment(&mut stage, key()), Some(Reason::FactorExists));
    assert_eq!(opening(&mut stage, key()), Some(Reason::FactorExists));
    stage.pass(DELAY);
    assert_eq!(stage.settles(act), Decision::Release);
}

#[test]
fn nobody_takes_a_keepers_next_key_until_its_act_has_ended() {
    let mut stage = Stage::lost();
    let key = World::key(&[0x5d; 16]).public_key().clone();
    let factor = || NewFactor::RequestKey { key: key.clone() };
    let keys = Keys::Keeper {
        keeper: World::KEEPER,
        key: key.clone(),
    };
    let replaces = stage.state().keys_in_place_of(&keys).unwrap().digest();
    let rotate = ActKind::Rotate(Rotate { replaces, keys });
    let act = stage.staffs(World::administrator(0), rotate);
    let act = stage.submit(act);
    assert_eq!(enrolment(&mut stage, factor()), Some(Reason::FactorExists));
    let own = ActKind::EnrolFactor(EnrolFactor {
        principal: World::OPERATOR,
        factor: factor(),
    });
    let own = stage.staffs(World::OPERATOR, own);
    assert_eq!(stage.refusal(&own), Some(Reason::FactorExists));
    let mut cancelled = stage.branch();
    let cancel = ActKind::Cancel(portcullis_core::act::Cancel { act });
    let cancel = cancelled.staffs(World::administrator(0), cancel);
    cancelled.submit(cancel);
    assert_eq!(enrolment(&mut cancelled, factor()), None);
    stage.approve(World::administrator(1), act);
    stage.pass(Span::seconds(6));
    assert_eq!(stage.settles(act), Decision::Release);
}
