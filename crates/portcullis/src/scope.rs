//! Scopes and what a lift ends, as people write them.

use crate::out::word;
use portcullis_core::act::{LiftTarget, Scope};

/// `everything`, `withdrawals`, `realm:NAME`, `asset:CAIP-19` or `account:ID`.
pub(crate) fn parse(text: &str) -> Result<Scope, String> {
    let failed = |error: &dyn core::fmt::Display| format!("{text}: {error}");
    match text.split_once(':') {
        None if text == "everything" => Ok(Scope::Everything),
        None if text == "withdrawals" => Ok(Scope::Withdrawals),
        Some(("realm", realm)) => serde_json::from_value(realm.into())
            .map(Scope::Realm)
            .map_err(|error| failed(&error)),
        Some(("asset", asset)) => asset
            .parse()
            .map(Scope::Asset)
            .map_err(|error| failed(&error)),
        Some(("account", id)) => id
            .parse()
            .map(Scope::Account)
            .map_err(|error| failed(&error)),
        _ => Err("everything, withdrawals, realm:…, asset:… or account:…".into()),
    }
}

/// The same text back.
pub(crate) fn text(scope: Scope) -> String {
    match scope {
        Scope::Everything => "everything".into(),
        Scope::Withdrawals => "withdrawals".into(),
        Scope::Asset(asset) => format!("asset:{asset}"),
        Scope::Realm(realm) => format!("realm:{}", word(&realm)),
        Scope::Account(id) => format!("account:{id}"),
    }
}

/// A suspending act's digest, `up-to:ENTRY` for every suspension that an entry up to this one made,
/// or `KEEPER:LATCH`.
pub(crate) fn target(text: &str) -> Result<LiftTarget, String> {
    let failed = |error: &dyn core::fmt::Display| format!("{text}: {error}");
    match text.split_once(':') {
        None => {
            let by = text.parse().map_err(|error| failed(&error))?;
            Ok(LiftTarget::Suspension { by })
        }
        Some(("up-to", entry)) => {
            let entry = entry.parse().map_err(|error| failed(&error))?;
            Ok(LiftTarget::SuspensionsUpTo { entry })
        }
        Some((keeper, latch)) => Ok(LiftTarget::Latch {
            keeper: keeper.parse().map_err(|error| failed(&error))?,
            latch: latch.parse().map_err(|error| failed(&error))?,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_they_are_written() {
        let asset = "asset:eip155:31337/slip44:60";
        let account = "account:000102030405060708090a0b0c0d0e0f";
        let table = [
            "everything",
            "withdrawals",
            "realm:customers",
            "realm:staff",
            asset,
            account,
        ];
        for written in table {
            assert_eq!(text(parse(written).unwrap()), written);
        }
        for wrong in [
            "",
            "all",
            "realm:",
            "realm:nobody",
            "asset:ETH",
            "account:1",
            "withdrawals:",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lifts_name_suspensions_or_a_latch() {
        let (digest, keeper) = ("ab".repeat(32), "cd".repeat(16));
        assert!(matches!(target(&digest), Ok(LiftTarget::Suspension { .. })));
        assert!(matches!(
            target(&format!("{keeper}:{digest}")),
            Ok(LiftTarget::Latch { .. })
        ));
        let up_to = LiftTarget::SuspensionsUpTo { entry: 7 };
        assert_eq!(target("up-to:7"), Ok(up_to));
        for wrong in [
            "up-to:".into(),
            "up-to:-1".into(),
            keeper.clone(),
            format!("{digest}:{keeper}"),
            digest.to_uppercase(),
        ] {
            assert!(target(&wrong).is_err(), "{wrong}");
        }
    }
}
