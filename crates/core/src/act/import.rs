//! Importing: factors that a customer had in the system before.

use crate::digest::Digest;
use crate::factor::NewFactor;
use crate::time::Time;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// Most bytes of a source's name.
const MAX_SOURCE: usize = 64;
/// Most further factors of one customer.
pub const MAX_ALSO: usize = 8;

/// That the factors of an opening come from another system, and which. Onboarding attests it with the act.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// What that system is called: 1 to 64 of `a-z`, `0-9`, `.` and `-`, and nothing about a person.
    #[n(0)]
    pub source: String,
    /// When it was exported there.
    #[n(1)]
    pub exported: Time,
    /// SHA-256 of the export, which the platform keeps.
    #[n(2)]
    pub record: Digest,
    /// Further factors of the same customer.
    #[n(3)]
    pub also: Vec<NewFactor>,
}

impl Import {
    /// Whether it says where from in a few plain characters, not of a time ahead, and brings no pile.
    pub(crate) fn is_sound(&self, now: Time) -> bool {
        let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b".-".contains(&c);
        (1..=MAX_SOURCE).contains(&self.source.len())
            && self.source.bytes().all(plain)
            && self.exported <= now
            && self.also.len() <= MAX_ALSO
    }
}
