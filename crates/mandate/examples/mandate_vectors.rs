//! Writes `docs/spec/vectors/mandates.json`. `cargo run -p portcullis-mandate --example mandate_vectors`, in the root.

#![allow(
    clippy::unwrap_used,
    reason = "a tool for whoever works on the specification"
)]

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use portcullis_mandate::{Mandate, Payment, Permits, Signed};
use serde_json::{Value, json};

const NETWORK: [u8; 32] = [0x11; 32];
const WALLET: [u8; 16] = [0x22; 16];
const ACT: [u8; 32] = [0x33; 32];
/// 28 November 2026, 10:00 UTC.
const EXPIRES: u64 = 1_795_860_000_000;

fn key(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn right() -> Mandate {
    Mandate {
        network: NETWORK,
        wallet: WALLET,
        number: 17,
        act: ACT,
        permits: Permits::Pay {
            payment: Payment {
                asset: "xrpl:0/slip44:144".into(),
                to: "xrpl:0:rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh?dt=17".into(),
                amount: 1_500_000,
            },
            expires_ms: EXPIRES,
        },
    }
}

/// A text with whoever's signature over exactly that.
fn sign(text: &str, seed: u8) -> String {
    let signature = key(seed).sign(text.as_bytes());
    format!("{text}signature {}\n", hex::encode(signature.as_ref()))
}

fn paying(asset: &str, to: &str, amount: u128) -> Mandate {
    let payment = Payment {
        asset: asset.into(),
        to: to.into(),
        amount,
    };
    Mandate {
        permits: Permits::Pay {
            payment,
            expires_ms: EXPIRES,
        },
        ..right()
    }
}

fn case(name: &str, signed: &str, now: u64, answer: &Value) -> Value {
    json!({ "name": name, "signed": signed, "now": now, "answer": answer })
}

fn answer(mandate: &Mandate) -> Value {
    let Permits::Pay { payment, .. } = &mandate.permits else {
        return "void".into();
    };
    json!({ "asset": payment.asset, "to": payment.to, "amount": payment.amount.to_string() })
}

fn accepted() -> Vec<Value> {
    let longest = format!("{}:{}", "a".repeat(41), "b".repeat(128));
    let ethereum = "eip155:1:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
    [
        ("a payment with a tag", right()),
        ("by the signer's next key", right()),
        ("ether", paying("eip155:1/slip44:60", ethereum, 1)),
        (
            "the largest amount",
            paying("xrpl:0/slip44:144", "xrpl:0:r", u128::MAX),
        ),
        ("nothing", paying("xrpl:0/slip44:144", "xrpl:0:r", 0)),
        (
            "the longest address",
            paying("xrpl:0/slip44:144", &longest, 5),
        ),
        (
            "the first number",
            Mandate {
                number: 0,
                ..right()
            },
        ),
        (
            "the last number",
            Mandate {
                number: u64::MAX,
                ..right()
            },
        ),
    ]
    .iter()
    .enumerate()
    .map(|(at, (name, mandate))| {
        let seed = if at == 1 { 2 } else { 1 };
        let signed = sign(&mandate.to_string(), seed);
        case(name, &signed, EXPIRES - 1, &answer(mandate))
    })
    .collect()
}

fn refused() -> Vec<Value> {
    let text = right().to_string();
    let good = sign(&text, 1);
    let other = |mandate: Mandate| sign(&mandate.to_string(), 1);
    let elsewhere = Mandate {
        network: [0x12; 32],
        ..right()
    };
    let wallet = Mandate {
        wallet: [0x23; 16],
        ..right()
    };
    let void = Mandate {
        permits: Permits::Void,
        ..right()
    };
    let swapped = good.replace("1500000", "9500000");
    let moved = good.replace("dt=17", "dt=18");
    let mut cases = vec![
        case("at its end", &good, EXPIRES, &"expired".into()),
        case("long after", &good, u64::MAX, &"expired".into()),
        case(
            "another network's",
            &other(elsewhere),
            0,
            &"other-network".into(),
        ),
        case(
            "another wallet's",
            &other(wallet),
            0,
            &"other-wallet".into(),
        ),
        case("given up", &other(void), 0, &"void".into()),
        case("by a stranger", &sign(&text, 3), 0, &"signature".into()),
        case("another amount", &swapped, 0, &"signature".into()),
        case("another payee", &moved, 0, &"signature".into()),
    ];
    let mut again = case("paid already", &good, 0, &"again".into());
    again["paid"] = json!([hex::encode(ACT)]);
    cases.push(again);
    cases.extend(malformed(&text, &good));
    cases
}

/// Texts beside the canonical one.
fn altered(text: &str) -> Vec<(&'static str, String)> {
    vec![
        (
            "another first line",
            text.replace("mandate/v1", "mandate/v2"),
        ),
        ("a line too many", format!("{text}to xrpl:0:r\n")),
        ("a line too few", text.replace("number 17\n", "")),
        (
            "a line twice",
            text.replace("number 17\n", "number 17\nnumber 17\n"),
        ),
        (
            "lines in another order",
            text.replace("number 17\n", "")
                .replace("amount", "number 17\namount"),
        ),
        ("carriage returns", text.replace('\n', "\r\n")),
        (
            "upper case",
            text.replace(&"33".repeat(32), &"3A".repeat(32)),
        ),
        (
            "a zero before a number",
            text.replace("number 17", "number 017"),
        ),
        (
            "a sign before a number",
            text.replace("amount 1500000", "amount +1500000"),
        ),
        (
            "a number too large",
            text.replace("number 17", "number 18446744073709551616"),
        ),
        (
            "an amount too large",
            text.replace(
                "amount 1500000",
                "amount 340282366920938463463374607431768211456",
            ),
        ),
        ("two spaces", text.replace("amount ", "amount  ")),
        ("a space in a name", text.replace("?dt=17", " dt=17")),
        ("a name too long", text.replace("?dt=17", &"x".repeat(180))),
        ("no name", text.replace("asset xrpl:0/slip44:144", "asset ")),
        ("a name beyond ASCII", text.replace("rEb8", "rЕb8")),
        (
            "void beside a payment",
            text.replace("expires", "void\nexpires"),
        ),
        (
            "a digest too short",
            text.replace(&"11".repeat(32), &"11".repeat(31)),
        ),
    ]
}

/// Each signed by the right key: a verifier that reads loosely pays on it.
fn malformed(text: &str, good: &str) -> Vec<Value> {
    let signature = &good[text.len()..];
    let mut cases: Vec<Value> = altered(text)
        .iter()
        .map(|(name, text)| case(name, &sign(text, 1), 0, &"malformed".into()))
        .collect();
    let upper = format!(
        "{text}{}",
        signature.to_uppercase().replace("SIGNATURE", "signature")
    );
    for (name, signed) in [
        ("no signature", text.to_owned()),
        ("nothing at all", String::new()),
        ("no end of line", good.trim_end().to_owned()),
        ("something after it", format!("{good}\n")),
        ("a signature in upper case", upper),
        (
            "a signature too short",
            format!("{}\n", &good[..good.len() - 3]),
        ),
        ("too long", format!("{good}{}", "x".repeat(1024))),
    ] {
        cases.push(case(name, &signed, 0, &"malformed".into()));
    }
    cases
}

fn main() {
    let key = |seed| hex::encode(key(seed).public_key().as_ref());
    let signed = Signed::from_bytes(sign(&right().to_string(), 1).as_bytes()).unwrap();
    assert_eq!(signed.mandate, right());
    let mut cases = accepted();
    cases.extend(refused());
    let vectors = json!({
        "network": hex::encode(NETWORK), "wallet": hex::encode(WALLET),
        "keys": [key(1), key(2)], "cases": cases,
    });
    let text = serde_json::to_string_pretty(&vectors).unwrap() + "\n";
    std::fs::write("docs/spec/vectors/mandates.json", text).unwrap();
}
