//! `portcullis import`: customers with the factors that they had in another system, so that nobody has to
//! enrol again.
//!
//! Each line of the file becomes one `open-account` that onboarding attests, with where it comes from. An
//! account is opened once, and what is sealed for it is kept until the gate has it; so a run that was cut off
//! is run again, and goes on where it was.

mod line;
mod spool;

use crate::failure::{Exit, Failure};
use crate::files;
use crate::out::say;
use crate::reach::{Caller, CallerArgs, Reach, ReachArgs};
use clap::Args;
use line::{Line, Read};
use portcullis_client::{Envelope, Gate, Issuer, Problem, Question, seal, seal_seed};
use portcullis_core::act::{Act, ActKind, Import, OpenAccount};
use portcullis_core::factor::NewFactor;
use portcullis_core::genesis::IssuerKind;
use portcullis_core::id::{AccountId, ActId};
use portcullis_core::realm::Realm;
use portcullis_core::{Digest, Evidence, Reason, Span, Time};
use serde_json::json;
use spool::Spool;
use std::path::PathBuf;

/// Open accounts for customers of another system, with the passkeys and TOTP seeds that they have
///
/// FILE has one customer a line, as JSON (docs/guide/totp.md). Seeds are sealed to the herald here, on the
/// way from the export to the journal: run it where the export lies, and delete that afterwards. What was
/// imported before is passed over, so that a run may be repeated.
///
/// Example:
///   portcullis import customers.jsonl --as back-end --source legacy-auth --exported 2026-11-27
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ImportArgs {
    /// One customer a line, as JSON (- is standard input)
    file: PathBuf,
    /// What the other system is called: a-z, 0-9, . and -
    #[arg(long)]
    source: String,
    /// The day on which it was exported there, like 2026-11-27
    #[arg(long, value_parser = day)]
    exported: Time,
    /// A folder for what is under way; FILE.import where nothing is said
    #[arg(long, value_name = "FOLDER")]
    spool: Option<PathBuf>,
    /// Read everything and say what would be done; nothing is sent
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    caller: CallerArgs,
    #[command(flatten)]
    reach: ReachArgs,
}

/// The beginning of a day in UTC.
fn day(text: &str) -> Result<Time, String> {
    let parts: Option<Vec<u64>> = text.split('-').map(|part| part.parse().ok()).collect();
    match parts.as_deref() {
        Some(&[year @ 1970..=9999, month @ 1..=12, day @ 1..=31]) => {
            Ok(Time::from_unix_seconds(86_400 * days(year, month, day)))
        }
        _ => Err("a day like 2026-11-27".into()),
    }
}

/// Days since 1970-01-01 (the months counted from March, so that the leap day is a year's last).
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leaps = year / 4 - year / 100 + year / 400;
    365 * year + leaps + (153 * month + 2) / 5 + day - 1 - 719_468
}

const FORM: &str = "docs/guide/totp.md has the form of a line";

/// What became of the lines.
#[derive(Default)]
struct Count {
    imported: u32,
    known: u32,
    refused: u32,
}

impl ImportArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let reach = self.reach.open()?;
        let caller = self.caller.open(&reach)?;
        let text = zeroize::Zeroizing::new(files::read_text(&self.file)?);
        let record = Digest::plain(text.as_bytes());
        let lines = line::read_all(&text)?;
        if self.dry_run {
            say(format!("{} customers; nothing was sent", lines.len()));
            return Ok(());
        }
        let caller = caller.ok_or_else(|| {
            Failure::usage("nobody signs the requests", "add --as NAME of a back end")
        })?;
        let spool = self.spool.unwrap_or_else(|| {
            let mut name = self.file.clone().into_os_string();
            name.push(".import");
            name.into()
        });
        let run = Run {
            spool: Spool::open(spool)?,
            issuer: reach.issuer("onboarding", IssuerKind::Onboarding)?,
            reach: &reach,
            caller: &caller,
            source: self.source,
            exported: self.exported,
            record,
        };
        let count = run.all(&lines)?;
        run.spool.close();
        let Count {
            imported,
            known,
            refused,
        } = count;
        say(format!(
            "{imported} imported, {known} known before, {refused} refused"
        ));
        if refused > 0 {
            let what = format!("{refused} customers were refused");
            return Err(Failure::new(
                Exit::Refused,
                what,
                "mend these lines and run it again",
            ));
        }
        Ok(())
    }
}

/// One run.
struct Run<'a> {
    spool: Spool,
    reach: &'a Reach,
    caller: &'a Caller,
    issuer: Issuer,
    source: String,
    exported: Time,
    record: Digest,
}

/// What one line comes to: the act without its frame, and what is brought after it.
struct Wanted {
    account: AccountId,
    open: OpenAccount,
    envelopes: Vec<Envelope>,
}

impl Run<'_> {
    fn all(&self, lines: &[Read]) -> Result<Count, Failure> {
        let mut count = Count::default();
        for Read { number, line } in lines {
            if self.is_known(line.account)? {
                // Opened by a run that was cut off: what it sealed is on its way still.
                if let Some(envelopes) = self.spool.get(line.account)? {
                    self.bring(line.account, &envelopes)?;
                }
                count.known += 1;
                continue;
            }
            match self.one(line)? {
                None => count.imported += 1,
                // Somebody else's run has just opened it.
                Some(Reason::AccountExists | Reason::Replayed) => count.known += 1,
                Some(reason) => {
                    say(format!("line {number}, account {}: {reason}", line.account));
                    count.refused += 1;
                }
            }
        }
        Ok(count)
    }

    /// Whether the account is open.
    fn is_known(&self, account: AccountId) -> Result<bool, Failure> {
        let question = Question {
            method: "GET",
            target: &format!("/v1/accounts/{account}"),
            body: &[],
            act: None,
            once: None,
        };
        let reply = self.gate().send(Some(&self.caller.signer), &question)?;
        match reply.status {
            200 => Ok(true),
            404 => Ok(false),
            status => Err(Failure::new(
                Exit::NoAnswer,
                format!("the gate answered with HTTP {status}"),
                "run it again later: what was imported is passed over",
            )),
        }
    }

    fn one(&self, line: &Line) -> Result<Option<Reason>, Failure> {
        let wanted = self.wanted(line)?;
        let act = self.act(&wanted)?;
        let digest = act.digest();
        let evidence = Evidence {
            attestations: vec![self.issuer.onboarding(digest, act.expires)?],
            ..Evidence::default()
        };
        let body = json!({ "act": act, "evidence": evidence }).to_string();
        let once = act.id.to_string();
        let question = Question {
            method: "POST",
            target: "/v1/acts",
            body: body.as_bytes(),
            act: Some(digest),
            once: Some(once),
        };
        let reply = self.gate().send(Some(&self.caller.signer), &question)?;
        if !(200..300).contains(&reply.status) {
            let problem: Option<Problem> = serde_json::from_slice(&reply.body).ok();
            let reason = problem.and_then(|problem| problem.reason());
            return match reason {
                Some(reason) => Ok(Some(reason)),
                None => Err(Failure::new(
                    Exit::NoAnswer,
                    format!("the gate answered with HTTP {}", reply.status),
                    "run it again later: what was imported is passed over",
                )),
            };
        }
        self.bring(wanted.account, &wanted.envelopes)?;
        Ok(None)
    }

    /// The envelopes that an open account commits to.
    fn bring(&self, account: AccountId, envelopes: &[Envelope]) -> Result<(), Failure> {
        for envelope in envelopes {
            let signer = &self.caller.signer;
            self.gate().send_envelope(signer, account, envelope)?;
        }
        self.spool.done(account);
        Ok(())
    }

    fn gate(&self) -> &Gate {
        &self.reach.gate
    }

    /// The envelopes of an account, seeds first and in order: sealed once, whatever becomes of this run.
    fn sealed(&self, line: &Line) -> Result<Vec<Envelope>, Failure> {
        if let Some(before) = self.spool.get(line.account)? {
            return Ok(before);
        }
        let (network, random) = (&self.reach.network, self.reach.machine.random.as_ref());
        let wrong = |what: String| Failure::usage(what, FORM);
        let mut envelopes = Vec::new();
        for totp in &line.totp {
            let seed = totp.seed().map_err(wrong)?;
            let sealed = seal_seed(&seed, network, line.account, random);
            envelopes.push(sealed.map_err(|error| wrong(error.to_string()))?);
        }
        if let Some(contact) = &line.contact {
            let sealed = seal(contact, network, line.account, random);
            envelopes.push(sealed.map_err(|error| wrong(error.to_string()))?);
        }
        self.spool.put(line.account, &envelopes)?;
        Ok(envelopes)
    }

    fn wanted(&self, line: &Line) -> Result<Wanted, Failure> {
        let envelopes = self.sealed(line)?;
        let commitments: Vec<Digest> = envelopes.iter().map(Envelope::commitment).collect();
        let (seeds, contact) = commitments
            .split_at_checked(line.totp.len())
            .filter(|(_, rest)| rest.len() == usize::from(line.contact.is_some()))
            .ok_or_else(|| {
                let what = format!(
                    "account {}: another run sealed something else",
                    line.account
                );
                Failure::usage(
                    what,
                    "give it the same file again, or remove its file in the spool",
                )
            })?;
        let passkeys = line.passkeys.iter().map(line::Passkey::factor);
        let passkeys: Vec<NewFactor> = passkeys
            .collect::<Result<_, _>>()
            .map_err(|what| Failure::usage(what, FORM))?;
        let seeds = seeds.iter().map(|seed| NewFactor::Totp { seed: *seed });
        let mut factors = passkeys.into_iter().chain(seeds);
        let first = factors.next();
        let first = first.ok_or_else(|| Failure::usage("a customer without a factor", FORM))?;
        let open = OpenAccount {
            subject: line.subject,
            principal: line.principal,
            factor: first,
            delay: None,
            contact: contact.first().copied(),
            imported: Some(Import {
                source: self.source.clone(),
                exported: self.exported,
                record: self.record,
                also: factors.collect(),
            }),
        };
        Ok(Wanted {
            account: line.account,
            open,
            envelopes,
        })
    }

    fn act(&self, wanted: &Wanted) -> Result<Act, Failure> {
        let now = self.reach.machine.clock.now();
        Ok(Act {
            genesis: self.reach.network.digest(),
            realm: Realm::Staff,
            principal: self.caller.principal,
            account: Some(wanted.account),
            id: ActId(self.reach.machine.random.array()),
            checkpoint: self.gate().checkpoint()?.digest,
            expires: now.after(Span::seconds(600)),
            kind: ActKind::OpenAccount(wanted.open.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (text, seconds) in [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400),
            ("2000-03-01", 951_868_800),
            ("2026-11-27", 1_795_737_600),
        ] {
            assert_eq!(day(text), Ok(Time::from_unix_seconds(seconds)), "{text}");
        }
        for wrong in [
            "",
            "2026-13-01",
            "2026-11",
            "26-11-27",
            "2026-11-27T00",
            "2026-11-32",
        ] {
            assert!(day(wrong).is_err(), "{wrong}");
        }
    }
}
