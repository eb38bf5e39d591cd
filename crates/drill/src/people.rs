//! Who takes part: customers with passkeys of their own, some of whom are attacked.

use crate::app::App;
use crate::chain::CHAIN;
use crate::coins;
use crate::dice::Dice;
use crate::error::DrillError;
use crate::figures::Scale;
use crate::money::{ASSETS, Asset, ETH, Money};
use portcullis_chains::Amount;
use portcullis_chains::bitcoin::Lock;
use portcullis_chains::caip::{Address, BitcoinAddress};
use portcullis_client::DevelopmentPasskey;
use portcullis_core::genesis::Mode;
use portcullis_core::id::{AccountId, PrincipalId, SubjectId};
use portcullis_keys::software::SoftwareStatement;
use std::sync::Arc;

/// Of so many customers, honest and attacked, one has an authenticator app and no passkey.
const APP_EVERY: u64 = 8;
/// So many of the withdrawals that attackers try on such an account are as small as a code lets out.
pub(crate) const LITTLE: usize = 9;

/// A customer.
pub(crate) struct Customer {
    pub(crate) account: AccountId,
    pub(crate) principal: PrincipalId,
    pub(crate) subject: SubjectId,
    /// The authenticator, of everybody who has not an app instead.
    pub(crate) passkey: DevelopmentPasskey,
    /// An authenticator app, where that is all that the customer has until the epoch is raised.
    pub(crate) app: Option<App>,
    /// The one that is enrolled after the epoch was raised.
    pub(crate) renewed: DevelopmentPasskey,
    /// A short text of the customer's own, by which it knows what the herald wrote.
    pub(crate) code: String,
    /// Wallets of the customer's own that are to stand in its book, at most one on each chain.
    pub(crate) addresses: Vec<Address>,
    /// What the customer withdraws to one of them in this drill.
    pub(crate) money: Money,
}

impl Customer {
    /// Its own address for an asset. Where it has none on that chain, it is one on another, which no gate pays so.
    pub(crate) fn address(&self, asset: &Asset) -> Address {
        let mut own = self.addresses.iter().copied();
        let on_chain = own.clone().find(|address| asset.is_on(*address));
        on_chain.or(own.next()).unwrap_or(NOWHERE)
    }

    /// Where the herald reaches it.
    pub(crate) fn mail(&self) -> String {
        format!("{}@customers.example", self.account)
    }
}

/// Nobody's.
const NOWHERE: Address = Address::Evm {
    chain: CHAIN,
    address: [0; 20],
};

/// A customer whose account is attacked.
pub(crate) struct Victim {
    pub(crate) customer: Arc<Customer>,
    /// The withdrawals that attackers try, together all that the account holds.
    pub(crate) slices: Vec<Slice>,
}

/// One withdrawal that attackers try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    pub(crate) money: Money,
    /// A fresh address that nobody has used.
    pub(crate) thief: Address,
}

/// Everybody.
pub(crate) struct Town {
    pub(crate) victims: Vec<Victim>,
    pub(crate) honest: Vec<Arc<Customer>>,
    /// The attackers' own account: they are customers too.
    pub(crate) attacker: Arc<Customer>,
}

impl Town {
    /// The town of a seed.
    pub(crate) fn settle(seed: u64, scale: Scale) -> Result<Self, DrillError> {
        let mut people = People {
            dice: Dice::new(seed, "people"),
        };
        let holdings = holdings(&mut Dice::new(seed, "balances"), scale);
        let victims = (0_u64..).zip(&holdings);
        let victims = victims.map(|(number, holds)| people.victim(number, holds));
        let victims = victims.collect::<Result<_, _>>()?;
        let honest = (0..scale.honest()).map(|number| people.honest(number));
        let honest = honest.collect::<Result<_, _>>()?;
        Ok(Self {
            victims,
            honest,
            attacker: Arc::new(people.customer(&ETH)?),
        })
    }

    /// Honest customers who have an app and no passkey, until the epoch.
    pub(crate) fn app_owners(&self) -> impl Iterator<Item = &Arc<Customer>> {
        self.honest.iter().filter(|customer| customer.app.is_some())
    }

    /// The attacked ones of those, with their places among the victims.
    pub(crate) fn attacked_apps(&self) -> impl Iterator<Item = (usize, &Victim)> {
        let victims = self.victims.iter().enumerate();
        victims.filter(|(_, victim)| victim.customer.app.is_some())
    }

    /// The next victim behind one that has a passkey.
    pub(crate) fn next_with_passkey(&self, victim: usize) -> usize {
        let places = (0..self.victims.len()).cycle().skip(victim + 1);
        let mut places = places.take(self.victims.len());
        let next = places.find(|place| self.victims[*place].customer.app.is_none());
        next.unwrap_or(victim)
    }

    /// Every customer, the attackers' account among them.
    pub(crate) fn customers(&self) -> impl Iterator<Item = &Arc<Customer>> {
        let victims = self.victims.iter().map(|victim| &victim.customer);
        victims.chain(&self.honest).chain([&self.attacker])
    }

    /// What honest withdrawals of an asset come to, each customer's counted once.
    pub(crate) fn honest_volume(&self, asset: &Asset) -> u128 {
        let money = self.customers().map(|customer| customer.money);
        let money = money.filter(|money| money.asset.id == asset.id);
        money.map(|money| money.amount.0).sum()
    }
}

struct People {
    dice: Dice,
}

impl People {
    fn customer(&mut self, asset: &'static Asset) -> Result<Customer, DrillError> {
        let address = self.address(asset);
        Ok(Customer {
            account: AccountId(self.dice.bytes()),
            principal: PrincipalId(self.dice.bytes()),
            subject: SubjectId(self.dice.bytes()),
            passkey: self.passkey()?,
            app: None,
            renewed: self.passkey()?,
            code: format!("grey heron {}", hex::encode(self.dice.bytes::<4>())),
            addresses: vec![address],
            money: self.usual(asset, asset.usual.1),
        })
    }

    /// A customer who has nothing but an app, and so withdraws little at once.
    fn with_an_app(&mut self, asset: &'static Asset) -> Result<Customer, DrillError> {
        let customer = self.customer(asset)?;
        let most = u64::try_from(asset.by_code.0 / asset.grain.0).unwrap_or(u64::MAX);
        // The clocks of some telephones are half a minute ahead.
        let ahead = u32::try_from(self.dice.below(2)).unwrap_or(0);
        Ok(Customer {
            app: Some(App::new(self.dice.bytes(), ahead)?),
            money: self.usual(asset, most),
            ..customer
        })
    }

    fn honest(&mut self, number: u64) -> Result<Arc<Customer>, DrillError> {
        self.with_a_factor(number, withdrawn(number)).map(Arc::new)
    }

    fn with_a_factor(
        &mut self,
        number: u64,
        asset: &'static Asset,
    ) -> Result<Customer, DrillError> {
        if number % APP_EVERY == APP_EVERY - 1 {
            self.with_an_app(asset)
        } else {
            self.customer(asset)
        }
    }

    /// What a customer usually withdraws, at most so many grains.
    fn usual(&mut self, asset: &'static Asset, most: u64) -> Money {
        let grains = self.dice.between(asset.usual.0, most);
        asset.much(Amount(asset.grain.0 * u128::from(grains)))
    }

    fn victim(&mut self, number: u64, holds: &[Money]) -> Result<Victim, DrillError> {
        let mut customer = self.with_a_factor(number, &ETH)?;
        // It withdraws ether, and has an address for whatever else it holds on another chain.
        let elsewhere = holds.iter().map(|money| money.asset);
        for asset in elsewhere.filter(|asset| asset.id.chain() != ETH.id.chain()) {
            customer.addresses.push(self.address(asset));
        }
        let customer = Arc::new(customer);
        let has_app = customer.app.is_some();
        let slices = holds.iter().flat_map(|money| slices(*money, has_app));
        let slices = slices.map(|money| Slice {
            money,
            thief: self.address(money.asset),
        });
        Ok(Victim {
            slices: slices.collect(),
            customer,
        })
    }

    fn passkey(&mut self) -> Result<DevelopmentPasskey, DrillError> {
        let key = SoftwareStatement::p256(&self.dice.secret())?;
        Ok(DevelopmentPasskey::in_memory(
            Arc::new(key),
            Mode::Development,
        )?)
    }

    /// A fresh address for an asset: of coins one of any kind that there is.
    fn address(&mut self, asset: &Asset) -> Address {
        if asset.is_of_coins() {
            return Address::Bitcoin(BitcoinAddress::new(coins::CHAIN, self.lock()));
        }
        Address::Evm {
            chain: CHAIN,
            address: self.dice.bytes(),
        }
    }

    fn lock(&mut self) -> Lock {
        match self.dice.below(5) {
            0 => Lock::P2pkh(self.dice.bytes()),
            1 => Lock::P2sh(self.dice.bytes()),
            2 => Lock::P2wsh(self.dice.bytes()),
            3 => Lock::P2tr(self.dice.bytes()),
            _ => Lock::P2wpkh(self.dice.bytes()),
        }
    }
}

/// The asset that an honest customer withdraws: the last that is its own.
fn withdrawn(number: u64) -> &'static Asset {
    let own = ASSETS.into_iter().rev();
    let mut own = own.filter(|asset| asset.is_of(number));
    own.next().unwrap_or(&ETH)
}

/// What each attacked account holds.
fn holdings(dice: &mut Dice, scale: Scale) -> Vec<Vec<Money>> {
    let mut holdings = Vec::new();
    holdings.resize_with(usize::try_from(scale.accounts()).unwrap_or(0), Vec::new);
    for asset in ASSETS {
        let holders = (0_u64..).zip(&mut holdings);
        let holders = holders.filter(|(number, _)| asset.is_of(*number));
        let holders: Vec<&mut Vec<Money>> = holders.map(|(_, holds)| holds).collect();
        let shares = shares(dice, scale.held(asset), holders.len());
        for (holds, share) in holders.into_iter().zip(shares) {
            holds.push(share);
        }
    }
    holdings
}

/// Uneven shares for so many, together exactly the whole.
fn shares(dice: &mut Dice, whole: Money, count: usize) -> Vec<Money> {
    let Money { asset, amount } = whole;
    let weights = (0..count).map(|_| u128::from(dice.between(50, 150)));
    let weights: Vec<u128> = weights.collect();
    let (grain, all) = (asset.grain.0, weights.iter().sum::<u128>().max(1));
    let share = |weight: &u128| amount.0 / grain * weight / all * grain;
    let mut shares: Vec<u128> = weights.iter().map(share).collect();
    let rest = amount.0 - shares.iter().sum::<u128>();
    // What rounding left goes round in grains, the last base units to the last.
    let count = u128::try_from(count).unwrap_or(u128::MAX).max(1);
    for (place, share) in (0_u128..).zip(&mut shares) {
        let grains = rest / grain;
        *share += (grains / count + u128::from(place < grains % count)) * grain;
    }
    if let Some(last) = shares.last_mut() {
        *last += rest % grain;
    }
    let shares = shares.into_iter();
    shares.map(|share| asset.much(Amount(share))).collect()
}

/// The withdrawals that attackers try of a balance: of an app's owner a few that a code lets out, as long as
/// the account holds far more than those, and the rest in equal ones.
fn slices(balance: Money, has_app: bool) -> impl Iterator<Item = Money> {
    let Money { asset, amount } = balance;
    let little = LITTLE as u128 * asset.by_code.0;
    let has_little = has_app && asset.id == ETH.id && amount.0 > 2 * little;
    let (count, little) = if has_little { (LITTLE, little) } else { (0, 0) };
    let rest = asset.much(Amount(amount.0 - little));
    core::iter::repeat_n(asset.much(asset.by_code), count).chain(equal(rest))
}

/// Equal withdrawals of at most the asset's slice; the last takes what division left.
fn equal(balance: Money) -> impl Iterator<Item = Money> {
    let Money { asset, amount } = balance;
    // Far enough below the size that the last one's rest still fits.
    let count = (amount.0 + asset.slice.0 / 10) / asset.slice.0 + 1;
    let each = amount.0 / count / asset.grain.0 * asset.grain.0;
    let last = amount.0 - each * (count - 1);
    let slices = (1..=count).map(move |place| if place == count { last } else { each });
    slices.map(move |slice| asset.much(Amount(slice)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::{BTC, USD};
    use crate::outcome::Tally;

    const ETHER: u128 = 1_000_000_000_000_000_000;

    #[test]
    fn balances_sum_to_the_public_figures() {
        for seed in 1..4 {
            let holdings = holdings(&mut Dice::new(seed, "balances"), Scale::WHOLE);
            assert_eq!(holdings.len(), 483);
            let all: Tally = holdings.iter().flatten().copied().collect();
            for asset in ASSETS {
                assert_eq!(all.of(asset), asset.stolen, "{}", asset.name);
            }
            for (asset, accounts) in [(&BTC, 96), (&USD, 48)] {
                let is_its = |money: &Money| money.asset.id == asset.id;
                let holders = holdings.iter().filter(|holds| holds.iter().any(is_its));
                assert_eq!(holders.count(), accounts, "{}", asset.name);
            }
            let ether = holdings.iter().map(|holds| holds[0].amount.0);
            for balance in ether {
                assert!((4 * ETHER..17 * ETHER).contains(&balance));
            }
        }
    }

    #[test]
    fn slices_sum_to_the_balance_and_are_of_the_size_that_was_seen() {
        for balance in [
            4 * ETHER,
            5 * ETHER,
            10 * ETHER + 7,
            15 * ETHER - ETH.grain.0,
            16 * ETHER,
        ] {
            let all = equal(ETH.much(Amount(balance)));
            let all: Vec<u128> = all.map(|money| money.amount.0).collect();
            assert_eq!(all.iter().sum::<u128>(), balance);
            let with_app: Vec<Money> = slices(ETH.much(Amount(balance)), true).collect();
            let sum = with_app.iter().map(|money| money.amount.0).sum::<u128>();
            assert_eq!(sum, balance);
            let little = with_app.iter().filter(|money| money.is_little());
            assert_eq!(little.count(), LITTLE);
            assert!(
                all.iter().all(|a| (2 * ETHER..=ETH.slice.0).contains(a)),
                "{all:?}"
            );
        }
    }
}
