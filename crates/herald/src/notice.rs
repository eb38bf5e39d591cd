//! Notices: what somebody is to be told, and who.

use minicbor::{Decode, Encode};
use portcullis_chains::{Amount, AssetId};
use portcullis_core::codec::encode;
use portcullis_core::id::AccountId;
use portcullis_core::{Digest, Time};
use std::collections::BTreeMap;

/// One thing that the journal says, and that concerns somebody.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Notice {
    /// The entry that says it.
    #[n(0)]
    pub(crate) entry: u64,
    /// The entry's time.
    #[n(1)]
    pub(crate) time: Time,
    /// The act that it comes of.
    #[n(2)]
    pub(crate) act: Digest,
    /// What it is about.
    #[n(3)]
    pub(crate) kind: Kind,
    /// Whose account, where it is one's.
    #[n(4)]
    pub(crate) account: Option<AccountId>,
    /// What its text names.
    #[n(5)]
    pub(crate) matter: BTreeMap<String, String>,
    /// Who is told.
    #[n(6)]
    pub(crate) recipients: Vec<Recipient>,
}

/// Somebody who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub(crate) enum Recipient {
    /// An account's contact, in force or formerly so, by its commitment.
    #[n(0)]
    Contact(#[n(0)] Digest),
    /// The contact that is to take its place. Its word alone begins no delay while an old one could be
    /// reached: whoever changes it must not be the only one to hear of that.
    #[n(1)]
    New(#[n(0)] Digest),
    /// The platform's staff, by the place in the configuration.
    #[n(2)]
    Staff(#[n(0)] u32),
}

impl Notice {
    /// What a delivery is known by, whoever delivers it and how often: a mail's id comes of it.
    pub(crate) fn delivery(&self, recipient: Recipient) -> Digest {
        let mut bytes = b"portcullis/notice/v1\0".to_vec();
        bytes.extend(encode(&(self.entry, self.act, self.kind, recipient)));
        Digest::plain(&bytes)
    }

    /// What it says that somebody is paid.
    pub(crate) fn paid(&self) -> Option<(Amount, AssetId)> {
        let (amount, asset) = (self.matter.get("amount")?, self.matter.get("asset")?);
        Some((amount.parse().ok()?, asset.parse().ok()?))
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $number:literal $name:ident $slug:literal;)*) => {
        /// What a notice is about; each has its text in `templates/`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
        #[cbor(index_only)]
        pub(crate) enum Kind {
            $($(#[$doc])* #[n($number)] $name,)*
        }

        impl Kind {
            /// All of them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name in files, webhooks and logs.
            pub(crate) const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }

            /// The English text that comes with the program.
            pub(crate) const fn template(self) -> &'static str {
                match self { $(Self::$name => include_str!(concat!("../templates/en/", $slug, ".txt")),)* }
            }
        }
    };
}

kinds! {
    /// An account was opened with its first factor.
    0 AccountOpened "account-opened";
    /// An address entered the book.
    1 AddressAdded "address-added";
    /// A factor was enrolled.
    2 FactorAdded "factor-added";
    /// A factor was taken away.
    3 FactorRemoved "factor-removed";
    /// The account was frozen.
    4 AccountFrozen "account-frozen";
    /// The account was unfrozen.
    5 AccountUnfrozen "account-unfrozen";
    /// A withdrawal was released.
    6 WithdrawalReleased "withdrawal-released";
    /// Another contact is to take this one's place.
    7 ContactChanging "contact-changing";
    /// Another contact has taken this one's place.
    8 ContactChanged "contact-changed";
    /// Something of the platform's own waits for its delay: for staff.
    9 PlatformChanging "platform-changing";
    /// Every factor of customers, or of a kind, was revoked: for staff.
    10 EpochRaised "epoch-raised";
    /// A recovery has begun: whoever still has a factor can stop it.
    11 RecoveryBegun "recovery-begun";
    /// A recovery has ended: the new factor counts.
    12 Recovered "recovered";
    /// Every factor of customers, or of a kind, was revoked: for each customer.
    20 FactorsRevoked "factors-revoked";
    /// A withdrawal waits for longer than machines take.
    21 WithdrawalWaiting "withdrawal-waiting";
    /// A recovery was stopped.
    22 RecoveryStopped "recovery-stopped";
    /// The account has one more principal.
    23 PrincipalAdded "principal-added";
    /// A principal has left the account.
    24 PrincipalRemoved "principal-removed";
    /// Another number of principals of the account are to loosen together.
    25 QuorumChanging "quorum-changing";
    /// Another number of principals of the account loosen together.
    26 QuorumChanged "quorum-changed";
    /// A principal is to leave the account, by the others' will.
    27 PrincipalLeaving "principal-leaving";
}
