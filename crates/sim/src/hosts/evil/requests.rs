//! What arrives: acts are kept and answered by nothing, statements are kept for later.

use super::{Evil, ok};
use crate::wire::Message;
use portcullis_core::Reason;
use portcullis_core::board::Posting;
use portcullis_core::codec;
use portcullis_core::report::{Report, Verdicts};
use portcullis_core::request::Received;
use portcullis_core::statement::SignedStatement;
use portcullis_host::Reply;

impl Evil {
    /// Whatever is asked.
    pub(in crate::hosts) fn answer(&mut self, message: &Message) -> Option<Reply> {
        match message.target.split('?').next()? {
            "/v1/acts" => {
                self.capture(message);
                None
            }
            "/v1/statements" => {
                let Report(said) = codec::decode(&message.body, message.body.len()).ok()?;
                Some(self.take_report(said))
            }
            "/log/follow" => self.follow(message),
            target => {
                let path = target.strip_prefix("/log/")?.parse().ok()?;
                Some(ok(self.view().tile(path).ok()?))
            }
        }
    }

    /// Statements are mostly taken, and whatever is answered may be untrue.
    fn take_report(&mut self, said: Vec<SignedStatement>) -> Reply {
        let verdict = |verdict, count| ok(codec::encode(&Verdicts::of(&vec![verdict; count])));
        let count = said.len();
        let reply = match self.dice.below(20) {
            0 => verdict(Err(Reason::StatementRefused), count),
            1 => Reply {
                status: 503,
                body: Vec::new(),
            },
            5 => verdict(Err(Reason::Busy), count),
            2 => verdict(Ok(()), count.saturating_sub(1)),
            3 => verdict(Ok(()), count + 3),
            4 => ok(self.dice.bytes::<40>().to_vec()),
            _ => verdict(Ok(()), count),
        };
        // It may keep them, too, and say that it does not.
        if self.dice.chance(900) {
            self.statements.extend(said);
        }
        reply
    }

    fn capture(&mut self, message: &Message) {
        let header = |name: &str| {
            let mut headers = message.headers.iter();
            headers
                .find(|(known, _)| known == name)
                .map(|(_, v)| v.as_str())
        };
        let (Some(signature_input), Some(signature)) =
            (header("signature-input"), header("signature"))
        else {
            return;
        };
        let received = Received {
            method: "POST",
            authority: "gate",
            path: "/v1/acts",
            query: None,
            body: &message.body,
            content_digest: header("content-digest"),
            portcullis_act: header("portcullis-act"),
            signature_input,
            signature,
        };
        let Ok(request) = received.signed_request() else {
            return;
        };
        if let Ok(mut posting) = serde_json::from_slice::<Posting>(&message.body) {
            posting.evidence.requests.push(request);
            self.captured.push(posting);
            if self.captured.len() > 12 {
                self.captured.remove(0);
            }
        }
    }
}
