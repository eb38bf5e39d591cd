//! The last word: `portcullis verify` over the drill's journal, offline, from the genesis digest.

use crate::cast::Cast;
use crate::checks::Checks;
use crate::error::DrillError;
use crate::process::Binary;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::process::{Command, Stdio};

/// What it says, as far as a drill looks.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Verified {
    #[serde(skip)]
    pub(crate) holds: bool,
    pub(crate) faults: Vec<serde_json::Value>,
    pub(crate) size: u64,
    entries: BTreeMap<String, u64>,
    pub(crate) void: Vec<serde_json::Value>,
    pub(crate) late: Vec<serde_json::Value>,
    pub(crate) without_receipt: Vec<serde_json::Value>,
}

/// Run it over the journal's folder. The gate has ended, so that the files are whole.
pub(crate) fn verify(binary: &Binary, cast: &Cast) -> Result<Verified, DrillError> {
    let mut command = Command::new(&binary.path);
    command
        .args(["verify", "journal"])
        .arg(cast.journal())
        .args(["--genesis-digest", &cast.genesis().to_string(), "--json"])
        .stdin(Stdio::null());
    let failed = |error| DrillError::File(binary.path.clone(), error);
    let done = command.output().map_err(failed)?;
    let told: Result<Verified, _> = serde_json::from_slice(&done.stdout);
    let told = told.map_err(|error| DrillError::Journal(error.to_string()))?;
    Ok(Verified {
        holds: done.status.success(),
        ..told
    })
}

impl Verified {
    /// How many entries are of a kind.
    fn of(&self, kind: &str) -> u64 {
        self.entries.get(kind).copied().unwrap_or_default()
    }

    /// What every variant demands. `void` is how many entries a hostile gate wrote that nobody accepts.
    pub(crate) fn check(&self, checks: &mut Checks, void: usize, sent: u64) {
        let detail = format!("{} entries, {} faults", self.size, self.faults.len());
        checks.note(
            "portcullis verify passes on the final journal",
            self.holds,
            detail,
        );
        checks.same(
            "verify: releases that the signer stated as confirmed, and payments on the chain",
            &self.of("statement confirmed"),
            &sent,
        );
        checks.same("verify: void entries", &self.void.len(), &void);
        checks.same("verify: late releases", &self.late.len(), &0);
        checks.same(
            "verify: releases without a receipt",
            &self.without_receipt.len(),
            &0,
        );
    }
}
