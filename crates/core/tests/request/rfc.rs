//! The examples of RFC 9421, appendix B.2, that use our two algorithms.

use crate::client::Client;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_core::request::signature_base;
use portcullis_core::signature::{Signature, Strict, Verify as _};

fn base(components: &[(&str, &str)], params: &str) -> Vec<u8> {
    let components: Vec<_> = components
        .iter()
        .map(|(name, v)| (*name, v.to_string()))
        .collect();
    signature_base(&components, params)
}

#[test]
fn b_2_6_ed25519() {
    let components = [
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("@method", "POST"),
        ("@path", "/foo"),
        ("@authority", "example.com"),
        ("content-type", "application/json"),
        ("content-length", "18"),
    ];
    let params = r#"("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#;
    let expected =
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==";
    let base = base(&components, params);
    assert_eq!(
        STANDARD.encode(Client::Ed25519.sign(&base).as_bytes()),
        expected
    );
    let signature = Signature::from_bytes(STANDARD.decode(expected).unwrap().try_into().unwrap());
    assert!(Strict.verify(&Client::Ed25519.key(), &base, &signature));
}

#[test]
fn b_2_4_p256() {
    let components = [
        ("@status", "200"),
        ("content-type", "application/json"),
        (
            "content-digest",
            "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:",
        ),
        ("content-length", "23"),
    ];
    let params = r#"("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256""#;
    let published = STANDARD
        .decode("wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==")
        .unwrap();
    let base = base(&components, params);
    let normalised = Signature::from_fixed_normalised(&published).unwrap();
    assert!(Strict.verify(&Client::P256.key(), &base, &normalised));

    let as_published = Signature::from_bytes(published.try_into().unwrap());
    assert_ne!(as_published, normalised, "the RFC's example has the high S");
    assert!(!Strict.verify(&Client::P256.key(), &base, &as_published));
}
