//! `portcullis shadow`: what Portcullis would have done with a platform's own withdrawals.

use crate::failure::{Exit, Failure};
use crate::files;
use crate::out::{json, say, warn};
use crate::output::Output;
use clap::Args;
use portcullis_host::{Clock as _, SystemClock};
use portcullis_keeper::rfc3339;
use portcullis_shadow::report::Faults;
use portcullis_shadow::{Form, Mapping, Read, Report, Shadow, SortError, Sorter, Terms};
use std::fs::File;
use std::io::Read as IoRead;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often it says how far it is.
const SAYS: Duration = Duration::from_secs(5);

/// What Portcullis would have done with a platform's own withdrawals
///
/// Reads a month of them, as CSV or as a JSON object on each line, in any order, and writes what would have been
/// refused, held and for what, which patterns of attack stand in it, and how long customers would have
/// waited. Needs no key and touches nobody. docs/guide/shadow.md explains mapping and terms.
#[derive(Debug, Args)]
pub(crate) struct ShadowArgs {
    /// The withdrawals: a file, a folder of files, or - for standard input; several are read as one
    #[arg(long, required = true, value_name = "PATH")]
    from: Vec<PathBuf>,
    /// Which column says what
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// By what it is judged: delays, limits
    #[arg(long, value_name = "FILE")]
    terms: Option<PathBuf>,
    /// Write the report for people
    #[arg(long, value_name = "PATH", default_value = "shadow.html")]
    report: PathBuf,
    /// Write what was found, after docs/spec/shadow.schema.json
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
}

impl ShadowArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let mapping = Mapping::parse(&text(self.mapping.as_deref())?);
        let mapping = mapping.map_err(|error| of_the_guide(&error))?;
        let terms = Terms::parse(&text(self.terms.as_deref())?);
        let terms = terms.map_err(|error| of_the_guide(&error))?;
        let page = Output::at(&self.report)?;
        let data = self.json.as_deref().map(Output::at).transpose()?;
        if let Some(data) = &data {
            page.is_apart(data)?;
        }
        let mut source = Source::new(&mapping);
        for path in self.files()? {
            source.read(&path)?;
        }
        let report = source.judge(terms)?;
        let made = rfc3339(SystemClock.now());
        page.write(report.html(&made, &self.again()).as_bytes())?;
        if let Some(data) = &data {
            data.write(json(&report).as_bytes())?;
        }
        tell(&report, page.path());
        Ok(())
    }

    /// The files that were named, and those of the folders that were, by name.
    fn files(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut files = Vec::new();
        for path in &self.from {
            if !path.is_dir() {
                files.push(path.clone());
                continue;
            }
            let failed = |error: std::io::Error| unreadable(path, &error);
            let entries = std::fs::read_dir(path).map_err(failed)?;
            let entries = entries.map(|entry| Ok(entry?.path()));
            let mut inside = entries.collect::<Result<Vec<_>, _>>().map_err(failed)?;
            inside.retain(|path| path.is_file());
            inside.sort();
            files.extend(inside);
        }
        Ok(files)
    }

    /// The command that makes the report again.
    fn again(&self) -> String {
        let mut text = "portcullis shadow".to_owned();
        let from = self.from.iter().map(|path| ("--from", path));
        let mapping = self.mapping.iter().map(|path| ("--mapping", path));
        let terms = self.terms.iter().map(|path| ("--terms", path));
        for (flag, path) in from.chain(mapping).chain(terms) {
            text = format!("{text} {flag} {}", path.display());
        }
        text
    }
}

fn text(path: Option<&Path>) -> Result<String, Failure> {
    path.map_or(Ok(String::new()), files::read_text)
}

fn of_the_guide(error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(error, "docs/guide/shadow.md explains every line")
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(
        format!("{}: {error}", path.display()),
        "name the files of withdrawals",
    )
}

/// Rows of all files, on their way.
struct Source<'a> {
    mapping: &'a Mapping,
    sorter: Sorter,
    faults: Faults,
    cut: Vec<String>,
    rows: u64,
    said: Instant,
}

impl<'a> Source<'a> {
    fn new(mapping: &'a Mapping) -> Self {
        Self {
            mapping,
            sorter: Sorter::default(),
            faults: Faults::default(),
            cut: Vec::new(),
            rows: 0,
            said: Instant::now(),
        }
    }

    fn read(&mut self, path: &Path) -> Result<(), Failure> {
        let form = Form::of(&path.to_string_lossy());
        if path == Path::new("-") {
            return self.take(path, form, std::io::stdin().lock());
        }
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        self.take(path, form, file)
    }

    fn take(&mut self, path: &Path, form: Form, file: impl IoRead) -> Result<(), Failure> {
        for row in Read::new(form, file, self.mapping, self.rows + 1) {
            self.rows += 1;
            match row {
                Ok(row) => self.sorter.push(row).map_err(|error| unsorted(&error))?,
                Err(fault) if fault.is_of_the_file() => {
                    self.cut.push(format!("{}: {fault}", path.display()));
                }
                Err(fault) => self.faults.add(&fault),
            }
            if self.said.elapsed() >= SAYS {
                self.said = Instant::now();
                warn(format_args!(
                    "{} rows read, in {}",
                    self.rows,
                    path.display()
                ));
            }
        }
        Ok(())
    }

    fn judge(mut self, terms: Terms) -> Result<Report, Failure> {
        let mut shadow = Shadow::new(terms);
        let rows = std::mem::take(&mut self.sorter);
        for (row, judged) in rows
            .sorted()
            .map_err(|error| unsorted(&error))?
            .zip(1_u64..)
        {
            shadow.take(&row.map_err(|error| unsorted(&error))?);
            if self.said.elapsed() >= SAYS {
                self.said = Instant::now();
                warn(format_args!("{judged} of {} rows judged", self.rows));
            }
        }
        let mut report = shadow.finish();
        report.faults = self.faults;
        report.cut = self.cut;
        if report.tally.judged.count == 0 {
            let first = report.faults.first.first().or(report.cut.first());
            let first = first.map_or("the files are empty", String::as_str);
            return Err(Failure::usage(
                format!("no withdrawal could be read: {first}"),
                "name the columns in a mapping: docs/guide/shadow.md",
            ));
        }
        Ok(report)
    }
}

fn unsorted(error: &SortError) -> Failure {
    Failure::new(
        Exit::Stopped,
        error,
        "no report was written; what was read is unharmed",
    )
}

fn tell(report: &Report, page: &Path) {
    let tally = &report.tally;
    say(format_args!(
        "{} withdrawals: {} go out, {} are held, {} refused",
        tally.judged.count, tally.out.count, tally.held.count, tally.refused.count
    ));
    for episode in report.episodes.iter().take(10) {
        let (rows, accounts) = (episode.rows, episode.accounts);
        let (pattern, first) = (episode.pattern.said(), rfc3339(episode.first));
        let common = match &*episode.common {
            "" => String::new(),
            common => format!(" ({common})"),
        };
        say(format_args!(
            "attack?  {rows} withdrawals out of {accounts} accounts from {first} on: {pattern}{common}"
        ));
    }
    let left_out = report.faults.rows;
    if left_out > 0 || !report.cut.is_empty() {
        warn(format_args!(
            "{left_out} rows could not be read; the report says why"
        ));
        report.cut.iter().for_each(warn);
    }
    say(format_args!("report   {}", page.display()));
}
