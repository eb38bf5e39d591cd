//! What is sent and looked for once it is signed, and what an operator hears of it.

use super::kit::{DEPTH, Stage};
use super::{bump, end};
use crate::stops::post_suspension;
use portcullis_core::Span;
use portcullis_core::act::Scope;
use portcullis_core::state::release::End;
use portcullis_node::bitcoin::Sent;

/// Longer than until a transaction is sent again.
const AGAIN: u32 = 70;

/// A batch that is signed and sent.
fn sent() -> Stage {
    let mut stage = Stage::new();
    stage.pay(&[(1, 40_000)]);
    assert_eq!(stage.bench.run(3), 1);
    assert_eq!(stage.node.chain().got.len(), 1);
    stage
}

fn is_sent_again(stage: &mut Stage) -> bool {
    let before = stage.node.chain().got.len();
    stage.bench.run(AGAIN);
    stage.node.chain().got.len() > before
}

#[test]
fn what_waits_is_sent_again_while_it_may_leave() {
    assert!(is_sent_again(&mut sent()));

    let mut stage = sent();
    post_suspension(&stage.bench, Scope::Withdrawals);
    assert!(!is_sent_again(&mut stage), "a posting");

    let mut stage = sent();
    stage.bench.wire().heartbeat = false;
    stage.bench.clock.pass(Span::seconds(60));
    assert!(!is_sent_again(&mut stage), "no lease");
    stage.bench.wire().heartbeat = true;
    assert!(is_sent_again(&mut stage));
}

/// Its place is taken by a plan that is not signed yet.
#[test]
fn what_is_not_in_force_is_not_sent_again() {
    let mut stage = sent();
    let all = stage.deposits.iter().map(|it| it.outpoint).collect();
    stage.node.chain().gone = all;
    stage.rate = 10_000;
    let leader = *stage.leaders().first().unwrap();
    bump(&mut stage, leader);
    assert!(!is_sent_again(&mut stage));
}

#[test]
fn what_has_ended_is_asked_for_no_more() {
    let mut stage = sent();
    let txid = stage.node.chain().got[0].txid();
    stage.node.chain().mined = Some((txid, DEPTH));
    stage.bench.run(5);
    assert!(stage.leaders().is_empty());
    let asked = stage.node.chain().asked;
    stage.bench.run(AGAIN);
    assert_eq!(stage.node.chain().asked, asked);
}

/// The gate took no statement, the signer began again, and the first of two transactions is mined: it was never stated
/// as signed before.
#[test]
fn what_was_signed_before_is_followed_after_a_crash() {
    let mut stage = Stage::new();
    stage.bench.wire().takes_statements = false;
    let acts = stage.pay(&[(1, 40_000)]);
    assert_eq!(stage.bench.run(3), 1);
    let first = stage.node.chain().got[0].txid();
    stage.rate = 10_000;
    bump(&mut stage, acts[0]);
    stage.bench.restart();
    assert_eq!(stage.bench.run(3), 1);
    stage.bench.wire().takes_statements = true;
    stage.node.chain().mined = Some((first, DEPTH));
    stage.bench.run(AGAIN);
    assert!(matches!(end(&stage, acts[0]), Some(End::Confirmed(_))));
}

#[test]
fn what_a_node_refuses_is_told() {
    let mut stage = Stage::new();
    let (code, message) = (-26, "dust".to_owned());
    stage.node.chain().answer = Some(Sent::Refused { code, message });
    stage.pay(&[(1, 40_000)]);
    stage.bench.run(3);
    assert_eq!(stage.bench.alarms(), ["broadcast-refused"]);
}

/// Somebody spends the outputs of the one before at a high fee, or fees have risen: for a while that is nobody's fault.
#[test]
fn what_nodes_find_too_cheap_is_told_once_it_lasts() {
    let mut stage = Stage::new();
    stage.node.chain().answer = Some(Sent::Underpriced);
    stage.pay(&[(1, 40_000)]);
    for _ in 0..4 {
        stage.bench.run(AGAIN);
        assert!(stage.bench.alarms().is_empty());
    }
    for _ in 0..2 {
        stage.bench.run(AGAIN);
    }
    assert_eq!(stage.bench.alarms(), ["broadcast-underpriced"]);
}

#[test]
fn an_input_that_another_has_spent_is_told() {
    let mut stage = sent();
    stage.node.chain().conflict = Some(1);
    stage.bench.run(5);
    assert_eq!(stage.bench.alarms(), ["input-spent-elsewhere"]);
}

/// A node contradicts itself for a moment, a thief for ever.
#[test]
fn a_shared_input_that_nobody_of_ours_has_spent_is_told_once_it_lasts() {
    let mut stage = sent();
    for _ in 0..3 {
        stage.node.chain().is_robbed = true;
        stage.bench.run(50);
        assert!(stage.bench.alarms().is_empty());
        stage.node.chain().is_robbed = false;
        stage.bench.run(5);
    }
    stage.node.chain().is_robbed = true;
    stage.bench.run(AGAIN);
    assert_eq!(stage.bench.alarms(), ["nonce-used-elsewhere"]);
}
