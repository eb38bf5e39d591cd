//! How many leaves a core hashes and appends: `cargo run --release --example append_speed`.
#![allow(clippy::print_stdout, reason = "a command")]

use std::time::Instant;

use portcullis_tlog::{Frontier, Hash};

const ENTRY_BYTES: usize = 300;
const BATCH: u64 = 256;
const LEAVES: u64 = 2_000_000;

fn main() {
    let mut entry = [0; ENTRY_BYTES];
    let mut frontier = Frontier::new();
    let start = Instant::now();
    for index in 0..LEAVES {
        entry[..8].copy_from_slice(&index.to_be_bytes());
        frontier.append(Hash::leaf(&entry));
        if frontier.size().is_multiple_of(BATCH) {
            std::hint::black_box(frontier.root());
        }
    }
    let per_second = u128::from(LEAVES) * 1_000_000 / start.elapsed().as_micros().max(1);
    println!("{per_second} leaves/s of {ENTRY_BYTES} bytes, with a root every {BATCH}");
}
