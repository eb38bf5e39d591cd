//! The answer to an attack, on the gate's side: suspend, raise the epoch, enrol again, lift.

use crate::answer::Answer;
use crate::crowd::{HANDS, crowd};
use crate::error::DrillError;
use crate::honest::{self, Asked, assert_again};
use crate::people::Customer;
use crate::platform::Platform;
use crate::stage::Stage;
use crate::story::{DELAY_AND_A_BIT, Scene};
use crate::told::until_all_revoked;
use crate::wait::until;
use portcullis_core::act::{
    ActKind, Approve, Lift, LiftTarget, RaiseEpoch, Resume, Scope, Suspend,
};
use portcullis_core::id::AccountId;
use portcullis_core::realm::Realm;
use portcullis_core::{Digest, Reason, Time};
use std::sync::Arc;

/// A suspension that every keeper has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopped {
    pub(crate) by: Digest,
    /// When the gate had answered that it is recorded.
    pub(crate) recorded: Time,
    /// When every keeper had signed that it has it.
    pub(crate) at: Time,
    /// Transactions of the wallet that the node had been handed then.
    pub(crate) handed: u64,
}

impl Stopped {
    /// How long it took from the record to the last keeper's word.
    pub(crate) fn took_ms(&self) -> u64 {
        self.at.since(self.recorded).0
    }
}

/// Withdrawals are suspended through the gate, and everybody waits until every keeper has stopped.
pub(crate) fn suspend(scene: &mut Scene<'_>) -> Result<Stopped, DrillError> {
    let scope = Scope::Withdrawals;
    let kind = ActKind::Suspend(Suspend { scope });
    let stage = &*scene.stage;
    let (by, answer) = stage.platform.staff(&stage.cast().operator, kind)?;
    expect(&answer, "the suspension")?;
    let recorded = stage.now();
    scene.note_at(recorded, "An operator suspends withdrawals: recorded");
    let at = until_stopped(scene.stage, by)?;
    scene.note_at(
        at,
        "Stopped: the signer has signed that it has the suspension",
    );
    let handed = scene.handed()?;
    Ok(Stopped {
        by,
        recorded,
        at,
        handed,
    })
}

/// Until every keeper has signed that it has a suspension.
pub(crate) fn until_stopped(stage: &Stage, by: Digest) -> Result<Time, DrillError> {
    let keepers = stage.cast().network.genesis().keepers.len();
    until("every keeper's word that it has stopped", || {
        let status = stage.status()?;
        let known = status.suspensions.iter().find(|known| known.by == by);
        let all = known.is_some_and(|known| known.stopped.len() == keepers);
        Ok(all.then(|| stage.now()))
    })
}

/// From the suspension to open doors: the epoch, new passkeys on onboarding's word, the full delay,
/// new assertions over what waits, and a quorum's lift of everything that shuts the gate.
pub(crate) fn recover(scene: &mut Scene<'_>, stopped: &Stopped) -> Result<(), DrillError> {
    mark_waiting(scene)?;
    raise_epoch(scene.stage)?;
    scene.note("The customers' epoch is raised: no old passkey counts any more");
    let customers: Vec<Arc<Customer>> = scene.town.customers().cloned().collect();
    until_all_revoked(scene.stage, customers.len())?;
    scene.note("Every customer has been told by mail to set up signing in anew");
    probe_epoch(scene)?;
    let enrolled = enrol_all_again(scene.stage, &customers)?;
    scene.checks.same(
        "response: customers enrolled again",
        &enrolled,
        &customers.len(),
    );
    probe_delay(scene)?;
    scene.note("Every customer has enrolled a new passkey on onboarding's word");
    scene.stage.jump(DELAY_AND_A_BIT)?;
    scene.note("The full delay of 24 hours has run for the new passkeys");
    assert_all_again(scene)?;
    let sent = scene.handed()? - stopped.handed;
    scene.checks.same(
        "suspension: transactions of the wallet once every keeper had stopped",
        &sent,
        &0,
    );
    lift_all(scene.stage, None)?;
    scene.note("A quorum of administrators has lifted the suspension");
    until_freed(scene)?;
    resume_withheld(scene)
}

/// What a lift frees the gate releases a moment after it: only then is it on its way.
fn until_freed(scene: &Scene<'_>) -> Result<(), DrillError> {
    let cast = scene.stage.cast();
    let is_held = |asked: &Asked| -> Result<bool, DrillError> {
        let standing = cast.gate.act(&cast.back_end.signer, asked.act)?;
        Ok(standing.is_some_and(|standing| standing.stage == "held"))
    };
    let asked = scene.asked.iter();
    for asked in asked.filter(|asked| asked.answer == Answer::Held) {
        until("what was held to be released", || {
            Ok((!is_held(asked)?).then_some(()))
        })?;
    }
    Ok(())
}

/// What is not on the chain once every keeper has stopped waits for the lift, however far it had come.
fn mark_waiting(scene: &mut Scene<'_>) -> Result<(), DrillError> {
    let paid = scene.stage.all_paid()?;
    honest::mark_missing(&mut scene.asked, &paid);
    // Of what was to be paid with others some is still held: the suspension came before its batch.
    let (stage, asked) = (&*scene.stage, scene.asked.iter_mut());
    for asked in asked.filter(|asked| asked.answer == Answer::Batched) {
        asked.answer = stage.platform.paid_with_others(asked.act)?;
    }
    Ok(())
}

/// What was released and not yet signed when the gate was shut waits for its customer's new assertion
/// and for an operator's word.
pub(crate) fn resume_withheld(scene: &Scene<'_>) -> Result<(), DrillError> {
    let stage = &*scene.stage;
    let resume = |platform: &Platform, asked: &Asked| {
        let cast = &platform.cast;
        let standing = cast.gate.act(&cast.back_end.signer, asked.act)?;
        if standing.is_none_or(|standing| standing.stage != "withheld") {
            return Ok(());
        }
        expect(&assert_again(platform, asked)?, "a new assertion")?;
        let kind = ActKind::Resume(Resume { release: asked.act });
        let (_, answer) = platform.staff(&cast.operator, kind)?;
        expect(&answer, "a resumed release")
    };
    let done = crowd(&scene.asked, HANDS, || stage.platform.anew(), resume);
    done.into_iter().collect()
}

/// An old passkey proves nothing, and nobody but onboarding can say whose a new one is.
fn probe_epoch(scene: &mut Scene<'_>) -> Result<(), DrillError> {
    let (stage, customer) = (&*scene.stage, &scene.town.attacker);
    let old = honest::withdraw(&stage.platform, customer, false)?.answer;
    let other = stage.platform.enrol_again(customer, &stage.cast().ledger)?;
    let checks = &mut scene.checks;
    checks.refused("response: an old passkey", &old, Reason::FactorRevoked);
    let name = "response: a passkey that the ledger vouches for";
    checks.refused(name, &other, Reason::AttestationInvalid);
    Ok(())
}

/// A new passkey waits for its delay.
fn probe_delay(scene: &mut Scene<'_>) -> Result<(), DrillError> {
    let (stage, customer) = (&*scene.stage, &scene.town.attacker);
    let early = honest::withdraw(&stage.platform, customer, true)?.answer;
    let name = "response: a new passkey before its delay";
    scene.checks.refused(name, &early, Reason::FactorNotYet);
    Ok(())
}

/// Every customer's factors count no more: one entry, whatever their number.
pub(crate) fn raise_epoch(stage: &Stage) -> Result<(), DrillError> {
    let kind = ActKind::RaiseEpoch(RaiseEpoch {
        realm: Realm::Customers,
        factors: None,
    });
    let (_, answer) = stage.platform.staff(&stage.cast().operator, kind)?;
    expect(&answer, "the raised epoch")
}

/// Every customer enrols a new passkey on a fresh word of onboarding's. Gives how many did.
pub(crate) fn enrol_all_again(
    stage: &Stage,
    customers: &[Arc<Customer>],
) -> Result<usize, DrillError> {
    let onboarding = &stage.cast().onboarding;
    let enrol =
        |platform: &Platform, customer: &Arc<Customer>| platform.enrol_again(customer, onboarding);
    let answers = crowd(customers, HANDS, || stage.platform.anew(), enrol);
    let answers: Vec<Answer> = answers.into_iter().collect::<Result<_, _>>()?;
    Ok(released(&answers))
}

/// Customers assert anew what waits.
fn assert_all_again(scene: &mut Scene<'_>) -> Result<(), DrillError> {
    let held = scene
        .asked
        .iter()
        .filter(|asked| asked.answer == Answer::Held);
    let held: Vec<Asked> = held.cloned().collect();
    let stage = &*scene.stage;
    let answers = crowd(&held, HANDS, || stage.platform.anew(), assert_again);
    let answers: Vec<Answer> = answers.into_iter().collect::<Result<_, _>>()?;
    let name = "response: held withdrawals asserted anew, over the same digest";
    scene.checks.same(name, &released(&answers), &held.len());
    Ok(())
}

fn released(answers: &[Answer]) -> usize {
    let is_released = |answer: &&Answer| **answer == Answer::Released;
    answers.iter().filter(is_released).count()
}

/// A quorum of administrators ends everything that shuts the gate, but for what is to stay: one
/// proposes each, the others approve.
pub(crate) fn lift_all(stage: &Stage, but: Option<Digest>) -> Result<usize, DrillError> {
    let mut lifted: Vec<LiftTarget> = Vec::new();
    // Again, because a keeper may come to latch only when it hears of what another has latched for.
    until("an open gate", || {
        let shut = what_shuts(stage, but)?;
        let fresh = shut.iter().filter(|target| !lifted.contains(target));
        let fresh: Vec<LiftTarget> = fresh.copied().collect();
        let done = crowd(
            &fresh,
            HANDS,
            || stage.platform.anew(),
            |platform, target| lift(platform, *target),
        );
        done.into_iter().collect::<Result<(), DrillError>>()?;
        lifted.extend(fresh);
        Ok(shut.is_empty().then_some(lifted.len()))
    })
}

fn what_shuts(stage: &Stage, but: Option<Digest>) -> Result<Vec<LiftTarget>, DrillError> {
    let status = stage.status()?;
    let suspensions = status.suspensions.iter().map(|known| known.by);
    let suspensions = suspensions
        .filter(|by| Some(*by) != but)
        .map(|by| LiftTarget::Suspension { by });
    let latches = status.latches.iter().map(|known| LiftTarget::Latch {
        keeper: known.keeper,
        latch: known.latch,
    });
    Ok(suspensions.chain(latches).collect())
}

fn lift(platform: &Platform, target: LiftTarget) -> Result<(), DrillError> {
    with_quorum(platform, None, ActKind::Lift(Lift { target }))
}

/// What takes a quorum: one administrator proposes, others approve.
pub(crate) fn with_quorum(
    platform: &Platform,
    account: Option<AccountId>,
    kind: ActKind,
) -> Result<(), DrillError> {
    let nobody = || DrillError::Network("it names no administrators".into());
    let administrators = platform.cast.administrators.split_first();
    let (first, others) = administrators.ok_or_else(nobody)?;
    let (act, proposed) = platform.staff_on(first, account, kind)?;
    if proposed != Answer::Held {
        let what = format!("a proposal that waits: {}", proposed.text());
        return Err(DrillError::InVain(what));
    }
    let quorum = usize::try_from(platform.cast.network.genesis().quorum).unwrap_or(usize::MAX);
    for other in others.iter().take(quorum.saturating_sub(1)) {
        let (_, answer) = platform.staff(other, ActKind::Approve(Approve { act }))?;
        expect(&answer, "an approval")?;
    }
    Ok(())
}

fn expect(answer: &Answer, what: &str) -> Result<(), DrillError> {
    match answer {
        Answer::Released => Ok(()),
        other => Err(DrillError::InVain(format!("{what}: {}", other.text()))),
    }
}
