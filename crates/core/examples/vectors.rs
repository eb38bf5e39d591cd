//! Writes `docs/spec/vectors` anew, as far as the code says something else: for whoever changes a
//! signed byte, and reads the difference before it is kept.

#![allow(
    clippy::unwrap_used,
    dead_code,
    unused_imports,
    reason = "the tests' own modules, of which this needs a part; what fails ends it"
)]

#[path = "../tests/vectors/acts.rs"]
mod acts;
#[path = "../tests/vectors/contact.rs"]
mod contact;
#[path = "../tests/vectors/effects.rs"]
mod effects;
#[path = "../tests/vectors/encoding.rs"]
mod encoding;
#[path = "../tests/vectors/entries.rs"]
mod entries;
#[path = "../tests/vectors/evidence.rs"]
mod evidence;
#[path = "../tests/vectors/files.rs"]
mod files;
#[path = "../tests/vectors/follow.rs"]
mod follow;
#[path = "../tests/vectors/genesis.rs"]
mod genesis;
#[path = "../tests/vectors/holder.rs"]
mod holder;
#[path = "../tests/vectors/receipts/mod.rs"]
mod receipts;
#[path = "../tests/vectors/segment.rs"]
mod segment;
#[path = "../tests/vectors/statements.rs"]
mod statements;
#[path = "../tests/vectors/story.rs"]
mod story;
#[path = "../tests/vectors/totp.rs"]
mod totp;
#[path = "../tests/vectors/tree.rs"]
mod tree;

pub(crate) use files::{and, cbor, vector};

fn main() {
    files::regenerate();
}
