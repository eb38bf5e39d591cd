//! A policy that is not in force, tried out: what would have been decided under it, and what an expert
//! should look at before anybody proposes it.

use super::engine::{Engine, schema};
use super::{Policy, PolicyFault};
use crate::state::State;
use cedar_policy::{PolicySet, ValidationMode, Validator};
use std::sync::Arc;

/// A compiled candidate.
#[derive(Debug)]
pub struct Trial {
    policy: Option<Box<Policy>>,
    engine: Arc<Engine>,
}

impl Trial {
    /// Compile a candidate.
    pub fn new(policy: Policy) -> Result<Self, PolicyFault> {
        Ok(Self {
            engine: Arc::new(Engine::compile(&policy)?),
            policy: Some(Box::new(policy)),
        })
    }

    /// What somebody would see if the candidate were in force. Afterwards the state is as it was.
    pub fn under<T>(&mut self, state: &mut State, look: impl FnOnce(&State) -> T) -> T {
        self.swap(state);
        let seen = look(state);
        self.swap(state);
        seen
    }

    fn swap(&mut self, state: &mut State) {
        core::mem::swap(&mut self.policy, &mut state.facts.policy);
        core::mem::swap(&mut self.engine, &mut state.engine);
    }
}

/// What Cedar says of a text, for people: what is wrong with it, and what it thinks odd about it, such
/// as a statement that can never apply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Why it is no policy.
    pub faults: Vec<String>,
    /// What to look at.
    pub warnings: Vec<String>,
}

impl Remarks {
    /// Look at a policy.
    #[must_use]
    pub fn on(policy: &Policy) -> Self {
        let fault = policy.check().err();
        let mut remarks = Self::default();
        remarks.faults.extend(fault.iter().map(ToString::to_string));
        // Text that is too large or odd never reaches Cedar.
        let reaches_cedar = matches!(
            fault,
            None | Some(PolicyFault::NotCedar | PolicyFault::NotOfSchema)
        );
        if reaches_cedar {
            remarks.ask_cedar(&policy.cedar);
        }
        if fault.is_none() {
            remarks.warnings.extend(unused(policy));
        }
        remarks
    }

    fn ask_cedar(&mut self, text: &str) {
        let set: PolicySet = match text.parse() {
            Ok(set) => set,
            Err(error) => return self.faults.push(format!("{error}")),
        };
        let Some(schema) = schema() else { return };
        let validated = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
        let named = |id: &cedar_policy::PolicyId, text: String| {
            let name = set.annotation(id, "id").unwrap_or_default();
            text.replace(&format!("policy `{id}`"), &format!("`{name}`"))
        };
        let errors = validated.validation_errors();
        self.faults
            .extend(errors.map(|error| named(error.policy_id(), error.to_string())));
        let warnings = validated.validation_warnings();
        self.warnings
            .extend(warnings.map(|warning| named(warning.policy_id(), warning.to_string())));
    }
}

/// Data that no statement can ask about, and lists that nobody keeps: both are mistakes of writing.
fn unused(policy: &Policy) -> Vec<String> {
    let text = &policy.cedar;
    let asks = |name: &str| text.contains(&format!("\"{name}\""));
    let idle = policy.lists.iter().filter(|list| !asks(&list.name.0));
    let idle = idle.map(|list| format!("no statement asks about the list `{}`", list.name.0));
    let tiers = (!policy.tiers.is_empty() && !text.contains("tier"))
        .then(|| "no statement asks about tiers".to_owned());
    let kept = |name: &str| policy.lists.iter().any(|list| list.name.0 == name);
    let asked = text.split("lists.contains(\"").skip(1);
    let names = asked.filter_map(|rest| rest.split_once('"').map(|(name, _)| name));
    let missing = names.filter(|name| !kept(name));
    let missing = missing.map(|name| {
        format!("a statement asks about the list `{name}`, and the policy keeps none of that name")
    });
    idle.chain(tiers).chain(missing).collect()
}
