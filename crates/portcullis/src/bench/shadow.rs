//! `shadow`: a generated month of withdrawals read, sorted and judged, and what it takes to remember.

use super::Setting;
use super::cpu::of_process;
use super::memory::resident;
use super::row::Row;
use crate::failure::{Exit, Failure};
use portcullis_core::Time;
use portcullis_shadow::judge::{Episode, Ground, Pattern};
use portcullis_shadow::month::{COLUMNS, Made, month};
use portcullis_shadow::{Form, Mapping, Read, Report, Shadow, Sorter, Terms};
use std::collections::BTreeMap;
use std::io::{self, Cursor};

/// Which month.
const SEED: u64 = 4;

/// Of so many honest rows at most one is to be held for somebody to look at: 0.1 %.
const HELD_OF: u64 = 1_000;

/// What came of the month.
struct Judged {
    report: Report,
    /// Honest rows that were held for somebody to look at.
    wrongly: u64,
}

pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>, Failure> {
    let honest = setting.size(1_000_000, 20_000);
    let before = resident()?;
    let (judged, took) = of_process(|| judge(honest));
    let Judged { report, wrongly } = judged?;
    let grown = resident()?.saturating_sub(before) >> 20;
    let rows = report.tally.judged.count;
    let each = took.wall.as_secs_f64() * 1e6 / rows as f64;
    let (found, planted) = found(&report, honest);
    let others = (report.episodes.len() as u64).saturating_sub(found);
    let row = Row::new("shadow", each, "us/row", took.wall);
    Ok(vec![row.note(format!(
        "{rows} rows of CSV read, sorted and judged; resident growth {grown} MiB; {found} of {planted} planted patterns \
         found, {others} others; {wrongly} of {honest} honest rows held for somebody to look at (bound 0.1 %: {})",
        honest / HELD_OF,
    ))])
}

/// How many of the planted patterns stand in the report, and how many were planted. One is found where an episode of
/// its kind spans all of its time and has as many rows; honest ones may stand beside them.
fn found(report: &Report, honest: u64) -> (u64, u64) {
    let mut planted: BTreeMap<Pattern, Vec<Time>> = BTreeMap::new();
    for made in month(SEED, honest) {
        if let Some(pattern) = made.theft {
            planted.entry(pattern).or_default().push(made.row.time);
        }
    }
    let is_found = |(pattern, times): &(&Pattern, &Vec<Time>)| {
        let spans = |episode: &Episode| {
            let all = episode.first..=episode.last;
            times.iter().all(|time| all.contains(time)) && episode.rows >= times.len() as u64
        };
        let mut episodes = report.episodes.iter();
        episodes.any(|episode| episode.pattern == **pattern && spans(episode))
    };
    let found = planted.iter().filter(is_found).count();
    (found as u64, planted.len() as u64)
}

fn judge(honest: u64) -> Result<Judged, Failure> {
    let failed = |error: &dyn core::fmt::Display| Failure::new(Exit::Wrong, error.to_string(), "");
    let mapping = Mapping::parse("").map_err(|error| failed(&error))?;
    let mut sorter = Sorter::default();
    for row in Read::new(Form::Csv, Export::of(honest), &mapping, 1) {
        let row = row.map_err(|fault| failed(&fault))?;
        sorter.push(row).map_err(|error| failed(&error))?;
    }
    let (mut shadow, mut wrongly) = (Shadow::new(Terms::default()), 0);
    let is_looked_at = |ground: &Ground| matches!(ground, Ground::Alike(_) | Ground::Together(_));
    for row in sorter.sorted().map_err(|error| failed(&error))? {
        let row = row.map_err(|error| failed(&error))?;
        // The month's thefts come after its honest rows.
        let is_honest = row.number <= honest;
        let is_held = shadow.take(row).grounds.iter().any(is_looked_at);
        wrongly += u64::from(is_honest && is_held);
    }
    let report = shadow.report();
    Ok(Judged { report, wrongly })
}

/// The month as a platform's file, written as it is read: nothing of it stays in memory.
struct Export<I> {
    rows: I,
    line: Cursor<Vec<u8>>,
}

impl Export<()> {
    fn of(honest: u64) -> Export<impl Iterator<Item = Made>> {
        Export {
            rows: month(SEED, honest),
            line: Cursor::new(format!("{COLUMNS}\n").into_bytes()),
        }
    }
}

impl<I: Iterator<Item = Made>> io::Read for Export<I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.line.position() == self.line.get_ref().len() as u64 {
            let next = self.rows.next();
            self.line =
                Cursor::new(next.map_or(Vec::new(), |made| (made.line() + "\n").into_bytes()));
        }
        self.line.read(buffer)
    }
}
