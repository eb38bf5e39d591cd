//! The witness' key.

use portcullis_core::Network;
use portcullis_core::signature::PublicKey;
use portcullis_keys::StatementKey;
use portcullis_tlog::{SignError, Signer, Witness, WitnessKey};

/// A secret key that genesis names as a witness'.
pub struct Cosigner {
    key: WitnessKey,
    secret: Box<dyn StatementKey>,
}

/// Genesis does not know the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the genesis names no witness with this key: check `key` and the genesis file")]
pub struct NotAWitness;

impl Cosigner {
    /// Finds the key among the genesis' witnesses; its name comes from there.
    pub fn new(network: &Network, secret: Box<dyn StatementKey>) -> Result<Self, NotAWitness> {
        let PublicKey::Ed25519(public) = secret.public_key() else {
            return Err(NotAWitness);
        };
        let mut witnesses = network.quorum().witnesses().iter();
        let key = witnesses.find(|key| key.public() == public.as_bytes());
        let key = key.ok_or(NotAWitness)?.clone();
        Ok(Self { key, secret })
    }
}

impl Signer<Witness> for Cosigner {
    fn key(&self) -> &WitnessKey {
        &self.key
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let signature = self.secret.sign(message).map_err(|error| SignError {
            name: self.key.name().to_string(),
            reason: error.to_string(),
        })?;
        Ok(*signature.as_bytes())
    }
}
