//! The journal's pulse: every durable head is cosigned, every second again, and shown.

use crate::cosign::Witnesses;
use crate::sequencer::Shared;
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

/// The newest durable head, for the thread that has it cosigned.
pub(crate) struct Heads {
    newest: Mutex<TreeHead>,
    grew: Condvar,
}

impl Heads {
    pub(crate) fn new(head: TreeHead) -> Self {
        Self {
            newest: Mutex::new(head),
            grew: Condvar::new(),
        }
    }

    pub(crate) fn show(&self, head: TreeHead) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if *newest != head {
            *newest = head;
            self.grew.notify_all();
        }
    }

    /// A head other than `last`, or the same after a heartbeat.
    fn next(&self, last: Option<TreeHead>) -> TreeHead {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |head: &mut TreeHead| Some(*head) == last;
        let waited = self.grew.wait_timeout_while(newest, HEARTBEAT, same);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Have the newest head cosigned, for ever.
pub(crate) fn cosign(witnesses: &Witnesses, heads: &Heads, shared: &Shared) {
    let mut last = None;
    loop {
        let head = heads.next(last);
        match witnesses.cosign(head) {
            Ok(witnessed) => {
                shared.published.show(witnessed);
                last = Some(head);
            }
            Err(error) => {
                tracing::warn!(%error, "no quorum");
                std::thread::sleep(AGAIN);
            }
        }
    }
}

/// Keep the tlog-tiles files up to date, for ever.
pub(crate) fn project(shared: &Shared) {
    let mut projection = Projection::new(Arc::clone(&shared.view));
    let mut shown = None;
    loop {
        std::thread::sleep(PROJECT);
        let Some(newest) = shared.published.newest() else {
            continue;
        };
        if shown == Some(newest.head) {
            continue;
        }
        match projection.publish(newest.head.size, &newest.note) {
            Ok(()) => shown = Some(newest.head),
            // Nothing depends on the files while the gate runs; the next round tries again.
            Err(error) => tracing::warn!(%error, "cannot write the tlog-tiles files"),
        }
    }
}
