//! 556 to 558: label sets.

use super::{Fault, Row, row};
use crate::stage::{PAYEE, STRANGER, Stage, add};
use portcullis_chains::caip::Address;
use portcullis_core::act::{ActKind, LabelsOffered, RejectedRows, SetLabels};
use portcullis_core::labels::{ListKind, Opened};
use portcullis_core::policy::Name;
use portcullis_core::{Act, Digest, Reason};
use portcullis_keeper::testkit::World;
use portcullis_labels::{Category, Date, Draft, Header, Key, Kind, Rating, Risk};
use std::sync::Arc;

#[rustfmt::skip]
pub(crate) fn rows() -> Vec<Row> {
    use Fault::{Act as Asks, Later};
    use Reason as R;
    vec![
        row(R::LabelRefuses, "an authority lists the payee", |stage| stage.withdrawal(10), Later(|stage, _, _| list(stage, PAYEE))),
        row(R::LabelRefuses, "an authority lists the new address", |stage| stage.customers(add(STRANGER)), Later(|stage, _, _| list(stage, STRANGER))),
        row(R::LabelsChanged, "put in force meanwhile", listing, Later(|stage, _, _| list(stage, STRANGER))),
        row(R::LabelsChanged, "replaces what is not there", listing, Asks(|_, act| set(act).replaces = Some(Digest([9; 32])))),
        row(R::LabelsMalformed, "a name in capitals", listing, Asks(|_, act| set(act).name = Name("OFAC".into()))),
        row(R::LabelsMalformed, "neither an old set nor a new one", listing, Asks(|_, act| set(act).set = None)),
        row(R::LabelsMalformed, "a risk above ten", listing, Asks(|_, act| new(act).from = 11)),
        row(R::LabelsMalformed, "no source", listing, Asks(|_, act| new(act).source.clear())),
        row(R::LabelsMalformed, "a source that turns text round", listing, Asks(|_, act| new(act).source.push('\u{202e}'))),
        row(R::LabelsMalformed, "too many labels", listing, Asks(|_, act| new(act).labels = 2_000_001)),
        row(R::LabelsMalformed, "a reason twice", listing, Asks(|_, act| new(act).rejected = vec![RejectedRows { why: Name("risk".into()), rows: 1 }; 2])),
        row(R::TooMany, "a seventeenth list", sixteen, Asks(|_, act| { set(act).name = Name("list-16".into()); set(act).replaces = None; })),
    ]
}

fn listing(stage: &mut Stage) -> Act {
    stage.staffs(
        World::administrator(0),
        proposal("ofac", Digest([7; 32]), 1),
    )
}

/// Sixteen lists, of which one is to be replaced.
fn sixteen(stage: &mut Stage) -> Act {
    for number in 0..16_u8 {
        stage.propose(proposal(&format!("list-{number}"), Digest([number; 32]), 1));
    }
    let mut act = stage.staffs(
        World::administrator(0),
        proposal("list-0", Digest([7; 32]), 1),
    );
    set(&mut act).replaces = Some(Digest([0; 32]));
    act
}

fn proposal(list: &str, digest: Digest, labels: u32) -> ActKind {
    let offered = LabelsOffered {
        digest,
        kind: ListKind::Authority,
        from: 0,
        source: "a court".into(),
        labels,
        rejected: Vec::new(),
    };
    ActKind::SetLabels(SetLabels {
        name: Name(list.into()),
        replaces: None,
        set: Some(offered),
    })
}

fn list(stage: &mut Stage, address: Address) {
    let mut draft = Draft::new();
    let rating = Rating {
        risk: Risk::MAX,
        category: Category::Sanction,
    };
    draft
        .add(Key::try_from(address).unwrap(), rating, "a case")
        .unwrap();
    let header = Header::new(Kind::Authority, Date::from_days(0).unwrap(), "a court").unwrap();
    let set = Arc::new(draft.build(&header));
    let digest = Digest(set.digest().0);
    stage.ledger.state.hold_labels(Opened::from(set));
    stage.propose(proposal("ofac", digest, 1));
}

fn set(act: &mut Act) -> &mut SetLabels {
    match &mut act.kind {
        ActKind::SetLabels(set) => set,
        _ => unreachable!("the act puts labels in force"),
    }
}

fn new(act: &mut Act) -> &mut LabelsOffered {
    set(act).set.as_mut().unwrap()
}
