//! What staff does: stops and starts things, and approves.

use super::People;
use crate::setting::{self, APPROVERS, BOARDS, HOUR_LIMIT};
use portcullis_client::RequestSigner;
use portcullis_core::act::{
    ActKind, Approve, Cancel, GrantRole, Lift, LiftTarget, RaiseEpoch, Resume, RevokeFactor,
    RevokeRole, Scope, SetLimits, Suspend, Void,
};
use portcullis_core::evidence::Evidence;
use portcullis_core::factor::{FactorKind, NewFactor};
use portcullis_core::id::{AccountId, KeeperId, PrincipalId};
use portcullis_core::realm::{Realm, Role};
use portcullis_core::state::account::Owner;
use portcullis_core::state::release::{Stage, Withheld};
use portcullis_core::{Digest, State};
use portcullis_keeper::testkit::World;
use portcullis_keys::StatementKey as _;
use std::sync::Arc;

/// People who may get a role in a run.
pub(super) fn candidates() -> impl Iterator<Item = PrincipalId> {
    (0x06..0x0a_u8).map(|byte| PrincipalId(portcullis_keeper::testkit::id(byte)))
}

pub(super) fn signer(who: PrincipalId) -> RequestSigner {
    RequestSigner::new(Arc::new(World::key(&who.0)))
}

impl People {
    /// An act of a member of staff, under its own request's signature.
    pub(super) fn order(&mut self, state: &State, who: PrincipalId, kind: ActKind) -> bool {
        let act = self.draft(state).by_staff(who, None, kind);
        self.send(who, &act, &Evidence::default())
    }

    /// One of the first administrators; of those that there are by now, where others may take their place.
    pub(super) fn administrator(&mut self, state: &State) -> Option<PrincipalId> {
        if self.common.is_whole {
            self.any_of(state, Role::Administrator)
        } else {
            Some(World::administrator(self.dice.index(3)))
        }
    }

    pub(super) fn scope(&mut self) -> Scope {
        let customer = self.any_customer();
        match self.dice.below(5) {
            0 => Scope::Everything,
            1 => Scope::Withdrawals,
            2 => Scope::Asset(World::ETHER),
            3 => Scope::Realm(Realm::Customers),
            _ => Scope::Account(self.customers[customer].account),
        }
    }

    pub(super) fn suspend(&mut self, state: &State) -> bool {
        let scope = self.scope();
        let kind = ActKind::Suspend(Suspend { scope });
        self.order(state, World::OPERATOR, kind)
    }

    /// A suspension mostly; or a freeze, or what takes back what has been released.
    fn any_stop(&mut self, state: &State) -> (Option<AccountId>, ActKind) {
        let releases = state.facts().releases.iter();
        let paying: Vec<(Digest, AccountId)> = releases
            .filter(|(_, release)| release.voided_by.is_none())
            .map(|(digest, release)| (*digest, release.account))
            .collect();
        let released = self.dice.pick(&paying).copied();
        match (self.dice.below(4), released) {
            (0, Some((_, account))) => (Some(account), ActKind::Freeze),
            (1, Some((act, _))) => (None, ActKind::Cancel(Cancel { act })),
            _ => {
                let scope = self.scope();
                (None, ActKind::Suspend(Suspend { scope }))
            }
        }
    }

    /// The same past a gate that does not take it: to every stop board.
    pub(super) fn post_stop(&mut self, state: &State) -> bool {
        let (account, kind) = self.any_stop(state);
        let act = self.draft(state).by_staff(World::OPERATOR, account, kind);
        let now = self.common.time.now();
        self.truth.signs(World::OPERATOR, &act, now);
        let signer = self.signers[&World::OPERATOR].clone();
        let network = self.common.world.network.clone();
        let mut taken = false;
        for number in 0..BOARDS {
            let posted = self.boards[number].post(&network, &signer, &act);
            if posted.is_ok() && number != setting::LIAR {
                let now = self.common.time.now();
                self.truth.facts().posted.entry(act.digest()).or_insert(now);
                self.posted = Some(act.id);
            }
            taken |= posted.is_ok();
        }
        let word = if taken { "posted" } else { "not posted" };
        let kind = format!("stop {word}");
        self.common.chronicle.note(&kind, act.digest());
        taken
    }

    /// A quorum begins to end a suspension.
    pub(super) fn lift(&mut self, state: &State) -> bool {
        let suspensions: Vec<Digest> = state.facts().suspensions.keys().copied().collect();
        let Some(by) = self.dice.pick(&suspensions).copied() else {
            return false;
        };
        let target = LiftTarget::Suspension { by };
        self.propose_lift(state, target)
    }

    fn propose_lift(&mut self, state: &State, target: LiftTarget) -> bool {
        let is_proposed = state
            .facts()
            .held
            .values()
            .any(|held| matches!(&held.act.kind, ActKind::Lift(lift) if lift.target == target));
        if is_proposed {
            return false;
        }
        let Some(who) = self.administrator(state) else {
            return false;
        };
        self.order(state, who, ActKind::Lift(Lift { target }))
    }

    /// The same for the signer's latch, read off the signer's own alarm.
    pub(super) fn lift_latch(&mut self, state: &State) -> bool {
        let journaled = state.facts().latches.keys().copied();
        let by_hand = self.truth.facts().shut.keys().copied().collect::<Vec<_>>();
        let by_hand = by_hand.into_iter().map(|latch| (World::KEEPER, latch));
        let cleared = &state.facts().cleared_latches;
        let open = journaled.chain(by_hand);
        let open = open.filter(|of| !cleared.contains(of));
        let open: Vec<(KeeperId, Digest)> = open.collect();
        let Some((keeper, latch)) = self.dice.pick(&open).copied() else {
            return false;
        };
        self.propose_lift(state, LiftTarget::Latch { keeper, latch })
    }

    /// Somebody stands behind what waits for it.
    pub(super) fn approve(&mut self, state: &State) -> bool {
        let takes_none = |kind: &ActKind| {
            matches!(
                kind,
                ActKind::Recover(_) | ActKind::RecoverAdministrators(_) | ActKind::ChangeContact(_)
            )
        };
        let held: Vec<(Digest, bool)> = state
            .facts()
            .held
            .iter()
            .filter(|(_, held)| !takes_none(&held.act.kind))
            .map(|(d, held)| (*d, matches!(held.act.kind, ActKind::Withdraw(_))))
            .collect();
        let Some((act, is_withdrawal)) = self.dice.pick(&held).copied() else {
            return false;
        };
        let role = if is_withdrawal {
            Role::Approver
        } else {
            Role::Administrator
        };
        let Some(who) = self.any_of(state, role) else {
            return false;
        };
        let held = state.facts().held.get(&act);
        if held.is_none_or(|held| held.act.principal == who || held.approvals.contains_key(&who)) {
            return false;
        }
        self.order(state, who, ActKind::Approve(Approve { act }))
    }

    /// Somebody with this role and a factor left.
    pub(super) fn any_of(&mut self, state: &State, role: Role) -> Option<PrincipalId> {
        let facts = state.facts();
        let heirs = setting::heirs().filter(|_| self.common.is_whole);
        let staff = APPROVERS
            .into_iter()
            .chain((0..3).map(World::administrator));
        let able = staff.chain(candidates()).chain(heirs).filter(|principal| {
            let owner = Owner::Member {
                principal: *principal,
            };
            let member = facts.member(*principal);
            member.is_some_and(|member| member.has(role)) && facts.has_factor_left(owner)
        });
        let able: Vec<PrincipalId> = able.collect();
        self.dice.pick(&able).copied()
    }

    /// The operator gives up what cannot be completed.
    pub(super) fn cancel_any(&mut self, state: &State) -> bool {
        let facts = state.facts();
        let held = facts.held.iter();
        let held = held
            .filter(|(_, held)| held.act.account.is_some())
            .map(|(d, _)| *d);
        let unsigned = facts.unsigned.iter().copied();
        let open: Vec<Digest> = held.chain(unsigned).collect();
        let Some(act) = self.dice.pick(&open).copied() else {
            return false;
        };
        self.order(state, World::OPERATOR, ActKind::Cancel(Cancel { act }))
    }

    pub(super) fn withheld(
        &mut self,
        state: &State,
        which: impl Fn(Withheld) -> bool,
    ) -> Option<Digest> {
        let releases = state.facts().releases.iter();
        let withheld = releases
            .filter(|(_, release)| matches!(release.stage, Stage::Withheld(why) if which(why)));
        let withheld: Vec<Digest> = withheld.map(|(digest, _)| *digest).collect();
        self.dice.pick(&withheld).copied()
    }

    pub(super) fn resume(&mut self, state: &State) -> bool {
        let Some(release) = self.withheld(state, |why| why != Withheld::Cancelled) else {
            return false;
        };
        self.order(state, World::OPERATOR, ActKind::Resume(Resume { release }))
    }

    pub(super) fn void(&mut self, state: &State) -> bool {
        let cancelled = self.withheld(state, |why| why == Withheld::Cancelled);
        let any = cancelled.or_else(|| self.withheld(state, |_| true));
        let Some(release) = any else { return false };
        self.order(state, World::OPERATOR, ActKind::Void(Void { release }))
    }

    pub(super) fn raise_epoch(&mut self, state: &State) -> bool {
        let factors = self.dice.chance(500).then_some(FactorKind::Passkey);
        let realm = Realm::Customers;
        let kind = ActKind::RaiseEpoch(RaiseEpoch { realm, factors });
        self.order(state, World::OPERATOR, kind)
    }

    pub(super) fn set_limits(&mut self, state: &State) -> bool {
        let more = u128::from(self.dice.below(8)) * 20_000_000_000;
        let set = SetLimits {
            replaces: state.facts().limits.digest(),
            limits: self.common.limits(HOUR_LIMIT - 40_000_000_000 + more),
        };
        let Some(who) = self.administrator(state) else {
            return false;
        };
        self.order(state, who, ActKind::SetLimits(set))
    }

    pub(super) fn unfreeze_by_quorum(&mut self, state: &State) -> bool {
        let frozen = self.frozen(state);
        let Some(customer) = self.dice.pick(&frozen).copied() else {
            return false;
        };
        let account = self.customers[customer].account;
        let Some(who) = self.administrator(state) else {
            return false;
        };
        let act = self
            .draft(state)
            .by_staff(who, Some(account), ActKind::Unfreeze);
        self.send(who, &act, &Evidence::default())
    }

    pub(super) fn grant_role(&mut self, state: &State) -> bool {
        let candidates: Vec<PrincipalId> = candidates().collect();
        let Some(principal) = self.dice.pick(&candidates).copied() else {
            return false;
        };
        let is_new = state.facts().member(principal).is_none();
        let key = World::key(&principal.0).public_key().clone();
        let grant = GrantRole {
            principal,
            role: *self
                .dice
                .pick(&[Role::Administrator, Role::Support, Role::Approver])
                .unwrap_or(&Role::Support),
            factor: is_new.then_some(NewFactor::RequestKey { key }),
        };
        let Some(who) = self.administrator(state) else {
            return false;
        };
        self.order(state, who, ActKind::GrantRole(grant))
    }

    /// Who is to lose a role: rather somebody who has just approved what waits still.
    fn leaves(&mut self, state: &State) -> Option<(PrincipalId, Role)> {
        let facts = state.facts();
        let members = candidates().filter_map(|who| {
            let role = facts.member(who)?.roles.first().copied()?;
            Some((who, role))
        });
        let members: Vec<_> = members.collect();
        let has_approved = |who: &PrincipalId| {
            let mut held = facts.held.values();
            held.any(|held| held.approvals.contains_key(who))
        };
        let approved = members.iter().filter(|(who, _)| has_approved(who));
        let approved: Vec<_> = approved.copied().collect();
        let rather = if approved.is_empty() {
            &members
        } else {
            &approved
        };
        self.dice.pick(rather).copied()
    }

    /// A member of staff has lost its key: an administrator revokes it; of its own, every administrator.
    pub(super) fn revoke_staff_factor(&mut self, state: &State) -> bool {
        let Some((principal, role)) = self.leaves(state) else {
            return false;
        };
        let owner = Owner::Member { principal };
        let factor = state.facts().factors(owner).first().map(|known| known.id);
        let Some(factor) = factor else { return false };
        let who = if role == Role::Administrator {
            Some(principal)
        } else {
            self.administrator(state)
        };
        let Some(who) = who else { return false };
        let kind = ActKind::RevokeFactor(RevokeFactor { principal, factor });
        self.order(state, who, kind)
    }

    pub(super) fn revoke_role(&mut self, state: &State) -> bool {
        let Some((principal, role)) = self.leaves(state) else {
            return false;
        };
        let Some(who) = self.administrator(state) else {
            return false;
        };
        self.order(
            state,
            who,
            ActKind::RevokeRole(RevokeRole { principal, role }),
        )
    }
}
