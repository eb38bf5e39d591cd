//! A keeper's own call to stop: a suspension of everything, under its own key, on every stop board.
//!
//! It answers a release without evidence. Replicas that saw the entry are shut by it already; the
//! call reaches whoever does not follow this gate, or follows another of its faces. Everything is the
//! narrowest scope there: a gate that writes one such entry may write any.

use crate::latches::Latch;
use crate::machine::Machine;
use portcullis_core::act::{Act, ActKind, Scope, Suspend};
use portcullis_core::board::Posting;
use portcullis_core::decide::Cosigned;
use portcullis_core::evidence::Evidence;
use portcullis_core::factor::NewFactor;
use portcullis_core::id::{ActId, BoardId, KeeperId, PrincipalId};
use portcullis_core::realm::Realm;
use portcullis_core::request::{Algorithm, Base, Parts, SignedRequest};
use portcullis_core::{Digest, Span, State, Time};
use portcullis_keys::StatementKey;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long the act may wait to be taken.
const LIFE: Span = Span::hours(1);
/// From this age on of the checkpoint that it names the act is made anew, where there is a newer one: a
/// stop counts only if its checkpoint was at most an hour old when the board took it.
const OLD: Span = Span::seconds(30 * 60);
/// How long one signature over it serves: a request counts for five minutes.
const SERVES: Span = Span::seconds(60);
/// How long a replica is waited for that has not read as far as the journal is cosigned: whoever keeps it there is
/// not to keep a call back.
const PATIENT: Span = Span::seconds(60);
/// Between two tries at a board.
const AGAIN: Span = Span::seconds(2);
const PATIENCE: Duration = Duration::from_secs(2);
const MAX_ANSWER: u64 = 64 * 1024;

/// Who calls. It posts to a board until that board's page shows the call: an answer alone shows nobody
/// anything. Which boards have shown it stands with the latch, so a keeper that starts again goes on.
pub struct StopCall {
    machine: Machine,
    keeper: KeeperId,
    key: Arc<dyn StatementKey>,
    urls: BTreeMap<BoardId, String>,
    call: Option<Call>,
    next: Time,
    /// Since when a call waits for the replica.
    waits: Option<Time>,
}

/// A call under way.
struct Call {
    /// For this latch.
    latch: Digest,
    act: Act,
    /// The oldest cosignature of the checkpoint that the act names.
    cosigned: Time,
    /// What was posted to each board, and since when.
    sent: BTreeMap<BoardId, (Time, SignedRequest)>,
}

impl StopCall {
    /// No call.
    #[must_use]
    pub fn new(
        machine: Machine,
        keeper: KeeperId,
        key: Arc<dyn StatementKey>,
        urls: BTreeMap<BoardId, String>,
    ) -> Self {
        Self {
            machine,
            keeper,
            key,
            urls,
            call: None,
            next: Time(0),
            waits: None,
        }
    }

    /// Call for this latch, or for none, at the boards that have not shown it. `newest` is the newest cosigned head
    /// with its size.
    pub fn step(&mut self, latch: Option<&Latch>, state: &State, newest: Option<(Cosigned, u64)>) {
        let now = self.machine.watch.now();
        let Some(latch) = latch else {
            (self.call, self.waits) = (None, None);
            return;
        };
        let open = self.urls.keys().copied();
        let open: Vec<BoardId> = open.filter(|b| !latch.called.contains(b)).collect();
        if open.is_empty() || now < self.next {
            return;
        }
        self.next = now.after(AGAIN);
        self.renew(latch.sight.id(), state, newest, now);
        for board in open {
            self.post(board, now);
        }
    }

    /// The latch and the board, where a board's posting is what was posted there.
    #[must_use]
    pub fn answered_by(&self, posting: &Posting) -> Option<(Digest, BoardId)> {
        let call = self.call.as_ref().filter(|call| call.act == posting.act)?;
        let board = posting.evidence.posted.as_ref()?.board;
        // Anybody could post the same act beside evidence that does not hold.
        let (_, request) = call.sent.get(&board)?;
        let is_ours = posting.evidence.requests == [request.clone()];
        is_ours.then_some((call.latch, board))
    }

    fn renew(&mut self, latch: Digest, state: &State, newest: Option<(Cosigned, u64)>, now: Time) {
        if self.waits_for(state, newest, now) {
            return;
        }
        let newest = newest.map(|(newest, _)| newest);
        let Some(named) = checkpoint(state, newest, now) else {
            return;
        };
        let serves = self.call.as_ref().is_some_and(|call| {
            let is_old = now.since(call.cosigned) > OLD && named.oldest > call.cosigned;
            call.latch == latch && call.act.expires > now && !is_old
        });
        if !serves {
            self.call = Some(Call {
                latch,
                act: self.suspension(state, named.body, now),
                cosigned: named.oldest,
                sent: BTreeMap::new(),
            });
        }
    }

    /// Whether to wait for the replica. One that has not read as far as the journal is cosigned does not know which
    /// checkpoints the journal has by now, and a head that never comes to stand there bars for as long as postings
    /// count: a suspension that is not journaled, nobody can lift.
    fn waits_for(&mut self, state: &State, newest: Option<(Cosigned, u64)>, now: Time) -> bool {
        let is_behind = newest.is_some_and(|(_, size)| size > state.size());
        if !is_behind || journaled(state).is_some_and(|known| is_young(&known, now)) {
            self.waits = None;
            return false;
        }
        let since = *self.waits.get_or_insert(now);
        now.since(since) < PATIENT
    }

    fn suspension(&self, state: &State, checkpoint: Digest, now: Time) -> Act {
        Act {
            genesis: state.network().digest(),
            realm: Realm::Staff,
            principal: PrincipalId(self.keeper.0),
            account: None,
            id: ActId(self.machine.random.array()),
            checkpoint,
            expires: now.after(LIFE),
            kind: ActKind::Suspend(Suspend {
                scope: Scope::Everything,
            }),
        }
    }

    fn post(&mut self, board: BoardId, now: Time) {
        let (Some(url), Some(posting)) = (self.urls.get(&board).cloned(), self.posting(board, now))
        else {
            return;
        };
        let Ok(body) = serde_json::to_vec(&posting) else {
            return;
        };
        let url = format!("{url}/postings");
        let headers = [("content-type", "application/json")];
        let http = &self.machine.http;
        match http.post(&url, &headers, &body, MAX_ANSWER, PATIENCE) {
            Ok(reply) if reply.status < 300 => {}
            Ok(reply) => {
                tracing::error!(%board, status = reply.status, "a board does not take our stop");
            }
            Err(error) => {
                tracing::error!(%board, %error, "a board is not reached with our stop");
            }
        }
    }

    /// The same bytes for as long as their signature serves: a board takes them for one posting.
    fn posting(&mut self, board: BoardId, now: Time) -> Option<Posting> {
        let call = self.call.as_ref()?;
        let act = call.act.clone();
        let sent = call.sent.get(&board);
        let sent = sent.filter(|(since, _)| now.since(*since) <= SERVES);
        let request = if let Some((_, request)) = sent {
            request.clone()
        } else {
            let request = self.sign(self.urls.get(&board)?, act.digest(), now)?;
            let sent = &mut self.call.as_mut()?.sent;
            sent.insert(board, (now, request.clone()));
            request
        };
        let evidence = Evidence {
            requests: vec![request],
            ..Evidence::default()
        };
        Some(Posting { act, evidence })
    }

    /// A request to the board (RFC 9421) as evidence. The body carries it, so it cannot cover the
    /// body's digest; it covers the act's.
    fn sign(&self, url: &str, act: Digest, now: Time) -> Option<SignedRequest> {
        let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
        let authority = authority.split('/').next().unwrap_or_default();
        let key = self.key.public_key();
        let factor = NewFactor::RequestKey { key: key.clone() };
        let parts = Parts {
            method: "POST".into(),
            authority: authority.to_ascii_lowercase(),
            path: "/postings".into(),
            query: None,
            content_digest: None,
            act: Some(act.0),
            created: now.0 / 1000,
            expires: None,
            nonce: hex::encode(self.machine.random.array::<16>()),
            key_id: factor.id().to_string(),
            algorithm: Algorithm::of(key),
        };
        let base = Base::new(parts).ok()?.to_bytes();
        let signature = self.key.sign(&base).ok()?;
        Some(SignedRequest { base, signature })
    }
}

/// The newest checkpoint that the journal has: anybody's replica knows it. Where that is old, since the
/// journal has been idle, the newest that a quorum has cosigned.
fn checkpoint(state: &State, newest: Option<Cosigned>, now: Time) -> Option<Cosigned> {
    let journaled = journaled(state);
    let newer = newest.into_iter().chain(journaled);
    journaled
        .filter(|known| is_young(known, now))
        .or(newer.max_by_key(|known| known.oldest))
}

/// The newest that the replica has read.
fn journaled(state: &State) -> Option<Cosigned> {
    let known = state.facts().checkpoints.iter();
    let known = known.map(|(body, oldest)| Cosigned {
        body: *body,
        oldest: *oldest,
    });
    known.max_by_key(|known| known.oldest)
}

fn is_young(known: &Cosigned, now: Time) -> bool {
    now.since(known.oldest) <= OLD
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "helpers of tests; the lint knows only the tests themselves"
    )]

    use super::*;
    use crate::latches::Sight;
    use crate::machine::Watch;
    use crate::testkit::{CrashDisk, Dice, HandClock, World};
    use portcullis_host::{Http, HttpError, Reply};
    use portcullis_keys::software::SoftwareStatement;
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    /// Takes everything, and remembers which checkpoints were named.
    #[derive(Clone, Default)]
    struct Board(Arc<Mutex<Vec<Digest>>>);

    impl Http for Board {
        fn get(
            &self,
            _: &str,
            _: &[(&str, &str)],
            _: u64,
            _: Duration,
        ) -> Result<Reply, HttpError> {
            unreachable!("a call asks nothing")
        }

        fn post(
            &self,
            _: &str,
            _: &[(&str, &str)],
            body: &[u8],
            _: u64,
            _: Duration,
        ) -> Result<Reply, HttpError> {
            let posting: Posting = serde_json::from_slice(body).unwrap();
            self.0.lock().unwrap().push(posting.act.checkpoint);
            let (status, body) = (201, Vec::new());
            Ok(Reply { status, body })
        }
    }

    struct Bench {
        clock: HandClock,
        board: Board,
        call: StopCall,
        latch: Latch,
        state: State,
    }

    impl Bench {
        /// Somebody who has seen a release without evidence and has read nothing.
        fn new() -> Self {
            let (clock, board) = (HandClock::at(World::START), Board::default());
            let machine = Machine {
                watch: Watch::new(Arc::new(clock.clone())),
                disk: Arc::new(CrashDisk::default()),
                random: Arc::new(Dice::default()),
                http: Arc::new(board.clone()),
            };
            let key: Arc<SoftwareStatement> = Arc::new(World::key(&World::KEEPER.0));
            let urls = BTreeMap::from([(World::BOARD, "http://board".to_owned())]);
            let sight = Sight::Release {
                entry: 7,
                effects: Digest([1; 32]),
            };
            Self {
                clock,
                board,
                call: StopCall::new(machine, World::KEEPER, key, urls),
                latch: Latch {
                    sight,
                    time: World::START,
                    called: BTreeSet::new(),
                },
                state: State::new(World::new().network),
            }
        }

        /// What the board has taken once this head of so many entries was cosigned.
        fn called(&mut self, size: u64) -> Vec<Digest> {
            let newest = Cosigned {
                body: HEAD,
                oldest: World::START,
            };
            self.call
                .step(Some(&self.latch), &self.state, Some((newest, size)));
            self.board.0.lock().unwrap().clone()
        }
    }

    const HEAD: Digest = Digest([2; 32]);

    /// A head that never becomes an entry makes a suspension that nobody can lift. Whoever keeps a replica behind
    /// for good does not silence it by that.
    #[test]
    fn a_replica_that_is_behind_names_no_head_until_it_has_been_waited_for() {
        let mut bench = Bench::new();
        assert!(bench.called(9).is_empty());
        bench.clock.pass(Span::seconds(59));
        assert!(bench.called(9).is_empty());
        bench.clock.pass(Span::seconds(3));
        assert_eq!(bench.called(9), [HEAD]);
    }

    #[test]
    fn a_replica_that_has_read_everything_names_the_newest_head_at_once() {
        assert_eq!(Bench::new().called(0), [HEAD]);
    }
}
