//! Files that mean harm, or are merely wrong: each is refused with its reason and its line, the draft
//! stays as it was, and none takes long.

use std::time::{Duration, Instant};

use portcullis_labels::{
    AddressError, Draft, ImportError, MAX_FILE, MAX_YAML, Reject, Report, Rules,
};

type Import = fn(&mut Draft, &[u8]) -> Result<Report, ImportError>;

const TAGPACK: Import = |draft, bytes| draft.tagpack(bytes, Rules::default());
const CSV: Import = |draft, bytes| draft.csv(bytes, Rules::default());
const JSON: Import = |draft, bytes| draft.json_lines(bytes, Rules::default());
const TEXT: Import = |draft, bytes| draft.ofac_text("XBT", bytes, Rules::default());
const ARRAY: Import = |draft, bytes| draft.ofac_json("XBT", bytes, Rules::default());

const ADDRESS: &str = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";

fn refused(import: Import, file: &str) -> ImportError {
    let mut draft = Draft::new();
    TEXT(&mut draft, ADDRESS.as_bytes()).unwrap();
    let refused = import(&mut draft, file.as_bytes());
    assert_eq!(draft.len(), 1, "nothing of a refused file stays");
    refused.expect_err(file.get(..200).unwrap_or(file))
}

fn twice(name: &str, line: u64) -> ImportError {
    ImportError::Duplicate {
        line,
        name: name.into(),
    }
}

fn unknown(name: &str, line: u64) -> ImportError {
    ImportError::Unknown {
        line,
        name: name.into(),
    }
}

const PACK: &str =
    "title: t\nlabel: l\ncurrency: BTC\ntags:\n- address: 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa\n";

#[test]
#[rustfmt::skip] // a table
fn tagpacks() {
    let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\ntags: *c\n";
    for (file, why) in [
        (bomb.to_owned(), ImportError::Anchor { line: 1 }),
        ("tags: [*a]".to_owned(), ImportError::Alias { line: 1 }),
        (format!("{PACK}- &x {{}}\n"), ImportError::Anchor { line: 6 }),
        (format!("{PACK}- <<: *x\n"), ImportError::Alias { line: 6 }),
        (format!("{PACK}- !!python/object:os.system x\n"), ImportError::YamlTag { line: 6 }),
        (format!("{PACK}- address: !!str x\n"), ImportError::YamlTag { line: 6 }),
        (format!("tags: {}", "[".repeat(9)), ImportError::Depth { line: 1 }),
        (format!("x: {}{}\ntags: []", "{a: ".repeat(9), "}".repeat(9)), ImportError::Depth { line: 1 }),
        (format!("{}x", "- ".repeat(20_000)), ImportError::WrongType { line: 1 }),
        (format!("tags:\n{}x", "- ".repeat(20_000)), ImportError::Depth { line: 2 }),
        (format!("{PACK}---\n{PACK}"), ImportError::SecondDocument { line: 6 }),
        (format!("{PACK}label: again\n"), twice("label", 6)),
        (format!("{PACK}  label: a\n  label: b\n"), twice("label", 7)),
        (format!("{PACK}  x: a\n  x: b\n"), twice("x", 7)),
        (format!("{PACK}tags: []\n"), twice("tags", 6)),
        (format!("{PACK}- [a]\n"), ImportError::WrongType { line: 6 }),
        (format!("{PACK}- text\n"), ImportError::WrongType { line: 6 }),
        (format!("{PACK}- address: [a]\n"), ImportError::WrongType { line: 6 }),
        (format!("{PACK}- label: {{a: b}}\n"), ImportError::WrongType { line: 6 }),
        (format!("{PACK}- concepts: scam\n"), ImportError::WrongType { line: 6 }),
        (format!("{PACK}- concepts: [[scam]]\n"), ImportError::WrongType { line: 6 }),
        (format!("{PACK}- [a]: b\n"), ImportError::WrongType { line: 6 }),
        (format!("{PACK}- ? {{a: b}}\n  : c\n"), ImportError::WrongType { line: 6 }),
        ("label: [a]\ntags: []".to_owned(), ImportError::WrongType { line: 1 }),
        ("tags: {a: b}".to_owned(), ImportError::WrongType { line: 1 }),
        ("tags: text".to_owned(), ImportError::WrongType { line: 1 }),
        ("[a, b]".to_owned(), ImportError::WrongType { line: 1 }),
        ("text".to_owned(), ImportError::WrongType { line: 1 }),
        ("title: t".to_owned(), ImportError::NoTags),
        (String::new(), ImportError::NoTags),
        ("# nothing\n".to_owned(), ImportError::NoTags),
        (format!("{PACK}  label: a\u{1b}[2J\n"), ImportError::Control { line: 6 }),
        (format!("{PACK}  label: a\0\n"), ImportError::Control { line: 6 }),
        (format!("{PACK}  label: {}\n", "x".repeat(70_000)), ImportError::LongLine { line: 6 }),
        (format!("{PACK}  label: {}\n", "x".repeat(20_000)), ImportError::LongValue { line: 6 }),
        // A value over many short lines.
        (format!("{PACK}  label: |\n{}", "    x\n".repeat(20_000)), ImportError::LongValue { line: 7 }),
        (format!("{PACK}- {{{}}}\n", numbered(65)), ImportError::ManyMembers { line: 6 }),
    ] {
        assert_eq!(refused(TAGPACK, &file), why, "{}", file.get(..200).unwrap_or(&file));
    }
    for file in ["tags: [", "tags: {", "a: b: c", "\"", "tags:\n\t- a", "'x"] {
        assert!(matches!(refused(TAGPACK, file), ImportError::Yaml { .. }), "{file}");
    }
}

fn numbered(count: u32) -> String {
    let members: Vec<String> = (0..count).map(|n| format!("m{n}: x")).collect();
    members.join(", ")
}

#[test]
#[rustfmt::skip] // a table
fn lists_of_ones_own() {
    let head = "address,label\n";
    let row = format!("bitcoin:{ADDRESS},x\n");
    for (file, why) in [
        (String::new(), ImportError::NoColumn { name: "address" }),
        ("address\n".to_owned(), ImportError::NoColumn { name: "label" }),
        ("label\n".to_owned(), ImportError::NoColumn { name: "address" }),
        ("address,label,label\n".to_owned(), twice("label", 1)),
        ("address,label,adress\n".to_owned(), unknown("adress", 1)),
        ("address,label,a\u{202e}b\n".to_owned(), unknown("a\\u{202e}b", 1)),
        ("a,b,c,d,e,f,g,h,i\n".to_owned(), ImportError::ManyMembers { line: 1 }),
        (format!("{head}{row}a\n"), ImportError::Columns { line: 3 }),
        (format!("{head}{row}a,b,c\n"), ImportError::Columns { line: 3 }),
        (format!("{head}{row}\"a,b\n{row}{}", row.repeat(500)), ImportError::LongValue { line: 3 }),
        (format!("{head}{},x\n", "x".repeat(17_000)), ImportError::LongValue { line: 2 }),
        (format!("{head}{}", "x".repeat(70_000)), ImportError::LongLine { line: 2 }),
        (format!("{head}a\u{7},b\n"), ImportError::Control { line: 2 }),
    ] {
        assert_eq!(refused(CSV, &file), why, "{}", file.get(..200).unwrap_or(&file));
    }
    let deep = format!("{{\"label\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    for (file, why) in [
        ("{\"address\":\"a\",\"address\":\"b\"}".to_owned(), twice("address", 1)),
        ("\n{\"address\":null,\"address\":null}".to_owned(), twice("address", 2)),
        ("{\"adress\":\"a\"}".to_owned(), unknown("adress", 1)),
        ("{\"address\":[]}".to_owned(), ImportError::WrongType { line: 1 }),
        ("{\"risk\":1.5}".to_owned(), ImportError::WrongType { line: 1 }),
        ("{\"risk\":-1}".to_owned(), ImportError::WrongType { line: 1 }),
        ("{\"risk\":true}".to_owned(), ImportError::WrongType { line: 1 }),
        (deep, ImportError::WrongType { line: 1 }),
        ("[]".to_owned(), ImportError::WrongType { line: 1 }),
        ("1".to_owned(), ImportError::WrongType { line: 1 }),
        ("{".to_owned(), ImportError::Json { line: 1 }),
        ("{}\n{} {}".to_owned(), ImportError::Json { line: 2 }),
        ("{\"label\":\"\\ud800\"}".to_owned(), ImportError::Json { line: 1 }),
        ("{\"label\":\"a\u{1}\"}".to_owned(), ImportError::Control { line: 1 }),
    ] {
        assert_eq!(refused(JSON, &file), why, "{file}");
    }
}

#[test]
fn lists_of_ofac() {
    let over = format!("[\"{ADDRESS}\"]]");
    for (file, why) in [
        ("{}", ImportError::WrongType { line: 1 }),
        ("[\n1]", ImportError::WrongType { line: 2 }),
        ("[[]]", ImportError::WrongType { line: 1 }),
        ("[\"a\"", ImportError::Json { line: 1 }),
        (&over, ImportError::Json { line: 1 }),
        ("", ImportError::Json { line: 1 }),
    ] {
        let found = refused(ARRAY, file);
        // JSON's own reader counts from 0 where there is no line at all.
        assert!(
            found == why || (file.is_empty() && found == ImportError::Json { line: 1 }),
            "{file} {found}"
        );
    }
    let long = "x".repeat(70_000);
    assert_eq!(refused(TEXT, &long), ImportError::LongLine { line: 1 });
    let unknown = Draft::new().ofac_text("DOT", b"", Rules::default());
    assert_eq!(unknown, Err(ImportError::Asset));
}

#[test]
fn sizes_are_capped_before_anything_is_read() {
    let mut draft = Draft::new();
    let yaml = vec![b'\xff'; MAX_YAML + 1];
    let too_large = Err(ImportError::TooLarge { max: MAX_YAML });
    assert_eq!(TAGPACK(&mut draft, &yaml), too_large);
    let rows = vec![b'\xff'; MAX_FILE + 1];
    for import in [CSV, JSON, TEXT, ARRAY] {
        let too_large = Err(ImportError::TooLarge { max: MAX_FILE });
        assert_eq!(import(&mut draft, &rows), too_large);
    }
    for import in [TAGPACK, CSV, JSON, TEXT, ARRAY] {
        let not_text = Err(ImportError::Utf8 { line: 2 });
        assert_eq!(import(&mut draft, b"a\n\xff"), not_text);
    }
}

#[test]
fn ten_million_rows_are_refused() {
    let rows = "x\n".repeat(10_000_000);
    let many = ImportError::ManyRows { line: 2_000_001 };
    assert_eq!(refused(TEXT, &rows), many);
    let rows = "{}\n".repeat(10_000_000);
    assert_eq!(refused(JSON, &rows), many);
}

/// What the parser meets last is the cap, not the machine's memory or patience.
#[test]
fn hostile_megabytes_are_refused_in_little_time() {
    const SIZE: usize = 1 << 20;
    let fill = |unit: &str| unit.repeat(SIZE / unit.len());
    let begun = Instant::now();
    for unit in [
        "[\n", "- \n", "? \n", "{\n", "a\n", "#\n", "\n", "---\n", "&a \n", "? - ", ": \n", "\"\n",
        "|\n", "'\n",
    ] {
        let _ = TAGPACK(&mut Draft::new(), fill(unit).as_bytes());
        let _ = TAGPACK(
            &mut Draft::new(),
            format!("tags:\n{}", fill(unit)).as_bytes(),
        );
    }
    for unit in ["\"\n", ",\n", "\"\",", "a\n", "{\n", "[\n", "{}\n"] {
        for import in [CSV, JSON, TEXT, ARRAY] {
            let _ = import(&mut Draft::new(), fill(unit).as_bytes());
        }
    }
    // Some 60 MB; a square of any of them would take hours.
    assert!(
        begun.elapsed() < Duration::from_secs(40),
        "{:?}",
        begun.elapsed()
    );
}

/// Rows that are in order but not of use are counted, and those around them stay.
#[test]
fn rows_that_give_no_label() {
    let file = format!(
        "address,chain,tag,label,category,risk\n\
         {ADDRESS},bitcoin,,good,theft,9\n\
         {ADDRESS},bitcoin,,,theft,9\n\
         ,bitcoin,,x,theft,9\n\
         {ADDRESS},solana,,x,theft,9\n\
         {ADDRESS},bitcoin,7,x,theft,9\n\
         {ADDRESS},bitcoin,,x,murder,9\n\
         {ADDRESS},bitcoin,,x,theft,11\n\
         {ADDRESS},bitcoin,,x,theft,09\n\
         {ADDRESS},bitcoin,,a\u{202e}b,theft,9\n\
         {ADDRESS},bitcoin,,{},theft,9\n",
        "x".repeat(129)
    );
    let report = CSV(&mut Draft::new(), file.as_bytes()).unwrap();
    assert_eq!(report.labels, 1);
    let lines: Vec<(u64, String)> = report
        .first
        .iter()
        .map(|(line, why)| (*line, why.to_string()))
        .collect();
    let unknown_chain = AddressError::Chain.to_string();
    let expected = [
        (3, "no label"),
        (4, "no address"),
        (5, unknown_chain.as_str()),
        (
            6,
            "a destination tag is one number below 2^32, on the XRP Ledger only",
        ),
        (7, "unknown category"),
        (8, "a risk is a number from 0 to 10"),
        (9, "a risk is a number from 0 to 10"),
        (
            10,
            "the text has a character that is not seen, or changes how others are seen",
        ),
        (11, "the text is too long: at most 128 bytes"),
    ];
    assert_eq!(lines, expected.map(|(line, why)| (line, why.to_owned())));
    assert_eq!(report.rejects[&Reject::Risk], 2);
    assert_eq!(report.rejected(), 9);
}

/// A report does not grow with what is wrong.
#[test]
fn a_report_shows_the_first_hundred() {
    let report = TEXT(&mut Draft::new(), "x\n".repeat(5_000).as_bytes()).unwrap();
    assert_eq!((report.first.len(), report.rejected()), (100, 5_000));
}
