//! The engine: what it takes, and that its answers are a function of the facts alone.

use super::{PERMIT, but, policy};
use portcullis_core::Reason;
use portcullis_core::factor::FactorKind;
use portcullis_core::policy::{
    Attested, Engine, Facts, Money, Policy, PolicyFault as F, Shares, Verdict,
};
use portcullis_core::realm::Realm;
use portcullis_keeper::testkit::World;
use proptest::prelude::*;

fn fault(text: &str) -> Option<F> {
    Engine::compile(&policy(text)).err()
}

fn of_statement(head: &str, when: &str) -> String {
    format!(
        "{PERMIT} {head} forbid (principal, action == Action::\"withdraw\", resource) when {{ {when} }};"
    )
}

#[test]
#[rustfmt::skip]
fn what_is_no_policy() {
    let named = |when: &str| fault(&of_statement("@id(\"x\")", when));
    let headed = |head: &str| fault(&of_statement(head, "context.tier > 1"));
    let needs = Some(F::Needs("x".into()));
    assert_eq!(named("context.tier > 1"), None);
    assert_eq!(fault(""), None);
    assert_eq!(fault("permit"), Some(F::NotCedar));
    assert_eq!(named("\"open"), Some(F::NotCedar));
    assert_eq!(headed(""), Some(F::NoId));
    assert_eq!(headed("@id(\"X\")"), Some(F::NoId));
    assert_eq!(headed("@id(\"permit\")"), Some(F::Twice("permit".into())));
    assert_eq!(headed("@id(\"x\") @need(\"debit\")"), Some(F::Annotation("x".into(), "need".into())));
    assert_eq!(headed("@id(\"x\") @needs(\"luck\")"), needs);
    assert_eq!(headed("@id(\"x\") @needs(\"debit\") @count(\"2\")"), needs);
    assert_eq!(headed("@id(\"x\") @count(\"2\")"), needs);
    assert_eq!(headed("@id(\"x\") @needs(\"approvals\") @count(\"0\")"), needs);
    assert_eq!(headed("@id(\"x\") @needs(\"approvals\") @count(\"17\")"), needs);
    assert_eq!(fault("@id(\"x\") @needs(\"debit\") permit (principal, action, resource);"), needs);
    assert_eq!(named("context.tyer > 1"), Some(F::NotOfSchema));
    assert_eq!(named("context.tier > \"1\""), Some(F::NotOfSchema));
    assert_eq!(fault("@id(\"x\") forbid (principal, action, resource) when { context.tier > 1 };"), Some(F::NotOfSchema));
    assert_eq!(fault("@id(\"x\") permit (principal == ?principal, action, resource);"), Some(F::Template));
    assert_eq!(named("context.factor == \"pass\u{202e}key\""), Some(F::NotPlain));
    assert_eq!(fault(&" ".repeat(8 * 1024 + 1)), Some(F::TextTooLarge));
    let many: Vec<String> = (0..65).map(|n| format!("@id(\"p{n}\") permit (principal, action, resource);")).collect();
    assert_eq!(fault(&many.join("\n")), Some(F::TooManyStatements));
}

#[test]
fn data_that_facts_cannot_hold() {
    let changed = |change: fn(&mut Policy)| {
        let mut policy = policy(PERMIT);
        change(&mut policy);
        policy.check().err()
    };
    let tiers = Some(F::Tiers(World::ETHER));
    assert_eq!(changed(|_| {}), None);
    assert_eq!(changed(|p| p.tiers[0].above.reverse()), tiers);
    assert_eq!(changed(|p| p.tiers[0].above.clear()), tiers);
    assert_eq!(
        changed(|p| p.tiers.push(p.tiers[0].clone())).map(|f| matches!(f, F::Twice(_))),
        Some(true)
    );
    assert_eq!(
        changed(|p| p.lists.push(p.lists[0].clone())),
        Some(F::Twice("blocked".into()))
    );
    assert_eq!(
        changed(|p| p.lists[0].name.0 = "Blocked".into()),
        Some(F::Lists)
    );
    assert_eq!(
        changed(|p| {
            p.lists = (0..33)
                .map(|n| portcullis_core::policy::List {
                    name: portcullis_core::policy::Name(format!("l{n}")),
                    ..p.lists[0].clone()
                })
                .collect();
        }),
        Some(F::Lists)
    );
}

/// Cedar gives up where the thread's stack runs low. No statement that is accepted comes near that, in
/// whatever thread it is decided.
#[test]
fn the_deepest_statement_is_decided_alike_on_a_small_stack() {
    let deepest = |open: &str, close: &str, times: usize| {
        format!(
            "{}context.tier > 1{}",
            open.repeat(times),
            close.repeat(times)
        )
    };
    let shapes = [
        ("(", ")"),
        ("context.tier > 0 && ", ""),
        ("if true then true else ", ""),
        ("!(", ")"),
    ];
    for (open, close) in shapes {
        let texts = (1..300).map(|times| of_statement("@id(\"x\")", &deepest(open, close, times)));
        let mut taken = texts.take_while(|text| fault(text).is_none());
        let largest = taken.by_ref().last().unwrap();
        let answers = [512 * 1024, 64 * 1024 * 1024].map(|stack| {
            let text = largest.clone();
            let thread = std::thread::Builder::new().stack_size(stack);
            let decide = move || {
                Engine::compile(&policy(&text))
                    .unwrap()
                    .evaluate(&facts_of(3))
            };
            thread.spawn(decide).unwrap().join().unwrap()
        });
        assert_eq!(answers[0], answers[1], "{open}");
        assert_ne!(
            answers[0].verdict,
            Verdict::Refuse(Reason::PolicyFails),
            "{open}"
        );
    }
    // However it nests beyond that, Cedar never sees it.
    let beyond = of_statement("@id(\"x\")", &deepest("(", ")", 3_000));
    assert_eq!(fault(&beyond), Some(F::StatementTooLarge));
    let hidden = of_statement("@id(\"x\")", &deepest("(//;)\n", "//;\n)", 500));
    assert_eq!(fault(&hidden), Some(F::StatementTooLarge));
}

fn facts_of(tier: u8) -> Facts {
    Facts {
        act: "withdraw",
        realm: Realm::Customers,
        roles: 0,
        factor: FactorKind::Passkey,
        factor_hours: 0,
        imported: false,
        approvals: 0,
        attested: Attested::default(),
        lists: 0,
        label: None,
        money: Some(Money {
            asset: World::ETHER,
            tier,
            address_hours: 0,
            account: Shares::default(),
            asset_wide: Shares::default(),
        }),
        company: None,
    }
}

/// A sum that overflows: the schema cannot know. Cedar by itself would skip the statement and permit.
#[test]
fn what_errs_denies() {
    for effect in ["forbid", "permit"] {
        let errs = but(&format!(
            "@id(\"errs\") {effect} (principal, action == Action::\"withdraw\", resource)
             when {{ context.tier + 9223372036854775807 < 0 }};"
        ));
        let engine = Engine::compile(&errs).unwrap();
        let calm = engine.answer(&facts_of(0));
        assert_eq!(calm.verdict, Verdict::Permit);
        let erring = engine.answer(&facts_of(1));
        assert_eq!(erring.verdict, Verdict::Refuse(Reason::PolicyFails));
        assert_eq!(erring.statements[0].0, "errs");
    }
}

#[test]
fn an_act_that_the_schema_does_not_know_is_denied() {
    let engine = Engine::compile(&policy(PERMIT)).unwrap();
    let facts = Facts {
        act: "conjure",
        ..facts_of(0)
    };
    assert_eq!(
        engine.answer(&facts).verdict,
        Verdict::Refuse(Reason::PolicyFails)
    );
}

/// An empty text permits nothing.
#[test]
fn what_nothing_permits_is_denied() {
    let engine = Engine::compile(&policy("")).unwrap();
    assert_eq!(
        engine.answer(&facts_of(0)).verdict,
        Verdict::Refuse(Reason::NotPermitted)
    );
}

proptest! {
    /// What is remembered is what Cedar says, in whatever order it is asked.
    #[test]
    fn remembered_answers_are_the_answers(asked in prop::collection::vec((0..4_u8, 0..3_u32, 0..2_u32), 1..40)) {
        let remembers = Engine::compile(&but(MANY)).unwrap();
        for (tier, approvals, lists) in asked {
            let facts = Facts { approvals, lists, ..facts_of(tier) };
            let forgets = Engine::compile(&but(MANY)).unwrap();
            prop_assert_eq!(&*remembers.answer(&facts), &forgets.evaluate(&facts));
        }
    }
}

const MANY: &str = r#"
@id("a") @needs("approvals") @count("2") forbid (principal, action == Action::"withdraw", resource) when { context.tier > 1 && context.approvals < 2 };
@id("b") forbid (principal, action, resource) when { context.lists.contains("blocked") };
@id("c") @needs("delay") forbid (principal, action == Action::"withdraw", resource) when { context.tier > 2 };
"#;
