//! The common case of a component in a dozen words: one base URL, one secret, one question. Everything else is JSON.

use serde_json::{Value, json};

/// What an address begins with, before anything was typed.
const SCHEME: &str = "https://";

/// Where the secret stands in a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    #[default]
    Bearer,
    Header,
    Query,
    Basic,
}

impl Place {
    pub const ALL: [Self; 4] = [Self::Bearer, Self::Header, Self::Query, Self::Basic];

    pub const fn id(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Header => "header",
            Self::Query => "query",
            Self::Basic => "basic",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer token",
            Self::Header => "API key in a header",
            Self::Query => "API key in the query",
            Self::Basic => "User and password (Basic)",
        }
    }

    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|place| place.id() == text).unwrap_or_default()
    }

    const fn kind(self) -> &'static str {
        match self {
            Self::Bearer => "bearer_token",
            Self::Header | Self::Query => "api_key",
            Self::Basic => "basic",
        }
    }

    /// Id and label of the secret.
    const fn secret(self) -> (&'static str, &'static str) {
        match self {
            Self::Bearer => ("token", "Token"),
            Self::Header | Self::Query => ("key", "API key"),
            Self::Basic => ("password", "Password"),
        }
    }
}

/// What the guided form asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guided {
    pub slug: String,
    pub name: String,
    pub category: String,
    pub docs: String,
    /// Empty: each connection gives its own.
    pub base_url: String,
    pub place: Place,
    /// Of the header or parameter.
    pub place_name: String,
    pub help: String,
    pub path: String,
    pub valid: String,
    pub invalid: String,
    pub message: String,
    pub identity: String,
    /// A data URL; empty: a letter tile.
    pub icon: String,
    /// The day (`YYYY-MM-DD`) on which the documentation was read.
    pub read: String,
}

impl Guided {
    /// Nothing was typed yet into an input that starts with nothing.
    pub fn is_blank(&self, input: &str) -> bool {
        let text = match input {
            "slug" => &self.slug,
            "name" => &self.name,
            "docs" => &self.docs,
            "base_url" => &self.base_url,
            "place_name" => &self.place_name,
            "help" => &self.help,
            "path" => &self.path,
            _ => return false,
        };
        text.is_empty() || text == SCHEME
    }

    pub fn new(today: String) -> Self {
        let text = str::to_owned;
        Self {
            slug: String::new(),
            name: String::new(),
            category: text("Internal"),
            docs: text(SCHEME),
            base_url: text(SCHEME),
            place: Place::Bearer,
            place_name: text("x-api-key"),
            help: String::new(),
            path: text("/me"),
            valid: text("200"),
            invalid: text("401"),
            message: text("The service refused this credential. Copy it again."),
            identity: String::new(),
            icon: String::new(),
            read: today,
        }
    }

    /// The whole definition.
    pub fn definition(&self) -> Value {
        let (id, label) = self.place.secret();
        let own_address = self.base_url.is_empty();
        let mut fields = Vec::new();
        if own_address {
            fields
                .push(json!({ "id": "url", "label": "Address", "kind": "url", "destination": true, "plain_http": true,
                                "help": "Where the service runs.", "example": "https://api.example.com" }));
        }
        if self.place == Place::Basic {
            fields.push(json!({ "id": "user", "label": "User", "help": "The name you sign in with." }));
        }
        fields.push(json!({ "id": id, "label": label, "secret": true, "help": self.help }));
        let base_url = if own_address { "{url}" } else { self.base_url.as_str() };
        let mut service = json!({ "protocol": "http", "base_url": base_url, "probes": [self.probe(id)] });
        let secret = format!("{{{id}}}");
        match self.place {
            Place::Bearer => service["headers"] = json!({ "authorization": format!("Bearer {secret}") }),
            Place::Header => service["headers"] = json!({ self.place_name.as_str(): secret }),
            Place::Query => service["query"] = json!({ self.place_name.as_str(): secret }),
            Place::Basic => service["basic"] = json!({ "user": "{user}", "password": secret }),
        }
        let mut whole = json!({
            "slug": self.slug, "name": self.name, "category": self.category, "homepage": self.docs,
            "sources": [{ "url": self.docs, "read": self.read }],
            "methods": [{ "id": "main", "label": self.place.label(), "kind": self.place.kind(), "fields": fields,
                          "service": service }],
        });
        if !self.icon.is_empty() {
            whole["icon"] = json!(self.icon);
        }
        whole
    }

    fn probe(&self, secret: &str) -> Value {
        let mut probe = json!({ "path": self.path, "outcomes": [
            { "verdict": "valid", "status": codes(&self.valid) },
            { "verdict": "rejected", "status": codes(&self.invalid), "message": self.message, "field": secret },
        ] });
        if !self.identity.is_empty() {
            probe["identity"] = json!(self.identity);
        }
        probe
    }

    /// The same definition in the form's words; `None` where it says more than the form asks.
    pub fn of(whole: &Value) -> Option<Self> {
        let text = |pointer: &str| whole.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let service = whole.pointer("/methods/0/service")?;
        let only = |member: &str| service.get(member)?.as_object()?.keys().next().cloned();
        let label = text("/methods/0/label");
        let place = Place::ALL.into_iter().find(|place| place.label() == label)?;
        let place_name = match place {
            Place::Header => only("headers")?,
            Place::Query => only("query")?,
            Place::Bearer | Place::Basic => "x-api-key".to_owned(),
        };
        let fields = whole.pointer("/methods/0/fields")?.as_array()?;
        let probe = "/methods/0/service/probes/0";
        let codes = |index: usize| {
            let listed = whole.pointer(&format!("{probe}/outcomes/{index}/status")).and_then(Value::as_array);
            listed.into_iter().flatten().map(Value::to_string).collect::<Vec<_>>().join(", ")
        };
        let base_url = text("/methods/0/service/base_url");
        let found = Self {
            slug: text("/slug"),
            name: text("/name"),
            category: text("/category"),
            docs: text("/homepage"),
            base_url: if base_url == "{url}" { String::new() } else { base_url },
            place,
            place_name,
            help: fields.last()?.get("help")?.as_str()?.to_owned(),
            path: text(&format!("{probe}/path")),
            valid: codes(0),
            invalid: codes(1),
            message: text(&format!("{probe}/outcomes/1/message")),
            identity: text(&format!("{probe}/identity")),
            icon: text("/icon"),
            read: text("/sources/0/read"),
        };
        (found.definition() == *whole).then_some(found)
    }
}

/// The input of the guided form that a problem's place in the definition belongs to.
pub fn input_of(pointer: &str) -> Option<&'static str> {
    const INPUTS: [(&str, &str); 16] = [
        ("slug", "slug"),
        ("name", "name"),
        ("category", "category"),
        ("homepage", "docs"),
        ("sources", "docs"),
        ("icon", "icon"),
        ("methods/0/service/base_url", "base_url"),
        ("methods/0/service/headers", "place_name"),
        ("methods/0/service/query", "place_name"),
        ("methods/0/service/probes/0/path", "path"),
        ("methods/0/service/probes/0/identity", "identity"),
        ("methods/0/service/probes/0/outcomes/0", "valid"),
        ("methods/0/service/probes/0/outcomes/1/message", "message"),
        ("methods/0/service/probes/0/outcomes/1", "invalid"),
        ("methods/0/fields", "help"),
        ("methods/0/service/probes/0", "path"),
    ];
    let below = |place: &str| pointer == place || pointer.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'));
    INPUTS.into_iter().find(|(place, _)| below(place)).map(|(_, input)| input)
}

/// Status codes as typed; what is none stays a text, which the server then points at.
fn codes(text: &str) -> Value {
    let code = |word: &str| word.parse::<u16>().map_or_else(|_| json!(word), |code| json!(code));
    Value::Array(text.split([',', ' ']).filter(|word| !word.is_empty()).map(code).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acme(place: Place) -> Guided {
        let text = str::to_owned;
        Guided {
            slug: text("acme"),
            name: text("Acme"),
            docs: text("https://docs.acme.example"),
            help: text("Under Settings."),
            place,
            valid: text("200, 204"),
            ..Guided::new(text("2026-11-22"))
        }
    }

    #[test]
    fn a_definition_made_here_reads_back() {
        for place in Place::ALL {
            for base_url in ["https://api.acme.example", ""] {
                let guided = Guided { base_url: base_url.to_owned(), ..acme(place) };
                assert_eq!(Guided::of(&guided.definition()), Some(guided));
            }
        }
    }

    #[test]
    fn a_definition_that_says_more_is_left_to_json() {
        let mut whole = acme(Place::Bearer).definition();
        whole["methods"][0]["service"]["query"] = json!({ "v": "2" });
        assert_eq!(Guided::of(&whole), None);
    }

    #[test]
    fn a_problem_stands_at_the_input_it_is_about() {
        assert_eq!(input_of("methods/0/service/probes/0/outcomes/1/status/0"), Some("invalid"));
        assert_eq!(input_of("methods/0/service/base_url"), Some("base_url"));
        assert_eq!(input_of("methods/0/kind"), None);
    }
}
