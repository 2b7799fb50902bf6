//! What goes into the store and comes out of it, in the domain's words.

use serde::{Deserialize, Serialize};

use crate::api::connections::{StoredSecret, Workflow};
use crate::domain::component::ComponentSlug;
use crate::domain::connection::Summary;
use crate::domain::environment::Environment;
use crate::domain::evidence::{Account, Evidence};
use crate::domain::field::FieldValues;
use crate::domain::health::Health;
use crate::domain::id::{ConnectionId, FlowId, WorkspaceId};
use crate::domain::name::ConnectionName;
use crate::domain::owner::{EndUser, Sight};
use crate::domain::tag::TagSet;
use crate::domain::time::Timestamp;

/// Where something lives, and whose is seen there. Every read and write is scoped by it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    pub workspace: WorkspaceId,
    pub environment: Environment,
    pub sight: Sight,
}

impl Scope {
    /// With all that is there, whoever it belongs to.
    #[must_use]
    pub const fn whole(workspace: WorkspaceId, environment: Environment) -> Self {
        Self { workspace, environment, sight: Sight::Everybody }
    }

    /// The same place, for what is the same whoever looks.
    #[must_use]
    pub fn place(&self) -> Self {
        Self::whole(self.workspace.clone(), self.environment)
    }
}

/// A connection, whole but sealed.
#[derive(Clone, Debug)]
pub struct StoredConnection {
    pub scope: Scope,
    pub summary: Summary,
    pub credentials: Credentials,
    pub secret_version: i64,
    pub deleted_at: Option<Timestamp>,
}

/// How a connection authenticates, and what is known of it.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub method: String,
    /// Values of the fields that are not secret.
    pub config: FieldValues,
    /// The sealed secrets; empty where the method has none or none was given.
    pub sealed: Vec<u8>,
    /// Which secrets `sealed` holds, and since when.
    pub secrets: Vec<StoredSecret>,
    /// A digest of where `sealed` is sent, as the component's file said when it was stored.
    pub destination: Option<Vec<u8>>,
    /// What is known of the OAuth tokens among the secrets; only on the way in.
    pub grant: Option<Grant>,
    pub proof: Proof,
}

/// What is known of a connection's OAuth tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The client it was given to, as the catalog names it.
    pub client: String,
    /// That client's id with the provider, which takes a refresh token from no other; `None`: not known.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Scopes asked for.
    pub asked: Vec<String>,
    /// Scopes granted, as the provider names them; `None`: it did not tell, so those asked for.
    pub granted: Option<Vec<String>>,
    /// When somebody last allowed access.
    pub connected_at: Timestamp,
    pub issued_at: Timestamp,
    /// `None`: not told.
    pub access_expires_at: Option<Timestamp>,
    /// `None`: not known.
    pub refresh_expires_at: Option<Timestamp>,
    /// When it is renewed next; `None`: never.
    pub refresh_at: Option<Timestamp>,
    /// Renewals in a row that brought no evidence.
    pub failures: i64,
    /// The provider has ended it: a person has to connect the account again.
    #[serde(default)]
    pub ended: bool,
}

/// A renewal that is claimed: nobody else presents the refresh token until the lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewalClaim {
    pub scope: Scope,
    pub id: ConnectionId,
    /// The client it was given to.
    pub client: String,
    pub fence: i64,
    /// How often the refresh token in force was claimed, this time included: more than once, and an answer was lost.
    pub presented: i64,
    /// When the lease ends.
    pub until: Timestamp,
}

/// What the latest probe said.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    pub health: Health,
    pub account: Account,
    pub evidence: Option<Evidence>,
    pub expires_at: Option<Timestamp>,
    /// When the service is asked next; `None`: never.
    pub check_at: Option<Timestamp>,
}

/// A check that is due, claimed: nobody else carries it out until the lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub scope: Scope,
    pub id: ConnectionId,
    pub fence: i64,
    /// When the lease ends: from then on others may have claimed it.
    pub until: Timestamp,
}

/// What a check found out.
pub struct Found {
    /// When; what was found later than this stays.
    pub at: Timestamp,
    /// The secrets it concerns.
    pub secret_version: i64,
    /// The claim under which it was made, for a check that was due by itself.
    pub fence: Option<i64>,
    /// What it means for the connection as it is when this is written: a slow check began with an older one.
    pub judge: Judge,
}

pub type Judge = Box<dyn FnOnce(&StoredConnection) -> Judged + Send>;

/// What is known of a connection after a check.
#[derive(Clone, Debug)]
pub struct Judged {
    pub proof: Proof,
    /// Whether lists show something else now, so that open pages have to learn of it.
    pub visible: bool,
    /// What the audit trail says of it.
    pub entry: Option<AuditEntry>,
}

/// A connection to be inserted; its secrets are version 1.
#[derive(Clone, Debug)]
pub struct NewConnection {
    pub id: ConnectionId,
    /// The end user it belongs to; `None`: the workspace.
    pub owner: Option<EndUser>,
    pub component: ComponentSlug,
    /// The component is the workspace's own, and has to be there still.
    pub own_component: bool,
    pub name: ConnectionName,
    pub tags: TagSet,
    pub credentials: Credentials,
    /// Repeating a request id within a workspace and environment creates nothing twice.
    pub request_id: Option<String>,
    /// A keyed digest of that request.
    pub request_digest: Option<Vec<u8>>,
}

/// What an earlier request with the same id created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    pub summary: Summary,
    pub is_deleted: bool,
    digest: Option<Vec<u8>>,
}

impl Earlier {
    pub(super) const fn new(summary: Summary, is_deleted: bool, digest: Option<Vec<u8>>) -> Self {
        Self { summary, is_deleted, digest }
    }

    /// Whether a request with this digest repeats it; one that left no digest is taken at its id.
    #[must_use]
    pub fn is_repeated_by(&self, digest: Option<&[u8]>) -> bool {
        self.digest.is_none() || self.digest.as_deref() == digest
    }
}

/// What an update changes; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub name: Option<ConnectionName>,
    pub tags: Option<TagSet>,
    /// New credentials: the secret version grows by one.
    pub credentials: Option<Credentials>,
    /// The secret version they are sealed to follow: tokens may have been renewed since, which no version tells.
    pub replaces: Option<i64>,
    /// The flow that brings them: it ends with this.
    pub ends: Option<EndingFlow>,
}

/// The connecting of an account as it is carried through: what it brings is saved only if nobody called it off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingFlow {
    pub id: FlowId,
    pub version: i64,
}

/// What somebody asked for who is connecting an account. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowRequest {
    pub component: ComponentSlug,
    pub method: String,
    pub name: ConnectionName,
    pub tags: TagSet,
    /// Values of the fields that are not secret.
    pub config: FieldValues,
    /// Scopes to ask for.
    pub scopes: Vec<String>,
    /// Handed to somebody else as a link.
    pub by_link: bool,
    /// The end user the connection will belong to; `None`: the workspace.
    #[serde(default)]
    pub owner: Option<EndUser>,
    /// A digest of where codes, tokens and secrets are sent, as the component said when it was begun; `None`: begun
    /// before this was noted.
    #[serde(default)]
    pub destination: Option<Vec<u8>>,
}

/// How far the connecting of an account is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowStage {
    /// Nobody has opened the page yet.
    Asked,
    /// The page is open, or the person is at the provider.
    Opened,
    /// The provider has answered; its answer is being traded for tokens.
    Exchanging,
    /// Somebody enters a code at the provider's page (RFC 8628).
    Device {
        user_code: String,
        verification_url: String,
        complete_url: Option<String>,
        /// Milliseconds between two questions.
        interval: i64,
        ask_at: Timestamp,
    },
    /// Another account came back than the one connected before; a person has to decide.
    OtherAccount {
        was: String,
        is: String,
    },
    Connected {
        connection: ConnectionId,
    },
    Failed {
        message: String,
    },
}

/// A workflow and the connections it uses.
#[derive(Clone, Debug)]
pub struct WorkflowUse {
    pub workflow: Workflow,
    pub connections: Vec<ConnectionId>,
}

/// Who did what; written in the same transaction as the change itself.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    pub at: Timestamp,
    /// Stable: `member:mem_…`, `key:key_…`, `system`.
    pub actor: String,
    /// As people read it.
    pub actor_name: String,
    /// The caller's network address, where there is one.
    pub address: Option<String>,
    pub action: AuditAction,
    /// Field names and the like, never values.
    pub about: String,
}

impl AuditEntry {
    /// What Patchbay did by itself.
    #[must_use]
    pub fn system(at: Timestamp, action: AuditAction, about: impl Into<String>) -> Self {
        let (actor, actor_name) = ("system".to_owned(), "Patchbay".to_owned());
        Self { at, actor, actor_name, address: None, action, about: about.into() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditAction {
    Created,
    /// Credentials that the service did not accept, and that were not saved.
    Tried,
    Edited,
    Tagged,
    Tested,
    /// By the schedule, with another outcome than before.
    Checked,
    Deleted,
    Restored,
    Purged,
    WorkflowRegistered,
    WorkflowRemoved,
    /// Workflows use another connection instead.
    Replaced,
    /// Workflows use this one instead of another.
    TookOver,
    /// Workflows use a connection again that came back.
    WorkflowsReturned,
    SignedIn,
    SignedOut,
    KeyCreated,
    KeyRevoked,
    /// An account was connected anew to a connection.
    Reconnected,
    /// A link was made by which somebody else connects an account.
    LinkCreated,
    /// Tokens were renewed, or could not be, with another outcome than before.
    Renewed,
    Revoked,
    RevocationFailed,
    ClientStored,
    ClientRemoved,
    /// The platform made a workspace, or changed its origins, theme or settings.
    WorkspaceStored,
    /// The platform asked for a ticket that signs an end user in to a frame.
    TicketMade,
    /// A frame traded its ticket.
    FrameSignedIn,
    ComponentRegistered,
    ComponentChanged,
    ComponentRemoved,
    /// A component was tried with a credential that is not kept.
    ComponentTried,
    WebhookCreated,
    WebhookChanged,
    WebhookSecretRotated,
    WebhookRemoved,
    /// Its endpoint answered that it is gone.
    WebhookDisabled,
    /// A key was given a connection's credentials.
    HandedOut,
    /// A request was sent with a connection's credentials, which stayed here.
    Proxied,
    /// A runtime says that the service refused the credentials: the service is asked.
    RefusalReported,
}

impl AuditAction {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Tried => "tried",
            Self::Edited => "edited",
            Self::Tagged => "tagged",
            Self::Tested => "tested",
            Self::Checked => "checked",
            Self::Deleted => "deleted",
            Self::Restored => "restored",
            Self::Purged => "purged",
            Self::WorkflowRegistered => "workflow registered",
            Self::WorkflowRemoved => "workflow removed",
            Self::Replaced => "replaced by",
            Self::TookOver => "took over from",
            Self::WorkflowsReturned => "workflows returned",
            Self::SignedIn => "signed in",
            Self::SignedOut => "signed out",
            Self::KeyCreated => "key created",
            Self::KeyRevoked => "key revoked",
            Self::Reconnected => "reconnected",
            Self::LinkCreated => "connect link created",
            Self::Renewed => "renewed",
            Self::Revoked => "revoked at the service",
            Self::RevocationFailed => "could not be revoked at the service",
            Self::ClientStored => "OAuth client stored",
            Self::ClientRemoved => "OAuth client removed",
            Self::WorkspaceStored => "workspace settings stored",
            Self::TicketMade => "embed ticket made",
            Self::FrameSignedIn => "signed in to an embedded page",
            Self::ComponentRegistered => "component registered",
            Self::ComponentChanged => "component changed",
            Self::ComponentRemoved => "component removed",
            Self::ComponentTried => "component tried",
            Self::WebhookCreated => "webhook created",
            Self::WebhookChanged => "webhook changed",
            Self::WebhookSecretRotated => "webhook secret rotated",
            Self::WebhookRemoved => "webhook removed",
            Self::WebhookDisabled => "webhook disabled, its endpoint is gone",
            Self::HandedOut => "credentials handed out",
            Self::Proxied => "request sent",
            Self::RefusalReported => "refusal reported",
        }
    }
}
