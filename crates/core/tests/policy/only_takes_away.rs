//! Whatever a policy says, it only takes away: against core's own decision it can add needs or refuse.

use super::policy;
use crate::stage::{PAYEE, STRANGER, Stage, add, ether};
use portcullis_core::act::{ActKind, CancelAddress, RaiseEpoch, Scope, Suspend};
use portcullis_core::policy::Policy;
use portcullis_core::realm::Realm;
use portcullis_core::{Act, Decision, Need};
use portcullis_keeper::testkit::World;
use proptest::prelude::*;

const EFFECTS: [&str; 2] = ["permit", "forbid"];
const NEEDS: [&str; 8] = [
    "",
    "approvals",
    "debit",
    "passkey",
    "delay",
    "room",
    "screening",
    "travel-rule",
];
const SCOPES: [&str; 3] = [
    "action",
    "action == Action::\"withdraw\"",
    "action == Action::\"add-address\"",
];
const WHENS: [&str; 8] = [
    "true",
    "principal == Realm::\"staff\"",
    "context.approvals < 3",
    "context.lists.contains(\"blocked\")",
    "context.attested.contains(\"debit\")",
    "context.screening == \"none\"",
    "!context.attested.contains(\"travel-rule\")",
    "context.factor_hours + 9223372036854775807 < 0",
];

prop_compose! {
    fn a_statement()(effect in 0..2_usize, needs in 0..8_usize, scope in 0..3_usize, when in 0..8_usize) -> String {
        let needs = match NEEDS[needs] {
            name if effect == 1 && !name.is_empty() => format!("@needs(\"{name}\")"),
            _ => String::new(),
        };
        format!("{needs} {} (principal, {}, resource) when {{ {} }};", EFFECTS[effect], SCOPES[scope], WHENS[when])
    }
}

prop_compose! {
    fn a_policy()(statements in prop::collection::vec(a_statement(), 0..6)) -> Policy {
        let named = statements.iter().enumerate().map(|(n, text)| format!("@id(\"s{n}\") {text}"));
        policy(&named.collect::<Vec<_>>().join("\n"))
    }
}

/// Acts of every sort; core refuses some, holds some, lets some out.
fn acts(stage: &mut Stage) -> Vec<Act> {
    let (scope, realm) = (Scope::Everything, Realm::Customers);
    vec![
        stage.customers(ether(PAYEE, 10)),
        stage.customers(ether(PAYEE, 900)),
        stage.customers(ether(PAYEE, 5_000)),
        stage.customers(ether(STRANGER, 10)),
        stage.customers(add(STRANGER)),
        stage.customers(add(PAYEE)),
        stage.staffs(World::OPERATOR, ether(PAYEE, 10)),
        stage.customers(ActKind::Freeze),
        stage.customers(ActKind::CancelAddress(CancelAddress { address: PAYEE })),
        stage.staffs(World::OPERATOR, ActKind::Suspend(Suspend { scope })),
        stage.staffs(
            World::OPERATOR,
            ActKind::RaiseEpoch(RaiseEpoch {
                realm,
                factors: None,
            }),
        ),
    ]
}

fn is_within(core: &Decision, under_policy: &Decision) -> bool {
    let sorts = |needs: &[Need]| needs.iter().map(std::mem::discriminant).collect::<Vec<_>>();
    match (core, under_policy) {
        (Decision::Release, _) | (Decision::Hold { .. }, Decision::Refuse { .. }) => true,
        (Decision::Hold { needs: own, .. }, Decision::Hold { needs, .. }) => {
            let (own, all) = (sorts(own), sorts(needs));
            own.iter().all(|need| all.contains(need))
        }
        (core, under_policy) => core == under_policy,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_policy_lets_more_through_than_core(policy in a_policy()) {
        let core = Stage::new();
        let mut under = core.branch();
        under.put_in_force(&policy);
        let mut core = core;
        core.put_in_force(Policy::default_of_core());
        for (act, same) in acts(&mut under).into_iter().zip(acts(&mut core)) {
            let decided = under.decide(&act, &under.prove(&act));
            let own = core.decide(&same, &core.prove(&same));
            prop_assert!(is_within(&own, &decided), "{:?}: {own:?}, {decided:?}", act.kind);
            if act.kind.is_restricting() {
                prop_assert_eq!(own, decided);
            }
        }
    }
}
