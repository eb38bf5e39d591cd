//! A log of given size with fixed keys, entries and times. Shared with the tests of foreign readers.

use std::error::Error;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;

use portcullis_tlog::witness::{AddCheckpoint, decide};
use portcullis_tlog::{
    Frontier, Hash, HashReader, KeyName, LogSigner, MAX_ENTRY_BYTES, SignedCheckpoint, Signer,
    TileKind, TilePath, Timestamp, WitnessSigner, encode_hashes, frontier_at, new_bundles,
    new_tiles, push_entry,
};

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Unix seconds of the first witness' cosignature; the second follows a second later.
const TIME: u64 = 1_700_000_000;

/// Writes the log of `size` entries, with the checkpoints and partial tiles of older sizes.
pub(crate) fn write_log(directory: &Path, size: u64, older: &[u64]) -> Outcome {
    let log = Log::of(size);
    let keys = Keys::new()?;
    for size in older {
        log.write_tiles(directory, *size)?;
        let checkpoint = keys.checkpoint(&log, *size)?;
        write(
            directory,
            &format!("checkpoint.{size}"),
            checkpoint.as_bytes(),
        )?;
    }
    log.write_tiles(directory, size)?;
    write(
        directory,
        "checkpoint",
        keys.checkpoint(&log, size)?.as_bytes(),
    )?;
    write(
        directory,
        "log.vkey",
        format!("{}\n", keys.log.key()).as_bytes(),
    )?;
    let vkeys: Vec<_> = keys
        .witnesses
        .iter()
        .map(|w| format!("{}\n", w.key()))
        .collect();
    write(directory, "witness.vkeys", vkeys.concat().as_bytes())
}

/// Entries of every length class: empty, short, and now and then the longest.
fn entry(index: u64) -> Vec<u8> {
    match index % 1000 {
        1 => Vec::new(),
        2 => vec![0xa5; MAX_ENTRY_BYTES],
        _ => format!("entry {index}\n").into_bytes(),
    }
}

/// The hashes that tiles hold, by tile level.
struct Log {
    levels: Vec<Vec<Hash>>,
}

impl Log {
    fn of(size: u64) -> Self {
        let mut levels = vec![Vec::new(); 8];
        let mut frontier = Frontier::new();
        for index in 0..size {
            frontier.append_each(Hash::leaf(&entry(index)), |level, _, hash| {
                if level % 8 == 0 {
                    levels[usize::from(level / 8)].push(*hash);
                }
            });
        }
        Self { levels }
    }

    fn write_tiles(&self, directory: &Path, size: u64) -> Outcome {
        for tile in new_tiles(0, size) {
            let TileKind::Hashes(level) = tile.kind() else {
                continue;
            };
            let hashes = self.read(level, places(tile))?;
            write(directory, &tile.to_string(), &encode_hashes(&hashes))?;
        }
        for tile in new_bundles(0, size) {
            let mut bundle = Vec::new();
            for index in places(tile) {
                push_entry(&mut bundle, &entry(index))?;
            }
            write(directory, &tile.to_string(), &bundle)?;
        }
        Ok(())
    }
}

impl HashReader for Log {
    type Error = io::Error;

    fn read(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, io::Error> {
        let place = |place| usize::try_from(place).map_err(io::Error::other);
        let hashes = self.levels[usize::from(level)].get(place(range.start)?..place(range.end)?);
        hashes
            .map(<[Hash]>::to_vec)
            .ok_or_else(|| io::Error::other("outside the log"))
    }
}

fn places(tile: TilePath) -> Range<u64> {
    tile.first()..tile.first() + u64::from(tile.width())
}

struct Keys {
    log: LogSigner,
    witnesses: [WitnessSigner; 2],
}

impl Keys {
    fn new() -> Outcome<Self> {
        let witness = |name: &str, seed: u8| WitnessSigner::from_seed(name.parse()?, &[seed; 32]);
        let origin: KeyName = "portcullis.example/journal".parse()?;
        Ok(Self {
            log: LogSigner::from_seed(origin, &[1; 32])?,
            witnesses: [
                witness("witness.example/w1", 101)?,
                witness("witness.example/w2", 102)?,
            ],
        })
    }

    fn checkpoint(&self, log: &Log, size: u64) -> Outcome<String> {
        let mut signed = SignedCheckpoint::sign(frontier_at(log, size)?.head(), &self.log)?;
        for (witness, seconds) in self.witnesses.iter().zip(TIME..) {
            let request = AddCheckpoint::new(0, Vec::new(), &signed);
            let accepted = decide(None, request, self.log.key())?;
            let time = Timestamp::from_unix(seconds)?;
            signed.add_cosignature(accepted.cosign(time, witness)?);
        }
        Ok(signed.note().to_string())
    }
}

fn write(directory: &Path, name: &str, bytes: &[u8]) -> Outcome {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().ok_or("no directory")?)?;
    Ok(fs::write(path, bytes)?)
}
