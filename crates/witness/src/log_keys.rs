//! By which keys a witness knows its log: one, unless the log hands over to another.
//!
//! A witness reads no entries, so that its operator names a successor beforehand. Once that has signed, whoever
//! has the key of before gets nothing cosigned any more, after a restart either.

use crate::memory::MemoryError;
use portcullis_host::Disk;
use portcullis_tlog::LogKey;
use portcullis_tlog::witness::AddCheckpoint;
use std::sync::Arc;

/// Names the newest key that a checkpoint was cosigned under, where it was not the first.
const FILE: &str = "witness/log-key";
/// The longest vkey and its newline.
const MAX_FILE: u64 = 1024;

/// The keys in the order in which they take over.
pub(crate) struct LogKeys {
    keys: Vec<LogKey>,
    /// The one that has signed: none before it does any more.
    from: usize,
    disk: Arc<dyn Disk>,
}

impl LogKeys {
    /// These, from the one on that has signed; where there are none, the one of genesis.
    pub(crate) fn open(
        genesis: &LogKey,
        mut keys: Vec<LogKey>,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, MemoryError> {
        if keys.is_empty() {
            keys.push(genesis.clone());
        }
        let from = match disk.read(FILE, MAX_FILE)? {
            None => 0,
            Some(signed) => find(&keys, &signed)?,
        };
        Ok(Self { keys, from, disk })
    }

    /// The key that a request has to be signed by.
    pub(crate) fn of(&self, request: &AddCheckpoint) -> &LogKey {
        let counting = &self.keys[self.from..];
        request.bears(counting).unwrap_or(&counting[0])
    }

    /// A checkpoint by this key is about to be cosigned: those before it end to count, durably, first.
    pub(crate) fn turn_to(&mut self, key: &LogKey) -> Result<(), MemoryError> {
        let at = self.keys.iter().position(|known| known == key);
        let Some(at) = at.filter(|at| *at > self.from) else {
            return Ok(());
        };
        self.disk.replace(FILE, format!("{key}\n").as_bytes())?;
        tracing::info!(%key, "the log signs by its successor: nothing by the key before it is cosigned any more");
        self.from = at;
        Ok(())
    }
}

fn find(keys: &[LogKey], signed: &[u8]) -> Result<usize, MemoryError> {
    let signed = String::from_utf8_lossy(signed);
    let signed = signed.trim_end();
    let mut keys = keys.iter();
    let found = keys.position(|key| key.to_string() == signed);
    found.ok_or_else(|| MemoryError::OtherLogKey(signed.to_owned()))
}
