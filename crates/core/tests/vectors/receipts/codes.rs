//! Receipts of which a code is part: a small withdrawal by a TOTP code, and a factor that a recovery code
//! has recovered.

use super::draft::Draft;
use crate::holder::{Holder, Kind};
use crate::story::{Story, resign};
use portcullis_chains::Amount;
use portcullis_contact::{Digits, RecoveryCode, SealingSecret, seal_code};
use portcullis_core::act::{Act, ActKind, AddAddress, Recover, RevokeFactor, Withdraw};
use portcullis_core::code::Code;
use portcullis_core::factor::{NewFactor, RECOVERY_CODES};
use portcullis_core::genesis::{Genesis, Keeper, KeeperKind, SealingKey};
use portcullis_core::id::{AccountId, FactorId, KeeperId};
use portcullis_core::limits::{Bounds, Limit};
use portcullis_core::statement::{Says, Statement};
use portcullis_core::{Body, Digest, Evidence};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::World;

/// What the journal holds in the place of the seed.
const SEED: Digest = Digest([0x5e; 32]);

/// A network with a herald, and a rule for what codes let out.
fn genesis(genesis: &mut Genesis) {
    let key = portcullis_keys::StatementKey::public_key(&World::key(&World::HERALD.0)).clone();
    genesis.keepers.push(Keeper {
        id: World::HERALD,
        kind: KeeperKind::Herald,
        key,
        sealing: Some(SealingKey(World::SEALING)),
    });
    genesis.limits.rules.push(Limit {
        asset: World::ETHER,
        bounds: Bounds::Code,
        per_transaction: Some(Amount(1_000_000)),
        hour: None,
        day: None,
        week: None,
        approval: None,
    });
}

impl Story {
    /// The herald tells of everything, and every delay runs.
    fn tell_and_age(&mut self) {
        let untold: Vec<_> = self.ledger.state.facts().untold.acts().collect();
        for (entry, act) in untold {
            self.herald(Says::Told { act, entry });
        }
        self.age();
    }

    /// Act, the herald's word that its code is right, and what ended the waiting.
    fn judged(&mut self, act: Act, evidence: Evidence) -> [usize; 3] {
        let (act, asked) = (act.digest(), self.submit(act, evidence));
        let factor = app();
        let step = portcullis_core::code::step_at(self.ledger.clock.now());
        let right = self.herald(Says::CodeRight { act, factor, step });
        self.age();
        [asked, right, self.settle(act)]
    }

    /// The herald says something.
    pub(crate) fn herald(&mut self, says: Says) -> usize {
        let signed = said(self, World::HERALD, says);
        self.enter(Body::Statement(Box::new(signed)))
    }
}

pub(crate) fn said(
    story: &Story,
    keeper: KeeperId,
    says: Says,
) -> portcullis_core::statement::SignedStatement {
    let statement = Statement {
        genesis: story.world().digest(),
        keeper,
        says,
    };
    resign(statement, &World::key(&keeper.0))
}

/// A customer with an app beside the passkey, its opening and the app's enrolment.
fn with_an_app() -> (Story, usize, usize) {
    let mut story = Story::begin_in(World::with(genesis), Holder::new(Kind::PasskeyP256));
    let opening = story.open();
    story.tell_and_age();
    let enrolment = story.enrol(NewFactor::Totp { seed: SEED });
    (story, opening, enrolment)
}

fn app() -> FactorId {
    NewFactor::Totp { seed: SEED }.id()
}

/// Digits for an act.
fn typed(act: &Act) -> Code {
    let factor = app();
    let sealed = seal_code(
        &Digits::parse("081804").unwrap(),
        SealingSecret::new(&[0x77; 32]).unwrap().public(),
        act.genesis,
        (act.digest(), factor),
        |bytes| bytes.fill(4),
    );
    Code::Totp {
        factor,
        sealed: sealed.unwrap(),
    }
}

/// What a code proves, with the back end's relay and nothing else.
fn by_code(story: &Story, act: &Act, code: Code) -> Evidence {
    Evidence {
        requests: vec![World::request(
            World::BACK_END,
            act,
            story.ledger.clock.now(),
        )],
        code: Some(code),
        ..Evidence::default()
    }
}

impl Draft {
    /// A small withdrawal by a TOTP code. The enrolment stands in `shown` at 2, the address at 3, the act at 4,
    /// the herald's word at 5, what ended the waiting at 6.
    pub(crate) fn by_totp() -> Self {
        let (mut story, opening, enrolment) = with_an_app();
        let address = story.add_address();
        story.tell_and_age();
        Self::sent_by_code(story, opening, enrolment, &[address])
    }

    /// The same of a customer who has nothing but the app: the address stands in `shown` at 3, the word on its
    /// code at 4, its settlement at 5.
    pub(crate) fn by_totp_alone() -> Self {
        let (mut story, opening, enrolment) = with_an_app();
        story.tell_and_age();
        // The step of the enrolment serves for nothing.
        for _ in 0..6 {
            story.age();
        }
        let (principal, factor) = (story.holder.customer.principal, story.holder.factor().id());
        let revoke = ActKind::RevokeFactor(RevokeFactor { principal, factor });
        let revoke = story.customers(revoke);
        let evidence = story.evidence(&revoke);
        story.submit(revoke, evidence);
        let address = World::address(0x22);
        let add = ActKind::AddAddress(AddAddress { address });
        let add = story.customers(add);
        let evidence = by_code(&story, &add, typed(&add));
        let by_code = story.judged(add, evidence);
        story.tell_and_age();
        Self::sent_by_code(story, opening, enrolment, &by_code)
    }

    /// Sent by a code, to an address that these entries added.
    fn sent_by_code(mut story: Story, opening: usize, enrolment: usize, added: &[usize]) -> Self {
        for _ in 0..6 {
            story.age();
        }
        let act = small(&mut story);
        let digest = act.digest();
        let mut evidence = by_code(&story, &act, typed(&act));
        evidence.attestations.push(story.ledger.debit(&act));
        let sent = story.judged(act.clone(), evidence);
        let statement = story.say(story.signed(digest));
        let before = [&[0, opening, enrolment], added].concat();
        Self {
            story,
            named: digest,
            opening,
            address: added[0],
            withdrawal: sent[0],
            statement,
            shown: [&before[..], &sent, &[statement]].concat(),
            act,
        }
    }

    /// A withdrawal proven by a factor that a recovery code has recovered. The enrolment of the codes stands in
    /// `shown` at 2, the recovery at 3, its settlement at 4.
    pub(crate) fn by_recovery_code() -> Self {
        let mut story = Story::begin(Holder::new(Kind::PasskeyP256));
        let opening = story.open();
        story.age();
        let account = story.holder.customer.account;
        let codes = set(story.world().digest(), account);
        let enrolment = story.enrol(codes.clone());
        story.age();
        let younger = Holder::new(Kind::RequestKey);
        let (principal, factor) = (story.holder.customer.principal, younger.factor());
        let kind = ActKind::Recover(Recover { principal, factor });
        let act = story.ledger.customers_act(&story.holder.customer, kind);
        let digest = act.digest();
        let evidence = by_code(&story, &act, proof(&act, 3, digest));
        let recovery = story.submit(act, evidence);
        for _ in 0..3 {
            story.age();
        }
        let settled = story.settle(digest);
        story.holder = younger;
        story.age();
        let address = story.add_address();
        story.age();
        Self::paid(story, opening, &[enrolment, recovery, settled, address])
    }
}

fn small(story: &mut Story) -> Act {
    let kind = ActKind::Withdraw(Withdraw {
        asset: World::ETHER,
        to: World::address(0x22),
        amount: Amount(1_000_000),
    });
    story.ledger.customers_act(&story.holder.customer, kind)
}

fn code(number: usize) -> RecoveryCode {
    RecoveryCode::new(|bytes| bytes.fill(u8::try_from(number).unwrap()))
}

/// Ten codes as a factor.
fn set(network: Digest, account: AccountId) -> NewFactor {
    let ten: [RecoveryCode; RECOVERY_CODES] = core::array::from_fn(code);
    RecoveryCode::factor(&ten, network, account).unwrap()
}

/// What the recovery code of this number says of an act; the tenth and later ones are nobody's.
pub(crate) fn proof(act: &Act, number: usize, of: Digest) -> Code {
    let account = act.account.unwrap();
    let factor = set(act.genesis, account).id();
    code(number)
        .prove(act.genesis, account, (of, factor))
        .unwrap()
}

/// What an act came with.
pub(crate) fn evidence_of(draft: &Draft, at: usize) -> Evidence {
    let entry = portcullis_core::Entry::from_bytes(&draft.story.ledger.entries[at]).unwrap();
    match entry.body {
        Body::Act(submission) => submission.evidence,
        other => panic!("{other:?}"),
    }
}

/// The herald's word replaced by another.
pub(crate) fn with_word(change: fn(&mut Says) -> KeeperId) -> Draft {
    let mut draft = Draft::by_totp();
    let at = draft.shown[5];
    let entry = portcullis_core::Entry::from_bytes(&draft.story.ledger.entries[at]).unwrap();
    let Body::Statement(signed) = entry.body else {
        unreachable!()
    };
    let mut says = signed.statement.says;
    let keeper = change(&mut says);
    let signed = said(&draft.story, keeper, says);
    draft.entry(at, |entry| entry.body = Body::Statement(Box::new(signed)));
    draft
}
