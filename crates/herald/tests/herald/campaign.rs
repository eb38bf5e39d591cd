//! An epoch is raised: every customer who is hit hears of it once, whatever happens to the herald meanwhile.

use crate::bench::{Bench, FIRST};
use portcullis_core::Span;
use portcullis_core::act::{ActKind, RaiseEpoch};
use portcullis_core::factor::FactorKind;
use portcullis_core::realm::Realm;
use portcullis_keeper::testkit::{Customer, World};

/// More customers than one piece of a campaign holds.
const LAST: u8 = 143;

/// The numbers of all customers but the first, up to this one: staff of the test's world has the others.
fn numbers(last: u8) -> impl Iterator<Item = u8> {
    (2..=last).filter(|number| !(0x61..=0x63).contains(number))
}

fn mail(number: u8) -> String {
    format!("customer-{number}@customer.example")
}

/// A herald at rest, with customers up to this number who have all been told that their accounts are open.
fn crowded(last: u8) -> Bench {
    let mut bench = Bench::begun();
    for number in numbers(last) {
        bench.open_account(&Customer::number(number), &mail(number));
        if number % 32 == 0 {
            bench.run(1);
        }
    }
    bench.run(15);
    bench.fake.post().taken.clear();
    bench
}

fn raise(bench: &Bench, factors: Option<FactorKind>) {
    let realm = Realm::Customers;
    let kind = ActKind::RaiseEpoch(RaiseEpoch { realm, factors });
    let mut wire = bench.wire();
    wire.ledger.staff(World::OPERATOR, kind);
}

/// Who was told, besides staff.
fn told(bench: &Bench) -> Vec<String> {
    let taken = bench.fake.taken().into_iter();
    let customers = taken.filter(|(_, kind)| *kind == "factors-revoked");
    customers.map(|(to, _)| to).collect()
}

fn everybody() -> Vec<String> {
    let others = numbers(LAST).map(mail);
    let mut all: Vec<String> = others.chain([FIRST.to_owned()]).collect();
    all.sort_unstable();
    all
}

#[test]
fn every_customer_is_told_once() {
    let mut bench = crowded(LAST);
    raise(&bench, None);
    bench.run(20);
    assert_eq!(told(&bench), everybody());
    bench.kill();
    bench.run(20);
    assert_eq!(told(&bench), everybody(), "and not again");
}

#[test]
fn a_herald_that_dies_in_the_middle_goes_on_where_it_was() {
    let mut bench = crowded(LAST);
    raise(&bench, None);
    for _ in 0..30 {
        bench.tick();
        bench.kill();
    }
    bench.run(10);
    // What was on its way is sent again under the same id: the server had it, and nobody had noted that.
    let mut all = told(&bench);
    all.dedup();
    assert_eq!(all, everybody());
}

#[test]
fn whom_it_does_not_hit_is_not_told() {
    let mut bench = crowded(3);
    raise(&bench, Some(FactorKind::RequestKey));
    bench.run(5);
    assert!(told(&bench).is_empty(), "all of them have passkeys");
}

/// A customer whose server asks for patience keeps nobody else waiting.
#[test]
fn a_few_whom_no_server_takes_do_not_hold_it_up() {
    let mut bench = crowded(LAST);
    let later = portcullis_herald::Outcome::Later("451 come again".into());
    let never: Vec<_> = numbers(90)
        .map(|number| (mail(number), later.clone()))
        .collect();
    let reached = everybody().len() - never.len();
    bench.fake.post().always = never;
    raise(&bench, None);
    bench.run(20);
    assert_eq!(told(&bench).len(), reached);
    bench.fake.post().always.clear();
    bench.clock.pass(Span::hours(1));
    bench.run(5);
    assert_eq!(told(&bench), everybody());
}
