//! What is told, to whom, and that a delay begins with it.

use crate::bench::{Bench, FIRST};
use portcullis_core::Span;
use portcullis_core::act::{
    ActKind, AddPrincipal, Approve, EnrolFactor, GrantRole, Recover, RevokeFactor,
    SetAccountQuorum, SetLimits,
};
use portcullis_core::factor::NewFactor;
use portcullis_core::id::PrincipalId;
use portcullis_core::limits::Limits;
use portcullis_core::realm::Role;
use portcullis_herald::Outcome;
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{Customer, World};
use portcullis_keys::StatementKey as _;

fn to_first(kind: &'static str) -> (String, &'static str) {
    (FIRST.to_owned(), kind)
}

#[test]
fn an_opening_is_told_and_its_passkey_counts_after() {
    let mut bench = Bench::new();
    bench.run(15);
    assert_eq!(bench.fake.taken(), [to_first("account-opened")]);
    // The gate may forget what the herald has.
    assert!(bench.wire().envelopes.is_empty());
    let act = bench.add_address(0x22);
    assert!(bench.waits(act));
}

#[test]
fn an_address_is_told_with_the_customers_code_and_ages_from_then_on() {
    let mut bench = Bench::begun();
    let act = bench.add_address(0x22);
    assert_eq!(bench.available(0x22), None);
    bench.run(3);
    assert!(!bench.waits(act));
    let available = bench.available(0x22).unwrap();
    bench.run(10);
    assert_eq!(bench.available(0x22), Some(available), "once");
    assert_eq!(bench.fake.taken(), [to_first("address-added")]);
    let post = bench.fake.post();
    let letter = &post.taken[0];
    assert_eq!(letter.act, act);
    assert!(letter.subject.starts_with("Bank: "));
    for part in [
        "Your own code: blue heron\n",
        &act.to_string(),
        &World::address(0x22).to_string(),
    ] {
        assert!(letter.body.contains(part), "{part}");
    }
}

#[test]
fn everything_that_concerns_an_account_is_told_to_its_contact() {
    let mut bench = Bench::begun();
    let principal = bench.customer.principal;
    let key = World::key(&[0x44; 16]).public_key().clone();
    let factor = NewFactor::RequestKey { key };
    let revoke = RevokeFactor {
        principal,
        factor: factor.id(),
    };
    bench.ask(ActKind::EnrolFactor(EnrolFactor { principal, factor }));
    bench.run(2);
    bench.ask(ActKind::RevokeFactor(revoke));
    bench.ask(ActKind::Freeze);
    bench.ask(ActKind::Unfreeze);
    bench.add_address(0x22);
    bench.run(10);
    bench
        .net
        .wire()
        .ledger
        .withdraw(&bench.customer, World::address(0x22), 5);
    bench.run(2);
    let kinds = [
        "account-frozen",
        "account-unfrozen",
        "address-added",
        "factor-added",
        "factor-removed",
        "withdrawal-released",
    ];
    assert_eq!(bench.fake.taken(), kinds.map(to_first));
    let letters = bench.fake.post().taken.clone();
    let released = letters.iter().find(|l| l.kind == "withdrawal-released");
    let body = &released.unwrap().body;
    assert!(body.contains("\n    0.5 ETH\n"), "{body}");
}

#[test]
fn staff_is_told_of_what_the_platform_changes() {
    let mut bench = Bench::begun();
    let replaces = bench.wire().ledger.state.facts().limits.digest();
    let limits = Limits::default();
    let kind = ActKind::SetLimits(SetLimits { replaces, limits });
    let act = bench.wire().ledger.staff(World::administrator(0), kind);
    assert!(bench.waits(act));
    bench.run(3);
    assert!(!bench.waits(act));
    let duty = ("duty@bank.example".to_owned(), "platform-changing");
    assert_eq!(bench.fake.taken(), [duty]);
}

fn grant_support(bench: &Bench, principal: PrincipalId) {
    let mut wire = bench.wire();
    let ledger = &mut wire.ledger;
    let support = GrantRole {
        principal,
        role: Role::Support,
        factor: None,
    };
    let act = ledger.staff(World::administrator(0), ActKind::GrantRole(support));
    ledger.staff(World::administrator(1), ActKind::Approve(Approve { act }));
    ledger.settle(act);
}

/// Its delay begins with that too: whoever can stop it hears of it first, and once more at its end.
#[test]
fn a_recovery_is_told_when_it_begins_and_when_it_ends() {
    let mut bench = Bench::begun();
    let supporters = [World::OPERATOR, World::administrator(2)];
    for who in supporters {
        grant_support(&bench, who);
    }
    let factor = Customer::number(2).factor();
    let recover = Recover {
        principal: bench.customer.principal,
        factor: factor.clone(),
    };
    let act = {
        let mut wire = bench.wire();
        let ledger = &mut wire.ledger;
        let mut act = ledger.act(supporters[0], ActKind::Recover(recover));
        act.account = Some(Customer::number(1).account);
        let evidence = ledger.staffs_evidence(&act);
        let act = ledger.submit(act, evidence);
        ledger.staff(supporters[1], ActKind::Approve(Approve { act }));
        act
    };
    assert!(bench.waits(act));
    bench.run(3);
    assert!(!bench.waits(act));
    assert_eq!(bench.fake.taken(), [to_first("recovery-begun")]);
    assert!(bench.fake.post().taken[0].body.contains("passkey"));
    bench.run(20);
    bench.wire().ledger.settle(act);
    bench.run(10);
    let both = ["recovered", "recovery-begun"].map(to_first);
    assert_eq!(bench.fake.taken(), both);
    let wire = bench.wire();
    let account = wire.ledger.state.facts().account(bench.customer.account);
    let holder = account.unwrap().holder(bench.customer.principal).unwrap();
    let new = holder.factors.iter().find(|known| known.id == factor.id());
    assert!(new.unwrap().available.is_at(wire.ledger.clock.now()));
}

/// A higher one, too: the other of two hears of it while one suffices to stop it.
#[test]
fn another_quorum_is_told_before_it_counts_and_once_it_does() {
    let mut bench = Bench::begun();
    let second = Customer::number(2);
    let (principal, factor) = (second.principal, second.factor());
    bench.ask(ActKind::AddPrincipal(AddPrincipal { principal, factor }));
    bench.run(15);
    let (replaces, quorum) = (1, 2);
    let set = SetAccountQuorum { replaces, quorum };
    let act = bench.ask(ActKind::SetAccountQuorum(set));
    assert!(bench.waits(act));
    bench.run(15);
    assert!(!bench.waits(act));
    let before = ["principal-added", "quorum-changing"];
    assert_eq!(bench.fake.taken(), before.map(to_first));
    let told = bench.fake.post().taken[1].body.clone();
    assert!(told.contains("take 2 of your account's principals"));
    bench.wire().ledger.settle(act);
    bench.run(3);
    let all = ["principal-added", "quorum-changed", "quorum-changing"];
    assert_eq!(bench.fake.taken(), all.map(to_first));
}

/// The mail server is down, then asks for patience (greylisting), then takes it.
#[test]
fn a_delay_does_not_begin_while_nobody_takes_the_notice() {
    let mut bench = Bench::begun();
    let down = Outcome::Later("connection refused".into());
    let grey = Outcome::Later("450 greylisted".into());
    bench.fake.post().next = [down.clone(), down, grey].into();
    let act = bench.add_address(0x22);
    let before = bench.fake.post().tries;
    bench.run(100);
    assert!(bench.waits(act));
    assert_eq!(bench.available(0x22), None);
    // Tried after 30 s and after 60 s more, and not in a loop.
    assert_eq!(bench.fake.post().tries, before + 3);
    bench.run(130);
    assert!(!bench.waits(act));
    assert!(bench.available(0x22).is_some());
    assert!(bench.alarms().is_empty());
}

#[test]
fn a_bounce_is_alarmed_and_begins_no_delay() {
    let mut bench = Bench::begun();
    bench.fake.post().next = [Outcome::Refused("550 no such user".into())].into();
    let act = bench.add_address(0x22);
    bench.run(200);
    assert!(bench.waits(act));
    assert_eq!(bench.alarms(), ["notice-refused"]);
    assert!(bench.fake.taken().is_empty());
}

/// RFC 5321: after five days nobody waits any longer, and somebody has to know.
#[test]
fn what_no_server_takes_for_five_days_is_given_up() {
    let mut bench = Bench::begun();
    bench.fake.post().always = vec![(FIRST.to_owned(), Outcome::Later("451 come again".into()))];
    let act = bench.add_address(0x22);
    bench.run(40);
    bench.clock.pass(Span::hours(119));
    bench.run(5);
    assert_eq!(bench.alarms(), Vec::<String>::new());
    bench.clock.pass(Span::hours(2));
    bench.run(5);
    assert_eq!(bench.alarms(), ["notice-refused"]);
    assert!(bench.waits(act), "nobody was told");
}

/// Five days in which it was not there: one answer is not the last word.
#[test]
fn a_herald_that_was_away_gives_nothing_up_at_once() {
    let mut bench = Bench::begun();
    bench.fake.post().always = vec![(FIRST.to_owned(), Outcome::Later("451 come again".into()))];
    bench.add_address(0x22);
    bench.run(2);
    bench.clock.pass(Span::hours(130));
    bench.kill();
    bench.run(100);
    assert_eq!(bench.alarms(), Vec::<String>::new());
    bench.clock.pass(Span::hours(25));
    bench.run(5);
    assert_eq!(bench.alarms(), ["notice-refused"]);
}

/// A postman who is away for a while keeps nobody from following.
#[test]
fn a_slow_server_does_not_hold_the_herald_up() {
    let mut bench = Bench::begun();
    let act = bench.add_address(0x22);
    for _ in 0..20 {
        bench.clock.pass(Span::seconds(1));
        bench.step();
    }
    let size = bench.wire().ledger.state.size();
    assert_eq!(bench.herald.state().size(), size);
    assert_eq!(bench.fake.post().tries, 1, "of the opening");
    bench.run(2);
    assert!(!bench.waits(act));
}

#[test]
fn what_is_long_past_is_no_news() {
    let mut bench = Bench::begun();
    bench.add_address(0x22);
    bench.run(3);
    bench.fake.post().taken.clear();
    // A herald with nothing on its disk begins on the whole journal, days later.
    bench.wire().ledger.clock.pass(Span::hours(80));
    bench.disk = portcullis_keeper::testkit::CrashDisk::default();
    bench.kill();
    bench.run(5);
    assert!(bench.fake.taken().is_empty());
}
