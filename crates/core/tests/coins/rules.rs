//! Rules of batches at their edges: how many, what counts before, what outbids what, who holds whom up.

use crate::kit::{BATCH, CEILING, Stage, btc, payee, taproot};
use portcullis_chains::Amount;
use portcullis_chains::bitcoin::Claimed;
use portcullis_chains::caip::{Address, AssetId, BitcoinAddress, BitcoinAsset, BitcoinChain};
use portcullis_core::act::{ActKind, PublishRates, Void};
use portcullis_core::apply::VoidReason;
use portcullis_core::decide::PlanFault;
use portcullis_core::decide::batch::{gather, settle_together};
use portcullis_core::decide::payment::spend::decode;
use portcullis_core::decide::{decide, settle};
use portcullis_core::decision::Need;
use portcullis_core::id::WalletId;
use portcullis_core::policy::{
    FiatLimit, Name, Policy, Publisher, Quote, RateRules, Scale, SignedQuote,
};
use portcullis_core::signature::Strict;
use portcullis_core::state::release::{Stage as Of, Withheld};
use portcullis_core::statement::Says;
use portcullis_core::{Decision, Digest, Reason, Span};
use portcullis_keeper::testkit::World;
use portcullis_keys::StatementKey as _;

fn fault(fault: PlanFault) -> VoidReason {
    VoidReason::Plan(fault)
}

/// The newest plan of a batch.
fn newest(stage: &Stage, leader: Digest) -> Claimed {
    decode(stage.wallet(), stage.release(leader).plans.last().unwrap()).unwrap()
}

/// In the order of their entries, whatever their digests are.
#[test]
fn a_batch_has_at_most_64_members() {
    let mut stage = Stage::new();
    let wants: Vec<(usize, u8, u128)> = (0..65_u8)
        .map(|n| (usize::from(n % 2), 1 + n % 5, 1_000 + u128::from(n)))
        .collect();
    let acts = stage.due(&wants);
    let (state, now) = (stage.state(), stage.now());
    assert_eq!(gather(state, acts[0], now), acts[1..64]);
    let all = settle_together(state, acts[0], &acts[1..], now);
    assert_eq!(all.unwrap_err(), PlanFault::Batch);
    assert!(settle_together(state, acts[0], &acts[1..64], now).is_ok());
}

/// At submission there is no plan to be in.
#[test]
fn a_wallet_that_does_not_gather_holds_for_its_plan_all_the_same() {
    let mut stage = Stage::other(|genesis| {
        genesis.wallets[0].bitcoin.as_mut().unwrap().batch = Span(0);
    });
    let (act, decision) = stage.ask(0, 1, 50_000);
    assert!(matches!(decision, Decision::Hold { needs, .. } if needs == [Need::Batch]));
    stage.pass(Span(1));
    let settled = settle(stage.state(), act, stage.now());
    assert_eq!(*settled.decision(), Decision::Release);
}

/// Another wallet has its own batches, and coins of the same names on its own chain.
#[test]
fn wallets_have_nothing_to_do_with_each_other() {
    let signet = BitcoinChain::Signet;
    let asset = AssetId::Bitcoin(BitcoinAsset { chain: signet });
    let address = |lock| Address::Bitcoin(BitcoinAddress::new(signet, lock));
    let mut stage = Stage::other(|genesis| {
        let mut other = genesis.wallets[0].clone();
        other.id = WalletId([0x72; 16]);
        other.address = address(taproot().owned().unwrap().lock());
        genesis.wallets.push(other);
        genesis.assets.push(asset);
        let mut limit = genesis.limits.rules.last().unwrap().clone();
        limit.asset = asset;
        genesis.limits.rules.push(limit);
    });
    let Address::Bitcoin(to) = payee(1) else {
        unreachable!()
    };
    let to = address(to.lock());
    let customer = &stage.customers[0];
    stage.ledger.add_address(customer, to);
    stage.pass(Span::seconds(6));
    let first = stage.ask(0, 1, 50_000).0;
    let other = stage.ask_for(0, asset, to, 50_000).0;
    stage.pass(BATCH);
    let (state, now) = (stage.state(), stage.now());
    assert!(gather(state, first, now).is_empty());
    let together = settle_together(state, first, &[other], now);
    assert_eq!(together.unwrap_err(), PlanFault::Batch);
    let paid = stage.settlement(&[first]);
    let coins = |stage: &Stage, plan| {
        let claimed = decode(stage.wallet(), plan).unwrap();
        claimed.spends().collect::<Vec<_>>()
    };
    let spent = coins(&stage, paid.plan.as_ref().unwrap());
    assert_eq!(stage.settle(paid).void, None);
    let decided = settle(stage.state(), other, stage.now());
    let spend = decided.payment().unwrap().spend().unwrap();
    assert!(spent.into_iter().all(|coin| spend.may_spend(coin.into())));
}

fn named(text: &str) -> Name {
    Name(text.into())
}

fn policy(cedar: &str) -> Policy {
    Policy {
        cedar: cedar.into(),
        tiers: Vec::new(),
        lists: Vec::new(),
        rates: None,
    }
}

/// A bitcoin has 100,000,000 units; the platform lets 1,000 minor units of a currency out in an hour.
fn priced(genesis: &mut portcullis_core::genesis::Genesis) {
    let publishers = (1..=3_u8).map(|number| Publisher {
        id: named(&format!("p{number}")),
        key: World::key(&[number; 16]).public_key().clone(),
    });
    let rates = RateRules {
        currency: named("usd"),
        publishers: publishers.collect(),
        assets: vec![Scale {
            asset: btc(),
            decimals: 8,
        }],
        max_age: Span::hours(1),
        max_step: 10,
        every: Span::seconds(60),
        platform: FiatLimit {
            hour: Some(Amount(1_000)),
            ..FiatLimit::default()
        },
    };
    genesis.policy = Some(Policy {
        rates: Some(rates),
        ..policy(r#"@id("permit") permit (principal, action, resource);"#)
    });
}

fn publish(stage: &mut Stage, price: u128) {
    let quotes = (1..=3_u8).map(|number| {
        let quote = Quote {
            publisher: named(&format!("p{number}")),
            asset: btc(),
            currency: named("usd"),
            price: Amount(price),
            time: stage.now(),
        };
        let signature = World::key(&[number; 16]).sign(&quote.signed_bytes());
        SignedQuote {
            quote,
            signature: signature.unwrap(),
        }
    });
    let quotes = quotes.collect();
    let kind = ActKind::PublishRates(PublishRates { quotes });
    stage.ledger.staff(World::BACK_END, kind);
}

/// Each is worth 400 where 1,000 have room.
#[test]
fn what_is_paid_before_counts_on_the_platform_already() {
    let mut stage = Stage::other(priced);
    publish(&mut stage, 200_000);
    let acts = stage.due(&[(0, 1, 200_000), (1, 2, 200_000), (0, 3, 200_000)]);
    let (state, now) = (stage.state(), stage.now());
    assert_eq!(gather(state, acts[0], now), [acts[1]]);
    let all = settle_together(state, acts[0], &acts[1..], now);
    assert_eq!(all.unwrap_err(), PlanFault::Batch);
    let settlement = stage.settlement(&acts[..2]);
    assert_eq!(stage.settle(settlement).void, None);
}

/// More than seven tenths of an account's hour are looked at.
#[test]
fn what_is_paid_before_counts_for_the_policy_already() {
    let cedar = r#"@id("permit") permit (principal, action, resource);
        @id("most-of-the-hour") @needs("approvals") @count("1")
        forbid (principal, action == Action::"withdraw", resource)
        when { context.account_hour > 70 && context.approvals < 1 };"#;
    let mut stage = Stage::other(|genesis| genesis.policy = Some(policy(cedar)));
    let acts = stage.due(&[(0, 1, 400_000), (0, 2, 400_000), (1, 3, 400_000)]);
    assert_eq!(gather(stage.state(), acts[0], stage.now()), [acts[2]]);
}

#[test]
fn only_the_leader_is_replaced() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(0, 1, 50_000), (1, 2, 60_000)]);
    let spend = portcullis_core::decide::payment::Spend::again(stage.state(), acts[0]);
    let plan = stage.planned(&spend.unwrap(), 9_000);
    let by_another = stage.branch().replace(acts[1], plan.clone());
    assert_eq!(by_another.void, Some(fault(PlanFault::Presence)));
    assert_eq!(stage.replace(acts[0], plan).void, None);
}

/// What nodes may have has to be outbid, the dearest of it; what nobody has signed has not.
#[test]
fn what_gives_one_up_outbids_what_was_signed() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(0, 1, 50_000), (1, 2, 60_000)]);
    let cheap = newest(&stage, acts[0]).fee();
    let mut unsigned = stage.branch();
    assert_eq!(unsigned.bump(acts[0], 30_000).void, None);
    assert_eq!(unsigned.void(acts[1], 1_000).void, None);
    assert!(newest(&unsigned, acts[0]).fee() < cheap, "nobody has it");
    stage.sign(acts[0]);
    assert_eq!(stage.bump(acts[0], 30_000).void, None);
    stage.pass(Span::seconds(1));
    stage.sign(acts[0]);
    let dear = newest(&stage, acts[0]).fee();
    assert_eq!(stage.void(acts[1], 1_000).void, None);
    assert!(newest(&stage, acts[0]).fee() > dear);
}

#[test]
fn a_plan_that_pays_nobody_may_use_the_ceiling_up_and_none_that_pays() {
    let mut stage = Stage::new();
    let leader = stage.pay(&[(0, 1, 50_000)])[0];
    // One input, one payment, change: 142 virtual bytes.
    let near = CEILING * 1_000 / 142 - 100;
    let paying = stage.branch().bump(leader, near);
    assert_eq!(paying.void, Some(fault(PlanFault::NoRoom)));
    assert_eq!(stage.void(leader, 3_000).void, None);
    stage.pass(Span::seconds(1));
    // Without the payment it has 111.
    let near = CEILING * 1_000 / 111 - 100;
    assert_eq!(stage.bump(leader, near).void, None);
}

#[test]
fn past_many_plans_giving_up_need_not_double() {
    let mut stage = Stage::new();
    let leader = stage.pay(&[(0, 1, 50_000)])[0];
    let mut rate = 2_000;
    while stage.release(leader).plans.len() < 33 {
        rate = if stage.release(leader).plans.len() < 32 {
            rate + 1_010
        } else {
            2 * rate + 10
        };
        assert_eq!(stage.bump(leader, rate).void, None, "{rate}");
    }
    assert_eq!(stage.void(leader, 1_000).void, None);
}

/// Any signed plan may still confirm.
#[test]
fn what_only_an_earlier_plan_spends_stays_reserved() {
    let mut stage = Stage::new();
    let leader = stage.pay(&[(0, 1, 150_000)])[0];
    let both: Vec<_> = newest(&stage, leader).spends().collect();
    assert_eq!(both.len(), 2);
    assert_eq!(stage.void(leader, 9_000).void, None);
    stage.pass(Span::seconds(1));
    assert_eq!(newest(&stage, leader).spends().count(), 1);
    let other = stage.due(&[(1, 2, 50_000)])[0];
    let decided = settle(stage.state(), other, stage.now());
    let spend = decided.payment().unwrap().spend().unwrap();
    for coin in both {
        assert!(!spend.may_spend(coin.into()));
    }
}

/// All are given up, and the entry was cosigned too late: nothing is signed until it goes out again.
#[test]
fn what_gives_up_waits_for_those_that_it_gives_up() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(0, 1, 50_000), (1, 2, 60_000)]);
    assert_eq!(stage.void(acts[1], 3_000).void, None);
    assert_eq!(stage.void(acts[0], 9_000).void, None);
    assert!(stage.facts().signable(acts[0]).is_some());
    stage.ledger.clock.pass(Span::seconds(31));
    stage.ledger.settle_clocks();
    assert_eq!(stage.facts().signable(acts[0]), None);
}

/// The act that gave one up says nothing of when the others were asked for: they go out again by themselves.
#[test]
fn the_rest_is_only_late_when_what_gave_one_up_has_expired() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(0, 1, 50_000), (1, 2, 60_000)]);
    assert_eq!(stage.void(acts[1], 3_000).void, None);
    stage.ledger.clock.pass(Span::hours(3));
    stage.ledger.settle_clocks();
    let of_the_rest = stage.release(acts[0]).stage;
    assert_eq!(of_the_rest, Of::Withheld(Withheld::Late));
}

#[test]
fn a_new_plan_lets_no_withheld_member_out() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(0, 1, 50_000), (1, 2, 60_000), (1, 3, 70_000)]);
    for act in &acts[1..] {
        stage.cancel(1, *act);
    }
    assert_eq!(stage.void(acts[1], 3_000).void, None);
    let cancelled = Of::Withheld(Withheld::Cancelled);
    assert_eq!(stage.release(acts[2]).stage, cancelled);
    assert_eq!(stage.facts().signable(acts[0]), None);
}

#[test]
fn what_is_given_up_is_given_up_once() {
    let mut stage = Stage::new();
    let acts = stage.pay(&[(0, 1, 50_000), (1, 2, 60_000)]);
    let release = acts[1];
    assert_eq!(stage.void(release, 3_000).void, None);
    stage.pass(Span::seconds(1));
    let act = stage
        .ledger
        .act(World::OPERATOR, ActKind::Void(Void { release }));
    let evidence = stage.ledger.staffs_evidence(&act);
    let decided = decide(stage.state(), &act, &evidence, stage.now(), &Strict);
    let reason = Reason::ActGone;
    assert_eq!(*decided.decision(), Decision::Refuse { reason });
}

/// What coins pay is in a block as a whole, or not at all.
#[test]
fn nothing_reverts() {
    let mut stage = Stage::new();
    let act = stage.pay(&[(0, 1, 50_000)])[0];
    let transaction = stage.sign(act);
    let applied = stage.says(Says::Reverted {
        act,
        transaction,
        block: 7,
        block_hash: Digest([7; 32]),
    });
    assert_eq!(applied.void, Some(VoidReason::Statement));
}

/// More bytes than stand in an entry beside evidence.
#[test]
fn a_plan_fits_an_entry() {
    let mut stage = Stage::new();
    let acts = stage.due(&[(0, 1, 50_000)]);
    let mut long = stage.settlement(&acts);
    long.plan.as_mut().unwrap().unsigned = vec![0; 48_001];
    let applied = stage.settle(long);
    assert_eq!(applied.void, Some(fault(PlanFault::TooLarge)));
}
