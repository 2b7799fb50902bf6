use super::*;
use crate::domain::health::Health;
use crate::domain::tag::TagSet;

fn row(number: u8, version: i64) -> Row {
    let summary = Summary {
        owner: None,
        id: ConnectionId::from_bytes([number; 16]),
        component: ComponentSlug::try_from("slack".to_owned()).expect("valid slug"),
        name: format!("Row {number}, version {version}").try_into().expect("valid name"),
        account: None,
        health: Health::Unproven,
        tags: TagSet::default(),
        workflows: None,
        created_at: Timestamp(i64::from(number)),
        last_used_at: None,
        expires_at: None,
        version,
    };
    Row::new(summary, None)
}

fn known(rows: Vec<Row>) -> Known {
    Known { revision: 1, whole: true, rows: Arc::new(rows), badges: Arc::default(), deleted: 0 }
}

fn versions(known: &Known) -> Vec<(i64, i64)> {
    let mut versions: Vec<_> = known.rows.iter().map(|row| (row.summary.created_at.0, row.summary.version)).collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions
}

fn changes(rows: &[Row], removed: &[u8]) -> Snapshot {
    Snapshot {
        revision: 2,
        rows: rows.iter().map(|row| row.summary.clone()).collect(),
        removed: removed.iter().map(|number| ConnectionId::from_bytes([*number; 16])).collect(),
        ..Snapshot::default()
    }
}

#[test]
fn changes_replace_add_and_take_away() {
    let mut known = known(vec![row(3, 1), row(2, 1), row(1, 1)]);
    known.take(changes(&[row(2, 2), row(4, 1)], &[3]));
    assert_eq!(versions(&known), [(4, 1), (2, 2), (1, 1)]);
    assert_eq!((known.revision, known.whole), (2, true));
}

#[test]
fn an_answer_that_was_overtaken_does_not_bring_back_an_older_row() {
    let mut known = known(vec![row(1, 5)]);
    known.take(changes(&[row(1, 4)], &[]));
    assert_eq!(versions(&known), [(1, 5)]);
}

#[test]
fn a_whole_snapshot_leaves_nothing_of_before() {
    let mut known = known(vec![row(1, 1)]);
    known.take(Snapshot { whole: true, ..changes(&[row(2, 1)], &[]) });
    assert_eq!(versions(&known), [(2, 1)]);
}
