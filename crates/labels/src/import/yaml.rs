//! YAML as a stream of tokens, of which only a plain tree is let through: no anchors, no aliases, no
//! tags, one document, a few levels deep. Nothing is expanded and no tree is built, so what a file can
//! take in memory is its own size.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, StrInput};

use super::{ImportError, MAX_VALUE};

/// Deepest nesting. A TagPack needs four: the pack, its tags, a tag, its concepts.
const MAX_DEPTH: usize = 8;

/// One token.
pub(super) enum Token<'a> {
    /// A text, a number, anything that is written in one piece.
    Scalar(Cow<'a, str>),
    /// Nothing: an empty value, `~` or `null`.
    Null,
    /// A list begins.
    Sequence,
    /// A mapping begins.
    Mapping,
    /// The innermost list or mapping ends.
    End,
    /// The document is over.
    Over,
}

/// The tokens of a file.
pub(super) struct Tokens<'a> {
    parser: Parser<'a, StrInput<'a>>,
    depth: usize,
    documents: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self {
            parser: Parser::new_from_str(text),
            depth: 0,
            documents: 0,
        }
    }

    /// The next token, and its line.
    pub(super) fn next(&mut self) -> Result<(Token<'a>, u64), ImportError> {
        loop {
            let Some(event) = self.parser.next_event() else {
                return Ok((Token::Over, 0));
            };
            let (event, span) = event.map_err(|error| not_yaml(&error))?;
            let line = number(span.start.line());
            if let Some(token) = self.token(event, line)? {
                return Ok((token, line));
            }
        }
    }

    /// Skips the value that this token begins.
    pub(super) fn skip(&mut self, first: &Token<'a>) -> Result<(), ImportError> {
        if !matches!(first, Token::Sequence | Token::Mapping) {
            return Ok(());
        }
        let outside = self.depth - 1;
        while self.depth > outside {
            if let (Token::Over, line) = self.next()? {
                return Err(ImportError::WrongType { line });
            }
        }
        Ok(())
    }

    fn token(&mut self, event: Event<'a>, line: u64) -> Result<Option<Token<'a>>, ImportError> {
        let (anchor, tag, token) = match event {
            Event::Nothing | Event::StreamStart | Event::DocumentEnd => return Ok(None),
            Event::StreamEnd => return Ok(Some(Token::Over)),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(ImportError::SecondDocument { line });
                }
                return Ok(None);
            }
            Event::Alias(_) => return Err(ImportError::Alias { line }),
            Event::SequenceEnd | Event::MappingEnd => {
                self.depth = self.depth.saturating_sub(1);
                return Ok(Some(Token::End));
            }
            Event::Scalar(text, style, anchor, tag) => {
                (anchor, tag.is_some(), scalar(text, style, line)?)
            }
            Event::SequenceStart(anchor, tag) => (anchor, tag.is_some(), Token::Sequence),
            Event::MappingStart(anchor, tag) => (anchor, tag.is_some(), Token::Mapping),
        };
        if anchor != 0 {
            return Err(ImportError::Anchor { line });
        }
        if tag {
            return Err(ImportError::YamlTag { line });
        }
        if matches!(token, Token::Sequence | Token::Mapping) {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(ImportError::Depth { line });
            }
        }
        Ok(Some(token))
    }
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle, line: u64) -> Result<Token<'_>, ImportError> {
    if text.len() > MAX_VALUE {
        return Err(ImportError::LongValue { line });
    }
    let plain = style == ScalarStyle::Plain;
    if plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL") {
        return Ok(Token::Null);
    }
    Ok(Token::Scalar(text))
}

fn not_yaml(error: &ScanError) -> ImportError {
    let line = number(error.marker().line());
    // The parser has no kind of its own for unknown anchors, which only an alias can name.
    if error.info().contains("unknown anchor") {
        return ImportError::Alias { line };
    }
    ImportError::Yaml {
        line,
        what: super::own::shown(error.info()),
    }
}

fn number(line: usize) -> u64 {
    u64::try_from(line).unwrap_or(u64::MAX)
}
