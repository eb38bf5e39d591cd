//! Everything on one machine: a supervisor over child processes of this same binary.

use super::ready::Probe;
use crate::failure::{Exit, Failure};
use crate::folder::Folder;
use crate::out::{say, warn};
use rustix::process::{Pid, Signal, kill_process};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

/// How long to wait before starting a process again: doubled each time that it ends soon.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Who has run this long was well.
const WELL: Duration = Duration::from_secs(30);
/// Who has run this long has read its configuration, and will not end over it.
const UP: Duration = Duration::from_secs(1);
/// The exit code of a process that cannot start as it is configured. It may only be that an earlier
/// one has not let go of its folder yet, so it is tried so many times.
const USAGE: i32 = Exit::Usage as i32;
const IN_VAIN: u32 = 4;
/// How long a process may take to end when told to.
const END_WITHIN: Duration = Duration::from_secs(10);

/// Subcommands and their configurations, in the order in which they start. Not every network has a herald.
const CHILDREN: [(&str, &str); 4] = [
    ("witness", Folder::WITNESS),
    ("serve", Folder::GATE),
    ("signer", Folder::SIGNER),
    ("herald", Folder::HERALD),
];

/// Start all, say `ready` when they answer, keep them running, and end them when told to.
pub(super) fn serve(dir: PathBuf, test_clock: Option<&Path>) -> Result<(), Failure> {
    let folder = Folder(dir);
    let probe = Probe::open(&folder, test_clock)?;
    let binary = std::env::current_exe().map_err(|error| failed("find its own file", &error))?;
    // One thread: a child is tied to the thread that started it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| failed("begin", &error))?;
    runtime.block_on(async {
        let (stop, stopping) = watch::channel(false);
        let (give_up, mut given_up) = mpsc::channel(1);
        let up = Arc::new(AtomicUsize::new(0));
        let by_mandate = probe.by_mandate();
        let configured = CHILDREN.into_iter();
        let configured =
            configured.filter(|(name, config)| *name != "herald" || folder.file(config).exists());
        let children: Vec<_> = configured.map(|(name, config)| {
            let child = Supervised {
                binary: binary.clone(),
                name,
                config: folder.file(config),
                by_mandate: by_mandate && name == "signer",
                test_clock: test_clock.map(Path::to_owned),
                up: Arc::clone(&up),
                give_up: give_up.clone(),
            };
            tokio::spawn(child.keep_running(stopping.clone()))
        })
        .collect();
        tokio::spawn(say_ready(probe, up, children.len()));
        let told = tokio::select! {
            told = told_to_stop() => told,
            Some(name) = given_up.recv() => Err(Failure::usage(
                format!("portcullis {name} cannot start; its own words are above"),
                "mend what they name and start again; if the network runs already, there is nothing to do",
            )),
        };
        let _ = stop.send(true);
        for child in children {
            let _ = child.await;
        }
        told
    })
}

/// One process that is kept running.
struct Supervised {
    binary: PathBuf,
    name: &'static str,
    config: PathBuf,
    /// Whether it is told to give mandates.
    by_mandate: bool,
    test_clock: Option<PathBuf>,
    /// How many of all are up.
    up: Arc<AtomicUsize>,
    /// Who is told that starting it again is no use.
    give_up: mpsc::Sender<&'static str>,
}

impl Supervised {
    async fn keep_running(self, mut stop: watch::Receiver<bool>) {
        let (mut wait, mut in_vain) = (FIRST_WAIT, 0);
        while !*stop.borrow() {
            let begun = Instant::now();
            let code = match self.start() {
                Ok(child) => self.watch(child, &mut stop).await,
                Err(error) => {
                    warn(format_args!("{} cannot be started: {error}", self.name));
                    None
                }
            };
            in_vain = if code == Some(USAGE) { in_vain + 1 } else { 0 };
            if in_vain == IN_VAIN {
                let _ = self.give_up.try_send(self.name);
                return;
            }
            if begun.elapsed() >= WELL {
                wait = FIRST_WAIT;
            }
            let _ = timeout(wait, stopped(&mut stop)).await;
            wait = LONGEST_WAIT.min(wait * 2);
        }
    }

    fn start(&self) -> std::io::Result<Child> {
        let mut command = Command::new(&self.binary);
        command
            .args([self.name, "--tied", "--config"])
            .arg(&self.config);
        if self.by_mandate {
            command.arg("--mandate");
        }
        if let Some(path) = &self.test_clock {
            command.arg("--test-clock").arg(path);
        }
        command.stdin(std::process::Stdio::null()).spawn()
    }

    /// Until it ends, or is told to. Gives its exit code where it ended by itself.
    async fn watch(&self, mut child: Child, stop: &mut watch::Receiver<bool>) -> Option<i32> {
        let mut is_up = false;
        let code = loop {
            tokio::select! {
                ended = child.wait() => {
                    let code = ended.as_ref().ok().and_then(ExitStatus::code);
                    let how = ended.map_or_else(|error| error.to_string(), |how| how.to_string());
                    warn(format_args!("{} ended ({how}); starting it again", self.name));
                    break code;
                }
                () = sleep(UP), if !is_up => {
                    is_up = true;
                    self.up.fetch_add(1, Ordering::Relaxed);
                }
                () = stopped(stop) => {
                    end(&mut child).await;
                    break None;
                }
            }
        };
        if is_up {
            self.up.fetch_sub(1, Ordering::Relaxed);
        }
        code
    }
}

/// Until all are to stop, or nobody is left to say so.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Ask it to end; after a while make it.
async fn end(child: &mut Child) {
    let id = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw);
    if let Some(id) = id {
        let _ = kill_process(id, Signal::TERM);
    }
    if timeout(END_WITHIN, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

async fn say_ready(probe: Probe, up: Arc<AtomicUsize>, all: usize) {
    loop {
        sleep(Duration::from_millis(200)).await;
        if up.load(Ordering::Relaxed) < all {
            continue;
        }
        let asked = probe.clone();
        let answer = tokio::task::spawn_blocking(move || asked.all_answer()).await;
        if matches!(answer, Ok(true)) {
            return say("ready");
        }
    }
}

async fn told_to_stop() -> Result<(), Failure> {
    let mut terminate =
        signal(SignalKind::terminate()).map_err(|error| failed("wait for SIGTERM", &error))?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}

fn failed(what: &str, error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Stopped,
        format!("the supervisor cannot {what}: {error}"),
        "",
    )
}
