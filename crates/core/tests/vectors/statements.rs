//! One statement of each sort.

use crate::holder::{Holder, Kind};
use crate::story::{Story, state};
use crate::{and, cbor, vector};
use portcullis_chains::Amount;
use portcullis_core::id::FactorId;
use portcullis_core::report::{Report, Verdicts};
use portcullis_core::signature::Strict;
use portcullis_core::state::batch::CoinId;
use portcullis_core::statement::{Cap, Condition, Says, SignedStatement};
use portcullis_core::{Digest, Reason};
use portcullis_keeper::testkit::World;
use portcullis_keys::StatementKey as _;
use serde_json::{Value, json};

pub(crate) fn document() -> Value {
    let world = World::new();
    let key = world.keeper.public_key();
    let said = says().into_iter();
    let said = said.map(|(what, says)| (what, state(&world, says)));
    let said: Vec<(&str, SignedStatement)> = said.collect();
    let together = said.iter().map(|(_, signed)| signed.clone());
    let report = cbor(&Report(together.collect()));
    let statements = said.iter().map(|(what, signed)| {
        assert!(signed.is_by(key, &Strict));
        let bytes = hex::encode(signed.statement.signed_bytes());
        and(vector(what, signed), json!({ "signed_bytes": bytes }))
    });
    let statements: Vec<Value> = statements.collect();
    let verdicts = Verdicts::of(&[Ok(()), Err(Reason::StatementRefused)]);
    json!({
        "key": key,
        "statements": statements,
        "plan": plan(),
        "report": report,
        "verdicts": { "what": "the first fits, the second does not", "cbor": cbor(&verdicts) },
    })
}

fn plan() -> Value {
    let mut story = released();
    let act = story.withdraw(World::TOKEN, 5_000_000, true).act.digest();
    let plan = story.plan(act);
    let digest = plan.digest();
    and(vector("a plan", &plan), json!({ "digest": digest }))
}

fn released() -> Story {
    let mut story = Story::begin(Holder::new(Kind::PasskeyEd25519));
    story.open();
    story.age();
    story.add_address();
    story.age();
    story
}

fn says() -> Vec<(&'static str, Says)> {
    let mut story = released();
    let act = story.withdraw(World::ETHER, 1_000, true).act.digest();
    let signed = story.signed(act);
    story.say(signed.clone());
    let confirmed = story.confirmed(act);
    let Says::Confirmed { transaction, .. } = confirmed else {
        return Vec::new();
    };
    let (suspension, latch) = (Digest([0x5e; 32]), Digest([0x1a; 32]));
    let condition = Condition::ReleaseWithoutEvidence;
    let cap = |asset, most| Cap {
        asset,
        per_transaction: Amount(most),
        day: Amount(most * 3),
    };
    let caps = vec![cap(World::ETHER, 1_000_000), cap(World::TOKEN, 5)];
    let (block, block_hash) = (43, Digest([0x43; 32]));
    vec![
        ("caps", Says::Caps { caps, number: 3 }),
        ("signed", signed),
        ("confirmed", confirmed),
        (
            "reverted",
            Says::Reverted {
                act,
                transaction,
                block,
                block_hash,
            },
        ),
        ("stopped", Says::Stopped { suspension }),
        ("latched", Says::Latched { latch, condition }),
        ("told", Says::Told { act, entry: 17 }),
        (
            "a code is right",
            Says::CodeRight {
                act,
                factor: FactorId([0xfa; 16]),
                step: 59_333_333,
            },
        ),
        (
            "a code is wrong",
            Says::CodeWrong {
                act,
                factor: FactorId([0xfa; 16]),
            },
        ),
        (
            "a batch is declined",
            Says::Declined {
                act,
                shared: CoinId([0xc0; 36]),
            },
        ),
    ]
}
