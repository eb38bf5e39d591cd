//! Rates: what publishers say that assets are worth, and the limit on everything together in fiat.
//!
//! A rate only adds a limit. Where it is missing or old, the limits in base units stand alone.

use super::Name;
use super::document::{PolicyFault, check_different};
use crate::codec::encode;
use crate::digest::Domain;
use crate::limits::{Bounds, Limit};
use crate::signature::{PublicKey, Signature, Verify};
use crate::time::{Span, Time};
use minicbor::{Decode, Encode};
use portcullis_chains::Amount;
use portcullis_chains::caip::AssetId;
use serde::{Deserialize, Serialize};

/// Fewest publishers that make a rate.
pub const FEWEST: usize = 3;
/// Most publishers.
const MOST: usize = 16;
/// Most assets with a scale.
const MOST_ASSETS: usize = 64;
/// Most decimals of an asset: its scale stays far below 2^128.
const MOST_DECIMALS: u32 = 30;

/// Who publishes rates, what makes one, and what may leave by them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RateRules {
    /// The fiat currency, as publishers name it.
    #[n(0)]
    pub currency: Name,
    /// At least three.
    #[n(1)]
    pub publishers: Vec<Publisher>,
    /// The assets, each with the decimals of its whole unit.
    #[n(2)]
    pub assets: Vec<Scale>,
    /// A quote that is older makes no rate, and a rate that is older counts no more.
    #[n(3)]
    pub max_age: Span,
    /// The furthest that a rate moves from the last one, in percent of that.
    #[n(4)]
    pub max_step: u32,
    /// The shortest time between two rates of an asset.
    #[n(5)]
    pub every: Span,
    /// The most that leaves the platform, all assets and accounts together, in the currency's minor units.
    #[n(6)]
    pub platform: FiatLimit,
}

/// One who publishes rates.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Publisher {
    /// Its name.
    #[n(0)]
    pub id: Name,
    /// Its key.
    #[n(1)]
    pub key: PublicKey,
}

/// How many base units a whole one has: ten to the power of `decimals`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// The asset.
    #[n(0)]
    pub asset: AssetId,
    /// At most 30.
    #[n(1)]
    pub decimals: u32,
}

/// Windows in minor units. Absent means unbounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct FiatLimit {
    /// Within any hour.
    #[n(0)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<Amount>,
    /// Within any 24 hours.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Amount>,
    /// Within any 7 days.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub week: Option<Amount>,
}

/// What one publisher says that a whole unit is worth.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// Who says it.
    #[n(0)]
    pub publisher: Name,
    /// Of what.
    #[n(1)]
    pub asset: AssetId,
    /// In which currency.
    #[n(2)]
    pub currency: Name,
    /// Minor units of it for one whole unit, above zero.
    #[n(3)]
    pub price: Amount,
    /// When.
    #[n(4)]
    pub time: Time,
}

/// A quote with its publisher's signature over `"portcullis/quote/v1" ‖ 0x00 ‖ CBOR(quote)`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct SignedQuote {
    /// What is said.
    #[n(0)]
    pub quote: Quote,
    /// By its publisher.
    #[n(1)]
    pub signature: Signature,
}

/// What a whole unit of an asset counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Rate {
    /// The asset.
    #[n(0)]
    pub asset: AssetId,
    /// Minor units for one whole unit.
    #[n(1)]
    pub price: Amount,
    /// The time of the oldest quote behind it.
    #[n(2)]
    pub time: Time,
}

impl Quote {
    /// The bytes that its publisher signs.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        Domain::Quote.signed_bytes(&encode(self))
    }
}

impl RateRules {
    pub(super) fn check(&self) -> Result<(), PolicyFault> {
        let ids = self.publishers.iter().map(|publisher| &publisher.id);
        check_different(ids.clone().map(|id| id.0.clone()))?;
        let keys = self
            .publishers
            .iter()
            .map(|publisher| encode(&publisher.key));
        check_different(keys.map(hex::encode))?;
        check_different(self.assets.iter().map(|scale| scale.asset.to_string()))?;
        let named = ids.chain([&self.currency]).all(Name::is_well_formed);
        let scales = self
            .assets
            .iter()
            .all(|scale| scale.decimals <= MOST_DECIMALS);
        let counts = (FEWEST..=MOST).contains(&self.publishers.len())
            && self.assets.len() <= MOST_ASSETS
            && (1..=100).contains(&self.max_step);
        let clocks = self.max_age > Span(0) && self.every > Span(0);
        if named && scales && counts && clocks {
            Ok(())
        } else {
            Err(PolicyFault::Rates)
        }
    }

    /// How many publishers make a rate: three, and more than half. Whoever brings quotes chooses among
    /// them, and must not find a few that agree with it.
    #[must_use]
    pub fn quorum(&self) -> usize {
        FEWEST.max(self.publishers.len() / 2 + 1)
    }

    /// Whether the quote is its publisher's, of an asset and in the currency that these rules name.
    pub(crate) fn is_ours(&self, signed: &SignedQuote, verify: &dyn Verify) -> bool {
        let quote = &signed.quote;
        let mut publishers = self.publishers.iter();
        let publisher = publishers.find(|publisher| publisher.id == quote.publisher);
        quote.currency == self.currency
            && !quote.price.is_zero()
            && self.scale(quote.asset).is_some()
            && publisher.is_some_and(|publisher| {
                verify.verify(&publisher.key, &quote.signed_bytes(), &signed.signature)
            })
    }

    fn scale(&self, asset: AssetId) -> Option<u128> {
        let scale = self.assets.iter().find(|scale| scale.asset == asset)?;
        10_u128.checked_pow(scale.decimals)
    }

    /// Whether a rate may follow another so far away.
    pub(crate) fn is_a_step(&self, from: Amount, to: Amount) -> bool {
        let (Amount(from), Amount(to)) = (from, to);
        let moved = from.abs_diff(to).checked_mul(100);
        let most = from.checked_mul(self.max_step.into());
        matches!((moved, most), (Some(moved), Some(most)) if moved <= most)
    }

    /// What an amount counts for, rounded up; more than every limit where it cannot be said in 128 bits.
    #[must_use]
    pub fn worth(&self, amount: Amount, rate: &Rate) -> Option<Amount> {
        let scale = self.scale(rate.asset)?;
        let product = amount.0.checked_mul(rate.price.0);
        Some(Amount(
            product.map_or(u128::MAX, |product| product.div_ceil(scale)),
        ))
    }

    /// The limit on everything together, in the shape that windows are held against.
    pub(crate) fn platform_limit(&self, asset: AssetId) -> Limit {
        let FiatLimit { hour, day, week } = self.platform;
        Limit {
            asset,
            bounds: Bounds::Asset,
            per_transaction: None,
            hour,
            day,
            week,
            approval: None,
        }
    }
}

/// The middle one; of two the lower.
pub(crate) fn median(prices: &mut [Amount]) -> Option<Amount> {
    prices.sort_unstable();
    let last = prices.len().checked_sub(1)?;
    prices.get(last / 2).copied()
}
