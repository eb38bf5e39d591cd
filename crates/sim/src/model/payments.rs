//! What may leave: to whom, how much, once, and under which nonce.

use super::{Model, Proof, Waiting, is_in, token_of};
use crate::eth::{self, Paid};
use crate::setting::{APPROVAL_ABOVE, DELAY};
use portcullis_chains::caip::Address;
use portcullis_chains::ethereum::UnsignedTx;
use portcullis_core::act::{ActKind, Withdraw};
use portcullis_core::evidence::{Claim, Evidence};
use portcullis_core::factor::FactorKind;
use portcullis_core::id::AccountId;
use portcullis_core::limits::Bounds;
use portcullis_core::plan::Plan;
use portcullis_core::realm::Role;
use portcullis_core::{Digest, Span, Time};

/// A release, as the journal has it.
#[derive(Clone, Debug)]
pub struct Payment {
    /// The act.
    pub act: Digest,
    /// Whose.
    pub account: AccountId,
    /// To whom.
    pub to: [u8; 20],
    /// The token; the chain's own coin without one.
    pub token: Option<[u8; 20]>,
    /// In base units.
    pub amount: u128,
    /// The time of the entry that released it first.
    pub time: Time,
    /// When its act expired.
    pub expires: Time,
    /// What proves it.
    pub proof: Option<Proof>,
}

/// A plan, by what is signed for it.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The released act.
    pub act: Digest,
    /// The plan.
    pub plan: Digest,
    /// What it pays.
    pub paid: Paid,
    /// Whether it gives the act up.
    pub is_void: bool,
}

impl Model {
    /// What is planned under this digest.
    #[must_use]
    pub fn planned(&self, sighash: &[u8; 32]) -> Option<&Planned> {
        self.planned.get(sighash)
    }

    /// The release that has a nonce.
    #[must_use]
    pub fn payment(&self, nonce: u64) -> Option<&Payment> {
        self.payments.get(&nonce)
    }

    /// All releases, by nonce.
    pub fn payments(&self) -> impl Iterator<Item = (&u64, &Payment)> {
        self.payments.iter()
    }

    /// Since when, by the true clock, the payee has stood in the book.
    #[must_use]
    pub fn booked(&self, payment: &Payment) -> Option<Time> {
        let chain = 31_337;
        let address = payment.to;
        let address = Address::Evm { chain, address };
        let booked = self.book.get(&(payment.account, address));
        booked.map(|booked| booked.since)
    }

    /// The ledger's word in evidence, which pays for one act.
    pub(super) fn pay(&mut self, act: Digest, evidence: &Evidence) {
        for attestation in &evidence.attestations {
            let Claim::LedgerDebit { entry } = attestation.statement.claim else {
                continue;
            };
            let truth = self.truth.facts();
            let stated = truth
                .debits
                .get(&act)
                .is_some_and(|all| all.contains(&entry));
            drop(truth);
            if !stated {
                self.violated("no debit that the ledger has not stated", act);
            }
            let paid_for = *self.debits.entry(entry).or_insert(act);
            if paid_for != act {
                let what = format!("{entry} for {paid_for} and {act}");
                self.violated("a debit pays once", what);
            }
        }
    }

    /// A withdrawal goes out.
    pub(super) fn check_release(
        &mut self,
        act: Digest,
        waiting: &Waiting,
        plan: &Plan,
        time: Time,
        index: u64,
    ) {
        let ActKind::Withdraw(withdraw) = &waiting.act.kind else {
            return self.violated("only withdrawals pay", act);
        };
        let (Some(account), Some(paid)) = (waiting.act.account, eth::read(&plan.unsigned)) else {
            return self.violated("a plan is what its act asks for", act);
        };
        self.check_plan(act, withdraw, &paid);
        let token = token_of(withdraw.asset);
        self.check_way(act, account, withdraw.to, token, waiting.proof);
        self.check_given(act, waiting, withdraw, time);
        self.check_paid_by_code(act, waiting, withdraw, time);
        self.check_aged(act, account, withdraw.to, time);
        self.check_blocked(act, withdraw.to);
        self.check_fiat(act, withdraw.asset, withdraw.amount.0, time);
        if paid.nonce != self.next_nonce {
            let what = format!(
                "{} at entry {index}, next is {}",
                paid.nonce, self.next_nonce
            );
            self.violated("one nonce after the other", what);
        }
        if let Some((nonce, _)) = self.payments.iter().find(|(_, p)| p.act == act) {
            let what = format!("{act} at {nonce} and {}", paid.nonce);
            self.violated("no act is paid twice", what);
        }
        self.next_nonce = paid.nonce + 1;
        let payment = Payment {
            act,
            account,
            to: paid.to,
            token: paid.token,
            amount: paid.amount,
            time,
            expires: waiting.act.expires,
            proof: waiting.proof,
        };
        self.payments.insert(paid.nonce, payment.clone());
        self.check_limits(&payment);
        self.plan(act, plan, paid, false);
    }

    fn check_plan(&self, act: Digest, withdraw: &Withdraw, paid: &Paid) {
        let token = token_of(withdraw.asset);
        let to = Address::Evm {
            chain: paid.chain,
            address: paid.to,
        };
        if (withdraw.to, token, withdraw.amount.0) != (to, paid.token, paid.amount) {
            let what = format!("{act} asks for {withdraw:?} and gets {paid:?}");
            self.violated("a plan is what its act asks for", what);
        }
    }

    /// Nothing stands in the way: neither at the release, nor where it is resumed.
    fn check_way(
        &self,
        act: Digest,
        account: AccountId,
        to: Address,
        token: Option<[u8; 20]>,
        proof: Option<Proof>,
    ) {
        if self.frozen.contains(&account) {
            self.violated("nothing is released from a frozen account", act);
        }
        let mut stops = self.stops.values();
        if stops.any(|stop| is_in(stop.scope, account, token)) {
            self.violated("nothing is released into a suspension", act);
        }
        if !self.book.contains_key(&(account, to)) {
            self.violated("nothing goes to an address that is not in the book", act);
        }
        if !self.stands(account, proof) {
            self.violated("nothing is released on a proof that counts no more", act);
        }
    }

    /// The payee's delay has run, from the later of its cosignature and the herald's word.
    fn check_aged(&self, act: Digest, account: AccountId, to: Address, time: Time) {
        let booked = self.book.get(&(account, to));
        let waited = booked.is_some_and(|b| self.delays.has_run(b.entry, DELAY, time));
        if booked.is_some() && !waited {
            self.violated("nothing loosens before its delay has run", act);
        }
    }

    /// It has what its amount asks for.
    fn check_given(&self, act: Digest, waiting: &Waiting, what: &Withdraw, time: Time) {
        if !waiting.debit {
            self.violated("nothing is released without a debit", act);
        }
        let able = self.counting(&waiting.approvals, &[Role::Approver, Role::Administrator]);
        let divisor = waiting.act.account.map_or(1, |a| self.divisor(a, time));
        if what.amount.0 > APPROVAL_ABOVE / divisor && able.count() < 2 {
            self.violated("large withdrawals are approved by two", act);
        }
    }

    /// Within any hour, day or week nobody that a rule bounds pays more than it says, nor at once.
    fn check_limits(&self, newest: &Payment) {
        let by_code = self.is_by_code(newest.act, newest.proof);
        let rules = self.limits.rules.iter();
        let rules = rules.filter(|rule| by_code || rule.bounds != Bounds::Code);
        for rule in rules.filter(|rule| token_of(rule.asset) == newest.token) {
            let by = match rule.bounds {
                Bounds::Account | Bounds::Code => self.divisor(newest.account, newest.time),
                _ => 1,
            };
            if rule
                .per_transaction
                .is_some_and(|most| newest.amount > most.0 / by)
            {
                let what = match rule.bounds {
                    Bounds::Code => limit_of(rule.bounds),
                    _ => "no transaction is above its limit",
                };
                self.violated(what, newest.act);
            }
            let windows = [(1, rule.hour), (24, rule.day), (24 * 7, rule.week)];
            for (hours, most) in windows {
                let total = self.left_within(Span::hours(hours), rule.bounds, newest);
                if most.is_some_and(|most| total > most.0 / by) {
                    let what = format!("{total} within {hours} h by {}", newest.act);
                    self.violated(limit_of(rule.bounds), what);
                }
            }
        }
    }

    /// What has left until the newest. There is one wallet; what came back is not counted.
    fn left_within(&self, length: Span, bounds: Bounds, newest: &Payment) -> u128 {
        let since = newest.time.before(length);
        let beside = self.payments.values().filter(|payment| {
            (!matches!(bounds, Bounds::Account | Bounds::Code) || payment.account == newest.account)
                && payment.token == newest.token
                && payment.time > since
                && !self.given_up.contains(&payment.act)
                && !self.reverted.contains(&payment.act)
        });
        beside.map(|payment| payment.amount).sum()
    }

    /// A release is given up by itself: only what was taken back, or what was journaled too late to count.
    pub(super) fn give_up(&mut self, act: Digest, plan: &Plan, time: Time) {
        let payment = self.payments.values().find(|payment| payment.act == act);
        let Some(payment) = payment.cloned() else {
            return self.violated("only what was released is given up", act);
        };
        let is_over = time >= payment.expires || self.waits_anew(&payment, time);
        if !self.taken_back.contains_key(&act) && !is_over {
            self.violated("only what was taken back is given up by itself", act);
        }
        let mut stops = self.stops.values();
        if stops.any(|stop| is_in(stop.scope, payment.account, payment.token)) {
            self.violated("nothing is given up by itself in a suspension", act);
        }
        self.given_up.insert(act);
        self.replan(act, plan);
    }

    /// Its account was recovered since: the payee's delay runs again, and a release that was late is over.
    fn waits_anew(&self, payment: &Payment, time: Time) -> bool {
        let (chain, address) = (31_337, payment.to);
        let payee = Address::Evm { chain, address };
        let booked = self.book.get(&(payment.account, payee));
        booked.is_some_and(|booked| !self.delays.has_run(booked.entry, DELAY, time))
    }

    /// What these releases rest on is taken back.
    pub(super) fn take_back(&mut self, entry: u64, touched: impl Fn(&Self, &Payment) -> bool) {
        let payments = self.payments.values();
        let touched = payments.filter(|payment| touched(self, payment));
        let touched: Vec<Digest> = touched.map(|payment| payment.act).collect();
        self.taken_back
            .extend(touched.into_iter().map(|act| (act, entry)));
    }

    /// What kind of factor proves it.
    pub(super) fn kind_behind(&self, payment: &Payment) -> FactorKind {
        if self.is_by_code(payment.act, payment.proof) {
            FactorKind::Totp
        } else {
            FactorKind::Passkey
        }
    }

    /// The entry that took a release back, where one did and it has not been resumed since.
    #[must_use]
    pub fn taken_back(&self, act: Digest) -> Option<u64> {
        self.taken_back.get(&act).copied()
    }

    /// A release goes out again, if it pays anybody.
    pub(super) fn resume(&mut self, act: Digest) {
        self.taken_back.remove(&act);
        let mut payments = self.payments.values();
        let payment = payments.find(|payment| payment.act == act);
        if let Some(payment) = payment.filter(|_| !self.given_up.contains(&act)) {
            let chain = 31_337;
            let address = payment.to;
            let to = Address::Evm { chain, address };
            self.check_way(act, payment.account, to, payment.token, payment.proof);
        }
    }

    /// Another plan for a release: at its own nonce, to its own payee or to nobody.
    pub(super) fn replan(&mut self, act: Digest, plan: &Plan) {
        let Some(paid) = eth::read(&plan.unsigned) else {
            return self.violated("a plan is what its act asks for", act);
        };
        let is_void = paid.to == self.wallet && paid.amount == 0 && paid.token.is_none();
        let first = self
            .payments
            .get(&paid.nonce)
            .filter(|first| first.act == act);
        let same = first.is_some_and(|first| {
            (first.to, first.token, first.amount) == (paid.to, paid.token, paid.amount)
        });
        let given_up = self.given_up.contains(&act);
        if first.is_none() || !(same && !given_up || is_void && given_up) {
            let what = format!("{act}: {paid:?}");
            self.violated("a replacement pays whom the first plan pays", what);
        }
        self.plan(act, plan, paid, is_void);
    }

    fn plan(&mut self, act: Digest, plan: &Plan, paid: Paid, is_void: bool) {
        let Ok(tx) = UnsignedTx::from_bytes(&plan.unsigned) else {
            return self.violated("a plan is what its act asks for", act);
        };
        let plan = plan.digest();
        let planned = Planned {
            act,
            plan,
            paid,
            is_void,
        };
        self.planned.insert(tx.sighash(), planned);
    }
}

/// The invariant of a kind of limit.
fn limit_of(bounds: Bounds) -> &'static str {
    match bounds {
        Bounds::Account => "limits of accounts hold",
        Bounds::Asset => "limits of assets hold",
        Bounds::Wallet => "limits of wallets hold",
        Bounds::Code => "limits of codes hold",
    }
}
