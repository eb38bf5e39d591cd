//! Lists of sanctioned addresses as drawn daily from the SDN list of the Office of Foreign Assets
//! Control: one file for each asset, `sanctioned_addresses_XBT.txt`, `….json`.

use core::cell::RefCell;
use core::fmt;

use serde::de::{Deserializer as _, Error as _, SeqAccess, Visitor};
use serde_json::error::Category as JsonCategory;

use super::report::{Entering, Entry};
use super::{ImportError, MAX_FILE, Reject, Rules, asset, lines_of};
use crate::rating::Category;

/// The asset of a list, from its file's name.
#[must_use]
pub fn ofac_asset(file_name: &str) -> Option<&str> {
    let rest = file_name.strip_prefix("sanctioned_addresses_")?;
    rest.strip_suffix(".txt")
        .or_else(|| rest.strip_suffix(".json"))
}

/// One list, and what all of its labels have in common.
struct List {
    places: &'static [asset::Place],
    text: String,
    rules: Rules,
}

impl List {
    fn of(symbol: &str, rules: Rules) -> Result<Self, ImportError> {
        Ok(Self {
            places: asset::places(symbol).ok_or(ImportError::Asset)?,
            text: format!("OFAC SDN: Digital Currency Address - {symbol}"),
            rules,
        })
    }

    fn entry(&self, address: &str) -> Result<Entry<'_>, Reject> {
        let sanction = Category::Sanction;
        let found = asset::key(self.places, address.trim(), self.rules.evm)?;
        Ok(Entry {
            key: found.key,
            elsewhere: found.elsewhere,
            rating: self.rules.rating(sanction, sanction.usual_risk()),
            text: &self.text,
        })
    }
}

pub(super) fn text(
    symbol: &str,
    bytes: &[u8],
    rules: Rules,
    entering: &mut Entering<'_>,
) -> Result<(), ImportError> {
    let list = List::of(symbol, rules)?;
    for (line, address) in (1..).zip(lines_of(bytes, MAX_FILE)?.lines()) {
        if !address.trim().is_empty() {
            entering.row(line, list.entry(address))?;
        }
    }
    Ok(())
}

pub(super) fn json(
    symbol: &str,
    bytes: &[u8],
    rules: Rules,
    entering: &mut Entering<'_>,
) -> Result<(), ImportError> {
    let fault = RefCell::new(None);
    let visitor = Addresses {
        list: List::of(symbol, rules)?,
        entering,
        fault: &fault,
    };
    let mut reader = serde_json::Deserializer::from_str(super::text(bytes, MAX_FILE)?);
    let read = reader.deserialize_seq(visitor).and_then(|()| reader.end());
    read.map_err(|error| {
        let line = u64::try_from(error.line()).unwrap_or(u64::MAX);
        let of_form = match error.classify() {
            JsonCategory::Data => ImportError::WrongType { line },
            _ => ImportError::Json { line },
        };
        fault.take().unwrap_or(of_form)
    })
}

/// Takes each address as it is read; none is kept.
struct Addresses<'a, 'b> {
    list: List,
    entering: &'a mut Entering<'b>,
    /// Where a fault goes that JSON's own errors have no place for.
    fault: &'a RefCell<Option<ImportError>>,
}

impl<'de> Visitor<'de> for Addresses<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of addresses")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        let mut line = 1;
        while let Some(address) = rows.next_element::<String>()? {
            let taken = self.entering.row(line, self.list.entry(&address));
            if let Err(error) = taken {
                *self.fault.borrow_mut() = Some(error);
                return Err(A::Error::custom("not taken"));
            }
            line += 1;
        }
        Ok(())
    }
}
