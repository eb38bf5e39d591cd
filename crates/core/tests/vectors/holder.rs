//! A customer who proves its acts, by whatever factor.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::factor::NewFactor;
use portcullis_core::id::PrincipalId;
use portcullis_core::passkey::{Assertion, CredentialId, challenge_for};
use portcullis_core::request::SignedRequest;
use portcullis_core::{Act, Evidence, Time};
use portcullis_keeper::testkit::{Customer, World};
use portcullis_keys::StatementKey as _;
use portcullis_keys::software::SoftwareStatement;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// What the customer proves itself with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A passkey on P-256, as most are.
    PasskeyP256,
    /// A passkey on Ed25519, whose signatures are the same every time.
    PasskeyEd25519,
    /// A request key.
    RequestKey,
}

/// The customer and its key.
pub(crate) struct Holder {
    /// Its ids.
    pub(crate) customer: Customer,
    kind: Kind,
    key: SoftwareStatement,
}

/// What an assertion says; the rest of it is always the same.
pub(crate) struct Says<'a> {
    pub(crate) origin: &'a str,
    pub(crate) rp_id: &'a str,
    pub(crate) flags: u8,
}

/// At the right place, user present and verified.
pub(crate) const HONEST: Says = Says {
    origin: "https://app.bank.example",
    rp_id: "bank.example",
    flags: 0x05,
};

impl Holder {
    pub(crate) fn new(kind: Kind) -> Self {
        let secret = Zeroizing::new([0x37; 32]);
        let key = match kind {
            Kind::PasskeyP256 => SoftwareStatement::p256(&secret).unwrap(),
            Kind::PasskeyEd25519 | Kind::RequestKey => SoftwareStatement::ed25519(&secret).unwrap(),
        };
        let customer = Customer::number(7);
        Self {
            customer,
            kind,
            key,
        }
    }

    /// The factor, to be enrolled.
    pub(crate) fn factor(&self) -> NewFactor {
        let key = self.key.public_key().clone();
        match self.kind {
            Kind::RequestKey => NewFactor::RequestKey { key },
            Kind::PasskeyP256 | Kind::PasskeyEd25519 => NewFactor::Passkey {
                credential: b"credential 7".to_vec(),
                rp_id: HONEST.rp_id.into(),
                key,
            },
        }
    }

    /// What the customer's act comes with: its own proof, and the request of who relays it.
    pub(crate) fn evidence(&self, act: &Act, relay: PrincipalId, now: Time) -> Evidence {
        let mut evidence = Evidence {
            requests: vec![World::request(relay, act, now)],
            ..Evidence::default()
        };
        match self.kind {
            Kind::RequestKey => evidence.requests.push(self.request(act, now)),
            _ => evidence.assertions.push(self.assertion(act, &HONEST)),
        }
        evidence
    }

    /// A request by the customer itself, to the platform.
    fn request(&self, act: &Act, now: Time) -> SignedRequest {
        self.signed("POST", act, now)
    }

    /// A request of the customer's that only reads about the act.
    pub(crate) fn read(&self, act: &Act, now: Time) -> SignedRequest {
        self.signed("GET", act, now)
    }

    /// The back end's request, signed with the customer's key.
    fn signed(&self, method: &str, act: &Act, now: Time) -> SignedRequest {
        let base = World::request(World::BACK_END, act, now).base;
        let base = portcullis_core::request::parse_base(&base).unwrap();
        let mut parts = base.parts().clone();
        parts.method = method.into();
        parts.key_id = self.factor().id().to_string();
        parts.path = "/portcullis/approve".into();
        parts.authority = "app.bank.example".into();
        let base = portcullis_core::request::Base::new(parts).unwrap();
        let base = base.to_bytes();
        let signature = self.key.sign(&base).unwrap();
        SignedRequest { base, signature }
    }

    /// An assertion over the act's digest.
    pub(crate) fn assertion(&self, act: &Act, says: &Says<'_>) -> Assertion {
        let challenge = URL_SAFE_NO_PAD.encode(challenge_for(&act.digest().0));
        let origin = says.origin;
        let client_data = format!(
            r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#
        );
        let mut data = Sha256::digest(says.rp_id).to_vec();
        // The counter rises with each act: the second byte of the ids that the test kit gives.
        data.extend([says.flags, 0, 0, 0, act.id.0[1]]);
        let message = [&data[..], &Sha256::digest(client_data.as_bytes())].concat();
        Assertion {
            credential: CredentialId(b"credential 7".to_vec()),
            authenticator_data: data,
            client_data: client_data.into_bytes(),
            signature: self.key.sign(&message).unwrap(),
        }
    }
}
