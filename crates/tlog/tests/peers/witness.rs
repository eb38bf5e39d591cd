//! A witness that others wrote, asked what ours is asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use portcullis_tlog::witness::{AddCheckpoint, Answer, Rejection, decide};
use portcullis_tlog::{
    Cosigned, Frontier, Hash, HashReader, LogSigner, Quorum, SignedCheckpoint, Signer, Timestamp,
    WitnessKey, WitnessSigner, frontier_at, prove_consistency,
};
use tempfile::TempDir;

use crate::{peer, project};

const PATIENCE: Duration = Duration::from_secs(20);

/// A running aics-witness, which ends with this value.
struct ForeignWitness {
    process: Child,
    key: WitnessKey,
    address: String,
    _state: TempDir,
}

impl ForeignWitness {
    fn start(log: &LogSigner) -> Option<Self> {
        Self::start_for(&[log])
    }

    /// Of a log that signs by any of these keys.
    fn start_for(keys: &[&LogSigner]) -> Option<Self> {
        let origin = keys[0].key().name().to_string();
        let vkeys = keys.iter().map(|log| log.key().to_string());
        let python = peer("bin/python")?;
        let state = TempDir::new().unwrap();
        let mut process = Command::new(python)
            .arg(project("tests/peers/tlog/foreign_witness.py"))
            .arg(state.path())
            .arg(origin)
            .args(vkeys)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the witness starts");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut line = |prefix: &str| {
            let line = lines.next().expect("the witness announces itself").unwrap();
            line.strip_prefix(prefix)
                .expect("as its script says")
                .to_owned()
        };
        let key = line("vkey ").parse().unwrap();
        let address = line("url http://");
        Some(Self {
            process,
            key,
            address,
            _state: state,
        })
    }

    fn ask(&self, body: &str) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (length, host) = (body.len(), &self.address);
        let head =
            format!("POST /add-checkpoint HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}");
        write!(stream, "{head}\r\nConnection: close\r\n\r\n{body}").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("a head");
        let status = String::from_utf8_lossy(&answer[9..12])
            .parse()
            .expect("a status");
        (status, answer.split_off(end + 4))
    }
}

impl Drop for ForeignWitness {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A small log: leaf hashes only, which is one tile.
struct Log {
    leaves: Vec<Hash>,
    signer: LogSigner,
}

impl HashReader for Log {
    type Error = &'static str;

    fn read(&self, level: u8, range: std::ops::Range<u64>) -> Result<Vec<Hash>, &'static str> {
        let at = |place| usize::try_from(place).map_err(|_| "too large");
        let hashes = self.leaves.get(at(range.start)?..at(range.end)?);
        hashes
            .filter(|_| level == 0)
            .map(<[Hash]>::to_vec)
            .ok_or("outside the log")
    }
}

impl Log {
    fn new() -> Self {
        let leaves = (0..20u8).map(|n| Hash::leaf(&[n])).collect();
        let signer = LogSigner::from_seed("portcullis.example/journal".parse().unwrap(), &[1; 32]);
        Self {
            leaves,
            signer: signer.unwrap(),
        }
    }

    fn checkpoint(&self, size: u64) -> SignedCheckpoint {
        let head = frontier_at(self, size).unwrap().head();
        SignedCheckpoint::sign(head, &self.signer).unwrap()
    }

    fn request(&self, old: u64, new: u64) -> AddCheckpoint {
        AddCheckpoint::new(
            old,
            prove_consistency(self, old, new).unwrap(),
            &self.checkpoint(new),
        )
    }

    /// Another tree of the same size under the same key.
    fn fork(&self, size: u64) -> SignedCheckpoint {
        let mut other = Frontier::new();
        (0..size).for_each(|_| other.append(Hash::leaf(b"forked")));
        SignedCheckpoint::sign(other.head(), &self.signer).unwrap()
    }
}

#[test]
fn a_foreign_witness_cosigns_and_its_cosignatures_make_a_quorum() {
    let log = Log::new();
    let Some(foreign) = ForeignWitness::start(&log.signer) else {
        return;
    };
    let ours = WitnessSigner::from_seed("witness.example/ours".parse().unwrap(), &[2; 32]).unwrap();
    let both = vec![foreign.key.clone(), ours.key().clone()];
    let quorum = Quorum::new(both, 2, 0).unwrap();

    let mut state = None;
    let mut latest = Timestamp::from_unix(1).unwrap();
    for (old, new) in [(0, 3), (3, 3), (3, 4), (4, 4), (4, 13), (13, 20)] {
        let mut signed = log.checkpoint(new);
        let (status, body) = foreign.ask(&log.request(old, new).to_string());
        let Answer::Cosigned(lines) = Answer::parse(status, &body) else {
            panic!(
                "{old} to {new}: {status} {}",
                String::from_utf8_lossy(&body)
            )
        };
        let theirs = foreign.key.verify_answer(&signed, &lines).unwrap();
        assert!(theirs.time() >= latest, "its time never goes back");
        latest = theirs.time();
        signed.add_cosignature(theirs);

        let accepted = decide(state, log.request(old, new), log.signer.key()).unwrap();
        state = Some(accepted.head());
        signed.add_cosignature(accepted.cosign(latest, &ours).unwrap());
        let note = signed.note().to_string();
        let proof = Cosigned::parse(note.as_bytes(), log.signer.key(), &quorum).unwrap();
        assert_eq!(
            (proof.head(), proof.oldest()),
            (log.checkpoint(new).head(), latest)
        );
    }
}

/// Its operator named the successor beforehand: that is all that a rotation of the log's key takes of it.
#[test]
fn a_foreign_witness_goes_on_with_a_log_that_hands_over_to_another_key() {
    let mut log = Log::new();
    let name = log.signer.key().name().clone();
    let successor = LogSigner::from_seed(name, &[3; 32]).unwrap();
    let Some(foreign) = ForeignWitness::start_for(&[&log.signer, &successor]) else {
        return;
    };
    let cosigns = |log: &Log, old, new| {
        let (status, body) = foreign.ask(&log.request(old, new).to_string());
        let Answer::Cosigned(lines) = Answer::parse(status, &body) else {
            panic!("{old} to {new}: {status}")
        };
        let signed = log.checkpoint(new);
        assert!(foreign.key.verify_answer(&signed, &lines).is_ok());
    };
    cosigns(&log, 0, 7);
    log.signer = successor;
    cosigns(&log, 7, 13);
    cosigns(&log, 13, 13);
}

/// What no witness at size 7 of this log may cosign.
fn refused_at_7(log: &Log) -> Vec<(&'static str, String)> {
    let other = LogSigner::from_seed("other.example/log".parse().unwrap(), &[1; 32]).unwrap();
    let impostor = LogSigner::from_seed(log.signer.key().name().clone(), &[9; 32]).unwrap();
    let by = |signer: &LogSigner| SignedCheckpoint::sign(log.checkpoint(7).head(), signer).unwrap();
    let bare = |old, signed: &_| AddCheckpoint::new(old, vec![], signed).to_string();
    let padded = AddCheckpoint::new(7, vec![Hash::EMPTY_ROOT], &log.checkpoint(7));
    let good = log.request(7, 9).to_string();
    let line = log.checkpoint(9).note().signatures()[0].to_string();
    let hash = Hash::EMPTY_ROOT.to_base64();
    vec![
        ("stale", log.request(3, 9).to_string()),
        ("from nothing", log.request(0, 9).to_string()),
        ("ahead", log.request(8, 9).to_string()),
        ("another log", bare(7, &by(&other))),
        ("another key", bare(7, &by(&impostor))),
        ("altered", good.replacen("\n9\n", "\n8\n", 1)),
        ("signed twice", format!("{good}{line}\n")),
        ("backwards", bare(9, &log.checkpoint(7))),
        ("no proof", bare(7, &log.checkpoint(9))),
        (
            "a longer proof",
            good.replacen('\n', &format!("\n{hash}\n"), 1),
        ),
        ("fork", bare(7, &log.fork(9))),
        ("heartbeat with a proof", padded.to_string()),
        ("leading zero", good.replacen("old 7", "old 07", 1)),
        ("no empty line", good.replacen("\n\n", "\n", 1)),
        ("nothing", String::new()),
    ]
}

#[test]
fn a_foreign_witness_refuses_what_ours_refuses() {
    let log = Log::new();
    let Some(foreign) = ForeignWitness::start(&log.signer) else {
        return;
    };
    assert_eq!(foreign.ask(&log.request(0, 7).to_string()).0, 200);
    let at_7 = Some(log.checkpoint(7).head());
    for (case, body) in refused_at_7(&log) {
        let refusal = AddCheckpoint::parse(body.as_bytes())
            .map_err(Rejection::from)
            .and_then(|request| decide(at_7, request, log.signer.key()))
            .expect_err(case);
        let (status, answer) = foreign.ask(&body);
        assert_eq!(
            status,
            refusal.status(),
            "{case}: {}",
            String::from_utf8_lossy(&answer)
        );
        let known = refusal
            .known_size()
            .map_or(Answer::Refused { status }, Answer::At);
        assert_eq!(Answer::parse(status, &answer), known, "{case}");
    }

    // Here versions of the protocol differ, 409 in 1.0 and 422 in 1.1; both refuse for good.
    let fork = AddCheckpoint::new(7, vec![], &log.fork(7)).to_string();
    let (status, _) = foreign.ask(&fork);
    assert!(matches!(status, 409 | 422), "{status}");
    assert_eq!(
        foreign.ask(&log.request(7, 9).to_string()).0,
        200,
        "it still follows the true log"
    );
}
