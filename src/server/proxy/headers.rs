//! Which headers pass the proxy, in which direction.

use hyper::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, FORWARDED, HOST, HeaderMap, HeaderName,
    HeaderValue, ORIGIN, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, REFERER, SET_COOKIE, STRICT_TRANSPORT_SECURITY, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT, VIA,
};
use url::Url;

use crate::server::dial::http;
use crate::server::probe::Scrubber;
use crate::server::probe::http_request::Shape;

/// Headers of one hop (RFC 9110, section 7.6.1), beside those that `Connection` names.
const OF_ONE_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];
/// What a caller says of itself to us: its key, its cookies, where it comes from. The length is told anew.
const OF_CALLER: [HeaderName; 11] = [
    AUTHORIZATION,
    COOKIE,
    HeaderName::from_static("cookie2"),
    HOST,
    CONTENT_LENGTH,
    EXPECT,
    FORWARDED,
    ORIGIN,
    REFERER,
    VIA,
    HeaderName::from_static("x-real-ip"),
];
const OF_CALLER_BEGINNINGS: [&str; 3] = ["x-forwarded-", "sec-", "proxy-"];
/// What a service says of its own origin, which is not ours.
const OF_ORIGIN: [HeaderName; 8] = [
    SET_COOKIE,
    HeaderName::from_static("set-cookie2"),
    STRICT_TRANSPORT_SECURITY,
    HeaderName::from_static("alt-svc"),
    HeaderName::from_static("clear-site-data"),
    HeaderName::from_static("service-worker-allowed"),
    HeaderName::from_static("content-security-policy"),
    HeaderName::from_static("cross-origin-opener-policy"),
];
const OF_ORIGIN_BEGINNINGS: [&str; 2] = ["access-control-", "patchbay-"];

/// The headers of a request to the service: the caller's, and in their place those of the component's file that carry the
/// credential. What the file sets for everybody counts where the caller says nothing.
#[must_use]
pub fn outward(caller: &HeaderMap, shape: &Shape, url: &Url) -> Option<HeaderMap> {
    let mut headers = end_to_end(caller);
    let is_of_caller = |name: &HeaderName| {
        OF_CALLER.contains(name) || OF_CALLER_BEGINNINGS.iter().any(|beginning| name.as_str().starts_with(beginning))
    };
    drop_where(&mut headers, is_of_caller);
    for header in &shape.headers {
        if !(header.is_fixed && headers.contains_key(&header.name)) {
            headers.insert(header.name.clone(), header.value.clone());
        }
    }
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    headers.insert(HOST, HeaderValue::from_str(host).ok()?);
    headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(http::USER_AGENT));
    headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("identity"));
    Some(headers)
}

/// The headers of an answer to the caller.
#[must_use]
pub fn inward(service: &HeaderMap) -> HeaderMap {
    // Framed anew: a length beside chunks would be two opinions (RFC 9112, section 6.3).
    let is_chunked = service.contains_key(TRANSFER_ENCODING);
    let mut headers = end_to_end(service);
    if is_chunked {
        headers.remove(CONTENT_LENGTH);
    }
    drop_where(&mut headers, |name| {
        OF_ORIGIN.contains(name) || OF_ORIGIN_BEGINNINGS.iter().any(|beginning| name.as_str().starts_with(beginning))
    });
    headers
}

/// Drops what repeats the credential, as a link to the next page may that carries the key in its query.
pub fn drop_telling(headers: &mut HeaderMap, scrub: &Scrubber) {
    let tells = |value: &HeaderValue| {
        let text = String::from_utf8_lossy(value.as_bytes());
        scrub.clean(&text) != text
    };
    let told: Vec<_> = headers.iter().filter(|(_, value)| tells(value)).map(|(name, _)| name.clone()).collect();
    for name in told {
        headers.remove(name);
    }
}

fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let named = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<_> = named.flat_map(|value| value.split(',')).map(|name| name.trim().to_lowercase()).collect();
    let mut headers = headers.clone();
    drop_where(&mut headers, |name| OF_ONE_HOP.contains(name) || named.iter().any(|other| name == other.as_str()));
    headers
}

fn drop_where(headers: &mut HeaderMap, is_dropped: impl Fn(&HeaderName) -> bool) {
    let dropped: Vec<_> = headers.keys().filter(|name| is_dropped(name)).cloned().collect();
    for name in dropped {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::probe::http_request::ShapedHeader;
    use crate::server::vault::{SecretText, Secrets};

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    fn shaped(name: &'static str, value: &'static str, is_fixed: bool) -> ShapedHeader {
        ShapedHeader { name: HeaderName::from_static(name), value: HeaderValue::from_static(value), is_fixed }
    }

    #[test]
    fn what_is_of_one_hop_or_of_the_caller_does_not_reach_the_service() {
        let caller = map(&[
            ("authorization", "Bearer pb_canary"),
            ("cookie", "patchbay=canary"),
            ("connection", "close, X-Hop"),
            ("x-hop", "canary"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("content-length", "4"),
            ("host", "patchbay.example"),
            ("x-forwarded-for", "10.0.0.1"),
            ("origin", "https://canary.example"),
            ("x-api-key", "the caller's"),
            ("accept", "text/plain"),
            ("idempotency-key", "1"),
        ]);
        let shape = Shape {
            base: "https://api.acme.example:8443/v1".parse().expect("a URL"),
            headers: vec![shaped("x-api-key", "s3cret", false), shaped("accept", "application/json", true)],
            query: Vec::new(),
            signer: None,
        };
        let sent = outward(&caller, &shape, &shape.base).expect("headers");
        let mut told: Vec<_> =
            sent.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        told.sort();
        let agent = format!("user-agent: {}", http::USER_AGENT);
        let expected = [
            "accept-encoding: identity",
            "accept: text/plain",
            "host: api.acme.example:8443",
            "idempotency-key: 1",
            &agent,
            "x-api-key: s3cret",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_a_service_says_of_its_origin_does_not_become_ours() {
        let service = map(&[
            ("content-type", "application/json"),
            ("set-cookie", "session=1"),
            ("access-control-allow-origin", "*"),
            ("strict-transport-security", "max-age=1"),
            ("patchbay-answer", "ours"),
            ("connection", "x-hop"),
            ("x-hop", "1"),
            ("transfer-encoding", "chunked"),
            ("content-length", "7"),
            ("x-ratelimit-remaining", "12"),
        ]);
        let told = inward(&service);
        assert_eq!(told, map(&[("content-type", "application/json"), ("x-ratelimit-remaining", "12")]));
    }

    #[test]
    fn a_header_that_repeats_the_credential_does_not_pass() {
        let mut secrets = Secrets::default();
        secrets.insert("key", SecretText::new("canary-key-1234".to_owned()));
        let mut headers = map(&[
            ("link", "<https://api.acme.example/items?page=2&api_key=canary-key-1234>; rel=\"next\""),
            ("etag", "\"7\""),
        ]);
        drop_telling(&mut headers, &Scrubber::new(&secrets));
        assert_eq!(headers, map(&[("etag", "\"7\"")]));
    }
}
