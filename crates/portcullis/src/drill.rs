//! `portcullis drill`: re-enacts an incident against a fresh running system.

mod founder;

use crate::failure::{Exit, Failure};
use crate::files;
use crate::out::{json, say};
use clap::{Args, Subcommand, ValueEnum};
use founder::Development;
use portcullis_drill::report::{self, About};
use portcullis_drill::{Findings, Outcome, Scale, Setting, Variant};
use portcullis_host::{Clock as _, SystemClock};
use portcullis_keeper::rfc3339;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Re-enact an incident against a fresh running system
///
/// Everything runs on this machine: an Ethereum node, the gate, a signer, a witness, and the flow as it
/// was beside them. Ends with 0 only if every check passes.
#[derive(Debug, Args)]
pub(crate) struct DrillArgs {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Debug, Subcommand)]
enum Scenario {
    MfaBypass(MfaBypassArgs),
}

/// 17 January 2022: withdrawals approved without the second factor
///
/// 483 accounts and 4,836.26 ETH are attacked among thousands of honest withdrawals, by attackers who
/// have the platform's API, or the gate's host, or the platform's page.
#[derive(Debug, Args)]
struct MfaBypassArgs {
    /// What chance follows
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How large; 1 is the incident as it was
    #[arg(long, default_value_t = Scale::WHOLE)]
    scale: Scale,
    /// Which attackers
    #[arg(long, value_enum, default_value_t = Attackers::All)]
    variant: Attackers,
    /// Write what was found, after docs/spec/drill.schema.json
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
    /// Write a report for people
    #[arg(long, value_name = "PATH")]
    report: Option<PathBuf>,
    /// Keep journals, logs and configurations in this folder, which is not there yet
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// The Ethereum node's program; where script/install puts it otherwise
    #[arg(
        long,
        value_name = "FILE",
        env = "PORTCULLIS_ANVIL",
        hide_env_values = true
    )]
    anvil: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Attackers {
    /// The platform's API, and no customer's factor
    Api,
    /// Root on the gate's host
    GateOwned,
    /// The platform's page
    BackEndOwned,
    /// Each of them
    All,
}

impl Attackers {
    fn variants(self) -> Vec<Variant> {
        match self {
            Self::Api => vec![Variant::Api],
            Self::GateOwned => vec![Variant::GateOwned],
            Self::BackEndOwned => vec![Variant::BackEndOwned],
            Self::All => Variant::ALL.to_vec(),
        }
    }
}

impl DrillArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.scenario {
            Scenario::MfaBypass(args) => args.run(),
        }
    }
}

impl MfaBypassArgs {
    fn run(self) -> Result<(), Failure> {
        let anvil = self.anvil.clone().map_or_else(anvil, Ok)?;
        let place = Place::make(self.keep.as_deref())?;
        let found = self.hold_all(&anvil, place.path())?;
        found.iter().for_each(tell);
        let outcomes: Vec<Outcome> = found.iter().map(|one| one.outcome.clone()).collect();
        if let Some(path) = &self.json {
            files::write(path, json(&Outcome::of_all(&outcomes)).as_bytes())?;
        }
        if let Some(path) = &self.report {
            files::write(path, report::html(&found, &self.about()).as_bytes())?;
        }
        verdict(&found)
    }

    fn about(&self) -> About {
        let variant = self.variant.to_possible_value();
        let variant = variant.map_or_else(String::new, |value| value.get_name().to_owned());
        About {
            made: rfc3339(SystemClock.now()),
            again: format!(
                "portcullis drill mfa-bypass --seed {} --scale {} --variant {variant}",
                self.seed, self.scale
            ),
        }
    }

    /// Every attacker on a network of its own, all at once: they wait more than they work.
    fn hold_all(&self, anvil: &Path, place: &Path) -> Result<Vec<Findings>, Failure> {
        let begun = Instant::now();
        std::thread::scope(|scope| {
            let variants = self.variant.variants();
            let hold = |variant| scope.spawn(move || self.hold(variant, anvil, place, begun));
            let running: Vec<_> = variants.into_iter().map(hold).collect();
            let panicked = || Failure::new(Exit::Stopped, "a drill panicked", "report it");
            let done = running.into_iter();
            done.map(|one| one.join().unwrap_or_else(|_| Err(panicked())))
                .collect()
        })
    }

    fn hold(
        &self,
        variant: Variant,
        anvil: &Path,
        place: &Path,
        begun: Instant,
    ) -> Result<Findings, Failure> {
        let binary = std::env::current_exe().map_err(|error| {
            Failure::usage(format!("the own program is not found: {error}"), "")
        })?;
        let setting = Setting {
            seed: self.seed,
            scale: self.scale,
            variant,
            folder: place.join(variant.name()),
            anvil: anvil.to_owned(),
            binary,
            founder: &Development,
            tell: Arc::new(move |what| {
                let (seconds, name) = (begun.elapsed().as_secs(), variant.name());
                say(format_args!("{seconds:>4} s  {name:<15} {what}"));
            }),
        };
        portcullis_drill::mfa_bypass(&setting).map_err(|error| {
            let next = "keep the folder with --keep DIR and look into its logs";
            Failure::new(
                Exit::Stopped,
                format!("the drill could not be held: {error}"),
                next,
            )
        })
    }
}

/// Where anvil stands below a checkout in which this program was built.
fn anvil() -> Result<PathBuf, Failure> {
    const BELOW: &str = ".peers/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";
    let own = std::env::current_exe().unwrap_or_default();
    let here = std::env::current_dir().unwrap_or_default();
    let mut places = own.ancestors().chain(here.ancestors());
    let found = places
        .by_ref()
        .map(|place| place.join(BELOW))
        .find(|path| path.exists());
    let none = || {
        Failure::usage(
            "no Ethereum node to hold a drill with",
            "run script/install, or name one with --anvil",
        )
    };
    found.ok_or_else(none)
}

/// A folder for the drill: kept where somebody asked for it, removed otherwise.
enum Place {
    Kept(PathBuf),
    Passing(tempfile::TempDir),
}

impl Place {
    fn make(keep: Option<&Path>) -> Result<Self, Failure> {
        let failed =
            |error: std::io::Error| Failure::usage(format!("no folder for the drill: {error}"), "");
        match keep {
            Some(path) => {
                std::fs::create_dir(path).map_err(failed)?;
                Ok(Self::Kept(path.to_owned()))
            }
            None => Ok(Self::Passing(tempfile::tempdir().map_err(failed)?)),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Passing(dir) => dir.path(),
        }
    }
}

fn tell(found: &Findings) {
    let outcome = &found.outcome;
    say(format_args!(
        "\n{} {}, seed {}, scale {}, {} s",
        outcome.drill,
        outcome.variant,
        outcome.seed,
        outcome.scale,
        found.took.as_secs()
    ));
    for check in &outcome.checks {
        let mark = if check.pass { "ok  " } else { "FAIL" };
        say(format_args!("  {mark} {}: {}", check.name, check.detail));
    }
}

fn verdict(found: &[Findings]) -> Result<(), Failure> {
    let checks = || found.iter().flat_map(|one| &one.outcome.checks);
    let failed = checks().filter(|check| !check.pass).count();
    if failed == 0 && found.iter().all(|one| one.outcome.passed()) {
        say(format_args!("\nAll {} checks pass.", checks().count()));
        return Ok(());
    }
    let what = format!("{failed} of {} checks do not hold", checks().count());
    Err(Failure::new(Exit::Wrong, what, "look at those marked FAIL"))
}
