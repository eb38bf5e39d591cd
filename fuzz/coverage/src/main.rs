//! One fuzzer for all targets: `PORTCULLIS_FUZZ` names the one.
#![no_main]

use portcullis_fuzz::Target;
use std::sync::OnceLock;

fn target() -> &'static Target {
    static TARGET: OnceLock<&Target> = OnceLock::new();
    TARGET.get_or_init(|| {
        let name = std::env::var("PORTCULLIS_FUZZ").unwrap_or_default();
        portcullis_fuzz::find(&name).unwrap_or_else(|| {
            let names: Vec<_> = portcullis_fuzz::TARGETS.iter().map(|t| t.name).collect();
            panic!("PORTCULLIS_FUZZ names no target: one of {}", names.join(" "))
        })
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (target().run)(bytes);
});
