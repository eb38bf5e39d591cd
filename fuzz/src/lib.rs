//! Every parser of foreign bytes, as a function of bytes with a property.
//!
//! A target takes any bytes, says whether they were accepted, and panics where a property does not
//! hold: what parses is written again as it was, sizes are capped, another implementation agrees.
//! `tests/replay.rs` runs each on the kept corpus and on seeded mutations of it; `coverage/` puts
//! libFuzzer in front of the same functions, and `script/fuzz` runs that.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a target fails by panicking; what it makes itself is right or the target is wrong"
)]

mod bitcoin;
mod cbor;
mod chains;
mod client;
mod contact;
mod files;
mod gate;
mod labels;
mod mandate;
pub mod mutate;
mod node;
mod notes;
mod passkey;
mod request;
pub mod seeds;
mod shadow;
mod tiles;
mod world;

/// One parser.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name: that of its folder in `corpus/`.
    pub name: &'static str,
    /// Whether the bytes were accepted. Panics where a property does not hold.
    pub run: fn(&[u8]) -> bool,
}

/// All of them.
#[rustfmt::skip] // a table
pub const TARGETS: &[Target] = &[
    // What a client sends to the gate.
    Target { name: "gate-http", run: gate::http },
    Target { name: "request-headers", run: request::headers },
    Target { name: "request-base", run: request::base },
    Target { name: "posting-json", run: gate::posting_json },
    Target { name: "registration-json", run: passkey::registration },
    Target { name: "client-data", run: passkey::client_data },
    Target { name: "authenticator-data", run: passkey::authenticator_data },
    Target { name: "attestation-object", run: passkey::attestation_object },
    Target { name: "credential-key", run: passkey::credential_key },
    Target { name: "der-signature", run: passkey::der_signature },
    // What a gate answers, and what people are asked to sign.
    Target { name: "gate-answer", run: client::gate_answer },
    Target { name: "genesis-draft", run: client::genesis_draft },
    // Canonical encodings that somebody else writes.
    Target { name: "act", run: cbor::act },
    Target { name: "evidence", run: cbor::evidence },
    Target { name: "entry", run: cbor::entry },
    Target { name: "apply", run: cbor::apply },
    Target { name: "statement", run: cbor::statement },
    Target { name: "follow-answer", run: cbor::follow_answer },
    Target { name: "board-page", run: cbor::board_page },
    Target { name: "genesis", run: cbor::genesis },
    Target { name: "receipt", run: cbor::receipt },
    Target { name: "snapshot", run: cbor::snapshot },
    // What customers and vendors say, behind a seal or by way of a platform.
    Target { name: "contact", run: contact::contact },
    Target { name: "envelope", run: contact::envelope },
    Target { name: "totp-seed", run: contact::totp_seed },
    Target { name: "typed-code", run: contact::typed_code },
    Target { name: "vendor-answer", run: cbor::vendor_answer },
    // The log.
    Target { name: "note", run: notes::note },
    Target { name: "checkpoint", run: notes::checkpoint },
    Target { name: "verifier-key", run: notes::verifier_key },
    Target { name: "witness-request", run: notes::witness_request },
    Target { name: "witness-answer", run: notes::witness_answer },
    Target { name: "tile-path", run: tiles::path },
    Target { name: "tile-hashes", run: tiles::hashes },
    Target { name: "bundle", run: tiles::bundle },
    Target { name: "frontier", run: tiles::frontier },
    Target { name: "inclusion-proof", run: tiles::inclusion },
    // Chains and nodes.
    Target { name: "unsigned-transaction", run: chains::unsigned },
    Target { name: "signed-transaction", run: chains::signed },
    Target { name: "token-log", run: chains::token_log },
    Target { name: "caip", run: chains::caip },
    Target { name: "amount", run: chains::amount },
    Target { name: "node-answer", run: node::answer },
    Target { name: "bitcoin-node-answer", run: bitcoin::answer },
    Target { name: "bitcoin-psbt", run: bitcoin::psbt },
    Target { name: "bitcoin-transaction", run: bitcoin::transaction },
    Target { name: "bitcoin-signed", run: bitcoin::signed },
    // What a wallet service is to carry out.
    Target { name: "mandate", run: mandate::signed },
    // Lists of addresses.
    Target { name: "label-set", run: labels::set },
    Target { name: "address-key", run: labels::key },
    Target { name: "tagpack", run: labels::tagpack },
    Target { name: "label-rows", run: labels::rows },
    // A platform's own withdrawals.
    Target { name: "shadow-csv", run: shadow::csv },
    Target { name: "shadow-json", run: shadow::json },
    Target { name: "shadow-mapping", run: shadow::mapping },
    // Files.
    Target { name: "configuration", run: files::configuration },
    Target { name: "key-file", run: files::key_file },
    Target { name: "segment", run: files::segment },
    Target { name: "record-lines", run: files::record_lines },
    Target { name: "witness-memory", run: files::witness_memory },
    Target { name: "board-store", run: files::board_store },
];

/// The target of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
