//! The policy document: Cedar text, and the data that it decides by.

use super::engine::Engine;
use super::rates::RateRules;
use crate::codec::encode;
use crate::digest::{Digest, Domain};
use crate::id::AccountId;
use minicbor::{Decode, Encode};
use portcullis_chains::Amount;
use portcullis_chains::caip::{Address, AssetId};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// Most bytes of Cedar text.
pub const MAX_TEXT: usize = 8 * 1024;
/// Most steps of one asset's tiers, so that a tier is below [`super::NO_TIERS`].
const MAX_STEPS: usize = 8;
/// Most lists: one bit of a fact for each.
const MAX_LISTS: usize = 32;
/// Most assets with tiers.
const MAX_TIERS: usize = 64;

/// Cedar text plus data. Limits stand beside it and always apply.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The statements, each with an `@id` of its own.
    #[n(0)]
    pub cedar: String,
    /// The steps by which amounts are told apart, asset by asset.
    #[n(1)]
    #[serde(default)]
    pub tiers: Vec<Tiers>,
    /// Named lists.
    #[n(2)]
    #[serde(default)]
    pub lists: Vec<List>,
    /// Who publishes rates, and the limit on everything together that they make; none where absent.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rates: Option<RateRules>,
}

/// The steps of one asset. Amounts have more digits than Cedar's numbers.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Tiers {
    /// The asset.
    #[n(0)]
    pub asset: AssetId,
    /// In base units, ascending: an amount's tier is how many of them it is above.
    #[n(1)]
    pub above: Vec<Amount>,
}

/// A named list of addresses, accounts or both.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// What the text calls it.
    #[n(0)]
    pub name: Name,
    /// Payees, or addresses that are to enter a book.
    #[n(1)]
    #[serde(default)]
    pub addresses: Vec<Address>,
    /// Accounts that act.
    #[n(2)]
    #[serde(default)]
    pub accounts: Vec<AccountId>,
}

/// A name of lower-case letters, digits and hyphens, at most 64.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Name(#[n(0)] pub String);

impl Name {
    /// Whether it is one.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=64).contains(&self.0.len()) && self.0.bytes().all(fits)
    }
}

/// What is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// Too much text.
    #[error("the text is longer than {MAX_TEXT} bytes")]
    TextTooLarge,
    /// Letters that look like others, or control characters.
    #[error("the text has other characters than printable ASCII, tabs and newlines")]
    NotPlain,
    /// One statement with too many words.
    #[error(
        "a statement has more than 128 words and marks, or more than 16 brackets open at once: \
         split it, or turn it into a list"
    )]
    StatementTooLarge,
    /// Cedar's parser.
    #[error("the text is not Cedar; `portcullis policy check` shows where")]
    NotCedar,
    /// Too many statements.
    #[error("more than 64 statements: turn some into lists")]
    TooManyStatements,
    /// Templates have slots that nobody fills.
    #[error("the text has a template; every statement stands for itself")]
    Template,
    /// No `@id`, or not a name.
    #[error(
        "a statement has no @id(\"name\") of lower-case letters, digits and hyphens, at most 64"
    )]
    NoId,
    /// Two statements or two lists with one name.
    #[error("two statements, lists or tiers are called {0}")]
    Twice(String),
    /// An annotation that means nothing here.
    #[error("{0}: @{1} means nothing; known are @id, @note, and on a forbid @needs and @count")]
    Annotation(String, String),
    /// A need that core cannot wait for.
    #[error(
        "{0}: @needs knows approvals (with @count, 1 to 16), debit, passkey, delay, room, screening and travel-rule, on a forbid"
    )]
    Needs(String),
    /// What would not hold: a statement about the company of withdrawals does nothing else.
    #[error(
        "{0}: of a withdrawal beside others only a forbid that names its need (@needs) is asked for; such facts hold, \
         and neither let go nor refuse"
    )]
    Beside(String),
    /// Cedar's validator: what would err when it is asked.
    #[error("the text does not fit the schema; `portcullis policy check` shows where")]
    NotOfSchema,
    /// Tiers.
    #[error("the tiers of {0} are not 1 to 8 ascending amounts")]
    Tiers(AssetId),
    /// Lists.
    #[error("there are more than 32 lists or 64 tiers, or a list's name is no name")]
    Lists,
    /// Rates.
    #[error(
        "rates take 3 to 16 publishers, at most 64 assets of at most 30 decimals, a step of 1 to 100 \
         percent, an age and an interval above zero, and names that are names"
    )]
    Rates,
}

impl Policy {
    /// The policy of a network that has set none, under this rules version.
    #[must_use]
    pub fn default_of_core() -> &'static Self {
        static DEFAULT: LazyLock<Policy> = LazyLock::new(|| Policy {
            cedar: include_str!("default.cedar").to_owned(),
            tiers: Vec::new(),
            lists: Vec::new(),
            rates: None,
        });
        &DEFAULT
    }

    /// The digest that the act replacing it names.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::Policy, &encode(self))
    }

    /// What is wrong with it, if anything. Compiles the text.
    pub fn check(&self) -> Result<(), PolicyFault> {
        Engine::compile(self).map(|_| ())
    }

    /// How many of the asset's steps the amount is above.
    #[must_use]
    pub fn tier(&self, asset: AssetId, amount: Amount) -> u8 {
        let Some(tiers) = self.tiers.iter().find(|tiers| tiers.asset == asset) else {
            return super::NO_TIERS;
        };
        let above = tiers.above.iter().filter(|step| amount > **step).count();
        u8::try_from(above).unwrap_or(super::NO_TIERS)
    }

    /// The data are what the facts can hold.
    pub(super) fn check_data(&self) -> Result<(), PolicyFault> {
        let is_named = self.lists.iter().all(|list| list.name.is_well_formed());
        if self.lists.len() > MAX_LISTS || self.tiers.len() > MAX_TIERS || !is_named {
            return Err(PolicyFault::Lists);
        }
        let names = self.lists.iter().map(|list| list.name.0.clone());
        let assets = self.tiers.iter().map(|tiers| tiers.asset.to_string());
        check_different(names.chain(assets))?;
        self.rates.as_ref().map_or(Ok(()), RateRules::check)?;
        for tiers in &self.tiers {
            let rises = tiers.above.windows(2).all(|pair| pair[0] < pair[1]);
            if !rises || !(1..=MAX_STEPS).contains(&tiers.above.len()) {
                return Err(PolicyFault::Tiers(tiers.asset));
            }
        }
        Ok(())
    }
}

/// No two are the same.
pub(super) fn check_different(names: impl Iterator<Item = String>) -> Result<(), PolicyFault> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name.clone()) {
            return Err(PolicyFault::Twice(name));
        }
    }
    Ok(())
}
