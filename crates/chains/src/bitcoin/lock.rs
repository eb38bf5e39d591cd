//! The five standard ways to lock an output.

use bitcoin::{Script, ScriptBuf};

use super::Sats;

/// What an output demands of whoever spends it. Every address names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lock {
    /// A signature by the key with this hash.
    P2pkh([u8; 20]),
    /// The script with this hash, and what it demands (BIP 16).
    P2sh([u8; 20]),
    /// A signature by the key with this hash, in the witness (BIP 141).
    P2wpkh([u8; 20]),
    /// The script with this hash, in the witness (BIP 141).
    P2wsh([u8; 32]),
    /// A signature by this key, or a script that it commits to (BIP 341). Whether the 32 bytes are
    /// a point of the curve is not asked, as nodes do not ask either.
    P2tr([u8; 32]),
}

impl Lock {
    /// The output's script.
    #[must_use]
    pub fn script(&self) -> ScriptBuf {
        let bytes: Vec<u8> = match self {
            Self::P2pkh(hash) => [&[0x76, 0xa9, 0x14], &hash[..], &[0x88, 0xac]].concat(),
            Self::P2sh(hash) => [&[0xa9, 0x14], &hash[..], &[0x87]].concat(),
            Self::P2wpkh(hash) => [&[0x00, 0x14], &hash[..]].concat(),
            Self::P2wsh(hash) => [&[0x00, 0x20], &hash[..]].concat(),
            Self::P2tr(key) => [&[0x51, 0x20], &key[..]].concat(),
        };
        ScriptBuf::from_bytes(bytes)
    }

    /// Reads a script, if it is exactly one of the five.
    #[must_use]
    pub fn from_script(script: &Script) -> Option<Self> {
        match script.as_bytes() {
            [0x76, 0xa9, 0x14, hash @ .., 0x88, 0xac] => hash.try_into().map(Self::P2pkh),
            [0xa9, 0x14, hash @ .., 0x87] => hash.try_into().map(Self::P2sh),
            [0x00, 0x14, hash @ ..] => hash.try_into().map(Self::P2wpkh),
            [0x00, 0x20, hash @ ..] => hash.try_into().map(Self::P2wsh),
            [0x51, 0x20, key @ ..] => key.try_into().map(Self::P2tr),
            _ => return None,
        }
        .ok()
    }

    /// The least amount that nodes relay in such an output: what it costs to send and to spend it
    /// at 3 satoshis per virtual byte (`GetDustThreshold` and `DUST_RELAY_TX_FEE` of Bitcoin Core).
    #[must_use]
    pub const fn dust(&self) -> Sats {
        match self {
            Self::P2pkh(_) => Sats::known(546),
            Self::P2sh(_) => Sats::known(540),
            Self::P2wpkh(_) => Sats::known(294),
            Self::P2wsh(_) | Self::P2tr(_) => Sats::known(330),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_read_back_and_dust_is_what_another_implementation_says() {
        let table = [
            Lock::P2pkh([1; 20]),
            Lock::P2sh([2; 20]),
            Lock::P2wpkh([3; 20]),
            Lock::P2wsh([4; 32]),
            Lock::P2tr([5; 32]),
        ];
        for lock in table {
            let script = lock.script();
            assert_eq!(Lock::from_script(&script), Some(lock));
            assert_eq!(lock.dust().get(), script.minimal_non_dust().to_sat());
            for end in 0..script.len() {
                let cut = Script::from_bytes(&script.as_bytes()[..end]);
                assert_eq!(Lock::from_script(cut), None, "{lock:?} {end}");
            }
        }
        let other_version = [&[0x52, 0x20][..], &[5; 32]].concat();
        assert_eq!(Lock::from_script(Script::from_bytes(&other_version)), None);
    }
}
