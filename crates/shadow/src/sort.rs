//! Rows in the order of their times, however many there are and in whatever order they come.
//!
//! Runs of a bounded size are sorted in memory and written to files that nobody else sees; they are merged
//! as they are read. Of the same moment the one that was read first comes first.

use crate::row::Row;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

/// Rows that are sorted in memory at once: some 30 MiB.
const RUN: usize = 1 << 17;

/// Why rows cannot be sorted. What was read is unharmed.
#[derive(Debug, thiserror::Error)]
pub enum SortError {
    /// The disk: it takes about as much room as the rows' own file.
    #[error("a file beside the report: {0}; see that TMPDIR has room")]
    Disk(#[from] io::Error),
    /// What was written comes back as something else.
    #[error("a file beside the report does not hold what was written")]
    Changed,
}

/// Takes rows in any order.
#[derive(Default)]
pub struct Sorter {
    run: Vec<Row>,
    runs: Vec<File>,
}

impl Sorter {
    /// Take one more.
    pub fn push(&mut self, row: Row) -> Result<(), SortError> {
        self.run.push(row);
        if self.run.len() >= RUN {
            self.spill()?;
        }
        Ok(())
    }

    /// All of them, in order.
    pub fn sorted(mut self) -> Result<Sorted, SortError> {
        if self.runs.is_empty() {
            sort(&mut self.run);
            let run = self.run.into_iter();
            return Ok(Sorted(Kind::Short(run)));
        }
        self.spill()?;
        let mut merge = Merge {
            runs: Vec::new(),
            next: BinaryHeap::new(),
        };
        for (at, run) in self.runs.into_iter().enumerate() {
            merge.runs.push(BufReader::new(run));
            merge.pull(at)?;
        }
        Ok(Sorted(Kind::Long(merge)))
    }

    fn spill(&mut self) -> Result<(), SortError> {
        sort(&mut self.run);
        let mut file = BufWriter::new(tempfile::tempfile()?);
        for row in self.run.drain(..) {
            write(&mut file, &row)?;
        }
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        self.runs.push(file);
        Ok(())
    }
}

fn sort(run: &mut [Row]) {
    run.sort_unstable_by_key(|row| (row.time, row.number));
}

/// Length, then CBOR.
fn write(file: &mut impl Write, row: &Row) -> Result<(), SortError> {
    let bytes = portcullis_core::codec::encode(row);
    let length = u32::try_from(bytes.len()).map_err(|_| SortError::Changed)?;
    file.write_all(&length.to_le_bytes())?;
    Ok(file.write_all(&bytes)?)
}

fn read(file: &mut impl Read) -> Result<Option<Row>, SortError> {
    let mut length = [0; 4];
    match file.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u32::from_le_bytes(length);
    let mut bytes = Vec::new();
    file.take(length.into()).read_to_end(&mut bytes)?;
    let row = minicbor::decode(&bytes).map_err(|_| SortError::Changed)?;
    Ok(Some(row))
}

/// Rows in the order of their times.
pub struct Sorted(Kind);

enum Kind {
    Short(std::vec::IntoIter<Row>),
    Long(Merge),
}

impl Iterator for Sorted {
    type Item = Result<Row, SortError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Kind::Short(rows) => rows.next().map(Ok),
            Kind::Long(merge) => merge.row().transpose(),
        }
    }
}

struct Merge {
    runs: Vec<BufReader<File>>,
    next: BinaryHeap<Reverse<Head>>,
}

/// The first row that is left of a run.
struct Head {
    row: Row,
    run: usize,
}

impl Merge {
    fn row(&mut self) -> Result<Option<Row>, SortError> {
        let Some(Reverse(Head { row, run })) = self.next.pop() else {
            return Ok(None);
        };
        self.pull(run)?;
        Ok(Some(row))
    }

    fn pull(&mut self, run: usize) -> Result<(), SortError> {
        if let Some(file) = self.runs.get_mut(run)
            && let Some(row) = read(file)?
        {
            self.next.push(Reverse(Head { row, run }));
        }
        Ok(())
    }
}

impl Head {
    fn key(&self) -> (portcullis_core::Time, u64) {
        (self.row.time, self.row.number)
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Head {}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Factor;
    use portcullis_chains::Amount;
    use portcullis_core::Time;
    use proptest::prelude::*;

    fn row(time: u64, number: u64) -> Row {
        Row {
            time: Time(time),
            number,
            id: number.to_string(),
            account: "a".into(),
            asset: "ETH".into(),
            amount: Amount(u128::from(time) + 1),
            to: "x".into(),
            factor: Factor::Totp,
            factor_since: Some(Time(3)),
            contact_since: None,
            address_since: None,
            went_out: true,
            file: 0,
            line: 0,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_order_comes_out_in_order(times in proptest::collection::vec(0_u64..50, 0..300), every in 1_usize..40) {
            let mut sorter = Sorter::default();
            let rows: Vec<Row> = times.iter().zip(1..).map(|(time, number)| row(*time, number)).collect();
            for (at, row) in rows.iter().enumerate() {
                sorter.push(row.clone()).unwrap();
                if at % every == every - 1 {
                    sorter.spill().unwrap();
                }
            }
            let mut want = rows;
            want.sort_by_key(|row| row.time);
            let sorted: Result<Vec<Row>, SortError> = sorter.sorted().unwrap().collect();
            prop_assert_eq!(sorted.unwrap(), want);
        }
    }
}
