//! A network's folder, as `init --development` lays it out and other commands find it.

use std::path::{Path, PathBuf};

/// Where things are below one folder.
#[derive(Clone, Debug)]
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    /// The signed genesis in canonical CBOR.
    pub(crate) const GENESIS: &str = "genesis.cbor";
    /// Its digest in hex.
    pub(crate) const DIGEST: &str = "genesis.digest";
    /// The same for people.
    pub(crate) const GENESIS_JSON: &str = "genesis.json";
    /// What callers need to know.
    pub(crate) const CLIENT: &str = "client.toml";
    /// The gate's configuration.
    pub(crate) const GATE: &str = "gate.toml";
    /// The signer's.
    pub(crate) const SIGNER: &str = "signer.toml";
    /// That of the witness and the stop board.
    pub(crate) const WITNESS: &str = "witness.toml";
    /// The herald's, where the network has one.
    pub(crate) const HERALD: &str = "herald.toml";
    /// A node's URL, if somebody left it here.
    pub(crate) const NODE: &str = "ethereum-rpc";
    /// Key files, their passphrases, and customers.
    pub(crate) const KEYS: &str = "keys";
    /// The journal.
    pub(crate) const JOURNAL: &str = "data/journal";

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.file(Self::KEYS)
    }
}
