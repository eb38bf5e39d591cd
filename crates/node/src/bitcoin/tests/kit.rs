//! A wallet whose secrets the tests know, which plans, checks and signs.

use bitcoin::secp256k1::{Keypair, Message, Scalar, Secp256k1, SecretKey};
use portcullis_chains::Amount;
use portcullis_chains::bitcoin::{
    Checked, Coin, Demands, FeeRate, Lock, OwnedKey, Payment, Plan, Sats, Scheme, Sighash,
    SignedTx, Standing, Terms, Wallet,
};
use portcullis_chains::caip::{BitcoinAddress, BitcoinChain};

pub(super) const CHAIN: BitcoinChain = BitcoinChain::Regtest;

#[derive(Clone, Copy, Debug)]
pub(super) enum By {
    P2wpkh,
    P2tr,
}

fn keypair(by: By) -> Keypair {
    let secret = SecretKey::from_slice(&[by as u8 + 7; 32]).unwrap();
    secret.keypair(&Secp256k1::new())
}

pub(super) fn key(by: By) -> OwnedKey {
    let pair = keypair(by);
    match by {
        By::P2wpkh => OwnedKey::p2wpkh(&pair.public_key().serialize()),
        By::P2tr => OwnedKey::p2tr(&pair.x_only_public_key().0.serialize()),
    }
    .unwrap()
}

/// The wallet with this one key.
pub(super) fn wallet(by: By) -> Wallet {
    Wallet::new(CHAIN, key(by), &[])
}

pub(super) fn stranger() -> Lock {
    Lock::P2wpkh([0x22; 20])
}

pub(super) fn sats(sats: u64) -> Sats {
    Sats::new(sats).unwrap()
}

pub(super) fn payment(sats: u64) -> Payment {
    Payment::new(BitcoinAddress::new(CHAIN, stranger()), Amount(sats.into())).unwrap()
}

/// One payment out of these coins, planned, checked and signed; a replacement if something stands.
pub(super) fn pay(
    coins: &[Coin],
    wallet: &Wallet,
    sat: u64,
    replaced: Option<&Standing>,
) -> (Checked, SignedTx) {
    let payments = [payment(sat)];
    let ceiling = sats(100_000);
    let terms = Terms {
        payments: &payments,
        rate: FeeRate::per_1000_virtual_bytes(2_000).unwrap(),
        ceiling,
        lock_height: 100,
        replaced,
    };
    let plan = Plan::make(coins.iter().cloned(), wallet, &terms).unwrap();
    let demands = Demands {
        payments: &payments,
        ceiling,
        highest_lock: 106,
        replaced,
    };
    let checked = Checked::psbt(&plan.to_psbt(), wallet, &demands).unwrap();
    let signed = checked.finish(&signatures(&checked)).unwrap();
    (checked, signed)
}

fn signatures(plan: &Checked) -> Vec<[u8; 64]> {
    let secp = Secp256k1::new();
    let sign = |sighash: Sighash| {
        let digest = Message::from_digest(sighash.digest);
        match sighash.scheme {
            Scheme::Ecdsa => {
                let secret = keypair(By::P2wpkh).secret_key();
                secp.sign_ecdsa(&digest, &secret).serialize_compact()
            }
            Scheme::Schnorr => {
                let tweak = Scalar::from_be_bytes(sighash.key.tweak().unwrap()).unwrap();
                let pair = keypair(By::P2tr).add_xonly_tweak(&secp, &tweak).unwrap();
                secp.sign_schnorr_no_aux_rand(&digest, &pair).serialize()
            }
        }
    };
    plan.sighashes().map(sign).collect()
}
