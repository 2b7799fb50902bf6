//! What differs between two versions of a definition.

use serde_json::Value;

use crate::api::components::{Difference, DifferenceKind};

/// Differences told of one version at most.
const LIMIT: usize = 200;

/// The places at which `after` is not what `before` was, in the order of their pointers.
#[must_use]
pub fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(String::new(), before, after, &mut found);
    found.truncate(LIMIT);
    found
}

fn compare(at: String, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    let mut tell = |pointer: String, kind| found.push(Difference { pointer, kind });
    match (before, after) {
        _ if before == after => {}
        (Value::Object(a), Value::Object(b)) => {
            let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let pointer = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                match (a.get(name), b.get(name)) {
                    (Some(a), Some(b)) => compare(pointer, a, b, found),
                    (Some(_), None) => found.push(Difference { pointer, kind: DifferenceKind::Removed }),
                    _ => found.push(Difference { pointer, kind: DifferenceKind::Added }),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(format!("{at}/{index}"), a, b, found);
            }
        }
        _ => tell(at, DifferenceKind::Changed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_place_is_told_once() {
        let before = json!({ "a": 1, "b": { "x/y": [1, 2], "gone": true }, "list": [1] });
        let after = json!({ "a": 1, "b": { "x/y": [1, 3], "new": true }, "list": [1, 2] });
        let told: Vec<_> = differences(&before, &after).into_iter().map(|it| (it.pointer, it.kind)).collect();
        let expected = [
            ("/b/gone", DifferenceKind::Removed),
            ("/b/new", DifferenceKind::Added),
            ("/b/x~1y/1", DifferenceKind::Changed),
            ("/list", DifferenceKind::Changed),
        ];
        assert_eq!(told, expected.map(|(pointer, kind)| (pointer.to_owned(), kind)));
        assert!(differences(&before, &before).is_empty());
    }
}
