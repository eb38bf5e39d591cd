//! The gate polls the stop boards too: what is posted there is journaled like any other act.

use crate::sequencer::{Command, Outcome, Shared, What};
use portcullis_core::board::{
    COUNTS_FOR, MAX_PAGE, MAX_WAITING, Page, PageFault, Posting, SignedPage, may_mend,
};
use portcullis_core::decide::decide_with;
use portcullis_core::id::BoardId;
use portcullis_core::signature::Strict;
use portcullis_core::{Decision, Reason, Time};
use portcullis_host::{Clock, Http, HttpError, Told};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

const TIMEOUT: Duration = Duration::from_secs(2);
/// How often a board is asked.
const POLL: Duration = Duration::from_millis(500);

/// Polls one board.
pub struct BoardPoll {
    board: BoardId,
    url: String,
    clock: Arc<dyn Clock>,
    http: Arc<dyn Http>,
    shared: Arc<Shared>,
    queue: SyncSender<Command>,
    next: u64,
    /// Postings that the journal does not have yet, oldest first.
    pending: VecDeque<Pending>,
    /// Whether it answers.
    answers: Told<bool>,
}

/// A posting on its way.
struct Pending {
    posting: Posting,
    /// What becomes of it, once it was sent on.
    sent: Option<oneshot::Receiver<Outcome>>,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
enum NoPage {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("it never gave out the number that it is asked from: restored?")]
    Forgot,
    #[error("status {0}")]
    Status(u16),
    #[error("genesis names no such board")]
    Unknown,
    #[error(transparent)]
    Page(#[from] PageFault),
}

impl BoardPoll {
    /// From the board's first posting on.
    pub(crate) fn new(
        (board, url): (BoardId, String),
        (clock, http): (Arc<dyn Clock>, Arc<dyn Http>),
        shared: Arc<Shared>,
        queue: SyncSender<Command>,
    ) -> Self {
        Self {
            board,
            url,
            clock,
            http,
            shared,
            queue,
            next: 0,
            pending: VecDeque::new(),
            answers: Told::default(),
        }
    }

    /// Ask once and send on what the gate's own decision accepts.
    pub fn poll(&mut self) {
        let page = self.ask();
        self.tell(page.as_ref().err());
        match page {
            Ok(page) => self.take(page),
            Err(NoPage::Forgot) => self.next = 0,
            Err(_) => {}
        }
        let now = self.clock.now();
        let (shared, queue) = (&self.shared, &self.queue);
        self.pending
            .retain_mut(|pending| !pending.is_done(shared, now, queue));
    }

    /// Anybody posts, and a board's host shows what it likes: only what could count is kept, and the
    /// oldest makes room.
    fn take(&mut self, page: Page) {
        self.next = page.next;
        for (_, posting) in page.postings {
            let known = self.pending.iter().any(|known| known.posting == posting);
            let could_count = || {
                let state = self.shared.state();
                posting.could_count(self.board, state.network(), &self.shared.memo)
            };
            if known || !could_count() {
                continue;
            }
            if self.pending.len() == MAX_WAITING {
                self.pending.pop_front();
            }
            let sent = None;
            self.pending.push_back(Pending { posting, sent });
        }
    }

    /// Poll for ever.
    pub(crate) fn run(mut self) {
        loop {
            self.poll();
            std::thread::sleep(POLL);
        }
    }

    /// Only when it changes: a board that is down would fill the log.
    fn tell(&mut self, fault: Option<&NoPage>) {
        if !self.answers.is_news(fault.is_none()) {
            return;
        }
        let (board, url) = (self.board, &self.url);
        match fault {
            None => tracing::info!(%board, url, "the stop board answers"),
            Some(fault) => tracing::warn!(%board, url, %fault,
                "the stop board gives no page: signers wait for it, and stops posted there are not \
                 seen; see that it runs, is reached, and is the one that genesis names"),
        }
    }

    fn ask(&self) -> Result<Page, NoPage> {
        let url = format!(
            "{}/postings?from={}",
            self.url.trim_end_matches('/'),
            self.next
        );
        let reply = self.http.get(&url, &[], MAX_PAGE as u64, TIMEOUT)?;
        match reply.status {
            200 => {}
            404 => return Err(NoPage::Forgot),
            status => return Err(NoPage::Status(status)),
        }
        let state = self.shared.state();
        let network = state.network();
        let asked = (network.digest(), self.board, self.next);
        let key = network.board(self.board).ok_or(NoPage::Unknown)?;
        Ok(SignedPage::open(&reply.body, asked, key, &Strict)?)
    }
}

impl Pending {
    /// Whether the posting is done with: journaled, or never to be.
    ///
    /// A posting stays until the journal has it: what was sent on may have met a full disk.
    fn is_done(&mut self, shared: &Shared, now: Time, queue: &SyncSender<Command>) -> bool {
        let stamp = self.posting.evidence.posted.as_ref();
        if stamp.is_none_or(|stamp| now.since(stamp.time) > COUNTS_FOR) {
            return true;
        }
        match self.sent.as_mut().map(oneshot::Receiver::try_recv) {
            Some(Ok(Ok(_))) => return true,
            Some(Err(TryRecvError::Empty)) => return false,
            // Refused or dropped: judged again.
            Some(Ok(Err(_)) | Err(TryRecvError::Closed)) | None => self.sent = None,
        }
        // A board's clock may be ahead: keepers bar by it on sight, so it is not to be lost here.
        if self.posting.is_ahead(now) {
            return false;
        }
        match decided(&self.posting, shared, now) {
            Ok(Decision::Refuse { reason }) => reason == Reason::Replayed || !may_mend(reason),
            Ok(Decision::Release | Decision::Hold { .. }) => {
                let (reply, sent) = oneshot::channel();
                let what = What::Act(Box::new(self.posting.clone()));
                if queue.try_send(Command { what, reply }).is_ok() {
                    self.sent = Some(sent);
                }
                false
            }
            // What makes the core panic must not take the poll with it.
            Err(_) => true,
        }
    }
}

/// What the journal would say, led by the newest cosigned checkpoint: an act may name that before it
/// is an entry, as keepers see it too (docs/design/027).
fn decided(posting: &Posting, shared: &Shared, now: Time) -> Result<Decision, Reason> {
    let next = shared.newest_cosigned();
    let (act, evidence) = (&posting.act, &posting.evidence);
    shared.guarded(|state| {
        let time = state.facts().time.max(now);
        let decided = decide_with(state, next, act, evidence, time, &shared.memo);
        decided.decision().clone()
    })
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "helpers of tests; the lint knows only the tests themselves"
    )]

    use super::*;
    use crate::published::Witnessed;
    use crate::sequencer::Sequencer;
    use crate::{FeeTable, Index};
    use portcullis_core::act::{ActKind, Scope};
    use portcullis_core::codec::encode;
    use portcullis_core::evidence::Stamp;
    use portcullis_core::{Evidence, Span, State};
    use portcullis_host::{Disk, HttpError, Reply, SystemRandom};
    use portcullis_journal::{Directory, Journal};
    use portcullis_keeper::testkit::{CrashDisk, Customer, HandClock, Ledger, World};
    use portcullis_keys::StatementKey as _;
    use portcullis_tlog::Cosigned;
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, sync_channel};

    /// Answers what the test says, from the number asked for.
    type Says = Box<dyn FnMut(u64) -> Option<Page> + Send>;

    struct Board(Mutex<Says>);

    impl Http for Board {
        fn get(
            &self,
            url: &str,
            _: &[(&str, &str)],
            _: u64,
            _: Duration,
        ) -> Result<Reply, HttpError> {
            let from = url.rsplit_once('=').unwrap().1.parse().unwrap();
            let Some(page) = (self.0.lock().unwrap())(from) else {
                let (status, body) = (404, b"{}".to_vec());
                return Ok(Reply { status, body });
            };
            let signature = World::key(&World::BOARD.0).sign(&page.signed_bytes());
            let signature = signature.unwrap();
            let body = encode(&SignedPage { page, signature });
            Ok(Reply { status: 200, body })
        }

        fn post(
            &self,
            _: &str,
            _: &[(&str, &str)],
            _: &[u8],
            _: u64,
            _: Duration,
        ) -> Result<Reply, HttpError> {
            unreachable!("the gate posts nothing to a board")
        }
    }

    struct Bench {
        clock: HandClock,
        ledger: Ledger,
        sequencer: Sequencer<Directory>,
    }

    impl Bench {
        fn new() -> Self {
            let clock = HandClock::at(World::START);
            let mut ledger = Ledger::new(Arc::new(World::new()), clock.clone());
            ledger.open(&Customer::number(1));
            let disk: Arc<dyn Disk> = Arc::new(CrashDisk::default());
            let (store, recovered) =
                Directory::open(Arc::clone(&disk), 1 << 20, Arc::new(SystemRandom)).unwrap();
            let mut journal = Journal::open(store, &recovered, disk, 0).unwrap();
            journal.make_room(1 << 18, 1000).unwrap();
            journal.append(ledger.entries.clone()).unwrap();
            let mut state = State::new(Arc::clone(&ledger.world.network));
            for entry in &ledger.entries {
                state.apply(entry, &Strict);
            }
            let (index, fees) = (Index::default(), FeeTable::default());
            let sequencer = Sequencer::new(journal, state, index, fees);
            Self {
                clock,
                ledger,
                sequencer,
            }
        }

        fn poll(&self, says: Says) -> (BoardPoll, Receiver<Command>) {
            let (queue, commands) = sync_channel(16);
            let http: Arc<dyn Http> = Arc::new(Board(Mutex::new(says)));
            let reach: (Arc<dyn Clock>, _) = (Arc::new(self.clock.clone()), http);
            let shared = self.sequencer.shared();
            let board = (World::BOARD, "http://board".into());
            (BoardPoll::new(board, reach, shared, queue), commands)
        }

        fn page(&self, from: u64, next: u64, postings: Vec<(u64, Posting)>) -> Page {
            Page {
                genesis: self.ledger.world.digest(),
                board: World::BOARD,
                time: self.clock.now(),
                from,
                next,
                more: false,
                postings,
            }
        }

        fn suspension(&mut self) -> Posting {
            let (act, evidence) = self.ledger.suspension(Scope::Everything);
            stamped(act, evidence, self.clock.now())
        }
    }

    fn stamped(act: portcullis_core::Act, mut evidence: Evidence, time: Time) -> Posting {
        let bytes = Stamp::signed_bytes(World::BOARD, act.digest(), time);
        evidence.posted = Some(Stamp {
            board: World::BOARD,
            time,
            signature: World::key(&World::BOARD.0).sign(&bytes).unwrap(),
        });
        Posting { act, evidence }
    }

    /// A board's host may show anything: what could never count is not kept.
    #[test]
    fn what_could_never_count_is_not_kept() {
        let mut bench = Bench::new();
        let good = bench.suspension();
        let mut unstamped = good.clone();
        unstamped.evidence.posted = None;
        let mut forged = good.clone();
        let stamp = forged.evidence.posted.as_mut().unwrap();
        stamp.time = Time(u64::MAX);
        let (act, evidence) =
            bench
                .ledger
                .withdrawal(&Customer::number(1), World::ETHER, World::address(1), 1);
        let loosening = stamped(act, evidence, bench.clock.now());
        let postings = [unstamped, forged, loosening];
        let postings = postings.into_iter().enumerate();
        let postings = postings.map(|(number, posting)| (number as u64, posting));
        let page = bench.page(0, 3, postings.collect());
        let (mut poll, commands) = bench.poll(Box::new(move |_| Some(page.clone())));
        poll.poll();
        assert_eq!(poll.pending.len(), 0);
        assert!(commands.try_recv().is_err());
    }

    /// Keepers bar by it on sight; dropped here, it would make all of them latch.
    #[test]
    fn what_was_stamped_ahead_is_kept_until_its_time() {
        let mut bench = Bench::new();
        let (act, evidence) = bench.ledger.suspension(Scope::Everything);
        let ahead = stamped(act, evidence, bench.clock.now().after(Span::seconds(90)));
        let page = bench.page(0, 1, vec![(0, ahead)]);
        let (mut poll, commands) = bench.poll(Box::new(move |_| Some(page.clone())));
        poll.poll();
        assert_eq!(poll.pending.len(), 1);
        assert!(commands.try_recv().is_err());
        bench.clock.pass(Span::seconds(60));
        poll.poll();
        assert!(commands.try_recv().is_ok());
    }

    #[test]
    fn a_board_that_forgot_is_read_again_from_the_beginning() {
        let mut bench = Bench::new();
        let posting = bench.suspension();
        let (far, honest) = (
            bench.page(0, 1000, Vec::new()),
            bench.page(0, 1, vec![(0, posting)]),
        );
        let mut first = true;
        let says = move |from| match from {
            0 if std::mem::take(&mut first) => Some(far.clone()),
            0 => Some(honest.clone()),
            _ => None,
        };
        let (mut poll, commands) = bench.poll(Box::new(says));
        for _ in 0..3 {
            poll.poll();
        }
        assert!(commands.try_recv().is_ok());
    }

    /// What was sent on may meet a full disk.
    #[test]
    fn what_was_sent_on_and_refused_is_sent_again() {
        let mut bench = Bench::new();
        let posting = bench.suspension();
        let page = bench.page(0, 1, vec![(0, posting)]);
        let end = bench.page(1, 1, Vec::new());
        let says = move |from| Some(if from == 0 { page.clone() } else { end.clone() });
        let (mut poll, commands) = bench.poll(Box::new(says));
        poll.poll();
        let sent = commands.try_recv().unwrap();
        poll.poll();
        assert!(commands.try_recv().is_err(), "once, while it is not known");
        sent.reply.send(Err(Reason::JournalFull)).unwrap();
        poll.poll();
        let again = commands.try_recv().unwrap();
        bench
            .sequencer
            .step(vec![again], bench.clock.now())
            .unwrap();
        poll.poll();
        assert_eq!(poll.pending.len(), 0);
        let shared = bench.sequencer.shared();
        assert_eq!(shared.state().facts().suspensions.len(), 1);
    }

    /// Keepers take it at once; an idle gate would have that head in its journal after half an hour.
    #[test]
    fn a_posting_that_names_the_newest_head_is_journaled_behind_it() {
        let mut bench = Bench::new();
        bench.ledger.cosign();
        let network = Arc::clone(&bench.ledger.world.network);
        let note = bench.ledger.note.clone();
        let cosigned = Cosigned::parse(&note, network.log(), network.quorum()).unwrap();
        let shared = bench.sequencer.shared();
        shared.published.show(Witnessed::new(&cosigned));
        let customer = Customer::number(1);
        let mut act = bench.ledger.customers_act(&customer, ActKind::Freeze);
        act.checkpoint = portcullis_core::Digest(*cosigned.body_digest().as_bytes());
        let known = shared
            .state()
            .facts()
            .checkpoints
            .contains_key(&act.checkpoint);
        assert!(!known, "not an entry yet");
        let evidence = Evidence {
            assertions: vec![customer.assertion(&act)],
            ..Evidence::default()
        };
        let posting = stamped(act, evidence, bench.clock.now());
        let page = bench.page(0, 1, vec![(0, posting)]);
        let end = bench.page(1, 1, Vec::new());
        let says = move |from| Some(if from == 0 { page.clone() } else { end.clone() });
        let (mut poll, commands) = bench.poll(Box::new(says));
        poll.poll();
        let command = commands.try_recv().unwrap();
        bench
            .sequencer
            .step(vec![command], bench.clock.now())
            .unwrap();
        let state = shared.state();
        assert!(state.facts().accounts[&customer.account].frozen.is_some());
    }
}
