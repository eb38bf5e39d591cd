//! Who takes part: customers with passkeys of their own, some of whom are attacked.

use crate::app::App;
use crate::chain::CHAIN;
use crate::dice::Dice;
use crate::error::DrillError;
use crate::figures::{ETHER, SLICE, Scale};
use portcullis_chains::Amount;
use portcullis_chains::caip::Address;
use portcullis_client::DevelopmentPasskey;
use portcullis_core::genesis::Mode;
use portcullis_core::id::{AccountId, PrincipalId, SubjectId};
use portcullis_keys::software::SoftwareStatement;
use std::sync::Arc;

/// One hundredth of an ether, the grain of every amount but the last wei of a scaled sum.
pub(crate) const GRAIN: u128 = ETHER / 100;

/// Of so many honest customers one has an authenticator app and no passkey.
const APP_EVERY: u64 = 8;
/// The most that such a customer withdraws at once, in grains.
const MOST_BY_CODE_GRAINS: u64 = 20;
/// The same in wei: what the network's limits let out on a code.
pub(crate) const MOST_BY_CODE: Amount = Amount(GRAIN * MOST_BY_CODE_GRAINS as u128);

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
    /// A wallet of the customer's own.
    pub(crate) address: Address,
    /// What the customer withdraws to it in this drill.
    pub(crate) amount: Amount,
}

impl Customer {
    /// Where the herald reaches it.
    pub(crate) fn mail(&self) -> String {
        format!("{}@customers.example", self.account)
    }
}

/// A customer whose account is attacked.
pub(crate) struct Victim {
    pub(crate) customer: Arc<Customer>,
    /// The withdrawals that attackers try, together the whole balance.
    pub(crate) slices: Vec<Slice>,
}

/// One withdrawal that attackers try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    pub(crate) amount: Amount,
    /// A fresh address that nobody has used.
    pub(crate) thief: Address,
}

/// Everybody.
pub(crate) struct Town {
    pub(crate) victims: Vec<Victim>,
    pub(crate) honest: Vec<Arc<Customer>>,
    /// The attackers' own account: they are customers too.
    pub(crate) attacker: Arc<Customer>,
    /// An address of the attackers' for which they talk somebody out of a code.
    pub(crate) phisher: Address,
}

impl Town {
    /// The town of a seed.
    pub(crate) fn settle(seed: u64, scale: Scale) -> Result<Self, DrillError> {
        let mut people = People {
            dice: Dice::new(seed, "people"),
        };
        let balances = shares(&mut Dice::new(seed, "balances"), scale);
        let victims = balances.into_iter().map(|balance| people.victim(balance));
        let victims = victims.collect::<Result<_, _>>()?;
        let honest = (0..scale.honest()).map(|number| people.honest(number));
        let honest = honest.collect::<Result<_, _>>()?;
        Ok(Self {
            victims,
            honest,
            attacker: Arc::new(people.customer()?),
            phisher: people.address(),
        })
    }

    /// Honest customers who have an app and no passkey, until the epoch.
    pub(crate) fn app_owners(&self) -> impl Iterator<Item = &Arc<Customer>> {
        self.honest.iter().filter(|customer| customer.app.is_some())
    }

    /// Every customer, the attackers' account among them.
    pub(crate) fn customers(&self) -> impl Iterator<Item = &Arc<Customer>> {
        let victims = self.victims.iter().map(|victim| &victim.customer);
        victims.chain(&self.honest).chain([&self.attacker])
    }

    /// What honest withdrawals come to, each customer's counted once.
    pub(crate) fn honest_volume(&self) -> u128 {
        self.customers().map(|customer| customer.amount.0).sum()
    }
}

struct People {
    dice: Dice,
}

impl People {
    fn customer(&mut self) -> Result<Customer, DrillError> {
        let address = self.address();
        Ok(Customer {
            account: AccountId(self.dice.bytes()),
            principal: PrincipalId(self.dice.bytes()),
            subject: SubjectId(self.dice.bytes()),
            passkey: self.passkey()?,
            app: None,
            renewed: self.passkey()?,
            code: format!("grey heron {}", hex::encode(self.dice.bytes::<4>())),
            address,
            // 0.05 to 2 ETH.
            amount: Amount(GRAIN * u128::from(self.dice.between(5, 200))),
        })
    }

    /// A customer who has nothing but an app, and so withdraws little at once.
    fn with_an_app(&mut self) -> Result<Customer, DrillError> {
        let customer = self.customer()?;
        // The clocks of some telephones are half a minute ahead.
        let ahead = u32::try_from(self.dice.below(2)).unwrap_or(0);
        Ok(Customer {
            app: Some(App::new(self.dice.bytes(), ahead)?),
            amount: Amount(GRAIN * u128::from(self.dice.between(5, MOST_BY_CODE_GRAINS))),
            ..customer
        })
    }

    fn honest(&mut self, number: u64) -> Result<Arc<Customer>, DrillError> {
        let customer = if number % APP_EVERY == APP_EVERY - 1 {
            self.with_an_app()
        } else {
            self.customer()
        };
        customer.map(Arc::new)
    }

    fn victim(&mut self, balance: Amount) -> Result<Victim, DrillError> {
        let customer = Arc::new(self.customer()?);
        let slices = slices(balance).map(|amount| Slice {
            amount,
            thief: self.address(),
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

    fn address(&mut self) -> Address {
        Address::Evm {
            chain: CHAIN,
            address: self.dice.bytes(),
        }
    }
}

/// The attacked accounts' balances: uneven, and together exactly the scale's sum.
fn shares(dice: &mut Dice, scale: Scale) -> Vec<Amount> {
    let weights: Vec<u128> = (0..scale.accounts())
        .map(|_| u128::from(dice.between(50, 150)))
        .collect();
    let (whole, all) = (scale.balances().0, weights.iter().sum::<u128>().max(1));
    let share = |weight: &u128| whole / GRAIN * weight / all * GRAIN;
    let mut shares: Vec<u128> = weights.iter().map(share).collect();
    let rest = whole - shares.iter().sum::<u128>();
    // What rounding left goes round in grains, the last wei to the last.
    let count = u128::try_from(shares.len()).unwrap_or(u128::MAX);
    for (place, share) in (0_u128..).zip(&mut shares) {
        let grains = rest / GRAIN;
        *share += (grains / count + u128::from(place < grains % count)) * GRAIN;
    }
    if let Some(last) = shares.last_mut() {
        *last += rest % GRAIN;
    }
    shares.into_iter().map(Amount).collect()
}

/// Equal withdrawals of at most [`SLICE`]; the last takes what division left.
fn slices(balance: Amount) -> impl Iterator<Item = Amount> {
    // Far enough below the size that the last one's rest still fits.
    let count = (balance.0 + ETHER / 2) / SLICE + 1;
    let each = balance.0 / count / GRAIN * GRAIN;
    let last = balance.0 - each * (count - 1);
    (1..=count).map(move |place| Amount(if place == count { last } else { each }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::STOLEN;

    #[test]
    fn balances_sum_to_the_public_figure() {
        for seed in 1..4 {
            let shares = shares(&mut Dice::new(seed, "balances"), Scale::WHOLE);
            assert_eq!(shares.len(), 483);
            assert_eq!(shares.iter().map(|a| a.0).sum::<u128>(), STOLEN.0);
            assert!(
                shares
                    .iter()
                    .all(|a| (4 * ETHER..17 * ETHER).contains(&a.0))
            );
        }
    }

    #[test]
    fn slices_sum_to_the_balance_and_are_of_the_size_that_was_seen() {
        for balance in [
            4 * ETHER,
            5 * ETHER,
            10 * ETHER + 7,
            15 * ETHER - GRAIN,
            16 * ETHER,
        ] {
            let all: Vec<u128> = slices(Amount(balance)).map(|a| a.0).collect();
            assert_eq!(all.iter().sum::<u128>(), balance);
            assert!(
                all.iter().all(|a| (2 * ETHER..=SLICE).contains(a)),
                "{all:?}"
            );
        }
    }
}
