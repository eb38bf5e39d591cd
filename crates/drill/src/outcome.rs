//! What a drill found, as `docs/spec/drill.schema.json` has it.

use crate::figures::Scale;
use crate::money::{ASSETS, Asset, Money};
use crate::shadowed::Shadowed;
use core::fmt;
use portcullis_chains::{Amount, AssetId};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// The part of a drill that a JSON file holds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    /// Which drill: `mfa-bypass`.
    pub drill: &'static str,
    /// What chance followed.
    pub seed: u64,
    /// How large; 1 is the incident as it was.
    pub scale: Scale,
    /// Which attacker.
    pub variant: &'static str,
    /// The attack on the running system.
    pub with: Flow,
    /// The same attack on the flow as it was.
    pub without: Flow,
    /// What `portcullis shadow` says of the records of the flow as it was.
    pub shadow: Shadowed,
    /// What honest customers met meanwhile.
    pub honest: Honest,
    /// What has to be so.
    pub checks: Vec<Check>,
    /// Where several attackers were let loose, each on a system of its own: what each came to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Outcome>,
}

/// An attack on one of the two flows. Every withdrawal that was attempted is one of released, refused
/// and held.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Flow {
    /// Withdrawals that the attackers tried.
    pub attempted: Tally,
    /// Of those, what left for the attackers.
    pub released: Tally,
    /// What was refused.
    pub refused: Tally,
    /// What waited and never left.
    pub held: Tally,
    /// Subjects whose money left for the attackers.
    pub affected_subjects: u64,
    /// Milliseconds from the first attempt to a keeper's own alarm; none where nothing reached one.
    pub detected_ms: Option<u64>,
    /// Milliseconds from the first attempt until every keeper had stopped; none where nothing stopped.
    /// Where operators stop, this is mostly when the drill's script lets them.
    pub contained_ms: Option<u64>,
    /// Milliseconds from the operators' recorded suspension until every keeper had signed that it has it;
    /// none where nobody suspended.
    pub stopping_ms: Option<u64>,
}

/// So many withdrawals of so much.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// How much of each asset.
    #[serde(serialize_with = "by_text")]
    pub amounts: BTreeMap<AssetId, Amount>,
}

/// Honest customers' withdrawals.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Honest {
    /// Asked for.
    pub attempted: u64,
    /// Arrived on the chain.
    pub released: u64,
    /// Refused although nothing was wrong with them. Must be 0.
    pub wrongly_refused: u64,
    /// From request to block, of those that no suspension held.
    pub delay_ms: Delay,
}

/// A distribution's middle and end, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Delay {
    /// Half were faster.
    pub p50: u64,
    /// One in a hundred was slower.
    pub p99: u64,
}

/// Something that has to be so, and whether it is.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What.
    pub name: String,
    /// Whether.
    pub pass: bool,
    /// By which figures.
    pub detail: String,
}

impl Outcome {
    /// One outcome as it is; several as one. Each of them is the whole incident, so that their sum would
    /// be a multiple of it: the flow as it was counts once, and the running system's is that of the
    /// attackers who got most. Honest customers and checks are those of all.
    #[must_use]
    pub fn of_all(outcomes: &[Self]) -> Self {
        let mut all = outcomes.iter();
        let first = all.next().cloned().unwrap_or_default();
        if outcomes.len() < 2 {
            return first;
        }
        let checks = outcomes.iter().flat_map(|one| {
            one.checks.iter().map(|check| Check {
                name: format!("{}: {}", one.variant, check.name),
                ..check.clone()
            })
        });
        Self {
            variant: "all",
            with: worst(outcomes).cloned().unwrap_or_default(),
            honest: Honest::of_all(&outcomes.iter().map(|one| &one.honest)),
            checks: checks.collect(),
            variants: outcomes.to_vec(),
            ..first
        }
    }

    /// Whether every check passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|check| check.pass)
    }
}

/// The running system's flow in which most left, by the assets in their order; of equals the first.
fn worst(outcomes: &[Outcome]) -> Option<&Flow> {
    let flows = outcomes.iter().rev().map(|one| &one.with);
    flows.max_by_key(|flow| ASSETS.map(|asset| flow.released.of(asset)))
}

impl Flow {
    /// One in which nothing has happened yet, with every asset.
    #[must_use]
    pub fn none() -> Self {
        Self {
            attempted: Tally::none(),
            released: Tally::none(),
            refused: Tally::none(),
            held: Tally::none(),
            ..Self::default()
        }
    }

    /// Whether nothing was lost in between, in number and in every asset.
    #[must_use]
    pub fn is_conserved(&self) -> bool {
        let parts = [&self.released, &self.refused, &self.held];
        parts.into_iter().cloned().sum::<Tally>() == self.attempted
    }
}

impl Honest {
    fn of_all<'a>(all: &(impl Iterator<Item = &'a Self> + Clone)) -> Self {
        let sum = |of: fn(&Self) -> u64| all.clone().map(of).sum();
        let worst = |of: fn(&Self) -> u64| all.clone().map(of).max().unwrap_or_default();
        Self {
            attempted: sum(|one| one.attempted),
            released: sum(|one| one.released),
            wrongly_refused: sum(|one| one.wrongly_refused),
            delay_ms: Delay {
                p50: worst(|one| one.delay_ms.p50),
                p99: worst(|one| one.delay_ms.p99),
            },
        }
    }
}

impl Tally {
    /// None of every asset.
    #[must_use]
    pub fn none() -> Self {
        Self {
            count: 0,
            amounts: ASSETS.map(|asset| (asset.id, Amount::ZERO)).into(),
        }
    }

    /// One more of them.
    pub fn add(&mut self, money: Money) {
        self.count += 1;
        let sum = self.amounts.entry(money.asset.id).or_insert(Amount::ZERO);
        *sum = Amount(sum.0.saturating_add(money.amount.0));
    }

    /// How much of one asset.
    #[must_use]
    pub fn of(&self, asset: &Asset) -> Amount {
        self.amounts.get(&asset.id).copied().unwrap_or(Amount::ZERO)
    }

    /// Whether it is no more of any asset.
    #[must_use]
    pub fn is_within(&self, most: &Self) -> bool {
        ASSETS
            .into_iter()
            .all(|asset| self.of(asset) <= most.of(asset))
    }

    /// How much of each asset, in their order.
    pub fn each(&self) -> impl Iterator<Item = Money> {
        ASSETS.into_iter().map(|asset| asset.much(self.of(asset)))
    }
}

impl FromIterator<Money> for Tally {
    fn from_iter<I: IntoIterator<Item = Money>>(all: I) -> Self {
        all.into_iter().fold(Self::none(), |mut tally, money| {
            tally.add(money);
            tally
        })
    }
}

/// The amounts, to the last base unit.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self.each().map(|money| money.to_string());
        f.write_str(&each.collect::<Vec<_>>().join(", "))
    }
}

impl core::iter::Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |mut sum, tally| {
            sum.count += tally.count;
            for (asset, amount) in tally.amounts {
                let known = sum.amounts.entry(asset).or_insert(Amount::ZERO);
                *known = Amount(known.0.saturating_add(amount.0));
            }
            sum
        })
    }
}

impl Delay {
    /// Of these, in any order.
    #[must_use]
    pub fn of(mut delays: Vec<u64>) -> Self {
        delays.sort_unstable();
        // The nearest rank: the smallest value that so many in a hundred do not exceed.
        let at = |percent: usize| {
            let rank = (delays.len() * percent).div_ceil(100).max(1);
            delays.get(rank - 1).copied().unwrap_or_default()
        };
        Self {
            p50: at(50),
            p99: at(99),
        }
    }
}

/// CAIP-19 as a key, as everywhere in JSON.
fn by_text<S: Serializer>(amounts: &BTreeMap<AssetId, Amount>, s: S) -> Result<S::Ok, S::Error> {
    s.collect_map(
        amounts
            .iter()
            .map(|(asset, amount)| (asset.to_string(), amount)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::money::ETH;

    fn wei(amount: u128) -> Money {
        ETH.much(Amount(amount))
    }

    #[test]
    fn what_is_lost_in_between_is_noticed() {
        let mut flow = Flow::default();
        for amount in [1, 2, 3] {
            flow.attempted.add(wei(amount));
        }
        flow.released.add(wei(1));
        flow.refused.add(wei(2));
        assert!(!flow.is_conserved());
        flow.held.add(wei(4));
        assert!(!flow.is_conserved(), "three of three, and not the same sum");
        flow.held = Tally::default();
        flow.held.add(wei(3));
        assert!(flow.is_conserved());
    }

    #[test]
    fn several_attackers_are_one_incident() {
        let outcome = |variant, taken| {
            let mut one = Outcome {
                variant,
                ..Outcome::default()
            };
            one.without.released.add(wei(9));
            one.with.released.add(wei(taken));
            one.honest.attempted = 4;
            one
        };
        let each = [outcome("a", 2), outcome("b", 5), outcome("c", 3)];
        let all = Outcome::of_all(&each);
        assert_eq!(all.without.released.of(&ETH), Amount(9));
        assert_eq!(all.with.released.of(&ETH), Amount(5), "the worst of them");
        assert_eq!(all.with.released.count, 1);
        assert_eq!(all.honest.attempted, 12);
        assert_eq!((all.variant, all.variants.len()), ("all", 3));
    }

    #[test]
    fn percentiles_by_nearest_rank() {
        assert_eq!(
            Delay::of((1..=200).rev().collect()),
            Delay { p50: 100, p99: 198 }
        );
        assert_eq!(Delay::of(vec![7]), Delay { p50: 7, p99: 7 });
        assert_eq!(Delay::of(Vec::new()), Delay::default());
    }
}
