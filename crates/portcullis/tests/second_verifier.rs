//! `docs/spec/verify.py` was written from the specification alone. It agrees on every receipt among the
//! vectors: which hold, what they show, and by which fault the others fail.

mod system;

use std::path::Path;
use system::{peer, second_verifier};

/// The program in `docs/spec/mandate.md`, as it stands there, against the vectors.
const MANDATES: &str = r#"
import json, re, sys
folder = sys.argv[1]
sys.path.insert(0, folder)
from verify import holds_ed25519
spec = open(folder + "/mandate.md").read()
vectors = json.load(open(folder + "/vectors/mandates.json"))
class Refused(Exception): pass
there = dict(re=re, Refused=Refused, ed25519_verify=holds_ed25519, NETWORK=vectors["network"], WALLET=vectors["wallet"],
             KEYS=[bytes.fromhex(key) for key in vectors["keys"]])
exec(spec.split("```python\n")[1].split("```")[0], there)
for case in vectors["cases"]:
    signed = case["signed"].encode()
    table = set(case.get("paid", []))
    once = lambda act: act not in table and not table.add(act)
    try:
        amount, asset, to = there["admit"](signed, case["now"], once)
        answer = {"amount": str(amount), "asset": asset, "to": to}
    except Refused as refused:
        answer = str(refused)
    assert answer == case["answer"], (case["name"], answer)
print(len(vectors["cases"]), "mandates judged as they should be")
"#;

#[test]
fn the_program_in_the_specification_of_mandates_is_right() {
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec");
    let mut program = std::process::Command::new("python3");
    program.args(["-c", MANDATES]).arg(spec);
    peer("python3", &mut program);
}

#[test]
fn the_second_verifier_agrees_on_every_vector() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/vectors");
    let mut second = second_verifier();
    second.arg("--vectors").arg(vectors);
    peer("docs/spec/verify.py", &mut second);
}
