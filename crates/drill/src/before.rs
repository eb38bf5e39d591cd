//! The attack on the flow as it was, on a chain of its own: run, not reckoned.

use crate::as_it_was::{AsItWas, Balances, Code, LogIn, Passed, Wanted, code_of, wallets};
use crate::chains::{Chains, Nodes, Programs, assets_of};
use crate::crowd::{HANDS, crowd};
use crate::dice::Dice;
use crate::error::DrillError;
use crate::money::{Asset, Money};
use crate::outcome::{Flow, Tally};
use crate::people::{Customer, Slice, Town, Victim};
use crate::shadowed::{self, Shadowed};
use crate::stage::Tell;
use crate::wait::until_none;
use portcullis_chains::caip::Address;
use portcullis_host::{Http as _, Web};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);
/// How often it sends again what is in no block yet.
const AGAIN: Duration = Duration::from_secs(5);

/// What the flow as it was came to.
#[derive(Clone, Debug)]
pub struct Before {
    pub(crate) flow: Flow,
    /// What the attackers' addresses hold on the chain in the end.
    pub(crate) on_chain: Tally,
    /// Guessed codes that were refused: the check itself was there.
    pub(crate) codes_refused: usize,
    /// Attacked accounts.
    pub(crate) accounts: usize,
    /// Honest withdrawals asked for, and arrived by their payees' balances.
    pub(crate) honest: (usize, usize),
    /// What `portcullis shadow` says of its records.
    pub(crate) shadowed: Shadowed,
}

/// What it is run with.
pub(crate) struct Tools<'a> {
    pub(crate) nodes: Programs<'a>,
    pub(crate) token: &'a str,
    pub(crate) binary: &'a Path,
    pub(crate) tell: &'a Tell,
}

/// Everything that there is to do, in an order of chance.
enum Deed<'a> {
    Attack(usize, &'a Slice),
    Honest(&'a Customer),
}

impl Deed<'_> {
    fn money(&self) -> Money {
        match self {
            Self::Attack(_, slice) => slice.money,
            Self::Honest(customer) => customer.money,
        }
    }
}

/// Run it all, and look at the chains.
pub(crate) fn run(
    seed: u64,
    town: &Town,
    tools: &Tools<'_>,
    folder: &Path,
) -> Result<Before, DrillError> {
    let file = |error| DrillError::File(folder.to_owned(), error);
    std::fs::create_dir_all(folder).map_err(file)?;
    let nodes = Nodes::start(tools.nodes, folder, None)?;
    let chains = nodes.chains()?;
    let mut dice = Dice::new(seed, "as it was");
    let secret = dice.secret();
    let wallets = wallets(&secret)?;
    chains.fund(&wallets, tools.token)?;
    let platform = AsItWas::start(&chains, &secret, balances(town))?;

    (tools.tell)("Nodes and back end answer");

    let mut deeds: Vec<Deed<'_>> = slices(town)
        .map(|(victim, slice)| Deed::Attack(victim, slice))
        .chain(town.honest.iter().map(|customer| Deed::Honest(customer)))
        .collect();
    dice.shuffle(&mut deeds);
    let codes_refused = guess(town, &platform);
    let answers = crowd(&deeds, HANDS, Web::new, |web, deed| {
        run_deed(web, &platform, town, deed)
    });

    (tools.tell)("Everything has been asked for");
    let sent = deeds.iter().zip(&answers);
    let sent = sent.filter(|(deed, is_sent)| **is_sent && !deed.money().asset.is_of_coins());
    until_in_blocks(&chains, &platform, wallets[0], sent.count() as u64)?;
    (tools.tell)("Everything stands on the chains");
    let mut flow = Flow::none();
    for (deed, is_sent) in deeds.iter().zip(&answers) {
        if let Deed::Attack(_, slice) = deed {
            flow.attempted.add(slice.money);
            let tally = if *is_sent {
                &mut flow.released
            } else {
                &mut flow.refused
            };
            tally.add(slice.money);
        }
    }
    let (loot, accounts) = stolen(&chains, town)?;
    flow.affected_subjects = accounts;
    Ok(Before {
        flow,
        on_chain: loot,
        codes_refused,
        accounts: town.victims.len(),
        honest: (town.honest.len(), arrived(&chains, &town.honest)?),
        shadowed: shadowed::look(seed, town, &platform.records(), (tools.binary, folder))?,
    })
}

/// Until so many of the wallet's transactions stand in blocks, and nothing waits on the chain of coins.
fn until_in_blocks(
    chains: &Chains,
    platform: &AsItWas,
    wallet: Address,
    sent: u64,
) -> Result<(), DrillError> {
    let mut looked = Instant::now();
    until_none(
        "every transaction of the wallets as they were in a block",
        || {
            let in_blocks = chains.ethereum.sent(wallet)?;
            if looked.elapsed() >= AGAIN {
                platform.send_again(in_blocks);
                looked = Instant::now();
            }
            let waiting = chains.bitcoin.waiting()?.len() as u64;
            Ok(sent.saturating_sub(in_blocks) + waiting)
        },
    )
}

fn slices(town: &Town) -> impl Iterator<Item = (usize, &Slice)> {
    let victims = town.victims.iter().enumerate();
    victims.flat_map(|(at, victim)| victim.slices.iter().map(move |slice| (at, slice)))
}

fn balances(town: &Town) -> Balances {
    let attacked = slices(town).map(|(at, slice)| (&town.victims[at].customer, slice.money));
    let honest = town
        .honest
        .iter()
        .map(|customer| (customer, customer.money));
    let mut balances = Balances::new();
    for (customer, money) in attacked.chain(honest) {
        let place = (customer.account.to_string(), money.asset.id);
        balances.entry(place).or_default().0 += money.amount.0;
    }
    balances
}

/// The check was there: a guessed code does not pass it, and without it nothing leaves.
fn guess(town: &Town, platform: &AsItWas) -> usize {
    let web = Web::new();
    let is_refused = |customer: &Customer, slice: &Slice| {
        let session = log_in(&web, platform, customer)?;
        let code = Code {
            session: session.clone(),
            code: "guess".to_owned(),
        };
        let wanted = wanted(session, slice.thief, slice.money);
        let refused = ask(&web, platform, "/mfa", &code).is_none();
        (refused && ask(&web, platform, "/withdrawals", &wanted).is_none()).then_some(())
    };
    let victims = town
        .victims
        .iter()
        .filter_map(|victim| is_refused(&victim.customer, victim.slices.first()?));
    victims.count()
}

/// Whether the money was sent.
fn run_deed(web: &Web, platform: &AsItWas, town: &Town, deed: &Deed<'_>) -> bool {
    let done = match deed {
        Deed::Attack(victim, slice) => {
            attack(web, platform, &town.victims[*victim].customer, slice)
        }
        Deed::Honest(customer) => withdraw(web, platform, customer),
    };
    done.is_some()
}

/// With a session, and without a code: the flag is set by who can reach it.
fn attack(web: &Web, platform: &AsItWas, customer: &Customer, slice: &Slice) -> Option<String> {
    let session = log_in(web, platform, customer)?;
    let passed = Passed {
        session: session.clone(),
    };
    ask(web, platform, "/internal/mfa-passed", &passed)?;
    let wanted = wanted(session, slice.thief, slice.money);
    ask(web, platform, "/withdrawals", &wanted)
}

fn withdraw(web: &Web, platform: &AsItWas, customer: &Customer) -> Option<String> {
    let session = log_in(web, platform, customer)?;
    let code = code_of(&customer.account.to_string());
    ask(
        web,
        platform,
        "/mfa",
        &Code {
            session: session.clone(),
            code,
        },
    )?;
    let to = customer.address(customer.money.asset);
    let wanted = wanted(session, to, customer.money);
    ask(web, platform, "/withdrawals", &wanted)
}

fn wanted(session: String, to: Address, money: Money) -> Wanted {
    Wanted {
        session,
        to,
        asset: money.asset.id,
        amount: money.amount,
    }
}

fn log_in(web: &Web, platform: &AsItWas, customer: &Customer) -> Option<String> {
    let account = customer.account.to_string();
    ask(web, platform, "/sessions", &LogIn { account })
}

/// The answer of a request that was taken.
fn ask<T: Serialize>(web: &Web, platform: &AsItWas, target: &str, body: &T) -> Option<String> {
    let body = serde_json::to_vec(body).ok()?;
    let headers = [("content-type", "application/json")];
    let reply = web
        .post(&platform.url(target), &headers, &body, 1 << 16, PATIENCE)
        .ok()?;
    (reply.status == 200).then(|| serde_json::from_slice(&reply.body).ok())?
}

/// What attackers' addresses hold on a chain, and from how many accounts it came.
pub(crate) fn stolen(chains: &Chains, town: &Town) -> Result<(Tally, u64), DrillError> {
    let lost = chains.look_at(&town.victims, |chains, victim| {
        let balances = places(victim).map(|(thief, asset)| chains.balance(thief, asset));
        let balances: Vec<Money> = balances.collect::<Result<_, DrillError>>()?;
        let some = balances.into_iter().filter(|money| !money.amount.is_zero());
        Ok(some.collect::<Vec<Money>>())
    })?;
    let accounts = lost.iter().filter(|lost| !lost.is_empty()).count();
    Ok((lost.into_iter().flatten().collect(), accounts as u64))
}

/// Where a victim's money may have gone: to any address that is meant for it, in any asset that can be there.
fn places(victim: &Victim) -> impl Iterator<Item = (Address, &'static Asset)> {
    let thieves = victim.slices.iter().map(|slice| slice.thief);
    let thieves: BTreeSet<Address> = thieves.collect();
    let of = |thief| assets_of(thief).map(move |asset| (thief, asset));
    thieves.into_iter().flat_map(of)
}

fn arrived(chains: &Chains, customers: &[Arc<Customer>]) -> Result<usize, DrillError> {
    let has = chains.look_at(customers, |chains, customer| {
        let asset = customer.money.asset;
        Ok(chains.balance(customer.address(asset), asset)? == customer.money)
    })?;
    Ok(has.iter().filter(|has| **has).count())
}
