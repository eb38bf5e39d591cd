//! A chain with Ethereum's rules as far as they matter here, and the node through which the signer sees
//! it: one that may lie, lag, hang and forget.

use crate::chronicle::Chronicle;
use crate::clock::TrueTime;
use crate::dice::Dice;
use crate::eth;
use portcullis_chains::Amount;
use portcullis_chains::ethereum::{SignedTx, TRANSFER_TOPIC};
use portcullis_core::Span;
use portcullis_node::{At, Block, Found, Head, Log, Node, NodeError, Receipt, Sent, SuggestedFees};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a node does that it should not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeLie {
    /// It does not answer.
    Hangs,
    /// It says that it took what it throws away.
    Drops,
    /// It refuses everything with the word that a nonce is used up.
    NonceTooLow,
    /// It is away with an error of its own.
    Fails,
    /// It knows of no receipt and of no nonce that is used.
    Lags,
    /// It says that what has arrived has failed.
    FalseRevert,
}

impl NodeLie {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Hangs,
        Self::Drops,
        Self::NonceTooLow,
        Self::Fails,
        Self::Lags,
        Self::FalseRevert,
    ];
}

/// A transaction in a block.
#[derive(Clone)]
struct Mined {
    tx: SignedTx,
    block: u64,
    succeeded: bool,
}

/// The chain.
pub struct Chain {
    time: TrueTime,
    chronicle: Chronicle,
    dice: Dice,
    wallet: [u8; 20],
    height: u64,
    /// Bumped by every block that is taken back.
    branch: u64,
    /// The highest that it ever was: only a block at that height is taken back.
    highest: u64,
    taken_back: u64,
    pool: BTreeMap<u64, SignedTx>,
    mined: BTreeMap<u64, Mined>,
    /// Every transaction that was ever handed in, in order; taken out by whoever watches.
    handed: Vec<SignedTx>,
    lie: Option<NodeLie>,
    /// Whether mined transactions fail now and then.
    reverts: bool,
    /// Nonces about which the node has lied so that nothing can be said of their acts.
    lied_about: Vec<u64>,
}

impl Chain {
    /// An empty chain on which this wallet has sent nothing.
    #[must_use]
    pub fn new(time: TrueTime, dice: Dice, chronicle: Chronicle, wallet: [u8; 20]) -> Self {
        Self {
            time,
            chronicle,
            dice,
            wallet,
            height: 100,
            branch: 0,
            highest: 100,
            taken_back: 0,
            pool: BTreeMap::new(),
            mined: BTreeMap::new(),
            handed: Vec::new(),
            lie: None,
            reverts: false,
            lied_about: Vec::new(),
        }
    }

    /// The node lies from here on, or is honest again.
    pub fn set_lie(&mut self, lie: Option<NodeLie>) {
        self.lie = lie;
    }

    /// Whether transactions fail now and then.
    pub fn set_reverts(&mut self, reverts: bool) {
        self.reverts = reverts;
    }

    /// What was handed in since the last question.
    pub fn take_handed(&mut self) -> Vec<SignedTx> {
        std::mem::take(&mut self.handed)
    }

    /// The nonces about which the node has lied for good.
    #[must_use]
    pub fn lied_about(&self) -> &[u64] {
        &self.lied_about
    }

    /// What is in the chain, by nonce: the transaction, and whether it did what it should.
    pub fn settled(&self) -> impl Iterator<Item = (u64, &SignedTx, bool)> {
        let mined = self.mined.iter();
        mined.map(|(nonce, mined)| (*nonce, &mined.tx, mined.succeeded))
    }

    /// A block: everything in the pool that is next in order.
    pub fn mine(&mut self) {
        self.height += 1;
        self.highest = self.highest.max(self.height);
        let mut count = 0;
        while let Some(tx) = self.pool.remove(&self.next_nonce()) {
            let succeeded = !(self.reverts && self.dice.chance(60));
            if !succeeded {
                self.chronicle.count("fault: transaction reverted");
            }
            let nonce = tx.unsigned().nonce();
            let block = self.height;
            self.mined.insert(
                nonce,
                Mined {
                    tx,
                    block,
                    succeeded,
                },
            );
            count += 1;
        }
        if count > 0 {
            self.chronicle
                .note("chain: block", format!("{} with {count}", self.height));
        }
    }

    /// The newest block is taken back; what was in it is in the pool again.
    pub fn reorganise(&mut self) {
        let top = self.height;
        if top < self.highest || top == self.taken_back {
            return;
        }
        self.taken_back = top;
        let back: Vec<u64> = self
            .mined
            .iter()
            .filter(|(_, mined)| mined.block == top)
            .map(|(nonce, _)| *nonce)
            .collect();
        self.branch += 1;
        self.height -= 1;
        for nonce in back {
            if let Some(mined) = self.mined.remove(&nonce) {
                self.pool.insert(nonce, mined.tx);
            }
        }
        self.chronicle.note("fault: block taken back", top);
    }

    /// The node forgets what waits.
    pub fn forget(&mut self) {
        self.pool.clear();
        self.chronicle.note("fault: node forgets", "its pool");
    }

    fn next_nonce(&self) -> u64 {
        self.mined.len() as u64
    }

    fn hash(&self, number: u64) -> [u8; 32] {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        // A block that was never taken back keeps its name whatever happens above it.
        if number == self.height {
            hash[8..16].copy_from_slice(&self.branch.to_be_bytes());
        }
        hash
    }

    fn take(&mut self, tx: &SignedTx) -> Sent {
        let nonce = tx.unsigned().nonce();
        if nonce < self.next_nonce() {
            return Sent::NonceTooLow;
        }
        match self.pool.get(&nonce) {
            Some(known) if known.hash() == tx.hash() => Sent::AlreadyKnown,
            Some(known) if !eth::outbids(tx, known) => Sent::Underpriced,
            _ => {
                self.pool.insert(nonce, tx.clone());
                Sent::Accepted
            }
        }
    }

    fn find(&self, hash: [u8; 32]) -> Option<Receipt> {
        let mined = self.mined.values().find(|mined| mined.tx.hash() == hash)?;
        let block = Block {
            number: mined.block,
            hash: self.hash(mined.block),
        };
        let logs = mined.succeeded.then(|| self.log_of(&mined.tx)).flatten();
        Some(Receipt {
            hash,
            block,
            succeeded: mined.succeeded,
            logs: logs.into_iter().collect(),
        })
    }

    fn log_of(&self, tx: &SignedTx) -> Option<Log> {
        let paid = eth::read(&tx.unsigned().to_bytes())?;
        let contract = paid.token?;
        let topic = |address: [u8; 20]| {
            let mut topic = [0; 32];
            topic[12..].copy_from_slice(&address);
            topic
        };
        let mut data = vec![0; 16];
        data.extend(paid.amount.to_be_bytes());
        Some(Log {
            contract,
            topics: vec![TRANSFER_TOPIC, topic(self.wallet), topic(paid.to)],
            data,
        })
    }
}

/// The signer's node.
pub struct SimNode {
    chain: Arc<Mutex<Chain>>,
}

impl SimNode {
    /// A node of this chain.
    #[must_use]
    pub fn of(chain: &Arc<Mutex<Chain>>) -> Arc<dyn Node> {
        Arc::new(Self {
            chain: Arc::clone(chain),
        })
    }

    fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The chain, if the node answers at all.
    fn answering(&self) -> Result<MutexGuard<'_, Chain>, NodeError> {
        let chain = self.chain();
        match chain.lie {
            Some(NodeLie::Hangs) => {
                chain.chronicle.count("fault: node hangs");
                chain.time.pass(Span(400));
                Err(NodeError::TimedOut)
            }
            Some(NodeLie::Fails) => {
                chain.chronicle.count("fault: node fails");
                Err(NodeError::Says {
                    code: -32603,
                    message: "internal error".into(),
                })
            }
            _ => Ok(chain),
        }
    }
}

impl Node for SimNode {
    fn chain_id(&self) -> Result<u64, NodeError> {
        Ok(31_337)
    }

    fn head(&self) -> Result<Head, NodeError> {
        let chain = self.answering()?;
        let lag = if chain.lie == Some(NodeLie::Lags) {
            3
        } else {
            0
        };
        let number = chain.height - lag;
        let block = Block {
            number,
            hash: chain.hash(number),
        };
        Ok(Head {
            block,
            base_fee: 1_000_000_000,
        })
    }

    fn suggest_fees(&self) -> Result<SuggestedFees, NodeError> {
        let chain = self.answering()?;
        let going = u128::from(chain.height % 7) + 2;
        Ok(SuggestedFees {
            max_fee_per_gas: going * 2_000_000_000,
            max_priority_fee_per_gas: 1_000_000_000,
        })
    }

    fn nonce(&self, _: [u8; 20], _: At) -> Result<u64, NodeError> {
        let chain = self.answering()?;
        match chain.lie {
            Some(NodeLie::Lags) => {
                chain.chronicle.count("fault: node lags");
                Ok(0)
            }
            _ => Ok(chain.next_nonce()),
        }
    }

    fn balance(&self, _: [u8; 20]) -> Result<Amount, NodeError> {
        Ok(Amount(u128::MAX))
    }

    fn send_all(&self, txs: &[&SignedTx]) -> Vec<Sent> {
        let mut chain = self.chain();
        if chain.lie == Some(NodeLie::Hangs) {
            chain.chronicle.count("fault: node hangs");
            chain.time.pass(Span(400));
        }
        txs.iter().map(|tx| chain.receive(tx)).collect()
    }

    fn receipts(&self, hashes: &[[u8; 32]]) -> Result<Vec<Found>, NodeError> {
        let mut chain = self.answering()?;
        Ok(hashes.iter().map(|hash| Ok(chain.show(*hash))).collect())
    }
}

impl Chain {
    /// What is said to a broadcast. Whatever the node does, the bytes are out.
    fn receive(&mut self, tx: &SignedTx) -> Sent {
        self.handed.push(tx.clone());
        match self.lie {
            Some(NodeLie::Hangs) => {
                // It may have taken it all the same.
                if self.dice.chance(500) {
                    self.take(tx);
                }
                Sent::Unknown(NodeError::TimedOut)
            }
            Some(NodeLie::Drops) => {
                self.chronicle.count("fault: node drops");
                Sent::Accepted
            }
            Some(NodeLie::NonceTooLow) => {
                self.chronicle.count("fault: node says nonce too low");
                Sent::NonceTooLow
            }
            Some(NodeLie::Fails) => Sent::Unknown(NodeError::Status(503)),
            _ => self.take(tx),
        }
    }

    fn show(&mut self, hash: [u8; 32]) -> Option<Receipt> {
        match self.lie {
            Some(NodeLie::Lags) => None,
            Some(NodeLie::FalseRevert) => {
                let found = self.mined_as(hash);
                found.map(|nonce| self.lie_about(nonce, hash))
            }
            _ => self.find(hash),
        }
    }

    fn mined_as(&self, hash: [u8; 32]) -> Option<u64> {
        let mut known = self.mined.values().map(|mined| &mined.tx);
        let known = known.find(|tx| tx.hash() == hash)?;
        Some(known.unsigned().nonce())
    }

    fn lie_about(&mut self, nonce: u64, hash: [u8; 32]) -> Receipt {
        self.chronicle
            .note("fault: node lies about a receipt", nonce);
        self.lied_about.push(nonce);
        let number = self.height.saturating_sub(20);
        Receipt {
            hash,
            block: Block {
                number,
                hash: self.hash(number),
            },
            succeeded: false,
            logs: Vec::new(),
        }
    }
}
