//! SFTP.

use super::super::{Errand, Finding, Setback};
use crate::server::catalog::definition::LoginService;
use crate::server::dial::Steps;

pub async fn ask(_errand: &Errand<'_>, _service: &LoginService, _steps: &mut Steps) -> Result<Finding, Setback> {
    Err(Setback::silence("Not yet spoken."))
}
