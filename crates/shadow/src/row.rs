//! One withdrawal, as the platform had it.

use crate::mapping::RowFault;
use crate::read::Fault;
use minicbor::{Decode, Encode};
use portcullis_chains::Amount;
use portcullis_core::{Span, Time};
use serde::Deserialize;

/// Digits after the point that amounts are counted in, whatever the asset: more than any coin has in use.
pub const PLACES: u8 = 18;

/// A withdrawal that was read whole.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Row {
    /// When it was asked for, or approved.
    #[n(0)]
    pub time: Time,
    /// Where it stands in what was read: the first is 1.
    #[n(1)]
    pub number: u64,
    /// The platform's own name for it.
    #[n(2)]
    pub id: String,
    /// Whose.
    #[n(3)]
    pub account: String,
    /// Of what, as the platform calls it.
    #[n(4)]
    pub asset: String,
    /// How much, in units of 10⁻¹⁸ of the asset.
    #[n(5)]
    pub amount: Amount,
    /// To whom: the address, with its tag where it has one.
    #[n(6)]
    pub to: String,
    /// What proved it.
    #[n(7)]
    pub factor: Factor,
    /// Since when the account has that factor.
    #[n(8)]
    pub factor_since: Option<Time>,
    /// Since when the account has its mail address or number.
    #[n(9)]
    pub contact_since: Option<Time>,
    /// Since when the address stands in the account's book.
    #[n(10)]
    pub address_since: Option<Time>,
    /// Whether the platform let it go.
    #[n(11)]
    pub went_out: bool,
    /// In which file it stands, counted from 0 in the order of reading.
    #[n(12)]
    pub file: u32,
    /// In which line of it, counted from 1; of a copy, in which line of that.
    #[n(13)]
    pub line: u64,
}

/// So much may the platform's clock be ahead of this host's.
const AHEAD: Span = Span::seconds(5 * 60);

impl Row {
    /// Why it is no row of now: its time is more than five minutes ahead of it.
    #[must_use]
    pub fn ahead_of(&self, now: Time) -> Option<Fault> {
        (self.time > now.after(AHEAD)).then(|| Fault::Row {
            line: self.line,
            id: self.id.clone(),
            fault: RowFault::Ahead,
        })
    }
}

/// What a platform asked for before it let a withdrawal go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// The file does not say.
    #[n(0)]
    #[serde(skip)]
    Unsaid,
    /// Nothing.
    #[n(1)]
    None,
    /// A code by mail or SMS, which whoever has the mailbox or the number has, too.
    #[n(2)]
    Weak,
    /// A code of an authenticator app.
    #[n(3)]
    Totp,
    /// A passkey or security key.
    #[n(4)]
    Passkey,
}
