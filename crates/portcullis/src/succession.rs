//! Who cosigns now, for commands that follow no journal.
//!
//! Genesis names the first witnesses. Where others have taken over, the gate shows the entries and the last
//! checkpoints of those before that prove it; what was once proven is kept in the network's folder, so that a
//! later stop does not need the gate for it.

use crate::files;
use crate::reach::Reach;
use portcullis_core::receipt::Succession;
use portcullis_core::signature::Strict;
use portcullis_core::state::Cosigners;
use portcullis_tlog::{Cosigned, CosignedError};
use std::path::PathBuf;
use std::time::Duration;

/// Its name in the network's folder.
const FILE: &str = "witnesses.seen";
/// How long the gate may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most bytes of a succession.
const MAX: u64 = 8 * 1024 * 1024;

impl Reach {
    /// Read a checkpoint by the witnesses who count for its size, as far as is known here: whoever took over
    /// since is asked of the gate, and not believed without proof.
    pub(crate) fn cosigned(&self, note: &[u8]) -> Result<Cosigned, CosignedError> {
        self.judged(note).map(|(cosigned, _)| cosigned)
    }

    /// The same, with those witnesses.
    pub(crate) fn judged(&self, note: &[u8]) -> Result<(Cosigned, Cosigners), CosignedError> {
        let known = self.known_cosigners();
        match known.cosigned(note) {
            Ok(cosigned) => Ok((cosigned, known)),
            Err(error) => {
                let newer = self.ask_who_cosigns().ok_or(error)?;
                Ok((newer.cosigned(note)?, newer))
            }
        }
    }

    /// Who cosigns as far as it is known here, without the gate.
    pub(crate) fn known_cosigners(&self) -> Cosigners {
        let known = std::fs::read(self.succession_file()).ok();
        let known = known.and_then(|bytes| self.proven(&bytes));
        known.unwrap_or_else(|| Cosigners::first(&self.network))
    }

    fn ask_who_cosigns(&self) -> Option<Cosigners> {
        let url = self.gate.endpoint().url("/log/witnesses");
        let reply = self.machine.http.get(&url, &[], MAX, PATIENCE).ok()?;
        let cosigners = self.proven(&reply.body)?;
        // A folder that cannot be written serves for everything else.
        let _ = files::write(&self.succession_file(), &reply.body);
        Some(cosigners)
    }

    fn proven(&self, bytes: &[u8]) -> Option<Cosigners> {
        let succession: Succession = serde_json::from_slice(bytes).ok()?;
        succession.verify(self.network.digest(), &Strict).ok()
    }

    fn succession_file(&self) -> PathBuf {
        self.folder.join(FILE)
    }
}
