//! Connections: how many there are, and how long one may say nothing. Rule N-15.
//!
//! A connection is closed when it has taken none of our bytes for a while: that ends a request's
//! head that drips in, an idle caller, and one that asks for an answer and never reads it. The
//! time begins anew with each of our bytes taken, and with the first byte that follows one.

use std::future::{Future as _, Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

use super::limits::Limits;
use super::metrics::ApiMetrics;

/// Lets connections in.
#[derive(Clone)]
pub(crate) struct Door {
    listener: &'static str,
    places: Arc<Semaphore>,
    quiet: Duration,
    metrics: ApiMetrics,
}

impl Door {
    /// A door for as many connections as the limits allow.
    pub(crate) fn new(listener: &'static str, limits: &Limits, metrics: ApiMetrics) -> Self {
        let places = Arc::new(Semaphore::new(limits.connections));
        Self { listener, places, quiet: Duration::from_millis(limits.quiet_millis), metrics }
    }
}

impl<S> Accept<TcpStream, S> for Door {
    type Stream = Watched;
    type Service = S;
    type Future = Ready<io::Result<(Watched, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.metrics.refused(self.listener, "connections");
            return ready(Err(io::Error::other("too many connections")));
        };
        let open = Open { gauge: self.metrics.connections(self.listener), _place: place };
        open.gauge.inc();
        ready(stream.set_nodelay(true).map(|()| {
            let deadline = Box::pin(sleep(self.quiet));
            (Watched { stream, quiet: self.quiet, deadline, answered: false, _open: open }, service)
        }))
    }
}

/// Counts a connection while it is open.
struct Open {
    gauge: Gauge,
    _place: OwnedSemaphorePermit,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}

/// A connection that may not stay quiet for long.
pub(crate) struct Watched {
    stream: TcpStream,
    quiet: Duration,
    deadline: Pin<Box<Sleep>>,
    /// Whether the last byte on the connection was ours.
    answered: bool,
    _open: Open,
}

impl Watched {
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.deadline.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }

    fn begin_anew(&mut self) {
        let until = Instant::now() + self.quiet;
        self.deadline.as_mut().reset(until);
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.answered && buffer.filled().len() > before {
            self.answered = false;
            self.begin_anew();
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(context)?;
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.answered = true;
            self.begin_anew();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
