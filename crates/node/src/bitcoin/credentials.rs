//! The name and password with which a node lets us in.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::NodeError;

/// The most bytes of such a file; the node's own cookie has 75.
const MAX_FILE: u64 = 1024;

/// A file with one line `USER:PASSWORD`. The cookie that Bitcoin Core writes at each start is one.
pub(super) struct Credentials(PathBuf);

impl Credentials {
    pub(super) fn new(file: PathBuf) -> Self {
        Self(file)
    }

    /// The value of the header `Authorization` (RFC 7617). The file is read each time: a node that
    /// starts again writes a new cookie.
    pub(super) fn header(&self) -> Result<String, NodeError> {
        let refuse = |why: String| NodeError::Credentials(format!("{}: {why}", self.0.display()));
        let mut text = String::new();
        File::open(&self.0)
            .and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text))
            .map_err(|error| refuse(error.to_string()))?;
        let line = text.trim_end_matches(['\r', '\n']);
        let is_line = text.len() as u64 <= MAX_FILE && !line.contains(char::is_control);
        match line.split_once(':') {
            Some((user, password)) if is_line && !user.is_empty() && !password.is_empty() => {
                Ok(format!("Basic {}", STANDARD.encode(line)))
            }
            _ => Err(refuse("not one line USER:PASSWORD".to_owned())),
        }
    }
}
