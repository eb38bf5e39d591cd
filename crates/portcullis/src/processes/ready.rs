//! Whether a network's processes answer.

use crate::failure::Failure;
use crate::folder::Folder;
use crate::reach::{Reach, ReachArgs};
use portcullis_core::Span;
use std::path::Path;
use std::sync::Arc;

/// How old the newest cosignature may be.
const FRESH: Span = Span::seconds(3);

/// Asks all that can be asked. The signer listens nowhere.
#[derive(Clone)]
pub(super) struct Probe(Arc<Reach>);

impl Probe {
    pub(super) fn open(folder: &Folder, test_clock: Option<&Path>) -> Result<Self, Failure> {
        let args = ReachArgs::folder(folder.path(), test_clock);
        Ok(Self(Arc::new(args.open()?)))
    }

    /// Whether the network's signer gives mandates.
    pub(super) fn by_mandate(&self) -> bool {
        let mut wallets = self.0.network.genesis().wallets.iter();
        wallets.any(|wallet| wallet.mandate.is_some())
    }

    /// Whether the gate is witnessed and every stop board shows its page.
    pub(super) fn all_answer(&self) -> bool {
        let reach = &self.0;
        let now = reach.machine.clock.now();
        let status = reach.gate.status().ok();
        let witnessed = status.and_then(|status| status.witnessed_at);
        let is_witnessed = witnessed.is_some_and(|time| now.since(time) <= FRESH);
        is_witnessed
            && reach
                .boards
                .iter()
                .all(|board| board.page(&reach.network, 0).is_ok())
    }
}
