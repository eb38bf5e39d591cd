//! Rates: who makes one, how far it moves, and the limit that it adds.

use super::{PERMIT, policy};
use crate::stage::rates::{EVERY, MAX_AGE, name, quote, rate_rules, signed_quote};
use crate::stage::{PAYEE, Stage, ether};
use portcullis_chains::Amount;
use portcullis_core::act::{ActKind, PublishRates};
use portcullis_core::policy::{Policy, Quote, SignedQuote};
use portcullis_core::{Decision, Reason, Span};
use portcullis_keeper::testkit::World;
use proptest::prelude::*;

fn rules(publishers: u8) -> Policy {
    Policy {
        rates: Some(rate_rules(publishers)),
        ..policy(PERMIT)
    }
}

fn stage(publishers: u8) -> Stage {
    let mut stage = Stage::new();
    stage.put_in_force(&rules(publishers));
    stage
}

impl Stage {
    /// Why the quotes make no rate; nothing where they make one, which is then journaled.
    fn publish(&mut self, quotes: Vec<SignedQuote>) -> Option<Reason> {
        let act = self.staffs(
            World::BACK_END,
            ActKind::PublishRates(PublishRates { quotes }),
        );
        let refusal = self.refusal(&act);
        if refusal.is_none() {
            self.submit(act);
        }
        refusal
    }

    fn price(&self) -> Option<u128> {
        self.facts().rate(World::ETHER).map(|rate| rate.price.0)
    }
}

#[test]
fn a_rate_is_the_median_of_at_least_three_and_more_than_half() {
    let mut stage = stage(5);
    let prices = [100, 104, 1];
    let quotes = stage.quotes(&prices);
    assert_eq!(
        stage.publish(quotes[..2].to_vec()),
        Some(Reason::QuoteInvalid)
    );
    assert_eq!(stage.publish(quotes), None);
    assert_eq!(stage.price(), Some(100));

    let mut many = self::stage(7);
    let quotes = many.quotes(&[100, 101, 102]);
    assert_eq!(many.publish(quotes), Some(Reason::QuoteInvalid));
    let quotes = many.quotes(&[100, 101, 102, 103]);
    assert_eq!(many.publish(quotes), None);
    assert_eq!(many.price(), Some(101));
}

#[test]
fn what_makes_no_rate() {
    let mut stage = stage(3);
    let now = stage.now();
    let with = |last: SignedQuote| vec![quote(1, 100, now), quote(2, 100, now), last];
    let third = quote(3, 100, now);
    let say = |change: fn(&mut Quote)| {
        let mut quote = third.quote.clone();
        change(&mut quote);
        signed_quote(3, quote)
    };
    let mut forged = third.clone();
    forged.quote.price = Amount(101);
    let by_another = signed_quote(4, third.quote.clone());
    for (what, last) in [
        ("forged", forged),
        ("signed by another", by_another),
        ("one publisher twice", quote(2, 100, now)),
        ("a stranger", quote(4, 100, now)),
        (
            "another currency",
            say(|quote| quote.currency = name("eur")),
        ),
        ("another asset", say(|quote| quote.asset = World::TOKEN)),
        ("worth nothing", say(|quote| quote.price = Amount(0))),
    ] {
        assert_eq!(
            stage.publish(with(last)),
            Some(Reason::QuoteInvalid),
            "{what}"
        );
    }
    let old = quote(3, 100, now.before(MAX_AGE).before(Span(1)));
    let ahead = quote(3, 100, now.after(Span::seconds(31)));
    for last in [old, ahead] {
        assert_eq!(stage.publish(with(last)), Some(Reason::QuoteStale));
    }
    assert_eq!(stage.publish(Vec::new()), Some(Reason::QuoteInvalid));
    assert_eq!(stage.price(), None);
    assert_eq!(stage.publish(with(third)), None);
}

#[test]
fn without_publishers_there_are_no_rates_and_nobody_else_brings_them() {
    let mut bare = Stage::new();
    let quotes = bare.quotes(&[100, 100, 100]);
    assert_eq!(bare.publish(quotes), Some(Reason::RatesNotNamed));
    let mut stage = stage(3);
    let quotes = stage.quotes(&[100, 100, 100]);
    let kind = ActKind::PublishRates(PublishRates { quotes });
    let act = stage.staffs(World::administrator(0), kind);
    assert_eq!(stage.refusal(&act), Some(Reason::RoleMissing));
}

#[test]
fn rates_come_one_after_another_and_a_new_policy_begins_them_anew() {
    let mut stage = stage(3);
    let first = stage.quotes(&[100, 100, 100]);
    assert_eq!(stage.publish(first.clone()), None);
    assert_eq!(stage.publish(first), Some(Reason::QuoteStale));
    stage.pass(EVERY);
    let far = stage.quotes(&[111, 111, 111]);
    assert_eq!(stage.publish(far), Some(Reason::RateBeyondStep));
    let near = stage.quotes(&[110, 110, 110]);
    assert_eq!(stage.publish(near), None);
    stage.put_in_force(&rules(4));
    assert_eq!(stage.price(), None);
    let far = stage.quotes(&[500, 500, 500]);
    assert_eq!(stage.publish(far), None);
}

/// 100 units are one whole: at 1,000 a whole, 50 units count 500.
#[test]
fn the_platforms_limit_counts_while_the_rate_is_fresh_and_base_units_always() {
    let mut stage = stage(3);
    let quotes = stage.quotes(&[1_000, 1_000, 1_000]);
    assert_eq!(stage.publish(quotes), None);
    let act = stage.withdrawal(50);
    stage.submit(act);
    let over = stage.withdrawal(51);
    assert_eq!(stage.refusal(&over), Some(Reason::OverPlatformLimit));
    let rest = stage.withdrawal(50);
    stage.submit(rest);
    let one = stage.withdrawal(1);
    assert_eq!(stage.refusal(&one), Some(Reason::OverPlatformLimit));

    // Stale: base units alone.
    stage.pass(Span(MAX_AGE.0 + 1));
    let act = stage.withdrawal(51);
    assert_eq!(stage.refusal(&act), None);
    let act = stage.customers(ether(PAYEE, 1_001));
    assert_eq!(stage.refusal(&act), Some(Reason::OverTransactionLimit));
}

#[test]
fn what_waited_waits_for_room_on_the_platform() {
    let mut stage = stage(3);
    let act = stage.withdrawal(60);
    let evidence = stage.prove(&act);
    let held = stage.submit_with(act.clone(), stage.prove_without_debit(&act));
    let quotes = stage.quotes(&[1_000, 1_000, 1_000]);
    assert_eq!(stage.publish(quotes), None);
    let first = stage.withdrawal(60);
    stage.submit(first);
    let debit_alone = portcullis_core::Evidence {
        assertions: Vec::new(),
        ..evidence
    };
    assert_eq!(stage.supplement(held, debit_alone).void, None);
    stage.pass(Span::seconds(1));
    let needs = vec![portcullis_core::Need::Room];
    assert_eq!(stage.settles(held), Decision::Hold { needs, until: None });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is brought, a rate never moves further than its step, nor more often than it may; and one
    /// publisher gone mad among three to five moves it out of what the others say never.
    #[test]
    fn no_rate_beyond_its_step_and_no_madman_moves_one(
        publishers in 3..=5_u8,
        rounds in prop::collection::vec((prop::collection::vec(80..125_u128, 5), any::<u64>(), 0..3_u64), 1..12),
    ) {
        let mut stage = stage(publishers);
        for (honest, mad, minutes) in rounds {
            stage.pass(Span(minutes * EVERY.0));
            let mut prices = honest[..usize::from(publishers)].to_vec();
            let others = prices.split_off(1);
            let mut all = vec![u128::from(mad) + 1];
            all.extend(&others);
            let (before, time) = (stage.price(), stage.facts().rate(World::ETHER).map(|rate| rate.time));
            let quotes = stage.quotes(&all);
            let refused = stage.publish(quotes);
            let after = stage.price();
            if refused.is_some() {
                prop_assert_eq!(before, after);
                continue;
            }
            let price = after.unwrap();
            let (low, high) = (others.iter().min().unwrap(), others.iter().max().unwrap());
            prop_assert!((low..=high).contains(&&price), "{price} of {all:?}");
            if let (Some(before), Some(time)) = (before, time) {
                prop_assert!(before.abs_diff(price) * 10 <= before, "{before} to {price}");
                prop_assert!(stage.facts().rate(World::ETHER).unwrap().time >= time.after(EVERY));
            }
        }
    }
}
