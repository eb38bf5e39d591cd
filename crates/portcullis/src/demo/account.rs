//! The customer's account and address: made if they are not there, and waited for until they count.

use super::wait::until;
use super::{Demo, step, tell};
use crate::failure::Failure;
use portcullis_chains::caip::Address;
use portcullis_client::{Account, Contact, Envelope, Reach, seal};
use portcullis_core::act::{ActKind, AddAddress, EnrolFactor, OpenAccount};
use portcullis_core::genesis::IssuerKind;
use portcullis_core::{Evidence, Time};

impl Demo {
    /// The customer's account, opened if it is not there, once its passkey counts.
    pub(super) fn account(&self) -> Result<Account, Failure> {
        step("the account");
        let ids = self.customer.ids;
        if self.look_up()?.is_none() {
            let rp_id = crate::call::first(&self.reach.party()?.rp_ids);
            let envelope = self.contact()?;
            let kind = ActKind::OpenAccount(OpenAccount {
                subject: ids.subject,
                principal: ids.principal,
                factor: self.customer.passkey.factor(rp_id),
                delay: None,
                contact: envelope.as_ref().map(Envelope::commitment),
                imported: None,
            });
            tell(
                "opened by",
                "the back end's signed request, with onboarding's attestation",
            );
            self.submit_for_account(kind)?;
            if let Some(envelope) = &envelope {
                let (gate, signer) = (&self.reach.gate, &self.back_end.signer);
                gate.send_envelope(signer, ids.account, envelope)?;
            }
        }
        tell("account", ids.account);
        if let Some(account) = self.look_up()? {
            self.enrol_again(&account)?;
        }
        let why = "a new passkey counts once its delay has run, which begins when the witnesses cosign it";
        until(&self.reach, why, || {
            Ok(self.look_up()?.filter(|account| self.has_passkey(account)))
        })
    }

    /// Where the herald is to reach the customer, sealed to it; nothing where the network has none.
    fn contact(&self) -> Result<Option<Envelope>, Failure> {
        if self.reach.network.herald().is_none() {
            return Ok(None);
        }
        let contact = Contact {
            reach: Reach::Mail("customer@localhost".into()),
            language: "en".into(),
            code: "blue heron".into(),
        };
        let random = self.reach.machine.random.as_ref();
        let sealed = seal(
            &contact,
            &self.reach.network,
            self.customer.ids.account,
            random,
        );
        sealed.map(Some).map_err(|error| Failure::usage(error, ""))
    }

    /// Where an epoch has passed, no factor of the customer's counts: the passkey is enrolled anew, by
    /// the back end on onboarding's word.
    fn enrol_again(&self, account: &Account) -> Result<(), Failure> {
        let mut factors = account.holders.iter().flat_map(|holder| &holder.factors);
        if factors.any(|factor| factor.counts) {
            return Ok(());
        }
        let ids = self.customer.ids;
        let rp_id = crate::call::first(&self.reach.party()?.rp_ids);
        let kind = ActKind::EnrolFactor(EnrolFactor {
            principal: ids.principal,
            factor: self.customer.passkey.factor(rp_id),
        });
        tell(
            "enrolled anew",
            "its epoch was raised, so the passkey counted no more; the back end's request again, \
             with onboarding's attestation",
        );
        self.submit_for_account(kind)
    }

    /// The back end's own act on the account, with onboarding's word that the factor is the holder's.
    fn submit_for_account(&self, kind: ActKind) -> Result<(), Failure> {
        let account = self.customer.ids.account;
        let draft = self.draft()?;
        let act = draft.by_staff(self.back_end.principal, Some(account), kind);
        let issuer = self.reach.issuer("onboarding", IssuerKind::Onboarding)?;
        let evidence = Evidence {
            attestations: vec![issuer.onboarding(act.digest(), act.expires)?],
            ..Evidence::default()
        };
        self.submit(&act, &evidence).map(|_| ())
    }

    pub(super) fn look_up(&self) -> Result<Option<Account>, Failure> {
        Ok(self
            .reach
            .gate
            .account(&self.back_end.signer, self.customer.ids.account)?)
    }

    fn has_passkey(&self, account: &Account) -> bool {
        let mut factors = account.holders.iter().flat_map(|holder| &holder.factors);
        factors.any(|factor| factor.counts && self.has_come(factor.available_at))
    }

    fn has_come(&self, time: Option<Time>) -> bool {
        time.is_some_and(|time| time <= self.reach.machine.clock.now())
    }

    /// The address in the book, added if it is not there, once it counts.
    pub(super) fn address(&self, account: &Account, to: Address) -> Result<(), Failure> {
        step("the address");
        if account.addresses.iter().all(|entry| entry.address != to) {
            let act = self.customers_act(ActKind::AddAddress(AddAddress { address: to }))?;
            tell(
                "added by",
                "the customer's passkey, asserted over this very act",
            );
            self.submit(&act, &self.assertion(&act)?)?;
        }
        tell("address", to);
        let why =
            "a new address pays nobody before its delay has run, so that there is time to stop";
        until(&self.reach, why, || {
            let account = self.look_up()?;
            let book = account.iter().flat_map(|account| &account.addresses);
            let mut aged = book.filter(|entry| self.has_come(entry.available_at));
            Ok(aged.find(|entry| entry.address == to).map(|_| ()))
        })
    }
}
