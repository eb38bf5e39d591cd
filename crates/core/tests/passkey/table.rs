//! What passes, and one row per fault.

use crate::device::{
    ANDROID, CLOSED, Device, FRAMED, ORIGIN, Said, TOP_ORIGIN, UP, UV, checked, client_data,
};
use portcullis_core::passkey::{
    CredentialId, MAX_AUTHENTICATOR_DATA, MAX_CLIENT_DATA, PasskeyFault, challenge_for,
};

use crate::device::ACT;

fn with_tail(origin: &str, tail: &str) -> Said {
    let client_data = client_data("webauthn.get", &challenge_for(&ACT), origin, tail);
    Said {
        client_data,
        ..Said::valid()
    }
}

fn with_flags(flags: u8) -> Said {
    Said {
        flags,
        ..Said::valid()
    }
}

fn with_rest(flags: u8, rest: &[u8]) -> Said {
    Said {
        flags,
        rest: rest.to_vec(),
        ..Said::valid()
    }
}

#[test]
fn what_clients_say_passes() {
    let package = r#","androidPackageName":"example.bank.app"}"#;
    let rows = [
        ("a page", Said::valid()),
        (
            "another origin of ours",
            with_tail("https://www.bank.example", CLOSED),
        ),
        (
            "Chrome's extra member",
            with_tail(ORIGIN, r#","crossOrigin":false,"other_keys":"x"}"#),
        ),
        ("Safari leaves crossOrigin out", with_tail(ORIGIN, "}")),
        ("an Android app", with_tail(ANDROID, package)),
        (
            "an Android app through a browser",
            with_tail(ANDROID, CLOSED),
        ),
        ("in a frame that we allow", with_tail(ORIGIN, FRAMED)),
        ("backup eligible", with_flags(UP | UV | 0x08)),
        ("backed up", with_flags(UP | UV | 0x08 | 0x10)),
        (
            "extensions",
            with_rest(UP | UV | 0x80, b"\xa1\x63uvm\x81\x83\x02\x04\x02"),
        ),
        (
            "no extensions, said twice",
            with_rest(UP | UV | 0x80, b"\xa0"),
        ),
        (
            "a counter",
            Said {
                counter: 1,
                ..Said::valid()
            },
        ),
    ];
    for device in [Device::ed25519(), Device::p256()] {
        for (what, said) in &rows {
            assert_eq!(
                checked(&device.assert(said), &device.key(), 0),
                Ok(said.counter),
                "{what}"
            );
        }
    }
}

fn assert_faults(rows: &[(&str, Said, PasskeyFault)]) {
    for device in [Device::ed25519(), Device::p256()] {
        for (what, said, fault) in rows {
            assert_eq!(
                checked(&device.assert(said), &device.key(), 0),
                Err(*fault),
                "{what}"
            );
        }
    }
}

#[test]
fn what_client_data_can_say_wrongly() {
    let saying = |kind, act, origin, tail| Said {
        client_data: client_data(kind, &challenge_for(&act), origin, tail),
        ..Said::valid()
    };
    let get = "webauthn.get";
    let foreign = r#","crossOrigin":true,"topOrigin":"https://evil.example"}"#;
    assert_faults(&[
        (
            "registration",
            saying("webauthn.create", ACT, ORIGIN, CLOSED),
            PasskeyFault::Type,
        ),
        (
            "another act",
            saying(get, [1; 32], ORIGIN, CLOSED),
            PasskeyFault::Challenge,
        ),
        (
            "phishing",
            with_tail("https://bank.example.evil", CLOSED),
            PasskeyFault::Origin,
        ),
        (
            "a trailing slash",
            with_tail("https://app.bank.example/", CLOSED),
            PasskeyFault::Origin,
        ),
        (
            "a top origin as origin",
            with_tail(TOP_ORIGIN, CLOSED),
            PasskeyFault::Origin,
        ),
        (
            "a frame",
            with_tail(ORIGIN, r#","crossOrigin":true}"#),
            PasskeyFault::CrossOrigin,
        ),
        (
            "a frame under somebody else",
            with_tail(ORIGIN, foreign),
            PasskeyFault::TopOrigin,
        ),
    ]);
}

#[test]
fn what_authenticator_data_can_say_wrongly() {
    let extended = |rest| with_rest(UP | UV | 0x80, rest);
    let elsewhere = Said {
        rp_id: "app.bank.example",
        ..Said::valid()
    };
    assert_faults(&[
        (
            "AT",
            with_rest(UP | UV | 0x40, &[0; 40]),
            PasskeyFault::AttestedData,
        ),
        (
            "bytes unannounced",
            with_rest(UP | UV, &[0xa0]),
            PasskeyFault::AuthenticatorData,
        ),
        ("ED, then nothing", extended(&[]), PasskeyFault::Extensions),
        (
            "ED, then no map",
            extended(&[0x80]),
            PasskeyFault::Extensions,
        ),
        (
            "ED, then more",
            extended(&[0xa0, 0]),
            PasskeyFault::Extensions,
        ),
        (
            "ED, endless map",
            extended(&[0xbf, 0xff]),
            PasskeyFault::Extensions,
        ),
        (
            "ED, numbered",
            extended(&[0xa1, 1, 1]),
            PasskeyFault::Extensions,
        ),
        (
            "another relying party",
            elsewhere,
            PasskeyFault::RelyingParty,
        ),
        (
            "reserved flag 0x02",
            with_flags(UP | UV | 0x02),
            PasskeyFault::ReservedFlags,
        ),
        (
            "reserved flag 0x20",
            with_flags(UP | UV | 0x20),
            PasskeyFault::ReservedFlags,
        ),
        (
            "backed up, not eligible",
            with_flags(UP | UV | 0x10),
            PasskeyFault::BackupFlags,
        ),
        ("nobody there", with_flags(UV), PasskeyFault::NotPresent),
        ("nobody verified", with_flags(UP), PasskeyFault::NotVerified),
    ]);
}

#[test]
fn client_data_that_no_client_writes_is_refused() {
    let valid = Said::valid().client_data;
    let rows = [
        ("nothing", String::new()),
        ("spaces", valid.replace(',', ", ")),
        (
            "another order",
            valid.replace("type", "t").replace("origin", "type"),
        ),
        ("cut off", valid[..valid.len() - 1].to_string()),
        ("a line behind", format!("{valid}\n")),
        (
            "an open string",
            valid.replace("\",\"crossOrigin\":false}", ""),
        ),
        (
            "an escaped end of string",
            valid.replace("example\",", "example\\\","),
        ),
        ("a control character", valid.replace("app.", "app\u{1}.")),
        ("true of another sort", valid.replace("false", "\"false\"")),
        ("true in capitals", valid.replace("false", "FALSE")),
        (
            "member before crossOrigin",
            valid.replace(",\"cross", ",\"x\":1,\"cross"),
        ),
        (
            "crossOrigin behind the Android member",
            valid.replace(CLOSED, r#","androidPackageName":"a","crossOrigin":true}"#),
        ),
        (
            "a top origin that is no string",
            valid.replace(CLOSED, r#","crossOrigin":true,"topOrigin":1"#),
        ),
    ];
    let device = Device::ed25519();
    for (what, client_data) in rows {
        let said = Said {
            client_data,
            ..Said::valid()
        };
        let got = checked(&device.assert(&said), &device.key(), 0);
        assert_eq!(got, Err(PasskeyFault::ClientData), "{what}");
    }
}

#[test]
fn sizes_come_first() {
    let device = Device::ed25519();
    let good = device.assert(&Said::valid());
    let big = |n: usize| vec![0; n];
    let rows = [
        ("no credential id", {
            let mut a = good.clone();
            a.credential = CredentialId(big(0));
            a
        }),
        ("long credential id", {
            let mut a = good.clone();
            a.credential = CredentialId(big(1024));
            a
        }),
        ("long authenticator data", {
            let mut a = good.clone();
            a.authenticator_data = big(MAX_AUTHENTICATOR_DATA + 1);
            a
        }),
        ("long client data", {
            let mut a = good.clone();
            a.client_data = big(MAX_CLIENT_DATA + 1);
            a
        }),
    ];
    for (what, assertion) in rows {
        assert_eq!(
            checked(&assertion, &device.key(), 0),
            Err(PasskeyFault::Size),
            "{what}"
        );
    }
    let mut longest = good.clone();
    longest.credential = CredentialId(big(1023));
    assert_eq!(checked(&longest, &device.key(), 0), Ok(0));
}

#[test]
fn authenticator_data_cut_anywhere_is_refused() {
    let device = Device::ed25519();
    let good = device.assert(&Said::valid());
    for length in 0..37 {
        let mut cut = good.clone();
        cut.authenticator_data.truncate(length);
        assert_eq!(
            checked(&cut, &device.key(), 0),
            Err(PasskeyFault::AuthenticatorData)
        );
    }
}

#[test]
fn the_counter_rises_or_is_not_kept() {
    let device = Device::ed25519();
    let rows = [
        (0, 0, Ok(0)),
        (0, 1, Ok(1)),
        (7, 8, Ok(8)),
        (7, u32::MAX, Ok(u32::MAX)),
        (7, 7, Err(PasskeyFault::Counter)),
        (7, 6, Err(PasskeyFault::Counter)),
        (7, 0, Err(PasskeyFault::Counter)),
        (u32::MAX, 0, Err(PasskeyFault::Counter)),
    ];
    for (known, counter, outcome) in rows {
        let assertion = device.assert(&Said {
            counter,
            ..Said::valid()
        });
        assert_eq!(
            checked(&assertion, &device.key(), known),
            outcome,
            "{known} then {counter}"
        );
    }
}

#[test]
fn another_key_of_either_kind_is_refused() {
    let (edwards, weierstrass) = (Device::ed25519(), Device::p256());
    for (device, other) in [
        (&edwards, &weierstrass),
        (&weierstrass, &edwards),
        (&weierstrass, &Device::p256()),
    ] {
        let assertion = device.assert(&Said::valid());
        assert_eq!(
            checked(&assertion, &other.key(), 0),
            Err(PasskeyFault::Signature)
        );
    }
}
