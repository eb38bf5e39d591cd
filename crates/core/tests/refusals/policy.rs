//! 52x and 60x: what a policy may be, and what it refuses.

use super::{Fault, Row, row};
use crate::stage::Stage;
use crate::stage::rates::EVERY;
use portcullis_core::act::{ActKind, SetPolicy};
use portcullis_core::policy::{Policy, SignedQuote};
use portcullis_core::{Act, Evidence, Reason};
use portcullis_keeper::testkit::World;

#[rustfmt::skip]
pub(crate) fn rows() -> Vec<Row> {
    use Fault::{Act as Asks, Later};
    use Reason as R;
    vec![
        row(R::PolicyChanged, "replaced meanwhile", another, Later(|stage, _, _| put(stage, ""))),
        row(R::PolicyMalformed, "not Cedar", another, Asks(|_, act| *text(act) = "permit".into())),
        row(R::PolicyMalformed, "a statement without a name", another, Asks(|_, act| *text(act) = "permit (principal, action, resource);".into())),
        row(R::PolicyMalformed, "a fact that there is not", another, Asks(|_, act| text(act).push_str("@id(\"x\") forbid (principal, action, resource) when { context.mood == 1 };"))),
        row(R::RatesNotNamed, "no publishers any more", publication, Later(|stage, _, _| put(stage, &Policy::default_of_core().cedar.clone()))),
        row(R::QuoteInvalid, "one of three gone", publication, Asks(|_, act| { quotes(act).pop(); })),
        row(R::QuoteInvalid, "another price than was signed", publication, Asks(|_, act| quotes(act)[0].quote.price.0 += 1)),
        row(R::QuoteStale, "published already", publication, Later(|stage, act, _| publish(stage, act))),
        row(R::RateBeyondStep, "eleven percent", second_publication, Asks(|stage, act| act.kind = stage.publication(111))),
        row(R::OverPlatformLimit, "one unit over", worth_it_all, Asks(|stage, act| act.kind = stage.withdrawal(101).kind)),
        row(R::NotPermitted, "nothing permits", withdrawal, Later(|stage, _, _| put(stage, ""))),
        row(R::Forbidden, "one forbids", withdrawal, Later(forbidden)),
        row(R::PolicyFails, "one overflows", withdrawal, Later(overflows)),
    ]
}

fn withdrawal(stage: &mut Stage) -> Act {
    stage.withdrawal(10)
}

fn publication(stage: &mut Stage) -> Act {
    stage.name_publishers();
    let kind = stage.publication(100);
    stage.staffs(World::BACK_END, kind)
}

/// A minute after the first.
fn second_publication(stage: &mut Stage) -> Act {
    let first = publication(stage);
    stage.submit(first);
    stage.pass(EVERY);
    let kind = stage.publication(110);
    stage.staffs(World::BACK_END, kind)
}

/// A hundred units, which are one whole, at 1,000 a whole: all that may leave in an hour.
fn worth_it_all(stage: &mut Stage) -> Act {
    stage.name_publishers();
    let kind = stage.publication(1_000);
    let act = stage.staffs(World::BACK_END, kind);
    stage.submit(act);
    stage.withdrawal(100)
}

fn publish(stage: &mut Stage, act: &Act) {
    let again = stage.staffs(World::BACK_END, act.kind.clone());
    stage.submit(again);
}

fn quotes(act: &mut Act) -> &mut Vec<SignedQuote> {
    match &mut act.kind {
        ActKind::PublishRates(publish) => &mut publish.quotes,
        _ => unreachable!(),
    }
}

fn another(stage: &mut Stage) -> Act {
    let policy = Policy::default_of_core().clone();
    let replaces = stage.facts().policy().digest();
    stage.staffs(
        World::administrator(0),
        ActKind::SetPolicy(SetPolicy { replaces, policy }),
    )
}

fn text(act: &mut Act) -> &mut String {
    match &mut act.kind {
        ActKind::SetPolicy(set) => &mut set.policy.cedar,
        _ => unreachable!(),
    }
}

fn put(stage: &mut Stage, cedar: &str) {
    let mut act = another(stage);
    cedar.clone_into(text(&mut act));
    stage.propose_act(act);
}

fn forbidden(stage: &mut Stage, _: &Act, _: &mut Evidence) {
    put_besides(stage, "@id(\"x\") forbid (principal, action, resource);");
}

fn overflows(stage: &mut Stage, _: &Act, _: &mut Evidence) {
    put_besides(
        stage,
        "@id(\"x\") forbid (principal, action == Action::\"withdraw\", resource)
         when { context.tier + 9223372036854775807 < 0 };",
    );
}

fn put_besides(stage: &mut Stage, statement: &str) {
    let permits = &Policy::default_of_core().cedar;
    put(stage, &format!("{permits}{statement}"));
}
