//! Withdrawals: what must be so for money to go out.

use super::authenticate::Actor;
use super::batch::{Ahead, NOBODY};
use super::payment::{self, Payment};
use super::{Case, Verdict, account_of, joint};
use crate::act::{Act, ActKind, Withdraw};
use crate::decision::Need;
use crate::digest::Digest;
use crate::evidence::Finding;
use crate::factor::FactorKind;
use crate::id::{AccountId, LedgerEntryId};
use crate::labels::Sight;
use crate::limits::{Bounds, Limit};
use crate::realm::{Realm, Role};
use crate::reason::Reason;
use crate::state::account::{Account, Proof};
use crate::state::joint::{Quorum, Together};
use crate::state::release::Held;
use crate::state::said::Said;
use crate::state::{Reach, State};
use crate::time::Time;
use crate::window::{Outflow, Rings, Window};
use portcullis_chains::Amount;
use std::borrow::Cow;

use super::claims::Claims;
use super::clock::Clock;

/// A withdrawal and what is known for it, at submission or later.
struct Wanted<'a> {
    state: &'a State,
    id: AccountId,
    account: &'a Account,
    withdraw: &'a Withdraw,
    time: Time,
    /// Whether its proof still counts, and suffices.
    proven: bool,
    /// Whether a TOTP code is all that proves it, and has been judged.
    code: ByCode,
    debit: Option<LedgerEntryId>,
    /// What vendors have said of it.
    said: Said,
    approvals: u32,
    /// Whether its own entry is cosigned, for one that was held: only then is it known to have been
    /// submitted before it expired (docs/design/016).
    cosigned: bool,
    /// Who stands behind it besides whoever asked, where the account has a quorum of its own.
    beside: Together,
    /// What the label sets in force say of the payee.
    sight: Sight,
    /// The newest approval that counts, by the entry that brought it.
    newest_approval: Option<u64>,
    /// Since when it waits, once it does.
    since: Option<Time>,
    /// What is paid before it by the same plan.
    ahead: &'a Ahead,
}

/// Whether a TOTP code is all that proves a withdrawal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ByCode {
    /// Something else does.
    No,
    /// One that the herald has not judged.
    Unjudged,
    /// One that it has found right.
    Right,
}

impl ByCode {
    fn of(proof: &Proof, waits: bool) -> Self {
        match (proof.kind, waits) {
            (FactorKind::Totp, true) => Self::Unjudged,
            (FactorKind::Totp, false) => Self::Right,
            _ => Self::No,
        }
    }
}

pub(super) fn judge(
    case: &Case<'_>,
    withdraw: &Withdraw,
    claims: &Claims,
    actor: &Actor,
) -> Result<Verdict, Reason> {
    let proof = actor.proof;
    let id = account_of(case.act)?;
    let account = case.state.facts.account(id).ok_or(Reason::UnknownAccount)?;
    if account.frozen.is_some() {
        return Err(Reason::AccountFrozen);
    }
    let wanted = Wanted {
        debit: claims.debit,
        said: claims.said,
        code: ByCode::of(&proof, true),
        beside: actor.beside.clone(),
        ..Wanted::submitted(case.state, (id, account), withdraw, case.time)
    };
    wanted.check()?;
    wanted.check_code()?;
    if let Some(window) = wanted.window_exceeded() {
        return Err(over(window));
    }
    if wanted.is_platform_full() {
        return Err(Reason::OverPlatformLimit);
    }
    wanted.verdict(case.digest, case.act, proof)
}

/// Decide a held withdrawal again. A full window makes it wait where at submission it refuses.
pub(super) fn settle(
    state: &State,
    (digest, held): (Digest, &Held),
    withdraw: &Withdraw,
    clock: Clock,
    ahead: &Ahead,
) -> Result<Verdict, Reason> {
    let id = account_of(&held.act)?;
    let account = state.facts.account(id).ok_or(Reason::UnknownAccount)?;
    // Whoever asked may have left the account.
    account
        .holder(held.act.principal)
        .ok_or(Reason::UnknownPrincipal)?;
    let wanted = Wanted {
        proven: state.facts.stands(&held.proof),
        code: ByCode::of(&held.proof, state.facts.codes.open(digest).is_some()),
        debit: held.debit,
        said: held.said.unwrap_or_default(),
        approvals: approvers(state, held),
        newest_approval: approving(state, held).map(|proof| proof.entry).max(),
        cosigned: clock.has_run(held),
        beside: joint::beside(state, held),
        since: Some(held.time),
        ahead,
        ..Wanted::submitted(state, (id, account), withdraw, clock.time)
    };
    wanted.check()?;
    // What a code does not suffice for any more, a passkey still may.
    let proven = wanted.proven && wanted.check_code().is_ok();
    let wanted = Wanted { proven, ..wanted };
    wanted.verdict(digest, &held.act, held.proof)
}

/// How many members approved, may still approve, and by factors that still count.
pub(super) fn approvers(state: &State, held: &Held) -> u32 {
    u32::try_from(approving(state, held).count()).unwrap_or(u32::MAX)
}

fn approving<'a>(state: &State, held: &'a Held) -> impl Iterator<Item = &'a Proof> {
    let able = held.approvals.iter().filter(|(who, proof)| {
        let member = state.facts.member(**who);
        let may = member.is_some_and(|m| m.has(Role::Approver) || m.has(Role::Administrator));
        may && state.facts.stands(proof)
    });
    able.map(|(_, proof)| proof)
}

impl<'a> Wanted<'a> {
    /// As it comes in, proven and with nothing else yet.
    fn submitted(
        state: &'a State,
        (id, account): (AccountId, &'a Account),
        withdraw: &'a Withdraw,
        time: Time,
    ) -> Self {
        Self {
            state,
            id,
            account,
            withdraw,
            time,
            proven: true,
            code: ByCode::No,
            debit: None,
            said: Said::default(),
            approvals: 0,
            cosigned: true,
            beside: Together::default(),
            sight: state.sight(&withdraw.to),
            newest_approval: None,
            since: None,
            ahead: &NOBODY,
        }
    }

    /// What no waiting can mend.
    fn check(&self) -> Result<(), Reason> {
        let withdraw = self.withdraw;
        self.account
            .address(withdraw.to)
            .ok_or(Reason::AddressUnknown)?;
        let wallet = self.state.wallet_for(withdraw.asset);
        let wallet = wallet.ok_or(Reason::AssetUnknown)?;
        // Closed: an asset that no rule bounds for accounts cannot leave.
        self.rule(Bounds::Account).ok_or(Reason::AssetUnknown)?;
        if withdraw.to.chain() != withdraw.asset.chain() {
            return Err(Reason::WrongChain);
        }
        if withdraw.amount.is_zero() {
            return Err(Reason::AmountZero);
        }
        if wallet.bitcoin.is_some() && payment::spend::payment(withdraw).is_none() {
            return Err(Reason::AmountUnpayable);
        }
        if self.sight.refuses {
            return Err(Reason::LabelRefuses);
        }
        if let Some(reason) = self.said.bars() {
            return Err(reason);
        }
        let bounds = [Bounds::Account, Bounds::Asset, Bounds::Wallet];
        let largest = bounds
            .into_iter()
            .filter_map(|b| self.rule(b)?.per_transaction)
            .min();
        if largest.is_some_and(|largest| withdraw.amount > largest) {
            return Err(Reason::OverTransactionLimit);
        }
        Ok(())
    }

    /// A TOTP code alone sends little, and only to an address that has stood in the book for seven delay
    /// floors: whoever has tricked somebody out of codes for days would have been told of. What takes several
    /// principals it sends not at all.
    fn check_code(&self) -> Result<(), Reason> {
        if self.code == ByCode::No {
            return Ok(());
        }
        if self.account.quorum > Quorum::ONE {
            return Err(Reason::CodeTooWeak);
        }
        let rule = self.rule(Bounds::Code).ok_or(Reason::OverCodeLimit)?;
        let most = rule.per_transaction;
        let is_over = most.is_some_and(|most| self.withdraw.amount > most);
        if is_over || self.exceeded(Bounds::Code).is_some() {
            return Err(Reason::OverCodeLimit);
        }
        if self.is_old_enough_for_a_code() {
            Ok(())
        } else {
            Err(Reason::AddressTooYoung)
        }
    }

    /// The book says when an address began to count; it was added the account's delay before.
    fn is_old_enough_for_a_code(&self) -> bool {
        let entry = self.account.address(self.withdraw.to);
        let counts_from = entry.and_then(|entry| entry.available.time());
        counts_from.is_some_and(|from| {
            let added = from.before(self.account.delay);
            added.after(self.state.address_age_for_codes()) <= self.time
        })
    }

    /// The rule for the asset, lowered where the account was recovered a short while ago.
    fn rule(&self, bounds: Bounds) -> Option<Cow<'_, Limit>> {
        let rule = self.state.facts.limits.rule(self.withdraw.asset, bounds)?;
        let lowered = self.state.lowered(self.id, self.time);
        let lowered = lowered.filter(|_| matches!(bounds, Bounds::Account | Bounds::Code));
        Some(lowered.map_or(Cow::Borrowed(rule), |by| Cow::Owned(rule.lowered(by))))
    }

    /// Pay where nothing is missing; otherwise everything that is.
    fn verdict(&self, digest: Digest, act: &Act, proof: Proof) -> Result<Verdict, Reason> {
        let needs = self.needs();
        if let (true, Some(due)) = (needs.is_empty(), self.gathers_until()) {
            return Ok(Verdict::Wait(vec![Need::Batch], Some(due)));
        }
        if needs.is_empty() {
            let payment = Payment::release(self.state, (digest, act), self.id, proof, self.time);
            let beside = self.beside.clone().first(self.account.quorum.beside());
            let payment = payment.map(|payment| payment.worth(self.worth()).jointly(&beside));
            return Ok(Verdict::Pay(Box::new(payment.ok_or(Reason::AssetUnknown)?)));
        }
        let available = self
            .account
            .address(self.withdraw.to)
            .and_then(|a| a.available.time());
        let until = available.filter(|time| *time > self.time);
        Ok(Verdict::Wait(needs, until))
    }

    /// Until when it waits for others that its wallet pays with it. At submission there is no batch yet to be in, even
    /// where none is waited for; who follows another into one waits no longer.
    fn gathers_until(&self) -> Option<Time> {
        let wallet = self.state.wallet_for(self.withdraw.asset)?;
        let gathers = wallet.bitcoin.as_ref()?.batch;
        let due = self.since.unwrap_or(self.time).after(gathers);
        let is_over = self.since.is_some() && (due <= self.time || self.ahead.leads());
        (!is_over).then_some(due)
    }

    fn needs(&self) -> Vec<Need> {
        let aged = self.account.address(self.withdraw.to);
        let aged = aged.is_some_and(|entry| entry.available.is_at(self.time));
        let missing = self.approvals_needed().saturating_sub(self.approvals);
        let reach = Reach::of_withdrawal(self.id, self.withdraw);
        let open = [
            (!self.proven).then_some(Need::Assertion),
            self.debit.is_none().then_some(Need::Debit),
            (missing > 0).then_some(Need::Approvals { missing }),
            (!aged || !self.cosigned).then_some(Need::Delay),
            self.state.facts.is_suspended(reach).then_some(Need::Lift),
            self.account.frozen.map(|_| Need::Unfreeze),
            (self.window_exceeded().is_some() || self.is_platform_full()).then_some(Need::Room),
            (self.code == ByCode::Unjudged).then_some(Need::Totp),
            joint::need(self.principals_missing()),
            self.is_to_be_looked_at().then_some(Need::Label),
        ];
        open.into_iter().flatten().collect()
    }

    /// A list holds the payee, and nobody has looked: neither a member who approved since the list is in
    /// force, nor a vendor whose screening passes it.
    fn is_to_be_looked_at(&self) -> bool {
        let Some(since) = self.sight.holds_since else {
            return false;
        };
        let screened = self.said.screened(self.time);
        let passes = screened.is_some_and(|screened| screened.finding == Finding::Pass);
        let is_approved = self.newest_approval.is_some_and(|entry| entry > since);
        !passes && !is_approved
    }

    fn principals_missing(&self) -> u32 {
        let needed = self.account.quorum.beside();
        needed.saturating_sub(self.beside.count())
    }

    fn approvals_needed(&self) -> u32 {
        let of_code = (self.code != ByCode::No).then_some(Bounds::Code);
        let bounds = [Bounds::Account, Bounds::Asset, Bounds::Wallet];
        let bounds = bounds.into_iter().chain(of_code);
        let rules = bounds.filter_map(|b| self.rule(b)?.approval);
        let counts = rules
            .filter(|rule| self.withdraw.amount > rule.above)
            .map(|rule| rule.count);
        counts.max().unwrap_or(0)
    }

    fn window_exceeded(&self) -> Option<Window> {
        let bounds = [Bounds::Account, Bounds::Asset, Bounds::Wallet];
        bounds.into_iter().find_map(|bounds| self.exceeded(bounds))
    }

    fn exceeded(&self, bounds: Bounds) -> Option<Window> {
        let asset = self.withdraw.asset;
        let amount = self.ahead.with(self.withdraw, self.id, bounds);
        match bounds {
            Bounds::Account | Bounds::Code => {
                self.full(bounds, self.account.outflow.get(&asset.into()), amount)
            }
            Bounds::Asset => self.full(bounds, self.state.facts.outflow.get(&asset), amount),
            Bounds::Wallet => {
                let wallet = self.state.wallet_for(asset).map(|wallet| wallet.id);
                let wallet = wallet.and_then(|id| self.state.facts.wallets.get(&id));
                self.full(bounds, wallet.and_then(|w| w.outflow.get(&asset)), amount)
            }
        }
    }

    fn bites(&self, bounds: Bounds) -> impl Iterator<Item = Bite> + use<> {
        let (rule, amount) = (self.rule(bounds), self.withdraw.amount);
        let most = rule.as_ref().and_then(|rule| rule.per_transaction);
        let above = rule.and_then(|rule| rule.approval);
        let numbers = [
            most.filter(|most| amount > *most)
                .map(|_| Bitten::PerTransaction),
            self.exceeded(bounds).map(Bitten::Window),
            above
                .filter(|approval| amount > approval.above)
                .map(|approval| Bitten::Approval(approval.count)),
        ];
        let numbers = numbers.into_iter().flatten();
        numbers.map(move |number| Bite { bounds, number })
    }

    /// What it counts for; nothing where there is no rate, or an old one: base units count always.
    fn worth(&self) -> Option<Amount> {
        let Withdraw { asset, amount, .. } = *self.withdraw;
        self.state.facts.worth(asset, amount, self.time)
    }

    fn is_platform_full(&self) -> bool {
        let facts = &self.state.facts;
        let (Some(rules), Some(worth)) = (&facts.policy().rates, self.worth()) else {
            return false;
        };
        let worth = self.ahead.with_worth(worth);
        let limit = rules.platform_limit(self.withdraw.asset);
        let exceeded = match &facts.fiat {
            Some(outflow) => outflow.first_exceeded(&limit, worth, self.time),
            None => Rings::default().first_exceeded(&limit, worth, self.time),
        };
        exceeded.is_some()
    }

    fn full<O: Outflow + Default>(
        &self,
        bounds: Bounds,
        outflow: Option<&O>,
        amount: Amount,
    ) -> Option<Window> {
        let rule = self.rule(bounds)?;
        match outflow {
            Some(outflow) => outflow.first_exceeded(&rule, amount, self.time),
            None => O::default().first_exceeded(&rule, amount, self.time),
        }
    }
}

/// A limit that stands in a withdrawal's way, or asks for approvals of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bite {
    /// The rule of the withdrawal's asset: whose outflow it bounds.
    pub bounds: Bounds,
    /// Which of its numbers.
    pub number: Bitten,
}

/// A number of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bitten {
    /// The largest single release.
    PerTransaction,
    /// A window.
    Window(Window),
    /// Above it so many approve.
    Approval(u32),
}

/// Every limit in base units that bites an act at a time: what reasons 600 to 603 and the limits'
/// approvals come from. None for what is no withdrawal.
#[must_use]
pub fn bites(state: &State, act: &Act, time: Time) -> Vec<Bite> {
    let ActKind::Withdraw(withdraw) = &act.kind else {
        return Vec::new();
    };
    let found = act
        .account
        .and_then(|id| Some((id, state.facts.account(id)?)));
    let Some(found) = found else {
        return Vec::new();
    };
    let wanted = Wanted::submitted(state, found, withdraw, time);
    let bounds = [Bounds::Account, Bounds::Asset, Bounds::Wallet];
    bounds.into_iter().flat_map(|b| wanted.bites(b)).collect()
}

fn over(window: Window) -> Reason {
    match window {
        Window::Hour => Reason::OverHourLimit,
        Window::Day => Reason::OverDayLimit,
        Window::Week => Reason::OverWeekLimit,
    }
}

/// What still bars a withheld release from going out again.
pub(super) fn still_barred(
    state: &State,
    account: AccountId,
    withdraw: &Withdraw,
    proof: &Proof,
    time: Time,
) -> Result<(), Reason> {
    let known = state.facts.account(account).ok_or(Reason::UnknownAccount)?;
    if state
        .facts
        .is_suspended(Reach::of_withdrawal(account, withdraw))
    {
        return Err(Reason::Suspended);
    }
    if known.frozen.is_some() {
        return Err(Reason::AccountFrozen);
    }
    if !state.facts.stands(proof) {
        return Err(Reason::FactorRevoked);
    }
    let entry = known.address(withdraw.to).ok_or(Reason::AddressUnknown)?;
    if !entry.available.is_at(time) {
        return Err(Reason::AddressUnknown);
    }
    if state.sight(&withdraw.to).refuses {
        return Err(Reason::LabelRefuses);
    }
    debug_assert_eq!(proof.owner.realm(), Realm::Customers);
    Ok(())
}
