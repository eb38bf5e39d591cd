//! Rows in, judged; the report out.

use crate::failure::{Exit, Failure};
use crate::out::warn;
use portcullis_shadow::report::Faults;
use portcullis_shadow::{
    Answer, Fault, Form, Mapping, Read, Report, Row, Shadow, SortError, Sorter, Terms,
};
use std::fs::File;
use std::io::Read as IoRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often it says how far it is.
const SAYS: Duration = Duration::from_secs(5);

/// Everything that was read so far, and what came of it.
pub(super) struct Desk {
    mapping: Arc<Mapping>,
    shadow: Shadow,
    faults: Faults,
    cut: Vec<String>,
    rows: u64,
    said: Instant,
}

impl Desk {
    pub(super) fn new(mapping: Mapping, terms: Terms) -> Self {
        Self {
            mapping: Arc::new(mapping),
            shadow: Shadow::new(terms),
            faults: Faults::default(),
            cut: Vec::new(),
            rows: 0,
            said: Instant::now(),
        }
    }

    /// Read these files as one, and judge their rows in the order of their times.
    pub(super) fn read(&mut self, files: &[PathBuf]) -> Result<(), Failure> {
        let mut sorter = Sorter::default();
        for path in files {
            let form = Form::of(&path.to_string_lossy());
            if path == Path::new("-") {
                self.gather(&mut sorter, path, form, std::io::stdin().lock())?;
            } else {
                let file = File::open(path).map_err(|error| super::unreadable(path, &error))?;
                self.gather(&mut sorter, path, form, file)?;
            }
        }
        let sorted = sorter.sorted().map_err(|error| unsorted(&error))?;
        for (row, judged) in sorted.zip(1_u64..) {
            self.shadow.take(row.map_err(|error| unsorted(&error))?);
            self.say(|rows| format!("{judged} of {rows} rows judged"));
        }
        Ok(())
    }

    fn gather(
        &mut self,
        sorter: &mut Sorter,
        path: &Path,
        form: Form,
        file: impl IoRead,
    ) -> Result<(), Failure> {
        let mapping = Arc::clone(&self.mapping);
        for row in Read::new(form, file, &mapping, self.rows + 1) {
            let row = self.count(row, || path.display().to_string());
            if let Some(row) = row {
                sorter.push(row).map_err(|error| unsorted(&error))?;
            }
            self.say(|rows| format!("{rows} rows read, in {}", path.display()));
        }
        Ok(())
    }

    /// Judge copies of withdrawals as they come: JSON objects, one on each line.
    pub(super) fn copy(&mut self, body: &[u8]) -> Vec<Answer> {
        let mapping = Arc::clone(&self.mapping);
        let mut answers = Vec::new();
        for row in Read::new(Form::JsonLines, body, &mapping, self.rows + 1) {
            let why = row.as_ref().err().map(ToString::to_string);
            answers.push(match self.count(row, || "a copy".into()) {
                Some(row) => self.shadow.take(row),
                None => Answer::unread(why.unwrap_or_default()),
            });
        }
        answers
    }

    fn count(&mut self, row: Result<Row, Fault>, of: impl Fn() -> String) -> Option<Row> {
        match row {
            Ok(row) => {
                self.rows += 1;
                return Some(row);
            }
            Err(fault) if fault.is_of_the_file() => self.cut.push(format!("{}: {fault}", of())),
            Err(fault) => {
                self.rows += 1;
                self.faults.add(&fault);
            }
        }
        None
    }

    fn say(&mut self, what: impl Fn(u64) -> String) {
        if self.said.elapsed() >= SAYS {
            self.said = Instant::now();
            warn(what(self.rows));
        }
    }

    /// How many rows there were, those included that could not be read.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// As far as it is.
    pub(super) fn report(&self) -> Report {
        let mut report = self.shadow.report();
        report.faults = self.faults.clone();
        report.cut.clone_from(&self.cut);
        report
    }
}

fn unsorted(error: &SortError) -> Failure {
    Failure::new(
        Exit::Stopped,
        error,
        "no report was written; what was read is unharmed",
    )
}
