//! The gate polls the stop boards too: what is posted there is journaled like any other act.

use crate::sequencer::{Command, Shared, What};
use portcullis_core::board::{MAX_PAGE, Page, Posting, SignedPage};
use portcullis_core::id::BoardId;
use portcullis_core::signature::Strict;
use portcullis_core::{Decision, Reason, Span, Time, decide};
use portcullis_host::{Clock, Http};
use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;
use std::time::Duration;
use tokio::sync::oneshot;

const TIMEOUT: Duration = Duration::from_secs(2);
/// Most postings that wait to be accepted: what one board shows at once (docs/spec/board.md), and
/// room beside it. A board that floods pushes out its own.
const MAX_PENDING: usize = 4096;
/// How often a board is asked.
pub(crate) const POLL: Duration = Duration::from_millis(500);

/// Polls one board.
pub(crate) struct BoardPoll {
    board: BoardId,
    url: String,
    next: u64,
    /// Postings that were not accepted yet: a checkpoint or factor may still be on its way.
    pending: BTreeMap<u64, Posting>,
}

impl BoardPoll {
    /// From the board's first posting on.
    #[must_use]
    pub(crate) fn new(board: BoardId, url: String) -> Self {
        Self {
            board,
            url,
            next: 0,
            pending: BTreeMap::new(),
        }
    }

    /// Ask once and send on what the gate's own decision accepts.
    pub(crate) fn poll(
        &mut self,
        http: &dyn Http,
        shared: &Shared,
        clock: &dyn Clock,
        queue: &SyncSender<Command>,
    ) {
        if let Some(page) = self.ask(http, shared) {
            self.next = page.next;
            self.pending.extend(page.postings);
        }
        while self.pending.len() > MAX_PENDING {
            self.pending.pop_first();
        }
        let now = clock.now();
        self.pending
            .retain(|_, posting| !forward(posting, shared, now, queue));
    }

    fn ask(&mut self, http: &dyn Http, shared: &Shared) -> Option<Page> {
        let url = format!(
            "{}/postings?from={}",
            self.url.trim_end_matches('/'),
            self.next
        );
        let reply = http.get(&url, &[], MAX_PAGE as u64, TIMEOUT);
        let reply = reply
            .inspect_err(|error| tracing::warn!(%error, "a stop board"))
            .ok()?;
        if reply.status == 404 && self.next > 0 {
            tracing::error!(board = %self.board, "remembers less than it has shown: restored?");
            self.next = 0;
            return None;
        }
        let state = shared.state();
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
        Decision::Refuse { reason } if !reason.may_mend() => true,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fees::FeeTable;
    use crate::index::Index;
    use crate::sequencer::Sequencer;
    use portcullis_core::act::Scope;
    use portcullis_host::{Disk, HttpError, Reply};
    use portcullis_journal::{Directory, Journal};
    use portcullis_keeper::testkit::{CrashDisk, HandClock, Ledger, Net, World};
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, sync_channel};

    /// A gate at a journal of its own, and a board beside it.
    struct Desk {
        net: Net,
        clock: HandClock,
        shared: Arc<Shared>,
        poll: BoardPoll,
        queue: SyncSender<Command>,
        commands: Receiver<Command>,
    }

    impl Desk {
        fn new() -> Self {
            let clock = HandClock::at(World::START);
            let ledger = Ledger::new(Arc::new(World::new()), clock.clone());
            let disk: Arc<dyn Disk> = Arc::new(CrashDisk::default());
            let (store, found) = Directory::open(Arc::clone(&disk), 1 << 16).unwrap();
            let journal = Journal::open(store, &found, disk, 0).unwrap();
            let fees = FeeTable::new(&BTreeMap::new());
            let state = ledger.state.clone();
            let sequencer = Sequencer::new(journal, state, Index::default(), fees);
            let (queue, commands) = sync_channel(1 << 14);
            Self {
                net: Net::around(ledger),
                clock,
                shared: sequencer.shared(),
                poll: BoardPoll::new(World::BOARD, "http://board".into()),
                queue,
                commands,
            }
        }

        /// How many postings one look sends on.
        fn look(&mut self) -> usize {
            let (net, shared) = (&self.net, &self.shared);
            self.poll.poll(net, shared, &self.clock, &self.queue);
            self.commands.try_iter().count()
        }

        fn post(&self) {
            let mut wire = self.net.wire();
            let (act, evidence) = wire.ledger.suspension(Scope::Withdrawals);
            wire.post(Posting { act, evidence });
        }
    }

    #[test]
    fn what_is_posted_is_journaled_once() {
        let mut desk = Desk::new();
        desk.post();
        assert_eq!((desk.look(), desk.look()), (1, 0));
    }

    /// Restored from a backup, it gives old numbers to new stops.
    #[test]
    fn a_board_that_forgot_is_read_again_from_the_start() {
        let mut desk = Desk::new();
        desk.net.wire().board.lie = Some(|page| page.next = 1000);
        assert_eq!(desk.look(), 0);
        desk.net.wire().board.lie = None;
        desk.post();
        let found: usize = (0..3).map(|_| desk.look()).sum();
        assert_eq!(found, 1);
    }

    /// What no state will accept is let go at once, and what may be accepted has its bound.
    #[test]
    fn a_board_that_floods_fills_nothing() {
        let mut desk = Desk::new();
        {
            let mut wire = desk.net.wire();
            let (act, evidence) = wire.ledger.suspension(Scope::Everything);
            let mut unsigned = Posting { act, evidence };
            unsigned.evidence.requests.clear();
            wire.post(unsigned);
        }
        assert_eq!(desk.look(), 0);
        assert!(desk.poll.pending.is_empty());
        {
            let mut wire = desk.net.wire();
            let (mut act, _) = wire.ledger.suspension(Scope::Everything);
            act.checkpoint = portcullis_core::Digest([9; 32]);
            let evidence = wire.ledger.staffs_evidence(&act);
            wire.post(Posting { act, evidence });
            let one = wire.board.postings.pop().unwrap();
            wire.board.postings.clear();
            drop(wire);
            let many = (0..MAX_PENDING as u64 + 100).map(|n| (n, one.clone()));
            desk.poll.pending.extend(many);
        }
        desk.look();
        assert_eq!(desk.poll.pending.len(), MAX_PENDING);
    }

    /// Neither pages of somebody else nor silence bring or break anything.
    #[test]
    fn a_board_that_lies_brings_nothing() {
        struct Mute;
        impl Http for Mute {
            fn get(
                &self,
                url: &str,
                _: &[(&str, &str)],
                _: u64,
                _: Duration,
            ) -> Result<Reply, HttpError> {
                let (url, why) = (url.to_owned(), "mute".to_owned());
                Err(HttpError { url, why })
            }
            fn post(
                &self,
                url: &str,
                _: &[(&str, &str)],
                _: &[u8],
                _: u64,
                _: Duration,
            ) -> Result<Reply, HttpError> {
                self.get(url, &[], 0, Duration::ZERO)
            }
        }
        let lies: [fn(&mut Page); 4] = [
            |page| page.genesis = portcullis_core::Digest([9; 32]),
            |page| page.board = BoardId([9; 16]),
            |page| page.from += 1,
            |page| page.postings[0].1.evidence.posted = None,
        ];
        for lie in lies {
            let mut desk = Desk::new();
            desk.post();
            desk.net.wire().board.lie = Some(lie);
            // Without its stamp it is still an act that somebody signed.
            let sent = desk.look();
            assert!(sent <= 1);
            desk.poll
                .poll(&Mute, &desk.shared, &desk.clock, &desk.queue);
            desk.net.wire().board.lie = None;
            assert_eq!(sent + desk.look(), 1);
        }
    }
}
