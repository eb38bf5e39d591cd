//! Bitcoin: what a node answers, what a gate plans, what stands signed.

use portcullis_chains::Amount;
use portcullis_chains::bitcoin::{
    Checked, Coin, Demands, FeeRate, Lock, MAX_PSBT, MAX_SIGNED, OutPoint, OwnedKey, Payment, Plan,
    Sats, SignedTx, Terms, Txid, Unspent, Wallet,
};
use portcullis_chains::caip::{BitcoinAddress, BitcoinChain};
use portcullis_node::bitcoin::Sent;
use portcullis_node::bitcoin::testkit::read;
use serde_json::json;

const CHAIN: BitcoinChain = BitcoinChain::Regtest;
const FIRST_BLOCK: &str = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";
const CEILING: u64 = 20_000;
/// The x of the curve's base point: a key that everybody knows.
const KEY: [u8; 32] = [
    0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b, 0x07,
    0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98,
];

/// What that key, whose secret is 1, signs of [`plan`] (BIP 340, without added randomness).
const SIGNATURE: &str = "a736538961a34ad45b114b5e039a7497913ef3f09607dd397b7ff7b4e580f508\
    6a0b53438f5948d4d11f120ef4bc2c9a9c707f484a63e2a6aa1f6f5aa9a9c362";

fn txid() -> Txid {
    "11".repeat(32).parse().unwrap()
}

/// Whatever a node says, nothing that can be counted in satoshis is above what can exist, and a
/// broadcast is accepted under its own id only.
pub(crate) fn answer(bytes: &[u8]) -> bool {
    let read = read(bytes, CHAIN, txid());
    if let Ok(listed) = &read.unspent {
        assert!(listed.iter().all(|output| output.amount <= Sats::MAX));
    }
    if let Ok(rate) = read.rate {
        assert!((FeeRate::MIN..=FeeRate::MAX).contains(&rate));
    }
    if read.sent == Sent::Accepted {
        let text = String::from_utf8_lossy(bytes);
        assert!(text.to_lowercase().contains(&txid().to_string()));
    }
    read.tip.is_ok()
        || read.unspent.is_ok()
        || read.transaction.is_ok()
        || read.rate.is_ok()
        || read.look.is_ok()
        || !matches!(read.sent, Sent::Unknown(_))
}

fn wallet() -> Wallet {
    let wpkh = [&[2], &KEY[..]].concat().try_into().unwrap();
    let others = [OwnedKey::p2wpkh(&wpkh).unwrap()];
    Wallet::new(CHAIN, OwnedKey::p2tr(&KEY).unwrap(), &others)
}

fn payments() -> [Payment; 1] {
    let to = BitcoinAddress::new(CHAIN, Lock::P2wpkh([1; 20]));
    [Payment::new(to, Amount(50_000)).unwrap()]
}

fn demands(payments: &[Payment]) -> Demands<'_> {
    Demands {
        payments,
        ceiling: Sats::new(CEILING).unwrap(),
        highest_lock: 900_000,
        replaced: None,
    }
}

/// A plan whose sighashes exist pays within its ceiling, out of the wallet's own coins only.
fn holds(checked: &Checked) {
    assert!(checked.fee().get() <= CEILING);
    let wallet = wallet();
    let own = |coin: &Coin| wallet.key_of(&coin.key().lock()).is_some();
    assert!(checked.coins().iter().all(own));
    assert_eq!(checked.sighashes().count(), checked.coins().len());
}

pub(crate) fn psbt(bytes: &[u8]) -> bool {
    let payments = payments();
    let Ok(checked) = Checked::psbt(bytes, &wallet(), &demands(&payments)) else {
        return false;
    };
    assert!(bytes.len() <= MAX_PSBT);
    holds(&checked);
    true
}

/// A bare transaction, spending what the example's previous transaction made; or, after a byte that
/// says how many bytes of it there are, with a previous one of its own.
pub(crate) fn transaction(bytes: &[u8]) -> bool {
    let payments = payments();
    let (wallet, demands) = (wallet(), demands(&payments));
    let previous = previous();
    let bare = Checked::transaction(bytes, &[&previous], &wallet, &demands);
    let own = bytes.split_first().and_then(|(length, rest)| {
        let (tx, previous) = rest.split_at_checked(usize::from(*length))?;
        Checked::transaction(tx, &[previous], &wallet, &demands).ok()
    });
    bare.iter().chain(&own).for_each(holds);
    bare.is_ok() || own.is_some()
}

/// Nothing but the plan with a signature by the key is read as signed; no mutation makes one.
pub(crate) fn signed(bytes: &[u8]) -> bool {
    let payments = payments();
    let plan = plan(&payments);
    let checked = Checked::psbt(&plan.to_psbt(), &wallet(), &demands(&payments)).unwrap();
    let Ok(tx) = SignedTx::read(bytes, &checked) else {
        return false;
    };
    assert!(bytes.len() <= MAX_SIGNED);
    assert_eq!((tx.txid(), tx.to_bytes()), (checked.txid(), bytes.to_vec()));
    true
}

/// A transaction with one output of 80,000 satoshis to the wallet's change.
fn previous() -> Vec<u8> {
    let script = wallet().change().script();
    let mut raw = vec![2, 0, 0, 0, 1];
    raw.extend([0x33; 32]);
    raw.extend([0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1]);
    raw.extend(80_000_u64.to_le_bytes());
    raw.push(u8::try_from(script.len()).unwrap());
    raw.extend(script.as_bytes());
    raw.extend([0; 4]);
    raw
}

fn plan(payments: &[Payment]) -> Plan {
    let raw = previous();
    let script = wallet().change().script();
    let claim = Unspent {
        outpoint: OutPoint::new(id_of(&raw), 0),
        amount: 80_000,
        script: script.as_bytes(),
        previous: Some(&raw),
    };
    let coin = Coin::prove(&claim, &wallet()).unwrap();
    let terms = Terms {
        payments,
        rate: FeeRate::MIN,
        ceiling: Sats::new(CEILING).unwrap(),
        lock_height: 800_000,
        replaced: None,
    };
    Plan::make([coin], &wallet(), &terms).unwrap()
}

/// SHA-256 twice, shown backwards.
fn id_of(raw: &[u8]) -> Txid {
    use sha2::{Digest as _, Sha256};
    let mut digest = Sha256::digest(Sha256::digest(raw)).to_vec();
    digest.reverse();
    hex::encode(digest).parse().unwrap()
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let payments = payments();
    let plan = plan(&payments);
    let bare = plan.to_bytes();
    let mut own = vec![u8::try_from(bare.len()).unwrap()];
    own.extend([&bare[..], &previous()].concat());
    // A witness of one part behind marker and flag: a signature of 64 bytes.
    let (head, tail) = (&bare[4..bare.len() - 4], &bare[bare.len() - 4..]);
    let signature = hex::decode(SIGNATURE).unwrap();
    let signed = [&bare[..4], &[0, 1], head, &[1, 64], &signature, tail].concat();
    let mut seeds = vec![plan.to_psbt(), bare, own, signed, previous()];
    seeds.extend(answers());
    seeds
}

fn answers() -> Vec<Vec<u8>> {
    let id = txid().to_string();
    let results = [
        format!(r#"{{"blocks":101,"bestblockhash":"{FIRST_BLOCK}","initialblockdownload":false}}"#),
        format!(
            r#"[{{"txid":"{id}","vout":0,"scriptPubKey":"51","amount":50.00000000,"confirmations":7}}]"#
        ),
        format!(r#"{{"txid":"{id}","confirmations":0,"hex":"02"}}"#),
        r#"{"feerate":0.00002000,"mempoolminfee":0.00001000,"minrelaytxfee":0.00001000}"#
            .to_owned(),
        format!("{id:?}"),
    ];
    let mut seeds: Vec<String> = results.iter().map(|result| body(&[result])).collect();
    let seen = format!(
        r#"{{"txid":"{id}","confirmations":3,"blockhash":"{FIRST_BLOCK}","blockheight":9,"hex":""}}"#
    );
    seeds.push(body(&["null", "{}", &seen]));
    seeds.into_iter().map(String::into_bytes).collect()
}

fn body(results: &[&str]) -> String {
    let first = json!({"jsonrpc": "2.0", "id": 1, "result": FIRST_BLOCK}).to_string();
    let answers = (2..).zip(results);
    let answers = answers.map(|(id, result)| format!(r#"{{"id":{id},"result":{result}}}"#));
    let all: Vec<String> = core::iter::once(first).chain(answers).collect();
    format!("[{}]", all.join(","))
}
