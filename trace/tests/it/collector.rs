//! A collector of OpenTelemetry, for tests: it decodes what it gets as the protocol says.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// What the collector does with a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Takes,
    /// It takes all but so many of a delivery.
    Refuses(i64),
    /// It takes nothing, with this status.
    Fails(u16),
    /// It never answers.
    Silent,
}

/// A span, and the service that it is of.
#[derive(Clone, Debug)]
pub(crate) struct Delivered {
    pub(crate) service: String,
    pub(crate) span: Span,
}

impl Delivered {
    pub(crate) fn attributes(&self) -> BTreeMap<String, String> {
        attributes(&self.span.attributes)
    }
}

fn attributes(found: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => panic!("{other:?}"),
    };
    let of = |found: &KeyValue| (found.key.clone(), text(found.value.as_ref().unwrap().value.as_ref().unwrap()));
    found.iter().map(of).collect()
}

#[derive(Default)]
struct Got {
    spans: Vec<Delivered>,
    /// As they came, with the head of their request.
    deliveries: Vec<(String, Vec<u8>)>,
}

/// Listens until it is dropped.
pub(crate) struct Collector {
    port: u16,
    got: Arc<Mutex<Got>>,
    manner: Arc<Mutex<Manner>>,
    over: Arc<AtomicBool>,
}

impl Collector {
    pub(crate) fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, got, over) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Got>>::default(), Arc::default());
        let collector = Self { port, got, manner: Arc::new(Mutex::new(manner)), over };
        let (got, manner, over) =
            (Arc::clone(&collector.got), Arc::clone(&collector.manner), Arc::clone(&collector.over));
        std::thread::spawn(move || {
            for stream in listener.incoming().take_while(|_| !over.load(Ordering::SeqCst)) {
                let (got, manner) = (Arc::clone(&got), Arc::clone(&manner));
                // A client that leaves ends its connection.
                std::thread::spawn(move || serve(stream?, &got, &manner));
            }
        });
        collector
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    pub(crate) fn spans(&self) -> Vec<Delivered> {
        self.got.lock().unwrap().spans.clone()
    }

    /// Head and body of each delivery.
    pub(crate) fn deliveries(&self) -> Vec<(String, Vec<u8>)> {
        self.got.lock().unwrap().deliveries.clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the thread that listens.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

fn serve(stream: TcpStream, got: &Mutex<Got>, manner: &Mutex<Manner>) -> io::Result<()> {
    let (mut reader, mut stream) = (BufReader::new(stream.try_clone()?), stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or_else(|| panic!("no length: {head}"))];
        reader.read_exact(&mut body)?;
        let manner = *manner.lock().unwrap();
        match manner {
            Manner::Takes => take(got, head, body, 0),
            Manner::Refuses(spans) => take(got, head, body, spans),
            Manner::Fails(_) => {}
            Manner::Silent => std::thread::park(),
        }
        let status = if let Manner::Fails(status) = manner { status } else { 200 };
        let refused = if let Manner::Refuses(rejected_spans) = manner { rejected_spans } else { 0 };
        let partial_success =
            (refused > 0).then(|| ExportTracePartialSuccess { rejected_spans: refused, ..Default::default() });
        let answer = ExportTraceServiceResponse { partial_success }.encode_to_vec();
        write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n", answer.len())?;
        stream.write_all(&answer)?;
    }
}

fn take(got: &Mutex<Got>, head: String, body: Vec<u8>, refused: i64) {
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    assert!(head.to_ascii_lowercase().contains("content-type: application/x-protobuf\r\n"), "{head}");
    let request = ExportTraceServiceRequest::decode(&body[..]).unwrap();
    let mut got = got.lock().unwrap();
    for resource in request.resource_spans {
        let service = attributes(&resource.resource.unwrap().attributes)["service.name"].clone();
        let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        got.spans.extend(spans.skip(refused as usize).map(|span| Delivered { service: service.clone(), span }));
    }
    got.deliveries.push((head, body));
}
