//! `portcullis drill`: re-enacts an incident against a fresh running system.

mod founder;
mod place;

use crate::failure::{Exit, Failure};
use crate::out::{json, say};
use crate::output::Output;
use clap::{Args, Subcommand, ValueEnum};
use founder::Development;
use place::{Place, anvil, mail_server, token};
use portcullis_drill::report::{self, About};
use portcullis_drill::{Findings, Outcome, Scale, Setting, Variant};
use portcullis_host::{Clock as _, SystemClock};
use portcullis_keeper::rfc3339;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Re-enact an incident against a fresh running system
///
/// Everything runs on this machine: an Ethereum node, a mail server, the gate, a signer, a witness, a herald,
/// and the flow as it was beside them. Ends with 0 only if every check passes.
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
/// 483 accounts with 4,836.26 ETH and US$66,200 of others are attacked among thousands of honest withdrawals, by attackers who
/// have the platform's API, or the gate's host, or the platform's page.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
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
    /// Write a report for people; beside --json, with `.html` for its ending, where none is named
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
    /// The mail server's program; where script/install puts it otherwise
    #[arg(long, value_name = "FILE")]
    mail_server: Option<PathBuf>,
    /// The code that creates the token, in hexadecimal; where script/install puts it otherwise
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
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
        let programs = Programs {
            anvil: anvil(self.anvil.as_deref())?,
            mail: mail_server(self.mail_server.as_deref())?,
            token: token(self.token.as_deref())?,
        };
        let outputs = Outputs::at(self.json.as_deref(), self.report.as_deref())?;
        let place = Place::make(self.keep.as_deref())?;
        let held = self.hold_all(&programs, place.path()).and_then(|found| {
            found.iter().for_each(tell);
            outputs.write(&found, &self.about(outputs.shadow_name()))?;
            verdict(&found)
        });
        if held.is_err() {
            place.keep();
        }
        held
    }

    fn about(&self, shadow: String) -> About {
        let variant = self.variant.to_possible_value();
        let variant = variant.map_or_else(String::new, |value| value.get_name().to_owned());
        About {
            made: rfc3339(SystemClock.now()),
            again: format!(
                "portcullis drill mfa-bypass --seed {} --scale {} --variant {variant}",
                self.seed, self.scale
            ),
            shadow,
        }
    }

    /// Every attacker on a network of its own, all at once: they wait more than they work.
    fn hold_all(&self, programs: &Programs, place: &Path) -> Result<Vec<Findings>, Failure> {
        let begun = Instant::now();
        std::thread::scope(|scope| {
            let variants = self.variant.variants();
            let hold = |variant| scope.spawn(move || self.hold(variant, programs, place, begun));
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
        programs: &Programs,
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
            anvil: programs.anvil.clone(),
            mail: programs.mail.clone(),
            token: programs.token.clone(),
            binary,
            founder: &Development,
            tell: Arc::new(move |what| {
                let (seconds, name) = (begun.elapsed().as_secs(), variant.name());
                say(format_args!("{seconds:>4} s  {name:<15} {what}"));
            }),
        };
        portcullis_drill::mfa_bypass(&setting).map_err(|error| {
            Failure::new(
                Exit::Stopped,
                format!("the drill {} could not be held: {error}", variant.name()),
                format!("look into the logs below {}", place.display()),
            )
        })
    }
}

/// Programs of others that a drill starts.
struct Programs {
    anvil: PathBuf,
    mail: PathBuf,
    /// The code of the token's contract.
    token: String,
}

/// The files that the drill writes.
struct Outputs {
    json: Option<Output>,
    report: Option<Output>,
    /// The shadow report of the flow as it was, beside the report.
    shadow: Option<Output>,
}

impl Outputs {
    fn at(json: Option<&Path>, report: Option<&Path>) -> Result<Self, Failure> {
        let beside = || json.map(|path| path.with_extension("html"));
        let report = report.map(Path::to_owned).or_else(beside);
        let shadow = report.as_deref().map(beside_report);
        let outputs = Self {
            json: json.map(Output::at).transpose()?,
            report: report.as_deref().map(Output::at).transpose()?,
            shadow: shadow.as_deref().map(Output::at).transpose()?,
        };
        match (&outputs.json, &outputs.report) {
            (Some(json), Some(report)) => json.is_apart(report).map(|()| outputs),
            _ => Ok(outputs),
        }
    }

    /// The name by which the report links the shadow report.
    fn shadow_name(&self) -> String {
        let name = self
            .shadow
            .as_ref()
            .and_then(|output| output.path().file_name());
        name.unwrap_or_default().to_string_lossy().into_owned()
    }

    fn write(&self, found: &[Findings], about: &About) -> Result<(), Failure> {
        if let Some(output) = &self.report {
            output.write(report::html(found, about).as_bytes())?;
            say(format_args!("\nFor people: {}", output.path().display()));
        }
        if let (Some(output), Some(one)) = (&self.shadow, found.first()) {
            output.write(one.outcome.shadow.page.as_bytes())?;
            let path = output.path().display();
            say(format_args!(
                "The shadow report of the flow as it was: {path}"
            ));
        }
        if let Some(output) = &self.json {
            let outcomes: Vec<Outcome> = found.iter().map(|one| one.outcome.clone()).collect();
            output.write(json(&Outcome::of_all(&outcomes)).as_bytes())?;
            say(format_args!(
                "For programs, after docs/spec/drill.schema.json: {}",
                output.path().display()
            ));
        }
        Ok(())
    }
}

/// `drill.html` has `drill-shadow.html` beside it.
fn beside_report(report: &Path) -> PathBuf {
    let stem = report.file_stem().unwrap_or_default().to_string_lossy();
    report.with_file_name(format!("{stem}-shadow.html"))
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
    say(format_args!("\n{}", report::table(found)));
}

fn verdict(found: &[Findings]) -> Result<(), Failure> {
    let checks = || found.iter().flat_map(|one| &one.outcome.checks);
    let failed = checks().filter(|check| !check.pass).count();
    if found.iter().all(|one| one.outcome.passed()) {
        say(format_args!("All {} checks pass.", checks().count()));
        return Ok(());
    }
    let what = format!("{failed} of {} checks do not hold", checks().count());
    Err(Failure::new(Exit::Wrong, what, "look at those marked FAIL"))
}
