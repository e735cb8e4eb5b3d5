//! [`Executor`] is what runs the tasks of a clerk and of the sagas and tells them the time, in place of tokio. The functions
//! here spawn, sleep, wait and draw through the executor of the present thread, or through tokio and the system where there is
//! none.
//!
//! A service has no executor, and everything here is tokio's. A simulation enters one of its own: then each order in which
//! tasks go on, and each moment at which they wake, is chosen by a seed, and the code that runs is the code that ships. It
//! costs one look at a variable of the thread for each sleep, each wait and each task, and nothing for a command.

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinHandle};

/// A `Work` is what a task does.
pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An `Executor` runs tasks in an order of its own, by a clock of its own.
pub trait Executor: Send + Sync {
    /// Takes a task, and returns its number.
    fn spawn(&self, work: Work) -> u64;

    /// Drops a task that has not ended.
    fn abort(&self, task: u64);

    /// Returns the time.
    fn now(&self) -> Instant;

    /// Calls the waker when this moment has come.
    fn wake_at(&self, at: Instant, waker: &Waker);

    /// Draws a number with which a sequence of random numbers begins.
    fn seed(&self) -> u64;
}

thread_local! {
    static ENTERED: RefCell<Option<Arc<dyn Executor>>> = const { RefCell::new(None) };
}

/// An `Entered` keeps an executor the one of its thread until it is dropped.
pub struct Entered(Option<Arc<dyn Executor>>);

/// Makes this executor the one of the present thread.
#[must_use]
pub fn enter(executor: Arc<dyn Executor>) -> Entered {
    Entered(ENTERED.with_borrow_mut(|entered| entered.replace(executor)))
}

impl Drop for Entered {
    fn drop(&mut self) {
        ENTERED.set(self.0.take());
    }
}

fn entered() -> Option<Arc<dyn Executor>> {
    ENTERED.with_borrow(Clone::clone)
}

/// A `Runtime` is where tasks are spawned: the tokio runtime or the executor in which it was made.
#[derive(Clone)]
pub(crate) enum Runtime {
    /// Tasks are tokio's.
    Tokio(Handle),
    /// Tasks are those of an executor.
    Other(Arc<dyn Executor>),
}

impl Runtime {
    /// Returns the runtime of the present thread. It must be called inside a tokio runtime, or where an executor was entered.
    pub(crate) fn current() -> Self {
        entered().map_or_else(|| Self::Tokio(Handle::current()), Self::Other)
    }

    /// Starts a task.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Running<T> {
        match self {
            Self::Tokio(handle) => Running::Tokio(handle.spawn(work)),
            Self::Other(executor) => {
                let (ended, end) = oneshot::channel();
                let task = executor.spawn(Box::pin(async move {
                    let _nobody_waits = ended.send(work.await);
                }));
                Running::Other(Arc::clone(executor), task, end)
            }
        }
    }

    /// Waits for a future on a thread that may block. An executor has no such thread: there nothing is waited for.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        match self {
            Self::Tokio(handle) => Some(handle.block_on(work)),
            Self::Other(_) => None,
        }
    }
}

/// A `Running` is a task that was started. It goes on when this is dropped. As a future it returns what the task returns, or
/// `None` when the task was aborted or has panicked.
pub(crate) enum Running<T> {
    Tokio(JoinHandle<T>),
    Other(Arc<dyn Executor>, u64, oneshot::Receiver<T>),
}

impl<T> Running<T> {
    /// Ends the task where it waits.
    pub(crate) fn abort(&self) {
        match self {
            Self::Tokio(task) => task.abort(),
            Self::Other(executor, task, _) => executor.abort(*task),
        }
    }

    /// Returns a handle that ends the task.
    pub(crate) fn ending(&self) -> Ending {
        match self {
            Self::Tokio(task) => Ending::Tokio(task.abort_handle()),
            Self::Other(executor, task, _) => Ending::Other(Arc::clone(executor), *task),
        }
    }
}

impl<T> Future for Running<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        match self.get_mut() {
            Self::Tokio(task) => Pin::new(task).poll(cx).map(Result::ok),
            Self::Other(_, _, end) => Pin::new(end).poll(cx).map(Result::ok),
        }
    }
}

/// An `Ending` ends a task when it is told to.
pub(crate) enum Ending {
    Tokio(AbortHandle),
    Other(Arc<dyn Executor>, u64),
}

impl Ending {
    /// Ends the task where it waits.
    pub(crate) fn abort(&self) {
        match self {
            Self::Tokio(task) => task.abort(),
            Self::Other(executor, task) => executor.abort(*task),
        }
    }
}

/// An `Elapsed` says that a wait took longer than it may.
#[derive(Clone, Copy, Debug)]
pub struct Elapsed;

/// Starts a task in the runtime of the present thread.
pub(crate) fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Running<T> {
    Runtime::current().spawn(work)
}

/// Returns the time by which tasks wait.
pub(crate) fn now() -> Instant {
    entered().map_or_else(Instant::now, |executor| executor.now())
}

/// Draws a number with which a sequence of random numbers begins that nobody has seen before.
pub(crate) fn seed() -> u64 {
    if let Some(executor) = entered() {
        return executor.seed();
    }
    let mut seed = [0; 8];
    // Where the system has no randomness to give, the process id still tells two processes apart.
    let drawn = getrandom::fill(&mut seed).is_ok();
    if drawn { u64::from_le_bytes(seed) } else { u64::from(std::process::id()) }
}

/// Waits for so long.
pub async fn sleep(time: Duration) {
    match entered() {
        None => tokio::time::sleep(time).await,
        Some(executor) => Timer { at: executor.now() + time, executor }.await,
    }
}

/// Waits for a future, for so long at most.
pub async fn timeout<F: Future>(most: Duration, work: F) -> Result<F::Output, Elapsed> {
    let Some(executor) = entered() else {
        return tokio::time::timeout(most, work).await.map_err(|_| Elapsed);
    };
    let mut work = pin!(work);
    let mut timer = Timer { at: executor.now() + most, executor };
    std::future::poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Ok(done)),
        Poll::Pending => Pin::new(&mut timer).poll(cx).map(|()| Err(Elapsed)),
    })
    .await
}

/// Runs work that blocks where it does not hold up other tasks. Returns `None` when it has panicked.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    if entered().is_some() {
        return Some(work());
    }
    tokio::task::spawn_blocking(work).await.ok()
}

/// Says whether the present thread may block for a moment, since the runtime's other tasks go on meanwhile.
pub(crate) fn may_block() -> bool {
    entered().is_some()
        || Handle::try_current().is_ok_and(|on| on.runtime_flavor() == RuntimeFlavor::MultiThread)
}

/// Runs work that blocks the present thread, where [`may_block`] says that it may.
pub(crate) fn in_place<T>(work: impl FnOnce() -> T) -> T {
    if entered().is_some() { work() } else { tokio::task::block_in_place(work) }
}

/// A `Timer` is ready when its moment has come by its executor's clock.
struct Timer {
    at: Instant,
    executor: Arc<dyn Executor>,
}

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.executor.now() >= self.at {
            return Poll::Ready(());
        }
        self.executor.wake_at(self.at, cx.waker());
        Poll::Pending
    }
}
