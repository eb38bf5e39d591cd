//! Key files by name: `NAME.keys` with its passphrase in `NAME.passphrase`, in one folder.

use crate::failure::Failure;
use portcullis_host::{Dir, Random};
use portcullis_keys::{Cost, KeyFile, Kind, Name, Passphrase, StatementKey};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a key in a file is for; also its name there.
pub(crate) mod purpose {
    /// Signs requests.
    pub(crate) const REQUEST: &str = "request";
    /// Signs checkpoints.
    pub(crate) const LOG: &str = "log";
    /// Cosigns checkpoints.
    pub(crate) const WITNESS: &str = "witness";
    /// Stamps postings.
    pub(crate) const BOARD: &str = "board";
    /// Signs a keeper's statements.
    pub(crate) const STATEMENT: &str = "statement";
    /// Opens sealed contacts.
    pub(crate) const SEALING: &str = "sealing";
    /// Signs transactions.
    pub(crate) const WALLET: &str = "wallet";
    /// Spends outputs.
    pub(crate) const COINS: &str = "coins";
    /// Signs attestations.
    pub(crate) const ISSUER: &str = "issuer";
    /// Is a development passkey.
    pub(crate) const PASSKEY: &str = "passkey";
}

/// One key file and its passphrase.
#[derive(Clone, Debug)]
pub(crate) struct KeyPaths {
    pub(crate) file: PathBuf,
    pub(crate) passphrase: PathBuf,
}

impl KeyPaths {
    /// Those of a name in a folder.
    pub(crate) fn named(folder: &Path, name: &str) -> Self {
        Self::of(folder.join(format!("{name}.keys")))
    }

    /// A file, with its passphrase beside it.
    pub(crate) fn of(file: PathBuf) -> Self {
        let passphrase = file.with_extension("passphrase");
        Self { file, passphrase }
    }

    /// Open it.
    pub(crate) fn open(&self) -> Result<KeyFile, Failure> {
        if !self.file.exists() {
            return Err(Failure::usage(
                format!("there is no key file {}", self.file.display()),
                "say whose key signs: --as NAME for one in the network's folder, --key FILE for another",
            ));
        }
        Ok(KeyFile::open(&self.file, &self.read_passphrase()?)?)
    }

    /// The passphrase, from a file that only its owner reads or from a descriptor.
    pub(crate) fn read_passphrase(&self) -> Result<Passphrase, Failure> {
        let path = &self.passphrase;
        let source = std::fs::File::open(path).map_err(|error| {
            Failure::usage(
                format!("cannot read the passphrase in {}: {error}", path.display()),
                "name its file with --passphrase (/dev/stdin is one); for a new key write six random \
                 words or more there first",
            )
        })?;
        Ok(Passphrase::read_file(source)?)
    }

    /// The key for a purpose.
    pub(crate) fn statement(&self, purpose: &str) -> Result<Arc<dyn StatementKey>, Failure> {
        Ok(Arc::new(self.open()?.statement(&purpose.parse()?)?))
    }

    /// Make the file with a random passphrase beside it, and these keys in it.
    pub(crate) fn create(
        &self,
        keys: &[(&str, Kind)],
        random: &dyn Random,
    ) -> Result<KeyFile, Failure> {
        let words = hex::encode(random.array::<20>());
        crate::files::write(&self.passphrase, format!("{words}\n").as_bytes())?;
        let passphrase = Passphrase::new(words.into_bytes().into())?;
        let mut file = KeyFile::create(&self.file, &passphrase, Cost::DEVELOPMENT)?;
        for (name, kind) in keys {
            file.generate(*kind, name.parse::<Name>()?)?;
        }
        Ok(file)
    }
}

/// A folder for keys, that only its owner enters.
pub(crate) fn make_folder(folder: &Path) -> Result<Dir, Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = Dir::open(folder)?;
    let private = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(folder, private).map_err(|error| {
        Failure::usage(
            format!("cannot make {} private: {error}", folder.display()),
            "",
        )
    })?;
    Ok(dir)
}
