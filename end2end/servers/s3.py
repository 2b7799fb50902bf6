"""An S3-compatible server that verifies signatures: moto, with its own checks of identity switched on.

Prints one line of JSON when it is ready. Ends with its standard input or by a signal.
"""

import json
import os
import sys

# Creating the users, their keys and policies comes before anybody can sign; every action after it is checked.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "7"

import boto3  # noqa: E402  (moto reads the variable when it is imported)
from moto.server import ThreadedMotoServer  # noqa: E402

port = int(sys.argv[1])
server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
server.start()
endpoint = f"http://127.0.0.1:{port}"
bootstrap = {"aws_access_key_id": "bootstrap", "aws_secret_access_key": "bootstrap"}
iam = boto3.client("iam", region_name="us-east-1", endpoint_url=endpoint, **bootstrap)


def user(name, actions):
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_user_policy(UserName=name, PolicyName="orders", PolicyDocument=json.dumps(allow))
    return {"accessKeyId": key["AccessKeyId"], "secretAccessKey": key["SecretAccessKey"]}


reporting = user("reporting", ["s3:*", "sts:*"])
# May see which buckets there are, and nothing in them.
visitor = user("visitor", ["s3:ListAllMyBuckets"])
s3 = boto3.client("s3", region_name="us-east-1", endpoint_url=endpoint, **bootstrap)
s3.create_bucket(Bucket="orders")
ready = {**reporting, "visitor": visitor}
print("ready " + json.dumps(ready), flush=True)
server._thread.join()
