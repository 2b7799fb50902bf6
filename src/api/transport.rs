//! How the browser calls server functions: every one names this client.

use server_fn::client::Client;
use server_fn::client::browser::BrowserClient;
use server_fn::error::FromServerFnError;
use server_fn::request::browser::BrowserRequest;
use server_fn::response::browser::BrowserResponse;
use std::future::Future;
use std::sync::OnceLock;

/// Names the contract a page was built with, so that an old page says "reload" instead of failing.
pub const CONTRACT_HEADER: &str = "x-patchbay-contract";

/// A hash of `src/api` and `src/domain`, made by the build script.
pub const CONTRACT: &str = env!("PATCHBAY_CONTRACT");

/// Where a frame's bearer is to be had.
static BEARER: OnceLock<fn() -> Option<String>> = OnceLock::new();

/// From now on every request carries the bearer that there is at that moment, if there is one.
pub fn carry(bearer: fn() -> Option<String>) {
    // Told once, at the start.
    let _ = BEARER.set(bearer);
}

/// `fetch`, with the contract's name on every request, and in a frame its bearer.
pub struct Transport;

impl<E, I, O> Client<E, I, O> for Transport
where
    E: FromServerFnError,
    I: FromServerFnError,
    O: FromServerFnError,
{
    type Request = BrowserRequest;
    type Response = BrowserResponse;

    fn send(request: Self::Request) -> impl Future<Output = Result<Self::Response, E>> + Send {
        request.headers().set(CONTRACT_HEADER, CONTRACT);
        if let Some(bearer) = BEARER.get().and_then(|bearer| bearer()) {
            request.headers().set("authorization", &["Bearer ", &bearer].concat());
        }
        <BrowserClient as Client<E, I, O>>::send(request)
    }

    fn open_websocket(
        path: &str,
    ) -> impl Future<
        Output = Result<
            (
                impl futures::Stream<Item = Result<bytes::Bytes, bytes::Bytes>> + Send + 'static,
                impl futures::Sink<bytes::Bytes> + Send + 'static,
            ),
            E,
        >,
    > + Send {
        <BrowserClient as Client<E, I, O>>::open_websocket(path)
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) {
        <BrowserClient as Client<E, I, O>>::spawn(future);
    }
}
