//! Router, sessions, REST v1, CSRF, CSP.
