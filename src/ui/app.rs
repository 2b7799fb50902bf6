//! The application: document shell, boot script, routes.
