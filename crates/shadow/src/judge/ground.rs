//! What speaks against a withdrawal.

use core::mem::discriminant;
use portcullis_core::{Reason, Span};

/// Why one would have been refused, or held. In the order in which the core looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Nothing proved it.
    NoFactor,
    /// A code by mail or SMS proved it, which proves nothing here.
    WeakFactor,
    /// It is above the limit for one.
    OverTransaction,
    /// It would pass the limit of an hour.
    OverHour,
    /// Of 24 hours.
    OverDay,
    /// Of 7 days.
    OverWeek,
    /// The address has to stand in the book for so much longer.
    NewAddress(Span),
    /// The factor has to be so much older.
    NewFactor(Span),
    /// The contact has to be so much older before a fresh address is paid.
    NewContact(Span),
    /// A code of an app does not suffice for so much, or for an address so young.
    Passkey,
    /// Somebody has to approve an amount so large.
    Approval,
    /// So many other accounts have asked for just this amount, to fresh addresses.
    Alike(u32),
    /// So many other accounts have asked to pay this destination.
    Together(u32),
}

impl Ground {
    /// Every kind, in their order, without what each has beside it.
    pub const ALL: [Self; 13] = [
        Self::NoFactor,
        Self::WeakFactor,
        Self::OverTransaction,
        Self::OverHour,
        Self::OverDay,
        Self::OverWeek,
        Self::NewAddress(Span(0)),
        Self::NewFactor(Span(0)),
        Self::NewContact(Span(0)),
        Self::Passkey,
        Self::Approval,
        Self::Alike(0),
        Self::Together(0),
    ];

    /// Whether it ends the withdrawal: a new one has to be asked for. All others wait.
    #[must_use]
    pub const fn refuses(self) -> bool {
        self.reason().is_some()
    }

    /// The gate's reason, where it refuses.
    #[must_use]
    pub const fn reason(self) -> Option<Reason> {
        match self {
            Self::NoFactor | Self::WeakFactor => Some(Reason::FactorMissing),
            Self::OverTransaction => Some(Reason::OverTransactionLimit),
            Self::OverHour => Some(Reason::OverHourLimit),
            Self::OverDay => Some(Reason::OverDayLimit),
            Self::OverWeek => Some(Reason::OverWeekLimit),
            _ => None,
        }
    }

    /// How long it waits by itself, where nothing but time is missing.
    #[must_use]
    pub const fn waits(self) -> Option<Span> {
        match self {
            Self::NewAddress(left) | Self::NewFactor(left) | Self::NewContact(left) => Some(left),
            _ => None,
        }
    }

    /// Its name in the report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoFactor => "no-factor",
            Self::WeakFactor => "weak-factor",
            Self::OverTransaction => "over-transaction-limit",
            Self::OverHour => "over-hour-limit",
            Self::OverDay => "over-day-limit",
            Self::OverWeek => "over-week-limit",
            Self::NewAddress(_) => "new-address",
            Self::NewFactor(_) => "new-factor",
            Self::NewContact(_) => "new-contact",
            Self::Passkey => "passkey",
            Self::Approval => "approval",
            Self::Alike(_) => "alike",
            Self::Together(_) => "together",
        }
    }

    /// What it is, for people.
    #[must_use]
    pub const fn said(self) -> &'static str {
        match self {
            Self::NoFactor => "nothing but the platform’s own word proved it",
            Self::WeakFactor => {
                "proved by a code in a mail or an SMS, which whoever has the mailbox or the number has, too"
            }
            Self::OverTransaction => "above the limit of one withdrawal",
            Self::OverHour => "above what the account may move in an hour",
            Self::OverDay => "above what the account may move in 24 hours",
            Self::OverWeek => "above what the account may move in 7 days",
            Self::NewAddress(_) => {
                "waits until the address has stood in the customer’s book for the delay, of which the customer is told"
            }
            Self::NewFactor(_) => "waits because the factor is new",
            Self::NewContact(_) => "waits because the contact is new and the address, too",
            Self::Passkey => {
                "waits for a passkey: a code of an app is bound to no act, and pays little, and old addresses alone"
            }
            Self::Approval => "waits for somebody of staff to approve so large an amount",
            Self::Alike(_) => {
                "waits to be looked at: other accounts asked for just this amount to fresh addresses"
            }
            Self::Together(_) => {
                "waits to be looked at: other accounts asked to pay this destination"
            }
        }
    }

    /// Its place in [`Ground::ALL`], whatever it has beside it.
    pub(crate) fn at(self) -> usize {
        let kind = discriminant(&self);
        let mut all = Self::ALL.iter();
        all.position(|of| discriminant(of) == kind).unwrap_or(0)
    }
}
