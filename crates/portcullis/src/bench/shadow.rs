//! `shadow`: a generated month of withdrawals read, sorted and judged, and what it takes to remember.

use super::Setting;
use super::cpu::of_process;
use super::memory::resident;
use super::row::Row;
use crate::failure::{Exit, Failure};
use portcullis_shadow::judge::Ground;
use portcullis_shadow::month::{COLUMNS, Made, month};
use portcullis_shadow::{Form, Mapping, Read, Report, Shadow, Sorter, Terms};
use std::io::{self, Cursor};

/// Which month.
const SEED: u64 = 4;

pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>, Failure> {
    let honest = setting.size(1_000_000, 20_000);
    let before = resident()?;
    let (report, took) = of_process(|| judge(honest));
    let report = report?;
    let grown = resident()?.saturating_sub(before) >> 20;
    let rows = report.tally.judged.count;
    let each = took.wall.as_secs_f64() * 1e6 / rows as f64;
    let looked_at =
        [Ground::Alike(0), Ground::Together(0)].map(|ground| report.on(ground).all.count);
    let row = Row::new("shadow", each, "us/row", took.wall);
    Ok(vec![row.note(format!(
        "{rows} rows of CSV read, sorted and judged; resident growth {grown} MiB; {} patterns found of 4 planted; {} rows \
         held for somebody to look at, thefts included",
        report.episodes.len(),
        looked_at[0] + looked_at[1],
    ))])
}

fn judge(honest: u64) -> Result<Report, Failure> {
    let failed = |error: &dyn core::fmt::Display| Failure::new(Exit::Wrong, error.to_string(), "");
    let mapping = Mapping::parse("").map_err(|error| failed(&error))?;
    let mut sorter = Sorter::default();
    for row in Read::new(Form::Csv, Export::of(honest), &mapping, 1) {
        let row = row.map_err(|fault| failed(&fault))?;
        sorter.push(row).map_err(|error| failed(&error))?;
    }
    let mut shadow = Shadow::new(Terms::default());
    for row in sorter.sorted().map_err(|error| failed(&error))? {
        shadow.take(row.map_err(|error| failed(&error))?);
    }
    Ok(shadow.report())
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
