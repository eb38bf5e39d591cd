//! The rows that would have been held or refused, as a table.

use crate::judge::{Answer, Would};
use csv::{Writer, WriterBuilder};
use std::borrow::Cow;
use std::io::{self, Write};

/// A file of comma-separated values (RFC 4180), of which a spreadsheet computes nothing.
pub struct RowsFile<W: Write>(Writer<W>);

impl<W: Write> RowsFile<W> {
    /// With its first line.
    pub fn new(file: W) -> io::Result<Self> {
        let mut writer = WriterBuilder::new().from_writer(file);
        writer.write_record(["file", "line", "id", "account", "verdict", "grounds"])?;
        Ok(Self(writer))
    }

    /// One more, where it would not have gone out at once and has not stood there before.
    pub fn add(&mut self, file: &str, line: u64, account: &str, answer: &Answer) -> io::Result<()> {
        if answer.again || matches!(answer.would, Would::GoOut | Would::Unread) {
            return Ok(());
        }
        let grounds: Vec<&str> = answer.grounds.iter().map(|ground| ground.name()).collect();
        let (line, grounds) = (line.to_string(), grounds.join(" "));
        let cells = [
            file,
            &line,
            &answer.id,
            account,
            answer.would.name(),
            &grounds,
        ];
        Ok(self
            .0
            .write_record(cells.map(|cell| harmless(cell).into_owned()))?)
    }

    /// The file, whole.
    pub fn end(self) -> io::Result<W> {
        self.0.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// Spreadsheets take a cell that begins like this for a formula (CWE-1236).
fn harmless(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Ground;
    use portcullis_core::Span;
    use portcullis_core::behaviour::Company;

    #[test]
    fn what_is_held_or_refused_stands_in_it_and_nothing_is_a_formula() {
        let answer = |id: &str, grounds: Vec<Ground>| Answer {
            id: id.into(),
            would: Would::by(&grounds),
            grounds,
            unread: None,
            again: false,
            company: Company::QUIET,
        };
        let mut rows = RowsFile::new(Vec::new()).unwrap();
        let held = vec![Ground::NewAddress(Span(1)), Ground::Passkey];
        rows.add("a.csv", 2, "@a", &answer("=1+1", held)).unwrap();
        rows.add("a.csv", 3, "a", &answer("w", Vec::new())).unwrap();
        rows.add("a.csv", 4, "a,\"b", &answer("-1", vec![Ground::NoFactor]))
            .unwrap();
        let again = Answer {
            again: true,
            ..answer("w", vec![Ground::NoFactor])
        };
        rows.add("a.csv", 5, "a", &again).unwrap();
        let text = String::from_utf8(rows.end().unwrap()).unwrap();
        let want = "file,line,id,account,verdict,grounds\n\
                    a.csv,2,'=1+1,'@a,be-held,new-address passkey\n\
                    a.csv,4,'-1,\"a,\"\"b\",be-refused,no-factor\n";
        assert_eq!(text, want);
    }
}
