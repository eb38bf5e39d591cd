//! Go's sumdb packages and aics-tlog read what we write, and refuse it once a byte is changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::log::write_log;
use crate::{peer, project};

/// A log directory, and how a reader is called on it.
struct Reader {
    program: PathBuf,
    script: Option<PathBuf>,
    witness_option: Option<&'static str>,
    old_option: Option<&'static str>,
}

impl Reader {
    fn go() -> Option<Self> {
        let program = peer("verify")?;
        Some(Self {
            program,
            script: None,
            witness_option: None,
            old_option: None,
        })
    }

    fn python() -> Option<Self> {
        let script = Some(project("tests/peers/tlog/verify.py"));
        let (witness_option, old_option) = (Some("--witness"), Some("--old"));
        Some(Self {
            program: peer("bin/python")?,
            script,
            witness_option,
            old_option,
        })
    }

    /// Whether the reader takes the log, and what it says.
    fn reads(&self, log: &Path, old: Option<u64>) -> (bool, String) {
        let mut command = Command::new(&self.program);
        command
            .args(&self.script)
            .arg(log)
            .arg(log.join("log.vkey"));
        if let Some(option) = self.witness_option {
            command.arg(option).arg(log.join("witness.vkeys"));
        }
        if let Some(old) = old {
            command.args(self.old_option).arg(old.to_string());
        }
        let output = command.output().expect("the reader runs");
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }
}

fn log_of(size: u64, older: &[u64]) -> TempDir {
    let directory = TempDir::new().unwrap();
    write_log(directory.path(), size, older).unwrap();
    directory
}

fn accepts(reader: &Reader, size: u64, older: &[u64]) {
    let log = log_of(size, older);
    let checks = older.iter().copied().map(Some).chain([None]);
    for old in checks {
        let (good, said) = reader.reads(log.path(), old);
        assert!(good, "size {size}, older {old:?}: {said}");
        assert!(said.contains(&format!(" size {size},")), "{said}");
    }
}

/// Every file of the log that the checkpoint reaches, each with one byte changed, one at a time.
fn refuses_any_change(reader: &Reader) {
    let size = 600;
    let log = log_of(size, &[300]);
    for file in files_below(log.path()) {
        let good = fs::read(&file).unwrap();
        let place = good.len() / 3;
        let mut bad = good.clone();
        bad[place] ^= 0x01;
        fs::write(&file, &bad).unwrap();
        let (taken, said) = reader.reads(log.path(), Some(300));
        let name = file.strip_prefix(log.path()).unwrap().display();
        assert!(!taken, "{name}, byte {place}: {said}");
        fs::write(&file, &good).unwrap();
    }
    let (good, said) = reader.reads(log.path(), Some(300));
    assert!(good, "restored: {said}");
}

/// All but what belongs to the older tree alone, and the witnesses' keys, which not every reader
/// reads.
fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if !path.ends_with("001.p/44")
            && !path.ends_with("000.p/1")
            && !path.ends_with("witness.vkeys")
        {
            files.push(path);
        }
    }
    files
}

#[test]
fn go_reads_our_logs() {
    let Some(go) = Reader::go() else { return };
    for (size, older) in [
        (1, &[][..]),
        (2, &[1]),
        (255, &[1]),
        (256, &[255]),
        (257, &[256]),
    ] {
        accepts(&go, size, older);
    }
    accepts(&go, 66_000, &[65_536]);
}

#[test]
fn aics_tlog_reads_our_logs_and_cosignatures() {
    let Some(python) = Reader::python() else {
        return;
    };
    for (size, older) in [(1, &[][..]), (256, &[255]), (700, &[300, 512])] {
        accepts(&python, size, older);
    }
}

#[test]
fn go_refuses_a_changed_byte_in_any_file() {
    let Some(go) = Reader::go() else { return };
    refuses_any_change(&go);
}

#[test]
fn aics_tlog_refuses_a_changed_byte_in_any_file() {
    let Some(python) = Reader::python() else {
        return;
    };
    refuses_any_change(&python);
}
