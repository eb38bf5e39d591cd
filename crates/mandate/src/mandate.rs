use core::fmt;

/// The first line: what the bytes are, so that a signature over them means nothing else.
pub(crate) const FIRST: &str = "portcullis/mandate/v1";

/// What a signer permits. [`fmt::Display`] writes the canonical text, which is what it signs; reading the text
/// ([`core::str::FromStr`]) takes that and no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mandate {
    /// The digest of the network's genesis.
    pub network: [u8; 32],
    /// The wallet that is to pay.
    pub wallet: [u8; 16],
    /// The place among the wallet's mandates. All that are signed under one number are for one act, and if one of
    /// them pays, none of them is void.
    pub number: u64,
    /// The digest of the withdrawal that was released. It is paid once, whatever number of mandates name it.
    pub act: [u8; 32],
    /// What may be done.
    pub permits: Permits,
}

/// What may be done under a mandate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permits {
    /// This payment may be begun before this time, in milliseconds since 1970.
    Pay {
        /// The payment.
        payment: Payment,
        /// The first millisecond at which it may not.
        expires_ms: u64,
    },
    /// Nothing: the act was given up before anything was signed for it.
    Void,
}

/// A payment on any chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// What is paid, as in CAIP-19.
    pub asset: String,
    /// Who is paid, as in CAIP-10, with a memo or tag after `?`.
    pub to: String,
    /// How much, in the asset's base units.
    pub amount: u128,
}

impl fmt::Display for Mandate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST}")?;
        writeln!(f, "network {}", hex::encode(self.network))?;
        writeln!(f, "wallet {}", hex::encode(self.wallet))?;
        writeln!(f, "number {}", self.number)?;
        writeln!(f, "act {}", hex::encode(self.act))?;
        match &self.permits {
            Permits::Pay {
                payment,
                expires_ms,
            } => {
                writeln!(f, "expires {expires_ms}")?;
                writeln!(f, "amount {}", payment.amount)?;
                writeln!(f, "asset {}", payment.asset)?;
                writeln!(f, "to {}", payment.to)
            }
            Permits::Void => writeln!(f, "void"),
        }
    }
}
