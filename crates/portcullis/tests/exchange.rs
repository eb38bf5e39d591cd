//! The sample exchange, as its own script tries it: a customer in a real Chromium, through back end and sidecar.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod system;

use std::path::Path;
use std::process::{Command, Stdio};
use system::{BINARY, anvil_binary};

#[test]
fn a_customer_enrols_is_held_freezes_is_paid_and_takes_back() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/exchange/test");
    let mut command = Command::new(script);
    command
        .env("PORTCULLIS", BINARY)
        .args(std::env::var_os("PORTCULLIS_PICTURES"))
        .stdin(Stdio::null());
    if let Some(anvil) = anvil_binary() {
        command.env("PORTCULLIS_ANVIL", anvil);
    }
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    println!("{said}");
    let faults = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}{faults}");
}
