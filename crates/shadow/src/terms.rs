//! The terms by which a platform's withdrawals are judged: what its limits and its policy would say.

use crate::number::{self, NumberError};
use portcullis_chains::Amount;
use portcullis_core::Span;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The file as it stands. Left out, what `policies/default.toml` and a genesis in production begin with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TermsFile {
    delay_hours: u64,
    code_days: u64,
    warm_up_days: u64,
    alike: u32,
    together: u32,
    limits: BTreeMap<String, LimitFile>,
}

impl Default for TermsFile {
    fn default() -> Self {
        Self {
            delay_hours: 24,
            code_days: 7,
            warm_up_days: 7,
            alike: 5,
            together: 5,
            limits: BTreeMap::new(),
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitFile {
    per_transaction: Option<String>,
    hour: Option<String>,
    day: Option<String>,
    week: Option<String>,
    code_day: Option<String>,
    approval_above: Option<String>,
}

/// The terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Terms {
    /// How long a new address, a new factor or a new contact waits.
    pub delay: Span,
    /// How old an address has to be for a code of an app to pay it.
    pub code_age: Span,
    /// How long the book is only learnt, where the file does not say since when addresses stand in it.
    pub warm_up: Span,
    /// From how many other accounts on, beyond what is usual, equal sums to fresh addresses are held.
    pub alike: u32,
    /// The same of accounts that pay one destination.
    pub together: u32,
    /// By asset.
    pub limits: BTreeMap<String, Limit>,
}

/// What one account may move of an asset, in units of 10⁻¹⁸.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// In one withdrawal.
    pub per_transaction: Option<Amount>,
    /// In any hour.
    pub hour: Option<Amount>,
    /// In any 24 hours.
    pub day: Option<Amount>,
    /// In any 7 days.
    pub week: Option<Amount>,
    /// In any 24 hours by a code of an app alone.
    pub code_day: Option<Amount>,
    /// Above which somebody approves.
    pub approval_above: Option<Amount>,
}

/// Why a file holds no terms.
#[derive(Debug, thiserror::Error)]
pub enum TermsError {
    /// Its text.
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
    /// An amount.
    #[error("limits.{asset}: an amount {fault}")]
    Amount {
        /// Of which asset.
        asset: String,
        /// Why it is none.
        fault: NumberError,
    },
}

impl Default for Terms {
    fn default() -> Self {
        Self::of(&TermsFile::default(), BTreeMap::new())
    }
}

impl Terms {
    /// Of a TOML text; an empty one is all defaults.
    pub fn parse(text: &str) -> Result<Self, TermsError> {
        let file: TermsFile = toml::from_str(text)?;
        let limits = file.limits.iter().map(|(asset, limit)| {
            let read = limit.read().map_err(|fault| TermsError::Amount {
                asset: asset.clone(),
                fault,
            });
            Ok((asset.clone(), read?))
        });
        let limits = limits.collect::<Result<_, TermsError>>()?;
        Ok(Self::of(&file, limits))
    }

    fn of(file: &TermsFile, limits: BTreeMap<String, Limit>) -> Self {
        let days = |days: u64| Span::hours(days.saturating_mul(24));
        Self {
            delay: Span::hours(file.delay_hours),
            code_age: days(file.code_days),
            warm_up: days(file.warm_up_days),
            alike: file.alike,
            together: file.together,
            limits,
        }
    }
}

impl LimitFile {
    fn read(&self) -> Result<Limit, NumberError> {
        let read = |text: &Option<String>| text.as_deref().map(number::of_units).transpose();
        Ok(Limit {
            per_transaction: read(&self.per_transaction)?,
            hour: read(&self.hour)?,
            day: read(&self.day)?,
            week: read(&self.week)?,
            code_day: read(&self.code_day)?,
            approval_above: read(&self.approval_above)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms() {
        assert_eq!(Terms::parse("").unwrap(), Terms::default());
        let own = Terms::parse("delay_hours = 48\n[limits.ETH]\nday = \"2.5\"").unwrap();
        assert_eq!(own.delay, Span::hours(48));
        assert_eq!(
            own.limits["ETH"].day,
            Some(Amount(2_500_000_000_000_000_000))
        );
        for text in [
            "delay_hour = 1",
            "[limits.ETH]\nday = \"much\"",
            "delay_hours = -1",
        ] {
            assert!(Terms::parse(text).is_err(), "{text}");
        }
    }
}
