//! Decisions: `decide(state, act, evidence, time)`, pure, the same for gate, keeper and auditor.
//!
//! Four steps, each refusing with the lowest reason of its own: [`binding`] (is the act for here and
//! now, and new), [`authenticate`] (who asks, proven how), [`permit`] (may they), and one `judge_*`
//! for each kind of act (does it fit the state of things). Only then are effects made.

mod account;
mod administrators;
mod anew;
mod approval;
mod attested;
pub(crate) mod authenticate;
pub mod batch;
pub(crate) mod binding;
mod claims;
mod clock;
pub mod code;
mod company;
mod contact;
mod control;
mod factor;
pub(crate) mod flight;
pub mod joint;
mod labels;
mod link;
mod log_key;
pub mod payment;
pub mod permit;
mod policy;
mod rates;
pub(crate) mod receipt;
mod recovery;
mod rotate;
pub mod trial;
mod withdraw;

use crate::act::{Act, ActKind, Scope};
use crate::decision::{Decision, Need};
use crate::digest::Digest;
use crate::effect::Effect;
use crate::entry::Supplement;
use crate::evidence::Evidence;
use crate::factor::Available;
use crate::id::AccountId;
use crate::plan::Plan;
use crate::policy::Asked;
use crate::read::ReadAct;
use crate::reason::Reason;
use crate::request::{ReadRequest, RequestFault};
use crate::signature::Verify;
use crate::state::State;
use crate::state::account::{Owner, Proof};
use crate::state::release::{Held, Release, Stage, Withheld};
use crate::time::{Span, Time};
use authenticate::Actor;
use claims::Claims;
use clock::Clock;
pub use payment::{Payment, PlanFault};
use permit::Permission;
pub use withdraw::{Bite, Bitten, bites};

/// An act with everything that decisions look at.
pub(crate) struct Case<'a> {
    pub(crate) state: &'a State,
    pub(crate) act: &'a Act,
    pub(crate) digest: Digest,
    /// Whether the act's encoding is longer than acts may be.
    pub(crate) is_too_large: bool,
    pub(crate) evidence: &'a Evidence,
    /// The evidence's requests, read.
    pub(crate) requests: &'a [Result<ReadRequest, RequestFault>],
    /// The entry's time.
    pub(crate) time: Time,
    pub(crate) verify: &'a dyn Verify,
    /// What the journal will have as its next checkpoint, where that is known.
    pub(crate) next: Option<Cosigned>,
    /// Whether it is only asked what would become of the act.
    pub(crate) on_trial: bool,
}

impl<'a> Case<'a> {
    /// An act that is asked in earnest, and no checkpoint beyond those of state.
    pub(crate) fn of(
        state: &'a State,
        (act, read): (&'a Act, ReadAct),
        (evidence, requests): (&'a Evidence, &'a [Result<ReadRequest, RequestFault>]),
        time: Time,
        verify: &'a dyn Verify,
    ) -> Self {
        Self {
            state,
            act,
            digest: read.digest,
            is_too_large: read.is_too_large,
            evidence,
            requests,
            time,
            verify,
            next: None,
            on_trial: false,
        }
    }
}

/// A checkpoint of this journal that a quorum has cosigned and that is not an entry yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// SHA-256 of its body.
    pub body: Digest,
    /// The oldest of the quorum's cosignatures.
    pub oldest: Time,
}

/// A decision, with the changes that it makes once it stands in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    authenticated: bool,
    decision: Decision,
    payment: Option<Payment>,
    effects: Vec<Effect>,
    asked: Option<Asked>,
}

impl Decided {
    /// What becomes of the act.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Whether somebody proved that they ask. What nobody asked for is not worth an entry.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// What has to be planned for the decision to stand, where money goes out.
    #[must_use]
    pub fn payment(&self) -> Option<&Payment> {
        self.payment.as_ref()
    }

    /// What the policy was asked and said, where it was asked: it names the statements.
    #[must_use]
    pub fn asked(&self) -> Option<&Asked> {
        self.asked.as_ref()
    }

    /// What it changes, but for what a plan brings: nothing where it refuses.
    #[must_use]
    pub fn changes(&self) -> &[Effect] {
        match self.decision {
            Decision::Refuse { .. } => &[],
            Decision::Release | Decision::Hold { .. } => &self.effects,
        }
    }

    /// The changes, given the plan that stands beside the decision: one where money goes out, and
    /// none anywhere else.
    pub(crate) fn complete(mut self, plan: Option<&Plan>) -> Result<Vec<Effect>, PlanFault> {
        match (&self.payment, plan) {
            (None, None) => {}
            (Some(payment), Some(plan)) => self.effects.extend(payment.effects(plan)?),
            _ => return Err(PlanFault::Presence),
        }
        Ok(self.effects)
    }

    fn refuse(reason: Reason, authenticated: bool) -> Self {
        Self {
            authenticated,
            decision: Decision::Refuse { reason },
            payment: None,
            effects: Vec::new(),
            asked: None,
        }
    }

    fn release(effects: Vec<Effect>) -> Self {
        Self {
            authenticated: true,
            decision: Decision::Release,
            payment: None,
            effects,
            asked: None,
        }
    }

    /// With one change more, where there is one.
    fn with(mut self, more: Option<Effect>) -> Self {
        self.effects.extend(more);
        self
    }

    fn by(self, asked: Option<Asked>) -> Self {
        Self { asked, ..self }
    }

    fn pay(payment: Payment, effects: Vec<Effect>) -> Self {
        Self {
            payment: Some(payment),
            ..Self::release(effects)
        }
    }

    fn hold(needs: Vec<Need>, until: Option<Time>, effects: Vec<Effect>) -> Self {
        Self {
            decision: Decision::Hold { needs, until },
            ..Self::release(effects)
        }
    }
}

/// What a judge of one kind of act says.
pub(crate) enum Verdict {
    /// It takes effect, with these changes.
    Accept(Vec<Effect>),
    /// Money goes out by a plan yet to be made.
    Pay(Box<Payment>),
    /// It waits for these.
    Wait(Vec<Need>, Option<Time>),
    /// It waits for these, and that it does changes this.
    Begin(Vec<Effect>, Vec<Need>),
}

/// Decide an act at `time`, the time that its entry will carry.
#[must_use]
pub fn decide(
    state: &State,
    act: &Act,
    evidence: &Evidence,
    time: Time,
    verify: &dyn Verify,
) -> Decided {
    decide_with(state, None, act, evidence, time, verify)
}

/// Decide as if `next` led the entry's batch: a restricting act may name the newest cosigned
/// checkpoint before the journal has it, and gate and keepers must see the same in that.
#[must_use]
pub fn decide_with(
    state: &State,
    next: Option<Cosigned>,
    act: &Act,
    evidence: &Evidence,
    time: Time,
    verify: &dyn Verify,
) -> Decided {
    let (read, requests) = (ReadAct::of(act), evidence.read());
    let evidence = (evidence, requests.as_slice());
    decide_case(&Case {
        next,
        ..Case::of(state, (act, read), evidence, time, verify)
    })
}

/// Decide what was read.
pub(crate) fn decide_case(case: &Case<'_>) -> Decided {
    let actor = match recognise(case) {
        Ok(actor) => actor,
        Err(reason) => return Decided::refuse(reason, false),
    };
    let decided = decide_asked(case, &actor);
    let what = (case.digest, case.act);
    let decided = decided.map(|decided| contact::await_told(case.state, what, decided));
    decided.unwrap_or_else(|reason| refuse_asked(case, &actor, reason))
}

/// The refusal of an act that somebody proved to ask for: the end of it (docs/design/022). The same
/// bytes are never decided again, so what was refused on record is not paid later.
///
/// Not so for acts that only take away: a stop that was refused too early must still count, and
/// whoever keeps the journal could otherwise use it up before what it is to stop.
fn refuse_asked(case: &Case<'_>, actor: &Actor, reason: Reason) -> Decided {
    // A code that nobody has judged proves nothing, and so ends nothing.
    if actor.awaits_code {
        return Decided::refuse(reason, false);
    }
    let mut refused = Decided::refuse(reason, true);
    if !case.act.kind.is_restricting() {
        let until = binding::consumed_until(case.act);
        let end = crate::state::release::End::Returned;
        refused.effects.push(Effect::Consume(case.digest, until));
        refused.effects.extend(actor.counters.iter().cloned());
        let end = Effect::End(case.digest, end, case.act.account);
        refused.effects.push(end);
    }
    refused
}

/// Is the act for here and now, and who asks?
fn recognise(case: &Case<'_>) -> Result<Actor, Reason> {
    let at = binding::check(case)?;
    authenticate::authenticate(case, at)
}

fn decide_asked(case: &Case<'_>, actor: &Actor) -> Result<Decided, Reason> {
    let permission = permit::permit(case, actor)?;
    // What only takes away needs no attestation, and one that has expired must not bar a posted stop.
    let claims = if case.act.kind.is_restricting() {
        Claims::default()
    } else {
        Claims::read(case)?
    };
    permit::check_onboarded(case, actor, &claims)?;
    refuse_if_shut(case)?;
    let until = binding::consumed_until(case.act);
    // Room for what most acts change.
    let mut effects = Vec::with_capacity(4);
    effects.push(Effect::Consume(case.digest, until));
    effects.extend(actor.counters.iter().cloned());
    let verdict = judge(case, actor, &claims, permission)?;
    let asking = policy::Asking::submitted(case, actor, &claims, permission);
    let (verdict, asked) = asking.restrict(verdict);
    let verdict = verdict.map(|verdict| code::hold(actor, joint::hold(case, actor, verdict)));
    let decided = match verdict {
        Ok(verdict) => {
            // What only takes away waits for a code, of which there are few.
            if matches!(verdict, Verdict::Wait(..)) && !case.act.kind.is_restricting() {
                refuse_if_many_wait(case.state, actor.owner)?;
            }
            effects.extend(claims.used_up());
            let counted = asking.counted(case.digest).filter(|_| !actor.awaits_code);
            conclude(case, actor, &claims, effects, verdict).with(counted)
        }
        Err(reason) => refuse_asked(case, actor, reason),
    };
    Ok(decided.by(asked))
}

/// A suspension takes loosening acts of its realm or account; withdrawals are held instead, the way out
/// of a suspension stays open, and a void pays nobody.
fn refuse_if_shut(case: &Case<'_>) -> Result<(), Reason> {
    let kind = &case.act.kind;
    let exempt = kind.is_restricting()
        || matches!(
            kind,
            ActKind::Withdraw(_)
                | ActKind::Lift(_)
                | ActKind::Approve(_)
                | ActKind::Void(_)
                | ActKind::RecoverAdministrators(_)
        );
    let reach = crate::state::Reach {
        realm: case.act.realm,
        account: case.act.account,
        withdraws: None,
    };
    if !exempt && case.state.facts.is_suspended(reach) {
        return Err(Reason::Suspended);
    }
    Ok(())
}

fn judge(
    case: &Case<'_>,
    actor: &Actor,
    claims: &Claims,
    permission: Permission,
) -> Result<Verdict, Reason> {
    if permission == Permission::WithQuorum {
        return approval::judge_proposal(case);
    }
    match &case.act.kind {
        ActKind::OpenAccount(open) => account::judge_open(case, open),
        ActKind::Withdraw(withdraw) => withdraw::judge(case, withdraw, claims, actor),
        ActKind::AddAddress(add) => account::judge_add_address(case, claims, add),
        ActKind::CancelAddress(cancel) => account::judge_cancel_address(case, cancel),
        ActKind::Freeze => account::judge_freeze(case, actor),
        ActKind::Unfreeze => account::judge_unfreeze(case, actor),
        ActKind::EnrolFactor(enrol) => factor::judge_enrol(case, actor, claims, enrol),
        ActKind::RevokeFactor(revoke) => factor::judge_revoke(case, actor, revoke),
        ActKind::Cancel(cancel) => approval::judge_cancel(case, actor, cancel),
        ActKind::Approve(approve) => approval::judge_approve(case, actor, approve),
        ActKind::PublishRates(publish) => rates::judge_publish(case, publish),
        ActKind::Recover(recover) => recovery::judge(case, actor, claims, recover),
        ActKind::Veto(veto) => recovery::judge_veto(case, actor, veto),
        ActKind::RecoverAdministrators(recover) => administrators::judge(case, claims, recover),
        ActKind::ChangeContact(change) => contact::judge_change(case, actor, change),
        ActKind::AddPrincipal(add) => joint::judge_add(case, actor, add),
        ActKind::RemovePrincipal(remove) => joint::judge_remove(case, actor, remove),
        ActKind::SetAccountQuorum(set) => joint::judge_set_quorum(case, actor, set),
        _ => control::judge(case),
    }
}

fn conclude(
    case: &Case<'_>,
    actor: &Actor,
    claims: &Claims,
    mut effects: Vec<Effect>,
    verdict: Verdict,
) -> Decided {
    match verdict {
        Verdict::Accept(changes) => {
            effects.extend(changes);
            Decided::release(effects)
        }
        Verdict::Pay(payment) => {
            effects.push(Effect::Spend(case.digest, actor.signatures.clone()));
            Decided::pay(*payment, effects)
        }
        Verdict::Begin(changes, needs) => {
            effects.extend(changes);
            conclude(case, actor, claims, effects, Verdict::Wait(needs, None))
        }
        Verdict::Wait(needs, until) => {
            effects.push(Effect::Spend(case.digest, actor.signatures.clone()));
            effects.push(Effect::Hold {
                digest: case.digest,
                act: Box::new(case.act.clone()),
                proof: actor.proof,
                debit: claims.debit,
                delay: approval::own_delay(case.state, case.act),
            });
            let stands =
                |proof: &Proof| Effect::Approve(case.digest, proof.owner.principal(), *proof);
            effects.extend(actor.beside.proofs().map(stands));
            effects.extend(attested::first_said(case, claims));
            effects.extend(code::await_word(case, actor));
            Decided::hold(needs, until, effects)
        }
    }
}

/// How long after its act's expiry, or its own delay where that is longer, an act may wait: longer than any window.
const WAITS_AFTER_EXPIRY: Span = Span::hours(30 * 24);
/// Most acts of one principal of an account, or of one member of staff, that may wait at once.
const MAX_WAITING: u32 = 64;

/// From when an act waits no more, whatever for: it ends as returned.
#[must_use]
pub fn waits_until(held: &Held) -> Time {
    let delayed = match held.available {
        Available::At { time } => time,
        Available::Awaiting { delay, .. } => held.time.after(delay),
    };
    held.act.expires.max(delayed).after(WAITS_AFTER_EXPIRY)
}

/// What waits is kept by everybody who follows, so one principal cannot have any number of it. In each account
/// its own: anybody can take another's id into an account, with a key of their own.
fn refuse_if_many_wait(state: &State, owner: Owner) -> Result<(), Reason> {
    let waiting = state.facts.waiting.get(&owner);
    if waiting.is_some_and(|count| *count >= MAX_WAITING) {
        return Err(Reason::TooMany);
    }
    Ok(())
}

/// Decide a held act again, from what state knows of it. `Hold` means that nothing is to be journaled.
#[must_use]
pub fn settle(state: &State, digest: Digest, time: Time) -> Decided {
    settle_with(state, None, digest, time)
}

/// Decide it again as if `next` led the entry's batch: it may say that a delay has run.
#[must_use]
pub fn settle_with(state: &State, next: Option<Cosigned>, digest: Digest, time: Time) -> Decided {
    settle_at(state, digest, Clock::at(state, next, time), &batch::NOBODY)
}

/// Decide it again behind others that the same plan pays.
fn settle_behind(state: &State, digest: Digest, time: Time, ahead: &batch::Ahead) -> Decided {
    settle_at(state, digest, Clock::at(state, None, time), ahead)
}

fn settle_at(state: &State, digest: Digest, clock: Clock, ahead: &batch::Ahead) -> Decided {
    let time = clock.time;
    let Some(held) = state.facts.held.get(&digest) else {
        return flight::settle_withheld(state, digest, time);
    };
    let verdict = match &held.act.kind {
        _ if time >= waits_until(held) => Err(Reason::Expired),
        kind => code::check_fate(state, digest, held, time)
            .and_then(|()| settle_kind(state, (digest, held), kind, (clock, ahead))),
    };
    let asking = policy::Asking::held(state, held, time).behind(ahead);
    let (verdict, asked) = match verdict {
        Ok(verdict) => asking.restrict_held(verdict),
        Err(reason) => (Err(reason), None),
    };
    let mut effects = vec![Effect::Unhold(digest)];
    let decided = match verdict {
        Ok(Verdict::Pay(payment)) => {
            // One that a code proved counts from now on; any other was counted as it came.
            let counted = asking.counted(digest);
            let counted = counted.filter(|_| held.company.is_none());
            Decided::pay(*payment, effects).with(counted)
        }
        Ok(Verdict::Accept(changes)) => {
            effects.extend(changes);
            effects.push(Effect::End(digest, crate::state::release::End::Done, None));
            contact::await_told(state, (digest, &held.act), Decided::release(effects))
        }
        Ok(Verdict::Wait(needs, until)) => Decided::hold(needs, until, Vec::new()),
        // What waits already begins no more.
        Ok(Verdict::Begin(_, needs)) => Decided::hold(needs, None, Vec::new()),
        Err(reason) => {
            let end = crate::state::release::End::Returned;
            effects.push(Effect::End(digest, end, held.act.account));
            Decided {
                effects,
                ..Decided::refuse(reason, true)
            }
        }
    };
    decided.by(asked)
}

fn settle_kind(
    state: &State,
    (digest, held): (Digest, &Held),
    kind: &ActKind,
    (clock, ahead): (Clock, &batch::Ahead),
) -> Result<Verdict, Reason> {
    match kind {
        ActKind::Withdraw(withdraw) => {
            withdraw::settle(state, (digest, held), withdraw, clock, ahead)
        }
        ActKind::Recover(recover) => recovery::settle(state, held, recover, clock),
        ActKind::RecoverAdministrators(recover) => {
            administrators::settle(state, held, recover, clock)
        }
        ActKind::ChangeContact(change) if !contact::is_administrators(&held.act) => {
            contact::settle_change(state, held, change, clock)
        }
        // Alone these never wait: a code is behind them.
        ActKind::Freeze | ActKind::Cancel(_) | ActKind::CancelAddress(_) | ActKind::Veto(_) => {
            code::settle_stop(state, digest, held, clock.time)
        }
        // A code never stands for what takes several principals.
        ActKind::AddAddress(_) if !joint::takes_several(state, held.proof.owner, &held.act) => {
            code::settle_address(state, digest, held, clock.time)
        }
        _ if matches!(held.proof.owner, Owner::Holder { .. }) => {
            joint::settle(state, digest, held, clock)
        }
        _ => approval::settle(state, held, clock),
    }
}

/// Take more evidence for a held or withheld act: a new proof, a late attestation. It carries the
/// signed request of whoever brings it, unless it is vendors' words and nothing else. A stop board takes
/// acts, and stamps no supplement.
pub(crate) fn supplement(
    state: &State,
    supplement: &Supplement,
    requests: &[Result<ReadRequest, RequestFault>],
    time: Time,
    verify: &dyn Verify,
) -> Result<Vec<Effect>, Reason> {
    let (digest, evidence) = (supplement.act, &supplement.evidence);
    let held = state.facts.held.get(&digest);
    let release = state.facts.releases.get(&digest);
    let act = held.map(|h| &h.act).or(release.map(|r| &r.act));
    let act = act.ok_or_else(|| gone(state, digest))?;
    let accepted = ReadAct {
        digest,
        is_too_large: false,
    };
    let case = Case::of(state, (act, accepted), (evidence, requests), time, verify);
    binding::check_sizes(evidence)?;
    if evidence.posted.is_some() {
        return Err(Reason::StampInvalid);
    }
    if evidence.code.is_some() {
        return Err(Reason::CodeOutOfPlace);
    }
    let asking = authenticate::check_evidence(&case, time)?;
    permit::check_may_supplement(&case, &asking)?;
    let mut effects = proven_anew(state, digest, asking)?;
    let claims = Claims::read(&case)?;
    if let (Some(entry), Some(held)) = (claims.debit, held) {
        if held.debit.is_some_and(|known| known != entry) {
            return Err(Reason::DebitContradicts);
        }
        effects.extend([Effect::Debit(entry), Effect::Pay(digest, entry)]);
    }
    let more = attested::more_said(state, digest, &claims, time);
    if effects.is_empty() && more.is_none() {
        return Err(Reason::NothingNew);
    }
    effects.extend(more.into_iter().flatten());
    effects.extend(claims.used_up_by_vendors());
    Ok(effects)
}

/// What new signatures change: of the acting principal, and of those beside it.
fn proven_anew(
    state: &State,
    digest: Digest,
    asking: authenticate::Asking,
) -> Result<Vec<Effect>, Reason> {
    let signatures = asking.signatures();
    if signatures.is_empty() {
        return Ok(Vec::new());
    }
    refuse_spent(state, digest, &signatures)?;
    let mut effects = asking.counters();
    let beside = asking.beside();
    let own = asking.proven().map(|actor| actor.proof);
    effects.extend(own.map(|proof| Effect::Prove(digest, proof)));
    let approves = |proof: &Proof| Effect::Approve(digest, proof.owner.principal(), *proof);
    effects.extend(beside.proofs().map(approves));
    effects.push(Effect::Spend(digest, signatures));
    Ok(effects)
}

/// Most proofs that one act may get.
const MAX_PROOFS: usize = 32;

/// After a freeze or a raised epoch only a *new* assertion proves: a gate that kept the old one has
/// nothing.
fn refuse_spent(state: &State, act: Digest, signatures: &[Digest]) -> Result<(), Reason> {
    let Some(spent) = state.facts.spent.get(&act) else {
        return Ok(());
    };
    if signatures.iter().any(|signature| spent.contains(signature)) {
        return Err(Reason::Replayed);
    }
    if spent.len() >= MAX_PROOFS {
        return Err(Reason::TooMany);
    }
    Ok(())
}

/// The account that an act names.
pub(crate) fn account_of(act: &Act) -> Result<AccountId, Reason> {
    act.account.ok_or(Reason::UnknownAccount)
}

/// Withhold every planned release that `touched` picks, signed or not: bytes that a chain has cannot
/// be recalled and may still confirm; those that have not left do not leave. What was given up pays
/// nobody: only a suspension holds it, and nobody's freeze.
pub(crate) fn withhold_where(
    state: &State,
    why: Withheld,
    touched: impl Fn(&Release) -> bool,
) -> impl Iterator<Item = Effect> {
    let releases = state.facts.releases_under_way().filter(|(_, release)| {
        let pays = release.voided_by.is_none();
        (pays || why == Withheld::Suspended) && touched(release)
    });
    let effects: Vec<Effect> = releases
        .map(|(digest, _)| Effect::Withhold(*digest, why))
        .collect();
    effects.into_iter()
}

/// The effects of shutting the gate for a scope. What was withheld for being late would go out again
/// by itself after the lift, so the suspension takes that in too.
pub(crate) fn suspend(state: &State, by: Digest, scope: Scope) -> Vec<Effect> {
    let is_in = |release: &Release| match &release.act.kind {
        ActKind::Withdraw(withdraw) => {
            crate::state::Reach::of_withdrawal(release.account, withdraw).is_in(scope)
        }
        _ => false,
    };
    let withheld = withhold_where(state, Withheld::Suspended, is_in);
    let late =
        state.facts.releases.iter().filter(|(_, release)| {
            release.stage == Stage::Withheld(Withheld::Late) && is_in(release)
        });
    let late = late.map(|(digest, _)| Effect::Withhold(*digest, Withheld::Suspended));
    core::iter::once(Effect::Suspend(by, scope))
        .chain(withheld)
        .chain(late)
        .collect()
}

/// A held act, for the judges that look at one.
pub(crate) fn held(state: &State, digest: Digest) -> Result<&Held, Reason> {
    let held = state.facts.held.get(&digest);
    held.ok_or_else(|| gone(state, digest))
}

/// Why there is no act that waits.
fn gone(state: &State, digest: Digest) -> Reason {
    let facts = &state.facts;
    if facts.ended.contains_key(&digest) || facts.releases.contains_key(&digest) {
        Reason::ActGone
    } else {
        Reason::ActUnknown
    }
}
