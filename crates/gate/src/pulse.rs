//! The journal's pulse: every durable head is cosigned, every second again, and shown.

use crate::cosign::{CosignError, Witnesses};
use crate::published::Witnessed;
use crate::sequencer::Shared;
use portcullis_core::state::Signatories;
use portcullis_core::{Digest, State};
use portcullis_host::Told;
use portcullis_journal::Projection;
use portcullis_tlog::TreeHead;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How often an idle journal's newest checkpoint is cosigned again.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How often the tlog-tiles files are brought up to date.
const PROJECT: Duration = Duration::from_millis(500);
/// How long to wait after witnesses have not answered.
const AGAIN: Duration = Duration::from_millis(200);

/// A durable head, and the running digest of effects of the state that stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) head: TreeHead,
    pub(crate) effects: Digest,
}

/// Where the journal ends, and whose signatures it is to have.
#[derive(Clone, Debug)]
pub(crate) struct Durable {
    standing: Standing,
    asked: Asked,
}

/// Which head is to be cosigned, and by whom.
#[derive(Clone, Debug)]
enum Asked {
    /// The newest, by those in force.
    Newest(Signatories),
    /// The last of those of before, until the journal has it.
    Handover(TreeHead, Signatories),
}

impl Durable {
    /// Where a journal ends of which this is the state.
    ///
    /// Until the journal has the last checkpoint of those of before, nothing that is longer is signed, and
    /// nobody is asked for it. A crash before it is durable leaves witnesses that have cosigned no more, and can be asked for
    /// that again; they would refuse once they had.
    pub(crate) fn of(state: &State) -> Self {
        let log = &state.facts().log;
        let (head, effects) = (log.head(), state.facts().effects);
        let handover = state.handing_over();
        let handover = handover.and_then(|last| Some((log.head_at(last)?, last)));
        let asked = match handover {
            Some((head, last)) => Asked::Handover(head, state.signatories_at(last).clone()),
            None => Asked::Newest(state.signatories_at(head.size).clone()),
        };
        let standing = Standing { head, effects };
        Self { standing, asked }
    }
}

/// The newest durable head, for the thread that has it cosigned.
pub(crate) struct Heads {
    newest: Mutex<Durable>,
    grew: Condvar,
    /// The newest that was cosigned.
    cosigned: Mutex<Option<(Standing, Witnessed)>>,
}

impl Heads {
    pub(crate) fn new(durable: Durable) -> Self {
        Self {
            newest: Mutex::new(durable),
            grew: Condvar::new(),
            cosigned: Mutex::new(None),
        }
    }

    pub(crate) fn show(&self, durable: Durable) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.standing != durable.standing {
            *newest = durable;
            self.grew.notify_all();
        }
    }

    fn newest(&self) -> Durable {
        let newest = self.newest.lock();
        newest.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The newest cosigned head of this process, with what its state came to there.
    pub(crate) fn cosigned(&self) -> Option<(Standing, Witnessed)> {
        let cosigned = self.cosigned.lock();
        cosigned.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn note_cosigned(&self, standing: Standing, witnessed: Witnessed) {
        let mut cosigned = self.cosigned.lock().unwrap_or_else(PoisonError::into_inner);
        *cosigned = Some((standing, witnessed));
    }

    /// Waits for a head other than `last`, or for a heartbeat.
    fn wait(&self, last: Option<TreeHead>) {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |newest: &mut Durable| Some(newest.standing.head) == last;
        drop(self.grew.wait_timeout_while(newest, HEARTBEAT, same));
    }
}

/// Has the newest head cosigned.
pub struct Pulse {
    witnesses: Witnesses,
    heads: Arc<Heads>,
    shared: Arc<Shared>,
}

impl Pulse {
    pub(crate) fn new(witnesses: Witnesses, heads: Arc<Heads>, shared: Arc<Shared>) -> Self {
        Self {
            witnesses,
            heads,
            shared,
        }
    }

    /// Have the newest durable head cosigned and show it. Gives the head.
    pub fn beat(&mut self) -> Result<TreeHead, CosignError> {
        let Durable { standing, asked } = self.heads.newest();
        let witnessed = match asked {
            Asked::Newest(by) => {
                let witnessed = self.witnesses.cosign(standing.head, &by)?;
                self.heads.note_cosigned(standing, witnessed.clone());
                witnessed
            }
            Asked::Handover(last, by) => self.witnesses.cosign(last, &by)?,
        };
        self.shared.published.show(witnessed);
        Ok(standing.head)
    }

    /// Beat for ever, with each witness on a thread of its own.
    pub(crate) fn run(mut self) {
        self.witnesses = self.witnesses.on_threads();
        let (mut last, mut is_witnessed) = (None, Told::default());
        loop {
            self.heads.wait(last);
            match self.beat() {
                Ok(head) => {
                    last = Some(head);
                    if is_witnessed.is_news(true) {
                        tracing::info!("a quorum of witnesses cosigns");
                    }
                }
                Err(error) => {
                    if is_witnessed.is_news(false) {
                        tracing::warn!(%error, "no quorum of witnesses");
                    }
                    std::thread::sleep(AGAIN);
                }
            }
        }
    }
}

/// Keeps the tlog-tiles files up to date.
pub struct Projector {
    projection: Projection,
    shared: Arc<Shared>,
    shown: Option<TreeHead>,
}

impl Projector {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            projection: Projection::new(Arc::clone(&shared.view)),
            shared,
            shown: None,
        }
    }

    /// Bring the files up to the newest cosigned head, where they are behind it.
    pub fn project(&mut self) {
        let newest = self.shared.published.newest();
        let Some(newest) = newest.filter(|newest| self.shown != Some(newest.head)) else {
            return;
        };
        match self.projection.publish(newest.head.size, &newest.note) {
            Ok(()) => self.shown = Some(newest.head),
            // Nothing depends on the files while the gate runs; the next round tries again.
            Err(error) => tracing::warn!(%error, "cannot write the tlog-tiles files"),
        }
    }

    /// Project for ever. Whoever ends the gate projects once more.
    pub(crate) fn run(shared: &Mutex<Self>) {
        loop {
            std::thread::sleep(PROJECT);
            Self::once(shared);
        }
    }

    /// Project what a quorum has cosigned by now.
    pub(crate) fn once(shared: &Mutex<Self>) {
        let projector = shared.lock();
        projector.unwrap_or_else(PoisonError::into_inner).project();
    }
}
