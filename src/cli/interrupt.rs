//! Ctrl-C and polite kills, counted: what the first, the second and the third mean is each verb's own.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::error::{Error, Interrupt};

/// Signals that came since the process began to listen.
#[derive(Debug, Clone)]
pub(super) struct Interrupts {
    seen: watch::Receiver<(u32, Interrupt)>,
}

impl Interrupts {
    /// Begins to listen: from now on the signals do not end the process by themselves.
    ///
    /// # Errors
    /// The system gives no way to listen.
    pub(super) fn listen() -> Result<Self, Error> {
        let failed = |error: io::Error| Error::local("cannot listen to signals", error);
        let mut int = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut term = signal(SignalKind::terminate()).map_err(failed)?;
        let (sender, seen) = watch::channel((0, Interrupt::Int));
        tokio::spawn(async move {
            loop {
                let kind = tokio::select! {
                    Some(()) = int.recv() => Interrupt::Int,
                    Some(()) = term.recv() => Interrupt::Term,
                    else => return,
                };
                sender.send_modify(|seen| *seen = (seen.0 + 1, kind));
            }
        });
        Ok(Self { seen })
    }

    /// Returns how many came so far.
    pub(super) fn count(&self) -> u32 {
        self.seen.borrow().0
    }

    /// Returns which kind came last.
    pub(super) fn kind(&self) -> Interrupt {
        self.seen.borrow().1
    }

    /// Waits until at least so many came.
    pub(super) async fn reach(&self, count: u32) {
        let mut seen = self.seen.clone();
        if seen.wait_for(|seen| seen.0 >= count).await.is_err() {
            // The listener is gone with its runtime; no signal comes any more.
            std::future::pending::<()>().await;
        }
    }
}
