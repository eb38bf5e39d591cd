use portcullis_chains::caip::Address;
use portcullis_labels::Key;

/// How sets know a payee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payee {
    /// By its key.
    Known(Key),
    /// By that of its account alone: its memo or tag is written in a way that no set reads. What sets say of the whole
    /// account counts; what they say of a part of it nobody can tell.
    InPart(Key),
    /// Not at all, so that it is in no set says nothing.
    Unknown,
}

impl Payee {
    /// How sets know an address.
    #[must_use]
    pub fn of(address: &Address) -> Self {
        if let Ok(key) = Key::try_from(*address) {
            return Self::Known(key);
        }
        let text = address.to_string();
        let account = text.split_once('?').map(|(account, _)| account.parse());
        account
            .and_then(Result::ok)
            .map_or(Self::Unknown, Self::InPart)
    }

    /// The key that sets are searched for.
    #[must_use]
    pub const fn key(&self) -> Option<&Key> {
        match self {
            Self::Known(key) | Self::InPart(key) => Some(key),
            Self::Unknown => None,
        }
    }

    /// Whether sets can say all that they might. Where they cannot, withdrawals are held while any is in force.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        matches!(self, Self::Known(_))
    }
}
