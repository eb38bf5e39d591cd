//! A list of one's own: what a row's members mean, however they are written.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::report::Entry;
use super::{ImportError, Reject, Rules};
use crate::address::{AddressError, Key, MAX_ADDRESS};
use crate::rating::{Category, Risk};

/// The members of a row, in the order of [`Row`].
pub(super) const NAMES: [&str; 6] = ["address", "chain", "tag", "label", "category", "risk"];

/// A row's members, each by its place in [`NAMES`]; empty ones are left out.
#[derive(Default)]
pub(super) struct Row<'a>([Option<Cow<'a, str>>; NAMES.len()]);

/// The place of a member or column.
pub(super) fn place(name: &str, line: u64) -> Result<usize, ImportError> {
    NAMES
        .iter()
        .position(|known| *known == name)
        .ok_or_else(|| ImportError::Unknown {
            line,
            name: shown(name),
        })
}

/// A name from a file in an error that people read: short, and nothing in it that is not seen.
pub(super) fn shown(name: &str) -> Box<str> {
    let short = name.chars().take(80);
    short
        .flat_map(char::escape_debug)
        .collect::<String>()
        .into()
}

impl<'a> Row<'a> {
    pub(super) fn set(&mut self, place: usize, value: Cow<'a, str>) {
        if let Some(member) = self.0.get_mut(place).filter(|_| !value.is_empty()) {
            *member = Some(value);
        }
    }

    pub(super) fn entry(&self, rules: Rules) -> Result<Entry<'_>, Reject> {
        let [address, chain, tag, label, category, risk] =
            self.0.each_ref().map(|member| member.as_deref());
        let category = category.map_or(Ok(Category::Other), str::parse);
        let category: Category = category.map_err(|_| Reject::Category)?;
        let risk = risk.map_or(Ok(category.usual_risk()), str::parse);
        let risk: Risk = risk.map_err(|_| Reject::Risk)?;
        Ok(Entry {
            key: key(address.ok_or(Reject::NoAddress)?, chain, tag).map_err(Reject::Address)?,
            elsewhere: false,
            rating: rules.rating(category, risk),
            text: label.ok_or(Reject::NoText)?,
        })
    }
}

/// The address with its chain before it, and its tag behind it.
fn key(address: &str, chain: Option<&str>, tag: Option<&str>) -> Result<Key, AddressError> {
    let address = address.trim();
    if address.len() > MAX_ADDRESS {
        return Err(AddressError::TooLong);
    }
    let mut text = String::with_capacity(MAX_ADDRESS);
    if let Some(chain) = chain {
        if chain.len() > MAX_ADDRESS {
            return Err(AddressError::Chain);
        }
        let chain = chain.trim().to_ascii_lowercase();
        // What most people call it; the name says that other chains have the same addresses.
        let chain = if chain == "ethereum" { "evm" } else { &chain };
        text.extend([chain, ":"]);
    }
    text.push_str(address);
    let Some(tag) = tag else {
        return text.parse();
    };
    let account: Key = text.parse()?;
    if account.with_tag(0).is_none() || tag.len() > MAX_ADDRESS {
        return Err(AddressError::Tag);
    }
    write!(text, "?dt={}", tag.trim()).map_err(|_| AddressError::Tag)?;
    text.parse()
}
