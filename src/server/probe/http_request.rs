//! Builds the request of a probe: the URL never leaves the host of its base, and nothing typed breaks out of its place.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use hyper::{Method, Request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::BTreeMap;
use url::Url;

use super::aws::{Signer, Unsignable};
use super::values::Values;
use crate::domain::time::Timestamp;
use crate::server::catalog::definition::{AwsSignature, HttpMethod, HttpProbe, HttpService, is_reserved_header};
use crate::server::catalog::template::{Encode, Part, RenderError, Template, TemplateError};
use crate::server::dial::host::Host;

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request and where it goes.
#[derive(Debug)]
pub struct Prepared {
    pub host: Host,
    pub port: u16,
    pub encrypted: bool,
    pub request: Request<Bytes>,
}

/// Why there is no request. What it prints is for everybody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    #[error("This component's file is wrong, so the service cannot be asked.")]
    Template(#[from] TemplateError),
    #[error("This is missing, or holds what cannot be sent.")]
    Render(#[from] RenderError),
    #[error("The address is not a complete http or https address.")]
    Address,
    #[error("What was filled in would lead to another address than the service's.")]
    LeavesBase,
    #[error("The path holds parts that lead elsewhere. Remove them.")]
    Path,
    #[error("A header holds characters that headers cannot hold.")]
    Header,
    #[error("The header {0} belongs to the connection itself. Choose the header that carries the credential.")]
    ReservedHeader(HeaderName),
    #[error("The request cannot be signed.")]
    Unsignable,
}

impl From<Unsignable> for BuildError {
    fn from(_: Unsignable) -> Self {
        Self::Unsignable
    }
}

/// Builds the request of one probe.
///
/// # Errors
/// [`BuildError`] in words for everybody.
pub fn build(
    service: &HttpService,
    probe: &HttpProbe,
    values: Values<'_>,
    now: Timestamp,
) -> Result<Prepared, BuildError> {
    let url = address(service, probe, values)?;
    let host = Host::parse(url.host_str().unwrap_or_default()).map_err(|_| BuildError::Address)?;
    let port = url.port_or_known_default().ok_or(BuildError::Address)?;
    let mut headers = common_headers(&url)?;
    for (name, value) in service.headers.iter().chain(&probe.headers) {
        if let Some((name, value)) = header(name, value, values)? {
            headers.insert(name, value);
        }
    }
    if let Some(proof) = basic(service, values)? {
        headers.insert(AUTHORIZATION, proof);
    }
    let body = body(probe, &headers, values)?;
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let mut request =
        Request::builder().method(method(probe.method)).uri(target).body(body).map_err(|_| BuildError::Address)?;
    *request.headers_mut() = headers;
    if let Some(aws) = &service.aws {
        let name = probe.aws_service.clone().unwrap_or_else(|| aws.service.clone());
        signer(aws, name, values)?.sign(&mut request, url.as_str(), now)?;
    }
    Ok(Prepared { host, port, encrypted: url.scheme() == "https", request })
}

/// How a credential enters any request to its service.
pub struct Shape {
    /// All addresses of the service begin with it.
    pub base: Url,
    pub headers: Vec<ShapedHeader>,
    pub query: Vec<(String, String)>,
    /// The request is signed instead, as a whole.
    pub signer: Option<Signer>,
}

/// A header as the component's file says.
pub struct ShapedHeader {
    pub name: HeaderName,
    pub value: HeaderValue,
    /// The same for everybody: whoever sends a request may say otherwise.
    pub is_fixed: bool,
}

/// What the component's file says of every request, filled in.
///
/// # Errors
/// As [`build`].
pub fn shape(service: &HttpService, values: Values<'_>) -> Result<Shape, BuildError> {
    let (_, base) = base(&service.base_url, values)?;
    let mut headers = Vec::new();
    for (name, value) in &service.headers {
        let is_fixed = [name, value].iter().all(|text| !text.contains('{'));
        let filled = header(name, value, values)?;
        headers.extend(filled.map(|(name, value)| ShapedHeader { name, value, is_fixed }));
    }
    if let Some(value) = basic(service, values)? {
        headers.retain(|header| header.name != AUTHORIZATION);
        headers.push(ShapedHeader { name: AUTHORIZATION, value, is_fixed: false });
    }
    let mut query = Vec::new();
    for (name, value) in &service.query {
        let filled = (optional(name, values, Encode::Plain)?, optional(value, values, Encode::Plain)?);
        if let (Some(name), Some(value)) = filled {
            query.push((name, value));
        }
    }
    let signer = service.aws.as_ref().map(|aws| signer(aws, aws.service.clone(), values)).transpose()?;
    Ok(Shape { base, headers, query, signer })
}

/// One header; `None` where what it is made of may be empty, and is.
fn header(name: &str, value: &str, values: Values<'_>) -> Result<Option<(HeaderName, HeaderValue)>, BuildError> {
    let filled = (optional(name, values, Encode::Header)?, optional(value, values, Encode::Header)?);
    let (Some(name), Some(value)) = filled else { return Ok(None) };
    let name = HeaderName::try_from(name).map_err(|_| BuildError::Header)?;
    // Typed names too: another `Host` would be another place than the one that was checked.
    if is_reserved_header(name.as_str()) {
        return Err(BuildError::ReservedHeader(name));
    }
    Ok(Some((name, header_value(&value)?)))
}

/// The header of Basic authentication, where the service wants it.
fn basic(service: &HttpService, values: Values<'_>) -> Result<Option<HeaderValue>, BuildError> {
    let Some(basic) = &service.basic else { return Ok(None) };
    let Some(user) = optional(&basic.user, values, Encode::Plain)? else { return Ok(None) };
    let password = optional(&basic.password, values, Encode::Plain)?.unwrap_or_default();
    header_value(&format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))).map(Some)
}

/// The URL of a probe's request.
///
/// # Errors
/// As [`build`].
pub fn address(service: &HttpService, probe: &HttpProbe, values: Values<'_>) -> Result<Url, BuildError> {
    let (base_text, base) = base(probe.base_url.as_ref().unwrap_or(&service.base_url), values)?;
    let path = render(&probe.path, values, Encode::PathSegment)?;
    if !path.is_empty() && (base.query().is_some() || base.fragment().is_some()) {
        return Err(BuildError::Address);
    }
    let before_query = path.split('?').next().unwrap_or_default();
    if path.contains(['\\', '#']) || path.chars().any(char::is_control) || before_query.split('/').any(is_dots) {
        return Err(BuildError::Path);
    }
    let text = if path.is_empty() { base_text } else { format!("{}{path}", base_text.trim_end_matches('/')) };
    let mut url = Url::parse(&text).map_err(|_| BuildError::Address)?;
    if url.origin() != base.origin() || !url.username().is_empty() || url.password().is_some() {
        return Err(BuildError::LeavesBase);
    }
    add_query(&mut url, &[&service.query, &probe.query], values)?;
    url.set_fragment(None);
    Ok(url)
}

/// A base URL, as text and read.
///
/// # Errors
/// As [`build`].
pub fn base(template: &str, values: Values<'_>) -> Result<(String, Url), BuildError> {
    let text = render_base(&Template::parse(template)?, values)?;
    let url = Url::parse(&text).map_err(|_| BuildError::Address)?;
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
        return Err(BuildError::Address);
    }
    Ok((text, url))
}

/// A field that is the whole of a base URL, but for a path behind it, is taken as it is; within any other, a value is
/// a part of a host name or of a path.
fn render_base(template: &Template, values: Values<'_>) -> Result<String, BuildError> {
    let origin = match template.parts() {
        [Part::Field(_) | Part::RawField(_)] => 1,
        [Part::Field(_), Part::Text(text), ..] if text.starts_with('/') => 1,
        _ => 0,
    };
    let label = |value: &str| value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    for field in template.fields().skip(origin) {
        if values.get(field).is_some_and(|value| !label(value) || value.contains("..")) {
            return Err(BuildError::LeavesBase);
        }
    }
    Ok(template.render(|name| values.get(name), Encode::Plain)?)
}

/// Whether URL parsers read a segment as this folder or the folder above.
fn is_dots(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

fn add_query(url: &mut Url, maps: &[&BTreeMap<String, String>], values: Values<'_>) -> Result<(), BuildError> {
    let mut query = url.query().unwrap_or_default().to_owned();
    for (name, value) in maps.iter().flat_map(|map| map.iter()) {
        if let (Some(name), Some(value)) =
            (optional(name, values, Encode::Plain)?, optional(value, values, Encode::Plain)?)
        {
            let separator = if query.is_empty() { "" } else { "&" };
            let (name, value) = (utf8_percent_encode(&name, RESERVED), utf8_percent_encode(&value, RESERVED));
            query = format!("{query}{separator}{name}={value}");
        }
    }
    url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
    Ok(())
}

fn common_headers(url: &Url) -> Result<HeaderMap, BuildError> {
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    Ok(HeaderMap::from_iter([
        (HOST, header_value(host)?),
        (USER_AGENT, HeaderValue::from_static(concat!("Patchbay/", env!("CARGO_PKG_VERSION")))),
        (ACCEPT, HeaderValue::from_static("application/json, */*;q=0.8")),
        (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
    ]))
}

fn body(probe: &HttpProbe, headers: &HeaderMap, values: Values<'_>) -> Result<Bytes, BuildError> {
    let Some(body) = &probe.body else { return Ok(Bytes::new()) };
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let encode = match kind {
        kind if kind.contains("json") => Encode::JsonString,
        kind if kind.contains("form-urlencoded") => Encode::PathSegment,
        _ => Encode::Plain,
    };
    Ok(Bytes::from(render(body, values, encode)?))
}

fn signer(aws: &AwsSignature, service: String, values: Values<'_>) -> Result<Signer, BuildError> {
    let session_token = match &aws.session_token {
        Some(token) => optional(token, values, Encode::Plain)?,
        None => None,
    };
    Ok(Signer {
        access_key_id: render(&aws.access_key_id, values, Encode::Plain)?,
        secret_access_key: render(&aws.secret_access_key, values, Encode::Plain)?,
        session_token: session_token.filter(|token| !token.is_empty()),
        region: render(&aws.region, values, Encode::Plain)?,
        service,
    })
}

fn render(template: &str, values: Values<'_>, encode: Encode) -> Result<String, BuildError> {
    Ok(Template::parse(template)?.render(|name| values.get(name), encode)?)
}

/// `None` where every field in it is one that may be empty, and is: the whole header or parameter is left out then.
/// Beside a field that holds something, an empty one stands for nothing.
fn optional(template: &str, values: Values<'_>, encode: Encode) -> Result<Option<String>, BuildError> {
    let template = Template::parse(template)?;
    let empty = |name: &str| values.get(name).is_none() && values.may_be_empty(name);
    if template.fields().next().is_some() && template.fields().all(empty) {
        return Ok(None);
    }
    let lookup = |name: &str| values.get(name).or_else(|| empty(name).then_some(""));
    Ok(Some(template.render(lookup, encode)?))
}

fn header_value(text: &str) -> Result<HeaderValue, BuildError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| BuildError::Header)?;
    value.set_sensitive(true);
    Ok(value)
}

const fn method(method: HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Post => Method::POST,
    }
}

#[cfg(test)]
#[path = "http_request_tests.rs"]
mod tests;
