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
    use clap::error::ErrorKind;
    use std::fs;
    use std::path::Path;

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

    /// Every command that the guides tell people to type is one, whatever its placeholders stand for.
    #[test]
    fn guides_name_no_other_arguments() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let guides = fs::read_dir(root.join("docs/guide")).unwrap();
        let guides = guides.map(|file| file.unwrap().path());
        let mut tried = 0;
        for file in guides.chain([root.join("README.md")]) {
            if file.extension().is_none_or(|ending| ending != "md") {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            for words in commands(&text) {
                tried += 1;
                if let Err(error) = Cli::try_parse_from(&words) {
                    let (kind, at) = (error.kind(), file.display());
                    let is_placeholder = matches!(
                        kind,
                        ErrorKind::ValueValidation
                            | ErrorKind::InvalidValue
                            | ErrorKind::DisplayHelp
                            | ErrorKind::DisplayVersion
                    );
                    assert!(is_placeholder, "{at}: {words:?}: {error}");
                }
            }
        }
        assert!(tried > 50, "{tried}");
    }

    /// The words of each command in the blocks of a shell.
    fn commands(text: &str) -> Vec<Vec<String>> {
        let blocks = text.split("```sh\n").skip(1);
        let blocks = blocks.filter_map(|block| block.split("```").next());
        let lines = blocks.flat_map(|block| {
            let joined = block.replace("\\\n", " ");
            joined.lines().map(str::to_owned).collect::<Vec<_>>()
        });
        let commands = lines.filter_map(|line| {
            let words: Vec<String> = words(&line);
            let first = words.iter().position(|word| word == "portcullis")?;
            let is_ours = words.get(..first)?.iter().all(|word| word.contains('='));
            is_ours.then(|| words.into_iter().skip(first).collect())
        });
        commands.collect()
    }

    /// Up to a comment, a pipe or what else ends a command.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
        for letter in line.chars() {
            match (quote, letter) {
                (Some(open), _) if open == letter => quote = None,
                (None, '\'' | '"') => {
                    quote = Some(letter);
                    word.get_or_insert_default();
                }
                (None, '#' | '|' | '>' | '<' | '&' | ';') if word.is_none() => break,
                (None, ';') => break,
                (None, ' ') => words.extend(word.take()),
                _ => word.get_or_insert_default().push(letter),
            }
        }
        words.extend(word);
        words
    }
}
