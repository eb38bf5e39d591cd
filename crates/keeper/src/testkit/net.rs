use super::ledger::Ledger;
use super::world::World;
use portcullis_core::board::{Page, Posting, SignedPage};
use portcullis_core::codec::encode;
use portcullis_core::entry::{Body, Entry};
use portcullis_core::evidence::Stamp;
use portcullis_core::follow::{FollowAnswer, LABELS_PIECE};
use portcullis_core::kept::SignedKept;
use portcullis_core::report::{Report, Verdicts};
use portcullis_core::signature::Strict;
use portcullis_core::statement::SignedStatement;
use portcullis_core::{Digest, Reason, Time};
use portcullis_host::{Clock as _, Http, HttpError, Reply};
use portcullis_keys::StatementKey as _;
use portcullis_tlog::Hash;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// The network as a keeper sees it: `http://gate`, `http://board`, `http://hook`.
#[derive(Clone)]
pub struct Net(Arc<Mutex<Wire>>);

/// What stands behind the network.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch that a test throws"
)]
pub struct Wire {
    /// The gate's journal.
    pub ledger: Ledger,
    /// Whether the gate cosigns afresh before each answer, as heartbeats do.
    pub heartbeat: bool,
    /// Whether the gate journals statements.
    pub takes_statements: bool,
    /// What it says to every statement, instead of taking it.
    pub refuses: Option<Reason>,
    /// Whether the gate answers at all.
    pub gate_up: bool,
    /// Most entries in one answer.
    pub chunk: usize,
    /// Shown in place of the journal's entries from an index on.
    pub lies: Option<(usize, Vec<Vec<u8>>)>,
    /// Whether the gate shows a follower the last checkpoint of witnesses by whom it goes.
    pub shows_handovers: bool,
    /// Whether the gate shows its tiles.
    pub shows_tiles: bool,
    /// Statements that came, journaled or not.
    pub statements: Vec<SignedStatement>,
    /// How many statements each report had.
    pub reports: Vec<usize>,
    /// The board.
    pub board: BoardPage,
    /// What came to the webhook: headers and body.
    pub hooks: Vec<Hook>,
    /// Whether the webhook answers.
    pub hook_up: bool,
    /// Sealed contacts that wait at the gate, by commitment.
    pub envelopes: BTreeMap<Digest, Vec<u8>>,
    /// What the gate gives for label sets, right or wrong.
    pub labels: BTreeMap<Digest, Vec<u8>>,
    /// How many pieces of them were asked for.
    pub pieces: usize,
}

/// What came to a webhook: its headers and its body.
pub type Hook = (Vec<(String, String)>, Vec<u8>);

/// The stop board.
#[derive(Default)]
pub struct BoardPage {
    /// What it shows.
    pub postings: Vec<Posting>,
    /// Its clock stands at this, where it does not go.
    pub stuck_at: Option<Time>,
    /// Whether it does not answer.
    pub down: bool,
    /// How it changes its page before it signs it.
    pub lie: Option<fn(&mut Page)>,
    /// What it says instead of a page.
    pub instead: Option<Reply>,
}

impl Net {
    /// A network around an honest gate.
    #[must_use]
    pub fn around(ledger: Ledger) -> Self {
        Self(Arc::new(Mutex::new(Wire {
            ledger,
            heartbeat: true,
            takes_statements: true,
            refuses: None,
            gate_up: true,
            chunk: 100,
            lies: None,
            shows_handovers: true,
            shows_tiles: true,
            statements: Vec::new(),
            reports: Vec::new(),
            board: BoardPage::default(),
            hooks: Vec::new(),
            hook_up: true,
            envelopes: BTreeMap::new(),
            labels: BTreeMap::new(),
            pieces: 0,
        })))
    }

    /// Look at it and change it.
    pub fn wire(&self) -> MutexGuard<'_, Wire> {
        self.0.lock().unwrap()
    }
}

impl Wire {
    /// A piece of a set, or that there is none; nothing where the gate does not answer.
    fn labels(&mut self, asked: &str) -> Option<Reply> {
        if !self.gate_up {
            return None;
        }
        self.pieces += 1;
        let (digest, from) = asked.split_once("?from=").unwrap();
        let set = self.labels.get(&digest.parse().unwrap());
        let rest = set.and_then(|bytes| bytes.get(from.parse().unwrap()..));
        Some(match rest {
            Some(rest) => ok(rest.get(..LABELS_PIECE).unwrap_or(rest).to_vec()),
            None => Reply {
                status: 404,
                body: Vec::new(),
            },
        })
    }

    fn follow(&mut self, from: usize) -> Reply {
        if self.heartbeat {
            self.ledger.cosign();
        }
        let shown = match &self.lies {
            Some((at, lies)) => [&self.ledger.entries[..*at], lies].concat(),
            None => self.ledger.entries.clone(),
        };
        let (size, checkpoint) = self.head_for(from, shown.len());
        let entries = shown.into_iter().take(size).skip(from).take(self.chunk);
        let answer = FollowAnswer {
            checkpoint,
            from: from as u64,
            entries: entries.map(Into::into).collect(),
        };
        ok(encode(&answer))
    }

    /// The newest checkpoint that a follower there can judge, and up to where it is shown entries.
    fn head_for(&self, from: usize, shown: usize) -> (usize, Vec<u8>) {
        let newest = (shown, self.ledger.note.clone());
        let mut handovers = self.ledger.state.handovers().iter();
        let ahead = handovers.find(|one| one.last() > from as u64);
        let sealed = ahead.and_then(|one| Some((one.last(), one.sealed?)));
        let Some((last, sealed)) = sealed.filter(|_| self.shows_handovers) else {
            return newest;
        };
        let entry = &self.ledger.entries[usize::try_from(sealed).unwrap()];
        let Body::Checkpoint(note) = Entry::from_bytes(entry).unwrap().body else {
            return newest;
        };
        (usize::try_from(last).unwrap(), note)
    }

    /// The first tile of leaf hashes, which is all that a test's journal has.
    fn tile(&self, path: &str) -> Option<Reply> {
        let width: usize = path.strip_prefix("0/000.p/")?.parse().ok()?;
        let leaves = self.ledger.entries.get(..width)?.iter();
        let hashes = leaves.flat_map(|entry| *Hash::leaf(entry).as_bytes());
        Some(ok(hashes.collect()))
    }

    fn take_report(&mut self, body: &[u8]) -> Reply {
        let Report(statements) = portcullis_core::codec::decode(body, 128 * 1024).unwrap();
        self.reports.push(statements.len());
        let outcomes = statements.into_iter().map(|signed| self.take(signed));
        let outcomes: Vec<Result<(), Reason>> = outcomes.collect();
        ok(encode(&Verdicts::of(&outcomes)))
    }

    fn take(&mut self, signed: SignedStatement) -> Result<(), Reason> {
        self.statements.push(signed.clone());
        if let Some(reason) = self.refuses {
            return Err(reason);
        }
        if self.takes_statements {
            if !self.ledger.state.accepts(&signed, &Strict) {
                return Err(Reason::StatementRefused);
            }
            if self.ledger.state.is_news(&signed) {
                let applied = self.ledger.enter(Body::Statement(Box::new(signed)));
                assert_eq!(applied.void, None);
            }
        }
        Ok(())
    }

    /// The board takes a posting and stamps it.
    pub fn post(&mut self, mut posting: Posting) {
        let (digest, time) = (posting.act.digest(), self.board_time());
        let bytes = Stamp::signed_bytes(World::BOARD, digest, time);
        let signature = World::key(&World::BOARD.0).sign(&bytes).unwrap();
        let board = World::BOARD;
        posting.evidence.posted = Some(Stamp {
            board,
            time,
            signature,
        });
        self.board.postings.push(posting);
    }

    fn board_time(&self) -> Time {
        let now = self.ledger.clock.now();
        self.board.stuck_at.unwrap_or(now)
    }

    fn page(&self, from: usize) -> Reply {
        if from > self.board.postings.len() {
            return Reply {
                status: 404,
                body: Vec::new(),
            };
        }
        if let Some(instead) = &self.board.instead {
            return instead.clone();
        }
        let numbered = self.board.postings.iter().cloned().enumerate().skip(from);
        let mut page = Page {
            genesis: self.ledger.world.digest(),
            board: World::BOARD,
            time: self.board_time(),
            from: from as u64,
            next: (self.board.postings.len() as u64).max(from as u64),
            more: false,
            postings: numbered.map(|(n, p)| (n as u64, p)).collect(),
        };
        if let Some(lie) = self.board.lie {
            lie(&mut page);
        }
        let signature = World::key(&World::BOARD.0).sign(&page.signed_bytes());
        ok(encode(&SignedPage {
            signature: signature.unwrap(),
            page,
        }))
    }
}

impl Http for Net {
    fn get(&self, url: &str, _: &[(&str, &str)], _: u64, _: Duration) -> Result<Reply, HttpError> {
        let mut wire = self.wire();
        if let Some(query) = url.strip_prefix("http://gate/log/follow?from=") {
            return if wire.gate_up {
                Ok(wire.follow(number(query)))
            } else {
                Err(silence(url))
            };
        }
        if let Some(path) = url.strip_prefix("http://gate/log/tile/") {
            let tile = wire.tile(path).filter(|_| wire.shows_tiles);
            return tile.ok_or_else(|| silence(url));
        }
        if let Some(contact) = url.strip_prefix("http://gate/v1/envelopes/") {
            let found = contact.parse().ok().and_then(|c| wire.envelopes.get(&c));
            let status = if found.is_some() { 200 } else { 404 };
            let body = found.cloned().unwrap_or_default();
            return Ok(Reply { status, body });
        }
        if let Some(asked) = url.strip_prefix("http://gate/v1/labels/") {
            return wire.labels(asked).ok_or_else(|| silence(url));
        }
        match url.strip_prefix("http://board/postings?from=") {
            Some(query) if !wire.board.down => Ok(wire.page(number(query))),
            _ => Err(silence(url)),
        }
    }

    fn post(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        _: u64,
        _: Duration,
    ) -> Result<Reply, HttpError> {
        let mut wire = self.wire();
        match url {
            "http://gate/v1/statements" if wire.gate_up => Ok(wire.take_report(body)),
            "http://gate/v1/envelopes/kept" if wire.gate_up => {
                let word: SignedKept = portcullis_core::codec::decode(body, 64 * 1024).unwrap();
                let (state, now) = (&wire.ledger.state, wire.ledger.clock.now());
                assert!(word.counts(state, now, &Strict));
                for contact in &word.kept.contacts {
                    wire.envelopes.remove(contact);
                }
                Ok(ok(Vec::new()))
            }
            "http://board/postings" if !wire.board.down => {
                wire.post(serde_json::from_slice(body).unwrap());
                Ok(Reply {
                    status: 201,
                    body: Vec::new(),
                })
            }
            "http://hook/" if wire.hook_up => {
                let owned = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
                let headers = headers.iter().map(owned).collect();
                wire.hooks.push((headers, body.to_vec()));
                Ok(ok(Vec::new()))
            }
            _ => Err(silence(url)),
        }
    }
}

fn number(query: &str) -> usize {
    query.split('&').next().unwrap().parse().unwrap()
}

fn ok(body: Vec<u8>) -> Reply {
    Reply { status: 200, body }
}

fn silence(url: &str) -> HttpError {
    HttpError {
        url: url.to_owned(),
        why: "nobody there".into(),
    }
}
