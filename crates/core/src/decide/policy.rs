//! How policy joins a decision: after everything that core itself checks, and only to take away.

use super::authenticate::Actor;
use super::batch::{Ahead, NOBODY};
use super::claims::Claims;
use super::company::{self, Seen};
use super::permit::Permission;
use super::{Case, Verdict, approval, withdraw};
use crate::act::{Act, ActKind};
use crate::decision::Need;
use crate::digest::Digest;
use crate::effect::Effect;
use crate::evidence::Finding;
use crate::id::AccountId;
use crate::limits::Bounds;
use crate::policy::{
    Asked, Attested, Facts, Labelled, Money, Shares, Verdict as Says, Wanted, whole_hours,
};
use crate::reason::Reason;
use crate::state::State;
use crate::state::account::Proof;
use crate::state::release::Held;
use crate::time::Time;
use crate::window::Outflow;
use core::mem::discriminant;
use portcullis_chains::caip::Address;

/// An act that the policy is asked about, as it is submitted or once it has waited.
pub(super) struct Asking<'a> {
    state: &'a State,
    act: &'a Act,
    proof: Proof,
    approvals: u32,
    attested: Attested,
    /// What a withdrawal looks like beside the others.
    seen: Option<Seen>,
    time: Time,
    /// Whether the act can wait for what the policy wants.
    may_wait: bool,
    /// What is paid before it by the same plan.
    ahead: &'a Ahead,
}

impl<'a> Asking<'a> {
    pub(super) fn submitted(
        case: &Case<'a>,
        actor: &Actor,
        claims: &Claims,
        permission: Permission,
    ) -> Self {
        let is_withdrawal = matches!(case.act.kind, ActKind::Withdraw(_));
        Self {
            state: case.state,
            act: case.act,
            proof: actor.proof,
            approvals: 0,
            attested: Attested {
                debit: claims.debit.is_some(),
                onboarding: claims.onboarding,
                ..Attested::by_vendors(&claims.said, case.time)
            },
            seen: company::look(case.state, case.act, case.time),
            time: case.time,
            may_wait: is_withdrawal || permission == Permission::WithQuorum,
            ahead: &NOBODY,
        }
    }

    pub(super) fn held(state: &'a State, held: &'a Held, time: Time) -> Self {
        let approvals = match held.act.kind {
            ActKind::Withdraw(_) => withdraw::approvers(state, held),
            _ => approval::supporters(state, held),
        };
        let attested = Attested {
            debit: held.debit.is_some(),
            onboarding: false,
            ..Attested::by_vendors(&held.said.unwrap_or_default(), time)
        };
        Self {
            state,
            act: &held.act,
            proof: held.proof,
            approvals,
            attested,
            seen: company::look(state, &held.act, time).map(|seen| seen.since(held)),
            time,
            may_wait: true,
            ahead: &NOBODY,
        }
    }

    /// The change that has a withdrawal count beside the others from now on; none for any other act.
    pub(super) fn counted(&self, act: Digest) -> Option<Effect> {
        let Seen { asked, company } = self.seen?;
        Some(Effect::Asked(act, asked, company))
    }

    /// The same, behind others that the same plan pays.
    pub(super) fn behind(self, ahead: &'a Ahead) -> Self {
        Self { ahead, ..self }
    }

    /// The act as the policy leaves it. What core refused never comes here; what core lets wait may wait
    /// for more; what core lets out may wait after all, or not go at all.
    pub(super) fn restrict(&self, verdict: Verdict) -> (Result<Verdict, Reason>, Option<Asked>) {
        if !is_asked(self.state, self.act) {
            return (Ok(verdict), None);
        }
        let asked = self.ask();
        let left = match &asked.answer.verdict {
            Says::Permit => Ok(verdict),
            Says::Refuse(reason) => Err(*reason),
            Says::Needs(wanted) => self.wait(verdict, wanted, &asked.answer.beside),
        };
        (left, Some(asked))
    }

    /// The same for an act that has waited. While core itself lets it wait, no answer ends it: a fact
    /// that is against it now may have passed by the time that it could go out.
    pub(super) fn restrict_held(
        &self,
        verdict: Verdict,
    ) -> (Result<Verdict, Reason>, Option<Asked>) {
        let Verdict::Wait(needs, until) = verdict else {
            return self.restrict(verdict);
        };
        let again = Verdict::Wait(needs.clone(), until);
        match self.restrict(again) {
            (Err(_), asked) => (Ok(Verdict::Wait(needs, until)), asked),
            answered => answered,
        }
    }

    fn ask(&self) -> Asked {
        let facts = self.facts();
        let answer = self.state.engine.answer(&facts);
        Asked { facts, answer }
    }

    fn wait(
        &self,
        verdict: Verdict,
        wanted: &[Wanted],
        beside: &[Wanted],
    ) -> Result<Verdict, Reason> {
        if !self.may_wait {
            return Err(Reason::Forbidden);
        }
        let more = wanted.iter().filter_map(|wanted| match self.need(*wanted) {
            Some(need) => Some(Ok(need)),
            // What others have done holds, and never refuses.
            None if beside.contains(wanted) => None,
            // A statement that wants what is there already contradicts itself: nothing would ever come.
            None => Some(Err(Reason::Forbidden)),
        });
        let more: Vec<Need> = more.collect::<Result<_, Reason>>()?;
        if more.is_empty() {
            return Ok(verdict);
        }
        Ok(match verdict {
            Verdict::Begin(changes, needs) => Verdict::Begin(changes, together(needs, more)),
            Verdict::Wait(needs, until) => Verdict::Wait(together(needs, more), until),
            Verdict::Accept(_) | Verdict::Pay(_) => Verdict::Wait(together(Vec::new(), more), None),
        })
    }

    fn need(&self, wanted: Wanted) -> Option<Need> {
        match wanted {
            Wanted::Approvals(count) => {
                let missing = count.checked_sub(self.approvals).filter(|left| *left > 0)?;
                match self.act.kind {
                    ActKind::Withdraw(_) => Some(Need::Approvals { missing }),
                    _ => Some(Need::Quorum { missing }),
                }
            }
            Wanted::Debit => (!self.attested.debit).then_some(Need::Debit),
            Wanted::Passkey => {
                let is_one = self.proof.kind == crate::factor::FactorKind::Passkey;
                (!is_one).then_some(Need::Assertion)
            }
            Wanted::Delay => Some(Need::Delay),
            Wanted::Room => Some(Need::Room),
            Wanted::Screening => {
                let passed = self.attested.screening == Some(Finding::Pass);
                (!passed).then_some(Need::Screening)
            }
            Wanted::TravelRule => (!self.attested.travel_rule).then_some(Need::TravelRule),
        }
    }

    fn facts(&self) -> Facts {
        let (facts, act) = (&self.state.facts, self.act);
        let factor = facts.factor(self.proof.owner, self.proof.factor);
        let since = factor.and_then(|factor| factor.available.time());
        let member = facts.member(act.principal);
        Facts {
            act: act.kind.name(),
            realm: act.realm,
            roles: member.map_or(0, |member| Facts::bits(&member.roles)),
            factor: self.proof.kind,
            factor_hours: since.map_or(0, |since| whole_hours(self.time.since(since))),
            imported: factor.is_some_and(|factor| factor.imported.0),
            approvals: self.approvals,
            attested: self.attested,
            lists: self.state.engine.lists_of(act.account, act.kind.address()),
            label: act.kind.address().and_then(|to| self.label(&to)),
            money: self.money(),
            company: self.seen.map(|seen| seen.company),
        }
    }

    fn label(&self, address: &Address) -> Option<Labelled> {
        self.state.sight(address).worst.map(Labelled::from)
    }

    fn money(&self) -> Option<Money> {
        let ActKind::Withdraw(withdraw) = &self.act.kind else {
            return None;
        };
        let facts = &self.state.facts;
        let (asset, amount) = (withdraw.asset, withdraw.amount);
        let account = facts.account(self.act.account?)?;
        let since = account
            .address(withdraw.to)
            .and_then(|entry| entry.available.time());
        Some(Money {
            asset,
            tier: facts.policy().tier(asset, amount),
            address_hours: since.map_or(0, |since| whole_hours(self.time.since(since))),
            account: self.shares(
                Bounds::Account,
                account.outflow.get(&asset.into()),
                withdraw,
            ),
            asset_wide: self.shares(Bounds::Asset, facts.outflow.get(&asset), withdraw),
        })
    }

    fn shares<O: Outflow + Default>(
        &self,
        bounds: Bounds,
        outflow: Option<&O>,
        withdraw: &crate::act::Withdraw,
    ) -> Shares {
        let Some(rule) = self.state.facts.limits.rule(withdraw.asset, bounds) else {
            return Shares::default();
        };
        let account = self.act.account.unwrap_or(AccountId([0; 16]));
        let amount = self.ahead.with(withdraw, account, bounds);
        match outflow {
            Some(outflow) => outflow.shares(rule, amount, self.time),
            None => O::default().shares(rule, amount, self.time),
        }
    }
}

/// Whether the policy has a say. Not where an act only takes away; and not where the policy could bar
/// the way out of itself (its own replacement), of a suspension, or of a release that pays nobody.
fn is_asked(state: &State, act: &Act) -> bool {
    match &act.kind {
        ActKind::Approve(approve) => {
            let held = state.facts.held.get(&approve.act);
            held.is_none_or(|held| has_a_say(&held.act.kind))
        }
        kind => has_a_say(kind),
    }
}

fn has_a_say(kind: &ActKind) -> bool {
    let is_way_out = matches!(
        kind,
        ActKind::Lift(_)
            | ActKind::Void(_)
            | ActKind::SetPolicy(_)
            | ActKind::RecoverAdministrators(_)
    );
    !kind.is_restricting() && !is_way_out
}

/// Both, in order; of two needs for people the larger number.
fn together(mut needs: Vec<Need>, more: Vec<Need>) -> Vec<Need> {
    needs.extend(more);
    needs.sort_unstable_by(|a, b| b.cmp(a));
    needs.dedup_by(|next, kept| discriminant(next) == discriminant(kept));
    needs.reverse();
    needs
}
