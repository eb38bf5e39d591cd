//! Effects: what an entry changes, as data. They are computed first, with every refusal; committing
//! them is the point of no return and cannot fail.

mod asked;
mod attested;
mod batch;
mod codes;
mod labels;
mod principals;
mod recovery;
mod telling;

use crate::act::{Act, Keys, LiftTarget, Scope};
use crate::behaviour::{Asked, Company};
use crate::code::SealedCode;
use crate::digest::Digest;
use crate::factor::{Available, Factor, FactorKind, Imported, NewFactor};
use crate::few::{Few, FewBy};
use crate::id::{
    AccountId, AttestationId, FactorId, IssuerId, KeeperId, LedgerEntryId, PrincipalId, SubjectId,
    WalletId,
};
use crate::labels::InForce;
use crate::limits::Limits;
use crate::plan::Plan;
use crate::policy::{Name, Policy, Rate};
use crate::realm::{Realm, Role};
use crate::state::account::{Account, BookEntry, FrozenBy, Holder, Owner, Proof};
use crate::state::batch::CoinId;
use crate::state::joint::{Quorum, Together};
use crate::state::name::KeptAddress;
use crate::state::recovery::Voucher;
use crate::state::release::{End, Ended, Held, Release, SignedPlan, Stage, Withheld};
use crate::state::said::Said;
use crate::state::{Awaiting, Facts, StatedCaps, Suspension, Uncosigned};
use crate::statement::{Cap, Condition};
use crate::time::{Span, Time};
use minicbor::{Decode, Encode};
use portcullis_chains::Amount;
use portcullis_chains::caip::{Address, AssetId};
use std::collections::{BTreeMap, BTreeSet};

/// One change of state.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Effect {
    /// An act is used up. By its digest, which covers its random id: an id alone stands on stop boards
    /// for everybody to read, and whoever used it for an act of their own would use up the stop.
    #[n(0)]
    Consume(#[n(0)] Digest, #[n(1)] Time),
    /// A passkey's counter rose.
    #[n(1)]
    Counter(#[n(0)] Owner, #[n(1)] FactorId, #[n(2)] u32),
    /// A ledger entry paid.
    #[n(2)]
    Debit(#[n(0)] LedgerEntryId),
    /// An account opened.
    #[n(3)]
    Open {
        /// The account.
        #[n(0)]
        account: AccountId,
        /// Whose.
        #[n(1)]
        subject: SubjectId,
        /// Its holder.
        #[n(2)]
        principal: PrincipalId,
        /// The delay of its new addresses and factors.
        #[n(3)]
        delay: Span,
    },
    /// A factor was enrolled; its delay waits for a cosignature.
    #[n(4)]
    Enrol {
        /// Whose.
        #[n(0)]
        owner: Owner,
        /// Which.
        #[n(1)]
        factor: NewFactor,
        /// Its delay.
        #[n(2)]
        delay: Span,
    },
    /// A factor was removed.
    #[n(5)]
    Unenrol(#[n(0)] Owner, #[n(1)] FactorId),
    /// An address entered the book; its delay waits for a cosignature.
    #[n(6)]
    AddAddress(#[n(0)] AccountId, #[n(1)] Address, #[n(2)] Span),
    /// An address left the book.
    #[n(7)]
    RemoveAddress(#[n(0)] AccountId, #[n(1)] Address),
    /// An account was frozen; proofs made so far count no more.
    #[n(8)]
    Freeze(#[n(0)] AccountId, #[n(1)] FrozenBy),
    /// An account was unfrozen.
    #[n(9)]
    Unfreeze(#[n(0)] AccountId),
    /// An epoch rose.
    #[n(10)]
    RaiseEpoch(#[n(0)] Realm, #[n(1)] Option<FactorKind>),
    /// A role was given.
    #[n(11)]
    Grant(#[n(0)] PrincipalId, #[n(1)] Role),
    /// A role was taken.
    #[n(12)]
    Ungrant(#[n(0)] PrincipalId, #[n(1)] Role),
    /// An act waits.
    #[n(13)]
    Hold {
        /// Its digest.
        #[n(0)]
        digest: Digest,
        /// The act.
        #[n(1)]
        act: Box<Act>,
        /// Whose factor proved it.
        #[n(2)]
        proof: Proof,
        /// The ledger's entry that paid for it.
        #[n(3)]
        debit: Option<LedgerEntryId>,
        /// A delay of its own.
        #[n(4)]
        delay: Option<Span>,
    },
    /// A held act has a new proof.
    #[n(14)]
    Prove(#[n(0)] Digest, #[n(1)] Proof),
    /// A held act has been paid for.
    #[n(15)]
    Pay(#[n(0)] Digest, #[n(1)] LedgerEntryId),
    /// A held act has one more approval.
    #[n(16)]
    Approve(#[n(0)] Digest, #[n(1)] PrincipalId, #[n(2)] Proof),
    /// A held act waits no more.
    #[n(17)]
    Unhold(#[n(0)] Digest),
    /// A release was planned; the wallet's nonce is used.
    #[n(18)]
    Plan {
        /// The act's digest.
        #[n(0)]
        digest: Digest,
        /// The act.
        #[n(1)]
        act: Box<Act>,
        /// The account.
        #[n(2)]
        account: AccountId,
        /// Whose factor proved it.
        #[n(3)]
        proof: Proof,
        /// The plan.
        #[n(4)]
        plan: Plan,
    },
    /// Money counts as leaving in every window.
    #[n(19)]
    Charge {
        /// The account.
        #[n(0)]
        account: AccountId,
        /// The wallet.
        #[n(1)]
        wallet: WalletId,
        /// The asset.
        #[n(2)]
        asset: AssetId,
        /// Base units.
        #[n(3)]
        amount: Amount,
    },
    /// A withheld release goes out by the same plan.
    #[n(20)]
    Resume(#[n(0)] Digest),
    /// A release is being given up by this plan.
    #[n(21)]
    Void(#[n(0)] Digest, #[n(1)] Plan),
    /// Another plan for a release.
    #[n(22)]
    Replan(#[n(0)] Digest, #[n(1)] Plan),
    /// A release is withheld.
    #[n(23)]
    Withhold(#[n(0)] Digest, #[n(1)] Withheld),
    /// A signer signed a plan.
    #[n(24)]
    Signed(#[n(0)] Digest, #[n(1)] SignedPlan),
    /// An act ended.
    #[n(25)]
    End(#[n(0)] Digest, #[n(1)] End, #[n(2)] Option<AccountId>),
    /// The gate is shut for a scope.
    #[n(26)]
    Suspend(#[n(0)] Digest, #[n(1)] Scope),
    /// A suspension or latch ended.
    #[n(27)]
    Lift(#[n(0)] LiftTarget),
    /// The limits were replaced.
    #[n(28)]
    SetLimits(#[n(0)] Limits),
    /// A keeper stated its caps.
    #[n(29)]
    Caps(#[n(0)] KeeperId, #[n(1)] Vec<Cap>, #[n(2)] u64),
    /// A keeper has a suspension.
    #[n(30)]
    Stopped(#[n(0)] KeeperId, #[n(1)] Digest),
    /// A keeper latched.
    #[n(31)]
    Latched(#[n(0)] KeeperId, #[n(1)] Digest, #[n(2)] Condition),
    /// A cosigned checkpoint of this size: its oldest and newest cosignature.
    #[n(32)]
    Cosigned {
        /// SHA-256 of its body.
        #[n(0)]
        body: Digest,
        /// Its size.
        #[n(1)]
        size: u64,
        /// The oldest of the quorum's cosignatures.
        #[n(2)]
        oldest: Time,
        /// The newest.
        #[n(3)]
        newest: Time,
    },
    /// Signatures have proved an act: they are no new assertion of it.
    #[n(33)]
    Spend(#[n(0)] Digest, #[n(1)] Vec<Digest>),
    /// What was charged at a time did not leave: wallet and asset have room for it again.
    #[n(34)]
    Uncharge {
        /// The wallet.
        #[n(0)]
        wallet: WalletId,
        /// The asset.
        #[n(1)]
        asset: AssetId,
        /// Base units.
        #[n(2)]
        amount: Amount,
        /// The time of the entry that charged it.
        #[n(3)]
        charged: Time,
    },
    /// The policy was replaced.
    #[n(60)]
    SetPolicy(#[n(0)] Box<Policy>),
    /// New rates.
    #[n(61)]
    Rates(#[n(0)] Vec<Rate>),
    /// Money counts as leaving the platform: so much by its rate.
    #[n(62)]
    ChargeFiat(#[n(0)] Amount),
    /// A list's label set came in force, or the list was taken out.
    #[n(63)]
    SetLabels(#[n(0)] Name, #[n(1)] Option<Box<InForce>>),
    /// Releases are one batch of a wallet of coins; its number is used.
    #[n(64)]
    Batch {
        /// The wallet.
        #[n(0)]
        wallet: WalletId,
        /// The wallet's number of it.
        #[n(1)]
        number: u64,
        /// The releases, the leader first.
        #[n(2)]
        members: Vec<Digest>,
    },
    /// A plan of a batch spends these: no other batch may, until this one has ended.
    #[n(65)]
    Spends {
        /// The batch's leader.
        #[n(0)]
        leader: Digest,
        /// The id of the plan's transaction, as people read it.
        #[n(1)]
        transaction: Digest,
        /// What it spends; the shared one first.
        #[n(2)]
        coins: Vec<CoinId>,
    },
    /// A recovery began to wait.
    #[n(70)]
    BeginRecovery {
        /// The act.
        #[n(0)]
        digest: Digest,
        /// The holder.
        #[n(1)]
        owner: Owner,
        /// Who says that the new factor is the holder's.
        #[n(2)]
        voucher: Voucher,
        /// Whose budget it counts in; the holders' where absent.
        #[n(3)]
        agent: Option<PrincipalId>,
    },
    /// An account was recovered: its addresses' delays begin again.
    #[n(71)]
    Recovered {
        /// The account.
        #[n(0)]
        account: AccountId,
        /// For how long its limits are lowered.
        #[n(1)]
        lowered: Span,
    },
    /// One administrator more objects to a recovery.
    #[n(72)]
    Veto(#[n(0)] Digest, #[n(1)] PrincipalId, #[n(2)] Proof),
    /// So many administrators loosen together.
    #[n(73)]
    SetQuorum(#[n(0)] u32),
    /// Keys take the place of others.
    #[n(74)]
    Rotate(#[n(0)] Keys),
    /// The delay that the entry begins waits for the herald's word about this act.
    #[n(90)]
    AwaitTold(#[n(0)] Digest),
    /// The herald has told of what an entry began.
    #[n(91)]
    Told(#[n(0)] u64),
    /// An account's contact, by its commitment.
    #[n(92)]
    Contact(#[n(0)] AccountId, #[n(1)] Digest),
    /// An issuer's id of what it attested has served.
    #[n(100)]
    UseUp(#[n(0)] IssuerId, #[n(1)] AttestationId),
    /// What vendors have said of a held act by now.
    #[n(101)]
    Said(#[n(0)] Digest, #[n(1)] Said),
    /// A TOTP code of an act waits for the herald's word.
    #[n(110)]
    AwaitCode {
        /// The act.
        #[n(0)]
        act: Digest,
        /// Whose factor.
        #[n(1)]
        owner: Owner,
        /// Which.
        #[n(2)]
        factor: FactorId,
        /// The digits, sealed.
        #[n(3)]
        sealed: SealedCode,
    },
    /// The code of an act is its factor's, of this step, which serves no more.
    #[n(111)]
    CodeRight(#[n(0)] Digest, #[n(1)] u32),
    /// The code of an act is wrong.
    #[n(112)]
    CodeWrong(#[n(0)] Digest),
    /// A factor was imported.
    #[n(113)]
    Imported(#[n(0)] Owner, #[n(1)] FactorId),
    /// A recovery code is used up.
    #[n(114)]
    UseCode(#[n(0)] Owner, #[n(1)] FactorId, #[n(2)] Digest),
    /// An account has one more principal.
    #[n(80)]
    AddPrincipal(#[n(0)] Owner),
    /// A principal has left its account.
    #[n(81)]
    RemovePrincipal(#[n(0)] Owner),
    /// So many principals of an account loosen together.
    #[n(82)]
    SetAccountQuorum(#[n(0)] AccountId, #[n(1)] u32),
    /// These stood behind an act that took effect, whoever asked for it among them.
    #[n(83)]
    Jointly(#[n(0)] Digest, #[n(1)] Together),
    /// A withdrawal was asked for: as far as others can be like it, and what it looked like beside them.
    #[n(84)]
    Asked(#[n(0)] Digest, #[n(1)] Asked, #[n(2)] Company),
}

/// Which entry commits.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// Its index.
    pub index: u64,
    /// Its time.
    pub time: Time,
    /// The running digest after it.
    pub effects: Digest,
    /// When the act expires that it submits, where it submits one that loosens.
    pub expires: Option<Time>,
}

/// How long journaled checkpoints are remembered, so that a posting made while the gate was away
/// can still be judged at the board's time.
pub(crate) const REMEMBER_CHECKPOINTS: Span = Span::hours(24);
/// How long ended acts are remembered.
const REMEMBER_ENDED: Span = Span::hours(24);

impl At {
    fn awaits(self, what: Awaiting) -> Uncosigned {
        let Self {
            index,
            time,
            expires,
            ..
        } = self;
        Uncosigned {
            entry: index,
            time,
            expires,
            what,
        }
    }
}

impl Facts {
    /// Commit one effect. Never fails: what it names was looked up when it was computed.
    pub(crate) fn commit(&mut self, effect: &Effect, at: At) {
        match effect {
            Effect::Consume(..) | Effect::Debit(_) | Effect::Spend(..) => self.commit_once(effect),
            Effect::Counter(..)
            | Effect::Open { .. }
            | Effect::Enrol { .. }
            | Effect::Unenrol(..)
            | Effect::AddAddress(..)
            | Effect::RemoveAddress(..)
            | Effect::Freeze(..)
            | Effect::Unfreeze(_)
            | Effect::RaiseEpoch(..)
            | Effect::Grant(..)
            | Effect::Ungrant(..) => self.commit_people(effect, at),
            Effect::Hold { .. }
            | Effect::Prove(..)
            | Effect::Pay(..)
            | Effect::Approve(..)
            | Effect::Unhold(_)
            | Effect::End(..) => self.commit_waiting(effect, at),
            Effect::Plan { .. }
            | Effect::Charge { .. }
            | Effect::Uncharge { .. }
            | Effect::Resume(_)
            | Effect::Void(..)
            | Effect::Replan(..)
            | Effect::Withhold(..)
            | Effect::Signed(..) => self.commit_release(effect, at),
            Effect::Suspend(..)
            | Effect::Lift(_)
            | Effect::SetLimits(_)
            | Effect::Caps(..)
            | Effect::Stopped(..)
            | Effect::Latched(..) => self.commit_control(effect, at),
            Effect::Cosigned { .. } => self.commit_checkpoint(effect, at),
            Effect::SetPolicy(_) | Effect::Rates(_) | Effect::ChargeFiat(_) => {
                self.commit_policy(effect, at);
            }
            Effect::SetLabels(..) => self.commit_labels(effect),
            Effect::Batch { .. } | Effect::Spends { .. } => self.commit_batch(effect),
            Effect::BeginRecovery { .. }
            | Effect::Recovered { .. }
            | Effect::Veto(..)
            | Effect::SetQuorum(_)
            | Effect::Rotate(_) => self.commit_recovery(effect, at),
            Effect::AwaitTold(_) | Effect::Told(_) | Effect::Contact(..) => {
                self.commit_telling(effect, at);
            }
            Effect::UseUp(..) | Effect::Said(..) => self.commit_attested(effect),
            Effect::AwaitCode { .. }
            | Effect::CodeRight(..)
            | Effect::CodeWrong(_)
            | Effect::Imported(..)
            | Effect::UseCode(..) => self.commit_codes(effect, at),
            Effect::AddPrincipal(_)
            | Effect::RemovePrincipal(_)
            | Effect::SetAccountQuorum(..)
            | Effect::Jointly(..) => self.commit_principals(effect, at),
            Effect::Asked(act, asked, company) => self.commit_asked(act, asked, company, at),
        }
    }

    fn commit_checkpoint(&mut self, effect: &Effect, at: At) {
        if let Effect::Cosigned {
            body,
            size,
            oldest,
            newest,
        } = effect
        {
            self.commit_cosigned(*body, *size, *oldest, *newest);
            self.keys.seal(*size, at.index);
        }
    }

    /// What counts once.
    fn commit_once(&mut self, effect: &Effect) {
        match effect {
            Effect::Consume(act, expires) => {
                self.consumed.insert(*act, *expires);
                self.consumed_until.insert((*expires, *act));
            }
            Effect::Debit(entry) => {
                self.debits.insert(*entry);
            }
            Effect::Spend(act, signatures) => {
                self.spent.entry(*act).or_default().extend(signatures);
            }
            _ => {}
        }
    }

    fn commit_policy(&mut self, effect: &Effect, at: At) {
        match effect {
            Effect::SetPolicy(policy) => {
                self.policy = Some(policy.clone());
                // Other publishers, another currency: what they said before begins nothing.
                self.rates = None;
            }
            Effect::Rates(rates) => {
                let by_asset = rates.iter().map(|rate| (rate.asset, *rate));
                self.rates.get_or_insert_default().extend(by_asset);
            }
            Effect::ChargeFiat(worth) => self.fiat.get_or_insert_default().add(*worth, at.time),
            _ => {}
        }
    }

    fn commit_people(&mut self, effect: &Effect, at: At) {
        match effect {
            Effect::Counter(owner, id, counter) => {
                let factors = self.factors_mut(*owner).into_iter().flatten();
                factors
                    .filter(|factor| factor.id == *id)
                    .for_each(|f| f.counter = f.counter.max(*counter));
            }
            Effect::Open {
                account,
                subject,
                principal,
                delay,
            } => {
                let opened = open(*subject, *principal, *delay, at.index);
                self.accounts.insert(*account, Box::new(opened));
                self.count_holder(at.index);
            }
            Effect::Enrol {
                owner,
                factor,
                delay,
            } => self.enrol(*owner, factor, *delay, at),
            Effect::Unenrol(owner, id) => {
                let had = self.had(*owner);
                let available = self.factor(*owner, *id).map(|factor| factor.available);
                self.forget_untold(available, &Awaiting::Factor(*owner, *id));
                self.forget_codes(*owner, *id);
                if let Some(factors) = self.factors_mut(*owner) {
                    factors.retain(|factor| factor.id != *id);
                }
                if matches!(owner, Owner::Member { .. }) {
                    self.staff_factors.remove(id);
                }
                self.recount(*owner, had);
            }
            Effect::RaiseEpoch(realm, kind) => {
                let epoch = self.epochs.entry((*realm, *kind)).or_insert(0);
                *epoch = epoch.saturating_add(1);
                if *realm == Realm::Customers {
                    self.count_epoch(*kind, at.index, at.time);
                }
            }
            Effect::Grant(principal, role) => {
                let member = self.staff.entry(*principal).or_default();
                member.roles.push(*role);
                member.roles.sort_unstable();
            }
            Effect::Ungrant(principal, role) => {
                if let Some(member) = self.staff.get_mut(principal) {
                    member.roles.retain(|held| held != role);
                }
            }
            _ => self.commit_account(effect, at),
        }
    }

    fn commit_account(&mut self, effect: &Effect, at: At) {
        let (Effect::AddAddress(id, ..)
        | Effect::RemoveAddress(id, _)
        | Effect::Freeze(id, _)
        | Effect::Unfreeze(id)) = effect
        else {
            return;
        };
        if let Effect::RemoveAddress(_, address) = effect {
            let entry = self.account(*id).and_then(|known| known.address(*address));
            let available = entry.map(|entry| entry.available);
            self.forget_untold(available, &Awaiting::Address(*id, *address));
        }
        let Some(account) = self.accounts.get_mut(id) else {
            return;
        };
        match effect {
            Effect::AddAddress(_, address, delay) => {
                let available = Available::Awaiting {
                    delay: *delay,
                    entry: at.index,
                };
                account.book.push(BookEntry {
                    address: KeptAddress::from(*address),
                    available,
                });
                self.awaiting
                    .push_back(at.awaits(Awaiting::Address(*id, *address)));
            }
            Effect::RemoveAddress(_, address) => {
                let address = KeptAddress::from(*address);
                account.book.retain(|entry| entry.address != address);
            }
            Effect::Freeze(_, by) => {
                account.frozen = Some(*by);
                account.proofs_after = at.index;
            }
            _ => account.frozen = None,
        }
    }

    fn enrol(&mut self, owner: Owner, new: &NewFactor, delay: Span, at: At) {
        let factor = Factor {
            id: new.id(),
            kind: new.kind(),
            means: new.means(),
            counter: self.first_counter(owner, new, at),
            epochs: self.epochs(owner.realm(), new.kind()),
            available: Available::Awaiting {
                delay,
                entry: at.index,
            },
            enrolled: at.index,
            imported: Imported(false),
        };
        if let Owner::Member { principal } = owner {
            self.staff.entry(principal).or_default();
            self.staff_factors.insert(factor.id, principal);
        }
        self.awaiting
            .push_back(at.awaits(Awaiting::Factor(owner, factor.id)));
        let had = self.had(owner);
        if let Some(factors) = self.factors_mut(owner) {
            factors.push(factor);
        }
        self.recount(owner, had);
    }

    fn commit_waiting(&mut self, effect: &Effect, at: At) {
        match effect {
            Effect::Hold {
                digest,
                act,
                proof,
                debit,
                delay,
            } => {
                let held = waiting((**act).clone(), *proof, *debit, *delay, at);
                let waiting = self.waiting.entry(held.proof.owner).or_insert(0);
                *waiting = waiting.saturating_add(1);
                self.announced.hold(&held.act);
                self.held.insert(*digest, held);
                self.awaiting.push_back(at.awaits(Awaiting::Held(*digest)));
            }
            Effect::Prove(digest, proof) => {
                // A code that is not judged yet is not needed any more.
                self.codes.forget(*digest);
                if let Some(held) = self.held.get_mut(digest) {
                    held.proof = *proof;
                }
                if let Some(release) = self.releases.get_mut(digest) {
                    release.proof = *proof;
                }
            }
            Effect::Pay(digest, entry) => {
                if let Some(held) = self.held.get_mut(digest) {
                    held.debit = Some(*entry);
                }
            }
            Effect::Approve(digest, who, proof) => {
                if let Some(held) = self.held.get_mut(digest) {
                    held.approvals.insert(*who, *proof);
                }
                if let Some(release) = self.releases.get_mut(digest) {
                    release.beside.renew(*proof);
                }
            }
            Effect::Unhold(digest) => {
                self.unhold(digest);
            }
            Effect::End(digest, end, account) => {
                self.releases.remove(digest);
                self.end_batch(digest);
                self.unsigned.remove(digest);
                self.spent.remove(digest);
                let ended = Ended {
                    end: *end,
                    time: at.time,
                    account: *account,
                };
                self.ended.insert(*digest, ended);
                self.ended_until
                    .insert((at.time.after(REMEMBER_ENDED), *digest));
            }
            _ => {}
        }
    }

    fn unhold(&mut self, digest: &Digest) -> Option<Held> {
        let held = self.held.remove(digest)?;
        self.announced.unhold(&held.act);
        self.codes.forget(*digest);
        self.forget_untold(Some(held.available), &Awaiting::Held(*digest));
        let owner = held.proof.owner;
        if let Some(waiting) = self.waiting.get_mut(&owner) {
            *waiting = waiting.saturating_sub(1);
            if *waiting == 0 {
                self.waiting.remove(&owner);
            }
        }
        self.end_recovery(digest, &held);
        Some(held)
    }

    fn commit_release(&mut self, effect: &Effect, at: At) {
        match effect {
            Effect::Plan {
                digest,
                act,
                account,
                proof,
                plan,
            } => {
                self.take_nonce(plan.wallet);
                let release = planned((**act).clone(), *account, *proof, plan.clone(), at);
                self.releases.insert(*digest, release);
                self.go_out(*digest, at);
            }
            Effect::Charge {
                account,
                wallet,
                asset,
                amount,
            } => {
                self.charge(*account, *wallet, *asset, *amount, at.time);
            }
            Effect::Uncharge {
                wallet,
                asset,
                amount,
                charged,
            } => {
                self.uncharge(*wallet, *asset, *amount, *charged);
            }
            Effect::Resume(digest) => self.go_out(*digest, at),
            Effect::Void(digest, plan) => {
                if let Some(release) = self.releases.get_mut(digest) {
                    release.voided_by = Some(plan.digest());
                }
                self.plan_anew(*digest, plan, at);
            }
            Effect::Replan(digest, plan) => self.plan_anew(*digest, plan, at),
            Effect::Withhold(digest, why) => self.withhold(*digest, *why),
            Effect::Signed(digest, signed) => {
                let together = self.together_with(*digest);
                for digest in &together {
                    self.sign(digest, *signed);
                }
            }
            _ => {}
        }
    }

    fn sign(&mut self, digest: &Digest, signed: SignedPlan) {
        let newest = self.plans_of(*digest).last().map(Plan::digest);
        let Some(release) = self.releases.get_mut(digest) else {
            return;
        };
        release.signed.push(signed);
        if newest == Some(signed.plan) {
            self.unsigned.remove(digest);
        }
    }

    /// Another plan for a release goes out, and for all that stand and fall with it, but for those that are withheld.
    fn plan_anew(&mut self, digest: Digest, plan: &Plan, at: At) {
        let together = self.together_with(digest);
        let first = together.first().and_then(|it| self.releases.get_mut(it));
        if let Some(first) = first {
            first.plans.push(plan.clone());
        }
        for member in together {
            let stage = self.releases.get(&member).map(|release| release.stage);
            if member == digest {
                self.go_out(member, at);
            } else if stage == Some(Stage::Released) {
                // The act that gave the one up says nothing of when the others were asked for.
                let expires = None;
                self.go_out(member, At { expires, ..at });
            }
        }
    }

    fn withhold(&mut self, digest: Digest, why: Withheld) {
        if let Some(release) = self.releases.get_mut(&digest) {
            release.stage = Stage::Withheld(why);
        }
        self.unsigned.remove(&digest);
    }

    /// The account's own list merges neighbours and cannot give back; that bounds only whoever asked
    /// and took back.
    fn uncharge(&mut self, wallet: WalletId, asset: AssetId, amount: Amount, charged: Time) {
        let wallet = self.wallets.get_mut(&wallet);
        let of_wallet = wallet.and_then(|wallet| wallet.outflow.get_mut(&asset));
        let of_asset = self.outflow.get_mut(&asset);
        for rings in of_wallet.into_iter().chain(of_asset) {
            rings.take_back(amount, charged);
        }
    }

    fn take_nonce(&mut self, wallet: WalletId) {
        if let Some(wallet) = self.wallets.get_mut(&wallet) {
            wallet.next_nonce = wallet.next_nonce.saturating_add(1);
        }
    }

    fn charge(
        &mut self,
        account: AccountId,
        wallet: WalletId,
        asset: AssetId,
        amount: Amount,
        now: Time,
    ) {
        if let Some(account) = self.accounts.get_mut(&account) {
            account.outflow.entry(asset.into()).add(amount, now);
        }
        if let Some(wallet) = self.wallets.get_mut(&wallet) {
            wallet.outflow.entry(asset).or_default().add(amount, now);
        }
        self.outflow.entry(asset).or_default().add(amount, now);
    }

    /// A release entry: from now its newest plan may be signed, once the entry is cosigned in time.
    fn go_out(&mut self, digest: Digest, at: At) {
        let newest = self.plans_of(digest).last().map(Plan::digest);
        let Some(release) = self.releases.get_mut(&digest) else {
            return;
        };
        release.entry = at.index;
        release.time = at.time;
        release.effects = at.effects;
        release.stage = Stage::Released;
        let is_signed = newest.is_some_and(|plan| release.is_signed(plan));
        if !is_signed {
            self.unsigned.insert(digest);
        }
        self.awaiting
            .push_back(at.awaits(Awaiting::Release(digest)));
    }

    fn commit_control(&mut self, effect: &Effect, at: At) {
        match effect {
            Effect::Suspend(by, scope) => {
                let stopped = BTreeSet::new();
                let suspension = Suspension {
                    scope: *scope,
                    entry: at.index,
                    cosigned: None,
                    stopped,
                };
                self.suspensions.insert(*by, suspension);
                self.awaiting
                    .push_back(at.awaits(Awaiting::Suspension(*by)));
            }
            Effect::Lift(LiftTarget::Suspension { by }) => {
                self.suspensions.remove(by);
                self.void_suspension = self.void_suspension.filter(|void| void != by);
            }
            Effect::Lift(LiftTarget::Latch { keeper, latch }) => {
                self.latches.remove(&(*keeper, *latch));
                self.cleared_latches.insert((*keeper, *latch));
            }
            Effect::SetLimits(limits) => self.limits = limits.clone(),
            Effect::Caps(keeper, caps, number) => {
                let (caps, number) = (caps.clone(), *number);
                self.caps.insert(*keeper, StatedCaps { number, caps });
            }
            Effect::Stopped(keeper, suspension) => {
                if let Some(suspension) = self.suspensions.get_mut(suspension) {
                    suspension.stopped.insert(*keeper);
                }
            }
            Effect::Latched(keeper, latch, condition) => {
                self.latches.insert((*keeper, *latch), *condition);
            }
            // A lift of all suspensions up to an entry is said as one lift for each.
            _ => {}
        }
    }

    /// The first checkpoint that contains an entry starts the entry's clocks.
    fn commit_cosigned(&mut self, body: Digest, size: u64, oldest: Time, newest: Time) {
        self.checkpoints.insert(body, oldest);
        self.prune_checkpoints(oldest);
        self.log.advance(size);
        while let Some(first) = self.awaiting.pop_front() {
            if first.entry >= size {
                self.awaiting.push_front(first);
                break;
            }
            self.start_clock(first.entry, &first.what, newest);
        }
    }

    fn start_clock(&mut self, index: u64, what: &Awaiting, newest: Time) {
        match what {
            Awaiting::Told(entry) => self.start_told(*entry, newest),
            _ if self.untold.cosigned(index, newest) => {}
            what => self.start(index, what, newest),
        }
    }

    /// What was taken back waits for nobody's word.
    fn forget_untold(&mut self, available: Option<Available>, what: &Awaiting) {
        if let Some(Available::Awaiting { entry, .. }) = available {
            self.untold.forget(entry, what);
        }
    }

    fn start(&mut self, index: u64, awaiting: &Awaiting, newest: Time) {
        let start = |available: &mut Available| {
            // What was taken back and added again waits for its own entry.
            if let Available::Awaiting { delay, entry } = *available
                && entry == index
            {
                *available = Available::At {
                    time: newest.after(delay),
                };
            }
        };
        match awaiting {
            Awaiting::Factor(owner, id) => {
                let factors = self.factors_mut(*owner).into_iter().flatten();
                factors
                    .filter(|factor| factor.id == *id)
                    .for_each(|f| start(&mut f.available));
            }
            Awaiting::Address(account, address) => {
                let book = self
                    .accounts
                    .get_mut(account)
                    .into_iter()
                    .flat_map(|a| &mut a.book);
                let address = KeptAddress::from(*address);
                book.filter(|entry| entry.address == address)
                    .for_each(|e| start(&mut e.available));
            }
            Awaiting::Held(digest) => {
                if let Some(held) = self.held.get_mut(digest) {
                    start(&mut held.available);
                }
            }
            Awaiting::Suspension(by) => {
                self.suspensions
                    .get_mut(by)
                    .into_iter()
                    .for_each(|s| s.cosigned = Some(newest));
            }
            Awaiting::Recovered(account) => self.start_recovered(*account, start),
            // What is late has an effect of its own, and so has a word that was cosigned.
            Awaiting::Release(_) | Awaiting::Told(_) | Awaiting::Principal(_) => {}
        }
    }

    /// What a checkpoint of this size finds late: it is the first that contains them, its newest
    /// cosignature came over 30 s after their time. Releases have no effect then. And what was submitted
    /// has none where its act had expired by that cosignature: it was never submitted in time, and
    /// whoever backdated the entry must not revive it.
    pub(crate) fn found_late(&self, size: u64, newest: Time) -> Vec<Effect> {
        let covered = self.awaiting.iter().take_while(|row| row.entry < size);
        let late = covered.filter(|row| is_late(row.time, newest));
        late.flat_map(|row| {
            let revived = row.expires.is_some_and(|expires| newest >= expires);
            match &row.what {
                Awaiting::Release(digest) => self.late_release(*digest, row.entry, revived),
                what if revived => self.late_submission(what, row.entry),
                _ => Vec::new(),
            }
        })
        .collect()
    }

    fn late_release(&self, digest: Digest, entry: u64, revived: bool) -> Vec<Effect> {
        let release = self.releases.get(&digest);
        // A later entry has released it again: that one's clock counts.
        let pending = release.filter(|r| r.entry == entry && r.stage == Stage::Released);
        let Some(release) = pending else {
            return Vec::new();
        };
        let why = match revived {
            // An operator's resume that came too late: another has to come.
            true if release.planned < release.time => Withheld::Suspended,
            // Released as it was submitted: it can only be given up.
            true => Withheld::Cancelled,
            false => Withheld::Late,
        };
        vec![Effect::Withhold(digest, why)]
    }

    fn late_submission(&self, what: &Awaiting, entry: u64) -> Vec<Effect> {
        match what {
            Awaiting::Held(digest) => {
                let held = self.held.get(digest).filter(|held| held.entry == entry);
                let ended = held.map(|held| {
                    let end = Effect::End(*digest, End::Returned, held.act.account);
                    [Effect::Unhold(*digest), end]
                });
                ended.into_iter().flatten().collect()
            }
            Awaiting::Address(account, address) => {
                let book = self.account(*account).and_then(|a| a.address(*address));
                let brought = book.filter(|found| found.available.awaits(entry));
                let out = brought.map(|_| Effect::RemoveAddress(*account, *address));
                out.into_iter().collect()
            }
            Awaiting::Factor(owner, id) => {
                let factor = self.factor(*owner, *id);
                let brought = factor.filter(|found| found.available.awaits(entry));
                let out = brought.map(|_| Effect::Unenrol(*owner, *id));
                out.into_iter().collect()
            }
            Awaiting::Principal(owner) => {
                // Whoever left meanwhile may have come again by a later entry.
                let factors = self.factors(*owner).iter();
                let brought = factors.filter(|found| found.available.awaits(entry));
                let brought: Vec<Effect> = brought
                    .map(|factor| Effect::Unenrol(*owner, factor.id))
                    .collect();
                let gone = (!brought.is_empty()).then_some(Effect::RemovePrincipal(*owner));
                brought.into_iter().chain(gone).collect()
            }
            Awaiting::Release(_)
            | Awaiting::Suspension(_)
            | Awaiting::Recovered(_)
            | Awaiting::Told(_) => Vec::new(),
        }
    }

    /// Forget what can matter no more at `now`.
    pub(crate) fn prune(&mut self, now: Time) {
        while let Some((expires, act)) = self.consumed_until.first().copied() {
            if expires > now {
                break;
            }
            self.consumed_until.pop_first();
            self.consumed.remove(&act);
        }
        while let Some((until, digest)) = self.ended_until.first().copied() {
            if until > now {
                break;
            }
            self.ended_until.pop_first();
            self.ended.remove(&digest);
        }
        self.prune_recovered(now);
    }

    /// Forget checkpoints that no act can name any more. Called with each new one, so the cost of
    /// looking through a day of them is paid once a second at most.
    fn prune_checkpoints(&mut self, now: Time) {
        let oldest = now.before(REMEMBER_CHECKPOINTS);
        self.checkpoints.retain(|_, time| *time >= oldest);
    }
}

/// An act that waits, with nobody's approval yet.
fn waiting(
    act: Act,
    proof: Proof,
    debit: Option<LedgerEntryId>,
    delay: Option<Span>,
    at: At,
) -> Held {
    // What only takes away waits for no witness.
    let available = if act.kind.is_restricting() {
        Available::ALWAYS
    } else {
        Available::Awaiting {
            delay: delay.unwrap_or_default(),
            entry: at.index,
        }
    };
    Held {
        act,
        entry: at.index,
        proof,
        debit,
        approvals: BTreeMap::new(),
        available,
        time: at.time,
        said: None,
        company: None,
    }
}

/// A release with its first plan.
fn planned(act: Act, account: AccountId, proof: Proof, plan: Plan, at: At) -> Release {
    Release {
        act,
        account,
        proof,
        entry: at.index,
        time: at.time,
        effects: at.effects,
        plans: vec![plan],
        signed: Vec::new(),
        stage: Stage::Released,
        voided_by: None,
        planned: at.time,
        beside: Together::default(),
        leader: None,
    }
}

/// How long after its time a release may first be cosigned.
pub const RELEASE_COSIGNED_WITHIN: Span = Span::seconds(30);

/// Whether a release of this time, first cosigned then, is late.
#[must_use]
pub fn is_late(release: Time, first_cosigned: Time) -> bool {
    first_cosigned > release.after(RELEASE_COSIGNED_WITHIN)
}

fn open(subject: SubjectId, principal: PrincipalId, delay: Span, index: u64) -> Account {
    Account {
        subject,
        holders: Few::from_iter([Holder {
            principal,
            factors: Few::default(),
        }]),
        book: Few::default(),
        delay,
        frozen: None,
        proofs_after: 0,
        outflow: FewBy::default(),
        opened: index,
        contact: None,
        quorum: Quorum::ONE,
    }
}
