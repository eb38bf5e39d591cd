//! The links in notices: what each lets its reader stop, under the herald's signature for that and nothing else.
//!
//! Whoever has the link can stop that once, and do nothing beside. It is signed when the letter is written and kept
//! nowhere; a letter that is sent again has the same (docs/design/048).

use crate::notice::{Kind, Notice, Recipient};
use portcullis_core::id::{AccountId, ActId, KeeperId};
use portcullis_core::link::{Link, Stops, signed_bytes};
use portcullis_core::{Digest, Network, Span, Time};
use portcullis_keys::StatementKey;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

/// How long a link is good for, from the entry on that its notice tells of.
const GOOD_FOR: Span = Span::hours(7 * 24);

/// Makes links that lead to these pages.
pub(crate) struct Links {
    pub(crate) network: Arc<Network>,
    pub(crate) keeper: KeeperId,
    pub(crate) key: Arc<dyn StatementKey>,
    /// The stop boards' pages, as customers reach them.
    pub(crate) pages: Vec<String>,
    /// Accounts that get none.
    pub(crate) none_for: BTreeSet<AccountId>,
}

impl Links {
    /// What stands in a letter, below its text: a link to each page; nothing where there is nothing to be stopped.
    pub(crate) fn text(&self, id: Digest, notice: &Notice, to: Recipient, now: Time) -> String {
        let link = link(id, notice, to);
        let link = link.filter(|link| link.expires > now && !self.none_for.contains(&link.account));
        let Some((link, first)) = link.zip(self.pages.first()) else {
            return String::new();
        };
        let act = link.act(self.network.digest(), self.keeper);
        let signature = match self.key.sign(&signed_bytes(act.digest())) {
            Ok(signature) => signature,
            // A notice without a link is better than none.
            Err(error) => {
                tracing::error!(%error, "the statement key does not sign: a notice goes out without its link");
                return String::new();
            }
        };
        let fragment = link.fragment(&signature);
        let invitation = invitation(link.stops);
        let mut text = format!("\n{invitation}\n\n    {first}/stop#{fragment}\n");
        let others = &self.pages[1..];
        if !others.is_empty() {
            text += "\nIf that page does not open, this does the same:\n\n";
        }
        for page in others {
            let _ = writeln!(text, "    {page}/stop#{fragment}");
        }
        text
    }
}

/// What a delivery lets its reader stop. A contact that is to be has nothing to stop yet: anybody may have been
/// named.
fn link(id: Digest, notice: &Notice, to: Recipient) -> Option<Link> {
    let Recipient::Contact(_) = to else {
        return None;
    };
    let mut own = [0; 16];
    own.copy_from_slice(&id.0[..16]);
    Some(Link {
        account: notice.account?,
        id: ActId(own),
        expires: notice.time.after(GOOD_FOR),
        stops: stops(notice.kind, notice.act)?,
    })
}

const fn stops(kind: Kind, act: Digest) -> Option<Stops> {
    match kind {
        Kind::AccountOpened
        | Kind::AddressAdded
        | Kind::FactorAdded
        | Kind::FactorRemoved
        | Kind::AccountUnfrozen
        | Kind::WithdrawalReleased
        | Kind::ContactChanging
        | Kind::ContactChanged
        | Kind::Recovered
        | Kind::PrincipalAdded
        | Kind::PrincipalRemoved
        | Kind::QuorumChanged => Some(Stops::Everything),
        Kind::RecoveryBegun => Some(Stops::Recovery(act)),
        Kind::WithdrawalWaiting | Kind::QuorumChanging | Kind::PrincipalLeaving => {
            Some(Stops::Act(act))
        }
        Kind::AccountFrozen
        | Kind::PlatformChanging
        | Kind::EpochRaised
        | Kind::FactorsRevoked
        | Kind::RecoveryStopped => None,
    }
}

const fn invitation(stops: Stops) -> &'static str {
    match stops {
        Stops::Everything => {
            "You can freeze your account here, without signing in. Opening the page does nothing yet:"
        }
        Stops::Recovery(_) | Stops::Act(_) => {
            "You can stop it here, without signing in. Opening the page does nothing yet:"
        }
    }
}
