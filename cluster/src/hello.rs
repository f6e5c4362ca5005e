//! What two processes say first: who is calling, and that both know the secret.

use std::fmt;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Membership;

/// How long the other side may take to say all of it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// What it begins with: another protocol, or another version of this one, is told at once.
const MAGIC: [u8; 8] = *b"netqoe-1";
const DIGEST_BYTES: usize = 32;
pub(crate) const HELLO_BYTES: usize = MAGIC.len() + DIGEST_BYTES + 2 + 2 + 1;
const WELCOME: u8 = 1;
const WRONG_SECRET: u8 = 2;
const WRONG_GROUP: u8 = 3;

/// What all processes of a cluster know and nobody else does. Never shown.
#[derive(Clone, Default)]
pub struct Secret(String);

impl Secret {
    /// The secret that this text holds, without the white space around it.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What stands for it on the wire: who listens there learns no more than that, which is why a cluster belongs
    /// into a network of its own.
    fn digest(&self) -> [u8; DIGEST_BYTES] {
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
pub(crate) enum Purpose {
    Timely,
    Pulse,
}

impl Purpose {
    pub(crate) const ALL: [Self; 2] = [Self::Timely, Self::Pulse];
}

/// Who calls, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) process: usize,
    pub(crate) processes: usize,
    pub(crate) purpose: Purpose,
}

impl Hello {
    /// Says it and waits to be welcome.
    pub(crate) fn say(&self, stream: &mut TcpStream, secret: &Secret) -> Result<()> {
        prepare(stream)?;
        stream.write_all(&self.bytes(secret)?)?;
        let mut answer = [0];
        stream.read_exact(&mut answer)?;
        match answer[0] {
            WELCOME => finish(stream),
            WRONG_SECRET => Err(refused("it has another cluster secret")),
            WRONG_GROUP => Err(refused("it was given another -n, or this one another -p")),
            _ => Err(Error::new(ErrorKind::InvalidData, "it is no netqoe")),
        }
    }

    pub(crate) fn bytes(&self, secret: &Secret) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(HELLO_BYTES);
        bytes.extend(MAGIC);
        bytes.extend(secret.digest());
        bytes.extend(number(self.processes)?);
        bytes.extend(number(self.process)?);
        bytes.push(self.purpose as u8);
        Ok(bytes)
    }

    /// What the first bytes of a connection say to a process of this group; none while there are too few of them.
    pub(crate) fn parse(bytes: &[u8], membership: &Membership) -> std::result::Result<Option<Self>, Refusal> {
        // What begins in another way is not waited for.
        if bytes.iter().zip(&MAGIC).any(|(byte, expected)| byte != expected) {
            return Err(Refusal::NotUnderstood);
        }
        let Some(bytes) = bytes.first_chunk::<HELLO_BYTES>() else { return Ok(None) };
        let (digest, rest) = bytes[MAGIC.len()..].split_at(DIGEST_BYTES);
        if !bool::from(digest.ct_eq(&membership.secret.digest())) {
            return Err(Refusal::WrongSecret);
        }
        let processes = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
        let process = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        let purpose = Purpose::ALL.into_iter().find(|&purpose| purpose as u8 == rest[4]);
        let fits = processes == membership.addresses.len() && (membership.process + 1..processes).contains(&process);
        let purpose = purpose.filter(|_| fits).ok_or(Refusal::WrongGroup)?;
        Ok(Some(Self { process, processes, purpose }))
    }
}

/// Why a caller is sent away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("it is no netqoe of this version")]
    NotUnderstood,
    #[error("it has another cluster secret")]
    WrongSecret,
    #[error("it was given another -n or -p")]
    WrongGroup,
    #[error("it did not say who it is within {PATIENCE:?}")]
    Silent,
    #[error("it went away before it said who it is")]
    Gone,
    #[error("too many others called while it did not say who it is")]
    Displaced,
}

impl Refusal {
    /// What the caller is told, where it can understand it.
    fn answer(self) -> Option<u8> {
        match self {
            Self::WrongSecret => Some(WRONG_SECRET),
            Self::WrongGroup => Some(WRONG_GROUP),
            Self::NotUnderstood | Self::Silent | Self::Gone | Self::Displaced => None,
        }
    }

    /// Says so, and closes the connection.
    pub(crate) fn tell(self, mut stream: TcpStream) {
        if let Some(answer) = self.answer()
            && let Err(error) = stream.write_all(&[answer])
        {
            tracing::debug!("a caller that is sent away does not hear why: {error}");
        }
    }
}

/// Tells a caller that it is one of the group. From then on the connection waits for as long as it takes.
pub(crate) fn welcome(stream: &mut TcpStream) -> Result<()> {
    stream.set_nonblocking(false)?;
    prepare(stream)?;
    stream.write_all(&[WELCOME])?;
    finish(stream)
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

    use proptest::prelude::*;

    use super::*;

    fn membership(secret: &str) -> Membership {
        Membership {
            process: 0,
            addresses: vec![String::new(); 2],
            secret: Secret::new(secret),
            takeover: Duration::from_secs(1),
        }
    }

    fn said(process: usize, processes: usize, secret: &str) -> Vec<u8> {
        Hello { process, processes, purpose: Purpose::Pulse }.bytes(&Secret::new(secret)).unwrap()
    }

    #[test]
    fn only_the_other_processes_of_the_group_are_welcome() {
        let membership = membership("s");
        for (process, processes, secret, refused) in [
            (1, 2, "s", None),
            (1, 2, "s\n", None),
            (1, 2, "t", Some(Refusal::WrongSecret)),
            (1, 3, "s", Some(Refusal::WrongGroup)),
            (0, 2, "s", Some(Refusal::WrongGroup)),
            (2, 2, "s", Some(Refusal::WrongGroup)),
        ] {
            let heard = Hello::parse(&said(process, processes, secret), &membership);
            let expected = refused.map_or(Ok(Some(Hello { process, processes, purpose: Purpose::Pulse })), Err);
            assert_eq!(heard, expected, "{process} of {processes} with {secret:?}");
        }
        let mut of_no_purpose = said(1, 2, "s");
        of_no_purpose[HELLO_BYTES - 1] = 9;
        assert_eq!(Hello::parse(&of_no_purpose, &membership), Err(Refusal::WrongGroup));
    }

    #[test]
    fn who_is_sent_away_hears_why() {
        for (refusal, says) in [(Refusal::WrongSecret, "secret"), (Refusal::WrongGroup, "-n")] {
            let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
            let mut calling = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let hello = Hello { process: 1, processes: 2, purpose: Purpose::Pulse };
            let said = std::thread::spawn(move || hello.say(&mut calling, &Secret::default()));
            let (mut called, _) = listener.accept().unwrap();
            called.read_exact(&mut [0; HELLO_BYTES]).unwrap();
            refusal.tell(called);
            let error = said.join().unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            assert!(error.to_string().contains(says), "{error}");
        }
    }

    #[test]
    fn whoever_speaks_another_language_is_sent_away_at_once() {
        for bytes in [&b"G"[..], b"netqoe-2", b"netqo\0", &[b'x'; 99]] {
            assert_eq!(Hello::parse(bytes, &membership("")), Err(Refusal::NotUnderstood));
        }
    }

    proptest! {
        #[test]
        fn a_hello_is_heard_once_it_is_whole(process in 1_usize..9, processes in 1_usize..9, at in 0..HELLO_BYTES) {
            let membership = Membership { addresses: vec![String::new(); processes], ..membership("s") };
            let bytes = said(process, processes, "s");
            let heard = Hello::parse(&bytes, &membership);
            if process < processes {
                prop_assert_eq!(heard.unwrap().unwrap().process, process);
                prop_assert_eq!(Hello::parse(&bytes[..at], &membership), Ok(None));
            } else {
                prop_assert_eq!(heard, Err(Refusal::WrongGroup));
            }
        }

        #[test]
        fn one_wrong_byte_is_never_welcome(at in 0..HELLO_BYTES - 1, byte: u8) {
            let mut bytes = said(1, 2, "s");
            prop_assume!(bytes[at] != byte);
            bytes[at] = byte;
            prop_assert!(Hello::parse(&bytes, &membership("s")).is_err());
        }

        #[test]
        fn any_bytes_are_heard(bytes: Vec<u8>) {
            _ = Hello::parse(&bytes, &membership(""));
            _ = Hello::parse(&[&MAGIC[..], &bytes].concat(), &membership(""));
        }
    }

    #[test]
    fn a_secret_is_never_shown() {
        assert!(!format!("{:?}", membership("hush")).contains("hush"));
    }
}
