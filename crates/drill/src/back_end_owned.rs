//! The variant `back-end-owned`: the attackers have the platform's page and back end.
//!
//! The page shows a customer one act and obtains its genuine assertion for another; the back end signs,
//! the ledger debits. Something can leave by design, and the drill measures how much: only to an
//! address that the customer was tricked into adding, that then stood in the customer's own book for
//! the full delay, visible and told; only from a customer who came back and was tricked again; and only
//! within that account's limits.

use crate::answer::Answer;
use crate::attack::{Book, Tried, Way};
use crate::checks::Checks;
use crate::crowd::{HANDS, crowd};
use crate::error::DrillError;
use crate::honest::Groups;
use crate::money::{ASSETS, Asset, Money};
use crate::outcome::{Flow, Tally};
use crate::people::{Customer, Slice, Town};
use crate::platform::Platform;
use crate::respond;
use crate::stage::Stage;
use crate::story::{Beside, DELAY_AND_A_BIT, Scene, With, Worst, add_addresses, open_accounts};
use crate::wait::until;
use portcullis_chains::Amount;
use portcullis_chains::caip::Address;
use portcullis_core::act::{Act, ActKind, Cancel, CancelAddress};
use portcullis_core::{Digest, Reason};
use std::collections::BTreeMap;

const DIRECT: Way = Way {
    name: "tricked into paying a fresh address at once",
    met_by: Some(Answer::Refused(Reason::AddressUnknown)),
};
const CANCELLED: Way = Way {
    name: "tricked into adding an address, noticed: the address was cancelled",
    met_by: Some(Answer::Refused(Reason::AddressUnknown)),
};
const FROZEN: Way = Way {
    name: "tricked into adding an address, noticed: the account was frozen",
    met_by: Some(Answer::Refused(Reason::AccountFrozen)),
};
const YOUNG: Way = Way {
    name: "tricked into adding an address and into paying it before its day was over",
    met_by: Some(Answer::Held),
};
const UNNOTICED: Way = Way {
    name: "tricked twice, a day apart, and noticed nothing",
    met_by: None,
};
const TOO_LATE: Way = Way {
    name: "tricked twice, the second time after withdrawals were suspended",
    met_by: Some(Answer::Held),
};

const WAYS: &[Way] = &[DIRECT, CANCELLED, FROZEN, YOUNG, UNNOTICED, TOO_LATE];

/// One withdrawal to be tried, at an address that all of the customer's go to.
struct Trick<'a> {
    way: Way,
    customer: &'a Customer,
    slice: Slice,
    to: Address,
}

/// What became of one, with the act where it waits.
struct Done {
    tried: Tried,
    waiting: Option<Digest>,
}

pub(crate) fn run(stage: &mut Stage, town: &Town) -> Result<With, DrillError> {
    open_accounts(stage, town)?;
    stage.jump(DELAY_AND_A_BIT)?;
    add_addresses(stage, town)?;
    stage.jump(DELAY_AND_A_BIT)?;
    let groups = Groups::of(&town.honest);
    let tricks = tricks(town);
    let mut book = Book::default();
    let mut scene = Scene::open(stage, town);

    scene.begin("The page lies: customers sign what they do not see");
    scene.withdraw(groups.before, false)?;
    first_day(&mut scene, &tricks, &mut book)?;
    scene.stage.jump(DELAY_AND_A_BIT)?;
    scene.note("A day later the other addresses count");
    for way in [CANCELLED, FROZEN, UNNOTICED] {
        try_all(scene.stage, &tricks, &way, &mut book)?;
    }
    // Nobody notices before it has arrived: the worst case.
    scene.stage.until_delivered()?;
    let stopped = respond::suspend(&mut scene)?;
    let late = try_all(scene.stage, &tricks, &TOO_LATE, &mut book)?;
    scene.withdraw(groups.during, false)?;
    clean_up(scene.stage, &tricks, &late)?;
    scene.note("Support cancels the attackers' addresses and what waits for them");
    respond::recover(&mut scene, &stopped)?;
    scene.withdraw(groups.after, true)?;

    let mut flow = book.flow();
    flow.contained_ms = Some(stopped.at.since(scene.begun).0);
    flow.stopping_ms = Some(stopped.took_ms());
    bound(scene.stage, &tricks, &mut scene.checks)?;
    let worst = worst(town);
    beyond_nobody_notices(&mut scene.checks, &flow, &worst);
    let heard = scene.heard();
    let name = "with: alarms of the signer, to whom each of these is what a customer signed";
    scene.checks.same(name, &heard, &0);
    Ok(With {
        beside: Beside {
            worst: Some(worst),
            ..Beside::default()
        },
        ..scene.end(flow, book.rows(WAYS), 0)?
    })
}

/// Tricked at once, or into adding an address; and those who read their mail within the day.
fn first_day(
    scene: &mut Scene<'_>,
    tricks: &[Trick<'_>],
    book: &mut Book,
) -> Result<(), DrillError> {
    try_all(scene.stage, tricks, &DIRECT, book)?;
    let added = add_all(scene.stage, tricks)?;
    scene.note(format!(
        "{added} customers were tricked into adding an address; the herald tells each of it by mail"
    ));
    let young = try_all(scene.stage, tricks, &YOUNG, book)?;
    notice(scene.stage, tricks, &young)?;
    scene.note(
        "Those who read their mail call: addresses cancelled, accounts frozen, waiting withdrawals \
         cancelled",
    );
    scene.stage.until_delivered()
}

/// Of ten customers three are tricked into paying at once, the other seven into adding an address first.
/// Of those seven three notice within the day (one cancels it, one has the account frozen, one finds a
/// withdrawal waiting for it), three notice nothing, and one is tricked the second time too late.
fn tricks(town: &Town) -> Vec<Trick<'_>> {
    const CYCLE: [Way; 10] = [
        DIRECT, CANCELLED, UNNOTICED, DIRECT, FROZEN, UNNOTICED, DIRECT, YOUNG, UNNOTICED, TOO_LATE,
    ];
    let victims = town.victims.iter().zip(CYCLE.iter().cycle());
    let tricks = victims.flat_map(|(victim, way)| {
        let to = victim
            .slices
            .first()
            .map_or(victim.customer.address, |slice| slice.thief);
        victim.slices.iter().map(move |slice| Trick {
            way: way.clone(),
            customer: &victim.customer,
            slice: *slice,
            to,
        })
    });
    tricks.collect()
}

/// Each customer once, whatever the number of its slices.
fn customers<'a>(tricks: &'a [Trick<'a>], ways: &[Way]) -> Vec<&'a Trick<'a>> {
    let mut seen = BTreeMap::new();
    for trick in tricks.iter().filter(|trick| ways.contains(&trick.way)) {
        seen.entry(trick.customer.account).or_insert(trick);
    }
    seen.into_values().collect()
}

/// The customer believes to sign something else; what it asserts is the attackers' withdrawal.
fn try_all(
    stage: &Stage,
    tricks: &[Trick<'_>],
    way: &Way,
    book: &mut Book,
) -> Result<Vec<Digest>, DrillError> {
    // One at a time for each customer, as a page would: its limit is what stops the next.
    let mut by_customer: BTreeMap<_, Vec<&Trick<'_>>> = BTreeMap::new();
    for trick in tricks.iter().filter(|trick| trick.way == *way) {
        by_customer
            .entry(trick.customer.account)
            .or_default()
            .push(trick);
    }
    let by_customer: Vec<Vec<&Trick<'_>>> = by_customer.into_values().collect();
    let each = |platform: &Platform, tricks: &Vec<&Trick<'_>>| {
        let done = tricks.iter().map(|trick| try_one(platform, trick));
        done.collect::<Result<Vec<Done>, DrillError>>()
    };
    let mut waiting = Vec::new();
    for done in crowd(&by_customer, HANDS, || stage.platform.anew(), each) {
        for done in done? {
            book.tried.push(done.tried);
            waiting.extend(done.waiting);
        }
    }
    Ok(waiting)
}

fn try_one(platform: &Platform, trick: &Trick<'_>) -> Result<Done, DrillError> {
    let (customer, money) = (trick.customer, trick.slice.money);
    let act: Act = platform.act_of(customer, platform.withdraw(trick.to, money))?;
    let evidence = platform.full_evidence(&customer.passkey, &act)?;
    let answer = platform.relay(&act, &evidence);
    let waiting = (answer == Answer::Held).then(|| act.digest());
    let way = trick.way.clone();
    Ok(Done {
        tried: Tried { way, money, answer },
        waiting,
    })
}

/// Everybody but those who are tricked into paying at once. Gives how many.
fn add_all(stage: &Stage, tricks: &[Trick<'_>]) -> Result<usize, DrillError> {
    let tricked = customers(tricks, &[CANCELLED, FROZEN, YOUNG, UNNOTICED, TOO_LATE]);
    let add =
        |platform: &Platform, trick: &&Trick<'_>| platform.add_address(trick.customer, trick.to);
    let answers = crowd(&tricked, HANDS, || stage.platform.anew(), add);
    let answers: Vec<Answer> = answers.into_iter().collect::<Result<_, _>>()?;
    Ok(answers
        .iter()
        .filter(|answer| **answer == Answer::Released)
        .count())
}

/// What the customers do who read their mail within the day, with support on the phone.
fn notice(stage: &Stage, tricks: &[Trick<'_>], young: &[Digest]) -> Result<(), DrillError> {
    for trick in customers(tricks, &[CANCELLED, FROZEN, YOUNG]) {
        let address = trick.to.to_string();
        stage.mail.until_told(&trick.customer.mail(), &address)?;
    }
    let cancel = |trick: &Trick<'_>| ActKind::CancelAddress(CancelAddress { address: trick.to });
    for trick in customers(tricks, &[CANCELLED, YOUNG]) {
        done(&stage.platform.support(trick.customer, cancel(trick))?)?;
    }
    for trick in customers(tricks, &[FROZEN]) {
        done(&stage.platform.support(trick.customer, ActKind::Freeze)?)?;
    }
    cancel_waiting(stage, young)
}

fn cancel_waiting(stage: &Stage, acts: &[Digest]) -> Result<(), DrillError> {
    for act in acts {
        let kind = ActKind::Cancel(Cancel { act: *act });
        let (_, answer) = stage.platform.staff(&stage.cast().support, kind)?;
        // What waited for an address that is gone has ended by itself.
        if answer != Answer::Refused(Reason::ActGone) {
            done(&answer)?;
        }
    }
    Ok(())
}

/// After the suspension: what waits for the attackers ends, their addresses leave the books, and a
/// quorum thaws what support froze.
fn clean_up(stage: &Stage, tricks: &[Trick<'_>], late: &[Digest]) -> Result<(), DrillError> {
    cancel_waiting(stage, late)?;
    for trick in customers(tricks, &[UNNOTICED, TOO_LATE]) {
        let kind = ActKind::CancelAddress(CancelAddress { address: trick.to });
        done(&stage.platform.support(trick.customer, kind)?)?;
    }
    for trick in customers(tricks, &[FROZEN]) {
        let account = Some(trick.customer.account);
        respond::with_quorum(&stage.platform, account, ActKind::Unfreeze)?;
        until_thawed(stage, trick.customer)?;
    }
    Ok(())
}

fn until_thawed(stage: &Stage, customer: &Customer) -> Result<(), DrillError> {
    let cast = stage.cast();
    until("an account that is thawed", || {
        let account = cast.gate.account(&cast.back_end.signer, customer.account)?;
        Ok(account.is_some_and(|account| !account.frozen).then_some(()))
    })
}

fn done(answer: &Answer) -> Result<(), DrillError> {
    match answer {
        Answer::Released => Ok(()),
        other => Err(DrillError::InVain(format!(
            "support's act: {}",
            other.text()
        ))),
    }
}

/// What the limits would let go if every attacked customer were tricked twice and none noticed.
fn worst(town: &Town) -> Worst {
    let within = |limit: fn(&Asset) -> Amount| {
        let accounts = town.victims.iter().flat_map(|victim| {
            let all: Tally = victim.slices.iter().map(|slice| slice.money).collect();
            let each = all.each().filter(|money| !money.amount.is_zero());
            let each = each.map(|money| money.asset.much(money.amount.min(limit(money.asset))));
            each.collect::<Vec<Money>>()
        });
        accounts.collect()
    };
    Worst {
        day: within(Asset::account_day),
        week: within(Asset::account_week),
    }
}

/// How many notice is the drill's choice; what the limits let go if nobody does is not.
fn beyond_nobody_notices(checks: &mut Checks, flow: &Flow, worst: &Worst) {
    let lost = &flow.released;
    let detail = format!(
        "{lost} left; if nobody noticed, at most {} on the first day and {} within a week, of {} attacked",
        worst.day, worst.week, flow.attempted
    );
    let name = "bound: the loss is within what the limits let go if nobody notices";
    checks.note(name, lost.is_within(&worst.day), detail);
}

/// What stands at an address that a customer was tricked about.
struct Taken {
    /// Whether the customer noticed nothing.
    is_unnoticed: bool,
    held: Tally,
}

/// What can leave at most, measured on the chain.
fn bound(stage: &Stage, tricks: &[Trick<'_>], checks: &mut Checks) -> Result<(), DrillError> {
    let taken = taken(stage, tricks)?;
    let is_over = |taken: &&Taken| {
        let mut each = taken.held.each();
        each.any(|money| money.amount > money.asset.account_day())
    };
    let is_elsewhere = |taken: &&Taken| !taken.is_unnoticed && taken.held.count > 0;
    checks.same(
        "bound: accounts that lost more than their limit for a day",
        &taken.iter().filter(is_over).count(),
        &0,
    );
    checks.same(
        "bound: accounts that lost anything though somebody noticed, or at once",
        &taken.iter().filter(is_elsewhere).count(),
        &0,
    );
    let tricked = taken.iter().filter(|taken| taken.is_unnoticed).count();
    let most = |asset: &'static Asset| asset.much(Amount(asset.account_day().0 * tricked as u128));
    let most: Tally = ASSETS.map(most).into_iter().collect();
    let lost: Tally = taken.iter().flat_map(|taken| taken.held.each()).collect();
    checks.note(
        "bound: the loss is within the limits of those who were tricked twice",
        lost.is_within(&most),
        format!("{lost} of at most {most} ({tricked} accounts)"),
    );
    Ok(())
}

fn taken(stage: &Stage, tricks: &[Trick<'_>]) -> Result<Vec<Taken>, DrillError> {
    let mut by_address: BTreeMap<Address, bool> = BTreeMap::new();
    for trick in tricks {
        *by_address.entry(trick.to).or_default() |= trick.way == UNNOTICED;
    }
    let taken = by_address.into_iter().map(|(to, is_unnoticed)| {
        let held = ASSETS.map(|asset| stage.chain.balance(to, asset));
        let held: Vec<Money> = held.into_iter().collect::<Result<_, _>>()?;
        let held = held.into_iter().filter(|money| !money.amount.is_zero());
        Ok(Taken {
            is_unnoticed,
            held: held.collect(),
        })
    });
    taken.collect()
}
