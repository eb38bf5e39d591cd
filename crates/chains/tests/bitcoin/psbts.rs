//! PSBTs as others publish and read them.

use bitcoin::psbt::Psbt;
use portcullis_chains::bitcoin::{Checked, Refused, SignedTx};
use proptest::prelude::*;

use crate::common;
use crate::kit::{checked, demands, example, sats, signed, wallet};

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

proptest! {
    /// Whatever bytes come, they are judged; what passes is within the ceiling and can be hashed.
    #[test]
    fn no_bytes_are_too_strange(
        noise in prop::collection::vec(any::<u8>(), 0..64),
        at in any::<prop::sample::Index>(),
        cut in 0_usize..8,
    ) {
        let (_, payments, plan) = example();
        let demands = demands(&payments, None);
        let mut bytes = plan.to_psbt();
        let at = at.index(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, noise.iter().copied());
        if let Ok(passed) = Checked::psbt(&bytes, &wallet(), &demands) {
            prop_assert!(passed.fee() <= sats(20_000));
            prop_assert_eq!(passed.sighashes().count(), 2);
        }
        let plan = checked(&plan, &demands);
        let raw = signed(&plan).to_bytes();
        let at = at % raw.len();
        let mut other = raw.clone();
        other.splice(at..(at + cut).min(raw.len()), noise);
        if let Ok(read) = SignedTx::read(&other, &plan) {
            prop_assert_eq!(read.to_bytes(), raw, "a second spelling");
        }
        let _ = Checked::transaction(&bytes, &[&other], &wallet(), &demands);
    }
}
