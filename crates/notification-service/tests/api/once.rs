//! A customer is sent each thing once, whatever is repeated or killed.

use contracts::events::OrderPaid;
use mailbox::InjectedFaults;
use messaging::Delivered;
use notification_service::{consumers, workers};
use sqlx::Executor;

use super::{TestApp, created, paid, world::redeliver};

#[tokio::test]
async fn an_event_that_comes_again_makes_no_second_mail() {
    let app = TestApp::start().await;
    let event = testkit::envelope(paid(41, 7));
    assert!(matches!(redeliver(&app, &event).await, Delivered::Applied));
    assert!(matches!(redeliver(&app, &event).await, Delivered::AlreadyApplied));
    app.send().await;
    // As order-service publishes an order again that nobody answers: another event about the same.
    app.on(paid(41, 7)).await;
    assert_eq!((app.mails().len(), app.mails()[0].copies), (1, 1));
    assert_eq!(app.listed().await.len(), 1);
}

#[tokio::test]
async fn many_events_at_once_make_one_mail_each() {
    let app = TestApp::start().await;
    let consumer = consumers::consumer(app.app());
    let fields: Vec<_> = (41..61).map(|id| testkit::envelope(paid(id, 7)).to_fields().unwrap()).collect();
    let twice: Vec<_> = fields.iter().chain(&fields).collect();
    let stream = <OrderPaid as contracts::events::Event>::STREAM.name;
    assert!(consumer.deliver_all(stream, &twice).await.iter().all(Result::is_ok));
    while app.send().await > 0 {}
    let mut subjects: Vec<_> = app.mails().iter().map(|mail| mail.subject.clone()).collect();
    subjects.sort();
    subjects.dedup();
    assert_eq!((subjects.len(), app.mails().len()), (20, 20));
}

#[tokio::test]
async fn two_replicas_send_one_mail() {
    let app = TestApp::start().await;
    let event = testkit::envelope(paid(41, 7));
    let outcomes = futures::join!(redeliver(&app, &event), redeliver(&app, &event));
    let applied = [&outcomes.0, &outcomes.1].iter().filter(|one| matches!(one, Delivered::Applied)).count();
    assert_eq!(applied, 1, "{outcomes:?}");
    let (one, other) = (workers::worker(app.app()), workers::worker(app.app()));
    let ran = futures::join!(one.run_due(), other.run_due());
    assert_eq!(ran.0 + ran.1, 1);
    assert_eq!((app.mails().len(), app.mails()[0].copies), (1, 1));
}

#[tokio::test]
async fn a_mail_whose_answer_was_lost_is_sent_again_with_the_same_id() {
    let app = TestApp::start().await;
    app.set_faults(InjectedFaults { lose_answer: true, ..InjectedFaults::default() });
    app.on(paid(41, 7)).await;
    assert_eq!(app.only_state().await.0, "PENDING", "whether it was taken is not known");
    app.set_faults(InjectedFaults::default());
    app.send_again().await;
    assert_eq!(app.only_state().await.0, "SENT");
    let mails = app.mails();
    assert_eq!((mails.len(), mails[0].copies), (1, 2), "the receiver can tell that it is the same");
}

#[tokio::test]
async fn a_process_that_is_killed_between_sending_and_noting_it_sends_the_same_mail_again() {
    let app = TestApp::start().await;
    app.consume(paid(41, 7)).await;
    // The commit that notes it fails, as that of a process that is killed just then.
    let fail =
        "create function fail() returns trigger language plpgsql as 'begin raise exception ''killed''; end'";
    app.pool().execute(fail).await.unwrap();
    let trigger = "create trigger kill before update on notifications for each row execute function fail()";
    app.pool().execute(trigger).await.unwrap();
    app.send().await;
    assert_eq!((app.only_state().await.0.as_str(), app.mails().len()), ("PENDING", 1));
    app.pool().execute("drop trigger kill on notifications").await.unwrap();
    app.send_again().await;
    assert_eq!(app.only_state().await.0, "SENT");
    assert_eq!((app.mails().len(), app.mails()[0].copies), (1, 2));
    assert_eq!(app.send_again().await, 0, "nothing is left to do");
}

#[tokio::test]
async fn what_was_rolled_back_left_neither_a_row_nor_a_job() {
    let app = TestApp::start().await;
    app.pool().execute("alter table jobs.queue rename to away").await.unwrap();
    let event = testkit::envelope(created(41, 7));
    assert!(matches!(redeliver(&app, &event).await, Delivered::Failed(_)));
    app.pool().execute("alter table jobs.away rename to queue").await.unwrap();
    assert_eq!(app.listed().await.len(), 0);
    assert!(matches!(redeliver(&app, &event).await, Delivered::Applied));
    app.send().await;
    assert_eq!(app.mails().len(), 1);
}
