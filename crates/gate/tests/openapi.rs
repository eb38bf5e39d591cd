//! The API's description against the API: every route, every refusal's status, every reference.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

use portcullis_core::Reason;
use portcullis_gate::server::Problem;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const DOCUMENT: &str = include_str!("../../../docs/spec/openapi.json");
const ROUTER: &str = include_str!("../src/server/mod.rs");
const METHODS: [&str; 2] = ["get", "post"];

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// Each operation with its method and path.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    operations.collect()
}

/// What `.route("PATH", METHOD(…))` says in the router's source.
fn routes() -> BTreeSet<String> {
    let lines = ROUTER.lines().map(str::trim);
    let routes = lines.filter_map(|line| line.strip_prefix(".route(\""));
    routes
        .map(|route| {
            let (path, handler) = route.split_once("\", ").unwrap();
            let (method, _) = handler.split_once('(').unwrap();
            assert!(METHODS.contains(&method), "{route}");
            format!("{method} {}", path.replace("{*", "{"))
        })
        .collect()
}

#[test]
fn every_route_is_described_and_every_description_routed() {
    let document = document();
    let described = operations(&document).into_iter().map(|(name, _)| name);
    let described: BTreeSet<String> = described.collect();
    let routed = routes();
    assert!(routed.contains("post /v1/acts"), "{routed:?}");
    assert_eq!(described, routed);
}

/// Each reason stands among the numbers of exactly the response that has its status.
#[test]
fn every_reason_stands_under_its_status() {
    let document = document();
    let responses = document["components"]["responses"].as_object().unwrap();
    let mut described = BTreeMap::new();
    for response in responses.values() {
        let example = &response["content"]["application/problem+json"]["example"];
        let status = example["status"].as_u64().unwrap();
        for reason in response["x-reasons"].as_array().unwrap() {
            let twice = described.insert(reason.as_u64().unwrap(), status);
            assert_eq!(twice, None, "{reason} stands twice");
        }
    }
    let code = Reason::ALL.iter().map(|reason| {
        let status = Problem::from(*reason).status().as_u16();
        (u64::from(reason.number()), u64::from(status))
    });
    assert_eq!(described, code.collect());
}

#[test]
fn every_reason_has_its_name() {
    let document = document();
    let names = &document["components"]["schemas"]["ReasonName"]["enum"];
    let code: Vec<&str> = Reason::ALL.iter().map(|reason| reason.slug()).collect();
    assert_eq!(*names, serde_json::json!(code));
}

#[test]
fn it_has_the_shape_of_openapi() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let mut ids = BTreeSet::new();
    for (name, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} stands twice");
        assert!(operation["summary"].is_string(), "{name}");
        let responses = operation["responses"].as_object().unwrap();
        let good = responses.keys().filter(|status| status.starts_with('2'));
        assert!(good.count() >= 1, "{name}");
        for (status, response) in responses {
            let is_refusal = response.get("$ref").is_some();
            assert_eq!(!status.starts_with('2'), is_refusal, "{name} {status}");
        }
        assert_eq!(
            variables(&name),
            path_parameters(&document, operation),
            "{name}"
        );
    }
}

/// An operation's refusals are those that its statuses name.
#[test]
fn every_refusal_is_listed_under_its_own_status() {
    let document = document();
    for (name, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let Some(reference) = response["$ref"].as_str() else {
                continue;
            };
            let refusal = look_up(&document, reference).unwrap();
            let example = &refusal["content"]["application/problem+json"]["example"];
            assert_eq!(example["status"].to_string(), *status, "{name}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 50);
    for reference in references {
        assert!(look_up(&document, reference).is_some(), "{reference}");
    }
}

/// The names between braces in a path.
fn variables(path: &str) -> BTreeSet<String> {
    let parts = path.split('{').skip(1);
    let names = parts.filter_map(|part| part.split_once('}'));
    names.map(|(name, _)| name.to_owned()).collect()
}

fn path_parameters(document: &Value, operation: &Value) -> BTreeSet<String> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let resolved = parameters.map(|parameter| match parameter["$ref"].as_str() {
        Some(reference) => look_up(document, reference).unwrap(),
        None => parameter,
    });
    let in_path = resolved.filter(|parameter| parameter["in"] == "path");
    let names = in_path.map(|parameter| parameter["name"].as_str().unwrap().to_owned());
    names.collect()
}

fn look_up<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    document.pointer(reference.strip_prefix('#')?)
}

fn collect<'a>(value: &'a Value, references: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str));
            members
                .values()
                .for_each(|member| collect(member, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}
