//! Texts: templates, filled in. One file for each kind of notice, by language; the English ones come with
//! the program, and a folder of the platform's own takes their place.
//!
//! ```text
//! Subject: {network}: a new address
//! A new address was added: {address}
//! ```
//!
//! A name in braces stands for a value. What is filled in is never looked at again, and nothing in it can
//! end a line: a value cannot become a header, nor another value.

use crate::notice::Kind;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Most bytes of a template.
const MAX_TEMPLATE: u64 = 16 * 1024;

/// Every template, by language and kind.
#[derive(Clone, Debug)]
pub struct Templates(BTreeMap<(String, Kind), Template>);

#[derive(Clone, Debug)]
struct Template {
    subject: String,
    body: String,
}

/// A notice in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// One line.
    pub(crate) subject: String,
    /// Lines that end in LF.
    pub(crate) body: String,
}

/// Why there are no templates.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// A file.
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, std::io::Error),
    /// Its form.
    #[error("{0}: a template begins with a line \"Subject: …\" and has a text below it")]
    Form(PathBuf),
    /// A name in braces that stands for nothing.
    #[error("{0}: {{{1}}} stands for nothing in a notice of this kind")]
    Unknown(PathBuf, String),
}

impl Templates {
    /// Those that come with the program.
    pub fn own() -> Result<Self, TemplateError> {
        let mut all = BTreeMap::new();
        for kind in Kind::ALL {
            let path = PathBuf::from(format!("en/{}.txt", kind.slug()));
            let template = parse(*kind, kind.template(), &path)?;
            all.insert(("en".to_owned(), *kind), template);
        }
        Ok(Self(all))
    }

    /// Those that come with the program, and in their place what is in a folder: `LANGUAGE/KIND.txt`.
    pub fn with_folder(folder: &Path) -> Result<Self, TemplateError> {
        let mut templates = Self::own()?;
        let failed = |error| TemplateError::Read(folder.to_owned(), error);
        for language in std::fs::read_dir(folder).map_err(failed)? {
            let language = language.map_err(failed)?.path();
            let Some(name) = language.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            for kind in Kind::ALL {
                let path = language.join(format!("{}.txt", kind.slug()));
                if path.exists() {
                    let text = read(&path)?;
                    let place = (name.to_ascii_lowercase(), *kind);
                    templates.0.insert(place, parse(*kind, &text, &path)?);
                }
            }
        }
        Ok(templates)
    }

    /// A notice in the language asked for, or the nearest: `pt-BR`, then `pt`, then English.
    pub(crate) fn text(
        &self,
        kind: Kind,
        language: &str,
        values: &BTreeMap<String, String>,
    ) -> Text {
        let language = language.to_ascii_lowercase();
        let primary = language.split('-').next().unwrap_or_default().to_owned();
        let nearest = [language, primary, "en".to_owned()];
        let mut nearest = nearest.into_iter();
        let found = nearest.find_map(|language| self.0.get(&(language, kind)));
        found.map_or_else(|| bare(kind), |template| template.fill(values))
    }
}

/// What is said where no template is: there always is one.
fn bare(kind: Kind) -> Text {
    Text {
        subject: kind.slug().to_owned(),
        body: String::new(),
    }
}

impl Template {
    fn fill(&self, values: &BTreeMap<String, String>) -> Text {
        Text {
            subject: fill(&self.subject, values),
            body: fill(&self.body, values),
        }
    }
}

/// What stands below every text: by what people and machines check it.
pub(crate) fn footer(code: &str, network: &str, act: &str, entry: u64) -> String {
    let mut text = String::from("\n--\n");
    let code = one_line(code);
    if code.is_empty() {
        text +=
            "You have chosen no code of your own. With one, you would know our messages by it.\n";
    } else {
        let _ = writeln!(text, "Your own code: {code}");
        text += "A message without it is not from us, whatever it says.\n";
    }
    let _ = writeln!(
        text,
        "Network {}, entry {entry}, act {act}",
        one_line(network)
    );
    text
}

fn parse(kind: Kind, text: &str, path: &Path) -> Result<Template, TemplateError> {
    let malformed = || TemplateError::Form(path.to_owned());
    let (first, body) = text.split_once('\n').ok_or_else(malformed)?;
    let subject = first.trim_end().strip_prefix("Subject: ");
    let subject = subject.ok_or_else(malformed)?.to_owned();
    let body = body.replace('\r', "");
    let controls = |text: &str| text.chars().any(|c| c.is_control() && c != '\n');
    if body.trim().is_empty() || controls(&subject) || controls(&body) {
        return Err(malformed());
    }
    for name in names(&subject).chain(names(&body)) {
        if !known(kind).contains(&name) && name != "network" {
            return Err(TemplateError::Unknown(path.to_owned(), name.to_owned()));
        }
    }
    Ok(Template { subject, body })
}

/// What a notice of this kind can name.
const fn known(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::AddressAdded => &["address"],
        Kind::FactorAdded | Kind::RecoveryBegun | Kind::PrincipalAdded => &["factor"],
        Kind::QuorumChanging | Kind::QuorumChanged => &["quorum"],
        Kind::WithdrawalReleased | Kind::WithdrawalWaiting => &["paid", "address"],
        Kind::PlatformChanging => &["what"],
        Kind::EpochRaised => &["realm", "of"],
        Kind::ContactChanging => &["asked"],
        _ => &[],
    }
}

/// A template in pieces: plain text, and names that stand in braces.
fn pieces(text: &str) -> impl Iterator<Item = Result<&str, &str>> {
    let mut parts = text.split('{');
    let first = parts.next().map(Ok);
    first.into_iter().chain(parts.flat_map(|part| {
        match part.split_once('}') {
            Some((name, rest)) => [Some(Err(name)), Some(Ok(rest))],
            None => [Some(Ok(part)), None],
        }
        .into_iter()
        .flatten()
    }))
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).filter_map(Result::err)
}

fn fill(text: &str, values: &BTreeMap<String, String>) -> String {
    let filled = pieces(text).map(|piece| match piece {
        Ok(plain) => plain.to_owned(),
        Err(name) => one_line(values.get(name).map_or("", String::as_str)),
    });
    filled.collect()
}

/// A value on the line that it was put in.
fn one_line(value: &str) -> String {
    value.chars().filter(|c| !c.is_control()).collect()
}

fn read(path: &Path) -> Result<String, TemplateError> {
    let failed = |error| TemplateError::Read(path.to_owned(), error);
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_TEMPLATE {
        return Err(TemplateError::Form(path.to_owned()));
    }
    std::fs::read_to_string(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(parts: &[(&str, &str)]) -> BTreeMap<String, String> {
        let parts = parts.iter();
        parts
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn every_kind_has_a_text_and_every_name_in_it_a_value() {
        let templates = Templates::own().unwrap();
        for kind in Kind::ALL {
            let all = known(*kind).iter().chain(&["network"]);
            let values = all.map(|name| ((*name).to_owned(), format!("<{name}>")));
            let text = templates.text(*kind, "en", &values.collect());
            assert!(text.subject.contains("<network>"), "{kind:?}");
            for name in known(*kind) {
                let shown = format!("<{name}>");
                assert!(
                    text.body.contains(&shown) || text.subject.contains(&shown),
                    "{kind:?} {name}"
                );
            }
        }
    }

    #[test]
    fn a_value_is_neither_a_header_nor_another_value() {
        let templates = Templates::own().unwrap();
        let hostile = "x\r\nBcc: all@b.example\n\n{network}";
        let values = values(&[("address", hostile), ("network", "Bank\r\nX-Evil: 1")]);
        let text = templates.text(Kind::AddressAdded, "en", &values);
        assert!(!text.subject.contains(['\r', '\n']));
        assert!(text.body.contains("xBcc: all@b.example{network}"));
        assert!(!footer("a\nb", "n", "d", 1).contains("a\nb"));
    }

    #[test]
    fn the_nearest_language_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("pt")).unwrap();
        let path = folder.path().join("pt/account-frozen.txt");
        std::fs::write(&path, "Subject: {network}: conta congelada\nA sua conta.\n").unwrap();
        let templates = Templates::with_folder(folder.path()).unwrap();
        let subject = |language, kind| templates.text(kind, language, &BTreeMap::new()).subject;
        assert_eq!(subject("pt-BR", Kind::AccountFrozen), ": conta congelada");
        assert_eq!(subject("PT", Kind::AccountFrozen), ": conta congelada");
        assert_eq!(
            subject("de", Kind::AccountFrozen),
            ": your account is frozen"
        );
        assert_eq!(
            subject("pt", Kind::AccountUnfrozen),
            ": your account is no longer frozen"
        );
        for wrong in [
            "no subject\nx\n",
            "Subject: x\n",
            "Subject: x\n{nobody}\n",
            "Subject: {address}\nx\n",
        ] {
            std::fs::write(&path, wrong).unwrap();
            assert!(Templates::with_folder(folder.path()).is_err(), "{wrong:?}");
        }
    }
}
