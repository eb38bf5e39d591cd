//! The journal in the hands of root on the gate's host: its key and its files, while the gate is down.

use crate::answer::{Answer, Cause};
use crate::cast::Cast;
use crate::chain::fees;
use crate::coins::here;
use crate::error::DrillError;
use crate::money::Money;
use crate::purse::{Purse, Rate};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use portcullis_chains::caip::Address;
use portcullis_chains::ethereum::Transfer;
use portcullis_core::act::{Act, ActKind};
use portcullis_core::entry::{Beside, Settlement, Submission};
use portcullis_core::plan::Plan;
use portcullis_core::signature::Strict;
use portcullis_core::{Body, Decision, Entry, Evidence, ReadEntry, Span, State, Time};
use portcullis_host::{Dir, Disk, SystemRandom};
use portcullis_journal::directory::SEGMENT_BYTES;
use portcullis_journal::{Directory, Journal};
use std::sync::Arc;

/// The open journal, and the state that its entries give.
pub(crate) struct Forge<'a> {
    journal: Journal<Directory>,
    state: State,
    purse: &'a Purse,
    /// The newest checkpoint that stands in the journal.
    checkpoint: Vec<u8>,
    entries: Vec<Vec<u8>>,
}

/// How a plan of coins goes astray.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Astray {
    /// It pays the attackers so much, and the act's payee nothing.
    Payee(Money, Address),
    /// It pays the act's payee, and so much of what returns to the attackers.
    Change(Money, Address),
    /// It pays the act's payee, and a miner what it can.
    Fee,
}

impl<'a> Forge<'a> {
    /// Open the journal of a gate that is down.
    pub(crate) fn open(cast: &Cast, purse: &'a Purse) -> Result<Self, DrillError> {
        let failed = |error: &dyn core::fmt::Display| DrillError::Journal(error.to_string());
        let disk = Dir::open_alone(cast.journal()).map_err(|error| failed(&error))?;
        let disk: Arc<dyn Disk> = Arc::new(disk);
        let opened = Directory::open(Arc::clone(&disk), SEGMENT_BYTES, Arc::new(SystemRandom));
        let (store, recovered) = opened.map_err(|error| failed(&error))?;
        let journal = Journal::open(store, &recovered, disk, 0).map_err(|error| failed(&error))?;
        let entries = journal.view().entries(0..journal.head().size, usize::MAX);
        let mut checkpoint = Vec::new();
        let mut state = State::new(Arc::clone(&cast.network));
        for bytes in entries.map_err(|error| failed(&error))? {
            state.apply(&bytes, &Strict);
            if let Ok(Body::Checkpoint(note)) = Entry::from_bytes(&bytes).map(|entry| entry.body) {
                checkpoint = note;
            }
        }
        Ok(Self {
            journal,
            state,
            purse,
            checkpoint,
            entries: Vec::new(),
        })
    }

    /// The index of the newest entry that was written.
    pub(crate) fn newest(&self) -> u64 {
        (self.state.size() + self.entries.len() as u64).saturating_sub(1)
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
        if let Address::Bitcoin(payee) = to {
            return self.purse.plan(&[(payee, withdraw.amount)], Rate::Usual);
        }
        let wallet = self.state.network().genesis().wallets.first();
        let nonce = wallet.and_then(|wallet| {
            let known = self.state.facts().wallets.get(&wallet.id)?;
            Some((wallet.id, known.next_nonce))
        });
        let (wallet, nonce) = nonce.ok_or_else(|| DrillError::Journal("no wallet".into()))?;
        let wrong = || DrillError::Journal("a plan that cannot be built".into());
        let fees = fees(withdraw.asset).ok_or_else(wrong)?;
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
        let plan = self.plan(withdraw.to, held)?;
        Ok(self.write(time, settled(held, plan)))
    }

    /// Write that a batch is made up of an act that waits for it, by a plan that goes astray.
    pub(crate) fn settle_astray(
        &mut self,
        held: &Act,
        astray: Astray,
        time: Time,
    ) -> Result<Answer, DrillError> {
        let ActKind::Withdraw(withdraw) = &held.kind else {
            return Err(DrillError::Journal("no withdrawal".into()));
        };
        let own = (here(withdraw.to)?, withdraw.amount);
        let plan = match astray {
            Astray::Payee(money, thief) => self
                .purse
                .plan(&[(here(thief)?, money.amount)], Rate::Usual),
            Astray::Change(money, thief) => {
                let both = [own, (here(thief)?, money.amount)];
                self.purse.plan(&both, Rate::Usual)
            }
            Astray::Fee => self.purse.plan(&[own], Rate::Highest),
        };
        Ok(self.write(time, settled(held, plan?)))
    }

    /// Write the newest checkpoint once more, its cosignatures dated back so far: delays run from them.
    pub(crate) fn backdate(&mut self, span: Span) -> Result<Answer, DrillError> {
        let note = String::from_utf8(self.checkpoint.clone()).map_err(|_| no_note())?;
        let lines = note
            .split_inclusive('\n')
            .map(|line| match line.strip_prefix("— ") {
                Some(signature) => dated_back(signature, span).ok_or_else(no_note),
                None => Ok(line.to_owned()),
            });
        let note: String = lines.collect::<Result<_, _>>()?;
        Ok(self.write(self.time(), Body::Checkpoint(note.into_bytes())))
    }

    /// What everybody who decides again makes of an entry, by itself and behind what was there.
    fn write(&mut self, time: Time, body: Body) -> Answer {
        let (read, bytes) = ReadEntry::written(Entry::new(time, body));
        let answer = match self.state.judge(&read, &Strict) {
            Ok(_) => Answer::Released,
            Err(void) => Answer::Void(Cause::from(&void)),
        };
        self.entries.push(bytes);
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

fn settled(held: &Act, plan: Plan) -> Body {
    Body::Settle(Box::new(Settlement {
        act: held.digest(),
        decision: Decision::Release,
        plan: Some(plan),
        beside: Beside::default(),
    }))
}

fn no_note() -> DrillError {
    DrillError::Journal("no checkpoint to forge".into())
}

/// A signature line, where it is a cosignature with an earlier time: key hash (4 bytes), seconds (8
/// bytes), signature (C2SP tlog-cosignature). Nobody can make the signature hold.
fn dated_back(line: &str, span: Span) -> Option<String> {
    const COSIGNATURE: usize = 4 + 8 + 64;
    let (name, text) = line.trim_end().split_once(' ')?;
    let mut bytes = BASE64.decode(text).ok()?;
    if bytes.len() == COSIGNATURE {
        let seconds: [u8; 8] = bytes.get(4..12)?.try_into().ok()?;
        let earlier = u64::from_be_bytes(seconds).checked_sub(span.0 / 1000)?;
        bytes
            .get_mut(4..12)?
            .copy_from_slice(&earlier.to_be_bytes());
    }
    Some(format!("— {name} {}\n", BASE64.encode(bytes)))
}
