//! A stop board: the production one behind its own router, or one that lies.

use super::Common;
use crate::clock::SimClock;
use crate::disk::SimDisk;
use crate::server::ask;
use crate::setting;
use crate::wire::Message;
use axum::Router;
use portcullis_core::board::{Page, SignedPage};
use portcullis_core::codec::encode;
use portcullis_core::{Span, Time};
use portcullis_host::{Clock as _, Reply};
use portcullis_keeper::testkit::World;
use portcullis_keys::StatementKey as _;
use portcullis_witness::{Board, Roles, router};
use std::sync::Arc;
use tokio::sync::Notify;

/// How a board lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoardLie {
    /// It shows that nothing was posted.
    Hides,
    /// It says that it has numbered far beyond what it has.
    RunsAhead,
    /// It never gave out a number.
    Forgets,
    /// Its pages are from the past.
    Stale,
    /// Its pages are from the future.
    Future,
    /// Somebody else signs.
    Unsigned,
    /// It does not answer.
    Silent,
}

impl BoardLie {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Hides,
        Self::RunsAhead,
        Self::Forgets,
        Self::Stale,
        Self::Future,
        Self::Unsigned,
        Self::Silent,
    ];
}

/// A board's machine.
pub struct BoardHost {
    common: Common,
    number: usize,
    /// Its disk.
    pub disk: SimDisk,
    /// Its clock.
    pub clock: SimClock,
    router: Option<Router>,
    lie: Option<BoardLie>,
}

impl BoardHost {
    pub(super) fn new(common: &Common, number: usize) -> Self {
        let name = format!("board-{number}");
        let disk = SimDisk::new(&name, common.dice.of(&name), common.chronicle.clone());
        let clock = SimClock::right(&common.time);
        let key = World::key(&setting::board(number).0);
        Board::create(&common.world.network, &key, &disk).expect("a new disk");
        let mut host = Self {
            common: common.clone(),
            number,
            disk,
            clock,
            router: None,
            lie: None,
        };
        host.start();
        host
    }

    /// It lies from here on, or is honest again.
    pub fn set_lie(&mut self, lie: Option<BoardLie>) {
        self.lie = lie;
    }

    /// The process ends, whatever it was doing.
    pub fn stop(&mut self) {
        self.router = None;
    }

    /// Whether it runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.router.is_some()
    }

    /// Start, or start again.
    pub fn start(&mut self) {
        self.disk.revive();
        let key = Box::new(World::key(&setting::board(self.number).0));
        let (clock, disk) = (Arc::new(self.clock.clone()), Arc::new(self.disk.clone()));
        match Board::open(self.common.world.network.clone(), key, clock, disk) {
            Ok(board) => {
                let roles = Roles {
                    witness: None,
                    board: Some(board),
                };
                self.router = Some(router(roles, &Arc::new(Notify::new())));
            }
            // There is no room; whoever watches tries again.
            Err(error) if self.disk.is_full() => {
                self.common.chronicle.note("board: no start", error);
            }
            Err(error) => {
                let who = format!("board {}", self.number);
                self.common.does_not_start(who, error);
            }
        }
    }

    pub(super) fn answer(&mut self, message: &Message) -> Option<Reply> {
        if let Some(lie) = self.lie.filter(|_| !message.is_post) {
            return self.answer_falsely(lie, message);
        }
        if self.lie == Some(BoardLie::Silent) {
            return None;
        }
        let router = self.router.as_ref()?;
        let reply = self.common.runtime.block_on(ask(router, "board", message));
        if self.disk.is_dead() {
            self.stop();
            return None;
        }
        let reply = reply?;
        if reply.status == 503 {
            // It has stopped after a disk error; whoever watches starts it again.
            self.stop();
        }
        Some(reply)
    }

    fn answer_falsely(&self, lie: BoardLie, message: &Message) -> Option<Reply> {
        self.common
            .chronicle
            .count(&format!("lie of a board: {lie:?}"));
        let from = message.target.split_once("from=")?.1.parse().ok()?;
        let now = self.clock.now();
        let (time, next) = match lie {
            BoardLie::Hides | BoardLie::Unsigned => (now, from),
            BoardLie::RunsAhead => (now, 1 << 40),
            BoardLie::Stale => (now.before(Span::seconds(90)), from),
            BoardLie::Future => (now.after(Span::seconds(90)), from),
            BoardLie::Forgets => {
                return Some(Reply {
                    status: 404,
                    body: Vec::new(),
                });
            }
            BoardLie::Silent => return None,
        };
        let signer = match lie {
            BoardLie::Unsigned => World::LEDGER.0,
            _ => setting::board(self.number).0,
        };
        Some(self.page(from, next, time, &signer))
    }

    fn page(&self, from: u64, next: u64, time: Time, signer: &[u8; 16]) -> Reply {
        let page = Page {
            genesis: self.common.world.digest(),
            board: setting::board(self.number),
            time,
            from,
            next: next.max(from),
            more: false,
            postings: Vec::new(),
        };
        let signature = World::key(signer).sign(&page.signed_bytes());
        let signature = signature.expect("a software key signs");
        Reply {
            status: 200,
            body: encode(&SignedPage { page, signature }),
        }
    }
}
