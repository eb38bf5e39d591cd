use super::Chain;

/// What the bytes of a key are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Form {
    /// An account: the address of 20 bytes (Ethereum, Tron), the account id (XRP Ledger), or the
    /// public spend and view key (Monero).
    Account = 0,
    /// The same account in one place only: the EIP-155 chain number in 8 bytes before the address, or
    /// the destination tag in 4 bytes after the account id.
    Narrowed = 1,
    /// HASH160 of a public key, paid by a script of its own (P2PKH).
    KeyHash = 2,
    /// HASH160 of a script (P2SH).
    ScriptHash = 3,
    /// A witness program of version 0 and 20 bytes (P2WPKH).
    WitnessKey = 4,
    /// A witness program of version 0 and 32 bytes (P2WSH).
    WitnessScript = 5,
    /// A witness program of version 1 and 32 bytes (P2TR).
    Taproot = 6,
    /// The double SHA-256 of a script (Bitcoin Cash, P2SH32).
    LongScriptHash = 7,
    /// A Sapling address: diversifier and transmission key.
    Sapling = 8,
    /// A subaddress: its spend and view key (Monero).
    Subaddress = 9,
}

impl Form {
    const ALL: [Self; 10] = [
        Self::Account,
        Self::Narrowed,
        Self::KeyHash,
        Self::ScriptHash,
        Self::WitnessKey,
        Self::WitnessScript,
        Self::Taproot,
        Self::LongScriptHash,
        Self::Sapling,
        Self::Subaddress,
    ];
}

/// A chain and one of the forms that addresses have there. All keys of a shape have one width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shape {
    chain: Chain,
    form: Form,
}

impl Shape {
    /// The shape, if addresses of the chain have that form.
    #[must_use]
    pub const fn new(chain: Chain, form: Form) -> Option<Self> {
        if width(chain, form) == 0 {
            None
        } else {
            Some(Self { chain, form })
        }
    }

    /// The shape of this code, if there is one.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        let chain = *Chain::ALL.get(usize::from(code >> 4).checked_sub(1)?)?;
        let form = *Form::ALL.get(usize::from(code & 15))?;
        Self::new(chain, form)
    }

    /// Chain × 16 + form.
    #[must_use]
    pub const fn code(self) -> u8 {
        (self.chain as u8) << 4 | self.form as u8
    }

    /// The chain.
    #[must_use]
    pub const fn chain(self) -> Chain {
        self.chain
    }

    /// The form.
    #[must_use]
    pub const fn form(self) -> Form {
        self.form
    }

    /// Bytes in a key of this shape.
    #[must_use]
    pub const fn width(self) -> usize {
        width(self.chain, self.form)
    }
}

/// Zero where the chain has no such addresses.
const fn width(chain: Chain, form: Form) -> usize {
    match (chain, form) {
        (Chain::Evm | Chain::Tron | Chain::Xrp, Form::Account)
        | (
            Chain::Bitcoin
            | Chain::BitcoinCash
            | Chain::BitcoinSv
            | Chain::BitcoinGold
            | Chain::Litecoin
            | Chain::Dogecoin
            | Chain::Dash
            | Chain::Zcash
            | Chain::Verge,
            Form::KeyHash | Form::ScriptHash,
        )
        | (Chain::Bitcoin | Chain::BitcoinGold | Chain::Litecoin, Form::WitnessKey) => 20,
        (Chain::Evm, Form::Narrowed) => 28,
        (Chain::Xrp, Form::Narrowed) => 24,
        (
            Chain::Bitcoin | Chain::BitcoinGold | Chain::Litecoin,
            Form::WitnessScript | Form::Taproot,
        )
        | (Chain::BitcoinCash, Form::LongScriptHash) => 32,
        (Chain::Zcash, Form::Sapling) => 43,
        (Chain::Monero, Form::Account | Form::Subaddress) => 64,
        _ => 0,
    }
}
