//! Icons that somebody uploads: a drawing and nothing else. They are also served with a policy that lets them do nothing
//! more; refused here, the mistake is told where it was made.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Largest icon, in bytes.
pub const LIMIT: usize = 32 * 1024;

/// What a picture is, told by its own bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    Svg,
    Png,
    Webp,
}

/// A picture that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Icon {
    pub media: Media,
    pub bytes: Vec<u8>,
}

/// Why a picture is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IconFault {
    #[error("an icon is a data URL such as data:image/svg+xml;base64,… with an SVG, PNG or WebP; or leave it out")]
    NotADataUrl,
    #[error("the icon is larger than 32 KiB; draw it simpler or smaller")]
    TooLarge,
    #[error("the icon's bytes are not {0}; send the picture as what it is")]
    NotWhatItSays(&'static str),
    #[error("the SVG cannot be read at byte {0}; export it anew as plain SVG")]
    Malformed(usize),
    #[error("the SVG holds <{0}>, which an icon does not need; remove scripts, links, embedded pages and animations")]
    Element(String),
    #[error("the SVG holds the attribute {0}, which may run scripts or load something from elsewhere; remove it")]
    Attribute(String),
}

impl Media {
    pub const ALL: [Self; 3] = [Self::Svg, Self::Png, Self::Webp];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Svg => "image/svg+xml",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|media| media.as_str() == text)
    }

    /// PNG (RFC 2083, section 3.1), WebP (RIFF container).
    fn is_begun_by(self, bytes: &[u8]) -> bool {
        match self {
            Self::Svg => true,
            Self::Png => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
            Self::Webp => bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
        }
    }
}

impl Icon {
    /// Reads a data URL (RFC 2397) with base64.
    ///
    /// # Errors
    /// [`IconFault`].
    pub fn of_data_url(text: &str) -> Result<Self, IconFault> {
        let (media, encoded) = text
            .strip_prefix("data:")
            .and_then(|rest| rest.split_once(";base64,"))
            .and_then(|(media, encoded)| Some((Media::parse(media)?, encoded)))
            .ok_or(IconFault::NotADataUrl)?;
        if encoded.len() > LIMIT.div_ceil(3) * 4 {
            return Err(IconFault::TooLarge);
        }
        let bytes = STANDARD.decode(encoded).map_err(|_| IconFault::NotADataUrl)?;
        Self::of(media, bytes)
    }

    /// Looks at a picture.
    ///
    /// # Errors
    /// [`IconFault`].
    pub fn of(media: Media, bytes: Vec<u8>) -> Result<Self, IconFault> {
        if bytes.len() > LIMIT {
            return Err(IconFault::TooLarge);
        }
        if !media.is_begun_by(&bytes) {
            return Err(IconFault::NotWhatItSays(media.as_str()));
        }
        if media == Media::Svg {
            check_svg(std::str::from_utf8(&bytes).map_err(|error| IconFault::Malformed(error.valid_up_to()))?)?;
        }
        Ok(Self { media, bytes })
    }

    #[must_use]
    pub fn to_data_url(&self) -> String {
        format!("data:{};base64,{}", self.media.as_str(), STANDARD.encode(&self.bytes))
    }
}

/// What a drawing is made of (SVG 2), in lower case.
const ELEMENTS: [&str; 27] = [
    "svg",
    "g",
    "path",
    "circle",
    "rect",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "defs",
    "symbol",
    "use",
    "lineargradient",
    "radialgradient",
    "stop",
    "clippath",
    "mask",
    "pattern",
    "marker",
    "title",
    "desc",
    "text",
    "tspan",
    "filter",
    "fegaussianblur",
    "feoffset",
    "metadata",
];

/// A drawing: known elements, no attribute that runs or loads anything, no document type that could name entities.
fn check_svg(text: &str) -> Result<(), IconFault> {
    let mut at = 0;
    let mut seen_root = false;
    while let Some(offset) = text[at..].find('<') {
        let start = at + offset;
        let rest = &text[start..];
        let end = |closing: &str| rest.find(closing).map(|end| start + end + closing.len());
        let malformed = || IconFault::Malformed(start);
        at = if rest.starts_with("<!--") {
            end("-->").ok_or_else(malformed)?
        } else if rest.starts_with("<?xml ") && !seen_root {
            end("?>").ok_or_else(malformed)?
        } else if rest.starts_with("<!") || rest.starts_with("<?") {
            let name: String = rest[1..].chars().take_while(|c| !c.is_whitespace()).take(20).collect();
            return Err(IconFault::Element(name));
        } else {
            let end = tag_end(rest).map(|end| start + end).ok_or_else(malformed)?;
            check_tag(&text[start + 1..end - 1], start)?;
            if !seen_root && !rest[1..].starts_with("svg") {
                return Err(malformed());
            }
            seen_root = true;
            end
        };
    }
    if seen_root { Ok(()) } else { Err(IconFault::Malformed(0)) }
}

/// The byte behind the `>` that closes a tag; quoted values may hold one.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (index, c) in tag.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, '>') => return Some(index + 1),
            _ => {}
        }
    }
    None
}

/// A tag without its angle brackets.
fn check_tag(inside: &str, at: usize) -> Result<(), IconFault> {
    let inside = inside.trim_start_matches('/').trim_end_matches('/');
    let (name, mut rest) = inside.split_at(inside.find(char::is_whitespace).unwrap_or(inside.len()));
    let lower = name.to_ascii_lowercase();
    if !ELEMENTS.contains(&lower.strip_prefix("svg:").unwrap_or(&lower)) {
        return Err(IconFault::Element(name.chars().take(40).collect()));
    }
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(());
        }
        let (name, value) = rest.split_once('=').ok_or(IconFault::Malformed(at))?;
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or(IconFault::Malformed(at))?;
        let end = value[1..].find(quote).ok_or(IconFault::Malformed(at))? + 1;
        check_attribute(name.trim_end(), &value[1..end])?;
        rest = &value[end + 1..];
    }
}

/// Entities and escapes could spell what is looked for here, and no drawing needs them in a value.
fn check_attribute(name: &str, value: &str) -> Result<(), IconFault> {
    let lower = name.to_ascii_lowercase();
    let local = lower.rsplit(':').next().unwrap_or_default();
    let refused = || IconFault::Attribute(name.chars().take(40).collect());
    let plain = !lower.is_empty() && lower.bytes().all(|b| b.is_ascii_alphanumeric() || b":-_.".contains(&b));
    let declares = lower == "xmlns" || lower.starts_with("xmlns:");
    if !plain || local.starts_with("on") && !declares || local == "base" {
        return Err(refused());
    }
    let text: String = value.to_ascii_lowercase().split_whitespace().collect();
    if matches!(local, "href" | "src") && !declares {
        return if text.starts_with('#') { Ok(()) } else { Err(refused()) };
    }
    if declares {
        return Ok(());
    }
    let elsewhere = text.match_indices("url(").any(|(index, found)| {
        let inside = text[index + found.len()..].trim_start_matches(['"', '\'']);
        !inside.starts_with('#')
    });
    // CSS has more ways than one to name a picture.
    let hidden = text.contains(['&', '\\'])
        || ["@import", "javascript:", "image-set(", "image(", "src("].iter().any(|word| text.contains(word));
    if elsewhere || hidden { Err(refused()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn svg(text: &str) -> Result<Icon, IconFault> {
        Icon::of(Media::Svg, text.as_bytes().to_vec())
    }

    #[test]
    fn every_built_in_icon_would_be_taken() {
        for file in std::fs::read_dir("public/icons").expect("the icons") {
            let path = file.expect("a file").path();
            if path.extension().is_some_and(|extension| extension == "svg") {
                let bytes = std::fs::read(&path).expect("a drawing");
                if bytes.len() <= LIMIT {
                    assert_eq!(Icon::of(Media::Svg, bytes).err(), None, "{}", path.display());
                }
            }
        }
    }

    #[test]
    fn a_drawing_that_could_do_more_is_refused() {
        let drawing =
            |inside: &str| format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 9 9\">{inside}</svg>");
        assert_eq!(svg(&drawing("<path d='M0 0h9' fill='url(#a)'/>")).err(), None);
        for inside in [
            "<script>alert(1)</script>",
            "<SCRIPT href='#a'/>",
            "<foreignObject><p>x</p></foreignObject>",
            "<image href='https://evil.example/x.png'/>",
            "<path style='fill: image-set(\"https://evil.example/x.png\" 1x)'/>",
            "<path style='background: src(\"https://evil.example/x.png\")'/>",
            "<use href='https://evil.example/x.svg#a'/>",
            "<use xlink:href='data:image/svg+xml,x'/>",
            "<a href='#a'/>",
            "<style>@import 'https://evil.example'</style>",
            "<path onload='alert(1)'/>",
            "<path ONCLICK = 'alert(1)'/>",
            "<path fill='url(https://evil.example/x)'/>",
            "<path style='fill: u\\72l(x)'/>",
            "<path fill='&#117;rl(x)'/>",
            "<animate attributeName='href' values='x'/>",
            "<set attributeName='href' to='javascript:x'/>",
            "<path/onload=alert(1)>",
            "<!DOCTYPE x [<!ENTITY a 'b'>]>",
            "<?xml-stylesheet href='x'?>",
            "<path d='",
        ] {
            assert!(svg(&drawing(inside)).is_err(), "{inside}");
        }
        for text in ["", "x", "<html/>", "<svg onload='x'/>", "<!DOCTYPE svg><svg/>"] {
            assert!(svg(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_picture_is_what_its_bytes_say() {
        let png = b"\x89PNG\r\n\x1a\nrest".to_vec();
        assert!(Icon::of(Media::Png, png.clone()).is_ok());
        assert!(Icon::of(Media::Webp, b"RIFF\0\0\0\0WEBPVP8 ".to_vec()).is_ok());
        assert_eq!(Icon::of(Media::Webp, png).err(), Some(IconFault::NotWhatItSays("image/webp")));
        assert_eq!(Icon::of(Media::Png, vec![0; LIMIT + 1]).err(), Some(IconFault::TooLarge));
        for text in ["", "https://acme.example/x.svg", "data:text/html;base64,eA==", "data:image/png;base64,%%"] {
            assert_eq!(Icon::of_data_url(text).err(), Some(IconFault::NotADataUrl), "{text}");
        }
    }

    #[test]
    fn a_data_url_reads_back() {
        let icon = svg("<svg/>").expect("a drawing");
        assert_eq!(Icon::of_data_url(&icon.to_data_url()), Ok(icon));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[<>/='\"a-z! é]{0,60}") {
            let _ = svg(&text);
        }
    }
}
