//! `portcullis key attest`: a root or an issuer stands behind one act, on a machine that needs no network.

use crate::failure::Failure;
use crate::files;
use crate::keyring::KeyPaths;
use crate::out::{json, say, warn};
use clap::{Args, ValueEnum};
use portcullis_core::act::root_id;
use portcullis_core::evidence::{Attestation, AttestationStatement, Claim, Finding};
use portcullis_core::id::{AttestationId, IssuerId, LedgerEntryId};
use portcullis_core::{Act, Digest};
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
    /// The issuer's own id of a screening or of the travel rule's message; each serves once
    #[arg(long, value_name = "ID")]
    id: Option<AttestationId>,
    /// The ledger's entry by which the account was debited; each serves once, for ever
    #[arg(long, value_name = "ID")]
    entry: Option<LedgerEntryId>,
    /// What a screening found
    #[arg(long, value_enum)]
    finding: Option<FindingArg>,
    /// Digest of the screening's report, or of the travel rule's message
    #[arg(long, value_name = "HEX")]
    of: Option<Digest>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ClaimArg {
    /// A root stands behind it
    Root,
    /// Whoever brings the factor in it is the account's holder
    Identity,
    /// The factor in it belongs to the account's holder
    Onboarding,
    /// The ledger has debited the account by the act's amount: --entry
    LedgerDebit,
    /// A screening was made of it: --id, --finding, --of
    Screening,
    /// The travel rule's message about it was exchanged: --id, --of
    TravelRule,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FindingArg {
    Pass,
    Refer,
    Block,
}

impl FindingArg {
    fn finding(self) -> Finding {
        match self {
            Self::Pass => Finding::Pass,
            Self::Refer => Finding::Refer,
            Self::Block => Finding::Block,
        }
    }
}

impl AttestArgs {
    fn claim(&self) -> Result<Claim, Failure> {
        let vendors = || {
            let named = self.id.zip(self.of);
            named.ok_or_else(|| Failure::usage("of what?", "say --id ID and --of HEX"))
        };
        Ok(match self.claim {
            ClaimArg::Root => Claim::Root,
            ClaimArg::Identity => Claim::Identity,
            ClaimArg::Onboarding => Claim::Onboarding,
            ClaimArg::LedgerDebit => {
                let none = || Failure::usage("by which entry?", "say --entry ID");
                let entry = self.entry.ok_or_else(none)?;
                Claim::LedgerDebit { entry }
            }
            ClaimArg::Screening => {
                let (id, report) = vendors()?;
                let finding = self.finding.map(FindingArg::finding);
                let finding =
                    finding.ok_or_else(|| Failure::usage("what was found?", "say --finding"))?;
                Claim::Screening {
                    id,
                    finding,
                    report,
                }
            }
            ClaimArg::TravelRule => {
                let (id, message) = vendors()?;
                Claim::TravelRule { id, message }
            }
        })
    }

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
            claim: self.claim()?,
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
