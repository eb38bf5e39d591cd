//! A list of one's own in CSV (RFC 4180).

use std::borrow::Cow;

use csv_core::{ReadRecordResult, Reader};

use super::own::{NAMES, Row, place, shown};
use super::report::Entering;
use super::{ImportError, MAX_FILE, MAX_VALUE, Rules, lines_of};

/// Most columns that are looked at: more than there are names for.
const MAX_COLUMNS: usize = NAMES.len() + 1;

pub(super) fn read(
    bytes: &[u8],
    rules: Rules,
    entering: &mut Entering<'_>,
) -> Result<(), ImportError> {
    let mut records = Records::of(lines_of(bytes, MAX_FILE)?);
    let columns = columns(&mut records)?;
    while let Some((line, fields)) = records.next()? {
        let mut row = Row::default();
        let mut count = 0;
        for (field, place) in fields.zip(columns.iter().map(Some).chain([None])) {
            let place = place.ok_or(ImportError::Columns { line })?;
            row.set(*place, Cow::Borrowed(field));
            count += 1;
        }
        if count != columns.len() {
            return Err(ImportError::Columns { line });
        }
        entering.row(line, row.entry(rules))?;
    }
    Ok(())
}

/// The place of each column.
fn columns(records: &mut Records<'_>) -> Result<Vec<usize>, ImportError> {
    let no_column = |name| ImportError::NoColumn { name };
    let (line, fields) = records.next()?.ok_or(no_column("address"))?;
    let mut columns = Vec::with_capacity(MAX_COLUMNS);
    for name in fields {
        let place = place(name.trim(), line)?;
        if columns.contains(&place) {
            let name = shown(name);
            return Err(ImportError::Duplicate { line, name });
        }
        columns.push(place);
    }
    for name in ["address", "label"] {
        if !columns.contains(&place(name, line)?) {
            return Err(no_column(name));
        }
    }
    Ok(columns)
}

/// Records one after the other, each in the same memory.
struct Records<'a> {
    reader: Reader,
    rest: &'a [u8],
    fields: Vec<u8>,
    ends: [usize; MAX_COLUMNS],
}

impl<'a> Records<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            reader: Reader::new(),
            rest: text.as_bytes(),
            fields: vec![0; MAX_VALUE],
            ends: [0; MAX_COLUMNS],
        }
    }

    /// The line where the next record begins, and its fields.
    fn next(&mut self) -> Result<Option<(u64, impl Iterator<Item = &str>)>, ImportError> {
        let line = self.reader.line();
        let (mut written, mut ended) = (0, 0);
        loop {
            let (result, read, wrote, ends) = self.reader.read_record(
                self.rest,
                self.fields.get_mut(written..).unwrap_or_default(),
                self.ends.get_mut(ended..).unwrap_or_default(),
            );
            self.rest = self.rest.get(read..).unwrap_or_default();
            written += wrote;
            ended += ends;
            match result {
                // With nothing left to read the reader ends the record, or the file.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => return Err(ImportError::LongValue { line }),
                ReadRecordResult::OutputEndsFull => return Err(ImportError::ManyMembers { line }),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        let starts = [0].into_iter().chain(self.ends);
        let ranges = starts.zip(self.ends).take(ended);
        let fields = &self.fields;
        Ok(Some((
            line,
            // The whole file is UTF-8, and fields are cut at ASCII.
            ranges.map(|(start, end)| {
                let field = fields.get(start..end).unwrap_or_default();
                core::str::from_utf8(field).unwrap_or_default()
            }),
        )))
    }
}
