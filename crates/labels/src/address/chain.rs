use core::fmt;

/// Whose rules an address follows. The number is the high half of a [`super::Shape`]'s code.
///
/// All chains with Ethereum's addresses are one: the same keys own the same address on each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Chain {
    /// Ethereum and every chain with its addresses.
    Evm = 1,
    /// Bitcoin.
    Bitcoin = 2,
    /// Bitcoin Cash.
    BitcoinCash = 3,
    /// Bitcoin SV.
    BitcoinSv = 4,
    /// Bitcoin Gold.
    BitcoinGold = 5,
    /// Litecoin.
    Litecoin = 6,
    /// Dogecoin.
    Dogecoin = 7,
    /// Dash.
    Dash = 8,
    /// Zcash.
    Zcash = 9,
    /// Verge.
    Verge = 10,
    /// Tron.
    Tron = 11,
    /// The XRP Ledger.
    Xrp = 12,
    /// Monero.
    Monero = 13,
}

impl Chain {
    /// Every chain, in the order of their numbers.
    pub const ALL: [Self; 13] = [
        Self::Evm,
        Self::Bitcoin,
        Self::BitcoinCash,
        Self::BitcoinSv,
        Self::BitcoinGold,
        Self::Litecoin,
        Self::Dogecoin,
        Self::Dash,
        Self::Zcash,
        Self::Verge,
        Self::Tron,
        Self::Xrp,
        Self::Monero,
    ];

    /// The name that stands before an address, as in `bitcoin:bc1…`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Evm => "evm",
            Self::Bitcoin => "bitcoin",
            Self::BitcoinCash => "bitcoincash",
            Self::BitcoinSv => "bitcoinsv",
            Self::BitcoinGold => "bitcoingold",
            Self::Litecoin => "litecoin",
            Self::Dogecoin => "dogecoin",
            Self::Dash => "dash",
            Self::Zcash => "zcash",
            Self::Verge => "verge",
            Self::Tron => "tron",
            Self::Xrp => "xrp",
            Self::Monero => "monero",
        }
    }

    /// The names that CAIP-2 gives the chain's main network. Bitcoin Cash and Dogecoin stand there as
    /// the namespace's own page has them; Tron's number is written in decimal there and in
    /// hexadecimal by older wallets.
    pub(super) const fn caip2(self) -> &'static [&'static str] {
        match self {
            Self::Bitcoin => &["bip122:000000000019d6689c085ae165831e93"],
            Self::BitcoinCash => &["bip122:000000000000000000b15ad892af8f6a"],
            Self::Litecoin => &["bip122:12a765e31ffd4059bada1e25190f6e98"],
            Self::Dogecoin => &[
                "bip122:1a91e3dace36e2be3bf030a65679fe82",
                "bip122:1a91e3dace36e2be3bf030a65679fe821",
            ],
            Self::Dash => &["bip122:00000ffd590b1485b3caadc19b22e637"],
            Self::Zcash => &["bip122:00040fe8ec8471911baa1db1266ea15d"],
            Self::Tron => &["tron:728126428", "tron:0x2b6653dc"],
            Self::Xrp => &["xrpl:0"],
            Self::Monero => &["monero:418015bb9ae982a1975da7d79277c270"],
            Self::Evm | Self::BitcoinSv | Self::BitcoinGold | Self::Verge => &[],
        }
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
