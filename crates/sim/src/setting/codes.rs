//! What later networks have besides the whole one: limits for what a one-time code pays.

use super::limits;
use portcullis_chains::Amount;
use portcullis_core::limits::{Bounds, Limit, Limits};
use portcullis_keeper::testkit::World;

/// What one withdrawal on a code may be.
const CODE_TRANSACTION_LIMIT: u128 = 20_000_000_000;
/// What may have left an account within an hour for a code to add to it.
const CODE_HOUR_LIMIT: u128 = 120_000_000_000;
/// The same of a day.
const CODE_DAY_LIMIT: u128 = 240_000_000_000;

/// The limits of [`limits`], and those of codes.
#[must_use]
pub fn limits_with_codes(hour: u128) -> Limits {
    let mut with = limits(hour);
    let rules = [World::ETHER, World::TOKEN].map(|asset| Limit {
        asset,
        bounds: Bounds::Code,
        per_transaction: Some(Amount(CODE_TRANSACTION_LIMIT)),
        hour: Some(Amount(CODE_HOUR_LIMIT)),
        day: Some(Amount(CODE_DAY_LIMIT)),
        week: None,
        approval: None,
    });
    with.rules.extend(rules);
    with
}
