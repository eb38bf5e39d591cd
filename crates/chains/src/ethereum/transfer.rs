//! Plain transfers: the only thing that Portcullis signs on these chains.

use alloy_primitives::U256;

use super::{Fees, FeesError, UnsignedTx, erc20};
use crate::{Address, Amount, AssetId, ChainId};

/// A payment of ether or of an ERC-20 token, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transfer {
    chain: u64,
    /// The token's contract, or `None` for the chain's own coin.
    token: Option<[u8; 20]>,
    to: [u8; 20],
    amount: Amount,
    nonce: u64,
    fees: Fees,
}

/// The asset lives on one chain, the address on another; or neither chain has Ethereum's transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no transaction of Ethereum's pays an asset on {asset} to an address on {address}")]
pub struct OtherChain {
    asset: ChainId,
    address: ChainId,
}

/// Why a transaction is not a plain transfer, so that it is never signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPlain {
    /// No payee: the data would run and become a contract.
    #[error("it creates a contract")]
    Creation,
    /// Ether goes along with a call.
    #[error("it sends ether and calls a contract at once")]
    ValueWithCall,
    /// A call of another function than `transfer(address,uint256)`.
    #[error("it calls something else than transfer(address,uint256)")]
    Call,
    /// The call's data has not exactly 68 bytes.
    #[error("the data of transfer(address,uint256) has not exactly 68 bytes")]
    CallLength,
    /// Bits are set before the payee's 20 bytes.
    #[error("the payee in the data is not padded with zeros")]
    Padding,
    /// 2^128 base units or more.
    #[error("the amount is not below 2^128 base units")]
    AmountTooLarge,
    /// Fees that no transfer of ours has.
    #[error("fees: {0}")]
    Fees(#[from] FeesError),
}

impl Transfer {
    /// A payment of `amount` of `asset` to `to`.
    pub fn new(
        asset: AssetId,
        to: Address,
        amount: Amount,
        nonce: u64,
        fees: Fees,
    ) -> Result<Self, OtherChain> {
        let elsewhere = OtherChain {
            asset: asset.chain(),
            address: to.chain(),
        };
        let (chain, token) = match asset {
            AssetId::EvmNative { chain } => (chain, None),
            AssetId::EvmErc20 { chain, contract } => (chain, Some(contract)),
            AssetId::Bitcoin(_) | AssetId::Named(_) => return Err(elsewhere),
        };
        match to {
            Address::Evm { chain: on, address } if on == chain => Ok(Self {
                chain,
                token,
                to: address,
                amount,
                nonce,
                fees,
            }),
            _ => Err(elsewhere),
        }
    }

    /// A payment of nothing by the wallet to itself, which takes the place of whatever else was to
    /// have this nonce.
    pub fn void(wallet: Address, nonce: u64, fees: Fees) -> Result<Self, OtherChain> {
        let coin = match wallet.chain() {
            ChainId::Evm { chain } => AssetId::EvmNative { chain },
            elsewhere => {
                return Err(OtherChain {
                    asset: elsewhere,
                    address: elsewhere,
                });
            }
        };
        Self::new(coin, wallet, Amount::ZERO, nonce, fees)
    }

    /// The transaction that makes this payment; [`Self::decode`] reads the same back.
    #[must_use]
    pub fn build(&self) -> UnsignedTx {
        let (to, value, data) = match self.token {
            None => (self.to, self.amount, Vec::new()),
            Some(token) => (token, Amount::ZERO, erc20::call(&self.to, self.amount)),
        };
        UnsignedTx {
            chain: self.chain,
            nonce: self.nonce,
            max_priority_fee_per_gas: self.fees.max_priority_fee_per_gas(),
            max_fee_per_gas: self.fees.max_fee_per_gas(),
            gas_limit: self.fees.gas_limit(),
            to: Some(to),
            value: U256::from(value.0),
            data,
        }
    }

    /// Reads the payment out of a transaction, if that is all that it does.
    pub fn decode(tx: &UnsignedTx) -> Result<Self, NotPlain> {
        let callee = tx.to.ok_or(NotPlain::Creation)?;
        let value = tx
            .value
            .try_into()
            .map(Amount)
            .map_err(|_| NotPlain::AmountTooLarge)?;
        let (token, to, amount) = if tx.data.is_empty() {
            (None, callee, value)
        } else if value.is_zero() {
            let (to, amount) = erc20::parse_call(&tx.data)?;
            (Some(callee), to, amount)
        } else {
            return Err(NotPlain::ValueWithCall);
        };
        let fees = Fees::new(
            tx.max_fee_per_gas,
            tx.max_priority_fee_per_gas,
            tx.gas_limit,
        )?;
        Ok(Self {
            chain: tx.chain,
            token,
            to,
            amount,
            nonce: tx.nonce,
            fees,
        })
    }

    /// The chain on which it is paid.
    #[must_use]
    pub const fn chain(&self) -> ChainId {
        ChainId::Evm { chain: self.chain }
    }

    /// What is paid.
    #[must_use]
    pub const fn asset(&self) -> AssetId {
        match self.token {
            None => AssetId::EvmNative { chain: self.chain },
            Some(contract) => AssetId::EvmErc20 {
                chain: self.chain,
                contract,
            },
        }
    }

    /// Who is paid: for a token the payee in the call, not the contract.
    #[must_use]
    pub const fn to(&self) -> Address {
        Address::Evm {
            chain: self.chain,
            address: self.to,
        }
    }

    /// The twenty bytes of that.
    #[must_use]
    pub const fn payee(&self) -> [u8; 20] {
        self.to
    }

    /// The token's contract, or `None` for the chain's own coin.
    #[must_use]
    pub const fn token(&self) -> Option<[u8; 20]> {
        self.token
    }

    /// How much is paid, in base units.
    #[must_use]
    pub const fn amount(&self) -> Amount {
        self.amount
    }

    /// The place among the wallet's transactions; the chain takes one per nonce.
    #[must_use]
    pub const fn nonce(&self) -> u64 {
        self.nonce
    }

    /// What it may cost.
    #[must_use]
    pub const fn fees(&self) -> Fees {
        self.fees
    }

    /// The same transfer at other fees: what a fee bump plans.
    #[must_use]
    pub const fn with_fees(mut self, fees: Fees) -> Self {
        self.fees = fees;
        self
    }

    /// The most wei that it can cost the wallet beside the amount.
    #[must_use]
    pub const fn fee_ceiling(&self) -> Amount {
        self.fees.ceiling()
    }

    /// The least gas limit with which nodes take it: 21,000, and for each byte of data what EIP-7623
    /// asks at least. A contract that runs takes more.
    #[must_use]
    pub fn least_gas(&self) -> u64 {
        let data = self.build().data;
        let of = |byte: &u8| if *byte == 0 { 10 } else { 40 };
        data.iter().map(of).sum::<u64>() + 21_000
    }

    /// Whether this is `wallet` paying nothing to itself.
    #[must_use]
    pub fn is_void(&self, wallet: &Address) -> bool {
        Self::void(*wallet, self.nonce, self.fees) == Ok(*self)
    }

    /// Whether both pay the same to the same.
    fn pays_as(&self, other: &Self) -> bool {
        (self.asset(), self.to, self.amount) == (other.asset(), other.to, other.amount)
    }
}

/// Whether `next` may be planned in the place of `previous` for the same release by `wallet`.
///
/// Both must compete for one nonce on one chain, so that at most one of them happens; and `next`
/// must pay the same to the same, or be the wallet's void. Other fees and another gas limit are
/// allowed: they are what a replacement is for.
#[must_use]
pub fn replaces(previous: &Transfer, next: &Transfer, wallet: &Address) -> bool {
    let conflict = previous.chain == next.chain && previous.nonce == next.nonce;
    conflict && (next.pays_as(previous) || next.is_void(wallet))
}
