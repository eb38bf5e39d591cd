//! Files that are something else, told by how they begin.

use super::Form;

/// What such a file is, and what makes rows of it; none where it may be what it should.
pub(super) fn of_something_else(head: &[u8], form: Form) -> Option<&'static str> {
    const PACKED: [(&[u8], &str); 5] = [
        (
            b"\x1f\x8b",
            "is packed by gzip: unpack it first, gunzip FILE",
        ),
        (
            b"\x28\xb5\x2f\xfd",
            "is packed by zstd: unpack it first, unzstd FILE",
        ),
        (b"BZh", "is packed by bzip2: unpack it first, bunzip2 FILE"),
        (
            b"PK\x03\x04",
            "is a spreadsheet or a zip archive: save it as CSV, or unpack it",
        ),
        (b"PAR1", "is Parquet: export it as CSV"),
    ];
    let packed = PACKED.iter().find(|(mark, _)| head.starts_with(mark));
    if let Some((_, what)) = packed {
        return Some(what);
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    match (text.trim_ascii_start().first(), form) {
        (Some(b'['), Form::JsonLines) => Some(
            "is one JSON array: put each of its objects on a line, jq -c '.[]' FILE | portcullis shadow --from -",
        ),
        (Some(b'{' | b'['), Form::Csv) => Some(
            "is JSON, read as CSV: give it a name that ends in .jsonl, with an object on each line (jq -c)",
        ),
        _ => None,
    }
}
