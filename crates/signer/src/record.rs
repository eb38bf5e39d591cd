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
use portcullis_core::decide::payment::mandate;
use portcullis_core::id::WalletId;
use portcullis_core::state::Facts;
use portcullis_core::state::batch::CoinId;
use portcullis_core::state::release::Release;
use portcullis_core::{Digest, Span, Time};
use portcullis_host::{Disk, DiskError};
use portcullis_keeper::lines::{Lines, LinesError};
use std::collections::{BTreeMap, VecDeque};

/// The file's name.
const FILE: &str = "once-only";
/// A file below this length is not worth making shorter.
const LONG: u64 = 16 * 1024 * 1024;
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
    /// All that was known and still matters, in the place of the lines before.
    #[n(2)]
    Kept(#[n(0)] Box<Index>),
    /// A number at which nothing was signed, and nothing will be.
    #[n(3)]
    Closed(#[n(0)] Closed),
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
    /// The output that it spends first, where it spends outputs.
    #[n(5)]
    pub shared: Option<CoinId>,
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

/// A batch's number that is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Closed {
    /// The leader.
    #[n(0)]
    pub act: Digest,
    /// The paying wallet.
    #[n(1)]
    pub wallet: WalletId,
    /// The wallet's number of the batch.
    #[n(2)]
    pub number: u64,
    /// When.
    #[n(3)]
    pub time: Time,
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
    /// What had the nonce has ended.
    #[error("nonce {nonce} of wallet {wallet} belongs to what has ended long ago")]
    Ended {
        /// The wallet.
        wallet: WalletId,
        /// The nonce.
        nonce: u64,
    },
    /// The number was taken with another first input.
    #[error("number {nonce} of wallet {wallet} was signed with another first input")]
    OtherShared {
        /// The wallet.
        wallet: WalletId,
        /// The number.
        nonce: u64,
    },
    /// The first input was taken by another number.
    #[error("the first input of number {nonce} of wallet {wallet} is that of number {taken}")]
    SharedTaken {
        /// The wallet.
        wallet: WalletId,
        /// The number.
        nonce: u64,
        /// The number that has it.
        taken: u64,
    },
    /// It was stated that nothing will be signed at this number.
    #[error("number {nonce} of wallet {wallet} is closed: nothing is ever signed there")]
    Closed {
        /// The wallet.
        wallet: WalletId,
        /// The number.
        nonce: u64,
    },
    /// The act was given up.
    #[error("act {0} was given up by a signed transaction; it is never paid again")]
    GivenUp(Digest),
}

/// What was recorded for one nonce.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Slot {
    /// The one act.
    #[n(0)]
    pub act: Digest,
    /// Its plans, in the order in which they were recorded.
    #[n(1)]
    pub attempts: Vec<Attempt>,
    /// When what it pays was last counted against the day's cap.
    #[n(2)]
    pub counted: Option<Time>,
    /// The output that each of them spends first, where they spend outputs.
    #[n(3)]
    pub shared: Option<CoinId>,
    /// Since when nothing may be signed for it any more.
    #[n(4)]
    pub closed: Option<Time>,
}

impl Slot {
    fn of(act: Digest, shared: Option<CoinId>) -> Self {
        Self {
            act,
            attempts: Vec::new(),
            counted: None,
            shared,
            closed: None,
        }
    }

    /// Whether a payment was signed for it.
    #[must_use]
    pub fn has_paid(&self) -> bool {
        let mut attempts = self.attempts.iter();
        attempts.any(|attempt| !attempt.is_void && attempt.transaction.is_some())
    }

    /// Whether anything was signed for it.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        let mut attempts = self.attempts.iter();
        attempts.any(|attempt| attempt.transaction.is_some())
    }

    fn is_counted(&self, now: Time) -> bool {
        let since = now.before(DAY);
        self.counted.is_some_and(|counted| counted > since)
    }
}

/// One plan of a slot.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Attempt {
    /// The plan.
    #[n(0)]
    pub plan: Digest,
    /// Whether it gives the act up.
    #[n(1)]
    pub is_void: bool,
    /// The raw transaction, once signed.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub transaction: Option<Vec<u8>>,
}

/// The open record.
pub struct Record {
    lines: Lines,
    index: Index,
    /// How long the file was when it was last made short.
    kept: u64,
}

/// What the lines say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Index {
    /// By wallet and nonce.
    #[n(0)]
    slots: BTreeMap<(WalletId, u64), Slot>,
    /// What was set out to be paid within the last day.
    #[n(1)]
    spent: Spent,
    /// The newest checkpoint that was acted by.
    #[cbor(n(2), with = "minicbor::bytes")]
    checkpoint: Option<Vec<u8>>,
    /// Below these nonces everything has ended, and nothing is ever signed again.
    #[n(3)]
    floors: BTreeMap<WalletId, u64>,
}

/// What a signer that has stopped had set out to sign: the index of the next entry of its replica then,
/// and the acts. What it has forgotten since is left out.
pub fn set_out(disk: &dyn Disk) -> Result<Vec<(u64, Vec<Digest>)>, LinesError> {
    let mut batches = Vec::new();
    Lines::open(disk, FILE, |payload| {
        if let Ok(Row::Batch { next, intents, .. }) = minicbor::decode(payload) {
            batches.push((next, intents.iter().map(|intent| intent.act).collect()));
        }
    })?;
    Ok(batches)
}

impl Record {
    /// Read what was recorded.
    pub fn open(disk: &dyn Disk) -> Result<Self, LinesError> {
        let (mut index, mut is_readable) = (Index::default(), true);
        let lines = Lines::open(disk, FILE, |payload| match minicbor::decode(payload) {
            Ok(row) => index.take(row),
            Err(_) => is_readable = false,
        })?;
        if !is_readable {
            // The line is whole and yet says nothing to this binary: a newer one wrote it.
            let name = FILE.to_owned();
            return Err(LinesError::Damaged { name, line: 0 });
        }
        Ok(Self {
            lines,
            index,
            kept: 0,
        })
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

    /// Whether nothing may be signed at a number any more. A number that is closed was another act's at most.
    #[must_use]
    pub fn is_closed(&self, wallet: WalletId, number: u64) -> bool {
        let slot = self.slot(wallet, number);
        slot.is_some_and(|slot| slot.closed.is_some())
    }

    /// What was recorded for a plan.
    #[must_use]
    pub fn attempt(&self, intent: &Intent) -> Option<&Attempt> {
        let slot = self.slot(intent.wallet, intent.nonce)?;
        slot.attempts.iter().find(|a| a.plan == intent.plan)
    }

    /// Whether the plan is recorded, and what it pays counted within 24 hours. One that was barred for
    /// longer is recorded and counted again, since it leaves on another day.
    #[must_use]
    pub fn has(&self, intent: &Intent, now: Time) -> bool {
        let counts = intent.pays.is_none() || self.counts(intent, now);
        counts && self.attempt(intent).is_some()
    }

    /// Whether what the plan's nonce pays was counted within 24 hours.
    #[must_use]
    pub fn counts(&self, intent: &Intent, now: Time) -> bool {
        let slot = self.slot(intent.wallet, intent.nonce);
        slot.is_some_and(|slot| slot.is_counted(now))
    }

    /// The signed transactions for a wallet's nonce or number, in the order in which they were recorded.
    pub fn attempts_at(&self, place: Option<(WalletId, u64)>) -> impl Iterator<Item = Signed> {
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
        let (wallet, nonce) = (intent.wallet, intent.nonce);
        let floor = self.index.floors.get(&wallet);
        if floor.is_some_and(|floor| nonce < *floor) {
            return Err(Conflict::Ended { wallet, nonce });
        }
        if self.is_closed(wallet, nonce) {
            return Err(Conflict::Closed { wallet, nonce });
        }
        self.check_shared(intent)?;
        let Some(slot) = self.slot(intent.wallet, intent.nonce) else {
            return Ok(());
        };
        if slot.act != intent.act {
            let taken = slot.act;
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

    /// Two batches that spend one output first are one, and two such outputs are two: either way somebody would be
    /// paid twice or could not be given up.
    fn check_shared(&self, intent: &Intent) -> Result<(), Conflict> {
        let Some(shared) = intent.shared else {
            return Ok(());
        };
        let (wallet, nonce) = (intent.wallet, intent.nonce);
        let slots = self.index.slots.range((wallet, 0)..=(wallet, u64::MAX));
        for ((_, number), slot) in slots {
            // What was closed has spent nothing, and what it began with may come back.
            let is_same = slot.shared == Some(shared) && slot.closed.is_none();
            match (*number == nonce, is_same) {
                (true, false) if slot.closed.is_none() => {
                    return Err(Conflict::OtherShared { wallet, nonce });
                }
                (false, true) => {
                    let taken = *number;
                    return Err(Conflict::SharedTaken {
                        wallet,
                        nonce,
                        taken,
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What was recorded of an asset within 24 hours; `None` where it cannot be counted.
    #[must_use]
    pub fn spent(&self, asset: AssetId, now: Time) -> Option<Amount> {
        self.index.spent.within_a_day(asset, now)
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

    /// Make durable that nothing will be signed at a number; false where something was.
    pub fn close(&mut self, closed: Closed) -> Result<bool, DiskError> {
        let slot = self.slot(closed.wallet, closed.number);
        let (is_signed, is_closed) = slot.map_or((false, false), |slot| {
            (slot.is_signed(), slot.closed.is_some())
        });
        if !is_signed && !is_closed {
            self.write(Row::Closed(closed))?;
        }
        Ok(!is_signed)
    }

    /// Whether enough stands in the file for forgetting to be worth it.
    #[must_use]
    pub fn is_long(&self) -> bool {
        self.lines.bytes() >= self.kept.saturating_mul(2).max(LONG)
    }

    /// Forget what stands below these nonces, and make the file as short as what is left.
    pub fn forget(
        &mut self,
        disk: &dyn Disk,
        floors: BTreeMap<WalletId, u64>,
    ) -> Result<(), LinesError> {
        let mut index = self.index.clone();
        let is_open =
            |wallet: &WalletId, nonce: u64| floors.get(wallet).is_none_or(|f| nonce >= *f);
        index
            .slots
            .retain(|(wallet, nonce), _| is_open(wallet, *nonce));
        for (wallet, floor) in floors {
            let known = index.floors.entry(wallet).or_default();
            *known = floor.max(*known);
        }
        let row = encode(&Row::Kept(Box::new(index.clone())));
        self.lines.rewrite(disk, FILE, &row)?;
        self.index = index;
        self.kept = self.lines.bytes();
        Ok(())
    }

    fn write(&mut self, row: Row) -> Result<(), DiskError> {
        self.lines.append(&encode(&row))?;
        self.index.take(row);
        Ok(())
    }
}

/// The wallet and the nonce or number of a release: its first plan's, or its batch's.
pub(crate) fn place_of(
    facts: &Facts,
    (act, release): (&Digest, &Release),
) -> Option<(WalletId, u64)> {
    if release.leader.is_some() {
        let batch = facts.batch_of(*act)?;
        return Some((batch.wallet, batch.number));
    }
    let plan = release.plans.first()?;
    let number = match UnsignedTx::from_bytes(&plan.unsigned) {
        Ok(tx) => tx.nonce(),
        Err(_) => mandate::decode(plan).ok()?.number,
    };
    Some((plan.wallet, number))
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
                self.spent.forget(time.before(DAY));
                for intent in &intents {
                    self.intend(intent, time);
                }
            }
            Row::Kept(index) => *self = *index,
            Row::Closed(closed) => self.close(closed),
            Row::Signed { signed } => {
                for signed in &signed {
                    self.sign(signed);
                }
            }
        }
    }

    fn close(&mut self, closed: Closed) {
        let place = (closed.wallet, closed.number);
        let slot = self.slots.entry(place);
        let slot = slot.or_insert_with(|| Slot::of(closed.act, None));
        slot.closed = Some(closed.time);
    }

    fn intend(&mut self, intent: &Intent, time: Time) {
        let place = (intent.wallet, intent.nonce);
        let slot = self.slots.entry(place);
        let slot = slot.or_insert_with(|| Slot::of(intent.act, intent.shared));
        if !slot.attempts.iter().any(|a| a.plan == intent.plan) {
            slot.attempts.push(Attempt {
                plan: intent.plan,
                is_void: intent.pays.is_none(),
                transaction: None,
            });
        }
        // One nonce pays once in a day, whatever replaces its transaction.
        if let Some(pays) = intent.pays.filter(|_| !slot.is_counted(time)) {
            slot.counted = Some(time);
            self.spent.add(time, pays);
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

/// What was set out to be paid, in the order of time, with its sum for each asset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Spent {
    #[n(0)]
    rows: VecDeque<(Time, Pays)>,
    /// Over all rows; nothing once it could not be counted, which bars the asset for good.
    #[n(1)]
    sums: BTreeMap<AssetId, Option<Amount>>,
}

impl Spent {
    fn add(&mut self, time: Time, pays: Pays) {
        self.rows.push_back((time, pays));
        let sum = self.sums.entry(pays.asset).or_insert(Some(Amount::ZERO));
        *sum = sum.and_then(|sum| sum.checked_add(pays.amount));
    }

    /// Forget what was before.
    fn forget(&mut self, since: Time) {
        while self.rows.front().is_some_and(|(time, _)| *time <= since) {
            let Some((_, pays)) = self.rows.pop_front() else {
                return;
            };
            if let Some(sum) = self.sums.get_mut(&pays.asset) {
                *sum = sum.and_then(|sum| sum.checked_sub(pays.amount));
            }
        }
    }

    /// The sum within a day of now: what is older stands at the front.
    fn within_a_day(&self, asset: AssetId, now: Time) -> Option<Amount> {
        let since = now.before(DAY);
        let old = self.rows.iter().take_while(|(time, _)| *time <= since);
        let old = old.filter(|(_, pays)| pays.asset == asset);
        let old = old.map(|(_, pays)| pays.amount);
        let old = old
            .into_iter()
            .try_fold(Amount::ZERO, Amount::checked_add)?;
        let all = self.sums.get(&asset).copied().unwrap_or(Some(Amount::ZERO));
        all?.checked_sub(old)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_keeper::testkit::{CrashDisk, World};

    fn intent(nonce: u64, act: u8, plan: u8, pays: Option<u128>) -> Intent {
        let pays = pays.map(|amount| Pays {
            asset: World::ETHER,
            amount: Amount(amount),
        });
        Intent {
            act: Digest([act; 32]),
            plan: Digest([plan; 32]),
            wallet: World::WALLET,
            nonce,
            pays,
            shared: None,
        }
    }

    fn recorded(intents: &[Intent]) -> (CrashDisk, Record) {
        let disk = CrashDisk::default();
        let mut record = Record::open(&disk).unwrap();
        for intent in intents {
            let intents = vec![intent.clone()];
            record.intend(b"note", 1, Time(1000), intents).unwrap();
        }
        (disk, record)
    }

    #[test]
    fn one_nonce_one_act_and_no_payment_after_a_void() {
        let (payment, void) = (intent(0, 1, 1, Some(5)), intent(0, 1, 2, None));
        let bump = intent(0, 1, 3, Some(5));
        let thief = intent(0, 2, 4, Some(5));
        let taken = Conflict::OtherAct {
            wallet: World::WALLET,
            nonce: 0,
            taken: payment.act,
        };
        let given_up = Conflict::GivenUp(payment.act);
        #[rustfmt::skip] // a table
        let table: [(&[&Intent], &Intent, Result<(), Conflict>); 7] = [
            (&[], &payment, Ok(())),
            (&[&payment], &payment, Ok(())),
            (&[&payment], &bump, Ok(())),
            (&[&payment], &void, Ok(())),
            (&[&payment], &thief, Err(taken)),
            (&[&payment, &void], &bump, Err(given_up)),
            (&[&payment, &void], &void, Ok(())),
        ];
        for (before, next, want) in table {
            let before: Vec<Intent> = before.iter().map(|i| (*i).clone()).collect();
            let (disk, record) = recorded(&before);
            assert_eq!(record.check(next), want, "{before:?}");
            let again = Record::open(&disk).unwrap();
            assert_eq!(again.check(next), want, "read again: {before:?}");
        }
    }

    #[test]
    fn the_first_signed_bytes_stay() {
        let payment = intent(0, 1, 1, Some(5));
        let (disk, mut record) = recorded(std::slice::from_ref(&payment));
        for transaction in [b"first".to_vec(), b"second".to_vec()] {
            let (wallet, nonce, plan) = (payment.wallet, payment.nonce, payment.plan);
            let signed = Signed {
                wallet,
                nonce,
                plan,
                transaction,
            };
            record.signed(vec![signed]).unwrap();
        }
        let again = Record::open(&disk).unwrap();
        for record in [&record, &again] {
            let attempt = record.attempt(&payment).unwrap();
            assert_eq!(attempt.transaction.as_deref(), Some(&b"first"[..]));
        }
    }

    #[test]
    fn forgetting_keeps_the_guard_the_day_and_what_is_under_way() {
        let intents: Vec<Intent> = (0..6)
            .map(|n| intent(n, 10 + byte(n), byte(n), Some(5)))
            .collect();
        let (disk, mut record) = recorded(&intents);
        let before = record.lines.bytes();
        record
            .forget(&disk, BTreeMap::from([(World::WALLET, 4)]))
            .unwrap();
        assert!(record.lines.bytes() < before);
        record
            .intend(b"newer", 2, Time(2000), vec![intent(6, 16, 6, Some(5))])
            .unwrap();
        let again = Record::open(&disk).unwrap();
        for record in [&record, &again] {
            let (wallet, nonce) = (World::WALLET, 3);
            let ended = Conflict::Ended { wallet, nonce };
            assert_eq!(record.check(&intents[3]), Err(ended));
            assert!(record.check(&intent(4, 99, 99, Some(5))).is_err());
            assert_eq!(record.check(&intents[4]), Ok(()));
            assert_eq!(record.spent(World::ETHER, Time(3000)), Some(Amount(35)));
            assert_eq!(record.checkpoint(), Some(&b"newer"[..]));
        }
        assert_eq!(record.index, again.index);
    }

    fn byte(n: u64) -> u8 {
        u8::try_from(n).unwrap()
    }
}
