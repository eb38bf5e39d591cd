//! What holds of every plan, whatever a node lists and whatever is asked for.

use bitcoin::Transaction;
use bitcoin::consensus::encode::deserialize;
use portcullis_chains::Amount;
use portcullis_chains::bitcoin::{
    Checked, Coin, CoinError, Demands, FeeRate, Lock, MAX_LOCK_HEIGHT, MAX_PAYMENTS, OutPoint,
    Payment, PaymentError, Plan, PlanError, Sats, Terms, Unspent,
};
use portcullis_chains::caip::{BitcoinAddress, BitcoinChain};
use proptest::prelude::*;

use crate::consensus::{is_valid, spent};
use crate::kit::{
    By, CHAIN, HEIGHT, Paid, checked, demands, example, payment, plan, rate, sats, signed, terms,
    wallet,
};

fn paid() -> impl Strategy<Value = Vec<Paid>> {
    let by = prop_oneof![Just(By::P2wpkh), Just(By::P2tr)];
    let amount = prop_oneof![1_u64..2_000, 1_u64..500_000];
    prop::collection::vec((by, amount), 0..12).prop_map(|list| {
        let numbered = (0..).zip(list);
        numbered
            .map(|(number, (by, amount))| Paid::by(by, number, amount))
            .collect()
    })
}

fn payments() -> impl Strategy<Value = Vec<Payment>> {
    let lock = prop_oneof![
        any::<[u8; 20]>().prop_map(Lock::P2pkh),
        any::<[u8; 20]>().prop_map(Lock::P2sh),
        any::<[u8; 20]>().prop_map(Lock::P2wpkh),
        any::<[u8; 32]>().prop_map(Lock::P2wsh),
        any::<[u8; 32]>().prop_map(Lock::P2tr),
    ];
    let one = (lock, 546_u64..200_000).prop_map(|(lock, sats)| payment(lock, sats));
    prop::collection::vec(one, 0..5)
}

/// The least that has to be there for a plan to be possible, by a count of its own: every coin
/// spent, change made, and no signature smaller than it can be.
fn plenty(paid: &[Paid], payments: &[Payment], rate: u64) -> u64 {
    let due: u64 = payments.iter().map(|payment| payment.amount().get()).sum();
    let virtual_bytes = 12 + 69 * paid.len() as u64 + 43 * (payments.len() as u64 + 1);
    due + virtual_bytes * rate / 1_000 + 1 + 330
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn every_plan(
        paid in paid(),
        payments in payments(),
        per_1000 in 1_000_u64..50_000,
        ceiling in 0_u64..60_000,
        turn in 0_usize..12,
    ) {
        let ceiling = sats(ceiling);
        let terms = Terms { rate: rate(per_1000), ceiling, ..terms(&payments) };
        let coins: Vec<Coin> = paid.iter().map(Paid::coin).collect();
        let made = Plan::make(coins.clone(), &wallet(), &terms);

        let mut turned = [coins.clone(), coins].concat();
        let turn = turn % turned.len().max(1);
        turned.rotate_left(turn);
        turned.reverse();
        prop_assert_eq!(&made, &Plan::make(turned, &wallet(), &terms), "another order, twice");

        match made {
            Ok(plan) => {
                let demands = Demands { ceiling, ..demands(&payments, None) };
                let checked = checked(&plan, &demands);
                prop_assert_eq!(checked.txid(), plan.txid());
                let raw = signed(&checked).to_bytes();
                let spent = spent(&plan, &paid);
                prop_assert!(is_valid(&raw, &spent));
                adds_up(&deserialize(&raw).unwrap(), &spent, &plan, &terms);
            }
            Err(PlanError::FeeAboveCeiling { fee, .. }) => prop_assert!(fee > ceiling.get()),
            Err(PlanError::Insufficient) => {
                let total: u64 = paid.iter().map(|paid| paid.output.value.to_sat()).sum();
                prop_assert!(total < plenty(&paid, &payments, per_1000));
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

fn adds_up(tx: &Transaction, spent: &[bitcoin::TxOut], plan: &Plan, terms: &Terms<'_>) {
    let sum =
        |outputs: &[bitcoin::TxOut]| outputs.iter().map(|out| out.value.to_sat()).sum::<u64>();
    let fee = sum(spent) - sum(&tx.output);
    assert_eq!(fee, plan.fee().get());
    assert!(fee <= terms.ceiling.get());
    let at_least = tx.vsize() as u64 * 1_000;
    assert!(fee * 1_000 >= at_least, "below what nodes relay");
    let wanted = FeeRate::per_1000_virtual_bytes(fee * 1_000 / tx.vsize() as u64);
    assert!(wanted.is_ok_and(|got| got >= terms.rate), "below the rate");
    for output in &tx.output {
        assert!(
            output.value >= output.script_pubkey.minimal_non_dust(),
            "dust"
        );
    }
    let (paid, change) = tx.output.split_at(terms.payments.len());
    for (output, payment) in paid.iter().zip(terms.payments) {
        assert_eq!(output.value.to_sat(), payment.amount().get());
        assert_eq!(output.script_pubkey, payment.to().lock().script());
    }
    assert!(change.len() <= 1);
    assert!(
        change
            .iter()
            .all(|out| out.script_pubkey == wallet().change().script())
    );
    assert_eq!(tx.lock_time.to_consensus_u32(), HEIGHT);
    assert!(tx.input.iter().all(|input| input.sequence.0 == 0xffff_fffd));
}

#[test]
fn the_largest_come_first_and_strangers_dust_never() {
    let paid: Vec<Paid> = (0..40)
        .map(|number| Paid::by(By::P2wpkh, number, if number < 30 { 600 } else { 20_000 }))
        .collect();
    let payments = [payment(Lock::P2wpkh([1; 20]), 50_000)];
    let plan = plan(&paid, &terms(&payments));
    let amounts: Vec<u64> = plan
        .coins()
        .iter()
        .map(|coin| coin.amount().get())
        .collect();
    assert_eq!(amounts, [20_000; 3]);
}

/// BIP 125: a replacement conflicts, pays more, pays more per byte, and pays for its own relay.
#[test]
fn a_replacement_shares_the_first_input_and_outbids() {
    let (mut paid, payments, first) = example();
    paid.push(Paid::by(By::P2tr, 3, 900_000));
    paid.push(Paid::by(By::P2wpkh, 4, 800));
    let standing = checked(&first, &demands(&payments, None)).standing();
    assert_eq!(standing.shared(), first.coins()[0].outpoint());
    assert_eq!(
        (standing.txid(), standing.fee()),
        (first.txid(), first.fee())
    );
    for (payments, per_1000) in [(&payments[..], 1_000), (&payments, 9_000), (&[], 1_000)] {
        let terms = Terms {
            rate: rate(per_1000),
            replaced: Some(&standing),
            ..terms(payments)
        };
        let next = plan(&paid, &terms);
        assert_eq!(next.coins()[0].outpoint(), standing.shared());
        let signed = |plan: &Plan, of: &Demands<'_>| -> Transaction {
            deserialize(&signed(&checked(plan, of)).to_bytes()).unwrap()
        };
        assert!(checked(&next, &demands(payments, Some(&standing))).outbids(&standing));
        let before = signed(&first, &demands(&example().1, None));
        let after = signed(&next, &demands(payments, Some(&standing)));
        let (old, new) = (first.fee().get(), next.fee().get());
        assert!(new >= old + after.vsize() as u64, "{old} {new}");
        assert!(new * before.vsize() as u64 > old * after.vsize() as u64);
        assert!(is_valid(
            &bitcoin::consensus::serialize(&after),
            &spent(&next, &paid)
        ));
        if payments.is_empty() {
            assert_eq!(after.output.len(), 1, "a void pays the wallet only");
            assert_eq!(after.output[0].script_pubkey, wallet().change().script());
        }
    }
    assert!(!checked(&first, &demands(&payments, None)).outbids(&standing));
    let bumped = Terms {
        replaced: Some(&standing),
        ..terms(&payments)
    };
    let without = paid[1..].iter().map(Paid::coin);
    assert_eq!(
        Plan::make(without, &wallet(), &bumped),
        Err(PlanError::SharedMissing)
    );
    let low = Terms {
        ceiling: first.fee(),
        ..bumped
    };
    let low = Plan::make(paid.iter().map(Paid::coin), &wallet(), &low);
    assert!(matches!(low, Err(PlanError::FeeAboveCeiling { .. })));
}

/// A larger transaction that paid only its own relay more would pay less per byte than what it is to
/// replace, and miners would keep the old one.
#[test]
fn a_larger_replacement_pays_no_less_per_byte() {
    let (mut paid, payments, first) = example();
    let standing = checked(&first, &demands(&payments, None)).standing();
    paid.truncate(1);
    paid.extend((10..30).map(|number| Paid::by(By::P2wpkh, number, 3_000)));
    let terms = Terms {
        rate: rate(1_000),
        replaced: Some(&standing),
        ..terms(&payments)
    };
    let next = checked(&plan(&paid, &terms), &demands(&payments, Some(&standing)));
    let size = |of: &Checked| -> u64 {
        let tx: Transaction = deserialize(&signed(of).to_bytes()).unwrap();
        tx.vsize() as u64
    };
    let old_size = size(&checked(&first, &demands(&payments, None)));
    assert!(size(&next) > 2 * old_size);
    assert!(next.fee().get() * old_size > first.fee().get() * size(&next));
}

#[test]
fn change_of_the_replaced_is_no_coin() {
    let (paid, payments, first) = example();
    let checked = checked(&first, &demands(&payments, None));
    let standing = checked.standing();
    let raw = signed(&checked).to_bytes();
    let change = first.change().unwrap().get();
    let change = Unspent {
        outpoint: OutPoint::new(first.txid(), 2),
        amount: change,
        script: wallet().change().script().as_bytes(),
        previous: Some(&raw),
    }
    .prove();
    let terms = Terms {
        replaced: Some(&standing),
        ..terms(&payments)
    };
    let make = |coins: Vec<Coin>| Plan::make(coins, &wallet(), &terms);
    let without = make(vec![paid[0].coin(), change.clone()]);
    assert_eq!(without, Err(PlanError::Insufficient));
    assert!(make(vec![paid[0].coin(), paid[1].coin(), change]).is_ok());
}

trait Prove {
    fn prove(&self) -> Coin;
}

impl Prove for Unspent<'_> {
    fn prove(&self) -> Coin {
        Coin::prove(self, &wallet()).unwrap()
    }
}

/// Each row is what a node lists.
#[test]
fn lies_about_coins() {
    let (v0, tr) = (
        Paid::by(By::P2wpkh, 1, 70_000),
        Paid::by(By::P2tr, 2, 60_000),
    );
    let foreign = Paid::to(Lock::P2wpkh([3; 20]), 3, 50_000);
    let too_large = vec![0; 400_001];
    let no_output = OutPoint {
        vout: 2,
        ..v0.outpoint
    };
    let table = [
        (
            "amount",
            Unspent {
                amount: 70_001,
                ..v0.unspent()
            },
            CoinError::Lie,
        ),
        (
            "script",
            Unspent {
                script: tr.output.script_pubkey.as_bytes(),
                ..v0.unspent()
            },
            CoinError::Lie,
        ),
        (
            "amount of P2TR",
            Unspent {
                amount: 1,
                ..tr.unspent()
            },
            CoinError::Lie,
        ),
        (
            "no proof",
            Unspent {
                previous: None,
                ..v0.unspent()
            },
            CoinError::NoPrevious,
        ),
        (
            "other proof",
            Unspent {
                previous: Some(&tr.previous),
                ..v0.unspent()
            },
            CoinError::OtherPrevious,
        ),
        (
            "no transaction",
            Unspent {
                previous: Some(&[2, 0]),
                ..v0.unspent()
            },
            CoinError::PreviousMalformed,
        ),
        (
            "too large",
            Unspent {
                previous: Some(&too_large),
                ..v0.unspent()
            },
            CoinError::PreviousTooLarge,
        ),
        (
            "no such output",
            Unspent {
                outpoint: no_output,
                ..v0.unspent()
            },
            CoinError::NoSuchOutput,
        ),
        ("a stranger's", foreign.unspent(), CoinError::Foreign),
    ];
    for (what, unspent, why) in table {
        assert_eq!(Coin::prove(&unspent, &wallet()), Err(why), "{what}");
    }
    let impossible = Unspent {
        amount: u64::MAX,
        previous: None,
        ..tr.unspent()
    };
    assert!(matches!(
        Coin::prove(&impossible, &wallet()),
        Err(CoinError::TooMuch(_))
    ));
}

#[test]
fn of_two_claims_the_proven_one_counts_and_without_proof_neither() {
    let paid = Paid::by(By::P2tr, 2, 60_000);
    let said = |amount| {
        Unspent {
            amount,
            previous: None,
            ..paid.unspent()
        }
        .prove()
    };
    let payments = [payment(Lock::P2wpkh([1; 20]), 10_000)];
    let make = |coins: Vec<Coin>| Plan::make(coins, &wallet(), &terms(&payments));
    let proven = make(vec![paid.coin()]).unwrap();
    assert_eq!(make(vec![said(99_000), paid.coin()]), Ok(proven.clone()));
    assert_eq!(make(vec![paid.coin(), said(99_000)]), Ok(proven));
    assert!(make(vec![said(60_000), said(60_000)]).is_ok());
    assert_eq!(
        make(vec![said(60_000), said(99_000)]),
        Err(PlanError::Contradiction(paid.outpoint))
    );
}

#[test]
fn terms_that_make_no_plan() {
    let paid = [Paid::by(By::P2tr, 1, 900_000_000)];
    let one = payment(Lock::P2wpkh([1; 20]), 10_000);
    let ones = [one];
    let make = |terms: Terms<'_>| Plan::make(paid.iter().map(Paid::coin), &wallet(), &terms);
    let late = Terms {
        lock_height: MAX_LOCK_HEIGHT + 1,
        ..terms(&ones)
    };
    assert_eq!(make(late), Err(PlanError::LockHeight));
    let many = vec![one; MAX_PAYMENTS + 1];
    assert_eq!(make(terms(&many)), Err(PlanError::TooManyPayments));
    assert!(make(terms(&many[1..])).is_ok());
    let mainnet = BitcoinAddress::new(BitcoinChain::Mainnet, Lock::P2wpkh([1; 20]));
    let mainnet = Payment::new(mainnet, Amount(10_000)).unwrap();
    assert_eq!(make(terms(&[one, mainnet])), Err(PlanError::OtherChain(1)));
    let dust = Payment::new(BitcoinAddress::new(CHAIN, Lock::P2tr([1; 32])), Amount(329));
    assert_eq!(dust, Err(PaymentError::Dust { least: sats(330) }));
    let most = Amount(Sats::MAX.get().into())
        .checked_add(Amount(1))
        .unwrap();
    let most = Payment::new(one.to(), most);
    assert!(matches!(most, Err(PaymentError::TooMuch(_))));
    for bad in [0, 999, 10_000_001, u64::MAX] {
        assert!(FeeRate::per_1000_virtual_bytes(bad).is_err());
    }
    let small: Vec<Coin> = (0..501)
        .map(|n| Paid::by(By::P2tr, n, 400).coin())
        .collect();
    let terms = Terms {
        rate: rate(1_000),
        ceiling: Sats::MAX,
        ..terms(&ones)
    };
    let all = Plan::make(
        small.clone(),
        &wallet(),
        &Terms {
            payments: &[],
            ..terms
        },
    );
    assert!(
        all.is_ok_and(|plan| plan.coins().len() < 10),
        "a void takes few"
    );
    let large = payment(Lock::P2wpkh([1; 20]), 199_999);
    let terms = Terms {
        payments: &[large],
        ..terms
    };
    assert_eq!(
        Plan::make(small, &wallet(), &terms),
        Err(PlanError::TooHeavy)
    );
}

/// One coin of P2TR at a satoshi per virtual byte costs about 100, with change about 140.
#[test]
fn what_is_too_little_for_change_is_fee_within_the_ceiling() {
    let make = |coins: &[u64], payments: &[Payment], ceiling| {
        let numbered = (0..).zip(coins);
        let coins = numbered.map(|(number, coin)| Paid::by(By::P2tr, number, *coin).coin());
        let (rate, ceiling) = (rate(1_000), sats(ceiling));
        let terms = Terms {
            rate,
            ceiling,
            ..terms(payments)
        };
        let plan = Plan::make(coins, &wallet(), &terms)?;
        Ok((
            plan.coins().len(),
            plan.fee().get(),
            plan.change().is_some(),
        ))
    };
    let pay = [payment(Lock::P2wpkh([1; 20]), 9_700)];
    assert_eq!(make(&[10_000], &pay, 300), Ok((1, 300, false)));
    assert_eq!(make(&[10_000], &pay, 299), Err(PlanError::Insufficient));
    assert_eq!(make(&[10_000, 5_000], &pay, 299), Ok((2, 200, true)));
    assert_eq!(make(&[10_000, 5_000], &pay, 300), Ok((1, 300, false)));
    assert_eq!(make(&[9_799], &pay, 300), Ok((1, 99, false)));
    assert_eq!(make(&[9_798], &pay, 300), Err(PlanError::Insufficient));
    assert_eq!(make(&[440], &[], 500), Err(PlanError::Insufficient));
    assert_eq!(make(&[441], &[], 500), Ok((1, 111, true)));
}

#[test]
fn only_the_check_has_sighashes() {
    let (_, payments, plan) = example();
    let checked: Checked = checked(&plan, &demands(&payments, None));
    let keys: Vec<_> = checked
        .sighashes()
        .map(|sighash| sighash.key.lock())
        .collect();
    let coins: Vec<_> = plan.coins().iter().map(|coin| coin.key().lock()).collect();
    assert_eq!(keys, coins);
}
