//! Label sets: what lists say of chain addresses, in a form that everybody decides by alike.
//!
//! A platform imports lists ([`Draft::tagpack`], [`Draft::ofac_text`], [`Draft::ofac_json`],
//! [`Draft::csv`], [`Draft::json_lines`]) into a [`Draft`] and builds a [`LabelSet`]: sorted bytes with
//! a digest. The set enters the journal by an act that names the digest; whoever decides fetches the
//! bytes by it ([`LabelSet::named`]) and looks addresses up ([`LabelSet::find`]). What the act changes
//! is [`LabelSet::changes_since`].
//!
//! Addresses meet whatever their spelling ([`Key`]). Everything here is a pure function over bytes that
//! anybody may have made; sizes, depths and counts are capped before memory is spent.
//! `docs/spec/labels.md` specifies every byte.

mod address;
mod date;
mod draft;
mod import;
mod rating;
mod set;
mod text;

pub use address::{AddressError, Chain, Form, Key, MAX_ADDRESS, MAX_WIDTH, Shape};
pub use date::{Date, DateFault};
pub use draft::{Draft, DraftError};
pub use import::{EvmReach, ImportError, MAX_FILE, MAX_YAML, Reject, Report, Rules, ofac_asset};
pub use rating::{Category, CategoryFault, Rating, Risk, RiskFault};
pub use set::{
    Change, Changes, Header, Kind, Label, LabelSet, MAX_LABELS, MAX_SET, MAX_TEXTS, SetDigest,
    SetError,
};
pub use text::{MAX_LABEL, TextError};
