//! The variant `gate-owned`, from beginning to end: root forges the journal; later root withholds a stop.

use crate::alarms::{self, Heard};
use crate::answer::Answer;
use crate::attack::{Job, Row, Seen, genuine, jobs};
use crate::crowd::{HANDS, crowd};
use crate::dice::Dice;
use crate::error::DrillError;
use crate::gate_owned::{
    BACKDATED, DELAY_DATED_BACK, EARLY, OTHER_PAYEE, OTHER_PLAN, OnHost, Root, WAYS, Written,
    cut_boards, waits_for_batch,
};
use crate::honest::{self, Asked, Groups};
use crate::money::Money;
use crate::outcome::Flow;
use crate::people::{Customer, Town};
use crate::platform::Platform;
use crate::purse::Purse;
use crate::respond;
use crate::stage::{BATCH, Stage};
use crate::story::{Beside, DELAY_AND_A_BIT, Scene, With, add_addresses, open_accounts};
use crate::wait::until;
use portcullis_chains::bitcoin::Lock;
use portcullis_chains::caip::{Address, BitcoinAddress};
use portcullis_core::act::{Act, ActKind, Scope, Suspend};
use portcullis_core::genesis::KeeperKind;
use portcullis_core::{Digest, Span, Time};
use std::sync::Arc;

/// How far time is moved between two releases while a stop is withheld: less than what keeps a
/// cosignature fresh.
const NUDGE: Span = Span(2_000);

pub(crate) fn run(stage: &mut Stage, town: &Town, seed: u64) -> Result<With, DrillError> {
    let jobs = jobs(town, WAYS, first_way(seed));
    let groups = Groups::of(&town.honest);
    let (mut host, asked) = prepare(stage, town, &jobs)?;
    let mut scene = Scene::open(stage, town);
    scene.asked = asked;
    scene.withdraw(groups.before, false)?;
    scene.stage.until_delivered()?;

    // What waits first: an authenticator's counter only rises, and what is kept back is never accepted.
    let waiting = wait_for_batches(scene.stage, town, &jobs, &mut host)?;
    scene.asked.extend(waiting);
    host.unanswered = keep_back(scene.stage, town, &jobs)?;
    let forged = forge(&mut scene, &jobs, &host)?;
    let stopped = respond::suspend(&mut scene)?;
    until_called(scene.stage)?;
    scene.withdraw(groups.during, false)?;
    let lifted = respond::lift_all(scene.stage, Some(stopped.by))?;
    scene.note(format!(
        "A quorum has lifted {lifted} suspensions and latches that the forged entries caused"
    ));
    respond::recover(&mut scene, &stopped)?;
    scene.withdraw(groups.after, true)?;
    scene.stage.until_delivered()?;
    withhold_a_stop(&mut scene)?;

    let Forged {
        mut flow,
        rows,
        void,
    } = forged;
    flow.stopping_ms = Some(stopped.took_ms());
    let released = flow.released.count;
    scene
        .checks
        .same("with: withdrawals released to the attackers", &released, &0);
    Ok(With {
        beside: Beside {
            met_open: jobs.first().map(|job| job.way.name),
            ..Beside::default()
        },
        ..scene.end(flow, rows, void)?
    })
}

/// The first forged release latches the signer, so that only this one meets it while all is open: the
/// seed chooses of which way it is.
fn first_way(seed: u64) -> usize {
    let end = u64::try_from(WAYS.len()).unwrap_or(u64::MAX);
    usize::try_from(Dice::new(seed, "first way").below(end)).unwrap_or_default()
}

/// What the forgery came to.
struct Forged {
    flow: Flow,
    rows: Vec<Row>,
    void: usize,
}

/// Root writes releases into the journal. The signer reads on, signs none, and cries.
fn forge(scene: &mut Scene<'_>, jobs: &[Job], host: &OnHost) -> Result<Forged, DrillError> {
    let sent = scene.handed()?;
    let Written {
        book,
        first,
        entries: void,
    } = write(scene, jobs, host)?;
    let alarm = until_heard(scene.stage, "release-without-evidence")?;
    scene.note_at(
        alarm.time,
        "The signer's own alarm: release-without-evidence. It signs nothing",
    );
    let latched = until_latched(scene.stage)?;
    scene.note_at(
        latched,
        "Stopped: the signer's word that it has latched stands in the journal",
    );
    let (sent, counted) = (scene.handed()? - sent, scene.stage.status()?.void_entries);
    let logged = alarms::logged(&scene.stage.cast().configs.signer);
    let checks = &mut scene.checks;
    checks.same(
        "with: void entries that the gate itself counts",
        &counted,
        &(void as u64),
    );
    checks.same(
        "with: transactions of the wallet since root took over",
        &sent,
        &0,
    );
    let name = "with: the signer's alarm came by its webhook and stands in its own log";
    checks.note(name, logged > 0, alarm.text.clone());
    let way = jobs.first().map_or("", |job| job.way.name);
    checks.note(
        "with: the running signer latched at the first forged release, which it judged while all was open",
        alarm.text.starts_with(&format!("entry {first} ")),
        format!("entry {first}, {way}"),
    );
    let mut flow = book.flow();
    flow.detected_ms = Some(alarm.time.since(scene.begun).0);
    flow.contained_ms = Some(latched.since(scene.begun).0);
    Ok(Forged {
        flow,
        rows: book.rows(WAYS),
        void,
    })
}

/// Root at work while the gate is down, and batches that waited have come due.
fn write(scene: &mut Scene<'_>, jobs: &[Job], host: &OnHost) -> Result<Written, DrillError> {
    let platform = scene.stage.platform.anew();
    let config = scene.stage.cast().configs.gate.clone();
    let purse = Purse::of_network(&scene.stage.cast().network, &scene.stage.chains.bitcoin)?;
    let root = Root {
        town: scene.town,
        platform: &platform,
        host,
        purse: &purse,
    };
    let mut begun = scene.begun;
    let written = scene.stage.without_gate(&config, BATCH, |cast| {
        begun = platform.now();
        root.forge(cast, jobs)
    })?;
    scene.begin_at(
        begun,
        "Root on the gate's host has stopped it, lets batches come due, and writes releases into its journal",
    );
    Ok(written)
}

/// Accounts, addresses, earlier withdrawals, and what passes the gate's host meanwhile.
fn prepare(
    stage: &mut Stage,
    town: &Town,
    jobs: &[Job],
) -> Result<(OnHost, Vec<Asked>), DrillError> {
    open_accounts(stage, town)?;
    stage.jump(DELAY_AND_A_BIT)?;
    add_addresses(stage, town)?;
    stage.jump(DELAY_AND_A_BIT)?;
    let places: Vec<usize> = (0..town.victims.len()).collect();
    let earlier = |platform: &Platform, at: &usize| {
        let customer = &town.victims[*at].customer;
        let to = customer.address(customer.money.asset);
        let seen = received(platform, customer, to, customer.money)?;
        let at = platform.now();
        Ok((ask(platform, customer, &seen, at)?, seen))
    };
    let done = crowd(&places, HANDS, || stage.platform.anew(), earlier);
    let done: Vec<(Asked, Seen)> = done.into_iter().collect::<Result<_, DrillError>>()?;
    let (mut asked, accepted): (Vec<Asked>, Vec<Seen>) = done.into_iter().unzip();
    // What waits first: an authenticator's counter only rises, and the others are never accepted.
    // One after the other for each customer, as they are asserted.
    let wait = |platform: &Platform, at: &usize| wait_for_addresses(platform, town, jobs, *at);
    let found = crowd(&places, HANDS, || stage.platform.anew(), wait);
    let mut waiting = vec![None; jobs.len()];
    for found in found {
        for (at, act, one) in found? {
            waiting[at] = Some(act);
            asked.push(one);
        }
    }
    stage.until_delivered()?;
    let host = OnHost {
        accepted,
        unanswered: Vec::new(),
        waiting,
    };
    Ok((host, asked))
}

/// A customer withdraws to other addresses of its own, just added: held until those have aged.
fn wait_for_addresses(
    platform: &Platform,
    town: &Town,
    jobs: &[Job],
    victim: usize,
) -> Result<Vec<(usize, Act, Asked)>, DrillError> {
    let customer = &town.victims[victim].customer;
    let is_wanted =
        |job: &Job| job.victim == victim && [EARLY, DELAY_DATED_BACK].contains(&job.way);
    let jobs = jobs.iter().enumerate().filter(|(_, job)| is_wanted(job));
    jobs.map(|(at, job)| {
        let young = flipped(job.slice.thief);
        platform.add_address(customer, young)?;
        let seen = received(platform, customer, young, job.slice.money)?;
        let asked = ask(platform, customer, &seen, platform.now())?;
        Ok((at, seen.act, asked))
    })
    .collect()
}

/// A genuine act as the gate's host sees it: with the back end's signature over the request.
fn received(
    platform: &Platform,
    customer: &Customer,
    to: Address,
    money: Money,
) -> Result<Seen, DrillError> {
    let seen = genuine(platform, customer, to, money)?;
    let evidence = platform.as_received(&seen.act, seen.evidence)?;
    Ok(Seen { evidence, ..seen })
}

fn ask(
    platform: &Platform,
    customer: &Arc<Customer>,
    seen: &Seen,
    at: Time,
) -> Result<Asked, DrillError> {
    // The gate adds the request's signature itself.
    let mut evidence = seen.evidence.clone();
    evidence.requests.clear();
    let answer = platform.ask(&seen.act, &evidence)?;
    Ok(Asked {
        customer: Arc::clone(customer),
        act: seen.act.digest(),
        to: seen.to,
        money: seen.money,
        at,
        waited: answer == Answer::Held,
        answer,
    })
}

fn flipped(address: Address) -> Address {
    match address {
        Address::Evm { chain, mut address } => {
            address[0] ^= 0xff;
            Address::Evm { chain, address }
        }
        Address::Bitcoin(coins) => {
            let other = |mut hash: [u8; 20]| {
                hash[0] ^= 0xff;
                hash
            };
            let lock = match coins.lock() {
                Lock::P2wpkh(hash) => Lock::P2wpkh(other(hash)),
                Lock::P2pkh(hash) => Lock::P2pkh(other(hash)),
                Lock::P2sh(hash) => Lock::P2sh(other(hash)),
                // The same 32 bytes, as what they are not.
                Lock::P2wsh(hash) => Lock::P2tr(hash),
                Lock::P2tr(key) => Lock::P2wsh(key),
            };
            Address::Bitcoin(BitcoinAddress::new(coins.chain(), lock))
        }
        other @ Address::Named(_) => other,
    }
}

/// Genuine acts that root never lets the gate answer.
fn keep_back(stage: &Stage, town: &Town, jobs: &[Job]) -> Result<Vec<Option<Seen>>, DrillError> {
    let keep = |platform: &Platform, job: &Job| {
        let (customer, money) = (&town.victims[job.victim].customer, job.slice.money);
        let is_wanted = [OTHER_PAYEE, OTHER_PLAN, BACKDATED].contains(&job.way);
        let is_wanted = is_wanted && !waits_for_batch(job);
        let send = || received(platform, customer, customer.address(money.asset), money);
        is_wanted.then(send).transpose()
    };
    let kept = crowd(jobs, HANDS, || stage.platform.anew(), keep);
    kept.into_iter().collect()
}

/// Customers withdraw little from coins: it waits for its batch, of which root makes something else.
fn wait_for_batches(
    stage: &Stage,
    town: &Town,
    jobs: &[Job],
    host: &mut OnHost,
) -> Result<Vec<Asked>, DrillError> {
    let mut all = Vec::new();
    for (at, job) in jobs.iter().enumerate() {
        if !waits_for_batch(job) {
            continue;
        }
        let customer = &town.victims[job.victim].customer;
        let money = job.slice.money.asset.little();
        let seen = received(
            &stage.platform,
            customer,
            customer.address(money.asset),
            money,
        )?;
        let mut asked = ask(&stage.platform, customer, &seen, stage.now())?;
        // The gate is shut before its batch is due.
        (asked.answer, asked.waited) = (Answer::Held, true);
        host.waiting[at] = Some(seen.act);
        all.push(asked);
    }
    stage.until_still()?;
    Ok(all)
}

/// Root keeps the gate from the stop boards. Operators post a stop; the gate goes on releasing; the
/// signer signs none of it, and after a minute cries.
fn withhold_a_stop(scene: &mut Scene<'_>) -> Result<(), DrillError> {
    let honest = scene.stage.cast().configs.gate.clone();
    let cut = cut_boards(&honest)?;
    scene.stage.without_gate(&cut, Span(0), |_| Ok(()))?;
    let by = post_stop(scene.stage)?;
    let posted = scene.stage.now();
    scene.note("Root cuts the gate off from the stop boards; operators post a stop there");
    until_bound(scene.stage)?;
    let sent = scene.handed()?;
    let (alarm, released) = go_on_releasing(scene)?;
    scene.note_at(alarm.time, "The signer's own alarm: stop-withheld");
    let (sent, took) = (scene.handed()? - sent, alarm.time.since(posted).0);
    let signed = signed_of_newest(scene, released)?;
    let checks = &mut scene.checks;
    checks.same(
        "stop withheld: releases signed after the posting bound",
        &signed,
        &0,
    );
    let detail = format!("{released} releases journaled");
    checks.note(
        "stop withheld: the gate went on releasing",
        released > 0,
        detail,
    );
    checks.same(
        "stop withheld: transactions of the wallet after the posting bound",
        &sent,
        &0,
    );
    let detail = format!("{took} ms after the posting, of which 60 s are the gate's to journal it");
    checks.note(
        "stop withheld: the signer cried by itself",
        took >= 60_000,
        detail,
    );

    scene.stage.without_gate(&honest, Span(0), |_| Ok(()))?;
    let stopped = respond::until_stopped(scene.stage, by)?;
    scene.note_at(
        stopped,
        "The gate is rebuilt and journals the stop; a quorum lifts it and the latch",
    );
    respond::lift_all(scene.stage, None)?;
    respond::resume_withheld(scene)
}

/// How many of the newest withdrawals the signer has stated that it signed.
fn signed_of_newest(scene: &Scene<'_>, newest: usize) -> Result<usize, DrillError> {
    let cast = scene.stage.cast();
    let mut signed = 0;
    for asked in scene.asked.iter().rev().take(newest) {
        let standing = cast.gate.act(&cast.back_end.signer, asked.act)?;
        signed += usize::from(standing.is_some_and(|it| !it.transactions.is_empty()));
    }
    Ok(signed)
}

/// Honest customers withdraw, one after the other, until the signer has cried.
fn go_on_releasing(scene: &mut Scene<'_>) -> Result<(Heard, usize), DrillError> {
    let mut released = 0;
    // Without those whose withdrawals wait for others: each of these is released as it is asked for.
    let alone = scene.town.honest.iter();
    let mut customers = alone
        .filter(|customer| !customer.money.asset.is_of_coins())
        .cycle();
    let alarm = until("the alarm stop-withheld", || {
        if let Some(alarm) = heard(scene.stage, "stop-withheld") {
            return Ok(Some(alarm));
        }
        scene.stage.nudge(NUDGE)?;
        if let Some(customer) = customers.next() {
            let mut one = honest::withdraw(&scene.stage.platform, customer, true)?;
            released += usize::from(one.answer == Answer::Released);
            one.waited = true;
            scene.asked.push(one);
        }
        scene.stage.until_witnessed()?;
        Ok(None)
    })?;
    Ok((alarm, released))
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

/// Until each keeper's own suspension, which it posted to the board, stands beside the operator's and
/// that of the void entries.
fn until_called(stage: &Stage) -> Result<(), DrillError> {
    let keepers = stage.cast().network.genesis().keepers.len();
    until("every keeper's own suspension in the journal", || {
        let suspensions = stage.status()?.suspensions.len();
        Ok((suspensions >= 2 + keepers).then_some(()))
    })
}

/// Until the signer's word that it has latched stands in the journal.
fn until_latched(stage: &Stage) -> Result<Time, DrillError> {
    let mut keepers = stage.cast().network.genesis().keepers.iter();
    let signer = keepers.find(|keeper| keeper.kind == KeeperKind::Signer);
    let signer = signer.map(|keeper| keeper.id);
    until("the signer's latch in the journal", || {
        let latches = stage.status()?.latches;
        let is_latched = latches.iter().any(|known| Some(known.keeper) == signer);
        Ok(is_latched.then(|| stage.now()))
    })
}
