//! The page behind the links in the herald's notices: three files, the same for everybody.
//!
//! The page is told nothing of whoever opens it, and its script speaks to nobody but this board, by the one posting
//! that the button makes.

use crate::response::Response;
use portcullis_core::Network;

const HTML: &str = include_str!("page/stop.html");
const SCRIPT: &str = include_str!("page/stop.js");
const STYLE: &str = include_str!("page/stop.css");

/// What a browser may do with the page: run its own script, and speak to this board.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// The page of a network that has a herald.
#[derive(Clone)]
pub(crate) struct LinkPage {
    html: String,
}

impl LinkPage {
    /// `name` is the platform's, as its customers know it; without one the network's own stands there.
    pub(crate) fn new(network: &Network, name: Option<&str>) -> Option<Self> {
        let herald = network.herald()?.id.to_string();
        let name = escaped(name.unwrap_or(&network.genesis().network));
        let html = HTML
            .replace("{genesis}", &network.digest().to_string())
            .replace("{herald}", &herald)
            .replace("{name}", &name);
        Some(Self { html })
    }

    pub(crate) fn html(&self) -> Response {
        Response::new(200, "text/html; charset=utf-8", self.html.as_str())
    }

    pub(crate) fn script() -> Response {
        Response::new(200, "text/javascript; charset=utf-8", SCRIPT)
    }

    pub(crate) fn style() -> Response {
        Response::new(200, "text/css; charset=utf-8", STYLE)
    }
}

fn escaped(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        c => c.to_string(),
    });
    escaped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_markup() {
        assert_eq!(
            escaped("A & <b>\"B\"</b>"),
            "A &amp; &lt;b&gt;&quot;B&quot;&lt;/b&gt;"
        );
    }

    /// The policy would shut it out; it must not be written in the first place.
    #[test]
    fn nothing_in_it_is_from_elsewhere_or_inline() {
        for text in [HTML, SCRIPT, STYLE] {
            for barred in [
                "http:",
                "https:",
                "//cdn",
                "style=",
                "onclick",
                "innerHTML",
                "eval(",
            ] {
                assert!(!text.contains(barred), "{barred}");
            }
        }
        assert!(!HTML.contains("<style") && HTML.matches("<script").count() == 1);
    }
}
