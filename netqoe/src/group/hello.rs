//! What two processes say first: who is calling, and that both know the secret.

use std::fmt;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Membership;

/// How long the other side may take to say it. Whoever called and says nothing holds up no longer than this.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// What it begins with: another protocol, or another version of this one, is told at once.
const MAGIC: [u8; 8] = *b"netqoe-1";
const HELLO_BYTES: usize = MAGIC.len() + 32 + 2 + 2 + 1;
const WELCOME: u8 = 1;
const WRONG_SECRET: u8 = 2;
const WRONG_GROUP: u8 = 3;

/// What all processes of a cluster know and nobody else does. Never shown.
#[derive(Clone, Default)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What stands for it on the wire: who listens there learns no more than that, which is why a cluster belongs
    /// into a network of its own.
    fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Timely,
    Pulse,
}

impl Purpose {
    pub(super) const ALL: [Self; 2] = [Self::Timely, Self::Pulse];
}

/// Who calls, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hello {
    pub(super) process: usize,
    pub(super) processes: usize,
    pub(super) purpose: Purpose,
}

impl Hello {
    /// Says it and waits to be welcome.
    pub(super) fn say(&self, stream: &mut TcpStream, secret: &Secret) -> Result<()> {
        prepare(stream)?;
        let mut bytes = Vec::with_capacity(HELLO_BYTES);
        bytes.extend(MAGIC);
        bytes.extend(secret.digest());
        bytes.extend(number(self.processes)?);
        bytes.extend(number(self.process)?);
        bytes.push(self.purpose as u8);
        stream.write_all(&bytes)?;
        let mut answer = [0];
        stream.read_exact(&mut answer)?;
        match answer[0] {
            WELCOME => finish(stream),
            WRONG_SECRET => Err(refused("it has another cluster secret")),
            WRONG_GROUP => Err(refused("it was given another -n, or this one another -p")),
            _ => Err(Error::new(ErrorKind::InvalidData, "it is no netqoe")),
        }
    }

    /// Hears it and welcomes whoever belongs to the group and comes after this process.
    pub(super) fn hear(stream: &mut TcpStream, membership: &Membership) -> Result<Self> {
        stream.set_nonblocking(false)?;
        prepare(stream)?;
        let mut bytes = [0; HELLO_BYTES];
        stream.read_exact(&mut bytes)?;
        let (magic, rest) = bytes.split_at(MAGIC.len());
        let (digest, rest) = rest.split_at(32);
        if magic != MAGIC {
            return Err(Error::new(ErrorKind::InvalidData, "it is no netqoe of this version"));
        }
        if !bool::from(digest.ct_eq(&membership.secret.digest())) {
            stream.write_all(&[WRONG_SECRET])?;
            return Err(refused("it has another cluster secret"));
        }
        let processes = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
        let process = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        let purpose = Purpose::ALL.into_iter().find(|&purpose| purpose as u8 == rest[4]);
        let fits = processes == membership.addresses.len() && (membership.process + 1..processes).contains(&process);
        let Some(purpose) = purpose.filter(|_| fits) else {
            stream.write_all(&[WRONG_GROUP])?;
            return Err(refused("it was given another -n or -p"));
        };
        stream.write_all(&[WELCOME])?;
        finish(stream)?;
        Ok(Self { process, processes, purpose })
    }
}

fn prepare(stream: &TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))
}

fn finish(stream: &TcpStream) -> Result<()> {
    stream.set_read_timeout(None)?;
    stream.set_write_timeout(None)
}

fn refused(why: &str) -> Error {
    Error::new(ErrorKind::PermissionDenied, why)
}

fn number(value: usize) -> Result<[u8; 2]> {
    let value = u16::try_from(value).map_err(|_| Error::new(ErrorKind::InvalidInput, "too many processes"))?;
    Ok(value.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn membership(secret: &str) -> Membership {
        Membership {
            process: 0,
            addresses: vec![String::new(); 2],
            secret: Secret::new(secret),
            takeover: Duration::from_secs(1),
        }
    }

    #[track_caller]
    fn check(process: usize, processes: usize, secret: &str, refused: Option<&str>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let mut calling = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let hello = Hello { process, processes, purpose: Purpose::Pulse };
        let secret = Secret::new(secret);
        let said = std::thread::spawn(move || hello.say(&mut calling, &secret));
        let heard = Hello::hear(&mut listener.accept().unwrap().0, &membership("s"));
        let said = said.join().unwrap();
        match refused {
            None => {
                said.unwrap();
                assert_eq!(heard.unwrap(), hello);
            }
            Some(why) => {
                assert_eq!(heard.unwrap_err().kind(), ErrorKind::PermissionDenied);
                assert!(said.unwrap_err().to_string().contains(why));
            }
        }
    }

    #[test]
    fn only_the_other_processes_of_the_group_are_welcome() {
        check(1, 2, "s", None);
        check(1, 2, "s\n", None);
        check(1, 2, "t", Some("secret"));
        check(1, 3, "s", Some("-n"));
        check(0, 2, "s", Some("-p"));
        check(2, 2, "s", Some("-p"));
    }

    #[test]
    fn whoever_speaks_another_language_is_sent_away() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let mut calling = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        calling.write_all(&[b'x'; HELLO_BYTES]).unwrap();
        let heard = Hello::hear(&mut listener.accept().unwrap().0, &membership(""));
        assert_eq!(heard.unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn a_secret_is_never_shown() {
        assert!(!format!("{:?}", membership("hush")).contains("hush"));
    }
}
