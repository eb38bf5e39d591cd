//! The money that the incident took: which assets, how people write them, and how much of each the drill's
//! network lets out.
//!
//! Whatever depends on the asset stands in this table. One more is one more line here and in [`ASSETS`]; one that
//! lives elsewhere needs that chain too, with a wallet of its own (what is asked of chains is in `chains`).

use crate::chain::COIN;
use crate::coins;
use crate::token::TOKEN;
use core::fmt;
use portcullis_chains::caip::Address;
use portcullis_chains::{Amount, AssetId};
use portcullis_core::act::{ActKind, Withdraw};

/// An asset, with its part in the incident. Amounts are in base units.
#[derive(Debug)]
pub struct Asset {
    /// CAIP-19.
    pub id: AssetId,
    /// As people call it.
    pub name: &'static str,
    /// How many of its digits stand behind the point.
    pub decimals: u8,
    /// What left by the public figures, of all accounts together.
    pub stolen: Amount,
    /// Of so many attacked accounts one holds it, and of so many honest customers one withdraws it.
    pub(crate) every: u64,
    /// Of what every amount is a multiple, but for the last of a scaled sum.
    pub(crate) grain: Amount,
    /// The most that one of the attackers' withdrawals asks for, and that an account may withdraw at once.
    pub(crate) slice: Amount,
    /// The most that a code lets out at once.
    pub(crate) by_code: Amount,
    /// What an honest withdrawal is at least and at most, in grains.
    pub(crate) usual: (u64, u64),
}

/// All of them; the first is the one in which every attacked account holds something.
pub static ASSETS: [&Asset; 3] = [&ETH, &BTC, &USD];

const ETHER: u128 = 1_000_000_000_000_000_000;
const BITCOIN: u128 = 100_000_000;
const DOLLAR: u128 = 1_000_000;

/// The chain's own coin. From the chain: many equal withdrawals of about 2 to 5 ETH to fresh addresses.
pub static ETH: Asset = Asset {
    id: COIN,
    name: "ETH",
    decimals: 18,
    stolen: Amount(4_836_260_000_000_000_000_000),
    every: 1,
    grain: Amount(ETHER / 100),
    slice: Amount(5 * ETHER),
    by_code: Amount(ETHER / 5),
    usual: (5, 200),
};

/// In bitcoin's own chain, in satoshis. In how many withdrawals they left is not public; every fifth account holds some,
/// so that each of them holds about as much of it as the limits of two days let go.
pub static BTC: Asset = Asset {
    id: coins::COIN,
    name: "BTC",
    decimals: 8,
    stolen: Amount(44_393 * BITCOIN / 100),
    every: 5,
    grain: Amount(BITCOIN / 1_000),
    slice: Amount(2 * BITCOIN),
    by_code: Amount(BITCOIN / 50),
    usual: (10, 500),
};

/// About US$66,200 in other assets, which were never named: here a token of dollars, on the same chain. How its
/// amounts are written is no matter of the contract's.
pub static USD: Asset = Asset {
    id: TOKEN,
    name: "USD",
    decimals: 6,
    stolen: Amount(66_200 * DOLLAR),
    every: 10,
    grain: Amount(DOLLAR / 100),
    slice: Amount(500 * DOLLAR),
    by_code: Amount(50 * DOLLAR),
    usual: (2_000, 40_000),
};

impl Asset {
    /// The asset of an id, where it is one of the incident's.
    #[must_use]
    pub fn of(id: AssetId) -> Option<&'static Self> {
        ASSETS.into_iter().find(|asset| asset.id == id)
    }

    /// So much of it.
    #[must_use]
    pub const fn much(&'static self, amount: Amount) -> Money {
        Money {
            asset: self,
            amount,
        }
    }

    /// Whether the customer of a number, counted from 0, has it.
    pub(crate) const fn is_of(&self, number: u64) -> bool {
        number % self.every == self.every - 1
    }

    /// Whether it is paid from coins, together with others: a withdrawal then waits for its batch.
    pub(crate) const fn is_of_coins(&self) -> bool {
        matches!(self.id, AssetId::Bitcoin(_))
    }

    /// What one account may withdraw within a day: twice what it may at once.
    pub(crate) const fn account_day(&self) -> Amount {
        Amount(2 * self.slice.0)
    }

    /// The same within a week.
    pub(crate) const fn account_week(&self) -> Amount {
        Amount(4 * self.slice.0)
    }

    /// What codes let out of one account within a day: twice what one lets out at once.
    pub(crate) const fn code_day(&self) -> Amount {
        Amount(2 * self.by_code.0)
    }

    /// The same within a week.
    pub(crate) const fn code_week(&self) -> Amount {
        Amount(5 * self.by_code.0)
    }

    /// What a paying wallet of an account holds: enough for every honest withdrawal and everything attacked.
    pub(crate) const fn funds(&'static self) -> Money {
        self.much(Amount(20 * self.stolen.0))
    }

    /// As much as a code lets out at once.
    pub(crate) const fn little(&'static self) -> Money {
        self.much(self.by_code)
    }

    /// One unit, in base units.
    pub(crate) fn unit(&self) -> u128 {
        10_u128.pow(u32::from(self.decimals))
    }
}

/// So much of an asset.
#[derive(Clone, Copy)]
pub struct Money {
    /// Of what.
    pub asset: &'static Asset,
    /// How much, in base units.
    pub amount: Amount,
}

impl Money {
    /// Whether an app's code can let so much out at all.
    pub(crate) fn is_little(self) -> bool {
        self.amount <= self.asset.by_code
    }

    /// The number alone, to the last base unit.
    pub(crate) fn digits(self) -> String {
        let Self { asset, amount } = self;
        let (whole, part) = (amount.0 / asset.unit(), amount.0 % asset.unit());
        let text = format!("{whole}.{part:0wide$}", wide = usize::from(asset.decimals));
        let text = text.trim_end_matches('0').trim_end_matches('.');
        text.to_owned()
    }

    /// The withdrawal of it.
    pub(crate) fn paid_to(self, to: Address) -> ActKind {
        let (asset, amount) = (self.asset.id, self.amount);
        ActKind::Withdraw(Withdraw { asset, to, amount })
    }

    /// Half of it.
    pub(crate) fn half(self) -> Self {
        self.asset.much(Amount(self.amount.0 / 2))
    }
}

impl PartialEq for Money {
    fn eq(&self, other: &Self) -> bool {
        (self.asset.id, self.amount) == (other.asset.id, other.amount)
    }
}

impl Eq for Money {}

/// To the last base unit.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.digits(), self.asset.name)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_to_the_last_unit() {
        for (asset, amount, text) in [
            (&ETH, 1, "0.000000000000000001 ETH"),
            (&ETH, 5 * ETHER, "5 ETH"),
            (&ETH, ETH.stolen.0, "4836.26 ETH"),
            (&ETH, 0, "0 ETH"),
            (&BTC, BTC.stolen.0 + 1, "443.93000001 BTC"),
            (&USD, USD.stolen.0 + 1, "66200.000001 USD"),
            (&USD, 10_000, "0.01 USD"),
        ] {
            assert_eq!(asset.much(Amount(amount)).to_string(), text);
        }
    }

    #[test]
    fn no_two_assets_are_one() {
        for asset in ASSETS {
            assert_eq!(Asset::of(asset.id).map(|one| one.name), Some(asset.name));
            assert!(asset.by_code < asset.slice && asset.grain < asset.by_code);
        }
        assert!(ASSETS[0].is_of(0) && ASSETS[0].is_of(1), "everybody's");
    }
}
