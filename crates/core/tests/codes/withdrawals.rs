//! What a code alone sends: little, and to an address that has stood in the book for a week.

use crate::bench::{DAY, MOST};
use crate::stage::{PAYEE, Stage, ether};
use portcullis_chains::Amount;
use portcullis_core::decision::Need;
use portcullis_core::limits::Bounds;
use portcullis_core::{Act, Decision, Evidence, Reason, Span};
use portcullis_keeper::testkit::World;

fn refusal(stage: &Stage, (act, evidence): &(Act, Evidence)) -> Option<Reason> {
    match stage.decide(act, evidence) {
        Decision::Refuse { reason } => Some(reason),
        _ => None,
    }
}

/// A withdrawal by code goes out.
fn goes_out(stage: &mut Stage, amount: u128) {
    let (act, evidence) = stage.small(amount);
    let act = stage.submit_with(act, evidence);
    let step = stage.step();
    assert_eq!(stage.right(act, step).void, None);
    stage.settle(act);
    assert!(stage.facts().releases.contains_key(&act));
    stage.pass(Span::seconds(30));
}

#[test]
fn a_small_withdrawal_goes_out_once_the_herald_has_said_so() {
    let mut stage = Stage::with_codes();
    let (act, evidence) = stage.small(MOST);
    let act = stage.submit_with(act, evidence);
    stage.pass(Span::seconds(1));
    assert_eq!(
        stage.settles(act),
        Decision::Hold {
            needs: vec![Need::Totp],
            until: None
        }
    );
    let step = stage.step();
    stage.right(act, step);
    stage.settle(act);
    stage.sign(act);
    assert_eq!(stage.served(), step);
}

/// Anybody can send digits: nothing counts beside the others before the herald has judged them.
#[test]
fn it_counts_beside_the_others_once_its_code_was_right() {
    let counts = |stage: &Stage| stage.facts().behaviour.is_some();
    let mut stage = Stage::with_codes();
    let (act, evidence) = stage.small(MOST);
    let wrong = stage.submit_with(act, evidence);
    stage.wrong(wrong);
    stage.settle(wrong);
    assert!(!counts(&stage));
    goes_out(&mut stage, MOST);
    assert!(counts(&stage));
}

/// More than the rule of codes, or than is left of its day, takes a passkey, which has other limits.
#[test]
fn more_takes_a_passkey() {
    let mut stage = Stage::with_codes();
    let large = stage.small(MOST + 1);
    assert_eq!(refusal(&stage, &large), Some(Reason::OverCodeLimit));
    assert_eq!(
        stage.decide(&large.0, &stage.prove(&large.0)),
        Decision::Release
    );
    goes_out(&mut stage, MOST);
    let rest = stage.small(DAY - MOST + 1);
    assert_eq!(refusal(&stage, &rest), Some(Reason::OverCodeLimit));
    goes_out(&mut stage, DAY - MOST);
    stage.pass(Span::hours(25));
    goes_out(&mut stage, MOST);
}

/// What a passkey sent counts too: whoever has a code sends only what is left of the day.
#[test]
fn whatever_left_the_account_counts() {
    let mut stage = Stage::with_codes();
    let by_passkey = stage.withdrawal(DAY);
    stage.submit(by_passkey);
    let any = stage.small(1);
    assert_eq!(refusal(&stage, &any), Some(Reason::OverCodeLimit));
}

#[test]
fn an_asset_without_a_rule_of_codes_stays() {
    let mut stage = Stage::with_codes();
    let kind = portcullis_core::ActKind::Withdraw(portcullis_core::act::Withdraw {
        asset: World::TOKEN,
        to: PAYEE,
        amount: Amount(1),
    });
    let act = stage.customers(kind);
    let evidence = stage.with_code(&act);
    let facts = stage.facts();
    assert_eq!(facts.limits.rule(World::TOKEN, Bounds::Code), None);
    assert_eq!(
        refusal(&stage, &(act, evidence)),
        Some(Reason::OverCodeLimit)
    );
}

#[test]
fn an_address_pays_by_code_once_it_has_stood_for_seven_floors() {
    let mut stage = Stage::young();
    let young = stage.small(1);
    assert_eq!(refusal(&stage, &young), Some(Reason::AddressTooYoung));
    // Added about six seconds ago, where a floor is five.
    stage.pass(Span::seconds(28));
    let young = stage.small(1);
    assert_eq!(refusal(&stage, &young), Some(Reason::AddressTooYoung));
    stage.pass(Span::seconds(2));
    let old = stage.small(1);
    assert_eq!(refusal(&stage, &old), None);
}

/// What has changed since a code was found right: another withdrawal took the day's rest.
#[test]
fn what_a_code_does_not_suffice_for_any_more_waits_for_a_passkey() {
    let mut stage = Stage::with_codes();
    let (act, evidence) = stage.small(MOST);
    let waiting = stage.submit_with(act, evidence);
    let by_passkey = stage.customers(ether(PAYEE, DAY));
    stage.submit(by_passkey);
    let step = stage.step();
    stage.right(waiting, step);
    stage.pass(Span::seconds(1));
    let needs = vec![Need::Assertion];
    let until = None;
    assert_eq!(stage.settles(waiting), Decision::Hold { needs, until });
}

/// A freeze between the code and its word stops the payment, as it stops every other.
#[test]
fn a_freeze_between_code_and_word_counts() {
    let mut stage = Stage::with_codes();
    let (act, evidence) = stage.small(5);
    let act = stage.submit_with(act, evidence);
    let freeze = stage.customers(portcullis_core::ActKind::Freeze);
    stage.submit(freeze);
    let step = stage.step();
    stage.right(act, step);
    stage.pass(Span::seconds(1));
    let needs = vec![Need::Assertion, Need::Unfreeze];
    let until = None;
    assert_eq!(stage.settles(act), Decision::Hold { needs, until });
}

#[test]
fn what_it_would_come_to_says_that_a_code_is_enough() {
    let mut stage = Stage::with_codes();
    let (act, mut evidence) = stage.small(5);
    let tried = |stage: &Stage, act: &Act, evidence: &Evidence| {
        portcullis_core::decide::trial::try_out(
            stage.state(),
            act,
            evidence,
            stage.now(),
            &portcullis_core::signature::Strict,
        )
    };
    let with = tried(&stage, &act, &evidence);
    let needs = vec![Need::Totp];
    let until = None;
    assert_eq!(with.decision, Decision::Hold { needs, until });
    assert_eq!(with.supposes, None);
    // Without one the passkey is what to ask for.
    evidence.code = None;
    let without = tried(&stage, &act, &evidence);
    assert_eq!(without.decision, Decision::Release);
}
