//! The variant `gate-owned`, from beginning to end: root forges the journal; later root withholds a stop.

use crate::alarms::{self, Heard};
use crate::answer::Answer;
use crate::checks::Checks;
use crate::crowd::{HANDS, crowd};
use crate::error::DrillError;
use crate::gate_owned::{
    BACKDATED, EARLY, Job, Loot, OTHER_PAYEE, OTHER_PLAN, Root, Seen, WAYS, cut_boards, jobs,
};
use crate::honest::{self, Asked, Groups};
use crate::people::{Customer, Town};
use crate::platform::Platform;
use crate::respond;
use crate::stage::Stage;
use crate::story::{DELAY_AND_A_BIT, Timeline, With, add_addresses, open_accounts};
use crate::wait::until;
use portcullis_chains::Amount;
use portcullis_chains::caip::Address;
use portcullis_core::act::{Act, ActKind, Scope, Suspend};
use portcullis_core::{Digest, Span, Time};
use std::sync::Arc;

/// How far time is moved between two releases while a stop is withheld: less than what keeps a
/// cosignature fresh.
const NUDGE: Span = Span(2_000);

pub(crate) fn run(stage: &mut Stage, town: &Town) -> Result<With, DrillError> {
    let jobs = jobs(town);
    let groups = Groups::of(&town.honest);
    let (loot, mut asked) = prepare(stage, town, &jobs)?;
    asked.extend(honest::all_withdraw(stage, groups.before, false)?);
    stage.until_delivered()?;
    let mut checks = Checks::default();

    let (platform, config) = (stage.platform.anew(), stage.cast().configs.gate.clone());
    let root = Root {
        town,
        platform: &platform,
        loot: &loot,
    };
    let sent = stage.chain.sent(stage.cast().wallet())?;
    let mut timeline = Timeline::begin(stage);
    let begun = timeline.from;
    timeline.note(
        begun,
        "Root on the gate's host stops it and writes releases into its journal",
    );
    let (book, void) = stage.without_gate(&config, |cast| root.forge(cast, &jobs))?;
    let alarm = until_heard(stage, "release-without-evidence")?;
    timeline.note(
        alarm.time,
        "The signer's own alarm: release-without-evidence. It signs nothing",
    );
    let latched = until_latched(stage)?;
    checks.same(
        "with: void entries that the gate itself counts",
        stage.status()?.void_entries,
        void as u64,
    );
    checks.same(
        "with: transactions of the wallet since root took over",
        stage.chain.sent(stage.cast().wallet())? - sent,
        0,
    );
    checks.note(
        "with: the signer's alarm stands in its own log as well",
        alarms::logged(&stage.cast().configs.signer) > 0,
        "alarms.jsonl",
    );

    let stopped = respond::suspend(stage, &mut timeline)?;
    until_called(stage, void)?;
    asked.extend(honest::all_withdraw(stage, groups.during, false)?);
    let lifted = respond::lift_all(stage, Some(stopped.by))?;
    timeline.note(
        stage.now(),
        format!(
            "A quorum has lifted {lifted} suspensions and latches that the forged entries caused"
        ),
    );
    respond::recover(
        stage,
        town,
        &mut asked,
        &stopped,
        &mut timeline,
        &mut checks,
    )?;
    asked.extend(honest::all_withdraw(stage, groups.after, true)?);
    stage.until_delivered()?;
    withhold_a_stop(stage, &town.honest, &mut asked, &mut timeline, &mut checks)?;
    stage.until_delivered()?;
    timeline.note(
        stage.now(),
        "Everything that honest customers asked for has arrived",
    );

    let mut flow = book.flow();
    flow.detected_ms = Some(alarm.time.since(begun).0);
    flow.contained_ms = Some(latched.since(begun).0);
    checks.same(
        "with: withdrawals released to the attackers",
        flow.released.count,
        0,
    );
    Ok(With {
        flow,
        rows: book.rows(WAYS),
        asked,
        timeline: timeline.moments,
        checks,
        void,
    })
}

/// Accounts, addresses, earlier withdrawals, and what passes the gate's host meanwhile.
fn prepare(stage: &mut Stage, town: &Town, jobs: &[Job]) -> Result<(Loot, Vec<Asked>), DrillError> {
    open_accounts(stage, town)?;
    stage.jump(DELAY_AND_A_BIT)?;
    add_addresses(stage, town)?;
    stage.jump(DELAY_AND_A_BIT)?;
    let places: Vec<usize> = (0..town.victims.len()).collect();
    let earlier = |platform: &Platform, at: &usize| {
        let customer = &town.victims[*at].customer;
        let seen = genuine(platform, customer, customer.address, customer.amount)?;
        let at = platform.now();
        Ok((ask(platform, customer, &seen, at), seen))
    };
    let done = crowd(&places, HANDS, || stage.platform.anew(), earlier);
    let done: Vec<(Asked, Seen)> = done.into_iter().collect::<Result<_, DrillError>>()?;
    let (mut asked, accepted): (Vec<Asked>, Vec<Seen>) = done.into_iter().unzip();
    // What waits first: an authenticator's counter only rises, and the others are never accepted.
    let waiting = crowd(
        jobs,
        HANDS,
        || stage.platform.anew(),
        |platform, job| {
            (job.way == EARLY)
                .then(|| wait_for_address(platform, town, job))
                .transpose()
        },
    );
    let waiting: Vec<Option<(Act, Asked)>> = waiting.into_iter().collect::<Result<_, _>>()?;
    asked.extend(waiting.iter().flatten().map(|(_, asked)| asked.clone()));
    let unanswered = crowd(
        jobs,
        HANDS,
        || stage.platform.anew(),
        |platform, job| {
            let customer = &town.victims[job.victim].customer;
            let is_wanted = [OTHER_PAYEE, OTHER_PLAN, BACKDATED].contains(&job.way);
            let send = || genuine(platform, customer, customer.address, job.slice.amount);
            is_wanted.then(send).transpose()
        },
    );
    stage.until_delivered()?;
    let loot = Loot {
        accepted,
        unanswered: unanswered.into_iter().collect::<Result<_, _>>()?,
        waiting: waiting
            .into_iter()
            .map(|found| found.map(|(act, _)| act))
            .collect(),
    };
    Ok((loot, asked))
}

/// A customer withdraws to another address of its own, just added: held until that has aged.
fn wait_for_address(
    platform: &Platform,
    town: &Town,
    job: &Job,
) -> Result<(Act, Asked), DrillError> {
    let customer = &town.victims[job.victim].customer;
    let young = flipped(job.slice.thief);
    platform.add_address(customer, young)?;
    let seen = genuine(platform, customer, young, job.slice.amount)?;
    let asked = ask(platform, customer, &seen, platform.now());
    Ok((seen.act, asked))
}

fn genuine(
    platform: &Platform,
    customer: &Customer,
    to: Address,
    amount: Amount,
) -> Result<Seen, DrillError> {
    let act = platform.act_of(customer, platform.withdraw(to, amount))?;
    let evidence = platform.full_evidence(&customer.passkey, &act)?;
    let evidence = platform.as_received(&act, evidence)?;
    Ok(Seen { act, evidence })
}

fn ask(platform: &Platform, customer: &Arc<Customer>, seen: &Seen, at: Time) -> Asked {
    let (to, amount) = match &seen.act.kind {
        ActKind::Withdraw(withdraw) => (withdraw.to, withdraw.amount),
        _ => (customer.address, Amount::ZERO),
    };
    // The gate adds the request's signature itself.
    let mut evidence = seen.evidence.clone();
    evidence.requests.clear();
    let answer = platform.relay(&seen.act, &evidence);
    Asked {
        customer: Arc::clone(customer),
        act: seen.act.digest(),
        to,
        amount,
        at,
        waited: answer == Answer::Held,
        answer,
    }
}

fn flipped(address: Address) -> Address {
    let Address::Evm { chain, mut address } = address;
    address[0] ^= 0xff;
    Address::Evm { chain, address }
}

/// Root keeps the gate from the stop boards. Operators post a stop; the gate goes on releasing; the
/// signer signs none of it, and after a minute cries.
fn withhold_a_stop(
    stage: &mut Stage,
    customers: &[Arc<Customer>],
    asked: &mut Vec<Asked>,
    timeline: &mut Timeline,
    checks: &mut Checks,
) -> Result<(), DrillError> {
    let honest = stage.cast().configs.gate.clone();
    let cut = cut_boards(&honest)?;
    stage.without_gate(&cut, |_| Ok(()))?;
    let by = post_stop(stage)?;
    let posted = stage.now();
    timeline.note(
        posted,
        "Root cuts the gate off from the stop boards; operators post a stop there",
    );
    until_bound(stage)?;
    let sent = stage.chain.sent(stage.cast().wallet())?;
    let mut released = 0;
    let mut customers = customers.iter().cycle();
    let alarm = until("the alarm stop-withheld", || {
        if let Some(alarm) = heard(stage, "stop-withheld") {
            return Ok(Some(alarm));
        }
        stage.nudge(NUDGE)?;
        if let Some(customer) = customers.next() {
            let mut one = honest::withdraw(&stage.platform, customer, true)?;
            released += usize::from(one.answer == Answer::Released);
            one.waited = true;
            asked.push(one);
        }
        stage.until_witnessed()?;
        Ok(None)
    })?;
    timeline.note(alarm.time, "The signer's own alarm: stop-withheld");
    checks.note(
        "stop withheld: the gate went on releasing",
        released > 0,
        format!("{released} releases journaled"),
    );
    let since = stage.chain.sent(stage.cast().wallet())? - sent;
    checks.same(
        "stop withheld: transactions of the wallet after the posting bound",
        since,
        0,
    );
    let took = alarm.time.since(posted).0;
    checks.note(
        "stop withheld: the signer cried by itself",
        took >= 60_000,
        format!("{took} ms after the posting, of which 60 s are the gate's time to journal it"),
    );

    stage.without_gate(&honest, |_| Ok(()))?;
    let stopped = respond::until_stopped(stage, by)?;
    timeline.note(
        stopped,
        "The gate is rebuilt and journals the stop; a quorum lifts it and the latch",
    );
    respond::lift_all(stage, None)?;
    respond::resume_withheld(stage, asked)?;
    Ok(())
}

/// Straight to the stop board, which the keepers read by themselves.
fn post_stop(stage: &Stage) -> Result<Digest, DrillError> {
    let (cast, operator) = (stage.cast(), &stage.cast().operator);
    let scope = Scope::Withdrawals;
    let kind = ActKind::Suspend(Suspend { scope });
    let act = stage
        .platform
        .draft()?
        .by_staff(operator.principal, None, kind);
    cast.board.post(&cast.network, &operator.signer, &act)?;
    Ok(act.digest())
}

/// Until the signer must have read the board's page: it acts by none that is older than 3 s.
fn until_bound(stage: &mut Stage) -> Result<(), DrillError> {
    for _ in 0..2 {
        stage.nudge(NUDGE)?;
        stage.until_witnessed()?;
    }
    Ok(())
}

fn heard(stage: &Stage, name: &str) -> Option<Heard> {
    let mut heard = stage.pager.heard(&stage.cast().network).into_iter();
    heard.find(|alarm| alarm.name == name)
}

fn until_heard(stage: &Stage, name: &str) -> Result<Heard, DrillError> {
    until(&format!("the alarm {name}"), || Ok(heard(stage, name)))
}

/// Until the signer's own suspension, which it posted to the board, stands beside the operator's and
/// those of the void entries.
fn until_called(stage: &Stage, void: usize) -> Result<(), DrillError> {
    until("the signer's own suspension in the journal", || {
        Ok((stage.status()?.suspensions.len() >= void + 2).then_some(()))
    })
}

/// Until the signer's word that it has latched stands in the journal.
fn until_latched(stage: &Stage) -> Result<Time, DrillError> {
    until("the signer's latch in the journal", || {
        let is_latched = !stage.status()?.latches.is_empty();
        Ok(is_latched.then(|| stage.now()))
    })
}
