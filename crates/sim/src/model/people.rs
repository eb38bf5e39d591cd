//! Who may do what, and who really did.

use super::{Model, Passkey, Stop, Waiting};
use crate::setting::DELAY;
use crate::watch::EARLY;
use portcullis_chains::caip::Address;
use portcullis_core::act::{Act, ActKind, LiftTarget};
use portcullis_core::evidence::Evidence;
use portcullis_core::factor::{NewFactor, factor_id};
use portcullis_core::id::PrincipalId;
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
        let by_keeper = act.principal == PrincipalId(World::KEEPER.0);
        if !by_keeper && !truth.has_signed(act.principal, digest) {
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
                self.check_passkeys(act, evidence, now);
            }
            Realm::Staff => {
                if self.staff_revoked.contains_key(&act.principal) {
                    let what = format!("{} by {}", act.kind.name(), act.principal);
                    self.violated("nobody acts by a revoked factor", what);
                }
                let roles = self.roles.get(&act.principal);
                let may = may(&act.kind);
                if !roles.is_some_and(|roles| roles.iter().any(|role| may.contains(role))) {
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
    fn check_passkeys(&self, act: &Act, evidence: &Evidence, now: Time) {
        let harmless = matches!(
            act.kind,
            ActKind::Freeze | ActKind::Cancel(_) | ActKind::CancelAddress(_)
        );
        for assertion in evidence.assertions.iter().filter(|_| !harmless) {
            let since = self.passkeys.get(&factor_id(&assertion.credential.0));
            // An entry may be dated ahead; whoever signs by it waits (see `watch`).
            let is_early = since.is_none_or(|known| now.after(EARLY) < known.since.after(DELAY));
            if is_early {
                let what = format!("{} by {}", act.kind.name(), act.principal);
                self.violated("a new factor waits", what);
            }
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
            | ActKind::Rotate(_) => true,
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
        if members.len() < 2 {
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
    pub(super) fn carry_out(&mut self, digest: Digest, act: &Act, index: u64, now: Time) {
        let account = act.account;
        self.note_taken_back(act, index);
        match &act.kind {
            ActKind::OpenAccount(open) => self.enrol(&open.factor, index, now),
            ActKind::EnrolFactor(enrol) => self.enrol(&enrol.factor, index, now),
            ActKind::RevokeFactor(revoke) => {
                self.passkeys.remove(&revoke.factor);
                if act.account.is_none() {
                    self.staff_revoked.insert(revoke.principal, index);
                }
            }
            ActKind::RaiseEpoch(_) => self.passkeys.clear(),
            ActKind::AddAddress(add) => {
                if let Some(account) = account {
                    self.book.insert((account, add.address), now);
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

    /// An act that takes away what releases rest on.
    fn note_taken_back(&mut self, act: &Act, entry: u64) {
        let account = act.account;
        match &act.kind {
            ActKind::Freeze => {
                self.take_back(entry, |payment| account == Some(payment.account));
            }
            ActKind::RevokeFactor(revoke) => {
                let gone = revoke.factor;
                self.take_back(entry, |p| p.proof.is_some_and(|proof| proof.factor == gone));
            }
            ActKind::CancelAddress(cancel) => {
                let Address::Evm { address, .. } = cancel.address;
                self.take_back(entry, |p| account == Some(p.account) && p.to == address);
            }
            ActKind::RaiseEpoch(raise) if raise.realm == Realm::Customers => {
                self.take_back(entry, |_| true);
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
            LiftTarget::Latch { latch, .. } => {
                self.cleared.insert(latch);
                self.truth.facts().shut.remove(&latch);
            }
        }
    }

    fn enrol(&mut self, factor: &NewFactor, entry: u64, since: Time) {
        self.passkeys.insert(factor.id(), Passkey { since, entry });
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
        // Support only behind a recovery, which nobody here asks for.
        ActKind::Approve(_) => &[Approver, Administrator],
        ActKind::Recover(_) => &[BackEnd, Support],
        ActKind::RecoverAdministrators(_) => &[BackEnd, Support, Operator, Approver, Administrator],
        ActKind::Lift(_)
        | ActKind::SetLimits(_)
        | ActKind::SetPolicy(_)
        | ActKind::GrantRole(_)
        | ActKind::RevokeRole(_)
        | ActKind::RevokeFactor(_)
        | ActKind::Unfreeze
        | ActKind::Veto(_)
        | ActKind::Rotate(_) => &[Administrator],
        ActKind::Withdraw(_) | ActKind::AddAddress(_) | ActKind::ChangeContact(_) => &[],
    }
}
