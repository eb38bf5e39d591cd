//! The facts of an act, as core computes them: few and discrete, so that the same come again.

use crate::behaviour::Company;
use crate::evidence::Finding;
use crate::factor::FactorKind;
use crate::realm::{Realm, Role};
use crate::state::said::Said;
use crate::time::Time;
use portcullis_chains::caip::AssetId;
use portcullis_labels::Rating;
use serde::Serialize;

/// The tier of an asset for which the policy has no steps: above all of them.
pub const NO_TIERS: u8 = 9;

/// Most hours that are told apart: 30 days.
const MOST_HOURS: u16 = 720;

/// The acts that policies are asked about: those of the schema.
pub const ASKED: [&str; 17] = [
    "withdraw",
    "open-account",
    "add-address",
    "unfreeze",
    "enrol-factor",
    "grant-role",
    "approve",
    "resume",
    "set-limits",
    "set-labels",
    "publish-rates",
    "recover",
    "rotate",
    "change-contact",
    "add-principal",
    "remove-principal",
    "set-account-quorum",
];

/// What is asked besides of a withdrawal, with its [`Company`]: of the answer only what a forbid waits for counts.
pub const BESIDE: &str = "withdraw-beside-others";

/// All that a policy is asked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Facts {
    /// The act's name.
    pub act: &'static str,
    /// The asker's realm.
    pub realm: Realm,
    /// The asker's roles, a bit for each.
    #[serde(serialize_with = "serialize_roles")]
    pub roles: u8,
    /// The factor that proves the act.
    pub factor: FactorKind,
    /// Whole hours since it began to count, at most 720.
    pub factor_hours: u16,
    /// Whether the platform imported it from the system that it had before.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub imported: bool,
    /// Others' approvals that stand.
    pub approvals: u32,
    /// What issuers have said.
    pub attested: Attested,
    /// The policy's lists that account or address stand in, a bit for each.
    pub lists: u32,
    /// The worst that the label sets in force say of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<Labelled>,
    /// What is known of a withdrawal besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub money: Option<Money>,
    /// What a withdrawal looks like beside the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<Company>,
}

/// What a label says of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Labelled {
    /// From 0 to 10.
    pub risk: u8,
    /// The name of its category.
    pub category: &'static str,
}

impl From<Rating> for Labelled {
    fn from(rating: Rating) -> Self {
        Self {
            risk: rating.risk.get(),
            category: rating.category.name(),
        }
    }
}

/// What issuers have said of an act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Attested {
    /// The ledger: this was paid.
    pub debit: bool,
    /// Onboarding: the factor is the holder's.
    pub onboarding: bool,
    /// The travel rule's message was exchanged.
    pub travel_rule: bool,
    /// What a screening found.
    pub screening: Option<Finding>,
}

/// The facts of a withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Money {
    /// The asset.
    pub asset: AssetId,
    /// How many of the asset's steps the amount is above; [`NO_TIERS`] where it has none.
    pub tier: u8,
    /// Whole hours since the address began to count, at most 720.
    pub address_hours: u16,
    /// Of the account's limits.
    pub account: Shares,
    /// Of the limits on all accounts together.
    pub asset_wide: Shares,
}

/// How much of each window's limit would be used, in percent, in full tens rounded up: 100 is all of it,
/// 110 more than that, 0 that none is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Shares {
    /// Any hour.
    pub hour: u8,
    /// Any 24 hours.
    pub day: u8,
    /// Any 7 days.
    pub week: u8,
}

impl Facts {
    /// A set of roles as bits.
    #[must_use]
    pub fn bits(roles: &[Role]) -> u8 {
        let bit = |role: &Role| 1_u8 << Role::ALL.iter().position(|r| r == role).unwrap_or(0);
        roles.iter().map(bit).fold(0, |all, one| all | one)
    }

    /// The names of the asker's roles.
    pub fn role_names(&self) -> impl Iterator<Item = &'static str> {
        names(self.roles)
    }

    /// Whether these are the facts of an act that policies are asked about.
    pub(super) fn is_whole(&self) -> bool {
        let is_beside = self.is_beside();
        let is_withdrawal = is_beside || self.act == "withdraw";
        (is_beside || ASKED.contains(&self.act))
            && self.money.is_some() == is_withdrawal
            && self.company.is_some() == is_beside
    }

    pub(super) fn is_beside(&self) -> bool {
        self.act == BESIDE
    }
}

impl Attested {
    /// What counts of vendors' words at a time, and nothing else.
    pub(crate) fn by_vendors(said: &Said, now: Time) -> Self {
        Self {
            travel_rule: said.message(now).is_some(),
            screening: said.screened(now).map(|screened| screened.finding),
            ..Self::default()
        }
    }

    /// The names of what was said, screenings left out.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let all = [
            (self.debit, "debit"),
            (self.onboarding, "onboarding"),
            (self.travel_rule, "travel-rule"),
        ];
        all.into_iter()
            .filter_map(|(is_said, name)| is_said.then_some(name))
    }

    /// What a screening found; that there is none is a name, too.
    #[must_use]
    pub fn screening(self) -> &'static str {
        self.screening.map_or("none", Finding::name)
    }
}

/// Whole hours, as far as they are told apart.
#[must_use]
pub fn whole_hours(span: crate::time::Span) -> u16 {
    let hours = span.0 / crate::time::Span::hours(1).0;
    u16::try_from(hours).map_or(MOST_HOURS, |hours| hours.min(MOST_HOURS))
}

pub(super) fn factor_name(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::RequestKey => "request-key",
        FactorKind::Passkey => "passkey",
        FactorKind::Totp => "totp",
        FactorKind::RecoveryCodes => "recovery-codes",
    }
}

pub(super) fn realm_name(realm: Realm) -> &'static str {
    match realm {
        Realm::Customers => "customers",
        Realm::Staff => "staff",
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Administrator => "administrator",
        Role::Operator => "operator",
        Role::Approver => "approver",
        Role::Support => "support",
        Role::Auditor => "auditor",
        Role::BackEnd => "back-end",
        Role::Keeper => "keeper",
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands fields by reference"
)]
fn serialize_roles<S: serde::Serializer>(roles: &u8, s: S) -> Result<S::Ok, S::Error> {
    s.collect_seq(names(*roles))
}

fn names(bits: u8) -> impl Iterator<Item = &'static str> {
    let roles = Role::ALL.into_iter().enumerate();
    let held = roles.filter(move |(at, _)| bits & (1 << at) != 0);
    held.map(|(_, role)| role_name(role))
}
