//! Where a proxied request goes: below the base URL of its component, whatever the caller's path and query say.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// How often a path is decoded before it counts as hiding something.
const MOST_DECODED: usize = 4;

/// The path leads elsewhere, or could be read so by somebody on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "The path holds what could lead outside the service's base URL: an empty part, `.` or `..`, a backslash or a control \
     character, encoded or not. Send the path of the service's own documentation."
)]
pub struct LeadsElsewhere;

/// The address of a request: the base URL, then the caller's path and query, then the credential's query parameters. The
/// caller's parameters of the same names are left out, in whatever case.
///
/// `path` is as it was sent, percent-encoding and all; empty, or beginning with `/`.
///
/// # Errors
/// [`LeadsElsewhere`].
pub fn join(
    base: &Url,
    path: &str,
    query: Option<&str>,
    credential: &[(String, String)],
) -> Result<Url, LeadsElsewhere> {
    if !stays_below(path) {
        return Err(LeadsElsewhere);
    }
    let prefix = base.path().trim_end_matches('/');
    let text = format!("{}{prefix}{path}", &base[..url::Position::BeforePath]);
    let mut url = Url::parse(&text).map_err(|_| LeadsElsewhere)?;
    let rest = url.path().strip_prefix(prefix).ok_or(LeadsElsewhere)?;
    if url.origin() != base.origin() || !(rest.is_empty() || rest.starts_with('/')) {
        return Err(LeadsElsewhere);
    }
    url.set_fragment(None);
    let own: Vec<_> = base.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).collect();
    let taken = own.iter().map(|pair| name_of(pair)).chain(credential.iter().map(|(name, _)| name.to_lowercase()));
    let taken: Vec<_> = taken.collect();
    let theirs =
        query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !taken.contains(&name_of(pair)));
    let secret = |(name, value): &(String, String)| {
        format!("{}={}", utf8_percent_encode(name, RESERVED), utf8_percent_encode(value, RESERVED))
    };
    let pairs = own.iter().copied().chain(theirs).map(str::to_owned).chain(credential.iter().map(secret));
    let query = pairs.collect::<Vec<_>>().join("&");
    url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
    Ok(url)
}

/// The name of a pair of a query, as servers compare it at their laxest.
fn name_of(pair: &str) -> String {
    let name = pair.split('=').next().unwrap_or_default().replace('+', " ");
    percent_decode_str(&name).decode_utf8_lossy().to_lowercase()
}

/// Decoded as often as it can be, the path holds nothing that any server takes for a way up or for another host.
fn stays_below(path: &str) -> bool {
    // Whatever follows a `?` or `#` would be no path any more, and what stands before it another one.
    if !(path.is_empty() || path.starts_with('/')) || path.contains(['?', '#']) {
        return false;
    }
    let mut bytes = path.as_bytes().to_vec();
    for _ in 0..MOST_DECODED {
        if !is_plain(&bytes) {
            return false;
        }
        let decoded: Vec<u8> = percent_encoding::percent_decode(&bytes).collect();
        if decoded == bytes {
            return true;
        }
        bytes = decoded;
    }
    false
}

fn is_plain(path: &[u8]) -> bool {
    if path.iter().any(|byte| byte.is_ascii_control() || *byte == b'\\') {
        return false;
    }
    let mut parts = path.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(part) = parts.next() {
        // Some servers read `..;x` as `..`.
        let name = part.split(|byte| *byte == b';').next().unwrap_or_default();
        let is_last = parts.peek().is_none();
        if matches!(name, b"." | b"..") || (name.is_empty() && !is_last) {
            return false;
        }
    }
    true
}

/// Where a redirect of the service leads, as seen from the proxy: the path and query below the base URL, without the
/// credential's parameters. `None`: elsewhere.
#[must_use]
pub fn below(base: &Url, asked: &Url, location: &str, credential: &[(String, String)]) -> Option<String> {
    let to = asked.join(location).ok()?;
    let path = to.path().strip_prefix(base.path().trim_end_matches('/'))?;
    let inside = to.origin() == base.origin() && to.username().is_empty() && to.password().is_none();
    if !inside || !path.starts_with('/') || !stays_below(path) {
        return None;
    }
    let hidden: Vec<_> = credential.iter().map(|(name, _)| name.to_lowercase()).collect();
    let query = to.query().unwrap_or_default();
    let pairs: Vec<_> = query.split('&').filter(|pair| !pair.is_empty() && !hidden.contains(&name_of(pair))).collect();
    Some(if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) })
}

#[cfg(test)]
#[path = "target_tests.rs"]
mod tests;
