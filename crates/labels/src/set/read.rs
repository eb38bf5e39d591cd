//! Reading a set from bytes that anybody may have made: everything is checked before it is a set, so
//! that one set has one form, and looking up meets nothing unexpected.

use super::rows::{Table, Texts};
use super::write::MAGIC;
use super::{Header, Kind, LabelSet, MAX_LABELS, MAX_SET, MAX_TEXTS, SetDigest};
use crate::address::Shape;
use crate::date::Date;
use crate::text::{self, TextError};

/// Why bytes are no set. Nothing of such bytes is used; fetch them again, or ask whoever proposed
/// the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// More than [`MAX_SET`] bytes.
    #[error("the set is too large: at most {MAX_SET} bytes")]
    TooLarge,
    /// Not the bytes that the journal names.
    #[error("these are not the bytes of that digest: fetch them again")]
    Digest,
    /// It does not begin as a set of this version does.
    #[error("this is no label set, or one of a version that this program does not know")]
    Magic,
    /// It ends before all is there.
    #[error("the set is cut off")]
    Cut,
    /// Something follows it.
    #[error("something follows the set")]
    Trailing,
    /// No kind of this number.
    #[error("the set is neither an authority's nor a community's")]
    Kind,
    /// A day after 9999.
    #[error("the set's date is no day")]
    Date,
    /// The source cannot be shown.
    #[error("the set's source: {0}")]
    Source(TextError),
    /// A table of a shape that this version does not know.
    #[error("a table has a shape that this program does not know")]
    Shape,
    /// Tables not in order, one twice, or one without rows.
    #[error("the tables are not in order, or one is empty")]
    Tables,
    /// More than [`MAX_LABELS`] rows.
    #[error("the set has too many labels: at most {MAX_LABELS}")]
    TooMany,
    /// More than [`MAX_TEXTS`] bytes of texts.
    #[error("the set has too much text: at most {MAX_TEXTS} bytes")]
    TooMuchText,
    /// Keys not in order, or one twice.
    #[error("a table's rows are not in order, or one is there twice")]
    Rows,
    /// A risk above 10, or an unknown category.
    #[error("a label has no risk from 0 to 10, or an unknown category")]
    Rating,
    /// A label of a text that is not there.
    #[error("a label names a text that is not there")]
    TextNumber,
    /// Texts not in order, or one twice, or their ends.
    #[error("the texts are not in order, or one is there twice")]
    Texts,
    /// A text that is not UTF-8.
    #[error("a text is not UTF-8")]
    Utf8,
    /// A text that cannot be shown.
    #[error("a text of the set: {0}")]
    Text(TextError),
    /// A text that no label uses.
    #[error("the set has a text that no label uses")]
    Unused,
}

/// Checks bytes whose digest is known.
pub(super) fn set(bytes: Vec<u8>, digest: SetDigest) -> Result<LabelSet, SetError> {
    let mut rest = Rest {
        bytes: &bytes,
        at: 0,
    };
    let header = header(&mut rest)?;
    let (tables, texts) = places(&mut rest)?;
    for table in &tables {
        check_order(table, &bytes)?;
    }
    check_texts(texts, &bytes)?;
    check_values(&tables, texts.count, &bytes)?;
    let indexed = |table: Table| table.indexed(&bytes);
    let tables = tables.into_iter().map(indexed).collect();
    Ok(LabelSet {
        bytes,
        header,
        digest,
        tables,
        texts,
    })
}

/// What has not been read yet.
struct Rest<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], SetError> {
        let rest = self.bytes.get(self.at..).ok_or(SetError::Cut)?;
        let taken = rest.get(..count).ok_or(SetError::Cut)?;
        self.at += count;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, SetError> {
        self.take(1)?.first().copied().ok_or(SetError::Cut)
    }

    fn u32(&mut self) -> Result<u32, SetError> {
        let bytes = self.take(4)?.first_chunk().ok_or(SetError::Cut)?;
        Ok(u32::from_be_bytes(*bytes))
    }

    fn count(&mut self) -> Result<usize, SetError> {
        usize::try_from(self.u32()?).map_err(|_| SetError::TooMany)
    }
}

fn header(rest: &mut Rest<'_>) -> Result<Header, SetError> {
    if rest.take(MAGIC.len()).map_err(|_| SetError::Magic)? != MAGIC {
        return Err(SetError::Magic);
    }
    let kind = Kind::from_code(rest.byte()?).ok_or(SetError::Kind)?;
    let date = Date::from_days(rest.u32()?).ok_or(SetError::Date)?;
    let length = rest.byte()?;
    let source = core::str::from_utf8(rest.take(length.into())?).map_err(|_| SetError::Utf8)?;
    Header::new(kind, date, source).map_err(SetError::Source)
}

/// Where everything stands; together it is exactly as long as the bytes.
fn places(rest: &mut Rest<'_>) -> Result<(Vec<Table>, Texts), SetError> {
    let counted = directory(rest)?;
    let (count, size) = (rest.count()?, rest.count()?);
    if size > MAX_TEXTS {
        return Err(SetError::TooMuchText);
    }
    let mut tables = Vec::with_capacity(counted.len());
    for (shape, rows) in counted {
        let start = rest.at;
        rest.take(Table::size(shape, rows).ok_or(SetError::Cut)?)?;
        tables.push(Table {
            shape,
            start,
            rows,
            index: Vec::new(),
        });
    }
    let texts = Texts {
        start: rest.at,
        count,
    };
    rest.take(count.checked_mul(super::rows::END).ok_or(SetError::Cut)?)?;
    rest.take(size)?;
    if rest.at != rest.bytes.len() {
        return Err(SetError::Trailing);
    }
    // The last text ends with the set: nothing can hide behind it.
    let last = count
        .checked_sub(1)
        .map_or(Some(0), |last| texts.end(rest.bytes, last));
    if last == Some(size) {
        Ok((tables, texts))
    } else {
        Err(SetError::Texts)
    }
}

/// The shapes, ascending, each with how many rows it has.
fn directory(rest: &mut Rest<'_>) -> Result<Vec<(Shape, usize)>, SetError> {
    let mut tables: Vec<(Shape, usize)> = Vec::new();
    let mut labels = 0_usize;
    for _ in 0..rest.byte()? {
        let shape = Shape::from_code(rest.byte()?).ok_or(SetError::Shape)?;
        let rows = rest.count()?;
        labels = labels.checked_add(rows).ok_or(SetError::TooMany)?;
        if labels > MAX_LABELS {
            return Err(SetError::TooMany);
        }
        if rows == 0 || tables.last().is_some_and(|(last, _)| *last >= shape) {
            return Err(SetError::Tables);
        }
        tables.push((shape, rows));
    }
    Ok(tables)
}

fn check_order(table: &Table, bytes: &[u8]) -> Result<(), SetError> {
    let mut last = None;
    for row in 0..table.rows {
        let key = table.key(bytes, row).ok_or(SetError::Cut)?;
        if last.is_some_and(|last| last >= key) {
            return Err(SetError::Rows);
        }
        last = Some(key);
    }
    Ok(())
}

fn check_texts(texts: Texts, bytes: &[u8]) -> Result<(), SetError> {
    let mut last: &[u8] = &[];
    for number in 0..texts.count {
        // Ends that go back leave nothing to slice.
        let raw = texts.raw(bytes, number).ok_or(SetError::Texts)?;
        let text = core::str::from_utf8(raw).map_err(|_| SetError::Utf8)?;
        text::check(text).map_err(SetError::Text)?;
        if last >= raw {
            return Err(SetError::Texts);
        }
        last = raw;
    }
    Ok(())
}

/// Every label has a rating and a text, and every text a label.
fn check_values(tables: &[Table], texts: usize, bytes: &[u8]) -> Result<(), SetError> {
    if texts > tables.iter().map(Table::len).sum() {
        return Err(SetError::Unused);
    }
    let mut used = vec![false; texts];
    for table in tables {
        for row in 0..table.rows {
            let (_, text) = table.value(bytes, row).ok_or(SetError::Rating)?;
            *used.get_mut(text).ok_or(SetError::TextNumber)? = true;
        }
    }
    if used.contains(&false) {
        return Err(SetError::Unused);
    }
    Ok(())
}
