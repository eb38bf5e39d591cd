//! Comma-separated values.

use super::{Fault, MAX_ROW, Rows, absence};
use crate::mapping::{Mapping, Members, Noted};
use crate::row::Row;
use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::rc::Rc;

pub(super) struct Csv<'a, R> {
    reader: Reader<Bounded<R>>,
    allowance: Rc<Cell<u64>>,
    mapping: &'a Mapping,
    names: Option<BTreeMap<String, usize>>,
    record: ByteRecord,
    number: u64,
    noted: Noted,
}

impl<'a, R: Read> Csv<'a, R> {
    pub(super) fn new(file: R, mapping: &'a Mapping, first: u64) -> Self {
        let allowance = Rc::new(Cell::new(0));
        let bounded = Bounded {
            file,
            allowance: Rc::clone(&allowance),
        };
        let reader = ReaderBuilder::new()
            .delimiter(mapping.delimiter())
            // Of CR LF the CR is a space at the last member's end: lines are counted by their LF.
            .terminator(Terminator::Any(b'\n'))
            .has_headers(false)
            .flexible(true)
            .from_reader(bounded);
        Self {
            reader,
            allowance,
            mapping,
            names: None,
            record: ByteRecord::new(),
            number: first.saturating_sub(1),
            noted: Noted::default(),
        }
    }

    /// Whether there is one more record, empty lines left out.
    fn record(&mut self) -> Result<bool, Fault> {
        loop {
            self.allowance.set(MAX_ROW);
            let read = self.reader.read_byte_record(&mut self.record);
            let is_one = read.map_err(|error| {
                let (line, why) = (self.line(), error.to_string());
                Fault::File { line, why }
            })?;
            if !is_one || !is_empty(&self.record) {
                return Ok(is_one);
            }
        }
    }

    /// The line in which the record begins. The reader's own is that of the empty lines before it, where there are any.
    fn line(&self) -> u64 {
        let begin = self.record.position().map_or(1, csv::Position::line);
        let inside = self.record.as_slice().iter().filter(|byte| **byte == b'\n');
        let end = self.reader.position().line();
        begin.max(end.saturating_sub(1 + inside.count() as u64))
    }

    /// The first line, which names the columns.
    fn head(&mut self) -> Result<(), Fault> {
        if !self.record()? {
            return Ok(());
        }
        let names = self.record.iter().zip(0..);
        let names: BTreeMap<String, usize> = names
            .map(|(name, at)| (lossy(name).trim().to_owned(), at))
            .collect();
        let all = names.keys().filter(|name| !name.is_empty()).cloned();
        let (columns, absent) = self.mapping.columns(&all.collect());
        if !absent.is_empty() {
            let text: Vec<_> = self.record.iter().map(lossy).collect();
            let delimiter = char::from(self.mapping.delimiter());
            return Err(Fault::Columns {
                what: absence::of_a_head(&absent, &text, delimiter),
            });
        }
        self.noted.columns = columns;
        self.names = Some(names);
        Ok(())
    }
}

impl<R: Read> Rows for Csv<'_, R> {
    fn row(&mut self) -> Result<Option<Row>, Fault> {
        if self.names.is_none() {
            self.head()?;
        }
        if !self.record()? {
            return Ok(None);
        }
        self.number += 1;
        let line = self.line();
        let named = Named {
            names: self.names.as_ref(),
            record: &self.record,
        };
        let row = self.mapping.row(self.number, &named, &mut self.noted);
        match row {
            Ok(row) => Ok(Some(Row { line, ..row })),
            Err(fault) => {
                let id = self.mapping.id(&named);
                Err(Fault::Row { line, id, fault })
            }
        }
    }

    fn noted(&mut self) -> &mut Noted {
        &mut self.noted
    }
}

fn is_empty(record: &ByteRecord) -> bool {
    record.len() < 2 && record.as_slice().trim_ascii().is_empty()
}

struct Named<'a> {
    names: Option<&'a BTreeMap<String, usize>>,
    record: &'a ByteRecord,
}

impl Members for Named<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let at = self.names?.get(name)?;
        // A row that ends early says nothing there, and not that there is no such column.
        Some(self.record.get(*at).map_or(Cow::Borrowed(""), lossy))
    }
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// A file of which so many bytes are read for one row, and no more.
struct Bounded<R> {
    file: R,
    allowance: Rc<Cell<u64>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.allowance.get();
        if left == 0 {
            return Err(io::Error::other("a row of over 1 MiB: is a quote missing?"));
        }
        let read = self.file.read(buffer)?;
        self.allowance.set(left.saturating_sub(read as u64));
        Ok(read)
    }
}
