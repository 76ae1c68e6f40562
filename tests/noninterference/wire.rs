//! A client that shows all that a server sends: the libraries keep back command tags, and the order of notices and rows.

use std::env;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

pub struct Connection {
    stream: UnixStream,
    received: Vec<u8>,
    place: usize,
}

/// What came back for one request, in order.
#[derive(Default)]
pub struct Reply {
    pub messages: Vec<(u8, Vec<u8>)>,
}

impl Connection {
    pub fn open(database: &str, role: &str, options: &str) -> io::Result<Connection> {
        let variable = |name: &str| env::var(name).map_err(|_| io::Error::other(format!("{name} is not set")));
        let path = format!("{}/.s.PGSQL.{}", variable("PGHOST")?, variable("PGPORT")?);
        let stream = UnixStream::connect(path)?;
        let mut connection = Connection { stream, received: Vec::new(), place: 0 };
        let mut startup = vec![0, 3, 0, 0];
        for text in ["user", role, "database", database, "application_name", "noninterference", "options", options, ""]
        {
            startup.extend_from_slice(text.as_bytes());
            startup.push(0);
        }
        let mut message = (startup.len() as u32 + 4).to_be_bytes().to_vec();
        message.extend_from_slice(&startup);
        connection.stream.write_all(&message)?;
        let reply = connection.receive()?;
        match reply.messages.iter().find(|(kind, _)| *kind == b'E') {
            Some((_, error)) => Err(io::Error::other(fields(error))),
            None => Ok(connection),
        }
    }

    pub fn send(&mut self, messages: &[u8]) -> io::Result<()> {
        self.stream.write_all(messages)
    }

    /// All messages until the server is ready for the next request.
    pub fn receive(&mut self) -> io::Result<Reply> {
        let mut reply = Reply::default();
        loop {
            let head = self.take(5)?;
            let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
            let body = self.take(length - 4)?;
            match head[0] {
                b'Z' => return Ok(reply),
                kind => reply.messages.push((kind, body)),
            }
        }
    }

    /// Runs what must succeed.
    pub fn run(&mut self, statements: &str) -> io::Result<()> {
        self.rows(statements).map(drop)
    }

    pub fn rows(&mut self, statements: &str) -> io::Result<Vec<Vec<Option<String>>>> {
        self.send(&query(statements))?;
        let mut rows = Vec::new();
        for (kind, body) in self.receive()?.messages {
            match kind {
                b'E' => return Err(io::Error::other(format!("{}\n{statements}", fields(&body)))),
                b'D' => rows.push(row(&body)),
                _ => {}
            }
        }
        Ok(rows)
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.received.len() - self.place < length {
            self.received.drain(..self.place);
            self.place = 0;
            let mut chunk = [0; 65536];
            match self.stream.read(&mut chunk)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => self.received.extend_from_slice(&chunk[..n]),
            }
        }
        let taken = self.received[self.place..self.place + length].to_vec();
        self.place += length;
        Ok(taken)
    }
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
    message.extend_from_slice(body);
    message
}

fn text(value: &str) -> Vec<u8> {
    let mut bytes = value.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

pub fn query(statements: &str) -> Vec<u8> {
    message(b'Q', &text(statements))
}

/// A statement by the extended protocol: its parameters as text, and at most so many rows (0: all).
pub fn extended(statement: &str, parameters: &[String], max_rows: u32) -> Vec<u8> {
    let mut messages = message(b'P', &[text(""), text(statement), vec![0, 0]].concat());
    let mut bind = [text(""), text(""), vec![0, 0], (parameters.len() as u16).to_be_bytes().to_vec()].concat();
    for parameter in parameters {
        bind.extend_from_slice(&(parameter.len() as u32).to_be_bytes());
        bind.extend_from_slice(parameter.as_bytes());
    }
    bind.extend_from_slice(&[0, 0]);
    messages.extend(message(b'B', &bind));
    messages.extend(message(b'D', &[vec![b'P'], text("")].concat()));
    messages.extend(message(b'E', &[text(""), max_rows.to_be_bytes().to_vec()].concat()));
    messages.extend(message(b'S', &[]));
    messages
}

/// COPY ... FROM STDIN with its data, which a server that refused the COPY ignores.
pub fn copy_in(statement: &str, data: &str) -> Vec<u8> {
    [query(statement), message(b'd', data.as_bytes()), message(b'c', &[])].concat()
}

/// A row's values.
pub fn row(body: &[u8]) -> Vec<Option<String>> {
    let mut values = Vec::new();
    let mut rest = body.get(2..).unwrap_or_default();
    while rest.len() >= 4 {
        let length = i32::from_be_bytes([rest[0], rest[1], rest[2], rest[3]]);
        rest = &rest[4..];
        match usize::try_from(length) {
            Ok(length) => {
                values.push(Some(String::from_utf8_lossy(&rest[..length]).into_owned()));
                rest = &rest[length..];
            }
            Err(_) => values.push(None),
        }
    }
    values
}

/// The names of a result's columns, with their types.
pub fn columns(body: &[u8]) -> String {
    let mut columns = Vec::new();
    let mut rest = body.get(2..).unwrap_or_default();
    while let Some(end) = rest.iter().position(|byte| *byte == 0) {
        let name = String::from_utf8_lossy(&rest[..end]).into_owned();
        let kind = u32::from_be_bytes([rest[end + 7], rest[end + 8], rest[end + 9], rest[end + 10]]);
        // Types of PostgreSQL's own; others have numbers by chance.
        columns.push(format!("{name}:{}", if kind < 16384 { kind.to_string() } else { "own".to_owned() }));
        rest = &rest[end + 19..];
    }
    columns.join(" ")
}

/// The fields of an error or notice, but for the place in the server's source.
pub fn fields(body: &[u8]) -> String {
    body.split(|byte| *byte == 0)
        .filter(|field| !field.is_empty() && !matches!(field[0], b'F' | b'L' | b'V'))
        .map(|field| {
            let name = match field[0] {
                b'S' => "",
                b'C' => "SQLSTATE ",
                b'M' => "",
                b'D' => "DETAIL ",
                b'H' => "HINT ",
                b'P' => "at ",
                b'W' => "CONTEXT ",
                b'R' => "in ",
                b'q' => "QUERY ",
                _ => "of ",
            };
            format!("{name}{}", String::from_utf8_lossy(&field[1..]))
        })
        .collect::<Vec<_>>()
        .join(" | ")
}

/// The SQLSTATE of an error.
pub fn sqlstate(body: &[u8]) -> String {
    let code = body.split(|byte| *byte == 0).find(|field| field.first() == Some(&b'C'));
    code.map_or_else(String::new, |code| String::from_utf8_lossy(&code[1..]).into_owned())
}
