//! Genesis: the network's first statement. Its digest, signatures left out, is pinned by hand in every
//! keeper, witness and auditor; everything else is checked from it.

mod bitcoin;

pub use bitcoin::{Bitcoin, CoinKey, Compressed, XOnly};

use crate::act::Roots;
use crate::codec::{self, CodecError, encode, hex_array};
use crate::digest::{Digest, Domain};
use crate::factor::NewFactor;
use crate::id::{BoardId, IssuerId, KeeperId, PrincipalId, WalletId};
use crate::limits::Limits;
use crate::passkey::{PartyFault, RelyingParty};
use crate::policy::{Policy, PolicyFault};
use crate::realm::{Realm, Role};
use crate::signature::{PublicKey, Signature, Verify};
use crate::time::Span;
use minicbor::{Decode, Encode};
use portcullis_chains::Amount;
use portcullis_chains::caip::{Address, AssetId};
use portcullis_tlog::{KeyError, Quorum, QuorumError, WitnessKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Most bytes of a signed genesis.
pub const MAX_GENESIS: usize = 60_000;

/// The rules version that this binary's core implements.
pub const RULES: u32 = 1;

/// Whether real value hangs on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Delays of at least 24 hours; the machine's clock only.
    #[n(0)]
    Production,
    /// Delays of at least 5 seconds; a test clock and a development passkey are accepted.
    #[n(1)]
    Development,
}

impl Mode {
    /// The shortest delay floor that a genesis of this mode may state.
    #[must_use]
    pub const fn shortest_delay(self) -> Span {
        match self {
            Self::Production => Span::hours(24),
            Self::Development => Span::seconds(5),
        }
    }
}

/// Everything that the network starts from.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// A name for people.
    #[n(0)]
    pub network: String,
    /// Production or development.
    #[n(1)]
    pub mode: Mode,
    /// The rules version of the first entry.
    #[n(2)]
    pub rules: u32,
    /// The journal.
    #[n(3)]
    pub log: Log,
    /// The first administrators.
    #[n(4)]
    pub administrators: Vec<Member>,
    /// How many different administrators loosen together; more than half.
    #[n(5)]
    pub quorum: u32,
    /// Other members of staff, and the back end.
    #[n(6)]
    pub staff: Vec<Member>,
    /// The keepers.
    #[n(7)]
    pub keepers: Vec<Keeper>,
    /// The witnesses.
    #[n(8)]
    pub witnesses: Witnesses,
    /// The stop boards; run apart from the witnesses.
    #[n(9)]
    pub boards: Vec<Board>,
    /// The issuers of attestations, by kind: onboarding, ledger, vendors.
    #[n(10)]
    pub issuers: Vec<Issuer>,
    /// Offline keys that can recover the administrators.
    #[n(11)]
    pub roots: Vec<PublicKey>,
    /// The wallets that pay.
    #[n(12)]
    pub wallets: Vec<Wallet>,
    /// The assets that may be withdrawn.
    #[n(13)]
    pub assets: Vec<AssetId>,
    /// The first limits.
    #[n(14)]
    pub limits: Limits,
    /// The shortest delay of a new address, factor or limit.
    #[n(15)]
    pub delay_floor: Span,
    /// Where each realm's passkeys are made and used.
    #[n(16)]
    pub parties: Vec<Party>,
    /// The first policy; core's own where absent.
    #[n(17)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// What recoveries are bounded by; defaults where it is absent.
    #[n(19)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<RecoveryBounds>,
    /// How many of the roots recover the administrators; more than half of them where it is absent.
    #[n(20)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roots_quorum: Option<u32>,
}

/// Most roots that must sign together: as many attestations come with one act.
pub const MAX_ROOTS_QUORUM: u32 = 8;

/// What recoveries of customers are bounded by. A day is a UTC day of the entries' time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RecoveryBounds {
    /// Most that one member of staff, or one back end, may begin in a day.
    #[n(0)]
    pub per_agent: u32,
    /// Most that all of staff together may begin in a day.
    #[n(1)]
    pub per_platform: u32,
    /// Most that holders may begin in a day by factors of another kind.
    #[n(2)]
    pub vouched: u32,
    /// What a recovered account's limits are divided by while they are lowered; above zero.
    #[n(3)]
    pub divisor: u32,
}

impl Default for RecoveryBounds {
    fn default() -> Self {
        Self {
            per_agent: 50,
            per_platform: 500,
            vouched: 100_000,
            divisor: 10,
        }
    }
}

/// The journal's name and signing key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// The checkpoint origin (C2SP tlog-checkpoint): a schema-less URL.
    #[n(0)]
    pub origin: String,
    /// The log's Ed25519 key as a C2SP vkey.
    #[n(1)]
    pub vkey: String,
}

/// A member of staff.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Who.
    #[n(0)]
    pub principal: PrincipalId,
    /// The roles besides that of the list it stands in.
    #[n(1)]
    pub roles: Vec<Role>,
    /// The factors; they count at once.
    #[n(2)]
    pub factors: Vec<NewFactor>,
}

/// What a keeper keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum KeeperKind {
    /// Keys, so funds.
    #[n(0)]
    Signer,
    /// Data keys, so personal data.
    #[n(1)]
    Vault,
    /// Contacts and mail credentials, so the platform's voice.
    #[n(2)]
    Herald,
}

/// A keeper and the key that it signs statements with.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Keeper {
    /// Its id; also its principal's.
    #[n(0)]
    pub id: KeeperId,
    /// What it keeps.
    #[n(1)]
    pub kind: KeeperKind,
    /// Its statement key.
    #[n(2)]
    pub key: PublicKey,
    /// A herald's X25519 key, to which contacts are sealed; absent for every other keeper.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealing: Option<SealingKey>,
}

/// The public X25519 key that contacts are sealed to (`docs/spec/contact.md`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct SealingKey(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

hex_array!(SealingKey, 32);

/// The witnesses and how many of them make a quorum.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Witnesses {
    /// Their cosignature keys as C2SP vkeys.
    #[n(0)]
    pub vkeys: Vec<String>,
    /// How many of them may be dishonest: f.
    #[n(1)]
    pub faulty: u32,
    /// How many must cosign: k > (n + f) / 2.
    #[n(2)]
    pub quorum: u32,
}

impl Witnesses {
    /// The quorum that they make, with their keys read.
    pub fn quorum(&self) -> Result<Quorum, GenesisFault> {
        let keys = self.vkeys.iter().zip(1..).map(|(vkey, at)| {
            vkey.parse::<WitnessKey>()
                .map_err(|error| GenesisFault::WitnessKey(at, error))
        });
        let keys = keys.collect::<Result<_, _>>()?;
        Ok(Quorum::new(keys, self.quorum, self.faulty)?)
    }
}

/// A stop board.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Its id.
    #[n(0)]
    pub id: BoardId,
    /// The key that stamps postings.
    #[n(1)]
    pub key: PublicKey,
}

/// What an issuer's word counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum IssuerKind {
    /// That a factor belongs to an account's holder.
    #[n(0)]
    Onboarding,
    /// That the ledger was debited.
    #[n(1)]
    Ledger,
    /// Who somebody is: an identity vendor.
    #[n(2)]
    Identity,
    /// What is known of a payee: a screening vendor.
    #[n(4)]
    Screening,
    /// That the travel rule's message has been exchanged.
    #[n(5)]
    TravelRule,
}

/// An issuer of attestations.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// Its id.
    #[n(0)]
    pub id: IssuerId,
    /// What its word counts for.
    #[n(1)]
    pub kind: IssuerKind,
    /// Its key, which lives off the gate's host.
    #[n(2)]
    pub key: PublicKey,
}

/// A wallet that pays.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Wallet {
    /// Its id.
    #[n(0)]
    pub id: WalletId,
    /// Its address, which names the chain.
    #[n(1)]
    pub address: Address,
    /// The signer that holds its key.
    #[n(2)]
    pub keeper: KeeperId,
    /// The nonce of its first planned transaction, or the number of its first mandate or batch.
    #[n(3)]
    pub first_nonce: u64,
    /// The most that one transaction may cost in fees, in the chain's native base unit (satoshis on Bitcoin); zero
    /// where it pays by mandate.
    #[n(4)]
    pub fee_ceiling: Amount,
    /// For how long a mandate holds, where somebody else carries payments out and the signer only permits them
    /// (docs/spec/mandate.md): its key for them is its statement key. Absent where it signs transactions itself.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mandate: Option<Span>,
    /// What it spends with, where it is on a chain with Bitcoin's transactions and signs them itself.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitcoin: Option<Bitcoin>,
}

/// The shortest and the longest time for which a mandate may hold.
pub const MANDATE_HOLDS: [Span; 2] = [Span::seconds(60), Span::hours(7 * 24)];

/// A realm's relying party.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Whose passkeys.
    #[n(0)]
    pub realm: Realm,
    /// Relying party ids and origins.
    #[n(1)]
    pub relying_party: RelyingParty,
}

impl Genesis {
    /// The digest that is pinned.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(Domain::Genesis, &encode(self))
    }

    /// The bytes that each administrator signs.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        Domain::Genesis.signed_bytes(&encode(self))
    }

    /// What is wrong with it, if anything: the first fault in the order below.
    pub fn check(&self) -> Result<(), GenesisFault> {
        self.check_people()?;
        self.check_parties()?;
        self.check_money()?;
        self.check_recovery()?;
        if self.rules != RULES {
            return Err(GenesisFault::UnknownRules {
                stated: self.rules,
                known: RULES,
            });
        }
        if self.delay_floor < self.mode.shortest_delay() {
            return Err(GenesisFault::DelayTooShort);
        }
        Ok(())
    }

    fn check_people(&self) -> Result<(), GenesisFault> {
        let members = self
            .administrators
            .iter()
            .chain(&self.staff)
            .map(|m| m.principal.0);
        let keepers = self.keepers.iter().map(|k| k.id.0);
        if !all_different(members.chain(keepers)) {
            return Err(GenesisFault::Twice("principal"));
        }
        let factors = self
            .administrators
            .iter()
            .chain(&self.staff)
            .flat_map(|m| &m.factors);
        let keys = self
            .keepers
            .iter()
            .map(|k| NewFactor::RequestKey { key: k.key.clone() }.id());
        if !all_different(factors.clone().map(NewFactor::id).chain(keys)) {
            return Err(GenesisFault::Twice("factor"));
        }
        if factors.clone().any(|factor| factor.key().is_none()) {
            return Err(GenesisFault::NoKey);
        }
        // A keeper is one by its own list only: anybody else with the role could post stops, and
        // nobody could ever take it away.
        let mut members = self.administrators.iter().chain(&self.staff);
        if members.any(|member| member.roles.contains(&Role::Keeper)) {
            return Err(GenesisFault::KeeperAmongStaff);
        }
        let both =
            |member: &Member| member.roles.len() > 1 && member.roles.contains(&Role::BackEnd);
        let is_back_end = |member: &Member| member.roles.contains(&Role::BackEnd);
        if self.staff.iter().any(both) || self.administrators.iter().any(is_back_end) {
            return Err(GenesisFault::BackEndAndMore);
        }
        let administrators = u32::try_from(self.administrators.len()).unwrap_or(u32::MAX);
        if self.quorum > administrators || self.quorum <= administrators / 2 {
            return Err(GenesisFault::Quorum);
        }
        self.check_herald()
    }

    /// A contact is sealed to one key, which somebody has.
    fn check_herald(&self) -> Result<(), GenesisFault> {
        let herald = |keeper: &Keeper| keeper.kind == KeeperKind::Herald;
        if self
            .keepers
            .iter()
            .any(|keeper| herald(keeper) != keeper.sealing.is_some())
        {
            return Err(GenesisFault::Sealing);
        }
        if self.keepers.iter().filter(|keeper| herald(keeper)).count() > 1 {
            return Err(GenesisFault::Heralds);
        }
        Ok(())
    }

    fn check_recovery(&self) -> Result<(), GenesisFault> {
        let has_none = self.roots.is_empty() && self.roots_quorum.is_none();
        if !has_none && !self.first_roots().is_sound() {
            return Err(GenesisFault::Roots);
        }
        if self.recovery.is_some_and(|bounds| bounds.divisor == 0) {
            return Err(GenesisFault::Recovery);
        }
        Ok(())
    }

    /// The roots that the network begins with.
    #[must_use]
    pub fn first_roots(&self) -> Roots {
        let count = u32::try_from(self.roots.len()).unwrap_or(u32::MAX);
        Roots {
            keys: self.roots.clone(),
            quorum: self.roots_quorum.unwrap_or(count / 2 + 1),
        }
    }

    fn check_parties(&self) -> Result<(), GenesisFault> {
        if !all_different(self.parties.iter().map(|party| party.realm)) {
            return Err(GenesisFault::Twice("realm's relying party"));
        }
        for party in &self.parties {
            party.relying_party.check()?;
        }
        Ok(())
    }

    fn check_money(&self) -> Result<(), GenesisFault> {
        if !all_different(self.wallets.iter().map(|w| w.id)) {
            return Err(GenesisFault::Twice("wallet"));
        }
        // Two wallets with one address would hand out the same nonces.
        if !all_different(self.wallets.iter().map(|w| w.address)) {
            return Err(GenesisFault::Twice("wallet address"));
        }
        let signers = self.keepers.iter().filter(|k| k.kind == KeeperKind::Signer);
        let signers: BTreeSet<KeeperId> = signers.map(|k| k.id).collect();
        if !self
            .wallets
            .iter()
            .all(|wallet| signers.contains(&wallet.keeper))
        {
            return Err(GenesisFault::WalletWithoutSigner);
        }
        self.wallets.iter().try_for_each(|w| self.check_wallet(w))?;
        if !all_different(self.issuers.iter().map(|i| i.id)) {
            return Err(GenesisFault::Twice("issuer"));
        }
        if !all_different(self.boards.iter().map(|b| b.id)) {
            return Err(GenesisFault::Twice("board"));
        }
        if !all_different(self.assets.iter().copied()) {
            return Err(GenesisFault::Twice("asset"));
        }
        let mut rules = self.limits.rules.iter();
        let all_known = rules.all(|rule| self.assets.contains(&rule.asset));
        if !all_known || !self.limits.is_well_formed() {
            return Err(GenesisFault::Limits);
        }
        if let Some(policy) = &self.policy {
            policy.check()?;
        }
        Ok(())
    }

    /// Somebody has to be able to sign what it pays.
    fn check_wallet(&self, wallet: &Wallet) -> Result<(), GenesisFault> {
        let (is_sound, fault) = match (&wallet.mandate, &wallet.bitcoin) {
            (None, None) => (
                wallet.address.evm().is_some(),
                GenesisFault::NeedsMandates(wallet.id),
            ),
            (Some(holds), None) => (
                self.permits_by_mandate(wallet, *holds),
                GenesisFault::Mandates(wallet.id),
            ),
            (None, Some(bitcoin)) => (
                bitcoin.is_sound(wallet) && self.signs(wallet),
                GenesisFault::Bitcoin(wallet.id),
            ),
            (Some(_), Some(_)) => (false, GenesisFault::Bitcoin(wallet.id)),
        };
        is_sound.then_some(()).ok_or(fault)
    }

    fn permits_by_mandate(&self, wallet: &Wallet, holds: Span) -> bool {
        let [shortest, longest] = MANDATE_HOLDS;
        let keeper = self.keepers.iter().find(|k| k.id == wallet.keeper);
        let mut beside = self.wallets.iter().filter(|w| w.keeper == wallet.keeper);
        (shortest..=longest).contains(&holds)
            && beside.all(|beside| beside.mandate.is_some())
            && wallet.fee_ceiling.is_zero()
            && keeper.is_some_and(|keeper| matches!(keeper.key, PublicKey::Ed25519(_)))
    }

    /// A signer is for transactions or for mandates.
    fn signs(&self, wallet: &Wallet) -> bool {
        let mut beside = self.wallets.iter().filter(|w| w.keeper == wallet.keeper);
        beside.all(|beside| beside.mandate.is_none())
    }
}

fn all_different<T: Ord>(items: impl Iterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    items.into_iter().all(|item| seen.insert(item))
}

/// Why a genesis is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisFault {
    /// The bytes.
    #[error("the genesis cannot be read: {0}")]
    Codec(#[from] CodecError),
    /// Not the pinned one.
    #[error("the genesis is not the pinned one; compare the digests by another channel")]
    NotPinned,
    /// An id or key stands twice.
    #[error("the same {0} stands twice in the genesis")]
    Twice(&'static str),
    /// A member of staff proves itself by keys alone.
    #[error("a member of staff has a factor that is no key")]
    NoKey,
    /// The administrators' quorum is not more than half of them, or more than all.
    #[error("the administrators' quorum must be more than half of them and at most all")]
    Quorum,
    /// A member of staff with the role of a keeper.
    #[error("a member of staff has the role keeper; keepers stand in a list of their own")]
    KeeperAmongStaff,
    /// A herald that nothing can be sealed to, or another keeper with a sealing key.
    #[error("a herald needs a sealing key, and no other keeper has one")]
    Sealing,
    /// A contact is sealed to one key.
    #[error("the genesis names more than one herald")]
    Heralds,
    /// A back end that is something else too.
    #[error("a back end has another role; it could approve what it relayed")]
    BackEndAndMore,
    /// A relying party that nothing could pass, or that browsers would not mean.
    #[error(transparent)]
    Party(#[from] PartyFault),
    /// The journal's two names differ.
    #[error("the log's origin is not the name in its vkey")]
    LogName,
    /// More signatures than administrators.
    #[error("the genesis has more signatures than administrators")]
    Signatures,
    /// A wallet names no signer.
    #[error("a wallet names a keeper that is not a signer of this genesis")]
    WalletWithoutSigner,
    /// A wallet on a chain whose transactions no signer makes.
    #[error(
        "wallet {0} is on a chain whose transactions a signer does not make; let it pay by mandate: mandate = \
         the milliseconds for which one holds"
    )]
    NeedsMandates(WalletId),
    /// A wallet that pays by mandate and cannot.
    #[error(
        "wallet {0} pays by mandate: one holds for 60 seconds to 7 days, its fee ceiling is zero, its \
         signer's key is an Ed25519 key, and all of that signer's wallets pay so"
    )]
    Mandates(WalletId),
    /// A wallet that pays on a chain with Bitcoin's transactions and cannot.
    #[error(
        "wallet {0} spends coins: its chain is one with Bitcoin's transactions, its keys are different points of \
         secp256k1 and at most 16, its address is its change key's, a batch waits for at most a day, its fee \
         ceiling can exist, and neither it nor another wallet of its signer pays by mandate"
    )]
    Bitcoin(WalletId),
    /// The limits contradict themselves.
    #[error(
        "the limits have two rules for the same asset and bounds, too many rules, or one for an \
         asset that the genesis does not name"
    )]
    Limits,
    /// A policy that cannot be decided by.
    #[error("the policy: {0}")]
    Policy(#[from] PolicyFault),
    /// A rules version that this binary does not know.
    #[error("the genesis states rules version {stated}; this binary knows {known}: use another")]
    UnknownRules {
        /// Stated.
        stated: u32,
        /// Known.
        known: u32,
    },
    /// The roots' quorum is none of them, more than there are, or more than an act can carry.
    #[error(
        "the same root stands twice in the genesis, or their quorum is not between one and all of \
         them, or is above eight"
    )]
    Roots,
    /// Limits divided by nothing.
    #[error("the divisor of a recovered account's limits is zero")]
    Recovery,
    /// The delay floor is below the mode's.
    #[error("the delay floor is below 24 h (production) or 5 s (development)")]
    DelayTooShort,
    /// The log's key.
    #[error("the log's vkey is not one of a log: {0}")]
    LogKey(KeyError),
    /// A witness' key.
    #[error("the vkey of witness {0} in the list is not one of a witness: {1}")]
    WitnessKey(usize, KeyError),
    /// The quorum of the witnesses.
    #[error("the witnesses: {0}")]
    WitnessQuorum(#[from] QuorumError),
    /// An administrator has not signed.
    #[error("administrator {0} has not signed the genesis with one of its request keys")]
    NotSigned(PrincipalId),
}

/// A genesis with its administrators' signatures: the journal's entry 0.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct SignedGenesis {
    /// The statement.
    #[n(0)]
    pub genesis: Genesis,
    /// Each administrator's signature by one of its request keys over [`Genesis::signed_bytes`].
    #[n(1)]
    pub signatures: Vec<(PrincipalId, Signature)>,
}

impl SignedGenesis {
    /// Parse canonical bytes; nothing is checked yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, GenesisFault> {
        Ok(codec::decode(bytes, MAX_GENESIS)?)
    }

    /// The statement is sound and every administrator signed it.
    pub fn check(&self, verify: &dyn Verify) -> Result<(), GenesisFault> {
        self.genesis.check()?;
        // Before any is verified: each costs whoever reads a genesis.
        if self.signatures.len() > self.genesis.administrators.len() {
            return Err(GenesisFault::Signatures);
        }
        let message = self.genesis.signed_bytes();
        for administrator in &self.genesis.administrators {
            let keys = administrator
                .factors
                .iter()
                .filter_map(|factor| match factor {
                    NewFactor::RequestKey { key } => Some(key),
                    NewFactor::Passkey { .. }
                    | NewFactor::Totp { .. }
                    | NewFactor::RecoveryCodes { .. } => None,
                });
            let signatures = self
                .signatures
                .iter()
                .filter(|(who, _)| *who == administrator.principal);
            let signed = keys.clone().any(|key| {
                signatures
                    .clone()
                    .any(|(_, signature)| verify.verify(key, &message, signature))
            });
            if !signed {
                return Err(GenesisFault::NotSigned(administrator.principal));
            }
        }
        Ok(())
    }
}
