use crate::mandate::{Payment, Permits};
use crate::read::Malformed;
use crate::signed::Signed;
use aws_lc_rs::signature::{ED25519, ParsedPublicKey};

/// What whoever holds a wallet believes, pinned by hand from the network's genesis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    /// The digest of the network's genesis.
    pub network: [u8; 32],
    /// The wallet that is paid from here, by its id in genesis.
    pub wallet: [u8; 16],
    /// The Ed25519 keys of the wallet's signer: the one in force, and while it is being rotated the next.
    pub keys: Vec<[u8; 32]>,
}

/// What was paid: the one thing that the text cannot say of itself.
///
/// **Promise.** `first` answers `true` at most once for an act, for ever, over crashes and whatever processes
/// share the wallet, and what it answers is durable before it returns. A unique key in the table of payments
/// does all that.
pub trait Once {
    /// Why it is not known.
    type Error;

    /// Record that the act is about to be paid; whether it was not recorded before.
    fn first(&mut self, act: &[u8; 32]) -> Result<bool, Self::Error>;
}

/// Why nothing may be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused<E> {
    /// Not a mandate.
    #[error("no mandate: {0}")]
    Malformed(#[from] Malformed),
    /// None of the keys signed it.
    #[error("no signer that is believed here signed this mandate")]
    Signature,
    /// For another network.
    #[error("the mandate is another network's")]
    OtherNetwork,
    /// For another wallet.
    #[error("the mandate is for another wallet")]
    OtherWallet,
    /// It says that the act was given up.
    #[error("the act was given up: there is nothing to pay")]
    Void,
    /// Too late.
    #[error("the mandate has expired; a fresh one comes by itself while the act is still released")]
    Expired,
    /// Paid before, or about to be.
    #[error("the act was paid already, or somebody is about to")]
    Again,
    /// Whether it was is not known.
    #[error("whether the act was paid already is not known")]
    Unknown(E),
}

impl Verifier {
    /// The payment that these bytes permit now, once. Pay exactly that, or nothing.
    ///
    /// `now_ms` is the own clock, in milliseconds since 1970. What is refused leaves no trace: only an answer of
    /// `Ok` has asked [`Once`], and a payment that fails after that is paid by hand or not at all.
    pub fn admit<O: Once>(
        &self,
        signed: &[u8],
        now_ms: u64,
        once: &mut O,
    ) -> Result<Payment, Refused<O::Error>> {
        let signed = Signed::from_bytes(signed)?;
        if !self.keys.iter().any(|key| signed.is_by(key)) {
            return Err(Refused::Signature);
        }
        let mandate = signed.mandate;
        if mandate.network != self.network {
            return Err(Refused::OtherNetwork);
        }
        if mandate.wallet != self.wallet {
            return Err(Refused::OtherWallet);
        }
        let Permits::Pay {
            payment,
            expires_ms,
        } = mandate.permits
        else {
            return Err(Refused::Void);
        };
        if now_ms >= expires_ms {
            return Err(Refused::Expired);
        }
        match once.first(&mandate.act) {
            Ok(true) => Ok(payment),
            Ok(false) => Err(Refused::Again),
            Err(error) => Err(Refused::Unknown(error)),
        }
    }
}

impl Signed {
    /// Whether the Ed25519 key signed it.
    #[must_use]
    pub fn is_by(&self, key: &[u8; 32]) -> bool {
        let text = self.mandate.to_string();
        ParsedPublicKey::new(&ED25519, key)
            .is_ok_and(|key| key.verify_sig(text.as_bytes(), &self.signature).is_ok())
    }
}
