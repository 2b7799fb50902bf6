//! The page's addresses: what the URL says, and the links that say it.

use leptos::prelude::*;
use std::sync::Arc;

use crate::domain::environment::Environment;
use crate::domain::filter::ListQuery;
use crate::domain::id::ConnectionId;

/// The paths below which the product is served: empty, or such as `/patchbay`. In context of every view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base {
    files: Arc<str>,
    /// Other than that of the files in a frame.
    pages: Arc<str>,
}

impl Base {
    #[must_use]
    pub fn new(path: &str) -> Self {
        let files: Arc<str> = path.trim_end_matches('/').into();
        Self { pages: Arc::clone(&files), files }
    }

    /// With pages below a path of their own.
    #[must_use]
    pub fn embedded(files: &str, pages: &str) -> Self {
        Self { pages: pages.into(), ..Self::new(files) }
    }

    #[must_use]
    pub fn expect() -> Self {
        use_context().unwrap_or_default()
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.files
    }

    #[must_use]
    pub fn pages(&self) -> &str {
        &self.pages
    }

    /// A file of the site, such as `icons/slack.webp`.
    #[must_use]
    pub fn file(&self, path: &str) -> String {
        format!("{}/{path}", self.files)
    }

    /// The list of an environment under a filter.
    #[must_use]
    pub fn list(&self, environment: Environment, query: &ListQuery) -> String {
        format!("{}/{}", self.pages, search(environment, query))
    }

    /// One connection, beside the same list.
    #[must_use]
    pub fn detail(&self, environment: Environment, query: &ListQuery, id: &ConnectionId) -> String {
        format!("{}/connections/{id}{}", self.pages, search(environment, query))
    }

    /// *Recently deleted*.
    #[must_use]
    pub fn deleted(&self, environment: Environment) -> String {
        format!("{}/deleted?env={environment}", self.pages)
    }

    /// The connection that a path shows in detail.
    #[must_use]
    pub fn opened(&self, path: &str) -> Option<ConnectionId> {
        path.strip_prefix(&*self.pages)?.strip_prefix("/connections/")?.parse().ok()
    }

    /// Whether a path shows one connection, known or not, beside the list.
    #[must_use]
    pub fn is_detail(&self, path: &str) -> bool {
        path.strip_prefix(&*self.pages).is_some_and(|rest| rest.starts_with("/connections/"))
    }

    /// A page of the settings; `environment` is where its way back leads.
    #[must_use]
    pub fn settings(&self, page: &str, environment: Environment) -> String {
        format!("{}/settings/{page}?env={environment}", self.pages)
    }

    #[must_use]
    pub fn is_settings(&self, path: &str) -> bool {
        path.strip_prefix(&*self.pages).is_some_and(|rest| rest == "/settings" || rest.starts_with("/settings/"))
    }

    #[must_use]
    pub fn is_deleted(&self, path: &str) -> bool {
        path.strip_prefix(&*self.pages).is_some_and(|rest| rest.trim_end_matches('/') == "/deleted")
    }
}

fn search(environment: Environment, query: &ListQuery) -> String {
    let mut text = format!("?env={environment}");
    for (key, value) in query.to_pairs() {
        text.push('&');
        text.push_str(key);
        text.push('=');
        encode(&value, &mut text);
    }
    text
}

/// What a URL's query asks for. Unknown values are left out, never an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub environment: Environment,
    pub query: ListQuery,
    /// The first row of a page read without WebAssembly.
    pub offset: usize,
}

impl Asked {
    /// Reads a URL's query, without its question mark. Without `env` it is Development; the server redirects
    /// such a request to the environment seen last before it comes here.
    #[must_use]
    pub fn parse(search: &str) -> Self {
        let pairs = pairs(search);
        let value = |wanted: &str| pairs.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_str());
        Self {
            environment: value("env").and_then(|text| text.parse().ok()).unwrap_or(Environment::Development),
            offset: value("from").and_then(|text| text.parse().ok()).unwrap_or(0),
            query: ListQuery::from_pairs(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))),
        }
    }
}

/// Pairs of `application/x-www-form-urlencoded` (WHATWG URL, section 5). The router's own map is not used: it
/// decodes twice, and so turns `50%25` into something else.
fn pairs(search: &str) -> Vec<(String, String)> {
    search
        .trim_start_matches('?')
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(key), decode(value))
        })
        .collect()
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = |offset: usize| bytes.get(at + offset).and_then(|digit| char::from(*digit).to_digit(16));
        match (byte, hex(1), hex(2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 2;
            }
            (b'+', ..) => decoded.push(b' '),
            _ => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn encode(value: &str, into: &mut String) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => into.push(char::from(byte)),
            b' ' => into.push('+'),
            _ => into.extend(['%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn links_begin_with_the_base() {
        let id = ConnectionId::from_bytes([1; 16]);
        let base = Base::new("/patchbay/");
        let query = ListQuery::from_pairs([("q", "a & b")]);
        let link = base.detail(Environment::Staging, &query, &id);
        assert_eq!(link, format!("/patchbay/connections/{id}?env=staging&q=a+%26+b"));
        assert_eq!(base.opened(&format!("/patchbay/connections/{id}")), Some(id));
        assert!(base.is_deleted("/patchbay/deleted"));
        assert!(Base::default().is_deleted("/deleted"));
        assert!(base.is_settings(base.settings("keys", Environment::Staging).trim_end_matches("?env=staging")));
        assert!(!base.is_settings("/settings/keys") && !base.is_settings("/patchbay/settingsx"));
    }

    #[test]
    fn a_broken_query_is_read_as_far_as_it_goes() {
        let asked = Asked::parse("env=nowhere&q=50%25&q=100%&status=odd&from=x&&=");
        assert_eq!(asked.environment, Environment::Development);
        assert_eq!(asked.query.filter.text, "100%");
        assert_eq!((asked.query.filter.status, asked.offset), (None, 0));
    }

    proptest! {
        #[test]
        fn a_link_says_what_it_was_made_from(text in "\\PC{0,40}", tag in "[a-zäß%&=+ ]{1,20}") {
            let query = ListQuery::from_pairs([("q", text.as_str()), ("tag", tag.as_str())]);
            let link = Base::default().list(Environment::Production, &query);
            let asked = Asked::parse(link.trim_start_matches("/?"));
            prop_assert_eq!(asked.environment, Environment::Production);
            prop_assert_eq!(asked.query, query);
        }
    }
}
