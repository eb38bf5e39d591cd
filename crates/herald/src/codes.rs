//! TOTP codes: whether each that waits is right. Everything that it goes by, the step that served last and how
//! far the owner's clock was off, stands in the journal; so a herald that begins again, or a second one with
//! the same keys, comes to the same, and where two words meet the journal takes one.

use crate::contacts::{Contacts, Found};
use portcullis_core::factor::Means;
use portcullis_core::id::FactorId;
use portcullis_core::state::account::Owner;
use portcullis_core::state::codes::Waiting;
use portcullis_core::statement::Says;
use portcullis_core::{Digest, State};
use portcullis_host::DiskError;
use std::collections::BTreeMap;

/// Most codes that one step judges: each takes a Diffie-Hellman and a file. Those whose seed never came do not
/// count, or whoever has enrolled enough of them would keep everybody else's from being judged.
const MOST: usize = 256;

/// What was judged and the journal does not say yet, so that each is opened once.
#[derive(Default)]
pub(crate) struct Codes {
    judged: BTreeMap<Digest, Says>,
}

impl Codes {
    /// The word on each code that waits, as far as its seed is here.
    pub(crate) fn judge(
        &mut self,
        state: &State,
        contacts: &mut Contacts,
    ) -> Result<Vec<Says>, DiskError> {
        let codes = &state.facts().codes;
        self.judged.retain(|act, _| codes.open(*act).is_some());
        let mut says = Vec::new();
        for (act, waiting) in oldest(state) {
            if says.len() >= MOST {
                break;
            }
            let known = self
                .judged
                .get(&act)
                .filter(|says| fits(state, waiting, says));
            if let Some(known) = known {
                says.push(known.clone());
            } else if let Some(judged) = judge(state, contacts, act, waiting)? {
                self.judged.insert(act, judged.clone());
                says.push(judged);
            }
        }
        Ok(says)
    }
}

/// Of each factor the code that came first: whether the next one is right depends on the step that this
/// one takes.
fn oldest(state: &State) -> impl Iterator<Item = (Digest, &Waiting)> {
    let mut first: BTreeMap<(Owner, FactorId), (Digest, &Waiting)> = BTreeMap::new();
    for (act, waiting) in state.facts().codes.all_open() {
        let place = (waiting.owner, waiting.factor);
        let known = first.entry(place).or_insert((act, waiting));
        if (waiting.time, act) < (known.1.time, known.0) {
            *known = (act, waiting);
        }
    }
    let mut all: Vec<(Digest, &Waiting)> = first.into_values().collect();
    all.sort_unstable_by_key(|(act, waiting)| (waiting.time, *act));
    all.into_iter()
}

/// Whether a word said before can still come to stand in the journal: another herald's may have taken the
/// step.
fn fits(state: &State, waiting: &Waiting, says: &Says) -> bool {
    match says {
        Says::CodeRight { step, .. } => {
            let factor = state.facts().factor(waiting.owner, waiting.factor);
            factor.is_some_and(|factor| *step > factor.counter)
        }
        _ => true,
    }
}

fn judge(
    state: &State,
    contacts: &mut Contacts,
    act: Digest,
    waiting: &Waiting,
) -> Result<Option<Says>, DiskError> {
    let Waiting { owner, factor, .. } = *waiting;
    let wrong = Ok(Some(Says::CodeWrong { act, factor }));
    let facts = state.facts();
    let known = facts.factor(owner, factor);
    let known = known.filter(|known| facts.is_current(owner, known.kind, known.epochs));
    // Taken back since: it proves nothing any more.
    let (Some(known), Owner::Holder { account, .. }) = (known, owner) else {
        return wrong;
    };
    let Means::Seed(commitment) = known.means else {
        return wrong;
    };
    let seed = match contacts.seed(commitment, account)? {
        Found::Opened(seed) => seed,
        // The back end brings it; until then, or until the act expires, nobody says anything.
        Found::Nothing => return Ok(None),
        Found::Unreadable(why) => {
            tracing::warn!(%factor, %why, "a TOTP seed does not open; none of its codes is right");
            return wrong;
        }
    };
    let Ok(digits) = contacts.open_code(&waiting.sealed, (act, factor)) else {
        return wrong;
    };
    let mut steps = facts.codes.steps(owner, factor, waiting.time);
    let step = steps.find(|step| *step > known.counter && seed.is_of(*step, &digits));
    Ok(Some(match step {
        Some(step) => Says::CodeRight { act, factor, step },
        None => Says::CodeWrong { act, factor },
    }))
}
