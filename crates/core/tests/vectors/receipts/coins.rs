//! Receipts of withdrawals that a wallet pays together, from coins.

#[path = "../../coins/kit.rs"]
mod kit;

use super::Bundle;
use crate::story::resign;
use crate::tree;
use bitcoin::{Psbt, Sequence, Transaction, Witness};
use kit::{Stage, of_coins, taproot};
use portcullis_chains::caip::{Address, BitcoinAddress, BitcoinChain};
use portcullis_core::entry::{Body, Entry};
use portcullis_core::genesis::{Bitcoin, CoinKey, Genesis, Wallet, XOnly};
use portcullis_core::id::WalletId;
use portcullis_core::plan::Plan;
use portcullis_core::receipt::{ProvenEntry, Receipt};
use portcullis_core::statement::Says;
use portcullis_core::{Digest, Span};
use portcullis_keeper::testkit::World;

/// A journal with two withdrawals that one transaction has paid, which spends from both kinds of keys.
pub(super) struct Paid {
    stage: Stage,
    acts: Vec<Digest>,
}

/// One more wallet of the same keys, on another chain.
const ELSEWHERE: WalletId = WalletId([0x81; 16]);

fn also_elsewhere(genesis: &mut Genesis) {
    let lock = taproot().owned().unwrap().lock();
    let wallet = Wallet {
        id: ELSEWHERE,
        address: Address::Bitcoin(BitcoinAddress::new(BitcoinChain::Testnet4, lock)),
        ..genesis.wallets[0].clone()
    };
    genesis.wallets.push(wallet);
}

impl Paid {
    pub(super) fn two() -> Self {
        Self::in_stage(Stage::new(), [1, 2])
    }

    fn in_stage(mut stage: Stage, to: [u8; 2]) -> Self {
        let acts = stage.pay(&[(0, to[0], 60_000), (1, to[1], 60_000)]);
        let transaction = stage.sign(acts[0]);
        assert_eq!(stage.confirm(acts[0], transaction).void, None);
        Self { stage, acts }
    }

    /// Both to the same payee, and the first or the second is given up before anything is signed: the one output
    /// that is left pays the other.
    pub(super) fn given_up(member: usize) -> Self {
        let (mut stage, acts) = Self::without(member);
        stage.sign(acts[0]);
        Self { stage, acts }
    }

    /// The same, with a higher fee after that: an entry about the leader.
    pub(super) fn given_up_and_bumped(member: usize) -> Self {
        let (mut stage, acts) = Self::without(member);
        assert_eq!(stage.bump(acts[0], 6_000).void, None);
        stage.sign(acts[0]);
        Self { stage, acts }
    }

    fn without(member: usize) -> (Stage, Vec<Digest>) {
        let mut stage = Stage::new();
        let acts = stage.pay(&[(0, 1, 60_000), (1, 1, 60_000)]);
        assert_eq!(stage.void(acts[member], 3_000).void, None);
        stage.pass(Span::seconds(1));
        (stage, acts)
    }

    /// With everything that the journal has but checkpoints.
    pub(super) fn shown(&self, member: usize) -> Bundle {
        let ledger = &self.stage.ledger;
        let entries = &ledger.entries;
        let is_shown = |index: &usize| !matches!(body(&entries[*index]), Body::Checkpoint(_));
        let prove = |index: usize| ProvenEntry {
            index: index as u64,
            entry: entries[index].clone(),
            proof: tree::proof(entries, index),
        };
        let note = ledger.note_of(tree::head(entries), self.stage.now());
        let receipt = Receipt {
            act: self.acts[member],
            checkpoint: String::from_utf8(note).unwrap(),
            entries: (0..entries.len()).filter(is_shown).map(prove).collect(),
            handovers: Vec::new(),
        };
        Bundle {
            pinned: ledger.world.digest(),
            receipt,
        }
    }

    fn change(&mut self, mut change: impl FnMut(&mut Body)) {
        for bytes in &mut self.stage.ledger.entries {
            let mut entry = Entry::from_bytes(bytes).unwrap();
            change(&mut entry.body);
            *bytes = entry.to_bytes();
        }
    }

    /// Change what the signer says, which it signs again.
    fn says(&mut self, mut change: impl FnMut(&mut Says)) {
        self.change(|body| {
            if let Body::Statement(signed) = body {
                change(&mut signed.statement.says);
                **signed = resign(signed.statement.clone(), &World::key(&World::KEEPER.0));
            }
        });
    }

    /// The settlement has another plan, which is said to be signed as it was.
    fn planned(mut self, change: impl Fn(&mut Plan)) -> Self {
        let mut digest = None;
        self.change(|body| {
            if let Body::Settle(settlement) = body {
                let plan = settlement.plan.as_mut().unwrap();
                change(plan);
                digest = Some(plan.digest());
            }
        });
        self.says(|says| {
            if let Says::Signed { plan, .. } = says {
                *plan = digest.unwrap();
            }
        });
        self
    }

    /// The same, by the fields of its claims.
    fn claiming(self, change: impl Fn(&mut Psbt)) -> Self {
        self.planned(|plan| {
            let mut claims = Psbt::deserialize(&plan.unsigned).unwrap();
            change(&mut claims);
            plan.unsigned = claims.serialize();
        })
    }

    /// The signer states another transaction.
    fn signed(mut self, change: impl Fn(&mut Transaction)) -> Self {
        self.says(|says| {
            if let Says::Signed { transaction, .. } = says {
                let mut signed = bitcoin::consensus::deserialize(transaction).unwrap();
                change(&mut signed);
                *transaction = bitcoin::consensus::serialize(&signed);
            }
        });
        self
    }
}

fn body(entry: &[u8]) -> Body {
    Entry::from_bytes(entry).unwrap().body
}

/// The first withdrawal's receipt where the plan claims something else.
pub(super) fn claiming(change: fn(&mut Psbt)) -> Bundle {
    Paid::two().claiming(change).shown(0)
}

/// The same where the plan's bytes end in one more.
pub(super) fn with_a_byte_more() -> Bundle {
    Paid::two().planned(|plan| plan.unsigned.push(0)).shown(0)
}

/// The payments are what the wallet on another chain pays, of which the keys are the same.
pub(super) fn elsewhere() -> Bundle {
    let paid = Paid::in_stage(Stage::other(also_elsewhere), [1, 2]);
    paid.planned(|plan| plan.wallet = ELSEWHERE).shown(0)
}

/// Two withdrawals of the same amount to the same payee, each paid alone; the signer states the second's transaction
/// for the first.
pub(super) fn of_another_batch() -> Bundle {
    let mut stage = Stage::new();
    let first = stage.pay(&[(0, 1, 50_000)])[0];
    let second = stage.pay(&[(1, 1, 50_000)])[0];
    let mut says = stage.says_signed(second);
    if let Says::Signed { act, .. } = &mut says {
        *act = first;
    }
    assert!(stage.says(says).void.is_some());
    let acts = vec![first];
    Paid { stage, acts }.shown(0)
}

/// The statement names the member that does not lead.
pub(super) fn of_a_member() -> Bundle {
    let mut paid = Paid::two();
    let member = paid.acts[1];
    paid.says(|says| {
        if let Says::Signed { act, .. } = says {
            *act = member;
        }
    });
    paid.shown(1)
}

/// The first withdrawal's receipt where the transaction is signed otherwise.
pub(super) fn signed(change: fn(&mut Transaction)) -> Bundle {
    Paid::two().signed(change).shown(0)
}

/// The inputs' witnesses: of P2WPKH a signature and a key, of P2TR a signature.
fn witness(tx: &mut Transaction, parts: usize, change: impl Fn(&mut Vec<Vec<u8>>)) {
    let mut inputs = tx.input.iter_mut();
    let input = inputs.find(|input| input.witness.len() == parts).unwrap();
    let mut witness = input.witness.to_vec();
    change(&mut witness);
    input.witness = Witness::from_slice(&witness);
}

pub(super) fn flip_ecdsa(tx: &mut Transaction) {
    witness(tx, 2, |parts| parts[0][20] ^= 1);
}

pub(super) fn flip_schnorr(tx: &mut Transaction) {
    witness(tx, 1, |parts| parts[0][40] ^= 1);
}

/// `SIGHASH_SINGLE`, said of a signature that covers all.
pub(super) fn single(tx: &mut Transaction) {
    witness(tx, 2, |parts| *parts[0].last_mut().unwrap() = 3);
}

/// The default spelled out: nodes would take a signature over another digest so.
pub(super) fn spelled_out(tx: &mut Transaction) {
    witness(tx, 1, |parts| parts[0].push(1));
}

/// The other S that verifies, in DER: nodes do not relay it.
pub(super) fn high_s(tx: &mut Transaction) {
    use bitcoin::secp256k1::{SecretKey, ecdsa::Signature};
    witness(tx, 2, |parts| {
        let (kind, der) = parts[0].split_last().unwrap();
        let mut bytes = Signature::from_der(der).unwrap().serialize_compact();
        let low = SecretKey::from_slice(&bytes[32..]).unwrap().negate();
        bytes[32..].copy_from_slice(&low.secret_bytes());
        let high = Signature::from_compact(&bytes).unwrap();
        parts[0] = [&high.serialize_der()[..], &[*kind]].concat();
    });
}

pub(super) fn other_key(tx: &mut Transaction) {
    witness(tx, 2, |parts| parts[1][0] ^= 1);
}

pub(super) fn without_witnesses(tx: &mut Transaction) {
    for input in &mut tx.input {
        input.witness.clear();
    }
}

/// With inputs of nothing, so that everything else is as it should be.
pub(super) fn heavy(claims: &mut Psbt) {
    for vout in 1_000..1_200 {
        let mut input = claims.unsigned_tx.input[0].clone();
        input.previous_output.vout = vout;
        claims.unsigned_tx.input.push(input);
        let mut said = claims.inputs[0].clone();
        said.witness_utxo.as_mut().unwrap().value = bitcoin::Amount::ZERO;
        claims.inputs.push(said);
    }
}

pub(super) fn final_sequence(claims: &mut Psbt) {
    claims.unsigned_tx.input[1].sequence = Sequence::MAX;
}

/// The network of [`Paid`] with another wallet.
pub(super) fn terms(genesis: &mut Genesis, change: fn(&mut Bitcoin)) {
    of_coins(genesis);
    change(genesis.wallets[0].bitcoin.as_mut().unwrap());
}

/// No point has this x: BIP 340's vector 5.
pub(super) fn no_point() -> CoinKey {
    const X: &str = "eefdea4cdb677750a420fee807eacf21eb9898ae79b9768766e4faa04a2d4a34";
    CoinKey::P2tr(X.parse().unwrap())
}

/// So many other keys.
pub(super) fn others(count: u8) -> impl Iterator<Item = CoinKey> {
    let secp = bitcoin::secp256k1::Secp256k1::new();
    (101..=100 + count).map(move |byte| {
        let secret = bitcoin::secp256k1::SecretKey::from_slice(&[byte; 32]).unwrap();
        let (key, _) = secret.x_only_public_key(&secp);
        CoinKey::P2tr(XOnly(key.serialize()))
    })
}
