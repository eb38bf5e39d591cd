//! Bytes into UTF-8.

use encoding_rs::Encoding;
use encoding_rs_io::DecodeReaderBytesBuilder;
use std::io::Read;

/// UTF-8 and UTF-16 by their marks; else as the mapping says; else UTF-8. What is no text in it becomes
/// U+FFFD, by which a row is refused.
pub(super) fn decoded<'a>(
    file: impl Read + 'a,
    encoding: Option<&'static Encoding>,
) -> impl Read + 'a {
    DecodeReaderBytesBuilder::new()
        .encoding(Some(encoding.unwrap_or(encoding_rs::UTF_8)))
        .bom_override(true)
        .build(file)
}
