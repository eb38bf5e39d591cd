//! A candidate tried on a journal: what it would have changed, and that trying changes nothing.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

use portcullis_chains::Amount;
use portcullis_client::{Backtest, backtest, verify};
use portcullis_core::act::{ActKind, PublishRates};
use portcullis_core::limits::{Bounds, Limit};
use portcullis_core::policy::{
    Candidate, FiatLimit, List, Name, Policy, PolicyFault, Publisher, Quote, RateRules, Scale,
    SignedQuote, Tiers,
};
use portcullis_core::{Decision, Need, Reason, Span};
use portcullis_journal::LabelFiles;
use portcullis_keeper::testkit::{CrashDisk, Customer, HandClock, Ledger, World};
use portcullis_keys::StatementKey as _;
use std::sync::Arc;

const PERMIT: &str = r#"@id("permit") permit (principal, action, resource);"#;

fn policy(objects: &str) -> Policy {
    Policy {
        cedar: format!("{PERMIT}\n{objects}"),
        tiers: vec![Tiers {
            asset: World::ETHER,
            above: vec![Amount(50)],
        }],
        lists: vec![List {
            name: Name("blocked".into()),
            addresses: vec![World::address(0xaa)],
            accounts: Vec::new(),
        }],
        rates: None,
    }
}

/// Two withdrawals two days before the last entry, one of ten units and one of a hundred; then one of
/// ten.
fn ledger() -> Ledger {
    let clock = HandClock::at(World::START);
    let mut ledger = Ledger::new(Arc::new(World::new()), clock);
    let customer = Customer::number(1);
    ledger.open(&customer);
    ledger.add_address(&customer, World::address(0xaa));
    for amount in [10, 100] {
        ledger.withdraw(&customer, World::address(0xaa), amount);
    }
    ledger.settle_clocks();
    ledger.clock.pass(Span::hours(48));
    ledger.settle_clocks();
    ledger.withdraw(&customer, World::address(0xaa), 10);
    ledger.settle_clocks();
    ledger
}

/// The policy tried on the journal's last days.
fn tried(ledger: &Ledger, policy: Policy, days: u32) -> Backtest {
    let candidate = Candidate::policy(policy).unwrap();
    backtest(
        &ledger.world.network,
        LabelFiles(&CrashDisk::default()),
        &ledger.entries,
        candidate,
        days,
    )
    .unwrap()
}

#[test]
fn a_candidate_that_says_the_same_changes_nothing() {
    let ledger = ledger();
    let report = tried(&ledger, policy(""), 30);
    assert_eq!(report.differs, []);
    assert_eq!(report.same, report.decided);
    // The account, its address, three withdrawals.
    assert_eq!(report.decided, 5);
    assert_eq!(report.statements["permit"], 5);
}

#[test]
fn what_would_have_waited_or_been_refused_is_named_with_its_statement() {
    let ledger = ledger();
    let large = r#"@id("large") @needs("approvals") forbid (principal, action == Action::"withdraw", resource)
        when { context.tier >= 1 && context.approvals < 1 };"#;
    let report = tried(&ledger, policy(large), 30);
    assert_eq!(report.sums(), [0, 1, 0]);
    let [row] = &report.differs[..] else {
        panic!("{report:?}")
    };
    assert_eq!(
        (row.kind, &*row.statements),
        ("withdraw", &["large".to_owned()][..])
    );
    let needs = vec![Need::Approvals { missing: 1 }];
    assert_eq!(
        (&row.was, &row.would),
        (&Decision::Release, &Decision::Hold { needs, until: None })
    );

    let blocked = r#"@id("blocked") forbid (principal, action, resource) when { context.lists.contains("blocked") };"#;
    let report = tried(&ledger, policy(blocked), 30);
    // The address and all that went to it.
    assert_eq!(report.sums(), [4, 0, 0]);
    let reason = Reason::Forbidden;
    assert!(
        report
            .differs
            .iter()
            .all(|row| row.would == Decision::Refuse { reason })
    );
}

#[test]
fn only_the_last_days_are_decided_again_and_nothing_is_changed() {
    let ledger = ledger();
    let report = tried(&ledger, policy(""), 1);
    assert_eq!(report.decided, 1);
    let network = &ledger.world.network;
    let again = verify::replay(network, LabelFiles(&CrashDisk::default()), &ledger.entries);
    assert_eq!(again.state, Some(ledger.state.digest()));
}

#[test]
fn what_is_no_policy_is_not_tried() {
    let fault = Candidate::policy(policy("permit")).unwrap_err();
    assert_eq!(fault, PolicyFault::NotCedar);
}

/// Three publishers, and a most that leaves the platform in an hour, in cents.
fn in_cents(hour: u128) -> Policy {
    let publisher = |number: u8| Publisher {
        id: Name(format!("p{number}")),
        key: World::key(&[number; 16]).public_key().clone(),
    };
    let rates = RateRules {
        currency: Name("usd".into()),
        publishers: (1..=3).map(publisher).collect(),
        assets: vec![Scale {
            asset: World::ETHER,
            decimals: 2,
        }],
        max_age: Span::seconds(600),
        max_step: 10,
        every: Span::seconds(60),
        platform: FiatLimit {
            hour: Some(Amount(hour)),
            ..FiatLimit::default()
        },
    };
    Policy {
        rates: Some(rates),
        ..policy("")
    }
}

fn quote(number: u8, ledger: &Ledger) -> SignedQuote {
    let quote = Quote {
        publisher: Name(format!("p{number}")),
        asset: World::ETHER,
        currency: Name("usd".into()),
        price: Amount(100),
        time: ledger.state.facts().time,
    };
    let signature = World::key(&[number; 16]).sign(&quote.signed_bytes());
    SignedQuote {
        signature: signature.unwrap(),
        quote,
    }
}

/// The limit in fiat refuses before any statement is asked.
#[test]
fn what_the_candidates_limit_in_fiat_refuses_is_shown() {
    let world = World::with(|genesis| genesis.policy = Some(in_cents(1_000)));
    let mut ledger = Ledger::new(Arc::new(world), HandClock::at(World::START));
    let customer = Customer::number(1);
    ledger.open(&customer);
    ledger.add_address(&customer, World::address(0xaa));
    let quotes = (1..=3).map(|number| quote(number, &ledger)).collect();
    ledger.staff(
        World::BACK_END,
        ActKind::PublishRates(PublishRates { quotes }),
    );
    ledger.withdraw(&customer, World::address(0xaa), 10);
    ledger.settle_clocks();
    let report = tried(&ledger, in_cents(9), 30);
    let reason = Reason::OverPlatformLimit;
    let would: Vec<&Decision> = report.differs.iter().map(|row| &row.would).collect();
    assert_eq!(would, [&Decision::Refuse { reason }]);
}

/// The account has paid 110 within an hour, and 10 two days later.
#[test]
fn other_limits_are_tried_the_same_way() {
    let ledger = ledger();
    let tried = |hour| {
        let mut limits = ledger.state.facts().limits.clone();
        let mut rules = limits.rules.iter_mut();
        let of_ether =
            |rule: &&mut Limit| (rule.asset, rule.bounds) == (World::ETHER, Bounds::Account);
        rules.find(of_ether).unwrap().hour = Some(Amount(hour));
        let candidate = Candidate::limits(limits).unwrap();
        backtest(
            &ledger.world.network,
            LabelFiles(&CrashDisk::default()),
            &ledger.entries,
            candidate,
            30,
        )
        .unwrap()
    };
    assert_eq!(tried(110).differs, []);
    let report = tried(109);
    let reason = Reason::OverHourLimit;
    let rows = report.differs.iter();
    let rows: Vec<_> = rows.map(|row| (row.kind, &row.was, &row.would)).collect();
    let would = Decision::Refuse { reason };
    assert_eq!(rows, [("withdraw", &Decision::Release, &would)]);
    let again = verify::replay(
        &ledger.world.network,
        LabelFiles(&CrashDisk::default()),
        &ledger.entries,
    );
    assert_eq!(again.state, Some(ledger.state.digest()));
}

#[test]
fn limits_that_no_journal_takes_in_are_not_tried() {
    let mut limits = ledger().state.facts().limits.clone();
    limits.rules.push(limits.rules[0].clone());
    assert!(Candidate::limits(limits).is_none());
}
