//! Lists that strangers write, and sets that strangers may have made.

use portcullis_labels::{
    Draft, Header, ImportError, Key, Kind, LabelSet, MAX_ADDRESS, Report, Rules,
};

/// A set that is read has these bytes as its only form, and finds all that stands in it.
pub(crate) fn set(bytes: &[u8]) -> bool {
    let Ok(set) = LabelSet::from_bytes(bytes.to_vec()) else {
        return false;
    };
    assert_eq!(set.as_bytes(), bytes);
    assert_eq!(set.changes_since(&set).count(), 0);
    let mut draft = Draft::new();
    for (key, label) in set.iter() {
        assert_eq!(set.exact(&key), Some(label));
        draft
            .add(key, label.rating, label.text)
            .expect("it was in a set");
    }
    assert_eq!(draft.build(set.header()).as_bytes(), bytes);
    true
}

/// However it was written, it is written in one way, which is read as the same.
pub(crate) fn key(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else {
        return false;
    };
    let Ok(key) = text.parse::<Key>() else {
        return false;
    };
    let canonical = key.to_string();
    assert!(canonical.len() <= MAX_ADDRESS, "{canonical}");
    assert_eq!(canonical.parse(), Ok(key), "{text}");
    assert_eq!(key.bytes().len(), key.shape().width());
    true
}

pub(crate) fn tagpack(bytes: &[u8]) -> bool {
    labelled(bytes, |draft| draft.tagpack(bytes, Rules::default()))
}

/// One's own lists and OFAC's, in all of their forms.
pub(crate) fn rows(bytes: &[u8]) -> bool {
    let rules = Rules::default();
    let forms = [
        labelled(bytes, |draft| draft.csv(bytes, rules)),
        labelled(bytes, |draft| draft.json_lines(bytes, rules)),
        labelled(bytes, |draft| draft.ofac_text("USDT", bytes, rules)),
        labelled(bytes, |draft| draft.ofac_json("USDT", bytes, rules)),
    ];
    forms.contains(&true)
}

/// What a list gives is as many labels as it says, and a set that is read back; a refused one gives
/// nothing.
fn labelled(bytes: &[u8], import: impl FnOnce(&mut Draft) -> Result<Report, ImportError>) -> bool {
    let mut draft = Draft::new();
    let Ok(report) = import(&mut draft) else {
        assert!(draft.is_empty());
        return false;
    };
    let labels = usize::try_from(report.labels).expect("a few");
    assert_eq!(draft.len(), labels, "of {} bytes", bytes.len());
    let date = "2026-11-28".parse().expect("a day");
    let header = Header::new(Kind::Community, date, "fuzzed").expect("plain text");
    let set = draft.build(&header);
    let read = LabelSet::named(set.digest(), set.as_bytes().to_vec());
    assert!(read.is_ok_and(|read| read == set));
    labels > 0
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    const PACK: &str = "title: t\nlabel: 'l'\ncurrency: ETH\nconfidence: web_crawl\ntags:\n\
        - address: \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\n  abuse: phishing\n  concepts:\n  - scam\n\
        - {address: 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa, currency: BTC, context: '{\"a\": [1]}'}\n";
    const CSV: &str = "address,chain,tag,label,category,risk\n\
        rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf,xrp,7,\"a \"\"b\"\"\",scam,4\n";
    const JSON: &str = "{\"address\":\"tron:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t\",\"label\":\"\\u0061\",\"risk\":4}\n";
    const TEXT: &str =
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed\nTR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t\n";
    const ARRAY: &str = "[\"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed\"]";
    let texts = [PACK, CSV, JSON, TEXT, ARRAY];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}
