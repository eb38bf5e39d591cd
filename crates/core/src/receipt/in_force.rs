//! Who administers, and whose keys count, each from an entry on: genesis', and what the receipt shows to
//! have taken their place.

use super::authority::{quorum_stands_behind, roots_stand_behind};
use super::proven::{Case, Proven, Submitted};
use crate::act::{ActKind, Keys, RecoverAdministrators, Roots, Rotate};
use crate::factor::NewFactor;
use crate::genesis::{Genesis, Issuer, IssuerKind};
use crate::id::{IssuerId, KeeperId, PrincipalId};
use crate::network::Network;
use crate::signature::PublicKey;
use crate::state::keys::Successor;

/// In the order in which they took effect; each counts behind its index.
pub(super) struct InForce<'a> {
    network: &'a Network,
    administrations: Vec<(u64, Administrators<'a>)>,
    issuers: Vec<(u64, &'a [Issuer])>,
    roots: Vec<(u64, Roots)>,
    keepers: Vec<(u64, KeeperId, &'a PublicKey)>,
    handovers: Vec<(u64, Successor)>,
}

/// Administrators with their factors, and how many loosen together.
pub(super) struct Administrators<'a> {
    /// Behind which entry they count.
    pub(super) since: u64,
    pub(super) members: Vec<(PrincipalId, &'a [NewFactor])>,
    pub(super) quorum: u32,
}

impl<'a> InForce<'a> {
    /// Those of genesis.
    pub(super) fn of(network: &'a Network) -> Self {
        let genesis = network.genesis();
        Self {
            network,
            administrations: vec![(0, first_administrators(genesis))],
            issuers: vec![(0, &genesis.issuers)],
            roots: vec![(0, genesis.first_roots())],
            keepers: Vec::new(),
            handovers: Vec::new(),
        }
    }

    pub(super) fn administrators(&self, at: u64) -> Option<&Administrators<'a>> {
        before(&self.administrations, at)
    }

    /// Administrators that took the place of others.
    pub(super) fn recovered(&self) -> impl Iterator<Item = &Administrators<'a>> {
        let later = self.administrations.iter().skip(1);
        later.map(|(_, administrators)| administrators)
    }

    pub(super) fn issuer(&self, id: IssuerId, kind: IssuerKind, at: u64) -> Option<&'a Issuer> {
        let mut issuers = before(&self.issuers, at)?.iter();
        issuers.find(|issuer| issuer.id == id && issuer.kind == kind)
    }

    pub(super) fn roots(&self, at: u64) -> Option<&Roots> {
        before(&self.roots, at)
    }

    /// The key that a keeper signs statements with at an entry.
    pub(super) fn keeper(&self, id: KeeperId, at: u64) -> Option<&'a PublicKey> {
        let keeper = self.network.keeper(id)?;
        let rotated = self.keepers.iter().rev();
        let mut own = rotated.filter(|(since, of, _)| *since < at && *of == id);
        Some(own.next().map_or(&keeper.key, |(_, _, key)| *key))
    }

    /// The entries by which others took over speaking for the journal, and those, in order.
    pub(super) fn handovers(&self) -> &[(u64, Successor)] {
        &self.handovers
    }

    /// Whether a rotation names what is in force in its place before an entry. What was proposed while others
    /// spoke for the journal never takes effect, whoever writes that it did.
    fn fits(&self, rotate: &Rotate, at: u64) -> bool {
        let older = self.handovers.iter().rev();
        let mut older = older.filter(|(since, _)| *since < at).map(|(_, to)| to);
        let genesis = self.network.genesis();
        let in_force = match &rotate.keys {
            Keys::Witnesses { .. } => {
                let rotated = older.find_map(Successor::witnesses);
                let witnesses = rotated.unwrap_or(&genesis.witnesses).clone();
                Keys::Witnesses { witnesses }
            }
            Keys::Log { .. } => {
                let rotated = older.find_map(Successor::log);
                let vkey = rotated.unwrap_or(&genesis.log.vkey).to_owned();
                Keys::Log { vkey }
            }
            Keys::Issuers { .. } | Keys::Roots { .. } | Keys::Keeper { .. } => return true,
        };
        in_force.digest() == rotate.replaces
    }

    fn rotate(&mut self, since: u64, keys: &'a Keys) {
        match keys {
            Keys::Issuers { issuers } => self.issuers.push((since, issuers)),
            Keys::Roots { roots } => self.roots.push((since, roots.clone())),
            Keys::Keeper { keeper, key } => self.keepers.push((since, *keeper, key)),
            Keys::Witnesses { .. } | Keys::Log { .. } => {
                let handover = Successor::of(keys).map(|to| (since, to));
                self.handovers.extend(handover);
            }
        }
    }

    fn recover(&mut self, since: u64, recover: &'a RecoverAdministrators) {
        let new = recover.administrators.iter();
        let members = new.map(|new| (new.principal, &new.factors[..])).collect();
        let quorum = recover.quorum;
        let administrators = Administrators {
            since,
            members,
            quorum,
        };
        self.administrations.push((since, administrators));
    }
}

fn first_administrators(genesis: &Genesis) -> Administrators<'_> {
    let administrators = genesis.administrators.iter();
    let members = administrators.map(|member| (member.principal, &member.factors[..]));
    Administrators {
        since: 0,
        members: members.collect(),
        quorum: genesis.quorum,
    }
}

/// The newest that took effect before an entry.
fn before<T>(all: &[(u64, T)], at: u64) -> Option<&T> {
    let mut older = all.iter().rev().filter(|(since, _)| *since < at);
    older.next().map(|(_, found)| found)
}

/// Go on to all these entries, which begin with those of the case: through what took the place of others since,
/// in the order in which it did. What is in force by then decides whether it could.
pub(super) fn establish<'a>(case: &mut Case<'a>, signed: &'a [Proven]) {
    let known = case.entries.last().map(|proven| proven.index);
    case.entries = signed;
    let replacing = case.submissions().filter(|s| {
        let kind = &s.submission.act.kind;
        matches!(kind, ActKind::RecoverAdministrators(_) | ActKind::Rotate(_))
    });
    let taken = replacing.filter_map(|s| Some((case.took_effect(&s)?, s)));
    let since = taken.filter(|(since, _)| Some(*since) > known);
    let mut taken: Vec<(u64, Submitted<'_>)> = since.collect();
    taken.sort_by_key(|(since, _)| *since);
    // A rotation is one, however often it was submitted. Of a recovery each brings roots of its own.
    taken.dedup_by(|(later, s), (first, _)| {
        later == first && matches!(s.submission.act.kind, ActKind::Rotate(_))
    });
    for (since, s) in taken {
        match &s.submission.act.kind {
            ActKind::Rotate(rotate)
                if case.in_force.fits(rotate, since) && quorum_stands_behind(case, &s, since) =>
            {
                case.in_force.rotate(since, &rotate.keys);
            }
            ActKind::RecoverAdministrators(recover) if roots_stand_behind(case, &s) => {
                case.in_force.recover(since, recover);
            }
            _ => {}
        }
    }
}
