//! Many accounts: each opened by an entry of its own, as the journal would have them.
//!
//! The entries are applied as ones that were checked before, which leaves the same in memory. So their
//! signatures are blank, but for those of the freezes, which are the back end's own.

use super::ledger::{Entered, Ledger};
use super::network::{Customer, Platform, Proven, request};
use super::{Setting, decide::wait_for_delays};
use crate::failure::{Exit, Failure};
use portcullis_client::{ActBuilder, RequestSigner};
use portcullis_core::act::ActKind;
use portcullis_core::entry::Body;
use portcullis_core::signature::AlreadyChecked;
use portcullis_core::statement::Says;
use portcullis_core::{Digest, Evidence, Span, Time};
use portcullis_keys::StatementKey;
use std::ops::Range;
use std::sync::Arc;
use std::thread;

/// After so many entries a checkpoint is journaled and time passes.
const CHECKPOINT_EVERY: usize = 1_000;

/// A platform with a crowd of customers.
pub(super) struct Crowd {
    pub(super) platform: Platform,
    pub(super) ledger: Ledger,
    key: Arc<dyn StatementKey>,
    /// The back end's key, which signs what it signs.
    back_end: RequestSigner,
}

impl Crowd {
    /// Nobody yet, then.
    pub(super) fn new(
        setting: &Setting,
        begin: Time,
        mut write: impl FnMut(Entered),
    ) -> Result<Self, Failure> {
        let platform = Platform::new(setting, "http://127.0.0.1:1")?;
        let back_end = platform.back_end.signer.clone();
        let platform = platform.without_signatures()?;
        let checked = AlreadyChecked::below_own_durable_checkpoint();
        let ledger = Ledger::new(&platform, begin, Box::new(checked), &mut write)?;
        Ok(Self {
            platform,
            ledger,
            key: Customer::number(0)?.key(),
            back_end,
        })
    }

    /// The customer of this number.
    pub(super) fn customer(&self, number: u64) -> Customer {
        Customer::with_key(number, Arc::clone(&self.key))
    }

    /// Open the accounts of these numbers.
    pub(super) fn open(
        &mut self,
        numbers: Range<u64>,
        mut write: impl FnMut(Entered),
    ) -> Result<(), Failure> {
        let open = |asks: Asks<'_>| asks.platform.open(asks.draft, &asks.customer, asks.now);
        self.each(numbers, open, &mut write)?;
        wait_for_delays(&mut self.ledger, write)
    }

    /// Open these accounts, give each two addresses, and have each pay once, to the end: what an
    /// account is after a while. They take half an hour, so that what is remembered for a day only
    /// grows no further after some of these calls.
    pub(super) fn live(&mut self, numbers: Range<u64>) -> Result<(), Failure> {
        self.open(numbers.clone(), |_| {})?;
        for number in numbers.clone() {
            for address in [0xaa, 0xbb] {
                let (customer, draft) = (self.customer(number), self.ledger.draft());
                let (to, now) = (Platform::payee(address), self.ledger.now);
                let add = self.platform.add_address(draft, &customer, to, now)?;
                self.ledger.release(add)?;
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
        numbers: Range<u64>,
        mut write: impl FnMut(Entered),
    ) -> Result<(), Failure> {
        let freeze = |asks: Asks<'_>| {
            let (back_end, account) = (asks.platform.back_end.principal, asks.customer.account);
            let act = asks
                .draft
                .by_staff(back_end, Some(account), ActKind::Freeze);
            let evidence = Evidence {
                requests: vec![request(asks.back_end, &act, asks.now)?],
                ..Evidence::default()
            };
            Ok((act, evidence))
        };
        self.each(numbers, freeze, &mut write)
    }

    /// One act for each of these customers. All cores make those of the next checkpoint while those of
    /// the last are applied, so they name the checkpoint before it.
    fn each(
        &mut self,
        numbers: Range<u64>,
        make: impl Fn(Asks<'_>) -> Result<Proven, Failure> + Sync,
        write: &mut impl FnMut(Entered),
    ) -> Result<(), Failure> {
        let mut made = Vec::new();
        for first in numbers.clone().step_by(CHECKPOINT_EVERY) {
            let next = first..numbers.end.min(first + CHECKPOINT_EVERY as u64);
            made = self.make_and_enter(next, &make, made, write)?;
        }
        self.make_and_enter(0..0, &make, made, write).map(drop)
    }

    fn make_and_enter(
        &mut self,
        numbers: Range<u64>,
        make: &(impl Fn(Asks<'_>) -> Result<Proven, Failure> + Sync),
        made: Vec<Proven>,
        write: &mut impl FnMut(Entered),
    ) -> Result<Vec<Proven>, Failure> {
        let drafts = numbers.map(|number| (self.ledger.draft(), self.customer(number)));
        let drafts: Vec<_> = drafts.collect();
        let (platform, back_end, now) = (&self.platform, &self.back_end, self.ledger.now);
        let asks = |(draft, customer): &(ActBuilder, Customer)| Asks {
            platform,
            back_end,
            now,
            draft: draft.clone(),
            customer: customer.clone(),
        };
        let ledger = &mut self.ledger;
        thread::scope(|scope| {
            let cores = thread::available_parallelism().map_or(1, usize::from);
            let parts = drafts.chunks(drafts.len().div_ceil(cores).max(1));
            let making = parts.map(|part| {
                scope.spawn(|| {
                    part.iter()
                        .map(|draft| make(asks(draft)))
                        .collect::<Vec<_>>()
                })
            });
            let making: Vec<_> = making.collect();
            let is_full = !made.is_empty();
            for proven in made {
                write(ledger.release(proven)?);
            }
            // Time passes as entries come, so that act ids are forgotten as they would be.
            if is_full {
                ledger.pass(Span::seconds(10));
                write(ledger.journal_checkpoint()?);
            }
            let panicked = |_| Failure::new(Exit::Wrong, "a maker of acts panicked", "");
            let mut made = Vec::new();
            for part in making {
                made.extend(part.join().map_err(panicked)?);
            }
            made.into_iter().collect()
        })
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
        let entered = self.ledger.enter(Body::Act(Box::new(submission)))?;
        let entered = entered.applied;
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
}

/// What an act is made of.
struct Asks<'a> {
    platform: &'a Platform,
    back_end: &'a RequestSigner,
    now: Time,
    draft: ActBuilder,
    customer: Customer,
}
