//! What a gate could plan that no signer signs: one row per lie, each with a refusal of its own.

use bitcoin::absolute::LockTime;
use bitcoin::psbt::raw::Key;
use bitcoin::psbt::{Psbt, PsbtSighashType};
use bitcoin::{OutPoint, ScriptBuf, Sequence};
use portcullis_chains::bitcoin::{
    Checked, Coin, CoinError, Demands, Lock, MAX_PSBT, Map, Payment, Plan, PlanError, PsbtError,
    Refused, Unspent,
};
use portcullis_chains::caip::{BitcoinAddress, BitcoinChain};

use crate::kit::{
    By, HEIGHT, Paid, checked, demands, example, output, payment, sats, terms, wallet,
};

type Change = fn(&mut Psbt);

fn stranger() -> Lock {
    Lock::P2tr([0x66; 32])
}

fn input(at: usize, why: CoinError) -> Refused {
    Refused::Input { at, why }
}

fn single(at: usize, kind: u32) -> Refused {
    Refused::SighashType { at, kind }
}

fn check(change: impl FnOnce(&mut Psbt)) -> Result<Checked, Refused> {
    let (_, payments, plan) = example();
    let mut psbt = Psbt::deserialize(&plan.to_psbt()).unwrap();
    change(&mut psbt);
    Checked::psbt(&psbt.serialize(), &wallet(), &demands(&payments, None))
}

fn lie_in_witness_utxo(psbt: &mut Psbt, at: usize, more: u64) {
    let spent = psbt.unsigned_tx.input[at].previous_output;
    let previous = psbt.inputs[at].non_witness_utxo.as_ref().unwrap();
    let mut output = previous.output[spent.vout as usize].clone();
    output.value += bitcoin::Amount::from_sat(more);
    psbt.inputs[at].witness_utxo = Some(output);
}

/// Input 0 is P2WPKH of 70,000, input 1 P2TR of 60,000; outputs 0 and 1 are payments, 2 the change.
#[test]
fn about_what_is_spent() {
    let table: [(&str, Change, Refused); 13] = [
        (
            "amount of P2WPKH",
            |p| lie_in_witness_utxo(p, 0, 1),
            input(0, CoinError::Lie),
        ),
        (
            "amount of P2TR",
            |p| lie_in_witness_utxo(p, 1, 1),
            input(1, CoinError::Lie),
        ),
        (
            "P2WPKH said, not proven",
            |p| {
                lie_in_witness_utxo(p, 0, 0);
                p.inputs[0].non_witness_utxo = None;
            },
            input(0, CoinError::NoPrevious),
        ),
        (
            "nothing said",
            |p| p.inputs[1].non_witness_utxo = None,
            input(1, CoinError::Unknown),
        ),
        (
            "another previous transaction",
            |p| {
                p.inputs[0].non_witness_utxo = p.inputs[1].non_witness_utxo.clone();
            },
            input(0, CoinError::OtherPrevious),
        ),
        (
            "a previous transaction with a larger amount",
            |p| {
                p.inputs[0].non_witness_utxo.as_mut().unwrap().output[1].value *= 2;
            },
            input(0, CoinError::OtherPrevious),
        ),
        (
            "an output that is not there",
            |p| {
                p.unsigned_tx.input[0].previous_output.vout = 7;
            },
            input(0, CoinError::NoSuchOutput),
        ),
        (
            "a stranger's output",
            |p| {
                p.unsigned_tx.input[0].previous_output.vout = 0;
            },
            input(0, CoinError::Foreign),
        ),
        (
            "one output twice",
            |p| {
                p.unsigned_tx.input[1] = p.unsigned_tx.input[0].clone();
                p.inputs[1] = p.inputs[0].clone();
            },
            Refused::SpentTwice(1),
        ),
        (
            "SIGHASH_NONE",
            |p| p.inputs[0].sighash_type = Some(PsbtSighashType::from_u32(2)),
            single(0, 2),
        ),
        (
            "SIGHASH_SINGLE",
            |p| p.inputs[0].sighash_type = Some(PsbtSighashType::from_u32(3)),
            single(0, 3),
        ),
        (
            "ANYONECANPAY",
            |p| p.inputs[0].sighash_type = Some(PsbtSighashType::from_u32(0x81)),
            single(0, 0x81),
        ),
        (
            "SINGLE on P2TR",
            |p| p.inputs[1].sighash_type = Some(PsbtSighashType::from_u32(3)),
            single(1, 3),
        ),
    ];
    refused(table);
    assert!(check(|_| ()).is_ok());
    assert!(
        check(|p| lie_in_witness_utxo(p, 0, 0)).is_ok(),
        "the truth, said twice"
    );
    assert!(
        check(|p| {
            p.inputs[0].sighash_type = Some(PsbtSighashType::from_u32(1));
            p.inputs[1].sighash_type = Some(PsbtSighashType::from_u32(0));
        })
        .is_ok()
    );
}

fn refused<const N: usize>(table: [(&str, Change, Refused); N]) {
    for (what, change, why) in table {
        assert_eq!(check(change), Err(why), "{what}");
    }
}

#[test]
fn about_what_is_paid() {
    refused([
        (
            "another payee",
            |p| p.unsigned_tx.output[1].script_pubkey = stranger().script(),
            Refused::Payment(1),
        ),
        (
            "another amount",
            |p| p.unsigned_tx.output[0].value += bitcoin::Amount::ONE_SAT,
            Refused::Payment(0),
        ),
        (
            "another order",
            |p| p.unsigned_tx.output.swap(0, 1),
            Refused::Payment(0),
        ),
        (
            "a payment left out",
            |p| {
                p.unsigned_tx.output.remove(1);
                p.outputs.pop();
            },
            Refused::Payment(1),
        ),
        (
            "change to a stranger",
            |p| {
                p.unsigned_tx.output[2].script_pubkey = stranger().script();
            },
            Refused::ChangeToStranger,
        ),
        (
            "change to another key of the wallet",
            |p| {
                p.unsigned_tx.output[2].script_pubkey = crate::kit::key(By::P2wpkh).lock().script();
            },
            Refused::ChangeToStranger,
        ),
        (
            "an extra output",
            |p| {
                p.unsigned_tx.output.push(output(stranger(), 1_000));
                p.outputs.push(bitcoin::psbt::Output::default());
            },
            Refused::ExtraOutput(3),
        ),
        (
            "change split in two",
            |p| {
                let half = p.unsigned_tx.output[2].value / 2;
                p.unsigned_tx.output[2].value = half;
                p.unsigned_tx.output.push(p.unsigned_tx.output[2].clone());
                p.outputs.push(bitcoin::psbt::Output::default());
            },
            Refused::ExtraOutput(3),
        ),
        (
            "dust as change",
            |p| {
                p.unsigned_tx.output[2].value = bitcoin::Amount::from_sat(329);
            },
            Refused::Dust,
        ),
        (
            "more out than in",
            |p| {
                p.unsigned_tx.output[2].value = bitcoin::Amount::from_sat(40_001);
            },
            Refused::Overspent,
        ),
        (
            "sums that overflow",
            |p| {
                p.unsigned_tx.output[2].value = bitcoin::Amount::from_sat(u64::MAX);
            },
            Refused::Overspent,
        ),
        (
            "the change given to the miner",
            |p| {
                p.unsigned_tx.output.pop();
                p.outputs.pop();
            },
            Refused::FeeAboveCeiling {
                fee: 40_000,
                ceiling: sats(20_000),
            },
        ),
    ]);
    let to_the_ceiling =
        |p: &mut Psbt| p.unsigned_tx.output[2].value = bitcoin::Amount::from_sat(20_000);
    assert!(check(to_the_ceiling).is_ok());
}

#[test]
fn about_the_form() {
    let highest = HEIGHT + 6;
    refused([
        (
            "version 1",
            |p| p.unsigned_tx.version.0 = 1,
            Refused::Version,
        ),
        (
            "version 2",
            |p| p.unsigned_tx.version.0 = 2,
            Refused::Version,
        ),
        (
            "final",
            |p| p.unsigned_tx.input[1].sequence = Sequence::MAX,
            Refused::Sequence(1),
        ),
        (
            "not replaceable",
            |p| p.unsigned_tx.input[0].sequence.0 = 0xffff_fffe,
            Refused::Sequence(0),
        ),
        (
            "a relative lock",
            |p| p.unsigned_tx.input[0].sequence.0 = 144,
            Refused::Sequence(0),
        ),
        (
            "a script in an input",
            |p| {
                p.unsigned_tx.input[1].script_sig = ScriptBuf::from_bytes(vec![0x51]);
            },
            Refused::Signed(1),
        ),
        (
            "a later block",
            |p| {
                p.unsigned_tx.lock_time = LockTime::from_consensus(HEIGHT + 7);
            },
            Refused::LockTime { highest },
        ),
        (
            "a time",
            |p| {
                p.unsigned_tx.lock_time = LockTime::from_consensus(1_600_000_000);
            },
            Refused::LockTime { highest },
        ),
    ]);
}

fn odd() -> Key {
    Key {
        type_value: 0x77,
        key: vec![],
    }
}

#[test]
fn unknown_fields() {
    let unknown = |map, field| Refused::Psbt(PsbtError::UnknownField { map, field });
    refused([
        (
            "of the whole",
            |p| drop(p.unknown.insert(odd(), vec![1])),
            unknown(Map::Global, 0x77),
        ),
        (
            "of an input",
            |p| drop(p.inputs[1].unknown.insert(odd(), vec![1])),
            unknown(Map::Input(1), 0x77),
        ),
        (
            "of an output",
            |p| drop(p.outputs[2].unknown.insert(odd(), vec![1])),
            unknown(Map::Output(2), 0x77),
        ),
        (
            "a script",
            |p| p.inputs[0].witness_script = Some(ScriptBuf::new()),
            unknown(Map::Input(0), 0x05),
        ),
        (
            "a signature",
            |p| p.inputs[1].final_script_witness = Some(bitcoin::Witness::from_slice(&[[1]])),
            unknown(Map::Input(1), 0x08),
        ),
        (
            "a script of an output",
            |p| p.outputs[0].redeem_script = Some(ScriptBuf::new()),
            unknown(Map::Output(0), 0x00),
        ),
    ]);
}

#[test]
fn about_the_bytes() {
    let (_, payments, plan) = example();
    let good = plan.to_psbt();
    let check = |bytes: &[u8]| Checked::psbt(bytes, &wallet(), &demands(&payments, None));
    let psbt = |why| Err(Refused::Psbt(why));
    assert!(check(&good).is_ok());
    assert_eq!(check(&vec![0; 1_000_000]), psbt(PsbtError::TooLarge));
    assert_eq!(check(&vec![0; MAX_PSBT]), psbt(PsbtError::Magic));
    assert_eq!(
        check(&[&good[..], &[0]].concat()),
        psbt(PsbtError::Malformed(Map::Global))
    );
    for end in 0..good.len() {
        assert!(
            matches!(check(&good[..end]), Err(Refused::Psbt(_))),
            "{end}"
        );
    }
    let after_magic = |field: &[u8]| [&good[..5], field, &good[5..]].concat();
    assert_eq!(
        check(&after_magic(&[1, 0xfb, 4, 2, 0, 0, 0])),
        psbt(PsbtError::Version)
    );
    assert_eq!(check(&after_magic(&[0])), psbt(PsbtError::NoTransaction));
    let long_form = after_magic(&[0xfd, 1, 0, 0]);
    assert_eq!(check(&long_form), psbt(PsbtError::Malformed(Map::Global)));
    let endless = after_magic(&[0xff; 9]);
    assert_eq!(check(&endless), psbt(PsbtError::Malformed(Map::Global)));
    let global_end = 5 + 1 + 1 + 1 + plan.to_bytes().len();
    let twice = [&good[..global_end], &good[5..]].concat();
    let again = PsbtError::Twice {
        map: Map::Global,
        field: 0,
    };
    assert_eq!(check(&twice), psbt(again));
    let with_data = after_magic(&[2, 0, 7, 1, 0]);
    let unknown = PsbtError::UnknownField {
        map: Map::Global,
        field: 0,
    };
    assert_eq!(check(&with_data), psbt(unknown));
    let previous = PsbtError::Previous {
        at: 0,
        why: CoinError::PreviousMalformed,
    };
    let bad = [&good[..=global_end], &[1, 0, 1, 9], &good[global_end + 1..]].concat();
    assert_eq!(check(&bad), psbt(previous));
}

#[test]
fn about_bare_transactions() {
    let (paid, payments, plan) = example();
    let bytes = plan.to_bytes();
    let check = |bytes: &[u8], previous: &[&[u8]]| {
        Checked::transaction(bytes, previous, &wallet(), &demands(&payments, None))
    };
    let [first, second] = [&paid[0].previous[..], &paid[1].previous[..]];
    assert!(check(&bytes, &[first, second]).is_ok());
    assert_eq!(check(&bytes, &[first]), Err(input(1, CoinError::Unknown)));
    let stray = Paid::by(By::P2tr, 9, 1_000);
    assert_eq!(
        check(&bytes, &[first, &stray.previous, second]),
        Err(Refused::Stray(1))
    );
    assert_eq!(
        check(&bytes[..50], &[first, second]),
        Err(Refused::Transaction)
    );
    assert_eq!(
        check(&[&bytes[..], &[0]].concat(), &[first, second]),
        Err(Refused::Transaction)
    );
}

/// Whoever pays the wallet chooses how large his transaction is. Its witnesses prove nothing and count for nothing.
#[test]
fn of_previous_transactions_the_witnesses_do_not_count() {
    let larger = |script: usize, witness: usize| {
        let mut paid: Vec<Paid> = (0..2).map(|n| Paid::by(By::P2tr, n, 50_000)).collect();
        for paid in &mut paid {
            paid.grow(script, witness);
        }
        let payments = [payment(Lock::P2wpkh([1; 20]), 60_000)];
        let coins = paid.iter().map(Paid::coin);
        let plan = Plan::make(coins, &wallet(), &terms(&payments))?;
        let previous: Vec<&[u8]> = paid.iter().map(|paid| &paid.previous[..]).collect();
        let (demands, wallet) = (demands(&payments, None), wallet());
        let checked = Checked::transaction(&plan.to_bytes(), &previous, &wallet, &demands);
        assert!(checked.is_ok(), "what is planned is signed: {checked:?}");
        Ok(())
    };
    assert_eq!(larger(100, 390_000), Ok(()));
    assert_eq!(larger(261_000, 0), Ok(()));
    assert_eq!(larger(263_000, 0), Err(PlanError::TooLarge));
}

#[test]
fn about_replacements_and_voids() {
    let (mut paid, payments, first) = example();
    let before = checked(&first, &demands(&payments, None));
    let standing = before.standing();
    let check = |plan: &Plan, demands: Demands<'_>| {
        Checked::psbt(&plan.to_psbt(), &wallet(), &demands).map(|_| ())
    };
    let replacing = demands(&payments, Some(&standing));
    paid.remove(0);
    paid.push(Paid::by(By::P2wpkh, 5, 90_000));
    let without = crate::kit::plan(&paid, &terms(&payments));
    assert_eq!(check(&without, replacing), Err(Refused::NotShared));
    assert_eq!(check(&without, demands(&payments, None)), Ok(()));
    assert_eq!(
        check(&first, demands(&[], None)),
        Err(Refused::ExtraOutput(1))
    );
    assert_eq!(
        check(&first, demands(&payments[..1], None)),
        Err(Refused::ExtraOutput(2))
    );

    let raw = crate::kit::signed(&before).to_bytes();
    let script = wallet().change().script();
    let change = Unspent {
        outpoint: OutPoint::new(first.txid(), 2),
        amount: first.change().unwrap().get(),
        script: script.as_bytes(),
        previous: Some(&raw),
    };
    let change = Coin::prove(&change, &wallet()).unwrap();
    let (spent, ..) = example();
    let large = payment(Lock::P2wpkh([1; 20]), 100_000);
    let coins = [spent[0].coin(), change];
    let child = Plan::make(coins, &wallet(), &terms(&[large])).unwrap();
    assert_eq!(child.coins()[0].outpoint(), standing.shared());
    assert_eq!(
        check(&child, demands(&[large], Some(&standing))),
        Err(Refused::SpendsReplaced(1))
    );

    let void = Plan::make(spent.iter().map(Paid::coin), &wallet(), &terms(&[])).unwrap();
    assert_eq!(check(&void, demands(&[], Some(&standing))), Ok(()));
    let mut nothing = Psbt::deserialize(&void.to_psbt()).unwrap();
    nothing.unsigned_tx.output.clear();
    nothing.outputs.clear();
    let nothing = Checked::psbt(&nothing.serialize(), &wallet(), &demands(&[], None));
    assert_eq!(nothing, Err(Refused::NoChange));
}

#[test]
fn demands_that_cannot_be_met() {
    let (_, payments, plan) = example();
    let check = |payments: &[Payment]| {
        Checked::psbt(&plan.to_psbt(), &wallet(), &demands(payments, None)).map(|_| ())
    };
    assert_eq!(check(&vec![payments[0]; 251]), Err(Refused::Payments));
    let mainnet = BitcoinAddress::new(BitcoinChain::Mainnet, payments[1].to().lock());
    let mainnet = Payment::new(mainnet, payments[1].amount().into()).unwrap();
    assert_eq!(check(&[payments[0], mainnet]), Err(Refused::OtherChain(1)));
}
