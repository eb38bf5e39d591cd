//! What is in an envelope. Every text in it comes from outside and ends in a mail's header or body, so
//! each has its grammar, and nothing that has not passed it can be built.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// Most characters of the customer's own code.
pub const MAX_CODE: usize = 64;
/// Most bytes of a mail address (RFC 5321, section 4.5.3.1.3), of its local part, of a webhook's URL and
/// of a language tag (RFC 5646, section 4.4.1).
const MAX_MAIL: usize = 254;
const MAX_LOCAL: usize = 64;
const MAX_WEBHOOK: usize = 1024;
const MAX_LANGUAGE: usize = 35;

/// How a customer is reached.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Where to.
    #[n(0)]
    pub reach: Reach,
    /// The language that notices are to be in (BCP 47); English where there is no other.
    #[n(1)]
    pub language: String,
    /// A short text of the customer's own, which stands in each notice: whoever does not know it did not
    /// send the notice. May be empty.
    #[n(2)]
    pub code: String,
}

/// A mail address or a webhook.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// An ASCII mail address.
    #[n(0)]
    Mail(#[n(0)] String),
    /// An `https://` or `http://` URL; the herald's configuration says which origins it reaches and how.
    #[n(1)]
    Webhook(#[n(0)] String),
}

/// What is wrong with a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContactFault {
    /// The mail address.
    #[error("the mail address is not LOCAL@DOMAIN in plain ASCII")]
    Mail,
    /// The URL.
    #[error("the webhook is not an http or https URL in plain ASCII, without user or fragment")]
    Webhook,
    /// The language.
    #[error("the language is not a tag like en or pt-BR")]
    Language,
    /// The code.
    #[error("the code is longer than 64 characters, or has some that cannot be shown")]
    Code,
}

impl Contact {
    /// Whether every text in it is of its grammar.
    pub fn check(&self) -> Result<(), ContactFault> {
        match &self.reach {
            Reach::Mail(address) if !is_mail(address) => return Err(ContactFault::Mail),
            Reach::Webhook(url) if !is_webhook(url) => return Err(ContactFault::Webhook),
            _ => {}
        }
        if !is_language(&self.language) {
            return Err(ContactFault::Language);
        }
        if !is_code(&self.code) {
            return Err(ContactFault::Code);
        }
        Ok(())
    }
}

impl core::fmt::Debug for Contact {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Contact(..)")
    }
}

impl core::fmt::Debug for Reach {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Mail(_) => "Mail(..)",
            Self::Webhook(_) => "Webhook(..)",
        })
    }
}

/// A dot-atom at a host name: what every mail server takes without quoting.
fn is_mail(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let is_atom = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&c);
    let atoms = |text: &str| {
        text.split('.')
            .all(|atom| !atom.is_empty() && atom.bytes().all(is_atom))
    };
    address.len() <= MAX_MAIL && local.len() <= MAX_LOCAL && atoms(local) && is_host(domain)
}

fn is_host(domain: &str) -> bool {
    let is_label = |label: &str| {
        let plain = label
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || c == b'-');
        let edges = label.starts_with('-') || label.ends_with('-');
        (1..=63).contains(&label.len()) && plain && !edges
    };
    domain.split('.').all(is_label)
}

fn is_webhook(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or(url.strip_prefix("http://"));
    let Some(rest) = rest else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let plain = url
        .bytes()
        .all(|c| c.is_ascii_graphic() && !br#"#"<>\^`{|}"#.contains(&c));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0) && !port.starts_with('+');
    url.len() <= MAX_WEBHOOK && plain && is_host(host) && is_port
}

fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_alphanumeric())
    };
    let first = parts.next().unwrap_or_default();
    let is_first = (2..=3).contains(&first.len()) && first.bytes().all(|c| c.is_ascii_alphabetic());
    tag.len() <= MAX_LANGUAGE && is_first && parts.all(is_part)
}

/// Letters, marks and signs of any script on one line. Whatever steers a terminal or turns the direction
/// of text could make a notice read otherwise than it is.
fn is_code(code: &str) -> bool {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
            || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    code.chars().count() <= MAX_CODE && !code.contains(steers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reach: Reach, language: &str, code: &str) -> Result<(), ContactFault> {
        let contact = Contact {
            reach,
            language: language.into(),
            code: code.into(),
        };
        contact.check()
    }

    fn mail(address: &str) -> Result<(), ContactFault> {
        check(Reach::Mail(address.into()), "en", "")
    }

    fn webhook(url: &str) -> Result<(), ContactFault> {
        check(Reach::Webhook(url.into()), "en", "")
    }

    #[test]
    fn a_mail_address_is_a_dot_atom_at_a_host() {
        for good in ["a@b.example", "first.last+tag@x-y.example", "a@localhost"] {
            assert_eq!(mail(good), Ok(()), "{good}");
        }
        let long = format!("{}@b.example", "a".repeat(65));
        let wrong = [
            "",
            "a",
            "@b",
            "a@",
            "a@@b",
            "a b@c",
            "a@b c",
            "a@b\r\nBcc: x@y",
            "<a@b>",
            "a@b,c@d",
            ".a@b",
            "a..b@c",
            "\"a\"@b",
            "a@-b",
            "a@b-",
            "a@b..c",
            "ä@b.example",
            "a@b.example\0",
            "a;b@c",
            "a@b\n",
            &long,
        ];
        for wrong in wrong {
            assert_eq!(mail(wrong), Err(ContactFault::Mail), "{wrong:?}");
        }
    }

    #[test]
    fn a_webhook_is_a_plain_url() {
        for good in [
            "https://h.example/x?y=z",
            "http://127.0.0.1:8080/a",
            "https://h.example",
        ] {
            assert_eq!(webhook(good), Ok(()), "{good}");
        }
        let wrong = [
            "",
            "ftp://h/x",
            "https://",
            "https:///x",
            "https://u@h/x",
            "https://u:p@h/x",
            "https://h/ x",
            "https://h/#f",
            "https://h/\r\nX: y",
            "https://h:0/",
            "https://h:99999/",
            "https://h:+1/",
            "https://ä.example/",
            "javascript:x",
            "https://[::1]/",
        ];
        for wrong in wrong {
            assert_eq!(webhook(wrong), Err(ContactFault::Webhook), "{wrong:?}");
        }
    }

    #[test]
    fn a_language_is_a_tag_and_a_code_one_line_of_text() {
        let of = |language, code| check(Reach::Mail("a@b.example".into()), language, code);
        for good in ["en", "pt-BR", "zh-Hant-TW", "gsw"] {
            assert_eq!(of(good, "blue heron 7 — ключ 鍵"), Ok(()), "{good}");
        }
        for wrong in [
            "",
            "e",
            "english",
            "en_GB",
            "en-",
            "en\r\n",
            "../x",
            "en-toolongpart",
        ] {
            assert_eq!(of(wrong, ""), Err(ContactFault::Language), "{wrong:?}");
        }
        let long = "x".repeat(65);
        for wrong in [
            "a\nb",
            "a\r",
            "\u{202e}evil",
            "a\u{200b}b",
            "\u{1b}[31m",
            "\0",
            &long,
        ] {
            assert_eq!(of("en", wrong), Err(ContactFault::Code), "{wrong:?}");
        }
    }
}
