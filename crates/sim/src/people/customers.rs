//! What customers do with their accounts, and the back end for them.

use super::People;
use crate::passkey::Passkey;
use crate::setting::{APPROVAL_ABOVE, TRANSACTION_LIMIT};
use portcullis_chains::Amount;
use portcullis_chains::caip::Address;
use portcullis_core::act::{
    ActKind, AddAddress, Cancel, CancelAddress, EnrolFactor, OpenAccount, RevokeFactor, Withdraw,
};
use portcullis_core::evidence::Evidence;
use portcullis_core::factor::factor_id;
use portcullis_core::id::{FactorId, LedgerEntryId};
use portcullis_core::state::account::Owner;
use portcullis_core::state::release::{Release, Stage};
use portcullis_core::{Act, Digest, Span, State};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::World;

/// What kind of withdrawal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    Small,
    Large,
    Unpaid,
}

impl People {
    pub(super) fn owner(&self, customer: usize) -> Owner {
        self.customers[customer].owner()
    }

    /// A passkey that counts by what the journal says.
    pub(super) fn counting_passkey(&mut self, state: &State, customer: usize) -> Option<usize> {
        let (facts, owner, now) = (state.facts(), self.owner(customer), self.clock.now());
        let passkeys = self.customers[customer].passkeys.iter().enumerate();
        let counting = passkeys.filter(|(_, passkey)| {
            let factor = facts.factor(owner, factor_id(passkey.credential()));
            factor.is_some_and(|factor| {
                let current = facts.is_current(owner, factor.kind, factor.epochs);
                current && factor.available.is_at(facts.time.max(now))
            })
        });
        let counting: Vec<usize> = counting.map(|(at, _)| at).collect();
        self.dice.pick(&counting).copied()
    }

    pub(super) fn open_account(&mut self, state: &State) -> bool {
        let customer = self.any_customer();
        let person = &self.customers[customer];
        if state.facts().account(person.account).is_some() {
            return false;
        }
        let account = person.account;
        let contact = self.seal_contact(customer);
        let person = &self.customers[customer];
        let open = OpenAccount {
            subject: person.subject,
            principal: person.principal,
            factor: person.passkeys[0].factor(),
            delay: None,
            contact,
            imported: None,
        };
        let draft = self.draft(state);
        let act = draft.by_staff(World::BACK_END, Some(account), ActKind::OpenAccount(open));
        let evidence = self.onboarded(&act);
        self.send(World::BACK_END, &act, &evidence)
    }

    fn onboarded(&mut self, act: &Act) -> Evidence {
        let digest = act.digest();
        self.truth.facts().onboarded.insert(digest);
        let expires = self.clock.now().after(Span::hours(1));
        let attestation = self.onboarding.onboarding(digest, expires);
        Evidence {
            attestations: attestation.into_iter().collect(),
            ..Evidence::default()
        }
    }

    pub(super) fn add_address(&mut self, state: &State) -> bool {
        let customer = self.any_customer();
        let number = self.customers[customer].number;
        let to = u8::try_from(self.dice.below(5)).unwrap_or(0);
        let address = World::address(0x20 + number * 8 + to);
        let kind = ActKind::AddAddress(AddAddress { address });
        self.ask(state, customer, kind)
    }

    pub(super) fn cancel_address(&mut self, state: &State) -> bool {
        let Some((customer, address)) = self.address_to_cancel(state) else {
            return false;
        };
        let kind = ActKind::CancelAddress(CancelAddress { address });
        self.ask(state, customer, kind)
    }

    /// Where something is on its way to, if anything is: there the cancelling has to stop it.
    fn address_to_cancel(&mut self, state: &State) -> Option<(usize, Address)> {
        if let Some((customer, release)) = self.under_way(state)
            && let ActKind::Withdraw(withdraw) = &release.act.kind
        {
            return Some((customer, withdraw.to));
        }
        let customer = self.any_customer();
        Some((customer, self.address_of(state, customer)?))
    }

    /// A release that pays and is not withheld, and whose it is.
    fn under_way(&mut self, state: &State) -> Option<(usize, Release)> {
        let releases = state.facts().releases.values();
        let paying = releases.filter(|r| r.stage == Stage::Released && r.voided_by.is_none());
        let paying: Vec<&Release> = paying.collect();
        let release = (*self.dice.pick(&paying)?).clone();
        let mut customers = self.customers.iter();
        let customer = customers.position(|c| c.account == release.account)?;
        Some((customer, release))
    }

    pub(super) fn address_of(&mut self, state: &State, customer: usize) -> Option<Address> {
        let account = state.facts().account(self.customers[customer].account)?;
        let book: Vec<Address> = account
            .book
            .iter()
            .map(|entry| entry.address.get())
            .collect();
        self.dice.pick(&book).copied()
    }

    /// An act by which a customer gives or takes nothing but its own.
    pub(super) fn ask(&mut self, state: &State, customer: usize, kind: ActKind) -> bool {
        let Some((act, evidence)) = self.customers_act(state, customer, kind) else {
            return false;
        };
        self.send(World::BACK_END, &act, &evidence)
    }

    /// An amount that nobody has ever asked for.
    pub(super) fn amount(&mut self, size: Size) -> Amount {
        self.serial += 1;
        let base = match size {
            Size::Large => APPROVAL_ABOVE + 1_000_000_000,
            _ => u128::from(self.dice.below(40) + 1) * 1_000_000_000,
        };
        Amount(base + self.serial).min(Amount(TRANSACTION_LIMIT))
    }

    pub(super) fn withdraw(&mut self, state: &State, size: Size) -> bool {
        let customer = self.any_customer();
        let Some(to) = self.address_of(state, customer) else {
            return false;
        };
        let asset = if self.dice.chance(700) {
            World::ETHER
        } else {
            World::TOKEN
        };
        let amount = self.amount(size);
        let kind = ActKind::Withdraw(Withdraw { asset, to, amount });
        let Some((act, mut evidence)) = self.customers_act(state, customer, kind) else {
            return false;
        };
        if size != Size::Unpaid {
            let debit = self.debit(act.digest());
            evidence.attestations.extend(debit);
        }
        self.send(World::BACK_END, &act, &evidence)
    }

    /// The ledger debits the account, once, and says so.
    pub(super) fn debit(&mut self, act: Digest) -> Option<portcullis_core::evidence::Attestation> {
        let mut entry = [0; 16];
        entry.copy_from_slice(&act.0[..16]);
        self.debit_as(act, LedgerEntryId(entry))
    }

    pub(super) fn debit_as(
        &mut self,
        act: Digest,
        entry: LedgerEntryId,
    ) -> Option<portcullis_core::evidence::Attestation> {
        let mut facts = self.truth.facts();
        facts.debits.entry(act).or_default().insert(entry);
        drop(facts);
        let expires = self.clock.now().after(Span::hours(1));
        self.ledger.debit(act, entry, expires).ok()
    }

    /// The ledger is late with its word for something that is held.
    pub(super) fn pay_later(&mut self, state: &State) -> bool {
        let held = state.facts().held.iter();
        let unpaid = held.filter(|(_, held)| {
            matches!(held.act.kind, ActKind::Withdraw(_)) && held.debit.is_none()
        });
        let unpaid: Vec<Digest> = unpaid.map(|(digest, _)| *digest).collect();
        let Some(digest) = self.dice.pick(&unpaid).copied() else {
            return false;
        };
        let evidence = Evidence {
            attestations: self.debit(digest).into_iter().collect(),
            ..Evidence::default()
        };
        self.supplement(digest, &evidence)
    }

    /// A customer proves again what its factor, an epoch or a freeze has unproven.
    pub(super) fn assert_again(&mut self, state: &State) -> bool {
        let Some((digest, act)) = self.unproven_act(state) else {
            return false;
        };
        let Some(evidence) = self.proof_of(state, &act) else {
            return false;
        };
        self.supplement(digest, &evidence)
    }

    /// A withdrawal of which the proof counts no more.
    pub(super) fn unproven_act(&mut self, state: &State) -> Option<(Digest, Act)> {
        let facts = state.facts();
        let held = facts
            .held
            .iter()
            .map(|(d, held)| (*d, &held.act, held.proof));
        let releases = facts.releases.iter().map(|(d, r)| (*d, &r.act, r.proof));
        let withdrawals = held
            .chain(releases)
            .filter(|(_, act, _)| matches!(act.kind, ActKind::Withdraw(_)));
        let unproven = withdrawals.filter(|(_, _, proof)| !facts.stands(proof));
        let unproven: Vec<(Digest, Act)> = unproven.map(|(d, act, _)| (d, act.clone())).collect();
        self.dice.pick(&unproven).cloned()
    }

    /// A new proof of a customer's act, by whoever's it is.
    pub(super) fn proof_of(&mut self, state: &State, act: &Act) -> Option<Evidence> {
        let mut customers = self.customers.iter();
        let customer = customers.position(|c| Some(c.account) == act.account)?;
        self.assertion(state, customer, act)
    }

    /// A customer takes back what has not gone out.
    pub(super) fn cancel(&mut self, state: &State) -> bool {
        let customer = self.any_customer();
        let account = Some(self.customers[customer].account);
        let facts = state.facts();
        let held = facts
            .held
            .iter()
            .filter(|(_, held)| held.act.account == account);
        let releases = facts
            .releases
            .iter()
            .filter(|(_, r)| r.act.account == account);
        let own: Vec<Digest> = held
            .map(|(digest, _)| *digest)
            .chain(releases.map(|(digest, _)| *digest))
            .collect();
        let Some(act) = self.dice.pick(&own).copied() else {
            return false;
        };
        self.ask(state, customer, ActKind::Cancel(Cancel { act }))
    }

    pub(super) fn freeze(&mut self, state: &State) -> bool {
        let customer = self.any_customer();
        self.ask(state, customer, ActKind::Freeze)
    }

    pub(super) fn unfreeze(&mut self, state: &State) -> bool {
        let frozen = self.frozen(state);
        let Some(customer) = self.dice.pick(&frozen).copied() else {
            return false;
        };
        self.ask(state, customer, ActKind::Unfreeze)
    }

    pub(super) fn frozen(&self, state: &State) -> Vec<usize> {
        let is_frozen = |account| {
            let account = state.facts().account(account);
            account.is_some_and(|account| account.frozen.is_some())
        };
        let customers = self.customers.iter().enumerate();
        let frozen = customers.filter(|(_, customer)| is_frozen(customer.account));
        frozen.map(|(at, _)| at).collect()
    }

    /// Another passkey, by an older one.
    pub(super) fn enrol(&mut self, state: &State) -> bool {
        let customer = self.any_customer();
        let Some((principal, factor)) = self.next_passkey(customer) else {
            return false;
        };
        let kind = ActKind::EnrolFactor(EnrolFactor { principal, factor });
        self.ask(state, customer, kind)
    }

    pub(super) fn next_passkey(
        &mut self,
        customer: usize,
    ) -> Option<(
        portcullis_core::id::PrincipalId,
        portcullis_core::factor::NewFactor,
    )> {
        let person = &mut self.customers[customer];
        let n = u8::try_from(person.passkeys.len())
            .ok()
            .filter(|n| *n < 200)?;
        let passkey = Passkey::new(person.number, n);
        let factor = passkey.factor();
        person.passkeys.push(passkey);
        Some((person.principal, factor))
    }

    /// A first passkey after an epoch, on onboarding's fresh word.
    pub(super) fn enrol_anew(&mut self, state: &State) -> bool {
        let locked_out = (0..self.customers.len()).filter(|customer| {
            let known = state
                .facts()
                .account(self.customers[*customer].account)
                .is_some();
            known && !state.facts().has_factor_left(self.owner(*customer))
        });
        let locked_out: Vec<usize> = locked_out.collect();
        let Some(customer) = self.dice.pick(&locked_out).copied() else {
            return false;
        };
        let account = self.customers[customer].account;
        let Some((principal, factor)) = self.next_passkey(customer) else {
            return false;
        };
        let kind = ActKind::EnrolFactor(EnrolFactor { principal, factor });
        let act = self
            .draft(state)
            .by_staff(World::BACK_END, Some(account), kind);
        let evidence = self.onboarded(&act);
        self.send(World::BACK_END, &act, &evidence)
    }

    fn any_factor(&mut self, state: &State) -> Option<(usize, FactorId)> {
        let customer = self.any_customer();
        let factors = state.facts().factors(self.owner(customer)).iter();
        let factors: Vec<FactorId> = factors.map(|factor| factor.id).collect();
        Some((customer, self.dice.pick(&factors).copied()?))
    }

    pub(super) fn revoke_factor(&mut self, state: &State) -> bool {
        let under_way = self.under_way(state);
        let proves = under_way.map(|(customer, release)| (customer, release.proof.factor));
        let Some((customer, factor)) = proves.or_else(|| self.any_factor(state)) else {
            return false;
        };
        let owner = self.owner(customer);
        let principal = owner.principal();
        let kind = ActKind::RevokeFactor(RevokeFactor { principal, factor });
        self.ask(state, customer, kind)
    }
}
