//! `docs/spec/reasons.md` has exactly the reasons that the code has.
//!
//! `cargo run -p portcullis-core --example spec_reasons` writes its table anew.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a helper that fails is a test that fails, and what cannot run says so"
)]

mod reasons_table;

use portcullis_core::Reason;
use reasons_table::{FILE, HEAD, row};

#[test]
fn the_table_is_the_code() {
    let text = std::fs::read_to_string(FILE).unwrap();
    let (_, behind) = text.split_once(HEAD).unwrap();
    let rows = behind
        .split_inclusive('\n')
        .take_while(|line| line.starts_with('|'));
    let rows: Vec<&str> = rows.collect();
    for (said, reason) in rows.iter().zip(Reason::ALL) {
        assert_eq!(
            *said,
            row(*reason),
            "cargo run -p portcullis-core --example spec_reasons"
        );
    }
    assert_eq!(rows.len(), Reason::ALL.len());
}

/// The second verifier takes an entry with an unknown number as malformed: it has to know them all.
#[test]
fn the_second_verifier_knows_every_number() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/spec/verify.py");
    let program = "import runpy, sys; print(*sorted(runpy.run_path(sys.argv[1])['REASONS']))";
    let ran = std::process::Command::new("python3")
        .args(["-c", program, script])
        .output();
    let Ok(ran) = ran else {
        println!("skipped: no python3");
        return;
    };
    let known = String::from_utf8(ran.stdout).unwrap();
    let code = Reason::ALL.iter().map(|reason| reason.number().to_string());
    assert_eq!(known.trim(), code.collect::<Vec<_>>().join(" "));
}
