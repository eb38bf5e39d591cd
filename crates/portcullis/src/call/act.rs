//! An act from the command line: whole, or only what is to be done.

use crate::failure::Failure;
use crate::files;
use crate::reach::{Caller, Reach};
use clap::Args;
use portcullis_client::{Asker, Contact, Envelope, Outline, RecoveryCode, Seed, seal, seal_seed};
use portcullis_core::Span;
use portcullis_core::act::{Act, ActKind};
use portcullis_core::factor::{NewFactor, RECOVERY_CODES};
use portcullis_core::id::AccountId;
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

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
    /// An authenticator's secret, as an otpauth:// URI in a file (- is standard input): sealed to the
    /// herald, named as the factor that the act enrols, and sent after it
    #[arg(long, value_name = "FILE", requires = "act")]
    totp_seed: Option<PathBuf>,
    /// Make ten recovery codes, write them into this new file for the customer to keep, and name them as
    /// the factor that the act enrols
    #[arg(
        long,
        value_name = "FILE",
        requires = "act",
        conflicts_with = "totp_seed"
    )]
    recovery_codes: Option<PathBuf>,
    /// Name this customer's development passkey as the factor that the act enrols
    #[arg(
        long,
        value_name = "NAME",
        requires = "act",
        conflicts_with_all = ["totp_seed", "recovery_codes"]
    )]
    new_passkey: Option<String>,
    /// Sealed once, whatever it is used for.
    #[arg(skip)]
    sealed: RefCell<Vec<(AccountId, Envelope)>>,
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
        let asker = asker(reach, caller, customer)?;
        let life = Span::seconds(self.expires_in);
        let genesis = reach.network.digest();
        let mut act = reach
            .gate
            .fill_in(Outline::new(said), genesis, asker, life)?;
        self.seal(reach, &mut act)?;
        self.bring_factor(reach, &mut act)?;
        let act = serde_json::from_value(Value::Object(act)).map_err(|error| wrong(&error))?;
        check_account(&act)?;
        Ok(act)
    }

    /// Seal the contact for the act's account, and name it there.
    fn seal(&self, reach: &Reach, act: &mut Map<String, Value>) -> Result<(), Failure> {
        let Some(path) = &self.contact else {
            return Ok(());
        };
        let contact: Contact = serde_json::from_slice(&files::read(path)?)
            .map_err(|error| Failure::usage(format!("the contact: {error}"), CONTACT))?;
        let account = account(act)?;
        let random = reach.machine.random.as_ref();
        let envelope = seal(&contact, &reach.network, account, random)
            .map_err(|error| Failure::usage(error, CONTACT))?;
        if let Some(Value::Object(kind)) = act.get_mut("kind") {
            kind.insert("contact".into(), json!(envelope.commitment()));
        }
        self.sealed.borrow_mut().push((account, envelope));
        Ok(())
    }

    /// Name a sealed seed, new recovery codes, or a development passkey, as the factor of the act.
    fn bring_factor(&self, reach: &Reach, act: &mut Map<String, Value>) -> Result<(), Failure> {
        let factor = match (&self.totp_seed, &self.recovery_codes, &self.new_passkey) {
            (Some(path), ..) => self.seed(reach, account(act)?, path)?,
            (None, Some(path), _) => recovery_codes(reach, account(act)?, path)?,
            (None, None, Some(name)) => passkey(reach, name)?,
            (None, None, None) => return Ok(()),
        };
        if let Some(Value::Object(kind)) = act.get_mut("kind") {
            kind.insert("factor".into(), json!(factor));
        }
        Ok(())
    }

    fn seed(&self, reach: &Reach, account: AccountId, path: &Path) -> Result<NewFactor, Failure> {
        let text = Zeroizing::new(files::read_text(path)?);
        let seed = Seed::of_uri(text.trim()).map_err(|error| Failure::usage(error, SEED))?;
        let random = reach.machine.random.as_ref();
        let envelope = seal_seed(&seed, &reach.network, account, random)
            .map_err(|error| Failure::usage(error, SEED))?;
        let seed = envelope.commitment();
        self.sealed.borrow_mut().push((account, envelope));
        Ok(NewFactor::Totp { seed })
    }

    /// Send what was sealed, after the act that commits to it.
    pub(crate) fn send_envelope(
        &self,
        reach: &Reach,
        caller: Option<&Caller>,
    ) -> Result<(), Failure> {
        let Some(caller) = caller else { return Ok(()) };
        for (account, envelope) in self.sealed.borrow().iter() {
            reach
                .gate
                .send_envelope(&caller.signer, *account, envelope)?;
        }
        Ok(())
    }
}

/// The development customer who was named, or else whoever signs the request.
fn asker(reach: &Reach, caller: Option<&Caller>, customer: Option<&str>) -> Result<Asker, Failure> {
    if let Some(name) = customer {
        let ids = reach.customer(name)?.ids;
        return Ok(Asker::Customer {
            principal: ids.principal,
            account: ids.account,
        });
    }
    Ok(caller.map_or(Asker::Unsaid, |caller| Asker::Staff {
        principal: caller.principal,
    }))
}

/// The gate would say that there is no such account.
fn check_account(act: &Act) -> Result<(), Failure> {
    if act.account.is_none() && matches!(act.kind, ActKind::OpenAccount(_)) {
        let what = "open-account does not say in `account` which id the new account gets";
        let next = "choose 16 random bytes, in hexadecimal; docs/guide/integrate.md has an example";
        return Err(Failure::usage(what, next));
    }
    Ok(())
}

fn account(act: &Map<String, Value>) -> Result<AccountId, Failure> {
    let account = act.get("account").cloned().unwrap_or_default();
    serde_json::from_value(account).map_err(|error| wrong(&error))
}

/// A development customer's passkey, as a registration would give it.
fn passkey(reach: &Reach, name: &str) -> Result<NewFactor, Failure> {
    let rp_id = super::first(&reach.party()?.rp_ids);
    Ok(reach.customer(name)?.passkey.factor(rp_id))
}

/// Ten new codes: for the customer in a file, and as a factor for the act.
fn recovery_codes(reach: &Reach, account: AccountId, path: &Path) -> Result<NewFactor, Failure> {
    let random = reach.machine.random.as_ref();
    let ten: [RecoveryCode; RECOVERY_CODES] =
        core::array::from_fn(|_| RecoveryCode::new(|bytes| random.fill(bytes)));
    if path.exists() {
        let what = format!("{} is there already", path.display());
        return Err(Failure::usage(what, "name a file that is not"));
    }
    let mut text = Zeroizing::new(String::with_capacity(1024));
    for code in &ten {
        text.push_str(&code.text());
        text.push('\n');
    }
    files::write(path, text.as_bytes())?;
    RecoveryCode::factor(&ten, reach.network.digest(), account)
        .map_err(|error| Failure::usage(error, ""))
}

/// Where a seed is explained.
const SEED: &str = "a file with otpauth://totp/NAME?secret=BASE32, and &algorithm= and &digits= where they are not SHA1 and 6";
/// Where a contact is explained.
const CONTACT: &str = "docs/spec/contact.md has its form: {\"reach\":{\"mail\":\"a@b.example\"},\"language\":\"en\",\"code\":\"\"}";

fn wrong(error: &serde_json::Error) -> Failure {
    Failure::usage(
        format!("the act: {error}"),
        "docs/spec/acts.md has every kind of act, and docs/guide/integrate.md examples",
    )
}
