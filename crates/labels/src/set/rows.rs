//! Where rows and texts stand in a set's bytes.

use core::cmp::Ordering;

use crate::address::Shape;
use crate::rating::Rating;

/// Bytes of a row after the key: the rating, and the text's number in three.
pub(super) const VALUE: usize = 4;
/// Bytes of a text's end.
pub(super) const END: usize = 4;

/// Rows between two of which the index has the heads.
const STEP: usize = 16;
/// Bytes of a key that the index has: all keys are longer.
const HEAD: usize = 16;

/// The rows of one shape, sorted by key.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) shape: Shape,
    /// Where the first row begins.
    pub(super) start: usize,
    /// How many rows.
    pub(super) rows: usize,
    /// The first bytes of every sixteenth row's key. A search among these stays in the processor's
    /// cache, where one among the rows would wait for memory at every turn.
    pub(super) index: Vec<u128>,
}

impl Table {
    pub(super) const fn len(&self) -> usize {
        self.rows
    }

    /// Bytes of a row.
    const fn stride(&self) -> usize {
        self.shape.width() + VALUE
    }

    /// Bytes of all rows.
    pub(super) fn size(shape: Shape, rows: usize) -> Option<usize> {
        rows.checked_mul(shape.width() + VALUE)
    }

    fn row<'a>(&self, bytes: &'a [u8], row: usize) -> Option<(&'a [u8], [u8; VALUE])> {
        let start = self.start.checked_add(row.checked_mul(self.stride())?)?;
        let row = bytes.get(start..)?.get(..self.stride())?;
        let (key, value) = row.split_last_chunk()?;
        Some((key, *value))
    }

    pub(super) fn key<'a>(&self, bytes: &'a [u8], row: usize) -> Option<&'a [u8]> {
        Some(self.row(bytes, row)?.0)
    }

    /// The rating, and the text's number.
    pub(super) fn value(&self, bytes: &[u8], row: usize) -> Option<(Rating, usize)> {
        let (_, [rating, text @ ..]) = self.row(bytes, row)?;
        Some((Rating::from_code(rating)?, text_number(text)?))
    }

    /// The same table with its index, once its rows are written or checked.
    pub(super) fn indexed(mut self, bytes: &[u8]) -> Self {
        let heads = (0..self.rows).step_by(STEP);
        let heads = heads.map_while(|row| head(self.key(bytes, row)?));
        self.index = heads.collect();
        self
    }

    /// The row of this key: a binary search in the index, then among the rows that it leaves.
    pub(super) fn find(&self, bytes: &[u8], key: &[u8]) -> Option<usize> {
        let (mut low, mut high) = self.around(head(key)?);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.key(bytes, middle)?.cmp(key) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// The rows, from and up to, among which all keys with this head are. Many keys may have one
    /// head: then the range is wide, and the search in it no longer than one without an index.
    fn around(&self, head: u128) -> (usize, usize) {
        let first = self.index.partition_point(|step| *step < head);
        let rest = self.index.get(first..).unwrap_or_default();
        let after = if rest.first() == Some(&head) {
            first + rest.partition_point(|step| *step == head)
        } else {
            first
        };
        let high = if after < self.index.len() {
            after * STEP
        } else {
            self.rows
        };
        (first.saturating_sub(1) * STEP, high)
    }
}

fn head(key: &[u8]) -> Option<u128> {
    let head: &[u8; HEAD] = key.first_chunk()?;
    Some(u128::from_be_bytes(*head))
}

fn text_number(text: [u8; 3]) -> Option<usize> {
    let [high, middle, low] = text;
    usize::try_from(u32::from_be_bytes([0, high, middle, low])).ok()
}

/// The table of texts: where each ends, counted from the first one's beginning, then all of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Texts {
    /// Where the first end stands.
    pub(super) start: usize,
    /// How many texts.
    pub(super) count: usize,
}

impl Texts {
    pub(super) fn get<'a>(&self, bytes: &'a [u8], number: usize) -> Option<&'a str> {
        core::str::from_utf8(self.raw(bytes, number)?).ok()
    }

    pub(super) fn raw<'a>(&self, bytes: &'a [u8], number: usize) -> Option<&'a [u8]> {
        let start = match number.checked_sub(1) {
            Some(before) => self.end(bytes, before)?,
            None => 0,
        };
        let texts = self.start.checked_add(self.count.checked_mul(END)?)?;
        let end = self.end(bytes, number)?;
        bytes.get(texts..)?.get(start..end)
    }

    pub(super) fn end(&self, bytes: &[u8], number: usize) -> Option<usize> {
        if number >= self.count {
            return None;
        }
        let at = self.start.checked_add(number.checked_mul(END)?)?;
        let end = bytes.get(at..)?.first_chunk()?;
        usize::try_from(u32::from_be_bytes(*end)).ok()
    }
}
