//! As much of JSON Schema (2020-12) as our own schemas use. A keyword that it does not know fails: nothing
//! is passed over in silence.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

use serde_json::Value;

/// Checks values against a schema.
pub struct Checker<'a>(pub &'a Value);

type Checked = Result<(), String>;

impl Checker<'_> {
    /// Whether the value is of the schema; where and what is wrong otherwise.
    pub fn check(&self, value: &Value) -> Checked {
        self.is(self.0, value, "")
    }

    fn is(&self, schema: &Value, value: &Value, at: &str) -> Checked {
        for (keyword, wants) in schema.as_object().unwrap() {
            self.keyword(schema, keyword, wants, value, at)?;
        }
        Ok(())
    }

    fn keyword(
        &self,
        schema: &Value,
        keyword: &str,
        wants: &Value,
        value: &Value,
        at: &str,
    ) -> Checked {
        let must = |is: bool| {
            if is {
                Ok(())
            } else {
                Err(format!("{at}: {value} is not {keyword} {wants}"))
            }
        };
        let number = |value: &Value| {
            value
                .as_i64()
                .map(i128::from)
                .or(value.as_u64().map(i128::from))
        };
        match keyword {
            "$schema" | "$defs" | "title" | "description" | "then" | "else" => Ok(()),
            "$ref" => {
                let place = wants.as_str().unwrap().trim_start_matches('#');
                self.is(self.0.pointer(place).unwrap(), value, at)
            }
            "type" => {
                let names = wants
                    .as_array()
                    .map_or(vec![wants], |all| all.iter().collect());
                must(names.iter().any(|name| is_a(name.as_str().unwrap(), value)))
            }
            "const" => must(value == wants),
            "enum" => must(wants.as_array().unwrap().contains(value)),
            "minimum" => must(number(value).is_none_or(|n| n >= number(wants).unwrap())),
            "minItems" => must(
                value
                    .as_array()
                    .is_none_or(|all| all.len() as u64 >= wants.as_u64().unwrap()),
            ),
            "minLength" => must(
                value
                    .as_str()
                    .is_none_or(|text| text.len() as u64 >= wants.as_u64().unwrap()),
            ),
            "pattern" => must(
                value
                    .as_str()
                    .is_none_or(|text| matches(wants.as_str().unwrap(), text)),
            ),
            "required" => {
                let names = wants
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|name| name.as_str().unwrap());
                must(
                    value
                        .as_object()
                        .is_none_or(|it| names.into_iter().all(|name| it.contains_key(name))),
                )
            }
            "not" => must(self.is(wants, value, at).is_err()),
            "if" => {
                let branch = if self.is(wants, value, at).is_ok() {
                    "then"
                } else {
                    "else"
                };
                schema
                    .get(branch)
                    .map_or(Ok(()), |branch| self.is(branch, value, at))
            }
            "items" => {
                let mut all = value.as_array().into_iter().flatten().enumerate();
                all.try_for_each(|(n, item)| self.is(wants, item, &format!("{at}/{n}")))
            }
            "propertyNames" => {
                let mut names = value.as_object().into_iter().flatten();
                names.try_for_each(|(name, _)| self.is(wants, &name.as_str().into(), at))
            }
            "properties" => {
                let mut known = wants.as_object().unwrap().iter();
                known.try_for_each(|(name, of)| {
                    value
                        .get(name)
                        .map_or(Ok(()), |value| self.is(of, value, &format!("{at}/{name}")))
                })
            }
            "additionalProperties" => {
                let named = |name: &str| {
                    schema
                        .get("properties")
                        .is_some_and(|known| known.get(name).is_some())
                };
                let mut more = value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .filter(|(name, _)| !named(name));
                more.try_for_each(|(name, value)| match wants {
                    Value::Bool(false) => Err(format!("{at}: {name} is not expected")),
                    of => self.is(of, value, &format!("{at}/{name}")),
                })
            }
            other => panic!("the checker does not know {other}"),
        }
    }
}

fn is_a(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("no type {other}"),
    }
}

/// The two patterns of the schema: a number, and CAIP-19. Another one is another line here.
fn matches(pattern: &str, text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match pattern {
        "^(0|[1-9][0-9]*)$" => text == "0" || (digits(text) && !text.starts_with('0')),
        "^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}/[-a-z0-9]{3,8}:[-.%a-zA-Z0-9]{1,128}$" => {
            text.parse::<portcullis_chains::AssetId>().is_ok()
        }
        other => panic!("the checker does not know the pattern {other}"),
    }
}
