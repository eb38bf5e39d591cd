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
mod checks;
mod codes;
mod crowd;
mod dice;
mod error;
pub mod figures;
mod forge;
mod gate_owned;
mod gate_owned_story;
mod honest;
mod mail;
mod miner;
pub mod money;
pub mod outcome;
mod people;
mod platform;
mod process;
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
pub use cast::{Cast, Configs, Founder, Member, Wish};
pub use error::DrillError;
pub use figures::Scale;
pub use outcome::Outcome;
pub use shadowed::Shadowed;
pub use stage::Tell;
pub use story::{Beside, Moment, Worst};

use crate::before::Before;
use crate::outcome::Check;
use crate::people::Town;
use crate::stage::{Plan, Stage};
use crate::story::With;
use crate::told::Happened;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
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

/// What a drill is held with.
pub struct Setting<'a> {
    /// What chance follows.
    pub seed: u64,
    /// How large.
    pub scale: Scale,
    /// Which attacker.
    pub variant: Variant,
    /// A folder of its own, for everything that the processes write.
    pub folder: PathBuf,
    /// The Ethereum node's program.
    pub anvil: PathBuf,
    /// The mail server's program.
    pub mail: PathBuf,
    /// The code that creates the token, in hexadecimal.
    pub token: String,
    /// The `portcullis` program.
    pub binary: PathBuf,
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

/// Hold the drill `mfa-bypass` with one attacker.
pub fn mfa_bypass(setting: &Setting<'_>) -> Result<Findings, DrillError> {
    let begun = Instant::now();
    let town = Town::settle(setting.seed, setting.scale)?;
    // The flow as it was has a chain and processes of its own; nobody waits for it.
    let folder = setting.folder.join("as-it-was");
    let (with, before) = thread::scope(|scope| {
        let before = || {
            let programs = before::Programs {
                anvil: &setting.anvil,
                token: &setting.token,
                binary: &setting.binary,
            };
            before::run(setting.seed, &town, &programs, &folder)
        };
        let before = scope.spawn(before);
        let with = with(setting, &town);
        let panicked = |_| Err(DrillError::AsItWas("its thread panicked".into()));
        (with, before.join().unwrap_or_else(panicked))
    });
    Ok(conclude(setting, with?, before?, begun))
}

/// The running system's part, to the offline verification of its journal.
fn with(setting: &Setting<'_>, town: &Town) -> Result<Whole, DrillError> {
    let plan = Plan {
        folder: &setting.folder,
        anvil: &setting.anvil,
        mail: &setting.mail,
        binary: &setting.binary,
        token: &setting.token,
        founder: setting.founder,
        town,
        tell: Arc::clone(&setting.tell),
    };
    let mut stage = Stage::set(&plan)?;
    let mut with = match setting.variant {
        Variant::Api => api_story::run(&mut stage, town, setting.seed)?,
        Variant::GateOwned => gate_owned_story::run(&mut stage, town, setting.seed)?,
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
    let wallet = stage.cast().wallet();
    let paid = stage.all_paid()?;
    let is_payment = |paid: &&chain::Paid| paid.from == wallet && !paid.money.amount.is_zero();
    let sent = paid.iter().filter(is_payment).count() as u64;
    verified.check(&mut with.checks, with.void, sent);
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

fn conclude(setting: &Setting<'_>, whole: Whole, before: Before, begun: Instant) -> Findings {
    let With {
        flow,
        rows,
        timeline,
        mut checks,
        beside,
        ..
    } = whole.with;
    checks.as_it_was(&before);
    let mut all: Vec<Check> = rows.iter().map(Row::check).collect();
    all.extend(checks.0);
    let outcome = Outcome {
        drill: MFA_BYPASS,
        seed: setting.seed,
        scale: setting.scale,
        variant: setting.variant.name(),
        with: flow,
        without: before.flow,
        shadow: before.shadowed,
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
        took: begun.elapsed(),
    }
}
