//! Several chains, several nodes: none keeps another waiting.

#![allow(clippy::unwrap_used, reason = "helpers of tests may unwrap")]

use super::*;
use portcullis_chains::caip::Address;
use portcullis_chains::ethereum::{Fees, Transfer};
use portcullis_chains::{Amount, AssetId};
use portcullis_keeper::testkit::{HandClock, World};
use portcullis_keys::WalletKey as _;
use portcullis_node::{Block, Found, Head, Receipt, SuggestedFees};
use proptest::prelude::*;
use std::collections::BTreeSet;

const SLOW: u64 = 1;
const QUICK: u64 = 2;
const BLOCK: Block = Block {
    number: 10,
    hash: [1; 32],
};

/// A node whose every answer takes this long, and which has mined all but these.
struct Unhurried {
    clock: HandClock,
    takes: Span,
    next_nonce: u64,
    lost: BTreeSet<[u8; 32]>,
}

impl Node for Unhurried {
    fn chain_id(&self) -> Result<u64, NodeError> {
        Err(NodeError::TimedOut)
    }

    fn head(&self) -> Result<Head, NodeError> {
        self.clock.pass(self.takes);
        let (block, base_fee) = (BLOCK, 1);
        Ok(Head { block, base_fee })
    }

    fn suggest_fees(&self) -> Result<SuggestedFees, NodeError> {
        Err(NodeError::TimedOut)
    }

    fn nonce(&self, _: [u8; 20], _: At) -> Result<u64, NodeError> {
        self.clock.pass(self.takes);
        Ok(self.next_nonce)
    }

    fn balance(&self, _: [u8; 20]) -> Result<Amount, NodeError> {
        Err(NodeError::TimedOut)
    }

    fn send_all(&self, txs: &[&SignedTx]) -> Vec<Sent> {
        self.clock.pass(self.takes);
        vec![Sent::Accepted; txs.len()]
    }

    fn receipts(&self, hashes: &[[u8; 32]]) -> Result<Vec<Found>, NodeError> {
        self.clock.pass(self.takes);
        let found = |hash: &[u8; 32]| {
            let receipt = Receipt {
                hash: *hash,
                block: BLOCK,
                succeeded: true,
                logs: Vec::new(),
            };
            Ok((!self.lost.contains(hash)).then_some(receipt))
        };
        Ok(hashes.iter().map(found).collect())
    }
}

fn wallet(chain: u64) -> WalletId {
    WalletId([u8::try_from(chain).unwrap(); 16])
}

fn transaction(chain: u64, nonce: u64) -> SignedTx {
    let fees = Fees::new(30_000_000_000, 1, 21_000).unwrap();
    let to = Address::Evm {
        chain,
        address: [0x0a; 20],
    };
    let transfer = Transfer::new(AssetId::EvmNative { chain }, to, Amount(7), nonce, fees);
    let unsigned = transfer.unwrap().build();
    let signature = World::new().wallet.sign(&unsigned.sighash()).unwrap();
    SignedTx::assemble(unsigned, signature)
}

fn act(chain: u64, nonce: u64) -> Digest {
    Digest::plain(&[chain.to_be_bytes(), nonce.to_be_bytes()].concat())
}

/// Deliveries through these nodes, with so many transactions under way on each chain.
fn deliveries(nodes: Vec<(u64, Unhurried)>, each: u64) -> Deliveries {
    let chain = |id: &u64| Chain {
        id: ChainId::Evm { chain: *id },
        node: String::new(),
        confirmations: 1,
        max_fee: Amount(1),
        max_fee_per_gas: Amount(1),
        max_fee_rate: None,
        credentials: None,
    };
    let chains: Vec<Chain> = nodes.iter().map(|(id, _)| chain(id)).collect();
    let ids: Vec<u64> = nodes.iter().map(|(id, _)| *id).collect();
    let nodes = nodes.into_iter().map(|(id, node)| {
        let node: Arc<dyn Node> = Arc::new(node);
        (ChainId::Evm { chain: id }, node)
    });
    let mut deliveries = Deliveries::new(&chains, nodes.collect());
    for (id, nonce) in ids.iter().flat_map(|id| (0..each).map(move |n| (*id, n))) {
        let signed = Signed {
            wallet: wallet(id),
            nonce,
            plan: act(id, nonce),
            transaction: transaction(id, nonce).to_bytes(),
        };
        deliveries.follow(act(id, nonce), [1; 20], &signed).unwrap();
    }
    deliveries
}

/// Which acts are stated as confirmed within so many steps.
fn confirmed(mut deliveries: Deliveries, clock: &HandClock, steps: usize) -> BTreeSet<Digest> {
    let watch = Watch::new(Arc::new(clock.clone()));
    let mut confirmed = BTreeSet::new();
    for _ in 0..steps {
        let (now, budget) = (watch.now(), Budget::begin(&watch));
        deliveries.send(now, &budget, 64, |_, _| true);
        let (says, _) = deliveries.look(now, &budget, 64);
        confirmed.extend(says.into_iter().filter_map(|says| match says {
            Says::Confirmed { act, .. } => Some(act),
            _ => None,
        }));
        clock.pass(Span(5));
    }
    confirmed
}

#[test]
fn a_slow_node_of_another_chain_starves_nobody() {
    let clock = HandClock::at(World::START);
    let node = |takes, lost| Unhurried {
        clock: clock.clone(),
        takes: Span(takes),
        next_nonce: 1,
        lost,
    };
    // It never shows what is under way there, so that it is asked for ever.
    let lost = BTreeSet::from([transaction(SLOW, 0).hash()]);
    let nodes = vec![(SLOW, node(400, lost)), (QUICK, node(1, BTreeSet::new()))];
    let confirmed = confirmed(deliveries(nodes, 1), &clock, 100);
    assert_eq!(confirmed, BTreeSet::from([act(QUICK, 0)]));
}

#[test]
fn what_a_node_does_not_find_hides_nothing_behind_it() {
    let clock = HandClock::at(World::START);
    let node = Unhurried {
        clock: clock.clone(),
        takes: Span(350),
        next_nonce: 65,
        lost: (0..64)
            .map(|nonce| transaction(SLOW, nonce).hash())
            .collect(),
    };
    let confirmed = confirmed(deliveries(vec![(SLOW, node)], 65), &clock, 50);
    assert_eq!(confirmed, BTreeSet::from([act(SLOW, 64)]));
}

/// What can happen to one of four nonces of two wallets.
#[derive(Clone, Debug)]
enum Turn {
    Follow(u64, u64),
    Sent(u64, u64),
    Mined(u64, u64),
    TakenBack(u64, u64),
    Forget(u64, u64),
}

fn turns() -> impl Strategy<Value = Vec<(Turn, u64)>> {
    let turn = (0..5u8, SLOW..=QUICK, 0..4u64).prop_map(|(kind, chain, nonce)| match kind {
        0 => Turn::Follow(chain, nonce),
        1 => Turn::Sent(chain, nonce),
        2 => Turn::Mined(chain, nonce),
        3 => Turn::TakenBack(chain, nonce),
        _ => Turn::Forget(chain, nonce),
    });
    proptest::collection::vec((turn, 0..20_000u64), 0..60)
}

fn seen(hash: [u8; 32], next_nonce: u64, mined: bool) -> Observation {
    let receipt = Receipt {
        hash,
        block: BLOCK,
        succeeded: true,
        logs: Vec::new(),
    };
    let (block, base_fee) = (BLOCK, 1);
    Observation {
        next_nonce,
        receipts: mined.then_some(receipt).into_iter().collect(),
        head: Head { block, base_fee },
    }
}

fn take(under_way: &mut UnderWay, turn: &Turn, now: Time) {
    let see = |it: &mut Followed, nonce: u64, mined: bool| {
        it.look_at = now.after(LOOK_EVERY);
        let hash = it.tracker.newest().hash();
        let next_nonce = nonce + u64::from(mined);
        it.standing = it.tracker.observe(&seen(hash, next_nonce, mined));
    };
    match *turn {
        Turn::Follow(chain, nonce) => {
            let followed = Followed::new(act(chain, nonce), [1; 20], transaction(chain, nonce));
            under_way.insert((wallet(chain), nonce), followed.unwrap());
        }
        Turn::Sent(chain, nonce) => {
            under_way.change(&(wallet(chain), nonce), |it| it.tracker.sent(now));
        }
        Turn::Mined(chain, nonce) => {
            under_way.change(&(wallet(chain), nonce), |it| see(it, nonce, true));
        }
        Turn::TakenBack(chain, nonce) => {
            under_way.change(&(wallet(chain), nonce), |it| see(it, nonce, false));
        }
        Turn::Forget(chain, nonce) => under_way.remove(&act(chain, nonce)),
    }
}

proptest! {
    /// The orders find what passing over everything finds.
    #[test]
    fn what_is_due_is_found(turns in turns(), next_nonce in 0..5u64) {
        let (mut under_way, mut now) = (UnderWay::default(), Time(0));
        for (turn, later) in turns {
            // Following anew what is followed is for `change`.
            let is_new = |chain, nonce| under_way.get(&(wallet(chain), nonce)).is_none();
            if !matches!(turn, Turn::Follow(chain, nonce) if !is_new(chain, nonce)) {
                take(&mut under_way, &turn, now);
            }
            now = now.after(Span(later));
            let places = || (SLOW..=QUICK).flat_map(|c| (0..4).map(move |n| (wallet(c), n)));
            let all = || places().filter_map(|place| Some((place, under_way.get(&place)?)));

            let due = all().filter(|(_, it)| it.tracker.due().is_some_and(|at| at <= now));
            let due: BTreeSet<Place> = due.map(|(place, _)| place).collect();
            let found = under_way.to_send(now).map(|(place, _)| *place);
            prop_assert_eq!(found.collect::<BTreeSet<_>>(), due);

            let is_used = |(place, it): &(Place, &Followed)| {
                place.1 < next_nonce || it.standing != Standing::Pending
            };
            let of_slow = all().filter(|(place, _)| place.0 == wallet(SLOW));
            let due = of_slow.filter(|(_, it)| it.look_at <= now).filter(is_used);
            let due: BTreeSet<Place> = due.map(|(place, _)| place).collect();
            let found = under_way.to_look_for(wallet(SLOW), next_nonce, now, usize::MAX);
            prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), due);
        }
    }
}
