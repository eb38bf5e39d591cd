//! One board: asked, believed only under its key and while its page is fresh.

use crate::follow::SKEW;
use crate::machine::Machine;
use portcullis_core::board::{MAX_PAGE, PAGE_FRESH, Page, PageFault, Posting, SignedPage};
use portcullis_core::id::BoardId;
use portcullis_core::signature::Strict;
use portcullis_core::{Span, State, Time};
use portcullis_host::HttpError;
use std::time::Duration;

/// How often a board is asked. Its page serves for [`PAGE_FRESH`].
const EVERY: Span = Span(500);
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Board {
    id: BoardId,
    url: String,
    /// The number of the next posting.
    next: u64,
    /// The time of the last page that showed everything.
    page: Option<Time>,
    due: Time,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
enum NoPage {
    #[error("no such board in genesis")]
    Unknown,
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("status {0}")]
    Status(u16),
    #[error("it never gave out the number that it is asked from")]
    Forgot,
    #[error(transparent)]
    Page(#[from] PageFault),
}

impl Board {
    pub(super) fn new(id: BoardId, url: String) -> Self {
        Self {
            id,
            url,
            next: 0,
            page: None,
            due: Time(0),
        }
    }

    pub(super) fn id(&self) -> BoardId {
        self.id
    }

    /// Ask, if it is time. Gives new postings that could bind.
    pub(super) fn poll(&mut self, machine: &Machine, state: &State, now: Time) -> Vec<Posting> {
        if now < self.due {
            return Vec::new();
        }
        self.due = now.after(EVERY);
        match self.ask(machine, state) {
            Ok(page) => self.take(page, state, now),
            Err(NoPage::Forgot) => {
                tracing::error!(board = %self.id, "remembers less than it has shown: restored?");
                self.next = 0;
                Vec::new()
            }
            Err(why) => {
                tracing::debug!(board = %self.id, %why, "no page");
                Vec::new()
            }
        }
    }

    fn ask(&self, machine: &Machine, state: &State) -> Result<Page, NoPage> {
        let url = format!("{}/postings?from={}", self.url, self.next);
        let network = state.network();
        let key = network.board(self.id).ok_or(NoPage::Unknown)?;
        let reply = machine.http.get(&url, &[], MAX_PAGE as u64, PATIENCE);
        let reply = reply?;
        match reply.status {
            200 => {}
            404 => return Err(NoPage::Forgot),
            status => return Err(NoPage::Status(status)),
        }
        let question = (network.digest(), self.id, self.next);
        Ok(SignedPage::open(&reply.body, question, key, &Strict)?)
    }

    fn take(&mut self, page: Page, state: &State, now: Time) -> Vec<Posting> {
        self.next = page.next;
        if page.more {
            // Only the page that shows the end shows that there is no stop behind it.
            self.due = Time(0);
        } else if page.time <= now.after(SKEW) {
            // A time that has not come would outlast every honest page behind it.
            self.page = self.page.max(Some(page.time));
        }
        let postings = page.postings.into_iter().map(|(_, posting)| posting);
        postings
            .filter(|posting| posting.could_count(self.id, state.network(), &Strict))
            .collect()
    }

    pub(super) fn fresh_until(&self, now: Time) -> Option<Time> {
        let page = self.page?;
        let until = page.after(PAGE_FRESH);
        // The own clock may have been set back since.
        (until >= now && page <= now.after(SKEW)).then_some(until)
    }
}
