//! How withdrawals look beside each other, as policies are told: it holds, and never lets go.

use super::{PERMIT, but, policy};
use crate::stage::{APPROVERS, Stage, ether};
use portcullis_chains::caip::Address;
use portcullis_core::behaviour::{Company, Count, Hours, LEARNS};
use portcullis_core::effect::Effect;
use portcullis_core::factor::FactorKind;
use portcullis_core::policy::{
    Attested, Engine, Facts, Money, Policy, PolicyFault as F, Shares, Verdict, Wanted,
};
use portcullis_core::realm::Realm;
use portcullis_core::{Act, Decision, Digest, Evidence, Need, Reason, Span, State};
use portcullis_keeper::testkit::{Customer, World};
use proptest::prelude::*;
use std::sync::Arc;

const TOGETHER: &str = r#"@id("many-to-one") @needs("approvals") @count("1")
forbid (principal, action == Action::"withdraw-beside-others", resource)
when { context.together >= 3 && context.approvals < 1 };"#;

/// Where the others' money may go, too.
const THIEF: Address = World::address(0xee);
const OTHERS: [u8; 6] = [0x41, 0x42, 0x43, 0x44, 0x45, 0x46];

fn held(needs: &[Need]) -> Decision {
    let needs = needs.to_vec();
    Decision::Hold { needs, until: None }
}

fn looked_at() -> Decision {
    held(&[Need::Approvals { missing: 1 }])
}

impl Stage {
    /// Six customers besides the first who may pay the thief, a week after the first withdrawal, and a policy.
    fn with_others(policy: &Policy) -> Self {
        let mut stage = Self::new();
        let first = stage.withdrawal(1);
        stage.submit(first);
        for n in OTHERS {
            stage.ledger.open(&Customer::number(n));
        }
        stage.pass(Span::seconds(6));
        for n in OTHERS {
            stage.ledger.add_address(&Customer::number(n), THIEF);
        }
        stage.pass(LEARNS);
        stage.put_in_force(policy);
        stage
    }

    /// Another customer acts.
    fn as_customer(&mut self, n: u8) -> &mut Self {
        self.customer = Customer::number(n);
        self
    }

    fn pays_the_thief(&mut self, n: u8, amount: u128) -> Act {
        self.as_customer(n).customers(ether(THIEF, amount))
    }

    /// What it comes to, and it is journaled.
    fn asks(&mut self, act: Act) -> (Digest, Decision) {
        let decision = self.decide(&act, &self.prove(&act));
        (self.submit(act), decision)
    }

    fn score(&self, act: &Act) -> u8 {
        let decided = self.decided(act, &self.prove(act));
        decided.asked().unwrap().facts.company.unwrap().score()
    }
}

#[test]
fn many_accounts_to_one_destination_are_looked_at() {
    let mut stage = Stage::with_others(&but(TOGETHER));
    let mut last = None;
    for (n, seen) in OTHERS.into_iter().zip(0_u8..) {
        let act = stage.pays_the_thief(n, 10 + u128::from(seen));
        assert_eq!(stage.score(&act), 10 * seen, "{n:x}");
        let (digest, decision) = stage.asks(act);
        let want = if seen < 3 {
            Decision::Release
        } else {
            looked_at()
        };
        assert_eq!(decision, want, "{n:x}");
        last = Some(digest);
    }
    let last = last.unwrap();
    let said = portcullis_core::decide::settle(stage.state(), last, stage.now());
    let asked = said.asked().unwrap();
    assert_eq!(asked.answer.statements[0].0, "many-to-one");
    assert!(stage.state().engine().is_held_beside(&asked.answer));
    stage.approve(APPROVERS[0], last);
    stage.settle(last);
    assert!(stage.facts().releases.contains_key(&last));
    // Whoever pays somebody else is in no company.
    let act = stage.as_customer(1).withdrawal(10);
    assert_eq!(stage.decide(&act, &stage.prove(&act)), Decision::Release);
}

/// The others have gone from the window; what was seen of this one has not.
#[test]
fn waiting_takes_nothing_back_of_what_was_seen() {
    let mut stage = Stage::with_others(&but(TOGETHER));
    let mut last = None;
    for n in &OTHERS[..4] {
        let act = stage.pays_the_thief(*n, 10);
        last = Some(stage.asks(act));
    }
    let (digest, decision) = last.unwrap();
    assert_eq!(decision, looked_at());
    stage.pass(Span::hours(25));
    assert_eq!(stage.settles(digest), looked_at());
    let act = stage.pays_the_thief(OTHERS[4], 10);
    assert_eq!(stage.decide(&act, &stage.prove(&act)), Decision::Release);
    stage.approve(APPROVERS[0], digest);
    stage.settle(digest);
}

/// The first of a theft are alone as they come. Those that wait for something else are seen beside what came since.
#[test]
fn what_waits_is_seen_beside_those_that_came_later() {
    let mut stage = Stage::with_others(&but(TOGETHER));
    let first = stage.pays_the_thief(OTHERS[0], 10);
    let evidence = stage.prove_without_debit(&first);
    let digest = stage.submit_with(first.clone(), evidence);
    stage.pass(Span::seconds(1));
    assert_eq!(stage.settles(digest), held(&[Need::Debit]));
    for n in &OTHERS[1..4] {
        let act = stage.pays_the_thief(*n, 10);
        stage.asks(act);
    }
    let both = [Need::Debit, Need::Approvals { missing: 1 }];
    assert_eq!(stage.settles(digest), held(&both));
    stage.as_customer(OTHERS[0]);
    let evidence = Evidence {
        assertions: Vec::new(),
        ..stage.prove(&first)
    };
    assert_eq!(stage.supplement(digest, evidence).void, None);
    assert_eq!(stage.settles(digest), looked_at());
}

/// Unlike elsewhere a need that is met already does not refuse: what others have done only holds.
#[test]
fn what_is_there_already_is_not_missing() {
    let always = |needs: &str| {
        let text = format!(
            r#"@id("x") @needs("{needs}")
            forbid (principal, action == Action::"withdraw-beside-others", resource);"#
        );
        but(&text)
    };
    for needs in ["debit", "passkey"] {
        let mut stage = Stage::new();
        stage.put_in_force(&always(needs));
        let act = stage.withdrawal(10);
        assert_eq!(stage.asks(act).1, Decision::Release, "{needs}");
    }
    let mut stage = Stage::new();
    stage.put_in_force(&always("approvals"));
    let act = stage.withdrawal(10);
    let (digest, decision) = stage.asks(act);
    assert_eq!(decision, looked_at());
    stage.approve(APPROVERS[0], digest);
    stage.settle(digest);
    assert!(stage.facts().releases.contains_key(&digest));
}

/// Who is refused shows nobody anything: asking costs the money.
#[test]
fn what_is_refused_counts_nowhere() {
    let mut stage = Stage::with_others(&but(TOGETHER));
    for n in &OTHERS[..5] {
        let act = stage.pays_the_thief(*n, 5_000);
        let evidence = stage.prove(&act);
        let applied = stage.journal_refusal(act, evidence);
        let counts = |change: &Effect| matches!(change, Effect::Asked(..));
        assert!(!applied.changes.iter().any(counts));
    }
    let act = stage.pays_the_thief(OTHERS[5], 10);
    assert_eq!(
        (stage.score(&act), stage.asks(act).1),
        (0, Decision::Release)
    );
}

#[test]
fn in_the_first_week_nothing_is_said_of_others() {
    let mut stage = Stage::new();
    for n in OTHERS {
        stage.ledger.open(&Customer::number(n));
    }
    stage.pass(Span::seconds(6));
    for n in OTHERS {
        stage.ledger.add_address(&Customer::number(n), THIEF);
    }
    stage.put_in_force(&but(TOGETHER));
    for n in OTHERS {
        let act = stage.pays_the_thief(n, 10);
        assert_eq!(stage.asks(act).1, Decision::Release);
    }
}

/// A new key, and at once to a new address.
#[test]
fn a_change_of_the_accounts_own_is_told() {
    let mut stage = Stage::with_others(&but(TOGETHER));
    let company = |stage: &mut Stage| {
        let act = stage.withdrawal(10);
        let decided = stage.decided(&act, &stage.prove(&act));
        decided.asked().unwrap().facts.company.unwrap()
    };
    stage.as_customer(1);
    // The factor that came with the account is none.
    assert_eq!(company(&mut stage).changed_hours, Hours::MANY);
    stage.enrol_request_key();
    assert_eq!(company(&mut stage).changed_hours, Hours(0));
    stage.pass(Span::hours(30));
    let old = company(&mut stage);
    assert_eq!((old.changed_hours, old.score()), (Hours(30), 0));
}

#[test]
fn a_snapshot_holds_what_was_seen() {
    let mut stage = Stage::with_others(&but(TOGETHER));
    for n in &OTHERS[..3] {
        let act = stage.pays_the_thief(*n, 10);
        stage.asks(act);
    }
    let network = Arc::clone(&stage.ledger.world.network);
    let read = State::from_snapshot(&stage.state().to_snapshot(), network).unwrap();
    assert_eq!(read.digest(), stage.state().digest());
    assert_eq!(read.facts(), stage.facts());
    let act = stage.pays_the_thief(OTHERS[3], 10);
    let (evidence, now) = (stage.prove(&act), stage.now());
    let strict = portcullis_core::signature::Strict;
    let said = portcullis_core::decide(&read, &act, &evidence, now, &strict);
    assert_eq!(*said.decision(), looked_at());
}

// The text.

fn fault(text: &str) -> Option<F> {
    Engine::compile(&policy(&format!("{PERMIT}\n{text}"))).err()
}

#[test]
#[rustfmt::skip]
fn what_may_ask_for_it() {
    let beside = r#"action == Action::"withdraw-beside-others""#;
    let x = || Some(F::Beside("x".into()));
    for (what, text, want) in [
        ("a forbid that names its need",    format!(r#"@id("x") @needs("passkey") forbid (principal, {beside}, resource) when {{ context.score >= 50 }};"#), None),
        ("a forbid that refuses",           format!(r#"@id("x") forbid (principal, {beside}, resource) when {{ context.score >= 50 }};"#), x()),
        ("a permit",                        format!(r#"@id("x") permit (principal, {beside}, resource) when {{ context.score >= 50 }};"#), x()),
        ("a permit among others",           r#"@id("x") permit (principal, action in [Action::"withdraw", Action::"withdraw-beside-others"], resource);"#.into(), x()),
        ("a permit of the withdrawal",      r#"@id("x") permit (principal, action == Action::"withdraw", resource) when { context.score < 50 };"#.into(), Some(F::NotOfSchema)),
        ("a forbid of the withdrawal",      r#"@id("x") forbid (principal, action == Action::"withdraw", resource) unless { context.alike > 0 };"#.into(), Some(F::NotOfSchema)),
        ("of both",                         r#"@id("x") @needs("delay") forbid (principal, action in [Action::"withdraw", Action::"withdraw-beside-others"], resource) when { context.rush > 0 };"#.into(), Some(F::NotOfSchema)),
        ("of anything",                     r#"@id("x") forbid (principal, action, resource) when { context.score > 0 };"#.into(), Some(F::NotOfSchema)),
    ] {
        assert_eq!(fault(&text), want, "{what}");
    }
}

/// Whoever gets round the scope gets nothing by it: neither a refusal nor a permission.
#[test]
fn a_condition_on_the_action_neither_lets_go_nor_refuses() {
    let hidden = |effect: &str| {
        let text = format!(
            r#"@id("hidden") {effect} (principal, action, resource)
            when {{ action == Action::"withdraw-beside-others" && context.score >= 0 }};"#
        );
        Engine::compile(&but(&format!("{TOGETHER}\n{text}"))).unwrap()
    };
    for effect in ["permit", "forbid"] {
        let engine = hidden(effect);
        let company = Company {
            together: beyond(9),
            ..Company::QUIET
        };
        for (company, want) in [
            (Company::QUIET, Verdict::Permit),
            (company, Verdict::Needs(vec![Wanted::Approvals(1)])),
        ] {
            let answer = engine.answer(&facts(company));
            assert_eq!(answer.verdict, want, "{effect}");
        }
    }
}

#[test]
fn what_errs_beside_others_refuses() {
    let errs = r#"@id("errs") @needs("delay")
        forbid (principal, action == Action::"withdraw-beside-others", resource)
        when { context.fresh + 9223372036854775807 < 0 };"#;
    let engine = Engine::compile(&but(errs)).unwrap();
    let busy = Company {
        fresh: 1,
        ..Company::QUIET
    };
    assert_eq!(
        engine.answer(&facts(Company::QUIET)).verdict,
        Verdict::Permit
    );
    assert_eq!(
        engine.answer(&facts(busy)).verdict,
        Verdict::Refuse(Reason::PolicyFails)
    );
}

const fn beyond(now: u32) -> Count {
    Count { now, usually: 0 }
}

fn facts(company: Company) -> Facts {
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
            tier: 1,
            address_hours: 0,
            account: Shares::default(),
            asset_wide: Shares::default(),
        }),
        company: Some(company),
    }
}

prop_compose! {
    fn a_company()(n in prop::collection::vec(0..12_u32, 6), hours in 0..60_u16) -> Company {
        Company {
            alike: Count { now: n[0], usually: n[1] },
            together: beyond(n[2]),
            changed: beyond(n[3]),
            fresh: n[4] * 10,
            rush: n[5] * 9,
            sudden: n[4] * 9,
            address_hours: Hours(hours),
            changed_hours: Hours(hours),
        }
    }
}

const NEEDS: [&str; 6] = [
    "approvals",
    "debit",
    "passkey",
    "delay",
    "room",
    "screening",
];
const EITHER: [&str; 4] = [
    "true",
    "context.approvals < 3",
    "context.tier > 1",
    "context.address_hours < 24",
];
const BESIDE: [&str; 9] = [
    "context.score >= 50",
    "context.score < 50",
    "!(context.alike > 3)",
    "context.together > 3 || context.changed < 2",
    "context.changed_hours > 24",
    "context.rush == 0",
    "if context.fresh > 50 then false else true",
    "context.score - 40 < 0",
    "context.sudden * 9223372036854775807 > 0",
];

prop_compose! {
    fn a_statement()(kind in 0..4_usize, needs in 0..6_usize, either in 0..4_usize, beside in 0..9_usize) -> String {
        let (needs, either) = (NEEDS[needs], EITHER[either]);
        match kind {
            0 => format!("permit (principal, action, resource) when {{ {} }};", EITHER[0]),
            1 => format!(r#"forbid (principal, action == Action::"withdraw", resource) when {{ {either} }};"#),
            2 => format!(r#"@needs("{needs}") forbid (principal, action == Action::"withdraw", resource) when {{ {either} }};"#),
            _ => format!(r#"@needs("{needs}") forbid (principal, action == Action::"withdraw-beside-others", resource) when {{ {either} && ({}) }};"#, BESIDE[beside]),
        }
    }
}

/// Everything that one answer lets go the other lets go, too, and whatever one waits for the other waits for.
fn is_within(strict: &Verdict, loose: &Verdict) -> bool {
    match (strict, loose) {
        (Verdict::Refuse(_), _) | (_, Verdict::Permit) => true,
        (Verdict::Needs(more), Verdict::Needs(needs)) => {
            needs.iter().all(|need| more.contains(need))
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    /// Whatever the text says and however a withdrawal looks beside the others: it waits for all that it would wait
    /// for if nothing were known of them, and if it looked like no other.
    #[test]
    fn company_only_holds(
        statements in prop::collection::vec(a_statement(), 1..7),
        companies in prop::collection::vec(a_company(), 1..6),
    ) {
        let named = statements.iter().enumerate().map(|(n, text)| format!("@id(\"s{n}\") {text}"));
        let engine = Engine::compile(&policy(&named.collect::<Vec<_>>().join("\n"))).unwrap();
        let unknown = engine.answer(&Facts { company: None, ..facts(Company::QUIET) });
        let quiet = engine.answer(&facts(Company::QUIET));
        prop_assert!(is_within(&quiet.verdict, &unknown.verdict));
        for company in companies {
            let answer = engine.answer(&facts(company));
            prop_assert!(is_within(&answer.verdict, &quiet.verdict), "{company:?} {answer:?} {quiet:?}");
            // And it refuses only where the text itself cannot be evaluated.
            let fails = answer.verdict == Verdict::Refuse(Reason::PolicyFails);
            let refuses = matches!(answer.verdict, Verdict::Refuse(_));
            prop_assert!(!refuses || fails || answer == unknown);
        }
    }
}
