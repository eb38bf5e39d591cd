//! The witness' key.

use portcullis_core::Network;
use portcullis_core::signature::PublicKey;
use portcullis_keys::{NoteKey, StatementKey};
use portcullis_tlog::{KeyName, Witness, WitnessKey};
use std::sync::Arc;

/// A secret key that genesis names as a witness'.
pub struct Cosigner(pub(crate) NoteKey<Witness>);

/// Genesis does not know the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the genesis names no witness with this key: check `key` and the genesis file; of one that a rotation puts \
     in force, the configuration says the `name`"
)]
pub struct NotAWitness;

impl Cosigner {
    /// Finds the key among the genesis' witnesses; its name comes from there.
    pub fn new(network: &Network, secret: Arc<dyn StatementKey>) -> Result<Self, NotAWitness> {
        let PublicKey::Ed25519(public) = secret.public_key() else {
            return Err(NotAWitness);
        };
        let mut witnesses = network.quorum().witnesses().iter();
        let public = witnesses.find(|key| key.public() == public.as_bytes());
        let public = public.ok_or(NotAWitness)?.clone();
        Ok(Self(NoteKey { public, secret }))
    }

    /// A key that a rotation puts in force under this name. Until then, and whatever it cosigns, it counts for
    /// nobody.
    pub fn successor(name: KeyName, secret: Arc<dyn StatementKey>) -> Result<Self, NotAWitness> {
        let PublicKey::Ed25519(public) = secret.public_key() else {
            return Err(NotAWitness);
        };
        let public = WitnessKey::new(name, *public.as_bytes());
        Ok(Self(NoteKey { public, secret }))
    }
}
