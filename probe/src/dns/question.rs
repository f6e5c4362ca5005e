//! One question to one name server: over UDP, and over TCP where the answer is too long for that.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use rand::RngExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::message::{QuestionOptions, Reply, question, read_answer};
use super::name::DnsName;
use super::{DnsOutcome, Family};
use crate::route::socket_toward;

/// Servers and firewalls without EDNS may drop a query that uses it: after this time it is repeated without.
const EDNS_PATIENCE: Duration = Duration::from_secs(2);
/// As long as a datagram can be. Some servers send more than the 512 bytes that they may, and say nothing of it.
const DATAGRAM_BYTES: usize = 65_535;

const FORMAT_ERROR: u16 = 1;
const NAME_ERROR: u16 = 3;
const NOT_IMPLEMENTED: u16 = 4;
const BAD_VERSION: u16 = 16;

/// A question, and how it is to be asked.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) server: SocketAddr,
    pub(super) name: DnsName,
    pub(super) family: Family,
    pub(super) options: QuestionOptions,
    pub(super) over_tcp: bool,
}

/// What the server says, and what it calls the name an alias of. Without an answer it waits on.
pub(super) async fn ask(question: &Question) -> (DnsOutcome, Option<String>) {
    match answered(question).await {
        Ok(reply) => outcome(reply),
        Err(fault) => (DnsOutcome::Failed(fault.to_string()), None),
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("its answer is too long for UDP, and can't be had over TCP: {0}")]
    Truncated(Box<Fault>),
    #[error("its answer over TCP is to another question")]
    OtherQuestion,
    #[error("a link-local address needs its zone behind a %, an interface that this machine has")]
    NoZone,
}

async fn answered(question: &Question) -> Result<Reply, Fault> {
    if !question.options.with_edns {
        return over_any(question).await;
    }
    let options = QuestionOptions { with_edns: false, ..question.options };
    let plain = Question { options, ..question.clone() };
    let mut with_edns = pin!(over_any(question));
    match timeout(EDNS_PATIENCE, &mut with_edns).await {
        Ok(Ok(reply)) if matches!(reply.code, FORMAT_ERROR | NOT_IMPLEMENTED | BAD_VERSION) => over_any(&plain).await,
        Ok(answered) => answered,
        // It may only be slow.
        Err(_) => match select(with_edns, pin!(over_any(&plain))).await {
            Either::Left((answered, _)) | Either::Right((answered, _)) => answered,
        },
    }
}

async fn over_any(question: &Question) -> Result<Reply, Fault> {
    if let SocketAddr::V6(server) = question.server
        && server.ip().is_unicast_link_local()
        && server.scope_id() == 0
    {
        return Err(Fault::NoZone);
    }
    if question.over_tcp {
        return over_tcp(question).await;
    }
    let reply = over_udp(question).await?;
    if reply.is_truncated {
        return over_tcp(question).await.map_err(|fault| Fault::Truncated(Box::new(fault)));
    }
    Ok(reply)
}

/// From a socket of its own, so that no server can take two questions for one. Its being connected keeps away what comes
/// from elsewhere, and a message that is not an answer to the question is ignored: the right one may still come.
async fn over_udp(asked: &Question) -> Result<Reply, Fault> {
    let id = rand::rng().random();
    let socket = socket_toward(asked.server)?;
    socket.set_nonblocking(true)?;
    let socket = UdpSocket::from_std(socket)?;
    socket.send(&question(id, &asked.name, asked.family, asked.options)).await?;
    let mut buffer = Vec::with_capacity(DATAGRAM_BYTES);
    loop {
        buffer.clear();
        socket.recv_buf(&mut buffer).await?;
        if let Some(reply) = read_answer(&buffer, id, &asked.name, asked.family) {
            return Ok(reply);
        }
    }
}

async fn over_tcp(asked: &Question) -> Result<Reply, Fault> {
    let id = rand::rng().random();
    let message = question(id, &asked.name, asked.family, asked.options);
    let mut stream = TcpStream::connect(asked.server).await?;
    // A name is 255 bytes at most, so that the length of the message fits. Both in one packet: some servers want that.
    let framed = [&(message.len() as u16).to_be_bytes()[..], &message].concat();
    stream.write_all(&framed).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    read_answer(&answer, id, &asked.name, asked.family).ok_or(Fault::OtherQuestion)
}

fn outcome(reply: Reply) -> (DnsOutcome, Option<String>) {
    let outcome = match reply.code {
        0 if !reply.addresses.is_empty() => DnsOutcome::Addresses(reply.addresses),
        0 if reply.is_damaged => DnsOutcome::Failed("its answer can't be read".to_owned()),
        0 if reply.is_referral => {
            DnsOutcome::Failed("it has no answer and asks nobody else for one (no recursion)".to_owned())
        }
        0 => DnsOutcome::NoRecords,
        NAME_ERROR => DnsOutcome::NoSuchName,
        code => DnsOutcome::Code(code),
    };
    (outcome, reply.alias.map(|alias| alias.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply() -> Reply {
        Reply {
            code: 0,
            is_truncated: false,
            is_referral: false,
            is_damaged: false,
            addresses: vec!["192.0.2.1".parse().unwrap()],
            alias: None,
        }
    }

    fn none() -> Reply {
        Reply { addresses: Vec::new(), ..reply() }
    }

    #[test]
    fn addresses_count_whatever_else_is_damaged() {
        let addresses = DnsOutcome::Addresses(reply().addresses);
        assert_eq!(outcome(Reply { is_damaged: true, ..reply() }).0, addresses);
        assert!(matches!(outcome(Reply { is_damaged: true, ..none() }).0, DnsOutcome::Failed(_)));
    }

    #[test]
    fn only_who_could_know_is_believed_that_there_is_no_address() {
        assert_eq!(outcome(none()).0, DnsOutcome::NoRecords);
        assert!(matches!(outcome(Reply { is_referral: true, ..none() }).0, DnsOutcome::Failed(_)));
        assert_eq!(outcome(Reply { code: 3, ..none() }).0, DnsOutcome::NoSuchName);
        assert_eq!(outcome(Reply { code: 2, ..none() }).0, DnsOutcome::Code(2));
    }

    #[tokio::test]
    async fn a_link_local_server_without_a_zone_is_told_in_plain_words() {
        let question = Question {
            server: "[fe80::53]:53".parse().unwrap(),
            name: DnsName::from_host("web.test").unwrap(),
            family: Family::V4,
            options: QuestionOptions::default(),
            over_tcp: false,
        };
        let (DnsOutcome::Failed(cause), _) = ask(&question).await else { panic!() };
        assert!(cause.contains("zone"), "{cause}");
    }
}
