//! The checker: re-derives the tree from the segments' bytes and compares every projection with it.
//!
//! It trusts nothing that is stored: not the segments' headers, not the tiles, not the checkpoint.
//! What it returns is a list of faults by file, and the entries, for whoever applies them next.

use crate::directory;
use crate::projection::CHECKPOINT_FILE;
use crate::segment::Tail;
use crate::whole::Whole;
use portcullis_core::state::Signatories;
use portcullis_host::Disk;
use portcullis_tlog::{
    Cosigned, KeyId, KeyName, NoteSignature, ReadCheckpoint, TreeHead, new_bundles, new_tiles,
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

/// Whose signatures count for a checkpoint over these entries, and no others; or why nobody's do.
pub type WhoSigns<'a> = &'a dyn Fn(&[Vec<u8>]) -> Result<Signatories, String>;

/// Check a journal's folder.
#[must_use]
pub fn check(disk: &dyn Disk, who: WhoSigns<'_>) -> Checked {
    let mut checked = Checked::default();
    let whole = check_segments(disk, &mut checked);
    check_checkpoint(disk, who, &whole.entries, &mut checked);
    if let Some(head) = checked.checkpoint.as_ref().map(Cosigned::head) {
        check_root(&whole, head, &mut checked);
        check_tiles(disk, &whole, head.size, &mut checked);
    }
    checked.entries = whole.entries;
    checked
}

fn check_segments(disk: &dyn Disk, checked: &mut Checked) -> Whole {
    let mut whole = Whole::default();
    let count = directory::count(disk);
    if count == 0 {
        checked.fault("segment/", "there is no segment: this is no journal");
    }
    for number in 0..count {
        let name = directory::name(number);
        checked.files.push(name.clone());
        let parsed = match directory::read(disk, number) {
            Ok(Ok(parsed)) => parsed,
            // Go on as if it were empty: what else is wrong is to be named too.
            Ok(Err(fault)) => {
                checked.fault(&name, fault.to_string());
                continue;
            }
            Err(error) => {
                checked.fault(&name, error.to_string());
                continue;
            }
        };
        if parsed.base != whole.frontier {
            checked.fault(&name, "its header does not fit the entries before it");
        }
        if parsed.tail == Tail::Torn {
            checked.fault(&name, "it ends in a batch that is not whole");
        }
        for entry in parsed.entries {
            whole.push(entry);
        }
    }
    for number in directory::missing(disk, count) {
        checked.fault(
            directory::name(number),
            "missing, and later segments are there",
        );
    }
    whole
}

fn check_checkpoint(
    disk: &dyn Disk,
    who: WhoSigns<'_>,
    entries: &[Vec<u8>],
    checked: &mut Checked,
) {
    checked.files.push(CHECKPOINT_FILE.into());
    let cap = portcullis_tlog::MAX_NOTE_BYTES as u64;
    let note = match disk.read(CHECKPOINT_FILE, cap) {
        Ok(Some(note)) => note,
        Ok(None) => return checked.fault(CHECKPOINT_FILE, "missing"),
        Err(error) => return checked.fault(CHECKPOINT_FILE, error.to_string()),
    };
    match judge(&note, who, entries) {
        Err(what) => checked.fault(CHECKPOINT_FILE, what),
        Ok((cosigned, signatories)) => {
            if let Some(name) = stranger(&cosigned, &signatories) {
                checked.fault(
                    CHECKPOINT_FILE,
                    format!("it is signed by {name}, who does not count here with this key"),
                );
            }
            checked.checkpoint = Some(cosigned);
        }
    }
}

/// The checkpoint, and those by whom it is judged.
pub fn judge(
    note: &[u8],
    who: WhoSigns<'_>,
    entries: &[Vec<u8>],
) -> Result<(Cosigned, Signatories), String> {
    let checkpoint = ReadCheckpoint::parse(note).map_err(|error| error.to_string())?;
    let (size, found) = (checkpoint.claimed().size, entries.len());
    let covered = usize::try_from(size)
        .ok()
        .and_then(|size| entries.get(..size));
    let covered = covered.ok_or_else(|| {
        format!("it speaks of {size} entries and the segments hold {found}: the journal was cut")
    })?;
    let signatories = who(covered)?;
    let cosigned = signatories.check(checkpoint);
    Ok((cosigned.map_err(|error| error.to_string())?, signatories))
}

/// A signature of a key that is neither the log's nor a witness'. Whoever reads notes ignores it; here
/// it would let a damaged cosignature pass for somebody else's.
fn stranger(cosigned: &Cosigned, signatories: &Signatories) -> Option<String> {
    let log = signatories.log();
    let is_known = |line: &&NoteSignature| {
        let is = |name: &KeyName, id: KeyId| *line.name() == *name && line.id() == id;
        let mut witnesses = signatories.quorum().witnesses().iter();
        is(log.name(), log.id()) || witnesses.any(|witness| is(witness.name(), witness.id()))
    };
    let mut lines = cosigned.signed().note().signatures().iter();
    lines
        .find(|line| !is_known(line))
        .map(|line| line.name().to_string())
}

/// The root of the entries up to the checkpoint is the checkpoint's.
fn check_root(whole: &Whole, head: TreeHead, checked: &mut Checked) {
    if whole.head_at(head.size) != head {
        let what = format!(
            "the root of the first {} entries is not the cosigned one",
            head.size
        );
        checked.fault("segment/", what);
    }
}

fn check_tiles(disk: &dyn Disk, whole: &Whole, size: u64, checked: &mut Checked) {
    for path in new_tiles(0, size).chain(new_bundles(0, size)) {
        let name = path.to_string();
        checked.files.push(name.clone());
        let expected = whole.tile(path);
        let cap = expected.as_ref().map_or(0, Vec::len) as u64;
        match (disk.read(&name, cap), expected) {
            (Ok(Some(found)), Some(expected)) if found == expected => {}
            (Ok(None), _) => checked.fault(name, "missing"),
            (Err(error), _) => checked.fault(name, error.to_string()),
            _ => checked.fault(name, "it is not what the segments' entries give"),
        }
    }
}

/// The journal's first entry and the file that holds it, as stored: nothing of it is checked. It is
/// the genesis, from which `portcullis verify` takes the keys to check the rest with.
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
