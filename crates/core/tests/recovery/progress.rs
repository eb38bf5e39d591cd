//! Re-enrolment after a raised epoch is counted as it goes, against a count of everybody.

use crate::stage::Stage;
use crate::stage::lost::DELAY;
use portcullis_core::act::{ActKind, EnrolFactor, RevokeFactor};
use portcullis_core::factor::FactorKind;
use portcullis_core::state::account::Owner;
use portcullis_keeper::testkit::{Customer, World};

/// Holders, and those with a factor that counts, found by looking at all of them.
fn looked_at(stage: &Stage) -> (u64, u64) {
    let mut found = (0, 0);
    for (account, known) in &stage.facts().accounts {
        for holder in &known.holders {
            let owner = Owner::Holder {
                account: *account,
                principal: holder.principal,
            };
            found.0 += 1;
            found.1 += u64::from(stage.facts().has_factor_left(owner));
        }
    }
    found
}

fn check(stage: &Stage) {
    assert_eq!(stage.facts().enrolled.holders(), looked_at(stage));
}

fn progress(stage: &Stage) -> (u64, u64, u64) {
    let progress = stage.facts().enrolled.progress().unwrap();
    (progress.holders, progress.raised.revoked, progress.enrolled)
}

#[test]
fn progress_since_an_epoch() {
    let mut stage = Stage::lost();
    assert_eq!(stage.facts().enrolled.progress(), None);
    for number in 2..=4 {
        stage.open_another(number);
    }
    stage.enrol_request_key();
    check(&stage);
    // A customer who has nothing left before it is not one whom it revoked.
    revoke(&mut stage, 4);
    check(&stage);
    stage.raise(None);
    check(&stage);
    assert_eq!(progress(&stage), (4, 3, 0));

    let act = stage.begin();
    stage.pass(DELAY);
    stage.settle(act);
    check(&stage);
    assert_eq!(progress(&stage), (4, 3, 1));
    enrol(&mut stage, 2);
    check(&stage);
    assert_eq!(progress(&stage), (4, 3, 2));
    // Whoever opens an account now is not re-enrolled.
    stage.open_another(6);
    check(&stage);
    assert_eq!(progress(&stage), (4, 3, 2));
    // And whoever loses it again is not, either.
    revoke_other(&mut stage, 2, 102);
    check(&stage);
    assert_eq!(progress(&stage), (4, 3, 1));
}

#[test]
fn an_epoch_of_one_kind_counts_that_kind() {
    let mut stage = Stage::lost();
    stage.open_another(2);
    stage.enrol_request_key();
    stage.raise(Some(FactorKind::Passkey));
    check(&stage);
    assert_eq!(progress(&stage), (2, 2, 0));
    assert_eq!(stage.facts().enrolled.holders(), (2, 1));
    enrol(&mut stage, 2);
    assert_eq!(progress(&stage), (2, 2, 1));
    // The next one counts everybody who is there by then.
    stage.open_another(3);
    stage.raise(None);
    check(&stage);
    assert_eq!(progress(&stage), (3, 3, 0));
}

fn enrol(stage: &mut Stage, number: u8) {
    let customer = Customer::number(number);
    let factor = customer.with_new_passkey(number + 100).factor();
    let principal = customer.principal;
    let kind = ActKind::EnrolFactor(EnrolFactor { principal, factor });
    let mut act = stage.staffs(World::BACK_END, kind);
    act.account = Some(customer.account);
    stage.submit(act);
}

fn revoke(stage: &mut Stage, number: u8) {
    revoke_other(stage, number, number);
}

fn revoke_other(stage: &mut Stage, number: u8, passkey: u8) {
    let customer = Customer::number(number);
    let factor = customer.with_new_passkey(passkey).factor().id();
    let principal = customer.principal;
    let kind = ActKind::RevokeFactor(RevokeFactor { principal, factor });
    let mut act = stage.staffs(World::administrator(0), kind);
    act.account = Some(customer.account);
    stage.submit(act);
}
