//! The limits in force against the caps that signers have stated: what the one lets out and the other
//! never signs would be released in vain.

use portcullis_chains::{Amount, AssetId};
use portcullis_core::State;
use portcullis_core::limits::{Bounds, Limit, Limits};
use portcullis_core::statement::Cap;

/// Every contradiction, in words; for each asset that can be withdrawn.
pub(crate) fn contradictions(state: &State) -> Vec<String> {
    let facts = state.facts();
    let assets = &state.network().genesis().assets;
    let rule = |asset: &&AssetId| facts.limits.rule(**asset, Bounds::Account).is_some();
    let withdrawn = assets.iter().filter(rule);
    let found = withdrawn.flat_map(|asset| {
        let keeper = state.wallet_for(*asset).map(|wallet| wallet.keeper);
        let stated = keeper.and_then(|keeper| facts.caps.get(&keeper));
        let cap = stated.and_then(|stated| stated.caps.iter().find(|cap| cap.asset == *asset));
        compare(&facts.limits, *asset, cap)
    });
    found.collect()
}

fn compare(limits: &Limits, asset: AssetId, cap: Option<&Cap>) -> Vec<String> {
    let Some(cap) = cap else {
        return vec![format!("no signer has stated a cap for {asset}")];
    };
    let least = |of: fn(&Limit) -> Option<Amount>, bounds: &[Bounds]| {
        let rules = bounds
            .iter()
            .filter_map(|bounds| limits.rule(asset, *bounds));
        rules.filter_map(of).min()
    };
    let all = [Bounds::Account, Bounds::Asset, Bounds::Wallet];
    let pairs = [
        (
            "one transaction",
            least(|rule| rule.per_transaction, &all),
            cap.per_transaction,
        ),
        // One account's day says nothing of everybody's.
        ("24 hours", least(|rule| rule.day, &all[1..]), cap.day),
    ];
    let beyond = pairs.into_iter().filter_map(|(of, limit, cap)| {
        let limit = match limit {
            Some(limit) if limit <= cap => return None,
            Some(limit) => limit.to_string(),
            None => "any amount".to_owned(),
        };
        Some(format!(
            "the limits let out {limit} of {asset} in {of}, its signer signs {cap}"
        ))
    });
    beyond.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASSET: AssetId = AssetId::EvmNative { chain: 1 };

    fn rule(bounds: Bounds, transaction: Option<u128>, day: Option<u128>) -> Limit {
        Limit {
            asset: ASSET,
            bounds,
            per_transaction: transaction.map(Amount),
            hour: None,
            day: day.map(Amount),
            week: None,
            approval: None,
        }
    }

    fn found(rules: &[Limit; 2], cap: Option<(u128, u128)>) -> Vec<String> {
        let rules = rules.to_vec();
        let cap = cap.map(|(transaction, day)| Cap {
            asset: ASSET,
            per_transaction: Amount(transaction),
            day: Amount(day),
        });
        compare(&Limits { rules }, ASSET, cap.as_ref())
    }

    #[test]
    fn what_limits_let_out_and_no_signer_signs_is_named() {
        let within = || {
            [
                rule(Bounds::Account, Some(10), Some(9_000)),
                rule(Bounds::Asset, None, Some(100)),
            ]
        };
        assert_eq!(found(&within(), Some((10, 100))), Vec::<String>::new());
        assert!(found(&within(), Some((9, 100)))[0].contains("10 of"));
        assert!(found(&within(), Some((10, 99)))[0].contains("24 hours"));
        assert!(found(&within(), None)[0].contains("no signer has stated"));
        let unbounded = [
            rule(Bounds::Account, None, None),
            rule(Bounds::Asset, None, None),
        ];
        assert_eq!(found(&unbounded, Some((10, 100))).len(), 2);
    }
}
