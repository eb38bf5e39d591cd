//! Receipts that rest on a recovery or on a rotation.

use super::Bundle;
use super::draft::Draft;
use crate::holder::{Holder, Kind};
use crate::story::{Story, resign};
use crate::tree;
use portcullis_chains::Amount;
use portcullis_core::act::{
    ActKind, Approve, GrantRole, Keys, NewAdministrator, Recover, RecoverAdministrators, Rotate,
    Withdraw, root_id,
};
use portcullis_core::evidence::{Attestation, AttestationStatement, Claim};
use portcullis_core::factor::NewFactor;
use portcullis_core::genesis::{Genesis, Issuer, IssuerKind, Member};
use portcullis_core::id::{IssuerId, PrincipalId};
use portcullis_core::realm::Role;
use portcullis_core::receipt::{Handover, Receipt};
use portcullis_core::signature::PublicKey;
use portcullis_core::statement::Statement;
use portcullis_core::{Act, Body, Evidence, Span};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{Ledger, World, id};
use portcullis_keys::StatementKey as _;

const VENDOR: u8 = 0x63;
const SUPPORT: [u8; 2] = [0x22, 0x23];
const ROOTS: [u8; 3] = [0xd1, 0xd2, 0xd3];
/// A key that nobody has at first.
pub(crate) const FRESH: u8 = 0xe1;
const NEW: [u8; 2] = [0x31, 0x32];

fn key(seed: u8) -> PublicKey {
    World::key(&id(seed)).public_key().clone()
}

fn request_key(seed: u8) -> NewFactor {
    NewFactor::RequestKey { key: key(seed) }
}

/// A network that has an identity vendor, two members with role support, and three roots.
fn lost(genesis: &mut Genesis) {
    genesis.issuers.push(Issuer {
        id: IssuerId(id(VENDOR)),
        kind: IssuerKind::Identity,
        key: key(VENDOR),
    });
    genesis.roots = ROOTS.map(key).to_vec();
    genesis.staff.extend(SUPPORT.map(|seed| Member {
        principal: PrincipalId(id(seed)),
        roles: vec![Role::Support],
        factors: vec![request_key(seed)],
    }));
}

pub(crate) fn begin() -> (Story, usize) {
    let mut story = Story::begin_in(World::with(lost), Holder::new(Kind::PasskeyP256));
    let opening = story.open();
    story.age();
    (story, opening)
}

/// An issuer or a root signs by the key of this seed.
pub(crate) fn attest(issuer: IssuerId, seed: u8, act: &Act, claim: Claim) -> Attestation {
    let statement = AttestationStatement {
        issuer,
        act: act.digest(),
        expires: World::START.after(Span::hours(1)),
        claim,
    };
    let signature = World::key(&id(seed)).sign(&statement.signed_bytes());
    Attestation {
        statement,
        signature: signature.unwrap(),
    }
}

impl Draft {
    /// A withdrawal proven by a factor that was recovered on the identity vendor's word. The recovery
    /// stands in `shown` at 2, its settlement at 3.
    pub(crate) fn recovered() -> Self {
        let (mut story, opening) = begin();
        let younger = Holder::new(Kind::RequestKey);
        let act = recovery(&mut story, World::BACK_END, &younger);
        let mut evidence = story.ledger.staffs_evidence(&act);
        let vendor = IssuerId(id(VENDOR));
        evidence
            .attestations
            .push(attest(vendor, VENDOR, &act, Claim::Identity));
        let digest = act.digest();
        let recovery = story.submit(act, evidence);
        wait(&mut story);
        let settled = story.settle(digest);
        Self::after_recovery(story, younger, opening, &[recovery, settled])
    }

    /// The same on the word of two members with role support. The recovery, its approval and its
    /// settlement stand in `shown` from 2 on.
    pub(crate) fn supported() -> Self {
        let (mut story, opening) = begin();
        let younger = Holder::new(Kind::RequestKey);
        let act = recovery(&mut story, PrincipalId(id(SUPPORT[0])), &younger);
        let evidence = story.ledger.staffs_evidence(&act);
        let digest = act.digest();
        let recovery = story.submit(act, evidence);
        let approve = ActKind::Approve(Approve { act: digest });
        let (_, approval) = story.staff(PrincipalId(id(SUPPORT[1])), approve);
        wait(&mut story);
        let settled = story.settle(digest);
        Self::after_recovery(story, younger, opening, &[recovery, approval, settled])
    }

    fn after_recovery(
        mut story: Story,
        younger: Holder,
        opening: usize,
        recovery: &[usize],
    ) -> Self {
        story.holder = younger;
        story.age();
        let address = story.add_address();
        story.age();
        Self::paid(story, opening, &[recovery, &[address]].concat())
    }

    /// A withdrawal for which the ledger's successor attests the debit. The rotation, its approval and
    /// its settlement stand in `shown` from 2 on.
    pub(crate) fn rotated_ledger() -> Self {
        let (mut story, opening) = begin();
        let mut issuers = story.world().network.genesis().issuers.clone();
        for issuer in issuers.iter_mut().filter(|i| i.kind == IssuerKind::Ledger) {
            issuer.key = key(FRESH);
        }
        let rotation = rotate(&mut story, Keys::Issuers { issuers });
        story.age();
        let address = story.add_address();
        story.age();
        let act = story.ledger.customers_act(
            &story.holder.customer,
            ActKind::Withdraw(Withdraw {
                asset: World::ETHER,
                to: World::address(0x22),
                amount: Amount(1_000_000),
            }),
        );
        let now = story.ledger.clock.now();
        let mut evidence = story.holder.evidence(&act, World::BACK_END, now);
        let Claim::LedgerDebit { entry } = story.ledger.debit(&act).statement.claim else {
            unreachable!()
        };
        let claim = Claim::LedgerDebit { entry };
        evidence
            .attestations
            .push(attest(World::LEDGER, FRESH, &act, claim));
        let entry = story.submit(act.clone(), evidence);
        let rests_on = [&rotation[..], &[address]].concat();
        Self::stated(story, (act, entry), opening, &rests_on, None)
    }

    /// A withdrawal that the signer's successor states. The rotation stands as above.
    pub(crate) fn rotated_keeper() -> Self {
        let (mut story, opening) = begin();
        let keys = Keys::Keeper {
            keeper: World::KEEPER,
            key: key(FRESH),
        };
        let rotation = rotate(&mut story, keys);
        story.age();
        let address = story.add_address();
        story.age();
        let asked = story.withdraw(World::ETHER, 1_000_000, true);
        let rests_on = [&rotation[..], &[address]].concat();
        Self::stated(
            story,
            (asked.act, asked.entry),
            opening,
            &rests_on,
            Some(FRESH),
        )
    }

    /// A withdrawal under a checkpoint of witnesses who took over from those of genesis. The rotation stands as
    /// above.
    pub(crate) fn rotated_witnesses() -> Self {
        let (mut story, opening) = begin();
        let rotation = rotate_witnesses(&mut story, &HANDED_TO);
        Self::after_rotations(story, opening, &rotation)
    }

    /// The same, and others took over from those.
    pub(crate) fn rotated_witnesses_twice() -> Self {
        let (mut story, opening) = begin();
        let first = rotate_witnesses(&mut story, &HANDED_TO);
        let second = rotate_witnesses(&mut story, &[0x96, 0x97, 0x98, 0x99]);
        Self::after_rotations(story, opening, &[first, second].concat())
    }

    pub(crate) fn after_rotations(mut story: Story, opening: usize, rotations: &[usize]) -> Self {
        let address = story.add_address();
        story.age();
        Self::paid(story, opening, &[rotations, &[address]].concat())
    }

    /// A withdrawal relayed by a back end that administrators appointed whom the roots had named. Their
    /// recovery and its settlement stand in `shown` at 2 and 3.
    pub(crate) fn administrators_recovered() -> Self {
        let (mut story, opening) = begin();
        let new = |seed| NewAdministrator {
            principal: PrincipalId(id(seed)),
            factors: vec![request_key(seed)],
        };
        let recover = RecoverAdministrators {
            replaces: story.ledger.state.administration().digest(),
            administrators: NEW.map(new).to_vec(),
            quorum: 2,
        };
        let kind = ActKind::RecoverAdministrators(recover);
        let act = story.ledger.act(World::OPERATOR, kind);
        let mut evidence = story.ledger.staffs_evidence(&act);
        let signed = ROOTS[..2].iter();
        evidence.attestations = signed
            .map(|seed| attest(root_id(&key(*seed)), *seed, &act, Claim::Root))
            .collect();
        let digest = act.digest();
        let recovery = story.submit(act, evidence);
        wait(&mut story);
        let settled = story.settle(digest);
        story.age();
        let relay = PrincipalId(id(0x03));
        let grant = GrantRole {
            principal: relay,
            role: Role::BackEnd,
            factor: Some(request_key(0x03)),
        };
        let [proposer, approver] = NEW.map(|seed| PrincipalId(id(seed)));
        let (act, grant) = story.staff(proposer, ActKind::GrantRole(grant));
        let (_, approval) = story.staff(approver, ActKind::Approve(Approve { act }));
        let appointed = story.settle(act);
        story.age();
        story.relay = relay;
        let address = story.add_address();
        story.age();
        let rests_on = [recovery, settled, grant, approval, appointed, address];
        Self::paid(story, opening, &rests_on)
    }

    /// The signer's statement about a withdrawal that was asked for, by another key where one is named.
    fn stated(
        mut story: Story,
        (act, withdrawal): (Act, usize),
        opening: usize,
        rests_on: &[usize],
        seed: Option<u8>,
    ) -> Self {
        let says = story.signed(act.digest());
        let statement = match seed {
            None => story.say(says),
            Some(seed) => {
                let statement = Statement {
                    genesis: story.world().digest(),
                    keeper: World::KEEPER,
                    says,
                };
                let signed = resign(statement, &World::key(&id(seed)));
                story.enter(Body::Statement(Box::new(signed)))
            }
        };
        let shown = [&[0, opening], rests_on, &[withdrawal, statement]].concat();
        let address = rests_on[rests_on.len() - 1];
        Self {
            story,
            named: act.digest(),
            opening,
            address,
            withdrawal,
            statement,
            shown,
            act,
        }
    }
}

/// Somebody of staff brings another factor for the customer.
fn recovery(story: &mut Story, who: PrincipalId, younger: &Holder) -> Act {
    let customer = &story.holder.customer;
    let (account, principal) = (customer.account, customer.principal);
    let factor = younger.factor();
    let kind = ActKind::Recover(Recover { principal, factor });
    let mut act = story.ledger.act(who, kind);
    act.account = Some(account);
    act
}

/// Three delay floors.
fn wait(story: &mut Story) {
    for _ in 0..3 {
        story.age();
    }
}

/// Two administrators rotate keys: where the proposal stands, the approval, and what ended the waiting.
pub(crate) fn rotate(story: &mut Story, keys: Keys) -> [usize; 3] {
    let in_force = story.ledger.state.keys_in_place_of(&keys).unwrap();
    let replaces = in_force.digest();
    let kind = ActKind::Rotate(Rotate { replaces, keys });
    let (proposer, approver) = (World::administrator(0), World::administrator(1));
    let (act, proposal) = story.staff(proposer, kind);
    let (_, approval) = story.staff(approver, ActKind::Approve(Approve { act }));
    story.age();
    [proposal, approval, story.settle(act)]
}

/// Witnesses who take over; one of genesis' stays.
pub(crate) const HANDED_TO: [u8; 3] = [0x92, 0x94, 0x95];

pub(crate) fn rotate_witnesses(story: &mut Story, seeds: &[u8]) -> [usize; 3] {
    let witnesses = World::witnesses_of(seeds);
    let rotation = rotate(story, Keys::Witnesses { witnesses });
    story.age();
    rotation
}

/// A receipt after witnesses took over, changed afterwards.
pub(crate) fn handed_over(change: fn(&mut Receipt, &Ledger)) -> Bundle {
    changed(Draft::rotated_witnesses(), change)
}

pub(crate) fn changed(draft: Draft, change: fn(&mut Receipt, &Ledger)) -> Bundle {
    let ledger = draft.story.ledger.clone();
    let mut bundle = Bundle::from(draft);
    change(&mut bundle.receipt, &ledger);
    bundle
}

/// The checkpoint of this size by these witnesses, and what leads from it to the whole journal.
pub(crate) fn handover(ledger: &Ledger, size: u64, seeds: &[u8]) -> Handover {
    let last = usize::try_from(size).unwrap();
    Handover {
        checkpoint: checkpoint(ledger, last, seeds),
        proof: tree::consistency(&ledger.entries, last),
    }
}

/// A checkpoint by these witnesses.
pub(crate) fn checkpoint(ledger: &Ledger, size: usize, seeds: &[u8]) -> String {
    let witnesses: Vec<_> = seeds.iter().copied().map(World::witness).collect();
    let note = ledger.note_by(ledger.head_at(size), ledger.clock.now(), &witnesses);
    String::from_utf8(note).unwrap()
}

/// The recovery with other evidence.
pub(crate) fn recovered(change: fn(&Act, &mut Evidence)) -> Draft {
    let mut draft = Draft::recovered();
    let at = draft.shown[2];
    draft.submission(at, |s| change(&s.act, &mut s.evidence));
    draft
}

/// Without an entry that the draft shows.
pub(crate) fn without(mut draft: Draft, at: usize) -> Draft {
    draft.shown.remove(at);
    draft
}
