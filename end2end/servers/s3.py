"""An S3-compatible server that verifies signatures: moto, with its own checks of identity switched on.

Prints one line of JSON when it is ready. Ends with its standard input or by a signal.
"""

import json
import os
import sys

# Creating the user, the key and its policy comes before anybody can sign; every action after it is checked.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "4"

import boto3  # noqa: E402  (moto reads the variable when it is imported)
from moto.server import ThreadedMotoServer  # noqa: E402

port = int(sys.argv[1])
server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
server.start()
endpoint = f"http://127.0.0.1:{port}"
bootstrap = {"aws_access_key_id": "bootstrap", "aws_secret_access_key": "bootstrap"}
iam = boto3.client("iam", region_name="us-east-1", endpoint_url=endpoint, **bootstrap)
iam.create_user(UserName="reporting")
key = iam.create_access_key(UserName="reporting")["AccessKey"]
allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*", "sts:*"], "Resource": "*"}]}
iam.put_user_policy(UserName="reporting", PolicyName="orders", PolicyDocument=json.dumps(allow))
s3 = boto3.client("s3", region_name="us-east-1", endpoint_url=endpoint, **bootstrap)
s3.create_bucket(Bucket="orders")
ready = {"accessKeyId": key["AccessKeyId"], "secretAccessKey": key["SecretAccessKey"]}
print("ready " + json.dumps(ready), flush=True)
server._thread.join()
