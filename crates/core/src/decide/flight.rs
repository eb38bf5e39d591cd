//! Releases on their way: resuming, giving up, fee bumps.

use super::payment::{self, Payment, PlanFault};
use super::withdraw::still_barred;
use super::{Decided, Verdict, joint};
use crate::act::ActKind;
use crate::decision::Need;
use crate::digest::Digest;
use crate::effect::Effect;
use crate::entry::Replacement;
use crate::reason::Reason;
use crate::state::release::{Release, Stage, Withheld};
use crate::state::{Reach, State};
use crate::time::Time;

/// Resume a withheld release by its unchanged plan.
pub(super) fn judge_resume(state: &State, digest: Digest, time: Time) -> Result<Verdict, Reason> {
    let (release, why) = withheld(state, digest)?;
    if why == Withheld::Cancelled && release.voided_by.is_none() {
        return Err(Reason::ActGone);
    }
    check_unbarred(state, release, time)?;
    Ok(Verdict::Accept(vec![Effect::Resume(digest)]))
}

/// Give a release up: its nonce goes to a zero transfer of the wallet to itself, its number to a void mandate, what
/// it was to be paid from back to the wallet or to the others of its batch.
pub(super) fn judge_void(state: &State, digest: Digest) -> Result<Verdict, Reason> {
    // Also one that is out and stays unconfirmed: both compete for one nonce, and only the chain's
    // word for the void ends in `returned`.
    let release = release(state, digest)?;
    if release.voided_by.is_some() {
        return Err(Reason::ActGone);
    }
    let payment = Payment::void(state, digest, release);
    Ok(Verdict::Pay(Box::new(payment.ok_or(Reason::ActUnknown)?)))
}

/// What becomes of a withheld release without a hand (docs/design/021): one that was only late goes
/// out again, one that was taken back is given up, so that its nonce holds up nobody. A suspension
/// lets neither happen.
pub(super) fn settle_withheld(state: &State, digest: Digest, time: Time) -> Decided {
    let waits = || Decided::hold(vec![Need::Lift], None, Vec::new());
    let Ok((release, why)) = withheld(state, digest) else {
        return waits();
    };
    let bars = check_unbarred(state, release, time);
    let resumes = || Decided::release(vec![Effect::Resume(digest)]);
    if why == Withheld::Late && bars.is_ok() {
        return resumes();
    }
    if is_suspended(state, release) {
        return waits();
    }
    if release.voided_by.is_some() {
        return resumes();
    }
    let taken_back = match why {
        Withheld::Cancelled | Withheld::Revoked => true,
        Withheld::Late => bars.is_err(),
        Withheld::Suspended => false,
    };
    let payment = Payment::void(state, digest, release).filter(|_| taken_back);
    payment.map_or_else(waits, |payment| Decided::pay(payment, Vec::new()))
}

fn is_suspended(state: &State, release: &Release) -> bool {
    let ActKind::Withdraw(withdraw) = &release.act.kind else {
        return false;
    };
    let reach = Reach::of_withdrawal(release.account, withdraw);
    state.facts.is_suspended(reach)
}

fn withheld(state: &State, digest: Digest) -> Result<(&Release, Withheld), Reason> {
    let release = release(state, digest)?;
    match release.stage {
        Stage::Withheld(why) => Ok((release, why)),
        Stage::Released => Err(Reason::NotWithheld),
    }
}

fn release(state: &State, digest: Digest) -> Result<&Release, Reason> {
    let ended = state.facts.ended.contains_key(&digest);
    let unknown = if ended {
        Reason::ActGone
    } else {
        Reason::ActUnknown
    };
    state.facts.releases.get(&digest).ok_or(unknown)
}

/// What was given up pays nobody, so nothing about its payee bars it.
fn check_unbarred(state: &State, release: &Release, time: Time) -> Result<(), Reason> {
    let ActKind::Withdraw(withdraw) = &release.act.kind else {
        return Err(Reason::ActUnknown);
    };
    if release.voided_by.is_some() {
        return Ok(());
    }
    still_barred(state, release.account, withdraw, &release.proof, time)?;
    joint::check_release(state, release)
}

/// A fee bump of a release that is out or may go out. It asks for no new evidence, since it can
/// change neither payee nor amount and conflicts with every earlier plan.
pub(crate) fn replace(
    state: &State,
    replacement: &Replacement,
    time: Time,
) -> Result<Vec<Effect>, PlanFault> {
    let facts = &state.facts;
    let release = facts.releases.get(&replacement.act);
    let release = release.ok_or(PlanFault::Presence)?;
    if facts.signable(replacement.act).is_none() {
        return Err(PlanFault::Presence);
    }
    // What was signed before a stop may still confirm; nothing new is signed for it.
    for together in facts.together_with(replacement.act) {
        let release = facts.releases.get(&together).ok_or(PlanFault::Presence)?;
        check_unbarred(state, release, time).map_err(PlanFault::Barred)?;
    }
    payment::replace(state, (replacement.act, release), &replacement.plan, time)
}
