//! How large a statement may be. Cedar's parser and evaluator recurse, and give up where *this thread's*
//! stack runs low: text that nests deeply would be decided one way here and another way there, or end the
//! process. Brackets cost it most, everything else nests no deeper than a statement has words; so both
//! are counted before Cedar sees any.

use super::PolicyFault;

/// Most words and marks of one statement.
const MAX_WORDS: usize = 128;
/// Most brackets that are open at once.
const MAX_DEPTH: usize = 16;

/// Printable text of statements that are each small enough.
pub(super) fn check(text: &str) -> Result<(), PolicyFault> {
    // What people approve is what they see.
    let is_plain = |byte: u8| byte == b'\n' || byte == b'\t' || (b' '..=b'~').contains(&byte);
    if !text.bytes().all(is_plain) {
        return Err(PolicyFault::NotPlain);
    }
    let (mut rest, mut words, mut depth) = (text.as_bytes(), 0_usize, 0_usize);
    while let Some((&first, behind)) = rest.split_first() {
        let length = match first {
            b'"' => string(behind).ok_or(PolicyFault::NotCedar)?,
            b'/' if behind.first() == Some(&b'/') => run(rest, |byte| byte != b'\n'),
            first if is_word(first) => run(rest, is_word),
            _ => 1,
        };
        let is_comment = first == b'/' && length > 1;
        words = match first {
            b';' => 0,
            first if is_comment || first.is_ascii_whitespace() => words,
            _ => words.saturating_add(1),
        };
        depth = match first {
            b'(' | b'[' | b'{' => depth.saturating_add(1),
            b')' | b']' | b'}' => depth.saturating_sub(1),
            _ => depth,
        };
        if words > MAX_WORDS || depth > MAX_DEPTH {
            return Err(PolicyFault::StatementTooLarge);
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn run(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| belongs(**byte)).count()
}

/// The length of a string with both its quotes; `behind` follows the first.
fn string(behind: &[u8]) -> Option<usize> {
    let mut at = 0_usize;
    loop {
        match behind.get(at)? {
            b'"' => return Some(at.saturating_add(2)),
            b'\\' => at = at.saturating_add(2),
            _ => at = at.saturating_add(1),
        }
    }
}
