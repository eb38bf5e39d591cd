//! Plans that a hostile gate writes.

use crate::kit::{Stage, payee, segwit, taproot};
use bitcoin::absolute::LockTime;
use bitcoin::consensus::serialize;
use bitcoin::transaction::Version;
use bitcoin::{OutPoint, Sequence, Transaction, TxIn, TxOut};
use portcullis_chains::bitcoin::{Checked, Demands, Lock, MAX_LOCK_HEIGHT, Sats};
use portcullis_core::apply::VoidReason;
use portcullis_core::decide::PlanFault;
use portcullis_core::decide::payment::spend::decode;
use portcullis_core::entry::Settlement;
use portcullis_core::plan::Plan;

/// A plan in the making.
#[derive(Clone)]
struct Draft {
    tx: Transaction,
    spent: Vec<TxOut>,
    /// What stands in the first input's map besides: key and value, each with its length.
    beside: Vec<u8>,
}

impl Draft {
    fn of(stage: &Stage, plan: &Plan) -> Self {
        let claimed = decode(stage.wallet(), plan).unwrap();
        let tx: Transaction = bitcoin::consensus::deserialize(&claimed.to_bytes()).unwrap();
        let spent = tx.input.iter().map(|input| {
            let mut known = stage.deposits.iter();
            let paid = known.find(|paid| paid.outpoint() == input.previous_output);
            paid.unwrap().output()
        });
        Self {
            spent: spent.collect(),
            tx,
            beside: Vec::new(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let field = |key: u8, value: &[u8]| {
            let mut bytes = vec![1, key];
            bytes.extend(serialize(&bitcoin::VarInt(value.len() as u64)));
            bytes.extend(value);
            bytes
        };
        let mut bytes = b"psbt\xff".to_vec();
        bytes.extend(field(0, &serialize(&self.tx)));
        bytes.push(0);
        for (at, output) in self.spent.iter().enumerate() {
            bytes.extend(field(1, &serialize(output)));
            if at == 0 {
                bytes.extend(&self.beside);
            }
            bytes.push(0);
        }
        bytes.extend(self.tx.output.iter().map(|_| 0));
        bytes
    }

    fn change(&mut self) -> &mut TxOut {
        self.tx.output.last_mut().unwrap()
    }

    fn less_change(&mut self, sats: u64) {
        self.change().value -= bitcoin::Amount::from_sat(sats);
    }
}

fn to(lock: Lock, sats: u64) -> TxOut {
    TxOut {
        value: bitcoin::Amount::from_sat(sats),
        script_pubkey: lock.script(),
    }
}

fn stranger(sats: u64) -> TxOut {
    to(Lock::P2wpkh([0x66; 20]), sats)
}

fn judge(stage: &Stage, honest: &Settlement, draft: &Draft) -> Option<PlanFault> {
    let mut settlement = honest.clone();
    settlement.plan.as_mut().unwrap().unsigned = draft.bytes();
    match stage.branch().settle(settlement).void {
        None => None,
        Some(VoidReason::Plan(fault)) => Some(fault),
        other => panic!("{other:?}"),
    }
}

type Change = fn(&mut Draft);

#[test]
fn a_plan_is_exactly_what_the_acts_ask() {
    let mut stage = Stage::new();
    let acts = stage.due(&[(0, 1, 50_000), (1, 2, 60_000)]);
    let honest = stage.settlement(&acts);
    let draft = Draft::of(&stage, honest.plan.as_ref().unwrap());
    assert_eq!(draft.bytes(), honest.plan.as_ref().unwrap().unsigned);
    let rows: [(&str, PlanFault, Change); 24] = [
        ("a satoshi less", PlanFault::Differs, |d| {
            d.tx.output[0].value -= bitcoin::Amount::ONE_SAT;
        }),
        ("a satoshi more", PlanFault::Differs, |d| {
            d.tx.output[1].value += bitcoin::Amount::ONE_SAT;
        }),
        ("another payee", PlanFault::Differs, |d| {
            d.tx.output[0] = stranger(50_000);
        }),
        ("the other order", PlanFault::Differs, |d| {
            d.tx.output.swap(0, 1);
        }),
        ("one is left out", PlanFault::Differs, |d| {
            d.tx.output.remove(1);
        }),
        ("an extra output", PlanFault::Differs, |d| {
            d.tx.output.push(stranger(600));
        }),
        ("change to a stranger", PlanFault::Differs, |d| {
            d.change().script_pubkey = Lock::P2tr([0x66; 32]).script();
        }),
        (
            "change to another key of the wallet",
            PlanFault::Differs,
            |d| {
                d.change().script_pubkey = segwit().owned().unwrap().lock().script();
            },
        ),
        ("change that is dust", PlanFault::Differs, |d| {
            d.change().value = bitcoin::Amount::from_sat(329);
        }),
        ("more out than in", PlanFault::Differs, |d| {
            d.change().value += bitcoin::Amount::from_sat(30_000);
        }),
        ("a claim below the truth", PlanFault::Differs, |d| {
            d.spent[0].value -= bitcoin::Amount::from_sat(90_000);
        }),
        ("a claim above the truth", PlanFault::Fee, |d| {
            d.spent[0].value += bitcoin::Amount::from_sat(90_000);
        }),
        ("a fee above the ceiling", PlanFault::Fee, |d| {
            d.less_change(19_900);
        }),
        ("a fee that nothing could outbid", PlanFault::NoRoom, |d| {
            d.less_change(19_300);
        }),
        ("a fee that nobody relays", PlanFault::Unsendable, |d| {
            d.change().value += bitcoin::Amount::from_sat(300);
        }),
        ("sighash none", PlanFault::NotPlain, |d| {
            d.beside = vec![1, 3, 4, 2, 0, 0, 0];
        }),
        ("sighash single", PlanFault::NotPlain, |d| {
            d.beside = vec![1, 3, 4, 3, 0, 0, 0];
        }),
        ("a field that nobody knows", PlanFault::NotPlain, |d| {
            d.beside = vec![1, 6, 0];
        }),
        ("another version", PlanFault::NotPlain, |d| {
            d.tx.version = Version::ONE;
        }),
        ("a lock in seconds", PlanFault::NotPlain, |d| {
            d.tx.lock_time = LockTime::from_consensus(1_700_000_000);
        }),
        ("not replaceable", PlanFault::NotPlain, |d| {
            d.tx.input[0].sequence = Sequence::MAX;
        }),
        ("one output twice", PlanFault::NotPlain, |d| {
            let (input, spent) = (d.tx.input[0].clone(), d.spent[0].clone());
            d.tx.input.push(input);
            d.spent.push(spent);
        }),
        ("a stranger's output", PlanFault::NotPlain, |d| {
            d.spent[0] = stranger(100_000);
        }),
        ("no inputs", PlanFault::NotPlain, |d| {
            d.tx.input.clear();
            d.spent.clear();
        }),
    ];
    for (what, fault, change) in rows {
        let mut altered = draft.clone();
        change(&mut altered);
        assert_eq!(judge(&stage, &honest, &altered), Some(fault), "{what}");
    }
    assert_eq!(judge(&stage, &honest, &draft), None);
}

/// One that only goes into the change: all coins in one would be one coin, and one batch at a time.
#[test]
fn a_plan_spends_no_coin_that_its_payments_do_not_need() {
    let lock = taproot().owned().unwrap().lock();
    for (paid, fault) in [(98_671, None), (98_670, Some(PlanFault::Spare))] {
        let mut stage = Stage::new();
        let acts = stage.due(&[(0, 1, u128::from(paid))]);
        let honest = stage.settlement(&acts);
        let mut draft = Draft::of(&stage, honest.plan.as_ref().unwrap());
        assert_eq!(draft.tx.input.len(), 1);
        let own = draft.tx.input[0].clone();
        let mut others = stage.deposits.iter();
        let other = others.find(|it| it.outpoint() != own.previous_output);
        let previous_output = other.unwrap().outpoint();
        draft.tx.input.push(TxIn {
            previous_output,
            ..own
        });
        draft.spent.push(other.unwrap().output());
        draft.tx.output.truncate(1);
        let fee = 1_000;
        draft.tx.output.push(to(lock, 200_000 - paid - fee));
        assert_eq!(judge(&stage, &honest, &draft), fault, "{paid}");
    }
}

/// Whom the wallet pays has to be said in one form: nothing stands in an entry that nobody has looked at.
#[test]
fn a_claim_has_one_form() {
    let mut stage = Stage::new();
    let acts = stage.due(&[(0, 1, 50_000)]);
    let honest = stage.settlement(&acts);
    let draft = Draft::of(&stage, honest.plan.as_ref().unwrap());
    let taproot = stage.wallet().bitcoin.as_ref().unwrap().change.owned();
    let all = u8::from(draft.spent[0].script_pubkey != taproot.unwrap().lock().script());
    let mut said = draft.clone();
    said.beside = vec![1, 3, 4, all, 0, 0, 0];
    assert_eq!(
        judge(&stage, &honest, &said),
        Some(PlanFault::NotPlain),
        "sighash all"
    );
    let first = draft.tx.input[0].previous_output;
    let mut known = stage.deposits.iter();
    let previous = known
        .find(|paid| paid.outpoint() == first)
        .unwrap()
        .previous();
    let mut proven = draft.clone();
    proven.beside = [
        &[1, 0, u8::try_from(previous.len()).unwrap()][..],
        &previous,
    ]
    .concat();
    assert_eq!(
        judge(&stage, &honest, &proven),
        Some(PlanFault::NotPlain),
        "a proof"
    );
}

/// A lie that adds up is the signer's to find: its own previous transactions do not bear it out.
#[test]
fn a_lie_that_adds_up_is_not_borne_out() {
    let mut stage = Stage::new();
    let acts = stage.due(&[(0, 1, 50_000)]);
    let honest = stage.settlement(&acts);
    let mut draft = Draft::of(&stage, honest.plan.as_ref().unwrap());
    draft.spent[0].value += bitcoin::Amount::from_sat(1_000);
    assert_eq!(judge(&stage, &honest, &draft), None);
    let plan = Plan {
        unsigned: draft.bytes(),
        ..honest.plan.unwrap()
    };
    let claimed = decode(stage.wallet(), &plan).unwrap();
    let first = draft.tx.input[0].previous_output;
    let mut known = stage.deposits.iter();
    let previous = known
        .find(|paid| paid.outpoint() == first)
        .unwrap()
        .previous();
    let portcullis_chains::caip::Address::Bitcoin(payee) = payee(1) else {
        unreachable!()
    };
    let pays = portcullis_chains::bitcoin::Payment::new(payee, portcullis_chains::Amount(50_000));
    let demands = Demands {
        payments: &[pays.unwrap()],
        ceiling: Sats::MAX,
        highest_lock: MAX_LOCK_HEIGHT,
        replaced: None,
    };
    let wallet = stage.wallet().spends().unwrap();
    let checked = Checked::transaction(&claimed.to_bytes(), &[&previous], &wallet, &demands);
    assert!(!claimed.is_borne_out_by(&checked.unwrap()));
}

#[test]
fn a_plan_leaves_other_batches_their_coins() {
    let mut stage = Stage::new();
    let first = stage.pay(&[(0, 1, 50_000)])[0];
    let standing = stage.release(first).plans[0].clone();
    let taken = Draft::of(&stage, &standing);
    let acts = stage.due(&[(1, 2, 50_000)]);
    let honest = stage.settlement(&acts);
    let mut draft = Draft::of(&stage, honest.plan.as_ref().unwrap());
    let own = draft.tx.input[0].previous_output;
    assert_ne!(own, taken.tx.input[0].previous_output);
    draft.tx.input[0] = taken.tx.input[0].clone();
    assert_eq!(
        judge(&stage, &honest, &draft),
        Some(PlanFault::Spent),
        "its coin"
    );
    let made = OutPoint::new(taken.tx.compute_txid(), 1);
    draft.tx.input[0] = TxIn {
        previous_output: made,
        ..taken.tx.input[0].clone()
    };
    assert_eq!(
        judge(&stage, &honest, &draft),
        Some(PlanFault::Spent),
        "its change"
    );
}

#[test]
fn a_replacement_spends_the_shared_output_and_outbids() {
    let mut stage = Stage::new();
    let leader = stage.pay(&[(0, 1, 50_000)])[0];
    let standing = stage.release(leader).plans[0].clone();
    let draft = Draft::of(&stage, &standing);
    let bump = |stage: &Stage, draft: &Draft| {
        let plan = Plan {
            unsigned: draft.bytes(),
            ..standing.clone()
        };
        stage.branch().replace(leader, plan).void
    };
    let fault = |fault| Some(VoidReason::Plan(fault));
    assert_eq!(
        bump(&stage, &draft),
        fault(PlanFault::NoReplacement),
        "the same"
    );
    let mut little = draft.clone();
    little.less_change(100);
    assert_eq!(
        bump(&stage, &little),
        fault(PlanFault::NoReplacement),
        "too little"
    );
    let mut enough = draft.clone();
    enough.less_change(400);
    assert_eq!(bump(&stage, &enough), None);
    let mut elsewhere = enough.clone();
    let mut others = stage.deposits.iter();
    let shared = draft.tx.input[0].previous_output;
    let other = others.find(|paid| paid.outpoint() != shared && paid.output() == draft.spent[0]);
    elsewhere.tx.input[0].previous_output = other.unwrap().outpoint();
    assert_eq!(
        bump(&stage, &elsewhere),
        fault(PlanFault::NoReplacement),
        "not shared"
    );
    let mut diverted = enough.clone();
    diverted.tx.output[0] = stranger(50_000);
    assert_eq!(bump(&stage, &diverted), fault(PlanFault::Differs));
    let plan = Plan {
        unsigned: enough.bytes(),
        wallet: portcullis_core::id::WalletId([1; 16]),
    };
    let applied = stage.branch().replace(leader, plan);
    assert_eq!(applied.void, fault(PlanFault::Wallet));
}
