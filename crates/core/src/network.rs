//! The network that a genesis describes: the statement itself with its keys parsed once.

use crate::digest::Digest;
use crate::genesis::{Genesis, GenesisFault, Issuer, IssuerKind, Keeper, SignedGenesis, Wallet};
use crate::id::{BoardId, IssuerId, KeeperId, WalletId};
use crate::passkey::RelyingParty;
use crate::realm::Realm;
use crate::signature::{PublicKey, Verify};
use crate::time::Span;
use portcullis_tlog::{LogKey, Quorum, WitnessKey};

/// A checked genesis. Exists only for one that is sound and signed by every administrator.
#[derive(Clone, Debug)]
pub struct Network {
    signed: SignedGenesis,
    digest: Digest,
    log: LogKey,
    quorum: Quorum,
}

impl Network {
    /// Check canonical genesis bytes against the digest that was pinned by hand.
    pub fn open(bytes: &[u8], pinned: Digest, verify: &dyn Verify) -> Result<Self, GenesisFault> {
        let network = Self::new(SignedGenesis::parse(bytes)?, verify)?;
        if network.digest == pinned {
            Ok(network)
        } else {
            Err(GenesisFault::NotPinned)
        }
    }

    /// Check a signed genesis. Only for whoever makes it, or pins its digest right after.
    pub fn new(signed: SignedGenesis, verify: &dyn Verify) -> Result<Self, GenesisFault> {
        signed.check(verify)?;
        let stated = &signed.genesis.log;
        let log: LogKey = stated.vkey.parse().map_err(|_| GenesisFault::LogKey)?;
        if log.name().as_str() != stated.origin {
            return Err(GenesisFault::LogName);
        }
        let quorum = witness_quorum(&signed.genesis)?;
        let digest = signed.genesis.digest();
        Ok(Self {
            signed,
            digest,
            log,
            quorum,
        })
    }

    /// The statement.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.signed.genesis
    }

    /// The statement with its signatures: the journal's entry 0.
    #[must_use]
    pub fn signed(&self) -> &SignedGenesis {
        &self.signed
    }

    /// The genesis digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The journal's key.
    #[must_use]
    pub fn log(&self) -> &LogKey {
        &self.log
    }

    /// The witnesses and their quorum.
    #[must_use]
    pub fn quorum(&self) -> &Quorum {
        &self.quorum
    }

    /// The shortest delay.
    #[must_use]
    pub fn delay_floor(&self) -> Span {
        self.genesis().delay_floor
    }

    /// A realm's relying party.
    #[must_use]
    pub fn relying_party(&self, realm: Realm) -> Option<&RelyingParty> {
        let party = self
            .genesis()
            .parties
            .iter()
            .find(|party| party.realm == realm);
        party.map(|party| &party.relying_party)
    }

    /// The key of an issuer whose word counts for `kind`.
    #[must_use]
    pub fn issuer(&self, id: IssuerId, kind: IssuerKind) -> Option<&Issuer> {
        self.genesis()
            .issuers
            .iter()
            .find(|issuer| issuer.id == id && issuer.kind == kind)
    }

    /// A keeper.
    #[must_use]
    pub fn keeper(&self, id: KeeperId) -> Option<&Keeper> {
        self.genesis().keepers.iter().find(|keeper| keeper.id == id)
    }

    /// A stop board's key.
    #[must_use]
    pub fn board(&self, id: BoardId) -> Option<&PublicKey> {
        self.genesis()
            .boards
            .iter()
            .find(|board| board.id == id)
            .map(|board| &board.key)
    }

    /// A wallet.
    #[must_use]
    pub fn wallet(&self, id: WalletId) -> Option<&Wallet> {
        self.genesis().wallets.iter().find(|wallet| wallet.id == id)
    }
}

fn witness_quorum(genesis: &Genesis) -> Result<Quorum, GenesisFault> {
    let keys: Result<Vec<WitnessKey>, _> = genesis
        .witnesses
        .vkeys
        .iter()
        .map(|vkey| vkey.parse())
        .collect();
    let keys = keys.map_err(|_| GenesisFault::Witnesses)?;
    Quorum::new(keys, genesis.witnesses.quorum, genesis.witnesses.faulty)
        .map_err(|_| GenesisFault::Witnesses)
}
