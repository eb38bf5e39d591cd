//! What a development network allows: its delay, its limits, and the signer's own caps and floors.

use super::Asset;
use crate::failure::Failure;
use portcullis_chains::{Amount, AssetId};
use portcullis_core::Span;
use portcullis_core::genesis::Mode;
use portcullis_core::limits::{ApprovalAbove, Bounds, Limit, Limits};

/// How much, and how soon.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// The shortest delay of a new address or factor.
    pub(crate) delay_floor: Span,
    /// The first limits.
    pub(crate) limits: Limits,
    /// The signer's hard caps.
    pub(crate) caps: Vec<Cap>,
    /// New factors that begin to count within 24 hours for the signer; its own default where absent.
    pub(crate) enrolments_per_day: Option<u32>,
    /// Where the signer's alarms go beside its own log.
    pub(crate) webhook: Option<String>,
    /// Whether the signer takes what a TOTP code alone proves; by itself it wants a passkey.
    pub(crate) by_code: bool,
}

/// A signer's hard cap on an asset, in base units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cap {
    /// CAIP-19.
    pub(crate) asset: AssetId,
    /// The largest single release.
    pub(crate) per_transaction: Amount,
    /// The most within any 24 hours.
    pub(crate) day: Amount,
}

impl Terms {
    /// Enough room to try things, and near enough to be met: per account 10 at once, 20 an hour, 50 a
    /// day, 100 a week; above 1 somebody has to approve; all accounts together 500 a day.
    pub(super) fn usual(assets: &[Asset]) -> Result<Self, Failure> {
        let rules = assets.iter().map(|asset| usual_limits(*asset));
        let rules: Vec<[Limit; 2]> = rules.collect::<Result<_, Failure>>()?;
        let caps = assets.iter().map(|asset| usual_cap(*asset));
        Ok(Self {
            delay_floor: Mode::Development.shortest_delay(),
            limits: Limits {
                rules: rules.into_iter().flatten().collect(),
            },
            caps: caps.collect::<Result<_, Failure>>()?,
            enrolments_per_day: None,
            webhook: None,
            by_code: false,
        })
    }

    /// And on a TOTP code alone, where there is a herald to judge one: a tenth at once, a half a day.
    pub(super) fn with_codes(mut self, assets: &[Asset]) -> Result<Self, Failure> {
        for asset in assets {
            let Amount(one) = units_of(*asset, 1)?;
            self.limits.rules.push(Limit {
                asset: asset.id,
                bounds: Bounds::Code,
                per_transaction: Some(Amount(one / 10)),
                hour: None,
                day: Some(Amount(one / 2)),
                week: None,
                approval: None,
            });
        }
        self.by_code = true;
        Ok(self)
    }
}

fn usual_limits(asset: Asset) -> Result<[Limit; 2], Failure> {
    let of = |units: u128| units_of(asset, units);
    let account = Limit {
        asset: asset.id,
        bounds: Bounds::Account,
        per_transaction: Some(of(10)?),
        hour: Some(of(20)?),
        day: Some(of(50)?),
        week: Some(of(100)?),
        approval: Some(ApprovalAbove {
            above: of(1)?,
            count: 1,
        }),
    };
    let all = Limit {
        asset: asset.id,
        bounds: Bounds::Asset,
        per_transaction: None,
        hour: None,
        day: Some(of(500)?),
        week: None,
        approval: None,
    };
    Ok([account, all])
}

fn usual_cap(asset: Asset) -> Result<Cap, Failure> {
    Ok(Cap {
        asset: asset.id,
        per_transaction: units_of(asset, 20)?,
        day: units_of(asset, 1000)?,
    })
}

/// So many whole units, in base units.
fn units_of(asset: Asset, units: u128) -> Result<Amount, Failure> {
    let scale = 10_u128.checked_pow(u32::from(asset.decimals));
    let amount = scale.and_then(|scale| scale.checked_mul(units)).map(Amount);
    amount.ok_or_else(|| Failure::usage("an asset with that many decimals does not fit", ""))
}
