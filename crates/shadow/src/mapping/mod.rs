//! Which column, or member, says what.

use crate::number::{self, NumberError};
use crate::row::{Factor, Row};
use crate::when::Times;
use jiff::tz::TimeZone;
use portcullis_chains::Amount;
use portcullis_core::Time;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Most bytes of a text that a row keeps.
const MAX_TEXT: usize = 256;

/// The file as it stands; `docs/guide/shadow.md` explains every line. Left out, columns have the names of
/// [`Row`]'s own fields.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct MappingFile {
    columns: BTreeMap<Field, String>,
    time_zone: Option<String>,
    time_form: Option<String>,
    delimiter: Option<char>,
    encoding: Option<String>,
    /// By asset: its decimals. Amounts of what stands here are base units.
    base_units: BTreeMap<String, u8>,
    factors: BTreeMap<Factor, Vec<String>>,
    went_out: Vec<String>,
}

/// What a column can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Field {
    Id,
    Time,
    Account,
    Asset,
    Amount,
    To,
    Tag,
    Factor,
    FactorSince,
    ContactSince,
    AddressSince,
    Status,
}

impl Field {
    const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Time => "time",
            Self::Account => "account",
            Self::Asset => "asset",
            Self::Amount => "amount",
            Self::To => "to",
            Self::Tag => "tag",
            Self::Factor => "factor",
            Self::FactorSince => "factor_since",
            Self::ContactSince => "contact_since",
            Self::AddressSince => "address_since",
            Self::Status => "status",
        }
    }
}

/// Why a file is no mapping.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// Its text.
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
    /// A zone that nobody has heard of.
    #[error("there is no time zone {0}: names are those of the IANA database, such as Asia/Tokyo")]
    Zone(String),
    /// An encoding likewise.
    #[error(
        "there is no encoding {0}: names are those of the web, such as shift_jis or windows-1252"
    )]
    Encoding(String),
    /// A delimiter of more than a byte.
    #[error("a delimiter is one ASCII character")]
    Delimiter,
}

/// Why a row is left out. Each is counted, and the first of each are shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// Something that every row needs is missing or empty.
    #[error("says no {0}")]
    Missing(&'static str),
    /// A time that cannot be read.
    #[error("its {0} is no time that is understood")]
    Time(&'static str),
    /// An amount that cannot be read.
    #[error("its amount {0}")]
    Amount(#[from] NumberError),
    /// A text that is too long, or has bytes that are none in the encoding.
    #[error("its {0} is over 256 bytes, or not in the file's encoding")]
    Text(&'static str),
    /// A factor that the mapping does not know.
    #[error("its factor stands nowhere in the mapping's [factors]")]
    Factor,
}

/// The members of one row, by name.
pub trait Members {
    /// What stands under a name; `None` where nothing does.
    fn get(&self, name: &str) -> Option<Cow<'_, str>>;
}

/// How rows are read.
#[derive(Clone, Debug)]
pub struct Mapping {
    file: MappingFile,
    times: Times,
    factors: BTreeMap<String, Factor>,
    delimiter: u8,
    encoding: Option<&'static encoding_rs::Encoding>,
}

impl Mapping {
    /// Of a TOML text; an empty one is all defaults.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        Self::new(toml::from_str(text)?)
    }

    fn new(file: MappingFile) -> Result<Self, MappingError> {
        let zone = match &file.time_zone {
            Some(name) => TimeZone::get(name).map_err(|_| MappingError::Zone(name.clone()))?,
            None => TimeZone::UTC,
        };
        let encoding = file.encoding.as_ref().map(|name| {
            let found = encoding_rs::Encoding::for_label(name.as_bytes());
            found.ok_or_else(|| MappingError::Encoding(name.clone()))
        });
        let delimiter = u8::try_from(file.delimiter.unwrap_or(','));
        Ok(Self {
            times: Times {
                zone,
                form: file.time_form.clone(),
            },
            factors: words(&file.factors),
            delimiter: delimiter
                .ok()
                .filter(u8::is_ascii)
                .ok_or(MappingError::Delimiter)?,
            encoding: encoding.transpose()?,
            file,
        })
    }

    /// What stands between two columns.
    #[must_use]
    pub fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// How the text is encoded, where the file does not say so itself.
    #[must_use]
    pub fn encoding(&self) -> Option<&'static encoding_rs::Encoding> {
        self.encoding
    }

    /// Read one row.
    pub fn row(&self, number: u64, members: &dyn Members) -> Result<Row, RowFault> {
        let asset = self.need(members, Field::Asset)?;
        let amount = self.amount(members, &asset)?;
        let to = self.need(members, Field::To)?;
        let tag = self.text(members, Field::Tag)?;
        let time = self.time(members, Field::Time)?;
        Ok(Row {
            time: time.ok_or(RowFault::Missing(Field::Time.name()))?,
            number,
            id: self.text(members, Field::Id)?.unwrap_or_default(),
            account: self.need(members, Field::Account)?,
            asset,
            amount,
            to: match tag {
                Some(tag) => format!("{to}?tag={tag}"),
                None => to,
            },
            factor: self.factor(members)?,
            factor_since: self.time(members, Field::FactorSince)?,
            contact_since: self.time(members, Field::ContactSince)?,
            address_since: self.time(members, Field::AddressSince)?,
            went_out: self.went_out(members)?,
        })
    }

    /// Where it stands.
    fn column(&self, field: Field) -> &str {
        let own = self.file.columns.get(&field);
        own.map_or(field.name(), String::as_str)
    }

    /// What a member says, spaces around it left out; `None` where it is empty or says that there is nothing.
    fn text(&self, members: &dyn Members, field: Field) -> Result<Option<String>, RowFault> {
        let Some(text) = members.get(self.column(field)) else {
            return Ok(None);
        };
        let text = text.trim();
        if text.len() > MAX_TEXT || text.contains(['\u{fffd}', '\0']) {
            return Err(RowFault::Text(field.name()));
        }
        let is_nothing = ["", "null", "NULL", "None", "\\N"].contains(&text);
        Ok((!is_nothing).then(|| text.to_owned()))
    }

    fn need(&self, members: &dyn Members, field: Field) -> Result<String, RowFault> {
        let text = self.text(members, field)?;
        text.ok_or(RowFault::Missing(field.name()))
    }

    fn time(&self, members: &dyn Members, field: Field) -> Result<Option<Time>, RowFault> {
        let text = self.text(members, field)?;
        let read = |text: String| {
            let time = self.times.read(&text);
            time.ok_or(RowFault::Time(field.name()))
        };
        text.map(read).transpose()
    }

    fn amount(&self, members: &dyn Members, asset: &str) -> Result<Amount, RowFault> {
        let text = self.need(members, Field::Amount)?;
        Ok(match self.file.base_units.get(asset) {
            Some(decimals) => number::of_base(&text, *decimals)?,
            None => number::of_units(&text)?,
        })
    }

    /// Where the file has a column for it, an empty one says that there was none.
    fn factor(&self, members: &dyn Members) -> Result<Factor, RowFault> {
        if members.get(self.column(Field::Factor)).is_none() {
            return Ok(Factor::Unsaid);
        }
        let Some(text) = self.text(members, Field::Factor)? else {
            return Ok(Factor::None);
        };
        let word = text.to_ascii_lowercase();
        self.factors.get(&word).copied().ok_or(RowFault::Factor)
    }

    fn went_out(&self, members: &dyn Members) -> Result<bool, RowFault> {
        let Some(status) = self.text(members, Field::Status)? else {
            return Ok(true);
        };
        let out = &self.file.went_out;
        Ok(out.is_empty() || out.contains(&status))
    }
}

/// The words for each kind of factor: what the mapping has, and those that everybody uses.
fn words(own: &BTreeMap<Factor, Vec<String>>) -> BTreeMap<String, Factor> {
    let common: [(&[&str], Factor); 4] = [
        (
            &["none", "no", "false", "0", "off", "password"],
            Factor::None,
        ),
        (&["sms", "email", "mail", "phone"], Factor::Weak),
        (
            &["totp", "otp", "app", "authenticator", "2fa"],
            Factor::Totp,
        ),
        (
            &["passkey", "webauthn", "fido", "fido2", "u2f"],
            Factor::Passkey,
        ),
    ];
    let common = common
        .iter()
        .flat_map(|(words, factor)| words.iter().map(|word| ((*word).to_owned(), *factor)));
    let own = own.iter().flat_map(|(factor, words)| {
        let words = words.iter();
        words.map(|word| (word.to_ascii_lowercase(), *factor))
    });
    common.chain(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Table(Vec<(&'static str, &'static str)>);

    impl Members for Table {
        fn get(&self, name: &str) -> Option<Cow<'_, str>> {
            let found = self.0.iter().find(|(of, _)| *of == name);
            found.map(|(_, text)| Cow::Borrowed(*text))
        }
    }

    fn table(changes: &[(&'static str, &'static str)]) -> Table {
        let mut all = vec![
            ("id", "w-1"),
            ("time", "2022-01-17T09:02:03Z"),
            ("account", "a"),
            ("asset", "ETH"),
            ("amount", "1.5"),
            ("to", "0xAB"),
        ];
        for (name, text) in changes {
            all.retain(|(of, _)| of != name);
            all.push((name, text));
        }
        Table(all)
    }

    #[test]
    fn a_file_with_the_own_names_needs_no_mapping() {
        let mapping = Mapping::parse("").unwrap();
        let row = mapping.row(7, &table(&[])).unwrap();
        assert_eq!(
            (row.number, &*row.id, row.factor),
            (7, "w-1", Factor::Unsaid)
        );
        assert_eq!(row.amount, number::of_units("1.5").unwrap());
        assert!(row.went_out && row.factor_since.is_none());
        let tagged = mapping.row(7, &table(&[("tag", " 12 ")])).unwrap();
        assert_eq!(tagged.to, "0xAB?tag=12");
    }

    #[test]
    fn columns_units_factors_and_states_are_mapped() {
        let text = r#"
            time_zone = "Asia/Tokyo"
            went_out = ["done"]
            [columns]
            time = "created"
            factor = "mfa"
            status = "state"
            [base_units]
            ETH = 18
            [factors]
            totp = ["Google"]
        "#;
        let mapping = Mapping::parse(text).unwrap();
        let own = [
            ("created", "2022-01-17 18:02:03"),
            ("amount", "25"),
            ("mfa", "GOOGLE"),
            ("state", "failed"),
        ];
        let row = mapping.row(1, &table(&own)).unwrap();
        assert_eq!(
            (row.time, row.amount),
            (Time(1_642_410_123_000), Amount(25))
        );
        assert_eq!((row.factor, row.went_out), (Factor::Totp, false));
        let none = [own[0], own[1], ("mfa", ""), ("state", "done")];
        let row = mapping.row(1, &table(&none)).unwrap();
        assert_eq!((row.factor, row.went_out), (Factor::None, true));
    }

    #[test]
    fn rows_that_cannot_be_read_say_why() {
        let mapping = Mapping::parse("").unwrap();
        let cases: [(&[(&'static str, &'static str)], RowFault); 7] = [
            (&[("account", " ")], RowFault::Missing("account")),
            (&[("to", "null")], RowFault::Missing("to")),
            (&[("time", "soon")], RowFault::Time("time")),
            (&[("amount", "-1")], RowFault::Amount(NumberError::Form)),
            (&[("account", "a\u{fffd}")], RowFault::Text("account")),
            (&[("factor", "telepathy")], RowFault::Factor),
            (
                &[("contact_since", "then")],
                RowFault::Time("contact_since"),
            ),
        ];
        for (changes, want) in cases {
            assert_eq!(mapping.row(1, &table(changes)), Err(want));
        }
    }

    #[test]
    fn mappings_that_are_none() {
        for text in [
            "time_zone = \"Mars/Olympus\"",
            "encoding = \"rot13\"",
            "delimiter = \"→\"",
            "[columns]\nweather = \"w\"",
            "colums = {}",
        ] {
            assert!(Mapping::parse(text).is_err(), "{text}");
        }
    }
}
