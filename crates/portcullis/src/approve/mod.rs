//! `portcullis approve`: an approver's own follower. No page stands between a person and the bytes.

mod labels;
mod show;

pub(crate) use show::in_words;

use crate::failure::{Exit, Failure};
use crate::out::{say, warn};
use crate::reach::{Caller, CallerArgs, Reach, ReachArgs};
use crate::replica::Replica;
use clap::Args;
use portcullis_client::ActBuilder;
use portcullis_core::act::{ActKind, Approve};
use portcullis_core::state::release::Held;
use portcullis_core::{Digest, Evidence, State};
use portcullis_keeper::rfc3339;
use std::io::{BufRead as _, IsTerminal as _};

/// Follow the journal, show what waits as it is decoded here, and approve it
///
/// Everything that is shown comes from the journal itself: followed from genesis, each decision made
/// again, under a checkpoint that the witnesses have just cosigned. Without an act it lists what
/// waits for somebody. Signs as `approver` unless --as or --key says otherwise.
#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    /// The act's digest, or its first digits
    act: Option<String>,
    /// Approve without asking, if the act's digest begins with these eight digits or more
    #[arg(long, value_name = "DIGEST-PREFIX")]
    yes: Option<String>,
    #[command(flatten)]
    caller: CallerArgs,
    #[command(flatten)]
    reach: ReachArgs,
}

impl ApproveArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let reach = self.reach.open()?;
        let mut replica = Replica::follow(&reach)?;
        let Some(wanted) = &self.act else {
            list(&reach, &replica);
            return Ok(());
        };
        replica.wait_for(|state| waiting(state, wanted).next().is_some())?;
        let caller = self.caller.or_as("approver").required(&reach)?;
        let (digest, held) = find(&reach, &replica, wanted)?;
        say(replica.seen());
        let mut lines = show::describe(replica.state(), digest, held, &reach);
        if let ActKind::SetLabels(set) = &held.act.kind {
            lines.extend(labels::changes(&reach, replica.state(), set)?);
        }
        for (name, text) in lines {
            say(format_args!("{name:<14}{text}"));
        }
        if !self.agrees(digest)? {
            return Err(Failure::new(Exit::Refused, "not approved", ""));
        }
        approve(&reach, &replica, &caller, digest)?;
        tell_outcome(&mut replica, &caller, digest)
    }

    fn agrees(&self, digest: Digest) -> Result<bool, Failure> {
        if let Some(prefix) = &self.yes {
            if prefix.len() < 8 || !digest.to_string().starts_with(prefix.as_str()) {
                let what = format!("--yes {prefix} does not name act {digest}");
                return Err(Failure::usage(
                    what,
                    "give at least eight of its first digits",
                ));
            }
            return Ok(true);
        }
        let input = std::io::stdin();
        if !input.is_terminal() {
            return Err(Failure::usage(
                "nobody is there to ask",
                "add --yes with the act's digits",
            ));
        }
        warn("Approve exactly this? Type yes:");
        let mut answer = String::new();
        let read = input.lock().read_line(&mut answer);
        Ok(read.is_ok() && answer.trim() == "yes")
    }
}

fn list(reach: &Reach, replica: &Replica) {
    let held = &replica.state().facts().held;
    say(replica.seen());
    if held.is_empty() {
        say("nothing waits");
    }
    for (digest, held) in held {
        say("");
        for (name, text) in show::describe(replica.state(), *digest, held, reach) {
            say(format_args!("{name:<14}{text}"));
        }
    }
}

/// The held acts whose digests begin so.
fn waiting<'a>(state: &'a State, wanted: &'a str) -> impl Iterator<Item = (&'a Digest, &'a Held)> {
    let held = state.facts().held.iter();
    held.filter(move |(digest, _)| digest.to_string().starts_with(wanted))
}

fn find<'a>(
    reach: &Reach,
    replica: &'a Replica,
    wanted: &'a str,
) -> Result<(Digest, &'a Held), Failure> {
    let mut found = waiting(replica.state(), wanted);
    match (found.next(), found.next()) {
        (Some((digest, held)), None) => Ok((*digest, held)),
        (Some(_), Some(_)) => Err(Failure::usage(
            format!("several acts begin with {wanted}"),
            "give more digits",
        )),
        (None, _) => Err(Failure::usage(
            format!("no act {wanted} waits in the journal"),
            format!(
                "it may have gone out, ended or been cancelled: portcullis call{} --as approver \
                 GET /v1/acts/DIGEST",
                reach.flags
            ),
        )),
    }
}

/// What the approval has brought, once the journal has it.
fn tell_outcome(replica: &mut Replica, caller: &Caller, act: Digest) -> Result<(), Failure> {
    let counted = |held: &Held| held.approvals.contains_key(&caller.principal);
    replica.wait_for(|state| state.facts().held.get(&act).is_none_or(counted))?;
    let state = replica.state();
    match state.facts().held.get(&act) {
        None => say("waits for     nothing: it has gone its way"),
        Some(held) if counted(held) => {
            for (name, text) in show::waiting(state, act) {
                say(format_args!("{name:<14}{text}"));
            }
        }
        Some(_) => say("outcome       not cosigned yet; look again with: portcullis approve"),
    }
    Ok(())
}

fn approve(reach: &Reach, replica: &Replica, caller: &Caller, act: Digest) -> Result<(), Failure> {
    let (machine, genesis) = (&reach.machine, reach.network.digest());
    let now = machine.clock.now();
    let checkpoint = replica.checkpoint(now);
    let builder = ActBuilder::new(genesis, checkpoint, now, machine.random.as_ref());
    let kind = ActKind::Approve(Approve { act });
    let approval = builder.by_staff(caller.principal, None, kind);
    let accepted = reach
        .gate
        .submit(&caller.signer, &approval, &Evidence::default())?;
    let (entry, time) = (accepted.entry, rfc3339(accepted.time));
    say(format_args!(
        "approved      entry {entry}, {time}, by act {}",
        accepted.digest
    ));
    Ok(())
}
