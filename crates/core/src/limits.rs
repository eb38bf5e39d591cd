//! Limits: how much may leave, in base units. They always apply; the policy ([`crate::policy`]) stands
//! beside them.

use crate::codec::encode;
use crate::digest::{Digest, Domain};
use minicbor::{Decode, Encode};
use portcullis_chains::Amount;
use portcullis_chains::caip::AssetId;
use serde::{Deserialize, Serialize};

/// Most rules in force at once.
pub const MAX_RULES: usize = 256;

/// All limits in force. An asset without a rule for accounts cannot be withdrawn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The rules.
    #[n(0)]
    pub rules: Vec<Limit>,
}

/// Whose outflow a limit bounds.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum Bounds {
    /// Each account's, of the asset.
    #[n(0)]
    Account,
    /// All accounts' together, of the asset.
    #[n(1)]
    Asset,
    /// Each wallet's, of the asset.
    #[n(2)]
    Wallet,
    /// What a TOTP code alone lets out: of each account, of the asset, whatever else left it counted in.
    /// Without such a rule a code lets out nothing.
    #[n(5)]
    Code,
}

/// One rule. Absent means unbounded by this rule.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The asset, in whose base units the amounts are.
    #[n(0)]
    pub asset: AssetId,
    /// Whose outflow.
    #[n(1)]
    pub bounds: Bounds,
    /// The largest single release.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_transaction: Option<Amount>,
    /// The most within any hour.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<Amount>,
    /// The most within any 24 hours.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Amount>,
    /// The most within any 7 days.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub week: Option<Amount>,
    /// Releases above an amount need approvals.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalAbove>,
}

/// Releases above `above` need `count` different approvers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct ApprovalAbove {
    /// Base units.
    #[n(0)]
    pub above: Amount,
    /// How many.
    #[n(1)]
    pub count: u32,
}

impl Limit {
    /// The same with every amount divided, rounded down. What it does not bound stays unbounded.
    #[must_use]
    pub fn lowered(&self, by: u32) -> Self {
        let by = u128::from(by.max(1));
        let lower = |amount: Option<Amount>| amount.map(|Amount(units)| Amount(units / by));
        Self {
            asset: self.asset,
            bounds: self.bounds,
            per_transaction: lower(self.per_transaction),
            hour: lower(self.hour),
            day: lower(self.day),
            week: lower(self.week),
            approval: self.approval.map(|approval| ApprovalAbove {
                above: Amount(approval.above.0 / by),
                ..approval
            }),
        }
    }
}

impl Limits {
    /// The digest that the act replacing them names.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::Limits, &encode(self))
    }

    /// The rule for an asset, if any.
    #[must_use]
    pub fn rule(&self, asset: AssetId, bounds: Bounds) -> Option<&Limit> {
        self.rules
            .iter()
            .find(|rule| rule.asset == asset && rule.bounds == bounds)
    }

    /// At most [`MAX_RULES`], and no two for the same asset and bounds.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        let mut keys: Vec<_> = self
            .rules
            .iter()
            .map(|rule| (rule.asset, rule.bounds))
            .collect();
        keys.sort_unstable();
        self.rules.len() <= MAX_RULES && keys.windows(2).all(|pair| pair[0] != pair[1])
    }
}
