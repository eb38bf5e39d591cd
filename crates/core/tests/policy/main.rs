//! Policy: what it says to which facts, and that it only ever takes away.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

#[path = "../stage/mod.rs"]
mod stage;

mod beside;
mod engine;
mod in_force;
mod only_takes_away;
mod rates;
mod table;

use portcullis_core::act::{ActKind, SetPolicy};
use portcullis_core::policy::{List, Name, Policy, Tiers};
use portcullis_keeper::testkit::World;
use stage::Stage;

/// What core lets through passes; each test adds what objects.
const PERMIT: &str = r#"@id("permit") permit (principal, action, resource);"#;

fn policy(cedar: &str) -> Policy {
    Policy {
        cedar: cedar.to_owned(),
        tiers: vec![Tiers {
            asset: World::ETHER,
            above: vec![
                portcullis_chains::Amount(100),
                portcullis_chains::Amount(500),
            ],
        }],
        lists: vec![List {
            name: Name("blocked".into()),
            addresses: vec![stage::STRANGER],
            accounts: Vec::new(),
        }],
        rates: None,
    }
}

/// Everything is permitted, but for this.
fn but(statement: &str) -> Policy {
    policy(&format!("{PERMIT}\n{statement}"))
}

fn set(stage: &Stage, policy: Policy) -> ActKind {
    let replaces = stage.facts().policy().digest();
    ActKind::SetPolicy(SetPolicy { replaces, policy })
}

impl Stage {
    /// Two administrators replace the policy, and its delay runs.
    fn put_in_force(&mut self, policy: &Policy) {
        let kind = set(self, policy.clone());
        self.propose(kind);
        assert_eq!(self.facts().policy(), policy);
    }
}
