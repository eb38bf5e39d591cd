//! What reports for people have in common: each is one HTML file that needs nothing beside it, without a script,
//! to be read on a screen, on a phone and on paper, in light and in dark.

/// How they look. Stands in the file's head.
pub const STYLE: &str = include_str!("style.css");

/// Text as it may stand in HTML, in an attribute too.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// What is said of each of many, one after the other.
pub fn each<T>(things: impl IntoIterator<Item = T>, say: impl Fn(T) -> String) -> String {
    things.into_iter().map(say).collect::<Vec<_>>().concat()
}

/// A number with its thousands apart.
#[must_use]
pub fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_texts() {
        for (number, want) in [(0, "0"), (999, "999"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), want);
        }
        assert_eq!(
            escape("<a & 'b' \"c\">"),
            "&lt;a &amp; &#39;b&#39; &quot;c&quot;&gt;"
        );
    }
}
