//! `portcullis policy explain`.

use super::{Witnessed, read};
use crate::failure::{Exit, Failure};
use crate::out::{json, say};
use clap::Args;
use portcullis_client::in_short;
use portcullis_core::decide::{Decided, decide, settle};
use portcullis_core::policy::Trial;
use portcullis_core::signature::Strict;
use portcullis_core::{Body, Digest, Entry, State};
use portcullis_keeper::rfc3339;
use std::path::PathBuf;
use std::sync::Arc;

/// Why an act was decided as it was: the rules, by name, and the facts
///
/// Decides the act again at each of its entries, on the journal's state of that time. With --policy
/// the same is shown under another policy.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The act's digest
    act: Digest,
    /// The folder of the network, with its journal
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Decide by this policy instead of the one in force at the time
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

impl ExplainArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let trial = self.policy.as_deref().map(read).transpose()?;
        let wrong = |fault| Failure::new(Exit::Wrong, fault, "portcullis policy check says more");
        let mut trial = trial.map(Trial::new).transpose().map_err(wrong)?;
        let journal = Witnessed::open(&self.dir)?;
        let mut state = State::new(Arc::clone(&journal.network));
        let mut found = false;
        for bytes in &journal.entries {
            if let Ok(entry) = Entry::from_bytes(bytes)
                && let Some(decided) = self.decided(&mut state, trial.as_mut(), &entry)
            {
                found = true;
                tell(&state, &entry, &decided);
            }
            state.apply(bytes, &Strict);
        }
        if found {
            return Ok(());
        }
        Err(Failure::new(
            Exit::Wrong,
            format!("no entry that a witness has seen decides {}", self.act),
            "look for the act's digest with: portcullis call --as auditor GET /v1/acts/DIGEST",
        ))
    }

    /// What the entry's decision comes to, where it is one about the act.
    fn decided(
        &self,
        state: &mut State,
        trial: Option<&mut Trial>,
        entry: &Entry,
    ) -> Option<Decided> {
        let again = |state: &State| match &entry.body {
            Body::Act(said) if said.act.digest() == self.act => Some(decide(
                state,
                &said.act,
                &said.evidence,
                entry.time,
                &Strict,
            )),
            Body::Settle(said) if said.act == self.act => Some(settle(state, said.act, entry.time)),
            _ => None,
        };
        match trial {
            Some(trial) => trial.under(state, again),
            None => again(state),
        }
    }
}

fn tell(state: &State, entry: &Entry, decided: &Decided) {
    say(format_args!(
        "entry      {}, {}",
        state.size(),
        rfc3339(entry.time)
    ));
    say(format_args!("decision   {}", in_short(decided.decision())));
    let Some(asked) = decided.asked() else {
        say("policy     not asked: core decided by itself");
        return;
    };
    let names = asked.answer.statements.iter().map(|name| &*name.0);
    let names: Vec<&str> = names.collect();
    say(format_args!("statements {}", names.join(", ")));
    say(format_args!("facts      {}", json(&asked.facts)));
}
