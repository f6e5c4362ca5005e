//! A slow link between two networks of the test's own, where the kernel need not know how to delay packets: two TUN
//! devices, and between them threads that hold each packet for as long as the link would.

mod conditions;
mod namespace;

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tun::Device;

pub use conditions::Conditions;
use conditions::Direction;
pub use namespace::Namespace;

use crate::needs::is_root;

/// The longest packet of a TUN device.
const PACKET_BYTES: usize = 65_536;
/// Packets on their way in one direction: more than any window of ours.
const PACKETS_IN_FLIGHT: usize = 65_536;
/// How often a relay that has nothing to do looks whether it is to end.
const EVERY: Duration = Duration::from_millis(100);

type Packet = (Instant, Vec<u8>);

/// Two networks, and a link between them that is as slow as it is told to be.
pub struct SlowLink {
    /// The network with [`SlowLink::NEAR`].
    pub near: Namespace,
    /// The network with [`SlowLink::FAR`], which is also its name server for programs in `near`.
    pub far: Namespace,
    relay: Arc<Relay>,
    threads: Vec<JoinHandle<()>>,
}

/// What the threads share.
#[derive(Default)]
struct Relay {
    conditions: Mutex<Conditions>,
    dropped: AtomicU64,
    is_over: AtomicBool,
}

impl SlowLink {
    /// The address on the near side.
    pub const NEAR: Ipv4Addr = Ipv4Addr::new(10, 213, 7, 1);
    /// The address on the far side.
    pub const FAR: Ipv4Addr = Ipv4Addr::new(10, 213, 7, 2);

    /// Why there can be no slow link here, if so: it takes the rights to make networks.
    pub fn why_not() -> Option<String> {
        if !is_root() {
            return Some("network namespaces take root".to_owned());
        }
        match Command::new("unshare").args(["--net", "--mount", "test", "-c", "/dev/net/tun"]).output() {
            Ok(tried) if tried.status.success() => None,
            Ok(tried) => Some(format!(
                "no network namespace, or no /dev/net/tun: {}",
                String::from_utf8_lossy(&tried.stderr).trim()
            )),
            Err(error) => Some(format!("unshare can't be run: {error}")),
        }
    }

    /// A link without delay. Which packets it loses, where it is to lose some, is decided by the seed.
    ///
    /// # Errors
    /// Where networks or devices can't be made.
    pub fn start(seed: u64) -> anyhow::Result<Self> {
        let near = Namespace::new(&format!("nameserver {}\n", Self::FAR))?;
        let far = Namespace::new("")?;
        let devices = [(&near, Self::NEAR), (&far, Self::FAR)].map(|(namespace, address)| device(namespace, address));
        let [near_device, far_device] = devices;
        let (near_device, far_device) = (Arc::new(near_device?), Arc::new(far_device?));
        let relay = Arc::new(Relay::default());
        let mut threads = Vec::new();
        for (seed, from, to) in [(seed, &near_device, &far_device), (!seed, &far_device, &near_device)] {
            let (sender, receiver) = sync_channel(PACKETS_IN_FLIGHT);
            let (from, to, taking) = (Arc::clone(from), Arc::clone(to), Arc::clone(&relay));
            threads.push(thread::spawn(move || take(&from, &taking, Direction::new(seed), &sender)));
            threads.push(thread::spawn(move || deliver(&to, &receiver)));
        }
        Ok(Self { near, far, relay, threads })
    }

    /// Makes the link so, for packets that enter it from now on.
    pub fn set(&self, conditions: Conditions) {
        *self.relay.conditions.lock().unwrap_or_else(PoisonError::into_inner) = conditions;
    }

    /// Packets that the link has dropped so far.
    pub fn dropped(&self) -> u64 {
        self.relay.dropped.load(Ordering::SeqCst)
    }
}

impl Drop for SlowLink {
    fn drop(&mut self) {
        self.relay.is_over.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                eprintln!("testbed: a relay of the slow link has panicked");
            }
        }
    }
}

/// A device of this address in a namespace; its packets are read and written here.
fn device(namespace: &Namespace, address: Ipv4Addr) -> anyhow::Result<Device> {
    // Its process id is nobody else's, so the name is free wherever the device is made.
    let name = format!("nq{}", namespace.process_id());
    let mut configuration = tun::Configuration::default();
    configuration.tun_name(&name).platform_config(|platform| {
        // Addresses are given within the namespace.
        platform.ensure_root_privileges(false);
    });
    let device = tun::create(&configuration).context("can't make a TUN device")?;
    ip(Command::new("ip").args(["link", "set", &name, "netns", &namespace.process_id()]))?;
    ip(namespace.command("ip").args(["address", "add", &format!("{address}/24"), "dev", &name]))?;
    ip(namespace.command("ip").args(["link", "set", &name, "up"]))?;
    Ok(device)
}

fn ip(command: &mut Command) -> anyhow::Result<()> {
    let done = command.output().context("can't run ip (Debian's package iproute2)")?;
    ensure!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr).trim());
    Ok(())
}

/// Takes packets from a device, and decides of each whether and when it arrives.
fn take(from: &Device, relay: &Relay, mut direction: Direction, packets: &SyncSender<Packet>) {
    let mut buffer = vec![0; PACKET_BYTES];
    while !relay.is_over.load(Ordering::SeqCst) {
        let length = match from.recv_timeout(&mut buffer, EVERY) {
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::TimedOut => continue,
            // The device is gone with its namespace.
            Err(_) => return,
        };
        let now = Instant::now();
        let conditions = *relay.conditions.lock().unwrap_or_else(PoisonError::into_inner);
        let arrival = direction.arrival(length, now, &conditions);
        let is_taken = arrival.is_some_and(|arrival| packets.try_send((arrival, buffer[..length].to_vec())).is_ok());
        if !is_taken {
            relay.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Hands each packet to the other device when it arrives.
fn deliver(to: &Device, packets: &Receiver<Packet>) {
    for (arrival, packet) in packets {
        thread::sleep(arrival.saturating_duration_since(Instant::now()));
        // A device that is not up, or gone, takes none: lost, as on any link.
        let _ = to.send(&packet);
    }
}
