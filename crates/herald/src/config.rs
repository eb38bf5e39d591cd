//! The herald's own configuration: what no journal entry can change.

use crate::assets::Assets;
use portcullis_contact::{Contact, ContactFault, Reach};
use portcullis_core::Digest;
use portcullis_core::id::{AccountId, BoardId, KeeperId};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Most bytes of a configuration file.
const MAX_CONFIG: u64 = 256 * 1024;
/// Most pages that a letter leads to.
const MAX_PAGES: usize = 4;

/// The file as it stands. `docs/guide/herald.md` explains every line.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The signed genesis.
    pub genesis: PathBuf,
    /// Its digest, pinned by hand.
    pub genesis_digest: Digest,
    /// Which keeper of the genesis this is.
    pub keeper: KeeperId,
    /// Where the gate answers.
    pub gate: String,
    /// The herald's own folder: contacts, record, snapshots, latches, alarms.
    pub data: PathBuf,
    /// Where each stop board of the genesis answers.
    pub boards: BTreeMap<BoardId, String>,
    /// Where customers reach the stop boards' pages: links that restrict lead to `PAGE/stop`, first of all to the
    /// first. Without any, notices carry no links.
    #[serde(default)]
    pub pages: Vec<String>,
    /// Accounts whose notices carry no links: somebody else reads their mailbox, and freezes them.
    #[serde(default)]
    pub no_links: BTreeSet<AccountId>,
    /// The platform's name, as its customers know it.
    pub name: String,
    /// The keys.
    pub keys: Keys,
    /// How mail goes out; without it no mail address is reached.
    #[serde(default)]
    pub mail: Option<Mail>,
    /// Webhooks' origins (`https://host[:port]`), each with the `http://HOST:PORT` by which the herald
    /// reaches it: a proxy that speaks TLS, where it leaves the host. No other origin is ever asked.
    #[serde(default)]
    pub webhooks: BTreeMap<String, String>,
    /// The platform's staff, who are told of what waits for a delay of the platform's own.
    pub staff: Vec<Reach>,
    /// How letters write amounts of each asset.
    #[serde(default)]
    pub assets: Assets,
    /// A folder of the platform's own texts, `LANGUAGE/KIND.txt`.
    #[serde(default)]
    pub templates: Option<PathBuf>,
    /// Where alarms go beside the herald's own log.
    #[serde(default)]
    pub alarms: AlarmsTo,
    /// A file that moves time, for a development genesis only.
    #[serde(default)]
    pub test_clock: Option<PathBuf>,
}

/// Where the keys are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The encrypted key file.
    pub file: PathBuf,
    /// The file that holds its passphrase.
    pub passphrase_file: PathBuf,
    /// The name of the statement key.
    pub statement: String,
    /// The name of the key that a rotation puts in its place, once there is one: the herald turns to it by
    /// itself.
    #[serde(default)]
    pub successor: Option<String>,
    /// The name of the secret that contacts are sealed to.
    pub sealing: String,
}

/// A mail server, and who the mail is from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The server's name, by which its certificate is checked.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the line is protected.
    pub security: Security,
    /// A file with the certificate, in PEM, of an authority of one's own; the system's otherwise.
    #[serde(default)]
    pub authority: Option<PathBuf>,
    /// Who logs in, and the file with the password.
    #[serde(default)]
    pub login: Option<Login>,
    /// The address that mail comes from.
    pub from: String,
    /// How the herald greets the server: its own host name.
    pub greeting: String,
    /// How long the server may take for each step, in seconds.
    #[serde(default = "default_patience")]
    pub patience_seconds: u64,
    /// The signature.
    pub dkim: Dkim,
}

/// How the line to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Security {
    /// TLS from the first byte (usually port 465).
    Tls,
    /// TLS that is asked for, and without which nothing is sent (usually port 587).
    Starttls,
    /// None, to a server on this host only.
    PlaintextLoopback,
}

/// A mail account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The file with the password.
    pub password_file: PathBuf,
}

/// How mail is signed (RFC 6376).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dkim {
    /// The domain, which holds the public key in its DNS.
    pub domain: String,
    /// The selector.
    pub selector: String,
    /// The private key in PEM: RSA (PKCS#8 or PKCS#1), or Ed25519 (PKCS#8, RFC 8463).
    pub key_file: PathBuf,
}

/// Where alarms go.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlarmsTo {
    /// A webhook (Standard Webhooks); none where absent.
    pub webhook: Option<String>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file.
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, std::io::Error),
    /// Larger than any configuration.
    #[error("{0} is larger than 256 KiB: is it the configuration?")]
    TooLarge(PathBuf),
    /// Its text.
    #[error("{0}: {1}")]
    Toml(PathBuf, Box<toml::de::Error>),
    /// Staff whom nobody could tell anything.
    #[error("staff names nobody: what waits for a delay of the platform's own could never begin")]
    NoStaff,
    /// Somebody who cannot be reached.
    #[error("staff: {0}")]
    Staff(ContactFault),
    /// A line in the clear to another host.
    #[error("mail: plaintext-loopback is for a server on 127.0.0.1 or ::1 only, and not {0}")]
    Plaintext(String),
    /// A page that customers could not safely open, or too many.
    #[error(
        "pages: {0} is to be where customers reach a stop board, https://HOST[/PATH] (in the clear on this host \
         only), and there are to be four at most"
    )]
    Page(String),
    /// An origin that no webhook could have, or that the herald cannot ask.
    #[error("webhooks: {0} is to be an origin (https://HOST) reached by http://HOST:PORT")]
    Webhook(String),
}

impl Config {
    /// Read a file. Paths in it are relative to its own folder.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let failed = |error| ConfigError::Read(path.to_owned(), error);
        if std::fs::metadata(path).map_err(failed)?.len() > MAX_CONFIG {
            return Err(ConfigError::TooLarge(path.to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        let wrong = |error| ConfigError::Toml(path.to_owned(), Box::new(error));
        let mut config: Self = toml::from_str(&text).map_err(wrong)?;
        config.resolve(path.parent().unwrap_or(Path::new("")));
        let urls = config.boards.values_mut().chain(&mut config.pages);
        for url in urls.chain([&mut config.gate]) {
            url.truncate(url.trim_end_matches('/').len());
        }
        config.check()?;
        Ok(config)
    }

    fn resolve(&mut self, folder: &Path) {
        let keys = &mut self.keys;
        let own = [
            &mut self.genesis,
            &mut self.data,
            &mut keys.file,
            &mut keys.passphrase_file,
        ];
        let mail = self.mail.iter_mut().flat_map(|mail| {
            let password = mail.login.as_mut().map(|login| &mut login.password_file);
            let authority = mail.authority.as_mut();
            let key = &mut mail.dkim.key_file;
            password.into_iter().chain(authority).chain([key])
        });
        let optional = self.templates.iter_mut().chain(&mut self.test_clock);
        for path in own.into_iter().chain(mail).chain(optional) {
            *path = folder.join(&path);
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.staff.is_empty() {
            return Err(ConfigError::NoStaff);
        }
        for reach in &self.staff {
            staff(reach).check().map_err(ConfigError::Staff)?;
        }
        let plain = |mail: &&Mail| mail.security == Security::PlaintextLoopback;
        let abroad = self.mail.as_ref().filter(plain);
        if let Some(mail) = abroad.filter(|mail| !is_loopback(&mail.server)) {
            return Err(ConfigError::Plaintext(mail.server.clone()));
        }
        let too_many = self.pages.get(MAX_PAGES);
        let page = self.pages.iter().find(|page| !is_page(page));
        if let Some(page) = page.or(too_many) {
            return Err(ConfigError::Page(page.clone()));
        }
        let is_origin = |origin: &str| {
            let host = origin
                .strip_prefix("https://")
                .or(origin.strip_prefix("http://"));
            host.is_some_and(|host| !host.is_empty() && !host.contains('/'))
        };
        let mut webhooks = self.webhooks.iter();
        match webhooks.find(|(origin, by)| !is_origin(origin) || !by.starts_with("http://")) {
            Some((origin, _)) => Err(ConfigError::Webhook(origin.clone())),
            None => Ok(()),
        }
    }
}

/// A URL that can stand in a letter, and that nobody on the way to it can change the page of.
fn is_page(url: &str) -> bool {
    let plain = |url: &str| {
        url.bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"#?\"<>".contains(&byte))
    };
    let host = |rest: &str| rest.split('/').next().unwrap_or_default().to_owned();
    let abroad = url.strip_prefix("https://").map(host);
    let here = url.strip_prefix("http://").map(host);
    let on_this_host = here.is_some_and(|host| {
        host.parse::<SocketAddr>()
            .is_ok_and(|address| address.ip().is_loopback())
    });
    plain(url) && (abroad.is_some_and(|host| !host.is_empty()) || on_this_host)
}

/// A member of staff as one who is told something, in English and without a code.
pub(crate) fn staff(reach: &Reach) -> Contact {
    Contact {
        reach: reach.clone(),
        language: "en".into(),
        code: String::new(),
    }
}

fn is_loopback(server: &str) -> bool {
    let address = server.parse::<std::net::IpAddr>();
    address.is_ok_and(|address| address.is_loopback())
}

const fn default_patience() -> u64 {
    30
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// The example in the guide, as somebody copies it.
    fn example() -> String {
        let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/herald.md");
        let guide = fs::read_to_string(guide).unwrap();
        let (_, after) = guide.split_once("```toml\n").unwrap();
        after.split_once("```").unwrap().0.to_owned()
    }

    fn load(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("herald.toml");
        fs::write(&path, text).unwrap();
        Config::load(&path)
    }

    #[test]
    fn the_guides_example_is_a_configuration() {
        let config = load(&example()).unwrap();
        assert!(config.genesis.is_absolute(), "beside the file");
        assert!(config.mail.unwrap().dkim.key_file.is_absolute());
    }

    #[test]
    fn nothing_leaves_the_host_in_the_clear() {
        let plain = example().replace("\"starttls\"", "\"plaintext-loopback\"");
        assert!(matches!(load(&plain), Err(ConfigError::Plaintext(_))));
        let here = plain.replace("\"smtp.bank.example\"", "\"127.0.0.1\"");
        assert!(load(&here).is_ok());
        let name = plain.replace("\"smtp.bank.example\"", "\"localhost\"");
        assert!(load(&name).is_err(), "a name may lead anywhere");
    }

    #[test]
    fn what_could_never_be_told_or_asked_is_refused() {
        for (right, wrong) in [
            ("{ mail = \"duty@bank.example\" }", ""),
            ("duty@bank.example", "duty"),
            ("https://hooks.partner.example", "hooks.partner.example"),
            ("http://127.0.0.1:8443", "https://127.0.0.1:8443"),
            ("name =", "names ="),
            ("https://stop.example\"", "http://stop.example\""),
            ("https://stop.example\"", "https://stop.example/#\""),
        ] {
            assert!(load(&example().replace(right, wrong)).is_err(), "{wrong}");
        }
    }
}
