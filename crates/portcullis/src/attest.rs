//! `portcullis key attest`: a root or an issuer stands behind one act, on a machine that needs no network.

use crate::failure::Failure;
use crate::files;
use crate::keyring::KeyPaths;
use crate::out::{json, say, warn};
use clap::{Args, ValueEnum};
use portcullis_core::Act;
use portcullis_core::act::root_id;
use portcullis_core::evidence::{Attestation, AttestationStatement, Claim};
use portcullis_core::id::IssuerId;
use portcullis_keys::{Name, StatementKey as _};
use std::path::PathBuf;

/// Attest an act with a key of this file: needs no gate and no network
///
/// The act is read whole, as `portcullis call --dry-run --act FILE` prints it under `act`. It is shown on
/// standard error before it is signed: what counts is the act that is shown here, on this machine.
#[derive(Debug, Args)]
pub(crate) struct AttestArgs {
    /// The key's name in the file
    #[arg(long)]
    name: String,
    /// The whole act as JSON (- is standard input)
    #[arg(long, value_name = "FILE")]
    act: PathBuf,
    /// What is said of it
    #[arg(long, value_enum)]
    claim: ClaimArg,
    /// The issuer's id; a root's is that of its key
    #[arg(long, value_name = "ID")]
    issuer: Option<IssuerId>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ClaimArg {
    /// A root stands behind it
    Root,
    /// Whoever brings the factor in it is the account's holder
    Identity,
    /// The factor in it belongs to the account's holder
    Onboarding,
}

impl ClaimArg {
    fn claim(self) -> Claim {
        match self {
            Self::Root => Claim::Root,
            Self::Identity => Claim::Identity,
            Self::Onboarding => Claim::Onboarding,
        }
    }
}

impl AttestArgs {
    pub(crate) fn run(&self, paths: &KeyPaths) -> Result<(), Failure> {
        let act: Act = serde_json::from_slice(&files::read(&self.act)?)
            .map_err(|error| Failure::usage(format!("the act: {error}"), WHOLE))?;
        let key = paths.open()?.statement(&self.name.parse::<Name>()?)?;
        let issuer = match (self.claim, self.issuer) {
            (ClaimArg::Root, None) => root_id(key.public_key()),
            (_, Some(issuer)) => issuer,
            (_, None) => return Err(Failure::usage("whose word is it?", "say --issuer ID")),
        };
        warn(format_args!("act {}\n{}", act.digest(), json(&act)));
        let statement = AttestationStatement {
            issuer,
            act: act.digest(),
            expires: act.expires,
            claim: self.claim.claim(),
        };
        let signature = key.sign(&statement.signed_bytes())?;
        say(json(&Attestation {
            statement,
            signature,
        }));
        Ok(())
    }
}

const WHOLE: &str =
    "it has to be whole: portcullis call --dry-run --act FILE prints it under `act`";
