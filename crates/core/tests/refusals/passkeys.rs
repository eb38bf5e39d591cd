//! 320 to 329: what is wrong with an assertion. (`tests/passkey` has every fault of every byte.)

use super::{Fault, Row, row};
use crate::stage::Stage;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::passkey::challenge_for;
use portcullis_core::{Act, Evidence, Reason};
use sha2::{Digest as _, Sha256};

/// What client and authenticator say, before the passkey signs it.
struct Told {
    kind: &'static str,
    challenge: [u8; 32],
    origin: &'static str,
    cross_origin: bool,
    relying_party: &'static str,
    flags: u8,
    counter: u32,
}

impl Told {
    fn of(act: &Act) -> Self {
        Self {
            kind: "webauthn.get",
            challenge: challenge_for(&act.digest().0),
            origin: "https://app.bank.example",
            cross_origin: false,
            relying_party: "bank.example",
            flags: PRESENT | VERIFIED,
            counter: 0,
        }
    }

    fn put(&self, stage: &Stage, evidence: &mut Evidence) {
        let challenge = URL_SAFE_NO_PAD.encode(self.challenge);
        let (kind, origin, cross) = (self.kind, self.origin, self.cross_origin);
        let client = format!(
            r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}","crossOrigin":{cross}}}"#
        );
        let mut data = Sha256::digest(self.relying_party.as_bytes()).to_vec();
        data.push(self.flags);
        data.extend(self.counter.to_be_bytes());
        evidence.assertions = vec![stage.customer.sign(client.into_bytes(), data)];
    }
}

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;

#[rustfmt::skip]
pub(crate) fn rows() -> Vec<Row> {
    use Fault::Later;
    use Reason as R;
    vec![
        row(R::PasskeyMalformed, "client data that is not JSON", withdrawal, Later(|stage, act, evidence| {
            let data = stage.customer.assertion(act).authenticator_data;
            evidence.assertions = vec![stage.customer.sign(b"yes".to_vec(), data)];
        })),
        row(R::PasskeyMalformed, "authenticator data cut short", withdrawal, Later(|stage, act, evidence| {
            let good = stage.customer.assertion(act);
            let data = good.authenticator_data[..36].to_vec();
            evidence.assertions = vec![stage.customer.sign(good.client_data, data)];
        })),
        row(R::PasskeyType, "a registration", withdrawal, Later(|stage, act, evidence| {
            Told { kind: "webauthn.create", ..Told::of(act) }.put(stage, evidence);
        })),
        row(R::PasskeyChallenge, "an assertion for another act", withdrawal, Later(|stage, _, evidence| {
            let other = stage.withdrawal(11);
            evidence.assertions = vec![stage.customer.assertion(&other)];
        })),
        row(R::PasskeyChallenge, "the bare digest as challenge", withdrawal, Later(|stage, act, evidence| {
            Told { challenge: act.digest().0, ..Told::of(act) }.put(stage, evidence);
        })),
        row(R::PasskeyOrigin, "phished", withdrawal, Later(|stage, act, evidence| {
            Told { origin: "https://app.bank.example.evil.example", ..Told::of(act) }.put(stage, evidence);
        })),
        row(R::PasskeyCrossOrigin, "in a frame", withdrawal, Later(|stage, act, evidence| {
            Told { cross_origin: true, ..Told::of(act) }.put(stage, evidence);
        })),
        row(R::PasskeyRelyingParty, "another relying party", withdrawal, Later(|stage, act, evidence| {
            Told { relying_party: "example", ..Told::of(act) }.put(stage, evidence);
        })),
        row(R::PasskeyNotPresent, "nobody there", withdrawal, Later(|stage, act, evidence| {
            Told { flags: VERIFIED, ..Told::of(act) }.put(stage, evidence);
        })),
        row(R::PasskeySignature, "one bit of what was signed", withdrawal, Later(|_, _, evidence| {
            evidence.assertions[0].authenticator_data[36] ^= 1;
        })),
        row(R::PasskeyNotVerified, "somebody there", withdrawal, Later(|stage, act, evidence| {
            Told { flags: PRESENT, ..Told::of(act) }.put(stage, evidence);
        })),
        row(R::PasskeyCounter, "a counter that stands still", withdrawal, Later(|stage, act, evidence| {
            use_up(stage, 7);
            Told { counter: 7, ..Told::of(act) }.put(stage, evidence);
        })),
        row(R::PasskeyCounter, "a counter that went back", withdrawal, Later(|stage, act, evidence| {
            use_up(stage, 7);
            Told { counter: 6, ..Told::of(act) }.put(stage, evidence);
        })),
    ]
}

fn withdrawal(stage: &mut Stage) -> Act {
    stage.withdrawal(10)
}

/// Another act goes out by an assertion with this counter.
fn use_up(stage: &mut Stage, counter: u32) {
    let act = stage.withdrawal(11);
    let mut evidence = stage.prove(&act);
    Told {
        counter,
        ..Told::of(&act)
    }
    .put(stage, &mut evidence);
    stage.submit_with(act, evidence);
}
