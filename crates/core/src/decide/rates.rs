//! Rates from publishers' quotes.

use super::{Case, Verdict};
use crate::act::PublishRates;
use crate::effect::Effect;
use crate::policy::{Rate, RateRules, SignedQuote, median};
use crate::reason::Reason;
use crate::time::Span;
use portcullis_chains::caip::AssetId;
use std::collections::{BTreeMap, BTreeSet};

/// How far ahead of the entry a publisher's clock may be.
const AHEAD: Span = Span::seconds(30);

/// All quotes of an act make rates, or none does.
pub(super) fn judge_publish(case: &Case<'_>, publish: &PublishRates) -> Result<Verdict, Reason> {
    let facts = &case.state.facts;
    let rules = facts.policy().rates.as_ref().ok_or(Reason::RatesNotNamed)?;
    let ours = |signed: &SignedQuote| rules.is_ours(signed, case.verify);
    if publish.quotes.is_empty() || !publish.quotes.iter().all(ours) {
        return Err(Reason::QuoteInvalid);
    }
    let mut by_asset: BTreeMap<AssetId, Vec<&SignedQuote>> = BTreeMap::new();
    for signed in &publish.quotes {
        by_asset.entry(signed.quote.asset).or_default().push(signed);
    }
    let rates = by_asset.into_iter();
    let rates = rates.map(|(asset, quotes)| rate(case, rules, asset, &quotes));
    let rates: Vec<Rate> = rates.collect::<Result<_, Reason>>()?;
    Ok(Verdict::Accept(vec![Effect::Rates(rates)]))
}

fn rate(
    case: &Case<'_>,
    rules: &RateRules,
    asset: AssetId,
    quotes: &[&SignedQuote],
) -> Result<Rate, Reason> {
    // Publishers are counted, never quotes.
    let publishers: BTreeSet<_> = quotes
        .iter()
        .map(|signed| &signed.quote.publisher)
        .collect();
    if publishers.len() < quotes.len() || publishers.len() < rules.quorum() {
        return Err(Reason::QuoteInvalid);
    }
    let times = quotes.iter().map(|signed| signed.quote.time);
    let oldest = times.clone().min().ok_or(Reason::QuoteInvalid)?;
    let is_ahead = times.clone().any(|time| time > case.time.after(AHEAD));
    if is_ahead || case.time.since(oldest) > rules.max_age {
        return Err(Reason::QuoteStale);
    }
    let mut prices: Vec<_> = quotes.iter().map(|signed| signed.quote.price).collect();
    let price = median(&mut prices).ok_or(Reason::QuoteInvalid)?;
    if let Some(last) = case.state.facts.rate(asset) {
        if oldest < last.time.after(rules.every) {
            return Err(Reason::QuoteStale);
        }
        if !rules.is_a_step(last.price, price) {
            return Err(Reason::RateBeyondStep);
        }
    }
    Ok(Rate {
        asset,
        price,
        time: oldest,
    })
}
