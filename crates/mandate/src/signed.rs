use crate::mandate::Mandate;
use crate::read::Malformed;

/// Longest signed mandate, in bytes.
pub const MAX_SIGNED: usize = 1024;

/// The last line's name.
const SIGNATURE: &str = "signature ";

/// A mandate with its signature: the text, and `signature ` with 128 hexadecimal digits on a last line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What is permitted.
    pub mandate: Mandate,
    /// Ed25519 (RFC 8032) over the mandate's text.
    pub signature: [u8; 64],
}

impl Signed {
    /// The bytes that travel.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let signature = hex::encode(self.signature);
        format!("{}{SIGNATURE}{signature}\n", self.mandate).into_bytes()
    }

    /// Read them: that form and no other. Whether the signature is anybody's is not looked at.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_SIGNED {
            return Err(Malformed::TooLong);
        }
        let text = core::str::from_utf8(bytes).map_err(|_| Malformed::NotText)?;
        let line = Malformed::Line("signature");
        let end = text.rfind(SIGNATURE).ok_or(line)?;
        let (mandate, last) = text.split_at_checked(end).ok_or(line)?;
        let digits = last
            .strip_prefix(SIGNATURE)
            .and_then(|l| l.strip_suffix('\n'));
        let mut signature = [0; 64];
        hex::decode_to_slice(digits.ok_or(line)?, &mut signature).map_err(|_| line)?;
        let signed = Self {
            mandate: mandate.parse()?,
            signature,
        };
        if signed.to_bytes() == bytes {
            Ok(signed)
        } else {
            Err(Malformed::NotCanonical)
        }
    }
}
