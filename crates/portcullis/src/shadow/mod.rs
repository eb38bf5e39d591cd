//! `portcullis shadow`: what Portcullis would have done with a platform's own withdrawals.

mod desk;
mod folders;
mod live;

use crate::failure::{Exit, Failure};
use crate::files;
use crate::out::{json, say, warn};
use crate::output::Output;
use clap::Args;
use desk::{Desk, Part};
use folders::Folders;
use live::Live;
use portcullis_host::{Clock as _, SystemClock};
use portcullis_keeper::rfc3339;
use portcullis_shadow::report::RowsFile;
use portcullis_shadow::{Mapping, Report, Terms};
use std::io::{self, BufWriter};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What Portcullis would have done with a platform's own withdrawals
///
/// Reads a month of them, as CSV or as a JSON object on each line, in any order, and writes what would have been
/// refused, held and for what, which patterns of attack stand in it, and how long customers would have
/// waited. Needs no key and touches nobody. docs/guide/shadow.md explains mapping and terms.
#[derive(Debug, Args)]
pub(crate) struct ShadowArgs {
    /// The withdrawals: a file, a folder of files, or - for standard input; several are read as one
    #[arg(long, required_unless_present = "listen", value_name = "PATH")]
    from: Vec<PathBuf>,
    /// Go on with files that come into the folders, until it is ended
    #[arg(long)]
    watch: bool,
    /// Take copies over HTTP, on this host: POST JSON objects, one on each line, to /withdrawals
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
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
    /// Write the rows that would be held or refused, as CSV
    #[arg(long, value_name = "PATH", conflicts_with_all = ["watch", "listen"])]
    rows: Option<PathBuf>,
}

impl ShadowArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let mapping = Mapping::parse(&text(self.mapping.as_deref())?);
        let mapping = mapping.map_err(|error| of_the_guide(&error))?;
        let terms = Terms::parse(&text(self.terms.as_deref())?);
        let terms = terms.map_err(|error| of_the_guide(&error))?;
        let pages = Pages::at(&self.report, self.json.as_deref(), self.again())?;
        let rows = self.rows.as_deref().map(Output::at).transpose()?;
        if let Some(rows) = &rows {
            pages.are_apart(rows)?;
        }
        let is_live = self.watch || self.listen.is_some();
        let desk = Desk::new(mapping, terms, is_live);
        let (folders, mut files): (Vec<PathBuf>, Vec<PathBuf>) =
            self.from.into_iter().partition(|path| path.is_dir());
        if is_live {
            return Live::new(desk, Folders::of(folders), pages).run(files, self.listen);
        }
        files.extend(files_in(&folders)?);
        let mut parts: Vec<Part> = files.into_iter().map(Part::new).collect();
        match &rows {
            Some(rows) => read_into(&desk, &mut parts, rows)?,
            None => desk.read(&mut parts, None)?,
        }
        let report = desk.report();
        if report.tally.judged.count == 0 {
            return Err(nothing(&report));
        }
        pages.write(&report)?;
        tell(&report, pages.page.path());
        if let Some(rows) = &rows {
            say(format_args!("rows     {}", rows.path().display()));
        }
        whole(&report)
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

/// Judge, and write the rows that would have been held or refused as they come.
fn read_into(desk: &Desk, parts: &mut [Part], rows: &Output) -> Result<(), Failure> {
    let failed = |error: io::Error| rows.unwritable(&error);
    let draft = BufWriter::new(rows.draft()?);
    let mut stopped = RowsFile::new(draft).map_err(failed)?;
    desk.read(parts, Some(&mut stopped))?;
    let draft = stopped.end().map_err(failed)?.into_inner();
    rows.keep(draft.map_err(|error| failed(error.into_error()))?)
}

/// The files of these folders, in the order of their names.
fn files_in(folders: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for folder in folders {
        let inside = files_of(folder);
        files.extend(inside.map_err(|error| unreadable(folder, &error))?);
    }
    Ok(files)
}

/// The files of a folder, in the order of their names. What begins with a point is not finished.
fn files_of(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut inside = entries.collect::<io::Result<Vec<_>>>()?;
    inside.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.is_file() && !name.starts_with('.')
    });
    inside.sort();
    Ok(inside)
}

/// Where the report goes.
struct Pages {
    page: Output,
    data: Option<Output>,
    again: String,
}

impl Pages {
    fn at(page: &Path, data: Option<&Path>, again: String) -> Result<Self, Failure> {
        let page = Output::at(page)?;
        let data = data.map(Output::at).transpose()?;
        if let Some(data) = &data {
            page.is_apart(data)?;
        }
        Ok(Self { page, data, again })
    }

    fn are_apart(&self, other: &Output) -> Result<(), Failure> {
        self.page.is_apart(other)?;
        self.data.iter().try_for_each(|data| data.is_apart(other))
    }

    fn write(&self, report: &Report) -> Result<(), Failure> {
        let made = rfc3339(SystemClock.now());
        self.page
            .write(report.html(&made, &self.again).as_bytes())?;
        match &self.data {
            Some(data) => data.write(json(report).as_bytes()),
            None => Ok(()),
        }
    }
}

fn text(path: Option<&Path>) -> Result<String, Failure> {
    path.map_or(Ok(String::new()), files::read_text)
}

fn of_the_guide(error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(error, "docs/guide/shadow.md explains every line")
}

fn no_withdrawals(what: &str) -> Failure {
    Failure::usage(
        what,
        "correct the mapping (docs/guide/shadow.md explains every line), or take the file out of the folder if it holds no \
         withdrawals",
    )
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(
        format!("{}: {error}", path.display()),
        "name the files of withdrawals",
    )
}

fn unwritten(error: &io::Error) -> Failure {
    Failure::new(
        Exit::Stopped,
        format!("the rows that would be held: {error}"),
        "see that the folder has room",
    )
}

fn nothing(report: &Report) -> Failure {
    let first = report.faults.first.first().or(report.cut.first());
    let first = first.map_or("the files are empty", String::as_str);
    let kinds = report.faults.kinds.values();
    let next = kinds.max_by_key(|kind| kind.rows);
    let next = next.map_or("name the columns in a mapping", |kind| kind.next);
    Failure::usage(
        format!("no withdrawal could be read: {first}"),
        format!("{next}; docs/guide/shadow.md has every line of a mapping"),
    )
}

/// Exit code 1 where the report cannot speak for all that was read.
fn whole(report: &Report) -> Result<(), Failure> {
    if report.is_whole() {
        return Ok(());
    }
    let first = report.cut.first().or(report.faults.first.first());
    let first = first.map_or("", String::as_str);
    let kinds = report.faults.kinds.values();
    let next = kinds.max_by_key(|kind| kind.rows);
    let next = next.map_or("see that the files are whole", |kind| kind.next);
    let what = match report.cut.len() {
        0 => format!("{} of {} rows", report.faults.rows, report.rows()),
        files => format!("{files} of {} files", report.files.len()),
    };
    Err(Failure::new(
        Exit::Wrong,
        format!("{what} could not be read, and the report speaks for the others alone: {first}"),
        next,
    )
    .keeping("The report is written."))
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
        let became = episode.became();
        say(format_args!(
            "attack?  {rows} withdrawals out of {accounts} accounts from {first} on: {pattern}{common}. {became}"
        ));
    }
    if let Some(text) = report.locked_out() {
        say(format_args!("factors  {text}"));
    }
    tell_of_the_file(report);
    say(format_args!("report   {}", page.display()));
}

/// What was made of the file itself.
fn tell_of_the_file(report: &Report) {
    let columns = &report.columns;
    let used = columns.used.iter();
    let used: Vec<String> = used
        .map(|(field, column)| format!("{}={column}", field.name()))
        .collect();
    if !used.is_empty() {
        let ignored: Vec<&str> = columns.ignored.iter().map(String::as_str).collect();
        let ignored = if ignored.is_empty() {
            "none".into()
        } else {
            ignored.join(", ")
        };
        say(format_args!(
            "columns  {}; not read: {ignored}",
            used.join(", ")
        ));
    }
    for warning in &report.warnings {
        say(format_args!("warning  {warning}"));
    }
    report.faults.first.iter().take(3).for_each(warn);
    report.cut.iter().for_each(warn);
}
