//! 320 to 329: what is wrong with an assertion. (`tests/passkey` has every fault of every byte.)

use super::{Fault, Row, row};
use crate::stage::{PAYEE, Stage, request_key};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::act::{ActKind, Cancel, CancelAddress, RevokeFactor};
use portcullis_core::passkey::challenge_for;
use portcullis_core::state::account::Owner;
use portcullis_core::{Act, Decision, Evidence, Reason};
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
        row(R::PasskeyCounter, "a counter that a stop has raised", withdrawal, Later(|stage, act, evidence| {
            let stop = cancellation(stage);
            let assertions = vec![stage.customer.assertion_number(7, &stop)];
            stage.submit_with(stop, Evidence { assertions, ..Evidence::default() });
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

/// The customer takes back another withdrawal.
fn cancellation(stage: &mut Stage) -> Act {
    let act = stage.withdrawal(12);
    let act = stage.submit(act);
    stage.customers(ActKind::Cancel(Cancel { act }))
}

/// The customer takes back a request key that it had.
fn revocation(stage: &mut Stage) -> Act {
    stage.enrol_request_key();
    let principal = stage.customer.principal;
    let factor = request_key(principal).id();
    stage.customers(ActKind::RevokeFactor(RevokeFactor { principal, factor }))
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

/// Whoever keeps the journal lets in what it likes of a passkey's acts, in any order: a stop is no less
/// its holder's because a later act came first. It counts once, as every act.
#[test]
fn what_only_takes_away_counts_whatever_was_signed_since() {
    type Asks = fn(&mut Stage) -> ActKind;
    let restrictions: [(&str, Asks); 4] = [
        ("freeze", |_| ActKind::Freeze),
        ("cancel", |stage| cancellation(stage).kind),
        ("cancel an address", |_| {
            ActKind::CancelAddress(CancelAddress { address: PAYEE })
        }),
        ("revoke", |stage| revocation(stage).kind),
    ];
    for (name, kind) in restrictions {
        for counter in [0, 6, 7] {
            let mut stage = Stage::new();
            let kind = kind(&mut stage);
            let stop = stage.customers(kind);
            use_up(&mut stage, 7);
            let evidence = Evidence {
                assertions: vec![stage.customer.assertion_number(counter, &stop)],
                ..Evidence::default()
            };
            let before = passkeys_counter(&stage);
            let decision = stage.decide(&stop, &evidence);
            assert_eq!(decision, Decision::Release, "{name}, {counter}");
            stage.submit_with(stop.clone(), evidence.clone());
            let after = passkeys_counter(&stage);
            assert_eq!((before, after), (7, 7), "{name}, {counter}");
            let again = stage.decide(&stop, &evidence);
            let reason = Reason::Replayed;
            assert_eq!(again, Decision::Refuse { reason }, "{name}, {counter}");
        }
    }
}

/// In whatever order evidence lists a passkey's assertions, the highest counter is the one to pass.
#[test]
fn the_highest_counter_is_remembered() {
    for counters in [[5, 6], [6, 5]] {
        let mut stage = Stage::new();
        let act = stage.withdrawal(10);
        let mut evidence = stage.prove(&act);
        let assertions = counters.map(|counter| stage.customer.assertion_number(counter, &act));
        evidence.assertions = assertions.into();
        stage.submit_with(act, evidence);
        assert_eq!(passkeys_counter(&stage), 6, "{counters:?}");
    }
}

fn passkeys_counter(stage: &Stage) -> u32 {
    let (account, principal) = (stage.customer.account, stage.customer.principal);
    let owner = Owner::Holder { account, principal };
    let factor = stage.customer.factor().id();
    stage.facts().factor(owner, factor).unwrap().counter
}
