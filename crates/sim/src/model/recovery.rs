//! What was lost and comes back: who vouches, who objects, how many in a day, and what follows.

use super::{Factor, Model, Proof, Waiting};
use crate::setting::{BUDGET, DELAY};
use portcullis_core::act::{Act, ActKind, Administration, Recover, RecoverAdministrators};
use portcullis_core::evidence::{Claim, Evidence};
use portcullis_core::id::{AccountId, PrincipalId};
use portcullis_core::realm::{Realm, Role};
use portcullis_core::signature::PublicKey;
use portcullis_core::{Digest, Span, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Who says that a new factor is the customer's.
enum Voucher {
    /// A factor of the customer's own.
    Own,
    /// The identity vendor, by this key.
    Vendor(PublicKey),
    /// Two members with role support.
    Support,
}

#[derive(Default)]
pub(super) struct Recoveries {
    /// Of each recovery that has begun, who vouches.
    vouchers: BTreeMap<Digest, Voucher>,
    /// Recoveries against which a veto stands.
    vetoed: BTreeSet<Digest>,
    /// Administrators who object, and by which entry.
    objections: BTreeMap<Digest, BTreeMap<PrincipalId, u64>>,
    /// By which entry an account was recovered last.
    recovered: BTreeMap<AccountId, u64>,
    /// How many have begun on a day: by each member of staff, and by customers themselves.
    begun: BTreeMap<(u64, Option<PrincipalId>), u32>,
}

impl Model {
    /// A recovery begins to wait.
    pub(super) fn begin_recovery(
        &mut self,
        digest: Digest,
        act: &Act,
        evidence: &Evidence,
        time: Time,
    ) {
        let voucher = match act.realm {
            Realm::Customers => Voucher::Own,
            Realm::Staff => self.voucher_of_staff(digest, evidence),
        };
        self.count_recovery(digest, act, time);
        self.recoveries.vouchers.insert(digest, voucher);
    }

    fn voucher_of_staff(&self, digest: Digest, evidence: &Evidence) -> Voucher {
        let mut attestations = evidence.attestations.iter();
        if !attestations.any(|a| a.statement.claim == Claim::Identity) {
            return Voucher::Support;
        }
        if !self.truth.facts().identified.contains(&digest) {
            self.violated("a recovery rests on whoever vouches", digest);
        }
        let vendor = self.in_force.vendor().cloned();
        vendor.map_or(Voucher::Support, Voucher::Vendor)
    }

    /// No day sees more than its budget, whatever becomes of them.
    fn count_recovery(&mut self, digest: Digest, act: &Act, time: Time) {
        let day = time.0 / Span::hours(24).0;
        let agent = (act.realm == Realm::Staff).then_some(act.principal);
        let begun = &mut self.recoveries.begun;
        let own = begun.entry((day, agent)).or_default();
        *own += 1;
        let own = *own;
        let of_staff = begun
            .iter()
            .filter(|((d, who), _)| *d == day && who.is_some());
        let of_staff: u32 = of_staff.map(|(_, count)| count).sum();
        let is_over = match agent {
            Some(_) => own > BUDGET.per_agent || of_staff > BUDGET.per_platform,
            None => own > BUDGET.vouched,
        };
        if is_over {
            self.violated("recoveries keep to their budget", digest);
        }
    }

    /// The roots, and enough of them, bring other administrators.
    pub(super) fn begin_recovery_of_administrators(&self, digest: Digest) {
        let truth = self.truth.facts();
        let stand = truth.rooted.get(&digest).into_iter().flatten();
        let roots = &self.in_force.roots;
        let behind = stand.filter(|root| roots.key(**root).is_some()).count();
        drop(truth);
        if behind < usize::try_from(roots.quorum).unwrap_or(usize::MAX) {
            let what = format!("{digest} by {behind} roots");
            self.violated("the administrators are replaced by a quorum of roots", what);
        }
    }

    /// Somebody objects. A customer alone ends the recovery of its own factors; administrators end theirs by a
    /// quorum.
    pub(super) fn veto(&mut self, of: Digest, by: &Act, entry: u64) {
        let Some(waiting) = self.waiting.get(&of) else {
            return self.violated("a veto is of what waits", of);
        };
        let ends = match &waiting.act.kind {
            ActKind::Recover(recover) => {
                let own = by.account == waiting.act.account && by.principal == recover.principal;
                if !own {
                    self.violated("only its own customer vetoes a recovery", of);
                }
                true
            }
            ActKind::RecoverAdministrators(_) => {
                let objections = self.recoveries.objections.entry(of).or_default();
                objections.insert(by.principal, entry);
                let objections = objections.clone();
                let objecting = self.counting(&objections, &[Role::Administrator]).count();
                objecting >= self.quorum
            }
            _ => return self.violated("a veto is of what waits", of),
        };
        if ends {
            self.waiting.remove(&of);
            self.recoveries.vetoed.insert(of);
            self.chronicle.count("vetoed");
        }
    }

    pub(super) fn check_not_vetoed(&self, act: Digest) {
        if self.recoveries.vetoed.contains(&act) {
            self.violated("no recovery against a veto that stands before it", act);
        }
    }

    /// A recovery ends its waiting: whoever vouched must vouch still, and nobody have frozen the account.
    pub(super) fn check_recovery(&self, digest: Digest, waiting: &Waiting) {
        let Some(account) = waiting.act.account else {
            return self.violated("a recovery is of an account", digest);
        };
        let since = self.frozen_by.get(&account);
        if self.frozen.contains(&account) || since.is_some_and(|entry| *entry > waiting.entry) {
            self.violated("a freeze ends a recovery", digest);
        }
        let stands = match self.recoveries.vouchers.get(&digest) {
            None => false,
            Some(Voucher::Own) => self.stands(account, waiting.proof),
            Some(Voucher::Vendor(key)) => self.in_force.vendor() == Some(key),
            Some(Voucher::Support) => {
                let mut members = waiting.approvals.clone();
                members.insert(waiting.act.principal, waiting.entry);
                self.counting(&members, &[Role::Support]).count() >= 2
            }
        };
        if !stands {
            self.violated("a recovery rests on whoever vouches", digest);
        }
    }

    /// The new factor counts once the entry is cosigned, and told; every address waits anew.
    pub(super) fn recover(&mut self, act: &Act, recover: &Recover, entry: u64, since: Time) {
        let Some(account) = act.account else { return };
        let factor = Factor {
            since,
            entry,
            kind: recover.factor.kind(),
            account: Some(account),
            delay: Span::default(),
        };
        self.factors.insert(recover.factor.id(), factor);
        let delays = &self.delays;
        for ((of, _), booked) in &mut self.book {
            if *of == account && delays.from(booked.entry).is_some() {
                booked.entry = entry;
            }
        }
        self.recoveries.recovered.insert(account, entry);
        self.chronicle.count("recovered");
    }

    /// What the limits of an account are divided by.
    pub(super) fn divisor(&self, account: AccountId, time: Time) -> u128 {
        let since = self.recoveries.recovered.get(&account);
        let lowered = since.is_some_and(|entry| !self.is_past(*entry, 7, time));
        if lowered {
            u128::from(BUDGET.divisor)
        } else {
            1
        }
    }

    /// Whether so many floors have passed since something that an entry brought.
    fn is_past(&self, entry: u64, floors: u64, time: Time) -> bool {
        self.delays.has_run(entry, Span(DELAY.0 * floors), time)
    }

    /// A recovered account takes no new address for a while.
    pub(super) fn check_takes_address(&self, act: Digest, account: AccountId, time: Time) {
        let since = self.recoveries.recovered.get(&account);
        if since.is_some_and(|entry| !self.is_past(*entry, 1, time)) {
            self.violated("a recovered account takes no address at once", act);
        }
    }

    /// Who loosens now, and who could replace them.
    fn administration(&self) -> Administration {
        let roles = self.roles.iter();
        let administrators = roles.filter(|(_, roles)| roles.contains(&Role::Administrator));
        Administration {
            administrators: administrators.map(|(who, _)| *who).collect(),
            quorum: u32::try_from(self.quorum).unwrap_or(u32::MAX),
            roots: self.in_force.roots.clone(),
        }
    }

    pub(super) fn recover_administrators(
        &mut self,
        act: Digest,
        recover: &RecoverAdministrators,
        entry: u64,
    ) {
        if self.administration().digest() != recover.replaces {
            self.violated("what comes in force replaces what was", act);
        }
        for (who, roles) in &mut self.roles {
            if roles.remove(&Role::Administrator) {
                self.staff_revoked.insert(*who, entry);
            }
        }
        for new in &recover.administrators {
            let roles = self.roles.entry(new.principal).or_default();
            roles.insert(Role::Administrator);
            self.newcomers
                .insert(new.principal, (entry, Span::default()));
        }
        self.quorum = usize::try_from(recover.quorum).unwrap_or(usize::MAX);
        self.chronicle.count("administrators recovered");
    }
}

impl Proof {
    /// What a customer's own request key proves, where evidence has one of these keys' requests.
    pub(super) fn by_request(
        evidence: &Evidence,
        entry: u64,
        is_own: impl Fn(portcullis_core::id::FactorId) -> bool,
    ) -> Option<Self> {
        let requests = evidence.requests.iter();
        let mut keys = requests.filter_map(|signed| {
            let base = portcullis_core::request::parse_base(&signed.base).ok()?;
            base.parts().key_id.parse().ok()
        });
        let factor = keys.find(|factor| is_own(*factor))?;
        Some(Self { factor, entry })
    }
}
