//! The configuration file of `portcullis witness`.

use portcullis_core::Digest;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What the process is and where its things are. Relative paths start at the file's own folder.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The signed genesis, in canonical CBOR.
    pub genesis: PathBuf,
    /// The genesis digest, pinned by hand.
    pub genesis_digest: Digest,
    /// The key file.
    pub key_file: PathBuf,
    /// A file with its passphrase.
    pub passphrase_file: PathBuf,
    /// Where records are kept. Never restored from a backup, never used by two processes.
    pub data: PathBuf,
    /// The address to listen at.
    pub listen: SocketAddr,
    /// Be a witness.
    #[serde(default)]
    pub witness: Option<Role>,
    /// Be a stop board.
    #[serde(default)]
    pub board: Option<Role>,
    /// The platform's name, as its customers know it: it stands on the page behind restricting links.
    #[serde(default)]
    pub name: Option<String>,
    /// A file that moves the clock ahead; a development genesis only.
    #[serde(default)]
    pub test_clock: Option<PathBuf>,
}

/// One of the two things that the process can be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// The name of its key in the key file; genesis must name the public half.
    pub key: String,
    /// A witness' name, where a rotation puts it in force and genesis does not know it.
    #[serde(default)]
    pub name: Option<String>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file is not what is expected.
    #[error("{path}: {error}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        error: Box<toml::de::Error>,
    },
    /// Neither role.
    #[error("neither [witness] nor [board] is configured: there is nothing to run")]
    NoRole,
}

impl Config {
    /// Reads a configuration file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Read {
            path: path.to_owned(),
            error,
        })?;
        let config: Self = toml::from_str(&text).map_err(|error| ConfigError::Parse {
            path: path.to_owned(),
            error: Box::new(error),
        })?;
        if config.witness.is_none() && config.board.is_none() {
            return Err(ConfigError::NoRole);
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        Ok(config.relative_to(folder))
    }

    fn relative_to(mut self, folder: &Path) -> Self {
        let paths = [
            &mut self.genesis,
            &mut self.key_file,
            &mut self.passphrase_file,
            &mut self.data,
        ];
        for path in paths.into_iter().chain(self.test_clock.as_mut()) {
            *path = folder.join(&*path);
        }
        self
    }
}
