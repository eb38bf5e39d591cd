//! What stands in the file of vectors.

use portcullis_labels::{Category, Draft, Header, Key, Kind, LabelSet, Rating, Risk, SetError};
use serde_json::{Value, json};

pub(crate) const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/spec/vectors/labels.json"
);

pub(crate) fn document() -> Value {
    json!({
        "keys": SPELLINGS.iter().map(|spellings| key(spellings)).collect::<Vec<_>>(),
        "sets": [set(Kind::Authority, &[]), set(Kind::Community, LABELS)],
        "refused": refused(),
    })
}

/// One receiver a row, however it is spelt. The sources stand in `tests/labels/addresses.rs`.
const SPELLINGS: &[&[&str]] = &[
    &[
        "evm:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "evm:5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED",
    ],
    &["eip155:61:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"],
    &[
        "bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "bip122:000000000019d6689c085ae165831e93:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    ],
    &["bitcoin:3P14159f73E4gFr7JterCCQh9QjiTjiZrG"],
    &[
        "bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "bitcoin:BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
    ],
    &["bitcoin:bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3"],
    &["bitcoin:bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"],
    &[
        "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
        "bitcoincash:1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu",
    ],
    &[
        "litecoin:MTf4tP1TCNBn8dNkyxeBVoPrFCcVzxJvvh",
        "litecoin:3MSvaVbVFFLML86rt5eqgA9SvW23upaXdY",
    ],
    &[
        "zcash:t1VmmGiyjVNeCjxDZzg7vZmd99WyzVby9yC",
        "zcash:tex1s2rt77ggv6q989lr49rkgzmh5slsksa9khdgte",
    ],
    &["zcash:zs1qqqqqqqqqqqqqqqqqqcguyvaw2vjk4sdyeg0lc970u659lvhqq7t0np6hlup5lusxle75c8v35z"],
    &[
        "tron:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
        "tron:41a614f803b6fd780986a42c78ec9c7f77e6ded13c",
    ],
    &[
        "xrp:rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf?dt=4294967295",
        "xrp:XVLhHMPHU98es4dbozjVtdWzVrDjtV18pX8yuPT7y4xaEHi",
    ],
    &[
        "monero:49Xgwx3RfyV3ZMEVyrUNuUMzgQ1WHjkWL5T6Xk7QaTszggbtPbRPEkZQau9yACYEmUCHPNrU2MBdnJf4s4xLK5AyLDP5ucd",
        "monero:4KEMxkrvHF13ZMEVyrUNuUMzgQ1WHjkWL5T6Xk7QaTszggbtPbRPEkZQau9yACYEmUCHPNrU2MBdnJf4s4xLK5AyVTr66Q8LFefPwwfA1t",
    ],
    &[
        "monero:85cqdW5fHGvUQzGXzrRUHf6P6AJjJrYxa25v351wNJCrS3p1g8wL1gk35HjxyQGGJPY3SygtnFxKjHtVcA7rAM1JBHukQod",
    ],
];

fn key(spellings: &[&str]) -> Value {
    let keys: Vec<Key> = spellings.iter().map(|text| text.parse().unwrap()).collect();
    assert!(keys.iter().all(|key| *key == keys[0]));
    json!({
        "spellings": spellings,
        "canonical": keys[0].to_string(),
        "shape": keys[0].shape().code(),
        "bytes": hex::encode(keys[0].bytes()),
    })
}

type Row = (&'static str, u8, Category, &'static str);

/// Two texts for four addresses in three tables.
#[rustfmt::skip] // a table
const LABELS: &[Row] = &[
    ("evm:0x1111111111111111111111111111111111111111", 9, Category::Theft, "Stolen in a drill"),
    ("evm:0x2222222222222222222222222222222222222222", 8, Category::Scam, "Börse, falsch"),
    ("eip155:1:0x1111111111111111111111111111111111111111", 0, Category::Other, "Börse, falsch"),
    ("bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", 10, Category::Sanction, "Stolen in a drill"),
];

fn build(kind: Kind, labels: &[Row]) -> LabelSet {
    let mut draft = Draft::new();
    for (key, risk, category, text) in labels {
        let rating = Rating {
            risk: Risk::new(*risk).unwrap(),
            category: *category,
        };
        draft.add(key.parse().unwrap(), rating, text).unwrap();
    }
    let date = "2026-11-28".parse().unwrap();
    let header = Header::new(kind, date, "Written for the vectors");
    draft.build(&header.unwrap())
}

fn set(kind: Kind, labels: &[Row]) -> Value {
    let set = build(kind, labels);
    let labels = set.iter().map(|(key, label)| {
        json!({
            "address": key.to_string(),
            "risk": label.rating.risk.get(),
            "category": label.rating.category.name(),
            "label": label.text,
        })
    });
    json!({
        "kind": if kind.may_refuse() { "authority" } else { "community" },
        "date": set.header().date().to_string(),
        "source": set.header().source(),
        "labels": labels.collect::<Vec<_>>(),
        "bytes": hex::encode(set.as_bytes()),
        "digest": set.digest().to_string(),
    })
}

/// The second set, spoilt: what is done, and what a reader says.
fn refused() -> Vec<Value> {
    let bytes = build(Kind::Community, LABELS).as_bytes().to_vec();
    let tables = 14 + usize::from(bytes[13]);
    let rows = tables + 1 + 3 * 5 + 8;
    let mut spoilt: Vec<(&str, Vec<u8>)> = Vec::new();
    let mut with = |what, spoil: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        spoil(&mut bytes);
        spoilt.push((what, bytes));
    };
    with("a later version", &|b| b[7] = 2);
    with("a kind that is none", &|b| b[8] = 3);
    with("a table twice", &|b| b[tables + 6] = b[tables + 1]);
    with("two rows of one table swapped", &|b| {
        let (first, second) = b[rows..rows + 48].split_at_mut(24);
        first.swap_with_slice(second);
    });
    with("a risk of 11", &|b| b[rows + 20] = 0xb0);
    with("a text that is not there", &|b| b[rows + 23] = 2);
    with("a byte after the set", &|b| b.push(0));
    with("the last byte missing", &|b| b.truncate(b.len() - 1));
    let spoilt = spoilt.into_iter().map(|(what, bytes)| {
        let why: SetError = LabelSet::from_bytes(bytes.clone()).unwrap_err();
        json!({"what": what, "bytes": hex::encode(bytes), "why": format!("{why:?}")})
    });
    spoilt.collect()
}
