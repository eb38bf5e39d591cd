//! `portcullis policy check`.

use super::comeback::by_staff_alone;
use super::{Witnessed, read};
use crate::caps::contradictions;
use crate::failure::{Exit, Failure};
use crate::out::say;
use clap::Args;
use portcullis_core::State;
use portcullis_core::genesis::IssuerKind;
use portcullis_core::policy::{Engine, Policy, Remarks, Wanted};
use std::path::PathBuf;

/// Whether a file is a policy, and what is odd about it
///
/// Warns of statements that can never apply, of data that no statement asks about; with --dir also of
/// assets that the network does not have, of limits above what signers state that they sign, of needs
/// that no issuer in force could meet, and of recoveries that would all need staff.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The policy
    file: PathBuf,
    /// The folder of the network that it is meant for, with its journal
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl CheckArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let policy = read(&self.file)?;
        let mut remarks = Remarks::on(&policy);
        if let Some(dir) = &self.dir {
            let state = replayed(&Witnessed::open(dir)?)?;
            remarks.warnings.extend(strange_assets(&policy, &state));
            remarks.warnings.extend(contradictions(&state));
            remarks.warnings.extend(nobody_says(&policy, &state));
            remarks.warnings.extend(by_staff_alone(&policy, &state));
        }
        for warning in &remarks.warnings {
            say(format_args!("warning  {warning}"));
        }
        for fault in &remarks.faults {
            say(format_args!("fault    {fault}"));
        }
        if !remarks.faults.is_empty() {
            let what = format!("{} is no policy", self.file.display());
            return Err(Failure::new(Exit::Wrong, what, "docs/guide/policy.md"));
        }
        say(format_args!("digest   {}", policy.digest()));
        Ok(())
    }
}

fn replayed(journal: &Witnessed) -> Result<State, Failure> {
    let mut state = State::new(std::sync::Arc::clone(&journal.network));
    for bytes in &journal.entries {
        journal.apply(&mut state, bytes)?;
    }
    Ok(state)
}

/// What a statement waits for and no issuer in force could ever say.
fn nobody_says(policy: &Policy, state: &State) -> Vec<String> {
    let engine = Engine::of(policy);
    let kinds = [
        (Wanted::Screening, IssuerKind::Screening, "screening"),
        (Wanted::TravelRule, IssuerKind::TravelRule, "travel-rule"),
    ];
    let statements = engine.statements().flat_map(|statement| {
        let wanted = kinds
            .into_iter()
            .filter(|kind| statement.needs == Some(kind.0));
        wanted.map(|(_, kind, name)| (statement.name.0.clone(), kind, name))
    });
    let nobody = statements
        .filter(|(_, kind, _)| !state.issuers().iter().any(|issuer| issuer.kind == *kind));
    nobody
        .map(|(statement, _, kind)| {
            format!(
                "`{statement}` waits for the word of an issuer of kind {kind}, and there is none"
            )
        })
        .collect()
}

fn strange_assets(policy: &Policy, state: &State) -> Vec<String> {
    let known = &state.network().genesis().assets;
    let without_steps = known
        .iter()
        .filter(|asset| !policy.tiers.iter().any(|tiers| tiers.asset == **asset));
    let without_steps =
        without_steps.map(|asset| format!("{asset} has no steps: every amount of it is in tier 9"));
    let strange = policy
        .tiers
        .iter()
        .filter(|tiers| !known.contains(&tiers.asset));
    let strange = strange.map(|tiers| format!("the network has no asset {}", tiers.asset));
    let asks = policy.cedar.contains("tier");
    let unused = without_steps.filter(|_| asks);
    unused.chain(strange).collect()
}
