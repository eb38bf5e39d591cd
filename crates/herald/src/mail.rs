//! Mail: built, signed with DKIM (RFC 6376), handed to one server over SMTP.
//!
//! Headers come from the configuration and from checked addresses alone, each by a type that can hold no
//! line's end; the text is encoded. So nothing that a customer or the journal says becomes a header.

use crate::config::{Dkim, Mail, Security};
use crate::post::{Letter, Outcome, Post};
use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, SmtpTransport, Transport as _};
use mail_auth::common::crypto::{Ed25519Key, RsaKey, Sha256};
use mail_auth::common::headers::HeaderWriter as _;
use mail_auth::dkim::{DkimSigner, Done};
use pki_types::pem::PemObject as _;
use pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use portcullis_contact::Reach;
use portcullis_core::Time;
use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// Most bytes of a file that the configuration names.
const MAX_FILE: u64 = 64 * 1024;
/// What the signature covers. One that is named twice could not be put in again.
const SIGNED: [&str; 12] = [
    "From",
    "From",
    "To",
    "To",
    "Subject",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// Why no mail can be sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// A file.
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, std::io::Error),
    /// A file that cannot be what it should.
    #[error("{0} is too large")]
    TooLarge(PathBuf),
    /// The sender.
    #[error("from: {0} is no mail address")]
    From(String),
    /// The signature's key.
    #[error("{0} holds no RSA or Ed25519 key in PEM")]
    Key(PathBuf),
    /// TLS.
    #[error("TLS to the mail server: {0}")]
    Tls(lettre::transport::smtp::Error),
}

/// Sends mail.
pub struct Mailer {
    from: Mailbox,
    domain: String,
    signer: Signer,
    transport: SmtpTransport,
}

enum Signer {
    Rsa(Box<DkimSigner<RsaKey<Sha256>, Done>>),
    Ed25519(Box<DkimSigner<Ed25519Key, Done>>),
}

impl Mailer {
    /// A mailer as configured; no server is asked anything yet.
    pub fn new(config: &Mail, name: &str) -> Result<Self, MailError> {
        let wrong = || MailError::From(config.from.clone());
        let address: Address = config.from.parse().map_err(|_| wrong())?;
        Ok(Self {
            from: Mailbox::new(Some(name.to_owned()), address),
            domain: config.dkim.domain.clone(),
            signer: Signer::new(&config.dkim)?,
            transport: transport(config)?,
        })
    }

    /// Hand a letter to the server.
    fn send(&self, letter: &Letter, to: &str) -> Outcome {
        let Some((envelope, bytes)) = self.build(letter, to) else {
            return Outcome::Refused("no mail can be made of it".into());
        };
        match self.transport.send_raw(&envelope, &bytes) {
            Ok(_) => Outcome::Accepted,
            Err(error) if is_about_the_mailbox(&error) => Outcome::Refused(answer(&error)),
            Err(error) => Outcome::Later(answer(&error)),
        }
    }

    /// The message with its signature before it.
    fn build(&self, letter: &Letter, to: &str) -> Option<(Envelope, Vec<u8>)> {
        let to: Address = to.parse().ok()?;
        let id = format!("<{}@{}>", letter.id, self.domain);
        let date = UNIX_EPOCH.checked_add(Duration::from_millis(letter.time.0))?;
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.clone()))
            .subject(letter.subject.clone())
            .date(date)
            .message_id(Some(id))
            .header(ContentType::TEXT_PLAIN)
            .body(letter.body.clone())
            .ok()?;
        // RFC 3834: no holiday greeting comes back.
        message.headers_mut().insert_raw(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".into(),
        ));
        let bytes = message.formatted();
        let mut signed = self.signer.header(&bytes)?.into_bytes();
        signed.extend(bytes);
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![to]).ok()?;
        Some((envelope, signed))
    }
}

impl Post for Mailer {
    fn deliver(&self, letter: &Letter, _: Time) -> Outcome {
        match &letter.reach {
            Reach::Mail(address) => self.send(letter, address),
            Reach::Webhook(_) => Outcome::Refused("a webhook is no mail address".into()),
        }
    }
}

/// What servers say of a mailbox that takes no mail, now or later (RFC 3463, 3.2 and 3.3; RFC 7505: 5.1.10). The others
/// of 5.1 are about the sender's address.
const NO_MAILBOX: [&str; 6] = ["5.1.1 ", "5.1.2 ", "5.1.3 ", "5.1.6 ", "5.1.10 ", "5.2.1 "];

/// Whether it is the mailbox that takes no mail, by the server's own word.
/// Any other refusal may be of the sender, a block list or a policy: tomorrow it may be mended, and were it taken for
/// the mailbox's, a new contact alone would count while all old ones are alive.
fn is_about_the_mailbox(error: &lettre::transport::smtp::Error) -> bool {
    let text = error.source().map(ToString::to_string).unwrap_or_default();
    error.is_permanent() && NO_MAILBOX.iter().any(|code| text.starts_with(code))
}

/// What a server or the line said, on one line and without end. Of an answer only the number: the text beside
/// it likes to repeat whom the mail was for, and this goes into logs and to whoever takes the alarms.
fn answer(error: &lettre::transport::smtp::Error) -> String {
    if let Some(code) = error.status() {
        return format!("the mail server answers {code}");
    }
    let text = error.to_string();
    let plain = text.chars().filter(|c| !c.is_control());
    plain.take(200).collect()
}

impl Signer {
    fn new(config: &Dkim) -> Result<Self, MailError> {
        let path = &config.key_file;
        let pem = read(path)?;
        let wrong = || MailError::Key(path.clone());
        let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| wrong())?;
        if let Ok(rsa) = RsaKey::<Sha256>::from_key_der(key) {
            let signer = DkimSigner::from_key(rsa).domain(&config.domain);
            let signer = signer.selector(&config.selector).headers(SIGNED);
            return Ok(Self::Rsa(Box::new(relaxed(signer))));
        }
        let key = PrivatePkcs8KeyDer::from_pem_slice(&pem).map_err(|_| wrong())?;
        let key = Ed25519Key::from_pkcs8_maybe_unchecked_der(key.secret_pkcs8_der());
        let signer = DkimSigner::from_key(key.map_err(|_| wrong())?).domain(&config.domain);
        let signer = signer.selector(&config.selector).headers(SIGNED);
        Ok(Self::Ed25519(Box::new(relaxed(signer))))
    }

    fn header(&self, message: &[u8]) -> Option<String> {
        let signature = match self {
            Self::Rsa(signer) => signer.sign(message),
            Self::Ed25519(signer) => signer.sign(message),
        };
        signature.ok().map(|signature| signature.to_header())
    }
}

/// Servers on the way fold headers and trim lines.
fn relaxed<T: mail_auth::common::crypto::SigningKey>(
    signer: DkimSigner<T, Done>,
) -> DkimSigner<T, Done> {
    use mail_auth::dkim::Canonicalization::Relaxed;
    signer
        .header_canonicalization(Relaxed)
        .body_canonicalization(Relaxed)
}

fn transport(config: &Mail) -> Result<SmtpTransport, MailError> {
    let tls = match config.security {
        Security::PlaintextLoopback => Tls::None,
        Security::Tls => Tls::Wrapper(parameters(config)?),
        Security::Starttls => Tls::Required(parameters(config)?),
    };
    let builder = SmtpTransport::builder_dangerous(&config.server)
        .port(config.port)
        .tls(tls)
        .hello_name(ClientId::Domain(config.greeting.clone()))
        .timeout(Some(Duration::from_secs(config.patience_seconds)));
    let builder = match &config.login {
        Some(login) => {
            let password = String::from_utf8_lossy(&read(&login.password_file)?)
                .trim_end()
                .to_owned();
            builder.credentials(Credentials::new(login.user.clone(), password))
        }
        None => builder,
    };
    Ok(builder.build())
}

fn parameters(config: &Mail) -> Result<TlsParameters, MailError> {
    let builder = TlsParameters::builder(config.server.clone());
    let builder = match &config.authority {
        Some(path) => {
            let certificate = Certificate::from_pem(&read(path)?).map_err(MailError::Tls)?;
            builder.add_root_certificate(certificate)
        }
        None => builder,
    };
    builder.build_rustls().map_err(MailError::Tls)
}

fn read(path: &Path) -> Result<Vec<u8>, MailError> {
    let failed = |error| MailError::Read(path.to_owned(), error);
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_FILE {
        return Err(MailError::TooLarge(path.to_owned()));
    }
    std::fs::read(path).map_err(failed)
}
