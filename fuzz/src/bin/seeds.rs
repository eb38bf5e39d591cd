//! Writes what the vectors have for each target into FOLDER/TARGET, where a fuzzer begins, and prints
//! the targets' names.
//!
//!   seeds FOLDER

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a tool for script/fuzz"
)]

use portcullis_fuzz::TARGETS;
use portcullis_fuzz::seeds::from_vectors;
use std::fs;
use std::path::PathBuf;

fn main() {
    let folder: PathBuf = std::env::args_os()
        .nth(1)
        .expect("usage: seeds FOLDER")
        .into();
    for target in TARGETS {
        let folder = folder.join(target.name);
        fs::create_dir_all(&folder).expect("a folder for seeds");
        for (number, seed) in from_vectors(target).iter().enumerate() {
            fs::write(folder.join(format!("vector-{number:03}")), seed).expect("a seed");
        }
        println!("{}", target.name);
    }
}
