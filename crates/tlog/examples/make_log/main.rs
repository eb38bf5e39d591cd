//! Writes a small log as a directory of static files, for verifiers that we did not write.
//!
//! `cargo run -p portcullis-tlog --example make_log DIR SIZE [OLDER_SIZE…]`
//!
//! Besides `checkpoint` and `tile/`, as tlog-tiles lays them out, `DIR` gets `log.vkey`,
//! `witness.vkeys` (two lines), and `checkpoint.OLDER` for every older size, whose partial tiles
//! stay as a log that once served them would have left them. Keys, entries and times are fixed, so
//! the same arguments write the same bytes.
#![allow(clippy::print_stdout, reason = "a command")]

mod log;

use std::path::PathBuf;

const USAGE: &str = "usage: make_log DIR SIZE [OLDER_SIZE…]";

fn main() -> log::Outcome {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or(USAGE)?);
    let size = arguments.next().ok_or(USAGE)?.parse()?;
    let older = arguments
        .map(|size| size.parse())
        .collect::<Result<Vec<u64>, _>>()?;
    log::write_log(&directory, size, &older)?;
    println!("{size} entries in {}", directory.display());
    Ok(())
}
