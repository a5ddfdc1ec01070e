//! Requests and their answers: a length and the bytes, each below its own limit.

use std::io;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use libp2p::{StreamProtocol, request_response};

/// Reads and writes the two messages of a call.
#[derive(Clone, Debug)]
pub(crate) struct Calls {
    pub(crate) request_bytes: usize,
    pub(crate) response_bytes: usize,
}

#[async_trait]
impl request_response::Codec for Calls {
    type Protocol = StreamProtocol;
    type Request = Bytes;
    type Response = Bytes;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Bytes>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, self.request_bytes).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Bytes>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, self.response_bytes).await
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, body: Bytes) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &body, self.request_bytes).await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, body: Bytes) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &body, self.response_bytes).await
    }
}

/// Bytes claimed ahead of their arrival: a length alone buys no memory.
const CHUNK: usize = 64 * 1024;

async fn read<T: AsyncRead + Unpin + Send>(io: &mut T, limit: usize) -> io::Result<Bytes> {
    let mut length = [0; 4];
    io.read_exact(&mut length).await?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?;
    if length > limit {
        return Err(too_long(length, limit));
    }
    let mut body = Vec::new();
    while body.len() < length {
        let from = body.len();
        body.resize((from + CHUNK).min(length), 0);
        io.read_exact(&mut body[from..]).await?;
    }
    Ok(body.into())
}

async fn write<T: AsyncWrite + Unpin + Send>(io: &mut T, body: &Bytes, limit: usize) -> io::Result<()> {
    if body.len() > limit {
        return Err(too_long(body.len(), limit));
    }
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    io.write_all(&length.to_be_bytes()).await?;
    io.write_all(body).await
}

fn too_long(found: usize, limit: usize) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{found} bytes are above the limit of {limit}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::io::Cursor;

    #[tokio::test]
    async fn a_length_above_the_limit_is_refused_before_the_body() {
        let mut out = Vec::new();
        write(&mut out, &Bytes::from_static(b"abc"), 3).await.expect("within the limit");
        assert_eq!(read(&mut Cursor::new(&out), 3).await.expect("as written"), Bytes::from_static(b"abc"));
        assert!(read(&mut Cursor::new(&out), 2).await.is_err());
        assert!(read(&mut Cursor::new(&[0xff; 8]), 1 << 20).await.is_err());
        assert!(write(&mut out, &Bytes::from_static(b"abc"), 2).await.is_err());
        // A true length whose body never comes.
        assert!(read(&mut Cursor::new(&[0, 0, 1, 0, 7]), 1 << 20).await.is_err());
    }
}
