//! Compressed bodies: read as what they expand to, in bounded memory.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use netqoe_ingest::IngestConfig;
use serde_json::json;

use crate::support::*;

const GZIP: (&str, &str) = ("content-encoding", "gzip");
const ZSTD: (&str, &str) = ("content-encoding", "zstd");

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

#[tokio::test]
async fn compressed_bodies_of_every_form_are_taken() {
    let (one, two) = (event("1", "c").to_string(), event("2", "c").to_string());
    for (encoding, compress) in [(GZIP, gzip as fn(&[u8]) -> Vec<u8>), (ZSTD, zstd)] {
        let api = Api::new();
        assert_eq!(api.post(&[JSON, encoding], compress(one.as_bytes())).await.status, 200);
        assert_eq!(api.post(&[JSON, encoding], compress(format!("[{one},{two}]").as_bytes())).await.status, 200);
        assert_eq!(api.post(&[NDJSON, encoding], compress(format!("{one}\n{two}").as_bytes())).await.status, 200);
        let joined = [compress(format!("{one}\n").as_bytes()), compress(two.as_bytes())].concat();
        assert_eq!(api.post(&[NDJSON, encoding], joined).await.body["accepted"], 2, "{encoding:?}");
        assert_eq!(api.log.event_ids(), ["1", "1", "2", "1", "2", "1", "2"]);
    }
    let identity = ("content-encoding", "identity");
    assert_eq!(Api::new().post(&[JSON, identity], one).await.status, 200);
}

#[tokio::test]
async fn a_body_cut_short_anywhere_is_refused() {
    let events: Vec<_> = (0..50).map(|n| event(&n.to_string(), "c")).collect();
    for (encoding, compress) in [(GZIP, gzip as fn(&[u8]) -> Vec<u8>), (ZSTD, zstd)] {
        let whole = compress(json!(events).to_string().as_bytes());
        for length in [0, 1, 5, 10, 20, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
            let api = Api::new();
            let answer = api.post(&[JSON, encoding], whole[..length].to_vec()).await;
            answer.assert_refused(400, "invalid_request");
            assert_eq!(api.log.events().len(), 0, "{encoding:?} {length}");
        }
    }
}

#[tokio::test]
async fn what_is_not_compressed_as_it_says_is_refused() {
    let one = event("e", "c").to_string();
    for encoding in [GZIP, ZSTD] {
        Api::new().post(&[JSON, encoding], one.clone()).await.assert_refused(400, "invalid_request");
    }
    for encoding in ["br", "deflate", "gzip, gzip", "gzip, zstd", ""] {
        let answer = Api::new().post(&[JSON, ("content-encoding", encoding)], one.clone()).await;
        answer.assert_refused(415, "unsupported_media_type");
    }
    Api::new().post(&[JSON, GZIP, ZSTD], one).await.assert_refused(415, "unsupported_media_type");
}

#[tokio::test]
async fn a_bomb_is_refused_at_the_limit_and_not_expanded_further() {
    // 1 GiB of zeros and more in a body of some 5 MB: it would also exceed what may be in flight.
    let mebibyte = gzip(&vec![b' '; 1 << 20]);
    let bomb = mebibyte.repeat(1100);
    assert!(bomb.len() < 16 << 20);
    let api = Api::with_config(IngestConfig {
        memory: netqoe_server::RequestMemory::new(6 * (17 << 20)),
        ..IngestConfig::default()
    });
    api.post(&[JSON, GZIP], bomb).await.assert_refused(413, "payload_too_large");
    let bomb = zstd(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 100_000);
    api.post(&[JSON, ZSTD], bomb).await.assert_refused(413, "payload_too_large");
    let one = event("e", "c").to_string();
    assert_eq!(api.post(&[JSON], one).await.status, 200, "what was held is given back");
}

#[tokio::test]
async fn a_window_beyond_8_mebibytes_is_refused() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(24).unwrap();
    encoder.include_contentsize(false).unwrap();
    let one = event("e", "c").to_string();
    encoder.write_all(one.as_bytes()).unwrap();
    encoder.flush().unwrap();
    let answer = Api::new().post(&[JSON, ZSTD], encoder.finish().unwrap()).await;
    answer.assert_refused(400, "invalid_request");
    assert!(answer.message().contains("8 MiB"));
}
