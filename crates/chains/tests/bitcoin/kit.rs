//! A wallet whose secrets the test knows, and a chain that pays it.

use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::{All, Keypair, Message, Scalar, Secp256k1, SecretKey};
use bitcoin::transaction::Version;
use bitcoin::{OutPoint, Sequence, Transaction, TxIn, TxOut, Txid, Witness};
use portcullis_chains::Amount;
use portcullis_chains::bitcoin::{
    Checked, Coin, Demands, FeeRate, Lock, OwnedKey, Payment, Plan, Sats, Scheme, SignedTx,
    Standing, Terms, Unspent, Wallet,
};
use portcullis_chains::caip::{BitcoinAddress, BitcoinChain};

pub(crate) const CHAIN: BitcoinChain = BitcoinChain::Regtest;
pub(crate) const HEIGHT: u32 = 900_000;

/// How a key of the wallet locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    P2wpkh,
    P2tr,
}

fn keypair(secp: &Secp256k1<All>, by: By) -> Keypair {
    let secret = SecretKey::from_slice(&[by as u8 + 7; 32]).unwrap();
    secret.keypair(secp)
}

pub(crate) fn key(by: By) -> OwnedKey {
    let pair = keypair(&Secp256k1::new(), by);
    match by {
        By::P2wpkh => OwnedKey::p2wpkh(&pair.public_key().serialize()),
        By::P2tr => OwnedKey::p2tr(&pair.x_only_public_key().0.serialize()),
    }
    .unwrap()
}

/// Both keys; change goes to P2TR.
pub(crate) fn wallet() -> Wallet {
    Wallet::new(CHAIN, key(By::P2tr), &[key(By::P2wpkh)])
}

/// An output that somebody paid, with the transaction that paid it.
#[derive(Clone, Debug)]
pub(crate) struct Paid {
    pub(crate) outpoint: OutPoint,
    pub(crate) output: TxOut,
    pub(crate) previous: Vec<u8>,
}

impl Paid {
    /// The `number`-th deposit: the second output of a transaction of its own.
    pub(crate) fn to(lock: Lock, number: u32, sats: u64) -> Self {
        let output = output(lock, sats);
        let from = TxIn {
            previous_output: OutPoint::new(Txid::all_zeros(), number),
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[[1; 64]]),
            ..TxIn::default()
        };
        let tx = Transaction {
            version: Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![from],
            output: vec![
                super::kit::output(Lock::P2pkh([9; 20]), 5_000),
                output.clone(),
            ],
        };
        Self {
            outpoint: OutPoint::new(tx.compute_txid(), 1),
            output,
            previous: serialize(&tx),
        }
    }

    pub(crate) fn by(by: By, number: u32, sats: u64) -> Self {
        Self::to(key(by).lock(), number, sats)
    }

    /// The same in a transaction with so long a script, and so long a witness.
    pub(crate) fn grow(&mut self, script: usize, witness: usize) {
        let mut tx: Transaction = bitcoin::consensus::deserialize(&self.previous).unwrap();
        tx.input[0].script_sig = bitcoin::ScriptBuf::from_bytes(vec![0x51; script]);
        tx.input[0].witness = Witness::from_slice(&[vec![1; witness]]);
        self.outpoint.txid = tx.compute_txid();
        self.previous = serialize(&tx);
    }

    /// As an honest node lists it.
    pub(crate) fn unspent(&self) -> Unspent<'_> {
        Unspent {
            outpoint: self.outpoint,
            amount: self.output.value.to_sat(),
            script: self.output.script_pubkey.as_bytes(),
            previous: Some(&self.previous),
        }
    }

    pub(crate) fn coin(&self) -> Coin {
        Coin::prove(&self.unspent(), &wallet()).unwrap()
    }
}

pub(crate) fn output(lock: Lock, sats: u64) -> TxOut {
    TxOut {
        value: bitcoin::Amount::from_sat(sats),
        script_pubkey: lock.script(),
    }
}

pub(crate) fn payment(lock: Lock, sats: u64) -> Payment {
    Payment::new(BitcoinAddress::new(CHAIN, lock), Amount(sats.into())).unwrap()
}

pub(crate) fn sats(sats: u64) -> Sats {
    Sats::new(sats).unwrap()
}

pub(crate) fn rate(sats: u64) -> FeeRate {
    FeeRate::per_1000_virtual_bytes(sats).unwrap()
}

/// Terms at 2 satoshis per virtual byte.
pub(crate) fn terms(payments: &[Payment]) -> Terms<'_> {
    Terms {
        payments,
        rate: rate(2_000),
        ceiling: sats(20_000),
        lock_height: HEIGHT,
        replaced: None,
    }
}

/// What a signer demands of a plan on [`terms`].
pub(crate) fn demands<'a>(payments: &'a [Payment], replaced: Option<&'a Standing>) -> Demands<'a> {
    Demands {
        payments,
        ceiling: sats(20_000),
        highest_lock: HEIGHT + 6,
        replaced,
    }
}

pub(crate) fn plan(paid: &[Paid], terms: &Terms<'_>) -> Plan {
    Plan::make(paid.iter().map(Paid::coin), &wallet(), terms).unwrap()
}

pub(crate) fn checked(plan: &Plan, demands: &Demands<'_>) -> Checked {
    Checked::psbt(&plan.to_psbt(), &wallet(), demands).unwrap()
}

/// Two payments out of one coin of each kind, P2WPKH first.
pub(crate) fn example() -> (Vec<Paid>, Vec<Payment>, Plan) {
    let paid = vec![
        Paid::by(By::P2wpkh, 1, 70_000),
        Paid::by(By::P2tr, 2, 60_000),
    ];
    let payments = vec![
        payment(Lock::P2pkh([1; 20]), 50_000),
        payment(Lock::P2wsh([2; 32]), 40_000),
    ];
    let plan = plan(&paid, &terms(&payments));
    assert_eq!((plan.coins().len(), plan.change().is_some()), (2, true));
    (paid, payments, plan)
}

/// What the wallet's keys answer, in the order of the inputs.
pub(crate) fn signatures(plan: &Checked) -> Vec<[u8; 64]> {
    let secp = Secp256k1::new();
    let sign = |sighash: portcullis_chains::bitcoin::Sighash| {
        let digest = Message::from_digest(sighash.digest);
        match sighash.scheme {
            Scheme::Ecdsa => {
                let secret = keypair(&secp, By::P2wpkh).secret_key();
                secp.sign_ecdsa(&digest, &secret).serialize_compact()
            }
            Scheme::Schnorr => {
                let tweak = Scalar::from_be_bytes(sighash.key.tweak().unwrap()).unwrap();
                let pair = keypair(&secp, By::P2tr);
                let pair = pair.add_xonly_tweak(&secp, &tweak).unwrap();
                secp.sign_schnorr_no_aux_rand(&digest, &pair).serialize()
            }
        }
    };
    plan.sighashes().map(sign).collect()
}

pub(crate) fn signed(plan: &Checked) -> SignedTx {
    plan.finish(&signatures(plan)).unwrap()
}
