//! The lists that others publish, where they are beside the checkout.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use portcullis_labels::{Draft, ImportError, Report, Rules, ofac_asset};

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

#[test]
fn show() {
    let Some(labels) = folder() else { return };
    for kind in ["tagpacks", "ofac"] {
        for (name, bytes) in files(&labels.join(kind)) {
            let mut draft = Draft::new();
            if let Some(report) = import(&name, &bytes, &mut draft) {
                println!("{name} {report:?}");
            }
        }
    }
}
