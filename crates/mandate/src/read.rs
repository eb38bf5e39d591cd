use crate::mandate::{FIRST, Mandate, Payment, Permits};
use core::str::{FromStr, Lines};

/// Longest name of an asset or an address, in bytes: CAIP-19's longest.
const MAX_NAME: usize = 179;

/// Why bytes are no mandate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Longer than any mandate.
    #[error("longer than a mandate can be")]
    TooLong,
    /// Not UTF-8.
    #[error("not text")]
    NotText,
    /// A line is missing, is another one, or its value is not in its one form.
    #[error("the line `{0}` is missing or not in its form")]
    Line(&'static str),
    /// Something beside the lines.
    #[error("not the canonical text: there is something beside its lines")]
    NotCanonical,
}

impl FromStr for Mandate {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut lines = text.lines();
        if lines.next() != Some(FIRST) {
            return Err(Malformed::Line(FIRST));
        }
        let mandate = Self {
            network: bytes(value(&mut lines, "network")?, "network")?,
            wallet: bytes(value(&mut lines, "wallet")?, "wallet")?,
            number: number(value(&mut lines, "number")?, "number")?,
            act: bytes(value(&mut lines, "act")?, "act")?,
            permits: permits(&mut lines)?,
        };
        // Ends of lines, zeros before numbers, upper case: whatever reads the same and is written otherwise.
        if mandate.to_string() == text {
            Ok(mandate)
        } else {
            Err(Malformed::NotCanonical)
        }
    }
}

fn permits(lines: &mut Lines<'_>) -> Result<Permits, Malformed> {
    if lines.clone().next() == Some("void") {
        return Ok(Permits::Void);
    }
    let expires_ms = number(value(lines, "expires")?, "expires")?;
    let payment = Payment {
        amount: number(value(lines, "amount")?, "amount")?,
        asset: name(value(lines, "asset")?, "asset")?,
        to: name(value(lines, "to")?, "to")?,
    };
    Ok(Permits::Pay {
        payment,
        expires_ms,
    })
}

/// The value of the next line, which has this name.
fn value<'a>(lines: &mut Lines<'a>, name: &'static str) -> Result<&'a str, Malformed> {
    let line = lines.next().and_then(|line| line.strip_prefix(name));
    line.and_then(|line| line.strip_prefix(' '))
        .ok_or(Malformed::Line(name))
}

fn bytes<const N: usize>(text: &str, line: &'static str) -> Result<[u8; N], Malformed> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| Malformed::Line(line))?;
    Ok(bytes)
}

fn number<T: FromStr>(text: &str, line: &'static str) -> Result<T, Malformed> {
    text.parse().map_err(|_| Malformed::Line(line))
}

/// A name is printable ASCII without a space, whatever chain it is of.
fn name(text: &str, line: &'static str) -> Result<String, Malformed> {
    let is_sound =
        (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    is_sound
        .then(|| text.to_owned())
        .ok_or(Malformed::Line(line))
}
