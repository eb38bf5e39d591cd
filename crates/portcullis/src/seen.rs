//! The newest checkpoint that was seen here with a quorum's cosignatures.
//!
//! An act names a checkpoint, so that it is not older than that. A stop must not need the gate for
//! one: commands that speak to a gate keep what it showed in the network's folder, once the
//! cosignatures are checked from genesis on, and whoever has none is given one in a file.

use crate::failure::Failure;
use crate::files;
use crate::reach::{Caller, Reach};
use portcullis_client::ActBuilder;
use portcullis_core::act::{Act, ActKind};
use portcullis_core::{Digest, Span, Time};
use portcullis_tlog::{Cosigned, MAX_NOTE_BYTES};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Its name in the network's folder.
const FILE: &str = "checkpoint.seen";
/// How long the gate may take for its newest.
const PATIENCE: Duration = Duration::from_secs(2);
/// Older than this, keepers count no act that names it.
const OLDEST: Span = Span::hours(1);

impl Reach {
    /// The gate's newest checkpoint, if it is one; kept, so that a later stop does not need the gate.
    pub(crate) fn look_at_checkpoint(&self) -> Option<Cosigned> {
        let url = self.gate.endpoint().url("/log/checkpoint");
        let cap = MAX_NOTE_BYTES as u64;
        let reply = self.machine.http.get(&url, &[], cap, PATIENCE).ok()?;
        let shown = self.cosigned(&reply.body).ok()?;
        let known = self.kept_checkpoint();
        if known.is_none_or(|known| known.oldest() < shown.oldest()) {
            // A folder that cannot be written serves for everything else.
            let _ = files::write(&self.checkpoint_file(), &reply.body);
        }
        Some(shown)
    }

    /// What a stop for the boards names: the checkpoint in this file, or the newest that was ever seen here.
    /// The gate is asked only where there is neither: a stop does not wait for it.
    pub(crate) fn stop_checkpoint(&self, file: Option<&Path>) -> Result<Cosigned, Failure> {
        let kept = match file {
            Some(path) => Some(self.of_this_network(&files::read(path)?)?),
            None => self.kept_checkpoint(),
        };
        kept.or_else(|| self.look_at_checkpoint()).ok_or_else(|| {
            Failure::usage(
                "no checkpoint with a quorum's cosignatures is known here, and the gate shows none",
                "add --checkpoint FILE: the file `checkpoint` of the journal's, or of a signer's, \
                 data folder",
            )
        })
    }

    /// Whether keepers count a stop that names it only if the journal has stood still since.
    pub(crate) fn is_old(&self, checkpoint: &Cosigned) -> bool {
        let oldest = Time::from_unix_seconds(checkpoint.oldest().unix());
        self.machine.clock.now().since(oldest) > OLDEST
    }

    /// A restricting act of a member of staff for the stop boards.
    pub(crate) fn stop_act(&self, caller: &Caller, kind: ActKind, on: &Cosigned) -> Act {
        let body = Digest(*on.body_digest().as_bytes());
        let (genesis, random) = (self.network.digest(), self.machine.random.as_ref());
        let draft = ActBuilder::new(genesis, body, self.machine.clock.now(), random);
        draft.by_staff(caller.principal, None, kind)
    }

    fn kept_checkpoint(&self) -> Option<Cosigned> {
        let note = std::fs::read(self.checkpoint_file()).ok()?;
        self.known_cosigners().cosigned(&note).ok()
    }

    fn of_this_network(&self, note: &[u8]) -> Result<Cosigned, Failure> {
        self.cosigned(note).map_err(|error| {
            let what = format!("the checkpoint: {error}");
            Failure::usage(
                what,
                "name a checkpoint of this network, as its witnesses cosigned it",
            )
        })
    }

    fn checkpoint_file(&self) -> PathBuf {
        self.folder.join(FILE)
    }
}
