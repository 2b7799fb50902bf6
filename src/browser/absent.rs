//! The browser's functions as the server sees them: views name them on both sides, and only a browser calls them.

/// No stream without a browser.
pub mod stream {
    use crate::api::error::ApiError;
    use crate::api::stream::ProbeEvent;

    /// Never called while rendering.
    ///
    /// # Errors
    /// Always [`ApiError::Offline`].
    #[expect(clippy::unused_async, reason = "has the signature of the browser's own")]
    pub async fn probe_events(_path: &str, _body: String, _on_event: impl FnMut(ProbeEvent)) -> Result<(), ApiError> {
        Err(ApiError::Offline)
    }
}

/// No chance without a browser.
pub mod random {
    /// Never called while rendering.
    #[must_use]
    pub fn request_id() -> String {
        String::new()
    }
}
