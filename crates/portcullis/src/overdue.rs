//! Releases that have been on their way for longer than one takes. A wallet pays in the order of its
//! nonces, so that its oldest keeps back all others.

use portcullis_core::id::WalletId;
use portcullis_core::state::Facts;
use portcullis_core::state::release::{Release, Stage};
use portcullis_core::{Digest, Span, State, Time};
use std::collections::BTreeMap;

/// Longer than a signer and any chain's confirmations take.
const LONG: Span = Span::seconds(300);

/// What keeps a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Signer,
    Chain,
    Withheld,
}

#[derive(Clone, Copy, Debug)]
struct OnItsWay {
    act: Digest,
    wallet: WalletId,
    since: Time,
    at: At,
}

impl OnItsWay {
    fn of(facts: &Facts, (act, release): (&Digest, &Release)) -> Option<Self> {
        let at = match (release.stage, release.signed.is_empty()) {
            (Stage::Withheld(_), _) => At::Withheld,
            (Stage::Released, true) => At::Signer,
            (Stage::Released, false) => At::Chain,
        };
        Some(Self {
            act: *act,
            wallet: facts.plans_of(*act).last()?.wallet,
            since: release.planned,
            at,
        })
    }

    fn in_words(&self, now: Time, behind: usize) -> String {
        let minutes = now.since(self.since).0 / 60_000;
        let why = match self.at {
            At::Signer => "no signer has signed it; the signer's log says why",
            At::Chain => "signed, and not confirmed; look at its transactions on the node",
            At::Withheld => "withheld: portcullis status",
        };
        format!(
            "release {} has been on its way for {minutes} min ({why}); {behind} more of wallet {}",
            self.act, self.wallet
        )
    }
}

/// In words, the oldest of each wallet that has been on its way for long.
pub(crate) fn overdue(state: &State, now: Time) -> Vec<String> {
    let facts = state.facts();
    let releases = facts.releases.iter();
    oldest(releases.filter_map(|one| OnItsWay::of(facts, one)), now)
}

fn oldest(releases: impl Iterator<Item = OnItsWay>, now: Time) -> Vec<String> {
    let mut wallets: BTreeMap<WalletId, (OnItsWay, usize)> = BTreeMap::new();
    for release in releases {
        let (oldest, count) = wallets.entry(release.wallet).or_insert((release, 0));
        *count += 1;
        if release.since < oldest.since {
            *oldest = release;
        }
    }
    let wallets = wallets.values();
    let long = wallets.filter(|(oldest, _)| now.since(oldest.since) > LONG);
    long.map(|(oldest, count)| oldest.in_words(now, count - 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(act: u8, wallet: u8, minutes: u64, at: At) -> OnItsWay {
        OnItsWay {
            act: Digest([act; 32]),
            wallet: WalletId([wallet; 16]),
            since: Time(minutes * 60_000),
            at,
        }
    }

    #[test]
    fn the_oldest_of_each_wallet_is_named_once_it_has_taken_long() {
        let on_their_way = || {
            [
                release(0xa2, 1, 12, At::Chain),
                release(0xa1, 1, 10, At::Signer),
                release(0xb1, 2, 14, At::Withheld),
            ]
            .into_iter()
        };
        let at = |minutes: u64| oldest(on_their_way(), Time(minutes * 60_000));
        assert_eq!(at(15), Vec::<String>::new());
        let one = at(16);
        assert_eq!(one.len(), 1, "{one:?}");
        let words = [&"a1".repeat(32), "for 6 min", "signer's log", "1 more of"];
        assert!(words.iter().all(|words| one[0].contains(*words)), "{one:?}");
        assert_eq!(at(20).len(), 2);
    }
}
