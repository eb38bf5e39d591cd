//! The once-only record: what this signer has set out to sign, durable before it signs.
//!
//! The journal is the first guard (one nonce per release, and only conflicting plans for it); this
//! file is the second, and holds even against a journal that has gone back. For one nonce of one
//! wallet it takes plans of one act only, and after a plan that gives the act up no payment.
//!
//! The signed bytes are kept too, before they leave: what was sent once is sent again byte for byte,
//! whatever the key would make of a second call.

use minicbor::{Decode, Encode};
use portcullis_chains::ethereum::UnsignedTx;
use portcullis_chains::{Amount, AssetId};
use portcullis_core::codec::encode;
use portcullis_core::id::WalletId;
use portcullis_core::state::release::Release;
use portcullis_core::{Digest, Span, Time};
use portcullis_host::{Disk, DiskError};
use portcullis_keeper::lines::{Lines, LinesError};
use std::collections::{BTreeMap, VecDeque};

/// The file's name.
const FILE: &str = "once-only";
/// The window of the daily caps.
const DAY: Span = Span::hours(24);

/// One line of the file.
#[derive(Clone, Debug, Encode, Decode)]
enum Row {
    /// What is about to be signed.
    #[n(0)]
    Batch {
        /// The cosigned checkpoint that it is signed by, as a note.
        #[cbor(n(0), with = "minicbor::bytes")]
        checkpoint: Vec<u8>,
        /// The index of the next entry then.
        #[n(1)]
        next: u64,
        /// The signer's time.
        #[n(2)]
        time: Time,
        /// The plans.
        #[n(3)]
        intents: Vec<Intent>,
    },
    /// What came of it.
    #[n(1)]
    Signed {
        /// Each plan with its signed transaction.
        #[n(0)]
        signed: Vec<Signed>,
    },
}

/// A plan that is to be signed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Intent {
    /// The released act.
    #[n(0)]
    pub act: Digest,
    /// The plan.
    #[n(1)]
    pub plan: Digest,
    /// The paying wallet.
    #[n(2)]
    pub wallet: WalletId,
    /// The nonce that it spends.
    #[n(3)]
    pub nonce: u64,
    /// What it pays; absent where it gives the act up.
    #[n(4)]
    pub pays: Option<Pays>,
}

/// What counts against the caps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Pays {
    /// The asset.
    #[n(0)]
    pub asset: AssetId,
    /// Base units.
    #[n(1)]
    pub amount: Amount,
}

/// A plan's signed transaction.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Signed {
    /// The paying wallet.
    #[n(0)]
    pub wallet: WalletId,
    /// The nonce.
    #[n(1)]
    pub nonce: u64,
    /// The plan.
    #[n(2)]
    pub plan: Digest,
    /// The raw transaction.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub transaction: Vec<u8>,
}

/// Why a plan is not taken. Never waits, never passes: the journal and this signer have parted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The nonce went to another act.
    #[error("nonce {nonce} of wallet {wallet} was signed for act {taken} already")]
    OtherAct {
        /// The wallet.
        wallet: WalletId,
        /// The nonce.
        nonce: u64,
        /// The act that has it.
        taken: Digest,
    },
    /// The act was given up.
    #[error("act {0} was given up by a signed transaction; it is never paid again")]
    GivenUp(Digest),
}

/// What was recorded for one nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The one act.
    pub act: Digest,
    /// Its plans, in the order in which they were recorded.
    pub attempts: Vec<Attempt>,
}

/// One plan of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The plan.
    pub plan: Digest,
    /// Whether it gives the act up.
    pub is_void: bool,
    /// The raw transaction, once signed.
    pub transaction: Option<Vec<u8>>,
}

/// The open record.
pub struct Record {
    lines: Lines,
    index: Index,
}

/// What the lines say.
#[derive(Default)]
struct Index {
    slots: BTreeMap<(WalletId, u64), Slot>,
    spent: VecDeque<(Time, Pays)>,
    checkpoint: Option<Vec<u8>>,
    unreadable: bool,
}

impl Record {
    /// Read what was recorded.
    pub fn open(disk: &dyn Disk) -> Result<Self, LinesError> {
        let mut index = Index::default();
        let lines = Lines::open(disk, FILE, |payload| match minicbor::decode(payload) {
            Ok(row) => index.take(row),
            Err(_) => index.unreadable = true,
        })?;
        if index.unreadable {
            // The line is whole and yet says nothing to this binary: a newer one wrote it.
            let name = FILE.to_owned();
            return Err(LinesError::Damaged { name, line: 0 });
        }
        Ok(Self { lines, index })
    }

    /// The newest checkpoint that was acted by: the replica has to reach it first.
    #[must_use]
    pub fn checkpoint(&self) -> Option<&[u8]> {
        self.index.checkpoint.as_deref()
    }

    /// What was recorded for a nonce.
    #[must_use]
    pub fn slot(&self, wallet: WalletId, nonce: u64) -> Option<&Slot> {
        self.index.slots.get(&(wallet, nonce))
    }

    /// What was recorded for a plan.
    #[must_use]
    pub fn attempt(&self, intent: &Intent) -> Option<&Attempt> {
        let slot = self.slot(intent.wallet, intent.nonce)?;
        slot.attempts.iter().find(|a| a.plan == intent.plan)
    }

    /// The signed transactions for a release, in the order in which they were recorded.
    pub fn attempts_for(&self, release: &Release) -> impl Iterator<Item = Signed> {
        let first = release.plans.first();
        let place = first.and_then(|plan| {
            let tx = UnsignedTx::from_bytes(&plan.unsigned).ok()?;
            Some((plan.wallet, tx.nonce()))
        });
        let slot = place.and_then(|place| Some((place, self.index.slots.get(&place)?)));
        slot.into_iter().flat_map(|((wallet, nonce), slot)| {
            slot.attempts.iter().filter_map(move |attempt| {
                Some(Signed {
                    wallet,
                    nonce,
                    plan: attempt.plan,
                    transaction: attempt.transaction.clone()?,
                })
            })
        })
    }

    /// Whether the plan may be recorded.
    pub fn check(&self, intent: &Intent) -> Result<(), Conflict> {
        let Some(slot) = self.slot(intent.wallet, intent.nonce) else {
            return Ok(());
        };
        if slot.act != intent.act {
            let (wallet, nonce, taken) = (intent.wallet, intent.nonce, slot.act);
            return Err(Conflict::OtherAct {
                wallet,
                nonce,
                taken,
            });
        }
        let given_up = slot.attempts.iter().any(|attempt| attempt.is_void);
        if given_up && intent.pays.is_some() {
            return Err(Conflict::GivenUp(intent.act));
        }
        Ok(())
    }

    /// What was recorded of an asset within 24 hours; `None` where it cannot be counted.
    #[must_use]
    pub fn spent(&self, asset: AssetId, now: Time) -> Option<Amount> {
        let since = now.before(DAY);
        let recent = self.index.spent.iter().filter(|(time, _)| *time > since);
        let amounts = recent
            .filter(|(_, p)| p.asset == asset)
            .map(|(_, p)| p.amount);
        amounts
            .into_iter()
            .try_fold(Amount::ZERO, Amount::checked_add)
    }

    /// Make durable what is about to be signed. Only after this returns may it be.
    pub fn intend(
        &mut self,
        checkpoint: &[u8],
        next: u64,
        time: Time,
        intents: Vec<Intent>,
    ) -> Result<(), DiskError> {
        self.write(Row::Batch {
            checkpoint: checkpoint.to_vec(),
            next,
            time,
            intents,
        })
    }

    /// Make durable what was signed. Only after this returns may it leave.
    pub fn signed(&mut self, signed: Vec<Signed>) -> Result<(), DiskError> {
        self.write(Row::Signed { signed })
    }

    fn write(&mut self, row: Row) -> Result<(), DiskError> {
        self.lines.append(&encode(&row))?;
        self.index.take(row);
        Ok(())
    }
}

impl Index {
    fn take(&mut self, row: Row) {
        match row {
            Row::Batch {
                checkpoint,
                time,
                intents,
                ..
            } => {
                self.checkpoint = Some(checkpoint);
                let since = time.before(DAY);
                while self.spent.front().is_some_and(|(at, _)| *at <= since) {
                    self.spent.pop_front();
                }
                for intent in &intents {
                    self.intend(intent, time);
                }
            }
            Row::Signed { signed } => {
                for signed in &signed {
                    self.sign(signed);
                }
            }
        }
    }

    fn intend(&mut self, intent: &Intent, time: Time) {
        let place = (intent.wallet, intent.nonce);
        let is_first = !self.slots.contains_key(&place);
        let slot = self.slots.entry(place).or_insert_with(|| Slot {
            act: intent.act,
            attempts: Vec::new(),
        });
        if !slot.attempts.iter().any(|a| a.plan == intent.plan) {
            slot.attempts.push(Attempt {
                plan: intent.plan,
                is_void: intent.pays.is_none(),
                transaction: None,
            });
        }
        // One nonce pays once, whatever replaces its transaction.
        if let Some(pays) = intent.pays.filter(|_| is_first) {
            self.spent.push_back((time, pays));
        }
    }

    fn sign(&mut self, signed: &Signed) {
        let slot = self.slots.get_mut(&(signed.wallet, signed.nonce));
        let attempts = slot.into_iter().flat_map(|slot| &mut slot.attempts);
        for attempt in attempts.filter(|attempt| attempt.plan == signed.plan) {
            // The first bytes stay: they may have left.
            attempt
                .transaction
                .get_or_insert_with(|| signed.transaction.clone());
        }
    }
}
