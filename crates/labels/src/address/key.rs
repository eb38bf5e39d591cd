use core::fmt;
use core::str::FromStr;

use portcullis_chains::Address;

use super::{AddressError, Chain, Form, MAX_ADDRESS, Shape};
use super::{coin, evm, monero, ripple, spelling, tron, zcash};

/// The widest key, in bytes.
pub const MAX_WIDTH: usize = 64;

/// An address without its spelling. Ordered by shape, then by bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub(super) shape: Shape,
    /// As many as the shape is wide, then zeros.
    pub(super) bytes: [u8; MAX_WIDTH],
}

impl Key {
    /// Reads an address of a chain as people and lists write it. An address of Ethereum's is then
    /// meant on every chain, one of the XRP Ledger's with every tag unless it carries its own.
    pub fn read(chain: Chain, text: &str) -> Result<Self, AddressError> {
        if text.len() > MAX_ADDRESS {
            return Err(AddressError::TooLong);
        }
        match chain {
            Chain::Evm => evm::read(text),
            Chain::Tron => tron::read(text),
            Chain::Xrp => ripple::read(text),
            Chain::Monero => monero::read(text),
            Chain::Zcash => zcash::read(text),
            _ => coin::read(chain, text),
        }
    }

    /// The key of these bytes, if they are as many as the shape is wide.
    #[must_use]
    pub fn from_parts(shape: Shape, bytes: &[u8]) -> Option<Self> {
        if bytes.len() != shape.width() {
            return None;
        }
        let mut padded = [0; MAX_WIDTH];
        padded.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(Self {
            shape,
            bytes: padded,
        })
    }

    /// The same for readers: bytes of another number have the wrong length.
    pub(super) fn made(chain: Chain, form: Form, bytes: &[u8]) -> Result<Self, AddressError> {
        let shape = Shape::new(chain, form).ok_or(AddressError::Form)?;
        Self::from_parts(shape, bytes).ok_or(AddressError::Length)
    }

    /// What the bytes are.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// The bytes, as many as the shape is wide.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.shape.width()).unwrap_or(&self.bytes)
    }

    /// An address of Ethereum's, meant on one chain only; `None` for any other key.
    #[must_use]
    pub fn on_evm_chain(&self, chain: u64) -> Option<Self> {
        let account = Shape::new(Chain::Evm, Form::Account);
        if Some(self.shape) != account {
            return None;
        }
        let bytes = [&chain.to_be_bytes(), self.bytes()].concat();
        Self::from_parts(Shape::new(Chain::Evm, Form::Narrowed)?, &bytes)
    }

    /// An account of the XRP Ledger with one destination tag; `None` for any other key.
    #[must_use]
    pub fn with_tag(&self, tag: u32) -> Option<Self> {
        let account = Shape::new(Chain::Xrp, Form::Account);
        if Some(self.shape) != account {
            return None;
        }
        let bytes = [self.bytes(), &tag.to_be_bytes()].concat();
        Self::from_parts(Shape::new(Chain::Xrp, Form::Narrowed)?, &bytes)
    }

    /// The key that covers this one: the address on every chain, the account with every tag. What is
    /// labelled there is labelled here.
    #[must_use]
    pub fn wider(&self) -> Option<Self> {
        let bytes = match (self.shape.chain(), self.shape.form()) {
            (Chain::Evm, Form::Narrowed) => self.bytes().get(8..),
            (Chain::Xrp, Form::Narrowed) => self.bytes().get(..20),
            _ => None,
        };
        Self::from_parts(Shape::new(self.shape.chain(), Form::Account)?, bytes?)
    }
}

/// A payee of a withdrawal is meant on its chain; [`Key::wider`] is the address on every chain. What no list
/// can name has no key: addresses on test networks, and on chains whose addresses are not read here.
impl TryFrom<Address> for Key {
    type Error = AddressError;

    fn try_from(address: Address) -> Result<Self, AddressError> {
        match address {
            Address::Evm { chain, address } => Ok(evm::on_chain(chain, &address)),
            Address::Bitcoin(_) | Address::Named(_) => spelling::read(&address.to_string()),
        }
    }
}

/// Reads `CHAIN:ADDRESS`, the chain by its name ([`Chain::name`]) or as in CAIP-2.
impl FromStr for Key {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        spelling::read(text)
    }
}

/// The canonical text, which is read back to the same key: `bitcoin:bc1…`, `evm:0x…`,
/// `eip155:1:0x…`, `xrp:r…?dt=7`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        spelling::write(self, f)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}
