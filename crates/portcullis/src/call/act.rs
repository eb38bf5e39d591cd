//! An act from the command line: whole, or only what is to be done.

use crate::failure::Failure;
use crate::files;
use crate::reach::{Caller, Reach};
use clap::Args;
use portcullis_core::Span;
use portcullis_core::act::Act;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// The act to submit.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Act")]
pub(crate) struct ActArgs {
    /// The act as JSON in a file (- is standard input): whole, only its kind, or
    /// {"account": ID, "kind": {…}} where staff act on an account
    #[arg(long, value_name = "FILE")]
    act: Option<PathBuf>,
    /// Seconds until it expires, unless the file says
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    expires_in: u64,
}

impl ActArgs {
    pub(crate) fn is_given(&self) -> bool {
        self.act.is_some()
    }

    /// The act, with everything filled in that the file leaves open.
    pub(crate) fn build(
        &self,
        reach: &Reach,
        caller: Option<&Caller>,
        customer: Option<&str>,
    ) -> Result<Act, Failure> {
        let path = self.act.clone().unwrap_or_default();
        let said: Map<String, Value> =
            serde_json::from_slice(&files::read(&path)?).map_err(|error| wrong(&error))?;
        // A kind by itself has its name under `type`; an act has its kind under `kind`.
        let said = if said.contains_key("kind") {
            said
        } else {
            Map::from_iter([("kind".to_owned(), Value::Object(said))])
        };
        let mut act = self.frame(reach, caller, customer, &said)?;
        act.extend(said);
        serde_json::from_value(Value::Object(act)).map_err(|error| wrong(&error))
    }

    /// Everything but the kind, as far as the file does not say it.
    fn frame(
        &self,
        reach: &Reach,
        caller: Option<&Caller>,
        customer: Option<&str>,
        said: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Failure> {
        let mut frame = Map::new();
        let mut put = |name: &str, value: Value| frame.insert(name.to_owned(), value);
        if let Some(name) = customer {
            let ids = reach.customer(name)?.ids;
            put("realm", json!("customers"));
            put("principal", json!(ids.principal));
            put("account", json!(ids.account));
        } else if let Some(caller) = caller {
            put("realm", json!("staff"));
            put("principal", json!(caller.principal));
        }
        put("genesis", json!(reach.network.digest()));
        put("id", json!(hex::encode(reach.machine.random.array::<16>())));
        let expires = reach
            .machine
            .clock
            .now()
            .after(Span::seconds(self.expires_in));
        put("expires", json!(expires));
        // The only thing that somebody else has to be asked for.
        if !said.contains_key("checkpoint") {
            put("checkpoint", json!(reach.gate.checkpoint()?.digest));
        }
        Ok(frame)
    }
}

fn wrong(error: &serde_json::Error) -> Failure {
    Failure::usage(
        format!("the act: {error}"),
        "docs/spec/acts.md has every kind of act, and docs/guide/integrate.md examples",
    )
}
