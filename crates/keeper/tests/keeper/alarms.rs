//! Alarms reach the log and the webhook, whatever happens in between.

use crate::gate::Gate;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use portcullis_core::{Digest, Span};
use portcullis_keeper::alarms::{Alarm, Alarms};
use portcullis_keeper::testkit::{Hook, World};
use portcullis_keys::StatementKey as _;

fn alarms(gate: &Gate) -> Alarms {
    Alarms::open(gate.machine(), World::KEEPER).unwrap()
}

fn alarm(n: u8) -> Alarm {
    Alarm {
        name: "shrunk",
        about: Digest([n; 32]),
        text: "look".into(),
    }
}

fn header<'a>(hook: &'a Hook, name: &str) -> &'a str {
    let found = hook.0.iter().find(|(header, _)| header == name);
    &found.unwrap().1
}

/// As <https://www.standardwebhooks.com> says a receiver does.
#[test]
fn a_receiver_of_standard_webhooks_verifies_it() {
    let gate = Gate::new();
    let mut alarms = alarms(&gate);
    let key = gate.wire().ledger.world.keeper.clone();
    let mut courier = alarms.courier("http://hook/".into(), key.clone()).unwrap();
    alarms.raise(&alarm(1));
    assert!(courier.step());
    let hook = gate.wire().hooks[0].clone();
    let (id, time) = (
        header(&hook, "webhook-id"),
        header(&hook, "webhook-timestamp"),
    );
    let body = str::from_utf8(&hook.1).unwrap();
    let signature = header(&hook, "webhook-signature")
        .strip_prefix("v1a,")
        .unwrap();
    let signature = BASE64.decode(signature).unwrap();
    UnparsedPublicKey::new(&ED25519, key.public_key().as_bytes())
        .verify(format!("{id}.{time}.{body}").as_bytes(), &signature)
        .unwrap();
    let said: serde_json::Value = serde_json::from_slice(&hook.1).unwrap();
    assert_eq!(said["type"], "alarm.shrunk");
    assert_eq!(said["timestamp"], "2026-05-28T20:26:52.000Z");
    assert_eq!(said["data"]["keeper"], World::KEEPER.to_string());
    assert_eq!(said["data"]["about"], Digest([1; 32]).to_string());
}

#[test]
fn what_is_not_taken_is_tried_again_in_order_and_over_a_restart() {
    let gate = Gate::new();
    let key = gate.wire().ledger.world.keeper.clone();
    let mut alarms = alarms(&gate);
    let mut courier = alarms.courier("http://hook/".into(), key.clone()).unwrap();
    alarms.raise(&alarm(1));
    assert!(courier.step());
    gate.wire().hook_up = false;
    alarms.raise(&alarm(2));
    alarms.raise(&alarm(3));
    assert!(!courier.step());
    gate.wire().hook_up = true;
    assert!(!courier.step(), "left alone for a while");
    gate.disk.crash(0);
    drop((alarms, courier));

    let alarms = self::alarms(&gate);
    let mut courier = alarms.courier("http://hook/".into(), key).unwrap();
    while courier.step() {}
    let hooks = gate.wire().hooks.clone();
    let about = hooks.iter().map(|hook| {
        let said: serde_json::Value = serde_json::from_slice(&hook.1).unwrap();
        said["data"]["about"].as_str().unwrap()[..2].to_owned()
    });
    assert_eq!(about.collect::<Vec<_>>(), ["01", "02", "03"]);
}

#[test]
fn an_alarm_behind_a_torn_line_is_delivered_all_the_same() {
    let gate = Gate::new();
    let key = gate.wire().ledger.world.keeper.clone();
    alarms(&gate).raise(&alarm(1));
    let mut torn = gate.disk.bytes("alarms.jsonl").unwrap();
    torn.truncate(torn.len() - 9);
    gate.disk.put("alarms.jsonl", &torn);
    // It is raised, and the process dies before it is delivered.
    alarms(&gate).raise(&alarm(2));
    let again = alarms(&gate);
    let mut courier = again.courier("http://hook/".into(), key).unwrap();
    while courier.step() {}
    let hooks = gate.wire().hooks.clone();
    let said = hooks
        .iter()
        .map(|hook| String::from_utf8_lossy(&hook.1).into_owned());
    let about = Digest([2; 32]).to_string();
    assert!(said.into_iter().any(|said| said.contains(&about)));
}

#[test]
fn one_matter_is_one_alarm_and_a_full_disk_silences_none() {
    let gate = Gate::new();
    let key = gate.wire().ledger.world.keeper.clone();
    let mut alarms = alarms(&gate);
    let mut courier = alarms.courier("http://hook/".into(), key).unwrap();
    gate.disk.fill_after(0);
    assert!(alarms.raise(&alarm(1)));
    assert!(!alarms.raise(&alarm(1)));
    courier.step();
    gate.clock.pass(Span::seconds(60));
    courier.step();
    assert_eq!(gate.wire().hooks.len(), 1);
}
