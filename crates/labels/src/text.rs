//! What a label says, and where a set is from: short text that people read on pages and in logs.

/// The longest text, in bytes.
pub const MAX_LABEL: usize = 128;

/// Why a text cannot stand in a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum TextError {
    /// Nothing, or nothing but spaces.
    #[error("the text is empty")]
    Empty,
    /// Longer than [`MAX_LABEL`].
    #[error("the text is too long: at most {MAX_LABEL} bytes")]
    TooLong,
    /// A control character, one that steers the direction of text, or one without width: what is
    /// shown would not be what is written.
    #[error("the text has a character that is not seen, or changes how others are seen")]
    Hidden,
    /// Spaces at an end, which nobody sees.
    #[error("the text begins or ends with a space")]
    Spaces,
}

/// Checks a text as it stands in a set.
pub(crate) fn check(text: &str) -> Result<(), TextError> {
    if text.len() > MAX_LABEL {
        Err(TextError::TooLong)
    } else if text.trim().is_empty() {
        Err(TextError::Empty)
    } else if text.contains(is_hidden) {
        Err(TextError::Hidden)
    } else if text.trim().len() < text.len() {
        Err(TextError::Spaces)
    } else {
        Ok(())
    }
}

/// As in contacts (`docs/spec/contact.md`), and the two separators that end a line.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200B}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{FEFF}'
                | '\u{FFF9}'..='\u{FFFB}'
                | '\u{E0000}'..='\u{E007F}'
        )
}
