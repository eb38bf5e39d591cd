//! What the gate really answers, against the schema of that answer in its own description.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod harness;

use axum::response::IntoResponse as _;
use harness::Gate;
use harness::http::{Served, serve};
use portcullis_core::act::Scope;
use portcullis_core::id::ActId;
use portcullis_core::{Act, Digest, Evidence, Reason};
use portcullis_gate::server::Problem;
use portcullis_keeper::testkit::World;
use serde_json::{Value, json};

const DOCUMENT: &str = include_str!("../../../docs/spec/openapi.json");

/// The schema keywords that the document uses; any other fails the test, so that none is passed over.
const KNOWN: [&str; 18] = [
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "description",
    "enum",
    "examples",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "oneOf",
    "pattern",
    "properties",
    "required",
];

struct Schemas(Value);

impl Schemas {
    /// What is wrong with a value, at the first place where something is.
    fn check(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let schema = schema.as_object().unwrap();
        for keyword in schema.keys().filter(|keyword| *keyword != "type") {
            assert!(KNOWN.contains(&keyword.as_str()), "{keyword} at {at}");
        }
        let wrong = |what: &str| Err(format!("{at}: {what}: {value}"));
        if let Some(reference) = schema.get("$ref") {
            let path = reference.as_str().unwrap().strip_prefix('#').unwrap();
            self.check(self.0.pointer(path).unwrap(), value, at)?;
        }
        if let Some(kind) = schema.get("type")
            && !is_of(kind.as_str().unwrap(), value)
        {
            return wrong("not of its type");
        }
        if schema.get("const").is_some_and(|only| only != value) {
            return wrong("not the constant");
        }
        let bound = |keyword| schema.get(keyword).and_then(Value::as_u64);
        if value.as_u64().is_some_and(|number| {
            bound("minimum").is_some_and(|least| number < least)
                || bound("maximum").is_some_and(|most| number > most)
        }) {
            return wrong("out of its bounds");
        }
        let listed = |all: &Value| all.as_array().unwrap().contains(value);
        if schema.get("enum").is_some_and(|all| !listed(all)) {
            return wrong("not in the enumeration");
        }
        for (keyword, exactly) in [("oneOf", true), ("anyOf", false)] {
            let Some(choices) = schema.get(keyword) else {
                continue;
            };
            let choices = choices.as_array().unwrap().iter();
            let fitting = choices
                .filter(|one| self.check(one, value, at).is_ok())
                .count();
            if fitting == 0 || (exactly && fitting > 1) {
                return wrong(&format!("{fitting} of {keyword} fit"));
            }
        }
        if let Some(pattern) = schema.get("pattern")
            && !value
                .as_str()
                .is_some_and(|text| fits(pattern.as_str().unwrap(), text))
        {
            return wrong("not of its pattern");
        }
        if let Some(items) = value.as_array() {
            let of = schema.get("items").unwrap();
            for (index, item) in items.iter().enumerate() {
                self.check(of, item, &format!("{at}/{index}"))?;
            }
        }
        self.check_members(schema, value, at)
    }

    fn check_members(
        &self,
        schema: &serde_json::Map<String, Value>,
        value: &Value,
        at: &str,
    ) -> Result<(), String> {
        let (Some(members), Some(known)) = (value.as_object(), schema.get("properties")) else {
            return Ok(());
        };
        for name in schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if !members.contains_key(name.as_str().unwrap()) {
                return Err(format!("{at}: {name} is missing"));
            }
        }
        for (name, member) in members {
            match known.get(name) {
                Some(schema) => self.check(schema, member, &format!("{at}/{name}"))?,
                None if schema.get("additionalProperties") == Some(&json!(false)) => {
                    return Err(format!("{at}: {name} is not described"));
                }
                None => {}
            }
        }
        Ok(())
    }

    /// The schema of what an operation answers.
    #[track_caller]
    fn answer(&self, (method, path): (&str, &str), (status, body): &(u16, Value)) {
        let mut response = &self.0["paths"][path][method]["responses"][status.to_string()];
        assert!(
            response.is_object(),
            "{method} {path} {status} is not described: {body}"
        );
        if let Some(reference) = response["$ref"].as_str() {
            response = self.0.pointer(&reference[1..]).unwrap();
        }
        let content = response["content"].as_object().unwrap();
        let (_, media) = content.iter().next().unwrap();
        let checked = self.check(&media["schema"], body, path);
        assert_eq!(checked, Ok(()), "{method} {path} {status}");
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    }
}

/// The document's few patterns.
fn fits(pattern: &str, text: &str) -> bool {
    let hex = |len| {
        text.len() == len
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    match pattern {
        "^[0-9a-f]{32}$" => hex(32),
        "^[0-9a-f]{64}$" => hex(64),
        "^[A-Za-z0-9_-]*$" => text.bytes().all(url),
        "^[A-Za-z0-9_-]{86}$" => text.len() == 86 && text.bytes().all(url),
        "^[A-Za-z0-9+/]{43}=$" => text.len() == 44 && text.ends_with('='),
        "^(0|[1-9][0-9]{0,38})$" => text
            .parse::<u128>()
            .is_ok_and(|number| number.to_string() == text),
        "^urn:portcullis:reason:[0-9]{3}$" => text
            .strip_prefix("urn:portcullis:reason:")
            .is_some_and(|number| number.len() == 3 && number.parse::<u16>().is_ok()),
        _ => panic!("no test knows the pattern {pattern}"),
    }
}

fn act_stands(schemas: &Schemas, served: &Served, act: Digest) {
    let answer = served.get(&format!("/v1/acts/{act}"));
    schemas.answer(("get", "/v1/acts/{digest}"), &answer);
}

#[test]
fn every_answer_is_as_described() {
    let schemas = Schemas(serde_json::from_str(DOCUMENT).unwrap());
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let (paid, evidence) = gate.withdrawal(&customer, 1, 1_000);
    let (unpaid, mut without) = gate.withdrawal(&customer, 1, 2_000);
    without.attestations.clear();
    let debit = Evidence {
        attestations: vec![gate.ledger.debit(&unpaid)],
        ..Evidence::default()
    };
    let (out, evidence_of_out) = gate.withdrawal(&customer, 1, 3_000);
    gate.submit(out.clone(), evidence_of_out).unwrap();
    gate.pass(portcullis_core::Span::seconds(1));
    gate.arrives(out.digest());
    gate.pass(portcullis_core::Span::seconds(1));
    gate.sync();
    let suspension = gate.ledger.suspension(Scope::Asset(World::TOKEN));
    gate.submit(suspension.0, suspension.1).unwrap();
    let served = serve(gate);

    let submit = ("post", "/v1/acts");
    for (act, evidence) in [(&paid, &evidence), (&paid, &evidence), (&unpaid, &without)] {
        let answer = served.send(served.submission(act, evidence));
        assert!(answer.0 < 300, "{answer:?}");
        schemas.answer(submit, &answer);
        act_stands(&schemas, &served, act.digest());
    }
    let none = served.submission(&served_again(&paid), &Evidence::default());
    let refused = served.send(none);
    assert!(refused.0 >= 400);
    schemas.answer(submit, &refused);

    let path = format!("/v1/acts/{}/evidence", unpaid.digest());
    let body = serde_json::to_vec(&debit).unwrap();
    let answer = served.send(served.request("POST", &path, Some(unpaid.digest()), body));
    assert_eq!(answer.0, 200, "{answer:?}");
    schemas.answer(("post", "/v1/acts/{digest}/evidence"), &answer);

    let receipt = served.get(&format!("/v1/acts/{}/receipt", out.digest()));
    assert_eq!(receipt.0, 200, "{receipt:?}");
    schemas.answer(("get", "/v1/acts/{digest}/receipt"), &receipt);
    act_stands(&schemas, &served, out.digest());
    act_stands(&schemas, &served, Digest([1; 32]));
    let account = served.get(&format!("/v1/accounts/{}", customer.account));
    schemas.answer(("get", "/v1/accounts/{id}"), &account);
    for path in ["/v1/checkpoint", "/v1/limits", "/v1/status"] {
        schemas.answer(("get", path), &served.raw("GET", path, &[], &[]));
    }
    let ask = json!({
        "realm": "customers", "rp_id": "bank.example", "rp_name": "Bank", "user": "AQID",
        "user_name": "someone", "exclude": ["BAUG"],
    });
    let path = "/v1/registrations/options";
    let body = serde_json::to_vec(&ask).unwrap();
    let options = served.send(served.request("POST", path, None, body));
    assert_eq!(options.0, 200, "{options:?}");
    schemas.answer(("post", path), &options);
}

/// Another act, which nobody proves.
fn served_again(act: &Act) -> Act {
    Act {
        id: ActId([7; 16]),
        ..act.clone()
    }
}

/// Whoever has to wait is told how long; whoever cannot be served now, too.
#[test]
fn holds_and_what_may_pass_later_say_when_to_ask_again() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let (act, mut evidence) = gate.withdrawal(&customer, 1, 1_000);
    evidence.attestations.clear();
    let served = serve(gate);
    let answer = served.plain(served.submission(&act, &evidence));
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert!(answer.contains("\r\nretry-after: 5\r\n"), "{answer}");
    let path = format!("/v1/acts/{}", act.digest());
    let read = served.request("GET", &path, None, Vec::new());
    let answer = served.plain(read);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\r\nretry-after: 5\r\n"), "{answer}");
    assert!(answer.contains(r#""act":{"#), "{answer}");
    for reason in Reason::ALL {
        let response = Problem::from(*reason).into_response();
        let must = matches!(response.status().as_u16(), 429 | 503);
        let says = response.headers().contains_key("retry-after");
        assert!(says || !must, "{reason}");
    }
}
