use tokio::sync::Semaphore;

use super::*;

/// Squares numbers below 1,000, one set for each permit.
#[derive(Clone)]
struct Squares {
    permits: Arc<Semaphore>,
    sets: Arc<Mutex<Vec<usize>>>,
    begun: Arc<Semaphore>,
}

impl Squares {
    fn new(permits: usize) -> Self {
        let permits = Arc::new(Semaphore::new(permits));
        Self { permits, sets: Arc::default(), begun: Arc::new(Semaphore::new(0)) }
    }

    fn loader(&self) -> Loader<Self> {
        Loader::new(self.clone(), Duration::MAX, 1 << 20)
    }

    /// Waits until one more set was begun.
    async fn next_set(&self) {
        self.begun.acquire().await.unwrap().forget();
    }

    /// The sizes of the sets that were read.
    fn sets(&self) -> Vec<usize> {
        self.sets.lock().unwrap().clone()
    }
}

impl Source for Squares {
    type Key = u64;
    type Value = Arc<str>;
    type Error = &'static str;

    async fn load(&self, keys: Vec<u64>) -> Result<HashMap<u64, Arc<str>>, &'static str> {
        self.sets.lock().unwrap().push(keys.len());
        self.begun.add_permits(1);
        self.permits.acquire().await.unwrap().forget();
        tokio::task::yield_now().await;
        if keys.contains(&13) {
            return Err("unlucky");
        }
        Ok(keys.into_iter().filter(|key| *key < 1_000).map(|key| (key, square(key))).collect())
    }

    fn weight(value: &Arc<str>) -> usize {
        value.len()
    }
}

fn square(key: u64) -> Arc<str> {
    (key * key).to_string().into()
}

#[tokio::test]
async fn what_is_kept_is_read_once_also_if_it_does_not_exist() {
    let source = Squares::new(1);
    let loader = source.loader();
    let expected = vec![Some(square(3)), None, Some(square(2))];
    for _ in 0..2 {
        assert_eq!(loader.get(&[3, 1_000, 2]).await.unwrap(), expected);
    }
    assert_eq!(source.sets(), [3]);
    assert_eq!(loader.get(&[]).await.unwrap(), []);
}

#[tokio::test]
async fn what_many_ask_for_meanwhile_is_one_more_set() {
    let source = Squares::new(0);
    let loader = source.loader();
    let ask = |key| {
        let loader = loader.clone();
        async move { loader.get(&[key]).await.unwrap() }
    };
    let release = async {
        source.next_set().await;
        source.permits.add_permits(2);
    };
    let others = futures::future::join_all((0..50).map(|n| ask(2 + n % 5)));
    let (first, others, ()) = tokio::join!(ask(1), others, release);
    assert_eq!((first, others.len()), (vec![Some(square(1))], 50));
    assert_eq!(source.sets(), [1, 5], "the first is read alone, then all others with each key once");
}

#[tokio::test]
async fn what_changed_while_it_was_read_is_not_kept() {
    for all in [false, true] {
        let source = Squares::new(0);
        let loader = source.loader();
        let change = async {
            source.next_set().await;
            if all {
                loader.invalidate_all();
            } else {
                loader.invalidate([2]);
            }
            source.permits.add_permits(2);
        };
        let (before, ()) = tokio::join!(loader.get(&[2]), change);
        assert_eq!(before.unwrap(), [Some(square(2))], "it was asked for before the change");
        loader.get(&[2]).await.unwrap();
        assert_eq!(source.sets(), [1, 1]);
    }
}

#[tokio::test]
async fn what_is_invalidated_or_too_old_is_read_again() {
    let source = Squares::new(9);
    let loader = source.loader();
    loader.get(&[2, 3]).await.unwrap();
    loader.invalidate([2]);
    loader.get(&[2, 3]).await.unwrap();
    loader.invalidate_all();
    loader.get(&[2, 3]).await.unwrap();
    assert_eq!(source.sets(), [2, 1, 2]);

    loader.read(&[2]).await.unwrap();
    assert_eq!(source.sets(), [2, 1, 2, 1], "read now, although it is kept");

    let forgetful = Loader::new(source.clone(), Duration::ZERO, 1 << 20);
    forgetful.get(&[2]).await.unwrap();
    forgetful.get(&[2]).await.unwrap();
    assert_eq!(source.sets(), [2, 1, 2, 1, 1, 1]);
}

#[tokio::test]
async fn an_error_is_everybodys_who_waited_and_is_not_kept() {
    let source = Squares::new(0);
    let loader = source.loader();
    let release = async {
        source.next_set().await;
        source.permits.add_permits(9);
    };
    let ask = |key: u64| {
        let loader = loader.clone();
        async move { loader.get(&[key]).await }
    };
    let (one, unlucky, with_it, ()) = tokio::join!(ask(1), ask(13), ask(2), release);
    assert_eq!((one.is_ok(), unlucky, with_it), (true, Err("unlucky"), Err("unlucky")));
    assert!(ask(2).await.is_ok());
    assert_eq!(source.sets(), [1, 2, 1]);
}

#[tokio::test]
async fn who_gives_up_does_not_stop_the_others() {
    let source = Squares::new(0);
    let loader = source.loader();
    let others = loader.clone();
    let waiting = async move { others.get(&[3]).await.unwrap() };
    let give_up = async {
        let mut first = Box::pin(loader.get(&[2]));
        tokio::select! {
            biased;
            _ = &mut first => unreachable!("nothing permits it"),
            () = source.next_set() => {}
        }
        drop(first);
        source.permits.add_permits(1);
    };
    let ((), third) = tokio::join!(give_up, waiting);
    assert_eq!(third, [Some(square(3))]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everybody_who_waits_is_answered_whoever_else_gives_up() {
    let source = Squares::new(1_000_000);
    let loader = Loader::new(source, Duration::ZERO, 1 << 20);
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..16 {
        let loader = loader.clone();
        tasks.spawn(async move {
            for round in 0..500 {
                let key = 100 + (task * 7 + round) % 50;
                if (task + round) % 3 == 0 {
                    let _given_up = loader.get(&[key]).now_or_never();
                } else {
                    assert_eq!(loader.get(&[key]).await.unwrap(), [Some(square(key))]);
                }
                loader.invalidate([key]);
            }
        });
    }
    let all = tokio::time::timeout(Duration::from_mins(1), tasks.join_all());
    assert_eq!(all.await.expect("nobody waits for ever").len(), 16);
}

#[tokio::test]
async fn what_is_kept_is_bounded_in_bytes() {
    const CAPACITY: u64 = 64 << 10;
    let loader = Loader::new(Squares::new(100), Duration::MAX, CAPACITY);
    for set in 1..=100 {
        let keys: Vec<u64> = (set * 1_000..(set + 1) * 1_000).collect();
        loader.get(&keys).await.unwrap();
        assert!(loader.weight() <= CAPACITY, "{} bytes are kept", loader.weight());
    }
    assert!(loader.weight() > CAPACITY / 2, "the room is used");
}
