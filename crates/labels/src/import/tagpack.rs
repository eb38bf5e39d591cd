//! GraphSense TagPacks: a header, and tags that have its members where they have none of their own.
//! <https://github.com/graphsense/graphsense-tagpack-tool>, `README_tagpacks.md`.
//!
//! The file is read twice, because members of the header may follow the tags: once for the header and
//! once for the tags, one of which is in memory at a time.

use std::borrow::Cow;

use super::own::shown;
use super::report::{Entering, Entry};
use super::yaml::{Token, Tokens};
use super::{ImportError, MAX_YAML, Reject, Rules, asset, lines_of, taxonomy};
use crate::rating::Category;

/// Most members of a mapping.
const MAX_MEMBERS: usize = 64;

pub(super) fn read(
    bytes: &[u8],
    rules: Rules,
    entering: &mut Entering<'_>,
) -> Result<(), ImportError> {
    let text = lines_of(bytes, MAX_YAML)?;
    let header = header(text)?;
    let mut tokens = Tokens::of(text);
    mapping(&mut tokens, |name, first, tokens, line| {
        match (name, first) {
            ("tags", Token::Sequence) => tags(tokens, &header, rules, entering),
            ("tags", _) => Err(ImportError::WrongType { line }),
            (_, first) => tokens.skip(&first),
        }
    })
}

/// What a tag may have, or its header for it.
#[derive(Default)]
struct Members<'a> {
    address: Option<Cow<'a, str>>,
    label: Option<Cow<'a, str>>,
    title: Option<Cow<'a, str>>,
    currency: Option<Cow<'a, str>>,
    network: Option<Cow<'a, str>>,
    confidence: Option<Cow<'a, str>>,
    category: Option<Cow<'a, str>>,
    abuse: Option<Cow<'a, str>>,
    /// The gravest of them.
    concepts: Option<Category>,
}

impl<'a> Members<'a> {
    /// Takes a member that matters here, and skips any other.
    fn take(
        &mut self,
        name: &str,
        first: Token<'a>,
        tokens: &mut Tokens<'a>,
        line: u64,
    ) -> Result<(), ImportError> {
        let member = match name {
            "address" => &mut self.address,
            "label" => &mut self.label,
            "title" => &mut self.title,
            "currency" => &mut self.currency,
            "network" => &mut self.network,
            "confidence" => &mut self.confidence,
            "category" => &mut self.category,
            "abuse" => &mut self.abuse,
            "concepts" => return self.take_concepts(&first, tokens, line),
            _ => return tokens.skip(&first),
        };
        match first {
            Token::Scalar(text) => *member = Some(text),
            Token::Null => {}
            _ => return Err(ImportError::WrongType { line }),
        }
        Ok(())
    }

    fn take_concepts(
        &mut self,
        first: &Token<'a>,
        tokens: &mut Tokens<'a>,
        line: u64,
    ) -> Result<(), ImportError> {
        match first {
            Token::Sequence => {}
            Token::Null => return Ok(()),
            _ => return Err(ImportError::WrongType { line }),
        }
        loop {
            match tokens.next()? {
                (Token::Scalar(name), _) => {
                    let known = taxonomy::concept(&name);
                    self.concepts = [self.concepts, known].into_iter().flatten().min();
                }
                (Token::Null, _) => {}
                (Token::End, _) => return Ok(()),
                (_, line) => return Err(ImportError::WrongType { line }),
            }
        }
    }
}

/// Everything but the tags.
fn header(text: &str) -> Result<Members<'_>, ImportError> {
    let mut header = Members::default();
    let mut has_tags = false;
    let mut tokens = Tokens::of(text);
    mapping(&mut tokens, |name, first, tokens, line| {
        has_tags |= name == "tags";
        header.take(name, first, tokens, line)
    })?;
    if has_tags {
        Ok(header)
    } else {
        Err(ImportError::NoTags)
    }
}

/// Reads the document, which is one mapping.
fn mapping<'a>(
    tokens: &mut Tokens<'a>,
    member: impl FnMut(&str, Token<'a>, &mut Tokens<'a>, u64) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    match tokens.next()? {
        (Token::Mapping, _) => {}
        (Token::Over, _) => return Err(ImportError::NoTags),
        (_, line) => return Err(ImportError::WrongType { line }),
    }
    members(tokens, member)?;
    match tokens.next()? {
        (Token::Over, _) => Ok(()),
        (_, line) => Err(ImportError::WrongType { line }),
    }
}

/// Hands over each member of a mapping that has begun, with the first token of its value.
fn members<'a>(
    tokens: &mut Tokens<'a>,
    mut member: impl FnMut(&str, Token<'a>, &mut Tokens<'a>, u64) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut seen: Vec<Cow<'a, str>> = Vec::new();
    loop {
        let (name, line) = match tokens.next()? {
            (Token::Scalar(name), line) => (name, line),
            (Token::End, _) => return Ok(()),
            (_, line) => return Err(ImportError::WrongType { line }),
        };
        if seen.contains(&name) {
            let name = shown(&name);
            return Err(ImportError::Duplicate { line, name });
        }
        if seen.len() == MAX_MEMBERS {
            return Err(ImportError::ManyMembers { line });
        }
        let (first, _) = tokens.next()?;
        member(&name, first, tokens, line)?;
        seen.push(name);
    }
}

/// Reads the list of tags, which has begun.
fn tags(
    tokens: &mut Tokens<'_>,
    header: &Members<'_>,
    rules: Rules,
    entering: &mut Entering<'_>,
) -> Result<(), ImportError> {
    loop {
        let line = match tokens.next()? {
            (Token::Mapping, line) => line,
            (Token::End, _) => return Ok(()),
            (_, line) => return Err(ImportError::WrongType { line }),
        };
        let mut tag = Members::default();
        members(tokens, |name, first, tokens, line| {
            tag.take(name, first, tokens, line)
        })?;
        entering.row(line, entry(&tag, header, rules))?;
    }
}

fn entry<'a>(
    tag: &'a Members<'_>,
    header: &'a Members<'_>,
    rules: Rules,
) -> Result<Entry<'a>, Reject> {
    let said = Said { tag, header };
    let address = tag.address.as_deref().ok_or(Reject::NoAddress)?;
    let network = said.of(|members| members.network.as_deref());
    let network = network.or_else(|| said.of(|members| members.currency.as_deref()));
    let places = asset::places(network.ok_or(Reject::NoAsset)?).ok_or(Reject::Asset)?;
    let category = said.category();
    let confidence = said.of(|members| members.confidence.as_deref());
    let doubt = taxonomy::doubt(confidence.unwrap_or_default());
    let label = said.of(|members| members.label.as_deref());
    let found = asset::key(places, address.trim(), rules.evm)?;
    Ok(Entry {
        key: found.key,
        elsewhere: found.elsewhere,
        rating: rules.rating(category, category.usual_risk().less(doubt)),
        text: label.or(header.title.as_deref()).ok_or(Reject::NoText)?,
    })
}

/// A tag and the header that speaks where the tag does not.
struct Said<'a> {
    tag: &'a Members<'a>,
    header: &'a Members<'a>,
}

impl<'a> Said<'a> {
    fn of(&self, member: fn(&'a Members<'a>) -> Option<&'a str>) -> Option<&'a str> {
        member(self.tag).or_else(|| member(self.header))
    }

    /// The gravest of what abuse, category and concepts say.
    fn category(&self) -> Category {
        let abuse = self.of(|members| members.abuse.as_deref());
        let abuse = abuse.map(|name| taxonomy::concept(name).unwrap_or(Category::Abuse));
        let category = self.of(|members| members.category.as_deref());
        let category = category.and_then(taxonomy::concept);
        let concepts = self.tag.concepts.or(self.header.concepts);
        let said = [abuse, category, concepts].into_iter().flatten();
        said.min().unwrap_or(Category::Other)
    }
}
