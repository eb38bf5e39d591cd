//! Alarms: raised by the keeper itself, through nobody else.
//!
//! Each is a line of JSON in the keeper's own log file, and a webhook of its own (Standard Webhooks,
//! signature `v1a`). Raising one never waits and never fails; delivering is the [`Courier`]'s, which
//! tries until it is taken.

use crate::machine::Machine;
use portcullis_core::Digest;
use portcullis_core::id::KeeperId;
use portcullis_core::rfc3339::rfc3339;
use portcullis_host::{AppendFile, DiskError};
use portcullis_keys::StatementKey;
use portcullis_keys::webhook::Endpoint;
use serde_json::json;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// The log, and how much of it was delivered.
const FILE: &str = "alarms.jsonl";
const DELIVERED: &str = "alarms.delivered";
/// Most bytes of undelivered alarms that a start picks up; what is older stands in the log.
const MAX_BACKLOG: u64 = 4 * 1024 * 1024;
/// Most alarms that wait for the webhook.
const MAX_WAITING: usize = 10_000;

/// What somebody has to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Its stable name.
    pub name: &'static str,
    /// What it is about: an act, a latch, an entry's digest.
    pub about: Digest,
    /// What happened and what to do, for a person.
    pub text: String,
}

/// The keeper's alarms.
pub struct Alarms {
    machine: Machine,
    keeper: KeeperId,
    file: Box<dyn AppendFile>,
    queue: Queue,
    /// Raised already by this process.
    known: BTreeSet<(&'static str, Digest)>,
}

/// Lines that wait for the webhook, each with the log's length behind it.
type Queue = Arc<Mutex<VecDeque<(u64, String)>>>;

impl Alarms {
    /// Open the log, and queue what an earlier process did not deliver.
    pub fn open(machine: Machine, keeper: KeeperId) -> Result<Self, DiskError> {
        let mut file = machine.disk.append(FILE)?;
        end_line(file.as_mut())?;
        let queue = Arc::new(Mutex::new(backlog(&machine, file.as_ref())?));
        Ok(Self {
            machine,
            keeper,
            file,
            queue,
            known: BTreeSet::new(),
        })
    }

    /// Raise an alarm, once for each name and matter. Says whether it was new.
    pub fn raise(&mut self, alarm: &Alarm) -> bool {
        if !self.known.insert((alarm.name, alarm.about)) {
            return false;
        }
        tracing::error!(alarm = alarm.name, about = %alarm.about, "{}", alarm.text);
        let line = self.line(alarm);
        if let Err(error) = self.write(&line) {
            tracing::error!(%error, "an alarm is not in the log file; it goes to the webhook");
        }
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() == MAX_WAITING {
            queue.pop_front();
        }
        queue.push_back((self.file.len(), line));
        true
    }

    fn line(&self, alarm: &Alarm) -> String {
        let Alarm { name, about, text } = alarm;
        let time = rfc3339(self.machine.watch.now());
        let data = json!({"keeper": self.keeper, "about": about, "text": text});
        json!({"type": format!("alarm.{name}"), "timestamp": time, "data": data}).to_string()
    }

    fn write(&mut self, line: &str) -> Result<(), DiskError> {
        self.file.append(format!("{line}\n").as_bytes())?;
        self.file.sync()
    }

    /// Who delivers them to a webhook; `None` where the key is not Ed25519, which `v1a` needs.
    #[must_use]
    pub fn courier(&self, url: String, key: Arc<dyn StatementKey>) -> Option<Courier> {
        let endpoint = Endpoint::new(Arc::clone(&self.machine.http), url, key)?;
        Some(Courier {
            machine: self.machine.clone(),
            endpoint,
            queue: self.queue.clone(),
        })
    }
}

/// A line that a crash tore ends here, so that the next one stands by itself.
fn end_line(file: &mut dyn AppendFile) -> Result<(), DiskError> {
    let Some(last) = file.len().checked_sub(1) else {
        return Ok(());
    };
    let mut byte = [0];
    file.read_at(last, &mut byte)?;
    if byte != *b"\n" {
        file.append(b"\n")?;
    }
    Ok(())
}

fn backlog(machine: &Machine, file: &dyn AppendFile) -> Result<VecDeque<(u64, String)>, DiskError> {
    let delivered = machine.disk.read(DELIVERED, 32)?.unwrap_or_default();
    let delivered = str::from_utf8(&delivered).ok().and_then(|t| t.parse().ok());
    let from = delivered
        .unwrap_or(0)
        .max(file.len().saturating_sub(MAX_BACKLOG));
    let mut bytes = vec![0; usize::try_from(file.len().saturating_sub(from)).unwrap_or(0)];
    file.read_at(from, &mut bytes)?;
    let mut end = from;
    let mut lines = VecDeque::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        end += line.len() as u64;
        let text = str::from_utf8(line).unwrap_or_default().trim_end();
        // A line that a crash tore, or that the bound above cut, is in the log for whoever reads it.
        if serde_json::from_str::<serde_json::Value>(text).is_ok() {
            lines.push_back((end, text.to_owned()));
        }
    }
    Ok(lines)
}

/// Delivers alarms, in order, until each is taken. Runs beside the keeper, never in its way.
pub struct Courier {
    machine: Machine,
    endpoint: Endpoint,
    queue: Queue,
}

impl Courier {
    /// Deliver the oldest alarm, if one waits and it is time. Says whether there may be more.
    pub fn step(&mut self) -> bool {
        let now = self.machine.watch.now();
        let first = self.queue().front().cloned();
        let Some((end, line)) = first.filter(|_| self.endpoint.is_ready(now)) else {
            return false;
        };
        let id = format!("alarm_{}", Digest::plain(line.as_bytes()));
        if let Err(fault) = self.endpoint.deliver(&id, &line, now) {
            tracing::warn!(%fault, "the alarm webhook takes nothing; tried again");
            return false;
        }
        let mut queue = self.queue();
        if queue.front().is_some_and(|(front, _)| *front == end) {
            queue.pop_front();
        }
        drop(queue);
        // Lost in a crash it is delivered twice, under the same id.
        let _ = self
            .machine
            .disk
            .write_projection(DELIVERED, end.to_string().as_bytes());
        true
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<(u64, String)>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
