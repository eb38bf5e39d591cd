//! The stage: nodes, mail server, webhook, witness, gate, signer and herald as real processes, and a clock that
//! moves.

use crate::alarms::Pager;
use crate::answer::Answer;
use crate::cast::{Cap, Cast, CoinsWish, Founder, Wish};
use crate::chain::{CHAIN, Paid};
use crate::chains::{Chains, Nodes, Programs, Watcher};
use crate::error::DrillError;
use crate::forger::Forger;
use crate::honest::Asked;
use crate::mail::MailServer;
use crate::money::{ASSETS, Asset};
use crate::people::Town;
use crate::platform::Platform;
use crate::process::{Binary, Running};
use crate::wait::{until, until_none};
use portcullis_chains::Amount;
use portcullis_client::{Question, Status};
use portcullis_core::genesis::Mode;
use portcullis_core::limits::{Bounds, Limit, Limits};
use portcullis_core::{Span, Time};
use portcullis_host::{Clock, FileClock};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The delay of new addresses and factors: production's floor, passed by moving the clock.
pub(crate) const DELAY: Span = Span::hours(24);
/// How long an app shows the same digits (RFC 6238).
const STEP: Span = Span::seconds(30);
/// How long withdrawals wait to be paid together from coins.
pub(crate) const BATCH: Span = Span::seconds(60);
/// How far time is moved at once, and how often, while only coins are on their way: keepers look for their blocks seldom.
const LOOK: Span = Span::seconds(1);
const OFTEN: Duration = Duration::from_millis(150);
/// A cosignature of so long ago is of the present.
const FRESH: Span = Span::seconds(2);

/// Everything that runs. Dropped in this order: nothing outlives the drill.
pub(crate) struct Stage {
    pub(crate) signer: Running,
    pub(crate) gate: Running,
    /// Before the mail server, so that it has one as long as it lives.
    pub(crate) herald: Running,
    pub(crate) mail: MailServer,
    _witness: Running,
    watcher: Watcher,
    pub(crate) chains: Chains,
    /// What a miner of the attackers' own makes of the wallet's transactions.
    pub(crate) forger: Arc<Forger>,
    pub(crate) pager: Pager,
    _nodes: Nodes,
    pub(crate) binary: Binary,
    pub(crate) platform: Platform,
    clock: PathBuf,
    ahead: Span,
    tell: Tell,
}

/// Who hears how far a drill is.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// What a stage is made from.
pub(crate) struct Plan<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) nodes: Programs<'a>,
    pub(crate) mail: &'a Path,
    pub(crate) binary: &'a Path,
    pub(crate) token: &'a str,
    pub(crate) founder: &'a dyn Founder,
    pub(crate) town: &'a Town,
    pub(crate) tell: Tell,
}

impl Stage {
    /// Start all of it, and wait until it answers.
    pub(crate) fn set(plan: &Plan<'_>) -> Result<Self, DrillError> {
        let folder = plan.folder;
        let file = |error| DrillError::File(folder.to_owned(), error);
        std::fs::create_dir_all(folder).map_err(file)?;
        let clock = folder.join("clock");
        write_clock(&clock, Span(0))?;
        let moved = FileClock::new(clock.clone(), Mode::Development);
        let moved: Arc<dyn Clock> =
            Arc::new(moved.map_err(|e| DrillError::Network(e.to_string()))?);
        let forger = Arc::<Forger>::default();
        // At once: each takes most of a second to come up.
        let (nodes, mail) = std::thread::scope(|scope| {
            let mail = scope.spawn(|| MailServer::start(plan.mail, folder, &dkim_key(folder)));
            let nodes = Nodes::start(plan.nodes, folder, Some(Arc::clone(&forger)));
            let panicked = |_| Err(DrillError::Network("its thread panicked".into()));
            (nodes, mail.join().unwrap_or_else(panicked))
        });
        let (nodes, mail) = (nodes?, mail?);
        let chains = nodes.chains()?;
        let pager = Pager::start(Arc::clone(&moved))?;
        let wish = wish(plan, &clock, &nodes, &pager, mail.address())?;
        let cast = plan.founder.found(&wish).map_err(DrillError::Network)?;
        chains.fund(&cast.wallets(), plan.token)?;
        let binary = Binary {
            path: plan.binary.to_owned(),
            clock: clock.clone(),
            logs: folder.to_owned(),
        };
        let configs = &cast.configs;
        let witness = binary.start("witness", &configs.witness)?;
        let gate = binary.start("serve", &configs.gate)?;
        let signer = binary.start("signer", &configs.signer)?;
        let herald = binary.start("herald", &configs.herald)?;
        let stage = Self {
            signer,
            gate,
            herald,
            mail,
            _witness: witness,
            watcher: Watcher::start(nodes.chains()?, &moved),
            chains,
            forger,
            pager,
            _nodes: nodes,
            binary,
            platform: Platform::new(cast),
            clock,
            ahead: Span(0),
            tell: Arc::clone(&plan.tell),
        };
        stage.until_witnessed()?;
        stage.tell("Nodes, mail server, witness, gate and signer answer");
        Ok(stage)
    }

    /// Say how far it is.
    pub(crate) fn tell(&self, what: &str) {
        (self.tell)(what);
    }

    pub(crate) fn cast(&self) -> &Cast {
        &self.platform.cast
    }

    pub(crate) fn now(&self) -> Time {
        self.platform.now()
    }

    pub(crate) fn status(&self) -> Result<Status, DrillError> {
        Ok(self.cast().gate.status()?)
    }

    /// Until the gate answers, a quorum has just cosigned, and acts can name a checkpoint of now.
    pub(crate) fn until_witnessed(&self) -> Result<(), DrillError> {
        until("a fresh cosignature", || {
            let gate = &self.cast().gate;
            let (Ok(checkpoint), Ok(status)) = (gate.checkpoint(), gate.status()) else {
                return Ok(None);
            };
            let now = self.now();
            let is_fresh = status.witnessed_at.is_some_and(|at| now.since(at) <= FRESH);
            let is_new = now.since(checkpoint.time) < Span::hours(1);
            Ok((is_fresh && is_new && self.platform.can_name_a_checkpoint()?).then_some(()))
        })
    }

    /// Move time for every process at once. Between, nothing is under way, so that nothing is late, and every
    /// delay has begun: with the herald's word that it told of it.
    pub(crate) fn jump(&mut self, span: Span) -> Result<(), DrillError> {
        self.until_told()?;
        self.until_still()?;
        self.nudge(span)?;
        self.until_witnessed()
    }

    /// Until the herald has said that a server took every notice that a delay waits for.
    pub(crate) fn until_told(&self) -> Result<(), DrillError> {
        until_none("every delay's notice", || Ok(self.status()?.untold))
    }

    /// Until a journaled checkpoint covers all that was journaled before it, so that delays run.
    pub(crate) fn until_still(&self) -> Result<(), DrillError> {
        until("a checkpoint over all that was journaled", || {
            let covered = self.cast().gate.checkpoint()?.size;
            Ok((covered + 1 >= self.status()?.size).then_some(()))
        })
    }

    /// Until nearly all that was released stands on the chain: nobody suspends within the same second,
    /// and something is always on its way.
    pub(crate) fn until_mostly_delivered(&self, asked: &[Asked]) -> Result<(), DrillError> {
        let is_released = |asked: &&Asked| asked.answer == Answer::Released;
        let released = asked.iter().filter(is_released);
        let most = released.count() * 19 / 20;
        until_none("most releases on the chain", || {
            let paid = self.all_paid()?.len();
            Ok(most.saturating_sub(paid).try_into().unwrap_or(u64::MAX))
        })
    }

    /// End the gate, do something with its files as root there, so much later, and start it again by a configuration.
    pub(crate) fn without_gate<T>(
        &mut self,
        config: &Path,
        later: Span,
        act: impl FnOnce(&Cast) -> Result<T, DrillError>,
    ) -> Result<T, DrillError> {
        self.gate.end();
        self.nudge(later)?;
        let done = act(&self.platform.cast)?;
        self.gate = self.binary.start("serve", config)?;
        self.until_witnessed()?;
        Ok(done)
    }

    /// Move time a little while things are under way.
    pub(crate) fn nudge(&mut self, span: Span) -> Result<(), DrillError> {
        self.ahead = Span(self.ahead.0 + span.0);
        write_clock(&self.clock, self.ahead)
    }

    /// Until every app shows other digits, with nothing under way that would be late by it.
    pub(crate) fn next_code(&mut self) -> Result<(), DrillError> {
        self.until_delivered()?;
        self.nudge(STEP)
    }

    /// Until a quorum has cosigned every entry, and the gate has nothing more to journal of that: what is not
    /// cosigned, `verify` takes for no journal.
    pub(crate) fn until_cosigned(&self) -> Result<(), DrillError> {
        self.until_still()?;
        until("a cosignature over every entry", || {
            let gate = &self.cast().gate;
            let question = Question {
                method: "GET",
                target: "/log/checkpoint",
                body: &[],
                act: None,
                once: None,
            };
            let note = gate.send(None, &question)?.body;
            let note = String::from_utf8_lossy(&note);
            let size = note
                .lines()
                .nth(1)
                .and_then(|line| line.parse::<u64>().ok());
            Ok((size == Some(self.status()?.size)).then_some(()))
        })
    }

    /// Everything that stands on the chains by now, paid out of the wallets.
    pub(crate) fn all_paid(&self) -> Result<Vec<Paid>, DrillError> {
        let wallets = self.cast().wallets();
        let mut paid = self.watcher.all_paid(&self.chains)?;
        paid.retain(|paid| wallets.contains(&paid.from));
        Ok(paid)
    }

    /// Until every batch has been made up, and every release that the gate has under way is confirmed on its chain and
    /// stated so.
    pub(crate) fn until_delivered(&mut self) -> Result<(), DrillError> {
        self.until_none_in_flight()?;
        if !self.platform.has_batched() {
            return Ok(());
        }
        // What was released is out, so that nothing is late by it.
        self.nudge(BATCH)?;
        self.platform.until_batched()?;
        let mut moved = Instant::now();
        until_none("every coin on its chain", || {
            if moved.elapsed() >= OFTEN {
                self.nudge(LOOK)?;
                moved = Instant::now();
            }
            Ok(self.status()?.in_flight)
        })
    }

    fn until_none_in_flight(&self) -> Result<(), DrillError> {
        until_none("every release on the chain", || {
            Ok(self.status()?.in_flight)
        })
    }
}

/// The network's folder, in the drill's.
fn network(folder: &Path) -> PathBuf {
    folder.join("network")
}

/// The key that the network's herald signs its mail with, once there is a network.
fn dkim_key(folder: &Path) -> PathBuf {
    network(folder).join("keys/herald-dkim.pem")
}

fn wish(
    plan: &Plan<'_>,
    clock: &Path,
    nodes: &Nodes,
    pager: &Pager,
    mail: SocketAddr,
) -> Result<Wish, DrillError> {
    let bitcoin = nodes.chains()?.bitcoin;
    let rules = ASSETS
        .into_iter()
        .flat_map(|asset| limits(asset, plan.town));
    Ok(Wish {
        folder: network(plan.folder),
        mail,
        node: nodes.ethereum().to_owned(),
        coins: CoinsWish {
            node: bitcoin.wallet_url(),
            credentials: bitcoin.cookie().to_owned(),
            batch: BATCH,
        },
        chain: CHAIN,
        webhook: pager.url(),
        clock: clock.to_owned(),
        delay: DELAY,
        limits: Limits {
            rules: rules.collect(),
        },
        caps: ASSETS.map(|asset| cap(asset, plan.town)).into(),
        enrolments_per_day: 100_000,
    })
}

/// What may leave of an asset: of one account, by codes alone, and of all accounts together.
fn limits(asset: &Asset, town: &Town) -> [Limit; 3] {
    let none = |bounds| Limit {
        asset: asset.id,
        bounds,
        per_transaction: None,
        hour: None,
        day: None,
        week: None,
        approval: None,
    };
    let account = Limit {
        per_transaction: Some(asset.slice),
        hour: Some(asset.account_day()),
        day: Some(asset.account_day()),
        week: Some(asset.account_week()),
        ..none(Bounds::Account)
    };
    let code = Limit {
        per_transaction: Some(asset.by_code),
        day: Some(asset.code_day()),
        week: Some(asset.code_week()),
        ..none(Bounds::Code)
    };
    let platform = Limit {
        day: Some(day_limit(asset, town)),
        ..none(Bounds::Asset)
    };
    [account, code, platform]
}

/// By itself the signer pays no more than that either, whatever the journal says.
fn cap(asset: &Asset, town: &Town) -> Cap {
    Cap {
        asset: asset.id,
        decimals: asset.decimals,
        per_transaction: asset.slice,
        day: day_limit(asset, town),
    }
}

/// What all accounts together may withdraw within a day: three times what honest customers do, so that
/// a day after a suspension, with what waited, still fits; and in the smallest town what some of them may at once.
fn day_limit(asset: &Asset, town: &Town) -> Amount {
    Amount((3 * town.honest_volume(asset)).max(10 * asset.slice.0))
}

/// By renaming, so that no process reads half a number.
fn write_clock(path: &Path, ahead: Span) -> Result<(), DrillError> {
    let failed = |error| DrillError::File(path.to_owned(), error);
    let new = path.with_extension("new");
    std::fs::write(&new, ahead.0.to_string()).map_err(failed)?;
    std::fs::rename(&new, path).map_err(failed)
}
