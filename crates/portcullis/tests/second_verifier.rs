//! `docs/spec/verify.py` was written from the specification alone. It agrees on every receipt among the
//! vectors: which hold, what they show, and by which fault the others fail.

mod system;

use std::path::Path;
use system::{peer, second_verifier};

#[test]
fn the_second_verifier_agrees_on_every_vector() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/vectors");
    let mut second = second_verifier();
    second.arg("--vectors").arg(vectors);
    peer("docs/spec/verify.py", &mut second);
}
