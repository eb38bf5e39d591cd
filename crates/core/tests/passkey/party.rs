//! What a relying party may be.

use crate::device::{ANDROID, party};
use portcullis_core::passkey::{PartyFault, RelyingParty};

fn check(ids: &[&str], origins: &[&str], tops: &[&str]) -> Result<(), PartyFault> {
    let texts = |all: &[&str]| all.iter().map(ToString::to_string).collect();
    let (rp_ids, origins, top_origins) = (texts(ids), texts(origins), texts(tops));
    RelyingParty {
        rp_ids,
        origins,
        top_origins,
    }
    .check()
}

#[test]
fn what_genesis_may_name() {
    assert_eq!(party().check(), Ok(()));
    assert_eq!(
        check(
            &["localhost"],
            &["http://localhost:8080", "http://localhost"],
            &[]
        ),
        Ok(())
    );
    let origins = [
        "https://a.example:8443",
        "https://xn--bcher-kva.example",
        ANDROID,
    ];
    assert_eq!(
        check(&["a.example"], &origins, &["https://b.example"]),
        Ok(())
    );
}

#[test]
fn what_genesis_may_not_name() {
    let good = "https://a.example";
    assert_eq!(check(&[], &[good], &[]), Err(PartyFault::Empty));
    assert_eq!(check(&["a.example"], &[], &[]), Err(PartyFault::Empty));
    assert_eq!(check(&["a"; 9], &[good], &[]), Err(PartyFault::TooMany));
    assert_eq!(check(&["a"], &[good; 65], &[]), Err(PartyFault::TooMany));
    assert_eq!(
        check(&["a"], &[good, good], &[]),
        Err(PartyFault::Twice(good.into()))
    );
    for id in [
        "",
        "A.example",
        "a..example",
        "https://a.example",
        "a.example:1",
        "bücher.example",
    ] {
        assert_eq!(
            check(&[id], &[good], &[]),
            Err(PartyFault::NotADomain(id.into())),
            "{id}"
        );
    }
    let bad = [
        "a.example",
        "https://",
        "https://A.example",
        "https://a.example/",
        "https://a.example:443",
        "https://a.example:0",
        "https://a.example:08",
        "https://a.example:+8",
        "https://a.example:",
        "http://a.example",
        "http://localhost.evil",
        "http://localhost:80",
        "android:apk-key-hash:",
        "android:apk-key-hash:sO4VwLbDFnAoYj8jD3hrTXP0lgVmNfSlYdZUFlpiYE=",
        "https://u@a.example",
    ];
    for origin in bad {
        let fault = Err(PartyFault::NotAnOrigin(origin.into()));
        assert_eq!(check(&["a.example"], &[origin], &[]), fault);
        assert_eq!(check(&["a.example"], &[good], &[origin]), fault);
    }
    assert_eq!(
        check(&["a"], &[good], &[ANDROID]),
        Err(PartyFault::NotAnOrigin(ANDROID.into()))
    );
}
