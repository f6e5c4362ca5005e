//! Whether a request names this machine as the host that it asks. A site that points a name of its own at this machine
//! is of the same origin for a browser, and would read what is open to everybody here.
//!
//! Decision: D-041.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::header;
use netqoe_model::names_this_machine;

use crate::answer::{Code, Refusal};
use crate::request_head::parse_host;

/// Refuses who asks by another name. No browser leaves out whom it asks.
pub(crate) fn check(request: &Request) -> Result<(), Refusal> {
    let message = "without tokens this is for this machine alone: ask for it as localhost or by its address, or use --tokens-file";
    if names_us(request) { Ok(()) } else { Err(Refusal::new(Code::Forbidden, message)) }
}

/// The same routes, which answer 403 where this machine is asked for by another name. For a listener of this machine alone.
pub fn refuse_other_names(router: Router) -> Router {
    router.route_layer(middleware::from_fn(async |request: Request, next: Next| -> Response {
        let message = "this is for this machine alone: ask for it as localhost or by its address";
        match names_us(&request) {
            true => next.run(request).await,
            false => Refusal::new(Code::Forbidden, message).into_response(),
        }
    }))
}

fn names_us(request: &Request) -> bool {
    match (request.headers().get(header::HOST), request.uri().authority()) {
        (Some(host), _) => parse_host(host.as_bytes()).is_some_and(|host| names_this_machine(host.host())),
        (None, Some(authority)) => {
            parse_host(authority.as_str().as_bytes()).is_some_and(|host| names_this_machine(host.host()))
        }
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[track_caller]
    fn check_host(host: Option<&str>, allowed: bool) {
        let request = host.into_iter().fold(Request::get("/"), |request, host| request.header(header::HOST, host));
        assert_eq!(check(&request.body(Body::empty()).unwrap()).is_ok(), allowed, "{host:?}");
    }

    #[test]
    fn only_this_machine_is_asked_for() {
        for host in ["localhost", "LOCALHOST:8081", "127.0.0.1:8081", "[::1]:8081", "192.0.2.7"] {
            check_host(Some(host), true);
        }
        for host in [
            "evil.example",
            "evil.example:8081",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil@localhost",
            "",
            " ",
        ] {
            check_host(Some(host), false);
        }
        check_host(None, true);
    }

    #[test]
    fn http_2_names_it_in_the_address() {
        let request = |uri| Request::get(uri).body(Body::empty()).unwrap();
        assert!(check(&request("http://localhost:8081/")).is_ok());
        assert!(check(&request("http://evil.example:8081/")).is_err());
    }
}
