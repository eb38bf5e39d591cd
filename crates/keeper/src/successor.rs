//! A keeper's statement key and its successor: a rotation says from which entry on which of them counts.

use crate::Keeper;
use portcullis_core::signature::PublicKey;
use portcullis_keys::file::NameError;
use portcullis_keys::{KeyFile, KeyFileError, Name, StatementKey};
use std::sync::Arc;

/// The statement keys that a configuration names.
pub struct StatementKeys {
    first: Arc<dyn StatementKey>,
    successor: Option<Arc<dyn StatementKey>>,
}

/// Why there are none.
#[derive(Debug, thiserror::Error)]
pub enum StatementKeysError {
    /// A key of the file.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// A key's name.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl StatementKeys {
    /// Read the key of this name, and its successor, where one is named.
    pub fn read(
        file: &KeyFile,
        statement: &str,
        successor: Option<&str>,
    ) -> Result<Self, StatementKeysError> {
        let read = |name: &str| -> Result<Arc<dyn StatementKey>, StatementKeysError> {
            Ok(Arc::new(file.statement(&name.parse::<Name>()?)?))
        };
        let (first, successor) = (read(statement)?, successor.map(read).transpose()?);
        Ok(Self { first, successor })
    }

    /// The one to begin with.
    #[must_use]
    pub fn first(&self) -> &Arc<dyn StatementKey> {
        &self.first
    }

    /// Whether a keeper that genesis gives this key may begin with these. Where keys are rotated, the
    /// journal says which one it is; until it does, the keeper has no lease.
    #[must_use]
    pub fn may_begin(&self, genesis: &PublicKey) -> bool {
        self.successor.is_some() || self.first.public_key() == genesis
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Arc<dyn StatementKey>> {
        core::iter::once(&self.first).chain(&self.successor)
    }

    /// The one in force for this keeper, where it is not the one that the keeper has.
    #[must_use]
    pub fn to_turn_to(&self, keeper: &Keeper) -> Option<Arc<dyn StatementKey>> {
        let in_force = keeper.key_to_turn_to()?;
        let key = self.all().find(|key| *key.public_key() == in_force)?;
        Some(Arc::clone(key))
    }
}
