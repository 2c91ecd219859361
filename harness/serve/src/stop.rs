//! The word to stop, which everything that runs listens for.

use tokio::sync::watch;

/// Gives the word; so does dropping it.
#[derive(Debug)]
pub(crate) struct Stopper(watch::Sender<bool>);

/// Hears the word.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<bool>);

/// A pair.
pub(crate) fn stop() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Waits for the word.
    pub(crate) async fn stopped(&mut self) {
        // An error means that the one who would give the word is gone.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}
