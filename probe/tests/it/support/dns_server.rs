//! A DNS server over UDP whose every answer is 127.0.0.1, or what a name itself says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::UdpSocket;

use super::think;

const RECORD_TYPE_A: u16 = 1;
const NO_ERROR: u8 = 0;
const SERVER_FAILURE: u8 = 2;
const NAME_ERROR: u8 = 3;

pub(crate) struct DnsServer {
    pub(crate) address: SocketAddr,
    questions: Arc<AtomicUsize>,
    thinking_ms: Arc<AtomicU64>,
}

impl DnsServer {
    /// Answers each question `thinking` after it came: names under `absent.test` with NXDOMAIN, under `empty.test`
    /// with no record, under `broken.test` with SERVFAIL, under `silent.test` not at all; a name like
    /// `to.3.2.web.test` with 127.0.0.3 and 127.0.0.2.
    pub(crate) async fn start(thinking: Duration) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), [127, 0, 0], thinking).await
    }

    /// The same at another address, and with addresses of another network in its answers.
    pub(crate) async fn start_at(address: SocketAddr, network: [u8; 3], thinking: Duration) -> Self {
        let socket = Arc::new(UdpSocket::bind(address).await.unwrap());
        let address = socket.local_addr().unwrap();
        let questions = Arc::new(AtomicUsize::new(0));
        let thinking_ms = Arc::new(AtomicU64::new(thinking.as_millis() as u64));
        let (count, thinking) = (Arc::clone(&questions), Arc::clone(&thinking_ms));
        tokio::spawn(async move {
            let mut buffer = [0; 1500];
            loop {
                let (length, asker) = socket.recv_from(&mut buffer).await.unwrap();
                count.fetch_add(1, Ordering::Relaxed);
                let answer = answer(&buffer[..length], network);
                let thinking = Duration::from_millis(thinking.load(Ordering::Relaxed));
                let socket = Arc::clone(&socket);
                tokio::spawn(async move {
                    think(thinking).await;
                    if let Some(answer) = answer {
                        socket.send_to(&answer, asker).await.unwrap();
                    }
                });
            }
        });
        Self { address, questions, thinking_ms }
    }

    /// How long it takes from now on.
    pub(crate) fn think_for(&self, thinking: Duration) {
        self.thinking_ms.store(thinking.as_millis() as u64, Ordering::Relaxed);
    }

    /// How many questions it was asked so far.
    pub(crate) fn questions(&self) -> usize {
        self.questions.load(Ordering::Relaxed)
    }
}

/// The answer to a message with one question, by RFC 1035, section 4.
fn answer(message: &[u8], [a, b, c]: [u8; 3]) -> Option<Vec<u8>> {
    let mut labels = Vec::new();
    let mut at = 12;
    while message[at] > 0 {
        let length = usize::from(message[at]);
        labels.push(String::from_utf8_lossy(&message[at + 1..=at + length]).to_ascii_lowercase());
        at += 1 + length;
    }
    let record_type = u16::from_be_bytes([message[at + 1], message[at + 2]]);
    let question = &message[12..at + 5];

    let name = labels.join(".");
    let (response_code, has_addresses) = match name.as_str() {
        name if name.ends_with("silent.test") => return None,
        name if name.ends_with("absent.test") => (NAME_ERROR, false),
        name if name.ends_with("broken.test") => (SERVER_FAILURE, false),
        name if name.ends_with("empty.test") => (NO_ERROR, false),
        _ => (NO_ERROR, record_type == RECORD_TYPE_A),
    };

    let named: Vec<u8> =
        labels.iter().skip_while(|label| *label != "to").filter_map(|label| label.parse().ok()).collect();
    let hosts = match named[..] {
        _ if !has_addresses => &[][..],
        [] => &[1],
        _ => &named,
    };
    // The asker's id; a response, recursion desired and available; one question, perhaps answers.
    let count = hosts.len() as u8;
    let mut answer = vec![message[0], message[1], 0x81, 0x80 | response_code, 0, 1, 0, count, 0, 0, 0, 0];
    answer.extend_from_slice(question);
    for host in hosts {
        // The question's name, type A, class IN, an hour to live, which no cache of the probe may use.
        answer.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0x0e, 0x10, 0, 4, a, b, c, *host]);
    }
    Some(answer)
}
