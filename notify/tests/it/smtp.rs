//! Mail to a server that speaks SMTP, as far as a receiver of mail does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver as Mails, Sender, channel};

use netqoe_notify::{Message, MessageEvent, NotifyConfig, Outcome, Receiver};
use rustls::ServerConfig;
use tempfile::TempDir;

use crate::server::{certificate, encrypted};

/// What a client has said, and the mail that it has sent.
#[derive(Default)]
struct Session {
    commands: Vec<String>,
    mail: String,
}

/// A server that takes mail, or answers `MAIL` with a refusal.
struct SmtpServer {
    port: u16,
    sessions: Mails<Session>,
}

impl SmtpServer {
    fn start(tls: Option<Arc<ServerConfig>>, refusal: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, (sender, sessions)) = (listener.local_addr().unwrap().port(), channel());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                serve(stream, tls.as_ref(), refusal, &sender);
            }
        });
        Self { port, sessions }
    }

    fn session(&self) -> Session {
        self.sessions.recv_timeout(std::time::Duration::from_secs(60)).expect("a session ends")
    }
}

fn serve(mut stream: TcpStream, tls: Option<&Arc<ServerConfig>>, refusal: Option<&str>, sender: &Sender<Session>) {
    let mut session = Session::default();
    stream.write_all(b"220 test ESMTP\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    match tls {
        None => talk(&mut reader, "250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n", refusal, &mut session),
        Some(tls) => {
            talk(&mut reader, "250-test\r\n250 STARTTLS\r\n", refusal, &mut session);
            if session.commands.last().is_some_and(|command| command == "STARTTLS") {
                let mut reader = BufReader::new(encrypted(reader.into_inner(), tls));
                talk(&mut reader, "250-test\r\n250 AUTH PLAIN LOGIN\r\n", refusal, &mut session);
            }
        }
    }
    sender.send(session).ok();
}

/// Until the client leaves, or wants TLS.
fn talk<S: Read + Write>(reader: &mut BufReader<S>, hello: &str, refusal: Option<&str>, session: &mut Session) {
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).is_ok_and(|read| read > 0) {
            session.commands.push(line.trim_end().to_owned());
        } else {
            return;
        }
        let command = line.split_whitespace().next().unwrap_or_default().to_uppercase();
        let answer = match command.as_str() {
            "EHLO" => hello.to_owned(),
            "AUTH" => "235 2.7.0 signed in\r\n".to_owned(),
            "STARTTLS" => "220 go ahead\r\n".to_owned(),
            "MAIL" => refusal.map_or("250 ok\r\n".to_owned(), |refusal| format!("{refusal}\r\n")),
            "DATA" => "354 go ahead\r\n".to_owned(),
            "QUIT" => "221 bye\r\n".to_owned(),
            _ => "250 ok\r\n".to_owned(),
        };
        if reader.get_mut().write_all(answer.as_bytes()).and_then(|()| reader.get_mut().flush()).is_err() {
            return;
        }
        match command.as_str() {
            "DATA" => {
                read_mail(reader, &mut session.mail);
                reader.get_mut().write_all(b"250 queued\r\n").unwrap();
                reader.get_mut().flush().unwrap();
            }
            "QUIT" | "STARTTLS" => return,
            _ => {}
        }
    }
}

fn read_mail(reader: &mut impl BufRead, mail: &mut String) {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line == ".\r\n" {
            return;
        }
        mail.push_str(&line);
    }
}

fn receiver(folder: &Path, port: u16, table: &str) -> Receiver {
    let text = format!(
        "[[receiver]]\nname = 'mail'\nkind = 'email'\nserver = 'localhost'\nport = {port}\ntimeout = '30s'\n\
         from = 'netqoe <netqoe@example.org>'\nto = ['ops@example.org', 'more@example.org']\n{table}"
    );
    let mut notify = text.replace("FOLDER", folder.to_str().unwrap()).parse::<toml::Table>().unwrap();
    Receiver::open(&NotifyConfig::take(&mut notify).unwrap().receivers[0]).unwrap()
}

fn deliver(receiver: &Receiver, messages: &[Message]) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(receiver.deliver(messages, 1_700_000_000_000))
}

#[test]
fn a_mail_goes_to_all_recipients() {
    let folder = TempDir::new().unwrap();
    let server = SmtpServer::start(None, None);
    let receiver = receiver(folder.path(), server.port, "security = 'none'");
    let hostile = "Major: x\r\nBcc: all@example.org\r\n\r\n.\r\nQUIT".to_owned();
    let message = Message { event: MessageEvent::Opened, summary: hostile, ..Message::test(7) };
    assert_eq!(deliver(&receiver, &[message]), Outcome::Delivered);
    let session = server.session();
    let said = |command: &str| session.commands.iter().any(|line| line.starts_with(command));
    assert!(said("MAIL FROM:<netqoe@example.org>"), "{:?}", session.commands);
    assert!(said("RCPT TO:<ops@example.org>") && said("RCPT TO:<more@example.org>"), "{:?}", session.commands);
    let (head, _) = session.mail.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Message-ID: <test-7.1@netqoe.invalid>\r\n"), "{head}");
    assert!(head.contains("From: netqoe <netqoe@example.org>\r\n"), "{head}");
    assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
}

#[test]
fn a_password_goes_through_tls_alone() {
    let folder = TempDir::new().unwrap();
    let (pem, tls) = certificate();
    std::fs::write(folder.path().join("ca.pem"), pem).unwrap();
    std::fs::write(folder.path().join("password"), "pass\n").unwrap();
    let table = "user = 'me'\npassword_file = 'FOLDER/password'\nca_file = 'FOLDER/ca.pem'";

    let server = SmtpServer::start(Some(tls), None);
    assert_eq!(deliver(&receiver(folder.path(), server.port, table), &[Message::test(7)]), Outcome::Delivered);
    let commands = server.session().commands;
    let place = |command: &str| commands.iter().position(|line| line.starts_with(command));
    assert!(place("STARTTLS").is_some() && place("STARTTLS") < place("AUTH PLAIN "), "{commands:?}");

    let plain = SmtpServer::start(None, None);
    let outcome = deliver(&receiver(folder.path(), plain.port, table), &[Message::test(7)]);
    assert!(matches!(outcome, Outcome::Away { .. }), "{outcome:?}");
    let commands = plain.session().commands;
    assert!(!commands.iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")), "{commands:?}");
}

#[test]
fn a_refusal_is_said_in_one_line() {
    let folder = TempDir::new().unwrap();
    let server = SmtpServer::start(None, Some("550 5.7.1 netqoe may not send"));
    let outcome = deliver(&receiver(folder.path(), server.port, "security = 'none'"), &[Message::test(7)]);
    let error = outcome.error().unwrap();
    assert!(error.contains(&format!("smtp://localhost:{}", server.port)), "{error}");
    assert!(
        error.contains("may not send") && error.contains("see that user, password, from and to are right"),
        "{error}"
    );
}
