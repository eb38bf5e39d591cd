//! The policy in force, and rates: what made each, recomputed from the quotes themselves.

use super::Model;
use portcullis_chains::caip::{Address, AssetId};
use portcullis_core::act::{PublishRates, SetPolicy};
use portcullis_core::policy::{Policy, RateRules, SignedQuote};
use portcullis_core::{Digest, Span, Time};
use std::collections::{BTreeMap, BTreeSet};

/// How far a publisher's clock may be ahead.
const AHEAD: Span = Span::seconds(30);

/// A rate: minor units for a whole unit, and the time of the oldest quote.
pub type Rate = (u128, Time);

/// What decides beside the limits.
pub(super) struct Rules {
    pub(super) policy: Policy,
    pub(super) rates: BTreeMap<AssetId, Rate>,
    /// What left, by the rates of its time.
    left: Vec<(Time, u128)>,
}

impl Rules {
    pub(super) fn begin(policy: Policy) -> Self {
        Self {
            policy,
            rates: BTreeMap::new(),
            left: Vec::new(),
        }
    }
}

impl Model {
    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.rules.policy
    }

    /// The last rate of an asset.
    #[must_use]
    pub fn rate(&self, asset: AssetId) -> Option<Rate> {
        self.rules.rates.get(&asset).copied()
    }

    pub(super) fn set_policy(&mut self, act: Digest, set: &SetPolicy) {
        if self.rules.policy.digest() != set.replaces {
            self.violated("what comes in force replaces what was", act);
        }
        if self.truth.facts().malformed.contains(&set.policy.digest()) {
            self.violated("nothing malformed comes in force", act);
        }
        self.chronicle.count("policy replaced");
        self.rules.policy = set.policy.clone();
        self.rules.rates.clear();
    }

    /// Nobody is paid, nor enters a book, whom the policy in force blocks.
    pub(super) fn check_blocked(&self, act: Digest, to: Address) {
        let lists = &self.rules.policy.lists;
        if lists.iter().any(|list| list.addresses.contains(&to)) {
            self.violated("what the policy forbids does not happen", act);
        }
    }

    pub(super) fn publish(&mut self, act: Digest, publish: &PublishRates, time: Time) {
        let Some(rules) = self.rules.policy.rates.clone() else {
            return self.violated("rates rest on their publishers", act);
        };
        let mut by_asset: BTreeMap<AssetId, Vec<&SignedQuote>> = BTreeMap::new();
        for quote in &publish.quotes {
            by_asset.entry(quote.quote.asset).or_default().push(quote);
        }
        for (asset, quotes) in by_asset {
            self.check_publishers(act, &rules, &quotes);
            let oldest = quotes.iter().map(|signed| signed.quote.time).min();
            let newest = quotes.iter().map(|signed| signed.quote.time).max();
            let (Some(oldest), Some(newest)) = (oldest, newest) else {
                continue;
            };
            if newest > time.after(AHEAD) || time.since(oldest) > rules.max_age {
                self.violated("no rate rests on an old or coming quote", act);
            }
            let price = median(&quotes);
            if let Some((last, since)) = self.rules.rates.get(&asset).copied() {
                self.check_step(act, &rules, (last, since), (price, oldest));
            }
            self.rules.rates.insert(asset, (price, oldest));
        }
    }

    /// Each quote is really its publisher's, and enough different ones stand behind the rate.
    fn check_publishers(&self, act: Digest, rules: &RateRules, quotes: &[&SignedQuote]) {
        let truth = self.truth.facts();
        let is_genuine = |signed: &&&SignedQuote| {
            let by = truth.under.get(signed.signature.as_bytes());
            let mut named = rules.publishers.iter();
            let named = named.find(|publisher| publisher.id == signed.quote.publisher);
            by.is_some() && by == named.map(|publisher| &publisher.key)
        };
        let genuine = quotes.iter().filter(is_genuine);
        let behind: BTreeSet<_> = genuine.map(|signed| &signed.quote.publisher).collect();
        let needed = 3.max(rules.publishers.len() / 2 + 1);
        let is_enough = behind.len() >= needed && behind.len() == quotes.len();
        drop(truth);
        if !is_enough {
            let what = format!("{act} on {} of {} quotes", behind.len(), quotes.len());
            self.violated("rates rest on their publishers", what);
        }
    }

    fn check_step(&self, act: Digest, rules: &RateRules, old: Rate, new: Rate) {
        let ((last, since), (price, time)) = (old, new);
        if last.abs_diff(price) * 100 > last * u128::from(rules.max_step) {
            let what = format!("{act} from {last} to {price}");
            self.violated("no rate moves beyond its step", what);
        }
        if time < since.after(rules.every) {
            self.violated("no rate moves too often", act);
        }
    }

    /// Everything together stays within the limit in the rates' currency, as far as there is a rate.
    pub(super) fn check_fiat(&mut self, act: Digest, asset: AssetId, amount: u128, time: Time) {
        let Some(rules) = &self.rules.policy.rates else {
            return;
        };
        let Some((price, since)) = self.rules.rates.get(&asset).copied() else {
            return;
        };
        if time.since(since) > rules.max_age {
            return;
        }
        let worth = (amount * price).div_ceil(1_000_000_000);
        let (hour, day) = (rules.platform.hour, rules.platform.day);
        self.rules.left.push((time, worth));
        for (length, most) in [(Span::hours(1), hour), (Span::hours(24), day)] {
            let since = time.before(length);
            let left = self.rules.left.iter().filter(|(time, _)| *time > since);
            let total: u128 = left.map(|(_, worth)| worth).sum();
            if most.is_some_and(|most| total > most.0) {
                let what = format!("{total} within {} h by {act}", length.0 / 3_600_000);
                self.violated("the limit on everything together holds", what);
            }
        }
    }
}

/// The middle price; of two the lower.
fn median(quotes: &[&SignedQuote]) -> u128 {
    let mut prices: Vec<u128> = quotes.iter().map(|signed| signed.quote.price.0).collect();
    prices.sort_unstable();
    prices[(prices.len() - 1) / 2]
}
