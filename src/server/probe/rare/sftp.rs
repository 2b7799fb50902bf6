//! SFTP: SSH, and then the subsystem `sftp`, asked for its version.
//! <https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02> (version 3, which OpenSSH speaks)

use russh::client::Msg;
use russh::{Channel, ChannelMsg};

use super::super::{Errand, Finding, Setback};
use super::ssh::sign_in;
use crate::domain::evidence::StepKind;
use crate::server::catalog::definition::LoginService;
use crate::server::dial::Steps;

/// `SSH_FXP_INIT` with version 3, behind its length (section 4).
const INIT: [u8; 9] = [0, 0, 0, 5, 1, 0, 0, 0, 3];
const SSH_FXP_VERSION: u8 = 2;
/// Bytes of the answer up to its version.
const HEAD: usize = 9;
/// Longest answer, in bytes; real ones hold a few hundred.
const LONGEST: u32 = 0x8000;
/// Messages until the answer at most.
const MOST_MESSAGES: usize = 50;

pub async fn ask(errand: &Errand<'_>, service: &LoginService, steps: &mut Steps) -> Result<Finding, Setback> {
    let (mut session, mut finding) = sign_in(errand, service, steps).await?;
    steps.begin(StepKind::Authorise);
    let version = match session.handle.channel_open_session().await {
        Ok(channel) => version(channel).await,
        // Signed in, but for forwarding alone.
        Err(russh::Error::ChannelOpenFailure(_)) => Ok(None),
        Err(error) => Err(error),
    };
    if let Some(version) = version.map_err(|error| session.explain(error))? {
        steps.pass(&format!("File transfer is allowed (SFTP version {version})."));
    } else {
        steps.fail("This account may sign in, but not transfer files. Allow it SFTP on the server.", "");
        finding.missing.push("SFTP".to_owned());
    }
    Ok(finding)
}

/// The version the subsystem speaks; `None` where the account has none, or has a message in its place.
async fn version(mut channel: Channel<Msg>) -> Result<Option<u32>, russh::Error> {
    channel.request_subsystem(true, "sftp").await?;
    let mut answer = Vec::new();
    for _ in 0..MOST_MESSAGES {
        match channel.wait().await {
            None => return Err(russh::Error::Disconnect),
            Some(ChannelMsg::Failure | ChannelMsg::Eof | ChannelMsg::Close) => return Ok(None),
            Some(ChannelMsg::Success) => channel.data_bytes(INIT.to_vec()).await?,
            Some(ChannelMsg::Data { data }) => answer.extend_from_slice(&data),
            Some(_) => {}
        }
        if answer.len() >= HEAD {
            return Ok(read_version(&answer));
        }
    }
    Ok(None)
}

fn read_version(answer: &[u8]) -> Option<u32> {
    let (length, rest) = answer.split_first_chunk()?;
    let (kind, rest) = rest.split_first()?;
    let (version, _) = rest.split_first_chunk()?;
    let sound = *kind == SSH_FXP_VERSION && (5..=LONGEST).contains(&u32::from_be_bytes(*length));
    sound.then(|| u32::from_be_bytes(*version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_told_from_a_message_for_people() {
        assert_eq!(read_version(&[0, 0, 0, 5, 2, 0, 0, 0, 3]), Some(3));
        assert_eq!(read_version(b"This account is not available."), None);
        assert_eq!(read_version(&[0, 0, 0, 5, 101, 0, 0, 0, 3]), None);
    }
}
