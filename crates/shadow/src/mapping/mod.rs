//! Which column, or member, says what.

mod fault;
mod field;
mod noted;

pub use fault::{RowFault, Shown};
pub use field::Field;
pub use noted::{Absent, Columns, Noted};

use crate::number::{self, Writing};
use crate::row::{Factor, Row};
use crate::when::Times;
use jiff::tz::TimeZone;
use portcullis_chains::Amount;
use portcullis_core::Time;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

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
    decimal: Option<char>,
    thousands: Option<char>,
    encoding: Option<String>,
    /// By asset: its decimals. Amounts of what stands here are base units.
    base_units: BTreeMap<String, u8>,
    factors: BTreeMap<Factor, Vec<String>>,
    went_out: Vec<String>,
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
    /// Marks in amounts that would be taken for something else.
    #[error(
        "decimal and thousands are two different characters, and neither a digit, a sign nor a letter"
    )]
    Marks,
}

/// The members of one row, by name.
pub trait Members {
    /// What stands under a name; `None` where nothing does.
    fn get(&self, name: &str) -> Option<Cow<'_, str>>;

    /// Whether that is a number of JSON, which has its own point and is rounded after 15 digits where it has one.
    fn is_number(&self, _name: &str) -> bool {
        false
    }
}

/// How rows are read.
#[derive(Clone, Debug)]
pub struct Mapping {
    file: MappingFile,
    times: Times,
    writing: Writing,
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
            writing: Writing::new(file.decimal, file.thousands).ok_or(MappingError::Marks)?,
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

    /// What these columns say, and what they leave out that every row needs or the mapping names.
    #[must_use]
    pub fn columns(&self, names: &BTreeSet<String>) -> (Columns, Vec<Absent>) {
        let (mut columns, mut absent) = (Columns::default(), Vec::new());
        for field in Field::ALL {
            let column = self.column(field).to_owned();
            if names.contains(&column) {
                columns.used.insert(field, column);
            } else if field.is_needed() || self.file.columns.contains_key(&field) {
                absent.push(Absent { field, column });
            }
        }
        let used: BTreeSet<&String> = columns.used.values().collect();
        let ignored = names.iter().filter(|name| !used.contains(name));
        let ignored: Vec<String> = ignored.cloned().collect();
        columns.ignore(ignored);
        (columns, absent)
    }

    /// Words of `went_out` that stand in no row.
    pub fn unmet_words<'a>(&'a self, noted: &'a Noted) -> impl Iterator<Item = &'a str> {
        let words = self.file.went_out.iter();
        let unmet = words.filter(|word| !noted.words.contains(*word));
        unmet.map(String::as_str)
    }

    /// Assets whose amounts would be base units.
    pub fn base_assets(&self) -> impl Iterator<Item = &str> {
        self.file.base_units.keys().map(String::as_str)
    }

    /// The platform's name for a row that may be none; empty where it has none.
    #[must_use]
    pub fn id(&self, members: &dyn Members) -> String {
        let id = self.text(members, Field::Id).ok().flatten();
        id.unwrap_or_default()
    }

    /// Read one row.
    pub fn row(
        &self,
        number: u64,
        members: &dyn Members,
        noted: &mut Noted,
    ) -> Result<Row, RowFault> {
        let asset = self.need(members, Field::Asset)?;
        let amount = self.amount(members, &asset)?;
        let to = self.need(members, Field::To)?;
        let tag = self.text(members, Field::Tag)?;
        let time = self.time(members, Field::Time, noted)?;
        Ok(Row {
            time: time.ok_or(RowFault::Missing(Field::Time.name()))?,
            number,
            file: 0,
            line: 0,
            id: self.text(members, Field::Id)?.unwrap_or_default(),
            account: self.need(members, Field::Account)?,
            asset,
            amount,
            to: match tag {
                Some(tag) => format!("{to}?tag={tag}"),
                None => to,
            },
            factor: self.factor(members)?,
            factor_since: self.time(members, Field::FactorSince, noted)?,
            contact_since: self.time(members, Field::ContactSince, noted)?,
            address_since: self.time(members, Field::AddressSince, noted)?,
            went_out: self.went_out(members, noted)?,
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

    fn time(
        &self,
        members: &dyn Members,
        field: Field,
        noted: &mut Noted,
    ) -> Result<Option<Time>, RowFault> {
        let Some(text) = self.text(members, field)? else {
            return Ok(None);
        };
        let read = self.times.read(&text);
        let read = read.ok_or_else(|| RowFault::Time(field.name(), Shown::new(&text)))?;
        noted.ambiguous += u64::from(read.is_ambiguous);
        Ok(Some(read.time))
    }

    fn amount(&self, members: &dyn Members, asset: &str) -> Result<Amount, RowFault> {
        let text = self.need(members, Field::Amount)?;
        let plain = if members.is_number(self.column(Field::Amount)) {
            number::of_json(&text)
        } else {
            self.writing.plain(&text)
        };
        let amount = plain.and_then(|plain| match self.file.base_units.get(asset) {
            Some(decimals) => number::of_base(&plain, *decimals),
            None => number::of_units(&plain),
        });
        amount.map_err(|fault| RowFault::Amount(Shown::new(&text), fault))
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
        let factor = self.factors.get(&word).copied();
        factor.ok_or_else(|| RowFault::Factor(Shown::new(&text)))
    }

    fn went_out(&self, members: &dyn Members, noted: &mut Noted) -> Result<bool, RowFault> {
        let Some(status) = self.text(members, Field::Status)? else {
            return Ok(true);
        };
        let out = &self.file.went_out;
        let is_out = out.is_empty() || out.contains(&status);
        if is_out && !out.is_empty() && !noted.words.contains(&status) {
            noted.words.insert(status);
        }
        Ok(is_out)
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
    use crate::number::NumberError;

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

    fn read(mapping: &Mapping, members: &Table) -> Result<Row, RowFault> {
        mapping.row(7, members, &mut Noted::default())
    }

    #[test]
    fn a_file_with_the_own_names_needs_no_mapping() {
        let mapping = Mapping::parse("").unwrap();
        let row = read(&mapping, &table(&[])).unwrap();
        assert_eq!(
            (row.number, &*row.id, row.factor),
            (7, "w-1", Factor::Unsaid)
        );
        assert_eq!(row.amount, number::of_units("1.5").unwrap());
        assert!(row.went_out && row.factor_since.is_none());
        let tagged = read(&mapping, &table(&[("tag", " 12 ")])).unwrap();
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
        let row = read(&mapping, &table(&own)).unwrap();
        assert_eq!(
            (row.time, row.amount),
            (Time(1_642_410_123_000), Amount(25))
        );
        assert_eq!((row.factor, row.went_out), (Factor::Totp, false));
        let none = [own[0], own[1], ("mfa", ""), ("state", "done")];
        let row = read(&mapping, &table(&none)).unwrap();
        assert_eq!((row.factor, row.went_out), (Factor::None, true));
    }

    #[test]
    fn rows_that_cannot_be_read_say_why() {
        let mapping = Mapping::parse("").unwrap();
        let cases: [(&[(&'static str, &'static str)], RowFault); 7] = [
            (&[("account", " ")], RowFault::Missing("account")),
            (&[("to", "null")], RowFault::Missing("to")),
            (
                &[("time", "soon")],
                RowFault::Time("time", Shown::new("soon")),
            ),
            (
                &[("amount", "-1")],
                RowFault::Amount(Shown::new("-1"), NumberError::Form),
            ),
            (&[("account", "a\u{fffd}")], RowFault::Text("account")),
            (
                &[("factor", "telepathy")],
                RowFault::Factor(Shown::new("telepathy")),
            ),
            (
                &[("contact_since", "then")],
                RowFault::Time("contact_since", Shown::new("then")),
            ),
        ];
        for (changes, want) in cases {
            assert_eq!(read(&mapping, &table(changes)), Err(want));
        }
    }

    #[test]
    fn mappings_that_are_none() {
        for text in [
            "time_zone = \"Mars/Olympus\"",
            "encoding = \"rot13\"",
            "delimiter = \"→\"",
            "decimal = \",\"\nthousands = \",\"",
            "thousands = \".\"",
            "decimal = \"0\"",
            "decimal = \"e\"",
            "[columns]\nweather = \"w\"",
            "colums = {}",
        ] {
            assert!(Mapping::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_the_mapping_names_and_the_file_has_not_is_said_and_the_rest_is_listed() {
        let text = "went_out = [\"sent\", \"done\"]\n[columns]\ntag = \"memo\"\nto = \"address\"";
        let mapping = Mapping::parse(text).unwrap();
        let names = ["id", "time", "account", "asset", "note"];
        let (columns, absent) = mapping.columns(&names.map(String::from).into());
        let absent: Vec<&str> = absent.iter().map(|absent| &*absent.column).collect();
        assert_eq!(absent, ["amount", "address", "memo"]);
        assert_eq!(columns.used.len(), 4);
        assert_eq!(columns.ignored, BTreeSet::from(["note".to_owned()]));
        let mut noted = Noted::default();
        for status in ["done", "failed"] {
            let row = table(&[("status", status), ("address", "x")]);
            mapping.row(1, &row, &mut noted).unwrap();
        }
        assert_eq!(mapping.unmet_words(&noted).collect::<Vec<_>>(), ["sent"]);
    }

    /// 02:30 came twice in Berlin on 25 October 2026, and on 29 March not at all.
    #[test]
    fn local_times_that_are_two_or_none_are_counted() {
        let mapping = Mapping::parse("time_zone = \"Europe/Berlin\"").unwrap();
        let mut noted = Noted::default();
        let times = [
            "2026-10-25 02:30:00",
            "2026-03-29 02:30:00",
            "2026-10-25 04:30:00",
            "2026-10-25T02:30:00+01:00",
        ];
        for time in times {
            mapping
                .row(1, &table(&[("time", time)]), &mut noted)
                .unwrap();
        }
        assert_eq!(noted.ambiguous, 2);
    }

    #[test]
    fn a_value_is_shown_short_and_does_nothing_to_a_terminal() {
        let long = format!("\u{1b}[2J{}", "9".repeat(100));
        let shown = Shown::new(&long).to_string();
        assert!(
            shown.starts_with("\"\\u{1b}[2J9") && shown.ends_with("9…\""),
            "{shown}"
        );
        assert!(shown.len() < 60, "{shown}");
    }
}
