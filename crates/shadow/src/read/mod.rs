//! Rows out of files.

mod csv;
mod json;
mod text;

use crate::mapping::{Mapping, RowFault};
use crate::row::Row;
use std::io::Read as IoRead;

/// Most bytes of one row: more is a quote that was never closed, or no such file.
const MAX_ROW: u64 = 1 << 20;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated values (RFC 4180) with a first line of names.
    Csv,
    /// A JSON object on each line.
    JsonLines,
}

impl Form {
    /// By the end of the file's name; CSV where it says nothing.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let json = [".jsonl", ".ndjson", ".json"];
        if json.iter().any(|end| name.ends_with(end)) {
            Self::JsonLines
        } else {
            Self::Csv
        }
    }
}

/// Why a row is none, or a file is not read on.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// This row alone.
    #[error("row {number} {fault}")]
    Row {
        /// Which one.
        number: u64,
        /// Why.
        fault: RowFault,
    },
    /// This row alone: it is not of the file's form.
    #[error("row {number} is no row: {why}")]
    Form {
        /// Which one.
        number: u64,
        /// Why.
        why: String,
    },
    /// The file, from here on.
    #[error("cannot be read on after row {number}: {why}")]
    File {
        /// The last one before.
        number: u64,
        /// Why.
        why: String,
    },
}

impl Fault {
    /// Whether nothing more can be read.
    #[must_use]
    pub const fn is_of_the_file(&self) -> bool {
        matches!(self, Self::File { .. })
    }
}

/// Rows, one after the other; each that cannot be read says why.
pub struct Read<'a> {
    rows: Box<dyn Rows + 'a>,
    is_over: bool,
}

/// Rows of one form.
trait Rows {
    /// The next one; none at the file's end.
    fn row(&mut self) -> Result<Option<Row>, Fault>;
}

impl<'a> Read<'a> {
    /// Those of a file, whose rows are numbered from `first` on.
    pub fn new(form: Form, file: impl IoRead + 'a, mapping: &'a Mapping, first: u64) -> Self {
        let file = text::decoded(file, mapping.encoding());
        let rows: Box<dyn Rows + 'a> = match form {
            Form::Csv => Box::new(csv::Csv::new(file, mapping, first)),
            Form::JsonLines => Box::new(json::JsonLines::new(file, mapping, first)),
        };
        Self {
            rows,
            is_over: false,
        }
    }
}

impl Iterator for Read<'_> {
    type Item = Result<Row, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let row = self.rows.row();
        self.is_over = row.as_ref().is_err_and(Fault::is_of_the_file);
        row.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "time,account,asset,amount,to\n";

    fn read(form: Form, bytes: &[u8], mapping: &str) -> (Vec<Row>, Vec<String>) {
        let mapping = Mapping::parse(mapping).unwrap();
        let (mut rows, mut faults) = (Vec::new(), Vec::new());
        for row in Read::new(form, bytes, &mapping, 1) {
            match row {
                Ok(row) => rows.push(row),
                Err(fault) => faults.push(fault.to_string()),
            }
        }
        (rows, faults)
    }

    fn accounts(rows: &[Row]) -> Vec<&str> {
        rows.iter().map(|row| &*row.account).collect()
    }

    #[test]
    fn a_bad_row_leaves_the_others_alone() {
        let text = format!(
            "{HEAD}1642410123,a,ETH,1,x\n1642410124,b,ETH\nsoon,c,ETH,1,x\n1642410125,d,ETH,1,\"x\ny\"\n"
        );
        let (rows, faults) = read(Form::Csv, text.as_bytes(), "");
        assert_eq!(accounts(&rows), ["a", "d"]);
        assert_eq!(rows[1].number, 4);
        assert_eq!(
            faults,
            [
                "row 2 says no amount",
                "row 3 its time is no time that is understood"
            ]
        );
        let text = "{\"time\":1642410123,\"account\":\"a\",\"asset\":\"ETH\",\"amount\":\"1\",\"to\":\"x\"}\n\n[]\n{\"time\"\n\
                    {\"time\":1642410123,\"account\":7,\"asset\":\"ETH\",\"amount\":0.5,\"to\":\"x\"}";
        let (rows, faults) = read(Form::JsonLines, text.as_bytes(), "");
        assert_eq!(accounts(&rows), ["a", "7"]);
        assert_eq!(faults.len(), 2, "{faults:?}");
    }

    #[test]
    fn members_of_members_are_named_by_a_path() {
        let text = r#"{"time":1642410123,"user":{"id":"a"},"asset":"ETH","amount":"1","to":"x"}"#;
        let (rows, _) = read(
            Form::JsonLines,
            text.as_bytes(),
            "columns = { account = \"user.id\" }",
        );
        assert_eq!(accounts(&rows), ["a"]);
    }

    #[test]
    fn a_file_that_is_cut_is_read_to_there() {
        let text = format!("{HEAD}1642410123,a,ETH,1,x\n1642410124,b,ET");
        let (rows, faults) = read(Form::Csv, text.as_bytes(), "");
        assert_eq!((rows.len(), faults.len()), (1, 1));
    }

    #[test]
    fn encodings_are_told_by_a_mark_or_by_the_mapping() {
        let text = format!("{HEAD}1642410123,日本,ETH,1,x\n");
        let utf16: Vec<u8> = [0xff_u8, 0xfe]
            .into_iter()
            .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        let (japanese, ..) = encoding_rs::SHIFT_JIS.encode(&text);
        let marked = ["\u{feff}".as_bytes(), text.as_bytes()].concat();
        for (bytes, mapping) in [
            (text.as_bytes(), ""),
            (&utf16, ""),
            (&marked, ""),
            (&japanese, "encoding = \"shift_jis\""),
        ] {
            let (rows, faults) = read(Form::Csv, bytes, mapping);
            assert_eq!(accounts(&rows), ["日本"], "{faults:?}");
        }
        let (rows, faults) = read(Form::Csv, &japanese, "");
        assert_eq!((rows.len(), faults.len()), (0, 1), "{faults:?}");
    }

    /// A quote that is never closed would take the whole file for one member.
    #[test]
    fn a_row_without_an_end_is_not_waited_for() {
        for (form, begin) in [
            (Form::Csv, format!("{HEAD}1642410123,\"a")),
            (Form::JsonLines, "{\"a\":\"".into()),
        ] {
            let endless = begin.as_bytes().chain(std::io::repeat(b'x'));
            let mapping = Mapping::parse("").unwrap();
            let faults: Vec<Fault> = Read::new(form, endless, &mapping, 1)
                .filter_map(Result::err)
                .collect();
            assert!(faults.last().unwrap().is_of_the_file(), "{faults:?}");
        }
    }
}
