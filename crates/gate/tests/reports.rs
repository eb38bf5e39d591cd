//! What keepers post: each statement stands for itself.

#![allow(clippy::unwrap_used, reason = "helpers of tests may unwrap")]

mod harness;

use harness::Gate;
use harness::http::{Served, listen, refused};
use portcullis_chains::ethereum::{Fees, Signature, SignedTx, Transfer};
use portcullis_chains::{Address, Amount, AssetId};
use portcullis_core::codec::{decode, encode};
use portcullis_core::report::{MAX_STATEMENTS, Report, Verdicts};
use portcullis_core::statement::{Cap, Condition, Says, SignedStatement, Statement};
use portcullis_core::{Digest, Reason};
use portcullis_gate::sequencer::What;
use portcullis_gate::server::MAX_BODY;
use portcullis_host::{Http as _, Web};
use portcullis_keeper::testkit::World;
use portcullis_keys::StatementKey as _;
use std::time::Duration;

#[test]
fn each_statement_of_a_report_stands_for_itself() {
    let gate = Gate::new();
    let (served, commands) = listen(&gate);
    let world = &gate.ledger.world;
    let (one, two) = (latched(world, 1), latched(world, 2));
    let stopped = Says::Stopped {
        suspension: Digest([9; 32]),
    };
    let misfit = signed(world, stopped);
    let forged = SignedStatement {
        signature: one.signature,
        ..latched(world, 3)
    };

    let verdicts = post(&served, &[one.clone(), misfit, two.clone(), forged]);

    let refused = Some(Reason::StatementRefused.number());
    assert_eq!(verdicts, [None, refused, None, refused]);
    let queued = commands.try_iter().map(|command| match command.what {
        What::Statement(signed) => *signed,
        other => panic!("{other:?}"),
    });
    assert_eq!(queued.collect::<Vec<_>>(), [one, two]);
}

#[test]
fn where_the_queue_is_full_the_rest_is_told_so() {
    let gate = Gate::new();
    let (served, commands) = listen(&gate);
    let world = &gate.ledger.world;
    let all: Vec<SignedStatement> = (0..20).map(|latch| latched(world, latch)).collect();

    let verdicts = post(&served, &all);

    let taken = commands.try_iter().count();
    let (queued, rest) = verdicts.split_at(taken);
    assert!(queued.iter().all(Option::is_none));
    assert!(!rest.is_empty(), "a test's queue is shorter than that");
    let busy = Some(Reason::Busy.number());
    assert!(rest.iter().all(|verdict| *verdict == busy), "{rest:?}");
}

#[test]
fn no_report_is_empty_or_longer_than_it_may_be() {
    let gate = Gate::new();
    let (served, commands) = listen(&gate);
    let one = latched(&gate.ledger.world, 1);
    let too_many = vec![one.clone(); MAX_STATEMENTS + 1];
    let refuse = |body: Vec<u8>| {
        let answer = served.raw("POST", "/v1/statements", &[], &body);
        refused(answer, Reason::Malformed);
    };
    refuse(encode(&Report(Vec::new())));
    refuse(encode(&Report(too_many)));
    refuse(encode(&one));
    assert_eq!(commands.try_iter().count(), 0);
}

/// What stands in the journal can be read there by anybody, who must not be able to fill the queue with it.
#[test]
fn what_the_journal_has_is_taken_and_not_queued_again() {
    let mut gate = Gate::new();
    let one = latched(&gate.ledger.world, 1);
    let statement = What::Statement(Box::new(one.clone()));
    gate.send(vec![statement]).remove(0).unwrap();
    let (served, commands) = listen(&gate);
    assert_eq!(post(&served, &[one]), [None]);
    assert_eq!(commands.try_iter().count(), 0);
}

/// A keeper that posts as much as it may is heard: its caps, and receipts of the dearest payments.
#[test]
fn the_largest_report_fits_a_body() {
    let gate = Gate::new();
    let (served, _commands) = listen(&gate);
    let world = &gate.ledger.world;
    let mut all = vec![signed(world, largest_receipt()); MAX_STATEMENTS - 1];
    all.push(signed(world, most_caps()));

    let length = encode(&Report(all.clone())).len();

    assert!(length <= MAX_BODY, "{length} bytes");
    assert_eq!(post(&served, &all).len(), MAX_STATEMENTS);
}

const TOKEN: AssetId = AssetId::EvmErc20 {
    chain: u64::MAX,
    contract: [0xff; 20],
};

/// For a payment of a token, every number of which is as long as it can be.
fn largest_receipt() -> Says {
    let to = Address::Evm {
        chain: u64::MAX,
        address: [0xff; 20],
    };
    let fees = Fees::new(u128::MAX >> 64, u128::MAX >> 64, u64::MAX).unwrap();
    let transfer = Transfer::new(TOKEN, to, Amount(u128::MAX), u64::MAX, fees).unwrap();
    let signature = Signature::new([0x7f; 32], [0x7f; 32], true).unwrap();
    Says::Signed {
        act: Digest([0xff; 32]),
        entry: u64::MAX,
        effects: Digest([0xff; 32]),
        plan: Digest([0xff; 32]),
        transaction: SignedTx::assemble(transfer.build(), signature).to_bytes(),
    }
}

/// As many as the journal takes of one keeper.
fn most_caps() -> Says {
    let cap = Cap {
        asset: TOKEN,
        per_transaction: Amount(u128::MAX),
        day: Amount(u128::MAX),
    };
    Says::Caps {
        caps: vec![cap; 256],
        number: u64::MAX,
    }
}

fn latched(world: &World, latch: u8) -> SignedStatement {
    let latch = Digest([latch; 32]);
    let condition = Condition::Shut;
    signed(world, Says::Latched { latch, condition })
}

fn signed(world: &World, says: Says) -> SignedStatement {
    let statement = Statement {
        genesis: world.digest(),
        keeper: World::KEEPER,
        says,
    };
    let signature = world.keeper.sign(&statement.signed_bytes()).unwrap();
    SignedStatement {
        statement,
        signature,
    }
}

fn post(served: &Served, statements: &[SignedStatement]) -> Vec<Option<u16>> {
    let url = format!("http://{}/v1/statements", served.authority);
    let body = encode(&Report(statements.to_vec()));
    let patience = Duration::from_secs(10);
    let reply = Web::new().post(&url, &[], &body, 1 << 16, patience);
    let reply = reply.unwrap();
    assert_eq!(reply.status, 202);
    let verdicts: Verdicts = decode(&reply.body, 1 << 16).unwrap();
    verdicts.on(statements.len()).unwrap()
}
