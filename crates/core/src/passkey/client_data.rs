//! `clientDataJSON`: the limited verification algorithm of WebAuthn Level 3, section 5.8.1.2.
//!
//! Nothing here parses JSON. A conforming client serialises the members in a fixed order and in one
//! spelling (section 5.8.1.1), so every process compares bytes and reaches the same answer.

use super::{PasskeyFault, RelyingParty};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

/// Which ceremony client data is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceremony {
    /// A registration, `webauthn.create`.
    Create,
    /// An assertion, `webauthn.get`.
    Get,
}

impl Ceremony {
    const fn quoted(self) -> &'static [u8] {
        match self {
            Self::Create => b"\"webauthn.create\"",
            Self::Get => b"\"webauthn.get\"",
        }
    }
}

/// Check type, challenge, origin and frame, in this order.
pub fn check(
    client_data: &[u8],
    ceremony: Ceremony,
    challenge: &[u8],
    party: &RelyingParty,
) -> Result<(), PasskeyFault> {
    let said = Said::read(client_data).ok_or(PasskeyFault::ClientData)?;
    if said.ceremony != ceremony.quoted() {
        return Err(PasskeyFault::Type);
    }
    let expected = quoted(&URL_SAFE_NO_PAD.encode(challenge));
    if !bool::from(said.challenge.ct_eq(&expected)) {
        return Err(PasskeyFault::Challenge);
    }
    if !is_among(said.origin, &party.origins) {
        return Err(PasskeyFault::Origin);
    }
    match said.frame {
        Frame::Same => Ok(()),
        Frame::Foreign { top: None } => Err(PasskeyFault::CrossOrigin),
        Frame::Foreign { top: Some(top) } if is_among(top, &party.top_origins) => Ok(()),
        Frame::Foreign { top: Some(_) } => Err(PasskeyFault::TopOrigin),
    }
}

fn is_among(said: &[u8], allowed: &[String]) -> bool {
    allowed.iter().any(|origin| said == quoted(origin))
}

/// `CCDToString` of section 5.8.1.1: the one way in which a client writes a string.
fn quoted(text: &str) -> Vec<u8> {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\0'..='\x1f' => out.extend(format!("\\u{:04x}", u32::from(c)).chars()),
            _ => out.push(c),
        }
    }
    out.push('"');
    out.into_bytes()
}

/// The members that decide, each still quoted as the client wrote it.
struct Said<'a> {
    ceremony: &'a [u8],
    challenge: &'a [u8],
    origin: &'a [u8],
    frame: Frame<'a>,
}

enum Frame<'a> {
    Same,
    Foreign { top: Option<&'a [u8]> },
}

impl<'a> Said<'a> {
    fn read(client_data: &'a [u8]) -> Option<Self> {
        let mut rest = Cursor(client_data);
        let ceremony = rest.member(b"{\"type\":")?;
        let challenge = rest.member(b",\"challenge\":")?;
        let origin = rest.member(b",\"origin\":")?;
        let frame = Frame::read(rest)?;
        Some(Self {
            ceremony,
            challenge,
            origin,
            frame,
        })
    }
}

impl<'a> Frame<'a> {
    /// After the origin. Two sorts of clients leave `crossOrigin` out where it would be false, and
    /// only there: Safari, which then closes the object, and Android, which then names its package.
    fn read(mut rest: Cursor<'a>) -> Option<Self> {
        if rest.is_close() {
            return Some(Self::Same);
        }
        if let Some(_package) = rest.member(b",\"androidPackageName\":") {
            return rest.is_close().then_some(Self::Same);
        }
        if rest.skip(b",\"crossOrigin\":false") {
            return rest.is_close_or_more().then_some(Self::Same);
        }
        if rest.skip(b",\"crossOrigin\":true") {
            let top = rest.member(b",\"topOrigin\":");
            return rest.is_close_or_more().then_some(Self::Foreign { top });
        }
        None
    }
}

/// What has not been read yet.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn skip(&mut self, literal: &[u8]) -> bool {
        let Some(rest) = self.0.strip_prefix(literal) else {
            return false;
        };
        self.0 = rest;
        true
    }

    /// The string after `name`; nothing is consumed where there is none.
    fn member(&mut self, name: &[u8]) -> Option<&'a [u8]> {
        let value = self.0.strip_prefix(name)?;
        let (string, rest) = value.split_at_checked(string_length(value)?)?;
        self.0 = rest;
        Some(string)
    }

    fn is_close(&self) -> bool {
        self.0 == b"}"
    }

    /// The object ends here, or further members follow, which are the client's business.
    fn is_close_or_more(&self) -> bool {
        self.is_close() || (self.0.starts_with(b",") && self.0.ends_with(b"}"))
    }
}

/// The length of the quoted string at the start, quotes included.
fn string_length(text: &[u8]) -> Option<usize> {
    let inside = text.strip_prefix(b"\"")?;
    let mut escaped = false;
    for (at, byte) in inside.iter().enumerate() {
        match byte {
            b'"' if !escaped => return Some(at + 2),
            0..=0x1f => return None,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}
