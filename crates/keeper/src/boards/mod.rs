//! The stop boards: what somebody has posted binds on sight, before any gate has journaled it.
//!
//! A posting binds only if it carries full evidence, was unexpired at the board's signed time, and
//! this keeper's own `decide` accepts it on its own replica. It binds until its act id is journaled:
//! a gate that leaves it out stops nothing by that. A gate that leaves it out for 60 seconds, while
//! it could have taken it, is hostile or broken, and the keeper latches.
//!
//! An act may name the newest cosigned head before the journal has it as an entry. Such a posting
//! bars; the seconds count only once the journal has that checkpoint, since without it no gate could
//! have taken the act (docs/design/027).

mod bars;
mod board;
mod waiting;

pub use bars::Bars;
use board::Board;
use waiting::{Name, Waiting};

use crate::follow::{Follower, Seen};
use crate::machine::Machine;
use portcullis_core::board::{COUNTS_FOR, Posting, may_mend};
use portcullis_core::decide::{Cosigned, decide_with};
use portcullis_core::effect::Effect;
use portcullis_core::id::BoardId;
use portcullis_core::signature::Strict;
use portcullis_core::{Decision, Digest, Reason, Span, State, Time};
use std::collections::BTreeMap;

/// How long a gate may leave a binding posting out of the journal, while its cosignatures are fresh.
const WITHHELD: Span = Span::seconds(60);
/// The most that one step counts for: a machine that slept is not a gate that withheld.
const STEP: Span = Span::seconds(3);
/// Reasons from here on are about the act and the state of things; below, about its journaling.
const ABOUT_THE_ACT: u16 = Reason::UnknownAccount.number();

/// All stop boards of the network, and what stands on them.
pub struct Boards {
    machine: Machine,
    polled: Vec<Board>,
    /// Not accepted so far: the replica may still be behind what they speak of. Each board has a queue
    /// of its own, so that a flood on one crowds nothing out of another's.
    waiting: BTreeMap<BoardId, Waiting>,
    bound: BTreeMap<Digest, Bound>,
    /// The newest cosigned head at the last step.
    newest: Option<Cosigned>,
    last_step: Time,
}

/// What a look at the boards brought.
#[derive(Debug, Default)]
pub struct Found {
    /// Postings that were shown for the first time.
    pub postings: Vec<Posting>,
    /// Acts that the gate withholds.
    pub withheld: Vec<Digest>,
}

/// A posting that binds.
#[derive(Clone, Debug)]
pub struct Bound {
    posting: Posting,
    /// The size of the journal when it was first seen to bind.
    since: u64,
    /// For how long the gate could have journaled it.
    withheld: Span,
    /// The cosigned head that it names, where the journal did not have it at first sight.
    named: Option<Cosigned>,
    /// What it would change, and on a journal of what size. `None` where it cannot be journaled any
    /// more.
    judged: (u64, Option<Vec<Effect>>),
}

impl Boards {
    /// The boards of the network at these addresses.
    #[must_use]
    pub fn new(machine: Machine, state: &State, urls: &BTreeMap<BoardId, String>) -> Self {
        let boards = state.network().genesis().boards.iter().map(|board| {
            // A board without an address is never fresh: the keeper waits.
            Board::new(board.id, urls.get(&board.id).cloned().unwrap_or_default())
        });
        Self {
            machine,
            polled: boards.collect(),
            waiting: BTreeMap::new(),
            bound: BTreeMap::new(),
            newest: None,
            last_step: Time(0),
        }
    }

    /// Ask every board that is due, and decide what binds, now that these entries were applied.
    pub fn step(&mut self, follower: &Follower, applied: &[Seen]) -> Found {
        let state = follower.state();
        let now = self.machine.watch.now();
        let newest = newest(follower);
        self.review(state, now);
        let machine = &self.machine;
        let pages = self
            .polled
            .iter_mut()
            .map(|board| board.poll(machine, state, now));
        let postings: Vec<Posting> = pages.flatten().collect();
        self.touch(newest, applied);
        let queues = self.waiting.values_mut();
        let again: Vec<Posting> = queues.flat_map(|queue| queue.due(state, now)).collect();
        for posting in again.into_iter().chain(postings.iter().cloned()) {
            self.take(posting, state, newest);
        }
        let could_journal = follower.acting_head(now).is_some();
        let withheld = self.count(state, could_journal, now);
        Found { postings, withheld }
    }

    /// What waits for something that has come is looked at again.
    fn touch(&mut self, newest: Option<Cosigned>, applied: &[Seen]) {
        let head = newest.filter(|_| newest != self.newest);
        self.newest = newest;
        let changes = applied.iter().flat_map(|seen| &seen.applied.changes);
        let names = changes.flat_map(Name::brought_by);
        for name in names.chain(head.map(|head| Name::Checkpoint(head.body))) {
            for queue in self.waiting.values_mut() {
                queue.touch(name);
            }
        }
    }

    /// What is journaled binds no more, and neither does what restricts nothing any more: a cancel
    /// of what has ended, an act of a member whose factor is gone.
    fn review(&mut self, state: &State, now: Time) {
        self.bound.retain(|digest, bound| {
            let refused = bound.review(state).err();
            let too_old = stamped(&bound.posting).after(COUNTS_FOR) <= now;
            let is_over = is_journaled(state, *digest)
                || (too_old && !bound.could_be_journaled(state, now))
                || refused.is_some_and(|why| why.number() >= ABOUT_THE_ACT);
            if is_over {
                tracing::info!(act = %digest, "a posting binds no more");
            }
            !is_over
        });
        for queue in self.waiting.values_mut() {
            queue.retain(|posting| {
                let until = stamped(posting).after(COUNTS_FOR);
                until > now && !is_journaled(state, posting.act.digest())
            });
        }
    }

    /// A posting binds at once, or waits. Anybody posts: the oldest of its board that waits makes room,
    /// and nothing that waits keeps a new one from being looked at.
    fn take(&mut self, posting: Posting, state: &State, newest: Option<Cosigned>) {
        let digest = posting.act.digest();
        if self.bound.contains_key(&digest) || is_journaled(state, digest) {
            return;
        }
        let named = newest.filter(|newest| newest.body == posting.act.checkpoint);
        match judge(state, named, &posting) {
            Ok(Some(changes)) => {
                tracing::warn!(act = %digest, kind = posting.act.kind.name(), "a posting binds");
                let size = state.size();
                let bound = Bound {
                    posting,
                    since: size,
                    withheld: Span(0),
                    named,
                    judged: (size, Some(changes)),
                };
                self.bound.insert(digest, bound);
            }
            Ok(None) => self.wait(posting, None),
            Err(why) if may_mend(why) => self.wait(posting, Some(why)),
            Err(_) => {}
        }
    }

    fn wait(&mut self, posting: Posting, why: Option<Reason>) {
        if let Some(stamp) = &posting.evidence.posted {
            let queue = self.waiting.entry(stamp.board).or_default();
            queue.push(posting, why);
        }
    }

    fn count(&mut self, state: &State, could_journal: bool, now: Time) -> Vec<Digest> {
        let passed = now.since(self.last_step).0.min(STEP.0);
        self.last_step = now;
        if !could_journal {
            return Vec::new();
        }
        let bound = self.bound.iter_mut();
        bound
            .filter(|(_, bound)| bound.could_be_journaled(state, now))
            .filter_map(|(digest, bound)| {
                bound.withheld = Span(bound.withheld.0.saturating_add(passed));
                (bound.withheld > WITHHELD).then_some(*digest)
            })
            .collect()
    }

    /// What the binding postings bar, and what those might that there was no time to look at.
    #[must_use]
    pub fn bars(&self) -> Bars {
        let unread = self.waiting.values().flat_map(Waiting::unread);
        Bars::new(self.bound.values(), unread)
    }

    /// Until when every board's last page may be acted by; the board that is stale otherwise.
    pub fn fresh_until(&self, now: Time) -> Result<Time, BoardId> {
        let mut until = Time(u64::MAX);
        for board in &self.polled {
            until = until.min(board.fresh_until(now).ok_or(board.id())?);
        }
        Ok(until)
    }

    /// How many postings bind.
    #[must_use]
    pub fn binding(&self) -> usize {
        self.bound.len()
    }
}

/// The newest cosigned head, which the journal may not have as an entry yet.
pub(crate) fn newest(follower: &Follower) -> Option<Cosigned> {
    follower.heads().newest().map(|head| Cosigned {
        body: Digest(*head.body_digest().as_bytes()),
        oldest: Time::from_unix_seconds(head.oldest().unix()),
    })
}

fn is_journaled(state: &State, act: Digest) -> bool {
    state.facts().consumed.contains_key(&act)
}

impl Bound {
    /// Judge it again where the journal has grown.
    fn review(&mut self, state: &State) -> Result<(), Reason> {
        if self.judged.0 == state.size() {
            return Ok(());
        }
        let judged = judge(state, self.named, &self.posting);
        let refused = judged.as_ref().err().copied();
        self.judged = (state.size(), judged.ok().flatten());
        refused.map_or(Ok(()), Err)
    }

    /// Whether a gate could take it now: its stamp is not ahead, and the journal has the checkpoint that
    /// it names, or once had it.
    fn could_be_journaled(&self, state: &State, now: Time) -> bool {
        let known = &state.facts().checkpoints;
        let names_known = self.named.is_none() || known.contains_key(&self.posting.act.checkpoint);
        names_known && !self.posting.is_ahead(now)
    }
}

/// What the posting would change on this state, at the time that its board stamped. `None` where it
/// would be held, which does not restrict anything yet.
fn judge(
    state: &State,
    named: Option<Cosigned>,
    posting: &Posting,
) -> Result<Option<Vec<Effect>>, Reason> {
    let time = entry_time(state, posting);
    let (act, evidence) = (&posting.act, &posting.evidence);
    let decided = decide_with(state, named, act, evidence, time, &Strict);
    match decided.decision() {
        Decision::Release => Ok(Some(decided.changes().to_vec())),
        Decision::Hold { .. } => Ok(None),
        Decision::Refuse { reason } => Err(*reason),
    }
}

fn entry_time(state: &State, posting: &Posting) -> Time {
    state.facts().time.max(stamped(posting))
}

fn stamped(posting: &Posting) -> Time {
    let stamp = posting.evidence.posted.as_ref();
    stamp.map(|stamp| stamp.time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{CrashDisk, HandClock, Ledger, Net, World, machine};
    use portcullis_core::act::Scope;
    use portcullis_core::board::MAX_WAITING;
    use portcullis_core::evidence::Stamp;
    use portcullis_core::signature::Signature;
    use std::sync::Arc;

    /// Anybody posts on a board that has room; what waits on another keeps its place.
    #[test]
    fn a_flood_on_one_board_crowds_nothing_out_of_another() {
        let clock = HandClock::at(World::START);
        let mut ledger = Ledger::new(Arc::new(World::new()), clock.clone());
        let net = Net::around(ledger.clone());
        let machine = machine(&clock, &CrashDisk::default(), &net);
        let mut boards = Boards::new(machine, &ledger.state, &BTreeMap::new());
        let (act, evidence) = ledger.suspension(Scope::Everything);
        let shown_by = |board: u8| {
            let (act, mut evidence) = (act.clone(), evidence.clone());
            evidence.posted = Some(Stamp {
                board: BoardId([board; 16]),
                time: World::START,
                signature: Signature::from_bytes([0; 64]),
            });
            Posting { act, evidence }
        };
        boards.wait(shown_by(1), Some(Reason::UnknownPrincipal));
        for _ in 0..=MAX_WAITING {
            boards.wait(shown_by(2), Some(Reason::UnknownPrincipal));
        }
        let lengths: Vec<usize> = boards.waiting.values().map(Waiting::len).collect();
        assert_eq!(lengths, [1, MAX_WAITING]);
    }
}
