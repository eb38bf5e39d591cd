//! A statement key that signs notes.

use crate::StatementKey;
use portcullis_tlog::{Role, SignError, Signer, VerifierKey};
use std::sync::Arc;

/// The key of a log or of a witness, wherever its secret is; the name comes from whoever knows the
/// public half, which is the genesis.
#[derive(Clone)]
pub struct NoteKey<R> {
    /// The public half, with its name.
    pub public: VerifierKey<R>,
    /// The secret.
    pub secret: Arc<dyn StatementKey>,
}

impl<R: Role> Signer<R> for NoteKey<R> {
    fn key(&self) -> &VerifierKey<R> {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let failed = |error: crate::SignError| SignError {
            name: self.public.name().to_string(),
            reason: error.to_string(),
        };
        Ok(*self.secret.sign(message).map_err(failed)?.as_bytes())
    }
}
