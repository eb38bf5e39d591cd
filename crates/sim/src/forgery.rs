//! The entries that whoever has the gate forges: everything that can be made without anybody's key.

use crate::dice::Dice;
use crate::hosts::{Evil, Misdeed};
use portcullis_chains::caip::{Address, AssetId};
use portcullis_chains::ethereum::{Fees, Transfer};
use portcullis_chains::{Amount, ethereum};
use portcullis_core::act::{Act, ActKind, Resume, Withdraw};
use portcullis_core::board::Posting;
use portcullis_core::decide::{self, payment};
use portcullis_core::entry::{Body, Entry, Replacement, Settlement, Submission};
use portcullis_core::evidence::Evidence;
use portcullis_core::id::ActId;
use portcullis_core::plan::Plan;
use portcullis_core::signature::{Signature, Strict};
use portcullis_core::statement::{Says, SignedStatement, Statement};
use portcullis_core::{Decision, Digest, Span, Time};
use portcullis_keeper::testkit::World;

/// Where the thief wants the money.
pub(crate) const THIEF: Address = World::address(0xbb);

/// The bytes of an entry, if there is anything to make it of.
pub(crate) fn forge(evil: &Evil, misdeed: Misdeed, dice: &mut Dice) -> Option<Vec<u8>> {
    let now = evil.now();
    let body = match misdeed {
        Misdeed::ReleaseWithoutEvidence => stolen(evil, Evidence::default(), dice)?,
        Misdeed::OthersEvidence => {
            let other = any_withdrawal(evil, dice)?.evidence;
            stolen(evil, other, dice)?
        }
        Misdeed::Replay => {
            let Posting { act, evidence } = dice.pick(&evil.journaled)?.clone();
            let plan = withdrawal(&act).and_then(|w| plan(evil, w.to, w.asset, w.amount, 0));
            submission(act, evidence, Decision::Release, plan)
        }
        Misdeed::SettleEarly => settlement(evil, dice)?.0,
        Misdeed::SettleForwardDated => {
            let (body, when) = settlement(evil, dice)?;
            let when = when.max(now).min(now.after(Span::seconds(200)));
            return Some(Entry::new(when, body).to_bytes());
        }
        Misdeed::Backdated => {
            let body = honest(evil, now, dice)?;
            let before = Time(
                evil.state
                    .facts()
                    .time
                    .0
                    .saturating_sub(1 + dice.below(60_000)),
            );
            return Some(Entry::new(before, body).to_bytes());
        }
        Misdeed::OtherPayee | Misdeed::OtherAmount | Misdeed::OtherNonce | Misdeed::HighFee => {
            misplanned(evil, misdeed, dice)?
        }
        Misdeed::OtherReplacement => replacement(evil, dice)?,
        Misdeed::ResumeByNobody => {
            let releases: Vec<_> = evil.state.facts().releases.keys().copied().collect();
            let release = *dice.pick(&releases)?;
            let act = staffs(evil, ActKind::Resume(Resume { release }), dice)?;
            submission(act, Evidence::default(), Decision::Release, None)
        }
        Misdeed::ForgedStatement => forged_statement(evil, dice)?,
        Misdeed::ForgedCheckpoint => Body::Checkpoint(b"nobody\n1\nAAAA\n".to_vec()),
        Misdeed::Garbage => return Some(dice.bytes::<48>().to_vec()),
        Misdeed::Honest => honest(evil, now, dice)?,
        _ => return None,
    };
    Some(Entry::new(now, body).to_bytes())
}

fn submission(act: Act, evidence: Evidence, decision: Decision, plan: Option<Plan>) -> Body {
    Body::Act(Box::new(Submission {
        act,
        evidence,
        decision,
        plan,
    }))
}

fn withdrawal(act: &Act) -> Option<&Withdraw> {
    match &act.kind {
        ActKind::Withdraw(withdraw) => Some(withdraw),
        _ => None,
    }
}

fn any_withdrawal(evil: &Evil, dice: &mut Dice) -> Option<Posting> {
    let postings = evil.journaled.iter().chain(&evil.captured);
    let some: Vec<&Posting> = postings.filter(|p| withdrawal(&p.act).is_some()).collect();
    dice.pick(&some).map(|posting| (*posting).clone())
}

/// A withdrawal of some customer to the thief, as nobody has asked for it.
fn stolen(evil: &Evil, evidence: Evidence, dice: &mut Dice) -> Option<Body> {
    let mut act = any_withdrawal(evil, dice)?.act;
    let before = withdrawal(&act)?.clone();
    // Sometimes to an address that is in the book, which only the evidence can tell from an honest one.
    let to = if dice.chance(500) { THIEF } else { before.to };
    let withdraw = Withdraw { to, ..before };
    act.id = id(evil, dice);
    act.expires = evil.now().after(Span::hours(1));
    act.checkpoint = newest_checkpoint(evil)?;
    let plan = plan(evil, withdraw.to, withdraw.asset, withdraw.amount, 0);
    act.kind = ActKind::Withdraw(withdraw);
    Some(submission(act, evidence, Decision::Release, plan))
}

/// A new id, or sometimes that of an act that everybody can see.
fn id(evil: &Evil, dice: &mut Dice) -> ActId {
    let drawn: [u8; 16] = dice.bytes();
    let seen = evil.captured.iter().chain(&evil.journaled).rev();
    let nth = seen.take(256).nth(usize::from(drawn[1]));
    let seen = nth.filter(|_| drawn[0].is_multiple_of(2));
    seen.map_or(ActId(drawn), |posting| posting.act.id)
}

fn newest_checkpoint(evil: &Evil) -> Option<Digest> {
    let checkpoints = evil.state.facts().checkpoints.iter();
    checkpoints
        .max_by_key(|(_, time)| **time)
        .map(|(digest, _)| *digest)
}

fn fees() -> Option<Fees> {
    ethereum::Fees::new(20_000_000_000, 1_000_000_000, 100_000).ok()
}

fn plan(evil: &Evil, to: Address, asset: AssetId, amount: Amount, skip: u64) -> Option<Plan> {
    let wallet = evil.state.wallet_for(asset)?.id;
    let nonce = evil.state.facts().wallets.get(&wallet)?.next_nonce + skip;
    let transfer = Transfer::new(asset, to, amount, nonce, fees()?).ok()?;
    Some(Plan {
        wallet,
        unsigned: transfer.build().to_bytes(),
    })
}

/// The end of a held act's waiting, and the moment at which its delay has run: a withdrawal's; or, where more
/// waits for long, that of something else.
fn settlement(evil: &Evil, dice: &mut Dice) -> Option<(Body, Time)> {
    let is_whole = evil.state.network().herald().is_some();
    let other = (is_whole && dice.chance(500)).then(|| settlement_of_other(evil, dice));
    other
        .flatten()
        .or_else(|| settlement_of_withdrawal(evil, dice))
}

/// A policy, a rotation, a recovery, a contact that comes in force before its time.
fn settlement_of_other(evil: &Evil, dice: &mut Dice) -> Option<(Body, Time)> {
    let held = evil.state.facts().held.iter();
    let held: Vec<_> = held
        .filter(|(_, held)| withdrawal(&held.act).is_none())
        .collect();
    let (act, held) = *dice.pick(&held)?;
    let settlement = Settlement {
        act: *act,
        decision: Decision::Release,
        plan: None,
        beside: portcullis_core::entry::Beside::default(),
    };
    let ripe = held.available.time().unwrap_or_default();
    Some((Body::Settle(Box::new(settlement)), ripe))
}

fn settlement_of_withdrawal(evil: &Evil, dice: &mut Dice) -> Option<(Body, Time)> {
    let held = evil.state.facts().held.iter();
    let held: Vec<_> = held
        .filter(|(_, held)| withdrawal(&held.act).is_some())
        .collect();
    let (digest, held) = *dice.pick(&held)?;
    let withdraw = withdrawal(&held.act)?;
    let account = evil.state.facts().account(held.act.account?)?;
    let aged = account
        .address(withdraw.to)
        .and_then(|a| a.available.time());
    let plan = plan(evil, withdraw.to, withdraw.asset, withdraw.amount, 0);
    let body = Body::Settle(Box::new(Settlement {
        act: *digest,
        decision: Decision::Release,
        plan,
        beside: portcullis_core::entry::Beside::default(),
    }));
    Some((body, aged.unwrap_or_default()))
}

/// A genuine act as an honest gate would journal it.
fn honest(evil: &Evil, now: Time, dice: &mut Dice) -> Option<Body> {
    let Posting { act, evidence } = dice.pick(&evil.captured)?.clone();
    let decided = decide::decide(&evil.state, &act, &evidence, now, &Strict);
    if matches!(decided.decision(), Decision::Refuse { .. }) {
        return None;
    }
    let plan = match decided.payment() {
        Some(payment) => Some(payment.plan(fees()?).ok()?),
        None => None,
    };
    Some(submission(act, evidence, decided.decision().clone(), plan))
}

/// A withdrawal as its customer sent it: one that goes out as things are, where there is one, so that
/// nothing but what is done to it is wrong with its entry.
fn genuine(evil: &Evil, dice: &mut Dice) -> Option<Posting> {
    let now = evil.now();
    let captured = evil.captured.iter();
    let sent: Vec<&Posting> = captured.filter(|p| withdrawal(&p.act).is_some()).collect();
    let goes_out = |posting: &&Posting| {
        let Posting { act, evidence } = posting;
        let decided = decide::decide(&evil.state, act, evidence, now, &Strict);
        *decided.decision() == Decision::Release
    };
    let ripe: Vec<&Posting> = sent.iter().copied().filter(goes_out).collect();
    let posting = dice.pick(if ripe.is_empty() { &sent } else { &ripe })?;
    Some((*posting).clone())
}

/// A genuine withdrawal under a plan that is not its own.
fn misplanned(evil: &Evil, misdeed: Misdeed, dice: &mut Dice) -> Option<Body> {
    let Posting { act, evidence } = genuine(evil, dice)?;
    let Withdraw { asset, to, amount } = withdrawal(&act)?.clone();
    let plan = match misdeed {
        Misdeed::OtherPayee => plan(evil, THIEF, asset, amount, 0),
        Misdeed::OtherAmount => plan(evil, to, asset, Amount(amount.0 * 3), 0),
        Misdeed::OtherNonce => plan(evil, to, asset, amount, 1 + dice.below(3)),
        _ => {
            let mut plan = plan(evil, to, asset, amount, 0)?;
            let dear = ethereum::Fees::new(900_000_000_000_000, 1, 100_000).ok()?;
            let transfer = payment::decode(&plan).ok()?;
            plan.unsigned = transfer.with_fees(dear).build().to_bytes();
            Some(plan)
        }
    };
    Some(submission(act, evidence, Decision::Release, plan))
}

fn replacement(evil: &Evil, dice: &mut Dice) -> Option<Body> {
    let releases: Vec<_> = evil.state.facts().releases.iter().collect();
    let (act, release) = *dice.pick(&releases)?;
    let old = payment::decode(release.plans.last()?).ok()?;
    let fees = ethereum::Fees::new(60_000_000_000, 3_000_000_000, 100_000).ok()?;
    let (asset, amount, nonce) = (old.asset(), old.amount(), old.nonce());
    let to = if dice.chance(700) { THIEF } else { old.to() };
    let transfer = Transfer::new(asset, to, amount, nonce, fees).ok()?;
    let plan = Plan {
        wallet: release.plans.last()?.wallet,
        unsigned: transfer.build().to_bytes(),
    };
    Some(Body::Replace(Box::new(Replacement { act: *act, plan })))
}

fn staffs(evil: &Evil, kind: ActKind, dice: &mut Dice) -> Option<Act> {
    Some(Act {
        genesis: evil.state.network().digest(),
        realm: portcullis_core::realm::Realm::Staff,
        principal: World::OPERATOR,
        account: None,
        id: id(evil, dice),
        checkpoint: newest_checkpoint(evil)?,
        expires: evil.now().after(Span::hours(1)),
        kind,
    })
}

/// That a transaction failed which is out, that a suspension is known, or that somebody was told: nothing but
/// the signature is wrong with that. Where there is neither, that one failed which nobody has.
fn what_ends(evil: &Evil, dice: &mut Dice) -> Option<Says> {
    let facts = evil.state.facts();
    let untold: Vec<(u64, Digest)> = facts.untold.acts().collect();
    if !untold.is_empty() && dice.chance(400) {
        let (entry, act) = *dice.pick(&untold)?;
        return Some(Says::Told { act, entry });
    }
    let releases = facts.releases.iter();
    let out: Vec<(Digest, Digest)> = releases
        .filter_map(|(act, release)| Some((*act, release.signed.last()?.transaction)))
        .collect();
    let suspensions: Vec<Digest> = facts.suspensions.keys().copied().collect();
    if let Some(suspension) = dice
        .pick(&suspensions)
        .copied()
        .filter(|_| dice.chance(300))
    {
        return Some(Says::Stopped { suspension });
    }
    let any: Vec<Digest> = facts.releases.keys().copied().collect();
    let nobodys = Digest(dice.bytes());
    let known = dice.pick(&out).copied();
    let (act, transaction) = known.or_else(|| Some((*dice.pick(&any)?, nobodys)))?;
    Some(Says::Reverted {
        act,
        transaction,
        block: 1,
        block_hash: Digest(dice.bytes()),
    })
}

/// What a signer would have to say for an act to end.
fn forged_statement(evil: &Evil, dice: &mut Dice) -> Option<Body> {
    let says = what_ends(evil, dice)?;
    let statement = Statement {
        genesis: evil.state.network().digest(),
        keeper: match says {
            Says::Told { .. } => World::HERALD,
            _ => World::KEEPER,
        },
        says,
    };
    Some(Body::Statement(Box::new(SignedStatement {
        statement,
        signature: Signature::from_bytes(dice.bytes()),
    })))
}
