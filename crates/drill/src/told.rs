//! What the herald told: every message that the mail server took, compared with what happened. Both ways:
//! nothing happened untold, and nothing was told that did not happen.

use crate::checks::Checks;
use crate::error::DrillError;
use crate::honest::Asked;
use crate::mail::Message;
use crate::people::{Customer, Town};
use crate::stage::Stage;
use crate::wait::until_none;
use portcullis_chains::caip::Address;
use std::collections::{BTreeMap, BTreeSet};

/// By what the subjects of the herald's own texts end with.
const OPENED: &str = "your account is open";
const ADDRESS: &str = "a new address for your withdrawals";
const FACTOR: &str = "a new way to sign in to your account";
const WITHDRAWAL: &str = "a withdrawal from your account";
const EPOCH: &str = "factors were revoked at once";
const REVOKED: &str = "everybody has to set up signing in anew";

/// What happened, by what the drill itself did.
pub(crate) struct Happened<'a> {
    pub(crate) town: &'a Town,
    /// What honest customers asked for, all of which went out.
    pub(crate) asked: &'a [Asked],
    /// Releases to the attackers.
    pub(crate) lost: u64,
}

/// What was told, by what is in the mail.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    messages: u64,
    signed: u64,
    without_code: u64,
    opened: u64,
    addresses: u64,
    revoked: u64,
    renewed: u64,
    withdrawals: u64,
    others: u64,
    epochs: u64,
    /// Acts of withdrawals: the same may be told twice, as what was withheld is released once more.
    heard: BTreeSet<String>,
}

/// Wait until everything has been told, end the herald, and compare.
pub(crate) fn compare(
    stage: &mut Stage,
    happened: &Happened<'_>,
    checks: &mut Checks,
) -> Result<u64, DrillError> {
    let (mailboxes, mut seen, mut told) = (Mailboxes::of(happened), 0, Told::default());
    until_none("every notice in the mail", || {
        let count = |message: &Message| mailboxes.count(message, &mut told);
        stage.mail.look(&mut seen, count)?;
        Ok(mailboxes.missing(&told))
    })?;
    // What it would tell beyond that, it has sent by its end or never will.
    stage.herald.end();
    let count = |message: &Message| mailboxes.count(message, &mut told);
    stage.mail.look(&mut seen, count)?;
    mailboxes.check(&told, checks);
    Ok(told.messages)
}

/// Until every customer has been told that signing in has to be set up anew.
pub(crate) fn until_all_revoked(stage: &Stage, customers: usize) -> Result<(), DrillError> {
    let (mut seen, mut told) = (0, 0);
    until_none("every customer's notice of the epoch", || {
        let count = |message: &Message| told += u64::from(message.subject().ends_with(REVOKED));
        stage.mail.look(&mut seen, count)?;
        Ok((customers as u64).saturating_sub(told))
    })
}

/// Who should have what.
struct Mailboxes<'a> {
    customers: BTreeMap<String, &'a Customer>,
    /// Whose each withdrawal is, by its act.
    withdrawals: BTreeMap<String, String>,
    lost: u64,
}

impl<'a> Mailboxes<'a> {
    fn of(happened: &Happened<'a>) -> Self {
        let customers = happened.town.customers();
        let asked = happened.asked.iter();
        Self {
            customers: customers.map(|it| (it.mail(), it.as_ref())).collect(),
            withdrawals: asked
                .map(|asked| (asked.act.to_string(), asked.customer.mail()))
                .collect(),
            lost: happened.lost,
        }
    }

    fn count(&self, message: &Message, told: &mut Told) {
        told.messages += 1;
        told.signed += u64::from(message.is_signed);
        let subject = message.subject();
        let Some(customer) = self.customers.get(&message.to) else {
            told.epochs += u64::from(subject.ends_with(EPOCH));
            return;
        };
        told.without_code += u64::from(!message.body.contains(&customer.code));
        let of = |kind| subject.ends_with(kind);
        if of(WITHDRAWAL) && told.heard.insert(message.act().to_owned()) {
            let is_asked = self.withdrawals.get(message.act()) == Some(&message.to);
            *(if is_asked {
                &mut told.withdrawals
            } else {
                &mut told.others
            }) += 1;
        }
        let mut own = customer.addresses.iter().map(Address::to_string);
        let is_own = of(ADDRESS) && own.any(|own| message.body.contains(&own));
        told.opened += u64::from(of(OPENED));
        told.addresses += u64::from(is_own);
        told.revoked += u64::from(of(REVOKED));
        told.renewed += u64::from(of(FACTOR));
    }

    /// How many addresses of their own customers have in their books.
    fn addresses(&self) -> u64 {
        let customers = self.customers.values();
        customers
            .map(|customer| customer.addresses.len() as u64)
            .sum()
    }

    /// How much has not been told yet.
    fn missing(&self, told: &Told) -> u64 {
        let customers = self.customers.len() as u64;
        let withdrawals = self.withdrawals.len() as u64;
        let open = [
            (customers, told.opened),
            (self.addresses(), told.addresses),
            (customers, told.revoked),
            (customers, told.renewed),
            (withdrawals, told.withdrawals),
            (self.lost, told.others),
            (1, told.epochs),
        ];
        let open = open.iter().map(|(must, is)| must.saturating_sub(*is));
        open.sum()
    }

    fn check(&self, told: &Told, checks: &mut Checks) {
        let customers = self.customers.len() as u64;
        let mut same = |name: &str, is: u64, must: u64| {
            checks.same(&format!("told: {name}"), &is, &must);
        };
        same(
            "messages with a signature that is good by the sender's key",
            told.signed,
            told.messages,
        );
        same(
            "messages without the customer's own code",
            told.without_code,
            0,
        );
        same("accounts opened", told.opened, customers);
        same(
            "customers' addresses added",
            told.addresses,
            self.addresses(),
        );
        same(
            "customers whose factor the epoch took",
            told.revoked,
            customers,
        );
        same("passkeys enrolled after the epoch", told.renewed, customers);
        same("epochs raised, to staff", told.epochs, 1);
        let asked = self.withdrawals.len() as u64;
        same(
            "honest withdrawals, to whom each is",
            told.withdrawals,
            asked,
        );
        same(
            "withdrawals that no customer asked for: those released to the attackers and no other",
            told.others,
            self.lost,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Scale;

    /// What the herald writes, as the mail server notes it.
    fn message(to: &str, about: &str, text: &str) -> Message {
        let message = serde_json::json!({
            "to": to, "dkim": true, "headers": [["Subject", format!("Development: {about}")]],
            "body": format!("{text}\n\n--\nNetwork development, entry 7, act {text}\n"),
        });
        serde_json::from_value(message).unwrap()
    }

    #[test]
    fn a_withdrawal_told_to_somebody_else_is_one_that_nobody_asked_for() {
        let town = Town::settle(1, "0.02".parse::<Scale>().unwrap()).unwrap();
        let [one, other] = [&town.honest[0], &town.honest[1]];
        let mut mailboxes = Mailboxes::of(&Happened {
            town: &town,
            asked: &[],
            lost: 0,
        });
        mailboxes.withdrawals.insert("ab".into(), one.mail());
        let told = |to: &Customer, act: &str| message(&to.mail(), WITHDRAWAL, act);
        let count = |messages: [Message; 2]| {
            let mut told = Told::default();
            for message in &messages {
                mailboxes.count(message, &mut told);
            }
            told
        };
        let right = count([told(one, "ab"), told(one, "ab")]);
        assert_eq!((right.withdrawals, right.others), (1, 0));
        let wrong = count([told(other, "ab"), told(one, "cd")]);
        assert_eq!((wrong.withdrawals, wrong.others), (0, 2));
        assert_eq!(wrong.without_code, 2, "no message had a code");
    }
}
