//! One signer, its gate, its board, its node.

use crate::fickle::Fickle;
use portcullis_chains::caip::Address;
use portcullis_chains::ethereum::SignedTx;
use portcullis_chains::{Amount, ChainId};
use portcullis_core::{Digest, Span};
use portcullis_keeper::testkit::{
    CrashDisk, Customer, HandClock, Ledger, Net, Wire, World, machine,
};
use portcullis_keys::StatementKey;
use portcullis_node::{At, Block, Found, Head, Node, NodeError, Receipt, Sent, SuggestedFees};
use portcullis_signer::{Coins, Config, Parts, Signer, SignerError, Step};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// A payee in the customer's book.
pub(crate) const PAYEE: Address = World::address(0x0a);

/// Everything that a test holds.
pub(crate) struct Bench {
    pub(crate) clock: HandClock,
    pub(crate) disk: CrashDisk,
    pub(crate) net: Net,
    pub(crate) node: FakeNode,
    pub(crate) customer: Customer,
    pub(crate) config: Config,
    /// What the signer spends coins with.
    pub(crate) coins: Coins,
    pub(crate) signer: Signer,
}

impl Bench {
    /// A signer that has just begun, at a journal with one account, one passkey, one address.
    pub(crate) fn new() -> Self {
        Self::with(config(""))
    }

    pub(crate) fn with(config: Config) -> Self {
        Self::on(World::new(), config)
    }

    /// The same in a network of another genesis.
    pub(crate) fn on(world: World, config: Config) -> Self {
        Self::spending(world, config, Coins::default())
    }

    /// The same, with keys and nodes for coins.
    pub(crate) fn spending(world: World, config: Config, coins: Coins) -> Self {
        let clock = HandClock::at(World::START);
        let mut ledger = Ledger::new(Arc::new(world), clock.clone());
        let customer = Customer::number(1);
        ledger.open(&customer);
        ledger.add_address(&customer, PAYEE);
        let net = Net::around(ledger);
        let (disk, node) = (CrashDisk::default(), FakeNode::default());
        let signer = open(&clock, &disk, &net, &node, (&config, &coins)).unwrap();
        Self {
            clock,
            disk,
            net,
            node,
            customer,
            config,
            coins,
            signer,
        }
    }

    /// The gate's side.
    pub(crate) fn wire(&self) -> MutexGuard<'_, Wire> {
        self.net.wire()
    }

    /// Start again from what the disk has.
    pub(crate) fn restart(&mut self) {
        self.try_restart().unwrap();
    }

    pub(crate) fn try_restart(&mut self) -> Result<(), SignerError> {
        let Self {
            clock,
            disk,
            net,
            node,
            config,
            coins,
            ..
        } = self;
        self.signer = open(clock, disk, net, node, (config, coins))?;
        Ok(())
    }

    /// Go on in the same process, as it does after a disk that failed; there is room once it has been
    /// missed.
    pub(crate) fn reopen(self) -> Self {
        let key = self.wire().ledger.world.keeper.clone();
        self.reopen_with(key)
    }

    /// The same with another statement key.
    pub(crate) fn reopen_with(self, key: Arc<dyn StatementKey>) -> Self {
        let Self {
            clock,
            disk,
            net,
            node,
            customer,
            config,
            coins,
            signer,
        } = self;
        let parts = Parts {
            key,
            ..parts(&clock, &disk, &net, &node, (&config, &coins))
        };
        let again = |_: &SignerError| {
            disk.make_room();
            true
        };
        let signer = signer.reopen(&parts, again).unwrap();
        Self {
            clock,
            disk,
            net,
            node,
            customer,
            config,
            coins,
            signer,
        }
    }

    pub(crate) fn try_step(&mut self) -> Result<Step, SignerError> {
        self.signer.step(Duration::ZERO)
    }

    /// The names of the alarms in the signer's own log.
    pub(crate) fn alarms(&self) -> Vec<String> {
        let log = self.disk.bytes("alarms.jsonl").unwrap_or_default();
        let lines = str::from_utf8(&log).unwrap().lines();
        lines
            .map(|line| {
                let alarm: serde_json::Value = serde_json::from_str(line).unwrap();
                let kind = alarm["type"].as_str().unwrap();
                kind.strip_prefix("alarm.").unwrap().to_owned()
            })
            .collect()
    }

    pub(crate) fn step(&mut self) -> Step {
        self.signer.step(Duration::ZERO).unwrap()
    }

    /// A second passes, then a step.
    pub(crate) fn tick(&mut self) -> Step {
        self.clock.pass(Span::seconds(1));
        self.step()
    }

    /// Step until nothing more happens for a while; count what was signed.
    pub(crate) fn run(&mut self, seconds: u32) -> usize {
        (0..seconds).map(|_| self.tick().signed).sum()
    }

    /// A withdrawal that an honest gate journals.
    pub(crate) fn withdraw(&self, amount: u128) -> Digest {
        self.wire().ledger.withdraw(&self.customer, PAYEE, amount)
    }
}

fn open(
    clock: &HandClock,
    disk: &CrashDisk,
    net: &Net,
    node: &FakeNode,
    with: (&Config, &Coins),
) -> Result<Signer, SignerError> {
    Signer::open(parts(clock, disk, net, node, with))
}

fn parts(
    clock: &HandClock,
    disk: &CrashDisk,
    net: &Net,
    node: &FakeNode,
    (config, coins): (&Config, &Coins),
) -> Parts {
    let world = net.wire().ledger.world.clone();
    let chain = ChainId::Evm { chain: 31_337 };
    let node: Arc<dyn Node> = Arc::new(node.clone());
    Parts {
        machine: machine(clock, disk, net),
        network: world.network.clone(),
        config: config.clone(),
        key: world.keeper.clone(),
        wallets: BTreeMap::from([(World::WALLET, Arc::new(Fickle::new([0x71; 32])) as _)]),
        nodes: BTreeMap::from([(chain, node)]),
        coins: coins.clone(),
    }
}

/// The configuration that tests begin with, and more lines.
pub(crate) fn config(more: &str) -> Config {
    let (keeper, board, wallet) = (World::KEEPER, World::BOARD, World::WALLET);
    let (ether, token) = (World::ETHER, World::TOKEN);
    let digest = World::new().digest();
    let text = format!(
        r#"
        genesis = "genesis"
        genesis_digest = "{digest}"
        keeper = "{keeper}"
        gate = "http://gate"
        data = "data"
        boards = {{ "{board}" = "http://board" }}
        alarms = {{ webhook = "http://hook/" }}
        keys = {{ file = "k", passphrase_file = "p", statement = "s", wallets = {{ "{wallet}" = "w" }} }}
        {more}

        [[chains]]
        id = "eip155:31337"
        node = "http://node"
        confirmations = 3
        max_fee = "5000000000000000"
        max_fee_per_gas = "50000000000"

        [[caps]]
        asset = "{ether}"
        per_transaction = "1000"
        day = "3000"

        [[caps]]
        asset = "{token}"
        per_transaction = "1000"
        day = "3000"
        "#
    );
    toml::from_str(&text).unwrap()
}

/// A chain that does what the test says.
#[derive(Clone, Default)]
pub(crate) struct FakeNode(Arc<Mutex<Chain>>);

#[derive(Default)]
pub(crate) struct Chain {
    /// Everything that came, in order.
    pub(crate) got: Vec<Vec<u8>>,
    /// What it says to a broadcast instead of taking it.
    pub(crate) answer: Option<Sent>,
    /// What is in blocks: transaction, block number, whether it succeeded.
    pub(crate) mined: Vec<(SignedTx, u64, bool)>,
    pub(crate) height: u64,
    /// The transaction of which it cannot speak.
    pub(crate) mute_of: Option<[u8; 32]>,
    /// How long each answer takes, by whose clock.
    pub(crate) slow: Option<(HandClock, Span)>,
}

impl FakeNode {
    pub(crate) fn chain(&self) -> MutexGuard<'_, Chain> {
        self.0.lock().unwrap()
    }

    /// The chain, once the node has taken its time.
    fn asked(&self) -> MutexGuard<'_, Chain> {
        let chain = self.chain();
        if let Some((clock, span)) = &chain.slow {
            clock.pass(*span);
        }
        chain
    }
}

impl Chain {
    /// The newest transaction that came enters a block.
    pub(crate) fn mine(&mut self, succeeded: bool) {
        let tx = SignedTx::from_bytes(self.got.last().unwrap()).unwrap();
        self.height += 1;
        self.mined.push((tx, self.height, succeeded));
    }
}

impl Node for FakeNode {
    fn chain_id(&self) -> Result<u64, NodeError> {
        Ok(31_337)
    }

    fn head(&self) -> Result<Head, NodeError> {
        let number = self.asked().height;
        let hash = [9; 32];
        let block = Block { number, hash };
        Ok(Head { block, base_fee: 1 })
    }

    fn suggest_fees(&self) -> Result<SuggestedFees, NodeError> {
        Err(NodeError::TimedOut)
    }

    fn nonce(&self, _: [u8; 20], _: At) -> Result<u64, NodeError> {
        Ok(self.asked().mined.len() as u64)
    }

    fn balance(&self, _: [u8; 20]) -> Result<Amount, NodeError> {
        Err(NodeError::TimedOut)
    }

    fn send_all(&self, txs: &[&SignedTx]) -> Vec<Sent> {
        let mut chain = self.asked();
        chain.got.extend(txs.iter().map(|tx| tx.to_bytes()));
        let answer = chain.answer.clone().unwrap_or(Sent::Accepted);
        vec![answer; txs.len()]
    }

    fn receipts(&self, hashes: &[[u8; 32]]) -> Result<Vec<Found>, NodeError> {
        let chain = self.asked();
        let found = |hash: &[u8; 32]| match chain.mute_of {
            Some(mute) if mute == *hash => Err(NodeError::TimedOut),
            _ => Ok(chain.receipt(*hash)),
        };
        Ok(hashes.iter().map(found).collect())
    }
}

impl Chain {
    fn receipt(&self, hash: [u8; 32]) -> Option<Receipt> {
        let found = self.mined.iter().find(|(tx, _, _)| tx.hash() == hash);
        found.map(|(_, number, succeeded)| Receipt {
            hash,
            block: Block {
                number: *number,
                hash: [9; 32],
            },
            succeeded: *succeeded,
            logs: Vec::new(),
        })
    }
}
