//! The signer's machine: the production signer, stepped, with its wallet's key under observation.

use super::{Chain, Common, Hosts, SimNode};
use crate::clock::SimClock;
use crate::dice::SharedDice;
use crate::disk::SimDisk;
use crate::keyring::Heard;
use crate::setting::{self, BOARDS};
use crate::truth::Truth;
use crate::wire::{Host, Way};
use portcullis_chains::{Amount, ethereum};
use portcullis_core::factor::FactorKind;
use portcullis_core::id::WalletId;
use portcullis_core::{Digest, Time};
use portcullis_host::{Clock as _, Http};
use portcullis_keeper::alarms::Courier;
use portcullis_keeper::testkit::World;
use portcullis_keeper::{Machine, Watch, latches};
use portcullis_keys::software::SoftwareStatement;
use portcullis_keys::{SignError, StatementKey as _, WalletKey};
use portcullis_signer::config::{AssetCap, Chain as ChainConfig, Floors, Keys};
use portcullis_signer::{Coins, Config, Parts, Signer};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// The file of the once-only record, of which an image is taken at each use of the key.
const RECORD: &str = "once-only";

/// One use of the wallet's key, as the key's own log has it.
#[derive(Clone, Debug)]
pub struct KeyUse {
    /// What was signed.
    pub digest: [u8; 32],
    /// When, by the true clock.
    pub at: Time,
    /// The once-only record, as far as it was durable then.
    pub record: Vec<u8>,
}

/// The wallet's key with a log of its own.
struct Watched {
    world: Arc<World>,
    common: Common,
    disk: SimDisk,
    uses: Arc<Mutex<Vec<KeyUse>>>,
}

impl WalletKey for Watched {
    fn address(&self) -> [u8; 20] {
        self.world.wallet.address()
    }

    fn sign(&self, digest: &[u8; 32]) -> Result<ethereum::Signature, SignError> {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        uses.push(KeyUse {
            digest: *digest,
            at: self.common.time.now(),
            record: self.disk.durable(RECORD).unwrap_or_default(),
        });
        self.world.wallet.sign(digest)
    }
}

/// The signer's machine.
pub struct SignerHost {
    common: Common,
    truth: Truth,
    /// Its disk.
    pub disk: SimDisk,
    /// Its clock.
    pub clock: SimClock,
    http: Arc<dyn Http>,
    chain: Arc<Mutex<Chain>>,
    uses: Arc<Mutex<Vec<KeyUse>>>,
    /// The statement key that it has: its successors are on the same disk.
    key: Arc<SoftwareStatement>,
    starts: u64,
    running: Option<Running>,
}

struct Running {
    signer: Signer,
    courier: Option<Courier>,
    watch: Watch,
}

impl SignerHost {
    /// A machine on which nothing runs yet.
    #[must_use]
    pub fn new(
        common: &Common,
        truth: &Truth,
        disk: SimDisk,
        hosts: &Weak<Hosts>,
        chain: &Arc<Mutex<Chain>>,
    ) -> Self {
        Self {
            common: common.clone(),
            truth: truth.clone(),
            disk,
            clock: SimClock::right(&common.time),
            http: Way::out_of(Host::Signer, hosts),
            chain: Arc::clone(chain),
            uses: Arc::default(),
            key: common.keys.of(common.world.keeper.public_key()),
            starts: 0,
            running: None,
        }
    }

    /// Start, or start again.
    pub fn start(&mut self) {
        self.disk.revive();
        self.starts += 1;
        let watch = Watch::new(Arc::new(self.clock.clone()));
        match Signer::open(self.parts(watch.clone())) {
            Ok(signer) => {
                let courier = signer.courier();
                self.running = Some(Running {
                    signer,
                    courier,
                    watch,
                });
            }
            Err(error) => {
                self.running = None;
                if !self.disk.is_dead() && !self.disk.is_full() {
                    self.common.chronicle.note("signer: start failed", &error);
                    // A disk that fails once more is tried once more.
                    if let Err(again) = Signer::open(self.parts(watch)) {
                        self.common.does_not_start("the signer", again);
                    }
                }
            }
        }
    }

    fn parts(&self, watch: Watch) -> Parts {
        let world = &self.common.world;
        let random = self.common.dice.of(&format!("signer-{}", self.starts));
        let machine = Machine {
            watch,
            disk: Arc::new(self.disk.clone()),
            random: Arc::new(SharedDice::new(random)),
            http: Arc::clone(&self.http),
        };
        let watched = Watched {
            world: Arc::clone(world),
            common: self.common.clone(),
            disk: self.disk.clone(),
            uses: Arc::clone(&self.uses),
        };
        let wallets: BTreeMap<WalletId, Arc<dyn WalletKey>> =
            BTreeMap::from([(World::WALLET, Arc::new(watched) as Arc<dyn WalletKey>)]);
        Parts {
            machine,
            network: world.network.clone(),
            config: config(world, self.common.has_codes),
            key: Heard::of(Arc::clone(&self.key), &self.truth),
            wallets,
            nodes: BTreeMap::from([(setting::chain(), SimNode::of(&self.chain))]),
            coins: Coins::default(),
        }
    }

    /// The process ends, whatever it was doing.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Whether it runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.running.is_some()
    }

    /// The signer's turn.
    pub fn step(&mut self) {
        let Some(running) = &mut self.running else {
            return;
        };
        match running.signer.step(Duration::ZERO) {
            Ok(step) => {
                if step.signed > 0 {
                    self.common.chronicle.note("signer: signed", step.signed);
                }
                if let Some(why) = step.waits {
                    let kind = format!("{why:?}");
                    let kind = kind.split('(').next().unwrap_or_default();
                    self.common
                        .chronicle
                        .count(&format!("signer: waits, {kind}"));
                }
            }
            Err(error) => {
                self.common.chronicle.note("signer: stops", error);
                self.running = None;
            }
        }
        if self.disk.is_dead() {
            self.running = None;
        }
        self.turn_to_successor();
    }

    /// As the process does: with a key that is not in force it opens again with the one that is.
    fn turn_to_successor(&mut self) {
        let running = self.running.as_ref();
        let to = running.and_then(|running| running.signer.keeper().key_to_turn_to());
        let Some(in_force) = to else { return };
        let Some(running) = self.running.take() else {
            return;
        };
        self.key = self.common.keys.of(&in_force);
        self.common.chronicle.note("key turned", "the signer's");
        let watch = running.watch.clone();
        let opened = running.signer.reopen(&self.parts(watch.clone()), |_| false);
        self.running = opened.map(|signer| Running {
            courier: signer.courier(),
            signer,
            watch,
        });
    }

    /// The alarms' turn.
    pub fn deliver_alarms(&mut self) {
        if let Some(courier) = self.running.as_mut().and_then(|r| r.courier.as_mut()) {
            courier.step();
        }
    }

    /// All that wait.
    pub fn deliver_all_alarms(&mut self) {
        if let Some(courier) = self.running.as_mut().and_then(|r| r.courier.as_mut()) {
            while courier.step() {}
        }
    }

    /// Somebody on its host runs `signer shut`; gives the latch.
    pub fn shut(&mut self, dice: crate::dice::Dice) -> Option<Digest> {
        let random = SharedDice::new(dice);
        latches::shut(&self.disk, &random, &self.clock).ok()
    }

    /// The running signer, for looking at.
    #[must_use]
    pub fn signer(&self) -> Option<&Signer> {
        self.running.as_ref().map(|running| &running.signer)
    }

    /// By how much its idea of the time is behind the truth.
    #[must_use]
    pub fn lag(&self) -> u64 {
        let now = self.common.time.now();
        let seen = self
            .running
            .as_ref()
            .map_or_else(|| self.clock.now(), |r| r.watch.now());
        now.since(seen).0
    }

    /// The uses of its key since the last question.
    pub fn take_uses(&mut self) -> Vec<KeyUse> {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *uses)
    }
}

fn config(world: &World, has_codes: bool) -> Config {
    let factor = if has_codes {
        FactorKind::Totp
    } else {
        FactorKind::Passkey
    };
    let cap = |asset| AssetCap {
        asset,
        per_transaction: Amount(setting::SIGNER_TRANSACTION_CAP),
        day: Amount(setting::SIGNER_DAY_CAP),
    };
    let boards = (0..BOARDS).map(|n| (setting::board(n), setting::board_url(n)));
    Config {
        genesis: PathBuf::new(),
        genesis_digest: world.digest(),
        keeper: World::KEEPER,
        gate: setting::GATE.into(),
        data: PathBuf::new(),
        boards: boards.collect(),
        keys: Keys {
            file: PathBuf::new(),
            passphrase_file: PathBuf::new(),
            statement: String::new(),
            successor: None,
            wallets: BTreeMap::new(),
            coins: BTreeMap::new(),
        },
        chains: vec![ChainConfig {
            id: setting::chain(),
            node: String::new(),
            confirmations: 2,
            max_fee: Amount(9_000_000_000_000_000),
            max_fee_per_gas: Amount(90_000_000_000),
            max_fee_rate: None,
            credentials: None,
        }],
        caps: vec![cap(World::ETHER), cap(World::TOKEN)],
        floors: Floors {
            factor,
            ..Floors::default()
        },
        alarms: portcullis_signer::config::AlarmsTo {
            webhook: Some("http://hook/".into()),
        },
        test_clock: None,
    }
}
