//! The gate polls the stop boards too: what is posted there is journaled like any other act.

use crate::sequencer::{Command, Shared, What};
use portcullis_core::board::{MAX_PAGE, Page, Posting, SignedPage};
use portcullis_core::id::BoardId;
use portcullis_core::signature::Strict;
use portcullis_core::{Decision, Reason, Span, Time, decide};
use portcullis_host::{Clock, Http};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;
use tokio::sync::oneshot;

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
    /// Postings that were not accepted yet: a checkpoint or factor may still be on its way.
    pending: BTreeMap<u64, Posting>,
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
            pending: BTreeMap::new(),
        }
    }

    /// Ask once and send on what the gate's own decision accepts.
    pub fn poll(&mut self) {
        if let Some(page) = self.ask() {
            self.next = page.next;
            self.pending.extend(page.postings);
        }
        let now = self.clock.now();
        let (shared, queue) = (&self.shared, &self.queue);
        self.pending
            .retain(|_, posting| !forward(posting, shared, now, queue));
    }

    /// Poll for ever.
    pub(crate) fn run(mut self) {
        loop {
            self.poll();
            std::thread::sleep(POLL);
        }
    }

    fn ask(&self) -> Option<Page> {
        let url = format!(
            "{}/postings?from={}",
            self.url.trim_end_matches('/'),
            self.next
        );
        let reply = self.http.get(&url, &[], MAX_PAGE as u64, TIMEOUT);
        let reply = reply
            .inspect_err(|error| tracing::warn!(%error, "a stop board"))
            .ok()?;
        let state = self.shared.state();
        let network = state.network();
        let asked = (network.digest(), self.board, self.next);
        let page = SignedPage::open(&reply.body, asked, network.board(self.board)?, &Strict);
        page.inspect_err(|fault| tracing::error!(%fault, board = %self.board, "a stop board"))
            .ok()
    }
}

/// How long a posting can count: a stamped act names a checkpoint that state remembers for a day.
const COUNTS: Span = Span::hours(25);

/// Whether the posting is done with: sent on, known already, or too old to count.
fn forward(posting: &Posting, shared: &Shared, now: Time, queue: &SyncSender<Command>) -> bool {
    let decided = {
        let state = shared.state();
        let time = state.facts().time.max(now);
        let decided = decide(&state, &posting.act, &posting.evidence, time, &shared.memo);
        decided.decision().clone()
    };
    match decided {
        Decision::Refuse {
            reason: Reason::Replayed,
        } => true,
        // A checkpoint or factor may still be on its way.
        Decision::Refuse { .. } => {
            let stamped = posting.evidence.posted.as_ref().map(|stamp| stamp.time);
            stamped.is_none_or(|time| now.since(time) > COUNTS)
        }
        Decision::Release | Decision::Hold { .. } => {
            let (reply, _) = oneshot::channel();
            let what = What::Act(Box::new(posting.clone()));
            queue.try_send(Command { what, reply }).is_ok()
        }
    }
}
