//! Who may do what, and who really did.

use super::codes::factor_of;
use super::delays::is_administrators;
use super::{Booked, Factor, Model, Proof, Stop, Waiting};
use crate::setting::DELAY;
use crate::watch::EARLY;
use portcullis_core::act::{Act, ActKind, LiftTarget};
use portcullis_core::evidence::Evidence;
use portcullis_core::factor::{NewFactor, factor_id};
use portcullis_core::id::{AccountId, PrincipalId};
use portcullis_core::realm::{Realm, Role};
use portcullis_core::{Digest, Time};
use portcullis_keeper::testkit::World;
use std::collections::BTreeSet;

impl Model {
    /// Somebody who may has really asked.
    pub(super) fn check_authority(
        &self,
        digest: Digest,
        act: &Act,
        evidence: &Evidence,
        now: Time,
    ) {
        let truth = self.truth.facts();
        let keepers = [World::KEEPER, World::HERALD];
        let by_keeper = keepers.iter().any(|keeper| act.principal.0 == keeper.0);
        // What comes with a code waits, and is somebody's once the code is right.
        let by_code = factor_of(evidence).is_some();
        if !by_keeper && !by_code && !truth.has_signed(act.principal, digest) {
            let what = format!("{} {digest}", act.kind.name());
            self.violated("no act without its principal's proof", what);
        }
        let is_onboarded = truth.onboarded.contains(&digest);
        let relayed = truth.has_signed(World::BACK_END, digest);
        drop(truth);
        match act.realm {
            Realm::Customers => {
                if !relayed && !act.kind.is_restricting() {
                    self.violated("customers are relayed by the back end", digest);
                }
                self.check_since(act, evidence, now);
            }
            Realm::Staff => {
                if self.staff_revoked.contains_key(&act.principal) {
                    let what = format!("{} by {}", act.kind.name(), act.principal);
                    self.violated("nobody acts by a revoked factor", what);
                }
                let roles = self.roles.get(&act.principal);
                let may = may(&act.kind);
                // Whatever the role: everybody's own factors are theirs to give up.
                let own = matches!(&act.kind, ActKind::RevokeFactor(revoke) if revoke.principal == act.principal);
                if !own && !roles.is_some_and(|roles| roles.iter().any(|role| may.contains(role))) {
                    let what = format!("{} by {}", act.kind.name(), act.principal);
                    self.violated("nobody acts without a role", what);
                }
                let for_customer =
                    matches!(act.kind, ActKind::OpenAccount(_) | ActKind::EnrolFactor(_));
                if for_customer && !is_onboarded {
                    self.violated("no first factor without onboarding's word", digest);
                }
            }
        }
    }

    /// A passkey that loosens has waited for as long as new ones wait.
    fn check_since(&self, act: &Act, evidence: &Evidence, now: Time) {
        let harmless = matches!(
            act.kind,
            ActKind::Freeze | ActKind::Cancel(_) | ActKind::CancelAddress(_) | ActKind::Veto(_)
        );
        for assertion in evidence.assertions.iter().filter(|_| !harmless) {
            let since = self.factors.get(&factor_id(&assertion.credential.0));
            // An entry may be dated ahead; whoever signs by it waits (see `watch`).
            let early = |known: &Factor| now.after(EARLY) < known.since.after(known.delay);
            let is_early = since.is_none_or(early);
            if is_early {
                let what = format!("{} by {}", act.kind.name(), act.principal);
                self.violated("a new factor waits", what);
            }
        }
    }

    /// By the entries' own times: the delay has run from the later of its cosignature and the herald's word.
    pub(super) fn check_factors(&self, what: &str, evidence: &Evidence, time: Time) {
        let passkeys = evidence.assertions.iter();
        let passkeys = passkeys.map(|assertion| factor_id(&assertion.credential.0));
        let own = |factor| self.factors.contains_key(&factor);
        let key = Proof::by_request(evidence, 0, own).map(|proof| proof.factor);
        for id in passkeys.chain(key).chain(factor_of(evidence)) {
            let Some(factor) = self.factors.get(&id) else {
                continue;
            };
            if !self.delays.has_run(factor.entry, factor.delay, time) {
                let what = format!("{what} by factor {id}");
                self.violated("nothing loosens before its delay has run", what);
            }
        }
    }

    /// The same for whoever came to staff.
    pub(super) fn check_newcomer(&self, act: &Act, time: Time) {
        let harmless = matches!(
            act.kind,
            ActKind::Freeze | ActKind::Cancel(_) | ActKind::CancelAddress(_) | ActKind::Veto(_)
        );
        let came = self.newcomers.get(&act.principal).filter(|_| !harmless);
        if came.is_some_and(|(entry, delay)| !self.delays.has_run(*entry, *delay, time)) {
            let what = format!("{} by {}", act.kind.name(), act.principal);
            self.violated("nothing loosens before its delay has run", what);
        }
    }

    /// A change of contact ends its waiting: the factor that asked stands, or a quorum of administrators does, and
    /// nobody froze the account.
    pub(super) fn check_contact(&self, digest: Digest, waiting: &Waiting) {
        let by_quorum = is_administrators(&waiting.act);
        if by_quorum {
            self.check_quorum(digest, waiting);
        }
        let stands = waiting.act.account.is_some_and(|account| {
            let frozen = self.frozen_by.get(&account);
            let is_untouched = || frozen.is_none_or(|entry| *entry < waiting.entry);
            let is_asked = if by_quorum {
                is_untouched()
            } else {
                self.stands(account, waiting.proof)
            };
            is_asked && !self.frozen.contains(&account)
        });
        if !stands {
            self.violated("a contact changes by a factor that stands", digest);
        }
    }

    pub(super) fn check_asserted_again(&self, act: Digest) {
        let truth = self.truth.facts();
        let known = truth
            .acts
            .get(&act)
            .is_some_and(|(known, _)| truth.has_signed(known.principal, act));
        drop(truth);
        if !known {
            self.violated("no act without its principal's proof", act);
        }
    }

    /// What takes a quorum does not happen at the word of one.
    pub(super) fn check_alone(&self, digest: Digest, act: &Act) {
        let by_staff = act.realm == Realm::Staff;
        let takes_quorum = match &act.kind {
            ActKind::Lift(_)
            | ActKind::SetLimits(_)
            | ActKind::GrantRole(_)
            | ActKind::SetPolicy(_)
            | ActKind::SetLabels(_)
            | ActKind::Rotate(_) => true,
            ActKind::Recover(_) | ActKind::RecoverAdministrators(_) | ActKind::ChangeContact(_) => {
                let what = format!("{} {digest} at once", act.kind.name());
                return self.violated("nothing loosens before its delay has run", what);
            }
            ActKind::Unfreeze => by_staff,
            ActKind::RevokeRole(revoke) => revoke.role == Role::Administrator,
            ActKind::RaiseEpoch(raise) => raise.realm == Realm::Staff,
            _ => false,
        };
        if takes_quorum {
            let what = format!("{} {digest} at once", act.kind.name());
            self.violated("a quorum counts members", what);
        }
    }

    /// Two administrators have really signed: the proposer, and whoever approved.
    pub(super) fn check_quorum(&self, digest: Digest, waiting: &Waiting) {
        let proposer = waiting.act.principal;
        let mut members = waiting.approvals.clone();
        members.entry(proposer).or_insert(waiting.entry);
        let members: BTreeSet<PrincipalId> =
            self.counting(&members, &[Role::Administrator]).collect();
        if members.len() < self.quorum {
            let what = format!("{} {digest} by {}", waiting.act.kind.name(), members.len());
            self.violated("a quorum counts members", what);
        }
    }

    pub(super) fn has(&self, who: PrincipalId, role: Role) -> bool {
        self.roles
            .get(&who)
            .is_some_and(|roles| roles.contains(&role))
    }

    /// What an act changes, as people understand it.
    pub(super) fn carry_out(
        &mut self,
        digest: Digest,
        act: &Act,
        (index, time): (u64, Time),
        now: Time,
    ) {
        let account = act.account;
        self.note_new(digest, act, index, time);
        self.note_taken_back(act, index);
        match &act.kind {
            ActKind::OpenAccount(open) => {
                self.enrol(act.account, &open.factor, (index, now));
                if let (Some(account), Some(contact)) = (account, open.contact) {
                    self.set_contact(account, contact);
                }
            }
            ActKind::ChangeContact(change) => {
                self.chronicle.count("contact changed");
                if let Some(account) = account {
                    self.set_contact(account, change.contact);
                }
            }
            ActKind::Recover(recover) => self.recover(act, recover, index, now),
            ActKind::EnrolFactor(enrol) => self.enrol(act.account, &enrol.factor, (index, now)),
            ActKind::RevokeFactor(revoke) => {
                self.factors.remove(&revoke.factor);
                if act.account.is_none() {
                    self.staff_revoked.insert(revoke.principal, index);
                }
            }
            ActKind::AddAddress(add) => {
                if let Some(account) = account {
                    let (since, entry) = (now, index);
                    self.book
                        .insert((account, add.address), Booked { since, entry });
                }
            }
            ActKind::CancelAddress(cancel) => {
                if let Some(account) = account {
                    self.book.remove(&(account, cancel.address));
                }
            }
            ActKind::Freeze => {
                self.frozen.extend(account);
                self.frozen_by
                    .extend(account.map(|account| (account, index)));
            }
            ActKind::Unfreeze => {
                if let Some(account) = account {
                    self.frozen.remove(&account);
                }
            }
            ActKind::Cancel(cancel) => {
                self.waiting.remove(&cancel.act);
                self.taken_back.insert(cancel.act, index);
            }
            ActKind::Veto(veto) => self.veto(veto.act, act, index),
            _ => self.carry_out_for_platform(digest, &act.kind, (index, time)),
        }
    }

    /// What an act changes for all accounts.
    fn carry_out_for_platform(
        &mut self,
        digest: Digest,
        kind: &ActKind,
        (index, time): (u64, Time),
    ) {
        match kind {
            ActKind::RecoverAdministrators(recover) => {
                self.recover_administrators(digest, recover, index);
            }
            ActKind::Rotate(rotate) => self.rotate(digest, rotate, index),
            ActKind::SetPolicy(set) => self.set_policy(digest, set),
            ActKind::PublishRates(publish) => self.publish(digest, publish, time),
            ActKind::RaiseEpoch(raise) => {
                let only = raise.factors;
                self.factors
                    .retain(|_, f| only.is_some_and(|only| only != f.kind));
            }
            ActKind::Suspend(suspend) => {
                let (scope, entry, stated) = (suspend.scope, index, None);
                let stop = Stop {
                    scope,
                    entry,
                    stated,
                };
                self.stops.insert(digest, stop);
            }
            ActKind::Lift(lift) => self.lift(lift.target),
            ActKind::GrantRole(grant) => {
                self.roles
                    .entry(grant.principal)
                    .or_default()
                    .insert(grant.role);
                if grant.factor.is_some() {
                    self.newcomers.insert(grant.principal, (index, DELAY));
                }
            }
            ActKind::RevokeRole(revoke) => {
                if let Some(roles) = self.roles.get_mut(&revoke.principal) {
                    roles.remove(&revoke.role);
                }
            }
            ActKind::SetLimits(set) => {
                self.limits = set.limits.clone();
            }
            _ => {}
        }
    }

    /// What an act brings that waits for its delay, and who is to hear of it.
    fn note_new(&mut self, digest: Digest, act: &Act, index: u64, time: Time) {
        match &act.kind {
            ActKind::AddAddress(add) => {
                self.check_blocked(digest, add.address);
                if let Some(account) = act.account {
                    self.check_takes_address(digest, account, time);
                }
            }
            ActKind::OpenAccount(_)
            | ActKind::EnrolFactor(_)
            | ActKind::Recover(_)
            | ActKind::RecoverAdministrators(_)
            | ActKind::Rotate(_) => {}
            ActKind::GrantRole(grant) if grant.factor.is_some() => {}
            _ => return,
        }
        self.delays.begin(index, digest, act);
        self.note_due(index, act);
    }

    /// An act that takes away what releases rest on.
    fn note_taken_back(&mut self, act: &Act, entry: u64) {
        let account = act.account;
        match &act.kind {
            ActKind::Freeze => {
                self.take_back(entry, |_, payment| account == Some(payment.account));
            }
            ActKind::RevokeFactor(revoke) => {
                let gone = revoke.factor;
                self.take_back(entry, |_, p| {
                    p.proof.is_some_and(|proof| proof.factor == gone)
                });
            }
            ActKind::CancelAddress(cancel) => {
                let gone = cancel.address.evm();
                self.take_back(entry, |_, p| {
                    account == Some(p.account) && Some(p.to) == gone
                });
            }
            ActKind::RaiseEpoch(raise) if raise.realm == Realm::Customers => {
                let is_hit = |kind| raise.factors.is_none_or(|only| only == kind);
                self.take_back(entry, |model, p| is_hit(model.kind_behind(p)));
            }
            _ => {}
        }
    }

    fn lift(&mut self, target: LiftTarget) {
        match target {
            LiftTarget::Suspension { by } => {
                self.stops.remove(&by);
            }
            LiftTarget::SuspensionsUpTo { entry } => {
                self.stops.retain(|_, stop| stop.entry > entry);
            }
            LiftTarget::Latch { keeper, latch } => {
                self.cleared.insert((keeper, latch));
                if keeper == World::KEEPER {
                    self.truth.facts().shut.remove(&latch);
                }
            }
        }
    }

    fn enrol(
        &mut self,
        account: Option<AccountId>,
        factor: &NewFactor,
        (entry, since): (u64, Time),
    ) {
        let (kind, delay) = (factor.kind(), DELAY);
        let factor_of = Factor {
            since,
            entry,
            kind,
            account,
            delay,
        };
        self.factors.insert(factor.id(), factor_of);
    }
}

/// The roles of staff that may do this, alone or with a quorum.
fn may(kind: &ActKind) -> &'static [Role] {
    use Role::{Administrator, Approver, BackEnd, Keeper, Operator, Support};
    match kind {
        ActKind::OpenAccount(_) | ActKind::EnrolFactor(_) | ActKind::PublishRates(_) => &[BackEnd],
        ActKind::Freeze | ActKind::Cancel(_) | ActKind::CancelAddress(_) => {
            &[BackEnd, Support, Operator, Administrator]
        }
        ActKind::Resume(_) | ActKind::Void(_) | ActKind::RaiseEpoch(_) => {
            &[Operator, Administrator]
        }
        ActKind::Suspend(_) => &[Operator, Administrator, Keeper],
        // Support only behind a recovery, where it is counted.
        ActKind::Approve(_) => &[Approver, Administrator, Support],
        ActKind::Recover(_) => &[BackEnd, Support],
        ActKind::RecoverAdministrators(_) => &[BackEnd, Support, Operator, Approver, Administrator],
        ActKind::Lift(_)
        | ActKind::SetLimits(_)
        | ActKind::SetPolicy(_)
        | ActKind::SetLabels(_)
        | ActKind::GrantRole(_)
        | ActKind::RevokeRole(_)
        | ActKind::RevokeFactor(_)
        | ActKind::Unfreeze
        | ActKind::Veto(_)
        | ActKind::Rotate(_)
        | ActKind::ChangeContact(_) => &[Administrator],
        ActKind::Withdraw(_)
        | ActKind::AddAddress(_)
        | ActKind::AddPrincipal(_)
        | ActKind::RemovePrincipal(_)
        | ActKind::SetAccountQuorum(_) => &[],
    }
}
