//! A network whose wallet spends coins, a chain that pays it, and customers who may withdraw.

use bitcoin::hashes::Hash as _;
use bitcoin::secp256k1::{All, Keypair, Message, Scalar, Secp256k1, SecretKey};
use bitcoin::{OutPoint, Sequence, Transaction, TxIn, TxOut, Txid, Witness};
use portcullis_chains::Amount;
use portcullis_chains::bitcoin::{
    Checked, Coin, Demands, FeeRate, Lock, MAX_LOCK_HEIGHT, OwnedKey, Sats, Scheme, Sighash,
    Unspent,
};
use portcullis_chains::caip::{Address, AssetId, BitcoinAddress, BitcoinAsset, BitcoinChain};
use portcullis_core::act::{ActKind, Cancel, Void, Withdraw};
use portcullis_core::apply::Applied;
use portcullis_core::decide::batch::{gather, settle_together};
use portcullis_core::decide::payment::{self, Spend};
use portcullis_core::entry::{Beside, Body, Replacement, Settlement, Submission};
use portcullis_core::genesis::{Bitcoin, CoinKey, Compressed, Genesis, Wallet, XOnly};
use portcullis_core::limits::{Bounds, Limit};
use portcullis_core::plan::Plan;
use portcullis_core::signature::Strict;
use portcullis_core::state::Facts;
use portcullis_core::state::release::{End, Release};
use portcullis_core::statement::{Says, SignedStatement, Statement};
use portcullis_core::{Decision, Digest, Span, State, Time};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{Customer, HandClock, Ledger, World};
use portcullis_keys::StatementKey as _;
use std::sync::{Arc, OnceLock};

pub(crate) const CHAIN: BitcoinChain = BitcoinChain::Regtest;
pub(crate) const BATCH: Span = Span::seconds(60);
pub(crate) const CEILING: u64 = 20_000;
/// What an account may send in an hour.
pub(crate) const HOUR: u64 = 1_000_000;

pub(crate) fn btc() -> AssetId {
    AssetId::Bitcoin(BitcoinAsset { chain: CHAIN })
}

pub(crate) fn payee(byte: u8) -> Address {
    Address::Bitcoin(BitcoinAddress::new(CHAIN, Lock::P2wpkh([byte; 20])))
}

fn pair(secp: &Secp256k1<All>, byte: u8) -> Keypair {
    SecretKey::from_slice(&[byte; 32]).unwrap().keypair(secp)
}

pub(crate) fn taproot() -> CoinKey {
    let pair = pair(&Secp256k1::new(), 8);
    CoinKey::P2tr(XOnly(pair.x_only_public_key().0.serialize()))
}

pub(crate) fn segwit() -> CoinKey {
    segwit_of(7)
}

pub(crate) fn segwit_of(byte: u8) -> CoinKey {
    let pair = pair(&Secp256k1::new(), byte);
    CoinKey::P2wpkh(Compressed(pair.public_key().serialize()))
}

/// The wallet spends coins of two keys; its change goes to the first.
pub(crate) fn of_coins(genesis: &mut Genesis) {
    let wallet = &mut genesis.wallets[0];
    let change = taproot().owned().unwrap().lock();
    wallet.address = Address::Bitcoin(BitcoinAddress::new(CHAIN, change));
    wallet.bitcoin = Some(Bitcoin {
        change: taproot(),
        keys: vec![segwit()],
        batch: BATCH,
    });
    (wallet.fee_ceiling, wallet.first_nonce) = (Amount(CEILING.into()), 40);
    genesis.assets.push(btc());
    genesis.limits.rules.push(Limit {
        asset: btc(),
        bounds: Bounds::Account,
        per_transaction: None,
        hour: Some(Amount(HOUR.into())),
        day: None,
        week: None,
        approval: None,
    });
}

/// An output of the wallet's, with the transaction that made it.
#[derive(Clone, Debug)]
pub(crate) struct Deposit {
    key: OwnedKey,
    previous: Transaction,
}

impl Deposit {
    pub(crate) fn new(key: CoinKey, number: u32, sats: u64) -> Self {
        let key = key.owned().unwrap();
        let input = TxIn {
            previous_output: OutPoint::new(Txid::all_zeros(), number),
            sequence: Sequence::MAX,
            witness: Witness::new(),
            ..TxIn::default()
        };
        let output = TxOut {
            value: bitcoin::Amount::from_sat(sats),
            script_pubkey: key.lock().script(),
        };
        let previous = Transaction {
            version: bitcoin::transaction::Version::TWO,
            lock_time: bitcoin::absolute::LockTime::ZERO,
            input: vec![input],
            output: vec![output],
        };
        Self { key, previous }
    }

    pub(crate) fn outpoint(&self) -> OutPoint {
        OutPoint::new(self.previous.compute_txid(), 0)
    }

    pub(crate) fn output(&self) -> TxOut {
        self.previous.output[0].clone()
    }

    pub(crate) fn previous(&self) -> Vec<u8> {
        bitcoin::consensus::serialize(&self.previous)
    }

    pub(crate) fn coin(&self, wallet: &portcullis_chains::bitcoin::Wallet) -> Coin {
        let script = self.key.lock().script();
        let unspent = Unspent {
            outpoint: self.outpoint(),
            amount: self.previous.output[0].value.to_sat(),
            script: script.as_bytes(),
            previous: Some(&self.previous()),
        };
        Coin::prove(&unspent, wallet).unwrap()
    }
}

fn deposits() -> Vec<Deposit> {
    let keys = [segwit(), taproot()].into_iter().cycle();
    let deposits = (1..=8).zip(keys);
    deposits
        .map(|(number, key)| Deposit::new(key, number, 100_000))
        .collect()
}

pub(crate) struct Stage {
    pub(crate) ledger: Ledger,
    pub(crate) customers: Vec<Customer>,
    /// What the chain has paid the wallet.
    pub(crate) deposits: Vec<Deposit>,
}

impl Stage {
    /// Two customers who may each pay five payees, and eight coins of 100,000 satoshis, of both kinds.
    pub(crate) fn new() -> Self {
        static BUILT: OnceLock<Ledger> = OnceLock::new();
        let built = BUILT.get_or_init(|| Self::build(World::with(of_coins)).ledger);
        let mut stage = Self {
            ledger: built.branch(),
            customers: [1, 2].map(Customer::number).into(),
            deposits: deposits(),
        };
        stage.ledger.clock = HandClock::at(stage.now());
        stage
    }

    /// The same in a network of another genesis, for less than a second's work.
    pub(crate) fn other(change: impl FnOnce(&mut Genesis)) -> Self {
        Self::build(World::with(|genesis| {
            of_coins(genesis);
            change(genesis);
        }))
    }

    fn build(world: World) -> Self {
        let mut ledger = Ledger::new(Arc::new(world), HandClock::at(World::START));
        let customers: Vec<Customer> = [1, 2].map(Customer::number).into();
        for customer in &customers {
            ledger.open(customer);
            for byte in 1..=5 {
                ledger.add_address(customer, payee(byte));
            }
        }
        let deposits = deposits();
        let mut stage = Self {
            ledger,
            customers,
            deposits,
        };
        stage.pass(Span::seconds(6));
        stage
    }

    /// A copy that goes on by itself, at the same clock.
    pub(crate) fn branch(&self) -> Self {
        Self {
            ledger: self.ledger.branch(),
            customers: [1, 2].map(Customer::number).into(),
            deposits: self.deposits.clone(),
        }
    }

    pub(crate) fn now(&self) -> Time {
        self.ledger.clock.now()
    }

    pub(crate) fn state(&self) -> &State {
        &self.ledger.state
    }

    pub(crate) fn pass(&mut self, span: Span) {
        self.ledger.settle_clocks();
        self.ledger.clock.pass(span);
        self.ledger.settle_clocks();
    }

    pub(crate) fn facts(&self) -> &Facts {
        self.ledger.state.facts()
    }

    pub(crate) fn release(&self, act: Digest) -> &Release {
        &self.facts().releases[&act]
    }

    pub(crate) fn end(&self, act: Digest) -> Option<End> {
        self.facts().ended.get(&act).map(|ended| ended.end)
    }

    pub(crate) fn wallet(&self) -> &Wallet {
        &self.ledger.world.network.genesis().wallets[0]
    }

    /// What becomes of a withdrawal, with all that an honest client sends.
    pub(crate) fn ask(&mut self, who: usize, to: u8, sats: u128) -> (Digest, Decision) {
        self.ask_for(who, btc(), payee(to), sats)
    }

    pub(crate) fn ask_for(
        &mut self,
        who: usize,
        asset: AssetId,
        to: Address,
        sats: u128,
    ) -> (Digest, Decision) {
        let amount = Amount(sats);
        let kind = ActKind::Withdraw(Withdraw { asset, to, amount });
        let customer = &self.customers[who];
        let act = self.ledger.customers_act(customer, kind);
        let mut evidence = self.ledger.customers_evidence(customer, &act);
        evidence.attestations.push(self.ledger.debit(&act));
        let submission = self.ledger.submission(act, evidence);
        let (digest, decision) = (submission.act.digest(), submission.decision.clone());
        let applied = self.ledger.enter(Body::Act(Box::new(submission)));
        assert_eq!(applied.void, None);
        (digest, decision)
    }

    /// Withdrawals that are held for their batch, and that it is due.
    pub(crate) fn due(&mut self, wants: &[(usize, u8, u128)]) -> Vec<Digest> {
        let asked = wants
            .iter()
            .map(|(who, to, sats)| self.ask(*who, *to, *sats).0);
        let asked = asked.collect();
        self.pass(BATCH);
        asked
    }

    /// A plan as an honest gate makes it, at so many satoshis per 1,000 virtual bytes.
    pub(crate) fn planned(&self, spend: &Spend, rate: u64) -> Plan {
        let coins = self.deposits.iter().map(|paid| paid.coin(spend.wallet()));
        let rate = FeeRate::per_1000_virtual_bytes(rate).unwrap();
        spend.plan(coins, rate, 900).unwrap()
    }

    /// The settlement that pays the first with the others beside it, at 2 satoshis per virtual byte.
    pub(crate) fn settlement(&self, acts: &[Digest]) -> Settlement {
        let (leader, beside) = acts.split_first().unwrap();
        let now = self.now();
        let decided = settle_together(&self.ledger.state, *leader, beside, now).unwrap();
        let payment = decided.payment().unwrap();
        Settlement {
            act: *leader,
            decision: Decision::Release,
            plan: Some(self.planned(payment.spend().unwrap(), 2_000)),
            beside: Beside(beside.to_vec()),
        }
    }

    pub(crate) fn settle(&mut self, settlement: Settlement) -> Applied {
        self.ledger.enter(Body::Settle(Box::new(settlement)))
    }

    /// Ask, wait and pay in one batch.
    pub(crate) fn pay(&mut self, wants: &[(usize, u8, u128)]) -> Vec<Digest> {
        let acts = self.due(wants);
        let gathered = gather(&self.ledger.state, acts[0], self.now());
        assert_eq!(gathered, acts[1..]);
        let settlement = self.settlement(&acts);
        assert_eq!(self.settle(settlement).void, None);
        self.pass(Span::seconds(1));
        acts
    }

    /// An operator gives a release up; the others of its batch are paid on.
    pub(crate) fn void(&mut self, release: Digest, rate: u64) -> Applied {
        let kind = ActKind::Void(Void { release });
        let act = self.ledger.act(World::OPERATOR, kind);
        let evidence = self.ledger.staffs_evidence(&act);
        let (state, now) = (self.state(), self.now());
        let decided = portcullis_core::decide(state, &act, &evidence, now, &Strict);
        let spend = decided.payment().map(|payment| payment.spend().unwrap());
        let submission = Submission {
            decision: decided.decision().clone(),
            plan: spend.map(|spend| self.planned(spend, rate)),
            act,
            evidence,
        };
        self.ledger.enter(Body::Act(Box::new(submission)))
    }

    /// The customer cancels a release, which withholds it.
    pub(crate) fn cancel(&mut self, who: usize, release: Digest) {
        self.does(who, ActKind::Cancel(Cancel { act: release }));
    }

    pub(crate) fn does(&mut self, who: usize, kind: ActKind) {
        let customer = &self.customers[who];
        let act = self.ledger.customers_act(customer, kind);
        let evidence = self.ledger.customers_evidence(customer, &act);
        self.ledger.submit(act, evidence);
    }

    pub(crate) fn bump(&mut self, leader: Digest, rate: u64) -> Applied {
        let spend = Spend::again(&self.ledger.state, leader).unwrap();
        let plan = self.planned(&spend, rate);
        self.replace(leader, plan)
    }

    pub(crate) fn replace(&mut self, act: Digest, plan: Plan) -> Applied {
        let body = Body::Replace(Box::new(Replacement { act, plan }));
        self.ledger.enter(body)
    }

    pub(crate) fn says(&mut self, says: Says) -> Applied {
        let statement = Statement {
            genesis: self.ledger.world.digest(),
            keeper: World::KEEPER,
            says,
        };
        let signature = World::key(&World::KEEPER.0).sign(&statement.signed_bytes());
        let signed = SignedStatement {
            signature: signature.unwrap(),
            statement,
        };
        self.ledger.enter(Body::Statement(Box::new(signed)))
    }

    /// A plan of a batch as its signer signs it, with its own previous transactions.
    pub(crate) fn transaction(&self, leader: Digest, plan: &Plan) -> Vec<u8> {
        let claimed = payment::spend::decode(self.wallet(), plan).unwrap();
        let batch = self.facts().batch_of(leader).unwrap();
        let payments = payment::spend::payments(&self.ledger.state, batch).unwrap();
        let spent: Vec<OutPoint> = claimed.spends().collect();
        let spent = self
            .deposits
            .iter()
            .filter(|paid| spent.contains(&paid.outpoint()));
        let previous: Vec<Vec<u8>> = spent.map(Deposit::previous).collect();
        let previous: Vec<&[u8]> = previous.iter().map(Vec::as_slice).collect();
        let demands = Demands {
            payments: &payments,
            ceiling: Sats::new(CEILING).unwrap(),
            highest_lock: MAX_LOCK_HEIGHT,
            replaced: None,
        };
        let wallet = self.wallet().spends().unwrap();
        let checked = Checked::transaction(&claimed.to_bytes(), &previous, &wallet, &demands);
        let checked = checked.unwrap();
        assert!(claimed.is_borne_out_by(&checked));
        let signatures: Vec<[u8; 64]> = checked.sighashes().map(|one| signature(&one)).collect();
        checked.finish(&signatures).unwrap().to_bytes()
    }

    /// What the signer says once it has signed the newest plan.
    pub(crate) fn says_signed(&self, leader: Digest) -> Says {
        let plan = self.facts().signable(leader).unwrap();
        let release = self.release(leader);
        Says::Signed {
            act: leader,
            entry: release.entry,
            effects: release.effects,
            plan: plan.digest(),
            transaction: self.transaction(leader, plan),
        }
    }

    /// The signer signs the newest plan and says so. Gives the transaction's id.
    pub(crate) fn sign(&mut self, leader: Digest) -> Digest {
        let says = self.says_signed(leader);
        assert_eq!(self.says(says).void, None);
        self.release(leader).signed.last().unwrap().transaction
    }

    pub(crate) fn confirm(&mut self, leader: Digest, transaction: Digest) -> Applied {
        self.says(Says::Confirmed {
            act: leader,
            transaction,
            block: 7,
            block_hash: Digest([7; 32]),
        })
    }
}

fn signature(sighash: &Sighash) -> [u8; 64] {
    let secp = Secp256k1::new();
    let digest = Message::from_digest(sighash.digest);
    match sighash.scheme {
        Scheme::Ecdsa => {
            let secret = pair(&secp, 7).secret_key();
            secp.sign_ecdsa(&digest, &secret).serialize_compact()
        }
        Scheme::Schnorr => {
            let tweak = Scalar::from_be_bytes(sighash.key.tweak().unwrap()).unwrap();
            let pair = pair(&secp, 8).add_xonly_tweak(&secp, &tweak).unwrap();
            secp.sign_schnorr_no_aux_rand(&digest, &pair).serialize()
        }
    }
}
