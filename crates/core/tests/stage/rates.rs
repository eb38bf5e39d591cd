//! Publishers of rates, and what they say.

use portcullis_chains::Amount;
use portcullis_core::Span;
use portcullis_core::Time;
use portcullis_core::act::{ActKind, PublishRates, SetPolicy};
use portcullis_core::policy::{
    FiatLimit, Name, Policy, Publisher, Quote, RateRules, Scale, SignedQuote,
};
use portcullis_keeper::testkit::World;
use portcullis_keys::StatementKey as _;

pub(crate) const MAX_AGE: Span = Span::seconds(600);
pub(crate) const EVERY: Span = Span::seconds(60);

pub(crate) fn name(text: &str) -> Name {
    Name(text.into())
}

fn publisher(number: u8) -> Publisher {
    Publisher {
        id: name(&format!("p{number}")),
        key: World::key(&[number; 16]).public_key().clone(),
    }
}

/// A rate moves by a tenth at most; 1,000 minor units leave in an hour. A whole ether has 100 units here.
pub(crate) fn rate_rules(publishers: u8) -> RateRules {
    RateRules {
        currency: name("usd"),
        publishers: (1..=publishers).map(publisher).collect(),
        assets: vec![Scale {
            asset: World::ETHER,
            decimals: 2,
        }],
        max_age: MAX_AGE,
        max_step: 10,
        every: EVERY,
        platform: FiatLimit {
            hour: Some(Amount(1_000)),
            ..FiatLimit::default()
        },
    }
}

pub(crate) fn quote(number: u8, price: u128, time: Time) -> SignedQuote {
    signed_quote(
        number,
        Quote {
            publisher: name(&format!("p{number}")),
            asset: World::ETHER,
            currency: name("usd"),
            price: Amount(price),
            time,
        },
    )
}

pub(crate) fn signed_quote(number: u8, quote: Quote) -> SignedQuote {
    let signature = World::key(&[number; 16]).sign(&quote.signed_bytes());
    SignedQuote {
        quote,
        signature: signature.unwrap(),
    }
}

impl super::Stage {
    /// What the first publishers say now.
    pub(crate) fn quotes(&self, prices: &[u128]) -> Vec<SignedQuote> {
        let numbered = prices.iter().zip(1_u8..);
        let quotes = numbered.map(|(price, number)| quote(number, *price, self.now()));
        quotes.collect()
    }

    /// The policy in force, with three publishers of rates.
    pub(crate) fn name_publishers(&mut self) {
        let policy = Policy {
            rates: Some(rate_rules(3)),
            ..self.facts().policy().clone()
        };
        let replaces = self.facts().policy().digest();
        self.propose(ActKind::SetPolicy(SetPolicy { replaces, policy }));
    }

    /// All three say the same.
    pub(crate) fn publication(&self, price: u128) -> ActKind {
        let quotes = self.quotes(&[price; 3]);
        ActKind::PublishRates(PublishRates { quotes })
    }
}
