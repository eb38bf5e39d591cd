//! Plans from coins, from what a node says.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

use portcullis_chains::Amount;
use portcullis_chains::bitcoin::{Coin, FeeRate, OutPoint, Sats, Wallet};
use portcullis_chains::bitcoin::{
    Lock, Payment, Plan as Made, SignedTx, Terms, Txid, Unspent, txid,
};
use portcullis_chains::caip::{Address, BitcoinAddress};
use portcullis_chains::caip::{AssetId, BitcoinAsset, BitcoinChain};
use portcullis_core::Digest;
use portcullis_core::Span;
use portcullis_core::decide::payment::Spend;
use portcullis_core::decide::{self, Decided};
use portcullis_core::entry::{Body, Settlement};
use portcullis_core::genesis::{Bitcoin, CoinKey as Named, Genesis, XOnly};
use portcullis_core::limits::{Bounds, Limit};
use portcullis_core::plan::Plan;
use portcullis_gate::{CoinFees, CoinFollower, CoinTable};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{Customer, HandClock, Ledger, World};
use portcullis_keys::{CoinKey as _, SoftwareCoin};
use portcullis_node::Block;
use portcullis_node::NodeError;
use portcullis_node::bitcoin::{BitcoinNode, Listed};
use portcullis_node::bitcoin::{InChain, Observation, Sent};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use zeroize::Zeroizing;

const CHAIN: BitcoinChain = BitcoinChain::Regtest;

fn named() -> Named {
    let key = SoftwareCoin::new(&Zeroizing::new([8; 32])).unwrap();
    let [_, x @ ..] = key.public_key();
    Named::P2tr(XOnly(x))
}

fn btc() -> AssetId {
    AssetId::Bitcoin(BitcoinAsset { chain: CHAIN })
}

fn of_coins(genesis: &mut Genesis) {
    let wallet = &mut genesis.wallets[0];
    let lock = named().owned().unwrap().lock();
    wallet.address = Address::Bitcoin(BitcoinAddress::new(CHAIN, lock));
    wallet.bitcoin = Some(Bitcoin {
        change: named(),
        keys: Vec::new(),
        batch: Span(0),
    });
    wallet.fee_ceiling = Amount(20_000);
    genesis.assets.push(btc());
    genesis.limits.rules.push(Limit {
        asset: btc(),
        bounds: Bounds::Account,
        per_transaction: None,
        hour: Some(Amount(10_000_000)),
        day: None,
        week: None,
        approval: None,
    });
}

/// The transaction that pays the wallet a coin of so much, and the claim of it.
fn deposit(number: u8, sats: u64) -> (Listed, Vec<u8>) {
    let key = named().owned().unwrap();
    let wallet = Wallet::new(CHAIN, key, &[]);
    let script = key.lock().script();
    let unspent = Unspent {
        outpoint: OutPoint::new(txid([number; 32]), 0),
        amount: 10_000_000,
        script: script.as_bytes(),
        previous: None,
    };
    let coin = Coin::prove(&unspent, &wallet).unwrap();
    let to = BitcoinAddress::new(CHAIN, key.lock());
    let terms = Terms {
        payments: &[Payment::new(to, Amount(sats.into())).unwrap()],
        rate: FeeRate::MIN,
        ceiling: Sats::MAX,
        lock_height: 0,
        replaced: None,
    };
    let made = Made::make([coin], &wallet, &terms).unwrap();
    let listed = Listed {
        outpoint: OutPoint::new(made.txid(), 0),
        amount: Sats::new(sats).unwrap(),
        script: key.lock().script().to_bytes(),
    };
    (listed, made.to_bytes())
}

/// A node that lists these, and has in its pool what spends some of them.
struct Fake {
    deposits: Vec<(Listed, Vec<u8>)>,
    spent_in_pool: Arc<Mutex<BTreeSet<OutPoint>>>,
}

impl BitcoinNode for Fake {
    fn watch(&self, locks: &[Lock]) -> Result<(), NodeError> {
        assert_eq!(locks, [named().owned().unwrap().lock()]);
        Ok(())
    }

    fn tip(&self) -> Result<Block, NodeError> {
        let (number, hash) = (900, [9; 32]);
        Ok(Block { number, hash })
    }

    fn unspent(&self, confirmations: u32, _: Sats) -> Result<Vec<Listed>, NodeError> {
        assert_eq!(confirmations, 3, "as configured");
        let pool = self.spent_in_pool.lock().unwrap();
        let listed = self.deposits.iter().map(|(listed, _)| listed.clone());
        Ok(listed.filter(|it| !pool.contains(&it.outpoint)).collect())
    }

    fn in_chain(&self, outputs: &[OutPoint]) -> Result<Vec<Option<InChain>>, NodeError> {
        let find = |outpoint: &OutPoint| {
            let mut all = self.deposits.iter();
            let (listed, _) = all.find(|(listed, _)| listed.outpoint == *outpoint)?;
            Some(InChain {
                listed: listed.clone(),
                confirmations: 1,
            })
        };
        Ok(outputs.iter().map(find).collect())
    }

    fn transactions(&self, txids: &[Txid]) -> Result<Vec<Vec<u8>>, NodeError> {
        let find = |txid: &Txid| {
            let mut all = self.deposits.iter();
            let found = all.find(|(listed, _)| listed.outpoint.txid == *txid);
            found.unwrap().1.clone()
        };
        Ok(txids.iter().map(find).collect())
    }

    fn suggest_rate(&self, _: u16) -> Result<FeeRate, NodeError> {
        Ok(FeeRate::per_1000_virtual_bytes(9_000).unwrap())
    }

    fn send_all(&self, _: &[&SignedTx]) -> Vec<Sent> {
        Vec::new()
    }

    fn look(&self, _: OutPoint, _: &[Txid]) -> Result<Observation, NodeError> {
        Err(NodeError::TimedOut)
    }
}

struct Stage {
    ledger: Ledger,
    customer: Customer,
    table: CoinTable,
    follower: CoinFollower,
    pool: Arc<Mutex<BTreeSet<OutPoint>>>,
}

impl Stage {
    fn new() -> Self {
        let world = Arc::new(World::with(of_coins));
        let mut ledger = Ledger::new(Arc::clone(&world), HandClock::at(World::START));
        let customer = Customer::number(1);
        ledger.open(&customer);
        ledger.add_address(&customer, payee());
        let fees = CoinFees {
            node: String::new(),
            credentials: std::path::PathBuf::new(),
            max_fee_per_kvb: 5_000,
            confirmations: 3,
            target_blocks: 6,
            bump_after_seconds: 60,
        };
        let wallet = world.network.genesis().wallets[0].spends().unwrap();
        let table = CoinTable::new([(&wallet, &fees)].into_iter());
        let pool = Arc::default();
        let node = Fake {
            deposits: vec![deposit(1, 100_000), deposit(2, 90_000)],
            spent_in_pool: Arc::clone(&pool),
        };
        let follower = CoinFollower::new(table.clone(), wallet, Arc::new(node), fees);
        Self {
            ledger,
            customer,
            table,
            follower,
            pool,
        }
    }

    /// A withdrawal that is due.
    fn due(&mut self) -> (Digest, Decided) {
        self.due_for(40_000)
    }

    fn due_for(&mut self, sats: u128) -> (Digest, Decided) {
        let ledger = &mut self.ledger;
        let (act, evidence) = ledger.withdrawal(&self.customer, btc(), payee(), sats);
        let digest = ledger.submit(act, evidence);
        ledger.clock.pass(Span::seconds(1));
        ledger.settle_clocks();
        let decided = decide::settle(&ledger.state, digest, ledger.clock.now());
        (digest, decided)
    }

    fn planned(&self, decided: &Decided) -> Option<Plan> {
        self.table.plan(decided.payment().unwrap().spend().unwrap())
    }

    fn spends(&self, plan: &Plan) -> Vec<OutPoint> {
        let wallet = &self.ledger.world.network.genesis().wallets[0];
        let claimed = decide::payment::spend::decode(wallet, plan).unwrap();
        claimed.spends().collect()
    }

    fn settle(&mut self, act: Digest, decided: &Decided, plan: Plan) {
        let settlement = Settlement {
            act,
            decision: decided.decision().clone(),
            plan: Some(plan),
            beside: portcullis_core::entry::Beside::default(),
        };
        let applied = self.ledger.enter(Body::Settle(Box::new(settlement)));
        assert_eq!(applied.void, None);
        self.table.note(&self.ledger.state);
    }
}

fn payee() -> Address {
    Address::Bitcoin(BitcoinAddress::new(CHAIN, Lock::P2wpkh([7; 20])))
}

#[test]
fn nothing_is_planned_before_the_node_has_spoken_and_never_above_the_configured_rate() {
    let mut stage = Stage::new();
    let (_, decided) = stage.due();
    assert_eq!(stage.planned(&decided), None);
    stage.follower.ask();
    let plan = stage.planned(&decided).unwrap();
    let wallet = &stage.ledger.world.network.genesis().wallets[0];
    let fee = decide::payment::spend::decode(wallet, &plan).unwrap().fee();
    // One input of P2TR, a payment to P2WPKH, change to P2TR: 142 virtual bytes at most.
    assert!((600..=5 * 142).contains(&fee.get()), "{}", fee.get());
    assert_eq!(stage.spends(&plan), [deposit(1, 100_000).0.outpoint]);
}

/// What a batch stood to spend when the node was asked may be spent by now: another batch that began with it could be
/// neither paid nor given up.
#[test]
fn what_stood_to_be_spent_begins_no_new_batch() {
    let mut stage = Stage::new();
    let (act, decided) = stage.due();
    stage.follower.ask();
    let plan = stage.planned(&decided).unwrap();
    let first = stage.spends(&plan);
    stage.settle(act, &decided, plan);
    stage.follower.ask();
    // As a state would ask that has seen the batch end since.
    let other = stage.planned(&decided).unwrap();
    assert!(
        stage
            .spends(&other)
            .iter()
            .all(|coin| !first.contains(coin))
    );
}

/// The node lists no more what its pool spends, and a replacement has to spend just that.
#[test]
fn a_higher_fee_spends_what_the_pool_has() {
    let mut stage = Stage::new();
    let (act, decided) = stage.due();
    stage.follower.ask();
    let plan = stage.planned(&decided).unwrap();
    let first = stage.spends(&plan);
    stage.pool.lock().unwrap().extend(&first);
    stage.settle(act, &decided, plan);
    stage.follower.ask();
    let again = Spend::again(&stage.ledger.state, act).unwrap();
    let plan = stage.table.plan(&again).unwrap();
    assert_eq!(stage.spends(&plan), first);
}

/// What a batch spends is remembered while it stands, and for a minute of answers after it has ended.
#[test]
fn what_was_spent_is_remembered_for_a_while() {
    let mut stage = Stage::new();
    let (act, decided) = stage.due();
    stage.follower.ask();
    let plan = stage.planned(&decided).unwrap();
    let first = stage.spends(&plan);
    stage.settle(act, &decided, plan);
    let begins = |stage: &Stage| stage.spends(&stage.planned(&decided).unwrap());
    for _ in 0..20 {
        stage.follower.ask();
        stage.table.note(&stage.ledger.state);
        assert_ne!(begins(&stage), first, "it stands");
    }
    // Ended: the state has it no more.
    for _ in 0..11 {
        stage.follower.ask();
        assert_ne!(begins(&stage), first, "the node may be behind");
    }
    stage.follower.ask();
    assert_eq!(begins(&stage), first, "it never came to it");
}

/// Until the node has spoken again, nobody tries for as much as could not be paid; whoever asks for less may.
#[test]
fn what_could_not_be_paid_is_not_tried_again_at_once() {
    let mut stage = Stage::new();
    let (_, too_much) = stage.due_for(500_000);
    let (_, little) = stage.due_for(40_000);
    let may = |stage: &Stage, decided: &Decided| {
        let spend = decided.payment().unwrap().spend().unwrap();
        stage.table.may_plan(spend)
    };
    assert!(may(&stage, &too_much), "nothing is known yet");
    assert_eq!(stage.planned(&little), None, "the node has not spoken");
    assert!(!may(&stage, &little) && !may(&stage, &too_much));
    stage.follower.ask();
    assert!(may(&stage, &little) && may(&stage, &too_much));
    assert_eq!(stage.planned(&too_much), None);
    assert!(may(&stage, &little) && !may(&stage, &too_much));
    assert!(stage.planned(&little).is_some());
}

/// A node that does not know of the transaction lists what it spends, and the chain has it, too: once is enough.
#[test]
fn each_coin_is_known_once() {
    let mut stage = Stage::new();
    let (act, decided) = stage.due_for(150_000);
    stage.follower.ask();
    let plan = stage.planned(&decided).unwrap();
    let both = stage.spends(&plan);
    assert_eq!(both.len(), 2);
    stage.settle(act, &decided, plan);
    stage.follower.ask();
    let again = Spend::again(&stage.ledger.state, act).unwrap();
    let plan = stage.table.plan(&again).unwrap();
    assert_eq!(stage.spends(&plan), both);
}
