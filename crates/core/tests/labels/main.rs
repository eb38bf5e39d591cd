//! Label sets in force: what they refuse, hold and tell the policy; how they come and go; and that nobody
//! decides by a set whose bytes are not at hand.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

#[path = "../stage/mod.rs"]
mod stage;

mod at_hand;
mod in_force;
mod model;
mod table;

use portcullis_chains::caip::Address;
use portcullis_core::act::{ActKind, LabelsOffered, RejectedRows, SetLabels};
use portcullis_core::labels::{ListKind, Opened};
use portcullis_core::policy::Name;
use portcullis_core::{Decision, Digest, Need, Reason};
use portcullis_labels::{Category, Date, Draft, Header, Key, Kind, LabelSet, Rating, Risk};
use stage::Stage;
use std::sync::Arc;

/// A row: whose address, what kind of label, and how bad.
pub(crate) type Row = (Address, Category, u8);

/// A set of these labels. Another day makes another set of the same.
pub(crate) fn set_of_day(kind: Kind, day: u32, rows: &[Row]) -> Arc<LabelSet> {
    let mut draft = Draft::new();
    for (address, category, risk) in rows {
        let risk = Risk::new(*risk).unwrap();
        let rating = Rating {
            risk,
            category: *category,
        };
        draft
            .add(Key::try_from(*address).unwrap(), rating, "a case")
            .unwrap();
    }
    let day = Date::from_days(day).unwrap();
    let header = Header::new(kind, day, "the desk").unwrap();
    Arc::new(draft.build(&header))
}

pub(crate) fn set(kind: Kind, rows: &[Row]) -> Arc<LabelSet> {
    set_of_day(kind, 20_000, rows)
}

/// What an act says of a set.
pub(crate) fn offered(set: &LabelSet) -> LabelsOffered {
    LabelsOffered {
        digest: Digest(set.digest().0),
        kind: set.header().kind().into(),
        from: 0,
        source: set.header().source().to_owned(),
        labels: u32::try_from(set.len()).unwrap(),
        rejected: vec![RejectedRows {
            why: Name("address-checksum".into()),
            rows: 1,
        }],
    }
}

pub(crate) fn name(list: &str) -> Name {
    Name(list.into())
}

pub(crate) fn act(stage: &Stage, list: &str, set: Option<LabelsOffered>) -> ActKind {
    let name = name(list);
    let in_force = stage.facts().labels.as_ref();
    let replaces = in_force.and_then(|lists| Some(lists.get(&name)?.set));
    ActKind::SetLabels(SetLabels {
        name,
        replaces,
        set,
    })
}

pub(crate) fn held(needs: &[Need]) -> Decision {
    let needs = needs.to_vec();
    Decision::Hold { needs, until: None }
}

pub(crate) fn refused() -> Decision {
    let reason = Reason::LabelRefuses;
    Decision::Refuse { reason }
}

impl Stage {
    pub(crate) fn has(&mut self, set: &Arc<LabelSet>) {
        let opened = Opened::from(Arc::clone(set));
        self.ledger.state.hold_labels(opened);
    }

    /// Two administrators put a set in force, from this risk on.
    pub(crate) fn lists_from(&mut self, list: &str, set: &Arc<LabelSet>, from: u8) -> Digest {
        self.has(set);
        let offered = LabelsOffered {
            from,
            ..offered(set)
        };
        let kind = act(self, list, Some(offered));
        self.propose(kind)
    }

    pub(crate) fn lists(&mut self, list: &str, set: &Arc<LabelSet>) -> Digest {
        self.lists_from(list, set, 0)
    }

    pub(crate) fn unlists(&mut self, list: &str) -> Digest {
        let kind = act(self, list, None);
        self.propose(kind)
    }

    /// What a withdrawal of a little would come to.
    pub(crate) fn withdraws(&mut self) -> Decision {
        let act = self.withdrawal(10);
        self.decide(&act, &self.prove(&act))
    }
}

#[test]
fn the_domain_of_a_set_is_in_cores_list() {
    let set = set(Kind::Community, &[(stage::PAYEE, Category::Other, 0)]);
    let ours = Digest::of(portcullis_core::Domain::Labels, set.as_bytes());
    assert_eq!(Digest(set.digest().0), ours);
}

#[test]
fn kinds_are_those_of_sets() {
    for kind in [Kind::Authority, Kind::Community] {
        let ours = ListKind::from(kind);
        assert_eq!(portcullis_core::codec::encode(&ours), [kind as u8]);
    }
}
