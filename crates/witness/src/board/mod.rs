//! The stop board: takes restricting acts from anybody, stamps them and shows them.
//!
//! It decides nothing, for it has no state to decide by. What it refuses, no network could accept, or
//! it has no room for; what it stamps is kept and shown until no state could accept it any more.

mod bounds;
mod frame;
mod pages;
mod posting;
mod store;

use crate::page::LinkPage;
use crate::response::Response;
use bounds::{Bounds, Share};
use pages::Pages;
use portcullis_core::board::{Page, Posting, SignedPage};
use portcullis_core::codec::encode;
use portcullis_core::evidence::Stamp;
use portcullis_core::id::BoardId;
use portcullis_core::{Digest, Network, Reason, Span, Time};
use portcullis_host::{Clock, Disk};
use portcullis_keys::{SignError, StatementKey};
pub use posting::Refusal;
use std::collections::BTreeMap;
use std::sync::Arc;
pub use store::StoreError;
use store::{Kept, Store};

/// How long a posting is shown. An act counts as submitted at its stamp, however late it is taken,
/// and names a checkpoint; no state remembers that checkpoint for longer than this.
pub const SHOWN_FOR: Span = Span::hours(24);

/// Postings on one page stop at this many bytes; a reader asks again from there. Well below
/// [`portcullis_core::board::MAX_PAGE`], so that whoever asks for everything costs little.
const PAGE_BYTES: usize = 256 * 1024;

/// A stop board that genesis names.
pub struct Board {
    network: Arc<Network>,
    id: BoardId,
    key: Box<dyn StatementKey>,
    clock: Arc<dyn Clock>,
    store: Store,
    live: BTreeMap<u64, Kept>,
    /// The live postings by the digest of what was posted, so that the same one is taken once.
    known: BTreeMap<Digest, u64>,
    bounds: Bounds,
    pages: Pages,
    link_page: Option<LinkPage>,
    /// The latest time that was signed: the board's time never goes back behind it.
    time: Time,
    stopped: bool,
}

/// Genesis does not know the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the genesis names no stop board with this key: check `key` and the genesis file")]
pub struct NotABoard;

/// Why there is no board.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// The key.
    #[error(transparent)]
    Key(#[from] NotABoard),
    /// What was posted.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Board {
    /// Makes the store of a board that has never run.
    pub fn create(
        network: &Network,
        key: &dyn StatementKey,
        disk: &dyn Disk,
    ) -> Result<(), BoardError> {
        let id = find(network, key)?;
        Ok(Store::create(
            disk,
            store::Binding::new(network.digest(), id),
        )?)
    }

    /// A board with everything that it has shown so far.
    pub fn open(
        network: Arc<Network>,
        key: Box<dyn StatementKey>,
        clock: Arc<dyn Clock>,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, BoardError> {
        let id = find(&network, key.as_ref())?;
        let binding = store::Binding::new(network.digest(), id);
        let (store, kept) = Store::open(disk, binding)?;
        let bounds = Bounds::new(network.genesis());
        let link_page = LinkPage::new(&network, None);
        let mut board = Self {
            network,
            id,
            key,
            clock,
            store,
            live: BTreeMap::new(),
            known: BTreeMap::new(),
            bounds,
            pages: Pages::default(),
            link_page,
            time: Time::default(),
            stopped: false,
        };
        for kept in kept {
            board.time = board.time.max(kept.time());
            board.show(kept);
        }
        Ok(board)
    }

    /// The same, with the platform's own name on the page behind links.
    #[must_use]
    pub fn of_platform(mut self, name: &str) -> Self {
        self.link_page = LinkPage::new(&self.network, Some(name));
        self
    }

    /// The page behind the links in the herald's notices; none where genesis has no herald.
    pub(crate) fn link_page(&self) -> Option<LinkPage> {
        self.link_page.clone()
    }

    /// Answers the body of `POST /postings`.
    pub fn post(&mut self, body: &[u8]) -> Response {
        match self.take(body) {
            Ok(stamp) => created(&stamp),
            Err(refusal) => {
                tracing::debug!(%refusal, "not taken");
                refusal.response()
            }
        }
    }

    /// Answers `GET /postings?from=N`.
    pub fn page(&mut self, from: u64) -> Response {
        if self.stopped {
            return Refusal::Stopped.response();
        }
        if from > self.store.next() {
            let detail = format!(
                "no posting has a number of {} or above yet",
                self.store.next()
            );
            return Response::refused_because(404, Reason::NotFound, &detail);
        }
        let now = self.now();
        if let Some(page) = self.pages.find(from, now) {
            return Response::new(200, "application/cbor", page);
        }
        match self.sign_page(from, now) {
            Ok(page) => {
                self.pages.keep(from, now, page.clone());
                Response::new(200, "application/cbor", page)
            }
            Err(error) => Refusal::Key(error).response(),
        }
    }

    /// Whether the disk failed: nothing more is taken or shown before a new start.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    fn take(&mut self, body: &[u8]) -> Result<Stamp, Refusal> {
        if self.stopped {
            return Err(Refusal::Stopped);
        }
        let now = self.now();
        let posting = posting::parse(body, self.network.digest())?;
        let posted = Digest::plain(&encode(&posting));
        if let Some(stamp) = self.stamp_of(posted) {
            return Ok(stamp);
        }
        posting::check_life(&posting, now)?;
        let share = self.bounds.admit(&posting, now)?;
        self.keep(posting, posted, share, now)
    }

    /// The same posting has one stamp. Another posting of the same act has a stamp of its own:
    /// otherwise whoever posts an act first, with evidence that does not hold, would keep the
    /// evidence that does from being shown.
    fn stamp_of(&self, posted: Digest) -> Option<Stamp> {
        let number = self.known.get(&posted)?;
        self.live.get(number)?.posting.evidence.posted.clone()
    }

    fn keep(
        &mut self,
        mut posting: Posting,
        posted: Digest,
        share: Share,
        now: Time,
    ) -> Result<Stamp, Refusal> {
        let stamp = self.stamp(posting.act.digest(), now)?;
        posting.evidence.posted = Some(stamp.clone());
        self.store.make_room(self.live.values())?;
        // From here to its return the disk may hold the posting or not: an error stops the board, and
        // the next start finds out.
        self.stopped = true;
        let kept = self.store.append(posting, posted, share)?;
        self.stopped = false;
        tracing::info!(
            number = kept.number,
            act = %kept.posting.act.digest(),
            kind = kept.posting.act.kind.name(),
            "posted"
        );
        self.bounds.count(share, now);
        self.show(kept);
        Ok(stamp)
    }

    fn stamp(&self, act: Digest, time: Time) -> Result<Stamp, Refusal> {
        let signature = self.key.sign(&Stamp::signed_bytes(self.id, act, time))?;
        Ok(Stamp {
            board: self.id,
            time,
            signature,
        })
    }

    fn show(&mut self, kept: Kept) {
        self.bounds.enter(kept.share);
        self.known.insert(kept.posted, kept.number);
        self.live.insert(kept.number, kept);
        self.pages.forget();
    }

    /// The board's time; postings that have expired by then are gone when this returns. Their stamps'
    /// times ascend with their numbers.
    fn now(&mut self) -> Time {
        self.time = self.time.max(self.clock.now());
        while let Some(oldest) = self.live.first_entry() {
            if oldest.get().time().after(SHOWN_FOR) > self.time {
                break;
            }
            let gone = oldest.remove();
            self.known.remove(&gone.posted);
            self.bounds.leave(gone.share);
            self.pages.forget();
        }
        self.time
    }

    fn sign_page(&self, from: u64, time: Time) -> Result<Vec<u8>, SignError> {
        let (postings, next) = self.postings(from);
        let page = Page {
            genesis: self.network.digest(),
            board: self.id,
            time,
            from,
            next,
            more: next < self.store.next(),
            postings,
        };
        let signature = self.key.sign(&page.signed_bytes())?;
        Ok(encode(&SignedPage { page, signature }))
    }

    /// The postings that fit on one page, and the number to ask from next.
    fn postings(&self, from: u64) -> (Vec<(u64, Posting)>, u64) {
        let mut postings = Vec::new();
        let mut bytes = 0;
        for (number, kept) in self.live.range(from..) {
            bytes += kept.size;
            if bytes > PAGE_BYTES && !postings.is_empty() {
                return (postings, *number);
            }
            postings.push((*number, kept.posting.clone()));
        }
        (postings, self.store.next())
    }
}

fn find(network: &Network, key: &dyn StatementKey) -> Result<BoardId, NotABoard> {
    let mut boards = network.genesis().boards.iter();
    let board = boards.find(|board| board.key == *key.public_key());
    board.map(|board| board.id).ok_or(NotABoard)
}

fn created(stamp: &Stamp) -> Response {
    match serde_json::to_vec(stamp) {
        Ok(body) => Response::new(201, "application/json", body),
        Err(error) => Response::problem(500, "Internal Server Error", &error.to_string()),
    }
}
