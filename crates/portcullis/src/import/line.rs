//! A line of the export: one customer, as JSON.

use crate::failure::Failure;
use portcullis_client::{Contact, Seed, algorithm};
use portcullis_core::factor::NewFactor;
use portcullis_core::id::{AccountId, PrincipalId, SubjectId};
use portcullis_gate::registration::cose_key;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// Most bytes of a line.
const MAX_LINE: usize = 64 * 1024;

/// One customer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    /// The account that is opened.
    pub(super) account: AccountId,
    /// Whose.
    pub(super) subject: SubjectId,
    /// Its holder.
    pub(super) principal: PrincipalId,
    /// How the customer is reached; needed where the network has a herald.
    pub(super) contact: Option<Contact>,
    /// Passkeys.
    #[serde(default)]
    pub(super) passkeys: Vec<Passkey>,
    /// TOTP seeds.
    #[serde(default)]
    pub(super) totp: Vec<Totp>,
}

/// A passkey as the other system stored it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Passkey {
    /// The credential id.
    #[serde(with = "portcullis_core::text::base64url")]
    credential: Vec<u8>,
    /// The relying party id that it was made for.
    rp_id: String,
    /// The public key in COSE, as authenticators give it. No attestation is needed.
    #[serde(with = "portcullis_core::text::base64url")]
    cose: Vec<u8>,
}

/// A TOTP secret.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Totp {
    /// In base32.
    #[serde(deserialize_with = "wiped")]
    secret: Zeroizing<String>,
    /// `SHA1`, `SHA256` or `SHA512`.
    #[serde(default = "sha1")]
    algorithm: String,
    #[serde(default = "six")]
    digits: u8,
}

fn wiped<'de, D: Deserializer<'de>>(d: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(d).map(Zeroizing::new)
}

fn sha1() -> String {
    "SHA1".into()
}

const fn six() -> u8 {
    6
}

impl Passkey {
    pub(super) fn factor(&self) -> Result<NewFactor, String> {
        let key = cose_key(&self.cose).map_err(|fault| format!("the passkey's key: {fault}"))?;
        Ok(NewFactor::Passkey {
            credential: self.credential.clone(),
            rp_id: self.rp_id.clone(),
            key,
        })
    }
}

impl Totp {
    pub(super) fn seed(&self) -> Result<Seed, String> {
        let algorithm = algorithm(&self.algorithm);
        let algorithm = algorithm.ok_or("the algorithm is not SHA1, SHA256 or SHA512")?;
        Seed::of_base32(&self.secret, algorithm, self.digits).map_err(|fault| fault.to_string())
    }
}

/// A line with its number.
pub(super) struct Read {
    pub(super) number: usize,
    pub(super) line: Line,
}

/// All lines, before anything is sent: a file that is half wrong is mended first.
pub(super) fn read_all(text: &str) -> Result<Vec<Read>, Failure> {
    let mut read = Vec::new();
    let mut accounts = BTreeSet::new();
    for (number, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        let line = parse(text).map_err(|what| wrong(number, &what))?;
        if !accounts.insert(line.account) {
            return Err(wrong(number, "the account stands twice in the file"));
        }
        read.push(Read { number, line });
    }
    Ok(read)
}

fn parse(text: &str) -> Result<Line, String> {
    if text.len() > MAX_LINE {
        return Err("longer than 64 KiB".into());
    }
    // What it says of a value may be the secret itself.
    let line: Line = serde_json::from_str(text)
        .map_err(|error| format!("not a customer (column {})", error.column()))?;
    for passkey in &line.passkeys {
        passkey.factor()?;
    }
    for totp in &line.totp {
        totp.seed()?;
    }
    if let Some(contact) = &line.contact {
        contact.check().map_err(|fault| fault.to_string())?;
    }
    if line.passkeys.is_empty() && line.totp.is_empty() {
        return Err("neither a passkey nor a TOTP seed".into());
    }
    Ok(line)
}

fn wrong(number: usize, what: &str) -> Failure {
    Failure::usage(
        format!("line {number}: {what}; nothing was sent"),
        "docs/guide/totp.md has the form of a line",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: &str = r#""account":"01010101010101010101010101010101","subject":"02020202020202020202020202020202","principal":"03030303030303030303030303030303""#;

    /// `{1: OKP, 3: EdDSA, -1: Ed25519, -2: x}` of RFC 8032's first key.
    const COSE: &str = "pAEBAycgBiFYINdaYBgrfqCQtKGAXXPdNbbr_QtMkAdi4x7kCRRJ-hWe";

    fn fault(members: &str) -> String {
        match read_all(&format!("{{{IDS}{members}}}")) {
            Ok(_) => String::new(),
            Err(failure) => failure.what().to_owned(),
        }
    }

    #[test]
    fn a_line_is_read_whole_or_not_at_all() {
        let totp = r#","totp":[{"secret":"GEZDGNBVGY3TQOJQ"}]"#;
        assert_eq!(fault(totp), "");
        for (members, what) in [
            ("", "neither a passkey nor a TOTP seed"),
            (r#","totp":[{"secret":"GEZDGNBVGY3TQOJ1"}]"#, "base32"),
            (
                r#","totp":[{"secret":"GEZDGNBVGY3TQOJQ","digits":5}]"#,
                "digits",
            ),
            (
                r#","totp":[{"secret":"GEZDGNBVGY3TQOJQ","algorithm":"MD5"}]"#,
                "algorithm",
            ),
            (
                r#","totp":[{"secret":"GEZDGNBVGY3TQOJQ"}],"name":"Eve""#,
                "not a customer",
            ),
            (
                r#","passkeys":[{"credential":"AAA","rp_id":"a","cose":"oA"}]"#,
                "the passkey's key",
            ),
        ] {
            let said = fault(members);
            assert!(said.contains(what), "{members}: {said}");
            assert!(
                said.contains("line 1") && said.contains("nothing was sent"),
                "{said}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_secret() {
        let said = fault(r#","totp":[{"secret":7777777}]"#);
        assert!(
            said.contains("column") && !said.contains("7777777"),
            "{said}"
        );
    }

    #[test]
    fn a_cose_key_is_a_passkey_without_its_attestation() {
        let members = format!(
            r#","passkeys":[{{"credential":"AAEC","rp_id":"bank.example","cose":"{COSE}"}}]"#
        );
        let read = read_all(&format!("{{{IDS}{members}}}\n\n")).ok().unwrap();
        let factor = read[0].line.passkeys[0].factor().unwrap();
        assert_eq!(factor.key().unwrap().as_bytes()[0], 0xd7);
        let twice = format!("{{{IDS}{members}}}\n{{{IDS}{members}}}");
        assert!(read_all(&twice).is_err());
    }
}
