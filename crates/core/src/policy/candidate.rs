//! What is not in force, tried out: what would have been decided under it.

use super::engine::Engine;
use super::{Policy, PolicyFault};
use crate::limits::Limits;
use crate::state::State;
use std::sync::Arc;

/// A policy, compiled, or limits: what an act would put in force.
#[derive(Debug)]
pub struct Candidate(Kind);

#[derive(Debug)]
enum Kind {
    Policy(Option<Box<Policy>>, Arc<Engine>),
    Limits(Limits),
}

impl Candidate {
    /// Compile a policy.
    pub fn policy(policy: Policy) -> Result<Self, PolicyFault> {
        let engine = Arc::new(Engine::compile(&policy)?);
        Ok(Self(Kind::Policy(Some(Box::new(policy)), engine)))
    }

    /// Other limits; `None` where no journal takes them in.
    #[must_use]
    pub fn limits(limits: Limits) -> Option<Self> {
        limits
            .is_well_formed()
            .then_some(Self(Kind::Limits(limits)))
    }

    /// What somebody would see if the candidate were in force. Afterwards the state is as it was.
    pub fn under<T>(&mut self, state: &mut State, look: impl FnOnce(&State) -> T) -> T {
        self.swap(state);
        let seen = look(state);
        self.swap(state);
        seen
    }

    fn swap(&mut self, state: &mut State) {
        match &mut self.0 {
            Kind::Policy(policy, engine) => {
                core::mem::swap(policy, &mut state.facts.policy);
                core::mem::swap(engine, &mut state.engine);
            }
            Kind::Limits(limits) => core::mem::swap(limits, &mut state.facts.limits),
        }
    }
}
