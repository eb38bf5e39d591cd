//! The signer's own caps and floors: what no journal entry can change.

use crate::bench::{Bench, PAYEE, config};
use portcullis_chains::ethereum::Fees;
use portcullis_core::Span;
use portcullis_core::act::{ActKind, AddAddress, EnrolFactor, LiftTarget, RaiseEpoch};
use portcullis_core::factor::{FactorKind, NewFactor};
use portcullis_core::realm::Realm;
use portcullis_host::Clock as _;
use portcullis_keeper::latches;
use portcullis_keeper::testkit::{Customer, Dice, World};
use portcullis_keys::StatementKey as _;

#[test]
fn one_release_above_the_cap_is_not_signed() {
    let mut bench = Bench::new();
    bench.withdraw(1001);
    assert_eq!(bench.run(5), 0);
    assert_eq!(bench.alarms(), ["cap-exceeded"]);
    assert_eq!(bench.signer.keeper().latched().count(), 0, "not a latch");
    assert!(bench.node.chain().got.is_empty());
}

#[test]
fn a_days_cap_holds_over_restarts_and_moves_on_with_the_day() {
    let mut bench = Bench::new();
    for _ in 0..4 {
        bench.withdraw(1000);
    }
    assert_eq!(bench.run(3), 3);
    bench.restart();
    assert_eq!(bench.run(3), 0);
    assert_eq!(
        bench.alarms(),
        ["cap-exceeded", "cap-exceeded"],
        "once by each process"
    );
    bench.clock.pass(Span::hours(24));
    assert_eq!(bench.run(3), 1);
}

/// What is recorded and barred for more than a day leaves on another day than it was counted on.
#[test]
fn what_waited_for_a_day_is_counted_on_the_day_that_it_is_signed() {
    let mut bench = Bench::new();
    bench.run(2);
    for _ in 0..3 {
        bench.withdraw(1000);
    }
    let (disk, clock) = (bench.disk.clone(), bench.clock.clone());
    bench.disk.meanwhile("once-only", move || {
        latches::shut(&disk, &Dice::default(), &clock).unwrap();
    });
    assert_eq!(bench.run(3), 0, "recorded, and shut before it was signed");
    let latch = bench.signer.keeper().latched().next().unwrap().sight.id();
    bench.wire().ledger.settle_clocks();
    bench.clock.pass(Span::hours(25));
    bench.wire().ledger.settle_clocks();
    for _ in 0..3 {
        bench.withdraw(1000);
    }
    let keeper = World::KEEPER;
    let target = LiftTarget::Latch { keeper, latch };
    bench.wire().ledger.settle_clocks();
    bench.wire().ledger.lift(target);
    assert_eq!(bench.run(5), 3, "a day's cap, of whichever day they are");
    bench.restart();
    assert_eq!(bench.run(5), 0);
    bench.clock.pass(Span::hours(24));
    assert_eq!(bench.run(5), 3);
}

#[test]
fn an_asset_without_a_cap_is_not_signed() {
    let mut config = config("");
    config.caps.retain(|cap| cap.asset != World::ETHER);
    let mut bench = Bench::with(config);
    bench.withdraw(1);
    assert_eq!(bench.run(5), 0);
    assert_eq!(bench.alarms(), ["cap-exceeded"]);
}

#[test]
fn fees_above_the_caps_are_not_signed() {
    #[rustfmt::skip] // a table
    let table = [
        ("within", 40_000_000_000, 100_000, 1),
        ("total", 40_000_000_000, 200_000, 0),
        ("per gas", 60_000_000_000, 21_000, 0),
    ];
    for (name, per_gas, gas, signed) in table {
        let mut bench = Bench::new();
        {
            let ledger = &mut bench.wire().ledger;
            let (act, evidence) = ledger.withdrawal(&bench.customer, World::ETHER, PAYEE, 5);
            let fees = Fees::new(per_gas, 1, gas).unwrap();
            ledger.submit_with_fees(act, evidence, fees);
        }
        assert_eq!(bench.run(3), signed, "{name}");
        assert_eq!(bench.alarms().len(), 1 - signed, "{name}");
    }
}

#[test]
fn a_young_address_is_not_paid() {
    let mut config = config("");
    config.floors.address_age_seconds = 60;
    let mut bench = Bench::with(config);
    bench.withdraw(5);
    assert_eq!(bench.run(3), 0);
    assert_eq!(bench.alarms(), ["cap-exceeded"]);
    bench.clock.pass(Span::seconds(60));
    bench.withdraw(6);
    assert_eq!(
        bench.run(3),
        1,
        "the later one only: the floor is for the time of the release"
    );
}

#[test]
fn first_factors_beyond_a_days_cap_count_later() {
    let mut config = config("");
    config.floors.first_enrolments_per_day = 1;
    // The bench's customer takes the one place.
    let mut bench = Bench::with(config);
    let second = Customer::number(2);
    {
        let ledger = &mut bench.wire().ledger;
        ledger.open(&second);
        ledger.add_address(&second, PAYEE);
        ledger.withdraw(&second, PAYEE, 6);
    }
    bench.withdraw(5);
    assert_eq!(bench.run(3), 1, "the first customer's");
    assert_eq!(bench.alarms(), ["cap-exceeded"]);
    bench.clock.pass(Span::hours(24));
    assert_eq!(
        bench.run(3),
        1,
        "the second's, a day later and without a hand"
    );
}

#[test]
fn re_enrolments_after_an_epoch_have_a_cap_of_their_own() {
    let mut config = config("");
    config.floors.re_enrolments_per_day = 1;
    let mut bench = Bench::with(config);
    let others = [2, 3].map(Customer::number);
    {
        let ledger = &mut bench.wire().ledger;
        for customer in &others {
            ledger.open(customer);
            ledger.add_address(customer, PAYEE);
        }
        let raise = ActKind::RaiseEpoch(RaiseEpoch {
            realm: Realm::Customers,
            factors: None,
        });
        ledger.staff(World::OPERATOR, raise);
        for (n, customer) in others.iter().enumerate() {
            let fresh = customer.with_new_passkey(20 + u8::try_from(n).unwrap());
            let enrol = EnrolFactor {
                principal: fresh.principal,
                factor: fresh.factor(),
            };
            let mut act = ledger.act(World::BACK_END, ActKind::EnrolFactor(enrol));
            act.account = Some(fresh.account);
            let mut evidence = ledger.staffs_evidence(&act);
            evidence.attestations.push(ledger.onboarding(&act));
            ledger.submit(act, evidence);
        }
        ledger.settle_clocks();
        bench.clock.pass(Span::seconds(6));
        ledger.cosign();
        for (n, customer) in others.iter().enumerate() {
            let fresh = customer.with_new_passkey(20 + u8::try_from(n).unwrap());
            ledger.withdraw(&fresh, PAYEE, 5);
        }
    }
    assert_eq!(bench.run(3), 1);
    assert_eq!(bench.alarms(), ["cap-exceeded"]);
}

/// The customer has a request key too; the journal takes a withdrawal proven by it, this signer not.
#[test]
fn a_factor_below_the_floor_pays_nobody() {
    for (floor, signed) in [(FactorKind::Passkey, 0), (FactorKind::RequestKey, 1)] {
        let mut config = config("");
        config.floors.factor = floor;
        let mut bench = Bench::with(config);
        {
            let ledger = &mut bench.wire().ledger;
            let principal = bench.customer.principal;
            let key = World::key(&principal.0).public_key().clone();
            let factor = NewFactor::RequestKey { key };
            let enrol = ActKind::EnrolFactor(EnrolFactor { principal, factor });
            let act = ledger.customers_act(&bench.customer, enrol);
            let evidence = ledger.customers_evidence(&bench.customer, &act);
            ledger.submit(act, evidence);
            ledger.settle_clocks();
            bench.clock.pass(Span::seconds(6));
            ledger.cosign();
            let (act, mut evidence) = ledger.withdrawal(&bench.customer, World::ETHER, PAYEE, 5);
            evidence.assertions.clear();
            let now = bench.clock.now();
            evidence.requests.push(World::request(principal, &act, now));
            ledger.submit(act, evidence);
        }
        assert_eq!(bench.run(3), signed, "{floor:?}");
        assert_eq!(bench.alarms().len(), 1 - signed);
    }
}

/// A waiting factor may bring in a second one, which no cap of onboarding's word counts.
#[test]
fn what_a_waiting_factor_brings_in_counts_no_sooner_than_it_does() {
    let mut config = config("");
    config.floors.first_enrolments_per_day = 1;
    let mut bench = Bench::with(config);
    {
        let mut wire = bench.wire();
        let ledger = &mut wire.ledger;
        // Beyond the cap: they begin to count after one, two and three days.
        for number in 2..5 {
            let thief = Customer::number(number);
            ledger.open(&thief);
            let second = thief.with_new_passkey(100 + number);
            let enrol = ActKind::EnrolFactor(EnrolFactor {
                principal: thief.principal,
                factor: second.factor(),
            });
            let act = ledger.customers_act(&thief, enrol);
            let evidence = ledger.customers_evidence(&thief, &act);
            ledger.submit(act, evidence);
            ledger.settle_clocks();
            ledger.clock.pass(Span::seconds(6));
            ledger.cosign();
            ledger.add_address(&second, PAYEE);
            ledger.withdraw(&second, PAYEE, 5);
        }
    }
    assert_eq!(bench.run(5), 0);
    bench.clock.pass(Span::hours(24));
    assert_eq!(bench.run(3), 1, "the first that waited counts by now");
}

/// An address stays when the factor that brought it in is gone.
#[test]
fn an_address_that_a_waiting_factor_brought_in_waits_as_long() {
    let mut config = config("");
    config.floors.first_enrolments_per_day = 1;
    config.floors.re_enrolments_per_day = 1;
    let mut bench = Bench::with(config);
    let customer = Customer::number(2);
    {
        let mut wire = bench.wire();
        let ledger = &mut wire.ledger;
        ledger.open(&customer);
        ledger.add_address(&customer, PAYEE);
        let raise = RaiseEpoch {
            realm: Realm::Customers,
            factors: None,
        };
        ledger.staff(World::OPERATOR, ActKind::RaiseEpoch(raise));
        let fresh = customer.with_new_passkey(102);
        let enrol = ActKind::EnrolFactor(EnrolFactor {
            principal: customer.principal,
            factor: fresh.factor(),
        });
        let mut act = ledger.act(World::BACK_END, enrol);
        act.account = Some(customer.account);
        let mut evidence = ledger.staffs_evidence(&act);
        evidence.attestations.push(ledger.onboarding(&act));
        ledger.submit(act, evidence);
        ledger.settle_clocks();
        ledger.clock.pass(Span::seconds(6));
        ledger.cosign();
        ledger.withdraw(&fresh, PAYEE, 5);
    }
    assert_eq!(bench.run(5), 0, "the factor counts, the address does not");
    bench.clock.pass(Span::hours(24));
    assert_eq!(bench.run(3), 1);
}

/// A gate dates an entry ahead that brings something in: what waits goes on by the signer's own clock.
#[test]
fn no_entry_from_the_future_ends_the_days_cap() {
    let mut config = config("");
    config.floors.first_enrolments_per_day = 1;
    let mut bench = Bench::with(config);
    {
        let mut wire = bench.wire();
        let ledger = &mut wire.ledger;
        let second = Customer::number(2);
        ledger.open(&second);
        ledger.add_address(&second, PAYEE);
        ledger.withdraw(&second, PAYEE, 6);
    }
    bench.clock.pass(Span::seconds(23 * 3600 + 1800));
    assert_eq!(bench.run(3), 0, "it waits for the day's cap");
    {
        let mut wire = bench.wire();
        let ledger = &mut wire.ledger;
        ledger.settle_clocks();
        let now = ledger.clock.now();
        ledger.clock.pass(Span::seconds(3_000));
        let address = World::address(0xbc);
        let add = ActKind::AddAddress(AddAddress { address });
        let act = ledger.customers_act(&bench.customer, add);
        let evidence = ledger.customers_evidence(&bench.customer, &act);
        ledger.submit(act, evidence);
        ledger.clock.set(now);
        ledger.cosign();
    }
    assert_eq!(bench.run(5), 0, "it waits on");
}
