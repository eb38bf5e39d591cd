//! What a gate answers to whoever asks it, and the draft of a genesis that somebody sends round: a hostile
//! gate is part of the design, and people sign what a draft says.

use crate::world::{posting, world};
use portcullis_client::{Gate, GateError, Machine, RequestSigner};
use portcullis_core::genesis::Genesis;
use portcullis_core::id::AccountId;
use portcullis_core::network::Network;
use portcullis_core::{Digest, Time};
use portcullis_host::{Http, HttpError, Reply};
use portcullis_keeper::testkit::{Dice, HandClock, World};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const STATUSES: [u16; 5] = [200, 202, 404, 409, 500];

/// A gate that answers everything with the same bytes.
struct Parrot(Reply);

impl Http for Parrot {
    fn get(&self, _: &str, _: &[(&str, &str)], _: u64, _: Duration) -> Result<Reply, HttpError> {
        Ok(self.0.clone())
    }

    fn post(
        &self,
        _: &str,
        _: &[(&str, &str)],
        _: &[u8],
        _: u64,
        _: Duration,
    ) -> Result<Reply, HttpError> {
        Ok(self.0.clone())
    }
}

/// Read as the answer to each question. Nothing is taken for an answer about the act that was sent but
/// what names its digest. The first byte chooses the status.
pub(crate) fn gate_answer(bytes: &[u8]) -> bool {
    let Some((status, body)) = bytes.split_first() else {
        return false;
    };
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let gate = parrot(status, body);
    let key = RequestSigner::new(Arc::new(World::key(&World::BACK_END.0)));
    let posting = posting();
    let digest = posting.act.digest();

    let submitted = gate.submit(&key, &posting.act, &posting.evidence);
    if let Ok(accepted) = &submitted {
        assert!(status < 300 && accepted.digest == digest);
    }
    if let Err(GateError::OtherAct { ours, theirs }) = &submitted {
        assert!(*ours == digest && *theirs != digest);
    }
    let supplemented = gate.supplement(&key, digest, &posting.evidence);
    assert_eq!(supplemented.is_ok(), submitted.is_ok());
    let receipt = gate.receipt(&key, digest);
    let account = gate.account(&key, AccountId([1; 16]));
    let standing = gate.act(&key, digest);
    let is_refusal =
        matches!(&submitted, Err(GateError::Refused(problem)) if problem.reason().is_some());
    submitted.is_ok()
        || is_refusal
        || matches!(receipt, Ok(Some(_)))
        || matches!(account, Ok(Some(_)))
        || matches!(standing, Ok(Some(_)))
        || gate.checkpoint().is_ok()
        || gate.status().is_ok()
}

fn parrot(status: u16, body: &[u8]) -> Gate {
    let body = body.to_vec();
    let machine = Machine {
        clock: Arc::new(HandClock::at(World::START)),
        random: Arc::new(Dice::default()),
        http: Arc::new(Parrot(Reply { status, body })),
    };
    let at = "http://127.0.0.1:1".parse().expect("an endpoint");
    Gate::new(at, machine)
}

/// What is accepted as a draft is what its digest says, in both of its writings.
pub(crate) fn genesis_draft(bytes: &[u8]) -> bool {
    let Ok(genesis) = serde_json::from_slice::<Genesis>(bytes) else {
        return false;
    };
    let written = serde_json::to_vec(&genesis).expect("a genesis has a JSON form");
    let again: Genesis = serde_json::from_slice(&written).expect("it reads what it wrote");
    assert_eq!(again.digest(), genesis.digest());
    Network::check_draft(&genesis).is_ok()
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let digest = posting().act.digest();
    let accepted = json!({
        "digest": digest, "entry": 7, "time": Time(World::START.0), "decision": { "decision": "release" },
    });
    let checkpoint =
        json!({ "digest": Digest::plain(b"a checkpoint"), "size": 7, "oldest": World::START });
    let standing = json!({ "digest": digest, "entries": [7], "stage": "held" });
    let problem = json!({
        "type": "urn:portcullis:reason:510", "title": "act-unknown", "status": 404, "detail": "…",
    });
    let answers = [(0, accepted), (0, checkpoint), (0, standing), (2, problem)];
    let mut seeds: Vec<Vec<u8>> = answers
        .map(|(status, answer)| {
            let mut seed = vec![status];
            seed.extend(answer.to_string().into_bytes());
            seed
        })
        .to_vec();
    seeds.extend(serde_json::to_vec(world().network.genesis()));
    seeds
}
