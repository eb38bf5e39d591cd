//! Withdrawals on a chain of which the core knows nothing but the name: planned, judged and ended by mandate.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

use portcullis_chains::Amount;
use portcullis_chains::caip::{Address, AssetId};
use portcullis_core::act::{ActKind, Withdraw};
use portcullis_core::decision::Decision;
use portcullis_core::genesis::Genesis;
use portcullis_core::limits::{Bounds, Limit};
use portcullis_core::plan::Plan;
use portcullis_core::reason::Reason;
use portcullis_core::{Digest, Span};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{Customer, HandClock, Ledger, World};
use portcullis_mandate::{Mandate, Payment, Permits};
use std::sync::Arc;

const HOLDS: Span = Span::hours(24);

fn xrp() -> AssetId {
    "xrpl:0/slip44:144".parse().unwrap()
}

fn address(tag: u32) -> Address {
    let text = format!("xrpl:0:rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh?dt={tag}");
    text.parse().unwrap()
}

/// The wallet pays XRP, by mandate.
fn on_another_chain(genesis: &mut Genesis) {
    let wallet = &mut genesis.wallets[0];
    wallet.address = "xrpl:0:rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh".parse().unwrap();
    wallet.mandate = Some(HOLDS);
    (wallet.fee_ceiling, wallet.first_nonce) = (Amount::ZERO, 40);
    genesis.assets.push(xrp());
    genesis.limits.rules.push(Limit {
        asset: xrp(),
        bounds: Bounds::Account,
        per_transaction: Some(Amount(1_000)),
        hour: None,
        day: Some(Amount(1_500)),
        week: None,
        approval: None,
    });
}

struct Stage {
    ledger: Ledger,
    customer: Customer,
}

impl Stage {
    fn new() -> Self {
        let clock = HandClock::at(World::START);
        let world = World::with(on_another_chain);
        let mut ledger = Ledger::new(Arc::new(world), clock);
        let customer = Customer::number(1);
        ledger.open(&customer);
        ledger.add_address(&customer, address(17));
        Self { ledger, customer }
    }

    /// What becomes of a withdrawal, with all that an honest client sends.
    fn withdraw(&mut self, to: Address, amount: u128) -> (Digest, Decision, Option<Plan>) {
        let kind = ActKind::Withdraw(Withdraw {
            asset: xrp(),
            to,
            amount: Amount(amount),
        });
        let act = self.ledger.customers_act(&self.customer, kind);
        let mut evidence = self.ledger.customers_evidence(&self.customer, &act);
        evidence.attestations.push(self.ledger.debit(&act));
        let submission = self.ledger.submission(act, evidence);
        let said = (submission.decision.clone(), submission.plan.clone());
        let digest = submission.act.digest();
        let applied = self
            .ledger
            .enter(portcullis_core::entry::Body::Act(Box::new(submission)));
        assert_eq!(applied.void, None);
        (digest, said.0, said.1)
    }
}

#[test]
fn the_plan_is_a_mandate_of_which_state_knows_every_byte() {
    let mut stage = Stage::new();
    for (number, amount) in [(40, 700), (41, 800)] {
        let (act, decision, plan) = stage.withdraw(address(17), amount);
        assert_eq!(decision, Decision::Release);
        let plan = plan.unwrap();
        let text = String::from_utf8(plan.unsigned).unwrap();
        let expires_ms = stage.ledger.clock.now().after(HOLDS).0;
        let payment = Payment {
            asset: "xrpl:0/slip44:144".into(),
            to: "xrpl:0:rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh?dt=17".into(),
            amount,
        };
        let mandate = Mandate {
            network: stage.ledger.world.digest().0,
            wallet: World::WALLET.0,
            number,
            act: act.0,
            permits: Permits::Pay {
                payment,
                expires_ms,
            },
        };
        assert_eq!(text, mandate.to_string());
    }
}

/// Limits, the book and a memo count as everywhere.
#[test]
fn nothing_that_bars_is_any_weaker() {
    let refused = |reason| Decision::Refuse { reason };
    let mut stage = Stage::new();
    let said = stage.withdraw(address(18), 1).1;
    assert_eq!(
        said,
        refused(Reason::AddressUnknown),
        "another tag is another payee"
    );
    assert_eq!(
        stage.withdraw(address(17), 1_001).1,
        refused(Reason::OverTransactionLimit)
    );
    assert_eq!(
        stage.withdraw(address(17), 0).1,
        refused(Reason::AmountZero)
    );
    assert_eq!(stage.withdraw(address(17), 900).1, Decision::Release);
    let over = stage.withdraw(address(17), 700).1;
    assert_eq!(over, refused(Reason::OverDayLimit), "a day has 1,500");
}

/// A plan with anything else in it makes its entry void: the gate is shut, nothing left.
#[test]
fn another_text_is_not_the_plan() {
    let swap = |from: &'static str, to: &'static str| move |text: String| text.replace(from, to);
    type Change = Box<dyn Fn(String) -> String>;
    let changes: [Change; 6] = [
        Box::new(swap("amount 700", "amount 701")),
        Box::new(swap("?dt=17", "?dt=18")),
        Box::new(swap("number 40", "number 41")),
        Box::new(swap("slip44:144", "slip44:145")),
        Box::new(|text| text + " "),
        Box::new(|text| {
            let at = text.find("expires ").unwrap() + 8;
            let end = text[at..].find('\n').unwrap() + at;
            let later: u64 = text[at..end].parse::<u64>().unwrap() + 1;
            format!("{}{later}{}", &text[..at], &text[end..])
        }),
    ];
    for change in changes {
        let mut stage = Stage::new();
        let kind = ActKind::Withdraw(Withdraw {
            asset: xrp(),
            to: address(17),
            amount: Amount(700),
        });
        let act = stage.ledger.customers_act(&stage.customer, kind);
        let mut evidence = stage.ledger.customers_evidence(&stage.customer, &act);
        evidence.attestations.push(stage.ledger.debit(&act));
        let mut submission = stage.ledger.submission(act, evidence);
        let plan = submission.plan.as_mut().unwrap();
        let text = String::from_utf8(plan.unsigned.clone()).unwrap();
        plan.unsigned = change(text.clone()).into_bytes();
        assert_ne!(plan.unsigned, text.into_bytes());
        let body = portcullis_core::entry::Body::Act(Box::new(submission));
        assert!(stage.ledger.enter(body).void.is_some());
        assert!(stage.ledger.state.facts().releases.is_empty());
    }
}
