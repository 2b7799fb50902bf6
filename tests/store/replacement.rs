//! Replacement: workflows move to another connection and come back, all or none.

use patchbay::domain::environment::Environment;
use patchbay::domain::id::ConnectionId;
use patchbay::domain::replacement::Replacement;
use patchbay::domain::time::Timestamp;
use patchbay::server::store::record::{AuditAction, NewConnection};
use patchbay::server::store::{AuditVerdict, Cause, FeedError, GivenBack, Reason, Replacing, Store, Unfit};

use crate::database::{Database, entry, id, insert, new, on_both_engines, production, scope};
use crate::workflows::workflow;

on_both_engines!(
    a_deletion_moves_each_workflow_and_an_undo_brings_all_back,
    what_was_registered_anew_meanwhile_stands,
    a_workflow_that_used_both_keeps_the_other_one,
    what_does_not_fit_is_refused_and_nothing_is_changed,
    an_unforeseen_workflow_stops_a_deletion,
    replacing_everywhere_keeps_the_connection,
    many_workflows_are_registered_all_or_none,
    workflows_are_listed_by_page_and_by_connection,
    what_is_registered_as_it_was_leaves_no_line,
    only_what_nobody_uses_is_listed_as_unused,
    writers_at_once_leave_counts_that_are_true,
);

async fn scene(store: &Store, connections: u32, workflows: u32) {
    for number in 1..=connections {
        insert(store, &production(), number, &format!("name {number}")).await.expect("inserted");
    }
    let many = (0..workflows).map(|n| workflow(&format!("wf-{n:02}"), &[1])).collect();
    let missing = store.put_workflows(&production(), many, entry(AuditAction::WorkflowRegistered)).await;
    assert_eq!(missing, Ok(Vec::new()));
}

async fn uses(store: &Store, workflow: &str) -> Vec<ConnectionId> {
    store.workflow(&production(), workflow).await.expect("read").expect("there").connections
}

async fn count(store: &Store, number: u32) -> Option<u32> {
    store.connection(&production(), &id(number)).await.expect("read").expect("there").summary.workflows
}

async fn delete(store: &Store, number: u32, plan: Replacement) -> Replacing {
    let deleted = entry(AuditAction::Deleted);
    store.delete_replacing(&production(), &id(number), plan, None, deleted).await.expect("answered")
}

async fn undelete(store: &Store, number: u32) -> GivenBack {
    store.undelete(&production(), &id(number), entry(AuditAction::Restored)).await.expect("restored").1
}

fn each(plan: &[(&str, u32)]) -> Replacement {
    let workflows = plan.iter().map(|(workflow, number)| ((*workflow).to_owned(), id(*number))).collect();
    Replacement { everywhere: None, workflows }
}

async fn a_deletion_moves_each_workflow_and_an_undo_brings_all_back(database: &Database) {
    let store = &database.store;
    scene(store, 3, 50).await;
    let mut plan = each(&[("wf-07", 3)]);
    plan.everywhere = Some(id(2));
    let Replacing::Done(moved) = delete(store, 1, plan).await else { panic!("refused") };
    assert_eq!(moved.len(), 50);
    assert_eq!((uses(store, "wf-07").await, uses(store, "wf-08").await), (vec![id(3)], vec![id(2)]));
    assert_eq!((count(store, 1).await, count(store, 2).await, count(store, 3).await), (Some(0), Some(49), Some(1)));
    let told = store.audit_of(&production(), &id(2), 9).await.expect("read");
    assert_eq!((told[0].what.as_str(), told[0].about.as_str()), ("took over from", "name 1 in 49 workflows"));
    // Another process over the same database.
    let later = Store::open(&database.url).await.expect("opened");
    let given = undelete(&later, 1).await;
    assert_eq!((given.restored.len(), given.kept.len()), (50, 0));
    assert_eq!(
        (uses(store, "wf-07").await, count(store, 1).await, count(store, 2).await),
        (vec![id(1)], Some(50), Some(0))
    );
    let feed = store.mapping_changes(&production(), None, 200).await.expect("read");
    assert_eq!(feed.iter().map(|line| line.sequence).collect::<Vec<_>>(), (1..=100).collect::<Vec<_>>());
    assert_eq!((feed[0].cause, feed[99].cause), (Cause::Deletion, Cause::Undo));
    assert_eq!((&feed[7].moved.from, &feed[7].moved.to), (&Some(id(1)), &id(3)));
    let rest = store.mapping_changes(&production(), Some(98), 200).await.expect("read");
    assert_eq!(rest.len(), 2);
    assert_eq!(store.mapping_changes(&production(), Some(101), 9).await, Err(FeedError::Ahead));
    store.forget_events(Timestamp(i64::MAX)).await.expect("forgotten");
    assert_eq!(store.mapping_changes(&production(), Some(98), 9).await, Err(FeedError::Forgotten));
    let rest = store.mapping_changes(&production(), Some(99), 9).await.expect("read");
    assert_eq!(rest.len(), 1, "the last line stays, so that the numbers go on");
    let verdict = store.verify_audit(&production().workspace).await.expect("verified");
    assert!(matches!(verdict, AuditVerdict::Intact { .. }), "{verdict:?}");
}

async fn what_was_registered_anew_meanwhile_stands(database: &Database) {
    let store = &database.store;
    scene(store, 3, 3).await;
    delete(store, 1, Replacement::everywhere(id(2))).await;
    let put = async |given| store.put_workflow(&production(), given, entry(AuditAction::WorkflowRegistered)).await;
    put(workflow("wf-01", &[3])).await.expect("registered");
    store.remove_workflow(&production(), "wf-02", entry(AuditAction::WorkflowRemoved)).await.expect("removed");
    let given = undelete(store, 1).await;
    assert_eq!(given, GivenBack { restored: vec!["wf-00".to_owned()], kept: vec!["wf-01".to_owned()] });
    assert_eq!((uses(store, "wf-00").await, uses(store, "wf-01").await), (vec![id(1)], vec![id(3)]));
    assert_eq!((count(store, 1).await, count(store, 2).await, count(store, 3).await), (Some(1), Some(0), Some(1)));
}

async fn a_workflow_that_used_both_keeps_the_other_one(database: &Database) {
    let store = &database.store;
    scene(store, 2, 0).await;
    let both = workflow("a", &[1, 2]);
    store.put_workflow(&production(), both, entry(AuditAction::WorkflowRegistered)).await.expect("registered");
    delete(store, 1, Replacement::everywhere(id(2))).await;
    assert_eq!((uses(store, "a").await, count(store, 2).await), (vec![id(2)], Some(1)));
    undelete(store, 1).await;
    assert_eq!(
        (uses(store, "a").await, count(store, 1).await, count(store, 2).await),
        (vec![id(1), id(2)], Some(1), Some(1))
    );
    // Whoever follows the feed is told of nothing that was taken away.
    let feed = store.mapping_changes(&production(), None, 9).await.expect("read");
    let told: Vec<_> = feed.into_iter().map(|line| (line.moved.from, line.moved.to)).collect();
    assert_eq!(told, [(Some(id(1)), id(2)), (None, id(1))]);
}

async fn what_does_not_fit_is_refused_and_nothing_is_changed(database: &Database) {
    let store = &database.store;
    scene(store, 3, 2).await;
    let other = NewConnection { component: "github".to_owned().try_into().expect("a slug"), ..new(4, "other") };
    store.insert(&production(), other, entry(AuditAction::Created)).await.expect("inserted");
    insert(store, &scope(Environment::Staging), 5, "elsewhere").await.expect("inserted");
    insert(store, &production(), 6, "of another person").await.expect("inserted");
    let owned = format!("UPDATE connections SET owner = 'ada' WHERE id = '{}'", id(6));
    sqlx::query(sqlx::AssertSqlSafe(owned)).execute(&mut database.raw().await).await.expect("owned");
    delete(store, 3, Replacement::default()).await;
    let before = store.revision(&production()).await;
    let component = "github".to_owned();
    for (number, reason) in [
        (1, Reason::Itself),
        (3, Reason::Deleted { name: "name 3".to_owned() }),
        (4, Reason::OtherComponent { name: "other".to_owned(), component }),
        (5, Reason::Unknown),
        (6, Reason::Unknown),
        (9, Reason::Unknown),
    ] {
        let refused = Replacing::Refused(vec![Unfit { workflow: None, reason: reason.clone() }]);
        assert_eq!(delete(store, 1, Replacement::everywhere(id(number))).await, refused);
        let of_one = Replacing::Refused(vec![Unfit { workflow: Some("wf-01".to_owned()), reason }]);
        assert_eq!(delete(store, 1, each(&[("wf-00", 2), ("wf-01", number)])).await, of_one);
    }
    let stranger = Unfit { workflow: Some("nobody".to_owned()), reason: Reason::NotUsed };
    assert_eq!(delete(store, 1, each(&[("nobody", 2)])).await, Replacing::Refused(vec![stranger]));
    assert_eq!(store.revision(&production()).await, before);
    assert_eq!((uses(store, "wf-00").await, count(store, 1).await), (vec![id(1)], Some(2)));
    assert_eq!(store.mapping_changes(&production(), None, 9).await, Ok(Vec::new()));
    let offered = store.replacements_for(&production(), &id(1), 9).await.expect("read");
    assert_eq!(offered.into_iter().map(|it| it.id).collect::<Vec<_>>(), [id(2)]);
}

async fn an_unforeseen_workflow_stops_a_deletion(database: &Database) {
    let store = &database.store;
    scene(store, 2, 2).await;
    let attempt = async |plan, foreseen: &[&str]| {
        let foreseen = Some(foreseen.iter().map(|id| (*id).to_owned()).collect());
        let deleted = entry(AuditAction::Deleted);
        store.delete_replacing(&production(), &id(1), plan, foreseen, deleted).await.expect("answered")
    };
    let unfit = Unfit { workflow: Some("wf-01".to_owned()), reason: Reason::Unforeseen };
    assert_eq!(attempt(Replacement::default(), &["wf-00"]).await, Replacing::Refused(vec![unfit]));
    assert_eq!(attempt(Replacement::default(), &["wf-00", "wf-01"]).await, Replacing::Done(Vec::new()));
    // They keep naming what waits in Recently deleted.
    assert_eq!(uses(store, "wf-01").await, [id(1)]);
}

async fn replacing_everywhere_keeps_the_connection(database: &Database) {
    let store = &database.store;
    scene(store, 2, 3).await;
    let entry = entry(AuditAction::Replaced);
    let done = store.replace(&production(), &id(1), Replacement::everywhere(id(2)), entry).await.expect("replaced");
    assert!(matches!(done, Replacing::Done(moved) if moved.len() == 3));
    assert_eq!((count(store, 1).await, count(store, 2).await), (Some(0), Some(3)));
    let told = store.audit_of(&production(), &id(1), 9).await.expect("read");
    assert_eq!((told[0].what.as_str(), told[0].about.as_str()), ("replaced by", "name 2 in 3 workflows"));
    // A later deletion and its undo have nothing to do with it.
    delete(store, 1, Replacement::default()).await;
    assert_eq!(undelete(store, 1).await, GivenBack::default());
}

async fn many_workflows_are_registered_all_or_none(database: &Database) {
    let store = &database.store;
    scene(store, 2, 0).await;
    let mut many: Vec<_> = (0..1_000).map(|n| workflow(&format!("wf-{n:04}"), &[1, 2])).collect();
    many[3].connections.push(id(8));
    let put = async |many| store.put_workflows(&production(), many, entry(AuditAction::WorkflowRegistered)).await;
    assert_eq!(put(many.clone()).await, Ok(vec![(3, 2)]));
    assert_eq!(count(store, 1).await, None);
    many[3].connections.pop();
    assert_eq!(put(many).await, Ok(Vec::new()));
    assert_eq!(count(store, 1).await, Some(1_000));
}

async fn workflows_are_listed_by_page_and_by_connection(database: &Database) {
    let store = &database.store;
    scene(store, 2, 5).await;
    let both = workflow("wf-02", &[1, 2]);
    store.put_workflow(&production(), both, entry(AuditAction::WorkflowRegistered)).await.expect("registered");
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = store.workflows(&production(), None, &after, 2).await.expect("read");
        let Some(last) = page.last() else { break };
        after.clone_from(&last.workflow.id);
        seen.extend(page.into_iter().map(|it| (it.workflow.id, it.connections.len())));
    }
    let expected = [("wf-00", 1), ("wf-01", 1), ("wf-02", 2), ("wf-03", 1), ("wf-04", 1)];
    assert_eq!(seen, expected.map(|(id, count)| (id.to_owned(), count)));
    let using = store.workflows(&production(), Some(&id(2)), "", 9).await.expect("read");
    assert_eq!(using.len(), 1);
    assert_eq!(using[0].connections, [id(1), id(2)]);
    assert!(store.workflows(&scope(Environment::Staging), None, "", 9).await.expect("read").is_empty());
}

async fn what_is_registered_as_it_was_leaves_no_line(database: &Database) {
    let store = &database.store;
    scene(store, 1, 2).await;
    let before = (store.revision(&production()).await, store.verify_audit(&production().workspace).await);
    let many = vec![workflow("wf-00", &[1, 1]), workflow("wf-01", &[1])];
    let again = store.put_workflows(&production(), many, entry(AuditAction::WorkflowRegistered)).await;
    assert_eq!(again, Ok(Vec::new()));
    assert_eq!((store.revision(&production()).await, store.verify_audit(&production().workspace).await), before);
}

async fn writers_at_once_leave_counts_that_are_true(database: &Database) {
    let store = &database.store;
    scene(store, 3, 10).await;
    let here = production();
    for _ in 0..5 {
        let (first, both) = (each(&[("wf-00", 3)]), workflow("wf-01", &[2, 3]));
        let (old, all) = (id(1), Replacement::everywhere(id(2)));
        let _ = tokio::join!(
            store.replace(&here, &old, first, entry(AuditAction::Replaced)),
            store.delete_replacing(&here, &old, all, None, entry(AuditAction::Deleted)),
            store.put_workflow(&here, both, entry(AuditAction::WorkflowRegistered)),
            store.undelete(&here, &old, entry(AuditAction::Restored)),
        );
        for number in 1..=3 {
            let using = store.workflows(&here, Some(&id(number)), "", 99).await.expect("read").len();
            assert_eq!(count(store, number).await, u32::try_from(using).ok(), "of connection {number}");
        }
        let _ = store.undelete(&here, &old, entry(AuditAction::Restored)).await;
    }
    let verdict = store.verify_audit(&here.workspace).await.expect("verified");
    assert!(matches!(verdict, AuditVerdict::Intact { .. }), "{verdict:?}");
}

async fn only_what_nobody_uses_is_listed_as_unused(database: &Database) {
    let store = &database.store;
    let listed = async |used| {
        let query = patchbay::server::store::PageQuery { used: Some(used), limit: 9, ..Default::default() };
        let page = store.page(&production(), &query).await.expect("read");
        page.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    scene(store, 2, 0).await;
    // Nobody knows yet.
    assert_eq!((listed(false).await, listed(true).await), (vec![], vec![]));
    let used = workflow("a", &[1]);
    store.put_workflow(&production(), used, entry(AuditAction::WorkflowRegistered)).await.expect("registered");
    assert_eq!((listed(false).await, listed(true).await), (vec![id(2)], vec![id(1)]));
}
