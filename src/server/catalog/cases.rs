//! What a vendor answers, written down from its documentation as cases: `catalog/cases/<slug>.toml`. The build
//! demands them of every component that is asked over HTTP, the tests replay them.

use serde::Deserialize;
use std::collections::BTreeMap;

use super::definition::{Definition, OutcomeVerdict, Service, Source};

/// The cases of one component.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cases {
    /// The vendor pages they were written from.
    pub sources: Vec<Source>,
    pub methods: Vec<MethodCases>,
}

/// The cases of one way of authenticating; several may be of one method, for other fields filled in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodCases {
    pub id: String,
    /// Made-up values in the shape the vendor documents.
    pub fields: BTreeMap<String, String>,
    pub requests: Vec<DocumentedRequest>,
    pub cases: Vec<Case>,
    /// Kinds of case that cannot happen, and why.
    #[serde(default)]
    pub left_out: BTreeMap<Kind, String>,
}

/// A request as the vendor documents it; anything else is refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentedRequest {
    pub name: String,
    pub method: String,
    pub url: String,
    /// Query parameters that may be there or not.
    #[serde(default)]
    pub may: Vec<String>,
    /// Demanded headers in lower case; a value that ends in `*` is a prefix.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub body: Option<String>,
    #[serde(default)]
    pub body_contains: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Valid,
    Invalid,
    Insufficient,
    RateLimited,
    Broken,
}

/// What the vendor answers, and what follows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub kind: Kind,
    #[serde(default)]
    pub note: String,
    /// The answer to the only request.
    #[serde(default)]
    pub answer: Option<Answer>,
    /// By the request's name.
    #[serde(default)]
    pub answers: BTreeMap<String, Answer>,
    pub verdict: OutcomeVerdict,
    /// A text that the shown identity contains.
    #[serde(default)]
    pub identity: Option<String>,
    /// Other values than the method's in some fields.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub status: u16,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub body: String,
}

/// Kinds of case that each method needs, unless it says why one cannot happen.
const NEEDED: [Kind; 5] = [Kind::Valid, Kind::Invalid, Kind::Insufficient, Kind::RateLimited, Kind::Broken];

/// Reads the cases of a component.
///
/// # Errors
/// What is wrong with the text, or missing from it.
pub fn read(text: &str, definition: &Definition) -> Result<Cases, String> {
    let cases: Cases = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    if cases.sources.is_empty() {
        return Err("sources: name the vendor's pages".to_owned());
    }
    for method in definition.methods.iter().filter(|method| matches!(method.service, Service::Http(_))) {
        let found: Vec<_> = cases.methods.iter().filter(|cases| cases.id == method.id).collect();
        for kind in NEEDED {
            let told = |cases: &&MethodCases| {
                cases.cases.iter().any(|case| case.kind == kind) || cases.left_out.contains_key(&kind)
            };
            let there = found.iter().any(told);
            if !there {
                return Err(format!(
                    "methods.{}: no case of kind {kind:?}; write one, or say under left_out why",
                    method.id
                ));
            }
        }
    }
    Ok(cases)
}
