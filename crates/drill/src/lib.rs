//! Drills: public incidents, re-enacted against the real running system, beside the flow as it was.
//!
//! `mfa-bypass` is 17 January 2022: withdrawals that were approved without the second factor. A drill
//! starts every process for real, plays honest customers and attackers over HTTP, moves a test clock
//! where people would wait, answers the attack as operators would, and then counts on the chain.

mod alarms;
mod answer;
mod api;
mod api_story;
mod app;
mod as_it_was;
mod attack;
mod back_end_owned;
mod before;
mod cast;
mod chain;
mod chains;
mod checks;
mod codes;
mod coins;
mod crowd;
mod dice;
mod error;
pub mod figures;
mod forge;
mod forger;
mod gate_owned;
mod gate_owned_story;
mod honest;
mod hot_wallet;
mod mail;
mod miner;
pub mod money;
pub mod outcome;
mod people;
mod platform;
mod process;
mod purse;
pub mod report;
mod respond;
mod server;
mod shadowed;
mod stage;
mod story;
mod token;
mod told;
mod verify;
mod wait;

pub use as_it_was::ASSUMPTIONS;
pub use attack::Row;
pub use before::Before;
pub use cast::{Cast, CoinsWish, Configs, Founder, Member, Wish};
pub use error::DrillError;
pub use figures::Scale;
pub use outcome::Outcome;
pub use shadowed::Shadowed;
pub use stage::Tell;
pub use story::{Beside, Moment, Worst};

use crate::chains::Programs;
use crate::outcome::Check;
use crate::people::Town;
use crate::stage::{Plan, Stage};
use crate::story::With;
use crate::told::Happened;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The name of the drill.
pub const MFA_BYPASS: &str = "mfa-bypass";

/// Which attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variant {
    /// Has the platform's API, as in 2022, and no customer's factor.
    Api,
    /// Is root on the gate's host.
    GateOwned,
    /// Has the platform's page: shows one act and obtains an assertion for another.
    BackEndOwned,
}

impl Variant {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Api, Self::GateOwned, Self::BackEndOwned];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::GateOwned => "gate-owned",
            Self::BackEndOwned => "back-end-owned",
        }
    }
}

/// The incident, and the programs to hold it with.
pub struct Incident {
    /// What chance follows.
    pub seed: u64,
    /// How large.
    pub scale: Scale,
    /// The Ethereum node's program.
    pub anvil: PathBuf,
    /// The Bitcoin node's program.
    pub bitcoin: PathBuf,
    /// The mail server's program.
    pub mail: PathBuf,
    /// The code that creates the token, in hexadecimal.
    pub token: String,
    /// The `portcullis` program.
    pub binary: PathBuf,
}

/// What a drill is held with.
pub struct Setting<'a> {
    /// What happened.
    pub incident: &'a Incident,
    /// Which attacker.
    pub variant: Variant,
    /// A folder of its own, for everything that the processes write.
    pub folder: PathBuf,
    /// Who makes the network.
    pub founder: &'a dyn Founder,
    /// Who hears how far it is.
    pub tell: Tell,
}

/// What a drill found: the outcome, and what a report shows beside it.
pub struct Findings {
    /// What a JSON file holds.
    pub outcome: Outcome,
    /// Which attacker.
    pub variant: Variant,
    /// The table of ways to attack.
    pub rows: Vec<Row>,
    /// What happened when.
    pub timeline: Vec<Moment>,
    /// What else this attacker shows.
    pub beside: Beside,
    /// Honest withdrawals' delays that no suspension held, in milliseconds.
    pub delays: Vec<u64>,
    /// The same of those that one held.
    pub waits: Vec<u64>,
    /// Messages that the mail server took from the herald.
    pub told: u64,
    /// The genesis digest from which the journal can be verified.
    pub genesis: String,
    /// The journal's entries.
    pub entries: u64,
    /// How long it took.
    pub took: Duration,
}

impl Incident {
    fn nodes(&self) -> Programs<'_> {
        Programs {
            anvil: &self.anvil,
            bitcoin: &self.bitcoin,
        }
    }
}

/// The incident on the flow as it was, in a folder of its own. It is the same whatever attackers the running system has.
pub fn as_it_was(incident: &Incident, folder: &Path, tell: &Tell) -> Result<Before, DrillError> {
    let tools = before::Tools {
        nodes: incident.nodes(),
        token: &incident.token,
        binary: &incident.binary,
        tell,
    };
    let town = Town::settle(incident.seed, incident.scale)?;
    before::run(incident.seed, &town, &tools, folder)
}

/// Hold the drill `mfa-bypass` with one attacker on the running system.
pub fn mfa_bypass<'a>(setting: &'a Setting<'a>) -> Result<Held<'a>, DrillError> {
    let begun = Instant::now();
    let town = Town::settle(setting.incident.seed, setting.incident.scale)?;
    let whole = with(setting, &town)?;
    Ok(Held {
        setting,
        whole,
        took: begun.elapsed(),
    })
}

/// The running system's part, to the offline verification of its journal.
fn with(setting: &Setting<'_>, town: &Town) -> Result<Whole, DrillError> {
    let plan = Plan {
        folder: &setting.folder,
        nodes: setting.incident.nodes(),
        mail: &setting.incident.mail,
        binary: &setting.incident.binary,
        token: &setting.incident.token,
        founder: setting.founder,
        town,
        tell: Arc::clone(&setting.tell),
    };
    let mut stage = Stage::set(&plan)?;
    let seed = setting.incident.seed;
    let mut with = match setting.variant {
        Variant::Api => api_story::run(&mut stage, town, seed)?,
        Variant::GateOwned => gate_owned_story::run(&mut stage, town, seed)?,
        Variant::BackEndOwned => back_end_owned::run(&mut stage, town)?,
    };
    let matched = story::settle_accounts(&stage, &with.asked, &mut with.checks)?;
    story::compare_loot(&stage, town, &mut with.flow, &mut with.checks)?;
    stage.tell("Accounts are settled against the chain");
    let happened = Happened {
        town,
        asked: &with.asked,
        lost: with.flow.released.count,
    };
    let told = told::compare(&mut stage, &happened, &mut with.checks)?;
    stage.tell(&format!("All has been told, in {told} messages"));
    stage.signer.end();
    stage.until_cosigned()?;
    stage.gate.end();
    let verified = verify::verify(&stage.binary, stage.cast())?;
    let paid = stage.all_paid()?;
    let payments = paid.iter().filter(|paid| !paid.money.amount.is_zero());
    let sent: BTreeSet<[u8; 32]> = payments.map(|paid| paid.transaction).collect();
    verified.check(&mut with.checks, with.void, sent.len() as u64);
    stage.tell("The journal is verified offline");
    let genesis = stage.cast().genesis().to_string();
    let entries = verified.size;
    Ok(Whole {
        with,
        told,
        matched,
        genesis,
        entries,
    })
}

struct Whole {
    with: With,
    told: u64,
    matched: honest::Matched,
    genesis: String,
    entries: u64,
}

/// A drill that was held, to be put beside the flow as it was.
pub struct Held<'a> {
    setting: &'a Setting<'a>,
    whole: Whole,
    took: Duration,
}

impl Held<'_> {
    /// What it found.
    #[must_use]
    pub fn beside(self, before: &Before) -> Findings {
        conclude(self.setting, self.whole, before, self.took)
    }
}

fn conclude(setting: &Setting<'_>, whole: Whole, before: &Before, took: Duration) -> Findings {
    let With {
        flow,
        rows,
        timeline,
        mut checks,
        beside,
        ..
    } = whole.with;
    checks.as_it_was(before);
    let mut all: Vec<Check> = rows.iter().map(Row::check).collect();
    all.extend(checks.0);
    let outcome = Outcome {
        drill: MFA_BYPASS,
        seed: setting.incident.seed,
        scale: setting.incident.scale,
        variant: setting.variant.name(),
        with: flow,
        without: before.flow.clone(),
        shadow: before.shadowed.clone(),
        honest: whole.matched.honest,
        checks: all,
        variants: Vec::new(),
    };
    Findings {
        outcome,
        variant: setting.variant,
        rows,
        timeline,
        beside,
        delays: whole.matched.delays,
        waits: whole.matched.waits,
        told: whole.told,
        genesis: whole.genesis,
        entries: whole.entries,
        took,
    }
}
