//! `portcullis verify`: everything again, offline, from the genesis digest.

use crate::failure::{Exit, Failure};
use crate::fate;
use crate::files;
use crate::folder::Folder;
use crate::out::{json, say};
use crate::reach::ReachArgs;
use clap::{Args, Subcommand};
use portcullis_chains::caip::AssetId;
use portcullis_client::verify::{self, Report};
use portcullis_core::genesis::GenesisFault;
use portcullis_core::receipt::{self, Receipt, Shown};
use portcullis_core::signature::Strict;
use portcullis_core::{Digest, Time};
use portcullis_host::Dir;
use portcullis_keeper::rfc3339;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

/// What a folder's one writer locks, and where it notes how far its projections are.
const LOCK: &str = "lock";
const MARK: &str = "mark";
/// How often a journal with faults is looked at again, and after how long.
const LOOKS: u32 = 3;
const BETWEEN_LOOKS: Duration = Duration::from_millis(700);

/// Check a journal or a receipt offline, from the genesis digest and the keys that it names
///
/// Take the digest from somebody whom you trust, never from whoever gave you the journal.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct VerifyArgs {
    #[command(subcommand)]
    command: Option<Command>,
    /// The journal of a network's folder, against the digest that stands there
    #[arg(long, value_name = "DIR", required = true)]
    dir: Option<PathBuf>,
    #[command(flatten)]
    how: How,
}

/// How a journal is looked at.
#[derive(Debug, Args)]
struct How {
    /// A cosigned checkpoint from elsewhere (a witness, a replica) that the journal must lead to
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,
    /// Do not fail where entries stand behind the newest cosigned checkpoint
    #[arg(long)]
    allow_unwitnessed: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Every stored byte, then every decision
    Journal {
        /// The journal's folder
        folder: PathBuf,
        /// The genesis digest
        #[arg(long, value_name = "HEX")]
        genesis_digest: Digest,
        #[command(flatten)]
        how: How,
    },
    /// What became of one act: the journal followed from a gate, each decision made again, nobody's word taken
    Act {
        /// Its digest
        act: Digest,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        reach: ReachArgs,
    },
    /// One release: who authorised it, and that exactly it was signed
    Receipt {
        /// The receipt (- is standard input)
        file: PathBuf,
        /// The genesis digest
        #[arg(long, value_name = "HEX")]
        genesis_digest: Digest,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl VerifyArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match (self.command, self.dir) {
            (
                Some(Command::Journal {
                    folder,
                    genesis_digest,
                    how,
                }),
                _,
            ) => journal(&folder, genesis_digest, &how),
            (Some(Command::Act { act, json, reach }), _) => fate::show(&reach.open()?, act, json),
            (
                Some(Command::Receipt {
                    file,
                    genesis_digest,
                    json,
                }),
                _,
            ) => show_receipt(&file, genesis_digest, json),
            (None, Some(dir)) => {
                let folder = Folder(dir);
                let digest = files::read_text(&folder.file(Folder::DIGEST))?;
                let digest = digest
                    .trim()
                    .parse()
                    .map_err(|error| Failure::usage(error, ""))?;
                journal(&folder.file(Folder::JOURNAL), digest, &self.how)
            }
            (None, None) => Err(Failure::usage(
                "nothing was named",
                "portcullis verify --help",
            )),
        }
    }
}

fn journal(folder: &Path, digest: Digest, how: &How) -> Result<(), Failure> {
    if !folder.is_dir() {
        return Err(Failure::usage(
            format!("{} is no folder", folder.display()),
            "",
        ));
    }
    if !folder.join("segment").is_dir() {
        return Err(Failure::usage(
            format!(
                "{} is no journal's folder: a journal has its bytes in segment/",
                folder.display()
            ),
            "name the folder that gate.toml calls `journal`, or a copy of it",
        ));
    }
    let head = how.head.as_deref().map(files::read).transpose()?;
    let mut report = settled(&Dir::open(folder)?, digest, head.as_deref());
    if has_begun(&report) {
        report.strays = strays(folder, &report.looked_at);
    }
    if how.json {
        say(json(&report));
    } else if has_begun(&report) {
        tell(&report);
    } else {
        tell_faults(&report);
    }
    let unwitnessed = report.unwitnessed;
    let (what, next) = if is_of_another_network(&report) {
        (
            format!("this is not the journal of genesis {digest}"),
            "compare the digest with somebody whom you trust; then the folder with the one that was meant",
        )
    } else if !has_begun(&report) {
        (
            "the journal's first entry cannot be read, so that nothing else was looked at"
                .to_owned(),
            "keep the folder as it is, and check a replica's",
        )
    } else if !report.holds() {
        (
            match report.faults.len() {
                1 => "the journal does not hold: 1 fault, named above".to_owned(),
                n => format!("the journal does not hold: {n} faults, named above"),
            },
            "keep the folder as it is; compare with a replica, a witness and another auditor",
        )
    } else if unwitnessed > 0 && !how.allow_unwitnessed {
        (
            format!("no witness has seen the last {unwitnessed} entries: they show nothing"),
            "look again once the gate has had them cosigned; --allow-unwitnessed leaves them out of account",
        )
    } else {
        return Ok(());
    };
    Err(Failure::new(Exit::Wrong, what, next))
}

/// Whether anything behind the first entry was looked at: it names the keys to do so with.
fn has_begun(report: &Report) -> bool {
    !report.looked_at.is_empty()
}

fn is_of_another_network(report: &Report) -> bool {
    let other = GenesisFault::NotPinned.to_string();
    report.faults.iter().any(|fault| fault.what == other)
}

/// A gate that is running writes while we read. What was wrong only because of that is not wrong at a
/// later look; a fault that stays the same is one, and so is a tail that nobody comes to cosign.
fn settled(disk: &Dir, digest: Digest, head: Option<&[u8]>) -> Report {
    let mut report = verify::journal_up_to(disk, digest, head);
    for _ in 0..LOOKS {
        if report.holds() && report.unwitnessed == 0 {
            break;
        }
        sleep(BETWEEN_LOOKS);
        let again = verify::journal_up_to(disk, digest, head);
        let same = again.faults == report.faults && again.unwitnessed == report.unwitnessed;
        report = again;
        if same {
            break;
        }
    }
    report
}

/// What lies in the folder and was not looked at. Tiles that were partial once stay, and are not read
/// any more.
fn strays(folder: &Path, looked_at: &[String]) -> Vec<String> {
    let known: BTreeSet<&str> = looked_at.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(files) = std::fs::read_dir(&next) else {
            found.push(format!("{} (cannot be read)", next.display()));
            continue;
        };
        for file in files.flatten() {
            let path = file.path();
            let name = path.strip_prefix(folder).unwrap_or(&path);
            let name = name.to_string_lossy().into_owned();
            if file.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if !known.contains(name.as_str()) && !is_left_over(&name) {
                found.push(name);
            }
        }
    }
    found.sort_unstable();
    found
}

fn is_left_over(name: &str) -> bool {
    let was_partial = name.starts_with("tile/") && name.contains(".p/");
    let is_the_gates = name.starts_with("webhooks/") || name.starts_with("envelopes/");
    let is_a_set = name.starts_with("labels/");
    was_partial || is_the_gates || is_a_set || name == LOCK || name == MARK
}

fn tell(report: &Report) {
    let line = |name: &str, text: String| say(format_args!("{name:<16}{text}"));
    line("entries", format!("{}, root {}", report.size, report.root));
    if report.unwitnessed > 0 {
        let count = report.unwitnessed;
        line("unwitnessed", format!("{count} more entries, not applied"));
    }
    match &report.checkpoint {
        Some(seen) => line(
            "checkpoint",
            format!(
                "{} entries, cosigned by {} between {} and {}",
                seen.size,
                seen.witnesses.join(", "),
                rfc3339(seen.oldest),
                rfc3339(seen.newest)
            ),
        ),
        None => line("checkpoint", "none that holds".into()),
    }
    line("newest entry", rfc3339(report.time));
    for (name, digest) in [("effects", report.effects), ("state", report.state)] {
        line(
            name,
            digest.map_or_else(|| "none".into(), |digest| digest.to_string()),
        );
    }
    line("files", format!("{} looked at", report.files));
    for (kind, count) in &report.entries {
        line("", format!("{count:>8}  {kind}"));
    }
    list(
        "void",
        report
            .void
            .iter()
            .map(|void| format!("entry {}: {}", void.index, void.why)),
    );
    list(
        "late",
        report
            .late
            .iter()
            .map(|late| format!("entry {}: act {}", late.entry, late.act)),
    );
    list(
        "receipts due",
        report
            .without_receipt
            .iter()
            .map(|act| format!("act {act}")),
    );
    list("stray files", report.strays.iter().cloned());
    tell_faults(report);
}

fn tell_faults(report: &Report) {
    list(
        "faults",
        report
            .faults
            .iter()
            .map(|fault| format!("{}: {}", fault.file, fault.what)),
    );
}

fn list(name: &str, rows: impl Iterator<Item = String>) {
    let rows: Vec<String> = rows.collect();
    if rows.is_empty() {
        say(format_args!("{name:<16}none"));
    }
    for row in rows {
        say(format_args!("{name:<16}{row}"));
    }
}

fn show_receipt(file: &Path, digest: Digest, as_json: bool) -> Result<(), Failure> {
    let receipt: Receipt = serde_json::from_slice(&files::read(file)?).map_err(|error| {
        Failure::usage(
            format!("{} is no receipt: {error}", file.display()),
            "name a file as GET /v1/acts/DIGEST/receipt answers it",
        )
    })?;
    let shown = check_receipt(&receipt, digest)?;
    if as_json {
        say(json(&shown));
    } else {
        tell_receipt(&shown);
    }
    Ok(())
}

/// Check a receipt, with a failure for people.
pub(crate) fn check_receipt(receipt: &Receipt, digest: Digest) -> Result<Shown, Failure> {
    receipt::verify(receipt, digest, &Strict).map_err(|fault| {
        let what = format!("the receipt shows nothing: {fault}");
        Failure::new(
            Exit::Wrong,
            what,
            "ask for it again; compare the genesis digest by voice",
        )
    })
}

/// What a receipt shows, line by line.
pub(crate) fn tell_receipt(shown: &Shown) {
    let line = |name: &str, text: String| say(format_args!("  {name:<14}{text}"));
    line("act", shown.act.to_string());
    line("account", shown.account.to_string());
    line("asset", shown.asset.to_string());
    line("to", shown.to.to_string());
    line("amount", format!("{} base units", shown.amount));
    line("ledger entry", shown.debit.to_string());
    if let Some(screening) = shown.screening {
        let (found, report) = (screening.finding.name(), screening.report);
        line("screening", format!("{found}, by the report {report}"));
    }
    if let Some(message) = shown.travel_rule {
        line("travel rule", format!("message {message}"));
    }
    if shown.principals > 1 {
        line(
            "together",
            format!("{} principals of the account", shown.principals),
        );
    }
    line("released", at(shown.released_by, shown.released_at));
    line("signed by", shown.signer.to_string());
    line("transaction", transaction(shown));
    line(
        "block",
        shown
            .block
            .map_or_else(|| "not stated".into(), |block| block.to_string()),
    );
    line("witnessed", rfc3339(shown.witnessed_at));
}

/// As that chain's explorers spell it.
fn transaction(shown: &Shown) -> String {
    match shown.asset {
        AssetId::EvmNative { .. } | AssetId::EvmErc20 { .. } => format!("0x{}", shown.transaction),
        AssetId::Bitcoin(_) | AssetId::Named(_) => shown.transaction.to_string(),
    }
}

fn at(entry: u64, time: Time) -> String {
    format!("entry {entry}, {}", rfc3339(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_of_a_journal_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"").unwrap();
        };
        let journal = ["checkpoint", "segment/000000000000", "tile/0/000"];
        let others = [
            "tile/0/000.p/7",
            "lock",
            "webhooks/books",
            "envelopes/1",
            "segment/copy",
            "notes",
        ];
        journal.iter().chain(&others).for_each(|name| put(name));
        let looked_at = journal.map(str::to_owned);
        assert_eq!(strays(folder.path(), &looked_at), ["notes", "segment/copy"]);
    }
}
