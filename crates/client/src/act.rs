//! Acts, bound to the network, to now, and to one use.

use portcullis_core::act::{Act, ActKind};
use portcullis_core::id::{AccountId, ActId, PrincipalId};
use portcullis_core::realm::Realm;
use portcullis_core::{Digest, Span, Time};
use portcullis_host::Random;

/// How long an act may be submitted unless told otherwise: time for a person to look and to sign.
const LIFE: Span = Span::seconds(600);

/// One act in the making. Whoever asks fills in who and what; the rest is here already.
#[derive(Clone, Debug)]
pub struct ActBuilder {
    genesis: Digest,
    checkpoint: Digest,
    id: ActId,
    expires: Time,
}

impl ActBuilder {
    /// For the network with this genesis digest, not older than the checkpoint of which the digest
    /// is given, under a random id, expiring in ten minutes.
    #[must_use]
    pub fn new(genesis: Digest, checkpoint: Digest, now: Time, random: &dyn Random) -> Self {
        Self {
            genesis,
            checkpoint,
            id: ActId(random.array()),
            expires: now.after(LIFE),
        }
    }

    /// An act of a customer on its own account.
    #[must_use]
    pub fn by_customer(self, principal: PrincipalId, account: AccountId, kind: ActKind) -> Act {
        self.finish(Realm::Customers, principal, Some(account), kind)
    }

    /// An act of a member of staff, of a service or of a keeper; `account` where it concerns one.
    #[must_use]
    pub fn by_staff(
        self,
        principal: PrincipalId,
        account: Option<AccountId>,
        kind: ActKind,
    ) -> Act {
        self.finish(Realm::Staff, principal, account, kind)
    }

    fn finish(
        self,
        realm: Realm,
        principal: PrincipalId,
        account: Option<AccountId>,
        kind: ActKind,
    ) -> Act {
        Act {
            genesis: self.genesis,
            realm,
            principal,
            account,
            id: self.id,
            checkpoint: self.checkpoint,
            expires: self.expires,
            kind,
        }
    }
}
