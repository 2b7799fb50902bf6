//! What a build without the cargo feature `protocols` says of the protocols it leaves out.

use super::{Errand, Finding, Setback};
use crate::server::catalog::definition::LoginService;
use crate::server::dial::Steps;

#[expect(clippy::unused_async, reason = "stands in for probes that wait")]
pub(super) async fn ask(_errand: &Errand<'_>, _service: &LoginService, _steps: &mut Steps) -> Result<Finding, Setback> {
    Err(Setback::silence("This build of Patchbay does not speak this protocol. Use the one that is released."))
}

pub mod mongodb {
    pub(in super::super) use super::ask;
}

pub mod sftp {
    pub(in super::super) use super::ask;
}

pub mod ssh {
    pub(in super::super) use super::ask;
}
