//! What takes a quorum of administrators: one of them proposes it here, the others approve.

use crate::approve::in_words;
use crate::failure::Failure;
use crate::out::say;
use crate::reach::{Caller, Reach};
use portcullis_core::act::ActKind;
use portcullis_core::{Decision, Evidence};

/// Send a proposal, and say where it stands and what the others do.
pub(crate) fn propose(reach: &Reach, caller: &Caller, kind: ActKind) -> Result<(), Failure> {
    let act = reach.staff_act(caller, kind)?;
    let evidence = Evidence::default();
    let accepted = reach.gate.submit(&caller.signer, &act, &evidence)?;
    let (digest, entry) = (accepted.digest, accepted.entry);
    say(format_args!("proposed  entry {entry}, act {digest}"));
    if let Some(Decision::Hold { needs, .. }) = accepted.decision {
        let needs: Vec<String> = needs.iter().map(|need| in_words(*need)).collect();
        let flags = &reach.flags;
        say(format_args!("waits for {}", needs.join("; ")));
        say(format_args!(
            "each other administrator: portcullis approve --as NAME {digest}{flags}"
        ));
    }
    Ok(())
}
