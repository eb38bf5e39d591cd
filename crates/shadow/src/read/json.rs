//! A JSON object on each line.

use super::{Fault, MAX_ROW, Rows, absence};
use crate::mapping::{Mapping, Members, Noted};
use crate::row::Row;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};

/// Rows within which every member that the mapping names has to have stood.
const LOOKED_AT: u64 = 1_000;
/// Most members that are told apart, and how deep.
const MOST_NAMES: usize = 500;
const DEEPEST: usize = 4;

pub(super) struct JsonLines<'a, R> {
    file: BufReader<R>,
    mapping: &'a Mapping,
    number: u64,
    line: Vec<u8>,
    lines: u64,
    /// The members that have stood in a row; none once they have been looked at.
    names: Option<BTreeSet<String>>,
    objects: u64,
    noted: Noted,
}

impl<'a, R: Read> JsonLines<'a, R> {
    /// Those of a file, or of a copy, which may leave out whatever is not needed.
    pub(super) fn new(file: R, mapping: &'a Mapping, first: u64, is_copy: bool) -> Self {
        Self {
            file: BufReader::new(file),
            mapping,
            number: first.saturating_sub(1),
            line: Vec::new(),
            lines: 0,
            names: (!is_copy).then(BTreeSet::new),
            objects: 0,
            noted: Noted::default(),
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
            Ok(read) => {
                self.lines += u64::from(read > 0);
                return Ok(read > 0);
            }
        };
        let line = self.lines + 1;
        Err(Fault::File { line, why })
    }

    /// Remember which members there are, and look at them once there were enough rows.
    fn look(&mut self, object: &Value) -> Result<(), Fault> {
        self.objects += 1;
        if let Some(names) = &mut self.names {
            gather(object, "", DEEPEST, names);
        }
        if self.objects == LOOKED_AT {
            return self.judge();
        }
        Ok(())
    }

    fn judge(&mut self) -> Result<(), Fault> {
        let Some(names) = self.names.take().filter(|names| !names.is_empty()) else {
            return Ok(());
        };
        let (columns, absent) = self.mapping.columns(&names);
        self.noted.columns = columns;
        if absent.is_empty() {
            return Ok(());
        }
        Err(Fault::Columns {
            what: absence::of_objects(&absent, &names, self.objects),
        })
    }
}

/// The names of its members, those of members by their paths.
fn gather(object: &Value, before: &str, depth: usize, names: &mut BTreeSet<String>) {
    let Value::Object(members) = object else {
        return;
    };
    for (name, member) in members {
        if names.len() >= MOST_NAMES {
            return;
        }
        let path = format!("{before}{name}");
        match member {
            Value::Object(_) if depth > 0 => gather(member, &format!("{path}."), depth - 1, names),
            _ => {
                names.insert(path);
            }
        }
    }
}

impl<R: Read> Rows for JsonLines<'_, R> {
    fn row(&mut self) -> Result<Option<Row>, Fault> {
        loop {
            if !self.line()? {
                self.judge()?;
                return Ok(None);
            }
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        self.number += 1;
        let line = self.lines;
        let object: Value = serde_json::from_slice(&self.line).map_err(|error| {
            let why = error.to_string();
            Fault::Form { line, why }
        })?;
        if !object.is_object() {
            let why = "it is no object".into();
            return Err(Fault::Form { line, why });
        }
        self.look(&object)?;
        let members = Object(&object);
        match self.mapping.row(self.number, &members, &mut self.noted) {
            Ok(row) => Ok(Some(Row { line, ..row })),
            Err(fault) => {
                let id = self.mapping.id(&members);
                Err(Fault::Row { line, id, fault })
            }
        }
    }

    fn noted(&mut self) -> &mut Noted {
        &mut self.noted
    }
}

/// Its members, those of members by a path with points.
struct Object<'a>(&'a Value);

impl Object<'_> {
    fn value(&self, name: &str) -> Option<&Value> {
        let own = self.0.get(name);
        own.or_else(|| {
            name.split('.')
                .try_fold(self.0, |value, part| value.get(part))
        })
    }
}

impl Members for Object<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        Some(match self.value(name)? {
            Value::String(text) => Cow::Borrowed(text),
            Value::Null => Cow::Borrowed(""),
            other => Cow::Owned(other.to_string()),
        })
    }

    fn is_number(&self, name: &str) -> bool {
        self.value(name).is_some_and(Value::is_number)
    }
}
