//! The signature base, read: strictly, and written again to be compared.

use super::{Algorithm, Base, MAX_BASE, Parts, RequestFault, grammar};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Read a signature base. What is accepted is byte for byte what [`Base::to_bytes`] writes.
pub fn parse_base(bytes: &[u8]) -> Result<Base, RequestFault> {
    if bytes.len() > MAX_BASE {
        return Err(RequestFault::Size);
    }
    let text = core::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.is_ascii());
    let (base, written) = Base::written(read(text.ok_or(RequestFault::NotText)?)?)?;
    if written == bytes {
        Ok(base)
    } else {
        Err(RequestFault::NotCanonical)
    }
}

fn read(text: &str) -> Result<Parts, RequestFault> {
    let mut lines = Lines(text);
    let method = lines.required("@method")?.to_string();
    let authority = lines.required("@authority")?.to_string();
    let path = lines.required("@path")?.to_string();
    let query = lines.optional("@query").map(query).transpose()?;
    let content_digest = lines
        .optional("content-digest")
        .map(content_digest)
        .transpose()?;
    let act = lines.optional("portcullis-act").map(act).transpose()?;
    let params = lines.last()?;
    let (_covered, params) = split_covered(params)?;
    let Params {
        created,
        expires,
        nonce,
        key_id,
        algorithm,
    } = Params::read(params)?;
    let parts = Parts {
        method,
        authority,
        path,
        query,
        content_digest,
        act,
        created,
        expires,
        nonce,
        key_id,
        algorithm,
    };
    Ok(parts)
}

/// The lines that are still to be read.
struct Lines<'a>(&'a str);

impl<'a> Lines<'a> {
    fn optional(&mut self, name: &str) -> Option<&'a str> {
        let (line, rest) = self.0.split_once('\n')?;
        let value = value_of(line, name)?;
        self.0 = rest;
        Some(value)
    }

    fn required(&mut self, name: &'static str) -> Result<&'a str, RequestFault> {
        self.optional(name).ok_or(RequestFault::Component(name))
    }

    /// The last line, which ends where the base does.
    fn last(&self) -> Result<&'a str, RequestFault> {
        value_of(self.0, "@signature-params").ok_or(RequestFault::Component("@signature-params"))
    }
}

fn value_of<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.strip_prefix('"')?
        .strip_prefix(name)?
        .strip_prefix("\": ")
}

fn query(value: &str) -> Result<String, RequestFault> {
    value
        .strip_prefix('?')
        .map(str::to_string)
        .ok_or(RequestFault::Value("@query"))
}

/// `sha-256=:…:` and nothing else.
pub(super) fn content_digest(value: &str) -> Result<[u8; 32], RequestFault> {
    let digest = value.strip_prefix("sha-256=").and_then(byte_sequence);
    digest.ok_or(RequestFault::Value("content-digest"))
}

/// 64 lower-case hexadecimal digits.
pub(super) fn act(value: &str) -> Result<[u8; 32], RequestFault> {
    crate::codec::lower_hex(value).map_err(|_| RequestFault::Value("portcullis-act"))
}

/// A byte sequence of RFC 8941, section 3.3.5, of a fixed length: padded base64 between colons.
pub(super) fn byte_sequence<const N: usize>(value: &str) -> Option<[u8; N]> {
    let base64 = value.strip_prefix(':')?.strip_suffix(':')?;
    STANDARD.decode(base64).ok()?.try_into().ok()
}

/// Split `(…)` from the parameters behind it.
pub(super) fn split_covered(params: &str) -> Result<(&str, &str), RequestFault> {
    let end = params
        .find(')')
        .ok_or(RequestFault::Component("@signature-params"))?;
    Ok(params.split_at(end + 1))
}

/// The parameters of a signature.
pub(super) struct Params {
    pub(super) created: u64,
    pub(super) expires: Option<u64>,
    pub(super) nonce: String,
    pub(super) key_id: String,
    pub(super) algorithm: Algorithm,
}

impl Params {
    /// `;created=…;expires=…;nonce="…";keyid="…";alg="…";tag="portcullis"`
    pub(super) fn read(text: &str) -> Result<Self, RequestFault> {
        let mut rest = Rest(text);
        let created = grammar::integer(rest.required("created")?, "created")?;
        let expires = rest.optional("expires");
        let expires = expires
            .map(|text| grammar::integer(text, "expires"))
            .transpose()?;
        let nonce = rest.string("nonce")?.to_string();
        let key_id = rest.string("keyid")?.to_string();
        let algorithm = Algorithm::named(rest.string("alg")?).ok_or(RequestFault::Value("alg"))?;
        if rest.string("tag")? != "portcullis" {
            return Err(RequestFault::Value("tag"));
        }
        Ok(Self {
            created,
            expires,
            nonce,
            key_id,
            algorithm,
        })
    }
}

/// The parameters that are still to be read. No value of the profile contains a semicolon.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn optional(&mut self, name: &str) -> Option<&'a str> {
        let value = self
            .0
            .strip_prefix(';')?
            .strip_prefix(name)?
            .strip_prefix('=')?;
        let (value, rest) = value.split_at(value.find(';').unwrap_or(value.len()));
        self.0 = rest;
        Some(value)
    }

    fn required(&mut self, name: &'static str) -> Result<&'a str, RequestFault> {
        self.optional(name).ok_or(RequestFault::Parameter(name))
    }

    fn string(&mut self, name: &'static str) -> Result<&'a str, RequestFault> {
        let value = self.required(name)?;
        let inside = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'));
        inside.ok_or(RequestFault::Value(name))
    }
}
