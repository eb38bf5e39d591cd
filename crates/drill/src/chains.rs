//! Every chain of a drill together: their nodes, and what stands on them, asked by asset and address.

use crate::chain::{Anvil, CHAIN, Chain, Paid};
use crate::coins::{Coins, Regtest};
use crate::crowd::crowd;
use crate::error::DrillError;
use crate::forger::Forger;
use crate::money::{ASSETS, Asset, Money};
use crate::outcome::Tally;
use crate::wait::until;
use portcullis_chains::ChainId;
use portcullis_chains::caip::Address;
use portcullis_core::Time;
use portcullis_host::Clock;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

/// How often new blocks are looked for.
const LOOK: Duration = Duration::from_millis(50);

/// How many look at the chains at once.
const EYES: usize = 4;

/// The nodes that a drill started, one for each chain.
pub(crate) struct Nodes {
    ethereum: Anvil,
    bitcoin: Regtest,
}

/// The nodes' programs.
#[derive(Clone, Copy)]
pub(crate) struct Programs<'a> {
    pub(crate) anvil: &'a Path,
    pub(crate) bitcoin: &'a Path,
}

impl Nodes {
    /// Start all of them at once.
    pub(crate) fn start(
        programs: Programs<'_>,
        logs: &Path,
        forger: Option<Arc<Forger>>,
    ) -> Result<Self, DrillError> {
        std::thread::scope(|scope| {
            let bitcoin = scope.spawn(|| Regtest::start(programs.bitcoin, logs, forger));
            let ethereum = Anvil::start(programs.anvil, logs);
            let panicked = |_| Err(DrillError::Coins("its thread panicked".into()));
            Ok(Self {
                ethereum: ethereum?,
                bitcoin: bitcoin.join().unwrap_or_else(panicked)?,
            })
        })
    }

    /// Where the Ethereum node answers.
    pub(crate) fn ethereum(&self) -> &str {
        self.ethereum.url()
    }

    /// Connections to all of them.
    pub(crate) fn chains(&self) -> Result<Chains, DrillError> {
        Ok(Chains {
            ethereum: Chain::at(self.ethereum.url())?,
            bitcoin: self.bitcoin.coins()?,
        })
    }
}

/// The chains, asked.
pub(crate) struct Chains {
    pub(crate) ethereum: Chain,
    pub(crate) bitcoin: Coins,
}

impl Chains {
    /// Other connections, for another thread.
    pub(crate) fn anew(&self) -> Result<Self, DrillError> {
        Ok(Self {
            ethereum: Chain::at(self.ethereum.url())?,
            bitcoin: self.bitcoin.anew()?,
        })
    }

    /// Look at many things on the chains, several at once; what was seen of each, in their order.
    pub(crate) fn look_at<T: Sync, R: Send>(
        &self,
        things: &[T],
        look: impl Fn(&Self, &T) -> Result<R, DrillError> + Sync,
    ) -> Result<Vec<R>, DrillError> {
        let seen = crowd(
            things,
            EYES,
            || self.anew(),
            |chains, thing| match chains {
                Ok(chains) => look(chains, thing),
                Err(error) => Err(DrillError::Coins(error.to_string())),
            },
        );
        seen.into_iter().collect()
    }

    /// How much of an asset an address has: nothing of what is on another chain.
    pub(crate) fn balance(&self, of: Address, asset: &'static Asset) -> Result<Money, DrillError> {
        if !asset.is_on(of) {
            return Ok(asset.much(portcullis_chains::Amount::ZERO));
        }
        match of.chain() {
            ChainId::Evm { chain: CHAIN } => self.ethereum.balance(of, asset),
            _ => self.bitcoin.balance(of),
        }
    }

    /// Whether an address has exactly this.
    pub(crate) fn has(&self, of: Address, all: &Tally) -> Result<bool, DrillError> {
        for money in all.each() {
            if self.balance(of, money.asset)? != money {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many transactions of these wallets nodes have been handed: those of the blocks, and those that wait for one.
    /// On the chain of coins nobody else sends any.
    pub(crate) fn handed(&self, wallets: &[Address]) -> Result<u64, DrillError> {
        wallets.iter().try_fold(0, |sum, wallet| {
            let handed = match wallet.chain() {
                ChainId::Evm { .. } => self.ethereum.handed(*wallet)?,
                _ => self.bitcoin.handed()?,
            };
            Ok(sum + handed)
        })
    }

    /// Give paying wallets all that they are to pay from, as only nodes for development do, on chains that are new.
    pub(crate) fn fund(&self, wallets: &[Address], token: &str) -> Result<(), DrillError> {
        wallets.iter().try_for_each(|wallet| match wallet.chain() {
            ChainId::Evm { .. } => self.ethereum.fund(*wallet, token),
            _ => self.bitcoin.fund(*wallet),
        })
    }
}

impl Asset {
    /// Whether an address is on the asset's chain.
    pub(crate) fn is_on(&self, address: Address) -> bool {
        self.id.chain() == address.chain()
    }
}

/// The assets that an address can have.
pub(crate) fn assets_of(address: Address) -> impl Iterator<Item = &'static Asset> {
    let all = ASSETS.into_iter();
    all.filter(move |asset| asset.is_on(address))
}

/// What a watcher reads.
pub(crate) trait Blocks: Send {
    /// The highest block.
    fn height(&self) -> Result<u64, DrillError>;

    /// What stands in a block of this height that was first seen then.
    fn block(&self, number: u64, seen: Time) -> Result<Vec<Paid>, DrillError>;
}

/// Reads every block of every chain as it comes.
pub(crate) struct Watcher {
    ethereum: OfOne,
    bitcoin: OfOne,
}

impl Watcher {
    /// Begin to watch by a clock.
    pub(crate) fn start(chains: Chains, clock: &Arc<dyn Clock>) -> Self {
        let Chains { ethereum, bitcoin } = chains;
        Self {
            ethereum: OfOne::start(ethereum, Arc::clone(clock)),
            bitcoin: OfOne::start(bitcoin, Arc::clone(clock)),
        }
    }

    /// All that has been paid by now.
    pub(crate) fn all_paid(&self, chains: &Chains) -> Result<Vec<Paid>, DrillError> {
        let mut paid = self.ethereum.until_read(chains.ethereum.height()?)?;
        paid.extend(self.bitcoin.until_read(chains.bitcoin.height()?)?);
        Ok(paid)
    }
}

/// Reads the blocks of one chain.
struct OfOne {
    book: Arc<Book>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Book {
    paid: Mutex<Vec<Paid>>,
    /// Blocks that are in the book.
    read: AtomicU64,
    stop: AtomicBool,
}

impl Book {
    fn paid(&self) -> MutexGuard<'_, Vec<Paid>> {
        self.paid.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_on(&self, chain: &impl Blocks, clock: &dyn Clock) -> Result<(), DrillError> {
        let height = chain.height()?;
        let seen = clock.now();
        for next in self.read.load(Ordering::Acquire) + 1..=height {
            let block = chain.block(next, seen)?;
            self.paid().extend(block);
            self.read.store(next, Ordering::Release);
        }
        Ok(())
    }
}

impl OfOne {
    fn start(chain: impl Blocks + 'static, clock: Arc<dyn Clock>) -> Self {
        let book = Arc::new(Book::default());
        let own = Arc::clone(&book);
        let thread = std::thread::spawn(move || {
            while !own.stop.load(Ordering::Relaxed) {
                // A node that says nothing is asked again; what it has is not lost.
                let _ = own.read_on(&chain, clock.as_ref());
                sleep(LOOK);
            }
        });
        Self {
            book,
            thread: Some(thread),
        }
    }

    fn until_read(&self, height: u64) -> Result<Vec<Paid>, DrillError> {
        until("the watcher to have read every block", || {
            let is_read = self.book.read.load(Ordering::Acquire) >= height;
            Ok(is_read.then(|| self.book.paid().clone()))
        })
    }
}

impl Drop for OfOne {
    fn drop(&mut self) {
        self.book.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
