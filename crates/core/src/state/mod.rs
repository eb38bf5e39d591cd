//! State: what the journal says, up to an entry. Derived, never stored as truth.

pub mod account;
pub mod announced;
pub mod batch;
pub mod codes;
pub mod joint;
pub mod keys;
mod labels;
pub mod log;
pub mod name;
mod query;
pub mod recovery;
pub mod release;
pub mod said;
mod snapshot;
pub mod untold;
mod witnesses;

pub use query::Reach;
pub use snapshot::SnapshotFault;

use crate::act::Scope;
use crate::behaviour::Behaviour;
use crate::digest::Digest;
use crate::factor::{Available, Epochs, Factor, FactorKind, Imported, NewFactor};
use crate::few::Few;
use crate::genesis::{Keeper, Member as GenesisMember};
use crate::id::{
    AccountId, AttestationId, FactorId, IssuerId, KeeperId, LedgerEntryId, PrincipalId, WalletId,
};
use crate::labels::{InForce, Shelf};
use crate::limits::Limits;
use crate::network::Network;
use crate::policy::{Engine, Name, Policy, Rate};
use crate::realm::{Realm, Role};
use crate::statement::{Cap, Condition};
use crate::time::Time;
use crate::window::Rings;
use account::{Account, Member, Owner, Proof};
use announced::Announced;
use batch::Batch;
use codes::Codes;
use keys::Rotated;
use log::LogTail;
use minicbor::{Decode, Encode};
use portcullis_chains::caip::{Address, AssetId};
use recovery::{Begun, Enrolled, Pending, Recovered};
use release::{Ended, Held, Release};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use untold::Untold;
pub use witnesses::{Cosigners, Signatories};

/// The state after some entry, and the network that it belongs to.
#[derive(Clone, Debug)]
pub struct State {
    pub(crate) network: Arc<Network>,
    pub(crate) facts: Facts,
    /// The policy in force, compiled: derived from its text, and none of the state's bytes.
    pub(crate) engine: Arc<Engine>,
    /// The witnesses, read: derived likewise.
    pub(crate) cosigners: Arc<Cosigners>,
    /// The newest of the journaled checkpoints' times: derived from them, and none of the state's bytes.
    witnessed: Time,
    /// The label sets at hand: none of the state's bytes.
    pub(crate) shelf: Shelf,
}

/// Everything derived. Ordered collections only, so that two replicas are equal byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Facts {
    /// The time of the newest entry that was not void.
    #[n(0)]
    pub time: Time,
    /// The running digest of effects.
    #[n(1)]
    pub effects: Digest,
    /// Where the journal ends.
    #[n(2)]
    pub log: LogTail,
    /// Journaled checkpoints of the last 24 hours, by body digest: their oldest cosignature.
    #[n(3)]
    pub checkpoints: BTreeMap<Digest, Time>,
    /// Accounts, each in a place of its own: a tree's nodes are a third empty.
    #[cbor(n(4), decode_with = "snapshot::decode_accounts")]
    pub accounts: BTreeMap<AccountId, Box<Account>>,
    /// Staff, services and keepers.
    #[n(5)]
    pub staff: BTreeMap<PrincipalId, Member>,
    /// Whose a staff factor is.
    #[n(6)]
    pub staff_factors: BTreeMap<FactorId, PrincipalId>,
    /// Epochs that were ever raised: a realm's, and a factor kind's in a realm.
    #[n(7)]
    pub epochs: BTreeMap<(Realm, Option<FactorKind>), u32>,
    /// Acts that are used up, until they expire.
    #[n(8)]
    pub consumed: BTreeMap<Digest, Time>,
    /// The same in the order in which they expire.
    #[n(9)]
    pub consumed_until: BTreeSet<(Time, Digest)>,
    /// Ledger entries that paid, for ever.
    #[n(10)]
    pub debits: BTreeSet<LedgerEntryId>,
    /// Wallets.
    #[n(11)]
    pub wallets: BTreeMap<WalletId, WalletState>,
    /// What left of each asset.
    #[n(12)]
    pub outflow: BTreeMap<AssetId, Rings>,
    /// Limits in force.
    #[n(13)]
    pub limits: Limits,
    /// Acts that wait.
    #[n(14)]
    pub held: BTreeMap<Digest, Held>,
    /// Releases on their way.
    #[n(15)]
    pub releases: BTreeMap<Digest, Release>,
    /// Releases of which the newest plan is not signed, as far as statements say.
    #[n(16)]
    pub unsigned: BTreeSet<Digest>,
    /// Acts that ended within the last day.
    #[n(17)]
    pub ended: BTreeMap<Digest, Ended>,
    /// Suspensions in force, by the digest that made them.
    #[n(18)]
    pub suspensions: BTreeMap<Digest, Suspension>,
    /// What waits for the first checkpoint that contains its entry, in entry order.
    #[n(19)]
    pub awaiting: VecDeque<Uncosigned>,
    /// Latches that keepers stated and no quorum has cleared.
    #[n(20)]
    pub latches: BTreeMap<(KeeperId, Digest), Condition>,
    /// Keepers' stated caps.
    #[n(21)]
    pub caps: BTreeMap<KeeperId, StatedCaps>,
    /// Void entries so far.
    #[n(22)]
    pub void_entries: u64,
    /// Latches that a quorum cleared.
    #[n(23)]
    pub cleared_latches: BTreeSet<(KeeperId, Digest)>,
    /// When acts that ended are forgotten.
    #[n(24)]
    pub ended_until: BTreeSet<(Time, Digest)>,
    /// Signatures that have proved a held or released act: an old one is no new assertion.
    #[n(25)]
    pub spent: BTreeMap<Digest, BTreeSet<Digest>>,
    /// The rules version by which entries are decided.
    #[n(26)]
    pub rules: u32,
    /// How many acts of a principal of an account, or of a member of staff, wait.
    #[n(27)]
    pub waiting: BTreeMap<Owner, u32>,
    /// The suspension of everything that void entries made, by the newest of them: there is one.
    #[n(28)]
    pub void_suspension: Option<Digest>,
    /// The policy in force; core's own where absent.
    #[n(29)]
    pub policy: Option<Box<Policy>>,
    /// The last rates, where any were published under the policy in force.
    #[n(30)]
    pub rates: Option<BTreeMap<AssetId, Rate>>,
    /// What left the platform while there were rates, in the minor units of each time.
    #[n(31)]
    pub fiat: Option<Rings>,
    /// Recoveries that wait, by the holder whom they are for.
    #[n(35)]
    pub recovering: BTreeMap<Owner, Pending>,
    /// How many recoveries have begun today.
    #[n(36)]
    pub begun: Begun,
    /// Accounts that were recovered a short while ago.
    #[n(37)]
    pub recovered: BTreeMap<AccountId, Recovered>,
    /// When they are forgotten.
    #[n(38)]
    pub recovered_until: BTreeSet<(Time, AccountId)>,
    /// Administrators who object to a recovery that waits, and by which factor.
    #[n(39)]
    pub vetoes: BTreeMap<Digest, BTreeMap<PrincipalId, Proof>>,
    /// How many administrators loosen together, once they were recovered.
    #[n(40)]
    pub administrators_quorum: Option<u32>,
    /// Keys that were rotated.
    #[n(41)]
    pub keys: Rotated,
    /// How many holders have which factors.
    #[n(42)]
    pub enrolled: Enrolled,
    /// Acts whose delays the herald's word has not begun yet.
    #[n(45)]
    pub untold: Untold,
    /// Issuers' ids of what they attested, used up for ever, once there are any.
    #[n(50)]
    pub attested: Option<BTreeSet<(IssuerId, AttestationId)>>,
    /// One-time codes.
    #[n(55)]
    pub codes: Codes,
    /// Factors that held acts of staff name.
    #[n(59)]
    pub announced: Announced,
    /// What withdrawals have looked like, once any was asked for.
    #[n(60)]
    pub behaviour: Option<Box<Behaviour>>,
    /// The label sets in force by the names of their lists, once there are any.
    #[n(61)]
    pub labels: Option<BTreeMap<Name, InForce>>,
    /// Batches that wallets of coins pay, by their leaders, once there are any.
    #[n(62)]
    pub batches: Option<BTreeMap<Digest, Batch>>,
}

/// A wallet's next nonce and what left it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct WalletState {
    /// The nonce of the next plan.
    #[n(0)]
    pub next_nonce: u64,
    /// What left, by asset.
    #[n(1)]
    pub outflow: BTreeMap<AssetId, Rings>,
}

/// Caps as a keeper stated them last.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StatedCaps {
    /// The number of the statement.
    #[n(0)]
    pub number: u64,
    /// One for each asset.
    #[n(1)]
    pub caps: Vec<Cap>,
}

/// A suspension in force.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Suspension {
    /// What is shut.
    #[n(0)]
    pub scope: Scope,
    /// The entry that shut it.
    #[n(1)]
    pub entry: u64,
    /// The newest cosignature on the first checkpoint that contains it.
    #[n(2)]
    pub cosigned: Option<Time>,
    /// Signers that have signed that they have it.
    #[n(3)]
    pub stopped: BTreeSet<KeeperId>,
}

/// What an entry did that no journaled checkpoint contains yet.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Uncosigned {
    /// The entry.
    #[n(0)]
    pub entry: u64,
    /// Its time.
    #[n(1)]
    pub time: Time,
    /// When the act expires that the entry submits, where it submits one that loosens.
    #[n(2)]
    pub expires: Option<Time>,
    /// What it did.
    #[n(3)]
    pub what: Awaiting,
}

/// Something whose clock starts with the first checkpoint that contains its entry.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Awaiting {
    /// A factor's delay.
    #[n(0)]
    Factor(#[n(0)] Owner, #[n(1)] FactorId),
    /// An address's delay.
    #[n(1)]
    Address(#[n(0)] AccountId, #[n(1)] Address),
    /// A held act's delay.
    #[n(2)]
    Held(#[n(0)] Digest),
    /// A release's 30 seconds.
    #[n(3)]
    Release(#[n(0)] Digest),
    /// A suspension's 4 seconds.
    #[n(4)]
    Suspension(#[n(0)] Digest),
    /// The delays of a recovered account.
    #[n(5)]
    Recovered(#[n(0)] AccountId),
    /// The herald's word for what an earlier entry began.
    #[n(8)]
    Told(#[n(0)] u64),
    /// Nothing but the time of the entry that brought a principal into an account.
    #[n(9)]
    Principal(#[n(0)] Owner),
}

impl State {
    /// The state before entry 0. The genesis entry itself is applied like any other.
    #[must_use]
    pub fn new(network: Arc<Network>) -> Self {
        let facts = Facts::new(&network);
        let engine = Engine::of(facts.policy());
        let cosigners = Cosigners::of(&network, &facts.keys);
        Self {
            network,
            facts,
            engine,
            cosigners,
            witnessed: Time(0),
            shelf: Shelf::default(),
        }
    }

    /// Up to when the witnesses bear the journal out: by its newest checkpoint, the oldest of the quorum's
    /// cosignatures, which no minority of them can date ahead.
    #[must_use]
    pub fn witnessed(&self) -> Time {
        self.witnessed
    }

    /// A checkpoint was journaled. One that was before may come again with older cosignatures.
    pub(crate) fn note_checkpoint(&mut self, oldest: Time) {
        self.witnessed = if oldest >= self.witnessed {
            oldest
        } else {
            self.facts.newest_checkpoint()
        };
    }

    /// The policy in force, compiled.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Everything derived so far, for reading.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// How many entries have been applied: the index of the next.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.facts.log.size()
    }
}

impl Facts {
    fn new(network: &Network) -> Self {
        let genesis = network.genesis();
        let mut facts = Self {
            time: Time(0),
            effects: network.digest(),
            log: LogTail::new(),
            checkpoints: BTreeMap::new(),
            accounts: BTreeMap::new(),
            staff: BTreeMap::new(),
            staff_factors: BTreeMap::new(),
            epochs: BTreeMap::new(),
            consumed: BTreeMap::new(),
            consumed_until: BTreeSet::new(),
            debits: BTreeSet::new(),
            wallets: BTreeMap::new(),
            outflow: BTreeMap::new(),
            limits: genesis.limits.clone(),
            held: BTreeMap::new(),
            releases: BTreeMap::new(),
            unsigned: BTreeSet::new(),
            ended: BTreeMap::new(),
            suspensions: BTreeMap::new(),
            awaiting: VecDeque::new(),
            latches: BTreeMap::new(),
            caps: BTreeMap::new(),
            void_entries: 0,
            cleared_latches: BTreeSet::new(),
            ended_until: BTreeSet::new(),
            spent: BTreeMap::new(),
            rules: genesis.rules,
            waiting: BTreeMap::new(),
            void_suspension: None,
            policy: genesis.policy.clone().map(Box::new),
            rates: None,
            fiat: None,
            recovering: BTreeMap::new(),
            begun: Begun::default(),
            recovered: BTreeMap::new(),
            recovered_until: BTreeSet::new(),
            vetoes: BTreeMap::new(),
            administrators_quorum: None,
            keys: Rotated::default(),
            enrolled: Enrolled::default(),
            untold: Untold::default(),
            attested: None,
            codes: Codes::default(),
            announced: Announced::default(),
            behaviour: None,
            labels: None,
            batches: None,
        };
        facts.found(network);
        facts
    }

    /// The wallets, members and keepers that genesis names.
    fn found(&mut self, network: &Network) {
        let genesis = network.genesis();
        for wallet in &genesis.wallets {
            let state = WalletState {
                next_nonce: wallet.first_nonce,
                outflow: BTreeMap::new(),
            };
            self.wallets.insert(wallet.id, state);
        }
        for administrator in &genesis.administrators {
            self.employ(administrator, Some(Role::Administrator));
        }
        for member in &genesis.staff {
            self.employ(member, None);
        }
        for keeper in &genesis.keepers {
            self.employ(&member_of(keeper), None);
        }
    }

    fn employ(&mut self, member: &GenesisMember, role: Option<Role>) {
        let roles: BTreeSet<Role> = member.roles.iter().copied().chain(role).collect();
        let factors: Few<Factor> = member.factors.iter().map(first_factor).collect();
        for factor in &factors {
            self.staff_factors.insert(factor.id, member.principal);
        }
        let member_state = Member {
            roles: roles.into_iter().collect(),
            factors,
        };
        self.staff.insert(member.principal, member_state);
    }
}

/// A keeper's principal, which its own key proves.
fn member_of(keeper: &Keeper) -> GenesisMember {
    let key = keeper.key.clone();
    GenesisMember {
        principal: PrincipalId(keeper.id.0),
        roles: vec![Role::Keeper],
        factors: vec![NewFactor::RequestKey { key }],
    }
}

/// A factor of genesis: it counts at once, under the first epochs.
fn first_factor(new: &NewFactor) -> Factor {
    Factor {
        id: new.id(),
        kind: new.kind(),
        means: new.means(),
        counter: 0,
        epochs: Epochs::default(),
        available: Available::ALWAYS,
        enrolled: 0,
        imported: Imported(false),
    }
}
