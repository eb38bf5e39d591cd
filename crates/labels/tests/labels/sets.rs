//! A set against a plain map, its one form, and what it does to the set before it.

use std::collections::BTreeMap;

use portcullis_labels::{
    Category, Change, Changes, Date, Draft, Header, Key, Kind, LabelSet, Rating, Risk, Rules,
    SetDigest, SetError, TextError,
};
use proptest::prelude::*;

pub(crate) fn header() -> Header {
    let date: Date = "2024-09-27".parse().unwrap();
    Header::new(Kind::Community, date, "our own list").unwrap()
}

pub(crate) fn rating(risk: u8, category: Category) -> Rating {
    Rating {
        risk: Risk::new(risk).unwrap(),
        category,
    }
}

/// Few accounts, so that several labels meet one.
fn any_key() -> impl Strategy<Value = Key> {
    let evm = (0_u8..6, proptest::option::of(0_u64..3)).prop_map(|(byte, chain)| {
        let key: Key = format!("evm:0x{}", hex::encode([byte; 20]))
            .parse()
            .unwrap();
        chain.map_or(key, |chain| key.on_evm_chain(chain).unwrap())
    });
    let others = proptest::sample::select(vec![
        "bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "bitcoincash:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "bitcoin:bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "xrp:rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf",
        "xrp:rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf?dt=7",
        "tron:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
        "monero:49Xgwx3RfyV3ZMEVyrUNuUMzgQ1WHjkWL5T6Xk7QaTszggbtPbRPEkZQau9yACYEmUCHPNrU2MBdnJf4s4xLK5AyLDP5ucd",
        "zcash:zs1qqqqqqqqqqqqqqqqqqcguyvaw2vjk4sdyeg0lc970u659lvhqq7t0np6hlup5lusxle75c8v35z",
    ]);
    prop_oneof![evm, others.prop_map(|text| text.parse().unwrap())]
}

fn any_label() -> impl Strategy<Value = (Key, Rating, String)> {
    let parts = (0_u8..=10, 0..Category::ALL.len());
    let rating = parts.prop_map(|(risk, at)| rating(risk, Category::ALL[at]));
    (any_key(), rating, "[a-c]{1,3}")
}

fn built(labels: &[(Key, Rating, String)]) -> LabelSet {
    let mut draft = Draft::new();
    for (key, rating, text) in labels {
        draft.add(*key, *rating, text).unwrap();
    }
    draft.build(&header())
}

/// What a set should say, by the plainest means.
type Model = BTreeMap<Key, (u8, Category, String)>;

fn model(labels: &[(Key, Rating, String)]) -> Model {
    let mut model = Model::new();
    for (key, rating, text) in labels {
        let new = (rating.risk.get(), rating.category, text.clone());
        let old = model.entry(*key).or_insert_with(|| new.clone());
        let order = |label: &(u8, Category, String)| (10 - label.0, label.1, label.2.clone());
        if order(&new) < order(old) {
            *old = new;
        }
    }
    model
}

fn said(label: portcullis_labels::Label<'_>) -> (u8, Category, String) {
    (
        label.rating.risk.get(),
        label.rating.category,
        label.text.to_owned(),
    )
}

proptest! {
    #[test]
    fn a_set_says_what_the_model_says(labels in proptest::collection::vec(any_label(), 0..40), asked in proptest::collection::vec(any_key(), 20)) {
        let (set, model) = (built(&labels), model(&labels));
        let read = LabelSet::named(set.digest(), set.as_bytes().to_vec()).unwrap();
        prop_assert_eq!(&read, &set);
        prop_assert_eq!(read.len(), model.len());
        let all: Model = read.iter().map(|(key, label)| (key, said(label))).collect();
        prop_assert_eq!(&all, &model);
        for key in asked {
            prop_assert_eq!(read.exact(&key).map(said), model.get(&key).cloned());
            let wider = key.wider().and_then(|wider| model.get(&wider));
            let worst = model.get(&key).into_iter().chain(wider).map(|label| (10 - label.0, label.1)).min();
            let found = read.find(&key).map(|label| (10 - label.rating.risk.get(), label.rating.category));
            prop_assert_eq!(found, worst);
        }
    }

    #[test]
    fn the_order_of_import_does_not_matter(labels in proptest::collection::vec(any_label(), 0..40), seed in any::<u64>()) {
        let mut shuffled = labels.clone();
        shuffled.sort_by_key(|(key, rating, text)| SetDigest::of(format!("{seed}{key}{rating:?}{text}").as_bytes()));
        prop_assert_eq!(built(&shuffled).digest(), built(&labels).digest());
    }

    #[test]
    fn changes_lead_from_one_set_to_the_other(old in proptest::collection::vec(any_label(), 0..20), new in proptest::collection::vec(any_label(), 0..20)) {
        let (old_set, new_set) = (built(&old), built(&new));
        let mut walked = model(&old);
        let mut last = None;
        for change in new_set.changes_since(&old_set) {
            let key = match change {
                Change::Added(key, label) => {
                    prop_assert!(walked.insert(key, said(label)).is_none());
                    key
                }
                Change::Removed(key, label) => {
                    prop_assert_eq!(walked.remove(&key), Some(said(label)));
                    key
                }
                Change::Changed { key, from, to } => {
                    prop_assert_ne!(from, to);
                    prop_assert_eq!(walked.insert(key, said(to)), Some(said(from)));
                    key
                }
            };
            prop_assert!(last < Some(key));
            last = Some(key);
        }
        prop_assert_eq!(walked, model(&new));
    }

    /// Whatever is done to a set's bytes, it is no set any more, or another set whose bytes those are.
    #[test]
    fn a_changed_byte_is_noticed_or_means_something(labels in proptest::collection::vec(any_label(), 1..10), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let set = built(&labels);
        let mut bytes = set.as_bytes().to_vec();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        prop_assert_eq!(LabelSet::named(set.digest(), bytes.clone()).err(), Some(SetError::Digest));
        if let Ok(other) = LabelSet::from_bytes(bytes.clone()) {
            prop_assert_eq!(other.as_bytes(), &bytes[..]);
            let mut draft = Draft::new();
            for (key, label) in other.iter() {
                draft.add(key, label.rating, label.text).unwrap();
            }
            let again = draft.build(other.header());
            prop_assert_eq!(again.as_bytes(), &bytes[..]);
        }
    }

    #[test]
    fn bytes_at_random_are_no_set(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(LabelSet::from_bytes(bytes.clone()).is_err());
        bytes.splice(0..0, *b"PCLABEL\x01\x01\0\0\0\0\x01a");
        let _ = LabelSet::from_bytes(bytes);
    }

    #[test]
    fn days_are_the_calendars(days in 0_u32..2_932_897) {
        let date = Date::from_days(days).unwrap();
        let text = date.to_string();
        prop_assert_eq!(text.parse::<Date>(), Ok(date));
        let next = Date::from_days(days + 1).map(|next| next.to_string());
        prop_assert!(next.is_none_or(|next| next > text));
    }
}

/// Every key of a table is found, and none beside it, whether all begin alike or none do.
#[test]
fn large_tables_are_searched_to_their_ends() {
    for spread in [1_u64, 0x0100_0000_0000_0000] {
        for count in [1, 15, 16, 17, 31, 32, 33, 250] {
            let key = |number: u64| {
                let start = number.wrapping_mul(spread).to_be_bytes();
                let address = hex::encode([start, [7; 8]].concat());
                format!("evm:{address}{number:08x}").parse::<Key>().unwrap()
            };
            let alike = |number: u64| {
                format!("evm:{}{number:08x}", "7".repeat(32))
                    .parse()
                    .unwrap()
            };
            let keys = (1..=count).flat_map(|number| [key(2 * number), alike(2 * number)]);
            let labels = keys.map(|key| (key, rating(5, Category::Scam), "x".to_owned()));
            let labels: Vec<_> = labels.collect();
            let set = built(&labels);
            assert!(labels.iter().all(|(key, ..)| set.exact(key).is_some()));
            for number in 0..=count {
                assert_eq!(set.exact(&key(2 * number + 1)), None);
                assert_eq!(set.exact(&alike(2 * number + 1)), None);
            }
        }
    }
}

#[test]
fn days_that_everybody_knows() {
    for (text, days) in [
        ("1970-01-01", 0),
        ("2000-02-29", 11_016),
        ("2000-03-01", 11_017),
        ("2024-09-27", 19_993),
        ("9999-12-31", 2_932_896),
    ] {
        assert_eq!(text.parse::<Date>().unwrap().days(), days, "{text}");
    }
    for text in [
        "1969-12-31",
        "2023-02-29",
        "2100-02-29",
        "2024-04-31",
        "2024-13-01",
        "2024-1-01",
        "2024-00-10",
        "2024-01-00",
        "+024-01-01",
        "10000-01-01",
        "2024-09-27Z",
        "",
        "2024/09/27",
    ] {
        assert!(text.parse::<Date>().is_err(), "{text}");
    }
    assert_eq!(Date::from_days(2_932_897), None);
}

/// One set of two tables, whose bytes are then spoilt one by one.
fn small() -> Vec<u8> {
    let labels = [
        (
            "evm:0x1111111111111111111111111111111111111111",
            rating(10, Category::Sanction),
            "b",
        ),
        (
            "evm:0x2222222222222222222222222222222222222222",
            rating(0, Category::Other),
            "a",
        ),
        (
            "bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            rating(3, Category::Gambling),
            "b",
        ),
    ];
    let labels = labels.map(|(key, rating, text)| (key.parse().unwrap(), rating, text.to_owned()));
    built(&labels).as_bytes().to_vec()
}

/// Where things stand in [`small`].
const DATE: usize = 9;
const SOURCE: usize = 13;
const TABLES: usize = SOURCE + 1 + 12;
const TEXTS: usize = TABLES + 1 + 2 * 5;
const ROWS: usize = TEXTS + 8;
const ENDS: usize = ROWS + 3 * 24;

type Spoil = fn(&mut Vec<u8>);

#[test]
#[rustfmt::skip] // a table
fn spoilt_sets() {
    let bytes = small();
    assert_eq!(bytes.len(), ENDS + 2 * 4 + 2);
    let table: &[(Spoil, SetError)] = &[
        (|b| b.clear(), SetError::Magic),
        (|b| b[7] = 2, SetError::Magic),
        (|b| b[8] = 0, SetError::Kind),
        (|b| b[8] = 3, SetError::Kind),
        (|b| b[DATE] = 0xff, SetError::Date),
        (|b| b[SOURCE] = 0, SetError::Source(TextError::Empty)),
        (|b| b[SOURCE + 1] = b'\n', SetError::Source(TextError::Hidden)),
        (|b| b[SOURCE + 1] = b' ', SetError::Source(TextError::Spaces)),
        (|b| b[SOURCE + 1] = 0xff, SetError::Utf8),
        (|b| b[TABLES] = 0, SetError::Cut),
        (|b| b[TABLES + 1] = 0xff, SetError::Shape),
        (|b| b[TABLES + 1] = 0x20, SetError::Shape),
        (|b| b[TABLES + 1] = 0, SetError::Shape),
        (|b| b.swap(TABLES + 1, TABLES + 6), SetError::Tables),
        (|b| b[TABLES + 6] = b[TABLES + 1], SetError::Tables),
        (|b| b[TABLES + 5] = 0, SetError::Tables),
        (|b| b[TABLES + 2] = 0xff, SetError::TooMany),
        (|b| b[TABLES + 2..TABLES + 6].copy_from_slice(&2_000_000_u32.to_be_bytes()), SetError::TooMany),
        (|b| b[TABLES + 4] = 1, SetError::Cut),
        (|b| b[TEXTS] = 0xff, SetError::Cut),
        (|b| b[TEXTS + 4] = 0xff, SetError::TooMuchText),
        (|b| b[TEXTS + 7] += 1, SetError::Cut),
        (|b| b[TEXTS + 7] -= 1, SetError::Trailing),
        (|b| b[ROWS] = 0x33, SetError::Rows),
        (|b| b.copy_within(ROWS..ROWS + 20, ROWS + 24), SetError::Rows),
        (|b| b[ROWS + 20] = 0xb0, SetError::Rating),
        (|b| b[ROWS + 20] = 0x0e, SetError::Rating),
        (|b| b[ROWS + 21] = 1, SetError::TextNumber),
        (|b| b[ROWS + 23] = 2, SetError::TextNumber),
        (|b| b[ROWS + 24 + 23] = 1, SetError::Unused),
        (|b| b[ENDS + 3] = 2, SetError::Text(TextError::Empty)),
        (|b| b[ENDS + 3] = 9, SetError::Texts),
        (|b| b[ENDS + 7] = 1, SetError::Texts),
        (|b| b[ENDS + 8] = b'b', SetError::Texts),
        (|b| b[ENDS + 8] = b'c', SetError::Texts),
        (|b| b[ENDS + 8] = 0xff, SetError::Utf8),
        (|b| b[ENDS + 8] = 0x7f, SetError::Text(TextError::Hidden)),
        (|b| b.push(0), SetError::Trailing),
        (|b| b.truncate(b.len() - 1), SetError::Cut),
    ];
    for (number, (spoil, why)) in table.iter().enumerate() {
        let mut spoilt = bytes.clone();
        spoil(&mut spoilt);
        assert_eq!(LabelSet::from_bytes(spoilt).err(), Some(*why), "row {number}");
    }
    for end in 0..bytes.len() {
        assert!(LabelSet::from_bytes(bytes[..end].to_vec()).is_err(), "cut at {end}");
    }
}

/// A list that names an address no more delists it.
#[test]
fn delisting_is_the_next_set() {
    let list = |rows: &str| {
        let mut draft = Draft::new();
        let file = format!("address,label,category,risk\n{rows}");
        draft.csv(file.as_bytes(), Rules::default()).unwrap();
        draft.build(&header())
    };
    let kept = "evm:0x1111111111111111111111111111111111111111";
    let gone = "evm:0x2222222222222222222222222222222222222222";
    let old = list(&format!("{kept},x,theft,9\n{gone},x,theft,9\n"));
    // The same addresses under another spelling change nothing.
    assert_eq!(
        list(&format!(
            "{},x,theft,\n{gone},x,theft,9\n",
            kept.to_uppercase().replace("EVM", "evm")
        )),
        old
    );
    let new = list(&format!(
        "{kept},y,theft,9\nevm:0x3333333333333333333333333333333333333333,x,scam,8\n"
    ));
    let counts = Changes {
        added: 1,
        removed: 1,
        changed: 1,
    };
    assert_eq!(new.count_changes_since(&old), counts);
    assert_eq!(new.find(&gone.parse().unwrap()), None);
    assert!(old.find(&gone.parse().unwrap()).is_some());
}

/// What a header's members say goes to every tag without its own, wherever they stand in the file.
#[test]
fn tags_inherit_from_their_header() {
    let file = "tags:\n\
        - address: '0x1111111111111111111111111111111111111111'\n\
        - {address: 0x2222222222222222222222222222222222222222, abuse: phishing, label: own, confidence: web_crawl}\n\
        - address: 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa\n  currency: BTC\n  category: ~\n  concepts: [exchange, mixing]\n\
        - address: \"0x3333333333333333333333333333333333333333\"\n  abuse: something_new\n  confidence: rumour\n\
        - tx_hash: abc\n\
        title: a pack\nlabel: from the header\ncurrency: ETH\ncategory: exchange\nconfidence: service_data\nother: {a: [b, {c: d}]}\n";
    let mut draft = Draft::new();
    let report = draft.tagpack(file.as_bytes(), Rules::default()).unwrap();
    assert_eq!((report.labels, report.rejected()), (4, 1));
    let set = draft.build(&header());
    for (key, risk, category, text) in [
        (
            "evm:0x1111111111111111111111111111111111111111",
            1,
            Category::Exchange,
            "from the header",
        ),
        (
            "eip155:7:0x2222222222222222222222222222222222222222",
            6,
            Category::Scam,
            "own",
        ),
        (
            "bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            7,
            Category::Mixing,
            "from the header",
        ),
        (
            "evm:0x3333333333333333333333333333333333333333",
            2,
            Category::Abuse,
            "from the header",
        ),
    ] {
        let label = set.find(&key.parse().unwrap()).unwrap();
        assert_eq!(said(label), (risk, category, text.to_owned()), "{key}");
    }
}

/// The importer's word stands above the list's, and says where an address of Ethereum's is meant.
#[test]
fn rules_of_the_importer() {
    use portcullis_labels::EvmReach;
    let file = "label: x\ncategory: user\ntags:\n- address: '0x1111111111111111111111111111111111111111'\n  currency: ETC\n";
    let rules = Rules {
        evm: EvmReach::NamedChain,
        category: Some(Category::Sanction),
        risk: None,
    };
    let mut draft = Draft::new();
    draft.tagpack(file.as_bytes(), rules).unwrap();
    let set = draft.build(&header());
    let on = |chain: u64| {
        format!("eip155:{chain}:0x1111111111111111111111111111111111111111")
            .parse()
            .unwrap()
    };
    assert_eq!(
        set.find(&on(61)).unwrap().rating,
        rating(10, Category::Sanction)
    );
    assert_eq!(set.find(&on(1)), None);
    let mut draft = Draft::new();
    let risk = Risk::new(4);
    draft
        .tagpack(
            file.as_bytes(),
            Rules {
                evm: EvmReach::EveryChain,
                category: None,
                risk,
            },
        )
        .unwrap();
    let set = draft.build(&header());
    assert_eq!(set.find(&on(1)).unwrap().rating, rating(4, Category::Other));
}

/// Tron's address under Litecoin can only be Tron's; Bitcoin's could be three chains', and is none.
#[test]
fn an_address_under_the_wrong_asset() {
    let file = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t\n1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa\nTR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6T\n";
    let mut draft = Draft::new();
    let rules = Rules::default();
    let report = draft.ofac_text("LTC", file.as_bytes(), rules).unwrap();
    assert_eq!(
        (report.labels, report.elsewhere, report.rejected()),
        (1, 1, 2)
    );
    let set = draft.build(&header());
    let tron = "tron:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t".parse().unwrap();
    assert_eq!(
        set.find(&tron).unwrap().rating,
        rating(10, Category::Sanction)
    );
}

/// CSV and JSON Lines say the same.
#[test]
fn ones_own_list_in_both_forms() {
    let csv = "label,address,chain,tag,category,risk\r\n\
        \"a, \"\"b\"\"\",rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf,xrp,7,scam,4\r\n\
        c,0x1111111111111111111111111111111111111111,eip155:1,,,\r\n\
        d,bip122:000000000019d6689c085ae165831e93:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa,,,theft,";
    let json = "{\"label\":\"a, \\\"b\\\"\",\"address\":\"rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf\",\"chain\":\"xrp\",\"tag\":7,\"category\":\"scam\",\"risk\":4}\n\
        {\"label\":\"c\",\"address\":\"0x1111111111111111111111111111111111111111\",\"chain\":\"eip155:1\",\"risk\":null}\n\n\
        {\"label\":\"d\",\"address\":\"bip122:000000000019d6689c085ae165831e93:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa\",\"category\":\"theft\"}\n";
    let mut drafts = [Draft::new(), Draft::new()];
    let first = drafts[0].csv(csv.as_bytes(), Rules::default()).unwrap();
    assert_eq!(
        first,
        drafts[1]
            .json_lines(json.as_bytes(), Rules::default())
            .unwrap()
    );
    assert_eq!(first.labels, 3);
    let [csv, json] = drafts.map(|draft| draft.build(&header()));
    assert_eq!(csv, json);
    let key = "xrp:rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf?dt=7"
        .parse()
        .unwrap();
    assert_eq!(
        said(csv.find(&key).unwrap()),
        (4, Category::Scam, "a, \"b\"".to_owned())
    );
}
