//! `text/event-stream`, read from bytes as they arrive (WHATWG HTML, 9.2.6 *Interpreting an event stream*).

use super::error::ApiError;
use super::json;

/// One event of the stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamEvent {
    /// The last id the stream has named so far: what a reader resumes from.
    pub id: Option<String>,
    /// The event's type; empty where the stream names none.
    pub name: String,
    pub data: String,
}

/// Turns chunks of any size into events. A line is decoded only when it is whole, so that no chunk can split a character.
#[derive(Debug, Default)]
pub struct EventParser {
    line: Vec<u8>,
    /// The last byte was a carriage return: a line feed that follows belongs to the same line end.
    after_return: bool,
    begun: bool,
    id: Option<String>,
    name: String,
    data: Option<String>,
}

impl EventParser {
    /// Takes the next chunk and returns the events it completes.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<StreamEvent> {
        let mut events = Vec::new();
        for &byte in chunk {
            let second_half = std::mem::take(&mut self.after_return) && byte == b'\n';
            match byte {
                b'\n' if second_half => {}
                b'\n' | b'\r' => {
                    self.after_return = byte == b'\r';
                    events.extend(self.end_line());
                }
                other => self.line.push(other),
            }
        }
        events
    }

    fn end_line(&mut self) -> Option<StreamEvent> {
        let bytes = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        let first = !std::mem::replace(&mut self.begun, true);
        let line = if first { text.trim_start_matches('\u{feff}') } else { &text };
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        self.take_field(field, value.strip_prefix(' ').unwrap_or(value));
        None
    }

    fn take_field(&mut self, field: &str, value: &str) {
        match field {
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "event" => value.clone_into(&mut self.name),
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            // Comments (an empty field name), `retry` and fields of the future.
            _ => {}
        }
    }

    fn dispatch(&mut self) -> Option<StreamEvent> {
        let name = std::mem::take(&mut self.name);
        let data = self.data.take()?;
        Some(StreamEvent { id: self.id.clone(), name, data })
    }
}

/// What an answer that is no stream says: our own error where the body is one, otherwise what its status means.
#[must_use]
pub fn refusal(status: u16, body: &str) -> ApiError {
    json::read(body).unwrap_or(match status {
        401 => ApiError::SignedOut,
        403 => ApiError::Forbidden,
        404 => ApiError::NotFound,
        409 | 422 => ApiError::Outdated,
        429 => ApiError::Busy,
        503 => ApiError::Unavailable,
        502 | 504 => ApiError::Offline,
        _ => ApiError::Internal,
    })
}

#[cfg(test)]
#[path = "event_stream_tests.rs"]
mod tests;
