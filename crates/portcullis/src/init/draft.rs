//! A draft of a genesis: read, checked for what nobody can mean, and shown so that people can check it.

use crate::failure::Failure;
use crate::files;
use crate::out::{warn, word};
use crate::scope;
use portcullis_chains::ChainId;
use portcullis_core::Network;
use portcullis_core::act::Scope;
use portcullis_core::genesis::{CoinKey, Genesis, IssuerKind, Member};
use portcullis_core::limits::Limit;
use portcullis_core::realm::Realm;
use std::collections::BTreeSet;
use std::path::Path;

/// A draft that may be signed: sound by the rules of a genesis, and able to do what one is for.
pub(super) fn read(path: &Path) -> Result<Genesis, Failure> {
    let genesis: Genesis = parse(path)?;
    Network::check_draft(&genesis)?;
    let lacks: Vec<String> = lacks(&genesis).collect();
    if lacks.is_empty() {
        return Ok(genesis);
    }
    Err(Failure::usage(
        format!("the draft cannot be meant: {}", lacks.join("; ")),
        "mend the draft; a genesis cannot be mended once it is pinned",
    ))
}

pub(super) fn parse<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    serde_json::from_slice(&files::read(path)?).map_err(|error| {
        Failure::usage(
            format!("{}: {error}", path.display()),
            "compare it with the \"genesis\" part of a development network's genesis.json \
             (portcullis init --development DIR); docs/spec/genesis.md has every member",
        )
    })
}

/// What a network could not work without, though the rules allow a genesis that lacks it.
fn lacks(genesis: &Genesis) -> impl Iterator<Item = String> {
    let has = |kind| genesis.issuers.iter().any(|issuer| issuer.kind == kind);
    let customers = genesis.parties.iter().any(|p| p.realm == Realm::Customers);
    let table = [
        (
            !has(IssuerKind::Ledger),
            "no ledger issuer: no withdrawal could pass".into(),
        ),
        (
            !has(IssuerKind::Onboarding),
            "no onboarding issuer: no account could be opened".into(),
        ),
        (genesis.wallets.is_empty(), "no wallet pays".into()),
        (
            genesis.assets.is_empty(),
            "no asset may be withdrawn".into(),
        ),
        (
            !customers,
            "no relying party for customers: no passkey could be used".into(),
        ),
    ];
    let table = table.into_iter().filter(|(lacks, _)| *lacks);
    table.map(|(_, what)| what).chain(unpaid(genesis))
}

/// Assets on chains where no wallet pays.
fn unpaid(genesis: &Genesis) -> impl Iterator<Item = String> {
    let wallets = genesis.wallets.iter().map(|wallet| wallet.address.chain());
    let paid: BTreeSet<ChainId> = wallets.collect();
    let assets = genesis.assets.iter();
    let unpaid = assets.filter(move |asset| !paid.contains(&asset.chain()));
    unpaid.map(|asset| format!("no wallet is on the chain of asset {asset}"))
}

/// Everything that people must agree on, a line each. To standard error: the digest alone goes to
/// standard output.
pub(super) fn tell(genesis: &Genesis) {
    let line = |name: &str, text: String| warn(format_args!("{name:<15}{text}"));
    let (network, mode) = (&genesis.network, word(&genesis.mode));
    line(
        "network",
        format!("{network}, {mode}, rules {}", genesis.rules),
    );
    line("log", genesis.log.vkey.clone());
    tell_people(genesis);
    for keeper in &genesis.keepers {
        line("keeper", format!("{} {}", word(&keeper.kind), keeper.id));
    }
    let of = &genesis.witnesses;
    let (all, needed, faulty) = (of.vkeys.len(), of.quorum, of.faulty);
    line(
        "witnesses",
        format!("{needed} of {all} cosign; {faulty} may be dishonest"),
    );
    for vkey in &of.vkeys {
        line("witness", vkey.clone());
    }
    for board in &genesis.boards {
        line("stop board", board.id.to_string());
    }
    for issuer in &genesis.issuers {
        line("issuer", format!("{} {}", word(&issuer.kind), issuer.id));
    }
    line("root keys", genesis.roots.len().to_string());
    tell_money(genesis);
    for party in &genesis.parties {
        let (realm, origins) = (word(&party.realm), &party.relying_party.origins);
        line("passkeys of", format!("{realm} at {}", origins.join(", ")));
    }
}

fn tell_people(genesis: &Genesis) {
    let administrators = genesis.administrators.len();
    let line = |name: &str, text: String| warn(format_args!("{name:<15}{text}"));
    line(
        "quorum",
        format!("any {} of {administrators} administrators", genesis.quorum),
    );
    let people = |of: &Member| {
        let factors = of.factors.iter().map(|factor| factor.id().to_string());
        let roles: Vec<String> = of.roles.iter().map(word).collect();
        let (roles, factors) = (roles.join(", "), factors.collect::<Vec<_>>().join(", "));
        format!("{} {roles} with factor {factors}", of.principal)
    };
    for member in &genesis.administrators {
        line("administrator", people(member));
    }
    for member in &genesis.staff {
        line("staff", people(member));
    }
}

fn tell_money(genesis: &Genesis) {
    let line = |name: &str, text: String| warn(format_args!("{name:<15}{text}"));
    for wallet in &genesis.wallets {
        let (address, keeper, nonce) = (wallet.address, wallet.keeper, wallet.first_nonce);
        let fee = wallet.fee_ceiling;
        line(
            "wallet",
            format!("{address}, signer {keeper}, from nonce {nonce}, fee at most {fee}"),
        );
        if let Some(bitcoin) = &wallet.bitcoin {
            let waits = bitcoin.batch.0 / 1000;
            line("  change by", coin_key(&bitcoin.change));
            for key in &bitcoin.keys {
                line("  spends by", coin_key(key));
            }
            line("  gathers for", format!("{waits} s"));
        }
    }
    for asset in &genesis.assets {
        line("asset", asset.to_string());
    }
    for rule in &genesis.limits.rules {
        line("limit", limit(rule));
    }
    line("delay floor", format!("{} s", genesis.delay_floor.0 / 1000));
}

fn coin_key(key: &CoinKey) -> String {
    match key {
        CoinKey::P2wpkh(key) => format!("p2wpkh {}", word(key)),
        CoinKey::P2tr(key) => format!("p2tr {}", word(key)),
    }
}

fn limit(rule: &Limit) -> String {
    let bounds = [
        ("at once", rule.per_transaction),
        ("an hour", rule.hour),
        ("a day", rule.day),
        ("a week", rule.week),
    ];
    let bounds = bounds.into_iter();
    let bounds = bounds.filter_map(|(name, amount)| Some(format!("{} {name}", amount?)));
    let approval = rule.approval.iter();
    let approval = approval.map(|of| format!("{} approvals above {}", of.count, of.above));
    let all: Vec<String> = bounds.chain(approval).collect();
    let (scope, each) = (scope::text(Scope::Asset(rule.asset)), word(&rule.bounds));
    format!("{scope}, each {each}: {}", all.join(", "))
}
