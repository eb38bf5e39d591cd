//! `labels`: a set of a million labels put at hand, and what it costs a withdrawal that its payee is looked
//! up.

use super::Setting;
use super::cpu::of_process;
use super::memory::resident;
use super::row::Row;
use crate::failure::{Exit, Failure};
use portcullis_chains::Address;
use portcullis_core::labels::{Opened, Payee};
use portcullis_core::{Digest, Domain};
use portcullis_labels::{Category, Draft, Header, Key, Kind, LabelSet, Rating, Risk};
use std::collections::HashMap;
use std::hint::black_box;

/// How often payees are looked up.
const LOOKS: u64 = 1_000_000;

pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>, Failure> {
    let labels = setting.size(1_000_000, 50_000);
    let bytes = set(labels)
        .ok_or_else(|| Failure::new(Exit::Wrong, "no set could be made", ""))?
        .as_bytes()
        .to_vec();
    let size = bytes.len();
    let (digest, hashed) = of_process(|| Digest::of(Domain::Labels, &bytes));
    let before = resident()?;
    let (opened, took) = of_process(|| Opened::named(digest, bytes));
    let grown = resident()?.saturating_sub(before) >> 20;
    let opened = opened.map_err(|error| Failure::new(Exit::Wrong, error, ""))?;
    let set = opened
        .set()
        .map_err(|error| Failure::new(Exit::Wrong, error, ""))?;
    let ms = |took: &super::cpu::Took| took.cpu.as_secs_f64() * 1e3;
    let load = Row::new("labels: put at hand", ms(&took), "ms", took.wall)
        .against_cost(ms(&hashed), 0.25)
        .note(format!(
            "{labels} labels, {size} bytes: digest and all checks, against SHA-256 alone; the bytes and {grown} MiB besides"
        ));
    Ok(vec![load, look_ups(set, labels)])
}

/// Every second payee has a label; their order is one that no cache foresees.
fn look_ups(set: &LabelSet, labels: u64) -> Row {
    let spread = |look: u64| payee(look.wrapping_mul(2_654_435_761) % (2 * labels));
    let payees: Vec<_> = (0..LOOKS).map(spread).collect();
    let (found, took) = of_process(|| {
        let keys = payees
            .iter()
            .filter_map(|payee| Payee::of(payee).key().copied());
        keys.filter(|key| black_box(set.find(key)).is_some())
            .count()
    });
    let table: HashMap<Key, Rating> = set.iter().map(|(key, label)| (key, label.rating)).collect();
    let (same, peer) = of_process(|| {
        let keys = payees
            .iter()
            .filter_map(|payee| Payee::of(payee).key().copied());
        let in_table = |key: &Key| {
            let wider = key.wider().and_then(|wider| table.get(&wider));
            black_box(table.get(key).or(wider)).is_some()
        };
        keys.filter(in_table).count()
    });
    let each = |took: &super::cpu::Took| took.cpu.as_secs_f64() * 1e6 / LOOKS as f64;
    Row::new("labels: look-up", each(&took), "us", took.wall)
        .at_most(5.0)
        .note(format!(
            "a payee on its own chain and on every one; {found} of {LOOKS} found. A hash table finds {same} in {:.2} us \
             each",
            each(&peer)
        ))
}

/// Labels of addresses on every chain; one in ten says something of its own.
fn set(labels: u64) -> Option<LabelSet> {
    let mut draft = Draft::new();
    for number in 0..labels {
        let rating = Rating {
            risk: Risk::new(u8::try_from(number % 11).ok()?)?,
            category: Category::Scam,
        };
        let says = if number % 10 == 0 {
            number
        } else {
            number % 1_000
        };
        let key = Key::try_from(payee(number)).ok()?.wider()?;
        draft
            .add(key, rating, &format!("phishing no. {says}"))
            .ok()?;
    }
    let day = "2026-11-28".parse().ok()?;
    let header = Header::new(Kind::Community, day, "made for measuring").ok()?;
    Some(draft.build(&header))
}

/// An address that looks like any other.
fn payee(number: u64) -> Address {
    let digest = Digest::plain(&number.to_be_bytes()).0;
    let mut address = [0; 20];
    address.copy_from_slice(digest.get(..20).unwrap_or(&[0; 20]));
    Address::Evm { chain: 1, address }
}
