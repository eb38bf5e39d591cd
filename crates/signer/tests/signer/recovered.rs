//! Recovered factors count no faster than this signer's own cap lets them, whatever the journal allows.

use crate::bench::{Bench, PAYEE, config};
use portcullis_core::act::{ActKind, EnrolFactor, RaiseEpoch, Recover};
use portcullis_core::factor::{FactorKind, NewFactor};
use portcullis_core::realm::Realm;
use portcullis_core::{Evidence, Span};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{Customer, Ledger, World};
use portcullis_keys::StatementKey as _;

fn next(customer: &Customer, number: u8) -> Customer {
    customer.with_new_passkey(100 + number)
}

/// The customer gets a request key besides its passkey.
fn prepare(ledger: &mut Ledger, customer: &Customer) {
    ledger.open(customer);
    ledger.add_address(customer, PAYEE);
    let principal = customer.principal;
    let key = World::key(&principal.0).public_key().clone();
    let factor = NewFactor::RequestKey { key };
    let enrol = ActKind::EnrolFactor(EnrolFactor { principal, factor });
    let act = ledger.customers_act(customer, enrol);
    let evidence = ledger.customers_evidence(customer, &act);
    ledger.submit(act, evidence);
    ledger.settle_clocks();
    ledger.clock.pass(Span::seconds(6));
    ledger.settle_clocks();
}

#[test]
fn recoveries_beyond_the_cap_count_later() {
    let mut config = config("");
    config.floors.re_enrolments_per_day = 1;
    let mut bench = Bench::with(config);
    let customers = [2, 3].map(Customer::number);
    {
        let mut wire = bench.wire();
        let ledger = &mut wire.ledger;
        for customer in &customers {
            prepare(ledger, customer);
        }
        let raise = RaiseEpoch {
            realm: Realm::Customers,
            factors: Some(FactorKind::Passkey),
        };
        ledger.staff(World::OPERATOR, ActKind::RaiseEpoch(raise));
        let mut acts = Vec::new();
        for (customer, number) in customers.iter().zip(2..) {
            let kind = ActKind::Recover(Recover {
                principal: customer.principal,
                factor: next(customer, number).factor(),
            });
            let act = ledger.customers_act(customer, kind);
            let now = ledger.clock.now();
            let by = [World::BACK_END, customer.principal];
            let evidence = Evidence {
                requests: by.map(|who| World::request(who, &act, now)).to_vec(),
                ..Evidence::default()
            };
            acts.push(ledger.submit(act, evidence));
        }
        ledger.settle_clocks();
        ledger.clock.pass(Span::seconds(15));
        ledger.settle_clocks();
        for act in acts {
            ledger.settle(act);
        }
        ledger.settle_clocks();
        ledger.clock.pass(Span::seconds(6));
        ledger.settle_clocks();
        for (customer, number) in customers.iter().zip(2..) {
            ledger.withdraw(&next(customer, number), PAYEE, 5);
        }
    }
    assert_eq!(bench.run(5), 1);
    assert_eq!(bench.alarms(), ["cap-exceeded"]);
    bench.clock.pass(Span::hours(24));
    assert_eq!(bench.run(3), 1);
}
