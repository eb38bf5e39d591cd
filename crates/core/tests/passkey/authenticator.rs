//! 1Password's software authenticator (crate `passkey`), driven through WebAuthn's own JSON.
//!
//! Included by tests of other crates too, so that all ask the same authenticator.

use passkey::authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
use passkey::client::{Client, DefaultClientData};
use passkey::crypto::aws_lc_rs::AwsLcRsBackend;
use passkey::types::Passkey;
use passkey::types::ctap2::{Aaguid, Ctap2Error};
use passkey::types::webauthn::{
    AuthenticatedPublicKeyCredential, CreatedPublicKeyCredential, CredentialCreationOptions,
    CredentialRequestOptions,
};
use serde_json::Value;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use url::Url;

/// A person who is there, and whom the device recognises if `verified`.
struct Person {
    verified: bool,
}

#[async_trait::async_trait]
impl UserValidationMethod for Person {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        _: UiHint<'a, Passkey>,
        _: bool,
        _: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        Ok(UserCheck {
            presence: true,
            verification: self.verified,
        })
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}

/// A browser and its authenticator, with room for one credential.
pub(crate) struct Browser {
    client: Client<Option<Passkey>, Person, AwsLcRsBackend, public_suffix::PublicSuffixList, ()>,
}

impl Browser {
    /// With a signature counter, if `counting`.
    pub(crate) fn new(verified: bool, counting: bool) -> Self {
        let person = Person { verified };
        let mut authenticator =
            Authenticator::new(Aaguid::new_empty(), None, person, AwsLcRsBackend);
        authenticator.set_make_credentials_with_signature_counter(counting);
        Self {
            client: Client::new(authenticator),
        }
    }

    /// `navigator.credentials.create({ publicKey: options })` in a page at `origin`.
    pub(crate) fn create(&mut self, origin: &str, options: &Value) -> CreatedPublicKeyCredential {
        let origin = Url::parse(origin).unwrap();
        let public_key = serde_json::from_value(options.clone()).unwrap();
        let request = CredentialCreationOptions { public_key };
        ready(self.client.register(&origin, request, DefaultClientData)).unwrap()
    }

    /// `navigator.credentials.get({ publicKey: options })` in a page at `origin`.
    pub(crate) fn get(
        &mut self,
        origin: &str,
        options: &Value,
    ) -> AuthenticatedPublicKeyCredential {
        let origin = Url::parse(origin).unwrap();
        let public_key = serde_json::from_value(options.clone()).unwrap();
        let request = CredentialRequestOptions { public_key };
        ready(
            self.client
                .authenticate(&origin, request, DefaultClientData),
        )
        .unwrap()
    }
}

/// The authenticator waits for nothing, so its futures are ready when they are first asked.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the software authenticator waits for something"),
    }
}
