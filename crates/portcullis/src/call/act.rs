//! An act from the command line: whole, or only what is to be done.

use crate::failure::Failure;
use crate::files;
use crate::reach::{Caller, Reach};
use clap::Args;
use portcullis_client::{Contact, Envelope, seal};
use portcullis_core::Span;
use portcullis_core::act::Act;
use portcullis_core::id::AccountId;
use serde_json::{Map, Value, json};
use std::cell::OnceCell;
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
    /// A contact as JSON in a file (docs/spec/contact.md): sealed to the herald, named in the act that
    /// opens an account or changes its contact, and sent after it
    #[arg(long, value_name = "FILE", requires = "act")]
    contact: Option<PathBuf>,
    /// Sealed once, whatever it is used for.
    #[arg(skip)]
    sealed: OnceCell<(AccountId, Envelope)>,
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
        self.seal(reach, &mut act)?;
        serde_json::from_value(Value::Object(act)).map_err(|error| wrong(&error))
    }

    /// Seal the contact for the act's account, and name it there.
    fn seal(&self, reach: &Reach, act: &mut Map<String, Value>) -> Result<(), Failure> {
        let Some(path) = &self.contact else {
            return Ok(());
        };
        let contact: Contact = serde_json::from_slice(&files::read(path)?)
            .map_err(|error| Failure::usage(format!("the contact: {error}"), CONTACT))?;
        let account = act.get("account").cloned().unwrap_or_default();
        let account: AccountId = serde_json::from_value(account).map_err(|error| wrong(&error))?;
        let random = reach.machine.random.as_ref();
        let envelope = seal(&contact, &reach.network, account, random)
            .map_err(|error| Failure::usage(error, CONTACT))?;
        if let Some(Value::Object(kind)) = act.get_mut("kind") {
            kind.insert("contact".into(), json!(envelope.commitment()));
        }
        // Set once: an act is built once.
        let _ = self.sealed.set((account, envelope));
        Ok(())
    }

    /// Send what was sealed, after the act that commits to it.
    pub(crate) fn send_envelope(
        &self,
        reach: &Reach,
        caller: Option<&Caller>,
    ) -> Result<(), Failure> {
        if let (Some((account, envelope)), Some(caller)) = (self.sealed.get(), caller) {
            reach
                .gate
                .send_envelope(&caller.signer, *account, envelope)?;
        }
        Ok(())
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

/// Where a contact is explained.
const CONTACT: &str = "docs/spec/contact.md has its form: {\"reach\":{\"mail\":\"a@b.example\"},\"language\":\"en\",\"code\":\"\"}";

fn wrong(error: &serde_json::Error) -> Failure {
    Failure::usage(
        format!("the act: {error}"),
        "docs/spec/acts.md has every kind of act, and docs/guide/integrate.md examples",
    )
}
