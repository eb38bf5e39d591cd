//! Releases that are withheld: nothing of them is signed until a fresh entry says so. A wallet pays in
//! the order of its nonces, so that one which stays withheld keeps back all that is behind it.

use crate::out::say;
use crate::reach::Reach;
use portcullis_client::{Status, WithheldRelease};
use portcullis_core::Digest;

/// Those that the gate lists, by the digests that acts name, and the command for those that wait for
/// an operator.
pub(crate) fn tell(reach: &Reach, status: &Status) {
    let line = |name: &str, text: &str| say(format_args!("{name:<12}{text}"));
    for release in &status.withheld {
        line("withheld", &format!("{} {}", release.act, why(release)));
    }
    let listed = status.withheld.len() as u64;
    if status.withheld_count > listed {
        line("", &format!("and {} more", status.withheld_count - listed));
    }
    if let Some(act) = first_that_waits(status) {
        line("", "what its wallet pays later waits behind it; for each:");
        line("", &by_hand(reach, act));
    }
}

/// The first that only an operator moves.
pub(crate) fn first_that_waits(status: &Status) -> Option<Digest> {
    let mut withheld = status.withheld.iter();
    let waits = withheld.find(|release| release.why == "suspended");
    waits.map(|release| release.act)
}

/// The command that lets a withheld release go out.
pub(crate) fn by_hand(reach: &Reach, act: Digest) -> String {
    let flags = &reach.flags;
    format!(
        "echo '{{\"type\":\"resume\",\"release\":\"{act}\"}}' | \
         portcullis call{flags} --as operator --act - (or \"void\", which gives it up)"
    )
}

fn why(release: &WithheldRelease) -> &str {
    match release.why.as_str() {
        "suspended" => "suspended; after the lift resume it, or void it",
        "late" => "cosigned late; it goes out again by itself",
        "revoked" => "its authority was taken back; it is given up by itself",
        "cancelled" => "cancelled; it is given up by itself",
        other => other,
    }
}
