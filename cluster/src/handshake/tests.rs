//! Handshakes as an attacker would like them: recorded, sent back, handed on, cut, too long, of another secret or version.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use proptest::prelude::*;

use super::frames::HELLO_BYTES;
use super::proof::{Nonce, PROOF_BYTES, Side, Transcript};
use super::*;
use crate::{Membership, Secret};

const CALLER_NONCE: Nonce = [7; 32];
const LISTENER_NONCE: Nonce = [9; 32];

/// Process 1 of three.
fn membership(secret: &str) -> Membership {
    Membership {
        process: 1,
        addresses: vec![String::new(); 3],
        secret: Secret::new(secret),
        takeover: Duration::from_secs(1),
    }
}

/// Process 2 calls process 1.
fn two_calls_one() -> Call {
    Call { process: 2, called: 1, processes: 3, purpose: Purpose::Heartbeat }
}

fn listening() -> Listening {
    Listening::new(LISTENER_NONCE)
}

fn challenge() -> Result<Option<Reply>, Refused> {
    Ok(Some(Reply::Challenge(super::frames::challenge(&LISTENER_NONCE))))
}

/// What a caller sends: its first frame, and its proof for a listener with this nonce.
fn sent(call: Call, secret: &str, nonce: Nonce) -> ([u8; HELLO_BYTES], [u8; PROOF_BYTES]) {
    let transcript = Transcript { hello: call.hello(&CALLER_NONCE), nonce };
    let proof = transcript.proof(Side::Caller, &Secret::new(secret));
    (transcript.hello.0, proof)
}

/// How process 1 with this secret answers a proof of such a call.
fn judged(call: Call, secret: &str) -> Result<Call, Refused> {
    let (hello, proof) = sent(call, secret, LISTENER_NONCE);
    let mut listening = listening();
    assert_eq!(listening.receive(&hello, &membership("s")), challenge());
    match listening.receive(&proof, &membership("s"))? {
        Some(Reply::Welcome(call, _)) => Ok(call),
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_later_processes_of_the_same_cluster_are_welcome() {
    let good = two_calls_one();
    for (call, secret, refused) in [
        (good, "s", None),
        (good, "s\n", None),
        (good, "t", Some(Rejection::WrongSecret)),
        (good, "", Some(Rejection::WrongSecret)),
        (Call { processes: 4, ..good }, "s", Some(Rejection::OtherMembers)),
        (Call { process: 0, ..good }, "s", Some(Rejection::OtherMembers)),
        (Call { process: 1, ..good }, "s", Some(Rejection::OtherMembers)),
        (Call { process: 3, ..good }, "s", Some(Rejection::OtherMembers)),
        (Call { called: 0, ..good }, "s", Some(Rejection::OtherMembers)),
        (Call { processes: 4, ..good }, "t", Some(Rejection::WrongSecret)),
    ] {
        let expected = refused.map_or(Ok(call), |rejection| Err(Refused::Rejected(rejection)));
        assert_eq!(judged(call, secret), expected, "{call:?} with {secret:?}");
    }
}

#[test]
fn a_recorded_handshake_does_not_satisfy_a_listener() {
    let (hello, proof) = sent(two_calls_one(), "s", LISTENER_NONCE);
    for (nonce, is_welcome) in [(LISTENER_NONCE, true), ([10; 32], false)] {
        let mut listening = Listening::new(nonce);
        assert!(listening.receive(&hello, &membership("s")).is_ok());
        let answer = listening.receive(&proof, &membership("s"));
        assert_eq!(matches!(answer, Ok(Some(Reply::Welcome(..)))), is_welcome, "{answer:?}");
        if !is_welcome {
            assert_eq!(answer, Err(Refused::Rejected(Rejection::WrongSecret)));
        }
    }
}

/// Hands process 0's proof that a caller knows the secret on to process 1: it was meant for process 0.
#[test]
fn a_handshake_that_is_handed_on_to_another_process_is_refused() {
    let two_calls_zero = Call { called: 0, ..two_calls_one() };
    assert_eq!(judged(two_calls_zero, "s"), Err(Refused::Rejected(Rejection::OtherMembers)));
    // Nor does it help to change what the call says.
    let (_, proof) = sent(two_calls_zero, "s", LISTENER_NONCE);
    let (hello, _) = sent(two_calls_one(), "unknown", LISTENER_NONCE);
    let mut listening = listening();
    assert_eq!(listening.receive(&hello, &membership("s")), challenge());
    assert_eq!(listening.receive(&proof, &membership("s")), Err(Refused::Rejected(Rejection::WrongSecret)));
}

/// What becomes of a call with this nonce to a listener that answers each frame with what `answers` makes of it.
fn called(nonce: Nonce, mut answers: impl FnMut(&[u8]) -> Vec<u8> + Send + 'static) -> Result<(), CallError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for bytes in [HELLO_BYTES, PROOF_BYTES] {
            let mut frame = vec![0; bytes];
            if stream.read_exact(&mut frame).is_err() || stream.write_all(&answers(&frame)).is_err() {
                return;
            }
        }
    });
    let mut stream = TcpStream::connect(address).unwrap();
    let called = call(&mut stream, two_calls_one(), &Secret::new("s"), nonce);
    drop(stream);
    answering.join().unwrap();
    called
}

/// What process 1 has answered to a caller with [`CALLER_NONCE`].
fn recorded_answers() -> impl FnMut(&[u8]) -> Vec<u8> + Send + 'static {
    let mut listening = listening();
    let (hello, proof) = sent(two_calls_one(), "s", LISTENER_NONCE);
    let mut answers = [&hello[..], &proof].map(|frame| match listening.receive(frame, &membership("s")) {
        Ok(Some(Reply::Challenge(frame))) => frame.to_vec(),
        Ok(Some(Reply::Welcome(_, frame))) => frame.to_vec(),
        other => panic!("{other:?}"),
    });
    answers.reverse();
    let mut answers = answers.to_vec();
    move |_| answers.pop().unwrap()
}

#[test]
fn a_recorded_handshake_does_not_satisfy_a_caller() {
    let (same, fresh) = (called(CALLER_NONCE, recorded_answers()), called([8; 32], recorded_answers()));
    assert!(same.is_ok(), "{same:?}: it was good once");
    assert!(matches!(fresh, Err(CallError::NotProved)), "{fresh:?}");
}

#[test]
fn a_callers_own_proof_sent_back_to_it_is_none() {
    let mut is_first = true;
    let reflected = called(rand::random(), move |frame| {
        // With the caller's own nonce, and then its own proof.
        let (kind, bytes) = if is_first { (b'C', &frame[8..40]) } else { (b'W', frame) };
        is_first = false;
        [&[kind], bytes].concat()
    });
    assert!(matches!(reflected, Err(CallError::NotProved)), "{reflected:?}");
}

#[test]
fn a_listener_with_another_secret_is_no_member() {
    let mut answer = 0;
    let mut transcript = None;
    let called = called(rand::random(), move |frame| {
        answer += 1;
        if answer == 1 {
            let hello = super::frames::Hello(frame.try_into().unwrap());
            transcript = Some(Transcript { hello, nonce: LISTENER_NONCE });
            return super::frames::challenge(&LISTENER_NONCE).to_vec();
        }
        let proof = transcript.as_ref().unwrap().proof(Side::Listener, &Secret::new("t"));
        super::frames::welcome(&proof).to_vec()
    });
    assert!(matches!(called, Err(CallError::NotProved)), "{called:?}");
}

#[test]
fn a_rejected_caller_is_told_why() {
    for (rejection, says) in
        [(Rejection::WrongSecret, "secret"), (Rejection::OtherMembers, "-n"), (Rejection::OtherVersion, "version")]
    {
        let called = called(rand::random(), move |_| vec![rejection.byte()]);
        let Err(CallError::Rejected(heard)) = called else { panic!("{called:?}") };
        assert_eq!(heard, rejection);
        assert!(heard.to_string().contains(says), "{heard}");
    }
}

#[test]
fn another_program_or_an_older_version_at_the_address_is_named() {
    // Also the welcome of version 1.
    for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &[1]] {
        let called = called(rand::random(), move |_| answer.to_vec());
        assert!(matches!(called, Err(CallError::NotUnderstood)), "{called:?}");
        assert!(called.unwrap_err().to_string().contains("which program listens there"));
    }
    // A listener of version 1 closes the connection.
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let closing = std::thread::spawn(move || listener.accept().unwrap().0.read_exact(&mut [0; 8]).unwrap());
    let called = call(&mut stream, two_calls_one(), &Secret::new("s"), rand::random());
    assert!(matches!(called, Err(CallError::Closed)), "{called:?}");
    assert!(called.unwrap_err().to_string().contains("the same version of netqoe"));
    closing.join().unwrap();
}

#[test]
fn a_listener_that_drips_is_given_up_in_time() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut dripping, _) = listener.accept().unwrap();
    let drips = std::thread::spawn(move || {
        while dripping.write_all(b"C").is_ok() {
            std::thread::sleep(HANDSHAKE_TIMEOUT / 10);
        }
    });
    let called = call(&mut stream, two_calls_one(), &Secret::new("s"), rand::random());
    assert!(matches!(called, Err(CallError::Silent)), "{called:?}");
    drop(stream);
    drips.join().unwrap();
}

#[test]
fn another_language_is_refused_with_its_first_byte_and_another_version_with_its_eighth() {
    for bytes in [&b"G"[..], b"netqo\0", &[b'x'; 99]] {
        assert_eq!(listening().receive(bytes, &membership("")), Err(Refused::NotUnderstood));
    }
    for bytes in [&b"netqoe-1"[..], b"netqoe-3", &[&b"netqoe-1"[..], &[0; 37]].concat()] {
        assert_eq!(
            listening().receive(bytes, &membership("")),
            Err(Refused::Rejected(Rejection::OtherVersion)),
            "{bytes:?}"
        );
    }
}

#[test]
fn frames_that_are_too_long_are_refused() {
    let (hello, proof) = sent(two_calls_one(), "s", LISTENER_NONCE);
    let with_one_more = |frame: &[u8]| [frame, &[0]].concat();
    assert_eq!(listening().receive(&with_one_more(&hello), &membership("s")), Err(Refused::NotUnderstood));
    // A proof that comes before the challenge was made without it.
    assert_eq!(listening().receive(&[&hello[..], &proof].concat(), &membership("s")), Err(Refused::NotUnderstood));
    let mut listening = listening();
    assert_eq!(listening.receive(&hello, &membership("s")), challenge());
    assert_eq!(listening.receive(&with_one_more(&proof), &membership("s")), Err(Refused::NotUnderstood));
}

#[test]
fn nothing_that_is_sent_holds_the_secret_or_a_digest_of_it_alone() {
    let (hello, proof) = sent(two_calls_one(), "s", LISTENER_NONCE);
    let again = Transcript { hello: two_calls_one().hello(&[8; 32]), nonce: LISTENER_NONCE };
    assert_ne!(proof, again.proof(Side::Caller, &Secret::new("s")), "another nonce of the caller");
    assert_ne!(proof, sent(two_calls_one(), "s", [8; 32]).1, "another nonce of the listener");
    let (of_another_secret, _) = sent(two_calls_one(), "t", LISTENER_NONCE);
    assert_eq!(hello, of_another_secret, "the first frame does not depend on the secret");
}

proptest! {
    #[test]
    fn a_handshake_that_is_cut_anywhere_is_waited_for(at in 0..HELLO_BYTES, then in 0..PROOF_BYTES) {
        let (hello, proof) = sent(two_calls_one(), "s", LISTENER_NONCE);
        let (mut listening, membership) = (listening(), membership("s"));
        prop_assert_eq!(listening.receive(&hello[..at], &membership), Ok(None));
        prop_assert_eq!(listening.receive(&hello[at..], &membership), challenge());
        prop_assert_eq!(listening.receive(&proof[..then], &membership), Ok(None));
        let welcome = listening.receive(&proof[then..], &membership);
        prop_assert!(matches!(welcome, Ok(Some(Reply::Welcome(call, _))) if call == two_calls_one()), "{:?}", welcome);
    }

    #[test]
    fn one_wrong_byte_is_never_welcome(at in 0..HELLO_BYTES + PROOF_BYTES, change in 1..=u8::MAX) {
        let (mut hello, mut proof) = sent(two_calls_one(), "s", LISTENER_NONCE);
        match at.checked_sub(HELLO_BYTES) {
            None => hello[at] ^= change,
            Some(at) => proof[at] ^= change,
        }
        let (mut listening, membership) = (listening(), membership("s"));
        let answer = listening.receive(&hello, &membership).and_then(|_| listening.receive(&proof, &membership));
        prop_assert!(answer.is_err(), "{:?}", answer);
    }

    #[test]
    fn any_bytes_are_heard(bytes: Vec<u8>, more: Vec<u8>) {
        for bytes in [&bytes[..], &[&b"netqoe-2"[..], &bytes].concat()] {
            let mut listening = listening();
            if listening.receive(bytes, &membership("")).is_ok() {
                _ = listening.receive(&more, &membership(""));
            }
        }
    }
}
