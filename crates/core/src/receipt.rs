//! Receipts: one release, checkable offline from the pinned genesis digest and nothing else.
//!
//! A receipt is a bundle of journal entries with their inclusion proofs under one cosigned checkpoint:
//! genesis, the enrolment of the factor that proved the act, the address' entry into the book, the act
//! with its evidence, the entry that released it, and the signer's statement. `docs/spec/receipt.md` is
//! the format, and `docs/spec/verify.py` a second verifier written from it alone.
//!
//! It shows *that* authority was given for exactly this transaction, and by whom. That nothing else
//! barred it at that moment (a revoked factor, a limit, a suspension) is shown by replaying the whole
//! journal: `portcullis verify journal`.

mod authority;
mod in_force;
mod once;
mod principals;
mod proven;
mod signed;
mod succession;
mod witnessed;

use crate::act::{ActKind, Withdraw};
use crate::digest::Digest;
use crate::entry::{Body, Entry};
use crate::evidence::Finding;
use crate::genesis::GenesisFault;
use crate::id::{AccountId, KeeperId, LedgerEntryId};
use crate::network::Network;
use crate::reason::Reason;
use crate::signature::Verify;
use crate::state::Cosigners;
use crate::state::said::Said;
use crate::time::Time;
use in_force::InForce;
use once::Once;
use portcullis_chains::Amount;
use portcullis_chains::caip::{Address, AssetId};
use proven::{Case, Submitted};
use serde::{Deserialize, Serialize};
use witnessed::Signed;

pub use succession::Succession;

/// Most entries in a receipt that shows no handover.
pub const MAX_ENTRIES: usize = 64;
/// And how many more with each handover.
const MORE_ENTRIES: usize = 32;
/// Most handovers.
pub const MAX_HANDOVERS: usize = 64;

/// Most entries in a receipt with so many handovers.
#[must_use]
pub const fn most_entries(handovers: usize) -> usize {
    MAX_ENTRIES.saturating_add(handovers.saturating_mul(MORE_ENTRIES))
}

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
    /// The last checkpoint of the witnesses of before, each time that others took over. None where those of
    /// genesis cosigned the checkpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handovers: Vec<Handover>,
}

/// The last checkpoint that witnesses cosigned before others took over: of the journal that ends with their
/// rotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handover {
    /// It, as a C2SP note.
    pub checkpoint: String,
    /// The RFC 6962 consistency proof from it to the bundle's checkpoint, each hash in base64.
    pub proof: Vec<String>,
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
    /// What a screening had found that counted when it was released, where one had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screening: Option<Screening>,
    /// The travel rule's message that counted then, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub travel_rule: Option<Digest>,
    /// How many principals of the account stood behind it, where that is more than one.
    #[serde(skip_serializing_if = "is_one")]
    pub principals: u32,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands fields by reference"
)]
fn is_one(count: &u32) -> bool {
    *count == 1
}

/// A screening that counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Screening {
    /// What it found.
    pub finding: Finding,
    /// Digest of the vendor's report.
    pub report: Digest,
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
    /// An entry is not in the journal, or holds more evidence than an act takes.
    #[error("entry {0} is not under the checkpoint, or its bytes are not an entry")]
    Inclusion(u64),
    /// The entries are not in the journal's order, or cannot all count there.
    #[error("the receipt's entries do not rise in index and time, or one of them can never count")]
    Order,
    /// The withdraw act is not there.
    #[error("the receipt does not contain the act that it names as a withdrawal")]
    Act,
    /// Nothing released it.
    #[error("no entry of the receipt released the act")]
    Release,
    /// No assertion or request by an enrolled factor of the account proves the act.
    #[error(
        "no factor of the account, enrolled in the receipt, proves the act, or fewer of its principals \
         than its quorum takes"
    )]
    Factor,
    /// No back end relayed it.
    #[error("no back end that the receipt shows to be one signed the request")]
    Relay,
    /// The customer did not put the address into the book.
    #[error("no entry of the receipt shows that the account's holder added the payee's address")]
    Address,
    /// The ledger did not attest a debit.
    #[error("no ledger named in genesis attests exactly one debit for the act")]
    Debit,
    /// A screening blocks the act.
    #[error("a screening blocked the act before it was released")]
    Screening,
    /// Two travel-rule messages contradict each other.
    #[error("attestations name different travel-rule messages for the act")]
    TravelRule,
    /// No released plan is exactly the act.
    #[error(
        "the signed plan is not released by an entry of the receipt, or is not the act's payment"
    )]
    Plan,
    /// No signer's statement fits.
    #[error(
        "the wallet's signer does not state a transaction that is the plan, signed by the wallet"
    )]
    Statement,
}

/// Check everything that a receipt claims, from the pinned genesis digest.
pub fn verify(
    receipt: &Receipt,
    pinned: Digest,
    verify: &dyn Verify,
) -> Result<Shown, ReceiptFault> {
    let (entries, handovers) = (&*receipt.entries, &*receipt.handovers);
    let network = open_genesis(entries, handovers, pinned, verify)?;
    let bundle = (&*receipt.checkpoint, entries, handovers);
    opened(bundle, &network, verify, |case, witnessed_at, _| {
        release(&case, receipt.act, witnessed_at)
    })
}

/// A checkpoint, entries under it, and the handovers that lead to who cosigned it.
type Bundle<'a> = (&'a str, &'a [ProvenEntry], &'a [Handover]);

/// Check that the entries stand in the journal, and that the witnesses in force cosigned it; and go on with
/// what they show, the newest cosignature, and those witnesses. Whoever shows a bundle has us check no
/// signature in an entry that nobody in force has signed, and none twice.
fn opened<T>(
    (checkpoint, entries, handovers): Bundle<'_>,
    network: &Network,
    verify: &dyn Verify,
    go_on: impl FnOnce(Case<'_>, Time, Cosigners) -> Result<T, ReceiptFault>,
) -> Result<T, ReceiptFault> {
    let signed = Signed::read(network, checkpoint, handovers)?;
    let entries = proven::open(entries, signed.head())?;
    proven::check_order(&entries)?;
    let once = Once::new(verify);
    let mut case = Case {
        network,
        entries: &[],
        verify: &once,
        in_force: InForce::of(network),
    };
    let (cosigned, cosigners) = signed.judge(&mut case, &entries)?;
    let witnessed_at = Time::from_unix_seconds(cosigned.newest().unix());
    proven::check_times(&entries, witnessed_at)?;
    go_on(case, witnessed_at, cosigners)
}

/// What is shown of the release of an act.
fn release(case: &Case<'_>, act: Digest, witnessed_at: Time) -> Result<Shown, ReceiptFault> {
    let asked = case.submission(act).ok_or(ReceiptFault::Act)?;
    let (withdraw, account) = withdrawal(&asked).ok_or(ReceiptFault::Act)?;
    // Authority is what stood in the journal when the money was first let go.
    let (released, at) = case
        .first_release(asked.digest)
        .ok_or(ReceiptFault::Release)?;
    let principals = authority::check_asked(case, &asked, account, released)?;
    authority::check_address(case, account, withdraw.to, asked.index)?;
    let debit = authority::debit(case, asked.digest, released).ok_or(ReceiptFault::Debit)?;
    let said = authority::said(case, asked.digest, released);
    check_unbarred(&said)?;
    let signed = signed::find(case, asked.digest, withdraw, released)?;
    Ok(Shown {
        act,
        account,
        asset: withdraw.asset,
        to: withdraw.to,
        amount: withdraw.amount,
        transaction: signed.transaction,
        signer: signed.signer,
        debit,
        released_by: signed.released_by,
        released_at: signed.released_at,
        witnessed_at,
        block: signed.block,
        screening: said.screened(at).map(|screened| Screening {
            finding: screened.finding,
            report: screened.report,
        }),
        travel_rule: said.message(at),
        principals,
    })
}

/// Whatever a policy wanted: what vendors barred by then, no honest gate let out.
fn check_unbarred(said: &Said) -> Result<(), ReceiptFault> {
    match said.bars() {
        None => Ok(()),
        Some(Reason::TravelRuleContradicts) => Err(ReceiptFault::TravelRule),
        Some(_) => Err(ReceiptFault::Screening),
    }
}

fn open_genesis(
    entries: &[ProvenEntry],
    handovers: &[Handover],
    pinned: Digest,
    verify: &dyn Verify,
) -> Result<Network, ReceiptFault> {
    if handovers.len() > MAX_HANDOVERS || entries.len() > most_entries(handovers.len()) {
        return Err(ReceiptFault::Shape);
    }
    let shown = entries.first().ok_or(ReceiptFault::Shape)?;
    let first = Entry::from_bytes(&shown.entry).map_err(|_| ReceiptFault::Shape)?;
    let Body::Genesis(signed) = first.body else {
        return Err(ReceiptFault::Shape);
    };
    if shown.index != 0 || signed.genesis.digest() != pinned {
        return Err(GenesisFault::NotPinned.into());
    }
    Ok(Network::new(*signed, verify)?)
}

fn withdrawal<'a>(asked: &Submitted<'a>) -> Option<(&'a Withdraw, AccountId)> {
    match &asked.submission.act.kind {
        ActKind::Withdraw(withdraw) => Some((withdraw, asked.submission.act.account?)),
        _ => None,
    }
}
