//! The bench runs, and its rows have the promised fields. How fast anything is, no test says.

use serde_json::Value;
use std::process::Command;

#[test]
fn rows_have_the_promised_fields() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.json");
    let status = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["bench", "core", "sign", "journal", "--quick", "--json"])
        .arg(&path)
        .arg("--dir")
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(status.success());
    let rows: Vec<Value> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let names: Vec<&str> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    for name in ["core", "sign", "journal"] {
        assert!(names.contains(&name), "{names:?}");
    }
    for row in &rows {
        let has = |field: &str| row.get(field).is_some();
        for field in [
            "measured",
            "unit",
            "mark",
            "met",
            "wall",
            "cores",
            "batch",
            "witnesses",
            "quick",
            "profile",
        ] {
            assert!(has(field), "{field} is missing: {row}");
        }
        assert_eq!(has("floor"), has("ratio"), "{row}");
        assert!(row["measured"].as_f64().unwrap() > 0.0, "{row}");
        assert!(row["wall"].as_f64().unwrap() > 0.001, "{row}");
        assert_eq!(row["quick"], true, "{row}");
    }
    let core = rows.iter().find(|row| row["name"] == "core").unwrap();
    let (measured, floor) = (core["measured"].as_f64(), core["floor"].as_f64());
    let ratio = floor.unwrap() / measured.unwrap();
    assert!(
        (core["ratio"].as_f64().unwrap() - ratio).abs() < 1e-9,
        "{core}"
    );
}
