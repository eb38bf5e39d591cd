//! What a column can say.

use serde::{Deserialize, Serialize};

/// What a column, or a member, can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The platform's own name for a withdrawal.
    Id,
    /// When it was asked for, or approved.
    Time,
    /// Whose.
    Account,
    /// Of what.
    Asset,
    /// How much.
    Amount,
    /// To whom.
    To,
    /// Memo or destination tag.
    Tag,
    /// What proved it.
    Factor,
    /// Since when the account has that factor.
    FactorSince,
    /// Since when it has its mail address or number.
    ContactSince,
    /// Since when the address stands in the account's book.
    AddressSince,
    /// What became of it at the platform.
    Status,
}

impl Field {
    /// All of them.
    pub(super) const ALL: [Self; 12] = [
        Self::Id,
        Self::Time,
        Self::Account,
        Self::Asset,
        Self::Amount,
        Self::To,
        Self::Tag,
        Self::Factor,
        Self::FactorSince,
        Self::ContactSince,
        Self::AddressSince,
        Self::Status,
    ];

    /// Its name in a mapping; the column's own, where the mapping has no other.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Time => "time",
            Self::Account => "account",
            Self::Asset => "asset",
            Self::Amount => "amount",
            Self::To => "to",
            Self::Tag => "tag",
            Self::Factor => "factor",
            Self::FactorSince => "factor_since",
            Self::ContactSince => "contact_since",
            Self::AddressSince => "address_since",
            Self::Status => "status",
        }
    }

    /// Whether a row without it is none.
    pub(super) const fn is_needed(self) -> bool {
        matches!(
            self,
            Self::Time | Self::Account | Self::Asset | Self::Amount | Self::To
        )
    }
}
