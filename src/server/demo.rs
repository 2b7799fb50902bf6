//! A sample workspace in a data folder of its own, never checked against real vendors.
