//! Waiting without a runtime: one thread for all the sleeps of a timer.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::system::Timer;

/// How long the thread stays when nothing waits.
const IDLE: Duration = Duration::from_secs(5);
/// What a duration that no clock can hold is cut to.
const FOREVER: Duration = Duration::from_secs(30 * 365 * 86_400);

/// Waits on one thread for all sleeps, which is there only while something waits; no runtime is needed.
///
/// A sleep that is dropped (most deadlines are) leaves the list at once and wakes nobody. A host on tokio
/// may hand in tokio's timer.
#[derive(Clone)]
pub struct SystemTimer(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    earlier: Condvar,
    idle: Duration,
}

/// The end of a sleep and a number that tells two of the same instant apart.
type Place = (Instant, u64);

#[derive(Default)]
struct State {
    waiting: BTreeMap<Place, Waker>,
    next: u64,
    running: bool,
}

/// One sleep. It is in the list from its first poll to its end or its drop.
struct Sleep {
    shared: Arc<Shared>,
    end: Instant,
    place: Option<Place>,
}

impl SystemTimer {
    /// A timer whose thread starts with the first sleep.
    pub fn new() -> Self {
        Self::with_idle(IDLE)
    }

    fn with_idle(idle: Duration) -> Self {
        let (state, earlier) = (Mutex::new(State::default()), Condvar::new());
        Self(Arc::new(Shared { state, earlier, idle }))
    }
}

impl Default for SystemTimer {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Timer for SystemTimer {
    async fn sleep(&self, duration: Duration) {
        let now = Instant::now();
        let end = now.checked_add(duration).or_else(|| now.checked_add(FOREVER)).unwrap_or(now);
        Sleep { shared: Arc::clone(&self.0), end, place: None }.await;
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.end <= Instant::now() {
            return Poll::Ready(());
        }
        let (shared, end) = (Arc::clone(&self.shared), self.end);
        // Declared before the lock, so dropped after it: with an old waker may go what it would have woken.
        let _old;
        let mut state = shared.lock();
        let place = *self.place.get_or_insert_with(|| {
            state.next += 1;
            (end, state.next)
        });
        _old = state.waiting.insert(place, context.waker().clone());
        let first = state.waiting.keys().next() == Some(&place);
        if !state.running {
            state.running = shared.start();
            if !state.running {
                // Waking early is a lesser evil than never.
                tracing::error!("no thread for the timer; a wait ends early");
                return Poll::Ready(());
            }
        } else if first {
            shared.earlier.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let waker = self.shared.lock().waiting.remove(&place);
            drop(waker);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(self: &Arc<Self>) -> bool {
        let shared = Arc::clone(self);
        let thread = std::thread::Builder::new().name("backstitch-timer".to_owned());
        thread.spawn(move || shared.run()).is_ok()
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let later = state.waiting.split_off(&(now, u64::MAX));
            let due = std::mem::replace(&mut state.waiting, later);
            if !due.is_empty() {
                drop(state);
                due.into_values().for_each(Waker::wake);
                state = self.lock();
                continue;
            }
            let first = state.waiting.keys().next().map(|(end, _)| *end);
            let pause = first.map_or(self.idle, |end| end.saturating_duration_since(now));
            let (woken, outcome) =
                self.earlier.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if outcome.timed_out() && first.is_none() && state.waiting.is_empty() {
                state.running = false;
                return;
            }
        }
    }
}

impl std::fmt::Debug for SystemTimer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SystemTimer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(5);
    const LONG: Duration = Duration::from_secs(3600);

    fn poll_once(sleep: &mut (impl Future + Unpin)) -> bool {
        Pin::new(sleep).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[tokio::test]
    async fn sleeps_end_in_the_order_of_their_ends_and_never_early() {
        let timer = SystemTimer::new();
        let ended = Mutex::new(Vec::new());
        let sleep = |times: u32| {
            let (timer, ended) = (&timer, &ended);
            async move {
                let start = Instant::now();
                timer.sleep(SHORT * times).await;
                assert!(start.elapsed() >= SHORT * times);
                ended.lock().unwrap().push(times);
            }
        };
        tokio::join!(sleep(8), sleep(1), sleep(4), sleep(0));
        assert_eq!(*ended.lock().unwrap(), [0, 1, 4, 8]);
    }

    #[tokio::test]
    async fn a_dropped_sleep_leaves_nothing_and_a_thousand_share_one_thread() {
        let timer = SystemTimer::new();
        let mut sleeps: Vec<_> = (0..1000).map(|_| timer.sleep(LONG)).collect();
        assert!(sleeps.iter_mut().all(|sleep| !poll_once(sleep)));
        assert!(sleeps.iter_mut().all(|sleep| !poll_once(sleep)), "a second poll takes no second place");
        assert_eq!(timer.0.lock().waiting.len(), 1000);
        timer.sleep(SHORT).await;
        assert_eq!(timer.0.lock().waiting.len(), 1000);
        drop(sleeps);
        assert!(timer.0.lock().waiting.is_empty());
        // The timer, the thread, and no more.
        assert_eq!(Arc::strong_count(&timer.0), 2);
    }

    #[tokio::test]
    async fn a_duration_that_no_clock_can_hold_is_a_long_one() {
        assert!(!poll_once(&mut SystemTimer::new().sleep(Duration::MAX)));
    }

    #[tokio::test]
    async fn the_thread_ends_when_nothing_waits_and_comes_back() {
        let timer = SystemTimer::with_idle(Duration::ZERO);
        for _ in 0..3 {
            timer.sleep(SHORT).await;
            while timer.0.lock().running {
                tokio::task::yield_now().await;
            }
        }
    }
}
