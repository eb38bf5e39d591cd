//! The herald: the keeper that holds customers' contacts and the mail credentials, so the platform's
//! voice.
//!
//! It listens nowhere and believes nobody. It follows the journal, and what really stands there, cosigned,
//! it tells those whom it concerns, by mail or webhook. Delays begin with its word that it has told
//! (docs/design/037), so a platform that is told to be silent cannot be hurried either.

mod assets;
mod campaign;
mod codes;
mod config;
mod contacts;
mod duties;
mod everywhere;
mod herald;
mod link;
mod mail;
mod notice;
mod outbox;
mod post;
mod run;
mod text;

pub use assets::Assets;
pub use config::{Config, ConfigError, Mail, Security};
pub use everywhere::Everywhere;
pub use herald::{Herald, HeraldError, Parts, Step};
pub use mail::{MailError, Mailer};
pub use post::{Letter, Outcome, Post, PostOffice, Postman};
pub use run::{RunError, run, shut};
pub use text::{TemplateError, Templates};
