//! What a million labels cost: importing, building, reading and looking up, in time and bytes.
//!
//!   cargo run --release -p portcullis-labels --example measure [LABELS]

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it measures and prints"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use portcullis_labels::{Draft, Header, Key, Kind, LabelSet, Rules, SetDigest};

fn main() {
    let labels = std::env::args().nth(1);
    let labels: u32 = labels.map_or(1_000_000, |text| text.parse().unwrap());
    let list = list(labels);
    println!("{labels} labels, {} bytes of CSV", list.len());
    let mut draft = Draft::new();
    let report = timed("import", || {
        draft.csv(list.as_bytes(), Rules::default()).unwrap()
    });
    assert_eq!(report.labels, labels);
    let header = Header::new(Kind::Community, "2026-11-28".parse().unwrap(), "measured");
    let header = header.unwrap();
    let set = timed("build", || draft.build(&header));
    let (digest, bytes) = (set.digest(), set.as_bytes().to_vec());
    let (size, count) = (bytes.len(), set.len());
    let hundredths = size * 100 / count % 100;
    println!(
        "set: {size} bytes, {}.{hundredths:02} a label",
        size / count
    );
    let read = timed("read, digest and all checks", || {
        LabelSet::named(digest, bytes).unwrap()
    });
    look_up("look-ups that find", &read, &keys(labels, 1));
    look_up("look-ups that do not", &read, &keys(labels, 2));
    timed("difference with itself", || {
        assert_eq!(read.count_changes_since(&set).added, 0);
    });
}

fn timed<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let value = run();
    println!("{what}: {} ms", begun.elapsed().as_millis());
    value
}

/// Each is two searches: the payee on its own chain, then on every one.
fn look_up(what: &str, set: &LabelSet, keys: &[Key]) {
    let begun = Instant::now();
    let found = keys.iter().filter(|key| black_box(set.find(key)).is_some());
    let found = found.count();
    let each = begun.elapsed().as_nanos() / keys.len() as u128;
    println!("{what}: {each} ns each, {found} of {} found", keys.len());
}

/// An address that looks like any other.
fn key(number: u32, kind: u32) -> Key {
    let digest = SetDigest::of(&[number.to_be_bytes(), kind.to_be_bytes()].concat());
    let address = *digest.0.first_chunk().unwrap();
    Key::try_from(portcullis_chains::Address::Evm { chain: 1, address }).unwrap()
}

/// Payees on one chain, in an order that no cache foresees.
fn keys(labels: u32, kind: u32) -> Vec<Key> {
    let steps = (0..1_000_000_u64).map(|step| step * 2_654_435_761 % u64::from(labels));
    steps
        .map(|number| key(u32::try_from(number).unwrap(), kind))
        .collect()
}

/// One label in ten says something of its own; the others repeat a thousand texts.
fn list(labels: u32) -> String {
    let mut list = "address,category,risk,label\n".to_owned();
    for number in 0..labels {
        let wide = key(number, 1).wider().unwrap();
        let own = number % 10 == 0;
        let says = if own { number } else { number % 1_000 };
        writeln!(list, "{wide},scam,{},phishing no. {says}", number % 11).unwrap();
    }
    list
}
