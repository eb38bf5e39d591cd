//! What arrives: acts are kept and answered by nothing, statements are kept for later.

use super::{Evil, ok};
use crate::wire::Message;
use portcullis_core::board::Posting;
use portcullis_core::codec;
use portcullis_core::report::{Report, Verdicts};
use portcullis_core::request::Received;
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
                let taken = Verdicts::of(&vec![Ok(()); said.len()]);
                self.statements.extend(said);
                Some(ok(codec::encode(&taken)))
            }
            "/log/follow" => self.follow(message),
            target => {
                let path = target.strip_prefix("/log/")?.parse().ok()?;
                Some(ok(self.view().tile(path).ok()?))
            }
        }
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
