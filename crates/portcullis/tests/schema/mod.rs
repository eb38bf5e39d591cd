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
            let inside = match keyword.as_str() {
                "$schema" | "$defs" | "title" | "description" | "then" | "else" => continue,
                "items" | "propertyNames" | "properties" | "additionalProperties" => {
                    self.inside(schema, keyword, value, at)
                }
                "$ref" | "not" | "if" => self.of_another(schema, keyword, value, at),
                _ => by_itself(keyword, wants, value)
                    .then_some(())
                    .ok_or_else(|| format!("{at}: {value} is not {keyword} {wants}")),
            };
            inside?;
        }
        Ok(())
    }

    fn of_another(&self, schema: &Value, keyword: &str, value: &Value, at: &str) -> Checked {
        let wants = &schema[keyword];
        match keyword {
            "$ref" => {
                let place = wants.as_str().unwrap().trim_start_matches('#');
                self.is(self.0.pointer(place).unwrap(), value, at)
            }
            "not" => match self.is(wants, value, at) {
                Ok(()) => Err(format!("{at}: {value} is {wants}")),
                Err(_) => Ok(()),
            },
            _ => {
                let holds = self.is(wants, value, at).is_ok();
                let branch = schema.get(if holds { "then" } else { "else" });
                branch.map_or(Ok(()), |branch| self.is(branch, value, at))
            }
        }
    }

    fn inside(&self, schema: &Value, keyword: &str, value: &Value, at: &str) -> Checked {
        let wants = &schema[keyword];
        let mut members = value.as_object().into_iter().flatten();
        let named = |name: &str| schema["properties"].get(name).is_some();
        match keyword {
            "items" => {
                let mut items = value.as_array().into_iter().flatten().enumerate();
                items.try_for_each(|(n, item)| self.is(wants, item, &format!("{at}/{n}")))
            }
            "propertyNames" => {
                members.try_for_each(|(name, _)| self.is(wants, &name.as_str().into(), at))
            }
            "properties" => members.try_for_each(|(name, value)| match wants.get(name) {
                Some(of) => self.is(of, value, &format!("{at}/{name}")),
                None => Ok(()),
            }),
            _ => {
                members
                    .filter(|(name, _)| !named(name))
                    .try_for_each(|(name, value)| match wants {
                        Value::Bool(false) => Err(format!("{at}: {name} is not expected")),
                        of => self.is(of, value, &format!("{at}/{name}")),
                    })
            }
        }
    }
}

/// What a keyword says of a value without looking further.
fn by_itself(keyword: &str, wants: &Value, value: &Value) -> bool {
    // Bounds are small: what a double rounds is on the same side of them.
    let number = |value: &Value| value.as_f64();
    let least = |has: usize| has as u64 >= wants.as_u64().unwrap();
    match keyword {
        "type" => {
            let names = wants
                .as_array()
                .map_or(vec![wants], |all| all.iter().collect());
            names.iter().any(|name| is_a(name.as_str().unwrap(), value))
        }
        "const" => value == wants,
        "enum" => wants.as_array().unwrap().contains(value),
        "minimum" => number(value).is_none_or(|has| has >= number(wants).unwrap()),
        "maximum" => number(value).is_none_or(|has| has <= number(wants).unwrap()),
        "maxItems" => value
            .as_array()
            .is_none_or(|all| all.len() as u64 <= wants.as_u64().unwrap()),
        "minItems" => value.as_array().is_none_or(|all| least(all.len())),
        "minLength" => value.as_str().is_none_or(|text| least(text.len())),
        "pattern" => value
            .as_str()
            .is_none_or(|text| matches(wants.as_str().unwrap(), text)),
        "required" => {
            let mut names = wants
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap());
            value
                .as_object()
                .is_none_or(|it| names.all(|name| it.contains_key(name)))
        }
        other => panic!("the checker does not know {other}"),
    }
}

fn is_a(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
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
