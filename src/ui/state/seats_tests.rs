use super::*;
use crate::domain::component::ComponentSlug;
use crate::domain::connection::Summary;
use crate::domain::health::Health;
use crate::domain::selection::Facets;
use crate::domain::tag::TagSet;
use crate::domain::time::Timestamp;
use proptest::prelude::*;

const WINDOW: Window = Window { first: 0, count: 4 };

fn rows(count: u8) -> Arc<Vec<Row>> {
    let summary = |number: u8| Summary {
        owner: None,
        id: ConnectionId::from_bytes([number; 16]),
        component: ComponentSlug::try_from("slack".to_owned()).expect("valid slug"),
        name: format!("Row {number}").try_into().expect("valid name"),
        account: None,
        health: Health::Unproven,
        tags: TagSet::default(),
        workflows: None,
        created_at: Timestamp(0),
        last_used_at: None,
        expires_at: None,
        version: 1,
    };
    Arc::new((0..count).map(|number| Row::new(summary(number), None)).collect())
}

fn shown(rows: &Arc<Vec<Row>>, order: &[usize]) -> Shown {
    Shown {
        rows: Arc::clone(rows),
        order: Arc::new(order.to_vec()),
        facets: Arc::new(Facets::default()),
        total: order.len(),
        offset: 0,
        pending: false,
        whole: true,
    }
}

/// Each element's key with the number of the row that it shows; none where it is vacant.
fn seated(seats: &Seats) -> Vec<(usize, Option<u8>)> {
    let number =
        |seat: &Seat| (!seat.vacant).then(|| seat.row.summary.name.to_string()[4..].parse().expect("a number"));
    seats.all.iter().map(|seat| (seat.key, number(seat))).collect()
}

#[test]
fn a_filter_hands_the_elements_on_place_by_place() {
    let rows = rows(9);
    let all = Seats::of(None, &shown(&rows, &[0, 1, 2, 3, 4, 5]), WINDOW);
    let some = Seats::of(Some(&all), &shown(&rows, &[2, 5]), WINDOW);
    assert_eq!(seated(&some), [(0, Some(2)), (1, Some(5)), (2, None), (3, None)]);
    let again = Seats::of(Some(&some), &shown(&rows, &[0, 1, 2, 3, 4, 5]), WINDOW);
    assert_eq!(seated(&again), [(0, Some(0)), (1, Some(1)), (2, Some(2)), (3, Some(3))]);
}

#[test]
fn scrolling_leaves_each_connection_its_element() {
    let rows = rows(9);
    let list = shown(&rows, &[0, 1, 2, 3, 4, 5]);
    let top = Seats::of(None, &list, WINDOW);
    let below = Seats::of(Some(&top), &list, Window { first: 2, ..WINDOW });
    assert_eq!(seated(&below), [(2, Some(2)), (3, Some(3)), (4, Some(4)), (5, Some(5))]);
}

#[test]
fn a_deleted_connection_takes_its_element_with_it() {
    let before = Seats::of(None, &shown(&rows(4), &[0, 1, 2, 3]), WINDOW);
    let after = Seats::of(Some(&before), &shown(&rows(4), &[0, 2, 3]), WINDOW);
    assert_eq!(seated(&after), [(0, Some(0)), (2, Some(2)), (3, Some(3))]);
    assert_eq!(after.key_of(&ConnectionId::from_bytes([1; 16])), None);
    assert_eq!(after.key_of(&ConnectionId::from_bytes([3; 16])), Some(3));
}

proptest! {
    #[test]
    fn what_is_in_the_window_is_seated_in_its_order_and_no_key_twice(
        steps in proptest::collection::vec((any::<bool>(), proptest::collection::btree_set(0_usize..12, 0..12), 0_usize..12, 1_usize..8), 1..12),
    ) {
        let mut known = rows(12);
        let mut seats: Option<Seats> = None;
        for (changed, order, first, count) in steps {
            if changed {
                known = rows(12);
            }
            let list = shown(&known, &order.into_iter().collect::<Vec<_>>());
            let window = Window { first, count };
            let next = Seats::of(seats.as_ref(), &list, window);
            let taken: Vec<&Visible> = next.all.iter().filter(|seat| !seat.vacant).map(|seat| &seat.row).collect();
            let visible = list.visible(window.within(list.len()));
            prop_assert_eq!(taken, visible.iter().collect::<Vec<_>>());
            let keys: std::collections::HashSet<usize> = next.all.iter().map(|seat| seat.key).collect();
            prop_assert_eq!(keys.len(), next.all.len());
            prop_assert!(next.all.len() <= count);
            seats = Some(next);
        }
    }
}
