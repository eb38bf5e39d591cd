//! 52x and 60x: what a policy may be, and what it refuses.

use super::{Fault, Row, row};
use crate::stage::Stage;
use portcullis_core::act::{ActKind, SetPolicy};
use portcullis_core::policy::Policy;
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
        row(R::NotPermitted, "nothing permits", withdrawal, Later(|stage, _, _| put(stage, ""))),
        row(R::Forbidden, "one forbids", withdrawal, Later(forbidden)),
        row(R::PolicyFails, "one overflows", withdrawal, Later(overflows)),
    ]
}

fn withdrawal(stage: &mut Stage) -> Act {
    stage.withdrawal(10)
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
    *text(&mut act) = cedar.to_owned();
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
