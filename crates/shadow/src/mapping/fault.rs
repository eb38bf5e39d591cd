//! Why a row is left out.

use crate::number::NumberError;
use core::fmt;

/// Most characters of a value that are shown.
const MAX_SHOWN: usize = 40;

/// Why a row is left out. Each is counted, and the first of each are shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// Something that every row needs is missing or empty.
    #[error("says no {0}")]
    Missing(&'static str),
    /// A time that cannot be read.
    #[error("its {0} {1} is no time that is understood")]
    Time(&'static str, Shown),
    /// An amount that cannot be read.
    #[error("its amount {0} {1}")]
    Amount(Shown, NumberError),
    /// A text that is too long, or has bytes that are none in the encoding.
    #[error("its {0} is over 256 bytes, or not in the file's encoding")]
    Text(&'static str),
    /// A factor that the mapping does not know.
    #[error("its factor {0} stands nowhere in the mapping's [factors]")]
    Factor(Shown),
    /// A live row of a time to come.
    #[error("its time is more than 5 minutes ahead of this host's clock")]
    Ahead,
}

impl RowFault {
    /// What is wrong, whatever the value: many rows have it in common.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Self::Time(field, _) => format!("its {field} is no time that is understood"),
            Self::Amount(_, fault) => format!("its amount {fault}"),
            Self::Factor(_) => "its factor stands nowhere in the mapping's [factors]".into(),
            Self::Missing(_) | Self::Text(_) | Self::Ahead => self.to_string(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn next(&self) -> &'static str {
        match self {
            Self::Missing(_) => {
                "see that the column of that name, or the one that [columns] names for it, is filled in every row"
            }
            Self::Time(..) => {
                "say in the mapping how times are written: time_form = \"%d.%m.%Y %H:%M:%S\", in the directives of strftime"
            }
            Self::Amount(_, fault) => fault.next(),
            Self::Text(_) => "name the file's encoding in the mapping: encoding = \"shift_jis\"",
            Self::Factor(_) => {
                "say what that word means under [factors] in the mapping: totp = [\"google\"]"
            }
            Self::Ahead => {
                "see that both clocks are right, and that the mapping's time_zone is the platform's"
            }
        }
    }
}

/// A value out of a file, short, and with nothing in it that a terminal obeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    pub(crate) fn new(text: &str) -> Self {
        let mut chars = text.chars();
        let mut shown: String = chars.by_ref().take(MAX_SHOWN).collect();
        if chars.next().is_some() {
            shown.push('…');
        }
        Self(shown)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
