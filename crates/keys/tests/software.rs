//! Keys in memory against published vectors, and the conformance suite against keys that lie.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::atomic::{AtomicU32, Ordering};

use portcullis_chains::ethereum;
use portcullis_core::signature::{PublicKey, Signature};
use portcullis_keys::conformance::{self, Broken};
use portcullis_keys::software::{Secret, SoftwareStatement, SoftwareWallet};
use portcullis_keys::{CoinKey, SignError, SoftwareCoin, StatementKey, WalletKey};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const SECP256K1_ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

fn secret(text: &str) -> Secret {
    Zeroizing::new(hex::decode(text).unwrap().try_into().unwrap())
}

fn small(number: u8) -> Secret {
    let mut bytes = [0; 32];
    bytes[31] = number;
    Zeroizing::new(bytes)
}

/// RFC 6979 with SHA-256 on secp256k1; values that several independent implementations publish.
#[test]
fn secp256k1_is_deterministic_as_published() {
    let order_less_one = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140";
    let table = [
        (
            small(1),
            "Satoshi Nakamoto",
            "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8\
             2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5",
        ),
        (
            small(1),
            "All those moments will be lost in time, like tears in rain. Time to die...",
            "8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b\
             547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21",
        ),
        (
            secret(order_less_one),
            "Satoshi Nakamoto",
            "fd567d121db66e382991534ada77a6bd3106f0a1098c231e47993447cd6af2d0\
             6b39cd0eb1bc8603e159ef5c20a5c8ad685a45b06ce9bebed3f153d10d93bed5",
        ),
        (
            secret("f8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181"),
            "Alan Turing",
            "7063ae83e7f62bbb171798131b4a0564b956930092b33b07b395615d9ec7e15c\
             58dfcc1e00a35e1572f366ffe34ba0fc47db1e7189759b9fb233c5b05ab388ea",
        ),
    ];
    for (secret, message, want) in table {
        let key = SoftwareWallet::new(&secret).unwrap();
        let signature = key.sign(&Sha256::digest(message).into()).unwrap();
        assert_eq!(hex::encode(&signature.to_bytes()[..64]), want, "{message}");
    }
}

/// RFC 8032, section 7.1.
#[test]
fn ed25519_as_published() {
    let table = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155\
             5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
             18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ];
    for (seed, public, message, want) in table {
        let key = SoftwareStatement::ed25519(&secret(seed)).unwrap();
        assert_eq!(hex::encode(key.public_key().as_bytes()), public);
        let signature = key.sign(&hex::decode(message).unwrap()).unwrap();
        assert_eq!(hex::encode(signature.as_bytes()), want);
    }
}

/// RFC 6979, A.2.5, for the key; the nonce is not ours to choose, so the signature differs.
#[test]
fn p256_public_key_as_published() {
    let key = SoftwareStatement::p256(&secret(
        "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
    ));
    assert_eq!(
        hex::encode(key.unwrap().public_key().as_bytes()),
        "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
         7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
    );
}

#[test]
fn secrets_out_of_range() {
    let orders = [
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    ];
    let wallet = |secret: &Secret| SoftwareWallet::new(secret).is_ok();
    let p256 = |secret: &Secret| SoftwareStatement::p256(secret).is_ok();
    assert!(!wallet(&small(0)) && !p256(&small(0)));
    assert!(wallet(&small(1)) && p256(&small(1)));
    assert!(!wallet(&secret(orders[0])) && !p256(&secret(orders[1])));
    // P-256's order is the lower one.
    assert!(wallet(&secret(orders[1])) && !p256(&secret(orders[0])));
}

#[test]
fn software_keys_conform() {
    conformance::wallet(&SoftwareWallet::new(&small(7)).unwrap()).unwrap();
    for secret in 1..9 {
        conformance::coin(&SoftwareCoin::new(&small(secret)).unwrap()).unwrap();
    }
    conformance::statement(&SoftwareStatement::ed25519(&small(7)).unwrap()).unwrap();
    conformance::statement(&SoftwareStatement::p256(&small(7)).unwrap()).unwrap();
}

#[test]
fn debug_shows_no_secret() {
    let secret = Zeroizing::new([0xa5; 32]);
    let shown = format!(
        "{:?} {:?} {:?}",
        SoftwareWallet::new(&secret).unwrap(),
        SoftwareStatement::ed25519(&secret).unwrap(),
        SoftwareStatement::p256(&secret).unwrap(),
    );
    assert!(
        !shown.to_lowercase().contains("a5a5") && !shown.contains("165, 165"),
        "{shown}"
    );
}

/// A wallet key that breaks one promise.
struct LyingWallet {
    honest: SoftwareWallet,
    other: SoftwareWallet,
    calls: AtomicU32,
    lie: fn(&Self, &[u8; 32]) -> Result<ethereum::Signature, SignError>,
    moves: bool,
}

impl WalletKey for LyingWallet {
    fn address(&self) -> [u8; 20] {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        if self.moves && call % 2 == 1 {
            self.other.address()
        } else {
            self.honest.address()
        }
    }

    fn sign(&self, digest: &[u8; 32]) -> Result<ethereum::Signature, SignError> {
        (self.lie)(self, digest)
    }
}

#[test]
fn the_suite_sees_wallet_keys_that_lie() {
    type Lie = fn(&LyingWallet, &[u8; 32]) -> Result<ethereum::Signature, SignError>;
    let wallet = |lie: Lie, moves| LyingWallet {
        honest: SoftwareWallet::new(&small(7)).unwrap(),
        other: SoftwareWallet::new(&small(8)).unwrap(),
        calls: AtomicU32::new(0),
        lie,
        moves,
    };
    let honest: Lie = |key, digest| key.honest.sign(digest);
    let of_another_key: Lie = |key, digest| key.other.sign(digest);
    let always_the_same: Lie = |key, _| key.honest.sign(&[9; 32]);
    let other_parity: Lie = |key, digest| {
        let mut bytes = key.honest.sign(digest)?.to_bytes();
        bytes[64] ^= 1;
        Ok(ethereum::Signature::from_bytes(&bytes).unwrap())
    };
    let last_byte_ignored: Lie = |key, digest| {
        let mut digest = *digest;
        digest[31] = 0;
        key.honest.sign(&digest)
    };
    let locked: Lie = |_, _| Err(SignError::Refused("locked".into()));
    let table = [
        (honest, true, Broken::PublicChanged),
        (of_another_key, false, Broken::DoesNotHold),
        (always_the_same, false, Broken::DoesNotHold),
        (other_parity, false, Broken::DoesNotHold),
        (last_byte_ignored, false, Broken::DoesNotHold),
        (
            locked,
            false,
            Broken::Sign(SignError::Refused("locked".into())),
        ),
    ];
    for (lie, moves, want) in table {
        assert_eq!(conformance::wallet(&wallet(lie, moves)), Err(want));
    }
    assert_eq!(conformance::wallet(&wallet(honest, false)), Ok(()));
}

/// A key of coins that breaks one promise.
struct LyingCoin {
    honest: SoftwareCoin,
    lie: CoinLie,
}

#[derive(Clone, Copy)]
enum CoinLie {
    None,
    OtherPoint,
    HighS,
    NoTweak,
    LastByteIgnored,
}

impl CoinKey for LyingCoin {
    fn public_key(&self) -> [u8; 33] {
        match self.lie {
            CoinLie::OtherPoint => SoftwareCoin::new(&small(8)).unwrap().public_key(),
            _ => self.honest.public_key(),
        }
    }

    fn sign_ecdsa(&self, digest: &[u8; 32]) -> Result<[u8; 64], SignError> {
        let mut digest = *digest;
        if let CoinLie::LastByteIgnored = self.lie {
            digest[31] = 0;
        }
        let signature = self.honest.sign_ecdsa(&digest)?;
        match self.lie {
            CoinLie::HighS => Ok(with_high_s(signature, SECP256K1_ORDER)),
            _ => Ok(signature),
        }
    }

    fn sign_schnorr(&self, digest: &[u8; 32], tweak: &[u8; 32]) -> Result<[u8; 64], SignError> {
        match self.lie {
            CoinLie::NoTweak => self.honest.sign_schnorr(digest, &[0; 32]),
            _ => self.honest.sign_schnorr(digest, tweak),
        }
    }
}

#[test]
fn the_suite_sees_keys_of_coins_that_lie() {
    let run = |lie| {
        let honest = SoftwareCoin::new(&small(7)).unwrap();
        conformance::coin(&LyingCoin { honest, lie })
    };
    assert_eq!(run(CoinLie::None), Ok(()));
    for lie in [
        CoinLie::OtherPoint,
        CoinLie::HighS,
        CoinLie::NoTweak,
        CoinLie::LastByteIgnored,
    ] {
        assert_eq!(run(lie), Err(Broken::DoesNotHold));
    }
}

/// A statement key that breaks one promise.
struct LyingStatement {
    honest: SoftwareStatement,
    lie: fn(&SoftwareStatement, &[u8]) -> Result<Signature, SignError>,
}

impl StatementKey for LyingStatement {
    fn public_key(&self) -> &PublicKey {
        self.honest.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        (self.lie)(&self.honest, message)
    }
}

#[test]
fn the_suite_sees_statement_keys_that_lie() {
    type Lie = fn(&SoftwareStatement, &[u8]) -> Result<Signature, SignError>;
    let prehashed = |key: &SoftwareStatement, message: &[u8]| key.sign(&Sha256::digest(message));
    let cut = |key: &SoftwareStatement, message: &[u8]| key.sign(&message[..message.len().min(64)]);
    let high_s = |key: &SoftwareStatement, message: &[u8]| {
        let signature = *key.sign(message)?.as_bytes();
        Ok(Signature::from_bytes(with_high_s(signature, P256_ORDER)))
    };
    let slow = |_: &SoftwareStatement, _: &[u8]| Err(SignError::Unavailable("no answer".into()));
    let table: [(Lie, Broken); 4] = [
        (prehashed, Broken::DoesNotHold),
        (cut, Broken::DoesNotHold),
        (high_s, Broken::DoesNotHold),
        (
            slow,
            Broken::Sign(SignError::Unavailable("no answer".into())),
        ),
    ];
    for (lie, want) in table {
        let honest = SoftwareStatement::p256(&small(7)).unwrap();
        assert_eq!(
            conformance::statement(&LyingStatement { honest, lie }),
            Err(want)
        );
    }
}

/// n − s in the place of s.
fn with_high_s(mut signature: [u8; 64], order: &str) -> [u8; 64] {
    let order = hex::decode(order);
    let mut borrow = 0;
    for (digit, order) in signature[32..].iter_mut().zip(order.unwrap()).rev() {
        let difference = i16::from(order) - i16::from(*digit) - borrow;
        borrow = i16::from(difference < 0);
        *digit = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    signature
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_key_signs_any_digest(bytes: [u8; 32], digest: [u8; 32]) {
        if let Ok(key) = SoftwareWallet::new(&Zeroizing::new(bytes)) {
            let signature = key.sign(&digest).unwrap();
            prop_assert_eq!(signature.recover(&digest), Ok(key.address()));
        }
    }
}
