//! Keys that spend outputs on chains with Bitcoin's transactions.

use std::fmt;

use secp256k1::{Keypair, Message, Parity, Scalar, Secp256k1, SecretKey, SignOnly};
use zeroize::Zeroizing;

use crate::SignError;
use crate::software::{OutOfRange, Secret, blinded_by};

/// A secp256k1 key that opens outputs: P2WPKH by itself, P2TR by its key path.
///
/// **What is promised.**
///
/// - [`public_key`](Self::public_key) never changes, does no I/O, and is the point of the key that signs.
/// - An ECDSA signature holds under that point for exactly the digest given, and its `s` is low (BIP 62).
/// - A Schnorr signature is one of BIP 340 that holds, for exactly the digest given, under the point with the
///   tweak: the one whose y is even, plus the tweak's multiple of the generator (BIP 341).
/// - Two signatures over one digest need not be equal. They authorise the same transaction.
/// - After an error no signature has come out of this call.
///
/// **Threads.** As for [`WalletKey`](crate::WalletKey).
///
/// **What is not promised.** No policy: it signs every digest. And nothing of what a digest commits to: whoever
/// holds the key has proven amounts and locks before.
pub trait CoinKey: Send + Sync {
    /// The public half, compressed (SEC 1). Its last 32 bytes are the internal key of P2TR.
    fn public_key(&self) -> [u8; 33];

    /// Signs a digest of BIP 143, which is not hashed again: `r ‖ s`.
    fn sign_ecdsa(&self, digest: &[u8; 32]) -> Result<[u8; 64], SignError>;

    /// Signs a digest of BIP 341, which is not hashed again, by the key with this tweak: that of BIP 86 where the
    /// output has no scripts.
    fn sign_schnorr(&self, digest: &[u8; 32], tweak: &[u8; 32]) -> Result<[u8; 64], SignError>;
}

/// Such a key in memory; ECDSA's nonces after RFC 6979, Schnorr's after BIP 340 with fresh random bytes.
pub struct SoftwareCoin {
    secret: SecretKey,
    public: [u8; 33],
    blinded: Secp256k1<SignOnly>,
}

impl SoftwareCoin {
    /// The key with this secret.
    pub fn new(secret: &Secret) -> Result<Self, OutOfRange> {
        let scalar = SecretKey::from_byte_array(**secret).map_err(|_| OutOfRange)?;
        let blinded = blinded_by(secret);
        let public = scalar.public_key(&blinded).serialize();
        Ok(Self {
            secret: scalar,
            public,
            blinded,
        })
    }

    /// The secret of the output key: `taproot_tweak_seckey` of BIP 341.
    fn tweaked(&self, tweak: &[u8; 32]) -> Result<Erased, SignError> {
        let refused = || SignError::Refused("a tweak out of range".into());
        let (_, parity) = self.secret.x_only_public_key(&self.blinded);
        let even = Erased(match parity {
            Parity::Even => self.secret,
            Parity::Odd => self.secret.negate(),
        });
        let tweak = Scalar::from_be_bytes(*tweak).map_err(|_| refused())?;
        let tweaked = even.0.add_tweak(&tweak).map_err(|_| refused())?;
        Ok(Erased(tweaked))
    }

    fn schnorr(&self, digest: &[u8; 32], secret: &Erased, random: &[u8; 32]) -> [u8; 64] {
        let mut pair = Keypair::from_secret_key(&self.blinded, &secret.0);
        let signature = self
            .blinded
            .sign_schnorr_with_aux_rand(digest, &pair, random);
        pair.non_secure_erase();
        signature.to_byte_array()
    }
}

impl CoinKey for SoftwareCoin {
    fn public_key(&self) -> [u8; 33] {
        self.public
    }

    fn sign_ecdsa(&self, digest: &[u8; 32]) -> Result<[u8; 64], SignError> {
        let digest = Message::from_digest(*digest);
        Ok(self
            .blinded
            .sign_ecdsa(digest, &self.secret)
            .serialize_compact())
    }

    fn sign_schnorr(&self, digest: &[u8; 32], tweak: &[u8; 32]) -> Result<[u8; 64], SignError> {
        let mut random = Zeroizing::new([0; 32]);
        // BIP 340 takes any bytes here: without random ones the nonce is derived from key and digest alone.
        let _ = getrandom::fill(&mut *random);
        Ok(self.schnorr(digest, &self.tweaked(tweak)?, &random))
    }
}

impl Drop for SoftwareCoin {
    fn drop(&mut self) {
        self.secret.non_secure_erase();
    }
}

impl fmt::Debug for SoftwareCoin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = hex::encode(self.public);
        write!(f, "SoftwareCoin({public}, secret left out)")
    }
}

/// A secret that is erased when it is dropped.
struct Erased(SecretKey);

impl Drop for Erased {
    fn drop(&mut self) {
        self.0.non_secure_erase();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    fn key(secret: &str) -> SoftwareCoin {
        SoftwareCoin::new(&Zeroizing::new(bytes(secret))).unwrap()
    }

    /// The first three of BIP 340's `test-vectors.csv`.
    #[test]
    fn bip_340_as_published() {
        let table = [
            (
                "0000000000000000000000000000000000000000000000000000000000000003",
                "f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9",
                "0000000000000000000000000000000000000000000000000000000000000000",
                "0000000000000000000000000000000000000000000000000000000000000000",
                "e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca8215\
                 25f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0",
            ),
            (
                "b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfef",
                "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
                "0000000000000000000000000000000000000000000000000000000000000001",
                "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
                "6896bd60eeae296db48a229ff71dfe071bde413e6d43f917dc8dcf8c78de3341\
                 8906d11ac976abccb20b091292bff4ea897efcb639ea871cfa95f6de339e4b0a",
            ),
            (
                "c90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b14e5c9",
                "dd308afec5777e13121fa72b9cc1b7cc0139715309b086c960e18fd969774eb8",
                "c87aa53824b4d7ae2eb035a2b5bbbccc080e76cdc6d1692c4b0b62d798e6d906",
                "7e2d58d8b3bcdf1abadec7829054f90dda9805aab56c77333024b9d0a508b75c",
                "5831aaeed7b44bb74e5eab94ba9d4294c49bcf2a60728d8b4c200f50dd313c1b\
                 ab745879a5ad954a72c45a91c3a51d3c7adea98d82f8481e0e1e03674a6f3fb7",
            ),
        ];
        for (secret, public, random, message, want) in table {
            let key = key(secret);
            assert_eq!(hex::encode(&key.public_key()[1..]), public);
            let signature = key.schnorr(&bytes(message), &Erased(key.secret), &bytes(random));
            assert_eq!(hex::encode(signature), want);
        }
    }

    /// BIP 341, `wallet-test-vectors.json`, the first of `keyPathSpending`.
    #[test]
    fn bip_341_as_published() {
        let key = key("6b973d88838f27366ed61c9ad6367663045cb456e28335c109e30717ae0c6baa");
        let tweak = bytes("b86e7be8f39bab32a6f2c0443abbc210f0edac0e2c53d501b36b64437d9c6c70");
        let tweaked = key.tweaked(&tweak).unwrap();
        assert_eq!(
            hex::encode(tweaked.0.secret_bytes()),
            "2405b971772ad26915c8dcdf10f238753a9b837e5f8e6a86fd7c0cce5b7296d9"
        );
        let digest = bytes("2514a6272f85cfa0f45eb907fcb0d121b808ed37c6ea160a5a9046ed5526d555");
        assert_eq!(
            hex::encode(key.schnorr(&digest, &tweaked, &[0; 32])),
            "ed7c1647cb97379e76892be0cacff57ec4a7102aa24296ca39af7541246d8ff1\
             4d38958d4cc1e2e478e4d4a764bbfd835b16d4e314b72937b29833060b87276c"
        );
    }

    /// BIP 86, the first receiving address: its secret, and the output key that wallets derive for it.
    #[test]
    fn bip_86_as_published() {
        let key = key("41f41d69260df4cf277826a9b65a3717e4eeddbeedf637f212ca096576479361");
        let internal = "cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115";
        assert_eq!(hex::encode(&key.public_key()[1..]), internal);
        let owned = portcullis_chains::bitcoin::OwnedKey::p2tr(&bytes(internal)).unwrap();
        let tweaked = key.tweaked(&owned.tweak().unwrap()).unwrap();
        let (output, _) = tweaked.0.x_only_public_key(&key.blinded);
        assert_eq!(
            hex::encode(output.serialize()),
            "a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c"
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", key(&"a5".repeat(32)));
        assert!(!shown.contains("a5a5"), "{shown}");
    }
}
