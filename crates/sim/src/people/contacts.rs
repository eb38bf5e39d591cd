//! How customers are reached: contacts sealed to the herald, brought to the gate, and changed.

use super::People;
use portcullis_client::{Contact, Envelope, Reach, seal};
use portcullis_core::act::{ActKind, ChangeContact};
use portcullis_core::factor::NewFactor;
use portcullis_core::id::AccountId;
use portcullis_core::{Digest, State};
use portcullis_keeper::testkit::World;

/// A sealed contact, or a sealed seed, that the gate may not have yet.
pub(super) struct Sealed {
    pub(super) account: AccountId,
    pub(super) envelope: Envelope,
}

impl People {
    /// A mail address that some customer has or had, if any has one.
    pub fn any_address(&mut self) -> Option<String> {
        let facts = self.truth.facts();
        let all: Vec<String> = facts.contacts.values().cloned().collect();
        drop(facts);
        self.dice.pick(&all).cloned()
    }

    fn address_of_mail(&mut self, customer: usize) -> String {
        let number = self.customers[customer].number;
        format!("{}@customer-{number}.example", self.dice.below(4))
    }

    /// Seal a contact of this customer's; its commitment, where genesis names a herald.
    pub(super) fn seal_contact(&mut self, customer: usize) -> Option<Digest> {
        if !self.common.is_whole {
            return None;
        }
        let account = self.customers[customer].account;
        let address = self.address_of_mail(customer);
        let contact = Contact {
            reach: Reach::Mail(address.clone()),
            language: "en".into(),
            code: "blue heron".into(),
        };
        let network = &self.common.world.network;
        let random = self.machine.random.as_ref();
        let envelope = seal(&contact, network, account, random).expect("a contact and a herald");
        let commitment = envelope.commitment();
        self.truth.facts().contacts.insert(commitment, address);
        self.sealed.push(Sealed { account, envelope });
        Some(commitment)
    }

    /// The back end brings a sealed contact or seed that the journal commits to, or brings it again.
    pub(super) fn send_envelope(&mut self, state: &State) -> bool {
        let facts = state.facts();
        let changes = facts.held.values();
        let coming: Vec<Digest> = changes
            .filter_map(|held| match &held.act.kind {
                ActKind::ChangeContact(change) => Some(change.contact),
                _ => None,
            })
            .collect();
        let is_wanted = |sealed: &Sealed| {
            let account = facts.account(sealed.account);
            let commitment = sealed.envelope.commitment();
            account.is_some_and(|a| a.contact.as_deref() == Some(&commitment))
                || coming.contains(&commitment)
                || self.is_seed_of(state, sealed.account, commitment)
        };
        let wanted = (0..self.sealed.len()).filter(|at| is_wanted(&self.sealed[*at]));
        let wanted: Vec<usize> = wanted.collect();
        let Some(at) = self.dice.pick(&wanted).copied() else {
            return false;
        };
        let Sealed { account, envelope } = self.sealed.swap_remove(at);
        let signer = self.signers[&World::BACK_END].clone();
        let sent = self.gate.send_envelope(&signer, account, &envelope);
        let word = if sent.is_ok() { "taken" } else { "not taken" };
        let kind = format!("envelope {word}");
        self.common.chronicle.note(&kind, envelope.commitment());
        // One that the gate has may be lost there with the power: now and then it is brought again.
        if sent.is_err() || self.dice.chance(500) {
            self.sealed.push(Sealed { account, envelope });
        }
        sent.is_ok()
    }

    fn is_seed_of(&self, state: &State, account: AccountId, seed: Digest) -> bool {
        let factor = NewFactor::Totp { seed }.id();
        let mut owners = self.customers.iter().filter(|c| c.account == account);
        owners.any(|customer| state.facts().factor(customer.owner(), factor).is_some())
    }

    pub(super) fn change_contact(&mut self, state: &State) -> bool {
        let customer = self.any_customer();
        let account = state.facts().account(self.customers[customer].account);
        if account.is_none() {
            return false;
        }
        let Some(contact) = self.seal_contact(customer) else {
            return false;
        };
        let kind = ActKind::ChangeContact(ChangeContact { contact });
        self.ask(state, customer, kind)
    }
}
