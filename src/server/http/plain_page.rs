//! Pages of plain HTML in the product's look: for whoever need not load the product, or cannot yet.

use axum::http::HeaderMap;
use leptos::nonce::Nonce;

use super::{assets, session};
use crate::server::config::PublicUrl;

const FRAME: &str = include_str!("plain_page.html");

/// One page.
pub struct PlainPage<'a> {
    pub title: &'a str,
    /// From `<body …>` to `</body>`: ours, with `{base}`, `{nonce}` and the names of `values` to be filled in.
    pub body: &'a str,
    /// Texts, escaped as they are filled in.
    pub values: &'a [(&'a str, &'a str)],
}

impl PlainPage<'_> {
    /// The document, in the theme that the request's cookie names.
    #[must_use]
    pub fn document(&self, url: &PublicUrl, nonce: &Nonce, headers: &HeaderMap) -> String {
        let base = url.base();
        let css = assets::of_page(base).map_or_else(String::new, |assets| assets.css);
        let theme = match session::value_of(headers, "patchbay_theme").as_deref() {
            Some("light") => " data-theme=\"light\"",
            Some("dark") => " data-theme=\"dark\"",
            _ => "",
        };
        let frame = FRAME.replace("{theme}", theme).replace("{css}", &css).replace("{body}", self.body);
        let frame = frame.replace("{base}", base).replace("{nonce}", nonce).replace("{title}", &escaped(self.title));
        // Last, so that nothing that is filled in is taken for a name to be filled in.
        self.values.iter().fold(frame, |text, (name, value)| text.replace(&format!("{{{name}}}"), &escaped(value)))
    }
}

/// Text in HTML, or in an attribute between double quotes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_filled_in_breaks_out_of_its_place() {
        assert_eq!(escaped("<b a=\"c\">&"), "&lt;b a=&quot;c&quot;&gt;&amp;");
    }

    #[test]
    fn what_is_filled_in_fills_in_nothing_itself() {
        let url = PublicUrl::parse("https://a.example/x").expect("a URL");
        let page =
            PlainPage { title: "{message}", body: "<body>{message} {base}</body>", values: &[("message", "<{base}>")] };
        let document = page.document(&url, &Nonce::from_value("n"), &HeaderMap::new());
        assert!(document.contains("<body>&lt;{base}&gt; /x</body>"), "{document}");
    }
}
