//! An entry as the journal shows it, under a checkpoint that the witnesses cosigned.

use crate::failure::{Exit, Failure};
use crate::reach::Reach;
use portcullis_client::GateError;
use portcullis_core::Entry;
use portcullis_core::Time;
use portcullis_core::follow::{FollowAnswer, MAX_ANSWER};
use portcullis_keeper::rfc3339;
use portcullis_tlog::{Cosigned, Hash};
use std::time::Duration;

/// One entry and what covers it.
pub(super) struct Seen {
    pub(super) entry: Entry,
    /// The checkpoint, for people.
    pub(super) checkpoint: String,
}

impl Seen {
    /// The entry at an index, once it is cosigned.
    pub(super) fn at(reach: &Reach, index: u64) -> Result<Self, Failure> {
        let url = reach
            .gate
            .endpoint()
            .url(&format!("/log/follow?from={index}&wait=5000"));
        let patience = Duration::from_secs(10);
        let reply = reach
            .machine
            .http
            .get(&url, &[], MAX_ANSWER as u64, patience);
        let reply = reply.map_err(GateError::from)?;
        let unreadable = || {
            let what = format!("the gate does not show entry {index} under a cosigned checkpoint");
            Failure::new(Exit::NoAnswer, what, "portcullis doctor")
        };
        let answer = FollowAnswer::from_bytes(&reply.body).map_err(|_| unreadable())?;
        let cosigned = reach.cosigned(&answer.checkpoint);
        let cosigned = cosigned.map_err(|_| unreadable())?;
        let bytes = answer.entries.first().filter(|_| answer.from == index);
        let entry = bytes.and_then(|bytes| Entry::from_bytes(bytes).ok());
        Ok(Self {
            entry: entry.ok_or_else(unreadable)?,
            checkpoint: describe(&cosigned),
        })
    }
}

fn describe(cosigned: &Cosigned) -> String {
    let head = cosigned.head();
    let names: Vec<String> = cosigned
        .witnesses()
        .iter()
        .map(ToString::to_string)
        .collect();
    let time = rfc3339(Time::from_unix_seconds(cosigned.newest().unix()));
    let root = Hash::to_base64(&head.root);
    format!(
        "{} entries, root {root}, cosigned by {} at {time}",
        head.size,
        names.join(", ")
    )
}
