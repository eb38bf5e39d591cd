//! A genesis that nobody could mean is refused, whoever reads it.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

use portcullis_chains::Amount;
use portcullis_chains::caip::AssetId;
use portcullis_core::State;
use portcullis_core::genesis::{Genesis, GenesisFault, Member, SignedGenesis};
use portcullis_core::id::WalletId;
use portcullis_core::network::Network;
use portcullis_core::passkey::PartyFault;
use portcullis_core::policy::{Policy, PolicyFault};
use portcullis_core::realm::Role;
use portcullis_core::signature::Strict;
use portcullis_core::time::Span;
use portcullis_keeper::testkit::World;
use portcullis_keys::StatementKey as _;
use portcullis_keys::software::SoftwareStatement;
use std::sync::Arc;
use zeroize::Zeroizing;

fn policy(cedar: &str) -> Policy {
    Policy {
        cedar: cedar.to_owned(),
        ..Policy::default_of_core().clone()
    }
}

/// A network begins with the policy that its genesis names.
#[test]
fn genesis_may_name_the_first_policy() {
    let mut genesis = World::new().network.genesis().clone();
    let first = policy("@id(\"all\") permit (principal, action, resource);");
    genesis.policy = Some(first.clone());
    let network = Network::new(signed(genesis), &Strict).unwrap();
    let state = State::new(Arc::new(network));
    assert_eq!(*state.facts().policy(), first);
    let names: Vec<_> = state.engine().statements().map(|s| &*s.name.0).collect();
    assert_eq!(names, ["all"]);
}

type Break = fn(&mut Genesis);

fn back_end(genesis: &mut Genesis) -> &mut Member {
    let mut staff = genesis.staff.iter_mut();
    staff
        .find(|member| member.roles.contains(&Role::BackEnd))
        .unwrap()
}

fn by_mandate(genesis: &mut Genesis, holds: Span) {
    genesis.wallets[0].mandate = Some(holds);
    genesis.wallets[0].fee_ceiling = Amount::ZERO;
}

/// Another wallet of the same signer, for which it would sign transactions.
fn beside(genesis: &mut Genesis) {
    let mut wallet = genesis.wallets[0].clone();
    (wallet.id, wallet.mandate) = (WalletId([9; 16]), None);
    wallet.address = World::address(9);
    genesis.wallets.push(wallet);
}

#[rustfmt::skip]
fn table() -> Vec<(GenesisFault, Break)> {
    use GenesisFault as F;
    vec![
        (F::Twice("realm's relying party"), |g| g.parties.push(g.parties[0].clone())),
        (F::Party(PartyFault::Empty), |g| g.parties[0].relying_party.origins.clear()),
        (F::Party(PartyFault::NotAnOrigin("http://bank.example".into())), |g| g.parties[0].relying_party.origins.push("http://bank.example".into())),
        (F::Twice("asset"), |g| g.assets.push(World::ETHER)),
        (F::Limits, |g| g.assets.retain(|asset| *asset != World::TOKEN)),
        (F::Limits, |g| g.limits.rules[0].asset = AssetId::EvmNative { chain: 2 }),
        (F::KeeperAmongStaff, |g| g.staff[0].roles.push(Role::Keeper)),
        (F::KeeperAmongStaff, |g| g.administrators[0].roles.push(Role::Keeper)),
        (F::BackEndAndMore, |g| g.administrators[0].roles.push(Role::BackEnd)),
        (F::BackEndAndMore, |g| back_end(g).roles.push(Role::Approver)),
        (F::NeedsMandates(World::WALLET), |g| g.wallets[0].address = "xrpl:0:rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh".parse().unwrap()),
        (F::NeedsMandates(World::WALLET), |g| g.wallets[0].address = "bip122:000000000019d6689c085ae165831e93:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4".parse().unwrap()),
        (F::Mandates(World::WALLET), |g| by_mandate(g, Span::seconds(59))),
        (F::Mandates(World::WALLET), |g| by_mandate(g, Span::hours(7 * 24 + 1))),
        (F::Mandates(World::WALLET), |g| { by_mandate(g, Span::hours(1)); g.wallets[0].fee_ceiling = Amount(1); }),
        (F::Mandates(World::WALLET), |g| { by_mandate(g, Span::hours(1)); g.keepers[0].key = SoftwareStatement::p256(&Zeroizing::new([7; 32])).unwrap().public_key().clone(); }),
        (F::Mandates(World::WALLET), |g| { by_mandate(g, Span::hours(1)); beside(g); }),
        (F::Policy(PolicyFault::NotCedar), |g| g.policy = Some(policy("permit"))),
    ]
}

#[test]
fn each_fault_is_found_by_the_genesis_itself() {
    let world = World::new();
    assert_eq!(world.network.genesis().check(), Ok(()));
    for (fault, breaks) in table() {
        let mut genesis = world.network.genesis().clone();
        breaks(&mut genesis);
        assert_eq!(genesis.check(), Err(fault.clone()), "{fault}");
        let refused = Network::new(signed(genesis), &Strict).unwrap_err();
        assert_eq!(refused, fault);
    }
}

#[test]
fn the_logs_origin_is_the_name_of_its_key() {
    let mut genesis = World::new().network.genesis().clone();
    genesis.log.origin.push_str("/other");
    let refused = Network::new(signed(genesis), &Strict).unwrap_err();
    assert_eq!(refused, GenesisFault::LogName);
}

#[test]
fn there_are_no_more_signatures_than_administrators() {
    let mut signed = World::new().network.signed().clone();
    signed.signatures.push(signed.signatures[0]);
    assert_eq!(signed.check(&Strict), Err(GenesisFault::Signatures));
}

/// With the administrators' signatures.
fn signed(genesis: Genesis) -> SignedGenesis {
    let message = genesis.signed_bytes();
    let administrators = genesis.administrators.iter();
    let signatures = administrators.map(|administrator| {
        let who = administrator.principal;
        (who, World::key(&who.0).sign(&message).unwrap())
    });
    SignedGenesis {
        signatures: signatures.collect(),
        genesis,
    }
}
