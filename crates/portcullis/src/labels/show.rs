//! `portcullis labels show`.

use super::{in_short, read_set};
use crate::failure::Failure;
use crate::out::say;
use clap::Args;
use portcullis_labels::{Key, LabelSet};
use std::path::PathBuf;

/// What a set says, of itself or of addresses
///
/// Example:
///   portcullis labels show ofac.set evm:0x098B716B8Aaf21512996dC57EB0615e2383E2f96
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct ShowArgs {
    /// The set
    file: PathBuf,
    /// Addresses, each as CHAIN:ADDRESS; the chain by its name or as in CAIP-2
    addresses: Vec<String>,
}

impl ShowArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let set = read_set(&self.file)?;
        say(format_args!("set       {}", in_short(&set)));
        say(format_args!("digest    {}", set.digest()));
        self.addresses
            .iter()
            .try_for_each(|address| tell(&set, address))
    }
}

fn tell(set: &LabelSet, address: &str) -> Result<(), Failure> {
    let key: Key = address
        .parse()
        .map_err(|error| Failure::usage(format!("{address}: {error}"), ""))?;
    match set.find(&key) {
        Some(label) => {
            let (risk, category) = (label.rating.risk, label.rating.category.name());
            let text = label.text;
            say(format_args!("{key}  risk {risk}, {category}: {text}"));
        }
        None => say(format_args!("{key}  no label")),
    }
    Ok(())
}
