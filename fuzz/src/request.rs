//! Request signatures (RFC 9421): what is taken from headers is rebuilt byte for byte.

use portcullis_core::request::{
    self, Algorithm, Base, MAX_BASE, Parts, Received, SignedRequest, headers_for,
};
use portcullis_core::signature::Signature;

/// One line each: method, authority, path, query, content digest, act, signature input, signature;
/// then the body. An empty line is a header that is not there.
pub(crate) fn headers(bytes: &[u8]) -> bool {
    let mut lines = bytes.splitn(9, |byte| *byte == b'\n');
    let mut line = || str::from_utf8(lines.next()?).ok();
    let (Some(method), Some(authority), Some(path), Some(query)) = (line(), line(), line(), line())
    else {
        return false;
    };
    let (Some(content_digest), Some(act), Some(input), Some(signature)) =
        (line(), line(), line(), line())
    else {
        return false;
    };
    let received = Received {
        method,
        authority,
        path,
        query: Some(query).filter(|text| !text.is_empty()),
        body: lines.next().unwrap_or_default(),
        content_digest: Some(content_digest).filter(|text| !text.is_empty()),
        portcullis_act: Some(act).filter(|text| !text.is_empty()),
        signature_input: input,
        signature,
    };
    let Ok(signed) = received.signed_request() else {
        return false;
    };
    let base = rebuilt(&signed);
    let sent = headers_for(&base, &signed.signature);
    assert_eq!(sent.content_digest.as_deref(), received.content_digest);
    assert_eq!(sent.portcullis_act.as_deref(), received.portcullis_act);
    assert_eq!(
        (sent.signature_input.as_str(), sent.signature.as_str()),
        (input, signature)
    );
    true
}

/// A signature base as it stands in evidence.
pub(crate) fn base(bytes: &[u8]) -> bool {
    let parsed = request::parse_base(bytes);
    assert!(parsed.is_err() || bytes.len() <= MAX_BASE);
    parsed.is_ok_and(|base| {
        assert_eq!(base.to_bytes(), bytes);
        true
    })
}

fn rebuilt(signed: &SignedRequest) -> Base {
    let base = request::parse_base(&signed.base).expect("what headers gave");
    assert_eq!(base.to_bytes(), signed.base);
    base
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let with = |act: Option<[u8; 32]>, body: &[u8], query: Option<&str>| {
        let base = Base::new(Parts {
            method: "POST".into(),
            authority: "gate.example".into(),
            path: "/v1/acts".into(),
            query: query.map(str::to_owned),
            content_digest: (!body.is_empty()).then(|| portcullis_core::Digest::plain(body).0),
            act,
            created: 1_780_000_000,
            expires: Some(1_780_000_100),
            nonce: "0123456789abcdef".into(),
            key_id: "00112233445566778899aabbccddeeff".into(),
            algorithm: Algorithm::Ed25519,
        });
        let base = base.expect("a seed is good");
        let sent = headers_for(&base, &Signature::from_bytes([7; 64]));
        let (digest, act) = (
            sent.content_digest.unwrap_or_default(),
            sent.portcullis_act.unwrap_or_default(),
        );
        let (input, signature) = (sent.signature_input, sent.signature);
        let query = query.unwrap_or_default();
        let head = format!(
            "POST\ngate.example\n/v1/acts\n{query}\n{digest}\n{act}\n{input}\n{signature}\n"
        );
        [head.as_bytes(), body].concat()
    };
    vec![
        with(None, b"", Some("a=b")),
        with(Some([9; 32]), b"{}", None),
    ]
}
