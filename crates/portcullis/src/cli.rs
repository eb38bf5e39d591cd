//! The command line.

use crate::approve::ApproveArgs;
use crate::bench::BenchArgs;
use crate::call::CallArgs;
use crate::demo::DemoArgs;
use crate::doctor::DoctorArgs;
use crate::drill::DrillArgs;
use crate::failure::Failure;
use crate::import::ImportArgs;
use crate::init::InitArgs;
use crate::key::KeyArgs;
use crate::labels::LabelsArgs;
use crate::policy::PolicyArgs;
use crate::processes::{HeraldArgs, ServeArgs, SignerArgs, WitnessArgs};
use crate::shadow::ShadowArgs;
use crate::sidecar::SidecarArgs;
use crate::staff::{LiftArgs, SuspendArgs};
use crate::status::StatusArgs;
use crate::verify::VerifyArgs;
use clap::{Parser, Subcommand};

/// A release gate that you host yourself: nothing of value leaves without evidence that anyone can
/// check again.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done; 1 something checked does not hold; 2 wrong usage, \
    nothing done; 3 refused, nothing changed; 4 no answer, outcome not known; 5 a process stopped."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(InitArgs),
    Key(KeyArgs),
    Serve(ServeArgs),
    Signer(SignerArgs),
    Witness(WitnessArgs),
    Call(Box<CallArgs>),
    Approve(ApproveArgs),
    Verify(VerifyArgs),
    Suspend(SuspendArgs),
    Lift(LiftArgs),
    Status(StatusArgs),
    Doctor(DoctorArgs),
    Demo(DemoArgs),
    Drill(DrillArgs),
    Bench(BenchArgs),
    Policy(PolicyArgs),
    Herald(HeraldArgs),
    Import(ImportArgs),
    Shadow(ShadowArgs),
    Sidecar(Box<SidecarArgs>),
    Labels(LabelsArgs),
}

impl Cli {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Init(args) => args.run(),
            Command::Key(args) => args.run(),
            Command::Serve(args) => args.run(),
            Command::Signer(args) => args.run(),
            Command::Witness(args) => args.run(),
            Command::Call(args) => args.run(),
            Command::Approve(args) => args.run(),
            Command::Verify(args) => args.run(),
            Command::Suspend(args) => args.run(),
            Command::Lift(args) => args.run(),
            Command::Status(args) => args.run(),
            Command::Doctor(args) => args.run(),
            Command::Demo(args) => args.run(),
            Command::Drill(args) => args.run(),
            Command::Bench(args) => args.run(),
            Command::Policy(args) => args.run(),
            Command::Herald(args) => args.run(),
            Command::Import(args) => args.run(),
            Command::Shadow(args) => args.run(),
            Command::Sidecar(args) => args.run(),
            Command::Labels(args) => args.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    /// The whole command line as people read it, so that a change of it is a decision.
    #[test]
    fn help() {
        let mut root = Cli::command().term_width(100);
        root.build();
        insta::assert_snapshot!("help", all(&root));
    }

    fn all(command: &clap::Command) -> String {
        let subs = command
            .get_subcommands()
            .filter(|sub| sub.get_name() != "help");
        let subs = subs.map(|sub| {
            let name = sub.get_bin_name().unwrap_or_default();
            format!("\n=== {name}\n\n{}", all(sub))
        });
        let own = format!("{}\n", command.clone().render_long_help());
        std::iter::once(own).chain(subs).collect()
    }

    #[test]
    fn arguments_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
