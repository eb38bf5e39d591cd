//! Spends judged by Bitcoin Core's own validation code.

use bitcoin::Transaction;
use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoinconsensus::{Utxo, verify};
use portcullis_chains::bitcoin::{Checked, Lock, Plan};

use crate::kit::{
    By, Paid, checked, demands, example, output, payment, plan, sats, signatures, signed, terms,
    wallet,
};

/// Whether Bitcoin Core takes every input of a raw transaction that spends these outputs.
pub(crate) fn is_valid(raw: &[u8], spent: &[bitcoin::TxOut]) -> bool {
    let utxos: Vec<Utxo> = spent
        .iter()
        .map(|output| Utxo {
            script_pubkey: output.script_pubkey.as_bytes().as_ptr(),
            script_pubkey_len: u32::try_from(output.script_pubkey.len()).unwrap(),
            value: i64::try_from(output.value.to_sat()).unwrap(),
        })
        .collect();
    spent.iter().enumerate().all(|(at, output)| {
        let script = output.script_pubkey.as_bytes();
        verify(script, output.value.to_sat(), raw, Some(&utxos), at).is_ok()
    })
}

/// The outputs that a plan spends, in the order of its inputs, from the chain and not from the plan.
pub(crate) fn spent(plan: &Plan, paid: &[Paid]) -> Vec<bitcoin::TxOut> {
    let find = |coin: &portcullis_chains::bitcoin::Coin| {
        let mut known = paid.iter().filter(|paid| paid.outpoint == coin.outpoint());
        known.next().unwrap().output.clone()
    };
    plan.coins().iter().map(find).collect()
}

#[test]
fn spends_of_each_kind_are_valid_and_altered_ones_are_not() {
    for by in [&[By::P2wpkh][..], &[By::P2tr], &[By::P2wpkh, By::P2tr]] {
        let paid: Vec<Paid> = (1..)
            .zip(by)
            .map(|(number, by)| Paid::by(*by, number, 80_000))
            .collect();
        let payments = [payment(Lock::P2wpkh([1; 20]), 60_000 * by.len() as u64)];
        let plan = plan(&paid, &terms(&payments));
        let spent = spent(&plan, &paid);
        assert_eq!(spent.len(), by.len());
        let raw = signed(&checked(&plan, &demands(&payments, None))).to_bytes();
        assert!(is_valid(&raw, &spent), "{by:?}");
        for altered in altered(&raw) {
            assert!(
                !is_valid(&serialize(&altered), &spent),
                "{by:?} {altered:?}"
            );
        }
        for at in 0..spent.len() {
            let mut lied = spent.clone();
            lied[at].value += bitcoin::Amount::ONE_SAT;
            assert!(!is_valid(&raw, &lied), "{by:?} {at}");
        }
    }
}

/// The transaction with one thing changed: payee, amounts, lock time, sequence, a bit of a witness.
fn altered(raw: &[u8]) -> Vec<Transaction> {
    let tx: Transaction = deserialize(raw).unwrap();
    let with = |change: fn(&mut Transaction)| {
        let mut tx = tx.clone();
        change(&mut tx);
        tx
    };
    let flip = |tx: &mut Transaction, input: usize| {
        let mut parts = tx.input[input].witness.to_vec();
        parts[0][40] ^= 1;
        tx.input[input].witness = bitcoin::Witness::from_slice(&parts);
    };
    let mut all = vec![
        with(|tx| tx.output[0].script_pubkey = Lock::P2wpkh([6; 20]).script()),
        with(|tx| tx.output[0].value -= bitcoin::Amount::ONE_SAT),
        with(|tx| tx.output[1].value -= bitcoin::Amount::ONE_SAT),
        with(|tx| tx.output.push(output(Lock::P2wpkh([6; 20]), 1_000))),
        with(|tx| drop(tx.output.pop())),
        with(|tx| tx.lock_time = bitcoin::absolute::LockTime::ZERO),
        with(|tx| tx.input[0].sequence = bitcoin::Sequence::MAX),
    ];
    for input in 0..tx.input.len() {
        let mut tx = tx.clone();
        flip(&mut tx, input);
        all.push(tx);
    }
    all
}

/// A lie about a P2TR output that comes without its transaction passes the check, and nothing comes
/// of it: not the P2WPKH input's signature alone, and P2TR's covers the lie.
#[test]
fn signatures_over_a_lie_about_taproot_are_worth_nothing() {
    let paid = [
        Paid::by(By::P2wpkh, 1, 70_000),
        Paid::by(By::P2tr, 2, 60_000),
    ];
    let payments = [payment(Lock::P2wpkh([1; 20]), 100_000)];
    let mut lie = paid[1].unspent();
    lie.amount = 50_000;
    lie.previous = None;
    let lie = portcullis_chains::bitcoin::Coin::prove(&lie, &wallet()).unwrap();
    let plan = Plan::make([paid[0].coin(), lie], &wallet(), &terms(&payments)).unwrap();
    let checked = checked(&plan, &demands(&payments, None));
    let raw = signed(&checked).to_bytes();
    assert!(!is_valid(&raw, &spent(&plan, &paid)));
}

/// Nothing in the check depends on whether the plan came as PSBT or bare with previous transactions.
#[test]
fn both_forms_of_a_plan_have_the_same_signatures() {
    let (paid, payments, plan) = example();
    let demands = demands(&payments, None);
    let previous: Vec<&[u8]> = paid.iter().rev().map(|paid| &paid.previous[..]).collect();
    let bare = Checked::transaction(&plan.to_bytes(), &previous, &wallet(), &demands).unwrap();
    let psbt = checked(&plan, &demands);
    assert_eq!(bare, psbt);
    assert_eq!(signatures(&bare), signatures(&psbt));
    assert_eq!(bare.fee(), plan.fee());
    assert!(bare.fee() <= sats(20_000));
}
