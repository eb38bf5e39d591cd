//! The acts that staff do alone from a shell: suspend and lift.

use crate::approve::in_words;
use crate::failure::{Exit, Failure};
use crate::out::{say, warn};
use crate::reach::{Caller, CallerArgs, Reach, ReachArgs};
use crate::scope;
use crate::withheld;
use clap::Args;
use portcullis_client::InForce;
use portcullis_core::act::{Act, ActKind, Lift, LiftTarget, Scope, Suspend};
use portcullis_core::id::KeeperId;
use portcullis_core::{Decision, Digest, Evidence};
use portcullis_keeper::rfc3339;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Shut the gate for a scope
///
/// It is recorded as soon as the gate answers, and stopped once every keeper has signed that it has
/// it. With --to-boards the act goes to the stop boards instead: keepers read them by themselves, so
/// that works without the gate. Signs as `operator` unless --as or --key says otherwise.
#[derive(Debug, Args)]
pub(crate) struct SuspendArgs {
    /// everything, withdrawals, realm:customers, realm:staff, asset:CAIP-19, account:ID
    #[arg(value_parser = scope::parse)]
    scope: Scope,
    /// Post it on every stop board instead of sending it to the gate
    #[arg(long)]
    to_boards: bool,
    /// With --to-boards: a checkpoint that a quorum cosigned, such as `checkpoint` in the data folder
    /// of the journal or of a signer; otherwise the newest that was seen here
    #[arg(long, value_name = "FILE", requires = "to_boards")]
    checkpoint: Option<PathBuf>,
    #[command(flatten)]
    caller: CallerArgs,
    #[command(flatten)]
    reach: ReachArgs,
}

/// Propose to end a suspension, or to clear a keeper's latch
///
/// It takes a quorum of administrators: this proposes, the others say `portcullis approve`. Signs as
/// `administrator-1` unless --as or --key says otherwise.
#[derive(Debug, Args)]
pub(crate) struct LiftArgs {
    /// The suspending act's digest, up-to:ENTRY, or KEEPER:LATCH, as `portcullis status` shows them
    #[arg(value_parser = scope::target)]
    target: LiftTarget,
    #[command(flatten)]
    caller: CallerArgs,
    #[command(flatten)]
    reach: ReachArgs,
}

impl SuspendArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let reach = self.reach.open()?;
        let caller = self.caller.or_as("operator").required(&reach)?;
        let kind = ActKind::Suspend(Suspend { scope: self.scope });
        if self.to_boards {
            return self.post(&reach, &caller, &kind);
        }
        let to_boards = || {
            let (scope, flags) = (scope::text(self.scope), &reach.flags);
            format!(
                "without the gate: portcullis suspend {scope}{flags} --to-boards; on each signer's \
                 host: portcullis signer shut --config signer.toml"
            )
        };
        let act = reach.staff_act(&caller, kind);
        let act = act.map_err(|failure| failure.then(to_boards()))?;
        let accepted = reach
            .gate
            .submit(&caller.signer, &act, &Evidence::default())
            .map_err(|error| Failure::from(error).then(to_boards()))?;
        let (digest, entry) = (accepted.digest, accepted.entry);
        say(format_args!(
            "recorded  entry {entry}, {}",
            rfc3339(accepted.time)
        ));
        let flags = &reach.flags;
        say(format_args!(
            "suspended by act {digest}; end it with: portcullis lift {digest}{flags}"
        ));
        wait_for_keepers(&reach, digest)
    }

    /// On what is known here. The gate is asked for a newer checkpoint only then: for a stop that keepers may
    /// not count, which is posted once more, and else for the next.
    fn post(&self, reach: &Reach, caller: &Caller, kind: &ActKind) -> Result<(), Failure> {
        let on = reach.stop_checkpoint(self.checkpoint.as_deref())?;
        let is_old = reach.is_old(&on);
        if is_old {
            say(
                "this checkpoint was cosigned over an hour ago: unless the journal has stood still",
            );
            say(
                "since then, keepers do not count the stop. Name a newer one with --checkpoint FILE",
            );
        }
        let posted = post(reach, caller, &reach.stop_act(caller, kind.clone(), &on));
        let shown = reach.look_at_checkpoint();
        match shown.filter(|shown| is_old && on.oldest() < shown.oldest()) {
            Some(newer) => {
                say("once more, on the newer checkpoint that the gate shows");
                post(reach, caller, &reach.stop_act(caller, kind.clone(), &newer))
            }
            None => posted,
        }
    }
}

/// At the latest 4 s after the first cosigned checkpoint that contains it, every lease has run out.
const LEASES_END: Duration = Duration::from_secs(6);

fn wait_for_keepers(reach: &Reach, by: Digest) -> Result<(), Failure> {
    let end = Instant::now() + LEASES_END;
    loop {
        let status = reach.gate.status()?;
        let known = status
            .suspensions
            .iter()
            .find(|suspension| suspension.by == by);
        let missing: Vec<KeeperId> = missing(reach, known).collect();
        if missing.is_empty() {
            say("stopped   every keeper has signed that it has it");
            withheld::tell(reach, &status);
            return Ok(());
        }
        if Instant::now() >= end {
            withheld::tell(reach, &status);
            return Err(unconfirmed(&missing));
        }
        sleep(Duration::from_millis(100));
    }
}

/// Recorded, so that nothing more is released; whether every keeper has stopped signing is not known.
fn unconfirmed(missing: &[KeeperId]) -> Failure {
    let names: Vec<String> = missing.iter().map(ToString::to_string).collect();
    Failure::new(
        Exit::NoAnswer,
        format!(
            "recorded, but no word from keepers {}: not known to be stopped",
            names.join(", ")
        ),
        "see on their hosts that they are stopped: portcullis signer shut --config signer.toml, or \
         end the process",
    )
    .keeping("The suspension stands in the journal, and nothing in its scope is released any more.")
}

fn post(reach: &Reach, caller: &Caller, act: &Act) -> Result<(), Failure> {
    if reach.boards.is_empty() {
        return Err(Failure::usage(
            "NOT SUSPENDED: no stop board is named",
            "add --boards ID=URL",
        ));
    }
    let (mut posted, mut failure) = (0_usize, None);
    for board in &reach.boards {
        match board.post(&reach.network, &caller.signer, act) {
            Ok(stamp) => {
                posted += 1;
                let time = rfc3339(stamp.time);
                say(format_args!("posted  board {}, {time}", board.id()));
            }
            Err(error) => {
                warn(format_args!("not posted  board {}: {error}", board.id()));
                failure = Some(Failure::from(error));
            }
        }
    }
    if posted > 0 {
        say(format_args!("suspended by act {}", act.digest()));
    }
    let Some(failure) = failure else {
        return Ok(());
    };
    Err(if posted == 0 {
        let what = format!(
            "NOT SUSPENDED, no stop board has the act: {}",
            failure.what()
        );
        Failure::new(failure.exit(), what, BY_HAND)
            .keeping("Nothing is shut by this. An act counts once, so posting it again is safe.")
    } else {
        failure
            .then("see to the boards that are named above; keepers read the others meanwhile")
            .keeping("The stop stands on the boards that took it.")
    })
}

/// The stop that needs neither gate nor board.
const BY_HAND: &str = "on each signer's host: portcullis signer shut --config signer.toml, or end its \
     process; then see to the boards";

impl LiftArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let reach = self.reach.open()?;
        let caller = self.caller.or_as("administrator-1").required(&reach)?;
        let kind = ActKind::Lift(Lift {
            target: self.target,
        });
        let act = reach.staff_act(&caller, kind)?;
        let accepted = reach
            .gate
            .submit(&caller.signer, &act, &Evidence::default())?;
        let (digest, flags) = (accepted.digest, &reach.flags);
        match accepted.decision {
            Some(Decision::Hold { needs, .. }) => {
                say(format_args!(
                    "proposed  entry {}, act {digest}",
                    accepted.entry
                ));
                let needs: Vec<String> = needs.iter().map(|need| in_words(*need)).collect();
                say(format_args!("waits for {}", needs.join("; ")));
                say(format_args!(
                    "each other administrator: portcullis approve --as NAME {digest}{flags}"
                ));
            }
            _ => say(format_args!(
                "lifted  entry {}, act {digest}",
                accepted.entry
            )),
        }
        // A lift does not let out by itself what was withheld meanwhile.
        withheld::tell(&reach, &reach.gate.status()?);
        Ok(())
    }
}

/// The keepers that have not signed that they have a suspension.
pub(crate) fn missing(reach: &Reach, known: Option<&InForce>) -> impl Iterator<Item = KeeperId> {
    let stopped = known.map_or(&[][..], |suspension| &suspension.stopped);
    let keepers = reach
        .network
        .genesis()
        .keepers
        .iter()
        .map(|keeper| keeper.id);
    keepers.filter(move |id| !stopped.contains(id))
}

/// How long the gate may take to show the checkpoint that an act names: a stop does not wait longer.
const CHECKPOINT_WITHIN: Duration = Duration::from_secs(3);

impl Reach {
    /// A member of staff's act on the gate's newest checkpoint.
    pub(crate) fn staff_act(&self, caller: &Caller, kind: ActKind) -> Result<Act, Failure> {
        let gate = self.gate.within(CHECKPOINT_WITHIN);
        let draft = gate.draft(self.network.digest()).map_err(|error| {
            Failure::from(error)
                .keeping("Nothing was sent: the gate has not even shown a checkpoint.")
        })?;
        self.look_at_checkpoint();
        Ok(draft.by_staff(caller.principal, None, kind))
    }
}
