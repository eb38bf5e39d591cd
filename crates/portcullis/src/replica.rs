//! A replica for one look: followed from genesis to a checkpoint that has just been cosigned.

use crate::failure::{Exit, Failure};
use crate::out::warn;
use crate::reach::Reach;
use portcullis_client::Board;
use portcullis_core::{Digest, Span, State, Time};
use portcullis_host::Dir;
use portcullis_keeper::boards::Boards;
use portcullis_keeper::follow::{FollowFault, Follower, Seen};
use portcullis_keeper::{Machine, Watch, rfc3339};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a gate may bring nothing new.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long to wait for news at a time.
const WAIT: Duration = Duration::from_millis(500);
/// How long an act that somebody was just told of may take to be cosigned: a few heartbeats.
const ARRIVES_WITHIN: Duration = Duration::from_secs(5);
/// Until a journaled checkpoint is this old, an act names it; then the newest cosigned one, which
/// the act's own batch will journal.
const GROWN_OLD: Span = Span::seconds(600);

/// What the journal says, by our own account.
pub(crate) struct Replica {
    machine: Machine,
    follower: Follower,
    /// The newest cosigned checkpoint when we looked.
    head: Digest,
    cosigned: Time,
    stops: usize,
}

impl Replica {
    /// Follow the journal to its end.
    pub(crate) fn follow(reach: &Reach) -> Result<Self, Failure> {
        Self::follow_seeing(reach, &mut |_| {})
    }

    /// The same, shown each entry on the way.
    pub(crate) fn follow_seeing(
        reach: &Reach,
        see: &mut dyn FnMut(&Seen),
    ) -> Result<Self, Failure> {
        let machine = Machine {
            watch: Watch::new(Arc::clone(&reach.machine.clock)),
            // A follower keeps nothing: it reads the journal from the start each time.
            disk: Arc::new(Dir::open(std::env::temp_dir())?),
            random: Arc::clone(&reach.machine.random),
            http: Arc::clone(&reach.machine.http),
        };
        let state = State::new(Arc::clone(&reach.network));
        let gate = reach.gate.endpoint().to_string();
        let mut follower = Follower::new(machine.clone(), gate, state, None, Arc::default());
        let (head, cosigned) = catch_up(&mut follower, &machine, see)?;
        let stops = stops(&machine, &follower, &reach.boards);
        Ok(Self {
            machine,
            follower,
            head,
            cosigned,
            stops,
        })
    }

    /// Follow on until the journal has this, or long enough: what the gate has just acknowledged is
    /// cosigned a moment later, and nothing is believed before.
    pub(crate) fn wait_for(&mut self, is_there: impl Fn(&State) -> bool) -> Result<(), Failure> {
        let end = Instant::now() + ARRIVES_WITHIN;
        while !is_there(self.state()) && Instant::now() < end {
            (self.head, self.cosigned) = catch_up(&mut self.follower, &self.machine, &mut |_| {})?;
        }
        Ok(())
    }

    /// When a quorum had cosigned all of it.
    pub(crate) fn cosigned(&self) -> Time {
        self.cosigned
    }

    pub(crate) fn state(&self) -> &State {
        self.follower.state()
    }

    /// What an act made now names.
    pub(crate) fn checkpoint(&self, now: Time) -> Digest {
        let journaled = self
            .state()
            .facts()
            .checkpoints
            .iter()
            .max_by_key(|(_, time)| **time);
        let fresh = journaled.filter(|(_, time)| now.since(**time) < GROWN_OLD);
        fresh.map_or(self.head, |(digest, _)| *digest)
    }

    /// How far this goes, for people.
    pub(crate) fn seen(&self) -> String {
        let (size, time) = (self.state().size(), rfc3339(self.cosigned));
        let stops = match self.stops {
            0 => String::new(),
            n => format!("; {n} stops are posted that the journal does not have"),
        };
        format!(
            "journal       {size} entries, followed and decided again here, cosigned {time}{stops}"
        )
    }
}

/// Until the replica stands at a checkpoint that is fresh.
fn catch_up(
    follower: &mut Follower,
    machine: &Machine,
    see: &mut dyn FnMut(&Seen),
) -> Result<(Digest, Time), Failure> {
    let mut end = Instant::now() + PATIENCE;
    loop {
        let step = follower.step(WAIT);
        step.iter().flatten().for_each(&mut *see);
        if let Some(head) = follower.acting_head(machine.watch.now()) {
            let cosigned = Time::from_unix_seconds(head.oldest().unix());
            return Ok((Digest(*head.body_digest().as_bytes()), cosigned));
        }
        match step {
            Ok(_) if follower.awaits_labels() => end = Instant::now() + PATIENCE,
            Ok(seen) if !seen.is_empty() => end = Instant::now() + PATIENCE,
            Err(FollowFault::Breach(breach)) => {
                let what = format!("the witnesses have cosigned what cannot be: {breach:?}");
                let next = "approve nothing; tell every operator, and keep this output";
                return Err(Failure::new(Exit::Wrong, what, next));
            }
            other if Instant::now() >= end => {
                let why = other.err().map_or_else(
                    || "the witnesses have cosigned nothing within 3 s".into(),
                    |e| e.to_string(),
                );
                let what = format!("the journal cannot be followed to a fresh checkpoint: {why}");
                return Err(Failure::new(Exit::NoAnswer, what, "portcullis doctor"));
            }
            Err(_) => std::thread::sleep(WAIT),
            Ok(_) => {}
        }
    }
}

/// Stops on the boards that bind already and that the gate has not journaled.
fn stops(machine: &Machine, follower: &Follower, boards: &[Board]) -> usize {
    let urls: BTreeMap<_, _> = boards
        .iter()
        .map(|board| (board.id(), board.endpoint().to_string()))
        .collect();
    let mut pages = Boards::new(machine.clone(), follower.state(), &urls);
    pages.step(follower, &[]);
    if let Err(silent) = pages.fresh_until(machine.watch.now()) {
        warn(format_args!(
            "Stop board {silent} does not answer: a stop posted there is not seen."
        ));
    }
    pages.binding()
}
