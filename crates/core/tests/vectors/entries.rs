//! A journal with an entry of every body, its leaf hashes, effects and running digests.

use crate::holder::{Holder, Kind};
use crate::story::Story;
use portcullis_core::act::{ActKind, RaiseEpoch, Scope, SetLimits, Suspend};
use portcullis_core::entry::{Body, Entry, Replacement};
use portcullis_core::limits::Limits;
use portcullis_core::realm::Realm;
use portcullis_core::signature::Strict;
use portcullis_core::statement::Says;
use portcullis_core::{State, codec};
use portcullis_keeper::testkit::World;
use portcullis_tlog::Hash;
use serde_json::{Value, json};

pub(crate) fn document() -> Value {
    let (story, names) = life();
    let mut state = State::new(story.world().network.clone());
    let before = state.facts().effects;
    let entries = story.ledger.entries.iter().zip(names).map(|(bytes, what)| {
        let is_entry = Entry::from_bytes(bytes).is_ok_and(|entry| entry.to_bytes() == *bytes);
        let applied = state.apply(bytes, &Strict);
        assert_eq!(is_entry, applied.void.is_none());
        json!({
            "index": applied.index,
            "what": what,
            "entry": hex::encode(bytes),
            "leaf": hex::encode(Hash::leaf(bytes).as_bytes()),
            "void": applied.void.is_some(),
            "changes": hex::encode(codec::encode(&applied.changes)),
            "effects": applied.effects,
        })
    });
    let entries: Vec<Value> = entries.collect();
    let root = state.facts().log.head().root;
    json!({ "before": before, "entries": entries, "root": root.to_base64() })
}

/// A journal, and a name for each of its entries.
fn life() -> (Story, Vec<&'static str>) {
    let mut story = Story::begin(Holder::new(Kind::PasskeyEd25519));
    story.open();
    story.age();
    story.add_address();
    story.age();
    story.say(Says::Caps {
        caps: Vec::new(),
        number: 1,
    });
    let act = story.withdraw(World::ETHER, 1_000_000, false).act;
    story.debit(&act);
    let digest = act.digest();
    story.settle(digest);
    let plan = story.bumped(digest);
    story.enter(Body::Replace(Box::new(Replacement { act: digest, plan })));
    story.say(story.signed(digest));
    story.say(story.confirmed(digest));
    story.withdraw(World::ETHER, 0, false);
    propose_limits(&mut story);
    raise_epoch(&mut story);
    suspend(&mut story);
    let void = story.ledger.enter_bytes(b"not an entry".to_vec());
    assert!(void.void.is_some());
    let names = vec![
        "genesis",
        "checkpoint",
        "act: an account is opened, released",
        "checkpoint, from which the passkey's delay runs",
        "act: an address is added, released",
        "checkpoint, from which the address's delay runs",
        "statement: caps",
        "act: a withdrawal, held for the ledger's debit",
        "evidence: the debit",
        "checkpoint, which has the held withdrawal: it was submitted in time",
        "settle: the withdrawal is released with its plan",
        "replace: a plan with higher fees",
        "statement: signed",
        "statement: confirmed",
        "act: a withdrawal of nothing, refused",
        "act: new limits are proposed, held for a quorum and a delay",
        "act: the epoch of the customers' realm is raised",
        "act: everything is suspended",
        "statement: stopped",
        "not an entry",
    ];
    assert_eq!(names.len(), story.ledger.entries.len());
    (story, names)
}

fn propose_limits(story: &mut Story) {
    let limits = Limits::default();
    let replaces = story.ledger.state.facts().limits.digest();
    let kind = ActKind::SetLimits(SetLimits { replaces, limits });
    story.staff(World::administrator(0), kind);
}

fn raise_epoch(story: &mut Story) {
    let kind = ActKind::RaiseEpoch(RaiseEpoch {
        realm: Realm::Customers,
        factors: None,
    });
    story.staff(World::OPERATOR, kind);
}

fn suspend(story: &mut Story) {
    let scope = Scope::Everything;
    let kind = ActKind::Suspend(Suspend { scope });
    let (suspension, _) = story.staff(World::OPERATOR, kind);
    story.say(Says::Stopped { suspension });
}
