//! `portcullis policy explain`.

use super::{Witnessed, read};
use crate::failure::{Exit, Failure};
use crate::out::{json, say, word};
use clap::Args;
use portcullis_client::in_short;
use portcullis_core::behaviour::Said;
use portcullis_core::decide::{Bite, Bitten, Decided, bites, decide, settle};
use portcullis_core::policy::Candidate;
use portcullis_core::signature::Strict;
use portcullis_core::window::Window;
use portcullis_core::{Act, Body, Digest, Entry, State, Time};
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
        let policy = self.policy.as_deref().map(read).transpose()?;
        let wrong = |fault| Failure::new(Exit::Wrong, fault, "portcullis policy check says more");
        let mut candidate = policy.map(Candidate::policy).transpose().map_err(wrong)?;
        let journal = Witnessed::open(&self.dir)?;
        let mut state = State::new(Arc::clone(&journal.network));
        let mut found = false;
        for bytes in &journal.entries {
            if let Ok(entry) = Entry::from_bytes(bytes)
                && let Some(shown) = self.decided(&mut state, candidate.as_mut(), &entry)
            {
                found = true;
                tell(&state, &entry, &shown);
            }
            journal.apply(&mut state, bytes)?;
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
        candidate: Option<&mut Candidate>,
        entry: &Entry,
    ) -> Option<Shown> {
        let time = entry.time;
        let again = |state: &State| match &entry.body {
            Body::Act(said) if said.act.digest() == self.act => {
                let decided = decide(state, &said.act, &said.evidence, time, &Strict);
                Some(look(state, decided, &said.act, time))
            }
            Body::Settle(said) if said.act == self.act => {
                let held = state.facts().held.get(&said.act);
                let release = state.facts().releases.get(&said.act);
                let act = held
                    .map(|held| &held.act)
                    .or(release.map(|release| &release.act))?;
                Some(look(state, settle(state, said.act, time), act, time))
            }
            _ => None,
        };
        match candidate {
            Some(candidate) => candidate.under(state, again),
            None => again(state),
        }
    }
}

/// What is shown of one decision.
struct Shown {
    decided: Decided,
    limits: Vec<Bite>,
    lists: Vec<String>,
}

fn look(state: &State, decided: Decided, act: &Act, time: Time) -> Shown {
    let bits = decided.asked().map_or(0, |asked| asked.facts.lists);
    let lists = state.engine().list_names(bits);
    Shown {
        lists: lists.map(|name| name.0.clone()).collect(),
        limits: bites(state, act, time),
        decided,
    }
}

fn tell(state: &State, entry: &Entry, shown: &Shown) {
    let decided = &shown.decided;
    say(format_args!(
        "entry      {}, {}",
        state.size(),
        rfc3339(entry.time)
    ));
    say(format_args!("decision   {}", in_short(decided.decision())));
    for Bite { bounds, number } in &shown.limits {
        let (bounds, number) = (word(bounds), in_words(*number));
        say(format_args!("limit      {bounds}: {number}"));
    }
    let Some(asked) = decided.asked() else {
        say("policy     not asked: core decided by itself");
        return;
    };
    let names = asked.answer.statements.iter().map(|name| &*name.0);
    let names: Vec<&str> = names.collect();
    say(format_args!("statements {}", names.join(", ")));
    if !shown.lists.is_empty() {
        say(format_args!("lists      {}", shown.lists.join(", ")));
    }
    if let Some(company) = &asked.facts.company {
        for Said { points, text, .. } in company.said() {
            say(format_args!("beside     {points} points: {text}"));
        }
        say(format_args!("score      {} of 100", company.score()));
    }
    say(format_args!("facts      {}", json(&asked.facts)));
}

fn in_words(number: Bitten) -> String {
    match number {
        Bitten::PerTransaction => "above the most of one transaction".into(),
        Bitten::Window(Window::Hour) => "over the most of an hour".into(),
        Bitten::Window(Window::Day) => "over the most of 24 hours".into(),
        Bitten::Window(Window::Week) => "over the most of 7 days".into(),
        Bitten::Approval(count) => format!("large enough for approval by {count}"),
    }
}
