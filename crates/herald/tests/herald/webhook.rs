//! Webhooks: signed so that a stranger can check, and posted only where the configuration says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use portcullis_contact::Reach;
use portcullis_core::Digest;
use portcullis_core::signature::{Signature, Strict, Verify as _};
use portcullis_herald::{Everywhere, Letter, Outcome, Post as _};
use portcullis_keeper::testkit::{CrashDisk, HandClock, Ledger, Net, World, machine};
use portcullis_keys::StatementKey as _;
use std::collections::BTreeMap;
use std::sync::Arc;

const ORIGIN: &str = "https://hooks.partner.example";

fn post() -> (Net, Everywhere) {
    let clock = HandClock::at(World::START);
    let net = Net::around(Ledger::new(Arc::new(World::with_a_herald()), clock.clone()));
    let machine = machine(&clock, &CrashDisk::default(), &net);
    let webhooks = BTreeMap::from([(ORIGIN.to_owned(), "http://hook".to_owned())]);
    let key = Arc::new(World::key(&World::HERALD.0));
    (net, Everywhere::new(None, webhooks, machine, key))
}

fn letter(reach: Reach) -> Letter {
    Letter {
        id: Digest([7; 32]),
        reach,
        kind: "address-added",
        act: Digest([8; 32]),
        entry: 9,
        time: World::START,
        subject: "Bank: a new \"address\"".into(),
        body: "One line.\nAnother.\n".into(),
    }
}

fn webhook(url: &str) -> Letter {
    letter(Reach::Webhook(url.into()))
}

#[test]
fn a_notice_is_signed_as_standard_webhooks_has_it() {
    let (net, post) = post();
    let sent = post.deliver(&webhook(&format!("{ORIGIN}/")), World::START);
    assert_eq!(sent, Outcome::Accepted);
    let wire = net.wire();
    let (headers, body) = &wire.hooks[0];
    let header = |name: &str| {
        let mut named = headers.iter().filter(|(known, _)| known == name);
        named.next().unwrap().1.clone()
    };
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    assert_eq!(id, format!("notice_{}", Digest([7; 32])));
    let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
    let signature = header("webhook-signature");
    let signature = BASE64
        .decode(signature.strip_prefix("v1a,").unwrap())
        .unwrap();
    let signature = Signature::from_bytes(signature.try_into().unwrap());
    let key = World::key(&World::HERALD.0).public_key().clone();
    assert!(Strict.verify(&key, &signed, &signature));
    let said: serde_json::Value = serde_json::from_slice(body).unwrap();
    assert_eq!(said["type"], "notice.address-added");
    assert_eq!(said["data"]["text"], "One line.\nAnother.\n");
    assert_eq!(said["data"]["act"], Digest([8; 32]).to_string());
}

/// A customer's URL leads nowhere but where the configuration says.
#[test]
fn another_origin_is_never_asked() {
    let (net, post) = post();
    for url in [
        "http://hook/",
        "https://hooks.partner.example.evil.example/",
        "https://hooks.partner.example:8443/",
        "http://hooks.partner.example/",
        "http://127.0.0.1:7400/v1/statements",
    ] {
        let sent = post.deliver(&webhook(url), World::START);
        assert!(matches!(sent, Outcome::Later(_)), "{url}: {sent:?}");
    }
    assert!(net.wire().hooks.is_empty());
}

#[test]
fn one_that_does_not_answer_is_tried_again_and_so_is_mail_without_a_server() {
    let (net, post) = post();
    net.wire().hook_up = false;
    let sent = post.deliver(&webhook(&format!("{ORIGIN}/token-4711")), World::START);
    assert!(matches!(sent, Outcome::Later(why) if !why.contains("4711")));
    let mail = letter(Reach::Mail("a@customer.example".into()));
    let sent = post.deliver(&mail, World::START);
    assert!(matches!(sent, Outcome::Later(_)));
}
