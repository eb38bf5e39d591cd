//! `portcullis call`: signs and sends one request, and prints the answer.

mod act;

use crate::failure::{Exit, Failure, after_refusal};
use crate::files;
use crate::out::{json, say, warn};
use crate::policy::before_proposal;
use crate::reach::{Caller, CallerArgs, Reach, ReachArgs};
use clap::Args;
use portcullis_client::{
    Digits, Gate, Problem, Question, RecoveryCode, act_of_path, same_act, seal_code,
};
use portcullis_core::board::Posting;
use portcullis_core::code::Code;
use portcullis_core::genesis::IssuerKind;
use portcullis_core::id::{FactorId, LedgerEntryId};
use portcullis_core::{Digest, Evidence, Reason, Time};
use portcullis_host::Random;
use serde_json::{Value, json as value};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Sign and send one request, like curl, and print the answer
///
/// With --act the request submits an act: its JSON as docs/spec has it, whole, or only the part that
/// says what is to be done; network, checkpoint, id, expiry and who asks are then filled in. Evidence
/// is added by --passkey, --debit and --onboarding with the keys of a development network.
///
/// Examples:
///   portcullis call GET /v1/status
///   portcullis call --as auditor GET /v1/acts/DIGEST
///   portcullis call --as back-end --act withdraw.json --passkey customer --debit new
///   portcullis call --as back-end POST /v1/acts/DIGEST/evidence --passkey customer
///   portcullis call --as back-end --act freeze.json --customer customer --totp FACTOR   # digits on stdin
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct CallArgs {
    /// GET or POST; POST where nothing is said
    #[arg(requires = "target")]
    method: Option<String>,
    /// The path, with its query; /v1/acts where nothing is said
    target: Option<String>,
    /// The body, from a file (- is standard input)
    #[arg(long, value_name = "FILE", conflicts_with = "act")]
    body: Option<PathBuf>,
    /// Print the request's body instead of sending it, and the act's digest on standard error
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    act: act::ActArgs,
    #[command(flatten)]
    evidence: EvidenceArgs,
    #[command(flatten)]
    caller: CallerArgs,
    #[command(flatten)]
    reach: ReachArgs,
}

/// Evidence made with the keys of a development network.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Evidence")]
pub(crate) struct EvidenceArgs {
    /// Assert the act with this customer's development passkey, who is also the one that asks
    #[arg(long, value_name = "NAME")]
    pub(crate) passkey: Option<String>,
    /// This development customer asks, whatever proves it
    #[arg(long, value_name = "NAME", conflicts_with = "passkey")]
    pub(crate) customer: Option<String>,
    /// Seal the digits on standard input to the herald, as a code of this factor
    #[arg(long, value_name = "FACTOR", requires = "customer")]
    pub(crate) totp: Option<FactorId>,
    /// Sign the act with the recovery code on standard input, of this factor
    #[arg(
        long,
        value_name = "FACTOR",
        requires = "customer",
        conflicts_with = "totp"
    )]
    pub(crate) recovery_code: Option<FactorId>,
    /// Attest with the key "ledger" that this entry of the ledger paid; "new" for a random one
    #[arg(long, value_name = "ID|new", value_parser = debit)]
    pub(crate) debit: Option<Debit>,
    /// Attest with the key "onboarding" that the factor belongs to the account's holder
    #[arg(long)]
    pub(crate) onboarding: bool,
    /// An attestation as JSON, as `portcullis key attest` prints it; may stand several times
    #[arg(long, value_name = "FILE")]
    pub(crate) attestation: Vec<PathBuf>,
}

const DIGITS: &str = "type the digits that the authenticator shows, or pipe them in";

/// A ledger entry.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Debit {
    /// One that nobody has used.
    New,
    /// This one.
    Entry(LedgerEntryId),
}

fn debit(text: &str) -> Result<Debit, String> {
    match text {
        "new" => Ok(Debit::New),
        id => id
            .parse()
            .map(Debit::Entry)
            .map_err(|error| format!("{error}, or the word new")),
    }
}

impl CallArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let reach = self.reach.open()?;
        let caller = self.caller.open(&reach)?;
        let (body, concerned, once) = self.body(&reach, caller.as_ref())?;
        if self.dry_run {
            say(String::from_utf8_lossy(&body));
            if let Some(act) = concerned {
                warn(format_args!("act {act}"));
            }
            return Ok(());
        }
        let question = Question {
            method: self.method.as_deref().unwrap_or("POST"),
            target: self.target(),
            body: &body,
            act: concerned,
            once,
        };
        print(&reach.gate, caller.as_ref(), &question)?;
        self.act.send_envelope(&reach, caller.as_ref())
    }

    fn target(&self) -> &str {
        self.target.as_deref().unwrap_or("/v1/acts")
    }

    /// The body, the act that it submits or concerns, and the idempotency key.
    #[allow(
        clippy::type_complexity,
        reason = "three parts of one request, taken apart at once"
    )]
    fn body(
        &self,
        reach: &Reach,
        caller: Option<&Caller>,
    ) -> Result<(Vec<u8>, Option<Digest>, Option<String>), Failure> {
        if let Some(path) = &self.body {
            let body = files::read(path)?;
            // What `--dry-run` printed is sent as if it had been made just now.
            let posted = serde_json::from_slice::<Posting>(&body).ok();
            let digest = posted.as_ref().map(|posted| posted.act.digest());
            let once = posted.filter(|_| self.target() == "/v1/acts");
            let once = once.map(|posted| posted.act.id.to_string());
            return Ok((body, self.concerned().or(digest), once));
        }
        if self.act.is_given() {
            let act = self.act.build(reach, caller, self.evidence.who())?;
            before_proposal(&reach.folder, &act.kind)?;
            let evidence = self.evidence.gather(reach, act.digest(), act.expires)?;
            let body = value!({ "act": act, "evidence": evidence });
            return Ok((bytes(&body), Some(act.digest()), Some(act.id.to_string())));
        }
        match self
            .concerned()
            .filter(|_| self.target().ends_with("/evidence"))
        {
            Some(act) => {
                let expires = reach
                    .machine
                    .clock
                    .now()
                    .after(portcullis_core::Span::seconds(600));
                let evidence = self.evidence.gather(reach, act, expires)?;
                Ok((bytes(&value!(evidence)), Some(act), None))
            }
            None => Ok((Vec::new(), self.concerned(), None)),
        }
    }

    /// The act that the path names.
    fn concerned(&self) -> Option<Digest> {
        act_of_path(self.target())
    }
}

impl EvidenceArgs {
    /// The development customer who asks, where one does.
    pub(crate) fn who(&self) -> Option<&str> {
        self.passkey.as_deref().or(self.customer.as_deref())
    }

    /// The code on standard input, for one act. It never stands on a command line, which every process of
    /// the machine may read.
    fn code(&self, reach: &Reach, act: Digest) -> Result<Option<Code>, Failure> {
        let Some(factor) = self.totp.or(self.recovery_code) else {
            return Ok(None);
        };
        let text = Zeroizing::new(files::read_text(Path::new("-"))?);
        if self.totp.is_some() {
            let digits = Digits::parse(text.trim());
            let digits =
                digits.ok_or_else(|| Failure::usage("no code of 6 to 8 digits", DIGITS))?;
            let random = reach.machine.random.as_ref();
            let code = seal_code(&digits, &reach.network, (act, factor), random);
            return code
                .map(Some)
                .map_err(|error| Failure::usage(error, DIGITS));
        }
        let account = reach.customer(self.who().unwrap_or_default())?.ids.account;
        let code = RecoveryCode::parse(text.trim());
        let proof =
            code.and_then(|code| code.prove(reach.network.digest(), account, (act, factor)));
        proof
            .map(Some)
            .map_err(|error| Failure::usage(error, "type it as it was shown"))
    }

    /// Everything that was asked for, over one act.
    pub(crate) fn gather(
        &self,
        reach: &Reach,
        act: Digest,
        expires: Time,
    ) -> Result<Evidence, Failure> {
        let mut evidence = Evidence::default();
        if let Some(name) = &self.passkey {
            evidence.assertions.push(reach.assert(name, act)?);
        }
        evidence.code = self.code(reach, act)?;
        if self.onboarding {
            let issuer = reach.issuer("onboarding", IssuerKind::Onboarding)?;
            evidence.attestations.push(issuer.onboarding(act, expires)?);
        }
        if let Some(debit) = self.debit {
            let issuer = reach.issuer("ledger", IssuerKind::Ledger)?;
            let entry = debit.entry(reach.machine.random.as_ref());
            evidence
                .attestations
                .push(issuer.debit(act, entry, expires)?);
        }
        for path in &self.attestation {
            let said = serde_json::from_slice(&files::read(path)?);
            let said = said.map_err(|error| {
                let what = format!("{}: {error}", path.display());
                Failure::usage(what, "portcullis key attest prints one")
            });
            evidence.attestations.push(said?);
        }
        Ok(evidence)
    }
}

impl Debit {
    pub(crate) fn entry(self, random: &dyn Random) -> LedgerEntryId {
        match self {
            Self::New => LedgerEntryId(random.array()),
            Self::Entry(entry) => entry,
        }
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// Send, and show the answer as it came. A refusal is shown too, and ends with its exit code.
fn print(gate: &Gate, caller: Option<&Caller>, question: &Question<'_>) -> Result<(), Failure> {
    let reply = gate.send(caller.map(|caller| &caller.signer), question)?;
    let text = match serde_json::from_slice::<Value>(&reply.body) {
        Ok(value) => json(&value),
        Err(_) => String::from_utf8_lossy(&reply.body).into_owned(),
    };
    say(text.trim_end());
    let problem = serde_json::from_slice::<Problem>(&reply.body).ok();
    let reason = problem.and_then(|problem| problem.reason());
    match reply.status {
        200..300 => Ok(same_act(question.act, &reply.body)?),
        // Whatever has a numbered reason is a refusal for certain, 503 too.
        status if reason.is_some() || (400..500).contains(&status) => {
            let what = match reason {
                Some(reason) => format!("the gate refused: {} {}", reason.number(), reason.slug()),
                None => format!("the gate refused with HTTP {status}"),
            };
            let next = match reason {
                Some(Reason::RequestMissing) if caller.is_none() => {
                    "sign it: add --as NAME, or --key FILE"
                }
                reason => after_refusal(reason),
            };
            Err(Failure::new(Exit::Refused, what, next))
        }
        status => {
            let what = format!("the gate answered with HTTP {status}");
            Err(Failure::new(
                Exit::NoAnswer,
                what,
                "send the same again later",
            ))
        }
    }
}

impl Reach {
    /// A customer's assertion, at the customers' own origin.
    pub(crate) fn assert(
        &self,
        name: &str,
        act: Digest,
    ) -> Result<portcullis_core::passkey::Assertion, Failure> {
        let party = self.party()?;
        let (rp_id, origin) = (first(&party.rp_ids), first(&party.origins));
        Ok(self.customer(name)?.passkey.assert(act, rp_id, origin)?)
    }
}

pub(crate) fn first(texts: &[String]) -> &str {
    texts.first().map_or("", String::as_str)
}
