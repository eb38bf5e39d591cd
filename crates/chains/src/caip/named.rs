//! Names on chains that are known by their names alone: whatever CAIP-2, CAIP-10 and CAIP-19 can write and
//! no other module here reads.
//!
//! Nothing is known of such a chain's checksums or spellings, so a text is taken as it stands: two texts are
//! two names. Whoever signs for such a chain is somebody else (docs/spec/mandate.md).

use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use super::{BitcoinChain, CaipError, text};

/// Longest namespace and reference of a chain, in bytes (CAIP-2).
const NAMESPACE: usize = 8;
const REFERENCE: usize = 32;
const CHAIN: usize = NAMESPACE + 1 + REFERENCE;
/// Longest account (CAIP-10), with its memo or tag.
const ACCOUNT: usize = 128;
/// Longest asset, without its chain (CAIP-19).
const ASSET: usize = NAMESPACE + 1 + 128;

/// A chain; `NAMESPACE:REFERENCE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedChain(Inline<CHAIN>);

impl FromStr for NamedChain {
    type Err = CaipError;

    fn from_str(text: &str) -> Result<Self, CaipError> {
        let form = CaipError::Form("NAMESPACE:REFERENCE");
        let (namespace, reference) = text::capped(text)?.split_once(':').ok_or(form)?;
        check_namespace(namespace)?;
        if !is_made_of(reference, 1..=REFERENCE, b"-_") {
            return Err(form);
        }
        check_is_not_known(text, namespace, reference)?;
        Inline::new(text).map(Self)
    }
}

impl fmt::Display for NamedChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.text())
    }
}

/// An asset of such a chain; `CHAIN/NAMESPACE:REFERENCE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedAsset {
    chain: NamedChain,
    asset: Inline<ASSET>,
}

impl NamedAsset {
    /// The chain on which it lives.
    #[must_use]
    pub const fn chain(&self) -> NamedChain {
        self.chain
    }
}

impl FromStr for NamedAsset {
    type Err = CaipError;

    fn from_str(text: &str) -> Result<Self, CaipError> {
        let form = CaipError::Form("CHAIN/NAMESPACE:REFERENCE");
        let (chain, asset) = text::capped(text)?.split_once('/').ok_or(form)?;
        let (namespace, reference) = asset.split_once(':').ok_or(form)?;
        check_namespace(namespace)?;
        if !is_made_of(reference, 1..=128, b"-.%") {
            return Err(form);
        }
        Ok(Self {
            chain: chain.parse()?,
            asset: Inline::new(asset)?,
        })
    }
}

impl fmt::Display for NamedAsset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.chain, self.asset.text())
    }
}

/// An address on such a chain; `CHAIN:ACCOUNT`, or `CHAIN:ACCOUNT?NAME=VALUE` where the chain tells one account's
/// customers apart by a memo or a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedAddress {
    chain: NamedChain,
    account: Inline<ACCOUNT>,
}

impl NamedAddress {
    /// The chain on which it is meant.
    #[must_use]
    pub const fn chain(&self) -> NamedChain {
        self.chain
    }

    /// The account, with its memo or tag.
    #[must_use]
    pub fn account(&self) -> &str {
        self.account.text()
    }
}

impl FromStr for NamedAddress {
    type Err = CaipError;

    fn from_str(text: &str) -> Result<Self, CaipError> {
        let form = CaipError::Form("NAMESPACE:REFERENCE:ACCOUNT");
        let (chain, account) = text::capped(text)?.rsplit_once(':').ok_or(form)?;
        let (plain, memo) = match account.split_once('?') {
            Some((plain, memo)) => (plain, Some(memo.split_once('=').ok_or(form)?)),
            None => (account, None),
        };
        let is_memo = |(name, value)| {
            is_made_of(name, 1..=NAMESPACE, b"") && is_made_of(value, 1..=ACCOUNT, b"-._%")
        };
        if !is_made_of(plain, 1..=ACCOUNT, b"-.%") || !memo.is_none_or(is_memo) {
            return Err(form);
        }
        Ok(Self {
            chain: chain.parse()?,
            account: Inline::new(account)?,
        })
    }
}

impl fmt::Display for NamedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.chain, self.account())
    }
}

/// A short text in place, so that names can be copied like numbers.
#[derive(Clone, Copy)]
struct Inline<const N: usize> {
    length: u8,
    bytes: [u8; N],
}

impl<const N: usize> Inline<N> {
    fn new(text: &str) -> Result<Self, CaipError> {
        let length = u8::try_from(text.len()).map_err(|_| CaipError::TooLong)?;
        let mut bytes = [0; N];
        let place = bytes.get_mut(..text.len()).ok_or(CaipError::TooLong)?;
        place.copy_from_slice(text.as_bytes());
        Ok(Self { length, bytes })
    }

    fn text(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.length));
        bytes
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }
}

impl<const N: usize> fmt::Debug for Inline<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text())
    }
}

impl<const N: usize> PartialEq for Inline<N> {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl<const N: usize> Eq for Inline<N> {}

impl<const N: usize> PartialOrd for Inline<N> {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<const N: usize> Ord for Inline<N> {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.text().cmp(other.text())
    }
}

impl<const N: usize> Hash for Inline<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text().hash(state);
    }
}

fn check_namespace(namespace: &str) -> Result<(), CaipError> {
    let is_lower = namespace
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if is_lower && (3..=NAMESPACE).contains(&namespace.len()) {
        Ok(())
    } else {
        Err(CaipError::Namespace)
    }
}

/// One chain has one name. Those that other modules read are theirs, and of `bip122` a chain has the first 32
/// digits of its first block, in lower case.
fn check_is_not_known(text: &str, namespace: &str, reference: &str) -> Result<(), CaipError> {
    match namespace {
        "eip155" => Err(CaipError::Namespace),
        "bip122" if !is_first_block(reference) || text.parse::<BitcoinChain>().is_ok() => {
            Err(CaipError::Bip122)
        }
        _ => Ok(()),
    }
}

/// Whether a text has so many bytes, each a letter, a digit or one of `beside`.
fn is_made_of(text: &str, length: core::ops::RangeInclusive<usize>, beside: &[u8]) -> bool {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || beside.contains(&byte);
    length.contains(&text.len()) && text.bytes().all(is_one)
}

fn is_first_block(reference: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    reference.len() == REFERENCE && reference.bytes().all(is_digit)
}
