//! What people try who should not: without keys that are not theirs.

use super::customers::Size;
use super::{People, Theft};
use crate::forgery::THIEF;
use crate::passkey::Passkey;
use crate::setting::{self, TRANSACTION_LIMIT};
use portcullis_chains::Amount;
use portcullis_core::act::{
    ActKind, AddAddress, Approve, Lift, LiftTarget, Resume, Scope, Suspend, Withdraw,
};
use portcullis_core::board::Posting;
use portcullis_core::factor::factor_id;
use portcullis_core::id::{ActId, LedgerEntryId};
use portcullis_core::state::release::Withheld;
use portcullis_core::{Act, Digest, Evidence, Span, State};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::World;

impl People {
    /// Somebody tries it, if there is anything to try it with.
    pub fn steal(&mut self, theft: Theft, state: &State, journaled: &[Posting]) -> bool {
        self.look_up_keys(state);
        let tried = self.try_to(theft, state, journaled).is_some();
        if tried {
            self.common.chronicle.count(&format!("theft: {theft:?}"));
        }
        tried
    }

    fn try_to(&mut self, theft: Theft, state: &State, journaled: &[Posting]) -> Option<bool> {
        match theft {
            Theft::ForgedSignature | Theft::OthersPasskey | Theft::Retargeted => {
                self.unproven(theft, state)
            }
            Theft::Replay => {
                let Posting { act, evidence } = self.recent(journaled)?;
                Some(self.relay_only(&act, &evidence))
            }
            Theft::ReplayToBoard => {
                let restricting = journaled
                    .iter()
                    .rev()
                    .filter(|p| p.act.kind.is_restricting());
                let restricting: Vec<_> = restricting.take(20).cloned().collect();
                let mut posting = self.dice.pick(&restricting)?.clone();
                posting.evidence.posted = None;
                Some(self.post_raw(&posting))
            }
            Theft::NewIdOldEvidence => {
                let Posting { mut act, evidence } = self.recent(journaled)?;
                act.id = ActId(self.dice.bytes());
                Some(self.relay_only(&act, &evidence))
            }
            Theft::OneDebitForTwo => self.one_debit_for_two(state),
            Theft::OldProofAgain => self.old_proof_again(state, journaled),
            Theft::OthersSupplement => self.others_supplement(state),
            Theft::SelfApproval
            | Theft::ApprovesTwice
            | Theft::SupportResumes
            | Theft::SupportLifts => self.try_as_staff(theft, state),
            Theft::CustomerSuspends => {
                let customer = self.any_customer();
                let kind = ActKind::Suspend(Suspend {
                    scope: Scope::Everything,
                });
                let (act, evidence) = self.customers_act(state, customer, kind)?;
                Some(self.try_send(&act, &evidence))
            }
            Theft::StrangeAddress | Theft::TooMuch => {
                let customer = self.any_customer();
                let kind = self.strange(theft, state, customer)?;
                let (act, mut evidence) = self.customers_act(state, customer, kind)?;
                evidence.attestations.extend(self.debit(act.digest()));
                Some(self.try_send(&act, &evidence))
            }
            Theft::NewAddressAtOnce => self.new_address_at_once(state),
            Theft::NewPasskeyAtOnce => self.new_passkey_at_once(state),
            Theft::Expired | Theft::OtherGenesis => self.out_of_place(theft, state),
            Theft::NoRelay => {
                let customer = self.any_customer();
                let kind = self.strange(Theft::NoRelay, state, customer)?;
                let (act, mut evidence) = self.customers_act(state, customer, kind)?;
                evidence.attestations.extend(self.debit(act.digest()));
                Some(self.send(setting::SUPPORT, &act, &evidence))
            }
            theft if theft.is_by_code() => self.crack(theft, state, journaled),
            _ => self.rob(theft, state),
        }
    }

    /// What a member of staff tries beyond its role.
    fn try_as_staff(&mut self, theft: Theft, state: &State) -> Option<bool> {
        match theft {
            Theft::SelfApproval => {
                let held = state.facts().held.iter();
                let own: Vec<_> = held
                    .filter(|(_, held)| self.signers.contains_key(&held.act.principal))
                    .map(|(digest, held)| (*digest, held.act.principal))
                    .collect();
                let (act, who) = self.dice.pick(&own).copied()?;
                Some(self.order(state, who, ActKind::Approve(Approve { act })))
            }
            Theft::ApprovesTwice => {
                let held = state.facts().held.iter();
                let approved = held.flat_map(|(d, held)| held.approvals.keys().map(|w| (*d, *w)));
                let approved: Vec<_> = approved.collect();
                let (act, who) = self.dice.pick(&approved).copied()?;
                Some(self.order(state, who, ActKind::Approve(Approve { act })))
            }
            Theft::SupportResumes => {
                let release = self.resumable(state)?;
                let kind = ActKind::Resume(Resume { release });
                Some(self.order(state, setting::SUPPORT, kind))
            }
            Theft::SupportLifts => {
                let suspensions: Vec<Digest> = state.facts().suspensions.keys().copied().collect();
                let by = self.dice.pick(&suspensions).copied()?;
                let target = LiftTarget::Suspension { by };
                Some(self.order(state, setting::SUPPORT, ActKind::Lift(Lift { target })))
            }
            _ => None,
        }
    }

    /// A release that an operator could resume; any, where there is none.
    fn resumable(&mut self, state: &State) -> Option<Digest> {
        let withheld = self.withheld(state, |why| why != Withheld::Cancelled);
        withheld.or_else(|| {
            let releases: Vec<Digest> = state.facts().releases.keys().copied().collect();
            self.dice.pick(&releases).copied()
        })
    }

    fn recent(&mut self, journaled: &[Posting]) -> Option<Posting> {
        let recent = &journaled[journaled.len().saturating_sub(40)..];
        self.dice.pick(recent).cloned()
    }

    /// Anybody posts what stands in the journal.
    pub(super) fn post_raw(&mut self, posting: &Posting) -> bool {
        let body = serde_json::to_vec(posting).unwrap_or_default();
        let number = self.dice.index(setting::BOARDS);
        let url = format!("{}/postings", setting::board_url(number));
        let patience = std::time::Duration::from_secs(2);
        let reply = self.machine.http.post(&url, &[], &body, 1 << 16, patience);
        reply.is_ok_and(|reply| reply.status < 300)
    }

    /// The back end relays what it is told to; its signature is genuine.
    fn try_send(&mut self, act: &Act, evidence: &Evidence) -> bool {
        let evidence = Evidence {
            requests: Vec::new(),
            ..evidence.clone()
        };
        self.relay_only(act, &evidence)
    }

    /// As [`People::send`], without the truth that the acting principal has signed.
    fn relay_only(&mut self, act: &Act, evidence: &Evidence) -> bool {
        let signer = self.signers[&World::BACK_END].clone();
        if act.principal == World::BACK_END {
            let now = self.common.time.now();
            self.truth.signs(World::BACK_END, act, now);
        }
        let outcome = self.gate.submit(&signer, act, evidence);
        if outcome.is_ok() {
            let what = format!("{} {}", act.kind.name(), act.digest());
            self.common.chronicle.note("theft taken", what);
        }
        outcome.is_ok()
    }

    fn book_address(
        &mut self,
        state: &State,
        customer: usize,
    ) -> Option<portcullis_chains::Address> {
        let account = state.facts().account(self.customers[customer].account)?;
        let book: Vec<_> = account
            .book
            .iter()
            .map(|entry| entry.address.get())
            .collect();
        self.dice.pick(&book).copied()
    }

    fn strange(&mut self, theft: Theft, state: &State, customer: usize) -> Option<ActKind> {
        let (asset, small) = (World::ETHER, self.amount(Size::Small));
        let known = self.book_address(state, customer)?;
        let (to, amount) = match theft {
            Theft::StrangeAddress => (THIEF, small),
            Theft::TooMuch => (known, Amount(TRANSACTION_LIMIT + small.0)),
            _ => (known, small),
        };
        Some(ActKind::Withdraw(Withdraw { asset, to, amount }))
    }

    /// A withdrawal that its account's holder has not asked for.
    fn unproven(&mut self, theft: Theft, state: &State) -> Option<bool> {
        let victim = self.any_customer();
        let kind = self.strange(Theft::NoRelay, state, victim)?;
        let draft = self.draft(state);
        let person = &self.customers[victim];
        let act = draft.by_customer(person.principal, person.account, kind);
        let digest = act.digest();
        let passkey = self.counting_passkey(state, victim)?;
        let person = &mut self.customers[victim];
        let mut evidence = Evidence::default();
        match theft {
            Theft::ForgedSignature => {
                // The thief has the form right and the key wrong.
                let mut assertion = Passkey::new(0xfe, 1).assert(digest);
                let credential = person.passkeys[passkey].credential().to_vec();
                assertion.credential = portcullis_core::passkey::CredentialId(credential);
                evidence.assertions.push(assertion);
            }
            Theft::OthersPasskey => {
                evidence
                    .assertions
                    .push(Passkey::new(0xfd, 1).assert(digest));
            }
            _ => {
                let other = Digest(self.dice.bytes());
                let assertion = self.customers[victim].passkeys[passkey].assert(other);
                evidence.assertions.push(assertion);
            }
        }
        // The ledger has been deceived as well.
        evidence.attestations.extend(self.debit(digest));
        Some(self.relay_only(&act, &evidence))
    }

    fn one_debit_for_two(&mut self, state: &State) -> Option<bool> {
        let used: Vec<LedgerEntryId> = state.facts().debits.iter().copied().collect();
        let entry = self.dice.pick(&used).copied()?;
        let customer = self.any_customer();
        let kind = self.strange(Theft::NoRelay, state, customer)?;
        let (act, mut evidence) = self.customers_act(state, customer, kind)?;
        evidence
            .attestations
            .extend(self.debit_as(act.digest(), entry));
        Some(self.send(World::BACK_END, &act, &evidence))
    }

    /// The back end relays once more what it has kept.
    fn old_proof_again(&mut self, state: &State, journaled: &[Posting]) -> Option<bool> {
        let (digest, act) = self.unproven_act(state)?;
        let kept = journaled.iter().rev().find(|posting| posting.act == act)?;
        let evidence = Evidence {
            assertions: kept.evidence.assertions.clone(),
            ..Evidence::default()
        };
        Some(self.supplement(digest, &evidence))
    }

    /// What only the back end may bring, by somebody else.
    fn others_supplement(&mut self, state: &State) -> Option<bool> {
        let (digest, act) = self.unproven_act(state)?;
        let evidence = self.proof_of(state, &act)?;
        let signer = self.signers[&setting::SUPPORT].clone();
        let outcome = self.gate.supplement(&signer, digest, &evidence);
        Some(outcome.is_ok())
    }

    /// Whoever has got hold of a passkey adds an address of its own and empties the account.
    fn new_address_at_once(&mut self, state: &State) -> Option<bool> {
        let customer = self.any_customer();
        let byte = 0x60 + u8::try_from(self.dice.below(0x40)).unwrap_or(0);
        let to = World::address(byte);
        let add = ActKind::AddAddress(AddAddress { address: to });
        let (act, evidence) = self.customers_act(state, customer, add)?;
        self.send(World::BACK_END, &act, &evidence);
        let (asset, amount) = (World::ETHER, self.amount(Size::Small));
        let kind = ActKind::Withdraw(Withdraw { asset, to, amount });
        let (act, mut evidence) = self.customers_act(state, customer, kind)?;
        evidence.attestations.extend(self.debit(act.digest()));
        Some(self.send(World::BACK_END, &act, &evidence))
    }

    /// A passkey that does not count yet asserts.
    fn new_passkey_at_once(&mut self, state: &State) -> Option<bool> {
        let customer = self.any_customer();
        let kind = self.strange(Theft::NoRelay, state, customer)?;
        let (owner, facts) = (self.owner(customer), state.facts());
        let new = self.customers[customer]
            .passkeys
            .iter()
            .position(|passkey| {
                let factor = facts.factor(owner, factor_id(passkey.credential()));
                factor.is_some_and(|factor| !factor.available.is_at(facts.time))
            })?;
        let draft = self.draft(state);
        let person = &mut self.customers[customer];
        let act = draft.by_customer(person.principal, person.account, kind);
        let assertion = person.passkeys[new].assert(act.digest());
        let now = self.common.time.now();
        self.truth.signs(owner.principal(), &act, now);
        let mut evidence = Evidence {
            assertions: vec![assertion],
            ..Evidence::default()
        };
        evidence.attestations.extend(self.debit(act.digest()));
        Some(self.send(World::BACK_END, &act, &evidence))
    }

    fn out_of_place(&mut self, theft: Theft, state: &State) -> Option<bool> {
        let customer = self.any_customer();
        let kind = self.strange(Theft::NoRelay, state, customer)?;
        let draft = self.draft(state);
        let now = self.clock.now();
        let person = &self.customers[customer];
        let mut act = draft.by_customer(person.principal, person.account, kind);
        match theft {
            Theft::Expired => act.expires = now.before(Span::seconds(1)),
            _ => act.genesis = Digest([7; 32]),
        }
        let mut evidence = self.assertion(state, customer, &act)?;
        evidence.attestations.extend(self.debit(act.digest()));
        Some(self.send(World::BACK_END, &act, &evidence))
    }
}
