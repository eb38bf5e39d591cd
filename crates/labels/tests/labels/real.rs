//! The lists that others publish, where they are beside the checkout.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use portcullis_labels::AddressError::{Characters, Checksum, Length};
use portcullis_labels::{
    Draft, Header, ImportError, Kind, Reject, Report, Risk, Rules, ofac_asset,
};

fn folder() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let data = std::env::var_os("PORTCULLIS_DATA").map_or_else(|| default.into(), PathBuf::from);
    let labels = data.join("labels");
    if labels.is_dir() {
        return Some(labels);
    }
    println!("skipped: no data");
    None
}

/// The files of a folder, by name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect()
}

fn import(name: &str, bytes: &[u8], draft: &mut Draft) -> Option<Result<Report, ImportError>> {
    let rules = Rules::default();
    match (Path::new(name).extension()?.to_str()?, ofac_asset(name)) {
        ("yaml", _) => Some(draft.tagpack(bytes, rules)),
        ("txt", Some(asset)) => Some(draft.ofac_text(asset, bytes, rules)),
        ("json", Some(asset)) => Some(draft.ofac_json(asset, bytes, rules)),
        _ => None,
    }
}

type Row = (&'static str, u32, u32, &'static [(Reject, u32)]);

/// What becomes of each file: labels, those elsewhere among them, and rejects by reason.
#[rustfmt::skip] // a table
const TAGPACKS: &[Row] = &[
    ("binance_hack.yaml", 44, 0, &[]),
    ("blender_io.yaml", 45, 0, &[]),
    ("defi-fraud-masterthesis.yaml", 6699, 0, &[]),
    ("etherscan-wordcloud-exchange.yaml", 646, 0, &[]),
    ("etherscan-wordcloud-mixing_service.yaml", 61, 0, &[]),
    // BEP2, the Beacon Chain, which was switched off in 2024.
    ("exchange-wallets-binance.yaml", 61, 0, &[(Reject::Asset, 25)]),
    ("exchange-wallets-cryptocom.yaml", 10, 0, &[]),
    // ADA, ATOM, DOT, EOS, FIL, SOL, ALGO.
    ("exchange-wallets-huobi.yaml", 49, 0, &[(Reject::Asset, 9)]),
    // Algorand's addresses cut into lines, and names of EOS accounts, all as USDT and USDC.
    ("exchange-wallets-kucoin.yaml", 48, 0, &[
        (Reject::Address(Characters), 10), (Reject::Address(Checksum), 1),
    ]),
    ("exchange-wallets-okx.yaml", 36, 0, &[]),
    ("hacks.yaml", 608, 0, &[]),
    ("lazarus.yaml", 21, 0, &[]),
    ("lazarus2.yaml", 6, 0, &[]),
    // Two of Monero's that were cut off, and 32 bytes that are no address; Tron's under Bitcoin.
    ("ofac.yaml", 569, 1, &[(Reject::Address(Characters), 1), (Reject::Address(Length), 2)]),
    ("ronin_bridge.yaml", 6, 0, &[]),
    ("tornado_cash.yaml", 39, 0, &[]),
    ("usdt_blacklist.yaml", 774, 0, &[]),
    ("walletexplorer.yaml", 386, 0, &[]),
];

/// The same in both forms of OFAC's lists.
#[rustfmt::skip] // a table
const OFAC: &[Row] = &[
    ("ARB", 1, 0, &[]),
    ("BCH", 7, 0, &[]),
    ("BSC", 1, 0, &[]),
    ("BSV", 1, 0, &[]),
    ("BTG", 1, 0, &[]),
    ("DASH", 3, 0, &[]),
    ("ETC", 1, 0, &[]),
    ("ETH", 152, 0, &[]),
    ("LTC", 10, 0, &[]),
    ("TRX", 6, 0, &[]),
    ("USDC", 2, 0, &[]),
    ("USDT", 26, 0, &[]),
    ("XBT", 435, 1, &[]),
    ("XMR", 2, 0, &[(Reject::Address(Characters), 1)]),
    ("XRP", 1, 0, &[]),
    ("XVG", 1, 0, &[]),
    ("ZEC", 3, 0, &[]),
];

#[test]
fn every_published_list_imports() {
    let Some(labels) = folder() else { return };
    let ofac = |row: &Row, form| (format!("sanctioned_addresses_{}.{form}", row.0), *row);
    let tables = [
        (
            "tagpacks",
            TAGPACKS
                .iter()
                .map(|row| (row.0.to_owned(), *row))
                .collect(),
        ),
        (
            "ofac",
            ["txt", "json"]
                .iter()
                .flat_map(|form| OFAC.iter().map(move |row| ofac(row, form)))
                .collect(),
        ),
    ];
    for (kind, table) in tables {
        let table: BTreeMap<String, Row> = table;
        let mut seen = 0;
        for (name, bytes) in files(&labels.join(kind)) {
            let Some(report) = import(&name, &bytes, &mut Draft::new()) else {
                continue;
            };
            let report = report.unwrap_or_else(|e| panic!("{name}: {e}"));
            let (_, count, elsewhere, rejects) = table[&name];
            let found = (report.labels, report.elsewhere, &report.rejects);
            assert_eq!(
                found,
                (count, elsewhere, &rejects.iter().copied().collect()),
                "{name}"
            );
            seen += 1;
        }
        assert_eq!(
            seen,
            table.len(),
            "{kind}: a file is missing, or there is a new one"
        );
    }
}

/// All files in one set: what is sanctioned is found under every spelling, and nothing of it is lost
/// between the forms of the lists.
#[test]
fn sanctioned_addresses_are_found() {
    let Some(labels) = folder() else { return };
    let mut forms = ["txt", "json"].map(|form| {
        let mut draft = Draft::new();
        for (name, bytes) in files(&labels.join("ofac")) {
            if Path::new(&name)
                .extension()
                .is_some_and(|found| found == form)
            {
                import(&name, &bytes, &mut draft).unwrap().unwrap();
            }
        }
        let header = Header::new(
            Kind::Authority,
            "2024-09-27".parse().unwrap(),
            "OFAC SDN list",
        );
        draft.build(&header.unwrap())
    });
    assert_eq!(forms[0].digest(), forms[1].digest());
    let set = &mut forms[0];
    // 653 rows were labelled; 13 of them name an address a second time, under another asset.
    assert_eq!(set.len(), 640);
    for text in [
        "bitcoin:123WBUDmSJv4GctdVEz6Qq6z8nXSKrJ4KX",
        "evm:0x01E2919679362DFBC9EE1644BA9C6DA6D6245BB1",
        "eip155:137:01e2919679362dfbc9ee1644ba9c6da6d6245bb1",
        "bitcoincash:18M8bJWMzWHDBMxoLqjHHAffdRy4SrzkfB",
        "tron:TUCsTq7TofTCJRRoHk6RvhMoS2mJLm5Yzq",
        "xrp:rnXyVQzgxZe7TR1EPzTkGj2jxH4LMJYh66?dt=12",
    ] {
        let label = set.find(&text.parse().unwrap());
        assert_eq!(
            label.map(|label| label.rating.risk),
            Some(Risk::MAX),
            "{text}"
        );
    }
    let clean = "bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
        .parse()
        .unwrap();
    assert_eq!(set.find(&clean), None);
}
