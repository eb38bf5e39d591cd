//! With two faults at once, the one that stands first in [`PasskeyFault`] is named.

use crate::device::{ACT, CLOSED, Device, ORIGIN, Said, UP, UV, checked, client_data};
use portcullis_core::passkey::{Assertion, CredentialId, PasskeyFault, challenge_for};
use portcullis_core::signature::Signature;

/// One way to spoil an assertion, before it is signed or after.
type Spoil = (PasskeyFault, fn(&mut Said), fn(&mut Assertion));

fn rewrite(said: &mut Said, from: &str, to: &str) {
    said.client_data = said.client_data.replace(from, to);
}

const SPOILS: &[Spoil] = &[
    (
        PasskeyFault::Size,
        |_| (),
        |a| a.credential = CredentialId(Vec::new()),
    ),
    (
        PasskeyFault::ClientData,
        |s| s.client_data.push(' '),
        |_| (),
    ),
    (
        PasskeyFault::Type,
        |s| rewrite(s, "webauthn.get", "payment.get"),
        |_| (),
    ),
    (
        PasskeyFault::Challenge,
        |s| rewrite(s, "\"challenge\":\"", "\"challenge\":\"A"),
        |_| (),
    ),
    (
        PasskeyFault::Origin,
        |s| rewrite(s, "https", "http"),
        |_| (),
    ),
    (
        PasskeyFault::CrossOrigin,
        |s| rewrite(s, "false", "true"),
        |_| (),
    ),
    (
        PasskeyFault::RelyingParty,
        |s| s.rp_id = "evil.example",
        |_| (),
    ),
    (PasskeyFault::ReservedFlags, |s| s.flags |= 0x20, |_| ()),
    (PasskeyFault::BackupFlags, |s| s.flags |= 0x10, |_| ()),
    (PasskeyFault::NotPresent, |s| s.flags &= !UP, |_| ()),
    (
        PasskeyFault::Signature,
        |_| (),
        |a| a.signature = Signature::from_bytes([1; 64]),
    ),
    (PasskeyFault::NotVerified, |s| s.flags &= !UV, |_| ()),
    (PasskeyFault::Counter, |s| s.counter = 3, |_| ()),
];

/// The counter is remembered at 5 throughout, and a valid assertion says 6.
fn spoiled(spoils: &[&Spoil]) -> Result<u32, PasskeyFault> {
    let device = Device::ed25519();
    let mut said = Said {
        counter: 6,
        ..Said::valid()
    };
    for (_, before, _) in spoils {
        before(&mut said);
    }
    let mut assertion = device.assert(&said);
    for (_, _, after) in spoils {
        after(&mut assertion);
    }
    checked(&assertion, &device.key(), 5)
}

#[test]
fn each_alone_then_each_pair() {
    assert_eq!(spoiled(&[]), Ok(6));
    for one in SPOILS {
        assert_eq!(spoiled(&[one]), Err(one.0));
        for other in SPOILS {
            assert_eq!(
                spoiled(&[one, other]),
                Err(one.0.min(other.0)),
                "{:?}, {:?}",
                one.0,
                other.0
            );
        }
    }
}

#[test]
fn the_challenge_is_compared_as_text() {
    let device = Device::ed25519();
    let challenge = challenge_for(&ACT);
    for (what, challenge) in [("padded", "="), ("longer", "A"), ("line", "\\n")] {
        let mut said = Said::valid();
        said.client_data = client_data("webauthn.get", &challenge_for(&ACT), ORIGIN, CLOSED)
            .replace("\",\"origin", &format!("{challenge}\",\"origin"));
        let got = checked(&device.assert(&said), &device.key(), 0);
        assert_eq!(got, Err(PasskeyFault::Challenge), "{what}");
    }
    let shorter = client_data("webauthn.get", &challenge[..31], ORIGIN, CLOSED);
    let assertion = device.assert(&Said {
        client_data: shorter,
        ..Said::valid()
    });
    assert_eq!(
        checked(&assertion, &device.key(), 0),
        Err(PasskeyFault::Challenge)
    );
}
