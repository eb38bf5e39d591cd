//! The journal in the hands of root on the gate's host: its key and its files, while the gate is down.

use crate::answer::{Answer, Cause};
use crate::cast::Cast;
use crate::error::DrillError;
use portcullis_chains::caip::Address;
use portcullis_chains::ethereum::{Fees, Transfer};
use portcullis_core::act::{Act, ActKind};
use portcullis_core::entry::{Settlement, Submission};
use portcullis_core::plan::Plan;
use portcullis_core::signature::Strict;
use portcullis_core::{Body, Decision, Entry, Evidence, State, Time};
use portcullis_host::{Dir, Disk};
use portcullis_journal::directory::SEGMENT_BYTES;
use portcullis_journal::{Directory, Journal};
use std::sync::Arc;

/// The open journal, and the state that its entries give.
pub(crate) struct Forge {
    journal: Journal<Directory>,
    state: State,
    entries: Vec<Vec<u8>>,
}

impl Forge {
    /// Open the journal of a gate that is down.
    pub(crate) fn open(cast: &Cast) -> Result<Self, DrillError> {
        let failed = |error: &dyn core::fmt::Display| DrillError::Journal(error.to_string());
        let disk = Dir::open_alone(cast.journal()).map_err(|error| failed(&error))?;
        let disk: Arc<dyn Disk> = Arc::new(disk);
        let opened = Directory::open(Arc::clone(&disk), SEGMENT_BYTES);
        let (store, recovered) = opened.map_err(|error| failed(&error))?;
        let journal = Journal::open(store, &recovered, disk, 0).map_err(|error| failed(&error))?;
        let entries = journal.view().entries(0..journal.head().size, usize::MAX);
        let mut state = State::new(Arc::clone(&cast.network));
        for bytes in entries.map_err(|error| failed(&error))? {
            state.apply(&bytes, &Strict);
        }
        Ok(Self {
            journal,
            state,
            entries: Vec::new(),
        })
    }

    /// The newest entry's time.
    pub(crate) fn time(&self) -> Time {
        self.state.facts().time
    }

    /// The wallet's right next nonce, an honest fee, and whatever payee and amount.
    fn plan(&self, to: Address, act: &Act) -> Result<Plan, DrillError> {
        let ActKind::Withdraw(withdraw) = &act.kind else {
            return Err(DrillError::Journal("a plan is a withdrawal's".into()));
        };
        let wallet = self.state.network().genesis().wallets.first();
        let nonce = wallet.and_then(|wallet| {
            let known = self.state.facts().wallets.get(&wallet.id)?;
            Some((wallet.id, known.next_nonce))
        });
        let (wallet, nonce) = nonce.ok_or_else(|| DrillError::Journal("no wallet".into()))?;
        let wrong = || DrillError::Journal("a plan that cannot be built".into());
        let fees = Fees::new(20_000_000_000, 1_000_000_000, 21_000).map_err(|_| wrong())?;
        let transfer = Transfer::new(withdraw.asset, to, withdraw.amount, nonce, fees);
        Ok(Plan {
            wallet,
            unsigned: transfer.map_err(|_| wrong())?.build().to_bytes(),
        })
    }

    /// Write that an act is released, paying `to`, as of `time`.
    pub(crate) fn release(
        &mut self,
        act: Act,
        evidence: Evidence,
        to: Address,
        time: Time,
    ) -> Result<Answer, DrillError> {
        let plan = Some(self.plan(to, &act)?);
        let decision = Decision::Release;
        Ok(self.write(
            time,
            Body::Act(Box::new(Submission {
                act,
                evidence,
                decision,
                plan,
            })),
        ))
    }

    /// Write that the waiting of a held act is over.
    pub(crate) fn settle(&mut self, held: &Act, time: Time) -> Result<Answer, DrillError> {
        let ActKind::Withdraw(withdraw) = &held.kind else {
            return Err(DrillError::Journal("no withdrawal".into()));
        };
        let plan = Some(self.plan(withdraw.to, held)?);
        let (act, decision) = (held.digest(), Decision::Release);
        Ok(self.write(
            time,
            Body::Settle(Box::new(Settlement {
                act,
                decision,
                plan,
            })),
        ))
    }

    /// What everybody who decides again makes of an entry, by itself and behind what was there.
    fn write(&mut self, time: Time, body: Body) -> Answer {
        let entry = Entry::new(time, body);
        let answer = match self.state.judge(&entry, &Strict) {
            Ok(_) => Answer::Released,
            Err(void) => Answer::Void(Cause::from(&void)),
        };
        self.entries.push(entry.to_bytes());
        answer
    }

    /// Append all that was written, and leave. Gives how many entries.
    pub(crate) fn append(mut self) -> Result<usize, DrillError> {
        let failed = |error: &dyn core::fmt::Display| DrillError::Journal(error.to_string());
        let count = self.entries.len();
        let bytes: usize = self.entries.iter().map(Vec::len).sum();
        let room = (bytes as u64, count as u64);
        let made = self.journal.make_room(room.0, room.1);
        made.map_err(|error| failed(&error))?;
        let done = self.journal.append(std::mem::take(&mut self.entries));
        done.map_err(|error| failed(&error))?;
        Ok(count)
    }
}
