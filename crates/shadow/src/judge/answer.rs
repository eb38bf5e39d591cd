//! What would have become of one withdrawal, for whoever asks by a copy of it.

use super::Ground;
use crate::row::Row;
use portcullis_core::behaviour::Company;
use serde::{Serialize, Serializer};

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The platform's name for it.
    pub id: String,
    /// What would have become of it.
    pub would: Would,
    /// All that speaks against it, what refuses first.
    #[serde(serialize_with = "by_name")]
    pub grounds: Vec<Ground>,
    /// Why it could not be read, where it could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
    /// Whether it had been judged before, and counts once.
    #[serde(skip_serializing_if = "is_first")]
    pub again: bool,
    /// How it looks beside the others: what a policy would be told.
    #[serde(skip)]
    pub company: Company,
}

/// What would have become of a withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Would {
    /// It would have gone out at once.
    GoOut,
    /// It would have waited.
    BeHeld,
    /// It would have been refused.
    BeRefused,
    /// Nobody knows.
    Unread,
}

impl Would {
    /// What it is, for people.
    #[must_use]
    pub const fn said(self) -> &'static str {
        match self {
            Self::GoOut => "go out",
            Self::BeHeld => "be held",
            Self::BeRefused => "be refused",
            Self::Unread => "not be read",
        }
    }

    /// Its name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GoOut => "go-out",
            Self::BeHeld => "be-held",
            Self::BeRefused => "be-refused",
            Self::Unread => "unread",
        }
    }

    /// By all that speaks against it, what refuses first.
    pub(crate) fn by(grounds: &[Ground]) -> Self {
        match grounds {
            [] => Self::GoOut,
            [first, ..] if first.refuses() => Self::BeRefused,
            _ => Self::BeHeld,
        }
    }
}

impl Answer {
    pub(super) fn new(row: &Row, grounds: Vec<Ground>, company: Company) -> Self {
        Self {
            id: row.id.clone(),
            would: Would::by(&grounds),
            grounds,
            unread: None,
            again: false,
            company,
        }
    }

    pub(super) fn again(self) -> Self {
        Self {
            again: true,
            ..self
        }
    }

    /// To what is no withdrawal, with the platform's name for it where it has one.
    #[must_use]
    pub fn unread(id: String, why: String) -> Self {
        Self {
            id,
            would: Would::Unread,
            grounds: Vec::new(),
            unread: Some(why),
            again: false,
            company: Company::QUIET,
        }
    }

    /// Whether it is to what is no withdrawal.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.would == Would::Unread
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
const fn is_first(again: &bool) -> bool {
    !*again
}

fn by_name<S: Serializer>(grounds: &[Ground], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(grounds.iter().map(|ground| ground.name()))
}
