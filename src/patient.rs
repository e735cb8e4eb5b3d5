//! Patient work gives way to other work: a long read, a large batch. It goes on at full speed on an idle machine, and leaves a
//! busy one to the clerk and to short requests.

use std::sync::OnceLock;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// This is the niceness of a patient thread: it has about a tenth of the weight of another thread.
const NICE: i32 = 10;

/// Makes the present thread a patient one.
pub(crate) fn give_way() {
    // Where the system does not allow it, its work is as urgent as all other.
    let _refused = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
}

/// A `Patient` is a runtime of patient threads, as many as there are processors. They are started for the first work.
#[derive(Debug, Default)]
pub(crate) struct Patient(OnceLock<Option<Runtime>>);

impl Patient {
    /// Does the work on a patient thread, or in place where none can be started. Work whose caller goes away ends where it
    /// waits. Returns `None` when it has panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        match self.0.get_or_init(|| runtime().ok()) {
            Some(runtime) => Wanted(runtime.spawn(work)).done().await,
            None => Some(work.await),
        }
    }
}

fn runtime() -> std::io::Result<Runtime> {
    let threads = available_parallelism().map_or(1, Into::into);
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(threads).thread_name("patient").on_thread_start(give_way).enable_all();
    builder.build()
}

impl Drop for Patient {
    fn drop(&mut self) {
        // A runtime that is dropped in a task would wait for its threads there, and panic.
        if let Some(runtime) = self.0.take().flatten() {
            runtime.shutdown_background();
        }
    }
}

/// A `Wanted` is work that ends where it waits when this is dropped.
struct Wanted<T>(JoinHandle<T>);

impl<T> Wanted<T> {
    async fn done(mut self) -> Option<T> {
        (&mut self.0).await.ok()
    }
}

impl<T> Drop for Wanted<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn patient_work_returns_what_it_makes_and_its_panic_is_told() {
        let patient = Patient::default();
        assert_eq!(patient.run(async { 1 + 1 }).await, Some(2));
        assert_eq!(patient.run(async { panic!("planted") }).await, None::<()>);
        assert_eq!(patient.run(async { 3 }).await, Some(3), "the runtime goes on");
    }

    /// Guards against work that goes on for a caller that has gone.
    #[tokio::test]
    async fn work_of_a_caller_that_went_away_ends() {
        let patient = Patient::default();
        let (held, mut ended) = tokio::sync::mpsc::channel::<()>(1);
        let work = async move {
            let _held = held;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            _ = patient.run(work) => panic!("it never ends by itself"),
            () = tokio::task::yield_now() => {}
        }
        assert_eq!(ended.recv().await, None);
    }

    #[tokio::test]
    async fn a_patient_thread_is_nicer_than_another() {
        let niceness = || rustix::process::getpriority_process(Some(rustix::thread::gettid())).unwrap();
        let here = niceness();
        let there = Patient::default().run(async move { niceness() }).await;
        assert_eq!(there, Some(NICE.max(here)), "this thread has {here}");
    }
}
