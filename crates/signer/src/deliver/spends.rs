//! The same for transactions that spend coins: each batch is followed by the output that all its plans share.

use super::{Budget, Trouble, UNKNOWN_FOR};
use crate::coins::{Line, Lines};
use portcullis_chains::ChainId;
use portcullis_chains::bitcoin::{SignedTx, Standing as Planned};
use portcullis_core::state::batch::transaction_id;
use portcullis_core::statement::Says;
use portcullis_core::{Digest, Span, Time};
use portcullis_node::bitcoin::{Mined, Observation, Sent, Standing, TrackError, Tracker};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How often one batch is looked for; blocks come far apart.
const LOOK_EVERY: Span = Span::seconds(2);

/// How long nodes may find a transaction too cheap before somebody hears of it.
const CHEAP_FOR: Span = Span::seconds(300);

/// All batches on their way, by their leaders, and the nodes that they go through.
pub(crate) struct Spends {
    lines: Lines,
    followed: BTreeMap<Digest, Followed>,
}

/// A batch, with everything that was signed for it.
struct Followed {
    chain: ChainId,
    tracker: Tracker,
    look_at: Time,
    unknown_since: Option<Time>,
    /// Since when nodes have not taken the newest transaction for its fee.
    cheap_since: Option<Time>,
}

/// A signed plan of a batch.
pub(crate) struct SignedSpend {
    pub(crate) chain: ChainId,
    pub(crate) planned: Planned,
    pub(crate) tx: SignedTx,
}

impl Spends {
    pub(crate) fn new(lines: Lines) -> Self {
        Self {
            lines,
            followed: BTreeMap::new(),
        }
    }

    /// Follow a signed transaction, in the place of what was signed for its batch before.
    pub(crate) fn follow(&mut self, leader: Digest, signed: SignedSpend) -> Result<(), TrackError> {
        let SignedSpend { chain, planned, tx } = signed;
        if let Some(known) = self.followed.get_mut(&leader) {
            if known.tracker.newest().txid() == tx.txid() {
                return Ok(());
            }
            known.look_at = Time(0);
            return known.tracker.replace(&planned, tx);
        }
        let line = self.lines.of(chain);
        let confirmations = line.map_or(1, |line| line.confirmations);
        let followed = Followed {
            chain,
            tracker: Tracker::new(&planned, tx, confirmations)?,
            look_at: Time(0),
            unknown_since: None,
            cheap_since: None,
        };
        self.followed.insert(leader, followed);
        Ok(())
    }

    /// Follow what was signed for a batch before, and may have left, without ever sending it again.
    pub(crate) fn also(&mut self, leader: Digest, signed: SignedSpend) -> Result<(), TrackError> {
        match self.followed.get_mut(&leader) {
            Some(known) => known.tracker.also(&signed.planned),
            None => self.follow(leader, signed),
        }
    }

    /// Stop following what has ended.
    pub(crate) fn forget(&mut self, leader: &Digest) {
        self.followed.remove(leader);
    }

    /// Stop following all but what goes on.
    pub(crate) fn keep(&mut self, goes_on: impl Fn(&Digest) -> bool) {
        self.followed.retain(|leader, _| goes_on(leader));
    }

    /// Send what is due, at most `most`. `may_leave` is asked anew for each.
    pub(crate) fn send(
        &mut self,
        now: Time,
        budget: &Budget<'_>,
        most: usize,
        may_leave: impl Fn(&Digest, &SignedTx) -> bool,
    ) -> Vec<Trouble> {
        let mut trouble = Vec::new();
        let is_due = |it: &Followed| it.tracker.due().is_some_and(|at| at <= now);
        let followed = self.followed.iter_mut();
        let due =
            followed.filter(|(leader, it)| is_due(it) && may_leave(leader, it.tracker.newest()));
        for (leader, it) in due.take(most) {
            let Some(line) = self.lines.of(it.chain).filter(|_| budget.lasts()) else {
                continue;
            };
            trouble.extend(it.send(*leader, line, now));
        }
        trouble
    }

    /// Look for what is due, at most `most`, and say what is final.
    pub(crate) fn look(
        &mut self,
        now: Time,
        budget: &Budget<'_>,
        most: usize,
    ) -> (Vec<Says>, Vec<Trouble>) {
        let (mut says, mut trouble) = (Vec::new(), Vec::new());
        let followed = self.followed.iter_mut();
        let mut due: Vec<_> = followed.filter(|(_, it)| it.look_at <= now).collect();
        // Whoever was looked at longest ago comes first.
        due.sort_by_key(|(_, it)| it.look_at);
        for (leader, it) in due.into_iter().take(most) {
            let Some(line) = self.lines.of(it.chain).filter(|_| budget.lasts()) else {
                continue;
            };
            let tracker = &it.tracker;
            let seen = line.ask(now, |node| node.look(tracker.shared(), &tracker.txids()));
            if let Some(seen) = seen {
                it.look_at = now.after(LOOK_EVERY);
                let (said, heard) = it.observe(*leader, &seen, now);
                says.extend(said);
                trouble.extend(heard);
            }
        }
        (says, trouble)
    }
}

impl Followed {
    fn send(&mut self, leader: Digest, line: &Arc<Line>, now: Time) -> Option<Trouble> {
        let tx = self.tracker.newest();
        let sent = line.ask(now, |node| Ok(node.send(tx)))?;
        tracing::info!(act = %leader, ?sent, "broadcast");
        self.tracker.sent(now);
        let is_cheap = sent == Sent::Underpriced;
        self.cheap_since = is_cheap.then(|| self.cheap_since.unwrap_or(now));
        match sent {
            Sent::Refused { message, .. } => Some(Trouble {
                act: leader,
                name: "broadcast-refused",
                text: format!("the node refuses the transaction: {message}"),
            }),
            Sent::Unknown(_) => {
                line.fail(now);
                None
            }
            Sent::Underpriced => {
                let since = self.cheap_since.unwrap_or(now);
                let text = "nodes keep an earlier transaction of the batch and do not take this one for its fee: \
                            whoever is given up by it may be paid all the same";
                let lasts = now.since(since) >= CHEAP_FOR;
                lasts.then(|| trouble(leader, "broadcast-underpriced", text))
            }
            // A look tells what became of its inputs, and whether another of the batch is in the chain.
            Sent::Accepted | Sent::AlreadyMined | Sent::InputsGone => None,
        }
    }

    /// What can be stated, and what an operator must hear.
    fn observe(
        &mut self,
        leader: Digest,
        seen: &Observation,
        now: Time,
    ) -> (Option<Says>, Option<Trouble>) {
        let standing = self.tracker.observe(seen);
        let is_unknown = standing == Standing::Unknown;
        self.unknown_since = is_unknown.then(|| self.unknown_since.unwrap_or(now));
        match standing {
            Standing::Settled(mined) => (Some(confirmed(leader, &mined)), None),
            Standing::Conflicted { .. } => {
                let text = "an input of the transaction is spent by another in the chain: the \
                            release has to be given up, or its fee raised";
                (None, Some(trouble(leader, "input-spent-elsewhere", text)))
            }
            Standing::Unknown => {
                let since = self.unknown_since.unwrap_or(now);
                let lasts = now.since(since) >= UNKNOWN_FOR;
                let text = "the shared input is spent by no transaction of ours: who else has the \
                            wallet's keys?";
                let told = lasts.then(|| trouble(leader, "nonce-used-elsewhere", text));
                (None, told)
            }
            Standing::Pending { .. } | Standing::Mined(_) => (None, None),
        }
    }
}

fn confirmed(act: Digest, mined: &Mined) -> Says {
    Says::Confirmed {
        act,
        transaction: transaction_id(mined.txid),
        block: mined.block.number,
        block_hash: Digest(mined.block.hash),
    }
}

fn trouble(act: Digest, name: &'static str, text: &str) -> Trouble {
    let text = text.to_owned();
    Trouble { act, name, text }
}
