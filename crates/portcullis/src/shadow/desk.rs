//! Rows in, judged; the report out.

use crate::failure::{Exit, Failure};
use crate::out::warn;
use portcullis_host::{Clock as _, SystemClock};
use portcullis_shadow::mapping::Noted;
use portcullis_shadow::report::{Faults, RowsFile};
use portcullis_shadow::{
    Answer, Fault, Form, Mapping, Read, Report, Row, Shadow, SortError, Sorter, Terms,
};
use std::fs::File;
use std::io::{BufRead as _, BufWriter, Read as IoRead};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// How often it says how far it is.
const SAYS: Duration = Duration::from_secs(5);
/// What copies over HTTP are called where files are named.
const COPIES: &str = "a copy";

/// Everything that was read so far, and what came of it. Whoever reads files holds it for one row at a time, so that
/// copies are answered beside them.
pub(super) struct Desk {
    mapping: Arc<Mapping>,
    /// Rows are of now: none is of a time to come.
    is_live: bool,
    ends: AtomicBool,
    read: Mutex<All>,
}

/// What was read so far.
struct All {
    shadow: Shadow,
    noted: Noted,
    faults: Faults,
    cut: Vec<String>,
    files: Vec<String>,
    /// Those that are being read.
    unfinished: Vec<String>,
    rows: u64,
    said: Instant,
}

/// A file, and how many of its rows were taken before.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) path: PathBuf,
    pub(super) read: u64,
}

impl Part {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, read: 0 }
    }
}

/// Where rows go that would be held or refused.
pub(super) type Stopped = RowsFile<BufWriter<NamedTempFile>>;

impl Desk {
    pub(super) fn new(mapping: Mapping, terms: Terms, is_live: bool) -> Self {
        Self {
            mapping: Arc::new(mapping),
            is_live,
            ends: AtomicBool::new(false),
            read: Mutex::new(All {
                shadow: Shadow::new(terms),
                noted: Noted::default(),
                faults: Faults::default(),
                cut: Vec::new(),
                files: Vec::new(),
                unfinished: Vec::new(),
                rows: 0,
                said: Instant::now(),
            }),
        }
    }

    /// Read these files as one, and judge their rows in the order of their times.
    pub(super) fn read(
        &self,
        parts: &mut [Part],
        mut stopped: Option<&mut Stopped>,
    ) -> Result<(), Failure> {
        let mut sorter = Sorter::default();
        for part in &mut *parts {
            self.read_part(&mut sorter, part, true)?;
        }
        self.judge(sorter, |all, row| match &mut stopped {
            Some(stopped) => all.judge_into(row, stopped),
            None => {
                all.shadow.take(row);
                Ok(())
            }
        })
    }

    /// The same of files that have come since: one that cannot be read is said, and the others go on.
    pub(super) fn read_more(&self, parts: &mut [Part]) -> Result<(), Failure> {
        let mut sorter = Sorter::default();
        for part in &mut *parts {
            if let Err(failure) = self.read_part(&mut sorter, part, false) {
                warn(failure.what());
                self.cut(failure.what().to_owned());
            }
        }
        self.judge(sorter, |all, row| {
            all.shadow.take(row);
            Ok(())
        })
    }

    fn read_part(
        &self,
        sorter: &mut Sorter,
        part: &mut Part,
        is_first: bool,
    ) -> Result<(), Failure> {
        let path = part.path.clone();
        if path == Path::new("-") {
            let mut input = std::io::stdin().lock();
            let head = input.fill_buf();
            let head = head.map_err(|error| super::unreadable(&path, &error))?;
            let form = Form::of_head(head);
            return self.gather(sorter, part, is_first, form, input);
        }
        let form = Form::of(&path.to_string_lossy());
        let file = File::open(&path).map_err(|error| super::unreadable(&path, &error))?;
        self.gather(sorter, part, is_first, form, file)
    }

    fn gather(
        &self,
        sorter: &mut Sorter,
        part: &mut Part,
        is_first: bool,
        form: Form,
        file: impl IoRead,
    ) -> Result<(), Failure> {
        let (name, at, first) = self.all().begin(part.path.display().to_string());
        self.all().unfinished.push(name.clone());
        let mut read = Read::new(form, file, &self.mapping, first);
        for (row, number) in read.by_ref().zip(1_u64..) {
            if self.is_ended() {
                break;
            }
            if number <= part.read {
                continue;
            }
            if let Err(fault @ (Fault::Columns { .. } | Fault::Kind { .. })) = &row
                && is_first
                && at == 0
            {
                return Err(super::no_withdrawals(&fault.at(&name)));
            }
            if !row.as_ref().is_err_and(Fault::is_of_the_file) {
                part.read = number;
            }
            if let Some(row) = self.all().count(self.checked(row), &name) {
                let row = Row { file: at, ..row };
                sorter.push(row).map_err(|error| unsorted(&error))?;
            }
            self.all()
                .say(|rows| format!("{rows} rows read, in {name}"));
        }
        self.all().noted.add(read.noted());
        Ok(())
    }

    fn judge(
        &self,
        sorter: Sorter,
        mut take: impl FnMut(&mut All, Row) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let sorted = sorter.sorted().map_err(|error| unsorted(&error))?;
        for (row, judged) in sorted.zip(1_u64..) {
            if self.is_ended() {
                break;
            }
            let row = row.map_err(|error| unsorted(&error))?;
            let mut all = self.all();
            take(&mut all, row)?;
            all.say(|rows| format!("{judged} of {rows} rows judged"));
        }
        if !self.is_ended() {
            self.all().unfinished.clear();
        }
        Ok(())
    }

    /// Judge copies of withdrawals as they come: JSON objects, one on each line.
    pub(super) fn copy(&self, body: &[u8]) -> Vec<Answer> {
        let mut all = self.all();
        let (_, at, first) = all.begin(COPIES.to_owned());
        let mut answers = Vec::new();
        let mut read = Read::copies(body, &self.mapping, first);
        for row in read.by_ref() {
            let row = self.checked(row);
            let unread = row.as_ref().err().map(unread);
            answers.push(match (all.count(row, COPIES), unread) {
                (Some(row), _) => all.shadow.take(Row { file: at, ..row }),
                (None, unread) => {
                    unread.unwrap_or_else(|| Answer::unread(String::new(), String::new()))
                }
            });
        }
        all.noted.add(read.noted());
        answers
    }

    /// One row of a time to come would make all that follow look late.
    fn checked(&self, row: Result<Row, Fault>) -> Result<Row, Fault> {
        let row = row?;
        let ahead = self.is_live.then(|| row.ahead_of(SystemClock.now()));
        ahead.flatten().map_or(Ok(row), Err)
    }

    /// Read and judge no more.
    pub(super) fn end(&self) {
        self.ends.store(true, Ordering::Relaxed);
    }

    /// What was begun and not ended stands in the report as cut.
    pub(super) fn cut_unfinished(&self) {
        let mut all = self.all();
        for file in std::mem::take(&mut all.unfinished) {
            let what = format!("{file} was not judged to its end, for shadow was ended");
            all.cut.push(what);
        }
    }

    fn is_ended(&self) -> bool {
        self.ends.load(Ordering::Relaxed)
    }

    /// A file that was not read to its end.
    pub(super) fn cut(&self, what: String) {
        self.all().cut.push(what);
    }

    /// How many rows there were, those included that could not be read.
    pub(super) fn rows(&self) -> u64 {
        self.all().rows
    }

    /// As far as it is.
    pub(super) fn report(&self) -> Report {
        let all = self.all();
        let mut report = all.shadow.report();
        report.faults = all.faults.clone();
        report.cut.clone_from(&all.cut);
        report.of_files(all.files.clone(), &self.mapping, &all.noted)
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl All {
    fn judge_into(&mut self, row: Row, stopped: &mut Stopped) -> Result<(), Failure> {
        let (file, line, account) = (row.file, row.line, row.account.clone());
        let answer = self.shadow.take(row);
        let file = usize::try_from(file).ok().and_then(|at| self.files.get(at));
        let file = file.map_or("", String::as_str);
        stopped
            .add(file, line, &account, &answer)
            .map_err(|error| super::unwritten(&error))
    }

    /// A file, with its place among them and the number of its first row. Where it was cut before, it is read on.
    fn begin(&mut self, name: String) -> (String, u32, u64) {
        let at = self.files.iter().position(|file| *file == name);
        let at = at.unwrap_or_else(|| {
            self.files.push(name.clone());
            self.files.len() - 1
        });
        let is_of_it = |cut: &String| {
            let rest = cut.strip_prefix(&name);
            rest.is_some_and(|rest| rest.starts_with([':', ' ']))
        };
        self.cut.retain(|cut| !is_of_it(cut));
        (name, u32::try_from(at).unwrap_or(u32::MAX), self.rows + 1)
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
