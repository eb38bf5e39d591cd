//! The checker: re-derives the tree from the segments' bytes and compares every projection with it.
//!
//! It trusts nothing that is stored: not the segments' headers, not the tiles, not the checkpoint.
//! What it returns is a list of faults by file, and the entries, for whoever applies them next.

use crate::directory;
use crate::projection::CHECKPOINT_FILE;
use crate::segment::Tail;
use portcullis_host::Disk;
use portcullis_tlog::{
    Cosigned, Frontier, Hash, LogKey, Quorum, TileKind, TilePath, TreeHead, encode_hashes,
    new_bundles, new_tiles, push_entry,
};

/// One thing that is wrong with one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, by its name in the journal's folder.
    pub file: String,
    /// What is wrong.
    pub what: String,
}

/// What the stored bytes are.
#[derive(Debug, Default)]
pub struct Checked {
    /// All entries, in order.
    pub entries: Vec<Vec<u8>>,
    /// The newest cosigned checkpoint, if it holds.
    pub checkpoint: Option<Cosigned>,
    /// What is wrong; empty where nothing is.
    pub faults: Vec<Fault>,
    /// Files that were looked at.
    pub files: Vec<String>,
}

impl Checked {
    fn fault(&mut self, file: impl Into<String>, what: impl Into<String>) {
        self.faults.push(Fault {
            file: file.into(),
            what: what.into(),
        });
    }
}

/// Check a journal's folder.
#[must_use]
pub fn check(disk: &dyn Disk, log: &LogKey, quorum: &Quorum) -> Checked {
    let mut checked = Checked::default();
    let (frontier, rows) = check_segments(disk, &mut checked);
    check_checkpoint(disk, log, quorum, frontier.size(), &mut checked);
    check_root(&mut checked);
    check_tiles(disk, &rows, &mut checked);
    checked
}

fn check_segments(disk: &dyn Disk, checked: &mut Checked) -> (Frontier, Vec<Vec<Hash>>) {
    let mut frontier = Frontier::new();
    let mut rows: Vec<Vec<Hash>> = Vec::new();
    let count = directory::count(disk);
    if count == 0 {
        checked.fault("segment/", "there is no segment: this is no journal");
    }
    for number in 0..count {
        let name = directory::name(number);
        checked.files.push(name.clone());
        let parsed = match directory::read(disk, number) {
            Ok(Ok(parsed)) => parsed,
            Ok(Err(fault)) => return_fault(checked, &name, fault.to_string(), &mut frontier),
            Err(error) => return_fault(checked, &name, error.to_string(), &mut frontier),
        };
        if parsed.base != frontier {
            checked.fault(&name, "its header does not fit the entries before it");
        }
        if parsed.tail == Tail::Torn {
            checked.fault(&name, "it ends in a batch that is not whole");
        }
        for entry in parsed.entries {
            frontier.append_each(Hash::leaf(&entry), |level, _, hash| {
                if level % 8 == 0 {
                    let row = usize::from(level / 8);
                    rows.resize_with(rows.len().max(row + 1), Vec::new);
                    rows[row].push(*hash);
                }
            });
            checked.entries.push(entry);
        }
    }
    (frontier, rows)
}

/// Note the fault and go on as if the segment were empty.
fn return_fault(
    checked: &mut Checked,
    name: &str,
    what: String,
    frontier: &mut Frontier,
) -> crate::segment::Parsed {
    checked.fault(name, what);
    crate::segment::Parsed {
        base: frontier.clone(),
        entries: Vec::new(),
        end: 0,
        tail: Tail::Clean,
    }
}

fn check_checkpoint(
    disk: &dyn Disk,
    log: &LogKey,
    quorum: &Quorum,
    size: u64,
    checked: &mut Checked,
) {
    checked.files.push(CHECKPOINT_FILE.into());
    let cap = portcullis_tlog::MAX_NOTE_BYTES as u64;
    let note = match disk.read(CHECKPOINT_FILE, cap) {
        Ok(Some(note)) => note,
        Ok(None) => return checked.fault(CHECKPOINT_FILE, "missing"),
        Err(error) => return checked.fault(CHECKPOINT_FILE, error.to_string()),
    };
    match Cosigned::parse(&note, log, quorum) {
        Err(error) => checked.fault(CHECKPOINT_FILE, error.to_string()),
        Ok(cosigned) if cosigned.head().size > size => {
            let what = format!(
                "it speaks of {} entries and the segments hold {size}",
                cosigned.head().size
            );
            checked.fault(CHECKPOINT_FILE, what);
        }
        Ok(cosigned) => checked.checkpoint = Some(cosigned),
    }
}

/// The root of the entries up to the checkpoint is the checkpoint's.
fn check_root(checked: &mut Checked) {
    let Some(head) = checked.checkpoint.as_ref().map(Cosigned::head) else {
        return;
    };
    let mut frontier = Frontier::new();
    let size = usize::try_from(head.size).unwrap_or(usize::MAX);
    for entry in checked.entries.iter().take(size) {
        frontier.append(Hash::leaf(entry));
    }
    if frontier.head() != head {
        let TreeHead { size, .. } = head;
        checked.fault(
            "segment/",
            format!("the root of the first {size} entries is not the cosigned one"),
        );
    }
}

fn check_tiles(disk: &dyn Disk, rows: &[Vec<Hash>], checked: &mut Checked) {
    let Some(head) = checked.checkpoint.as_ref().map(Cosigned::head) else {
        return;
    };
    for path in new_tiles(0, head.size).chain(new_bundles(0, head.size)) {
        let name = path.to_string();
        checked.files.push(name.clone());
        let expected = expected(path, rows, &checked.entries);
        let cap = expected.as_ref().map_or(0, Vec::len) as u64;
        match (disk.read(&name, cap), expected) {
            (Ok(Some(found)), Some(expected)) if found == expected => {}
            (Ok(None), _) => checked.fault(name, "missing"),
            (Err(error), _) => checked.fault(name, error.to_string()),
            _ => checked.fault(name, "it is not what the segments' entries give"),
        }
    }
}

fn expected(path: TilePath, rows: &[Vec<Hash>], entries: &[Vec<u8>]) -> Option<Vec<u8>> {
    let first = usize::try_from(path.first()).ok()?;
    let range = first..first.checked_add(usize::from(path.width()))?;
    match path.kind() {
        TileKind::Hashes(level) => Some(encode_hashes(rows.get(usize::from(level))?.get(range)?)),
        TileKind::Entries => {
            let mut bundle = Vec::new();
            for entry in entries.get(range)? {
                push_entry(&mut bundle, entry).ok()?;
            }
            Some(bundle)
        }
    }
}

/// The journal's first entry and the file that holds it, as stored: nothing of it is checked. It is
/// the genesis, from which whoever verifies takes the keys to check the rest with.
pub fn first_entry(disk: &dyn Disk) -> Result<(String, Vec<u8>), Fault> {
    let file = directory::name(0);
    let fault = |what: String| Fault {
        file: file.clone(),
        what,
    };
    let parsed = directory::read(disk, 0).map_err(|error| fault(error.to_string()))?;
    let parsed = parsed.map_err(|error| fault(error.to_string()))?;
    let first = parsed.entries.into_iter().next();
    let first = first.ok_or_else(|| fault("it holds no whole batch".into()))?;
    Ok((file, first))
}
