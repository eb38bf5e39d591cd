//! A keeper is shut by hand: what its command says of that.

use crate::failure::{Exit, Failure};
use crate::out::say;
use portcullis_core::Digest;
use portcullis_core::id::KeeperId;
use std::fmt::Display;

/// It has latched: what it does no more ("signs nothing"), and who opens it again.
pub(super) fn is_shut(name: &str, does: &str, (keeper, latch): (KeeperId, Digest)) {
    say(format_args!(
        "The {name} {does} more, from its next step on, and after any restart."
    ));
    say(format_args!(
        "A quorum opens it again: portcullis lift {keeper}:{latch}"
    ));
}

/// A stop that did not take hold must not read like one that did.
pub(super) fn not_shut(name: &str, may: &str, error: &dyn Display) -> Failure {
    Failure::new(
        Exit::NoAnswer,
        format!("NOT SHUT, the {name} may still {may}: {error}"),
        format!(
            "stop its process now (systemctl stop portcullis-{name}); mend what is named, then shut it again"
        ),
    )
    .keeping("It runs on as before, and nothing was lost.")
}
