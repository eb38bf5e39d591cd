//! Applying entries: the same function for the gate before it appends, for every keeper that
//! follows, and for the auditor.
//!
//! An entry that decides otherwise than it says is *void*: nothing of it counts, and the gate is shut
//! for everything until a quorum lifts that, because only a broken or hostile gate writes such a
//! thing. No entry, whatever its bytes, makes `apply` fail: nothing poisons the log.

use crate::act::{ActKind, LiftTarget, Scope};
use crate::codec::{CodecError, encode};
use crate::decide::{self, Case, PlanFault, flight};
use crate::decision::Decision;
use crate::digest::{Digest, Domain};
use crate::effect::{At, Effect, RELEASE_COSIGNED_WITHIN};
use crate::entry::{Body, Entry, Settlement, Submission};
use crate::policy::Engine;
use crate::read::{ReadAct, ReadEntry};
use crate::reason::Reason;
use crate::signature::{AlreadyChecked, Strict, Verify};
use crate::state::{Cosigners, State};
use crate::statement::SignedStatement;
use crate::time::Time;
use portcullis_tlog::Hash;

/// What applying an entry did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The entry's index.
    pub index: u64,
    /// The running digest of effects after it.
    pub effects: Digest,
    /// What changed.
    pub changes: Vec<Effect>,
    /// Why nothing of the entry itself counts, where it is void.
    pub void: Option<VoidReason>,
    /// Whether money would have gone out by an entry that is void, had it counted: the alarm
    /// `release-without-evidence`.
    pub would_pay: bool,
}

/// Why an entry is void.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VoidReason {
    /// Not an entry.
    #[error("its bytes are not an entry: {0}")]
    Codec(#[from] CodecError),
    /// Another partition than 0.
    #[error("it belongs to a partition that does not exist")]
    Partition,
    /// Its time is before an earlier entry's.
    #[error("its time goes back")]
    TimeGoesBack,
    /// A genesis that is not entry 0's, or not the pinned one.
    #[error("it is a genesis out of place")]
    Genesis,
    /// A checkpoint that is not this journal's, or not cosigned by a quorum.
    #[error("its checkpoint is not a cosigned checkpoint of this journal")]
    Checkpoint,
    /// The decision is another.
    #[error("it says {said:?} where the decision is {decided:?}")]
    Decision {
        /// What it says.
        said: Box<Decision>,
        /// What is so.
        decided: Box<Decision>,
    },
    /// A refusal of what nobody is proven to have asked for. It would end nothing, and look to whoever
    /// reads the journal as if it had (docs/design/022).
    #[error("it refuses what nobody is proven to have asked for")]
    Unproven,
    /// The plan is not what the decision calls for.
    #[error("its plan: {0}")]
    Plan(#[from] PlanFault),
    /// Its evidence is not evidence.
    #[error("its evidence: {0}")]
    Evidence(Reason),
    /// A statement that does not fit.
    #[error("its statement is not a keeper's, or does not fit the journal")]
    Statement,
}

impl State {
    /// Apply the next entry's bytes.
    pub fn apply(&mut self, bytes: &[u8], verify: &dyn Verify) -> Applied {
        self.apply_read(&ReadEntry::from_bytes(bytes), verify)
    }

    /// Apply the next entry, read before.
    pub fn apply_read(&mut self, read: &ReadEntry, verify: &dyn Verify) -> Applied {
        let changes = self.judge(read, verify);
        self.commit(read, changes)
    }

    /// Apply the next entry, which lies *below this process' own durable checkpoint*: signatures that held
    /// when it was checked are not checked again. Nobody else may call this: see [`AlreadyChecked`].
    pub fn apply_again(&mut self, read: &ReadEntry) -> Applied {
        let checked = AlreadyChecked::below_own_durable_checkpoint();
        let verify: &dyn Verify = if read.entry().is_ok_and(rests_on_a_bad_signature) {
            &Strict
        } else {
            &checked
        };
        self.apply_read(read, verify)
    }

    /// Apply the next entry, which this very state has judged to change this: see [`State::judge`].
    /// What another state judged, or this one before it changed, would part the two for good.
    pub fn commit_judged(&mut self, read: &ReadEntry, changes: Vec<Effect>) -> Applied {
        self.commit(read, Ok(changes))
    }

    /// What an entry would change, without changing it.
    pub fn judge(&self, read: &ReadEntry, verify: &dyn Verify) -> Result<Vec<Effect>, VoidReason> {
        let entry = read.entry()?;
        if entry.partition != 0 {
            return Err(VoidReason::Partition);
        }
        if entry.time < self.facts.time {
            return Err(VoidReason::TimeGoesBack);
        }
        match &entry.body {
            Body::Genesis(signed) => {
                let is_first = self.size() == 0 && **signed == *self.network.signed();
                if is_first {
                    Ok(Vec::new())
                } else {
                    Err(VoidReason::Genesis)
                }
            }
            // Nothing stands before genesis.
            _ if self.size() == 0 => Err(VoidReason::Genesis),
            Body::Checkpoint(note) => self.judge_checkpoint(note, entry.time),
            Body::Act(submission) => self.judge_act(submission, read, entry.time, verify),
            Body::Evidence(supplement) => {
                decide::supplement(self, supplement, read.requests(), entry.time, verify)
                    .map_err(VoidReason::Evidence)
            }
            Body::Settle(settlement) => self.judge_settlement(settlement, entry.time),
            Body::Replace(replacement) => Ok(flight::replace(self, replacement, entry.time)?),
            Body::Statement(signed) => self.judge_statement(signed, verify),
        }
    }

    fn judge_checkpoint(&self, note: &[u8], time: Time) -> Result<Vec<Effect>, VoidReason> {
        let cosigned = self.cosigned(note).map_err(|_| VoidReason::Checkpoint)?;
        let size = cosigned.head().size;
        // Whoever follows from here learns of other witnesses by a checkpoint of those of before.
        let passes_over = self.handing_over().is_some_and(|last| size > last);
        if passes_over || !self.facts.log.had(cosigned.head()) {
            return Err(VoidReason::Checkpoint);
        }
        // A witness far ahead of everybody would start every clock in the future.
        let newest = Time::from_unix_seconds(cosigned.newest().unix());
        if newest > time.after(RELEASE_COSIGNED_WITHIN) {
            return Err(VoidReason::Checkpoint);
        }
        let mut changes = vec![Effect::Cosigned {
            body: Digest(*cosigned.body_digest().as_bytes()),
            size,
            oldest: Time::from_unix_seconds(cosigned.oldest().unix()),
            newest,
        }];
        changes.extend(self.facts.found_late(size, newest));
        Ok(changes)
    }

    fn judge_act(
        &self,
        submission: &Submission,
        read: &ReadEntry,
        time: Time,
        verify: &dyn Verify,
    ) -> Result<Vec<Effect>, VoidReason> {
        let act = &submission.act;
        let known = read.read_act().unwrap_or_else(|| ReadAct::of(act));
        let evidence = (&submission.evidence, read.requests());
        let case = Case::of(self, (act, known), evidence, time, verify);
        let decided = decide::decide_case(&case);
        same(&submission.decision, decided.decision())?;
        let is_refused = matches!(decided.decision(), Decision::Refuse { .. });
        if is_refused && !decided.is_authenticated() {
            return Err(VoidReason::Unproven);
        }
        Ok(decided.complete(submission.plan.as_ref())?)
    }

    fn judge_settlement(
        &self,
        settled: &Settlement,
        time: Time,
    ) -> Result<Vec<Effect>, VoidReason> {
        let decided = decide::batch::settle_together(self, settled.act, &settled.beside.0, time)?;
        // A settlement ends waiting; one that says "still held" says nothing.
        let ends = !matches!(settled.decision, Decision::Hold { .. });
        same(&settled.decision, decided.decision())?;
        if ends {
            Ok(decided.complete(settled.plan.as_ref())?)
        } else {
            Err(VoidReason::Statement)
        }
    }

    fn judge_statement(
        &self,
        signed: &SignedStatement,
        verify: &dyn Verify,
    ) -> Result<Vec<Effect>, VoidReason> {
        let statement = &signed.statement;
        let keeper = self.keeper(statement.keeper).ok_or(VoidReason::Statement)?;
        let said = statement.genesis == self.network.digest() && signed.is_by(&keeper.key, verify);
        if !said {
            return Err(VoidReason::Statement);
        }
        let changes =
            crate::decide::receipt::judge(self, statement.keeper, &statement.says, verify)
                .ok_or(VoidReason::Statement)?;
        // Said again, it changes nothing: repetitions must not grow state.
        Ok(if self.is_news(signed) {
            changes
        } else {
            Vec::new()
        })
    }

    /// A void entry shuts everything. All that are in force share one suspension, which the newest
    /// names: a gate that writes void entries makes no pile that a quorum would lift one by one, and
    /// a lift agreed upon before the newest does not lift that.
    fn shut_by_void(&self, leaf: Hash) -> Vec<Effect> {
        let older = self.facts.void_suspension;
        let older = older.map(|by| Effect::Lift(LiftTarget::Suspension { by }));
        let shut = decide::suspend(self, Digest(*leaf.as_bytes()), Scope::Everything);
        older.into_iter().chain(shut).collect()
    }

    /// The point of no return: everything above could refuse, nothing below can.
    fn commit(&mut self, read: &ReadEntry, judged: Result<Vec<Effect>, VoidReason>) -> Applied {
        let (leaf, entry) = (read.leaf(), read.entry().ok());
        let would_pay = judged.is_err() && entry.is_some_and(|entry| self.pays(entry));
        let (changes, void) = match judged {
            Ok(changes) => (changes, None),
            Err(reason) => (self.shut_by_void(leaf), Some(reason)),
        };
        let time = if void.is_some() {
            self.facts.time
        } else {
            entry.map_or(self.facts.time, |entry| entry.time)
        };
        let index = self.size();
        let effects = extend(self.facts.effects, leaf, &changes);
        self.facts.log.push(leaf);
        self.facts.time = time;
        self.facts.effects = effects;
        if void.is_some() {
            self.facts.void_entries = self.facts.void_entries.saturating_add(1);
            self.facts.void_suspension = Some(Digest(*leaf.as_bytes()));
        }
        let at = At {
            index,
            time,
            effects,
            expires: entry.and_then(expires),
        };
        for change in &changes {
            self.facts.commit(change, at);
        }
        self.facts.prune(time);
        for change in &changes {
            self.derive(change);
        }
        if changes
            .iter()
            .any(|change| matches!(change, Effect::Rotate(_)))
        {
            self.cosigners = Cosigners::of(&self.network, &self.facts.keys);
        }
        Applied {
            index,
            effects,
            changes,
            void,
            would_pay,
        }
    }

    /// Make anew what is derived from the facts and is none of the state's bytes.
    fn derive(&mut self, change: &Effect) {
        match change {
            Effect::SetLabels(..) => self.derive_labels(),
            Effect::SetPolicy(_) => self.engine = Engine::of(self.facts.policy()),
            Effect::Cosigned { oldest, .. } => self.note_checkpoint(*oldest),
            _ => {}
        }
    }

    /// Whether money goes out by what an entry says: it has a plan, or it lets one go out again.
    fn pays(&self, entry: &Entry) -> bool {
        let released = |decision: &Decision| *decision == Decision::Release;
        match &entry.body {
            Body::Act(said) => {
                let kind = &said.act.kind;
                let moves = matches!(kind, ActKind::Withdraw(_) | ActKind::Resume(_));
                said.plan.is_some() || (moves && released(&said.decision))
            }
            Body::Settle(said) => {
                let held = self.facts.held.get(&said.act);
                let moves = held.is_none_or(|held| matches!(held.act.kind, ActKind::Withdraw(_)));
                said.plan.is_some() || (moves && released(&said.decision))
            }
            Body::Replace(_) => true,
            _ => false,
        }
    }
}

/// When the act expires that an entry submits, where it loosens.
fn expires(entry: &Entry) -> Option<Time> {
    match &entry.body {
        Body::Act(said) if !said.act.kind.is_restricting() => Some(said.act.expires),
        _ => None,
    }
}

/// Whether an entry may say what it says because a signature does not hold: a refusal for one, and a link,
/// which names no factor, so that each is tried. Any other in which one does not hold is void.
fn rests_on_a_bad_signature(entry: &Entry) -> bool {
    match &entry.body {
        Body::Act(said) => {
            let is_refused = matches!(said.decision, Decision::Refuse { .. });
            is_refused || said.evidence.link.is_some()
        }
        _ => false,
    }
}

fn same(said: &Decision, decided: &Decision) -> Result<(), VoidReason> {
    if said == decided {
        return Ok(());
    }
    let (said, decided) = (Box::new(said.clone()), Box::new(decided.clone()));
    Err(VoidReason::Decision { said, decided })
}

/// `SHA-256("portcullis/effects/v1" ‖ 0x00 ‖ CBOR([before, leaf hash, effects]))`.
fn extend(before: Digest, leaf: Hash, changes: &[Effect]) -> Digest {
    Digest::of(
        Domain::Effects,
        &encode(&(before, Digest(*leaf.as_bytes()), changes)),
    )
}

impl State {
    /// Whether a statement would be accepted now.
    #[must_use]
    pub fn accepts(&self, signed: &SignedStatement, verify: &dyn Verify) -> bool {
        self.judge_statement(signed, verify).is_ok()
    }

    /// Whether a statement would add anything.
    #[must_use]
    pub fn is_news(&self, signed: &SignedStatement) -> bool {
        crate::decide::receipt::is_news(self, signed.statement.keeper, &signed.statement.says)
    }
}
