//! Where letters go: to the mail server, or to a webhook (Standard Webhooks, `v1a`).

use crate::mail::Mailer;
use crate::post::{Letter, Outcome, Post};
use portcullis_contact::Reach;
use portcullis_core::Time;
use portcullis_keeper::{Machine, rfc3339};
use portcullis_keys::{StatementKey, webhook};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Mail and webhooks.
pub struct Everywhere {
    mailer: Option<Arc<Mailer>>,
    webhooks: BTreeMap<String, String>,
    machine: Machine,
    key: Arc<dyn StatementKey>,
}

impl Post for Everywhere {
    fn deliver(&self, letter: &Letter, now: Time) -> Outcome {
        match (&letter.reach, &self.mailer) {
            (Reach::Mail(_), Some(mailer)) => mailer.deliver(letter, now),
            // What the configuration leaves out says nothing about the mailbox.
            (Reach::Mail(_), None) => Outcome::Later("no mail server is configured".into()),
            (Reach::Webhook(url), _) => self.call(letter, url, now),
        }
    }
}

impl Everywhere {
    /// By this mailer, and to webhooks of these origins, each reached by an `http://HOST:PORT`.
    #[must_use]
    pub fn new(
        mailer: Option<Arc<Mailer>>,
        webhooks: BTreeMap<String, String>,
        machine: Machine,
        key: Arc<dyn StatementKey>,
    ) -> Self {
        Self {
            mailer,
            webhooks,
            machine,
            key,
        }
    }

    /// Only where the configuration says how an origin is reached: a customer's URL leads nowhere else.
    fn call(&self, letter: &Letter, url: &str, now: Time) -> Outcome {
        let known = self.webhooks.iter().find_map(|(origin, by)| {
            let path = url.strip_prefix(origin.as_str())?;
            let ends = path.is_empty() || path.starts_with(['/', '?']);
            ends.then(|| (by, format!("{by}{path}")))
        });
        let Some((by, reached)) = known else {
            return Outcome::Later("the webhook's origin is not configured".into());
        };
        let id = format!("notice_{}", letter.id);
        let body = body(letter);
        let http = self.machine.http.as_ref();
        match webhook::post(http, &reached, self.key.as_ref(), &id, &body, now) {
            Ok(reply) if (200..300).contains(&reply.status) => Outcome::Accepted,
            // Standard Webhooks: gone for good.
            Ok(reply) if reply.status == 410 => Outcome::Refused("status 410".into()),
            Ok(reply) => Outcome::Later(format!("status {}", reply.status)),
            // What stands behind the origin may be a customer's token, and this goes into the log.
            Err(error) => Outcome::Later(error.to_string().replace(&reached, by)),
        }
    }
}

fn body(letter: &Letter) -> String {
    let Letter {
        kind,
        act,
        entry,
        subject,
        body,
        ..
    } = letter;
    let data = json!({"act": act, "entry": entry, "subject": subject, "text": body});
    let time = rfc3339(letter.time);
    json!({"type": format!("notice.{kind}"), "timestamp": time, "data": data}).to_string()
}
