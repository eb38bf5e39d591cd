//! Kills a process as it enters a system call on one file.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What a kill at its entry leaves behind. A process that is killed does not lose what it has
/// written, so between a write and its sync everything is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// Nothing was written.
    Write,
    /// Everything was written, and whoever waits was not told.
    Sync,
}

impl Call {
    fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Sync => "fdatasync",
        }
    }
}

/// Whether there is one.
pub(crate) fn is_installed() -> bool {
    Command::new("strace")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok()
}

/// Attached to a process until that ends.
pub(crate) struct Strace(Child);

impl Strace {
    /// Have the process killed as it enters its `number`th such call on the file from now on.
    pub(crate) fn attach(pid: u32, file: &Path, call: Call, number: u32) -> Self {
        let name = call.name();
        let mut child = Command::new("strace")
            .args(["-f", "-p", &pid.to_string()])
            .arg("-P")
            .arg(file)
            .args(["-e", &format!("trace={name}")])
            .args(["-e", &format!("inject={name}:signal=SIGKILL:when={number}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("attached") {
            line.clear();
            assert!(
                said.read_line(&mut line).unwrap() > 0,
                "strace cannot attach"
            );
        }
        // Somebody has to read on, or it blocks.
        std::thread::spawn(move || said.read_to_end(&mut Vec::new()));
        Self(child)
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
