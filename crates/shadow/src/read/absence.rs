//! Columns that a file should have: what is said of them.

use crate::mapping::Absent;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Most names that are shown.
const SHOWN: usize = 40;
/// What else stands between columns.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// Of a CSV file, whose first line has these names between these delimiters.
pub(super) fn of_a_head(absent: &[Absent], head: &[Cow<'_, str>], delimiter: char) -> String {
    let text = head.join(&delimiter.to_string());
    let other = DELIMITERS
        .into_iter()
        .filter(|other| *other != delimiter && text.contains(*other))
        .max_by_key(|other| text.matches(*other).count());
    let hint = match other {
        Some(other) if head.len() <= 1 + text.matches(other).count() => {
            format!(
                "It is cut at {delimiter:?}: say delimiter = {:?} in the mapping",
                other.to_string()
            )
        }
        _ => hint(absent),
    };
    let names = head.iter().map(|name| name.trim());
    format!(
        "has no column {}. Its first line is read as {}. {hint}",
        columns(absent),
        quoted(names)
    )
}

/// Of objects, so many of which have these members and no others.
pub(super) fn of_objects(absent: &[Absent], names: &BTreeSet<String>, objects: u64) -> String {
    let names = names.iter().map(String::as_str);
    format!(
        "has no member {} in its first {objects} objects. They have {}. {}",
        columns(absent),
        quoted(names),
        hint(absent)
    )
}

/// All at once: `when` (time), `user` (account).
fn columns(absent: &[Absent]) -> String {
    let absent = absent.iter().map(|Absent { field, column }| {
        if column == field.name() {
            format!("{column:?}")
        } else {
            format!("{column:?} ({})", field.name())
        }
    });
    absent.collect::<Vec<_>>().join(", ")
}

fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names = names.map(|name| {
        let short: String = name.chars().take(SHOWN).collect();
        format!("{short:?}")
    });
    let shown: Vec<String> = names.by_ref().take(SHOWN).collect();
    let more = names.count();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", shown.join(", "))
}

fn hint(absent: &[Absent]) -> String {
    let name = absent.first().map_or("time", |absent| absent.field.name());
    format!(
        "Say under [columns] in the mapping which one it is: {name} = \"…\"; leave out of it what is not there"
    )
}
