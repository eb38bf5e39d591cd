//! The W3C's WebAuthn Level 3 test vectors, as published. Included by tests of other crates too.

/// One section of the published text: a registration and an authentication.
pub(crate) struct Section<'a> {
    pub(crate) title: &'a str,
    pub(crate) registration: &'a str,
    #[allow(dead_code, reason = "tests of registrations stop before it")]
    pub(crate) authentication: &'a str,
}

pub(crate) fn sections(text: &str) -> Vec<Section<'_>> {
    text.split("\n## ")
        .filter_map(|section| {
            let (registration, authentication) = section.split_once("authentication ceremony|")?;
            let title = section.split(" ##").next()?;
            Some(Section {
                title,
                registration,
                authentication,
            })
        })
        .collect()
}

/// The byte string that a ceremony gives for `name`.
pub(crate) fn bytes(ceremony: &str, name: &str) -> Vec<u8> {
    let start = format!("\n{name} = h'");
    let (_, value) = ceremony.split_once(&start).unwrap();
    hex::decode(value.split('\'').next().unwrap()).unwrap()
}

pub(crate) fn published() -> Option<String> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let data = std::env::var("PORTCULLIS_DATA").unwrap_or_else(|_| default.into());
    let path = format!("{data}/vectors/webauthn-l3/sctn-test-vectors.bs.txt");
    let text = std::fs::read_to_string(path).ok();
    if text.is_none() {
        println!("skipped: no data");
    }
    text
}
