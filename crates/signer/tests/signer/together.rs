//! Accounts of several principals: one of them alone gets no signature, whatever a gate journals; and a factor
//! that this signer lets count later counts later beside others, too.

use crate::bench::{Bench, PAYEE, config};
use crate::evidence::{TRUTH, forge, is_caught};
use portcullis_core::act::{
    ActKind, AddAddress, AddPrincipal, EnrolFactor, RaiseEpoch, RemovePrincipal, RevokeFactor,
    SetAccountQuorum,
};
use portcullis_core::realm::Realm;
use portcullis_core::{Act, Digest, Evidence, Span};
use portcullis_keeper::testkit::{Customer, Ledger, World};

fn age(ledger: &mut Ledger) {
    ledger.settle_clocks();
    ledger.clock.pass(Span::seconds(6));
    ledger.settle_clocks();
}

/// Somebody who shares the account.
fn another(first: &Customer, number: u8) -> Customer {
    let mut other = Customer::number(number);
    other.account = first.account;
    other
}

/// The first of these asks, and all assert it.
fn by(ledger: &mut Ledger, all: &[&Customer], kind: ActKind) -> Digest {
    let act = ledger.customers_act(all[0], kind);
    let evidence = asserted(ledger, all, &act);
    ledger.submit(act, evidence)
}

fn asserted(ledger: &Ledger, all: &[&Customer], act: &Act) -> Evidence {
    let mut evidence = ledger.customers_evidence(all[0], act);
    evidence.assertions = all.iter().map(|one| one.assertion(act)).collect();
    evidence
}

fn add(new: &Customer) -> ActKind {
    let (principal, factor) = (new.principal, new.factor());
    ActKind::AddPrincipal(AddPrincipal { principal, factor })
}

fn quorum(replaces: u32, quorum: u32) -> ActKind {
    ActKind::SetAccountQuorum(SetAccountQuorum { replaces, quorum })
}

/// The first takes a second in, and from then on it takes both.
fn share(ledger: &mut Ledger, first: &Customer) -> Customer {
    let second = another(first, 8);
    by(ledger, &[first], add(&second));
    age(ledger);
    waits(ledger, &[first], quorum(1, 2));
    second
}

/// What these ask for takes effect once its delay has run.
fn waits(ledger: &mut Ledger, all: &[&Customer], kind: ActKind) {
    let act = by(ledger, all, kind);
    age(ledger);
    ledger.settle(act);
}

/// An epoch: nobody's factor counts any more.
fn raise_epoch(ledger: &mut Ledger) {
    let raise = RaiseEpoch {
        realm: Realm::Customers,
        factors: None,
    };
    ledger.staff(World::OPERATOR, ActKind::RaiseEpoch(raise));
}

fn pay(ledger: &mut Ledger, all: &[&Customer]) -> Digest {
    let (act, evidence) = ledger.withdrawal(all[0], World::ETHER, PAYEE, 700);
    let assertions = asserted(ledger, all, &act).assertions;
    let evidence = Evidence {
        assertions,
        ..evidence
    };
    ledger.submit(act, evidence)
}

fn revoke(ledger: &mut Ledger, who: &Customer) {
    let (principal, factor) = (who.principal, who.factor().id());
    let revoke = RevokeFactor { principal, factor };
    by(ledger, &[who], ActKind::RevokeFactor(revoke));
}

#[test]
fn both_get_a_signature_and_one_that_was_lost_meanwhile_takes_it_back() {
    for (lost, signed) in [(false, 1), (true, 0)] {
        let mut bench = Bench::new();
        {
            let mut wire = bench.wire();
            let ledger = &mut wire.ledger;
            let second = share(ledger, &bench.customer);
            pay(ledger, &[&bench.customer, &second]);
            if lost {
                revoke(ledger, &second);
            }
        }
        assert_eq!(bench.run(3), signed, "lost: {lost}");
    }
}

/// What a gate that wants to pay has of the two: the first's word alone, twice, or with a stranger's.
#[test]
fn one_of_two_gets_no_signature_whatever_the_gate_writes() {
    type Cheat = fn(&Customer, &Act) -> Vec<portcullis_core::passkey::Assertion>;
    let cheats: [(&str, Cheat); 3] = [
        ("alone", |first, act| vec![first.assertion(act)]),
        ("twice", |first, act| {
            vec![first.assertion(act), first.assertion_number(9, act)]
        }),
        ("with a stranger", |first, act| {
            vec![first.assertion(act), another(first, 9).assertion(act)]
        }),
    ];
    for (name, cheat) in cheats {
        is_caught(name, |bench| {
            let ledger = &mut bench.wire().ledger;
            share(ledger, &bench.customer);
            let (act, mut evidence) = ledger.withdrawal(&bench.customer, World::ETHER, PAYEE, 700);
            evidence.assertions = cheat(&bench.customer, &act);
            forge(act, evidence, TRUTH.plan())
        });
    }
}

/// An epoch, and onboarding enrols both anew: the second beyond the day's cap. Whoever it brings in together
/// with the first waits as long as it does.
#[test]
fn a_factor_beyond_the_cap_counts_later_beside_another_too() {
    for third in [false, true] {
        let mut config = config("");
        config.floors.re_enrolments_per_day = 1;
        let mut bench = Bench::with(config);
        {
            let mut wire = bench.wire();
            let ledger = &mut wire.ledger;
            let second = share(ledger, &bench.customer);
            raise_epoch(ledger);
            let first = enrol_anew(ledger, &bench.customer, 21);
            let second = enrol_anew(ledger, &second, 22);
            age(ledger);
            if third {
                let new = another(&first, 9);
                by(ledger, &[&first, &second], add(&new));
                age(ledger);
                pay(ledger, &[&first, &new]);
            } else {
                pay(ledger, &[&first, &second]);
            }
        }
        assert_eq!(bench.run(3), 0, "third: {third}");
        bench.clock.pass(Span::hours(24));
        assert_eq!(bench.run(3), 1, "third: {third}");
    }
}

fn enrol_anew(ledger: &mut Ledger, customer: &Customer, number: u8) -> Customer {
    let fresh = customer.with_new_passkey(number);
    let (principal, factor) = (fresh.principal, fresh.factor());
    let enrol = ActKind::EnrolFactor(EnrolFactor { principal, factor });
    let mut act = ledger.act(World::BACK_END, enrol);
    act.account = Some(fresh.account);
    let mut evidence = ledger.staffs_evidence(&act);
    evidence.attestations.push(ledger.onboarding(&act));
    ledger.submit(act, evidence);
    fresh
}

/// An address that waited for somebody uses up no place of those who are enrolled anew, also where one suffices
/// by the time at which it comes.
#[test]
fn what_waited_for_another_is_no_recovery() {
    for falls in [false, true] {
        let mut config = config("");
        config.floors.re_enrolments_per_day = 0;
        let mut bench = Bench::with(config);
        let address = World::address(0x77);
        {
            let mut wire = bench.wire();
            let ledger = &mut wire.ledger;
            let first = &bench.customer;
            let second = share(ledger, first);
            let adding = ActKind::AddAddress(AddAddress { address });
            let adding = ledger.customers_act(first, adding);
            let digest = adding.digest();
            let own = asserted(ledger, &[first], &adding);
            ledger.submit(adding.clone(), own);
            if falls {
                waits(ledger, &[first, &second], quorum(2, 1));
            } else {
                let both = asserted(ledger, &[first, &second], &adding);
                let evidence = Evidence {
                    assertions: both.assertions[1..].to_vec(),
                    ..both
                };
                let more = portcullis_core::entry::Supplement {
                    act: digest,
                    evidence,
                };
                ledger.enter(portcullis_core::entry::Body::Evidence(Box::new(more)));
            }
            ledger.settle_clocks();
            ledger.settle(digest);
            age(ledger);
            let all = [first, &second];
            let all = if falls { &all[..1] } else { &all[..] };
            let (act, evidence) = ledger.withdrawal(first, World::ETHER, address, 700);
            let assertions = asserted(ledger, all, &act).assertions;
            let evidence = Evidence {
                assertions,
                ..evidence
            };
            ledger.submit(act, evidence);
        }
        assert_eq!(bench.run(3), 1, "falls: {falls}");
    }
}

/// A settlement does not say who asked where one suffices by then, so an address waits for all factors of its account.
#[test]
fn an_address_that_came_when_one_sufficed_waits_for_a_factor_beyond_the_cap() {
    let mut config = config("");
    config.floors.first_enrolments_per_day = 1;
    config.floors.re_enrolments_per_day = 2;
    // The bench's customer takes the one place of the first.
    let mut bench = Bench::with(config);
    let first = Customer::number(2);
    {
        let mut wire = bench.wire();
        let ledger = &mut wire.ledger;
        ledger.open(&first);
        let second = share(ledger, &first);
        let adding = by(
            ledger,
            &[&first],
            ActKind::AddAddress(AddAddress { address: PAYEE }),
        );
        let down = by(ledger, &[&first, &second], quorum(2, 1));
        age(ledger);
        ledger.settle(down);
        ledger.settle(adding);
        age(ledger);
        raise_epoch(ledger);
        let fresh = enrol_anew(ledger, &first, 21);
        age(ledger);
        pay(ledger, &[&fresh]);
    }
    assert_eq!(bench.run(3), 0, "the factor counts, the address does not");
    bench.clock.pass(Span::hours(24));
    assert_eq!(bench.run(3), 1);
}

/// An epoch, and both are enrolled anew, the second beyond the day's cap. Together they let one suffice, and the
/// first is paid alone: the lower quorum rests on the second.
#[test]
fn a_quorum_that_a_factor_beyond_the_cap_lowered_counts_as_late_as_it_does() {
    let mut config = config("");
    config.floors.re_enrolments_per_day = 1;
    let mut bench = Bench::with(config);
    {
        let mut wire = bench.wire();
        let ledger = &mut wire.ledger;
        let second = share(ledger, &bench.customer);
        raise_epoch(ledger);
        let first = enrol_anew(ledger, &bench.customer, 21);
        let second = enrol_anew(ledger, &second, 22);
        age(ledger);
        waits(ledger, &[&first, &second], quorum(2, 1));
        pay(ledger, &[&first]);
    }
    assert_eq!(
        bench.run(3),
        0,
        "on the word of one that does not count yet"
    );
    bench.clock.pass(Span::hours(24));
    assert_eq!(bench.run(3), 1);
}

/// The same, and the second puts a third out; or leaves by itself, which holds nobody up.
#[test]
fn whom_a_factor_beyond_the_cap_puts_out_is_missed_until_it_counts() {
    for (leaves, signed) in [(false, 0), (true, 1)] {
        let mut config = config("");
        config.floors.re_enrolments_per_day = 1;
        let mut bench = Bench::with(config);
        {
            let mut wire = bench.wire();
            let ledger = &mut wire.ledger;
            let (second, third) = (another(&bench.customer, 8), another(&bench.customer, 9));
            by(ledger, &[&bench.customer], add(&second));
            by(ledger, &[&bench.customer], add(&third));
            age(ledger);
            raise_epoch(ledger);
            let first = enrol_anew(ledger, &bench.customer, 21);
            let second = enrol_anew(ledger, &second, 22);
            age(ledger);
            let principal = if leaves { &second } else { &third }.principal;
            let removal = ActKind::RemovePrincipal(RemovePrincipal { principal });
            if leaves {
                by(ledger, &[&second], removal);
            } else {
                waits(ledger, &[&second], removal);
            }
            pay(ledger, &[&first]);
        }
        assert_eq!(bench.run(3), signed, "leaves: {leaves}");
        bench.clock.pass(Span::hours(24));
        assert_eq!(bench.run(3), 1 - signed, "leaves: {leaves}");
    }
}
