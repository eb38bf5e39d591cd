//! Child processes: started, asked to end, and never left behind.

use crate::error::DrillError;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a process may take to end when told to.
const END_WITHIN: Duration = Duration::from_secs(10);

/// A child process that ends with its owner.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    /// Start a command; what it says goes to a log file, behind what is there.
    pub(crate) fn start(command: &mut Command, name: &str, log: &Path) -> Result<Self, DrillError> {
        let failed = |error: std::io::Error| failed(name, log, &error.to_string());
        let file = append(log).map_err(failed)?;
        let second = file.try_clone().map_err(failed)?;
        let command = command.stdin(Stdio::null()).stdout(second).stderr(file);
        let child = command.spawn().map_err(failed)?;
        Ok(Self { child })
    }

    /// Whether it is still there.
    pub(crate) fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ask it to end, and wait until it has; after a while make it.
    pub(crate) fn end(&mut self) {
        if let Some(id) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(id, Signal::TERM);
        }
        let last = Instant::now() + END_WITHIN;
        while self.lives() && Instant::now() < last {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// The failure of a process that does not come up.
pub(crate) fn failed(name: &str, log: &Path, why: &str) -> DrillError {
    DrillError::Start {
        name: name.to_owned(),
        log: log.to_owned(),
        why: why.to_owned(),
    }
}

fn append(log: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).open(log)
}

/// Processes of the real binary, each with its own configuration and the drill's clock.
pub(crate) struct Binary {
    pub(crate) path: PathBuf,
    pub(crate) clock: PathBuf,
    pub(crate) logs: PathBuf,
}

impl Binary {
    /// Start a subcommand with its configuration. Should the drill die, it ends too.
    pub(crate) fn start(&self, subcommand: &str, config: &Path) -> Result<Running, DrillError> {
        let mut command = Command::new(&self.path);
        command
            .args([subcommand, "--tied", "--config"])
            .arg(config)
            .arg("--test-clock")
            .arg(&self.clock);
        let log = self.logs.join(format!("{subcommand}.log"));
        Running::start(&mut command, subcommand, &log)
    }
}
