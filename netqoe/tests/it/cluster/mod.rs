//! The cluster on a real nats-server and a real PostgreSQL: the same rows whatever its shape, an end that everybody
//! notices, and no work on a log that is not what it was.

mod ends;
mod late;
mod lost_log;
mod parted;
mod refusals;
mod replicas;
mod restored;
mod shapes;
mod shared_limits;
mod three_servers;
