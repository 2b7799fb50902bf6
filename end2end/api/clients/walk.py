"""What docs/api.md shows, by a client that openapi-python-client made: create, list, test, fetch the credentials, delete."""

import json
import os

from patchbay_client import AuthenticatedClient
from patchbay_client.api.connections import (
    create_connection,
    delete_connection,
    list_connections,
    test_connection,
)
from patchbay_client.api.runtime import fetch_credentials
from patchbay_client.models import CredentialsBody, NewConnection

api = AuthenticatedClient(base_url=os.environ["PATCHBAY_URL"], token=os.environ["PATCHBAY_API_KEY"])
values = {"base_url": os.environ["SERVICE_URL"], "token": "right-token", "test_path": "/me"}
new = NewConnection.from_dict(
    {"environment": "development", "component": "http", "method": "bearer", "name": "Rates", "tags": ["billing"], "values": values}
)
made = create_connection.sync(client=api, body=new, idempotency_key="walk-py")
found = list_connections.sync(client=api, environment=new.environment, q="ra")
tested = test_connection.sync(made.id, client=api)
fetched = fetch_credentials.sync(made.id, client=api, body=CredentialsBody.from_dict({"form": "request"}))
wrong = list_connections.sync(client=api, environment=new.environment, cursor="?")
gone = delete_connection.sync_detailed(made.id, client=api)

print(
    json.dumps(
        {
            "status": str(made.status),
            "listed": [item.name for item in found.items],
            "tested": str(tested.connection.status),
            "authorization": fetched.request.headers["authorization"],
            "problem": wrong.type_,
            "deleted": int(gone.status_code),
        }
    )
)
