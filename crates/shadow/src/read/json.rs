//! A JSON object on each line.

use super::{Fault, MAX_ROW, Rows};
use crate::mapping::{Mapping, Members};
use crate::row::Row;
use serde_json::Value;
use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read};

pub(super) struct JsonLines<'a, R> {
    file: BufReader<R>,
    mapping: &'a Mapping,
    number: u64,
    line: Vec<u8>,
}

impl<'a, R: Read> JsonLines<'a, R> {
    pub(super) fn new(file: R, mapping: &'a Mapping, first: u64) -> Self {
        Self {
            file: BufReader::new(file),
            mapping,
            number: first.saturating_sub(1),
            line: Vec::new(),
        }
    }

    /// Whether there is one more line.
    fn line(&mut self) -> Result<bool, Fault> {
        self.line.clear();
        let read = (&mut self.file)
            .take(MAX_ROW)
            .read_until(b'\n', &mut self.line);
        let why = match read {
            Err(error) => error.to_string(),
            Ok(_) if self.line.len() as u64 == MAX_ROW && !self.line.ends_with(b"\n") => {
                "a line of over 1 MiB".into()
            }
            Ok(read) => return Ok(read > 0),
        };
        let number = self.number;
        Err(Fault::File { number, why })
    }
}

impl<R: Read> Rows for JsonLines<'_, R> {
    fn row(&mut self) -> Result<Option<Row>, Fault> {
        loop {
            if !self.line()? {
                return Ok(None);
            }
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        self.number += 1;
        let number = self.number;
        let object: Value = serde_json::from_slice(&self.line).map_err(|error| {
            let why = error.to_string();
            Fault::Form { number, why }
        })?;
        if !object.is_object() {
            let why = "it is no object".into();
            return Err(Fault::Form { number, why });
        }
        let row = self.mapping.row(number, &Object(&object));
        row.map(Some).map_err(|fault| Fault::Row { number, fault })
    }
}

/// Its members, those of members by a path with points.
struct Object<'a>(&'a Value);

impl Members for Object<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let own = self.0.get(name);
        let value = own.or_else(|| {
            name.split('.')
                .try_fold(self.0, |value, part| value.get(part))
        });
        Some(match value? {
            Value::String(text) => Cow::Borrowed(text),
            Value::Null => Cow::Borrowed(""),
            other => Cow::Owned(other.to_string()),
        })
    }
}
