//! Receipts: one release, checkable offline from the pinned genesis digest and nothing else.
//!
//! A receipt is a bundle of journal entries with their inclusion proofs under one cosigned checkpoint:
//! genesis, the enrolment of the factor that proved the act, the act with its evidence, the entry that
//! released it, and the signer's statement. `docs/spec/receipt.md` is the format, and
//! `docs/spec/verify.py` a second verifier written from it alone.
//!
//! It shows *that* authority was given for exactly this transaction, and by whom. That nothing else
//! barred it at that moment (a revoked factor, a limit, a suspension) is shown by replaying the whole
//! journal: `portcullis verify journal`.

use crate::act::{ActKind, Withdraw};
use crate::decide::payment;
use crate::decision::Decision;
use crate::digest::Digest;
use crate::entry::{Body, Entry, Submission};
use crate::evidence::{Attestation, Claim, Evidence};
use crate::factor::{NewFactor, factor_id};
use crate::genesis::{GenesisFault, IssuerKind, Member};
use crate::id::{AccountId, KeeperId, LedgerEntryId, PrincipalId};
use crate::network::Network;
use crate::passkey::{self, Credential};
use crate::plan::Plan;
use crate::realm::{Realm, Role};
use crate::request;
use crate::signature::Verify;
use crate::statement::{Says, SignedStatement};
use crate::time::Time;
use portcullis_chains::Amount;
use portcullis_chains::caip::{Address, AssetId};
use portcullis_chains::ethereum::SignedTx;
use portcullis_tlog::{Cosigned, Hash, verify_inclusion};
use serde::{Deserialize, Serialize};

/// Most entries in a receipt.
pub const MAX_ENTRIES: usize = 64;

/// The bundle. JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The released act.
    pub act: Digest,
    /// A checkpoint that a quorum of witnesses cosigned, as a C2SP note.
    pub checkpoint: String,
    /// Entries under it; the first is genesis.
    pub entries: Vec<ProvenEntry>,
}

/// An entry with its place in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvenEntry {
    /// Its index.
    pub index: u64,
    /// Its canonical bytes, base64url.
    #[serde(with = "crate::text::base64url")]
    pub entry: Vec<u8>,
    /// The RFC 6962 inclusion proof under the checkpoint, each hash in base64.
    pub proof: Vec<String>,
}

/// What a receipt shows. Only [`verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Shown {
    /// The act.
    pub act: Digest,
    /// Whose money.
    pub account: AccountId,
    /// What was sent.
    pub asset: AssetId,
    /// To whom.
    pub to: Address,
    /// How much, in base units.
    pub amount: Amount,
    /// By which transaction.
    pub transaction: Digest,
    /// Which signer signed it.
    pub signer: KeeperId,
    /// Which ledger entry paid.
    pub debit: LedgerEntryId,
    /// The entry that released it.
    pub released_by: u64,
    /// That entry's time.
    pub released_at: Time,
    /// The newest cosignature of the checkpoint.
    pub witnessed_at: Time,
    /// The block that the signer saw it in, if it has said so.
    pub block: Option<u64>,
}

/// Why a receipt shows nothing. The first fault, in the order of the checks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFault {
    /// No entries, too many, or the first is not genesis.
    #[error("the receipt does not begin with the genesis entry, or is too large")]
    Shape,
    /// The genesis.
    #[error("the genesis: {0}")]
    Genesis(#[from] GenesisFault),
    /// The checkpoint.
    #[error("the checkpoint is not signed by the journal and cosigned by a quorum of witnesses")]
    Checkpoint,
    /// An entry is not in the journal.
    #[error("entry {0} is not under the checkpoint, or its bytes are not an entry")]
    Inclusion(u64),
    /// The withdraw act is not there.
    #[error("the receipt does not contain the act that it names as a withdrawal")]
    Act,
    /// No assertion or request by an enrolled factor of the account proves the act.
    #[error("no factor of the account, enrolled in the receipt, proves the act")]
    Factor,
    /// No back end of genesis relayed it.
    #[error("no back end named in genesis signed the request")]
    Relay,
    /// The ledger did not attest a debit.
    #[error("no ledger named in genesis attests a debit for the act")]
    Debit,
    /// No released plan is exactly the act.
    #[error(
        "the signed plan is not released by an entry of the receipt, or is not the act's payment"
    )]
    Plan,
    /// No signer's statement fits.
    #[error(
        "no signer named in genesis states a transaction that is the plan, signed by the wallet"
    )]
    Statement,
}

/// Check everything that a receipt claims, from the pinned genesis digest.
pub fn verify(
    receipt: &Receipt,
    pinned: Digest,
    verify: &dyn Verify,
) -> Result<Shown, ReceiptFault> {
    let network = open_genesis(receipt, pinned, verify)?;
    let cosigned = Cosigned::parse(
        receipt.checkpoint.as_bytes(),
        network.log(),
        network.quorum(),
    );
    let cosigned = cosigned.map_err(|_| ReceiptFault::Checkpoint)?;
    let entries = open_entries(receipt, &cosigned)?;
    let bundle = Bundle {
        network: &network,
        entries: &entries,
        act: receipt.act,
        verify,
    };
    let (_, submission) = bundle.submission().ok_or(ReceiptFault::Act)?;
    let (ActKind::Withdraw(withdraw), Some(account)) =
        (&submission.act.kind, submission.act.account)
    else {
        return Err(ReceiptFault::Act);
    };
    if submission.act.genesis != pinned {
        return Err(ReceiptFault::Act);
    }
    bundle.check_factor(submission, account)?;
    bundle.check_relay()?;
    let debit = bundle.debit().ok_or(ReceiptFault::Debit)?;
    let signed = bundle.signed(withdraw)?;
    let released_at = entries.iter().find(|(index, _)| *index == signed.entry);
    Ok(Shown {
        act: receipt.act,
        account,
        asset: withdraw.asset,
        to: withdraw.to,
        amount: withdraw.amount,
        transaction: signed.transaction,
        signer: signed.signer,
        debit,
        released_by: signed.entry,
        released_at: released_at
            .map(|(_, entry)| entry.time)
            .ok_or(ReceiptFault::Plan)?,
        witnessed_at: Time::from_unix_seconds(cosigned.newest().unix()),
        block: bundle.block(signed.signer, signed.transaction),
    })
}

fn open_genesis(
    receipt: &Receipt,
    pinned: Digest,
    verify: &dyn Verify,
) -> Result<Network, ReceiptFault> {
    if receipt.entries.is_empty() || receipt.entries.len() > MAX_ENTRIES {
        return Err(ReceiptFault::Shape);
    }
    let first = Entry::from_bytes(&receipt.entries[0].entry).map_err(|_| ReceiptFault::Shape)?;
    let Body::Genesis(signed) = first.body else {
        return Err(ReceiptFault::Shape);
    };
    if receipt.entries[0].index != 0 || signed.genesis.digest() != pinned {
        return Err(GenesisFault::NotPinned.into());
    }
    Ok(Network::new(*signed, verify)?)
}

fn open_entries(receipt: &Receipt, cosigned: &Cosigned) -> Result<Vec<(u64, Entry)>, ReceiptFault> {
    let open = |proven: &ProvenEntry| {
        let fault = ReceiptFault::Inclusion(proven.index);
        let proof: Result<Vec<Hash>, _> = proven
            .proof
            .iter()
            .map(|hash| Hash::from_base64(hash))
            .collect();
        let proof = proof.map_err(|_| fault.clone())?;
        let leaf = Hash::leaf(&proven.entry);
        verify_inclusion(&leaf, proven.index, &cosigned.head(), &proof)
            .map_err(|_| fault.clone())?;
        let entry = Entry::from_bytes(&proven.entry).map_err(|_| fault)?;
        Ok((proven.index, entry))
    };
    receipt.entries.iter().map(open).collect()
}

/// Proven entries and what they are searched for.
struct Bundle<'a> {
    network: &'a Network,
    entries: &'a [(u64, Entry)],
    act: Digest,
    verify: &'a dyn Verify,
}

/// A statement that was checked against its plan.
struct Signed {
    entry: u64,
    transaction: Digest,
    signer: KeeperId,
}

impl<'a> Bundle<'a> {
    fn bodies(&self) -> impl Iterator<Item = (u64, &'a Body)> {
        self.entries
            .iter()
            .map(|(index, entry)| (*index, &entry.body))
    }

    fn submissions(&self) -> impl Iterator<Item = (u64, &'a Submission)> {
        self.bodies().filter_map(|(index, body)| match body {
            Body::Act(submission) => Some((index, &**submission)),
            _ => None,
        })
    }

    fn submission(&self) -> Option<(u64, &'a Submission)> {
        self.submissions()
            .find(|(_, submission)| submission.act.digest() == self.act)
    }

    /// All evidence for an act: what came with it and what came later.
    fn evidence_for(&self, act: Digest) -> impl Iterator<Item = &'a Evidence> {
        self.bodies().filter_map(move |(_, body)| match body {
            Body::Act(s) if s.act.digest() == act => Some(&s.evidence),
            Body::Evidence(supplement) if supplement.act == act => Some(&supplement.evidence),
            _ => None,
        })
    }

    /// A factor of the account's holder, established in the receipt, proves the act.
    fn check_factor(
        &self,
        submission: &Submission,
        account: AccountId,
    ) -> Result<(), ReceiptFault> {
        let factors = self.holders_factors(submission.act.principal, account);
        let proven = factors.iter().any(|factor| self.proves(factor, self.act));
        if proven {
            Ok(())
        } else {
            Err(ReceiptFault::Factor)
        }
    }

    /// The holder's factors, in the order of the journal: the first by the opening that onboarding
    /// attests; each later one by an older one of them, or by onboarding again.
    fn holders_factors(&self, holder: PrincipalId, account: AccountId) -> Vec<&'a NewFactor> {
        let mut established: Vec<&NewFactor> = Vec::new();
        for (_, s) in self
            .submissions()
            .filter(|(_, s)| s.act.account == Some(account))
        {
            let digest = s.act.digest();
            let factor = match &s.act.kind {
                ActKind::OpenAccount(open) if open.principal == holder => &open.factor,
                ActKind::EnrolFactor(enrol) if enrol.principal == holder => &enrol.factor,
                _ => continue,
            };
            let by_older = established.iter().any(|older| self.proves(older, digest));
            let took_effect = s.decision == Decision::Release;
            if took_effect && (by_older || self.is_onboarded(s)) {
                established.push(factor);
            }
        }
        established
    }

    fn is_onboarded(&self, submission: &Submission) -> bool {
        let digest = submission.act.digest();
        submission.evidence.attestations.iter().any(|attestation| {
            attestation.statement.claim == Claim::Onboarding
                && self.is_attested(attestation, IssuerKind::Onboarding, digest)
        })
    }

    /// Whether evidence in the receipt for the act with this digest is this factor's.
    fn proves(&self, factor: &NewFactor, act: Digest) -> bool {
        let mut evidence = self.evidence_for(act);
        match factor {
            NewFactor::Passkey { .. } => evidence.any(|e| self.is_asserted_by(factor, act, e)),
            NewFactor::RequestKey { .. } => evidence.any(|e| self.is_requested_by(factor, act, e)),
        }
    }

    fn is_asserted_by(&self, factor: &NewFactor, act: Digest, evidence: &Evidence) -> bool {
        let Some(party) = self.network.relying_party(Realm::Customers) else {
            return false;
        };
        let credential = Credential {
            key: factor.key(),
            counter: 0,
        };
        let challenge = passkey::challenge_for(&act.0);
        evidence.assertions.iter().any(|assertion| {
            factor_id(&assertion.credential.0) == factor.id()
                && passkey::check(assertion, &credential, party, &challenge, self.verify).is_ok()
        })
    }

    fn is_requested_by(&self, factor: &NewFactor, act: Digest, evidence: &Evidence) -> bool {
        evidence.requests.iter().any(|signed| {
            request::check(signed, factor.key(), self.verify).is_ok_and(|checked| {
                let parts = checked.parts();
                parts.act == Some(act.0) && parts.key_id == factor.id().to_string()
            })
        })
    }

    /// A back end relayed the act: one of genesis, one that a quorum of genesis' administrators
    /// granted, or one of those by a key that it enrolled with an older one.
    fn check_relay(&self) -> Result<(), ReceiptFault> {
        let genesis = self.network.genesis();
        let named = genesis
            .staff
            .iter()
            .filter(|member| member.roles.contains(&Role::BackEnd));
        let mut known: Vec<(PrincipalId, &NewFactor)> = Vec::new();
        for member in named {
            known.extend(
                member
                    .factors
                    .iter()
                    .map(|factor| (member.principal, factor)),
            );
        }
        for (_, s) in self.submissions() {
            match &s.act.kind {
                ActKind::GrantRole(grant) if grant.role == Role::BackEnd && self.is_granted(s) => {
                    known.extend(grant.factor.iter().map(|factor| (grant.principal, factor)));
                }
                ActKind::EnrolFactor(enrol) if s.act.realm == Realm::Staff => {
                    let digest = s.act.digest();
                    let own = known
                        .iter()
                        .any(|(who, older)| *who == enrol.principal && self.proves(older, digest));
                    if own && s.decision == Decision::Release {
                        known.push((enrol.principal, &enrol.factor));
                    }
                }
                _ => {}
            }
        }
        let relayed = known
            .iter()
            .any(|(_, factor)| self.proves(factor, self.act));
        if relayed {
            Ok(())
        } else {
            Err(ReceiptFault::Relay)
        }
    }

    /// Whether a quorum of genesis' administrators stands behind a proposal: its proposer, and those
    /// whose approvals are in the receipt.
    fn is_granted(&self, proposal: &Submission) -> bool {
        let genesis = self.network.genesis();
        let digest = proposal.act.digest();
        let stands_behind = |administrator: &&Member| {
            let mut own = self.submissions().filter(|(_, s)| {
                let approves =
                    matches!(&s.act.kind, ActKind::Approve(approve) if approve.act == digest);
                s.act.principal == administrator.principal && (approves || s.act.digest() == digest)
            });
            own.any(|(_, s)| {
                administrator
                    .factors
                    .iter()
                    .any(|factor| self.proves(factor, s.act.digest()))
            })
        };
        let members = genesis.administrators.iter().filter(stands_behind).count();
        u32::try_from(members).is_ok_and(|members| members >= genesis.quorum)
    }

    fn debit(&self) -> Option<LedgerEntryId> {
        let mut attestations = self
            .evidence_for(self.act)
            .flat_map(|evidence| &evidence.attestations);
        attestations.find_map(|attestation| match attestation.statement.claim {
            Claim::LedgerDebit { entry } => self
                .is_attested(attestation, IssuerKind::Ledger, self.act)
                .then_some(entry),
            Claim::Onboarding => None,
        })
    }

    fn is_attested(&self, attestation: &Attestation, kind: IssuerKind, act: Digest) -> bool {
        let statement = &attestation.statement;
        let Some(issuer) = self.network.issuer(statement.issuer, kind) else {
            return false;
        };
        let bytes = statement.signed_bytes();
        statement.act == act
            && self
                .verify
                .verify(&issuer.key, &bytes, &attestation.signature)
    }

    /// The first statement whose transaction is a released plan of exactly this withdrawal.
    fn signed(&self, withdraw: &Withdraw) -> Result<Signed, ReceiptFault> {
        let mut fault = ReceiptFault::Statement;
        for (_, body) in self.bodies() {
            let Body::Statement(said) = body else {
                continue;
            };
            let Says::Signed {
                act,
                entry,
                plan,
                transaction,
                ..
            } = &said.statement.says
            else {
                continue;
            };
            if *act != self.act || !self.is_by_signer(said) {
                continue;
            }
            match self.check_signed(withdraw, *plan, transaction) {
                Ok(hash) => {
                    let signer = said.statement.keeper;
                    return Ok(Signed {
                        entry: *entry,
                        transaction: hash,
                        signer,
                    });
                }
                Err(other) => fault = other,
            }
        }
        Err(fault)
    }

    fn is_by_signer(&self, said: &SignedStatement) -> bool {
        let keeper = self.network.keeper(said.statement.keeper);
        let here = said.statement.genesis == self.network.digest();
        here && keeper.is_some_and(|keeper| said.is_by(&keeper.key, self.verify))
    }

    fn check_signed(
        &self,
        withdraw: &Withdraw,
        plan: Digest,
        transaction: &[u8],
    ) -> Result<Digest, ReceiptFault> {
        let plan = self.plans().find(|candidate| candidate.digest() == plan);
        let plan = plan.ok_or(ReceiptFault::Plan)?;
        let transfer = payment::decode(plan).map_err(|_| ReceiptFault::Plan)?;
        let pays = (transfer.asset(), transfer.to(), transfer.amount());
        if pays != (withdraw.asset, withdraw.to, withdraw.amount) {
            return Err(ReceiptFault::Plan);
        }
        let wallet = self.network.wallet(plan.wallet).ok_or(ReceiptFault::Plan)?;
        let signed = SignedTx::from_bytes(transaction).map_err(|_| ReceiptFault::Statement)?;
        let Address::Evm { chain, address } = wallet.address;
        let exact = signed.unsigned().to_bytes() == plan.unsigned
            && signed.unsigned().chain() == chain
            && signed.recover() == Ok(address);
        if exact {
            Ok(Digest(signed.hash()))
        } else {
            Err(ReceiptFault::Statement)
        }
    }

    /// Plans that entries of the receipt released for the act.
    fn plans(&self) -> impl Iterator<Item = &'a Plan> {
        self.bodies().filter_map(|(_, body)| match body {
            Body::Act(s) if s.act.digest() == self.act => s.plan.as_ref(),
            Body::Settle(s) if s.act == self.act => s.plan.as_ref(),
            Body::Replace(r) if r.act == self.act => Some(&r.plan),
            _ => None,
        })
    }

    fn block(&self, signer: KeeperId, transaction: Digest) -> Option<u64> {
        self.bodies().find_map(|(_, body)| {
            let Body::Statement(said) = body else {
                return None;
            };
            let Says::Confirmed {
                transaction: of,
                block,
                ..
            } = said.statement.says
            else {
                return None;
            };
            let fits = of == transaction && said.statement.keeper == signer;
            (fits && self.is_by_signer(said)).then_some(block)
        })
    }
}
