//! Results that a caller may wait for; here they are always there already.

/// Something that a caller may wait for.
pub trait MaybeFuture {
    /// What it comes to.
    type Output;

    /// Waits for it.
    fn wait(self) -> Self::Output;
}

pub(crate) struct Ready<T>(pub(crate) T);

impl<T> MaybeFuture for Ready<T> {
    type Output = T;

    fn wait(self) -> T {
        self.0
    }
}

impl<T> IntoFuture for Ready<T> {
    type Output = T;
    type IntoFuture = core::future::Ready<T>;

    fn into_future(self) -> Self::IntoFuture {
        core::future::ready(self.0)
    }
}
