//! A list of one's own as JSON Lines: one object on each line.

use core::cell::RefCell;
use core::fmt;
use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::own::{Row, place, shown};
use super::report::Entering;
use super::{ImportError, MAX_FILE, Rules, lines_of};

pub(super) fn lines(
    bytes: &[u8],
    rules: Rules,
    entering: &mut Entering<'_>,
) -> Result<(), ImportError> {
    for (line, object) in (1..).zip(lines_of(bytes, MAX_FILE)?.lines()) {
        if !object.trim().is_empty() {
            let row = row(object, line)?;
            entering.row(line, row.entry(rules))?;
        }
    }
    Ok(())
}

fn row(object: &str, line: u64) -> Result<Row<'_>, ImportError> {
    let fault = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_str(object);
    let read = reader.deserialize_map(Members {
        line,
        fault: &fault,
    });
    let read = read.and_then(|row| reader.end().map(|()| row));
    read.map_err(|error| {
        let of_form = if error.is_data() {
            ImportError::WrongType { line }
        } else {
            ImportError::Json { line }
        };
        fault.take().unwrap_or(of_form)
    })
}

/// The members of one object.
struct Members<'a> {
    line: u64,
    /// Where a fault goes that JSON's own errors have no place for.
    fault: &'a RefCell<Option<ImportError>>,
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Row<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Row<'de>, A::Error> {
        let refuse = |error| {
            *self.fault.borrow_mut() = Some(error);
            A::Error::custom("not taken")
        };
        let mut row = Row::default();
        let mut seen = [false; super::own::NAMES.len()];
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            let place = place(&name, self.line).map_err(refuse)?;
            let seen = seen.get_mut(place);
            if seen.is_none_or(|seen| core::mem::replace(seen, true)) {
                return Err(refuse(ImportError::Duplicate {
                    line: self.line,
                    name: shown(&name),
                }));
            }
            if let Member(Some(value)) = members.next_value()? {
                row.set(place, value);
            }
        }
        Ok(row)
    }
}

/// A text, or a number as its digits; `null` is left out.
struct Member<'a>(Option<Cow<'a, str>>);

impl<'de> Deserialize<'de> for Member<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Value)
    }
}

struct Value;

impl<'de> Visitor<'de> for Value {
    type Value = Member<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a whole number")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Member<'de>, E> {
        Ok(Member(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Member<'de>, E> {
        Ok(Member(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Member<'de>, E> {
        Ok(Member(Some(Cow::Owned(number.to_string()))))
    }

    fn visit_unit<E: Error>(self) -> Result<Member<'de>, E> {
        Ok(Member(None))
    }
}
