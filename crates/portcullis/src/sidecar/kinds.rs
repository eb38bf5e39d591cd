//! Which acts a sidecar passes on.

use core::fmt;
use core::str::FromStr;
use portcullis_core::act::ActKind;

/// What customers ask for, and the opening of their accounts.
pub(super) const USUAL: [&str; 15] = [
    "open-account",
    "withdraw",
    "cancel",
    "add-address",
    "cancel-address",
    "freeze",
    "unfreeze",
    "enrol-factor",
    "revoke-factor",
    "recover",
    "veto",
    "change-contact",
    "add-principal",
    "remove-principal",
    "set-account-quorum",
];

/// What a back end may ask for besides.
const MORE: [&str; 1] = ["publish-rates"];

/// A kind of act that a back end brings. What administrators, operators and approvers do is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind(&'static str);

impl Kind {
    pub(super) fn is_of(self, kind: &ActKind) -> bool {
        self.0 == kind.name()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut known = USUAL.into_iter().chain(MORE);
        known.find(|name| *name == text).map(Self).ok_or_else(|| {
            let (usual, more) = (USUAL.join(", "), MORE.join(", "));
            format!(
                "no kind of act that a back end brings: {usual}, {more}. What administrators and operators \
                 do takes a key of theirs: portcullis call"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_people_is_never_passed_on() {
        for name in [
            "raise-epoch",
            "grant-role",
            "revoke-role",
            "approve",
            "suspend",
            "lift",
            "resume",
            "void",
            "set-limits",
            "set-policy",
            "recover-administrators",
            "rotate",
            "",
            "Withdraw",
        ] {
            assert!(name.parse::<Kind>().is_err(), "{name}");
        }
        for name in USUAL.into_iter().chain(MORE) {
            assert!(
                name.parse::<Kind>()
                    .is_ok_and(|kind| kind.to_string() == name)
            );
        }
    }
}
