//! Watching the signer's key, the witnesses and the chain from outside.

use crate::auditor::Auditor;
use crate::chronicle::Chronicle;
use crate::disk::SimDisk;
use crate::hosts::{Chain, Common, Hosts, KeyUse, SignerHost};
use crate::model::{Payment, Planned, Speaker, is_in};
use crate::setting::{self, DELAY, LIAR, WITNESSES};
use crate::truth::Truth;
use portcullis_core::act::{Act, ActKind};
use portcullis_core::{Digest, Span, Time};
use portcullis_keeper::testkit::World;
use portcullis_signer::record::Record;
use portcullis_tlog::TreeHead;
use std::collections::{BTreeMap, BTreeSet};

/// By how much something may come before its delay has run: an entry may be dated 30 s ahead of the
/// signer's clock, and clocks are off by seconds.
pub const EARLY: Span = Span::seconds(45);
/// A lease of 3 s, a second by which clocks are off, and half for what a step takes.
const LEASE: Span = Span(4500);

/// The watch.
pub struct Watch {
    chronicle: Chronicle,
    truth: Truth,
    time: crate::clock::TrueTime,
    /// Digests that the key has signed.
    signed: BTreeSet<[u8; 32]>,
    /// What was signed for each nonce first, and whether it has been given up since.
    by_nonce: BTreeMap<u64, (Digest, bool)>,
    spent: Vec<(Time, Option<[u8; 20]>, u128, u64)>,
    /// The largest size that each honest witness has cosigned, and when each size first was.
    sizes: Vec<u64>,
    times: Vec<Time>,
    /// The newest of the journal's keys that each has cosigned for.
    logs: Vec<usize>,
    covered: Vec<(u64, Time)>,
    unread: Vec<(usize, TreeHead)>,
    /// How often the key was used.
    pub signatures: u64,
}

impl Watch {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(common: &Common, truth: &Truth) -> Self {
        Self {
            chronicle: common.chronicle.clone(),
            truth: truth.clone(),
            time: common.time.clone(),
            signed: BTreeSet::new(),
            by_nonce: BTreeMap::new(),
            spent: Vec::new(),
            sizes: vec![0; common.witnesses()],
            times: vec![Time(0); common.witnesses()],
            logs: vec![0; common.witnesses()],
            covered: Vec::new(),
            unread: Vec::new(),
            signatures: 0,
        }
    }

    /// Look at everything that can be seen from outside.
    pub fn look(
        &mut self,
        hosts: &Hosts,
        signer: &mut SignerHost,
        auditor: &Auditor,
        chain: &mut Chain,
    ) {
        self.look_at_witnesses(hosts, auditor);
        let lag = Span(signer.lag());
        // In a step it reads first and signs then.
        let read = signer.signer().map(|signer| signer.state().size());
        for used in signer.take_uses() {
            self.signatures += 1;
            self.look_at_use(&used, lag, read, auditor);
        }
        for tx in chain.take_handed() {
            let sighash = tx.unsigned().sighash();
            if !self.signed.contains(&sighash) {
                self.violated(
                    "no signature without evidence",
                    "the chain got what no key signed",
                );
            }
            let planned = auditor.model.planned(&sighash);
            if let Some(planned) = planned.filter(|planned| !planned.is_void) {
                self.check_stops(planned, self.time.now(), lag, auditor, "handed out");
            }
        }
    }

    /// The size that a witness has cosigned last, of what counts.
    #[must_use]
    pub fn size_of(&self, witness: usize) -> u64 {
        self.sizes[witness]
    }

    /// The newest of the journal's keys that it has cosigned for.
    #[must_use]
    pub fn log_of(&self, witness: usize) -> usize {
        self.logs[witness]
    }

    fn violated(&self, invariant: &'static str, seen: impl std::fmt::Display) {
        self.chronicle.violated(invariant, seen);
    }

    fn look_at_use(&mut self, used: &KeyUse, lag: Span, read: Option<u64>, auditor: &Auditor) {
        let is_new = self.signed.insert(used.digest);
        let Some(planned) = auditor.model.planned(&used.digest).cloned() else {
            let what = "the key signed what no entry that counts has planned";
            return self.violated("no signature without evidence", what);
        };
        let paid = planned.paid;
        self.chronicle
            .note("key", format!("nonce {} for {}", paid.nonce, planned.act));
        let Some(payment) = auditor.model.payment(paid.nonce) else {
            return self.violated("no signature without evidence", planned.act);
        };
        self.check_once(&planned);
        self.check_recorded(used, &planned);
        self.check_fresh(used.at, lag, read, auditor);
        self.check_not_latched(auditor);
        if !planned.is_void {
            self.check_evidence(&planned, payment);
            self.check_delay(used.at, payment, auditor);
            self.check_stops(&planned, used.at, lag, auditor, "signed");
            self.check_caps(used.at, payment, paid.nonce);
            let taken_back = auditor.model.taken_back(planned.act);
            let knew = taken_back.is_some_and(|entry| read.is_some_and(|read| entry < read));
            if knew && is_new {
                self.violated("nothing is signed that was taken back", planned.act);
            }
        }
    }

    /// One nonce, one act; no payment after it was given up.
    fn check_once(&mut self, planned: &Planned) {
        let nonce = planned.paid.nonce;
        let first = self.by_nonce.entry(nonce).or_insert((planned.act, false));
        let other_act = first.0 != planned.act;
        let given_up = first.1 && !planned.is_void;
        first.1 |= planned.is_void;
        if other_act {
            self.violated(
                "nothing is signed twice",
                format!("nonce {nonce} for two acts"),
            );
        }
        if given_up {
            self.violated(
                "nothing is signed twice",
                format!("nonce {nonce} after its void"),
            );
        }
    }

    /// The once-only record was durable before the key was used.
    fn check_recorded(&self, used: &KeyUse, planned: &Planned) {
        let disk = SimDisk::holding("once-only", used.record.clone());
        let is_recorded = Record::open(&disk).is_ok_and(|record| {
            let slot = record.slot(World::WALLET, planned.paid.nonce);
            slot.is_some_and(|slot| {
                slot.act == planned.act && slot.attempts.iter().any(|a| a.plan == planned.plan)
            })
        });
        if !is_recorded {
            self.violated("recorded before it is signed", planned.act);
        }
    }

    /// A quorum has cosigned something within the lease: two of it are not the liar.
    fn check_fresh(&self, at: Time, lag: Span, read: Option<u64>, auditor: &Auditor) {
        // One that is gone has read what nobody can ask it for.
        let speakers = &auditor.model.speakers;
        let newest = match read {
            Some(read) => self.last_cosigned(speakers.at(read)),
            None => {
                let each = speakers.each();
                let times = each.map(|(speaker, ..)| self.last_cosigned(speaker));
                times.max().unwrap_or(Time(0))
            }
        };
        let age = at.since(newest);
        if age > Span(LEASE.0 + lag.0) {
            let what = format!("{} ms after a quorum last cosigned", age.0);
            self.violated("nothing is signed without a lease", what);
        }
    }

    /// When a quorum of these last cosigned anything.
    fn last_cosigned(&self, speaker: &Speaker) -> Time {
        let numbers = speaker.numbers();
        let honest = numbers.iter().filter(|n| **n != LIAR);
        let mut honest: Vec<Time> = honest.map(|n| self.times[*n]).collect();
        honest.sort_unstable();
        // Beside a liar two honest ones are a quorum.
        let second = (honest.len() < numbers.len()).then(|| honest[1]);
        of_quorum(&numbers, &self.times).max(second.unwrap_or(Time(0)))
    }

    /// Whoever was shut by hand, or has said that it latched, uses no key until a quorum clears that.
    fn check_not_latched(&self, auditor: &Auditor) {
        let by_hand = self.truth.facts().shut.keys().next().copied();
        let model = &auditor.model;
        let mut said = model.latched.difference(&model.cleared);
        let said = said.find(|(keeper, _)| *keeper == World::KEEPER);
        if let Some(latch) = by_hand.or(said.map(|(_, latch)| *latch)) {
            self.violated("nothing is signed under a latch", latch);
        }
    }

    fn check_evidence(&self, planned: &Planned, payment: &Payment) {
        let truth = self.truth.facts();
        let asked = truth.acts.get(&planned.act).filter(|(act, _)| {
            let ActKind::Withdraw(withdraw) = &act.kind else {
                return false;
            };
            let is_ether = withdraw.asset == World::ETHER;
            act.account == Some(payment.account)
                && (withdraw.to.evm(), withdraw.amount.0)
                    == (Some(planned.paid.to), planned.paid.amount)
                && is_ether == planned.paid.token.is_none()
                && (truth.has_signed(act.principal, planned.act)
                    || truth.judged_falsely.contains(&planned.act))
        });
        if asked.is_none() || !truth.debits.contains_key(&planned.act) {
            self.violated("no signature without evidence", format!("{planned:?}"));
        }
    }

    fn check_delay(&self, at: Time, payment: &Payment, auditor: &Auditor) {
        let booked = auditor.model.booked(payment);
        let waited = booked.is_some_and(|since| at.after(EARLY) >= since.after(DELAY));
        // What was taken out of the book after its release was withheld by that.
        if booked.is_some() && !waited {
            self.violated("a new address waits", payment.act);
        }
    }

    /// Nothing leaves in the scope of what is stopped.
    fn check_stops(
        &self,
        planned: &Planned,
        at: Time,
        lag: Span,
        auditor: &Auditor,
        how: &'static str,
    ) {
        let Some(payment) = auditor.model.payment(planned.paid.nonce) else {
            return;
        };
        for (digest, stop) in &auditor.model.stops {
            if !is_in(stop.scope, payment.account, payment.token) {
                continue;
            }
            let by_lease = self.covered_at(stop.entry);
            let by_lease = by_lease.map(|time| time.after(Span(LEASE.0 + lag.0)));
            let is_stopped = stop.stated.is_some_and(|stated| at > stated)
                || by_lease.is_some_and(|until| at > until);
            if is_stopped {
                let what = format!("{} {how} although {digest} is stopped", payment.act);
                self.violated("nothing leaves after a stop", what);
            }
        }
        self.check_posted(payment, at, lag, auditor, how);
    }

    fn check_posted(
        &self,
        payment: &Payment,
        at: Time,
        lag: Span,
        auditor: &Auditor,
        how: &'static str,
    ) {
        let truth = self.truth.facts();
        let open = truth
            .posted
            .iter()
            .filter(|(act, _)| !auditor.model.has_counted(**act));
        for (digest, posted) in open {
            let Some((act, _)) = truth.acts.get(digest) else {
                continue;
            };
            // It counts for whoever knows the checkpoint that it names.
            let known = auditor.checkpoint_entry(act.checkpoint);
            let known = known.and_then(|entry| self.covered_at(entry));
            let binds = known.is_some_and(|known| known < *posted);
            let is_late = at > posted.after(Span(LEASE.0 + 1500 + lag.0));
            if binds && is_late && takes_in(act, payment) {
                let what = format!("{} {how} although {digest} was posted", payment.act);
                self.violated("nothing leaves after a posted stop", what);
            }
        }
    }

    fn check_caps(&mut self, at: Time, payment: &Payment, nonce: u64) {
        if payment.amount > setting::SIGNER_TRANSACTION_CAP {
            self.violated("the signer's caps hold", payment.act);
        }
        if self.spent.iter().any(|(_, _, _, known)| *known == nonce) {
            return;
        }
        self.spent.push((at, payment.token, payment.amount, nonce));
        // A day by the signer's clock, which may run behind.
        let since = at.before(Span::hours(24));
        let day = self
            .spent
            .iter()
            .filter(|(time, token, ..)| *time > since && *token == payment.token);
        let total: u128 = day.map(|(_, _, amount, _)| amount).sum();
        if total > setting::SIGNER_DAY_CAP {
            self.violated("the signer's caps hold", format!("{total} within a day"));
        }
    }

    /// Honest witnesses cosign one history, and only forwards.
    fn look_at_witnesses(&mut self, hosts: &Hosts, auditor: &Auditor) {
        for number in 0..hosts.witnesses() {
            for cosigned in hosts.witness(number).take_cosigned() {
                let size = cosigned.head.size;
                if size < self.sizes[number] || cosigned.log < self.logs[number] {
                    self.violated("a witness never goes back", format!("{number} to {size}"));
                }
                self.logs[number] = cosigned.log;
                self.unread.push((number, cosigned.head));
                // Whom the journal has not handed over to for this size, and by which key, says nothing.
                let speaker = auditor.model.speakers.at(size);
                if speaker.log_number() == Some(cosigned.log) {
                    (self.sizes[number], self.times[number]) = (size, cosigned.at);
                    self.cover(cosigned.at, auditor);
                }
            }
        }
        let (known, unread) = std::mem::take(&mut self.unread)
            .into_iter()
            .partition(|(_, head)| head.size <= auditor.size());
        self.unread = unread;
        let known: Vec<(usize, TreeHead)> = known;
        for (number, head) in known {
            if auditor.root_at(head.size) != Some(head.root) {
                let what = format!("witness {number} at size {}", head.size);
                self.violated("witnesses cosign one history", what);
            }
        }
    }

    /// What three witnesses have, with or without the one that may lie.
    fn cover(&mut self, at: Time, auditor: &Auditor) {
        let each = auditor.model.speakers.each();
        let sizes = each.map(|(speaker, behind, end)| {
            let size = of_quorum(&speaker.numbers(), &self.sizes).min(end);
            if size > behind { size } else { 0 }
        });
        let size = sizes.max().unwrap_or(0);
        match self.covered.last() {
            Some((known, _)) if *known > size => {}
            _ => self.covered.push((size, at)),
        }
        if self.covered.len() > 40_000 {
            self.covered.drain(..20_000);
        }
    }

    /// When a quorum first had an entry.
    fn covered_at(&self, entry: u64) -> Option<Time> {
        let at = self.covered.partition_point(|(size, _)| *size <= entry);
        self.covered.get(at).map(|(_, time)| *time)
    }
}

/// Whether a stop that people post takes a payment in.
fn takes_in(stop: &Act, payment: &Payment) -> bool {
    match &stop.kind {
        ActKind::Suspend(suspend) => is_in(suspend.scope, payment.account, payment.token),
        ActKind::Freeze => stop.account == Some(payment.account),
        ActKind::Cancel(cancel) => cancel.act == payment.act,
        _ => false,
    }
}

/// What three witnesses have: any three, or all but the one that says nothing while it lies.
fn of_quorum<T: Ord + Copy>(numbers: &[usize], each: &[T]) -> T {
    let mut sorted: Vec<T> = numbers.iter().map(|n| each[*n]).collect();
    sorted.sort_unstable();
    let honest = numbers.iter().filter(|n| **n != LIAR);
    let honest = honest.map(|n| each[*n]).min();
    sorted[WITNESSES - 3].max(honest.unwrap_or(sorted[0]))
}
