//! Writing a set.

use super::rows::{Table, Texts};
use super::{Header, LabelSet, SetDigest};
use crate::address::{Key, Shape};
use crate::rating::Rating;

/// What every set begins with; the last byte is the version.
pub(super) const MAGIC: [u8; 8] = *b"PCLABEL\x01";

/// A label of a set to come.
pub(crate) struct Row<'a> {
    pub(crate) key: &'a Key,
    pub(crate) rating: Rating,
    /// Where its text stands among the sorted ones.
    pub(crate) text: usize,
}

/// Writes rows that are sorted by key, each key once, and the texts that they use, sorted.
pub(crate) fn set<'a>(
    header: &Header,
    rows: impl Iterator<Item = Row<'a>> + Clone,
    texts: &[&str],
) -> LabelSet {
    let numbers = numbers(rows.clone(), texts.len());
    let used: Vec<&str> = texts
        .iter()
        .zip(&numbers)
        .filter_map(|(text, number)| number.is_some().then_some(*text))
        .collect();
    let counted = counted(rows.clone());
    let mut bytes = head(header, &counted, &used);
    let places = place(&counted, bytes.len());
    for row in rows {
        let number = numbers.get(row.text).copied().flatten().unwrap_or_default();
        bytes.extend_from_slice(row.key.bytes());
        bytes.push(row.rating.code());
        bytes.extend_from_slice(&number.to_be_bytes()[1..]);
    }
    let texts = Texts {
        start: bytes.len(),
        count: used.len(),
    };
    write_texts(&used, &mut bytes);
    let indexed = |table: Table| table.indexed(&bytes);
    let tables = places.into_iter().map(indexed).collect();
    LabelSet {
        digest: SetDigest::of(&bytes),
        header: header.clone(),
        bytes,
        tables,
        texts,
    }
}

/// A new number for each text that a row uses.
fn numbers<'a>(rows: impl Iterator<Item = Row<'a>>, texts: usize) -> Vec<Option<u32>> {
    let mut numbers = vec![None; texts];
    for row in rows {
        if let Some(slot) = numbers.get_mut(row.text) {
            *slot = Some(0);
        }
    }
    for (next, slot) in (0..).zip(numbers.iter_mut().filter(|slot| slot.is_some())) {
        *slot = Some(next);
    }
    numbers
}

/// The shapes that occur, and how many rows each has.
fn counted<'a>(rows: impl Iterator<Item = Row<'a>>) -> Vec<(Shape, u32)> {
    let mut counted: Vec<(Shape, u32)> = Vec::new();
    for row in rows {
        match counted.last_mut() {
            Some((shape, count)) if *shape == row.key.shape() => *count += 1,
            _ => counted.push((row.key.shape(), 1)),
        }
    }
    counted
}

/// Everything before the rows.
fn head(header: &Header, counted: &[(Shape, u32)], texts: &[&str]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.push(header.kind as u8);
    bytes.extend_from_slice(&header.date.days().to_be_bytes());
    bytes.push(small(header.source.len()));
    bytes.extend_from_slice(header.source.as_bytes());
    bytes.push(small(counted.len()));
    for (shape, count) in counted {
        bytes.push(shape.code());
        bytes.extend_from_slice(&count.to_be_bytes());
    }
    bytes.extend_from_slice(&number(texts.len()).to_be_bytes());
    bytes.extend_from_slice(&number(texts.iter().map(|text| text.len()).sum()).to_be_bytes());
    bytes
}

/// Where each shape's rows stand, the first at `start`.
fn place(counted: &[(Shape, u32)], mut start: usize) -> Vec<Table> {
    let mut tables = Vec::with_capacity(counted.len());
    for (shape, rows) in counted {
        let rows = usize::try_from(*rows).unwrap_or_default();
        tables.push(Table {
            shape: *shape,
            start,
            rows,
            index: Vec::new(),
        });
        start += Table::size(*shape, rows).unwrap_or_default();
    }
    tables
}

fn write_texts(texts: &[&str], bytes: &mut Vec<u8>) {
    let mut end = 0;
    for text in texts {
        end += text.len();
        bytes.extend_from_slice(&number(end).to_be_bytes());
    }
    for text in texts {
        bytes.extend_from_slice(text.as_bytes());
    }
}

/// A text's length and the number of shapes are below 256.
fn small(number: usize) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// Labels, texts and their bytes are below 2^32: [`super::MAX_LABELS`], [`super::MAX_TEXTS`].
fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
