use portcullis_chains::caip::{Address, AssetId};
use portcullis_chains::{Amount, ethereum};
use portcullis_core::act::Keys;
use portcullis_core::factor::NewFactor;
use portcullis_core::genesis::{
    Board, Genesis, Issuer, IssuerKind, Keeper, KeeperKind, Log, Member, Mode, Party, RULES,
    SealingKey, SignedGenesis, Wallet, Witnesses,
};
use portcullis_core::id::{BoardId, IssuerId, KeeperId, PrincipalId, WalletId};
use portcullis_core::limits::{Bounds, Limit, Limits};
use portcullis_core::passkey::RelyingParty;
use portcullis_core::realm::{Realm, Role};
use portcullis_core::request::{Algorithm, Base, Parts, SignedRequest};
use portcullis_core::signature::Strict;
use portcullis_core::{Act, Digest, Network, Span, Time};
use portcullis_keys::software::{SoftwareStatement, SoftwareWallet};
use portcullis_keys::{StatementKey, WalletKey};
use portcullis_tlog::{KeyName, LogSigner, Signer as _, WitnessSigner};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A network with all its keys.
pub struct World {
    /// The checked genesis.
    pub network: Arc<Network>,
    /// The journal's key.
    pub log: LogSigner,
    /// Three witnesses; two make a quorum.
    pub witnesses: Vec<WitnessSigner>,
    /// The signer's statement key.
    pub keeper: Arc<SoftwareStatement>,
    /// The wallet's key.
    pub wallet: Arc<SoftwareWallet>,
}

/// An id that begins with this byte.
#[must_use]
pub fn id(byte: u8) -> [u8; 16] {
    let mut id = [0xee; 16];
    id[0] = byte;
    id
}

/// The one chain.
const CHAIN: u64 = 31_337;
/// Principals by first byte of their ids; the seed of each key is the same byte.
const ADMINISTRATORS: [u8; 3] = [0xa1, 0xa2, 0xa3];
const OPERATOR: u8 = 0x01;
const BACK_END: u8 = 0x02;
const KEEPER: u8 = 0x51;
const HERALD: u8 = 0x53;
const ONBOARDING: u8 = 0x61;
const LEDGER: u8 = 0x62;
const BOARD: u8 = 0xb0;
const WALLET: u8 = 0x71;
const LOG: u8 = 0x80;
const WITNESSES: [u8; 3] = [0x91, 0x92, 0x93];

impl World {
    /// The same network every time.
    #[must_use]
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// A network of which the genesis was changed before it was signed.
    #[must_use]
    pub fn with(change: impl FnOnce(&mut Genesis)) -> Self {
        let log = Self::log(LOG);
        let witnesses: Vec<WitnessSigner> = WITNESSES.iter().copied().map(Self::witness).collect();
        let keeper = Arc::new(statement_key(KEEPER));
        let wallet = Arc::new(SoftwareWallet::new(&Zeroizing::new([WALLET; 32])).unwrap());
        let mut genesis = genesis(&log, &witnesses, keeper.as_ref(), wallet.address());
        change(&mut genesis);
        let signatures = ADMINISTRATORS.iter().map(|byte| {
            let signature = statement_key(*byte).sign(&genesis.signed_bytes());
            (PrincipalId(id(*byte)), signature.unwrap())
        });
        let signatures = signatures.collect();
        let signed = SignedGenesis {
            genesis,
            signatures,
        };
        let network = Arc::new(Network::new(signed, &Strict).unwrap());
        Self {
            network,
            log,
            witnesses,
            keeper,
            wallet,
        }
    }

    /// The same network with a herald.
    #[must_use]
    pub fn with_a_herald() -> Self {
        Self::with(|genesis| {
            genesis.keepers.push(Keeper {
                id: Self::HERALD,
                kind: KeeperKind::Herald,
                key: statement_key(HERALD).public_key().clone(),
                sealing: Some(SealingKey(Self::SEALING)),
            });
        })
    }

    /// The moment at which the journal begins.
    pub const START: Time = Time(1_780_000_000_000);

    /// The signer.
    pub const KEEPER: KeeperId = KeeperId(with(KEEPER));
    /// The herald of [`World::with_a_herald`].
    pub const HERALD: KeeperId = KeeperId(with(HERALD));
    /// What contacts are sealed to there: the public key of the secret key `77…77`.
    pub const SEALING: [u8; 32] = [
        0x1c, 0xf5, 0x79, 0xab, 0xa4, 0x5a, 0x10, 0xba, 0x1d, 0x1e, 0xf0, 0x6d, 0x91, 0xfc, 0xa2,
        0xaa, 0x9e, 0xd0, 0xa1, 0x15, 0x05, 0x15, 0x65, 0x31, 0x55, 0x40, 0x5d, 0x0b, 0x18, 0xcb,
        0x9a, 0x67,
    ];
    /// The stop board.
    pub const BOARD: BoardId = BoardId(with(BOARD));
    /// The wallet.
    pub const WALLET: WalletId = WalletId(with(WALLET));
    /// The operator.
    pub const OPERATOR: PrincipalId = PrincipalId(with(OPERATOR));
    /// The platform's back end.
    pub const BACK_END: PrincipalId = PrincipalId(with(BACK_END));
    /// Who states debits.
    pub const LEDGER: IssuerId = IssuerId(with(LEDGER));
    /// Who states whose a factor is.
    pub const ONBOARDING: IssuerId = IssuerId(with(ONBOARDING));
    /// Administrator number 0 to 2.
    #[must_use]
    pub fn administrator(number: usize) -> PrincipalId {
        PrincipalId(id(ADMINISTRATORS[number]))
    }
    /// Ether.
    pub const ETHER: AssetId = AssetId::EvmNative { chain: CHAIN };
    /// A token.
    pub const TOKEN: AssetId = AssetId::EvmErc20 {
        chain: CHAIN,
        contract: [0x70; 20],
    };

    /// An address that is not the wallet's.
    #[must_use]
    pub const fn address(byte: u8) -> Address {
        Address::Evm {
            chain: CHAIN,
            address: [byte; 20],
        }
    }

    /// A key of the journal: that of genesis is of the seed `0x80`.
    #[must_use]
    pub fn log(seed: u8) -> LogSigner {
        let name = KeyName::new("test.example/log").unwrap();
        LogSigner::from_seed(name, &[seed; 32]).unwrap()
    }

    /// The same, to be rotated in.
    #[must_use]
    pub fn log_keys(seed: u8) -> Keys {
        let vkey = Self::log(seed).key().to_string();
        Keys::Log { vkey }
    }

    /// The key of a member of staff, an issuer or a board, by its id.
    #[must_use]
    pub fn key(id: &[u8; 16]) -> SoftwareStatement {
        statement_key(id[0])
    }

    /// A member of staff signs for an act.
    #[must_use]
    pub fn request(who: PrincipalId, act: &Act, now: Time) -> SignedRequest {
        Self::request_to("/v1/acts", who, act, now)
    }

    /// A member's signed request to another path.
    #[must_use]
    pub fn request_to(path: &str, who: PrincipalId, act: &Act, now: Time) -> SignedRequest {
        let key = Self::key(&who.0);
        let factor = NewFactor::RequestKey {
            key: key.public_key().clone(),
        };
        let parts = Parts {
            method: "POST".into(),
            authority: "gate.example".into(),
            path: path.into(),
            query: None,
            content_digest: None,
            act: Some(act.digest().0),
            created: now.0 / 1000,
            expires: None,
            nonce: hex::encode(&act.digest().0[..16]),
            key_id: factor.id().to_string(),
            algorithm: Algorithm::of(key.public_key()),
        };
        let base = Base::new(parts).unwrap().to_bytes();
        let signature = key.sign(&base).unwrap();
        SignedRequest { base, signature }
    }

    /// The witness of this seed: those of genesis have `91` to `93`, and any other may take over.
    #[must_use]
    pub fn witness(seed: u8) -> WitnessSigner {
        let name = KeyName::new(format!("witness-{seed:x}.example")).unwrap();
        WitnessSigner::from_seed(name, &[seed; 32]).unwrap()
    }

    /// Witnesses of these seeds, two of whom make a quorum, as they would be rotated in.
    #[must_use]
    pub fn witnesses_of(seeds: &[u8]) -> Witnesses {
        let keys = seeds
            .iter()
            .map(|seed| Self::witness(*seed).key().to_string());
        Witnesses {
            vkeys: keys.collect(),
            faulty: 0,
            quorum: u32::try_from(seeds.len() / 2 + 1).unwrap(),
        }
    }

    /// The genesis digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.network.digest()
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

const fn with(byte: u8) -> [u8; 16] {
    let mut id = [0xee; 16];
    id[0] = byte;
    id
}

fn statement_key(seed: u8) -> SoftwareStatement {
    SoftwareStatement::ed25519(&Zeroizing::new([seed; 32])).unwrap()
}

fn request_key(seed: u8) -> NewFactor {
    NewFactor::RequestKey {
        key: statement_key(seed).public_key().clone(),
    }
}

fn member(byte: u8, roles: &[Role]) -> Member {
    Member {
        principal: PrincipalId(id(byte)),
        roles: roles.to_vec(),
        factors: vec![request_key(byte)],
    }
}

/// A thousand ether, or as many tokens, an hour: enough for all tests but those that want to meet a limit.
fn generous(asset: AssetId) -> Limit {
    Limit {
        asset,
        bounds: Bounds::Account,
        per_transaction: None,
        hour: Some(Amount(1_000_000_000_000_000_000_000)),
        day: None,
        week: None,
        approval: None,
    }
}

fn paying(address: [u8; 20]) -> Wallet {
    Wallet {
        id: World::WALLET,
        address: Address::Evm {
            chain: CHAIN,
            address,
        },
        keeper: World::KEEPER,
        first_nonce: 0,
        fee_ceiling: Amount(10_000_000_000_000_000),
        mandate: None,
        bitcoin: None,
    }
}

fn genesis(
    log: &LogSigner,
    witnesses: &[WitnessSigner],
    keeper: &SoftwareStatement,
    wallet: [u8; 20],
) -> Genesis {
    let issuer = |byte, kind| Issuer {
        id: IssuerId(id(byte)),
        kind,
        key: statement_key(byte).public_key().clone(),
    };
    let texts = |all: &[&str]| all.iter().map(ToString::to_string).collect();
    Genesis {
        network: "a network for tests".into(),
        mode: Mode::Development,
        rules: RULES,
        log: Log {
            origin: log.key().name().to_string(),
            vkey: log.key().to_string(),
        },
        administrators: ADMINISTRATORS.iter().map(|a| member(*a, &[])).collect(),
        quorum: 2,
        staff: vec![
            member(OPERATOR, &[Role::Operator]),
            member(BACK_END, &[Role::BackEnd]),
        ],
        keepers: vec![Keeper {
            id: World::KEEPER,
            kind: KeeperKind::Signer,
            key: keeper.public_key().clone(),
            sealing: None,
        }],
        witnesses: Witnesses {
            vkeys: witnesses.iter().map(|w| w.key().to_string()).collect(),
            faulty: 0,
            quorum: 2,
        },
        boards: vec![Board {
            id: World::BOARD,
            key: statement_key(BOARD).public_key().clone(),
        }],
        issuers: vec![
            issuer(ONBOARDING, IssuerKind::Onboarding),
            issuer(LEDGER, IssuerKind::Ledger),
        ],
        roots: Vec::new(),
        wallets: vec![paying(wallet)],
        assets: vec![World::ETHER, World::TOKEN],
        limits: Limits {
            rules: vec![generous(World::ETHER), generous(World::TOKEN)],
        },
        delay_floor: Span::seconds(5),
        policy: None,
        parties: vec![Party {
            realm: Realm::Customers,
            relying_party: RelyingParty {
                rp_ids: texts(&["bank.example"]),
                origins: texts(&["https://app.bank.example"]),
                top_origins: Vec::new(),
            },
        }],
        recovery: None,
        roots_quorum: None,
    }
}

/// Fees that every plan of the tests has unless it says otherwise.
#[must_use]
pub(super) fn fees() -> ethereum::Fees {
    ethereum::Fees::new(20_000_000_000, 1_000_000_000, 100_000).unwrap()
}
