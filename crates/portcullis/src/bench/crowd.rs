//! Many accounts: each opened by an entry of its own, as the journal would have them.
//!
//! The entries are applied as ones that were checked before; what they leave in memory is the same,
//! and a million signatures are not made for it.

use super::ledger::{Entered, Ledger};
use super::network::{Customer, Platform};
use super::{Setting, decide::wait_for_delays};
use crate::failure::{Exit, Failure};
use portcullis_core::act::ActKind;
use portcullis_core::entry::Body;
use portcullis_core::signature::AlreadyChecked;
use portcullis_core::statement::Says;
use portcullis_core::{Digest, Evidence, Span, Time};
use portcullis_keys::StatementKey;
use std::sync::Arc;

/// After so many entries a checkpoint is journaled and time passes.
const CHECKPOINT_EVERY: u64 = 1_000;

/// A platform with a crowd of customers.
pub(super) struct Crowd {
    pub(super) platform: Platform,
    pub(super) ledger: Ledger,
    key: Arc<dyn StatementKey>,
    entered: u64,
}

impl Crowd {
    /// Nobody yet, then.
    pub(super) fn new(
        setting: &Setting,
        begin: Time,
        mut write: impl FnMut(Entered),
    ) -> Result<Self, Failure> {
        let platform = Platform::new(setting, "http://127.0.0.1:1")?.without_signatures()?;
        let checked = AlreadyChecked::below_own_durable_checkpoint();
        let ledger = Ledger::new(&platform, begin, Box::new(checked), &mut write)?;
        Ok(Self {
            platform,
            ledger,
            key: Customer::number(0)?.key(),
            entered: 0,
        })
    }

    /// The customer of this number.
    pub(super) fn customer(&self, number: u64) -> Customer {
        Customer::with_key(number, Arc::clone(&self.key))
    }

    /// Open the accounts of these numbers.
    pub(super) fn open(
        &mut self,
        numbers: core::ops::Range<u64>,
        mut write: impl FnMut(Entered),
    ) -> Result<(), Failure> {
        for number in numbers {
            let customer = self.customer(number);
            let draft = self.ledger.draft();
            let open = self.platform.open(draft, &customer, self.ledger.now)?;
            write(self.ledger.submit(open)?);
            self.pace(&mut write)?;
        }
        wait_for_delays(&mut self.ledger, write)
    }

    /// Open these accounts, give each two addresses, and have each pay once, to the end: what an
    /// account is after a while. They take half an hour, so that what is remembered for a day only
    /// grows no further after some of these calls.
    pub(super) fn live(&mut self, numbers: core::ops::Range<u64>) -> Result<(), Failure> {
        self.open(numbers.clone(), |_| {})?;
        for number in numbers.clone() {
            for address in [0xaa, 0xbb] {
                let (customer, draft) = (self.customer(number), self.ledger.draft());
                let (to, now) = (Platform::payee(address), self.ledger.now);
                let add = self.platform.add_address(draft, &customer, to, now)?;
                self.ledger.submit(add)?;
            }
        }
        wait_for_delays(&mut self.ledger, |_| {})?;
        for number in numbers {
            self.pay(number)?;
        }
        self.ledger.pass(Span::seconds(1800));
        wait_for_delays(&mut self.ledger, |_| {})
    }

    /// Freeze these accounts, one entry each.
    pub(super) fn freeze(
        &mut self,
        numbers: core::ops::Range<u64>,
        mut write: impl FnMut(Entered),
    ) -> Result<(), Failure> {
        for number in numbers {
            let (customer, draft) = (self.customer(number), self.ledger.draft());
            let act = draft.by_staff(
                self.platform.back_end.principal,
                Some(customer.account),
                ActKind::Freeze,
            );
            let evidence = Evidence {
                requests: vec![self.platform.request(&act, self.ledger.now)?],
                ..Evidence::default()
            };
            write(self.ledger.submit((act, evidence))?);
            self.pace(&mut write)?;
        }
        Ok(())
    }

    /// A withdrawal from released to confirmed.
    fn pay(&mut self, number: u64) -> Result<(), Failure> {
        let (customer, draft) = (self.customer(number), self.ledger.draft());
        let (act, mut evidence) =
            self.platform
                .withdraw(draft, &customer, Platform::payee(0xaa))?;
        evidence
            .requests
            .push(self.platform.request(&act, self.ledger.now)?);
        let submission = self.ledger.decided((act, evidence))?;
        let (digest, plan) = (submission.act.digest(), submission.plan.clone());
        let entered = self.ledger.enter(Body::Act(Box::new(submission)))?.1;
        let plan = plan.ok_or_else(|| Failure::new(Exit::Wrong, "a withdrawal is held", ""))?;
        let transaction = self.platform.signed(&plan)?;
        let hash = Digest(transaction.hash());
        self.state(Says::Signed {
            act: digest,
            entry: entered.index,
            effects: entered.effects,
            plan: plan.digest(),
            transaction: transaction.to_bytes(),
        })?;
        self.state(Says::Confirmed {
            act: digest,
            transaction: hash,
            block: entered.index,
            block_hash: hash,
        })
    }

    fn state(&mut self, says: Says) -> Result<(), Failure> {
        let statement = self.platform.statement(says)?;
        self.ledger.enter(Body::Statement(Box::new(statement)))?;
        Ok(())
    }

    /// Time passes as entries come, so that act ids are forgotten as they would be.
    fn pace(&mut self, mut write: impl FnMut(Entered)) -> Result<(), Failure> {
        self.entered += 1;
        if self.entered.is_multiple_of(CHECKPOINT_EVERY) {
            self.ledger.pass(Span::seconds(10));
            write(self.ledger.journal_checkpoint()?);
        }
        Ok(())
    }
}
