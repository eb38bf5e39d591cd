//! The load: withdrawals, ready to be sent, over many connections to the gate.
//!
//! Everything is signed and encoded before the clock runs. What sends it is this process, which is not
//! among those that are measured.

use super::network::{Customer, Platform};
use super::system::System;
use crate::failure::{Exit, Failure};
use portcullis_client::Unsigned;
use portcullis_core::board::Posting;
use portcullis_core::{Act, Digest, Evidence};
use portcullis_host::SystemRandom;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Connections to the gate: more than two batches may be waiting for it.
const CONNECTIONS: usize = 512;
/// Longest answer that is looked at.
const MAX_ANSWER: usize = 64 * 1024;

/// A request, ready to be sent.
pub(super) struct Shot {
    pub(super) act: Digest,
    bytes: Vec<u8>,
}

impl Shot {
    /// These bytes, for this act.
    pub(super) fn new(act: Digest, bytes: Vec<u8>) -> Self {
        Self { act, bytes }
    }
}

/// What became of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered {
    pub(super) act: Digest,
    /// When it was due.
    pub(super) due: Instant,
    /// When the answer was there.
    pub(super) at: Instant,
    pub(super) status: u16,
}

/// So many withdrawals, the customers taking turns. Signed on as many threads as there are cores.
pub(super) fn withdrawals(system: &System, count: usize) -> Result<Vec<Shot>, Failure> {
    let workers = super::row::cores();
    let each = count.div_ceil(workers);
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..workers)
            .map(|worker| {
                let customers = system.customers.iter().cycle().skip(worker);
                scope.spawn(move || {
                    let shots = customers
                        .take(each)
                        .map(|customer| withdrawal(system, customer));
                    shots.collect::<Result<Vec<_>, Failure>>()
                })
            })
            .collect();
        let mut shots = Vec::new();
        for part in parts {
            let panicked = |_| Failure::new(Exit::Wrong, "making the load panicked", "");
            shots.extend(part.join().map_err(panicked)??);
        }
        Ok(shots)
    })
}

fn withdrawal(system: &System, customer: &Customer) -> Result<Shot, Failure> {
    let platform = &system.platform;
    let draft = system.draft()?;
    let (act, evidence) = platform.withdraw(draft, customer, Platform::payee(0xaa))?;
    shot(system, &system.platform.back_end.signer, act, evidence)
}

/// A request for the gate, signed by this member.
pub(super) fn shot(
    system: &System,
    signer: &portcullis_client::RequestSigner,
    act: Act,
    evidence: Evidence,
) -> Result<Shot, Failure> {
    let (digest, once) = (act.digest(), act.id);
    let body = serde_json::to_vec(&Posting { act, evidence }).unwrap_or_default();
    let authority = system.authority();
    let unsigned = Unsigned {
        method: "POST",
        authority,
        target: "/v1/acts",
        body: &body,
        act: Some(digest),
    };
    let now = portcullis_host::Clock::now(&portcullis_host::SystemClock);
    let signed = signer.sign(&unsigned, now, &SystemRandom)?;
    let length = body.len();
    let mut head = format!(
        "POST /v1/acts HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\nidempotency-key: {once}\r\n"
    );
    for (name, value) in signed.headers() {
        // Writing to a string cannot fail.
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head += "\r\n";
    let bytes = [head.as_bytes(), &body].concat();
    Ok(Shot::new(digest, bytes))
}

/// How fast requests are sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// Each connection sends when its last answer is there.
    AsFastAsItGoes,
    /// So many a second, whether or not answers come.
    PerSecond(u32),
}

impl Pace {
    fn due(self, begin: Instant, number: usize) -> Option<Instant> {
        match self {
            Self::AsFastAsItGoes => None,
            Self::PerSecond(rate) => {
                let number = u32::try_from(number).unwrap_or(u32::MAX);
                Some(begin + Duration::from_secs(1) * number / rate)
            }
        }
    }
}

/// Send all, and wait for all answers.
pub(super) fn send(
    authority: &str,
    shots: Vec<Shot>,
    pace: Pace,
) -> Result<Vec<Answered>, Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::NoAnswer, error, "");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let shots: Arc<[Shot]> = shots.into();
    runtime.block_on(async {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS.min(shots.len()) {
            let stream = TcpStream::connect(authority).await.map_err(failed)?;
            stream.set_nodelay(true).map_err(failed)?;
            connections.push(stream);
        }
        let (next, begin) = (Arc::new(AtomicUsize::new(0)), Instant::now());
        let tasks: Vec<_> = connections
            .into_iter()
            .map(|stream| {
                let (next, shots) = (Arc::clone(&next), Arc::clone(&shots));
                tokio::spawn(fire(stream, shots, next, begin, pace))
            })
            .collect();
        let mut answered = Vec::with_capacity(shots.len());
        for task in tasks {
            let done = task
                .await
                .map_err(std::io::Error::other)
                .and_then(|done| done);
            answered.extend(done.map_err(failed)?);
        }
        Ok(answered)
    })
}

/// One connection's share.
async fn fire(
    mut stream: TcpStream,
    shots: Arc<[Shot]>,
    next: Arc<AtomicUsize>,
    begin: Instant,
    pace: Pace,
) -> std::io::Result<Vec<Answered>> {
    let (mut answered, mut buffer) = (Vec::new(), Vec::new());
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(shot) = shots.get(number) else {
            return Ok(answered);
        };
        let due = pace.due(begin, number);
        if let Some(due) = due {
            tokio::time::sleep_until(due.into()).await;
        }
        let due = due.unwrap_or_else(Instant::now);
        stream.write_all(&shot.bytes).await?;
        let status = answer(&mut stream, &mut buffer).await?;
        answered.push(Answered {
            act: shot.act,
            due,
            at: Instant::now(),
            status,
        });
    }
}

/// Read one answer to its end; its status.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<u16> {
    buffer.clear();
    loop {
        if let Some((status, end)) = parse(buffer)
            && buffer.len() >= end
        {
            return Ok(status);
        }
        if buffer.len() > MAX_ANSWER || stream.read_buf(buffer).await? == 0 {
            return Err(std::io::Error::other("the gate ended an answer early"));
        }
    }
}

/// Status and whole length, once the head is there.
fn parse(bytes: &[u8]) -> Option<(u16, usize)> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = str::from_utf8(bytes.get(..head)?).ok()?;
    let status = text.split(' ').nth(1)?.parse().ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    Some((status, head + 4 + length.unwrap_or(0)))
}
