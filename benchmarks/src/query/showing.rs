//! Shows the page over the store, for whoever measures the page.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use netqoe_model::Rules;
use netqoe_model::metrics::Metrics;
use netqoe_query::{LiveFeed, QueryApi};
use netqoe_server::{ServerLimits, SignIn, SystemClock, Tokens};
use netqoe_sinks::read::Reader;

use crate::product::Product;

/// Until it is stopped. Nothing is ever committed meanwhile, and there is no pipeline to be looked at.
pub(super) async fn show(reader: Arc<dyn Reader>, product: &Product) -> anyhow::Result<()> {
    let stop = (product.stop_on_signals)().context("can't listen for signals")?;
    let tokens = Tokens::none_on_loopback();
    let listener = netqoe_server::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), &tokens)?;
    let address = listener.local_addr().context("can't tell the port that is listened on")?;
    let (session, _) = SignIn::new(tokens, Metrics::new(), Arc::new(SystemClock::new())).router();
    let (queries, _) = QueryApi::new(reader, &Rules::default(), LiveFeed::new(Metrics::new()), stop.clone()).router();
    let app = Router::new().merge(session).merge(queries).merge(netqoe_dashboard::page());
    tracing::info!("listening on http://{address}");
    netqoe_server::serve(listener, app, &ServerLimits::default(), stop).await.context("can't go on serving")
}
