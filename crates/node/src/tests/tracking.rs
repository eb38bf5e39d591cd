//! The tracker on made-up observations.

use portcullis_chains::ethereum::{TRANSFER_TOPIC, Transfer};
use portcullis_chains::{Amount, AssetId};
use portcullis_core::time::Time;
use portcullis_keys::WalletKey;

use super::super::{
    Block, Delivery, Head, Log, Mined, Observation, REBROADCAST, Receipt, Standing, TrackError,
    Tracker,
};
use super::{CHAIN, PAYEE, at, ether, gwei, is_due, pay, pay_with, signed, token, wallet};

const TOKEN: [u8; 20] = [0x33; 20];

fn tracker(asset: AssetId) -> Tracker {
    Tracker::new(wallet().address(), pay(asset, 5, 7)).unwrap()
}

fn seen(next_nonce: u64, head: u64, receipts: Vec<Receipt>) -> Observation {
    let head = Head {
        block: block(head),
        base_fee: 1,
    };
    Observation {
        next_nonce,
        receipts,
        head,
    }
}

fn block(number: u64) -> Block {
    Block {
        number,
        hash: [u8::try_from(number).unwrap(); 32],
    }
}

fn receipt(hash: [u8; 32], number: u64, logs: Vec<Log>) -> Receipt {
    Receipt {
        hash,
        block: block(number),
        succeeded: true,
        logs,
    }
}

fn transfer_log(contract: [u8; 20], from: [u8; 20], to: [u8; 20], amount: u8) -> Log {
    let word = |address: [u8; 20]| {
        let mut word = [0; 32];
        word[12..].copy_from_slice(&address);
        word
    };
    let mut data = vec![0; 32];
    data[31] = amount;
    Log {
        contract,
        topics: vec![TRANSFER_TOPIC, word(from), word(to)],
        data,
    }
}

#[test]
fn standings() {
    let hash = pay(ether(), 5, 7).hash();
    let mined = |confirmations, delivery| {
        Standing::Mined(Mined {
            hash,
            block: block(10),
            confirmations,
            delivery,
        })
    };
    let there = || vec![receipt(hash, 10, vec![])];
    let failed = || {
        vec![Receipt {
            succeeded: false,
            ..receipt(hash, 10, vec![])
        }]
    };
    let table = [
        (
            "earlier nonces are still open",
            seen(5, 10, vec![]),
            Standing::Pending,
        ),
        ("its turn", seen(7, 10, vec![]), Standing::Pending),
        (
            "in the latest block",
            seen(8, 10, there()),
            mined(1, Delivery::Delivered),
        ),
        (
            "twelve deep",
            seen(8, 21, there()),
            mined(12, Delivery::Delivered),
        ),
        (
            "the head lags behind",
            seen(8, 9, there()),
            mined(0, Delivery::Delivered),
        ),
        (
            "the nonce lags behind",
            seen(7, 10, there()),
            mined(1, Delivery::Delivered),
        ),
        (
            "it failed",
            seen(8, 10, failed()),
            mined(1, Delivery::Reverted),
        ),
        ("somebody else's", seen(8, 10, vec![]), Standing::Unknown),
        (
            "a foreign receipt",
            seen(8, 10, vec![receipt([9; 32], 10, vec![])]),
            Standing::Unknown,
        ),
    ];
    for (name, seen, want) in table {
        assert_eq!(tracker(ether()).observe(&seen), want, "{name}");
    }
}

#[test]
fn a_token_has_arrived_when_its_contract_says_exactly_that() {
    let from = wallet().address();
    let exact = || transfer_log(TOKEN, from, PAYEE, 5);
    let approval = Log {
        topics: vec![[1; 32]; 3],
        ..exact()
    };
    let table = [
        ("exactly", vec![exact()], Delivery::Delivered),
        (
            "among others",
            vec![approval.clone(), exact()],
            Delivery::Delivered,
        ),
        ("nothing", vec![], Delivery::NotDelivered),
        ("another event", vec![approval], Delivery::NotDelivered),
        (
            "another contract",
            vec![transfer_log([9; 20], from, PAYEE, 5)],
            Delivery::NotDelivered,
        ),
        (
            "another payer",
            vec![transfer_log(TOKEN, [9; 20], PAYEE, 5)],
            Delivery::NotDelivered,
        ),
        (
            "another payee",
            vec![transfer_log(TOKEN, from, [9; 20], 5)],
            Delivery::NotDelivered,
        ),
        (
            "less",
            vec![transfer_log(TOKEN, from, PAYEE, 4)],
            Delivery::NotDelivered,
        ),
        (
            "more",
            vec![transfer_log(TOKEN, from, PAYEE, 6)],
            Delivery::NotDelivered,
        ),
    ];
    let hash = pay(token(TOKEN), 5, 7).hash();
    for (name, logs, want) in table {
        let mut tracker = tracker(token(TOKEN));
        match tracker.observe(&seen(8, 10, vec![receipt(hash, 10, logs)])) {
            Standing::Mined(mined) => assert_eq!(mined.delivery, want, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    let reverted = Receipt {
        succeeded: false,
        ..receipt(hash, 10, vec![exact()])
    };
    match tracker(token(TOKEN)).observe(&seen(8, 10, vec![reverted])) {
        Standing::Mined(mined) => assert_eq!(mined.delivery, Delivery::Reverted),
        other => panic!("{other:?}"),
    }
}

#[test]
fn attempts_compete() {
    let (first, second) = (pay(ether(), 5, 7), pay_with(ether(), 5, 7, gwei(20, 2)));
    let with_both = || {
        let mut tracker = tracker(ether());
        tracker.replace(second.clone()).unwrap();
        tracker
    };
    assert_eq!(with_both().newest(), &second);
    let of = |tx: [u8; 32]| vec![receipt(tx, 10, vec![])];
    let replaced = with_both().observe(&seen(8, 10, of(first.hash())));
    assert!(matches!(replaced, Standing::ReplacedBy(mined) if mined.hash == first.hash()));
    let newest = with_both().observe(&seen(8, 10, of(second.hash())));
    assert!(matches!(newest, Standing::Mined(mined) if mined.hash == second.hash()));
    let both = [of(first.hash()), of(second.hash())].concat();
    assert_eq!(
        with_both().observe(&seen(8, 10, both)),
        Standing::Unknown,
        "no chain has both"
    );

    let mut again = with_both();
    again.replace(first.clone()).unwrap();
    assert_eq!(again.newest(), &first);
    let mined = again.observe(&seen(8, 10, of(first.hash())));
    assert!(
        matches!(mined, Standing::Mined(_)),
        "one receipt is one, however often the bytes were named"
    );

    let mut tracker = tracker(ether());
    assert_eq!(
        tracker.replace(pay(ether(), 5, 8)),
        Err(TrackError::OtherPlace)
    );
    let elsewhere = AssetId::EvmNative { chain: CHAIN + 1 };
    let there = portcullis_chains::Address::Evm {
        chain: CHAIN + 1,
        address: PAYEE,
    };
    let elsewhere = Transfer::new(elsewhere, there, Amount(5), 7, gwei(10, 1)).unwrap();
    assert_eq!(
        tracker.replace(signed(elsewhere)),
        Err(TrackError::OtherPlace)
    );
    tracker
        .replace(signed(
            Transfer::void(at(wallet().address()), 7, gwei(20, 2)).unwrap(),
        ))
        .unwrap();
}

#[test]
fn when_the_same_bytes_are_sent_again() {
    let (start, mut tracker) = (Time(1_000_000), tracker(ether()));
    let before = tracker.newest().clone();
    assert!(is_due(&tracker, start), "never sent");
    tracker.sent(start);
    let again = start.after(REBROADCAST);
    assert!(!is_due(&tracker, start) && !is_due(&tracker, Time(again.0 - 1)));
    assert!(is_due(&tracker, again));
    assert_eq!(tracker.newest(), &before, "the same bytes");

    tracker.sent(again);
    let hash = before.hash();
    tracker.observe(&seen(8, 10, vec![receipt(hash, 10, vec![])]));
    assert!(!is_due(&tracker, Time(u64::MAX)), "it is in a block");
    tracker.observe(&seen(7, 11, vec![]));
    assert!(is_due(&tracker, again), "the block was taken back");
    tracker.sent(again);
    tracker.observe(&seen(8, 12, vec![]));
    assert!(
        !is_due(&tracker, Time(u64::MAX)),
        "the nonce is used: sending cannot help"
    );

    tracker.observe(&seen(7, 12, vec![]));
    tracker.sent(again);
    tracker
        .replace(pay_with(ether(), 5, 7, gwei(20, 2)))
        .unwrap();
    assert!(is_due(&tracker, again), "a new attempt goes out at once");
}
