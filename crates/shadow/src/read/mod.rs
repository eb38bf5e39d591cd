//! Rows out of files.

mod absence;
mod csv;
mod json;
mod kind;
mod text;

use crate::mapping::{Mapping, Noted, RowFault};
use crate::row::Row;
use std::io::{BufRead as _, BufReader, Read as IoRead};

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

    /// By how a file without a name begins: no first line of names begins like an object.
    #[must_use]
    pub fn of_head(head: &[u8]) -> Self {
        match head.trim_ascii_start().first() {
            Some(b'{' | b'[') => Self::JsonLines,
            _ => Self::Csv,
        }
    }
}

/// Why a row is none, or a file is not read on. Lines are counted from 1.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// This row alone.
    #[error("{fault}")]
    Row {
        /// Which line.
        line: u64,
        /// The platform's name for it; empty where it has none.
        id: String,
        /// Why.
        fault: RowFault,
    },
    /// This row alone: it is not of the file's form.
    #[error("is no row: {why}")]
    Form {
        /// Which line.
        line: u64,
        /// Why.
        why: String,
    },
    /// The file, from here on.
    #[error("cannot be read on: {why}")]
    File {
        /// In which line.
        line: u64,
        /// Why.
        why: String,
    },
    /// The file: it is something else.
    #[error("{what}")]
    Kind {
        /// What, and what to do about it.
        what: &'static str,
    },
    /// The file: it has not the columns that it should have.
    #[error("{what}")]
    Columns {
        /// Which, those that it has, and what to do about it.
        what: String,
    },
}

impl Fault {
    /// Whether nothing more can be read.
    #[must_use]
    pub const fn is_of_the_file(&self) -> bool {
        !matches!(self, Self::Row { .. } | Self::Form { .. })
    }

    /// Where it is, where it is not the whole file.
    #[must_use]
    pub const fn line(&self) -> Option<u64> {
        match self {
            Self::Row { line, .. } | Self::Form { line, .. } | Self::File { line, .. } => {
                Some(*line)
            }
            Self::Kind { .. } | Self::Columns { .. } => None,
        }
    }

    /// What is wrong, whatever the value: many rows have it in common.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Self::Row { fault, .. } => fault.kind(),
            Self::Form { .. } => "is not of the file’s form".into(),
            other => other.to_string(),
        }
    }

    /// What to do about it, where its text does not say so.
    #[must_use]
    pub const fn next(&self) -> &'static str {
        match self {
            Self::Row { fault, .. } => fault.next(),
            Self::Form { .. } => "put each object on a line of its own: jq -c . FILE > FILE.jsonl",
            Self::File { .. } => "see that the file is whole, and named by its form (.csv, .jsonl)",
            Self::Kind { .. } | Self::Columns { .. } => "",
        }
    }

    /// The platform's name for the row; empty where it has none.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Row { id, .. } => id,
            _ => "",
        }
    }

    /// With where it stands: `FILE:LINE says no amount`.
    #[must_use]
    pub fn at(&self, file: &str) -> String {
        match self.line() {
            Some(line) => format!("{file}:{line} {self}"),
            None => format!("{file} {self}"),
        }
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

    /// What was met so far.
    fn noted(&mut self) -> &mut Noted;
}

impl<'a> Read<'a> {
    /// Those of a file, whose rows are numbered from `first` on.
    pub fn new(form: Form, file: impl IoRead + 'a, mapping: &'a Mapping, first: u64) -> Self {
        let mut file = BufReader::new(file);
        // What cannot be read here cannot be read below, either, and is said there.
        let head = file.fill_buf().unwrap_or_default();
        if let Some(what) = kind::of_something_else(head, form) {
            return Self::of(SomethingElse(what, Noted::default()));
        }
        let file = text::decoded(file, mapping.encoding());
        match form {
            Form::Csv => Self::of(csv::Csv::new(file, mapping, first)),
            Form::JsonLines => Self::of(json::JsonLines::new(file, mapping, first, false)),
        }
    }

    /// Those of a copy: JSON objects, one on each line, each of which may leave out what is not needed.
    #[must_use]
    pub fn copies(body: &'a [u8], mapping: &'a Mapping, first: u64) -> Self {
        let file = text::decoded(body, mapping.encoding());
        Self::of(json::JsonLines::new(file, mapping, first, true))
    }

    fn of(rows: impl Rows + 'a) -> Self {
        Self {
            rows: Box::new(rows),
            is_over: false,
        }
    }

    /// What was met besides, so far.
    pub fn noted(&mut self) -> Noted {
        std::mem::take(self.rows.noted())
    }
}

/// A file that has no rows.
struct SomethingElse(&'static str, Noted);

impl Rows for SomethingElse {
    fn row(&mut self) -> Result<Option<Row>, Fault> {
        Err(Fault::Kind { what: self.0 })
    }

    fn noted(&mut self) -> &mut Noted {
        &mut self.1
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
                Err(fault) => faults.push(fault.at("f")),
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
        assert_eq!((rows[1].number, rows[1].line), (4, 5));
        assert_eq!(
            faults,
            [
                "f:3 says no amount",
                "f:4 its time \"soon\" is no time that is understood"
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

    /// An editor's line numbers, whatever ends the lines and whatever stands between them.
    #[test]
    fn lines_are_counted_as_editors_count_them() {
        for end in ["\n", "\r\n"] {
            let lines = [
                HEAD.trim(),
                "",
                "1642410123,a,ETH,1,x",
                "1642410124,b,ETH,1,\"x",
                "y\"",
                "",
                "",
                "soon,c,ETH,1,x",
                "1642410126,d,ETH,1,x",
            ];
            for last in [end, ""] {
                let text = format!("{}{last}", lines.join(end));
                let (rows, faults) = read(Form::Csv, text.as_bytes(), "");
                let at: Vec<u64> = rows.iter().map(|row| row.line).collect();
                assert_eq!(at, [3, 4, 9], "{text:?}");
                assert_eq!(
                    faults,
                    ["f:8 its time \"soon\" is no time that is understood"]
                );
            }
        }
    }

    #[test]
    fn all_columns_that_are_missing_are_said_at_once_with_those_that_there_are() {
        let says = |form, text: &str, mapping, parts: &[&str]| {
            let (rows, faults) = read(form, text.as_bytes(), mapping);
            let last = faults.last().unwrap();
            assert!(rows.is_empty(), "{rows:?}");
            for part in parts {
                assert!(last.contains(part), "{part}: {faults:?}");
            }
        };
        let mapped = "[columns]\naccount = \"user\"\nfactor = \"mfa\"";
        let text = format!("{HEAD}1642410123,a,ETH,1,x\n");
        says(
            Form::Csv,
            &text,
            mapped,
            &["\"user\" (account), \"mfa\" (factor)", "\"account\""],
        );
        let semicolons = text.replace(',', ";");
        says(
            Form::Csv,
            &semicolons,
            "",
            &["\"time\", \"account\"", "delimiter = \";\""],
        );
        let object = r#"{"time":1642410123,"user":{"name":"a"},"asset":"ETH","amount":"1"}"#;
        says(
            Form::JsonLines,
            &format!("{object}\n"),
            "columns = { account = \"user.id\" }",
            &["\"user.id\" (account), \"to\"", "\"user.name\""],
        );
    }

    /// What most exports leave out where it is empty is looked for in a thousand rows.
    #[test]
    fn a_member_that_some_rows_have_is_there() {
        let row = |more: &str| {
            format!(
                "{{\"time\":1642410123,\"account\":\"a\",\"asset\":\"ETH\",\"amount\":\"1\",\"to\":\"x\"{more}}}\n"
            )
        };
        let mapping = "columns = { tag = \"memo\" }";
        let tagged = [row("").repeat(999), row(",\"memo\":\"7\""), row("")].concat();
        let (rows, faults) = read(Form::JsonLines, tagged.as_bytes(), mapping);
        assert_eq!((rows.len(), faults.len()), (1_001, 0), "{faults:?}");
        let (_, faults) = read(Form::JsonLines, row("").repeat(2_000).as_bytes(), mapping);
        assert_eq!(faults.len(), 1, "{faults:?}");
        let parsed = Mapping::parse(mapping).unwrap();
        assert!(Read::copies(row("").as_bytes(), &parsed, 1).all(|row| row.is_ok()));
    }

    #[test]
    fn files_of_something_else_say_what_makes_rows_of_them() {
        for (form, bytes, part) in [
            (Form::JsonLines, &b"[\n{}]"[..], "jq -c '.[]'"),
            (Form::Csv, b" {\"time\":1}", ".jsonl"),
            (Form::Csv, b"\x1f\x8b\x08\x00", "gunzip"),
            (Form::Csv, b"PK\x03\x04", "save it as CSV"),
        ] {
            let (rows, faults) = read(form, bytes, "");
            assert_eq!((rows.len(), faults.len()), (0, 1), "{faults:?}");
            assert!(faults[0].contains(part), "{faults:?}");
        }
        let (_, faults) = read(Form::JsonLines, b"{\n\"time\": 1\n}\n", "");
        assert_eq!(faults.len(), 3, "{faults:?}");
    }

    #[test]
    fn amounts_are_read_as_the_mapping_says_and_numbers_of_json_as_json_does() {
        let text = format!("{HEAD}1642410123,a,ETH,\"1.234,5\",x\n1642410123,a,ETH,1e-05,x\n");
        let marks = "decimal = \",\"\nthousands = \".\"";
        let (rows, faults) = read(Form::Csv, text.as_bytes(), marks);
        let amounts: Vec<String> = rows.iter().map(|row| row.amount.in_units(18)).collect();
        assert_eq!(amounts, ["1234.5", "0.00001"], "{faults:?}");
        let object = r#"{"time":1642410123,"account":"a","asset":"ETH","amount":1.5,"to":"x"}"#;
        let (rows, faults) = read(Form::JsonLines, object.as_bytes(), marks);
        assert_eq!(rows.len(), 1, "{faults:?}");
        let (_, faults) = read(
            Form::Csv,
            format!("{HEAD}1642410123,a,ETH,\"1,5\",x\n").as_bytes(),
            "",
        );
        assert_eq!(faults.len(), 1);
    }
}
