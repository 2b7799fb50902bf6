//! Texts with placeholders: `{field}`, `{+field}` and `{/json/pointer}`; `{{` and `}}` stand for the braces themselves.
//!
//! The build script compiles this file too, so it names no crate but those the build script has.

use std::fmt::Write as _;

/// A parsed text. Rendering never lets a value leave the place its placeholder has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

/// A stretch of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(String),
    /// `{field}`: encoded for where the template stands.
    Field(String),
    /// `{+field}`: several path segments, inserted as they are.
    RawField(String),
    /// `{/json/pointer}` (RFC 6901): a value of the service's answer.
    Pointer(String),
}

/// Where the text goes, and so how values are made safe for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encode {
    /// Inserted unchanged: sentences, and values that a later step encodes, such as a URL's query pairs.
    Plain,
    /// A header's name or value: unchanged but for spaces around it, refused if it holds a control character.
    Header,
    /// One segment of a URL's path: percent-encoded (RFC 3986), but for unreserved characters, `:` and `@`.
    PathSegment,
    /// The inside of a JSON string.
    JsonString,
}

/// Why a text is no template. Offsets are in bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("the placeholder that begins at byte {0} has no closing brace")]
    Unclosed(usize),
    #[error("the brace at byte {0} closes nothing; write }}}} for a brace")]
    Unopened(usize),
    #[error("{{{0}}} is no placeholder; a field's id holds lower-case letters, digits and underscores")]
    NotAName(String),
}

/// Why a template could not be filled. Names placeholders, never their values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    #[error("{0} has no value")]
    Missing(String),
    #[error("the value of {0} holds a control character")]
    ControlCharacter(String),
    #[error("the value of {0} would leave its place in the path")]
    LeavesPath(String),
}

impl Template {
    /// # Errors
    /// [`TemplateError`]: braces that do not match, or a placeholder that is neither field nor pointer.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(offset) = text[at..].find(['{', '}']) {
            let brace = at + offset;
            literal.push_str(&text[at..brace]);
            let rest = &text[brace..];
            if rest.starts_with("{{") || rest.starts_with("}}") {
                literal.push_str(&rest[..1]);
                at = brace + 2;
            } else if rest.starts_with('}') {
                return Err(TemplateError::Unopened(brace));
            } else {
                let end = rest.find('}').ok_or(TemplateError::Unclosed(brace))?;
                if !literal.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut literal)));
                }
                parts.push(placeholder(&rest[1..end])?);
                at = brace + end + 1;
            }
        }
        literal.push_str(&text[at..]);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self { parts })
    }

    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The fields it refers to, in order, repeated where they repeat.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Field(name) | Part::RawField(name) => Some(name.as_str()),
            Part::Text(_) | Part::Pointer(_) => None,
        })
    }

    /// The JSON pointers it refers to, in order.
    pub fn pointers(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Pointer(pointer) => Some(pointer.as_str()),
            _ => None,
        })
    }

    /// Fills the placeholders. `lookup` is given a field's id, or a pointer with its leading `/`.
    ///
    /// # Errors
    /// [`RenderError`]: a placeholder without a value, or a value that cannot stand there.
    pub fn render<V: AsRef<str>>(
        &self,
        lookup: impl Fn(&str) -> Option<V>,
        encode: Encode,
    ) -> Result<String, RenderError> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Field(name) | Part::RawField(name) | Part::Pointer(name) => {
                    let value = lookup(name).ok_or_else(|| RenderError::Missing(name.clone()))?;
                    let raw = matches!(part, Part::RawField(_));
                    insert(&mut out, name, value.as_ref(), encode, raw)?;
                }
            }
        }
        Ok(if encode == Encode::Header { out.trim_matches(' ').to_owned() } else { out })
    }
}

fn placeholder(inside: &str) -> Result<Part, TemplateError> {
    if inside.starts_with('/') {
        return Ok(Part::Pointer(inside.to_owned()));
    }
    let (raw, name) = inside.strip_prefix('+').map_or((false, inside), |name| (true, name));
    if !is_name(name) {
        return Err(TemplateError::NotAName(inside.to_owned()));
    }
    Ok(if raw { Part::RawField(name.to_owned()) } else { Part::Field(name.to_owned()) })
}

/// Whether the text can be the id of a field or a method: `^[a-z][a-z0-9_]*$`.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn insert(out: &mut String, name: &str, value: &str, encode: Encode, raw: bool) -> Result<(), RenderError> {
    let control = value.chars().any(char::is_control);
    if control && (raw || encode == Encode::Header) {
        return Err(RenderError::ControlCharacter(name.to_owned()));
    }
    match encode {
        // "/" before the placeholder and "/" typed by the person are one slash.
        _ if raw && out.ends_with('/') => out.push_str(value.trim_start_matches('/')),
        Encode::Plain | Encode::Header => out.push_str(value),
        Encode::PathSegment if raw => out.push_str(value),
        // URL parsers read these as "this folder" and "the folder above", even percent-encoded.
        Encode::PathSegment if matches!(value, "." | "..") => return Err(RenderError::LeavesPath(name.to_owned())),
        Encode::PathSegment => push_percent_encoded(out, value),
        Encode::JsonString => push_json_escaped(out, value),
    }
    Ok(())
}

fn push_percent_encoded(out: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'@') {
            out.push(char::from(byte));
        } else {
            push_formatted(out, format_args!("%{byte:02X}"));
        }
    }
}

fn push_json_escaped(out: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if u32::from(c) < 0x20 => push_formatted(out, format_args!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
}

/// Writing to a `String` cannot fail.
fn push_formatted(out: &mut String, text: std::fmt::Arguments<'_>) {
    let written = out.write_fmt(text);
    debug_assert!(written.is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn render(template: &str, value: &str, encode: Encode) -> Result<String, RenderError> {
        Template::parse(template).expect("a template").render(|_| Some(value), encode)
    }

    #[test]
    fn placeholders_are_told_apart() {
        let template = Template::parse("a{{b}}{x}{+y_1}{/data/0/name}").expect("a template");
        let expected = [
            Part::Text("a{b}".to_owned()),
            Part::Field("x".to_owned()),
            Part::RawField("y_1".to_owned()),
            Part::Pointer("/data/0/name".to_owned()),
        ];
        assert_eq!(template.parts(), expected);
        assert_eq!(template.fields().collect::<Vec<_>>(), ["x", "y_1"]);
        assert_eq!(template.pointers().collect::<Vec<_>>(), ["/data/0/name"]);
    }

    #[test]
    fn wrong_braces_and_names_are_refused() {
        assert_eq!(Template::parse("a{b"), Err(TemplateError::Unclosed(1)));
        assert_eq!(Template::parse("ab}"), Err(TemplateError::Unopened(2)));
        for name in ["", "A", "1a", "a b", "+", "a-b", "é"] {
            assert_eq!(Template::parse(&format!("{{{name}}}")), Err(TemplateError::NotAName(name.to_owned())));
        }
    }

    #[test]
    fn a_header_takes_no_line_break() {
        let refused = Err(RenderError::ControlCharacter("x".to_owned()));
        assert_eq!(render("Bearer {x}", "a\r\nHost: b", Encode::Header), refused);
        assert_eq!(render("Bearer {x}", "a b", Encode::Header), Ok("Bearer a b".to_owned()));
    }

    #[test]
    fn a_header_without_its_optional_prefix_begins_with_the_key() {
        let template = Template::parse("{prefix} {key}").expect("a template");
        let header = template.render(|name| Some(if name == "key" { "k" } else { "" }), Encode::Header);
        assert_eq!(header, Ok("k".to_owned()));
    }

    #[test]
    fn a_segment_stays_one_segment() {
        assert_eq!(render("/bot{x}/getMe", "1:a/../b", Encode::PathSegment), Ok("/bot1:a%2F..%2Fb/getMe".to_owned()));
        assert_eq!(render("/{x}", "..", Encode::PathSegment), Err(RenderError::LeavesPath("x".to_owned())));
    }

    #[test]
    fn a_raw_path_gets_one_slash() {
        for typed in ["v1/me?full=1", "/v1/me?full=1", "//v1/me?full=1"] {
            assert_eq!(render("/{+x}", typed, Encode::PathSegment), Ok("/v1/me?full=1".to_owned()));
        }
    }

    #[test]
    fn a_missing_value_is_named() {
        let template = Template::parse("{x}").expect("a template");
        assert_eq!(template.render(|_| None::<&str>, Encode::Plain), Err(RenderError::Missing("x".to_owned())));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "[a-z{}+/ é]{0,40}") {
            let _ = Template::parse(&text);
        }

        #[test]
        fn doubled_braces_bring_any_text_back(text in ".{0,40}") {
            let template = Template::parse(&text.replace('{', "{{").replace('}', "}}")).expect("no placeholder");
            prop_assert_eq!(template.render(|_| None::<&str>, Encode::Plain), Ok(text));
        }

        #[test]
        fn a_plain_value_is_inserted_unchanged(before in "[a-z/]{0,8}", value in ".{0,40}", after in "[a-z/]{0,8}") {
            let rendered = render(&format!("{before}{{x}}{after}"), &value, Encode::Plain);
            prop_assert_eq!(rendered, Ok(format!("{before}{value}{after}")));
        }

        #[test]
        fn a_rendered_header_holds_no_control_character(value in "(?s).{0,20}") {
            if let Ok(header) = render("Bearer {x}", &value, Encode::Header) {
                prop_assert!(!header.chars().any(char::is_control));
            }
        }

        #[test]
        fn an_encoded_segment_reads_back_and_adds_no_slash(value in "(?s).{1,30}") {
            if let Ok(path) = render("/{x}", &value, Encode::PathSegment) {
                prop_assert_eq!(path.matches('/').count(), 1);
                prop_assert!(path.is_ascii());
                let decoded = percent_encoding::percent_decode_str(&path[1..]).decode_utf8().expect("UTF-8");
                prop_assert_eq!(decoded, value);
            }
        }

        #[test]
        fn an_escaped_json_string_reads_back(value in "(?s).{0,30}") {
            let json = render("\"{x}\"", &value, Encode::JsonString).expect("always renders");
            prop_assert_eq!(serde_json::from_str::<String>(&json).expect("JSON"), value);
        }
    }
}
