//! Entry bundles: up to 256 entries, each behind its length (C2SP tlog-tiles).
//!
//! ```text
//! bundle = 1*256 ( length: u16 big-endian || entry: length bytes )
//! ```

/// The longest entry that the journal takes. The format's own limit is 65,535.
pub const MAX_ENTRY_BYTES: usize = 60_000;

const LENGTH_BYTES: usize = 2;

/// An entry is above [`MAX_ENTRY_BYTES`]: put the large part elsewhere and its digest here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an entry has at most {MAX_ENTRY_BYTES} bytes, this one has {got}: put its large part elsewhere, by digest"
)]
pub struct EntryTooLong {
    /// Bytes of the entry.
    pub got: usize,
}

/// Why a bundle is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The bundle ends inside the entry of this position, or before it.
    #[error("the bundle ends before the end of its entry {position}")]
    Truncated {
        /// Position within the bundle, from 0.
        position: u16,
    },
    /// The entry of this position is above [`MAX_ENTRY_BYTES`].
    #[error("entry {position} of the bundle has more than {MAX_ENTRY_BYTES} bytes")]
    TooLong {
        /// Position within the bundle, from 0.
        position: u16,
    },
    /// Bytes follow the last entry.
    #[error("{bytes} bytes follow the last entry of the bundle")]
    Trailing {
        /// How many.
        bytes: usize,
    },
}

/// Appends an entry, behind its length, to a bundle.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), EntryTooLong> {
    let too_long = EntryTooLong { got: entry.len() };
    let length = u16::try_from(entry.len()).map_err(|_| too_long)?;
    if entry.len() > MAX_ENTRY_BYTES {
        return Err(too_long);
    }
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// Reads a bundle of exactly `width` entries.
pub fn parse_bundle(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, BundleError> {
    let mut rest = bytes;
    let entries = (0..width)
        .map(|position| take_entry(&mut rest, position))
        .collect();
    match (entries, rest.len()) {
        (Ok(_), bytes @ 1..) => Err(BundleError::Trailing { bytes }),
        (entries, _) => entries,
    }
}

fn take_entry<'a>(rest: &mut &'a [u8], position: u16) -> Result<&'a [u8], BundleError> {
    let truncated = BundleError::Truncated { position };
    let (length, tail) = rest.split_first_chunk::<LENGTH_BYTES>().ok_or(truncated)?;
    let length = usize::from(u16::from_be_bytes(*length));
    if length > MAX_ENTRY_BYTES {
        return Err(BundleError::TooLong { position });
    }
    let (entry, tail) = tail.split_at_checked(length).ok_or(truncated)?;
    *rest = tail;
    Ok(entry)
}
