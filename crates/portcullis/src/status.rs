//! `portcullis status`: how things are, by the gate's own word.

use crate::failure::{Exit, Failure};
use crate::out::{json, say};
use crate::reach::{Reach, ReachArgs};
use crate::scope;
use crate::staff::missing;
use crate::withheld;
use clap::Args;
use portcullis_client::{InForce, Status, Takes};
use portcullis_core::Span;
use portcullis_keeper::rfc3339;

/// Show what the gate says of itself
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: ReachArgs,
}

impl StatusArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let reach = self.reach.open()?;
        let status = reach.gate.status()?;
        reach.look_at_checkpoint();
        if self.json {
            say(json(&status));
        } else {
            tell(&reach, &status);
        }
        if status.genesis == reach.network.digest() {
            return Ok(());
        }
        let what = "the gate is of another network than the pinned genesis";
        Err(Failure::new(Exit::Wrong, what, "check the gate's address"))
    }
}

/// The gate takes nothing that loosens while the newest quorum cosignature is older.
const WITNESSES_STALE: Span = Span::seconds(10);

fn tell(reach: &Reach, status: &Status) {
    line("gate", &reach.gate.endpoint().to_string());
    line("genesis", &status.genesis.to_string());
    let newest = rfc3339(status.time);
    line(
        "entries",
        &format!("{}, the newest of {newest}", status.size),
    );
    tell_witnesses(reach, status);
    let (held, on_their_way) = (status.held, status.in_flight);
    line("acts", &format!("{held} held, {on_their_way} on their way"));
    if status.untold > 0 {
        let untold = status.untold;
        line(
            "untold",
            &format!("{untold} whose delay begins with the herald's word"),
        );
    }
    withheld::tell(reach, status);
    line("void", &format!("{} entries", status.void_entries));
    tell_holders(status);
    tell_webhooks(status);
    for suspension in &status.suspensions {
        tell_suspension(reach, suspension);
    }
    let listed = status.suspensions.len() as u64;
    if status.suspensions_count > listed {
        let more = status.suspensions_count - listed;
        line("", &format!("and {more} more; lift up-to:ENTRY takes all"));
    }
    for latch in &status.latches {
        line(
            "latched",
            &format!("{} ({})", latch.target(), latch.condition.name()),
        );
    }
    if status.suspensions.is_empty() && status.latches.is_empty() {
        line("shut", "nothing");
    }
}

fn line(name: &str, text: &str) {
    say(format_args!("{name:<12}{text}"));
}

fn tell_holders(status: &Status) {
    if let Some(holders) = status.holders {
        let (count, able) = (holders.count, holders.with_factor);
        line("holders", &format!("{count}, {able} of them with a factor"));
    }
    if let Some(campaign) = status.re_enrolment {
        let (enrolled, revoked) = (campaign.enrolled, campaign.revoked);
        let (entry, at) = (campaign.entry, rfc3339(campaign.time));
        line(
            "re-enrolled",
            &format!("{enrolled} since entry {entry} of {at} revoked the factors of {revoked}"),
        );
    }
}

/// Those that take everything say nothing.
fn tell_webhooks(status: &Status) {
    for webhook in &status.webhooks {
        let (name, behind) = (&webhook.name, webhook.behind);
        let since = webhook.since.map_or_else(String::new, rfc3339);
        match webhook.takes {
            Takes::Events => {}
            Takes::Nothing => line(
                "webhook",
                &format!("{name} takes nothing since {since}, and is {behind} entries behind"),
            ),
            Takes::Disabled => line(
                "webhook",
                &format!(
                    "{name} wants no more since {since}: disabled until the gate starts again"
                ),
            ),
        }
    }
}

fn tell_witnesses(reach: &Reach, status: &Status) {
    let at = status.witnessed_at;
    line("witnessed", &at.map_or_else(|| "never".into(), rfc3339));
    let now = reach.machine.clock.now();
    if at.is_none_or(|at| now.since(at) > WITNESSES_STALE) {
        let silent =
            "the witnesses are silent: only acts that take away pass; see portcullis doctor";
        line("", silent);
    }
}

fn tell_suspension(reach: &Reach, suspension: &InForce) {
    let scope = scope::text(suspension.scope);
    line("suspended", &format!("{scope} by {}", suspension.by));
    let (entry, stopped) = (suspension.entry, stopped(reach, suspension));
    line("", &format!("recorded by entry {entry}, {stopped}"));
    if suspension.signed_earlier_count > 0 {
        let count = suspension.signed_earlier_count;
        line(
            "",
            &format!("{count} in its scope were signed earlier and may still arrive:"),
        );
        for act in &suspension.signed_earlier {
            line("", &act.to_string());
        }
    }
}

/// Which keepers have signed that they have a suspension, and which have not.
fn stopped(reach: &Reach, suspension: &InForce) -> String {
    let missing: Vec<String> = missing(reach, Some(suspension))
        .map(|id| id.to_string())
        .collect();
    if missing.is_empty() {
        return "stopped: every keeper has signed that it has it".into();
    }
    format!("no word yet from keepers {}", missing.join(", "))
}
