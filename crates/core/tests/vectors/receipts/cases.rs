//! The table of receipts.

use super::codes;
use super::coins::{self, Paid};
use super::draft::Draft;
use super::joint;
use super::log_key;
use super::lost;
use super::mandates;
use super::{Bundle, Case};
use crate::holder::{HONEST, Holder, Kind, Says};
use crate::story::{Story, resign};
use portcullis_chains::Amount;
use portcullis_chains::ethereum::{Fees, Transfer};
use portcullis_core::act::{ActKind, AddAddress, Approve};
use portcullis_core::decide::payment;
use portcullis_core::entry::{Body, Submission};
use portcullis_core::evidence::{Attestation, Claim, Evidence};
use portcullis_core::genesis::{Genesis, Keeper, KeeperKind, Member, SignedGenesis};
use portcullis_core::id::{IssuerId, KeeperId, LedgerEntryId};
use portcullis_core::plan::Plan;
use portcullis_core::realm::Role;
use portcullis_core::receipt::Receipt;
use portcullis_core::signature::Signature;
use portcullis_core::statement::Says as Word;
use portcullis_core::{Act, Decision, Digest, Need, Reason, Span};
use portcullis_keeper::testkit::{Ledger, World, id};
use portcullis_keys::StatementKey as _;
use portcullis_keys::software::SoftwareWallet;
use portcullis_tlog::Hash;
use zeroize::Zeroizing;

/// Genesis' witnesses, and those who take over where any do.
const RETIRED: [u8; 3] = [0x91, 0x92, 0x93];
const SUCCESSORS: [u8; 3] = [0x92, 0x94, 0x95];

/// The size of the last checkpoint of genesis' witnesses.
fn last(ledger: &Ledger) -> u64 {
    ledger.state.handovers()[0].last()
}

pub(super) const ETHER: u128 = 1_000_000_000_000_000_000;

fn honest() -> Draft {
    Draft::straight(Kind::PasskeyP256, World::ETHER, ETHER)
}

/// An honest journal, changed before it was cosigned.
fn journal(change: fn(&mut Draft)) -> Bundle {
    let mut draft = honest();
    change(&mut draft);
    draft.into()
}

/// An honest journal's receipt, changed afterwards.
fn bundle(change: fn(&mut Receipt)) -> Bundle {
    let mut bundle = Bundle::from(honest());
    change(&mut bundle.receipt);
    bundle
}

/// The withdrawal of a draft, and who asks for it.
struct Asked {
    act: Act,
    holder: Holder,
}

/// An honest journal in which the withdrawal came with other evidence.
fn evidence(change: fn(&mut Evidence, &Asked)) -> Bundle {
    let mut draft = honest();
    let asked = Asked {
        act: draft.act.clone(),
        holder: Holder::new(Kind::PasskeyP256),
    };
    let withdrawal = draft.withdrawal;
    draft.submission(withdrawal, |s| change(&mut s.evidence, &asked));
    draft.into()
}

/// An honest journal in which the withdrawal was decided otherwise.
fn decided(decision: Decision) -> Bundle {
    let mut draft = honest();
    let at = draft.withdrawal;
    draft.submission(at, |s| s.decision = decision);
    draft.into()
}

/// An honest journal in which the address came in another way.
fn added(change: fn(&mut Submission)) -> Bundle {
    let mut draft = honest();
    let at = draft.address;
    draft.submission(at, change);
    draft.into()
}

/// A journal of a network with two signers, in which the one without the wallet's key states the release.
fn stated_by_another_signer() -> Bundle {
    let other = KeeperId(id(0x52));
    let key = World::key(&other.0);
    let world = World::with(|genesis| {
        genesis.keepers.push(Keeper {
            id: other,
            kind: KeeperKind::Signer,
            key: key.public_key().clone(),
            sealing: None,
        });
    });
    let story = Story::begin_in(world, Holder::new(Kind::PasskeyP256));
    let mut draft = Draft::in_story(story, World::ETHER, ETHER);
    draft.signed_statement(|signed| {
        signed.statement.keeper = other;
        *signed = resign(signed.statement.clone(), &key);
    });
    draft.into()
}

/// Whoever of genesis' staff has this role.
fn with_role(genesis: &mut Genesis, role: Role) -> &mut Member {
    let mut staff = genesis.staff.iter_mut();
    staff.find(|member| member.roles.contains(&role)).unwrap()
}

/// An honest journal that begins with another genesis.
fn genesis(change: fn(&mut SignedGenesis)) -> Bundle {
    let mut draft = honest();
    draft.entry(0, |entry| match &mut entry.body {
        Body::Genesis(signed) => change(signed),
        other => panic!("{other:?}"),
    });
    draft.into()
}

/// An honest journal that begins with another genesis, signed by its administrators and pinned.
fn unsound(change: fn(&mut Genesis)) -> Bundle {
    let mut draft = honest();
    let mut pinned = None;
    draft.entry(0, |entry| match &mut entry.body {
        Body::Genesis(signed) => {
            change(&mut signed.genesis);
            let bytes = signed.genesis.signed_bytes();
            for (principal, signature) in &mut signed.signatures {
                *signature = World::key(&principal.0).sign(&bytes).unwrap();
            }
            pinned = Some(signed.genesis.digest());
        }
        other => panic!("{other:?}"),
    });
    Bundle {
        pinned: pinned.unwrap(),
        ..draft.into()
    }
}

/// An honest journal in which something else was planned and signed.
fn planned(amount: u128, payee: u8) -> Bundle {
    let mut draft = honest();
    let plan = draft.plan();
    let right = payment::decode(&plan).unwrap();
    let (to, amount) = (World::address(payee), Amount(amount));
    let transfer = Transfer::new(World::ETHER, to, amount, right.nonce(), right.fees());
    draft.replan(&Plan {
        wallet: plan.wallet,
        unsigned: transfer.unwrap().build().to_bytes(),
    });
    draft.into()
}

/// A journal in which the factor that proves the withdrawal was enrolled in another way.
fn enrolled(change: fn(&mut Submission)) -> Bundle {
    let mut draft = Draft::enrolled();
    let enrolment = draft.shown[2];
    draft.submission(enrolment, change);
    draft.into()
}

/// A journal in which the back end was appointed in another way.
fn granted(change: fn(&mut Draft)) -> Bundle {
    let mut draft = Draft::granted();
    change(&mut draft);
    draft.into()
}

fn flip(signature: &mut Signature) {
    let mut bytes = *signature.as_bytes();
    bytes[20] ^= 1;
    *signature = Signature::from_bytes(bytes);
}

/// The other S that verifies: the order of P-256 less S.
fn other_s(signature: &mut Signature) {
    const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order = hex::decode(ORDER).unwrap();
    let mut bytes = *signature.as_bytes();
    let mut borrow = 0;
    for (digit, order) in bytes[32..].iter_mut().zip(order).rev() {
        let difference = i16::from(order) - i16::from(*digit) - borrow;
        borrow = i16::from(difference < 0);
        *digit = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    *signature = Signature::from_bytes(bytes);
}

/// The attestation as another issuer would sign it, or over another act.
fn attest_again(attestation: &mut Attestation, issuer: IssuerId, act: Digest) {
    attestation.statement.issuer = issuer;
    attestation.statement.act = act;
    let bytes = attestation.statement.signed_bytes();
    attestation.signature = World::key(&issuer.0).sign(&bytes).unwrap();
}

fn other_act(act: &Act) -> Act {
    let mut other = act.clone();
    other.id.0[15] ^= 1;
    other
}

fn asserted(says: &Says<'_>) -> Bundle {
    let mut draft = honest();
    let withdrawal = draft.withdrawal;
    let assertion = draft.story.holder.assertion(&draft.act, says);
    draft.submission(withdrawal, |s| s.evidence.assertions = vec![assertion]);
    draft.into()
}

/// Only the signatures of the log and of one witness, out of three of which two make a quorum.
fn without_quorum(receipt: &mut Receipt) {
    let lines: Vec<&str> = receipt.checkpoint.split_inclusive('\n').collect();
    let is_dropped = |line: &&&str| !(line.contains("witness-92") || line.contains("witness-93"));
    receipt.checkpoint = lines.iter().filter(is_dropped).copied().collect();
}

/// One witness twice.
fn with_one_witness_twice(receipt: &mut Receipt) {
    without_quorum(receipt);
    let last = receipt.checkpoint.trim_end().rsplit('\n').next().unwrap();
    let again = format!("{}{last}\n", receipt.checkpoint);
    receipt.checkpoint = again;
}

macro_rules! cases {
    ($($expect:ident $name:literal $what:literal $make:expr;)*) => {
        /// All of them, in the order of the checks.
        pub(crate) const CASES: &[Case] = &[$(Case {
            name: $name, what: $what, expect: stringify!($expect), make: || $make,
        }),*];
    };
}

cases! {
    ok "good-ether" "a withdrawal of ether, proven by a P-256 passkey, signed and confirmed"
        honest().into();
    ok "good-token" "a withdrawal of an ERC-20 token"
        Draft::straight(Kind::PasskeyP256, World::TOKEN, 5_000_000).into();
    ok "good-held-and-outbid" "held for its debit, released by a settlement, replaced with higher fees; an Ed25519 passkey; not yet confirmed"
        Draft::crooked().into();
    ok "good-request-key" "a customer who proves itself with a request key"
        Draft::straight(Kind::RequestKey, World::ETHER, ETHER).into();
    ok "good-enrolled" "a request key that the customer enrolled by its passkey"
        Draft::enrolled().into();
    ok "good-granted" "a back end that a quorum of administrators appointed"
        Draft::granted().into();
    ok "good-recovered" "a factor that was recovered on an identity vendor's word"
        Draft::recovered().into();
    ok "good-recovered-by-support" "a factor that was recovered on the word of two members with role support"
        Draft::supported().into();
    ok "good-rotated-ledger" "a debit that the ledger's successor attests, whose key a quorum put in the place of the old one"
        Draft::rotated_ledger().into();
    ok "good-rotated-keeper" "a statement under the key that a quorum put in the place of the signer's"
        Draft::rotated_keeper().into();
    ok "good-administrators-recovered" "a back end that administrators appointed whom a quorum of the roots had named"
        Draft::administrators_recovered().into();

    ok "good-rotated-witnesses" "a checkpoint of witnesses whom a quorum put in the place of genesis', and the last one of those"
        Draft::rotated_witnesses().into();
    ok "good-rotated-witnesses-twice" "a checkpoint of witnesses who took over from witnesses who had taken over"
        Draft::rotated_witnesses_twice().into();

    ok "good-mandate" "a withdrawal by mandate, which a wallet service carries out"
        mandates::permitted().into();

    ok "good-coins" "a withdrawal that a transaction from coins pays first, signed by ECDSA and Schnorr keys and confirmed"
        Paid::two().shown(0);
    ok "good-coins-beside" "the withdrawal that it pays after that"
        Paid::two().shown(1);
    ok "good-coins-the-first-given-up" "an output pays the second of two equal withdrawals since the first was given up"
        Paid::given_up(0).shown(1);
    ok "good-coins-the-second-given-up" "and the first where the second was given up"
        Paid::given_up(1).shown(0);

    Shape "bad-no-entries" "no entries"
        bundle(|receipt| receipt.entries.clear());
    Shape "bad-genesis-not-first" "the genesis entry is not the first"
        bundle(|receipt| receipt.entries.swap(0, 1));
    Genesis "bad-genesis-not-pinned" "the verifier has pinned another genesis"
        Bundle { pinned: Digest([0x99; 32]), receipt: honest().receipt() };
    Genesis "bad-genesis-changed" "the genesis names one witness as enough; its digest is another"
        genesis(|signed| signed.genesis.witnesses.quorum = 1);
    Genesis "bad-genesis-unsigned" "an administrator's signature is another's"
        genesis(|signed| signed.signatures[2].1 = signed.signatures[1].1);
    Genesis "bad-genesis-signed-too-often" "an administrator's signature stands there twice"
        genesis(|signed| signed.signatures.push(signed.signatures[0]));
    Genesis "bad-genesis-keeper-among-staff" "a member of staff has the role keeper"
        unsound(|genesis| genesis.staff[0].roles.push(Role::Keeper));
    Genesis "bad-genesis-back-end-approves" "a back end has another role"
        unsound(|genesis| with_role(genesis, Role::BackEnd).roles.push(Role::Approver));
    Genesis "bad-genesis-realm-twice" "a realm has two relying parties"
        unsound(|genesis| genesis.parties.push(genesis.parties[0].clone()));
    Genesis "bad-genesis-party-without-origins" "a realm's relying party has no origin"
        unsound(|genesis| genesis.parties[0].relying_party.origins.clear());
    Genesis "bad-genesis-asset-twice" "an asset stands twice"
        unsound(|genesis| genesis.assets.push(genesis.assets[0]));
    Genesis "bad-genesis-limit-on-another-asset" "a limit is for an asset that genesis does not name"
        unsound(|genesis| genesis.assets.retain(|asset| *asset != World::ETHER));
    Genesis "bad-genesis-log-of-another-name" "the log's key has another name than its origin"
        unsound(|genesis| genesis.log.origin = "another.example/log".into());

    Checkpoint "bad-checkpoint-without-quorum" "one witness has cosigned where two must"
        bundle(without_quorum);
    Checkpoint "bad-checkpoint-witness-twice" "the one witness has cosigned twice"
        bundle(with_one_witness_twice);
    Checkpoint "bad-checkpoint-changed" "the checkpoint's size is another than was signed"
        bundle(|receipt| receipt.checkpoint = receipt.checkpoint.replacen('\n', "\n1", 1));

    Checkpoint "bad-checkpoint-by-successors" "other witnesses than genesis' have cosigned, and nothing shows that they took over"
        lost::handed_over(|receipt, _| receipt.handovers.clear());
    Checkpoint "bad-checkpoint-by-retired-witnesses" "witnesses from whom others took over have cosigned"
        lost::handed_over(|receipt, ledger| receipt.checkpoint = lost::checkpoint(ledger, ledger.entries.len(), &RETIRED));
    Checkpoint "bad-checkpoint-by-retired-witnesses-alone" "the same without their last checkpoint"
        lost::handed_over(|receipt, ledger| {
            receipt.checkpoint = lost::checkpoint(ledger, ledger.entries.len(), &RETIRED);
            receipt.handovers.clear();
        });
    Checkpoint "bad-checkpoint-by-one-of-each" "one witness of before and one successor have cosigned"
        lost::handed_over(|receipt, ledger| receipt.checkpoint = lost::checkpoint(ledger, ledger.entries.len(), &[0x91, 0x94]));
    Checkpoint "bad-handover-by-successors" "the last checkpoint of those of before is cosigned by their successors"
        lost::handed_over(|receipt, ledger| receipt.handovers = vec![lost::handover(ledger, last(ledger), &SUCCESSORS)]);
    Checkpoint "bad-handover-of-another-size" "those of before have cosigned one entry more than the rotation"
        lost::handed_over(|receipt, ledger| receipt.handovers = vec![lost::handover(ledger, last(ledger) + 1, &RETIRED)]);
    Checkpoint "bad-handover-proof" "one hash of the handover's proof is wrong"
        lost::handed_over(|receipt, _| receipt.handovers[0].proof[0] = Hash::leaf(b"another").to_base64());
    Checkpoint "bad-handover-twice" "the handover stands there twice"
        lost::handed_over(|receipt, _| receipt.handovers.push(receipt.handovers[0].clone()));
    Checkpoint "bad-handover-without-quorum" "one administrator's approval of the rotation is not shown"
        lost::without(Draft::rotated_witnesses(), 3).into();
    Checkpoint "bad-handover-without-settlement" "nothing shows that the rotation took effect"
        lost::without(Draft::rotated_witnesses(), 4).into();

    ok "good-rotated-log" "a checkpoint by a key that a quorum put in the place of the journal's, and the last one by that"
        Draft::rotated_log().into();
    ok "good-rotated-log-and-witnesses" "the journal's key was rotated, then the witnesses, then the key once more"
        Draft::rotated_log_and_witnesses().into();

    Checkpoint "bad-checkpoint-by-successor-key" "another key than genesis' has signed, and nothing shows that it took over"
        log_key::log_rotated(|receipt, _| receipt.handovers.clear());
    Checkpoint "bad-checkpoint-by-retired-key" "the journal's key of before has signed a longer journal, and the witnesses have cosigned that"
        log_key::log_rotated(|receipt, ledger| receipt.checkpoint = log_key::signed_by(ledger, ledger.entries.len(), log_key::OLD));
    Checkpoint "bad-checkpoint-by-retired-key-alone" "the same without the last checkpoint by that key"
        log_key::log_rotated(|receipt, ledger| {
            receipt.checkpoint = log_key::signed_by(ledger, ledger.entries.len(), log_key::OLD);
            receipt.handovers.clear();
        });
    Checkpoint "bad-handover-by-successor-key" "the last checkpoint by the key of before is signed by its successor"
        log_key::log_rotated(|receipt, ledger| {
            let last = usize::try_from(last(ledger)).unwrap();
            receipt.handovers[0].checkpoint = log_key::signed_by(ledger, last, log_key::NEXT);
        });
    Checkpoint "bad-log-handover-of-another-size" "the key of before has signed one entry more than the rotation"
        log_key::log_rotated(|receipt, ledger| {
            let longer = usize::try_from(last(ledger)).unwrap() + 1;
            receipt.handovers = vec![log_key::handover(ledger, longer, log_key::OLD)];
        });
    Checkpoint "bad-log-rotated-without-quorum" "one administrator's approval of the key's rotation is not shown"
        lost::without(Draft::rotated_log(), 3).into();
    Checkpoint "bad-log-rotated-by-old-proposal" "the rotation of another key was proposed before this one, and is written as if it took effect"
        log_key::by_an_old_proposal();

    Inclusion "bad-inclusion-proof" "one hash of a proof is wrong"
        bundle(|receipt| receipt.entries[3].proof[1] = Hash::leaf(b"another").to_base64());
    Inclusion "bad-inclusion-index" "an entry is shown at another index"
        bundle(|receipt| receipt.entries[3].index -= 1);
    Inclusion "bad-entry-flipped" "one bit of an entry is flipped"
        bundle(|receipt| receipt.entries[3].entry[100] ^= 1);
    Inclusion "bad-evidence-too-much" "an entry has more requests than an act takes"
        journal(|draft| {
            let at = draft.withdrawal;
            draft.submission(at, |s| {
                let again = s.evidence.requests[0].clone();
                s.evidence.requests.resize(9, again);
            });
        });
    Inclusion "bad-entry-not-canonical" "an entry that stands in the journal in another than its canonical encoding"
        journal(|draft| {
            let at = draft.withdrawal;
            let canonical = draft.story.ledger.entries[at].split_off(1);
            // The map's head in two bytes where one is enough.
            draft.story.ledger.entries[at] = [&[0xb8, 3], &canonical[..]].concat();
        });

    Act "bad-act-not-there" "the receipt names an act that none of its entries carries"
        bundle(|receipt| receipt.act = Digest([0xaa; 32]));
    Act "bad-act-not-a-withdrawal" "the act that it names adds an address"
        journal(|draft| {
            let address = draft.shown[2];
            let mut named = None;
            draft.submission(address, |s| named = Some(s.act.digest()));
            draft.named = named.unwrap();
        });
    Act "bad-act-of-another-network" "the act is meant for another network"
        journal(|draft| {
            let (at, mut act) = (draft.withdrawal, draft.act.clone());
            act.genesis = Digest([0x99; 32]);
            draft.named = act.digest();
            draft.submission(at, |s| s.act = act);
        });

    Act "bad-act-expired" "the act had expired when it was submitted"
        journal(|draft| {
            let (at, mut act) = (draft.withdrawal, draft.act.clone());
            act.expires = World::START;
            draft.named = act.digest();
            draft.submission(at, |s| s.act = act);
        });

    Order "bad-order-of-entries" "the signer's statement is listed before the act"
        bundle(|receipt| receipt.entries.swap(3, 4));
    Order "bad-entry-twice" "an entry is listed twice"
        bundle(|receipt| receipt.entries.insert(2, receipt.entries[1].clone()));
    Order "bad-time-goes-back" "an entry's time is before that of the one before it"
        journal(|draft| {
            let at = draft.withdrawal;
            draft.entry(at, |entry| entry.time = World::START.before(Span::seconds(1)));
        });
    Order "bad-time-ahead" "an entry's time is long after the checkpoint's cosignatures"
        journal(|draft| {
            let at = *draft.shown.last().unwrap();
            draft.entry(at, |entry| entry.time = entry.time.after(Span::seconds(60)));
        });
    Order "bad-partition" "an entry of a partition that does not exist"
        journal(|draft| {
            let at = draft.withdrawal;
            draft.entry(at, |entry| entry.partition = 1);
        });

    Release "bad-release-refused" "the withdrawal was refused, and signed all the same"
        decided(Decision::Refuse { reason: Reason::OverTransactionLimit });
    Release "bad-release-held" "the withdrawal was held, and nothing ended that"
        decided(Decision::Hold { needs: vec![Need::Lift], until: None });
    Release "bad-release-without-settlement" "the settlement that released it is not in the receipt"
        {
            let mut draft = Draft::crooked();
            draft.shown.remove(5);
            draft.into()
        };

    Factor "bad-assertion-over-another-act" "the assertion is over another act"
        evidence(|evidence, was| {
            let other = other_act(&was.act);
            evidence.assertions = vec![was.holder.assertion(&other, &HONEST)];
        });
    Factor "bad-assertion-signature" "one bit of the assertion's signature is flipped"
        evidence(|evidence, _| flip(&mut evidence.assertions[0].signature));
    Factor "bad-assertion-high-s" "the assertion's signature has the high S"
        evidence(|evidence, _| other_s(&mut evidence.assertions[0].signature));
    Factor "bad-assertion-origin" "the assertion was made at an origin that genesis does not name"
        asserted(&Says { origin: "https://app.bank.example.evil.example", ..HONEST });
    Factor "bad-assertion-relying-party" "the assertion is for another relying party id"
        asserted(&Says { rp_id: "app.bank.example", ..HONEST });
    Factor "bad-assertion-unverified" "the authenticator did not verify its user"
        asserted(&Says { flags: 0x01, ..HONEST });
    Factor "bad-assertion-missing" "nothing by the customer"
        evidence(|evidence, _| evidence.assertions.clear());
    Factor "bad-factor-not-shown" "the entry that enrolled the factor is not in the receipt"
        bundle(|receipt| { receipt.entries.remove(1); });
    Factor "bad-onboarding-missing" "the account was opened without the onboarding key's word"
        journal(|draft| {
            let opening = draft.opening;
            draft.submission(opening, |s| s.evidence.attestations.clear());
        });
    Factor "bad-onboarding-by-the-ledger" "the account was opened on the ledger's word"
        journal(|draft| {
            let opening = draft.opening;
            draft.submission(opening, |s| {
                let act = s.act.digest();
                attest_again(&mut s.evidence.attestations[0], World::LEDGER, act);
            });
        });
    Factor "bad-factor-of-another-account" "the factor was enrolled for another account"
        journal(|draft| {
            let opening = draft.opening;
            draft.submission(opening, |s| {
                s.act.account.as_mut().unwrap().0[0] ^= 1;
                let act = s.act.digest();
                attest_again(&mut s.evidence.attestations[0], World::ONBOARDING, act);
            });
        });

    Factor "bad-enrolment-by-nobody" "no older factor proves the enrolment of the one that proves the act"
        enrolled(|enrolment| enrolment.evidence.assertions.clear());
    Factor "bad-enrolment-refused" "the enrolment was refused"
        enrolled(|enrolment| {
            let reason = Reason::TooMany;
            enrolment.decision = Decision::Refuse { reason };
        });

    Factor "bad-factor-enrolled-later" "the account was opened behind the withdrawal that its factor proves"
        journal(|draft| {
            let (opening, at) = (draft.opening, draft.withdrawal);
            draft.story.ledger.entries.swap(opening, at);
            let (first, second) = (draft.time(opening), draft.time(at));
            draft.entry(opening, |entry| entry.time = second);
            draft.entry(at, |entry| entry.time = first);
        });
    Factor "bad-request-is-a-read" "the customer's key signed a GET that covers the act"
        {
            let mut draft = Draft::straight(Kind::RequestKey, World::ETHER, ETHER);
            let at = draft.withdrawal;
            let read = draft.story.holder.read(&draft.act, World::START);
            draft.submission(at, |s| s.evidence.requests[1] = read);
            draft.into()
        };

    Relay "bad-grant-without-settlement" "the entry by which the grant took effect is not in the receipt"
        granted(|draft| { draft.shown.remove(4); });
    Relay "bad-grant-of-another-network" "the grant and its approval are meant for another network"
        granted(|draft| {
            let [grant, approval, settled] = [2, 3, 4].map(|at| draft.shown[at]);
            let mut digest = None;
            draft.submission(grant, |s| {
                s.act.genesis = Digest([0x99; 32]);
                s.evidence.requests = vec![World::request(s.act.principal, &s.act, World::START)];
                digest = Some(s.act.digest());
            });
            let digest = digest.unwrap();
            draft.submission(approval, |s| {
                s.act.genesis = Digest([0x99; 32]);
                s.act.kind = ActKind::Approve(Approve { act: digest });
                s.evidence.requests = vec![World::request(s.act.principal, &s.act, World::START)];
            });
            draft.entry(settled, |entry| match &mut entry.body {
                Body::Settle(settlement) => settlement.act = digest,
                other => panic!("{other:?}"),
            });
        });
    Relay "bad-relay-by-another-door" "the back end's request covers the act and asks for something else"
        evidence(|evidence, was| {
            evidence.requests = vec![World::request_to("/v1/acts:simulate", World::BACK_END, &was.act, World::START)];
        });
    Relay "bad-relay-stale" "the back end signed the request an hour before"
        evidence(|evidence, was| {
            let before = World::START.before(Span::hours(1));
            evidence.requests = vec![World::request(World::BACK_END, &was.act, before)];
        });
    Relay "bad-grant-without-quorum" "one administrator's approval is missing where two must stand behind the grant"
        granted(|draft| { draft.shown.remove(3); });
    Relay "bad-grant-approved-by-its-proposer" "the second approval is the proposer's"
        granted(|draft| {
            let (approval, proposer) = (draft.shown[3], World::administrator(0));
            draft.submission(approval, |s| {
                s.act.principal = proposer;
                s.evidence.requests = vec![World::request(proposer, &s.act, World::START)];
            });
        });
    Relay "bad-relay-missing" "no back end signed the request"
        evidence(|evidence, _| evidence.requests.clear());
    Relay "bad-relay-by-an-operator" "an operator signed the request, who is no back end"
        evidence(|evidence, was| {
            evidence.requests = vec![World::request(World::OPERATOR, &was.act, World::START)];
        });
    Relay "bad-relay-of-another-act" "the back end's request is about another act"
        evidence(|evidence, was| {
            let other = other_act(&was.act);
            evidence.requests = vec![World::request(World::BACK_END, &other, World::START)];
        });

    Address "bad-address-not-shown" "the entry that added the address is not in the receipt"
        bundle(|receipt| { receipt.entries.remove(2); });
    Address "bad-address-by-nobody" "no factor of the customer's proves the act that added the address"
        added(|adding| adding.evidence.assertions.clear());
    Address "bad-address-not-relayed" "no back end relayed the act that added the address"
        added(|adding| adding.evidence.requests.clear());
    Address "bad-address-refused" "the address was refused"
        added(|adding| adding.decision = Decision::Refuse { reason: Reason::TooMany });
    Address "bad-address-another" "the customer added another address than is paid"
        journal(|draft| {
            let (at, holder) = (draft.address, Holder::new(Kind::PasskeyP256));
            draft.submission(at, |s| {
                s.act.kind = ActKind::AddAddress(AddAddress { address: World::address(0x23) });
                s.evidence.requests = vec![World::request(World::BACK_END, &s.act, World::START.after(Span::seconds(6)))];
                s.evidence.assertions = vec![holder.assertion(&s.act, &HONEST)];
            });
        });

    Debit "bad-debits-that-differ" "the ledger attests two debits, of different entries"
        evidence(|evidence, was| {
            let mut other = evidence.attestations[0].clone();
            other.statement.claim = Claim::LedgerDebit { entry: LedgerEntryId([0x77; 16]) };
            attest_again(&mut other, World::LEDGER, was.act.digest());
            evidence.attestations.push(other);
        });
    Debit "bad-debit-expired" "the ledger's attestation had expired"
        evidence(|evidence, was| {
            evidence.attestations[0].statement.expires = World::START;
            attest_again(&mut evidence.attestations[0], World::LEDGER, was.act.digest());
        });
    Debit "bad-debit-missing" "no attestation"
        evidence(|evidence, _| evidence.attestations.clear());
    Debit "bad-debit-by-another-issuer" "the onboarding key attests the debit"
        evidence(|evidence, was| {
            let act = was.act.digest();
            attest_again(&mut evidence.attestations[0], World::ONBOARDING, act);
        });
    Debit "bad-debit-for-another-act" "the ledger attests a debit for another act"
        evidence(|evidence, was| {
            let act = other_act(&was.act).digest();
            attest_again(&mut evidence.attestations[0], World::LEDGER, act);
        });
    Debit "bad-debit-signature" "one bit of the attestation's signature is flipped"
        evidence(|evidence, _| flip(&mut evidence.attestations[0].signature));

    Plan "bad-plan-amount" "the plan pays another amount"
        planned(ETHER + 1, 0x22);
    Plan "bad-plan-payee" "the plan pays somebody else"
        planned(ETHER, 0x23);
    Plan "bad-plan-missing" "no entry of the receipt released the plan that was signed"
        journal(|draft| draft.says(|said| *said.plan = Digest([0x77; 32])));
    Plan "bad-plan-fee" "the plan may cost more in fees than genesis allows its wallet"
        {
            let mut draft = honest();
            let plan = draft.plan();
            let right = payment::decode(&plan).unwrap();
            let fees = Fees::new(30_000_000_000_000, 1, 100_000).unwrap();
            draft.replan(&Plan { wallet: plan.wallet, unsigned: right.with_fees(fees).build().to_bytes() });
            draft.into()
        };
    Plan "bad-release-by-genesis" "the statement names genesis as the entry that released it"
        journal(|draft| draft.says(|said| *said.entry = 0));
    Plan "bad-release-not-shown" "the entry that is said to have released it is not in the receipt"
        journal(|draft| draft.says(|said| *said.entry = 1));

    Plan "bad-mandate-amount" "the mandate permits another amount"
        mandates::with_text(|text| text.replace("amount 1", "amount 2")).into();
    Plan "bad-mandate-payee" "the mandate pays somebody else"
        mandates::with_text(|text| text.replace(&"22".repeat(20), &"23".repeat(20))).into();
    Plan "bad-mandate-asset" "the mandate pays another asset"
        mandates::with_text(|text| text.replace("/slip44:60", "/slip44:61")).into();
    Plan "bad-mandate-network" "the mandate is another network's"
        mandates::with_text(|text| { let at = text.find("network ").unwrap() + 8; format!("{}{}{}", &text[..at], "99".repeat(32), &text[at + 64..]) }).into();
    Plan "bad-mandate-void" "the mandate gives the act up"
        mandates::with_text(|text| text[..text.find("expires").unwrap()].to_owned() + "void\n").into();
    Plan "bad-mandate-act" "the mandate is for another act"
        mandates::with_text(|text| { let at = text.find("act ").unwrap() + 4; format!("{}{}{}", &text[..at], "77".repeat(32), &text[at + 64..]) }).into();
    Statement "bad-mandate-key" "the mandate is signed with another key than its signer's"
        mandates::by(&World::key(&[0x72; 16])).into();
    Statement "bad-mandate-unsigned" "the mandate has no signature"
        {
            let mut draft = mandates::permitted();
            let plan = draft.plan();
            draft.says(|said| *said.transaction = plan.unsigned);
            draft.into()
        };
    Statement "bad-mandate-in-place-of-a-transaction" "a wallet that signs transactions states a mandate"
        journal(|draft| {
            let plan = mandates::permitted().plan();
            let world = draft.story.world();
            let said = crate::story::permit(&plan.unsigned, world.keeper.as_ref());
            draft.says(|to| *to.transaction = said);
        });

    Plan "bad-coins-given-up" "the first of two equal withdrawals was given up, and the one output pays the second"
        Paid::given_up(0).shown(0);
    Plan "bad-coins-given-up-beside" "the second was given up, and it pays the first"
        Paid::given_up(1).shown(1);
    Plan "bad-coins-given-up-and-bumped" "the same with a higher fee, which is about both"
        Paid::given_up_and_bumped(0).shown(0);
    Plan "bad-coins-amount" "the output is a satoshi less than the withdrawal"
        coins::claiming(|claims| claims.unsigned_tx.output[0].value -= bitcoin::Amount::ONE_SAT);
    Plan "bad-coins-payee" "the output pays somebody else"
        coins::claiming(|claims| claims.unsigned_tx.output[0].script_pubkey = claims.unsigned_tx.output[1].script_pubkey.clone());
    Plan "bad-coins-place" "the output stands behind that of the withdrawal that is paid after this one"
        coins::claiming(|claims| claims.unsigned_tx.output.swap(0, 1));
    Plan "bad-coins-fee" "the change is 20,000 satoshis less, and the fee above genesis' ceiling"
        coins::claiming(|claims| claims.unsigned_tx.output[2].value -= bitcoin::Amount::from_sat(20_000));
    Plan "bad-coins-overspent" "the outputs are more than the inputs"
        coins::claiming(|claims| claims.unsigned_tx.output[2].value += bitcoin::Amount::from_sat(100_000));
    Plan "bad-coins-foreign" "an input spends what none of the wallet's keys opens"
        coins::claiming(|claims| claims.inputs[0].witness_utxo.as_mut().unwrap().script_pubkey = claims.unsigned_tx.output[0].script_pubkey.clone());
    Plan "bad-coins-final" "an input cannot be replaced"
        coins::claiming(coins::final_sequence);
    Plan "bad-coins-twice" "two inputs spend one output"
        coins::claiming(|claims| claims.unsigned_tx.input[1].previous_output = claims.unsigned_tx.input[0].previous_output);
    Plan "bad-coins-version" "the transaction is of version 2"
        coins::claiming(|claims| claims.unsigned_tx.version = bitcoin::transaction::Version::TWO);
    Plan "bad-coins-lock-time" "the transaction waits for a time"
        coins::claiming(|claims| claims.unsigned_tx.lock_time = bitcoin::absolute::LockTime::from_consensus(500_000_000));
    Plan "bad-coins-heavy" "the transaction is above 10,000 virtual bytes"
        coins::claiming(coins::heavy);
    Plan "bad-coins-sighash-type" "the claims say how an input is to be signed"
        coins::claiming(|claims| claims.inputs[0].sighash_type = Some(bitcoin::EcdsaSighashType::All.into()));
    Plan "bad-coins-said-of-an-output" "the claims say something of an output"
        coins::claiming(|claims| claims.outputs[0].redeem_script = Some(bitcoin::ScriptBuf::new()));
    Plan "bad-coins-a-byte-more" "a byte stands behind the claims"
        coins::with_a_byte_more();
    Plan "bad-coins-elsewhere" "the wallet of the plan is on another chain, with the same keys"
        coins::elsewhere();
    Plan "bad-coins-of-another-batch" "the transaction pays the same to the same payee, for another withdrawal"
        coins::of_another_batch();
    Statement "bad-coins-of-a-member" "the statement names a withdrawal that is paid beside another"
        coins::of_a_member();
    Statement "bad-coins-ecdsa" "a bit of an ECDSA signature is another"
        coins::signed(coins::flip_ecdsa);
    Statement "bad-coins-schnorr" "a bit of a Schnorr signature is another"
        coins::signed(coins::flip_schnorr);
    Statement "bad-coins-high-s" "the other S of an ECDSA signature, which nodes do not relay"
        coins::signed(coins::high_s);
    Statement "bad-coins-single" "a signature over everything is said to be over one output"
        coins::signed(coins::single);
    Statement "bad-coins-spelled-out" "a Schnorr signature spells out the default sighash type"
        coins::signed(coins::spelled_out);
    Statement "bad-coins-other-key" "the witness has the other key that has the same x"
        coins::signed(coins::other_key);
    Statement "bad-coins-unsigned" "the transaction has no witnesses"
        coins::signed(coins::without_witnesses);
    Statement "bad-coins-another" "the signed transaction has another lock time than the planned one"
        coins::signed(|tx| tx.lock_time = bitcoin::absolute::LockTime::ZERO);

    Statement "bad-statement-missing" "no signer's statement"
        bundle(|receipt| receipt.entries.truncate(4));
    Statement "bad-statement-by-nobody" "the statement is by a keeper that genesis does not name"
        journal(|draft| {
            let world = draft.story.world();
            draft.signed_statement(|signed| {
                signed.statement.keeper = KeeperId([0x99; 16]);
                *signed = resign(signed.statement.clone(), world.keeper.as_ref());
            });
        });
    Statement "bad-statement-signature" "one bit of the statement's signature is flipped"
        journal(|draft| draft.signed_statement(|signed| flip(&mut signed.signature)));
    Statement "bad-statement-of-another-network" "the statement is about another network"
        journal(|draft| {
            let world = draft.story.world();
            draft.signed_statement(|signed| {
                signed.statement.genesis = Digest([0x99; 32]);
                *signed = resign(signed.statement.clone(), world.keeper.as_ref());
            });
        });
    Statement "bad-statement-by-another-keeper" "the statement is by a signer that does not hold the wallet"
        stated_by_another_signer();
    Statement "bad-transaction-key" "the transaction is signed by another key than the wallet's"
        journal(|draft| {
            let other = SoftwareWallet::new(&Zeroizing::new([0x72; 32])).unwrap();
            let plan = draft.plan();
            draft.sign_with(&plan.unsigned, &other);
        });
    Statement "bad-transaction-not-planned" "the transaction has another nonce than the plan"
        journal(|draft| {
            let right = payment::decode(&draft.plan()).unwrap();
            let (asset, to, amount) = (right.asset(), right.to(), right.amount());
            let other = Transfer::new(asset, to, amount, right.nonce() + 1, right.fees()).unwrap();
            let world = draft.story.world();
            draft.sign_with(&other.build().to_bytes(), world.wallet.as_ref());
        });
    Statement "bad-transaction-unsigned" "the transaction has no signature"
        journal(|draft| {
            let plan = draft.plan();
            draft.says(|said| *said.transaction = plan.unsigned);
        });

    Factor "bad-recovery-by-another-issuer" "the recovery's identity is attested by an issuer for something else"
        lost::recovered(|act, evidence| {
            evidence.attestations = vec![lost::attest(World::ONBOARDING, 0x61, act, Claim::Identity)];
        }).into();
    Factor "bad-recovery-onboarded" "the recovery is attested as an onboarding"
        lost::recovered(|act, evidence| {
            evidence.attestations = vec![lost::attest(World::ONBOARDING, 0x61, act, Claim::Onboarding)];
        }).into();
    Factor "bad-recovery-by-nobody" "nobody vouches for the recovery"
        lost::recovered(|_, evidence| evidence.attestations.clear()).into();
    Factor "bad-recovery-by-one-supporter" "the approval of the second member with role support is not shown"
        lost::without(Draft::supported(), 3).into();
    Factor "bad-recovery-without-settlement" "what ended the recovery's waiting is not shown"
        lost::without(Draft::recovered(), 3).into();
    Debit "bad-rotation-without-quorum" "the second administrator's approval of the rotation is not shown"
        lost::without(Draft::rotated_ledger(), 3).into();
    Debit "bad-rotation-without-settlement" "what ended the rotation's waiting is not shown"
        lost::without(Draft::rotated_ledger(), 4).into();
    Debit "bad-debit-by-a-retired-key" "the debit is attested by the ledger's old key, after the rotation"
        {
            let mut draft = Draft::rotated_ledger();
            let (at, act) = (draft.withdrawal, draft.act.clone());
            draft.submission(at, |s| {
                let claim = s.evidence.attestations[0].statement.claim;
                s.evidence.attestations = vec![lost::attest(World::LEDGER, 0x62, &act, claim)];
            });
            draft.into()
        };
    Statement "bad-statement-by-a-retired-key" "the signer states by its old key, after the rotation"
        {
            let mut draft = Draft::rotated_keeper();
            let world = draft.story.world();
            draft.signed_statement(|signed| {
                *signed = resign(signed.statement.clone(), world.keeper.as_ref());
            });
            draft.into()
        };
    Relay "bad-administrators-by-one-root" "one root of two that must has named the administrators"
        {
            let mut draft = Draft::administrators_recovered();
            let at = draft.shown[2];
            draft.submission(at, |s| s.evidence.attestations.truncate(1));
            draft.into()
        };
    Relay "bad-administrators-by-one-root-twice" "one root has attested twice"
        {
            let mut draft = Draft::administrators_recovered();
            let at = draft.shown[2];
            draft.submission(at, |s| {
                s.evidence.attestations.truncate(1);
                let again = s.evidence.attestations[0].clone();
                s.evidence.attestations.push(again);
            });
            draft.into()
        };
    Genesis "bad-genesis-root-twice" "the same root stands twice"
        unsound(|genesis| {
            let root = World::key(&id(0xd1)).public_key().clone();
            genesis.roots = vec![root.clone(), root];
        });
    Genesis "bad-genesis-roots-quorum" "more roots must sign than there are"
        unsound(|genesis| genesis.roots_quorum = Some(1));
    Genesis "bad-genesis-recovery-divisor" "a recovered account's limits are divided by zero"
        unsound(|genesis| {
            genesis.recovery = Some(portcullis_core::genesis::RecoveryBounds {
                divisor: 0,
                ..Default::default()
            });
        });
    Genesis "bad-genesis-coins-address" "a wallet's address is not that of the key that takes its change"
        unsound(|genesis| coins::terms(genesis, |bitcoin| core::mem::swap(&mut bitcoin.change, &mut bitcoin.keys[0])));
    Genesis "bad-genesis-coins-key-twice" "a wallet spends with the same key twice"
        unsound(|genesis| coins::terms(genesis, |bitcoin| bitcoin.keys.push(bitcoin.change)));
    Genesis "bad-genesis-coins-no-point" "a wallet's key is no point of secp256k1"
        unsound(|genesis| coins::terms(genesis, |bitcoin| bitcoin.keys.push(coins::no_point())));
    Genesis "bad-genesis-coins-keys" "a wallet spends with more keys than 16"
        unsound(|genesis| coins::terms(genesis, |bitcoin| bitcoin.keys.extend(coins::others(15))));
    Genesis "bad-genesis-coins-batch" "a withdrawal may wait for others for more than a day"
        unsound(|genesis| coins::terms(genesis, |bitcoin| bitcoin.batch = Span::hours(25)));
    Genesis "bad-genesis-coins-ceiling" "a transaction may cost more than there can be"
        unsound(|genesis| {
            coins::terms(genesis, |_| ());
            genesis.wallets[0].fee_ceiling = Amount(2_100_000_000_000_001);
        });
    Genesis "bad-genesis-coins-and-mandate" "a wallet spends coins and pays by mandate"
        unsound(|genesis| {
            coins::terms(genesis, |_| ());
            genesis.wallets[0].mandate = Some(Span::hours(1));
        });
    ok "good-screened" "vendors looked at it while it waited for its debit"
        Draft::screened().into();
    ok "good-screened-no-more" "what vendors said had expired when it was released"
        Draft::screened_no_more().into();
    ok "good-blocked-by-nobody" "a block is by an issuer that is named for debits"
        Draft::blocked_by_nobody().into();
    Screening "bad-screening-blocked" "a screening passed it, and another blocked it"
        Draft::blocked().into();
    Screening "bad-screening-blocked-before" "a screening blocked it, in an attestation that has expired since"
        Draft::blocked_before().into();
    TravelRule "bad-travel-rule-twice" "two travel-rule messages were attested"
        Draft::with_two_messages().into();

    ok "good-totp" "a small withdrawal by a TOTP code, which the herald found right"
        Draft::by_totp().into();
    ok "good-totp-alone" "the same to an address that a code of the same app added"
        Draft::by_totp_alone().into();
    Address "bad-totp-address-without-word" "the herald's word on the code that added the address is not shown"
        lost::without(Draft::by_totp_alone(), 4).into();
    ok "good-recovery-code" "the factor was recovered by one of the customer's recovery codes"
        Draft::by_recovery_code().into();
    Factor "bad-totp-without-word" "the herald's word on the code is not shown"
        lost::without(Draft::by_totp(), 5).into();
    Factor "bad-totp-wrong" "the herald said that the code is wrong"
        codes::with_word(|says| {
            if let Word::CodeRight { act, factor, .. } = *says {
                *says = Word::CodeWrong { act, factor };
            }
            World::HERALD
        }).into();
    Factor "bad-totp-of-another-act" "the herald's word is about another act"
        codes::with_word(|says| {
            if let Word::CodeRight { act, .. } = says {
                *act = Digest([0x99; 32]);
            }
            World::HERALD
        }).into();
    Factor "bad-totp-by-the-signer" "the word on the code is the signer's"
        codes::with_word(|_| World::KEEPER).into();
    Factor "bad-totp-late-word" "the herald's word came after the release"
        {
            let mut draft = Draft::by_totp();
            let (word, settled) = (draft.shown[5], draft.shown[6]);
            draft.story.ledger.entries.swap(word, settled);
            let time = draft.time(word);
            draft.entry(settled, |entry| entry.time = time);
            draft.into()
        };
    Factor "bad-totp-without-code" "the act came without a code"
        {
            let mut draft = Draft::by_totp();
            let at = draft.withdrawal;
            draft.submission(at, |s| s.evidence.code = None);
            draft.into()
        };
    Address "bad-totp-adds-the-address" "a TOTP code that nobody judged is all that proves the address"
        {
            let mut draft = Draft::by_totp();
            let (at, from) = (draft.address, draft.withdrawal);
            let code = codes::evidence_of(&draft, from).code;
            draft.submission(at, |s| {
                s.evidence.assertions.clear();
                s.evidence.code = code;
            });
            draft.into()
        };
    Factor "bad-recovery-code-of-another-act" "the recovery code signed another act"
        {
            let mut draft = Draft::by_recovery_code();
            let at = draft.shown[3];
            draft.submission(at, |s| s.evidence.code = Some(codes::proof(&s.act, 3, Digest([0x99; 32]))));
            draft.into()
        };
    Factor "bad-recovery-code-unknown" "the recovery code is none of the customer's"
        {
            let mut draft = Draft::by_recovery_code();
            let at = draft.shown[3];
            draft.submission(at, |s| s.evidence.code = Some(codes::proof(&s.act, 11, s.act.digest())));
            draft.into()
        };
    ok "good-joint" "two principals of the account, of whom both are needed" Draft::joint().into();
    Factor "bad-joint-without-the-second" "the other principal's assertion is not shown"
        lost::without(Draft::joint(), 7).into();
    Factor "bad-joint-one-twice" "one principal asserts it twice"
        {
            let mut draft = Draft::joint();
            let own = codes::evidence_of(&draft, draft.withdrawal).assertions;
            draft.more(|evidence| evidence.assertions = own);
            draft.into()
        };
    Factor "bad-joint-of-another-act" "the other principal asserts another act"
        {
            let mut draft = Draft::joint();
            let mut other = draft.act.clone();
            other.id.0[0] ^= 1;
            let others = joint::seconds(&draft, &other);
            draft.more(|evidence| evidence.assertions = vec![others]);
            draft.into()
        };
    Factor "bad-joint-uninvited" "nobody of the account has asked the other principal in"
        {
            let mut draft = Draft::joint();
            let at = draft.shown[2];
            draft.submission(at, |s| s.evidence.assertions.clear());
            draft.into()
        };
    Factor "bad-joint-by-onboarding" "onboarding has made the other principal, and nobody of the account"
        {
            let mut draft = Draft::joint();
            draft.second_by_onboarding();
            draft.into()
        };
    Address "bad-joint-address-by-one" "one principal alone has added the address"
        {
            let mut draft = Draft::joint();
            let at = draft.address;
            draft.submission(at, |s| s.evidence.assertions.truncate(1));
            draft.into()
        };
}
