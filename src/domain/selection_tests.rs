use super::*;
use crate::domain::connection::Summary;
use crate::domain::filter::ListQuery;
use crate::domain::health::Health;
use crate::domain::id::ConnectionId;
use crate::domain::name::ConnectionName;
use crate::domain::tag::TagSet;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const COMPONENTS: [&str; 3] = ["slack", "aws-s3", "postgresql"];
const TAGS: [&str; 4] = ["Ops", "billing", "eu", "ci"];

/// Every third one is used, where anybody knows.
fn row(number: u8, component: usize, tags: &[usize], active: bool) -> Row {
    let health = if active { Health::Valid { checked_at: NOW } } else { Health::Unproven };
    let summary = Summary {
        owner: None,
        id: ConnectionId::from_bytes([number; 16]),
        component: ComponentSlug::try_from(COMPONENTS[component].to_owned()).expect("slug"),
        name: ConnectionName::try_from(format!("Connection {number}")).expect("name"),
        account: Some(format!("user{number}@acme.example")),
        health,
        tags: TagSet::parse(tags.iter().map(|tag| TAGS[*tag])).expect("tags"),
        workflows: Some(u32::from(number.is_multiple_of(3))),
        created_at: NOW.plus(i64::from(number)),
        last_used_at: None,
        expires_at: None,
        version: 1,
    };
    Row::new(summary, None)
}

fn some_rows() -> impl Strategy<Value = Vec<Row>> {
    let one = (any::<u8>(), 0..3_usize, proptest::collection::vec(0..4_usize, 0..4), any::<bool>());
    proptest::collection::vec(one, 0..40)
        .prop_map(|rows| rows.iter().map(|(n, component, tags, active)| row(*n, *component, tags, *active)).collect())
}

fn some_filter() -> impl Strategy<Value = Filter> {
    let component = proptest::option::of(0..3_usize);
    let tags = proptest::collection::vec(0..4_usize, 0..3);
    let status = proptest::option::of(any::<bool>());
    let text = prop_oneof![Just(""), Just("conn"), Just("ACME 1"), Just("zzz")];
    (component, tags, status, text, any::<bool>()).prop_map(|(component, tags, status, text, unused)| {
        let mut filter = Filter { text: text.to_owned(), unused, ..Filter::default() };
        filter.component = component.and_then(|n| ComponentSlug::try_from(COMPONENTS[n].to_owned()).ok());
        filter.tags = tags.into_iter().map(|n| fold(TAGS[n])).collect();
        filter.status = status.map(|active| if active { Status::Active } else { Status::NotActive });
        filter
    })
}

fn select(rows: &[Row], filter: &Filter, sort: Sort) -> Selection {
    Index::new(Arc::new(rows.to_vec()), sort, NOW).select(filter)
}

#[test]
fn several_tags_mean_all_of_them() {
    let rows = [row(1, 0, &[0, 1], true), row(2, 0, &[0], true)];
    let filter = Filter { tags: vec!["ops".to_owned(), "billing".to_owned()], ..Filter::default() };
    assert_eq!(select(&rows, &filter, Sort::Created).shown, [0]);
}

#[test]
fn a_component_without_a_match_stays_with_nought() {
    let rows = [row(1, 0, &[], true), row(2, 1, &[], false)];
    let filter = Filter { status: Some(Status::Active), ..Filter::default() };
    let facets = select(&rows, &filter, Sort::Created).facets;
    assert_eq!(facets.components.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [0, 1]);
    assert_eq!((facets.active, facets.not_active, facets.all_components), (1, 1, 1));
}

#[test]
fn every_word_of_a_search_has_to_occur() {
    let rows = [row(1, 0, &[0], true), row(2, 0, &[1], true)];
    let filter = Filter { text: "OPS slack".to_owned(), ..Filter::default() };
    assert_eq!(select(&rows, &filter, Sort::Created).shown, [0]);
}

#[test]
fn nobody_claims_that_nothing_is_used_where_no_workflow_was_ever_registered() {
    let mut unknown = row(1, 0, &[], true);
    unknown.summary.workflows = None;
    let found = select(&[unknown], &Filter { unused: true, ..Filter::default() }, Sort::Created);
    assert_eq!((found.shown.len(), found.facets.unused), (0, None));
}

proptest! {
    #[test]
    fn a_count_says_how_many_rows_the_click_would_show(rows in some_rows(), filter in some_filter()) {
        let Selection { shown, facets } = select(&rows, &filter, Sort::Created);
        let count = |filter: &Filter| select(&rows, filter, Sort::Created).shown.len();
        prop_assert_eq!(shown.len(), count(&filter));
        for (slug, expected) in &facets.components {
            prop_assert_eq!(facets.of_component(slug), *expected);
            prop_assert_eq!(*expected, count(&Filter { component: Some(slug.clone()), ..filter.clone() }));
        }
        for TagCount { key, count: expected, .. } in &facets.tags {
            prop_assert_eq!(facets.of_tag(key), *expected);
            let mut tags = filter.tags.clone();
            tags.push(key.clone());
            prop_assert_eq!(*expected, count(&Filter { tags, ..filter.clone() }));
        }
        prop_assert_eq!(facets.active, count(&Filter { status: Some(Status::Active), ..filter.clone() }));
        prop_assert_eq!(facets.not_active, count(&Filter { status: Some(Status::NotActive), ..filter.clone() }));
        let unused = count(&Filter { unused: true, ..filter.clone() });
        prop_assert_eq!(facets.unused, (!rows.is_empty()).then_some(unused));
        prop_assert_eq!(facets.all_components, count(&Filter { component: None, ..filter }));
    }

    #[test]
    fn every_order_shows_the_same_rows(rows in some_rows(), filter in some_filter()) {
        let expected = { let mut ids = select(&rows, &filter, Sort::Created).shown; ids.sort_unstable(); ids };
        for sort in Sort::ALL {
            let mut ids = select(&rows, &filter, sort).shown;
            ids.sort_unstable();
            prop_assert_eq!(&ids, &expected);
        }
    }

    #[test]
    fn a_query_survives_the_url(filter in some_filter(), sort in 0..6_usize) {
        let mut filter = filter;
        filter.tags.dedup();
        let query = ListQuery { filter, sort: Sort::ALL[sort] };
        let pairs = query.to_pairs();
        let read = ListQuery::from_pairs(pairs.iter().map(|(key, value)| (*key, value.as_str())));
        prop_assert_eq!(read.sort, query.sort);
        prop_assert_eq!(read.filter.text, query.filter.text);
        prop_assert_eq!(read.filter.unused, query.filter.unused);
        prop_assert!(read.filter.tags.iter().all(|tag| query.filter.tags.contains(tag)));
    }
}
