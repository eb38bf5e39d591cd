//! Comma-separated values.

use super::{Fault, MAX_ROW, Rows};
use crate::mapping::{Mapping, Members};
use crate::row::Row;
use csv::{ByteRecord, Reader, ReaderBuilder};
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
        }
    }

    /// Whether there is one more record.
    fn record(&mut self) -> Result<bool, Fault> {
        self.allowance.set(MAX_ROW);
        self.reader
            .read_byte_record(&mut self.record)
            .map_err(|error| {
                let (number, why) = (self.number, error.to_string());
                Fault::File { number, why }
            })
    }
}

impl<R: Read> Rows for Csv<'_, R> {
    fn row(&mut self) -> Result<Option<Row>, Fault> {
        if self.names.is_none() && self.record()? {
            let names = self.record.iter().enumerate();
            let names = names.map(|(at, name)| (lossy(name).trim().to_owned(), at));
            self.names = Some(names.collect());
        }
        if !self.record()? {
            return Ok(None);
        }
        self.number += 1;
        let number = self.number;
        let named = Named {
            names: self.names.as_ref(),
            record: &self.record,
        };
        let row = self.mapping.row(number, &named);
        row.map(Some).map_err(|fault| Fault::Row { number, fault })
    }
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
