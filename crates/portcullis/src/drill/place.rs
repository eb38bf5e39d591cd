//! What a drill needs of this machine: a folder, the programs of an Ethereum node, a Bitcoin node and a mail server, and
//! a token's contract.

use crate::failure::Failure;
use crate::out::warn;
use crate::peers;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where `script/install` puts the node's program.
const ANVIL: &str = "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";
/// The token's code, compiled.
const TOKEN: &str = "evm/Coin.bin";
/// The most bytes of it: twice what a chain takes for one contract (EIP-3860), in hexadecimal.
const MAX_TOKEN: u64 = 4 * 49_152;
/// The Bitcoin node's.
const BITCOIN_NODE: &str = "bitcoin/node";
/// And the mail server's.
const MAIL_SERVER: &str = "mail/server";

/// The Ethereum node's program: the one that was named, or where script/install puts it below a checkout
/// in which this program was built. Asked for its version, so that nothing begins without it.
pub(super) fn anvil(named: Option<&Path>) -> Result<PathBuf, Failure> {
    const NEXT: &str = "run script/install, or name anvil with --anvil";
    let none = || Failure::usage("no Ethereum node to hold a drill with", NEXT);
    let path = named
        .map(Path::to_owned)
        .or_else(|| peers::find(ANVIL))
        .ok_or_else(none)?;
    let asked = Command::new(&path)
        .arg("--version")
        .stdin(Stdio::null())
        .output();
    let wrong = |why: String| {
        let what = format!(
            "{} is no Ethereum node to hold a drill with: {why}",
            path.display()
        );
        Failure::usage(what, NEXT)
    };
    match asked {
        Err(error) => Err(wrong(error.to_string())),
        Ok(said) if said.stdout.starts_with(b"anvil ") => Ok(path),
        Ok(_) => Err(wrong("it does not say that it is anvil".into())),
    }
}

/// The Bitcoin node's program: the one that was named, or where script/install puts it.
pub(super) fn bitcoin_node(named: Option<&Path>) -> Result<PathBuf, Failure> {
    let found = named
        .map(Path::to_owned)
        .or_else(|| peers::find(BITCOIN_NODE));
    found.filter(|path| path.is_file()).ok_or_else(|| {
        Failure::usage(
            "no Bitcoin node to hold a drill with",
            "run script/install, or name tests/peers/bitcoin's with --bitcoin-node",
        )
    })
}

/// The mail server's program: the one that was named, or where script/install puts it.
pub(super) fn mail_server(named: Option<&Path>) -> Result<PathBuf, Failure> {
    let found = named
        .map(Path::to_owned)
        .or_else(|| peers::find(MAIL_SERVER));
    found.filter(|path| path.is_file()).ok_or_else(|| {
        Failure::usage(
            "no mail server to hold a drill with",
            "run script/install, or name tests/peers/mail's with --mail-server",
        )
    })
}

/// The code that creates the token: of the file that was named, or of where script/install puts it.
pub(super) fn token(named: Option<&Path>) -> Result<String, Failure> {
    const NEXT: &str = "run script/install, or name tests/peers/evm's Coin.bin with --token";
    let none = || Failure::usage("no token to hold a drill with", NEXT);
    let path = named
        .map(Path::to_owned)
        .or_else(|| peers::find(TOKEN))
        .ok_or_else(none)?;
    let wrong = |why: &dyn core::fmt::Display| {
        let what = format!("{} is no token's code: {why}", path.display());
        Failure::usage(what, NEXT)
    };
    let code = read(&path).map_err(|error| wrong(&error))?;
    let code = code.trim();
    let is_code = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_code {
        Ok(code.to_owned())
    } else {
        Err(wrong(&"it is not hexadecimal"))
    }
}

/// No more of a file than a contract may have.
fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_TOKEN)
        .read_to_string(&mut text)?;
    Ok(text)
}

/// A folder for the drill: kept where somebody asked for it or something failed, removed otherwise.
pub(super) enum Place {
    Kept(PathBuf),
    Passing(tempfile::TempDir),
}

impl Place {
    pub(super) fn make(keep: Option<&Path>) -> Result<Self, Failure> {
        match keep {
            Some(path) => {
                std::fs::create_dir(path).map_err(|error| cannot_make(path, &error))?;
                Ok(Self::Kept(path.to_owned()))
            }
            None => {
                let made = tempfile::tempdir();
                let made = made.map_err(|error| cannot_make(&std::env::temp_dir(), &error))?;
                Ok(Self::Passing(made))
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Passing(dir) => dir.path(),
        }
    }

    /// Keep it whatever was asked for, and say where.
    pub(super) fn keep(self) {
        let path = match self {
            Self::Kept(path) => path,
            Self::Passing(dir) => dir.keep(),
        };
        warn(format_args!(
            "The drill's journals, configurations and logs are kept in {}.",
            path.display()
        ));
    }
}

fn cannot_make(path: &Path, error: &std::io::Error) -> Failure {
    let what = format!("cannot make the folder {}: {error}", path.display());
    let next = match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            "name a folder with --keep that is not there yet, or remove this one"
        }
        _ => "name with --keep a new folder in one that is there and may be written",
    };
    Failure::usage(what, next)
}
