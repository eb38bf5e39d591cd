//! Every process for real, on a journal that has customers already.

use super::cpu;
use super::decide::wait_for_delays;
use super::ledger::Ledger;
use super::network::{Customer, Platform};
use super::sink::Sink;
use super::{Setting, journal};
use crate::failure::{Exit, Failure};
use crate::folder::Folder;
use portcullis_client::ActBuilder;
use portcullis_core::signature::Strict;
use portcullis_core::{Digest, Span, Time};
use portcullis_host::{Clock as _, SystemClock, SystemRandom};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the processes may take until they answer.
const UP_WITHIN: Duration = Duration::from_mins(1);

/// How long a process may take to end when told to.
const END_WITHIN: Duration = Duration::from_secs(10);

/// Acts may name a checkpoint for an hour.
const ASK_AGAIN: Duration = Duration::from_mins(1);

/// Subcommands, and the configurations that they run on.
const PROCESSES: [(&str, &str); 3] = [
    ("witness", Folder::WITNESS),
    ("serve", Folder::GATE),
    ("signer", Folder::SIGNER),
];

/// A running network with customers who can withdraw at once.
pub(super) struct System {
    // Ended before the platform's folder is removed: what still runs would write it anew.
    processes: Vec<Process>,
    pub(super) platform: Platform,
    pub(super) customers: Vec<Customer>,
    checkpoint: Mutex<Option<(Digest, Instant)>>,
}

/// A process of ours, which ends with its owner: asked to, and after a while made to.
pub(super) struct Process {
    pub(super) name: &'static str,
    child: Child,
}

impl System {
    /// Make the network and its journal, start witness, gate and signer, and wait until they answer.
    pub(super) fn start(setting: &Setting, customers: u64) -> Result<Self, Failure> {
        let node = Sink::start()?;
        let platform = Platform::new(setting, &node.url)?;
        let customers: Result<Vec<_>, _> = (0..customers).map(Customer::number).collect();
        let customers = customers?;
        write_journal(&platform, &customers)?;
        let processes = PROCESSES.map(|(name, config)| Process::start(&platform, name, config));
        let processes = processes.into_iter().collect::<Result<_, _>>()?;
        let system = Self {
            platform,
            customers,
            processes,
            checkpoint: Mutex::new(None),
        };
        system.wait()?;
        Ok(system)
    }

    fn wait(&self) -> Result<(), Failure> {
        let end = Instant::now() + UP_WITHIN;
        while self.platform.reach.gate.checkpoint().is_err() {
            if Instant::now() > end {
                let log = self.platform.folder.file("serve.log");
                let what = std::fs::read_to_string(log).unwrap_or_default();
                return Err(Failure::new(Exit::Stopped, format!("no gate: {what}"), ""));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Where the gate answers.
    pub(super) fn authority(&self) -> &str {
        self.platform.reach.gate.endpoint().authority()
    }

    /// An act in the making, on a checkpoint that the gate has journaled.
    pub(super) fn draft(&self) -> Result<ActBuilder, Failure> {
        let network = self.platform.reach.network.digest();
        let checkpoint = self.checkpoint()?;
        Ok(ActBuilder::new(
            network,
            checkpoint,
            SystemClock.now(),
            &SystemRandom,
        ))
    }

    /// The gate's newest checkpoint, asked for again after a while.
    fn checkpoint(&self) -> Result<Digest, Failure> {
        let mut known = self
            .checkpoint
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match *known {
            Some((digest, asked)) if asked.elapsed() < ASK_AGAIN => Ok(digest),
            _ => {
                let digest = self.platform.reach.gate.checkpoint()?.digest;
                *known = Some((digest, Instant::now()));
                Ok(digest)
            }
        }
    }

    /// End all processes; what they have written stays as long as the platform.
    pub(super) fn stop(self) -> Platform {
        drop(self.processes);
        self.platform
    }

    /// What each process has used of the cores so far.
    pub(super) fn cpu(&self) -> Vec<(&'static str, Duration)> {
        let used = |process: &Process| (process.name, process.cpu());
        self.processes.iter().map(used).collect()
    }
}

impl Process {
    /// Start one; what it says goes to a file in the network's folder.
    pub(super) fn start(
        platform: &Platform,
        name: &'static str,
        config: &str,
    ) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::new(Exit::Stopped, error, "");
        let folder = &platform.folder;
        let log = File::create(folder.file(&format!("{name}.log"))).map_err(failed)?;
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command
            .args([name, "--tied", "--config"])
            .arg(folder.file(config))
            .env("RUST_LOG", "warn")
            .stderr(log);
        Self::spawn(name, command)
    }

    /// Start whatever it is.
    pub(super) fn spawn(name: &'static str, mut command: Command) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::new(Exit::Stopped, error, "");
        let child = command.stdin(Stdio::null()).spawn().map_err(failed)?;
        Ok(Self { name, child })
    }

    /// What it has used of the cores so far.
    pub(super) fn cpu(&self) -> Duration {
        cpu::of_other(self.child.id()).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(id) = id {
            let _ = kill_process(id, Signal::TERM);
        }
        let last = Instant::now() + END_WITHIN;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < last {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The journal as it stands a minute later: accounts open, addresses aged, every delay over.
fn write_journal(platform: &Platform, customers: &[Customer]) -> Result<(), Failure> {
    let begin: Time = SystemClock.now().before(Span::seconds(60));
    let mut entries = Vec::new();
    let mut ledger = Ledger::new(platform, begin, Box::new(Strict), |entered| {
        entries.push(entered.bytes);
    })?;
    for customer in customers {
        let open = platform.open(ledger.draft(), customer, ledger.now)?;
        entries.push(ledger.submit(open)?.bytes);
    }
    wait_for_delays(&mut ledger, |entered| entries.push(entered.bytes))?;
    for customer in customers {
        let draft = ledger.draft();
        let add = platform.add_address(draft, customer, Platform::payee(0xaa), ledger.now)?;
        entries.push(ledger.submit(add)?.bytes);
    }
    wait_for_delays(&mut ledger, |entered| entries.push(entered.bytes))?;
    let mut writer = journal::Writer::new(&platform.folder.file(Folder::JOURNAL))?;
    entries
        .into_iter()
        .try_for_each(|entry| writer.push(entry))?;
    writer.finish().map(drop)
}
