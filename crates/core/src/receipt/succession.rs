//! Who cosigns now: for whoever has the pinned genesis and no journal.

use super::{Handover, ProvenEntry, ReceiptFault, open_genesis, opened};
use crate::digest::Digest;
use crate::signature::Verify;
use crate::state::Cosigners;
use serde::{Deserialize, Serialize};

/// The entries and checkpoints that lead from genesis' witnesses to those in force. JSON; a receipt without
/// a withdrawal (`docs/spec/receipt.md`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Succession {
    /// A checkpoint that they cosigned, as a C2SP note.
    pub checkpoint: String,
    /// Entries under it; the first is genesis.
    pub entries: Vec<ProvenEntry>,
    /// The last checkpoint of those of before, each time that others took over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handovers: Vec<Handover>,
}

impl Succession {
    /// The witnesses that it shows, from the pinned genesis digest. That nobody has taken over since is what
    /// nothing can show.
    pub fn verify(&self, pinned: Digest, verify: &dyn Verify) -> Result<Cosigners, ReceiptFault> {
        let network = open_genesis(&self.entries, &self.handovers, pinned, verify)?;
        let bundle = (&*self.checkpoint, &*self.entries, &*self.handovers);
        opened(bundle, &network, verify, |_, _, cosigners| Ok(cosigners))
    }
}
