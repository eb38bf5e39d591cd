//! A key with its chain before it, as one text.

use core::fmt;

use super::{AddressError, Chain, Form, Key, MAX_ADDRESS};
use super::{coin, evm, monero, ripple, tron, zcash};

pub(super) fn read(text: &str) -> Result<Key, AddressError> {
    if text.len() > MAX_ADDRESS {
        return Err(AddressError::TooLong);
    }
    if let Some(rest) = text.strip_prefix("eip155:") {
        return on_evm_chain(rest);
    }
    let (chain, address) = Chain::ALL
        .iter()
        .find_map(|chain| Some((*chain, after(*chain, text)?)))
        .ok_or(AddressError::Chain)?;
    Key::read(chain, address)
}

/// What follows the chain's name and a colon. CAIP-2 first: Tron's and Monero's names begin it.
fn after(chain: Chain, text: &str) -> Option<&str> {
    let caip2 = chain.caip2().iter().copied();
    caip2
        .chain([chain.name()])
        .find_map(|name| text.strip_prefix(name)?.strip_prefix(':'))
}

fn on_evm_chain(rest: &str) -> Result<Key, AddressError> {
    let (number, address) = rest.split_once(':').ok_or(AddressError::Chain)?;
    let chain: u64 = number.parse().map_err(|_| AddressError::Chain)?;
    // One spelling of a number, as in CAIP-2: no sign, no zeros before it.
    if chain.to_string() != number {
        return Err(AddressError::Chain);
    }
    let key = Key::read(Chain::Evm, address)?;
    key.on_evm_chain(chain).ok_or(AddressError::Form)
}

pub(super) fn write(key: &Key, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let chain = key.shape().chain();
    if (chain, key.shape().form()) == (Chain::Evm, Form::Narrowed) {
        return evm::write_narrowed(key.bytes(), f);
    }
    write!(f, "{chain}:")?;
    match chain {
        Chain::Evm => evm::write(key.bytes(), f),
        Chain::Tron => tron::write(key.bytes(), f),
        Chain::Xrp => ripple::write(key.bytes(), f),
        Chain::Monero => monero::write(key, f),
        Chain::Zcash => zcash::write(key, f),
        _ => coin::write(key, f),
    }
}
