//! The options satisfy a client that we did not write, and what it returns registers.

use crate::authenticator::Browser;
use crate::made::{CHALLENGE, ORIGIN, RP_ID, party};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::passkey::{Assertion, Credential, CredentialId, challenge_for, check};
use portcullis_core::signature::{PublicKey, Signature, Strict};
use portcullis_gate::registration::{
    Conveyance, CreationOptions, Registered, Registrant, RegistrationFault, RegistrationResponse,
    finish,
};
use serde_json::{Value, json};

fn options() -> CreationOptions {
    let user = Registrant {
        id: vec![7; 16],
        name: "account 7".into(),
        display_name: String::new(),
    };
    CreationOptions::new(RP_ID, "Bank", user, CHALLENGE)
}

fn returned(browser: &mut Browser, options: &Value) -> RegistrationResponse {
    let created = browser.create(ORIGIN, options);
    let base64url = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let json = json!({
        "id": created.id,
        "rawId": base64url(&created.raw_id),
        "type": "public-key",
        "response": {
            "clientDataJSON": base64url(&created.response.client_data_json),
            "attestationObject": base64url(&created.response.attestation_object),
            "transports": ["internal"],
        },
        "clientExtensionResults": {},
    });
    serde_json::from_value(json).unwrap()
}

fn register(browser: &mut Browser, algorithm: Option<i64>) -> Registered {
    let mut options = serde_json::to_value(options()).unwrap();
    if let Some(alg) = algorithm {
        options["pubKeyCredParams"] = json!([{ "type": "public-key", "alg": alg }]);
    }
    finish(&returned(browser, &options), &party(), &CHALLENGE).unwrap()
}

#[test]
fn the_options_read_as_the_standard_says() {
    let excluded = CredentialId(vec![1, 2, 3]);
    let options = options()
        .excluding([excluded])
        .conveying(Conveyance::Direct);
    let expected = json!({
        "rp": { "id": "bank.example", "name": "Bank" },
        "user": { "id": "BwcHBwcHBwcHBwcHBwcHBw", "name": "account 7", "displayName": "" },
        "challenge": "xMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMQ",
        "pubKeyCredParams": [
            { "type": "public-key", "alg": -7 },
            { "type": "public-key", "alg": -8 },
        ],
        "timeout": 300_000,
        "excludeCredentials": [{ "type": "public-key", "id": "AQID" }],
        "authenticatorSelection": {
            "residentKey": "preferred",
            "requireResidentKey": false,
            "userVerification": "required",
        },
        "attestation": "direct",
    });
    assert_eq!(serde_json::to_value(options).unwrap(), expected);
}

#[test]
fn what_a_software_authenticator_makes_registers_and_asserts() {
    for (algorithm, is_p256) in [(None, true), (Some(-7), true), (Some(-8), false)] {
        let mut browser = Browser::new(true, true);
        let registered = register(&mut browser, algorithm);
        assert_eq!(registered.rp_id, RP_ID);
        assert_eq!(matches!(registered.key, PublicKey::P256(_)), is_p256);
        assert_eq!(
            asserted(&mut browser, &registered),
            Ok(registered.counter + 1)
        );
    }
}

/// The counter of an assertion over an act by the credential that was registered.
fn asserted(browser: &mut Browser, registered: &Registered) -> Result<u32, String> {
    let challenge = challenge_for(&[0xac; 32]);
    let options = json!({
        "challenge": URL_SAFE_NO_PAD.encode(challenge),
        "rpId": RP_ID,
        "userVerification": "required",
    });
    let returned = browser.get(ORIGIN, &options);
    assert_eq!(returned.raw_id.to_vec(), registered.credential.0);
    let assertion = Assertion {
        credential: registered.credential.clone(),
        authenticator_data: returned.response.authenticator_data.to_vec(),
        client_data: returned.response.client_data_json.to_vec(),
        signature: Signature::from_client(&registered.key, &returned.response.signature).unwrap(),
    };
    let credential = Credential {
        key: &registered.key,
        counter: registered.counter,
    };
    let verified = check(&assertion, &credential, &party(), &challenge, &Strict)
        .map(|verified| verified.counter());
    verified.map_err(|fault| fault.to_string())
}

#[test]
fn an_authenticator_that_verifies_nobody_registers_nothing() {
    let mut browser = Browser::new(false, false);
    let mut lax = serde_json::to_value(options()).unwrap();
    lax["authenticatorSelection"]["userVerification"] = json!("discouraged");
    let returned = returned(&mut browser, &lax);
    assert_eq!(
        finish(&returned, &party(), &CHALLENGE),
        Err(RegistrationFault::NotVerified)
    );
}

#[test]
fn another_ceremony_s_challenge_registers_nothing() {
    let mut browser = Browser::new(true, false);
    let returned = returned(&mut browser, &serde_json::to_value(options()).unwrap());
    assert!(finish(&returned, &party(), &[0; 32]).is_err());
}
