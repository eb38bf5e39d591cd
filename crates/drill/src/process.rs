//! Child processes: started, asked to end, and never left behind.

use crate::error::DrillError;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a process may take to end when told to.
const END_WITHIN: Duration = Duration::from_secs(10);

/// Runs a program for as long as whoever started it holds the other end of standard input open, however
/// that one ends. In the background standard input would be another: hence the third descriptor.
const TETHER: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null & program=$!
{ cat <&3; kill "$program"; } >/dev/null 2>&1 & watch=$!
exec 3<&-
wait "$program"
kill "$watch" 2>/dev/null
"#;

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
        let child = command.stdout(second).stderr(file).spawn();
        child.map(|child| Self { child }).map_err(failed)
    }

    /// Start a program that does not know how to end with the drill: a shell ends it, should the drill be
    /// killed.
    pub(crate) fn tethered(
        program: &Path,
        arguments: &[&str],
        name: &str,
        log: &Path,
    ) -> Result<Self, DrillError> {
        let mut command = Command::new("sh");
        command.args(["-c", TETHER, "sh"]).arg(program);
        command.args(arguments).stdin(Stdio::piped());
        Self::start(&mut command, name, log)
    }

    /// Whether it is still there.
    pub(crate) fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ask it to end, and wait until it has; after a while make it.
    pub(crate) fn end(&mut self) {
        // Letting go of a tether is how what hangs on it is asked.
        let tether = self.child.stdin.take();
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let (None, Some(id)) = (tether, id) {
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
            .arg(&self.clock)
            .stdin(Stdio::null());
        let log = self.logs.join(format!("{subcommand}.log"));
        Running::start(&mut command, subcommand, &log)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// Starts a program that writes its id and sleeps, and gives it with that id.
    fn sleeper(log: &Path) -> (Running, Pid) {
        let arguments = ["-c", "echo $$; exec sleep 600"];
        let running = Running::tethered(Path::new("sh"), &arguments, "sleeper", log).unwrap();
        let id = crate::wait::until("its id", || {
            let text = std::fs::read_to_string(log).unwrap_or_default();
            Ok(text.trim().parse().ok().and_then(Pid::from_raw))
        });
        (running, id.unwrap())
    }

    fn until_gone(id: Pid) {
        crate::wait::until("its end", || {
            Ok(rustix::process::test_kill_process(id)
                .is_err()
                .then_some(()))
        })
        .unwrap();
    }

    fn log(name: &str) -> PathBuf {
        let own = std::process::id();
        std::env::temp_dir().join(format!("portcullis-tether-{name}-{own}"))
    }

    #[test]
    fn a_tethered_program_ends_when_told_and_when_its_owner_is_gone() {
        let path = log("told");
        let (mut running, id) = sleeper(&path);
        assert!(running.lives());
        running.end();
        assert!(!running.lives());
        until_gone(id);
        let _ = std::fs::remove_file(&path);

        let path = log("orphan");
        let (mut running, id) = sleeper(&path);
        // All that a killed owner leaves behind is a closed pipe.
        drop(running.child.stdin.take());
        until_gone(id);
        drop(running);
        let _ = std::fs::remove_file(&path);
    }

    #[test]
    fn a_tethered_program_that_ends_is_seen_to() {
        let path = log("ends");
        let mut running = Running::tethered(Path::new("true"), &[], "true", &path).unwrap();
        crate::wait::until("its end", || Ok((!running.lives()).then_some(()))).unwrap();
        let _ = std::fs::remove_file(&path);
    }
}
