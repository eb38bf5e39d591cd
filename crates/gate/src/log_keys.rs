//! The journal's keys that this gate has: which of them signs is state's to say.

use portcullis_core::State;
use portcullis_core::signature::PublicKey;
use portcullis_keys::{NoteKey, StatementKey};
use portcullis_tlog::{Log, LogKey};
use std::sync::Arc;

/// The secrets that the configuration names: the journal's key, and the one that a rotation puts in its place.
#[derive(Clone)]
pub struct LogKeys {
    first: Arc<dyn StatementKey>,
    successor: Option<Arc<dyn StatementKey>>,
}

impl LogKeys {
    /// These; the first authenticates what the gate keeps for itself.
    #[must_use]
    pub fn new(first: Arc<dyn StatementKey>, successor: Option<Arc<dyn StatementKey>>) -> Self {
        Self { first, successor }
    }

    /// The one to authenticate the gate's own files with.
    pub(crate) fn own(&self) -> &Arc<dyn StatementKey> {
        &self.first
    }

    /// The secret half of a key of the journal, where the gate has it.
    pub(crate) fn secret_of(&self, key: &LogKey) -> Option<&Arc<dyn StatementKey>> {
        let public = PublicKey::ed25519(*key.public()).ok()?;
        let mut all = core::iter::once(&self.first).chain(&self.successor);
        all.find(|secret| *secret.public_key() == public)
    }

    /// The same, to sign checkpoints with.
    pub(crate) fn signer_of(&self, key: &LogKey) -> Option<NoteKey<Log>> {
        Some(NoteKey {
            public: key.clone(),
            secret: Arc::clone(self.secret_of(key)?),
        })
    }

    /// The one that the gate speaks with to vendors and webhooks: the journal's newest.
    pub(crate) fn in_force(&self, state: &State) -> Option<&Arc<dyn StatementKey>> {
        self.secret_of(state.log_key())
    }
}
