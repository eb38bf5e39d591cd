use crate::date::Date;
use crate::text::{self, TextError};

/// What a set may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// An authority's list: what it names may be refused.
    Authority = 1,
    /// Anybody else's: what it names is held at most, and a person looks.
    Community = 2,
}

impl Kind {
    /// The kind of this number, if there is one.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Authority),
            2 => Some(Self::Community),
            _ => None,
        }
    }

    /// Whether a label of such a set may refuse, rather than hold.
    #[must_use]
    pub const fn may_refuse(self) -> bool {
        matches!(self, Self::Authority)
    }
}

/// What stands before the labels of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub(super) kind: Kind,
    pub(super) date: Date,
    pub(super) source: Box<str>,
}

impl Header {
    /// A header; the source is text like a label's, and says whose list it is and where to find it.
    pub fn new(kind: Kind, date: Date, source: &str) -> Result<Self, TextError> {
        text::check(source)?;
        Ok(Self {
            kind,
            date,
            source: source.into(),
        })
    }

    /// What the set may do.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The day of the list.
    #[must_use]
    pub const fn date(&self) -> Date {
        self.date
    }

    /// Whose list it is.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }
}
