use super::report::MAX_ROWS;
use super::{MAX_LINE, MAX_VALUE};
use crate::draft::DraftError;

/// Why a file is refused whole. Lines are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// More bytes than are looked at.
    #[error("the file is too large: at most {max} bytes; split it")]
    TooLarge {
        /// How many may be.
        max: usize,
    },
    /// Not UTF-8.
    #[error("line {line}: the file is not UTF-8: save it as UTF-8")]
    Utf8 {
        /// Where.
        line: u64,
    },
    /// A control character other than a tab or the end of a line.
    #[error("line {line}: a control character")]
    Control {
        /// Where.
        line: u64,
    },
    /// A line without an end.
    #[error("line {line} is too long: at most {MAX_LINE} bytes")]
    LongLine {
        /// Which.
        line: u64,
    },
    /// A value without an end.
    #[error("line {line}: a value is too long: at most {MAX_VALUE} bytes")]
    LongValue {
        /// Where.
        line: u64,
    },
    /// Not YAML.
    #[error("line {line}: not YAML: {what}")]
    Yaml {
        /// Where.
        line: u64,
        /// What the parser says.
        what: Box<str>,
    },
    /// An anchor, which only an alias could use.
    #[error("line {line}: an anchor (&): write out what is meant")]
    Anchor {
        /// Where.
        line: u64,
    },
    /// An alias: a few lines of them stand for more than any memory holds.
    #[error("line {line}: an alias (*): write out what is meant")]
    Alias {
        /// Where.
        line: u64,
    },
    /// A tag of YAML's, which asks the reader to make something else of a value.
    #[error("line {line}: a YAML tag (!): a TagPack has none")]
    YamlTag {
        /// Where.
        line: u64,
    },
    /// Values inside values without an end.
    #[error("line {line}: values are nested too deeply")]
    Depth {
        /// Where.
        line: u64,
    },
    /// A second document in a file.
    #[error("line {line}: a second document: one TagPack is one document")]
    SecondDocument {
        /// Where.
        line: u64,
    },
    /// A list without tags.
    #[error("the file has no list of tags")]
    NoTags,
    /// Not JSON.
    #[error("line {line}: not JSON")]
    Json {
        /// Where.
        line: u64,
    },
    /// A member twice in one object or row, or a column twice.
    #[error("line {line}: {name} is there twice")]
    Duplicate {
        /// Where.
        line: u64,
        /// What.
        name: Box<str>,
    },
    /// More members than any list has.
    #[error("line {line}: too many members or columns")]
    ManyMembers {
        /// Where.
        line: u64,
    },
    /// A member or column that means nothing here: a misspelt one would be lost unseen.
    #[error("line {line}: {name} means nothing here")]
    Unknown {
        /// Where.
        line: u64,
        /// What.
        name: Box<str>,
    },
    /// A list where a text is wanted, or the like.
    #[error("line {line}: a value of the wrong type")]
    WrongType {
        /// Where.
        line: u64,
    },
    /// A row with more or fewer fields than there are columns.
    #[error("line {line}: the row has not as many fields as there are columns")]
    Columns {
        /// Where.
        line: u64,
    },
    /// No column of this name in the first row.
    #[error("the first row names no column {name}")]
    NoColumn {
        /// Which.
        name: &'static str,
    },
    /// More rows than are looked at.
    #[error("line {line}: too many rows: at most {MAX_ROWS} a file; split it")]
    ManyRows {
        /// Where.
        line: u64,
    },
    /// A list of an asset whose addresses cannot be read.
    #[error("unknown asset: docs/spec/labels.md lists those whose addresses can be read")]
    Asset,
    /// The draft takes no more.
    #[error("line {line}: {error}")]
    Full {
        /// Where.
        line: u64,
        /// Why.
        error: DraftError,
    },
}
