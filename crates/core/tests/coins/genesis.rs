//! What a genesis may say of a wallet of coins.

use crate::kit::{CHAIN, of_coins, segwit, segwit_of, taproot};
use portcullis_chains::Amount;
use portcullis_chains::bitcoin::Lock;
use portcullis_chains::caip::{Address, BitcoinAddress};
use portcullis_core::Span;
use portcullis_core::genesis::{CoinKey, Compressed, Genesis, GenesisFault, XOnly};
use portcullis_keeper::testkit::World;

type Change = fn(&mut Genesis);

#[test]
fn a_wallet_of_coins_is_what_its_keys_say() {
    let mut genesis = World::new().network.genesis().clone();
    of_coins(&mut genesis);
    assert_eq!(genesis.check(), Ok(()));
    let mut sixteen = genesis.clone();
    *keys(&mut sixteen) = (20..35).map(segwit_of).collect();
    assert_eq!(sixteen.check(), Ok(()));
    let fault = Err(GenesisFault::Bitcoin(World::WALLET));
    let rows: [(&str, Change); 10] = [
        ("another address", |g| {
            g.wallets[0].address =
                Address::Bitcoin(BitcoinAddress::new(CHAIN, Lock::P2tr([1; 32])));
        }),
        ("another chain", |g| {
            g.wallets[0].address = World::address(1);
        }),
        ("the change key twice", |g| keys(g).push(taproot())),
        ("a key twice", |g| keys(g).push(segwit())),
        ("no point", |g| {
            keys(g).push(CoinKey::P2tr(XOnly([0xff; 32])));
        }),
        ("no compressed point", |g| {
            keys(g).push(CoinKey::P2wpkh(Compressed([4; 33])));
        }),
        ("a ceiling that cannot exist", |g| {
            g.wallets[0].fee_ceiling = Amount(2_100_000_000_000_001);
        }),
        ("a batch of more than a day", |g| {
            g.wallets[0].bitcoin.as_mut().unwrap().batch = Span(Span::hours(24).0 + 1);
        }),
        ("seventeen keys", |g| {
            keys(g).clear();
            keys(g).extend((20..36).map(segwit_of));
        }),
        ("a mandate beside", |g| {
            g.wallets[0].mandate = Some(Span::hours(1));
        }),
    ];
    for (what, change) in rows {
        let mut changed = genesis.clone();
        change(&mut changed);
        assert_eq!(changed.check(), fault, "{what}");
    }
    genesis.wallets[0].bitcoin = None;
    assert_eq!(
        genesis.check(),
        Err(GenesisFault::NeedsMandates(World::WALLET))
    );
}

fn keys(genesis: &mut Genesis) -> &mut Vec<CoinKey> {
    &mut genesis.wallets[0].bitcoin.as_mut().unwrap().keys
}

#[test]
fn it_is_read_as_it_is_written() {
    let mut genesis = World::new().network.genesis().clone();
    of_coins(&mut genesis);
    let text = serde_json::to_string(&genesis).unwrap();
    assert!(text.contains(r#""bitcoin":{"change":{"p2tr":""#));
    assert_eq!(serde_json::from_str::<Genesis>(&text).unwrap(), genesis);
    let before = serde_json::to_string(World::new().network.genesis()).unwrap();
    assert!(!before.contains("bitcoin"));
}
