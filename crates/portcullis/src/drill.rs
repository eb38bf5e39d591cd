//! `portcullis drill`: re-enacts an incident against a fresh running system.

mod founder;
mod place;

use crate::failure::{Exit, Failure};
use crate::out::{json, say};
use crate::output::Output;
use clap::{Args, Subcommand, ValueEnum};
use founder::Development;
use place::{Place, anvil, bitcoin_node, mail_server, token};
use portcullis_drill::report::{self, About};
use portcullis_drill::{
    Before, DrillError, Findings, Incident, Outcome, Scale, Setting, Tell, Variant,
};
use portcullis_host::{Clock as _, SystemClock};
use portcullis_keeper::rfc3339;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Re-enact an incident against a fresh running system
///
/// Everything runs on this machine: an Ethereum node, a Bitcoin node, a mail server, the gate, a signer, a witness, a herald,
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
/// 483 accounts with 4,836.26 ETH, 443.93 BTC and US$66,200 of others are attacked among thousands of honest withdrawals, by attackers who
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
    /// The Bitcoin node's program; where script/install puts it otherwise
    #[arg(long, value_name = "FILE")]
    bitcoin_node: Option<PathBuf>,
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
        let incident = self.incident()?;
        let outputs = Outputs::at(self.json.as_deref(), self.report.as_deref())?;
        let place = Place::make(self.keep.as_deref())?;
        let held = self.hold_all(&incident, place.path()).and_then(|found| {
            found.iter().for_each(tell_checks);
            outputs.write(&found, &self.about(outputs.shadow_name()))?;
            verdict(&found)
        });
        if held.is_err() {
            place.keep();
        }
        held
    }

    fn incident(&self) -> Result<Incident, Failure> {
        let binary = std::env::current_exe().map_err(|error| {
            Failure::usage(format!("the own program is not found: {error}"), "")
        })?;
        Ok(Incident {
            seed: self.seed,
            scale: self.scale,
            anvil: anvil(self.anvil.as_deref())?,
            bitcoin: bitcoin_node(self.bitcoin_node.as_deref())?,
            mail: mail_server(self.mail_server.as_deref())?,
            token: token(self.token.as_deref())?,
            binary,
        })
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

    /// Every attacker on a network of its own, and the flow as it was beside them, all at once: they wait more than
    /// they work.
    fn hold_all(&self, incident: &Incident, place: &Path) -> Result<Vec<Findings>, Failure> {
        let begun = Instant::now();
        let variants = self.variant.variants().into_iter();
        let settings = variants.map(|variant| setting(incident, variant, place, begun));
        let settings: Vec<Setting<'_>> = settings.collect();
        std::thread::scope(|scope| {
            let (folder, tell) = (place.join("as-it-was"), tell("as-it-was", begun));
            let before = scope.spawn(move || portcullis_drill::as_it_was(incident, &folder, &tell));
            let hold = |setting| scope.spawn(move || portcullis_drill::mfa_bypass(setting));
            let running: Vec<_> = settings.iter().map(hold).collect();
            let held = running
                .into_iter()
                .zip(&settings)
                .map(|(one, setting)| joined(one.join(), setting.variant.name(), place));
            let held: Vec<_> = held.collect();
            let before: Before = joined(before.join(), "as it was", place)?;
            held.into_iter()
                .map(|one| Ok(one?.beside(&before)))
                .collect()
        })
    }
}

fn setting<'a>(
    incident: &'a Incident,
    variant: Variant,
    place: &Path,
    begun: Instant,
) -> Setting<'a> {
    Setting {
        incident,
        variant,
        folder: place.join(variant.name()),
        founder: &Development,
        tell: tell(variant.name(), begun),
    }
}

/// Says how far it is.
fn tell(name: &'static str, begun: Instant) -> Tell {
    Arc::new(move |what| {
        let seconds = begun.elapsed().as_secs();
        say(format_args!("{seconds:>4} s  {name:<15} {what}"));
    })
}

/// What a thread came to.
fn joined<T>(
    done: std::thread::Result<Result<T, DrillError>>,
    name: &str,
    place: &Path,
) -> Result<T, Failure> {
    let done = done.map_err(|_| Failure::new(Exit::Stopped, "a drill panicked", "report it"))?;
    done.map_err(|error| {
        Failure::new(
            Exit::Stopped,
            format!("the drill {name} could not be held: {error}"),
            format!("look into the logs below {}", place.display()),
        )
    })
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

fn tell_checks(found: &Findings) {
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
