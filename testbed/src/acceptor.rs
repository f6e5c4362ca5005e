//! What listens on loopback and hands each connection to a thread of its own.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::Context;

/// It takes no more connections once it is dropped.
pub(crate) struct Acceptor {
    address: SocketAddr,
    is_closed: Arc<AtomicBool>,
}

impl Acceptor {
    /// On a free port.
    pub(crate) fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("the proxy can't listen")?;
        let address = listener.local_addr()?;
        let (is_closed, serve) = (Arc::<AtomicBool>::default(), Arc::new(serve));
        let acceptor = Self { address, is_closed: Arc::clone(&is_closed) };
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if is_closed.load(Ordering::SeqCst) {
                    return;
                }
                let serve = Arc::clone(&serve);
                thread::spawn(move || serve(client));
            }
        });
        Ok(acceptor)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.is_closed.store(true, Ordering::SeqCst);
        // Wakes the thread that listens.
        drop(TcpStream::connect(self.address));
    }
}
