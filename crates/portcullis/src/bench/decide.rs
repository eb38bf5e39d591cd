//! `core`: passkey verified, limits, signature, in memory and on one thread.
//!
//! Each withdrawal is decided, planned, applied and signed, as one process would do that trusted
//! itself. Its floor is what cannot be batched: the customer's assertion (P-256), the back end's
//! request and the ledger's debit (Ed25519 each), and the signature on the transaction (secp256k1).

use super::cpu::{micros_each, of_thread};
use super::floor::Floor;
use super::ledger::{Entered, Ledger, plan};
use super::network::{Customer, Platform, Proven};
use super::row::{Row, median};
use super::{Setting, cpu::Took};
use crate::failure::{Exit, Failure};
use portcullis_core::entry::{Body, Entry, Submission};
use portcullis_core::plan::Plan;
use portcullis_core::signature::Strict;
use portcullis_core::{ReadEntry, Span, decide};
use portcullis_host::{Clock as _, SystemClock};
use portcullis_keys::Memo;

/// Customers whose withdrawals take turns.
const CUSTOMERS: u64 = 64;
/// Rounds, of which the middle one counts.
const ROUNDS: usize = 5;

pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>, Failure> {
    let floor = Floor::measure(setting.size(2_000, 100))?;
    let mut stage = Stage::new(setting)?;
    let each = setting.size(2_000, 50);
    let mut costs = Vec::new();
    let mut wall = std::time::Duration::ZERO;
    for _ in 0..ROUNDS {
        let acts = stage.withdrawals(each)?;
        let (done, took) = of_thread(|| acts.into_iter().try_for_each(|act| stage.release(act)));
        done?;
        costs.push(micros_each(took.cpu, each));
        wall += took.wall;
    }
    let row = Row::new("core", median(costs), "us/release", wall);
    let row = row.against_cost(floor.of(1, 2, 1), 0.8);
    Ok(vec![row.batch(1).note(format!(
        "floor: 1 P-256 verification ({:.1} us), 2 Ed25519 verifications ({:.1} us each), 1 secp256k1 \
         signature ({:.1} us)",
        floor.p256_verify, floor.ed25519_verify, floor.secp256k1_sign
    ))])
}

/// Customers who can withdraw this very moment, and the wallet that pays.
pub(super) struct Stage {
    platform: Platform,
    pub(super) ledger: Ledger,
    customers: Vec<Customer>,
}

impl Stage {
    pub(super) fn new(setting: &Setting) -> Result<Self, Failure> {
        // No node is asked for anything here.
        let platform = Platform::new(setting, "http://127.0.0.1:1")?;
        let mut ledger = Ledger::new(&platform, SystemClock.now(), Box::new(Strict), |_| {})?;
        let customers: Result<Vec<_>, _> = (0..CUSTOMERS).map(Customer::number).collect();
        let customers = customers?;
        for customer in &customers {
            let open = platform.open(ledger.draft(), customer, ledger.now)?;
            ledger.submit(open)?;
        }
        wait_for_delays(&mut ledger, |_| {})?;
        for customer in &customers {
            let draft = ledger.draft();
            let add = platform.add_address(draft, customer, Platform::payee(0xaa), ledger.now)?;
            ledger.submit(add)?;
        }
        wait_for_delays(&mut ledger, |_| {})?;
        Ok(Self {
            platform,
            ledger,
            customers,
        })
    }

    /// So many withdrawals with all their evidence, not decided yet.
    pub(super) fn withdrawals(&mut self, count: u64) -> Result<Vec<Proven>, Failure> {
        let customers = self.customers.clone();
        let turns = customers.iter().cycle().zip(0..count);
        turns
            .map(|(customer, _)| self.withdrawal(customer))
            .collect()
    }

    fn withdrawal(&mut self, customer: &Customer) -> Result<Proven, Failure> {
        let draft = self.ledger.draft();
        let payee = Platform::payee(0xaa);
        let (act, mut evidence) = self.platform.withdraw(draft, customer, payee)?;
        let request = self.platform.request(&act, self.ledger.now)?;
        evidence.requests.push(request);
        Ok((act, evidence))
    }

    /// Decide, plan, apply, sign. Each signature is checked once: what held is remembered between
    /// deciding and applying, as in the gate.
    fn release(&mut self, (act, evidence): Proven) -> Result<(), Failure> {
        let (memo, state) = (Memo::default(), &mut self.ledger.state);
        let now = self.ledger.now;
        let decided = decide(state, &act, &evidence, now, &memo);
        let payment = decided.payment().ok_or_else(not_released)?;
        let planned = plan(payment)?;
        let decision = decided.decision().clone();
        let submission = Submission {
            act,
            evidence,
            decision,
            plan: Some(planned.clone()),
        };
        let (read, _) = ReadEntry::written(Entry::new(now, Body::Act(Box::new(submission))));
        let applied = state.apply_read(&read, &memo);
        if applied.void.is_some() {
            return Err(not_released());
        }
        self.sign(&planned)
    }

    /// The wallet's signature on a plan.
    pub(super) fn sign(&self, plan: &Plan) -> Result<(), Failure> {
        std::hint::black_box(self.platform.signed(plan)?.to_bytes());
        Ok(())
    }
}

/// What was entered so far is cosigned, and its delays run out.
pub(super) fn wait_for_delays(
    ledger: &mut Ledger,
    mut write: impl FnMut(Entered),
) -> Result<(), Failure> {
    write(ledger.journal_checkpoint()?);
    ledger.pass(Span::seconds(6));
    write(ledger.journal_checkpoint()?);
    Ok(())
}

fn not_released() -> Failure {
    Failure::new(Exit::Wrong, "a withdrawal was not released", "")
}

/// Applying entries and signing what they release, as a signer does on its replica: microseconds each.
pub(super) fn evidence_checked(stage: &mut Stage, count: u64) -> Result<(f64, Took), Failure> {
    let mut entries = Vec::new();
    // A replica of its own begins where the journal stands now.
    let replica = stage.ledger.state.clone();
    for proven in stage.withdrawals(count)? {
        entries.push(stage.ledger.submit(proven)?.bytes);
    }
    stage.ledger.state = replica;
    let (done, took) = of_thread(|| {
        entries.iter().try_for_each(|bytes| {
            let wrong = |error| Failure::new(Exit::Wrong, error, "");
            let read = ReadEntry::from_bytes(bytes);
            let applied = stage.ledger.state.apply_read(&read, &Strict);
            if applied.void.is_some() {
                return Err(not_released());
            }
            match &read.entry().map_err(wrong)?.body {
                Body::Act(submission) => match &submission.plan {
                    Some(plan) => stage.sign(plan),
                    None => Err(not_released()),
                },
                _ => Err(not_released()),
            }
        })
    });
    done?;
    Ok((micros_each(took.cpu, count), took))
}
