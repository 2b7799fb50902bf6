use super::*;
use proptest::prelude::*;

fn whole(text: &str) -> Vec<StreamEvent> {
    EventParser::default().push(text.as_bytes())
}

fn event(id: Option<&str>, name: &str, data: &str) -> StreamEvent {
    StreamEvent { id: id.map(str::to_owned), name: name.to_owned(), data: data.to_owned() }
}

#[test]
fn lines_of_data_are_joined_and_comments_left_out() {
    assert_eq!(whole(": hello\ndata: a\ndata:b\n: x\ndata\n\n"), [event(None, "", "a\nb\n")]);
}

#[test]
fn every_line_end_of_the_standard_ends_a_line() {
    let expected = [event(None, "step", "1"), event(None, "", "2")];
    for end in ["\n", "\r", "\r\n"] {
        assert_eq!(whole(&["event: step", "data: 1", "", "data: 2", "", ""].join(end)), expected, "{end:?}");
    }
}

#[test]
fn an_id_holds_until_another_one_comes() {
    let events = whole("id: 7\ndata: a\n\ndata: b\n\nid: 8\0\ndata: c\n\n");
    assert_eq!(events, [event(Some("7"), "", "a"), event(Some("7"), "", "b"), event(Some("7"), "", "c")]);
}

#[test]
fn without_data_or_without_its_blank_line_there_is_no_event() {
    assert_eq!(whole("event: ping\n\ndata: half"), []);
}

#[test]
fn only_one_space_after_the_colon_is_syntax_and_a_byte_order_mark_is_none_of_the_text() {
    assert_eq!(whole("\u{feff}data:  x\n\n"), [event(None, "", " x")]);
}

#[test]
fn a_refusal_is_read_from_its_body_before_its_status() {
    assert_eq!(refusal(500, r#""busy""#), ApiError::Busy);
    assert_eq!(refusal(401, "<html>"), ApiError::SignedOut);
    assert_eq!(refusal(500, ""), ApiError::Internal);
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_events(
        lines in proptest::collection::vec(
            prop_oneof!["data: ?[a-zäß€🔑]{0,8}", "id: [0-9]{1,2}", "event: [a-z]{1,4}", ":[a-z]*", Just(String::new())],
            0..30,
        ),
        ends in proptest::collection::vec(prop_oneof![Just("\n"), Just("\r"), Just("\r\n")], 30),
        sizes in proptest::collection::vec(1_usize..7, 1..20),
    ) {
        let text: String = lines.iter().zip(ends).map(|(line, end)| format!("{line}{end}")).collect();
        let mut parser = EventParser::default();
        let mut rest = text.as_bytes();
        let mut events = Vec::new();
        for size in sizes.into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, after) = rest.split_at(size.min(rest.len()));
            events.extend(parser.push(chunk));
            rest = after;
        }
        prop_assert_eq!(events, whole(&text));
    }
}
