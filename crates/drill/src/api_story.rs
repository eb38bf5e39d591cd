//! The variant `api`, from beginning to end.

use crate::answer::Answer;
use crate::api::{Attackers, EXPIRED, Loot, OLD_CHECKPOINT, RACE, REPLAYED_ACT, WAYS, hold_back};
use crate::attack::{Book, Job, Seen, Tried, genuine, jobs};
use crate::codes;
use crate::crowd::{HANDS, crowd};
use crate::dice::Dice;
use crate::error::DrillError;
use crate::honest::{self, Asked, Groups};
use crate::people::{Customer, Town};
use crate::platform::Platform;
use crate::respond;
use crate::stage::Stage;
use crate::story::{DELAY_AND_A_BIT, Scene, With, add_addresses, open_accounts};
use portcullis_client::RequestSigner;
use portcullis_core::Span;
use portcullis_keys::software::SoftwareStatement;
use std::sync::Arc;

/// Longer than an act may be submitted.
const EXPIRY: Span = Span::seconds(660);

/// Something that somebody does during the attack.
enum Deed {
    Honest(Arc<Customer>),
    Attack(Job),
}

/// What it came to.
enum Done {
    Honest(Asked),
    Attack(Tried),
    /// The customer's own withdrawal and the copies that raced it.
    Race(Asked, Tried),
}

pub(crate) fn run(stage: &mut Stage, town: &Town, seed: u64) -> Result<With, DrillError> {
    let jobs = jobs(town, WAYS, 0);
    let (loot, asked) = prepare(stage, town, &jobs)?;
    let key = SoftwareStatement::ed25519(&Dice::new(seed, "attackers").secret())?;
    let attackers = Attackers {
        town,
        loot: &loot,
        key: RequestSigner::new(Arc::new(key)),
    };
    let mut scene = Scene::open(stage, town);
    scene.asked = asked;
    let groups = Groups::of(&town.honest);
    let mixed: Vec<Job> = jobs
        .iter()
        .filter(|job| !codes::is_ours(job))
        .cloned()
        .collect();
    let (early, late) = mixed.split_at(mixed.len() * 2 / 3);
    let (mut book, mut dice) = (Book::default(), Dice::new(seed, "order"));

    // The code of each one's earlier withdrawal has served.
    scene.stage.next_code()?;
    scene.begin("The attack begins: owners of an app are talked out of a code");
    book.tried.extend(codes::talk_out(&mut scene, &jobs)?);
    scene.note("They were told of an address each, and have taken it back");
    book.tried.extend(codes::besiege(&mut scene, &jobs)?);
    scene.note("The attack goes on, among honest withdrawals");
    perform(
        &mut scene,
        &mut book,
        &attackers,
        &mix(&mut dice, early, groups.before),
    )?;
    scene.stage.until_mostly_delivered(&scene.asked)?;
    let stopped = respond::suspend(&mut scene)?;
    perform(
        &mut scene,
        &mut book,
        &attackers,
        &mix(&mut dice, late, groups.during),
    )?;
    scene.note("The attack ends");
    respond::recover(&mut scene, &stopped)?;
    scene.withdraw(groups.after, true)?;

    let mut flow = book.flow();
    flow.contained_ms = Some(stopped.at.since(scene.begun).0);
    flow.stopping_ms = Some(stopped.took_ms());
    let released = flow.released.count;
    scene
        .checks
        .same("with: withdrawals released to the attackers", &released, &0);
    let heard = scene.heard();
    scene.checks.same(
        "with: alarms of the signer, whom nothing reached",
        &heard,
        &0,
    );
    scene.end(flow, book.rows(WAYS), 0)
}

/// The day before: accounts, addresses, and everything that the attackers saw pass and held back.
fn prepare(stage: &mut Stage, town: &Town, jobs: &[Job]) -> Result<(Loot, Vec<Asked>), DrillError> {
    open_accounts(stage, town)?;
    stage.jump(DELAY_AND_A_BIT)?;
    add_addresses(stage, town)?;
    let day_old = hold_back(town, jobs, &OLD_CHECKPOINT, &stage.platform)?;
    stage.jump(DELAY_AND_A_BIT)?;
    let expired = hold_back(town, jobs, &EXPIRED, &stage.platform)?;
    stage.jump(EXPIRY)?;
    codes::clear_of_midnight(stage)?;
    let (accepted, asked) = pass(stage, town, jobs)?;
    let loot = Loot {
        day_old,
        expired,
        accepted,
    };
    Ok((loot, asked))
}

/// Each attacked customer withdraws once, honestly, and the attackers watch: of the same amount as
/// what they will try by replaying it.
fn pass(
    stage: &mut Stage,
    town: &Town,
    jobs: &[Job],
) -> Result<(Vec<Seen>, Vec<Asked>), DrillError> {
    let replayed = |at: usize| {
        jobs.iter()
            .find(|job| job.victim == at && job.way == REPLAYED_ACT)
    };
    let withdraw = |platform: &Platform, at: &usize| {
        let customer = &town.victims[*at].customer;
        let money = replayed(*at).map_or(customer.money, |job| job.slice.money);
        let to = customer.address(money.asset);
        let seen = genuine(platform, customer, to, money)?;
        let asked = Asked {
            customer: Arc::clone(customer),
            act: seen.act.digest(),
            money,
            at: platform.now(),
            to,
            answer: platform.ask(&seen.act, &seen.evidence)?,
            waited: false,
        };
        Ok((seen, asked))
    };
    let places: Vec<usize> = (0..town.victims.len()).collect();
    let done = crowd(&places, HANDS, || stage.platform.anew(), withdraw);
    let done: Vec<_> = done.into_iter().collect::<Result<_, DrillError>>()?;
    stage.until_delivered()?;
    Ok(done.into_iter().unzip())
}

fn mix(dice: &mut Dice, jobs: &[Job], honest: &[Arc<Customer>]) -> Vec<Deed> {
    let jobs = jobs.iter().map(|job| Deed::Attack(job.clone()));
    let honest = honest
        .iter()
        .map(|customer| Deed::Honest(Arc::clone(customer)));
    let mut deeds: Vec<Deed> = jobs.chain(honest).collect();
    dice.shuffle(&mut deeds);
    deeds
}

/// Do all of it, in this order, so many at once; note what it came to.
fn perform(
    scene: &mut Scene<'_>,
    book: &mut Book,
    attackers: &Attackers<'_>,
    deeds: &[Deed],
) -> Result<(), DrillError> {
    let act = |platform: &Platform, deed: &Deed| match deed {
        Deed::Honest(customer) => Ok(Done::Honest(honest::withdraw(platform, customer, false)?)),
        Deed::Attack(job) if job.way == RACE => race(platform, attackers, job),
        Deed::Attack(job) => {
            let answer = attackers.attempt(platform, job)?;
            Ok(Done::Attack(Tried::of(job, answer)))
        }
    };
    let stage = &*scene.stage;
    for done in crowd(deeds, HANDS, || stage.platform.anew(), act) {
        match done? {
            Done::Honest(one) => scene.asked.push(one),
            Done::Attack(tried) => book.tried.push(tried),
            Done::Race(one, tried) => {
                scene.asked.push(one);
                book.tried.push(tried);
            }
        }
    }
    Ok(())
}

fn race(platform: &Platform, attackers: &Attackers<'_>, job: &Job) -> Result<Done, DrillError> {
    let race = attackers.race(platform, job)?;
    let asked = Asked {
        customer: Arc::clone(&attackers.town.victims[job.victim].customer),
        act: race.digest,
        money: job.slice.money,
        at: race.asked,
        to: attackers.town.victims[job.victim]
            .customer
            .address(job.slice.money.asset),
        answer: race.own(),
        waited: race.own() == Answer::Held,
    };
    Ok(Done::Race(asked, Tried::of(job, race.copies())))
}
