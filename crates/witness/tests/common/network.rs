use portcullis_core::factor::NewFactor;
use portcullis_core::genesis::{
    Board, Genesis, Keeper, KeeperKind, Log, Member, Mode, SealingKey, SignedGenesis, Witnesses,
};
use portcullis_core::id::{BoardId, KeeperId, PrincipalId};
use portcullis_core::limits::Limits;
use portcullis_core::signature::{PublicKey, Strict};
use portcullis_core::{Network, Span, codec};
use portcullis_keys::StatementKey;
use portcullis_keys::software::SoftwareStatement;
use portcullis_tlog::{KeyName, LogSigner, Signer as _, WitnessKey};
use std::sync::Arc;
use zeroize::Zeroizing;

pub const ORIGIN: &str = "log.example/portcullis";
pub const WITNESS: &str = "witness.example/1";
pub const BOARD: BoardId = BoardId([0xb0; 16]);
pub const KEEPER: KeeperId = KeeperId([0x4e; 16]);
pub const HERALD: KeeperId = KeeperId([0x4a; 16]);
pub const ADMINISTRATOR: PrincipalId = PrincipalId([0xad; 16]);

/// Seeds; the keys themselves are made as they are needed.
pub const LOG_SEED: [u8; 32] = [1; 32];
pub const WITNESS_SEED: [u8; 32] = [2; 32];
pub const BOARD_SEED: [u8; 32] = [3; 32];
pub const KEEPER_SEED: [u8; 32] = [4; 32];
pub const ADMINISTRATOR_SEED: [u8; 32] = [5; 32];
pub const HERALD_SEED: [u8; 32] = [6; 32];
pub const STRANGER_SEED: [u8; 32] = [9; 32];

pub fn key(seed: [u8; 32]) -> SoftwareStatement {
    SoftwareStatement::ed25519(&Zeroizing::new(seed)).unwrap()
}

pub fn log_signer() -> LogSigner {
    LogSigner::from_seed(KeyName::new(ORIGIN).unwrap(), &LOG_SEED).unwrap()
}

pub fn witness_key() -> WitnessKey {
    let PublicKey::Ed25519(public) = key(WITNESS_SEED).public_key().clone() else {
        unreachable!()
    };
    WitnessKey::new(KeyName::new(WITNESS).unwrap(), *public.as_bytes())
}

pub fn network() -> Arc<Network> {
    Arc::new(Network::new(signed_genesis(), &Strict).unwrap())
}

/// The same with a herald.
pub fn network_with_a_herald() -> Arc<Network> {
    let mut genesis = genesis();
    genesis.keepers.push(Keeper {
        id: HERALD,
        kind: KeeperKind::Herald,
        key: key(HERALD_SEED).public_key().clone(),
        sealing: Some(SealingKey([7; 32])),
    });
    Arc::new(Network::new(sign(genesis), &Strict).unwrap())
}

pub fn genesis_bytes() -> Vec<u8> {
    codec::encode(&signed_genesis())
}

fn signed_genesis() -> SignedGenesis {
    sign(genesis())
}

fn sign(genesis: Genesis) -> SignedGenesis {
    let signature = key(ADMINISTRATOR_SEED)
        .sign(&genesis.signed_bytes())
        .unwrap();
    SignedGenesis {
        genesis,
        signatures: vec![(ADMINISTRATOR, signature)],
    }
}

fn genesis() -> Genesis {
    Genesis {
        network: "a test of the witness".into(),
        mode: Mode::Development,
        rules: portcullis_core::genesis::RULES,
        log: Log {
            origin: ORIGIN.into(),
            vkey: log_signer().key().to_string(),
        },
        administrators: vec![Member {
            principal: ADMINISTRATOR,
            roles: vec![],
            factors: vec![NewFactor::RequestKey {
                key: key(ADMINISTRATOR_SEED).public_key().clone(),
            }],
        }],
        quorum: 1,
        staff: vec![],
        keepers: vec![Keeper {
            id: KEEPER,
            kind: KeeperKind::Signer,
            key: key(KEEPER_SEED).public_key().clone(),
            sealing: None,
        }],
        witnesses: Witnesses {
            vkeys: vec![witness_key().to_string()],
            faulty: 0,
            quorum: 1,
        },
        boards: vec![Board {
            id: BOARD,
            key: key(BOARD_SEED).public_key().clone(),
        }],
        issuers: vec![],
        roots: vec![],
        wallets: vec![],
        assets: vec![],
        limits: Limits::default(),
        delay_floor: Span::seconds(5),
        parties: vec![],
        policy: None,
        recovery: None,
        roots_quorum: None,
    }
}
