//! What was sealed for an account, until the gate has taken it. Sealed again it would be another envelope, and
//! none that the account commits to: a run that is cut off between the act and its envelopes goes on with
//! these.

use crate::failure::Failure;
use crate::files;
use portcullis_client::Envelope;
use portcullis_core::id::AccountId;
use std::fs;
use std::path::PathBuf;

/// A folder beside the export, with a file for each account that is under way.
pub(super) struct Spool {
    folder: PathBuf,
}

impl Spool {
    pub(super) fn open(folder: PathBuf) -> Result<Self, Failure> {
        fs::create_dir_all(&folder).map_err(|error| {
            Failure::usage(
                format!("{}: {error}", folder.display()),
                "name a folder that can be written with --spool",
            )
        })?;
        Ok(Self { folder })
    }

    fn file(&self, account: AccountId) -> PathBuf {
        self.folder.join(format!("{account}.json"))
    }

    /// The envelopes of an account that is under way.
    pub(super) fn get(&self, account: AccountId) -> Result<Option<Vec<Envelope>>, Failure> {
        let path = self.file(account);
        if !path.exists() {
            return Ok(None);
        }
        let damaged = || {
            let what = format!("{} is damaged", path.display());
            Failure::usage(
                what,
                "remove it: where the account is open, its seeds are enrolled anew",
            )
        };
        let hex: Vec<String> =
            serde_json::from_slice(&files::read(&path)?).map_err(|_| damaged())?;
        let envelopes = hex.iter().map(|hex| {
            let bytes = hex::decode(hex).map_err(|_| damaged())?;
            Envelope::from_bytes(&bytes).map_err(|_| damaged())
        });
        envelopes.collect::<Result<_, _>>().map(Some)
    }

    /// Keep them, before anything commits to them.
    pub(super) fn put(&self, account: AccountId, envelopes: &[Envelope]) -> Result<(), Failure> {
        let hex: Vec<String> = envelopes
            .iter()
            .map(|envelope| hex::encode(envelope.as_bytes()))
            .collect();
        let text = serde_json::json!(hex).to_string();
        files::write(&self.file(account), text.as_bytes())
    }

    /// The gate has them.
    pub(super) fn done(&self, account: AccountId) {
        let _ = fs::remove_file(self.file(account));
    }

    /// Every account is done.
    pub(super) fn close(self) {
        let _ = fs::remove_dir(self.folder);
    }
}
