//! What decides beside the limits: policies, and the rates that publishers say.

use super::People;
use crate::keyring::Heard;
use crate::setting::{self, CURRENCY};
use portcullis_chains::{Address, Amount, AssetId};
use portcullis_core::act::{ActKind, PublishRates, SetPolicy};
use portcullis_core::policy::{Name, Policy, Quote, SignedQuote};
use portcullis_core::{Digest, Span, State, Time};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::World;
use std::sync::Arc;

/// What a publisher has against the others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Madness {
    /// Nothing.
    None,
    /// It says ten times as much.
    Dear,
    /// It says what was so an hour ago.
    Stale,
    /// It says what is so in five minutes.
    Ahead,
    /// Another's key signs for it.
    Forged,
}

impl People {
    /// The back end collects quotes of some publishers, one of whom may be mad, and brings them.
    pub(super) fn publish_rates(&mut self, state: &State) -> bool {
        let Some(named) = publishers(state) else {
            return false;
        };
        self.drift();
        let mad = self.dice.chance(200).then(|| self.dice.below(named.into()));
        let quorum = u64::from(named / 2 + 1).max(3);
        let count = quorum + self.dice.below(u64::from(named) - quorum + 1);
        let asset = self.any_asset();
        let quotes = self.first_of(named, count).into_iter().map(|number| {
            let is_mad = mad == Some(u64::from(number));
            let madness = if is_mad { Madness::Dear } else { Madness::None };
            self.quote(number, asset, madness)
        });
        let quotes: Vec<SignedQuote> = quotes.collect();
        if mad.is_some() {
            self.common.chronicle.count("a publisher gone mad");
        }
        self.order(
            state,
            World::BACK_END,
            ActKind::PublishRates(PublishRates { quotes }),
        )
    }

    fn any_asset(&mut self) -> AssetId {
        if self.dice.chance(700) {
            World::ETHER
        } else {
            World::TOKEN
        }
    }

    /// The market moves a little.
    fn drift(&mut self) {
        for price in &mut self.prices {
            *price = *price * (97 + u128::from(self.dice.below(7))) / 100;
            *price = (*price).clamp(20_000, 900_000);
        }
    }

    /// So many different publishers of all that are named.
    fn first_of(&mut self, named: u8, count: u64) -> Vec<u8> {
        let mut all: Vec<u8> = (0..named).collect();
        while all.len() as u64 > count {
            let at = self.dice.index(all.len());
            all.remove(at);
        }
        all
    }

    /// A publisher's quote, by its own key.
    pub(super) fn quote(&mut self, number: u8, asset: AssetId, madness: Madness) -> SignedQuote {
        let near = self.prices[usize::from(asset == World::TOKEN)];
        let price = near * (199 + u128::from(self.dice.below(3))) / 200;
        let now = self.clock.now();
        let (price, time): (u128, Time) = match madness {
            Madness::Dear => (price * 10, now),
            Madness::Stale => (price, now.before(Span::hours(1))),
            Madness::Ahead => (price, now.after(Span::seconds(300))),
            Madness::None | Madness::Forged => (price, now),
        };
        let quote = Quote {
            publisher: Name(format!("p{number}")),
            asset,
            currency: Name(CURRENCY.into()),
            price: Amount(price),
            time,
        };
        let by = if madness == Madness::Forged {
            number + 20
        } else {
            number
        };
        let key = Heard::of(Arc::new(setting::publisher(by)), &self.truth);
        let signature = key.sign(&quote.signed_bytes()).expect("a software key");
        SignedQuote { quote, signature }
    }

    /// Quotes that make no rate: too few, one for several, all of them mad, old, or from the future.
    pub(super) fn bad_rates(&mut self, state: &State) -> Option<ActKind> {
        let named = publishers(state)?;
        let quorum = u64::from(named / 2 + 1).max(3);
        let asset = self.any_asset();
        let way = self.dice.below(6);
        let count = if way == 0 { quorum - 1 } else { quorum };
        let mut numbers = self.first_of(named, count);
        if way == 1 {
            numbers.fill(0);
        }
        let madness = match way {
            2 => Madness::Dear,
            3 => Madness::Stale,
            4 => Madness::Ahead,
            5 => Madness::Forged,
            _ => Madness::None,
        };
        let quotes = numbers.into_iter().map(|n| self.quote(n, asset, madness));
        let quotes = quotes.collect();
        Some(ActKind::PublishRates(PublishRates { quotes }))
    }

    fn any_policy(&mut self) -> Policy {
        let publishers = 3 + u8::try_from(self.dice.below(5)).unwrap_or(0);
        let count = self.dice.below(3);
        let blocked = (0..count).map(|_| self.any_payee()).collect();
        let mut blocked: Vec<Address> = blocked;
        blocked.dedup();
        setting::policy(publishers, blocked)
    }

    fn any_payee(&mut self) -> Address {
        let customer = self.any_customer();
        let number = self.customers[customer].number;
        let to = u8::try_from(self.dice.below(5)).unwrap_or(0);
        World::address(0x20 + number * 8 + to)
    }

    /// An administrator proposes another policy; sometimes there are two on one base.
    pub(super) fn set_policy(&mut self, state: &State) -> bool {
        let replaces = state.facts().policy().digest();
        let policy = self.any_policy();
        self.propose_policy(state, replaces, policy)
    }

    pub(super) fn propose_policy(
        &mut self,
        state: &State,
        replaces: Digest,
        policy: Policy,
    ) -> bool {
        let Some(who) = self.administrator(state) else {
            return false;
        };
        let set = SetPolicy { replaces, policy };
        self.order(state, who, ActKind::SetPolicy(set))
    }

    /// A policy that is none.
    pub(super) fn malformed_policy(&mut self) -> Policy {
        let mut policy = self.any_policy();
        match self.dice.below(4) {
            0 => policy.cedar.push_str("permit ("),
            1 => policy.lists[0].name = Name("Blocked!".into()),
            2 => policy.rates.iter_mut().for_each(|rates| rates.max_step = 0),
            _ => policy
                .rates
                .iter_mut()
                .for_each(|rates| rates.publishers.truncate(2)),
        }
        self.truth.facts().malformed.insert(policy.digest());
        policy
    }
}

/// How many publishers the policy in force names.
fn publishers(state: &State) -> Option<u8> {
    let rates = state.facts().policy().rates.as_ref()?;
    u8::try_from(rates.publishers.len()).ok()
}
