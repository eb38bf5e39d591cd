//! A wallet that spends coins, a chain that pays it, and a node that says what the test wants.

use crate::bench::{Bench, config};
use portcullis_chains::bitcoin::{
    Coin, FeeRate, Lock, OutPoint, OwnedKey, Payment, Plan as Made, Sats, SignedTx, Terms, Txid,
    Unspent, Wallet, txid,
};
use portcullis_chains::caip::{Address, AssetId, BitcoinAddress, BitcoinAsset, BitcoinChain};
use portcullis_chains::{Amount, ChainId};
use portcullis_core::decide::batch::settle_together;
use portcullis_core::decide::payment::Spend;
use portcullis_core::decide::payment::spend::decode;
use portcullis_core::entry::{Beside, Body, Settlement};
use portcullis_core::genesis::{Bitcoin, CoinKey as Named, Compressed, Genesis, XOnly};
use portcullis_core::limits::{Bounds, Limit};
use portcullis_core::plan::Plan;
use portcullis_core::state::batch::CoinId;
use portcullis_core::{Decision, Digest, Span};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{Customer, HandClock, World};
use portcullis_keys::software::Secret;
use portcullis_keys::{CoinKey, SoftwareCoin};
use portcullis_node::bitcoin::{BitcoinNode, InChain, Listed, Observation, Seen, Sent};
use portcullis_node::{Block, NodeError};
use portcullis_signer::{Coins, Config};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

pub(super) const CHAIN: BitcoinChain = BitcoinChain::Regtest;
const BATCH: Span = Span::seconds(60);
/// In satoshis: the ceiling of genesis, the signer's own, and what each coin holds.
const CEILING: u128 = 20_000;
pub(super) const OWN_CEILING: u128 = 10_000;
const COIN: u64 = 100_000;
/// How deep the signer wants a payment to be before it is final, and a coin before it is spent first.
pub(super) const DEPTH: u32 = 2;
/// The node's highest block, and what an honest plan names.
pub(super) const HEIGHT: u32 = 900;

pub(super) fn btc() -> AssetId {
    AssetId::Bitcoin(BitcoinAsset { chain: CHAIN })
}

pub(super) fn payee(byte: u8) -> BitcoinAddress {
    BitcoinAddress::new(CHAIN, Lock::P2wpkh([byte; 20]))
}

fn key(seed: u8) -> SoftwareCoin {
    SoftwareCoin::new(&Secret::new([seed; 32])).unwrap()
}

fn taproot() -> Named {
    let [_, x @ ..] = key(8).public_key();
    Named::P2tr(XOnly(x))
}

fn segwit() -> Named {
    Named::P2wpkh(Compressed(key(7).public_key()))
}

/// The wallet spends coins of two keys; its change goes to the first.
fn of_coins(genesis: &mut Genesis) {
    let wallet = &mut genesis.wallets[0];
    let change = taproot().owned().unwrap().lock();
    wallet.address = Address::Bitcoin(BitcoinAddress::new(CHAIN, change));
    wallet.bitcoin = Some(Bitcoin {
        change: taproot(),
        keys: vec![segwit()],
        batch: BATCH,
    });
    wallet.fee_ceiling = Amount(CEILING);
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

fn settings() -> Config {
    let text = format!(
        r#"
        [[chains]]
        id = "{CHAIN}"
        node = "http://node"
        credentials = "cookie"
        confirmations = {DEPTH}
        max_fee = "{OWN_CEILING}"
        max_fee_per_kvb = 30000

        [[caps]]
        asset = "{}"
        per_transaction = "60000"
        day = "150000"
        "#,
        btc()
    );
    let mut config = config(&text);
    config.keys.wallets.clear();
    config
}

/// An output of the wallet's, with the transaction that made it.
#[derive(Clone)]
pub(super) struct Deposit {
    pub(super) outpoint: OutPoint,
    pub(super) script: Vec<u8>,
    pub(super) previous: Vec<u8>,
    sats: u64,
}

impl Deposit {
    /// What a stranger pays to a key of the wallet.
    fn new(owned: OwnedKey, number: u8, sats: u64) -> Self {
        let [_, x @ ..] = key(99).public_key();
        let stranger = OwnedKey::p2tr(&x).unwrap();
        let wallet = Wallet::new(CHAIN, stranger, &[]);
        let script = stranger.lock().script();
        let unspent = Unspent {
            outpoint: OutPoint::new(txid([number; 32]), 0),
            amount: 10 * COIN,
            script: script.as_bytes(),
            previous: None,
        };
        let coin = Coin::prove(&unspent, &wallet).unwrap();
        let to = BitcoinAddress::new(CHAIN, owned.lock());
        let terms = Terms {
            payments: &[Payment::new(to, Amount(sats.into())).unwrap()],
            rate: FeeRate::MIN,
            ceiling: Sats::MAX,
            lock_height: 0,
            replaced: None,
        };
        let made = Made::make([coin], &wallet, &terms).unwrap();
        Self {
            outpoint: OutPoint::new(made.txid(), 0),
            script: owned.lock().script().to_bytes(),
            previous: made.to_bytes(),
            sats,
        }
    }

    /// As the gate sees it, which may add to what it holds.
    fn coin(&self, wallet: &Wallet, more: u64) -> Coin {
        let unspent = Unspent {
            outpoint: self.outpoint,
            amount: self.sats + more,
            script: &self.script,
            previous: (more == 0).then_some(&self.previous[..]),
        };
        Coin::prove(&unspent, wallet).unwrap()
    }
}

fn deposits(keys: &[Named], (count, sats): (u8, u64)) -> Vec<Deposit> {
    let keys = keys.iter().cycle();
    let deposits = (1..=count).zip(keys);
    deposits
        .map(|(number, key)| Deposit::new(key.owned().unwrap(), number, sats))
        .collect()
}

/// A bench with coins, and how its gate plans.
pub(super) struct Stage {
    pub(super) bench: Bench,
    pub(super) node: FakeCoins,
    pub(super) deposits: Vec<Deposit>,
    /// What the gate says that each coin holds too much.
    pub(super) more: u64,
    pub(super) rate: u64,
    pub(super) height: u32,
}

impl Stage {
    /// Coins of both kinds.
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same, for a signer that is configured otherwise.
    pub(super) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut settings = settings();
        change(&mut settings);
        Self::of(settings, deposits(&[segwit(), taproot()], (6, COIN)))
    }

    /// Coins that only P2TR opens, of which a claim needs no proof.
    pub(super) fn of_taproot() -> Self {
        Self::of(settings(), deposits(&[taproot()], (6, COIN)))
    }

    /// Coins of which a payment takes many, more than a node is asked for at once.
    pub(super) fn of_small_coins() -> Self {
        Self::of(settings(), deposits(&[taproot()], (14, 4_000)))
    }

    fn of(settings: Config, deposits: Vec<Deposit>) -> Self {
        let node = FakeCoins::default();
        node.chain().deposits.clone_from(&deposits);
        node.chain().depth = DEPTH;
        node.chain().height = HEIGHT;
        let own: Vec<Arc<dyn CoinKey>> = vec![Arc::new(key(7)), Arc::new(key(8))];
        let seam: Arc<dyn BitcoinNode> = Arc::new(node.clone());
        let coins = Coins {
            keys: BTreeMap::from([(World::WALLET, own)]),
            nodes: BTreeMap::from([(ChainId::Bitcoin(CHAIN), seam)]),
        };
        let bench = Bench::spending(World::with(of_coins), settings, coins);
        for byte in 1..=3 {
            let mut wire = bench.wire();
            let to = Address::Bitcoin(payee(byte));
            wire.ledger.add_address(&bench.customer, to);
        }
        Self {
            bench,
            node,
            deposits,
            more: 0,
            rate: 2_000,
            height: HEIGHT,
        }
    }

    /// Ask for so much to each payee, and wait until all are due.
    pub(super) fn due(&mut self, wants: &[(u8, u128)]) -> Vec<Digest> {
        let wants = wants.iter();
        let asked = wants.map(|(byte, sats)| self.ask(&self.bench.customer, *byte, *sats));
        let asked = asked.collect();
        self.pass_a_batch();
        asked
    }

    pub(super) fn ask(&self, customer: &Customer, to: u8, sats: u128) -> Digest {
        let ledger = &mut self.bench.wire().ledger;
        let to = Address::Bitcoin(payee(to));
        let (act, evidence) = ledger.withdrawal(customer, btc(), to, sats);
        ledger.submit(act, evidence)
    }

    pub(super) fn pass_a_batch(&self) {
        self.bench.clock.pass(BATCH);
        self.bench.wire().ledger.settle_clocks();
    }

    /// What the newest plan of the one batch spends.
    pub(super) fn spent(&self) -> Vec<OutPoint> {
        let leader = self.leaders()[0];
        let wire = self.bench.wire();
        let state = &wire.ledger.state;
        let wallet = &state.network().genesis().wallets[0];
        let plan = state.facts().signable(leader).unwrap();
        decode(wallet, plan).unwrap().spends().collect()
    }

    /// The batches that are on their way.
    pub(super) fn leaders(&self) -> Vec<Digest> {
        let wire = self.bench.wire();
        let batches = wire.ledger.state.facts().batches_of(World::WALLET);
        batches.map(|(leader, _)| *leader).collect()
    }

    /// The wallet's number of a batch, and what all its plans spend first.
    pub(super) fn batch(&self, leader: Digest) -> (u64, CoinId) {
        let wire = self.bench.wire();
        let batch = wire.ledger.state.facts().batch_of(leader).unwrap();
        (batch.number, batch.shared)
    }

    /// What the gate plans for a payment.
    pub(super) fn planned(&self, spend: &Spend) -> Plan {
        let coins = self.deposits.iter();
        let coins = coins.map(|deposit| deposit.coin(spend.wallet(), self.more));
        let rate = FeeRate::per_1000_virtual_bytes(self.rate).unwrap();
        spend.plan(coins, rate, self.height).unwrap()
    }

    /// The gate pays these in one batch, with bytes of its own making out of the honest plan; whether state takes it.
    pub(super) fn settle_with(
        &mut self,
        acts: &[Digest],
        forge: impl FnOnce(Plan) -> Plan,
    ) -> bool {
        let (leader, beside) = acts.split_first().unwrap();
        let now = self.bench.clock.now();
        let state = self.bench.wire().ledger.state.clone();
        let decided = settle_together(&state, *leader, beside, now).unwrap();
        let plan = self.planned(decided.payment().unwrap().spend().unwrap());
        let settlement = Settlement {
            act: *leader,
            decision: Decision::Release,
            plan: Some(forge(plan)),
            beside: Beside(beside.to_vec()),
        };
        let mut wire = self.bench.wire();
        // What state does not take shuts everything; it is as if the gate had not written it.
        let mut ledger = wire.ledger.clone();
        let applied = ledger.enter(Body::Settle(Box::new(settlement)));
        let is_taken = applied.void.is_none();
        if is_taken {
            ledger.cosign();
            wire.ledger = ledger;
        }
        is_taken
    }

    /// Ask, wait and pay in one batch.
    pub(super) fn pay(&mut self, wants: &[(u8, u128)]) -> Vec<Digest> {
        let acts = self.due(wants);
        assert!(self.settle_with(&acts, |plan| plan));
        acts
    }
}

/// A node that says what the test wants.
#[derive(Clone, Default)]
pub(super) struct FakeCoins(Arc<Mutex<Chain>>);

#[derive(Default)]
pub(super) struct Chain {
    pub(super) deposits: Vec<Deposit>,
    /// Everything that came, in order.
    pub(super) got: Vec<SignedTx>,
    /// How deep what was paid is.
    pub(super) depth: u32,
    /// The highest block.
    pub(super) height: u32,
    /// What is not in a block, or spent there.
    pub(super) gone: Vec<OutPoint>,
    /// In which block a transaction is.
    pub(super) mined: Option<(Txid, u32)>,
    /// What it says to a broadcast instead of taking it.
    pub(super) answer: Option<Sent>,
    /// How deep something is that spends an input of what came, but not the first.
    pub(super) conflict: Option<u32>,
    /// Whether the chain has something of nobody's that spends the first input.
    pub(super) is_robbed: bool,
    /// Says nothing.
    pub(super) is_mute: bool,
    /// Shows another transaction than the one that it is asked for.
    pub(super) swaps: bool,
    /// How long each answer takes, by whose clock.
    pub(super) slow: Option<(HandClock, Span)>,
    /// How many questions came.
    pub(super) asked: u32,
}

impl FakeCoins {
    pub(super) fn chain(&self) -> MutexGuard<'_, Chain> {
        self.0.lock().unwrap()
    }

    fn asked(&self) -> Result<MutexGuard<'_, Chain>, NodeError> {
        let mut chain = self.chain();
        chain.asked += 1;
        if let Some((clock, span)) = &chain.slow {
            clock.pass(*span);
        }
        if chain.is_mute {
            return Err(NodeError::TimedOut);
        }
        Ok(chain)
    }
}

impl BitcoinNode for FakeCoins {
    fn watch(&self, _: &[Lock]) -> Result<(), NodeError> {
        self.asked().map(drop)
    }

    fn tip(&self) -> Result<Block, NodeError> {
        let hash = [9; 32];
        self.asked().map(|chain| Block {
            number: chain.height.into(),
            hash,
        })
    }

    fn unspent(&self, _: u32, _: Sats) -> Result<Vec<Listed>, NodeError> {
        Err(NodeError::TimedOut)
    }

    fn in_chain(&self, outputs: &[OutPoint]) -> Result<Vec<Option<InChain>>, NodeError> {
        let chain = self.asked()?;
        let find = |outpoint: &OutPoint| {
            let mut deposits = chain.deposits.iter();
            let found = deposits.find(|deposit| deposit.outpoint == *outpoint)?;
            (!chain.gone.contains(outpoint)).then(|| InChain {
                listed: Listed {
                    outpoint: *outpoint,
                    amount: Sats::new(found.sats).unwrap(),
                    script: found.script.clone(),
                },
                confirmations: chain.depth,
            })
        };
        Ok(outputs.iter().map(find).collect())
    }

    fn transactions(&self, txids: &[Txid]) -> Result<Vec<Vec<u8>>, NodeError> {
        let chain = self.asked()?;
        let find = |txid: &Txid| {
            let found = |it: &&Deposit| (it.outpoint.txid == *txid) != chain.swaps;
            let found = chain.deposits.iter().find(found);
            found
                .map(|it| it.previous.clone())
                .ok_or(NodeError::Syncing)
        };
        txids.iter().map(find).collect()
    }

    fn suggest_rate(&self, _: u16) -> Result<FeeRate, NodeError> {
        Err(NodeError::TimedOut)
    }

    fn send_all(&self, txs: &[&SignedTx]) -> Vec<Sent> {
        match self.asked() {
            Ok(mut chain) => {
                chain.got.extend(txs.iter().map(|tx| (*tx).clone()));
                let answer = chain.answer.clone().unwrap_or(Sent::Accepted);
                vec![answer; txs.len()]
            }
            Err(error) => vec![Sent::Unknown(error); txs.len()],
        }
    }

    fn look(&self, _: OutPoint, txids: &[Txid]) -> Result<Observation, NodeError> {
        let chain = self.asked()?;
        let see = |txid: &Txid| match chain.mined {
            Some((mined, confirmations)) if mined == *txid => {
                let block = Block {
                    number: HEIGHT.into(),
                    hash: [9; 32],
                };
                let mined = Seen::Mined {
                    block,
                    confirmations,
                };
                (*txid, mined)
            }
            _ if chain.conflict.is_some() => {
                let confirmations = chain.conflict.unwrap_or_default();
                (*txid, Seen::Conflicted { confirmations })
            }
            _ if chain.is_robbed => (*txid, Seen::Unknown),
            _ if chain.got.iter().any(|tx| tx.txid() == *txid) => (*txid, Seen::Waiting),
            _ => (*txid, Seen::Unknown),
        };
        Ok(Observation {
            shared_unspent: chain.mined.is_none() && !chain.is_robbed,
            seen: txids.iter().map(see).collect(),
        })
    }
}
