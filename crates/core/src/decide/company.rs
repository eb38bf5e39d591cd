//! How a withdrawal looks beside the others, from what state knows of it.

use crate::act::{Act, ActKind};
use crate::behaviour::{Asked, Company};
use crate::codec::encode;
use crate::factor::Factor;
use crate::state::State;
use crate::state::account::Account;
use crate::state::release::Held;
use crate::time::{Span, Time};

/// A withdrawal among the others.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    /// As far as others can be like it.
    pub(super) asked: Asked,
    /// What it looks like.
    pub(super) company: Company,
}

impl Seen {
    /// With what was seen of it as it came: what spoke against it then has not gone because time has.
    pub(super) fn since(self, held: &Held) -> Self {
        let first = held.company.as_deref();
        Self {
            company: first.map_or(self.company, |first| self.company.worse(*first)),
            ..self
        }
    }
}

/// Look at a withdrawal; none where the act is none.
pub(super) fn look(state: &State, act: &Act, now: Time) -> Option<Seen> {
    let ActKind::Withdraw(withdraw) = &act.kind else {
        return None;
    };
    let id = act.account?;
    let account = state.facts.account(id)?;
    let behaviour = state.facts.behaviour.as_deref();
    let contact = behaviour.and_then(|known| known.contact_since(&id.0, now));
    let entry = account.address(withdraw.to);
    let since = |from: Option<Time>| from.map_or(Span(0), |from| now.since(from));
    let (asset, to) = (encode(&withdraw.asset), encode(&withdraw.to));
    let asked = Asked::new(&id.0, &asset, withdraw.amount, &to)
        .to_an_address_of(entry.map(|entry| since(entry.available.time())))
        .after_a_change(newest_factor(account, now).into_iter().chain(contact).min());
    let company = behaviour.map(|known| known.look(&asked, now));
    // Nobody has asked for anything yet: only its own side is known.
    let company = company.unwrap_or_else(|| asked.alone());
    Some(Seen { asked, company })
}

/// How long ago the newest factor began to count that came after the account itself. One that does not count yet
/// is of now; what the platform brought from the system that it had before was no change.
fn newest_factor(account: &Account, now: Time) -> Option<Span> {
    let is_change = |factor: &&Factor| factor.enrolled > account.opened && !factor.imported.0;
    let factors = account.holders.iter().flat_map(|holder| &holder.factors);
    let ages = factors.filter(is_change).map(|factor| {
        let from = factor.available.time();
        from.map_or(Span(0), |from| now.since(from))
    });
    ages.min()
}
