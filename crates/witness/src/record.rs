//! What a witness must never forget, in 128 bytes.
//!
//! ```text
//!   0  "PWITNES1"
//!   8  binding: whose record of which log this is            32 bytes
//!  40  number: one more than the record before it            u64, big-endian
//!  48  size of the tree that was cosigned                    u64, big-endian
//!  56  its root                                              32 bytes
//!  88  time of the cosignature, unix seconds                 u64, big-endian
//!  96  SHA-256 of the bytes before                           32 bytes
//! ```

use portcullis_core::Digest;
use portcullis_tlog::{Hash, LogKey, MAX_TREE_SIZE, TreeHead, WitnessKey};

/// Bytes of a record. A disk's sector holds a whole number of them, so a power cut leaves the old
/// bytes or the new ones and no mixture.
pub(crate) const RECORD: usize = 128;

const MAGIC: [u8; 8] = *b"PWITNES1";
const CHECKED: usize = 96;

/// The latest cosigned tree and when it was cosigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) number: u64,
    pub(crate) head: TreeHead,
    /// Unix seconds; zero where nothing was cosigned yet.
    pub(crate) time: u64,
}

/// Which witness' record of which log a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Binding(Digest);

/// Why 128 bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordFault {
    #[error("it is damaged: its checksum is wrong")]
    Damaged,
    #[error("it is another witness' record, or of another log")]
    Other,
}

impl Binding {
    pub(crate) fn new(log: &LogKey, witness: &WitnessKey) -> Self {
        Self(Digest::plain(format!("{log}\n{witness}\n").as_bytes()))
    }
}

impl Record {
    /// Before the first cosignature.
    pub(crate) const FIRST: Self = Self {
        number: 0,
        head: TreeHead::EMPTY,
        time: 0,
    };

    pub(crate) fn to_bytes(self, binding: Binding) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..40].copy_from_slice(&binding.0.0);
        bytes[40..48].copy_from_slice(&self.number.to_be_bytes());
        bytes[48..56].copy_from_slice(&self.head.size.to_be_bytes());
        bytes[56..88].copy_from_slice(self.head.root.as_bytes());
        bytes[88..96].copy_from_slice(&self.time.to_be_bytes());
        let checksum = Digest::plain(&bytes[..CHECKED]);
        bytes[CHECKED..].copy_from_slice(&checksum.0);
        bytes
    }

    pub(crate) fn parse(bytes: &[u8; RECORD], binding: Binding) -> Result<Self, RecordFault> {
        let (checked, checksum) = bytes.split_at(CHECKED);
        if checked[..8] != MAGIC || Digest::plain(checked).0 != checksum {
            return Err(RecordFault::Damaged);
        }
        if checked[8..40] != binding.0.0 {
            return Err(RecordFault::Other);
        }
        let number = |at: usize| u64::from_be_bytes(field(bytes, at));
        let head = TreeHead {
            size: number(48),
            root: Hash::from_bytes(field(bytes, 56)),
        };
        if head.size > MAX_TREE_SIZE {
            return Err(RecordFault::Damaged);
        }
        Ok(Self {
            number: number(40),
            head,
            time: number(88),
        })
    }
}

fn field<const N: usize>(bytes: &[u8; RECORD], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = include_str!("../../../docs/spec/witness.md");
    const LOG: &str =
        "portcullis.example/journal+9ecad096+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
    const WITNESS: &str =
        "witness.example/w1+ea2ad007+BNYvAWoe/R5P33k+tCzYRHHhup8M8E0Sh7XMcfYWKHy4";
    const ROOT: &str = "YPZHBp3st7PIOUZOJtsnDs7vKgmevvl+zG/3snf4rHE=";

    fn binding(log: &str) -> Binding {
        Binding::new(&log.parse().unwrap(), &WITNESS.parse().unwrap())
    }

    #[test]
    fn a_record_is_the_one_in_the_specification() {
        let (_, vector) = SPEC.rsplit_once("```text\n").unwrap();
        let (vector, _) = vector.split_once('\n').unwrap();
        let record = Record {
            number: 3,
            head: TreeHead {
                size: 7,
                root: Hash::from_base64(ROOT).unwrap(),
            },
            time: 1_700_000_000,
        };
        let bytes = record.to_bytes(binding(LOG));
        assert_eq!(hex::encode(bytes), vector);
        assert_eq!(Record::parse(&bytes, binding(LOG)), Ok(record));
    }

    #[test]
    fn a_record_of_another_log_is_not_taken() {
        let key: LogKey = LOG.parse().unwrap();
        let other = LogKey::new("log.example/other".parse().unwrap(), *key.public());
        let bytes = Record::FIRST.to_bytes(binding(&other.to_string()));
        let read = Record::parse(&bytes, binding(LOG));
        assert_eq!(read, Err(RecordFault::Other));
    }
}
