//! Lists in the formats that others publish, and in one of one's own.
//!
//! A file whose form is not what it should be is refused whole, with the line, and leaves the draft as
//! it was. A row that is well formed but cannot become a label, most often for its address, is a
//! [`Reject`]: it is counted in the file's [`Report`], and the rows around it are taken.

mod asset;
mod csv;
mod error;
mod json;
mod ofac;
mod own;
mod report;
mod tagpack;
mod taxonomy;
mod yaml;

use crate::draft::Draft;
use crate::rating::{Category, Rating, Risk};

pub use error::ImportError;
pub use ofac::ofac_asset;
use report::Entering;
pub use report::{Reject, Report};

/// Most bytes of a file.
pub const MAX_FILE: usize = 256 * 1024 * 1024;
/// Most bytes of a file in YAML, which takes longest to read.
pub const MAX_YAML: usize = 64 * 1024 * 1024;
/// Most bytes of a line.
const MAX_LINE: usize = 64 * 1024;
/// Most bytes of one value.
const MAX_VALUE: usize = 16 * 1024;

/// What the importer says about a list that the list does not say itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Where an address of Ethereum's is meant.
    pub evm: EvmReach,
    /// The category of every label of the file, whatever it says itself.
    pub category: Option<Category>,
    /// The risk of every label of the file, whatever it says itself.
    pub risk: Option<Risk>,
}

/// Where an address of Ethereum's is meant, in lists that name assets rather than chains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EvmReach {
    /// On every chain with such addresses: whoever holds the key on one holds it on all. A contract's
    /// address may be somebody else's elsewhere.
    #[default]
    EveryChain,
    /// On the asset's own chain only. Tokens that live on several chains name none, so theirs are meant
    /// on every one.
    NamedChain,
}

impl Rules {
    /// The rating of a label, given what the list says.
    fn rating(self, category: Category, risk: Risk) -> Rating {
        let usual = |category: Category| category.usual_risk();
        Rating {
            category: self.category.unwrap_or(category),
            risk: self.risk.unwrap_or(self.category.map_or(risk, usual)),
        }
    }
}

impl Draft {
    /// A GraphSense TagPack (YAML): tags with addresses, and a header whose members every tag has that
    /// does not have its own.
    pub fn tagpack(&mut self, bytes: &[u8], rules: Rules) -> Result<Report, ImportError> {
        self.import(|entering| tagpack::read(bytes, rules, entering))
    }

    /// A list of sanctioned addresses, one a line, of an asset as the OFAC writes it: `XBT`, `ETH`.
    pub fn ofac_text(
        &mut self,
        asset: &str,
        bytes: &[u8],
        rules: Rules,
    ) -> Result<Report, ImportError> {
        self.import(|entering| ofac::text(asset, bytes, rules, entering))
    }

    /// The same as a JSON array of strings. A reject's line is its place in the array, from 1.
    pub fn ofac_json(
        &mut self,
        asset: &str,
        bytes: &[u8],
        rules: Rules,
    ) -> Result<Report, ImportError> {
        self.import(|entering| ofac::json(asset, bytes, rules, entering))
    }

    /// A list of one's own as CSV (RFC 4180). The first row names the columns: `address` and `label`,
    /// and, if one likes, `chain`, `tag`, `category`, `risk`.
    pub fn csv(&mut self, bytes: &[u8], rules: Rules) -> Result<Report, ImportError> {
        self.import(|entering| csv::read(bytes, rules, entering))
    }

    /// A list of one's own as JSON Lines: an object on each line, with members as in [`Draft::csv`].
    pub fn json_lines(&mut self, bytes: &[u8], rules: Rules) -> Result<Report, ImportError> {
        self.import(|entering| json::lines(bytes, rules, entering))
    }

    /// All of a file, or nothing of it.
    fn import(
        &mut self,
        read: impl FnOnce(&mut Entering<'_>) -> Result<(), ImportError>,
    ) -> Result<Report, ImportError> {
        let mark = self.mark();
        let mut entering = Entering::new(self);
        match read(&mut entering) {
            Ok(()) => Ok(entering.report),
            Err(error) => {
                self.back_to(mark);
                Err(error)
            }
        }
    }
}

/// A file as text, without a byte order mark: not too large, UTF-8, and without control characters
/// but tabs and ends of lines.
fn text(bytes: &[u8], max: usize) -> Result<&str, ImportError> {
    if bytes.len() > max {
        return Err(ImportError::TooLarge { max });
    }
    let text = core::str::from_utf8(bytes).map_err(|error| ImportError::Utf8 {
        line: line_at(bytes, error.valid_up_to()),
    })?;
    let foreign = |byte: &u8| (*byte < 0x20 && !b"\t\n\r".contains(byte)) || *byte == 0x7f;
    if let Some(at) = bytes.iter().position(foreign) {
        let line = line_at(bytes, at);
        return Err(ImportError::Control { line });
    }
    Ok(text.strip_prefix('\u{FEFF}').unwrap_or(text))
}

/// The same where every line has a cap.
fn lines_of(bytes: &[u8], max: usize) -> Result<&str, ImportError> {
    let text = text(bytes, max)?;
    for (line, content) in (1..).zip(text.split('\n')) {
        if content.len() > MAX_LINE {
            return Err(ImportError::LongLine { line });
        }
    }
    Ok(text)
}

/// The line of a byte, from 1.
fn line_at(bytes: &[u8], at: usize) -> u64 {
    let before = bytes.get(..at).unwrap_or(bytes);
    before
        .iter()
        .fold(1, |line, byte| line + u64::from(*byte == b'\n'))
}
