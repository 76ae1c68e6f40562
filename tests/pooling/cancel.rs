//! Cancel requests that are waited for to their end.
//!
//! tokio-postgres closes its side as soon as the request is sent. PgBouncer 1.18 may then drop the request, or break
//! down (its issue 801); and a request that is still under way could hit the statement after.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio_postgres::{CancelToken, NoTls};

/// Sends a cancel request, and waits until the pooler closes the connection: by then it has reached the server.
pub async fn request(token: &CancelToken, socket: &Path) {
    let mut stream = KeptOpen(UnixStream::connect(socket).await.expect("a connection for a cancel request"));
    token.cancel_query_raw(&mut stream, NoTls).await.expect("a cancel request");
    let mut answer = Vec::new();
    stream.0.read_to_end(&mut answer).await.expect("the end of a cancel request");
    assert!(answer.is_empty(), "a cancel request was answered: {}", String::from_utf8_lossy(&answer));
}

/// A stream that is not shut down.
struct KeptOpen(UnixStream);

impl AsyncRead for KeptOpen {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl AsyncWrite for KeptOpen {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
