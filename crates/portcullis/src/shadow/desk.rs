//! Rows in, judged; the report out.

use crate::failure::{Exit, Failure};
use crate::out::warn;
use portcullis_shadow::mapping::Noted;
use portcullis_shadow::report::{Faults, RowsFile};
use portcullis_shadow::{
    Answer, Fault, Form, Mapping, Read, Report, Row, Shadow, SortError, Sorter, Terms,
};
use std::fs::File;
use std::io::{BufRead as _, BufWriter, Read as IoRead};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// How often it says how far it is.
const SAYS: Duration = Duration::from_secs(5);
/// What copies over HTTP are called where files are named.
const COPIES: &str = "a copy";

/// Everything that was read so far, and what came of it.
pub(super) struct Desk {
    mapping: Arc<Mapping>,
    shadow: Shadow,
    noted: Noted,
    faults: Faults,
    cut: Vec<String>,
    files: Vec<String>,
    rows: u64,
    said: Instant,
}

/// Where rows go that would be held or refused.
pub(super) type Stopped = RowsFile<BufWriter<NamedTempFile>>;

impl Desk {
    pub(super) fn new(mapping: Mapping, terms: Terms) -> Self {
        Self {
            mapping: Arc::new(mapping),
            shadow: Shadow::new(terms),
            noted: Noted::default(),
            faults: Faults::default(),
            cut: Vec::new(),
            files: Vec::new(),
            rows: 0,
            said: Instant::now(),
        }
    }

    /// Read these files as one, and judge their rows in the order of their times.
    pub(super) fn read(
        &mut self,
        files: &[PathBuf],
        mut stopped: Option<&mut Stopped>,
    ) -> Result<(), Failure> {
        let mut sorter = Sorter::default();
        for path in files {
            if path == Path::new("-") {
                let mut input = std::io::stdin().lock();
                let head = input.fill_buf();
                let head = head.map_err(|error| super::unreadable(path, &error))?;
                let form = Form::of_head(head);
                self.gather(&mut sorter, path, form, input)?;
            } else {
                let form = Form::of(&path.to_string_lossy());
                let file = File::open(path).map_err(|error| super::unreadable(path, &error))?;
                self.gather(&mut sorter, path, form, file)?;
            }
        }
        let sorted = sorter.sorted().map_err(|error| unsorted(&error))?;
        for (row, judged) in sorted.zip(1_u64..) {
            let row = row.map_err(|error| unsorted(&error))?;
            match &mut stopped {
                Some(stopped) => self.judge_into(row, stopped)?,
                None => drop(self.shadow.take(row)),
            }
            self.say(|rows| format!("{judged} of {rows} rows judged"));
        }
        Ok(())
    }

    fn judge_into(&mut self, row: Row, stopped: &mut Stopped) -> Result<(), Failure> {
        let (file, line, account) = (row.file, row.line, row.account.clone());
        let answer = self.shadow.take(row);
        let file = usize::try_from(file).ok().and_then(|at| self.files.get(at));
        let file = file.map_or("", String::as_str);
        stopped
            .add(file, line, &account, &answer)
            .map_err(|error| super::unwritten(&error))
    }

    fn gather(
        &mut self,
        sorter: &mut Sorter,
        path: &Path,
        form: Form,
        file: impl IoRead,
    ) -> Result<(), Failure> {
        let mapping = Arc::clone(&self.mapping);
        let (name, at) = self.begin(path.display().to_string());
        let mut read = Read::new(form, file, &mapping, self.rows + 1);
        for row in read.by_ref() {
            if let Err(fault @ (Fault::Columns { .. } | Fault::Kind { .. })) = &row
                && at == 0
            {
                return Err(super::no_withdrawals(&fault.at(&name)));
            }
            if let Some(row) = self.count(row, &name) {
                let row = Row { file: at, ..row };
                sorter.push(row).map_err(|error| unsorted(&error))?;
            }
            self.say(|rows| format!("{rows} rows read, in {name}"));
        }
        self.noted.add(read.noted());
        Ok(())
    }

    /// One more file, with its place among them.
    fn begin(&mut self, name: String) -> (String, u32) {
        let at = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        self.files.push(name.clone());
        (name, at)
    }

    /// Judge copies of withdrawals as they come: JSON objects, one on each line.
    pub(super) fn copy(&mut self, body: &[u8]) -> Vec<Answer> {
        let mapping = Arc::clone(&self.mapping);
        let place = self.files.iter().position(|name| name == COPIES);
        let at = place.and_then(|at| u32::try_from(at).ok());
        let at = at.unwrap_or_else(|| self.begin(COPIES.to_owned()).1);
        let mut answers = Vec::new();
        let mut read = Read::copies(body, &mapping, self.rows + 1);
        for row in read.by_ref() {
            let unread = row.as_ref().err().map(unread);
            answers.push(match (self.count(row, COPIES), unread) {
                (Some(row), _) => self.shadow.take(Row { file: at, ..row }),
                (None, unread) => {
                    unread.unwrap_or_else(|| Answer::unread(String::new(), String::new()))
                }
            });
        }
        self.noted.add(read.noted());
        answers
    }

    fn count(&mut self, row: Result<Row, Fault>, of: &str) -> Option<Row> {
        match row {
            Ok(row) => {
                self.rows += 1;
                return Some(row);
            }
            Err(fault) if fault.is_of_the_file() => self.cut.push(fault.at(of)),
            Err(fault) => {
                self.rows += 1;
                self.faults.add(of, &fault);
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
        report.of_files(self.files.clone(), &self.mapping, &self.noted)
    }
}

/// The answer to a row that is none: what is wrong, and what to do.
fn unread(fault: &Fault) -> Answer {
    let why = match fault.next() {
        "" => fault.to_string(),
        next => format!("{fault}; {next}"),
    };
    Answer::unread(fault.id().to_owned(), why)
}

fn unsorted(error: &SortError) -> Failure {
    Failure::new(
        Exit::Stopped,
        error,
        "no report was written; what was read is unharmed",
    )
}
