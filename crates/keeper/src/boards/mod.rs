//! The stop boards: what somebody has posted binds on sight, before any gate has journaled it.
//!
//! A posting binds only if it carries full evidence, was unexpired at the board's signed time, and
//! this keeper's own `decide` accepts it on its own replica. It binds until its act id is journaled:
//! a gate that leaves it out stops nothing by that. A gate that leaves it out for 60 seconds, while
//! it could have taken it, is hostile or broken, and the keeper latches.

mod bars;
mod board;

pub use bars::Bars;
use board::Board;

use crate::follow::Follower;
use crate::machine::Machine;
use portcullis_core::board::Posting;
use portcullis_core::entry::{Body, Entry};
use portcullis_core::id::{ActId, BoardId};
use portcullis_core::signature::Strict;
use portcullis_core::{Decision, Digest, Reason, Span, State, Time, decide};
use portcullis_tlog::Cosigned;
use std::collections::{BTreeMap, VecDeque};

/// How long a gate may leave a binding posting out of the journal, while its cosignatures are fresh.
const WITHHELD: Span = Span::seconds(60);
/// The most that one step counts for: a machine that slept is not a gate that withheld.
const STEP: Span = Span::seconds(3);
/// How often postings that were not accepted are looked at again.
const LOOK_AGAIN: Span = Span::seconds(1);
/// Most postings that wait to be accepted: what one board shows at once (docs/spec/board.md), and
/// room beside it.
const MAX_WAITING: usize = 4096;
/// From its stamp a posting counts for as long as a state can know the checkpoint that it names.
const COUNTS_FOR: Span = Span::hours(25);
/// Reasons from here on are about the act and the state of things; below, about its journaling.
const ABOUT_THE_ACT: u16 = Reason::UnknownAccount.number();

/// All stop boards of the network, and what stands on them.
pub struct Boards {
    machine: Machine,
    polled: Vec<Board>,
    /// Not accepted so far: the replica may still be behind the checkpoint that they name. Oldest
    /// first.
    waiting: VecDeque<Posting>,
    bound: BTreeMap<Digest, Bound>,
    look_again: Time,
    last_step: Time,
}

/// A posting that binds.
#[derive(Clone, Debug)]
pub struct Bound {
    posting: Posting,
    /// The size of the journal when it was first seen to bind.
    since: u64,
    /// For how long the gate could have journaled it.
    withheld: Span,
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
            waiting: VecDeque::new(),
            bound: BTreeMap::new(),
            look_again: Time(0),
            last_step: Time(0),
        }
    }

    /// Ask every board that is due, and decide what binds. Gives the acts that a gate withholds.
    pub fn step(&mut self, follower: &Follower) -> Vec<Digest> {
        let state = follower.state();
        let now = self.machine.watch.now();
        let mut eye = Eye {
            state,
            head: follower.heads().newest(),
            refreshed: None,
        };
        self.review(state, now);
        let machine = &self.machine;
        let pages = self
            .polled
            .iter_mut()
            .map(|board| board.poll(machine, state, now));
        for posting in pages.flatten().collect::<Vec<_>>() {
            self.take(posting, &mut eye);
        }
        if now >= self.look_again {
            self.look_again = now.after(LOOK_AGAIN);
            for posting in std::mem::take(&mut self.waiting) {
                self.take(posting, &mut eye);
            }
        }
        self.count(follower.acting_head(now).is_some(), now)
    }

    /// What is journaled binds no more, and neither does what restricts nothing any more: a cancel
    /// of what has ended, an act of a member whose factor is gone.
    fn review(&mut self, state: &State, now: Time) {
        self.bound.retain(|digest, bound| {
            let refused = judge(state, &bound.posting).err();
            let is_over = is_journaled(state, bound.posting.act.id)
                || refused.is_some_and(|why| why.number() >= ABOUT_THE_ACT);
            if is_over {
                tracing::info!(act = %digest, "a posting binds no more");
            }
            !is_over
        });
        self.waiting.retain(|posting| {
            let until = stamped(posting).after(COUNTS_FOR);
            until > now && !is_journaled(state, posting.act.id)
        });
    }

    /// A posting binds at once, or waits. Anybody posts: the oldest that waits makes room, and
    /// nothing that waits keeps a new one from being looked at.
    fn take(&mut self, posting: Posting, eye: &mut Eye<'_>) {
        let digest = posting.act.digest();
        if self.bound.contains_key(&digest) || is_journaled(eye.state, posting.act.id) {
            return;
        }
        match eye.look(&posting) {
            Look::Binds => {}
            Look::MayBind => {
                if self.waiting.len() == MAX_WAITING {
                    self.waiting.pop_front();
                }
                self.waiting.push_back(posting);
                return;
            }
            Look::Never => return,
        }
        tracing::warn!(act = %digest, kind = posting.act.kind.name(), "a posting binds");
        let (since, withheld) = (eye.state.size(), Span(0));
        self.bound.insert(
            digest,
            Bound {
                posting,
                since,
                withheld,
            },
        );
    }

    fn count(&mut self, could_journal: bool, now: Time) -> Vec<Digest> {
        let passed = now.since(self.last_step).0.min(STEP.0);
        self.last_step = now;
        if !could_journal {
            return Vec::new();
        }
        let bound = self.bound.iter_mut();
        bound
            .filter_map(|(digest, bound)| {
                bound.withheld = Span(bound.withheld.0.saturating_add(passed));
                (bound.withheld > WITHHELD).then_some(*digest)
            })
            .collect()
    }

    /// What the binding postings bar, on this state.
    #[must_use]
    pub fn bars(&self, state: &State) -> Bars {
        Bars::new(state, self.bound.values())
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

fn is_journaled(state: &State, act: ActId) -> bool {
    state.facts().consumed.contains_key(&act)
}

/// Whether the posting takes effect on this state, at the time that its board stamped; what it would
/// be held for does not restrict anything yet.
fn judge(state: &State, posting: &Posting) -> Result<bool, Reason> {
    let time = entry_time(state, posting);
    let decided = decide(state, &posting.act, &posting.evidence, time, &Strict);
    match decided.decision() {
        Decision::Release => Ok(true),
        Decision::Hold { .. } => Ok(false),
        Decision::Refuse { reason } => Err(*reason),
    }
}

/// How postings are looked at in one step.
struct Eye<'a> {
    state: &'a State,
    head: Option<&'a Cosigned>,
    /// The state with the newest cosigned head journaled; made once, and only where it is asked for.
    refreshed: Option<State>,
}

/// What comes of a look at a posting.
enum Look {
    Binds,
    /// Another state may accept it.
    MayBind,
    /// None will.
    Never,
}

impl Eye<'_> {
    fn look(&mut self, posting: &Posting) -> Look {
        match judge(self.state, posting) {
            Ok(true) => Look::Binds,
            Err(Reason::UnknownCheckpoint) if self.accepts_refreshed(posting) => Look::Binds,
            Err(why) if !why.may_mend() => Look::Never,
            Ok(false) | Err(_) => Look::MayBind,
        }
    }

    /// Where nothing happens for hours, the head that an act names is fresh by its heartbeats and
    /// old by the journal.
    fn accepts_refreshed(&mut self, posting: &Posting) -> bool {
        let Some(head) = self.head else { return false };
        let named = head.body_digest().as_bytes() == &posting.act.checkpoint.0;
        let state = self.state;
        named && {
            let refreshed = self.refreshed.get_or_insert_with(|| refresh(state, head));
            judge(refreshed, posting) == Ok(true)
        }
    }
}

fn refresh(state: &State, head: &Cosigned) -> State {
    let mut refreshed = state.clone();
    let note = head.signed().note().to_string().into_bytes();
    let cosigned = Time::from_unix_seconds(head.newest().unix());
    let entry = Entry::new(state.facts().time.max(cosigned), Body::Checkpoint(note));
    refreshed.apply_entry(&entry, &entry.to_bytes(), &Strict);
    refreshed
}

fn entry_time(state: &State, posting: &Posting) -> Time {
    state.facts().time.max(stamped(posting))
}

fn stamped(posting: &Posting) -> Time {
    let stamp = posting.evidence.posted.as_ref();
    stamp.map(|stamp| stamp.time).unwrap_or_default()
}
