//! PSBTs as others publish and read them.

use bitcoin::psbt::Psbt;
use portcullis_chains::bitcoin::{Checked, Refused};

use crate::common;
use crate::kit::{demands, example, wallet};

/// Every PSBT of BIP 174, valid or not, is another's: refused, each before anything is believed.
#[test]
fn those_of_bip_174_are_no_plans() {
    let Some(text) = common::bip("bip-0174.mediawiki") else {
        return;
    };
    let (_, vectors) = text.split_once("==Test Vectors==").unwrap();
    let (invalid, others) = vectors.split_once("The following are valid PSBTs").unwrap();
    assert_eq!(refused(invalid), 20);
    assert!(refused(others) >= 10);
}

fn refused(vectors: &str) -> usize {
    let texts = vectors.split("Bytes in Hex: <pre>").skip(1);
    let hexes = texts.filter_map(|text| hex::decode(text.split_once('<')?.0).ok());
    let check = |bytes: Vec<u8>| {
        let why = Checked::psbt(&bytes, &wallet(), &demands(&[], None)).unwrap_err();
        assert!(
            matches!(
                why,
                Refused::Psbt(_)
                    | Refused::Inputs
                    | Refused::Version
                    | Refused::Sequence(_)
                    | Refused::LockTime { .. }
            ),
            "{why}"
        );
    };
    hexes.map(check).count()
}

/// Another implementation reads what a plan writes, and nothing is lost.
#[test]
fn a_plan_is_a_psbt_to_others() {
    let (paid, _, plan) = example();
    let bytes = plan.to_psbt();
    let psbt = Psbt::deserialize(&bytes).unwrap();
    assert_eq!(psbt.serialize(), bytes);
    assert_eq!(psbt.unsigned_tx.compute_txid(), plan.txid());
    for (at, paid) in paid.iter().enumerate() {
        assert_eq!(psbt.spend_utxo(at).unwrap(), &paid.output);
    }
    assert_eq!(psbt.fee().unwrap().to_sat(), plan.fee().get());
}
