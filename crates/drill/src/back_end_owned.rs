//! The variant `back-end-owned`: the attackers have the platform's page and back end.
//!
//! The page shows a customer one act and obtains its genuine assertion for another; the back end signs,
//! the ledger debits. Something can leave by design, and the drill measures how much: only to an
//! address that the customer was tricked into adding, that then stood in the customer's own book for
//! the full delay, visible and told; only from a customer who came back and was tricked again; and only
//! within that account's limits.

use crate::answer::Answer;
use crate::attack::{Book, On, Tried, Way};
use crate::chains::assets_of;
use crate::checks::Checks;
use crate::codes::take_back;
use crate::crowd::{HANDS, crowd};
use crate::error::DrillError;
use crate::honest::Groups;
use crate::money::{ASSETS, Asset, Money};
use crate::outcome::{Flow, Tally};
use crate::people::{Customer, Slice, Town, Victim};
use crate::platform::Platform;
use crate::respond;
use crate::stage::Stage;
use crate::story::{
    Beside, DELAY_AND_A_BIT, SIX_DAYS, Scene, With, Worst, add_apps_addresses, add_other_addresses,
    open_accounts,
};
use crate::wait::until;
use portcullis_chains::caip::Address;
use portcullis_chains::{Amount, ChainId};
use portcullis_core::act::{Act, ActKind, Cancel, CancelAddress};
use portcullis_core::{Digest, Reason};
use std::collections::BTreeMap;

macro_rules! ways {
    ($($name:ident $on:ident $text:literal $met_by:expr;)*) => {
        $(pub(crate) const $name: Way = Way {
            name: $text,
            on: On::$on,
            met_by: $met_by,
        };)*
        /// All of them, in the table's order.
        const WAYS: &[Way] = &[$($name),*];
    };
}

ways! {
    DIRECT Everybody "tricked into paying a fresh address at once" Some(refused(Reason::AddressUnknown));
    CANCELLED Passkey "tricked into adding an address, noticed: the address was cancelled" Some(refused(Reason::AddressUnknown));
    FROZEN Passkey "tricked into adding an address, noticed: the account was frozen" Some(refused(Reason::AccountFrozen));
    YOUNG Passkey "tricked into adding an address and into paying it before its day was over" Some(Answer::Held);
    UNNOTICED Passkey "tricked twice, a day apart, and noticed nothing" None;
    TOO_LATE Passkey "tricked twice, the second time after withdrawals were suspended" Some(Answer::Held);
    CODE_TAKEN_BACK Little "talked out of a code for an address, noticed: taken back by the next code" Some(refused(Reason::AddressUnknown));
    CODE_YOUNG Little "talked out of codes for an address and, a day later, for paying it" Some(refused(Reason::AddressTooYoung));
    CODE_UNNOTICED Little "talked out of codes, a week apart, and noticed nothing" None;
}

const fn refused(reason: Reason) -> Answer {
    Answer::Refused(reason)
}

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
    let groups = Groups::of(&town.honest);
    let tricks = tricks(town);
    let mut book = Book::default();
    let mut scene = Scene::open(stage, town);

    add_apps_addresses(scene.stage, town)?;
    week_before(&mut scene, &tricks)?;
    scene.stage.jump(SIX_DAYS)?;
    add_other_addresses(scene.stage, town)?;
    scene.stage.jump(DELAY_AND_A_BIT)?;
    scene.note("A week later the page lies to everybody: customers sign what they do not see");
    scene.withdraw(groups.before, false)?;
    first_day(&mut scene, &tricks, &mut book)?;
    scene.stage.jump(DELAY_AND_A_BIT)?;
    scene.note("A day later the other addresses count");
    let mut waiting = Vec::new();
    for way in [CANCELLED, FROZEN, UNNOTICED, CODE_TAKEN_BACK, CODE_YOUNG] {
        waiting.extend(try_all(scene.stage, &tricks, &way, &mut book)?);
    }
    empty_by_codes(scene.stage, &tricks, &mut book)?;
    // Nobody notices before it has arrived: the worst case.
    scene.stage.until_delivered()?;
    let stopped = respond::suspend(&mut scene)?;
    waiting.extend(try_all(scene.stage, &tricks, &TOO_LATE, &mut book)?);
    scene.withdraw(groups.during, false)?;
    clean_up(scene.stage, &tricks, &waiting)?;
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

/// A code pays no address that is less than a week old: who wants to be paid by codes begins then.
fn week_before(scene: &mut Scene<'_>, tricks: &[Trick<'_>]) -> Result<(), DrillError> {
    // The code by which each has just added its own has served.
    scene.stage.next_code()?;
    scene.begin(
        "The page talks owners of an app out of a code: for an address that has to age a week",
    );
    let added = add_for(scene.stage, &places(tricks, &[CODE_UNNOTICED]))?;
    scene.note(format!(
        "{added} addresses were added so; the herald tells of each"
    ));
    Ok(())
}

/// One code, and half a minute later another, and once more: each would pay what it lets out. Two use up the
/// day's limit, which is then what stops the third and everything that is left.
fn empty_by_codes(
    stage: &mut Stage,
    tricks: &[Trick<'_>],
    book: &mut Book,
) -> Result<(), DrillError> {
    const CODES: usize = 3;
    let mut rounds: [Vec<&Trick<'_>>; CODES] = Default::default();
    let mut tried: BTreeMap<_, usize> = BTreeMap::new();
    for trick in tricks.iter().filter(|trick| trick.way == CODE_UNNOTICED) {
        let before = tried.entry(trick.customer.account).or_default();
        rounds[(*before).min(CODES - 1)].push(trick);
        *before += 1;
    }
    for round in &rounds {
        try_each(stage, round, book)?;
        stage.next_code()?;
    }
    Ok(())
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
        "{added} addresses customers were tricked into adding, one of each customer's on each chain; the herald tells of each by mail"
    ));
    let young = try_all(scene.stage, tricks, &YOUNG, book)?;
    notice(scene.stage, tricks, &young)?;
    let taken_back = add_by_codes(scene.stage, tricks)?;
    let owners = places(tricks, &[CODE_TAKEN_BACK]).len();
    let name = "with: app owners who took an address back by their next code";
    scene.checks.same(name, &taken_back, &owners);
    scene.note(
        "Those who read their mail call: addresses cancelled, accounts frozen, waiting withdrawals \
         cancelled",
    );
    scene.stage.until_delivered()
}

/// Every app's owner is talked out of two more codes, for an address each. Of one it is told, and takes it back by
/// its next code; the other stays. Gives how many took one back.
fn add_by_codes(stage: &mut Stage, tricks: &[Trick<'_>]) -> Result<usize, DrillError> {
    add_for(stage, &places(tricks, &[CODE_YOUNG]))?;
    stage.next_code()?;
    let noticed = places(tricks, &[CODE_TAKEN_BACK]);
    add_for(stage, &noticed)?;
    for trick in &noticed {
        let address = trick.to.to_string();
        stage.mail.until_told(&trick.customer.mail(), &address)?;
    }
    let places = noticed.iter().map(|trick| (trick.customer, trick.to));
    take_back(stage, &places.collect::<Vec<_>>())
}

/// Of ten customers three are tricked into paying at once, the other seven into adding an address first.
/// Of those seven three notice within the day (one cancels it, one has the account frozen, one finds a
/// withdrawal waiting for it), three notice nothing, and one is tricked the second time too late.
/// Of an app's owner one withdrawal each is tried at once, at an address that it takes back, and at one that is too
/// young; and all others at an address that it did not notice for a week.
fn tricks(town: &Town) -> Vec<Trick<'_>> {
    let cycle = [
        CANCELLED, UNNOTICED, DIRECT, FROZEN, UNNOTICED, DIRECT, YOUNG, TOO_LATE, UNNOTICED, DIRECT,
    ];
    let victims = town.victims.iter();
    let with_passkey = victims.filter(|victim| victim.customer.app.is_none());
    let with_passkey = with_passkey.zip(cycle.iter().cycle());
    let with_passkey = with_passkey.flat_map(|(victim, way)| {
        let ways = core::iter::repeat_n(way, victim.slices.len());
        of_victim(victim, ways)
    });
    let (first, direct) = ([DIRECT, CODE_TAKEN_BACK, CODE_YOUNG], DIRECT);
    let with_app = town.attacked_apps().flat_map(|(_, victim)| {
        let mut ways = first.iter().chain(core::iter::repeat(&CODE_UNNOTICED));
        let ways = victim.slices.iter().filter_map(|slice| {
            // A code adds one address, and lets nothing large out of what is elsewhere.
            let is_elsewhere = slice.money.asset.is_of_coins();
            if is_elsewhere {
                Some(&direct)
            } else {
                ways.next()
            }
        });
        of_victim(victim, ways)
    });
    with_passkey.chain(with_app).collect()
}

/// A victim's withdrawals, each in its way; those of one way go to one address on each chain.
fn of_victim<'a, 'b>(victim: &'a Victim, ways: impl Iterator<Item = &'b Way>) -> Vec<Trick<'a>> {
    let mut addresses: BTreeMap<(&str, ChainId), Address> = BTreeMap::new();
    let slices = victim.slices.iter().zip(ways);
    slices
        .map(|(slice, way)| Trick {
            way: way.clone(),
            customer: &victim.customer,
            slice: *slice,
            to: *addresses
                .entry((way.name, slice.thief.chain()))
                .or_insert(slice.thief),
        })
        .collect()
}

/// Each address of a customer's once, whatever the number of slices that go there.
fn places<'a>(tricks: &'a [Trick<'a>], ways: &[Way]) -> Vec<&'a Trick<'a>> {
    let mut seen = BTreeMap::new();
    for trick in tricks.iter().filter(|trick| ways.contains(&trick.way)) {
        seen.entry((trick.customer.account, trick.to))
            .or_insert(trick);
    }
    seen.into_values().collect()
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
    stage: &mut Stage,
    tricks: &[Trick<'_>],
    way: &Way,
    book: &mut Book,
) -> Result<Vec<Digest>, DrillError> {
    let tricks: Vec<&Trick<'_>> = tricks.iter().filter(|trick| trick.way == *way).collect();
    try_each(stage, &tricks, book)
}

/// One at a time for each customer, as a page would: its limit is what stops the next. What is paid from coins waits for
/// its batch first, and may find then that others have used the limit up.
fn try_each(
    stage: &mut Stage,
    tricks: &[&Trick<'_>],
    book: &mut Book,
) -> Result<Vec<Digest>, DrillError> {
    let by_customer = by_customer(tricks);
    let each = |platform: &Platform, tricks: &Vec<&Trick<'_>>| {
        let done = tricks.iter().map(|trick| try_one(platform, trick));
        done.collect::<Result<Vec<Done>, DrillError>>()
    };
    let done = crowd(&by_customer, HANDS, || stage.platform.anew(), each);
    let done: Vec<Vec<Done>> = done.into_iter().collect::<Result<_, _>>()?;
    if done
        .iter()
        .flatten()
        .any(|done| done.tried.answer == Answer::Batched)
    {
        stage.until_delivered()?;
    }
    let mut waiting = Vec::new();
    for Done {
        mut tried,
        waiting: act,
    } in done.into_iter().flatten()
    {
        if let (Answer::Batched, Some(act)) = (&tried.answer, act) {
            tried.answer = stage.platform.paid_with_others(act)?;
        }
        waiting.extend(act.filter(|_| tried.answer == Answer::Held));
        book.tried.push(tried);
    }
    Ok(waiting)
}

fn by_customer<'a>(tricks: &[&'a Trick<'a>]) -> Vec<Vec<&'a Trick<'a>>> {
    let mut by_customer: BTreeMap<_, Vec<&Trick<'_>>> = BTreeMap::new();
    for trick in tricks {
        let tricks = by_customer.entry(trick.customer.account).or_default();
        tricks.push(trick);
    }
    by_customer.into_values().collect()
}

fn try_one(platform: &Platform, trick: &Trick<'_>) -> Result<Done, DrillError> {
    let (customer, money) = (trick.customer, trick.slice.money);
    let act: Act = platform.act_of(customer, money.paid_to(trick.to))?;
    let evidence = platform.debited(&act, platform.proof(customer, &act)?)?;
    let answer = platform.ask(&act, &evidence)?;
    let waiting = matches!(answer, Answer::Held | Answer::Batched).then(|| act.digest());
    let way = trick.way.clone();
    Ok(Done {
        tried: Tried { way, money, answer },
        waiting,
    })
}

/// Everybody with a passkey but those who are tricked into paying at once. Gives how many addresses.
fn add_all(stage: &Stage, tricks: &[Trick<'_>]) -> Result<usize, DrillError> {
    let tricked = places(tricks, &[CANCELLED, FROZEN, YOUNG, UNNOTICED, TOO_LATE]);
    add_for(stage, &tricked)
}

/// Each adds the attackers' addresses, by whatever proves its acts, one after the other. Gives how many.
fn add_for(stage: &Stage, tricked: &[&Trick<'_>]) -> Result<usize, DrillError> {
    let by_customer = by_customer(tricked);
    let add = |platform: &Platform, tricks: &Vec<&Trick<'_>>| {
        let tricks = tricks.iter();
        let added = tricks.map(|trick| platform.add_address(trick.customer, trick.to));
        added.collect::<Result<Vec<Answer>, DrillError>>()
    };
    let answers = crowd(&by_customer, HANDS, || stage.platform.anew(), add);
    let answers: Vec<Vec<Answer>> = answers.into_iter().collect::<Result<_, _>>()?;
    let answers = answers.iter().flatten();
    Ok(answers
        .filter(|answer| **answer == Answer::Released)
        .count())
}

/// What the customers do who read their mail within the day, with support on the phone.
fn notice(stage: &Stage, tricks: &[Trick<'_>], young: &[Digest]) -> Result<(), DrillError> {
    for trick in places(tricks, &[CANCELLED, FROZEN, YOUNG]) {
        let address = trick.to.to_string();
        stage.mail.until_told(&trick.customer.mail(), &address)?;
    }
    let cancel = |trick: &Trick<'_>| ActKind::CancelAddress(CancelAddress { address: trick.to });
    for trick in places(tricks, &[CANCELLED, YOUNG]) {
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
    for ways in [&[UNNOTICED, TOO_LATE][..], &[CODE_UNNOTICED], &[CODE_YOUNG]] {
        for trick in places(tricks, ways) {
            let kind = ActKind::CancelAddress(CancelAddress { address: trick.to });
            done(&stage.platform.support(trick.customer, kind)?)?;
        }
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
    let within = |by_passkey: Of, by_code: Of| {
        let accounts = town.victims.iter().flat_map(|victim| {
            let limit = match victim.customer.app {
                Some(_) => by_code,
                None => by_passkey,
            };
            let all: Tally = victim.slices.iter().map(|slice| slice.money).collect();
            let each = all.each().filter(|money| !money.amount.is_zero());
            let each = each.map(|money| money.asset.much(money.amount.min(limit(money.asset))));
            each.collect::<Vec<Money>>()
        });
        accounts.collect()
    };
    Worst {
        day: within(Asset::account_day, Asset::code_day),
        week: within(Asset::account_week, Asset::code_week),
    }
}

/// A limit of an asset.
type Of = fn(&Asset) -> Amount;

/// What one account may lose within a day, by what it has.
fn day_of(customer: &Customer) -> Of {
    match customer.app {
        Some(_) => Asset::code_day,
        None => Asset::account_day,
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
    /// Whether the customer noticed nothing, and until it was old enough.
    is_unnoticed: bool,
    /// What may leave of the account in a day, of what was tried there.
    most: Tally,
    held: Tally,
}

/// What can leave at most, measured on the chain.
fn bound(stage: &Stage, tricks: &[Trick<'_>], checks: &mut Checks) -> Result<(), DrillError> {
    let taken = taken(stage, tricks)?;
    let is_over = |taken: &&Taken| !taken.held.is_within(&taken.most);
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
    let tricked = || taken.iter().filter(|taken| taken.is_unnoticed);
    let most: Tally = tricked().flat_map(|taken| taken.most.each()).collect();
    let tricked = tricked().count();
    let lost: Tally = taken.iter().flat_map(|taken| taken.held.each()).collect();
    checks.note(
        "bound: the loss is within the limits of those who were tricked twice",
        lost.is_within(&most),
        format!("{lost} of at most {most} ({tricked} accounts)"),
    );
    Ok(())
}

fn taken(stage: &Stage, tricks: &[Trick<'_>]) -> Result<Vec<Taken>, DrillError> {
    let mut by_address: BTreeMap<Address, Vec<&Trick<'_>>> = BTreeMap::new();
    for trick in tricks {
        by_address.entry(trick.to).or_default().push(trick);
    }
    let by_address: Vec<(Address, Vec<&Trick<'_>>)> = by_address.into_iter().collect();
    stage.chains.look_at(&by_address, |chains, (to, tricks)| {
        let held = assets_of(*to).map(|asset| chains.balance(*to, asset));
        let held: Vec<Money> = held.collect::<Result<_, _>>()?;
        let held = held.into_iter().filter(|money| !money.amount.is_zero());
        Ok(Taken {
            is_unnoticed: tricks
                .iter()
                .any(|trick| [UNNOTICED, CODE_UNNOTICED].contains(&trick.way)),
            most: most(tricks),
            held: held.collect(),
        })
    })
}

/// A customer's limits for a day, of every asset that was asked for.
fn most(tricks: &[&Trick<'_>]) -> Tally {
    let limits = ASSETS.into_iter().filter_map(|asset| {
        let is_asked = |trick: &&&Trick<'_>| trick.slice.money.asset.id == asset.id;
        let trick = tricks.iter().find(is_asked)?;
        Some(asset.much(day_of(trick.customer)(asset)))
    });
    limits.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Scale;
    use crate::money::ETH;
    use std::collections::BTreeSet;

    fn town(scale: &str) -> Town {
        Town::settle(1, scale.parse::<Scale>().unwrap()).unwrap()
    }

    #[test]
    fn every_withdrawal_is_tried_and_every_way() {
        let town = town("0.02");
        let tricks = tricks(&town);
        let slices = town.victims.iter().map(|victim| victim.slices.len());
        assert_eq!(tricks.len(), slices.sum::<usize>());
        for way in WAYS {
            assert!(tricks.iter().any(|trick| trick.way == *way), "{}", way.name);
        }
    }

    #[test]
    fn what_an_app_owner_loses_at_most_is_what_codes_let_out() {
        let town = town("0.1");
        let (_, owner) = town.attacked_apps().next().unwrap();
        let owner = &owner.customer;
        let tricks = tricks(&town);
        let own = tricks
            .iter()
            .filter(|trick| trick.customer.account == owner.account);
        let own: Vec<&Trick<'_>> = own.collect();
        assert_eq!(most(&own).of(&ETH), ETH.code_day());
        let addresses: BTreeSet<Address> = own.iter().map(|trick| trick.to).collect();
        let of_ways = addresses.iter().filter(|address| ETH.is_on(**address));
        assert_eq!(of_ways.count(), 4, "one of each way");
        let Worst { day, week } = worst(&town);
        assert!(day.is_within(&week) && !week.is_within(&day));
    }
}
