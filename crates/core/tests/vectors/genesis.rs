//! The test network's genesis: the one that every other vector belongs to.

use crate::{and, vector};
use portcullis_core::factor::NewFactor;
use portcullis_keeper::testkit::World;
use serde_json::{Value, json};

pub(crate) fn document() -> Value {
    let (world, with_herald) = (World::new(), World::with_a_herald());
    let signed = world.network.signed();
    let genesis = &signed.genesis;
    let factors = genesis.administrators.iter().flat_map(|m| &m.factors);
    let ids: Vec<_> = factors.map(NewFactor::id).collect();
    json!({
        "genesis": and(
            vector("the statement", genesis),
            json!({ "digest": genesis.digest(), "administrators_factor_ids": ids }),
        ),
        "signed": vector("with its signatures", signed),
        "herald": and(
            vector("with a herald", with_herald.network.genesis()),
            json!({ "digest": with_herald.digest() }),
        ),
    })
}
