use std::cell::Cell;

use futures::future::join_all;
use tokio::sync::Semaphore;

use super::*;

const FOR_LONG: Duration = Duration::from_hours(1);

type Answers = Memo<u32, u32, &'static str>;

fn memo() -> Answers {
    Memo::new(1 << 20, |_, _| 0)
}

/// Finds out an answer once it is permitted, and counts how often.
async fn find(
    found: &Cell<u32>,
    permits: &Semaphore,
    answer: Result<u32, &'static str>,
) -> Result<u32, &'static str> {
    found.set(found.get() + 1);
    permits.acquire().await.unwrap().forget();
    answer
}

#[tokio::test]
async fn what_many_ask_for_at_once_is_found_out_once() {
    for answer in [Ok(5), Err("away")] {
        let (memo, found, permits) = (memo(), Cell::new(0), Semaphore::new(0));
        let ask = || memo.get(&1, FOR_LONG, find(&found, &permits, answer));
        let release = async { permits.add_permits(9) };
        let (answers, ()) = tokio::join!(join_all((0..50).map(|_| ask())), release);
        assert_eq!((answers, found.get()), (vec![answer; 50], 1));

        let again = ask().await;
        let expected = if answer.is_ok() { 1 } else { 2 };
        assert_eq!((again, found.get()), (answer, expected), "only an answer is kept");
    }
}

#[tokio::test]
async fn an_old_answer_is_found_out_again() {
    let (memo, found, permits) = (memo(), Cell::new(0), Semaphore::new(9));
    for answer in [5, 6] {
        let ask = memo.get(&1, Duration::ZERO, find(&found, &permits, Ok(answer)));
        assert_eq!(ask.await, Ok(answer));
    }
    assert_eq!(found.get(), 2);
}

#[tokio::test]
async fn who_gives_up_does_not_stop_the_others() {
    let (memo, found, permits) = (memo(), Cell::new(0), Semaphore::new(0));
    let mut first = Box::pin(memo.get(&1, FOR_LONG, find(&found, &permits, Ok(5))));
    let second = memo.get(&1, FOR_LONG, find(&found, &permits, Ok(6)));
    tokio::select! {
        biased;
        _ = &mut first => unreachable!("nothing permits it"),
        () = std::future::ready(()) => {}
    }
    let give_up = async {
        drop(first);
        permits.add_permits(1);
    };
    let (answer, ()) = tokio::join!(second, give_up);
    assert_eq!((answer, found.get()), (Ok(6), 2));
}

#[tokio::test]
async fn what_is_kept_is_bounded_in_bytes() {
    const CAPACITY: u64 = 64 << 10;
    let memo: Memo<u32, u32, ()> = Memo::new(CAPACITY, |_, _| 100);
    for key in 0..100_000 {
        memo.get(&key, FOR_LONG, async { Ok(key) }).await.unwrap();
    }
    let weight = memo.answers.weight();
    assert!((CAPACITY / 2..=CAPACITY).contains(&weight), "{weight} bytes are kept");
}
