//! What is said of the targets of the command line, in the words of a targets file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use netqoe_probe::{
    Expectations, ExpectedHeader, ExpectedText, InvalidWord, Method, OwnSettings, PlannedTarget, Proxy, RequestHeader,
    StatusRange, Target, TargetWords, parse_method,
};

use crate::exit::WrongUsage;

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Targets of the command line (a targets file says these of each)")]
pub(crate) struct TargetWordOptions {
    /// Statuses that are expected, such as 204 or 200-299; a measurement fails with any other. By default every status under 400
    /// will do. A redirect that is named is not followed
    #[arg(long, env = "NETQOE_EXPECT_STATUS", value_name = "STATUS", value_delimiter = ',')]
    expect_status: Vec<StatusRange>,

    /// Text that the page must contain
    #[arg(long, env = "NETQOE_EXPECT_TEXT", value_name = "TEXT")]
    expect_text: Option<ExpectedText>,

    /// Header that the answer must have, with any value or with this one; may be given several times
    #[arg(long, env = "NETQOE_EXPECT_HEADER", value_name = "NAME[: VALUE]")]
    expect_header: Vec<ExpectedHeader>,

    /// Days that each certificate must have left
    #[arg(long, env = "NETQOE_EXPECT_CERTIFICATE_DAYS", value_name = "DAYS")]
    expect_certificate_days: Option<u32>,

    /// Method of the request, by default GET
    #[arg(long, env = "NETQOE_METHOD", value_name = "METHOD", value_parser = parse_method)]
    method: Option<Method>,

    /// Header to send; may be given several times. Only a redirect within the same origin gets it, too
    #[arg(long, env = "NETQOE_HEADER", value_name = "NAME: VALUE", hide_env_values = true)]
    header: Vec<RequestHeader>,

    /// Body to send, with a method such as POST
    #[arg(long, env = "NETQOE_BODY", value_name = "TEXT", hide_env_values = true)]
    body: Option<String>,

    /// User name for basic authentication
    #[arg(long, env = "NETQOE_USER", value_name = "NAME")]
    user: Option<String>,

    /// File with that user's password
    #[arg(long, env = "NETQOE_PASSWORD_FILE", value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// File with a bearer token for the targets
    #[arg(long, env = "NETQOE_BEARER_TOKEN_FILE", value_name = "FILE")]
    bearer_token_file: Option<PathBuf>,

    /// Certificate to show to servers that ask for one (PEM, with its chain)
    #[arg(long, env = "NETQOE_CLIENT_CERTIFICATE", value_name = "FILE")]
    client_certificate: Option<PathBuf>,

    /// Private key of that certificate (PEM)
    #[arg(long, env = "NETQOE_CLIENT_KEY", value_name = "FILE")]
    client_key: Option<PathBuf>,

    /// Certificate authorities to trust (PEM), in place of the usual ones
    #[arg(long, env = "NETQOE_CA_FILE", value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// Accept any certificate. Events say so, and what is wrong with it
    #[arg(long, env = "NETQOE_INSECURE")]
    insecure: bool,

    /// Reach the targets by way of this proxy: http://HOST:PORT or socks5://HOST:PORT. It looks their names up, and what it takes
    /// to reach them is a phase of its own
    #[arg(long, env = "NETQOE_PROXY", value_name = "URL")]
    proxy: Option<Proxy>,
}

impl TargetWordOptions {
    /// The targets, each with what is said of all of them. Reads the files that are named.
    pub(super) fn plan(&self, targets: &[Target]) -> Result<Vec<PlannedTarget>, WrongUsage> {
        let words = self.words();
        words.check_together().map_err(|word| wrong(&word, None))?;
        let own: Arc<OwnSettings> = Arc::new(words.read(Path::new("")).map_err(|word| wrong(&word, None))?);
        let planned = targets.iter().map(|target| {
            words.check(target).map_err(|word| wrong(&word, Some(target)))?;
            Ok(PlannedTarget { own: Arc::clone(&own), ..PlannedTarget::from(target.clone()) })
        });
        planned.collect()
    }

    fn words(&self) -> TargetWords {
        TargetWords {
            expectations: Expectations {
                status: self.expect_status.clone(),
                text: self.expect_text.clone(),
                headers: self.expect_header.clone(),
                certificate_days: self.expect_certificate_days,
            },
            method: self.method.clone(),
            headers: self.header.clone(),
            body: self.body.clone(),
            user: self.user.clone(),
            password_file: self.password_file.clone(),
            bearer_token_file: self.bearer_token_file.clone(),
            client_certificate: self.client_certificate.clone(),
            client_key: self.client_key.clone(),
            ca_file: self.ca_file.clone(),
            insecure: self.insecure,
            proxy: self.proxy.clone(),
            ..TargetWords::default()
        }
    }
}

/// Of the option, as it is written.
fn wrong(word: &InvalidWord, target: Option<&Target>) -> WrongUsage {
    let of = target.map(|target| format!(" for {target}")).unwrap_or_default();
    WrongUsage(format!("--{}{of}: {}", word.key.replace('_', "-"), word.cause))
}
