//! Everything on one machine: a supervisor over child processes of this same binary.

use super::ready::Probe;
use crate::failure::{Exit, Failure};
use crate::folder::Folder;
use crate::out::{say, warn};
use rustix::process::{Pid, Signal, kill_process};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How long to wait before starting a process again: doubled each time that it ends soon.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Who has run this long was well.
const WELL: Duration = Duration::from_secs(30);
/// Who has run this long has read its configuration, and will not end over it.
const UP: Duration = Duration::from_secs(1);
/// How long a process may take to end when told to.
const END_WITHIN: Duration = Duration::from_secs(10);

/// Subcommands and their configurations, in the order in which they start.
const CHILDREN: [(&str, &str); 3] = [
    ("witness", Folder::WITNESS),
    ("serve", Folder::GATE),
    ("signer", Folder::SIGNER),
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
        let up = Arc::new(AtomicUsize::new(0));
        let children = CHILDREN.map(|(name, config)| {
            let child = Supervised {
                binary: binary.clone(),
                name,
                config: folder.file(config),
                test_clock: test_clock.map(Path::to_owned),
                up: Arc::clone(&up),
            };
            tokio::spawn(child.keep_running(stopping.clone()))
        });
        tokio::spawn(say_ready(probe, up));
        let told = told_to_stop().await;
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
    test_clock: Option<PathBuf>,
    /// How many of all are up.
    up: Arc<AtomicUsize>,
}

impl Supervised {
    async fn keep_running(self, mut stop: watch::Receiver<bool>) {
        let mut wait = FIRST_WAIT;
        while !*stop.borrow() {
            let begun = Instant::now();
            match self.start() {
                Ok(child) => self.watch(child, &mut stop).await,
                Err(error) => warn(format_args!("{} cannot be started: {error}", self.name)),
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
        if let Some(path) = &self.test_clock {
            command.arg("--test-clock").arg(path);
        }
        command.stdin(std::process::Stdio::null()).spawn()
    }

    /// Until it ends, or is told to.
    async fn watch(&self, mut child: Child, stop: &mut watch::Receiver<bool>) {
        let mut is_up = false;
        loop {
            tokio::select! {
                ended = child.wait() => {
                    let how = ended.map_or_else(|error| error.to_string(), |how| how.to_string());
                    warn(format_args!("{} ended ({how}); starting it again", self.name));
                    break;
                }
                () = sleep(UP), if !is_up => {
                    is_up = true;
                    self.up.fetch_add(1, Ordering::Relaxed);
                }
                () = stopped(stop) => {
                    end(&mut child).await;
                    break;
                }
            }
        }
        if is_up {
            self.up.fetch_sub(1, Ordering::Relaxed);
        }
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

async fn say_ready(probe: Probe, up: Arc<AtomicUsize>) {
    loop {
        sleep(Duration::from_millis(200)).await;
        if up.load(Ordering::Relaxed) < CHILDREN.len() {
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
