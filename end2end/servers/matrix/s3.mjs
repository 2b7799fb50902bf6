import { startS3 } from "../s3.mjs";
import { byHttp } from "../matrix-entries.mjs";

export default async function s3() {
  const server = await startS3();
  return byHttp(server, {
    protocol: "S3-compatible", server: "moto 5.2 (PyPI), which verifies signatures; TLS by a program in front of it",
    component: "s3-compatible", method: "access_key", url: "endpoint",
    config: { access_key_id: server.accessKeyId, region: server.region, bucket: server.bucket },
    secrets: { secret_access_key: server.secretAccessKey },
    changes: {
      "wrong password": { secrets: { secret_access_key: "x".repeat(40) } },
      "wrong user": { config: { access_key_id: "AKIAQQQQQQQQQQQQQQQQ" } },
      "missing permission": { config: { access_key_id: server.visitor.accessKeyId }, secrets: { secret_access_key: server.visitor.secretAccessKey } },
    },
  });
}
