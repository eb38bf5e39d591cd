//! What every keeper's process needs around its steps: to be told to stop, and somebody who works beside it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How long whoever works beside rests where there is nothing to do.
const REST: Duration = Duration::from_millis(200);

/// A flag that SIGTERM or SIGINT raises: the step under way is finished, then the process ends.
pub fn stop_at_signal() -> io::Result<Arc<AtomicBool>> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let stop = Arc::new(AtomicBool::new(false));
    let raised = stop.clone();
    let (mut terminate, mut interrupt) = {
        let _entered = runtime.enter();
        (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        )
    };
    thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        });
        raised.store(true, Ordering::Relaxed);
    });
    Ok(stop)
}

/// Work on a thread of its own, so that whoever is slow to answer holds nothing up.
pub struct Beside {
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Beside {
    /// Step until it is stopped, or the process is. A step says whether there may be more to do.
    pub fn start(
        process: &Arc<AtomicBool>,
        mut step: impl FnMut() -> bool + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (mine, process) = (stop.clone(), process.clone());
        let thread = thread::spawn(move || {
            while !mine.load(Ordering::Relaxed) && !process.load(Ordering::Relaxed) {
                if !step() {
                    thread::sleep(REST);
                }
            }
        });
        Self { stop, thread }
    }

    /// Stop it, once its step is done.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        if self.thread.join().is_err() {
            tracing::error!("what worked beside the keeper panicked");
        }
    }
}
