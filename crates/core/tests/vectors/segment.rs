//! A small journal's segment files, written by the journal itself.

use portcullis_host::Random;
use portcullis_journal::{Directory, Store as _};
use portcullis_keeper::testkit::CrashDisk;
use portcullis_tlog::{Frontier, Hash};
use serde_json::{Value, json};
use std::sync::Arc;

/// Salts that stay the same.
struct Counting;

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for (byte, value) in bytes.iter_mut().zip(1..) {
            *byte = value;
        }
    }
}

pub(crate) fn document() -> Value {
    let disk = CrashDisk::default();
    let (mut directory, _) =
        Directory::open(Arc::new(disk.clone()), 160, Arc::new(Counting)).unwrap();
    let batches = [
        vec![b"entry 0".to_vec(), b"entry 1".to_vec()],
        vec![vec![2; 40]],
        vec![vec![3; 40], Vec::new()],
    ];
    let (mut frontier, mut first) = (Frontier::new(), 0);
    for batch in &batches {
        let bytes = batch
            .iter()
            .map(|entry| entry.len() as u64 + 2)
            .sum::<u64>()
            + 24;
        directory.make_room(&frontier, bytes).unwrap();
        directory.append(first, batch).unwrap();
        for entry in batch {
            frontier.append(Hash::leaf(entry));
        }
        first = frontier.size();
    }
    let file = |number: u64| {
        let name = format!("segment/{number:012}");
        let bytes = disk.bytes(&name)?;
        Some(json!({ "name": name, "bytes": hex::encode(bytes) }))
    };
    let files: Vec<Value> = (0..).map_while(file).collect();
    let hex = |batch: &Vec<Vec<u8>>| batch.iter().map(hex::encode).collect::<Vec<_>>();
    json!({
        "batches": batches.iter().map(hex).collect::<Vec<_>>(),
        "files": files,
    })
}
