//! Reading and writing the files that commands name.

use crate::failure::Failure;
use portcullis_host::{Dir, Disk as _};
use std::io::Read as _;
use std::path::Path;

/// Most bytes of a file that somebody names: a genesis as JSON, an act, a receipt.
const MAX_FILE: u64 = 16 * 1024 * 1024;

/// A whole file, or standard input where the name is `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error| unreadable(path, &error);
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        let input = std::io::stdin().lock();
        input
            .take(MAX_FILE + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(MAX_FILE + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
    }
    if bytes.len() as u64 > MAX_FILE {
        let what = format!("{} is larger than 16 MiB", path.display());
        return Err(Failure::usage(what, "name the file that was meant"));
    }
    Ok(bytes)
}

/// A text file.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    let text = String::from_utf8(read(path)?);
    text.map_err(|_| Failure::usage(format!("{} is not text", path.display()), ""))
}

/// A test clock's file that says nothing, or how far it moves time. Anything else would be taken for
/// nothing, without a word.
pub(crate) fn check_test_clock(path: &Path) -> Result<(), Failure> {
    if !path.exists() {
        return Ok(());
    }
    match read_text(path)?.trim() {
        "" => Ok(()),
        text if text.parse::<u64>().is_ok() => Ok(()),
        _ => Err(Failure::usage(
            format!("the test clock {} holds no number", path.display()),
            "write there how many milliseconds ahead time is, in decimal",
        )),
    }
}

/// Put a file in place, whole and for its owner only.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::usage("the file to write has no name", ""))?;
    Ok(Dir::open(folder.unwrap_or(Path::new(".")))?.replace(name, bytes)?)
}

/// Put a file in place that is never replaced by another: again only with the same bytes.
pub(crate) fn write_once(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if path.exists() && read(path)? != bytes {
        return Err(Failure::usage(
            format!("{} is there already, and is another", path.display()),
            "name a new file with --out, or see whose the old one is",
        ));
    }
    write(path, bytes)
}

/// What the system said when a file or folder was to be read.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(
        format!("cannot read {}: {error}", path.display()),
        "see that the file is there and may be read",
    )
}
