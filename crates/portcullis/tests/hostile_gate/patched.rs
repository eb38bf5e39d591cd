//! The gate's process with its judgement taken out: production journal, witnesses and log endpoints,
//! under the gate's own key and configuration, and it journals what it is told to.
//!
//! The test binary starts itself for it: nothing that ships can be told to do this.

use crate::THIEF;
use crate::system::{Network, Running};
use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::post;
use portcullis_chains::Amount;
use portcullis_chains::ethereum::{Fees, Transfer};
use portcullis_core::act::{Act, ActKind, Withdraw};
use portcullis_core::entry::Submission;
use portcullis_core::id::ActId;
use portcullis_core::plan::Plan;
use portcullis_core::report::{Report, Verdicts};
use portcullis_core::signature::Strict;
use portcullis_core::state::Signatories;
use portcullis_core::statement::{Says, SignedStatement};
use portcullis_core::{
    Body, Decision, Digest, Entry, Evidence, Network as Described, ReadEntry, Reason, State, codec,
};
use portcullis_gate::sequencer::{Command, Outcome, Shared, Taken, What};
use portcullis_gate::server::Api;
use portcullis_gate::{Config, Index, LogKeys, WitnessReach, Witnesses};
use portcullis_host::{Clock as _, Dir, Disk, Random as _, SystemClock, SystemRandom, Web};
use portcullis_journal::{Directory, Journal};
use portcullis_keys::{KeyFile, Passphrase};
use portcullis_tlog::Cosigned;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{ChildStdout, Command as Process, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Names the network's folder to the process.
const FOLDER: &str = "PORTCULLIS_TEST_PATCHED_GATE";
/// Begins what the process says to its test, behind whatever the test harness says on that line.
const SAYS: &str = "patched gate: ";
/// What each forged release pays.
const LOOT: Amount = Amount(5_000_000_000_000_000);

/// What stands in a forged release's evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Brings {
    Nothing,
    /// All that another customer brought for a withdrawal of its own.
    SomebodyElses,
}

/// The process, as its test has it.
pub(crate) struct Patched {
    pub(crate) process: Running,
    says: BufReader<ChildStdout>,
}

impl Patched {
    /// Start it in the gate's place, and wait until it listens.
    pub(crate) fn start(network: &Network) -> Self {
        let mut process = Process::new(std::env::current_exe().unwrap())
            .args(["--exact", "patched::process", "--ignored", "--nocapture"])
            .env(FOLDER, network.dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(network.log())
            .spawn()
            .unwrap();
        let says = BufReader::new(process.stdout.take().unwrap());
        let mut patched = Self {
            process: Running(process),
            says,
        };
        assert_eq!(patched.hear(), "listens");
        patched
    }

    /// Have it journal a release to the thief. Gives the act, once it is durable.
    pub(crate) fn release(&mut self, brings: Brings) -> String {
        let orders = self.process.0.stdin.as_mut().unwrap();
        writeln!(orders, "{brings:?}").unwrap();
        self.hear()
    }

    fn hear(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.says.read_line(&mut line).unwrap() > 0, "it ended");
            if let Some((_, said)) = line.split_once(SAYS) {
                return said.trim().to_owned();
            }
        }
    }
}

/// No test: the process itself. It ends when nobody is there to order anything.
#[test]
#[ignore = "a process that the other tests start"]
fn process() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let config: Config = toml::from_str(&read(&folder, "gate.toml")).unwrap();
    let config = config.beside(Path::new(&folder));
    let genesis = fs::read(&config.genesis).unwrap();
    let network = Described::open(&genesis, config.genesis_digest, &Strict).unwrap();
    let network = Arc::new(network);
    let (writer, index) = Writer::open(&config, &network);
    let (queue, commands) = sync_channel(16);
    let view = writer.journal.view();
    let shared = Arc::new(Shared::new(view, writer.state.clone(), index));
    let writer = Arc::new(Mutex::new(writer));
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let authorities = config.authorities.clone();
    let disk = Arc::new(Dir::open(config.journal.join("beside")).unwrap());
    let api = Api::new(Arc::clone(&shared), queue, clock, random, disk, authorities);
    let _server = serve(&config, api, &writer);
    let log = log_key(&config, &network);
    let beating = Arc::clone(&writer);
    std::thread::spawn(move || cosign(&config, &network, log, &shared, &beating));
    let taking = Arc::clone(&writer);
    std::thread::spawn(move || take(&commands, &taking));
    println!("{SAYS}listens");
    for order in std::io::stdin().lines() {
        let brings = match order.unwrap().as_str() {
            "Nothing" => Brings::Nothing,
            "SomebodyElses" => Brings::SomebodyElses,
            order => unreachable!("{order}"),
        };
        let act = writer.lock().unwrap().rob(brings);
        println!("{SAYS}{act}");
    }
    std::process::exit(0);
}

fn read(folder: impl AsRef<Path>, name: &str) -> String {
    fs::read_to_string(folder.as_ref().join(name)).unwrap()
}

/// The production API, but for statements, which go to the patched writer at once.
fn serve(config: &Config, api: Api, writer: &Arc<Mutex<Writer>>) -> tokio::runtime::Runtime {
    let writer = Arc::clone(writer);
    let statement = move |body: Bytes| {
        let Report(statements) = codec::decode(&body, body.len()).unwrap();
        let taken = vec![Ok(()); statements.len()];
        for signed in statements {
            writer.lock().unwrap().statement(signed);
        }
        let verdicts = codec::encode(&Verdicts::of(&taken));
        async { (StatusCode::ACCEPTED, verdicts) }
    };
    let router = Router::new()
        .route("/v1/statements", post(statement))
        .fallback_service(api.router());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind(config.listen));
    let listener = listener.unwrap();
    runtime.spawn(async move { axum::serve(listener, router).await });
    runtime
}

/// Have every head cosigned, as the production gate's pulse has, and show it.
fn cosign(
    config: &Config,
    network: &Described,
    log: LogKeys,
    shared: &Shared,
    writer: &Mutex<Writer>,
) {
    let http: Arc<dyn portcullis_host::Http> = Arc::new(Web::new());
    let reach = WitnessReach {
        urls: config.witnesses.clone(),
        clock: Arc::new(SystemClock),
        view: Arc::clone(&shared.view),
        http,
    };
    let by = Signatories::first(network);
    let mut witnesses = Witnesses::new(log, reach);
    loop {
        if let Ok(witnessed) = witnesses.cosign(shared.view.head(), &by) {
            writer.lock().unwrap().remember(&witnessed.note);
            shared.published.show(witnessed);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Journal whatever people send.
fn take(commands: &Receiver<Command>, writer: &Mutex<Writer>) {
    while let Ok(Command { what, reply }) = commands.recv() {
        let outcome = match what {
            What::Act(posting) => writer
                .lock()
                .unwrap()
                .release(posting.act, posting.evidence),
            What::Evidence(..) | What::Statement(_) => Err(Reason::Stopping),
        };
        // Whoever asked may have gone.
        let _ = reply.send(outcome);
    }
}

/// Writes the journal, and judges nothing.
struct Writer {
    network: Arc<Described>,
    journal: Journal<Directory>,
    state: State,
    /// Withdrawals that were released on good evidence.
    honest: Vec<(Act, Evidence)>,
    /// Cosigned checkpoints, by the digest of their body.
    notes: BTreeMap<Digest, Vec<u8>>,
}

impl Writer {
    fn open(config: &Config, network: &Arc<Described>) -> (Self, Index) {
        let disk: Arc<dyn Disk> = Arc::new(Dir::open_alone(&config.journal).unwrap());
        let (store, found) = Directory::open(
            Arc::clone(&disk),
            config.segment_bytes,
            Arc::new(SystemRandom),
        )
        .unwrap();
        let journal = Journal::open(store, &found, disk, 0).unwrap();
        let view = journal.view();
        let mut writer = Self {
            network: Arc::clone(network),
            journal,
            state: State::new(Arc::clone(network)),
            honest: Vec::new(),
            notes: BTreeMap::new(),
        };
        let mut index = Index::default();
        for bytes in view.entries(0..view.head().size, usize::MAX).unwrap() {
            let applied = writer.learn(&bytes);
            index.add(&ReadEntry::from_bytes(&bytes), &applied);
        }
        (writer, index)
    }

    fn learn(&mut self, bytes: &[u8]) -> portcullis_core::Applied {
        let applied = self.state.apply(bytes, &Strict);
        if let Body::Act(submission) = Entry::from_bytes(bytes).unwrap().body
            && let (ActKind::Withdraw(_), None) = (&submission.act.kind, &applied.void)
        {
            self.honest.push((submission.act, submission.evidence));
        }
        applied
    }

    fn append(&mut self, body: Body) -> Taken {
        let time = SystemClock.now().max(self.state.facts().time);
        let bytes = Entry::new(time, body).to_bytes();
        self.journal.make_room(bytes.len() as u64, 1).unwrap();
        self.journal.append(vec![bytes.clone()]).unwrap();
        let entry = self.learn(&bytes).index;
        Taken {
            entry,
            time,
            decision: Some(Decision::Release),
        }
    }

    fn remember(&mut self, note: &[u8]) {
        let network = &self.network;
        let cosigned = Cosigned::parse(note, network.log(), network.quorum()).unwrap();
        let body = Digest(*cosigned.body_digest().as_bytes());
        self.notes.insert(body, note.to_vec());
    }

    /// The patch: whatever the act and whatever its evidence, the money is released.
    fn release(&mut self, act: Act, evidence: Evidence) -> Outcome {
        if !self.state.facts().checkpoints.contains_key(&act.checkpoint) {
            let note = self.notes.get(&act.checkpoint);
            let note = note.ok_or(Reason::UnknownCheckpoint)?.clone();
            self.append(Body::Checkpoint(note));
        }
        let plan = Some(self.plan(&act));
        let decision = Decision::Release;
        Ok(self.append(Body::Act(Box::new(Submission {
            act,
            evidence,
            decision,
            plan,
        }))))
    }

    /// The wallet's right nonce, and a fee as it should be.
    fn plan(&self, act: &Act) -> Plan {
        let ActKind::Withdraw(Withdraw { asset, to, amount }) = act.kind else {
            unreachable!("only withdrawals are sent here");
        };
        let wallet = self.network.genesis().wallets[0].id;
        let nonce = self.state.facts().wallets[&wallet].next_nonce;
        let fees = Fees::new(20_000_000_000, 1_000_000_000, 21_000).unwrap();
        let transfer = Transfer::new(asset, to, amount, nonce, fees).unwrap();
        Plan {
            wallet,
            unsigned: transfer.build().to_bytes(),
        }
    }

    /// A release to the thief: in all but the evidence the act is as fresh as an honest one.
    fn rob(&mut self, brings: Brings) -> Digest {
        let (newest, evidence) = self.honest.last().unwrap().clone();
        let (robbed, _) = &self.honest[0];
        let ActKind::Withdraw(Withdraw { asset, .. }) = newest.kind else {
            unreachable!()
        };
        let mut id = [0; 16];
        SystemRandom.fill(&mut id);
        let act = Act {
            id: ActId(id),
            account: robbed.account,
            principal: robbed.principal,
            kind: ActKind::Withdraw(Withdraw {
                asset,
                to: THIEF,
                amount: LOOT,
            }),
            ..newest
        };
        let evidence = match brings {
            Brings::Nothing => Evidence::default(),
            Brings::SomebodyElses => {
                assert_ne!(newest.account, robbed.account);
                evidence
            }
        };
        let digest = act.digest();
        self.release(act, evidence).unwrap();
        digest
    }

    /// Statements are let in, but for those that say that a keeper has stopped.
    fn statement(&mut self, signed: SignedStatement) {
        let speaks_against_it = matches!(
            signed.statement.says,
            Says::Latched { .. } | Says::Stopped { .. }
        );
        if !speaks_against_it && self.state.accepts(&signed, &Strict) && self.state.is_news(&signed)
        {
            self.append(Body::Statement(Box::new(signed)));
        }
    }
}

fn log_key(config: &Config, network: &Described) -> LogKeys {
    let passphrase = File::open(&config.passphrase_file).unwrap();
    let passphrase = Passphrase::read_file(passphrase).unwrap();
    let mode = network.genesis().mode;
    let keys = KeyFile::open_for(mode, &config.key_file, &passphrase).unwrap();
    let key = keys.statement(&config.log_key.parse().unwrap()).unwrap();
    LogKeys::new(Arc::new(key), None)
}
