//! The platform's mail server: a real one, which judges each message's DKIM signature by the key that the
//! sender publishes, and keeps a record of what it took.

use crate::error::DrillError;
use crate::process::{Running, failed};
use crate::wait::until;
use serde::Deserialize;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Where the DNS of the herald's domain has its key (RFC 6376, section 3.6.2.1).
const KEY_NAME: &str = "development._domainkey.localhost";

/// A message that the server took.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Message {
    /// To whom.
    pub(crate) to: String,
    /// Whether its signature is good.
    #[serde(rename = "dkim")]
    pub(crate) is_signed: bool,
    headers: Vec<(String, String)>,
    /// The text.
    pub(crate) body: String,
}

impl Message {
    /// What it is about, in a line.
    pub(crate) fn subject(&self) -> &str {
        let mut headers = self.headers.iter();
        let subject = headers.find(|(name, _)| name == "Subject");
        subject.map_or("", |(_, value)| value)
    }

    /// The act that its last line names, in hexadecimal.
    pub(crate) fn act(&self) -> &str {
        let last = self.body.trim_end().rsplit(", act ").next();
        last.unwrap_or_default()
    }
}

/// The server, for as long as this lives.
pub(crate) struct MailServer {
    _process: Running,
    record: PathBuf,
    address: SocketAddr,
    read: Mutex<Read>,
}

/// How far the record has been read.
#[derive(Default)]
struct Read {
    bytes: u64,
    messages: Vec<Message>,
}

impl MailServer {
    /// Start it, with its record and keys of its own in a folder. It judges by the key that is in a file once
    /// the first message comes.
    pub(crate) fn start(program: &Path, folder: &Path, key: &Path) -> Result<Self, DrillError> {
        let record = folder.join("mail.jsonl");
        let mut command = Command::new(program);
        command.arg(folder);
        command
            .arg("--key")
            .arg(format!("{KEY_NAME}={}", key.display()));
        // It ends when nobody holds the other end any more.
        let process = Running::start(command.stdin(Stdio::piped()), "mail server", &record)?;
        let port = until("the mail server's port", || Ok(port(&record)));
        let port = port.map_err(|error| failed("mail server", &record, &error.to_string()))?;
        Ok(Self {
            _process: process,
            record,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            read: Mutex::default(),
        })
    }

    /// Where it takes mail.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Look at each message that came after so many, all of which count as seen then.
    pub(crate) fn look(
        &self,
        seen: &mut usize,
        look: impl FnMut(&Message),
    ) -> Result<(), DrillError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let more = read.more(&self.record);
        more.map_err(|error| DrillError::File(self.record.clone(), error))?;
        read.messages[*seen..].iter().for_each(look);
        *seen = read.messages.len();
        Ok(())
    }

    /// Until somebody has a message whose text says this.
    pub(crate) fn until_told(&self, to: &str, what: &str) -> Result<Message, DrillError> {
        let (mut seen, mut found) = (0, None);
        until(&format!("a message to {to} of {what}"), || {
            self.look(&mut seen, |message| {
                if message.to == to && message.body.contains(what) {
                    found.get_or_insert_with(|| message.clone());
                }
            })?;
            Ok(found.take())
        })
    }
}

impl Read {
    /// Whole lines that have come since. What is no message is the server's own talk.
    fn more(&mut self, record: &Path) -> std::io::Result<()> {
        let (mut file, mut text) = (File::open(record)?, String::new());
        file.seek(SeekFrom::Start(self.bytes))?;
        file.read_to_string(&mut text)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let lines = text[..whole].lines();
        let messages = lines.filter_map(|line| serde_json::from_str(line).ok());
        self.messages.extend(messages);
        self.bytes += whole as u64;
        Ok(())
    }
}

/// The first line that it prints.
fn port(record: &Path) -> Option<u16> {
    let text = std::fs::read_to_string(record).ok()?;
    let (first, _) = text.split_once('\n')?;
    first.strip_prefix("port ")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_record_is_read_on_from_where_its_last_whole_line_ended() {
        let folder = tempfile::tempdir().unwrap();
        let record = folder.path().join("mail.jsonl");
        let mut file = File::create(&record).unwrap();
        let line = |to: &str| {
            format!(
                r#"{{"to":"{to}","dkim":true,"headers":[["Subject","S"]],"body":"B\nNetwork n, entry 1, act ab\n"}}"#
            )
        };
        let mut read = Read::default();
        writeln!(file, "port 25\n{}", line("a@b")).unwrap();
        let half = line("c@d");
        write!(file, "{}", &half[..20]).unwrap();
        read.more(&record).unwrap();
        assert_eq!(read.messages.len(), 1);
        writeln!(file, "{}", &half[20..]).unwrap();
        read.more(&record).unwrap();
        let [first, second] = &read.messages[..] else {
            panic!("two messages: {:?}", read.messages)
        };
        assert_eq!((first.to.as_str(), second.to.as_str()), ("a@b", "c@d"));
        assert_eq!((first.subject(), first.act()), ("S", "ab"));
        assert_eq!(port(&record), Some(25));
    }
}
