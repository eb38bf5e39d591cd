//! How bad it is: a risk from 0 to 10, and what kind of label it is.

use core::fmt;
use core::str::FromStr;

/// From 0, nothing against the address, to 10, as bad as it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Risk(u8);

impl Risk {
    /// The highest.
    pub const MAX: Self = Self(10);

    /// `None` above 10.
    #[must_use]
    pub const fn new(risk: u8) -> Option<Self> {
        if risk <= Self::MAX.0 {
            Some(Self(risk))
        } else {
            None
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Less by so much, and no less than 0.
    #[must_use]
    pub const fn less(self, by: u8) -> Self {
        Self(self.0.saturating_sub(by))
    }
}

/// Why a text is no risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a risk is a number from 0 to 10")]
pub struct RiskFault;

/// One or two decimal digits, without zeros before them.
impl FromStr for Risk {
    type Err = RiskFault;

    fn from_str(text: &str) -> Result<Self, RiskFault> {
        let risk = text.parse().ok().and_then(Self::new).ok_or(RiskFault)?;
        if risk.to_string() == text {
            Ok(risk)
        } else {
            Err(RiskFault)
        }
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What kind of label it is, the gravest first. Of two labels of one risk the graver kind is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Category {
    /// On a sanctions list.
    Sanction = 0,
    /// Pays for or collects for terrorism.
    Terrorism = 1,
    /// Sells or buys the abuse of children.
    ChildAbuse = 2,
    /// Extortion: ransomware, sextortion.
    Extortion = 3,
    /// Holds what was stolen from a service.
    Theft = 4,
    /// Takes money by deceit: phishing, Ponzi schemes, fraud.
    Scam = 5,
    /// Frozen by the issuer of a token.
    Blocklist = 6,
    /// Hides where money comes from: mixers, laundering.
    Mixing = 7,
    /// Abuse that is not further specified.
    Abuse = 8,
    /// A market, most of them hidden ones.
    Market = 9,
    /// A betting service.
    Gambling = 10,
    /// An exchange.
    Exchange = 11,
    /// Any other service: wallets, miners, shops.
    Service = 12,
    /// Whatever else was said.
    Other = 13,
}

impl Category {
    /// Every category, in the order of their numbers.
    pub const ALL: [Self; 14] = [
        Self::Sanction,
        Self::Terrorism,
        Self::ChildAbuse,
        Self::Extortion,
        Self::Theft,
        Self::Scam,
        Self::Blocklist,
        Self::Mixing,
        Self::Abuse,
        Self::Market,
        Self::Gambling,
        Self::Exchange,
        Self::Service,
        Self::Other,
    ];

    /// The name in lists of one's own.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sanction => "sanction",
            Self::Terrorism => "terrorism",
            Self::ChildAbuse => "child-abuse",
            Self::Extortion => "extortion",
            Self::Theft => "theft",
            Self::Scam => "scam",
            Self::Blocklist => "blocklist",
            Self::Mixing => "mixing",
            Self::Abuse => "abuse",
            Self::Market => "market",
            Self::Gambling => "gambling",
            Self::Exchange => "exchange",
            Self::Service => "service",
            Self::Other => "other",
        }
    }

    /// The risk of a label that states none and comes from a source that can be relied on.
    #[must_use]
    pub const fn usual_risk(self) -> Risk {
        Risk(match self {
            Self::Sanction | Self::Terrorism | Self::ChildAbuse => 10,
            Self::Extortion | Self::Theft => 9,
            Self::Scam | Self::Blocklist => 8,
            Self::Mixing => 7,
            Self::Abuse => 6,
            Self::Market => 5,
            Self::Gambling => 3,
            Self::Exchange | Self::Service => 1,
            Self::Other => 0,
        })
    }
}

/// Why a text is no category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown category: docs/spec/labels.md lists them")]
pub struct CategoryFault;

impl FromStr for Category {
    type Err = CategoryFault;

    fn from_str(text: &str) -> Result<Self, CategoryFault> {
        let mut all = Self::ALL.into_iter();
        all.find(|category| category.name() == text)
            .ok_or(CategoryFault)
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Both, in one byte of a set: risk × 16 + category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rating {
    /// How bad.
    pub risk: Risk,
    /// What kind.
    pub category: Category,
}

impl Rating {
    /// The byte.
    #[must_use]
    pub const fn code(self) -> u8 {
        self.risk.0 << 4 | self.category as u8
    }

    /// The rating of this byte, if there is one.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Some(Self {
            risk: Risk::new(code >> 4)?,
            category: *Category::ALL.get(usize::from(code & 15))?,
        })
    }

    /// Sorts the worst first: the higher risk, then the graver category.
    #[must_use]
    pub const fn worst_first(self) -> (u8, Category) {
        (Risk::MAX.0 - self.risk.0, self.category)
    }
}
